import type {
  Action,
  AuditDraft,
  ClusterRecord,
  CommandRecord,
  Counters,
  Document,
  Incident,
  NodeRecord,
  Note,
  Policy,
  TimelineEntry,
  Write,
} from "../../core/index.ts";
import { documentKey } from "../../core/index.ts";

/** A command as it stands after the batch. `record` is null when an earlier batch stored it. */
export interface CommandChange {
  readonly record: CommandRecord | null;
  /** Null while it has no result. */
  readonly finished: { readonly outcome: unknown } | null;
}

/** A batch of writes by table: puts of the same entity folded to the last one, appends in order. */
export interface FoldedWrites {
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  readonly clusters: ReadonlyMap<string, ClusterRecord>;
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly actions: ReadonlyMap<string, Action>;
  readonly commands: ReadonlyMap<string, CommandChange>;
  /** By `documentKey`. */
  readonly documents: ReadonlyMap<string, Document>;
  readonly counters: Counters | null;
  readonly policy: Policy | null;
  readonly timeline: readonly TimelineEntry[];
  readonly notes: readonly Note[];
  readonly audit: readonly AuditDraft[];
}

/** Both stores fold in the same way, so that a batch means the same to each. */
export function foldWrites(writes: readonly Write[]): FoldedWrites {
  const nodes = new Map<string, NodeRecord>();
  const clusters = new Map<string, ClusterRecord>();
  const incidents = new Map<string, Incident>();
  const actions = new Map<string, Action>();
  const commands = new Map<string, CommandChange>();
  const documents = new Map<string, Document>();
  const timeline: TimelineEntry[] = [];
  const notes: Note[] = [];
  const audit: AuditDraft[] = [];
  let counters: Counters | null = null;
  let policy: Policy | null = null;
  for (const write of writes) {
    switch (write.kind) {
      case "put-node":
        nodes.set(write.value.id, write.value);
        break;
      case "put-cluster":
        clusters.set(write.value.id, write.value);
        break;
      case "put-incident":
        incidents.set(write.value.id, write.value);
        break;
      case "put-action":
        actions.set(write.value.id, write.value);
        break;
      case "put-command":
        commands.set(write.value.id, { record: write.value, finished: null });
        break;
      case "finish-command":
        commands.set(write.id, {
          record: commands.get(write.id)?.record ?? null,
          finished: { outcome: write.outcome ?? null },
        });
        break;
      case "put-document":
        documents.set(documentKey(write.value.kind, write.value.id), write.value);
        break;
      case "put-counters":
        counters = write.value;
        break;
      case "put-policy":
        policy = write.value;
        break;
      case "append-timeline":
        timeline.push(write.value);
        break;
      case "append-note":
        notes.push(write.value);
        break;
      case "append-audit":
        audit.push(write.value);
        break;
      default:
        write satisfies never;
    }
  }
  return { nodes, clusters, incidents, actions, commands, documents, counters, policy, timeline, notes, audit };
}
