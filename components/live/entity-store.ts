import type {
  ActionView,
  ClusterView,
  DocumentView,
  EntityView,
  IncidentView,
  NodeView,
  RedisView,
  SystemView,
} from "../../server/protocol/index.ts";

/**
 * The rows of the live feed, by kind and id. One node changing must not re-render a fleet of 10,000, so this is a plain store
 * with three grains of subscription: one entity, a list (throttled), and the set of changed ids (for the canvas).
 * Details and history, which are asked for by screen, live in TanStack Query.
 */
export interface EntityOf {
  readonly node: NodeView;
  readonly cluster: ClusterView;
  readonly incident: IncidentView;
  readonly action: ActionView;
  readonly document: DocumentView;
  readonly redis: RedisView;
  readonly system: SystemView;
}
export type EntityKind = keyof EntityOf;
const kinds: readonly EntityKind[] = ["node", "cluster", "incident", "action", "document", "redis", "system"];

/** Lists are told at once after a quiet time, then at most this often; less often when they are long. */
const LIST_INTERVAL_MS = 200;
const LIST_INTERVAL_PER_ROW_MS = 0.05;

export interface Scheduler {
  /** Calls back before the next paint (or soon, when the page is hidden). */
  readonly frame: (run: () => void) => void;
  readonly timer: (run: () => void, delayMs: number) => void;
  readonly nowMs: () => number;
}

interface Shelf {
  readonly rows: Map<string, EntityView>;
  list: readonly EntityView[] | null;
  readonly one: Map<string, Set<() => void>>;
  readonly many: Set<() => void>;
  readonly changes: Set<(ids: ReadonlySet<string> | null) => void>;
  /** Ids changed since the last flush; null: everything. */
  pending: Set<string> | null;
  dirty: boolean;
  listToldAt: number;
  listTimer: boolean;
}

export interface EntityStore {
  readonly get: <K extends EntityKind>(kind: K, id: string) => EntityOf[K] | undefined;
  /** The same array until something of that kind changed and the list's subscribers were told. */
  readonly list: <K extends EntityKind>(kind: K) => readonly EntityOf[K][];
  readonly subscribe: (kind: EntityKind, id: string, listener: () => void) => () => void;
  readonly subscribeList: (kind: EntityKind, listener: () => void) => () => void;
  /** Every flush with the ids that changed; null means anything may have. */
  readonly subscribeChanges: (kind: EntityKind, listener: (ids: ReadonlySet<string> | null) => void) => () => void;
  readonly replaceAll: (entities: readonly EntityView[]) => void;
  readonly apply: (
    put: readonly EntityView[],
    removed: readonly { readonly entity: string; readonly id: string }[],
  ) => void;
}

export function entityId(entity: EntityView): string {
  return entity.entity === "system" ? "system" : entity.id;
}

function createShelf(): Shelf {
  return {
    rows: new Map(),
    list: null,
    one: new Map(),
    many: new Set(),
    changes: new Set(),
    pending: new Set(),
    dirty: false,
    listToldAt: Number.NEGATIVE_INFINITY,
    listTimer: false,
  };
}

export function createEntityStore(scheduler: Scheduler): EntityStore {
  const shelves = Object.fromEntries(kinds.map((kind) => [kind, createShelf()])) as Record<EntityKind, Shelf>;
  let scheduled = false;

  const tellList = (shelf: Shelf) => {
    shelf.list = null;
    shelf.listToldAt = scheduler.nowMs();
    for (const listener of [...shelf.many]) listener();
  };
  const tellListSoon = (shelf: Shelf) => {
    const waitMs = shelf.listToldAt + LIST_INTERVAL_MS + shelf.rows.size * LIST_INTERVAL_PER_ROW_MS - scheduler.nowMs();
    if (waitMs <= 0) return tellList(shelf);
    if (shelf.listTimer) return;
    shelf.listTimer = true;
    scheduler.timer(() => {
      shelf.listTimer = false;
      tellList(shelf);
    }, waitMs);
  };
  const flush = () => {
    scheduled = false;
    for (const kind of kinds) {
      const shelf = shelves[kind];
      if (!shelf.dirty) continue;
      const ids = shelf.pending;
      shelf.pending = new Set();
      shelf.dirty = false;
      if (ids === null) for (const set of shelf.one.values()) for (const listener of [...set]) listener();
      else for (const id of ids) for (const listener of [...(shelf.one.get(id) ?? [])]) listener();
      for (const listener of [...shelf.changes]) listener(ids);
      tellListSoon(shelf);
    }
  };
  const mark = (shelf: Shelf, id: string | null) => {
    shelf.dirty = true;
    if (id === null) shelf.pending = null;
    else shelf.pending?.add(id);
    if (scheduled) return;
    scheduled = true;
    scheduler.frame(flush);
  };
  const put = (entity: EntityView) => {
    const shelf = shelves[entity.entity];
    // A kind newer than this page: the page has nothing to show for it.
    if (shelf === undefined) return;
    const id = entityId(entity);
    shelf.rows.set(id, entity);
    mark(shelf, id);
  };

  return {
    get: <K extends EntityKind>(kind: K, id: string) => shelves[kind].rows.get(id) as EntityOf[K] | undefined,
    list: <K extends EntityKind>(kind: K) => {
      const shelf = shelves[kind];
      shelf.list ??= [...shelf.rows.values()];
      return shelf.list as readonly EntityOf[K][];
    },
    subscribe: (kind, id, listener) => {
      const { one } = shelves[kind];
      const set = one.get(id) ?? new Set();
      set.add(listener);
      one.set(id, set);
      return () => {
        set.delete(listener);
        if (set.size === 0) one.delete(id);
      };
    },
    subscribeList: (kind, listener) => {
      shelves[kind].many.add(listener);
      return () => shelves[kind].many.delete(listener);
    },
    subscribeChanges: (kind, listener) => {
      shelves[kind].changes.add(listener);
      return () => shelves[kind].changes.delete(listener);
    },
    replaceAll: (entities) => {
      for (const kind of kinds) {
        shelves[kind].rows.clear();
        mark(shelves[kind], null);
      }
      for (const entity of entities) put(entity);
    },
    apply: (entities, removed) => {
      for (const entity of entities) put(entity);
      for (const { entity, id } of removed) {
        const shelf = shelves[entity as EntityKind];
        if (shelf?.rows.delete(id)) mark(shelf, id);
      }
    },
  };
}
