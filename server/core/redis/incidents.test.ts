import { describe, expect, it } from "vitest";
import { getDocument, putDocument } from "../documents.ts";
import { createDraft, type Draft, listIncidents } from "../draft.ts";
import { syncSubjects } from "../incident/sync-subjects.ts";
import type { Verdict, VerdictKind } from "../incident/types.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import { syncRedisIncident } from "./incidents.ts";
import { declareRedis } from "./observe.ts";
import type { RedisDocument } from "./servers.ts";
import type { RedisStatus } from "./status.ts";

const now = { monoMs: 50_000, wallMs: 1_700_000_000_000, entropy: "e" };

function verdict(kind: VerdictKind, cluster: string | null): Verdict {
  const evidence = [{ code: `${kind}-seen`, observer: "redis-b", stance: "for" as const, data: {}, at: now.wallMs }];
  const subject = { kind: "node" as const, id: "redis-a" };
  return { kind, class: "software", subject, cluster, confidence: 0.9, evidence, sinceWallMs: now.wallMs - 2_000 };
}

function open(): { draft: Draft; record: RedisDocument } {
  const draft = createDraft(createState(defaultPolicy), now);
  const status = { cluster: "sessions", instance: "redis-a-1", mode: "cluster", host: "h", port: 1 } as RedisStatus;
  declareRedis(draft, "redis-a", [status]);
  const record = getDocument(draft, "redis", "sessions") as RedisDocument;
  putDocument(draft, record);
  return { draft, record };
}

const sees = (draft: Draft, record: RedisDocument, found: Verdict | null, mitigated = false, whole = false) =>
  syncRedisIncident(draft, record, found, { mitigated, whole });
const nodeIsGone = (draft: Draft) =>
  syncSubjects(draft, [{ kind: "node", id: "redis-a", cluster: "sessions", verdicts: [verdict("lost-node", null)] }]);

describe("a dead Redis node has one incident", () => {
  it("when its cluster says so first", () => {
    const { draft, record } = open();
    sees(draft, record, verdict("dead-primary", "sessions"));
    nodeIsGone(draft);
    expect(listIncidents(draft)).toHaveLength(1);
    expect(listIncidents(draft)[0]?.symptoms.map(({ kind }) => kind)).toEqual(["lost-node"]);
  });

  it("when the silence of its agent says so first: the cluster takes that incident over, with the graver cause", () => {
    const { draft, record } = open();
    nodeIsGone(draft);
    sees(draft, record, verdict("dead-primary", "sessions"));
    const [incident, ...others] = listIncidents(draft);
    expect(others).toEqual([]);
    expect(incident).toMatchObject({ cluster: "sessions", cause: { kind: "dead-primary" } });
    expect(incident?.symptoms.map(({ kind }) => kind)).toEqual(["lost-node"]);
  });

  it("is mitigated once slots are served again while the node is still away, and ends when all is whole", () => {
    const { draft, record } = open();
    const dead = verdict("dead-primary", "sessions");
    sees(draft, record, dead);
    expect(sees(draft, record, dead, true)?.phase).toBe("mitigated");
    expect(sees(draft, record, null, true, true)).toBeNull();
    expect(listIncidents(draft)[0]?.phase).toBe("resolved");
  });
});
