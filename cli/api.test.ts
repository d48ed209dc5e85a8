import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openApi } from "./api.ts";

describe("the local token", () => {
  let folder: string;
  let server: Server;
  let url: string;
  let valid = "first";
  let asked = 0;

  beforeEach(async () => {
    asked = 0;
    folder = mkdtempSync(join(tmpdir(), "holdfast-api-"));
    server = createServer((request, response) => {
      asked += 1;
      response.statusCode = request.headers.authorization === `Bearer ${valid}` ? 200 : 401;
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const restartServer = (token: string) => {
    valid = token;
    writeFileSync(join(folder, "local.token"), `${url}\n${token}\n`);
  };

  it("is read again after a restart of the server, so that whoever follows an action goes on", async () => {
    restartServer("first");
    const api = openApi({ HOLDFAST_DATA_DIR: folder });
    await api.get("changes/CHG-1");
    restartServer("second");
    await api.get("changes/CHG-1");
    expect(api.token).toBe("second");
    expect(asked).toBe(2);
  });

  it("does not take the place of one that was given, and a refusal is asked for once", async () => {
    restartServer("second");
    const given = openApi({ HOLDFAST_DATA_DIR: folder, HOLDFAST_TOKEN: "given" });
    await expect(given.get("changes/CHG-1")).rejects.toThrow("401");
    expect(asked).toBe(1);
  });
});
