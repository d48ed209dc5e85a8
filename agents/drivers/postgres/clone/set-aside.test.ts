import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTrialRoot, TrialMember } from "../testing/trial-cluster.ts";
import { copyWal } from "./set-aside.ts";

const segmentBytes = 1024 * 1024;

describe("a copy of WAL", () => {
  let root: Awaited<ReturnType<typeof makeTrialRoot>>;
  let member: TrialMember;

  beforeAll(async () => {
    root = await makeTrialRoot();
    const wal = join(root.path, "pg-a", "data", "pg_wal");
    await mkdir(wal, { recursive: true });
    for (const segment of [1, 2, 3])
      await writeFile(join(wal, `00000001000000000000000${segment}`), Buffer.alloc(segmentBytes, segment));
    member = await TrialMember.create(root.path, "pg-a", root.path);
  });

  afterAll(() => root.remove());

  it("takes the segment of the fork and all after it, and makes one copy of the same WAL", async () => {
    const first = await copyWal(member.instance, 2 * segmentBytes + 5);
    expect(await readdir(first.path)).toEqual(["000000010000000000000002", "000000010000000000000003"]);
    expect(first.bytes).toBe(2 * segmentBytes);
    expect(await copyWal(member.instance, 2 * segmentBytes + 5)).toEqual(first);
    expect(await readdir(join(root.path, "pg-a", "state", "set-aside"))).toHaveLength(1);
  });

  it("takes everything from the beginning on", async () => {
    expect(await readdir((await copyWal(member.instance, 0)).path)).toHaveLength(3);
  });
});
