import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "./load.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-config-"));
  await mkdir(join(directory, "bin"));
  await writeFile(join(directory, "bin", "postgres"), "");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const minimal = "node: pg-a\nserver: ws://127.0.0.1:7400\nstateDir: state\n";

async function load(text: string) {
  const path = join(directory, "agent.yaml");
  await writeFile(path, text);
  return loadConfig(path);
}

describe("agent.yaml", () => {
  it.each([
    ["node: pg-a\nserver: [ws://x\n", /agent\.yaml:\d+: not valid YAML/],
    ["node: PG_A\nserver: ws://127.0.0.1\nstateDir: s\n", /agent\.yaml:1: node: use 1 to 40 of a–z/],
    ["node: pg-a\nserver: http://127.0.0.1\nstateDir: s\n", /agent\.yaml:2: server: use a ws:\/\/ or wss:\/\/ URL/],
    [`${minimal}sevrices: []\n`, /agent\.yaml:4: sevrices: there is no such setting/],
    [
      `${minimal}services:\n  - kind: postgres\n    cluster: orders\n    port: 70000\n    binDir: b\n    dataDir: d\n`,
      /agent\.yaml:7: services\.0\.port/,
    ],
    [
      `${minimal}services:\n  - kind: postgres\n    cluster: orders\n    port: 5432\n    dataDir: d\n`,
      /agent\.yaml:5: services\.0\.binDir/,
    ],
    [`${minimal}allow: [postgres.seal, shell.exec]\n`, /agent\.yaml:4: allow\.1/],
  ])("names line and reason of %j", (text, message) => {
    expect(() => parseConfig("agent.yaml", text)).toThrow(message);
  });

  it("says which file cannot be read", async () => {
    await expect(loadConfig(join(directory, "none.yaml"))).rejects.toThrow(/none\.yaml: cannot be read: ENOENT/);
  });

  it("refuses plain ws:// to another machine unless it is allowed in so many words", async () => {
    const far = minimal.replace("127.0.0.1", "control.example");
    await expect(load(far)).rejects.toThrow(/:2: server: plain ws:\/\/ to another machine.*allowInsecure: true/);
    await expect(load(`${far}allowInsecure: true\n`)).resolves.toMatchObject({ server: "ws://control.example:7400" });
    await expect(load(far.replace("ws:", "wss:"))).resolves.toMatchObject({ server: "wss://control.example:7400" });
  });

  it("binds its HTTP to loopback only", async () => {
    await expect(load(`${minimal}listen: {host: 0.0.0.0, port: 7410}\n`)).rejects.toThrow(/:4: listen\.host/);
  });

  it("allows no verb without a service, every PostgreSQL verb with one, and what is listed otherwise", async () => {
    const service = "services:\n  - {kind: postgres, cluster: orders, port: 5432, binDir: bin, dataDir: data}\n";
    expect((await load(minimal)).allow.size).toBe(0);
    expect((await load(minimal + service)).allow.has("postgres.promote")).toBe(true);
    expect([...(await load(`${minimal}${service}allow: [postgres.seal]\n`)).allow]).toEqual(["postgres.seal"]);
  });

  it("takes secrets from files beside it, and misses a password file but not a used-up token file", async () => {
    await writeFile(join(directory, "password"), "s3cret\n");
    const service =
      "services:\n  - {kind: postgres, cluster: orders, port: 5432, binDir: bin, dataDir: data, passwordFile: FILE}\n";
    const config = await load(minimal + service.replace("FILE", "password"));
    expect(config.postgres).toMatchObject({ password: "s3cret", dataDir: join(directory, "data") });
    await expect(load(minimal + service.replace("FILE", "gone"))).rejects.toThrow(/passwordFile: ENOENT/);
    expect((await load(`${minimal}tokenFile: gone\n`)).token).toBeNull();
  });

  it("misses PostgreSQL's programs, and a configuration that lies elsewhere, before they are needed", async () => {
    const service =
      "services:\n  - kind: postgres\n    cluster: orders\n    port: 5432\n    binDir: bin\n    dataDir: data\n";
    await expect(load(minimal + service.replace("bin\n", "none\n"))).rejects.toThrow(/:8: services\.0\.binDir: .*none/);
    await mkdir(join(directory, "data"));
    await writeFile(join(directory, "data", "PG_VERSION"), "15\n");
    await expect(load(minimal + service)).rejects.toThrow(/:9: services\.0\.dataDir: .*postgresql\.conf is elsewhere/);
    await expect(load(`${minimal}${service}    start: {unit: postgresql@15-main}\n`)).resolves.toBeTruthy();
  });

  it("turns a unit name into fixed arguments", async () => {
    const text = `${minimal}services:\n  - {kind: postgres, cluster: orders, port: 5432, binDir: bin, dataDir: d, start: {unit: postgresql@15-main}}\n`;
    expect((await load(text)).postgres?.manager).toEqual({
      start: ["/usr/bin/systemctl", "start", "postgresql@15-main"],
      stop: ["/usr/bin/systemctl", "stop", "postgresql@15-main"],
    });
    await expect(load(text.replace("postgresql@15-main", '"a; rm -rf /"'))).rejects.toThrow(/start/);
  });

  it("takes fencing commands for other nodes, and allows them by that alone", async () => {
    const hook = (node: string, program: string) => `fencing:\n  - { node: ${node}, command: [${program}, off] }\n`;
    const config = await load(minimal + hook("pg-b", "/bin/power"));
    expect(config.fencing).toEqual([{ node: "pg-b", command: ["/bin/power", "off"], timeoutMs: 20_000 }]);
    expect([...config.allow]).toEqual(["host.fence"]);
    const service = "services:\n  - {kind: postgres, cluster: orders, port: 5432, binDir: bin, dataDir: data}\n";
    expect((await load(minimal + service)).allow.has("host.fence")).toBe(false);
    await expect(load(minimal + hook("pg-a", "/bin/power"))).rejects.toThrow(/:4: fencing: pg-a can't cut itself off/);
    await expect(load(minimal + hook("pg-b", "power"))).rejects.toThrow(
      /:4: fencing: name the program by its whole path/,
    );
  });

  it("takes a watchdog only when it is there and its time is known", async () => {
    const service = (watchdog: string) =>
      `${minimal}services:\n  - {kind: postgres, cluster: orders, port: 5432, binDir: bin, dataDir: data,\n     watchdog: ${watchdog}}\n`;
    const device = join(directory, "dog");
    await expect(load(service(`{device: ${device}}`))).rejects.toThrow(/services\.0\.watchdog: there is no .*dog/);
    await writeFile(device, "");
    await expect(load(service(`{device: ${device}}`))).rejects.toThrow(/name it with timeoutMs/);
    expect((await load(service(`{device: ${device}, timeoutMs: 5000}`))).postgres?.watchdog?.biteMs).toBe(5_000);
  });
});
