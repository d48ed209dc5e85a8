import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTrialRoot, TrialMember } from "../testing/trial-cluster.ts";
import { rewindFrom } from "./rewind.ts";

const primary = { node: "pg-b", host: "127.0.0.1", port: 1 };

describe("a rewind", () => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let member: TrialMember;

  /** A program in the place of `pg_rewind`: it ends well only if the directory is marked while it works. */
  async function rewindWith(code: number): Promise<boolean> {
    const program = join(root.path, "pg_rewind");
    await writeFile(program, `#!/bin/sh\ntest -e "${root.path}/pg-a/state/trial-unfinished" || exit 9\nexit ${code}\n`);
    await chmod(program, 0o755);
    return (await rewindFrom(member.instance, primary, new AbortController().signal)).ok;
  }

  beforeAll(async () => {
    root = await makeTrialRoot();
    await mkdir(join(root.path, "pg-a", "data"), { recursive: true });
    await writeFile(join(root.path, "pg-a", "data", "PG_VERSION"), "17\n");
    member = await TrialMember.create(root.path, "pg-a", root.path);
  });

  afterAll(() => root.remove());

  it("leaves a database with its signal file when it succeeds", async () => {
    expect(await rewindWith(0)).toBe(true);
    expect(await member.instance.data.isEmpty()).toBe(false);
    expect(await member.instance.data.hasStandbySignal()).toBe(true);
  });

  it("leaves a directory that counts as empty when it does not, also to an agent that starts anew", async () => {
    expect(await rewindWith(1)).toBe(false);
    await member.instance.boot();
    expect(member.instance.snapshot(0).state).toBe("empty");
  });
});
