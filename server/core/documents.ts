import type { ChangeRecord, ProgramRecord } from "./changes/types.ts";
import type { Draft } from "./draft.ts";
import type { RuleNumbers } from "./monitoring/rules.ts";
import type { RedisMigrationRecord, RedisRecord } from "./redis/types.ts";
import type { KeySpaceRecord } from "./ring/key-space.ts";

/**
 * Durable things beside nodes, clusters, incidents and actions, each with the room that judges it. All are stored, loaded, sent to
 * screens and paged in one way; a room that needs a kind of its own adds a line to `DocumentTypes` and nothing else.
 */
export interface DocumentTypes {
  readonly change: ChangeRecord;
  /** A plain service with releases, by its name. */
  readonly program: ProgramRecord;
  /** A Redis replica set or Redis Cluster. */
  readonly redis: RedisRecord;
  /** A move of slots within a Redis Cluster. */
  readonly "redis-migration": RedisMigrationRecord;
  /** A service depends on another: said by a person, beside what spans show. Id: `<from>><to>`. */
  readonly "declared-dependency": { readonly from: string; readonly to: string; readonly by: string };
  /** A key space on a ring. Id: its name. */
  readonly "key-space": KeySpaceRecord;
  /** The numbers of a monitoring rule as a person set them; the defaults hold without. Id: the rule's. */
  readonly "monitor-rule": { readonly numbers: RuleNumbers; readonly by: string };
}

export type DocumentKind = keyof DocumentTypes;

export interface DocumentBase {
  /** Unique within its kind. */
  readonly id: string;
  /** Wall clock, milliseconds. Pages go by it, newest first. */
  readonly openedAt: number;
  /** Null while it matters to judgement: then it is in memory and on the feed. Afterwards it is only read from the store. */
  readonly closedAt: number | null;
}

export type DocumentOf<K extends DocumentKind> = DocumentBase & { readonly kind: K } & DocumentTypes[K];

export type Document = { readonly [K in DocumentKind]: DocumentOf<K> }[DocumentKind];

/** The key of a document among all, as in `Durable.documents`. */
export function documentKey(kind: DocumentKind, id: string): string {
  return `${kind}:${id}`;
}

/** The document as it stands in this batch; null when there is none that is open. */
export function getDocument<K extends DocumentKind>(draft: Draft, kind: K, id: string): DocumentOf<K> | null {
  const key = documentKey(kind, id);
  const found = draft.documents.get(key) ?? draft.state.durable.documents.get(key) ?? null;
  return found === null || found.closedAt !== null ? null : (found as unknown as DocumentOf<K>);
}

/** All open documents of a kind, oldest first. */
export function listDocuments<K extends DocumentKind>(draft: Draft, kind: K): DocumentOf<K>[] {
  const merged = new Map([...draft.state.durable.documents, ...draft.documents]);
  const open = [...merged.values()].filter((document) => document.kind === kind && document.closedAt === null);
  return (open as unknown as DocumentOf<K>[]).sort((a, b) => a.openedAt - b.openedAt);
}

/** Writes the whole document; with `closedAt` set it leaves the memory and the feed once that is committed. */
export function putDocument(draft: Draft, value: Document): void {
  const key = documentKey(value.kind, value.id);
  draft.documents.set(key, value);
  draft.touched.add(`document:${key}`);
}
