import type { ReplicationRow } from "../../../server/core/index.ts";
import { type Lsn, parseLsn } from "../../../server/core/replication/lsn.ts";
import { parseApplicationName } from "./names.ts";
import type { Row } from "./sql.ts";

/** One round trip for everything a heartbeat needs. PostgreSQL 13 and later. */
export const statusQuery = `
SELECT json_build_object(
  'recovery', r.recovery,
  'flush', CASE WHEN r.recovery THEN NULL ELSE pg_current_wal_flush_lsn() END,
  'walFile', CASE WHEN r.recovery THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END,
  'receive', pg_last_wal_receive_lsn(),
  'replay', pg_last_wal_replay_lsn(),
  'paused', CASE WHEN r.recovery THEN pg_is_wal_replay_paused() ELSE false END,
  'replayAgeMs', CASE WHEN r.recovery
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000 END,
  'names', current_setting('synchronous_standby_names'),
  'receiver', (SELECT json_build_object('pid', pid, 'status', status, 'host', sender_host, 'port', sender_port,
      'written', written_lsn, 'flushed', flushed_lsn, 'timeline', received_tli, 'message', last_msg_receipt_time)
    FROM pg_stat_wal_receiver),
  'replication', (SELECT coalesce(json_agg(json_build_object('pid', pid, 'name', application_name, 'state', state,
      'sync', sync_state, 'sent', sent_lsn, 'write', write_lsn, 'flush', flush_lsn, 'replay', replay_lsn,
      'lagMs', extract(epoch FROM replay_lag) * 1000, 'startedAt', extract(epoch FROM backend_start))
      ORDER BY backend_start), '[]'::json)
    FROM pg_stat_replication)
) AS status
FROM (SELECT pg_is_in_recovery() AS recovery) AS r`;

/** Slower figures, asked once a second. */
export const loadQuery = `
SELECT json_build_object(
  'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'prepared', (SELECT count(*) FROM pg_prepared_xacts),
  'longestMs', (SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) * 1000 FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid())
) AS load`;

/** What does not change while a server runs. */
export const identityQuery = `
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
  current_setting('server_version') AS version,
  current_setting('server_version_num')::int AS version_number,
  current_setting('wal_log_hints') = 'on' OR current_setting('data_checksums') = 'on' AS can_rewind,
  (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_bytes,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS checkpoint_timeline,
  (SELECT min_recovery_end_timeline FROM pg_control_recovery()) AS recovery_timeline`;

/** A write of Holdfast's own, one row for each purpose: `$1` names node and purpose. Who waits for what is up to the session. */
export const heartbeatRow =
  "INSERT INTO holdfast.heartbeat AS h (node, at) VALUES ($1, clock_timestamp()) ON CONFLICT (node) DO UPDATE SET at = excluded.at, beats = h.beats + 1";

/** The same question to every server, for R = Ts / Tr. */
export const responseQuery = "SELECT count(*) FROM pg_catalog.pg_class WHERE relkind = 'r'";

export interface ServerStatus {
  readonly recovery: boolean;
  readonly flushLsn: Lsn | null;
  readonly receiveLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  /** Primary only: timeline of the WAL being written. */
  readonly insertTimeline: number | null;
  readonly paused: boolean;
  readonly replayAgeMs: number | null;
  readonly names: string;
  readonly receiver: ReceiverStatus | null;
  readonly replication: readonly SenderStatus[];
}

export interface ReceiverStatus {
  readonly pid: number;
  readonly status: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly writtenLsn: Lsn | null;
  readonly timeline: number | null;
  /** Text of the server's clock; only compared with itself. */
  readonly lastMessage: string | null;
}

export interface SenderStatus extends ReplicationRow {
  readonly pid: number;
  readonly startedAt: number;
}

/** Reads the answer of `statusQuery`. */
export function decodeStatus(row: Row | undefined): ServerStatus {
  const status = asObject(row?.status);
  return {
    recovery: status.recovery === true,
    flushLsn: asLsn(status.flush),
    receiveLsn: asLsn(status.receive),
    replayLsn: asLsn(status.replay),
    insertTimeline: typeof status.walFile === "string" ? Number.parseInt(status.walFile.slice(0, 8), 16) : null,
    paused: status.paused === true,
    replayAgeMs: asNumber(status.replayAgeMs),
    names: asText(status.names) ?? "",
    receiver:
      status.receiver === null || status.receiver === undefined ? null : decodeReceiver(asObject(status.receiver)),
    replication: Array.isArray(status.replication)
      ? status.replication.map((item) => decodeSender(asObject(item)))
      : [],
  };
}

function decodeReceiver(row: Row): ReceiverStatus {
  return {
    pid: asNumber(row.pid) ?? 0,
    status: asText(row.status) ?? "",
    host: asText(row.host),
    port: asNumber(row.port),
    writtenLsn: asLsn(row.written) ?? asLsn(row.flushed),
    timeline: asNumber(row.timeline),
    lastMessage: asText(row.message),
  };
}

function decodeSender(row: Row): SenderStatus {
  const name = asText(row.name) ?? "";
  return {
    pid: asNumber(row.pid) ?? 0,
    startedAt: asNumber(row.startedAt) ?? 0,
    applicationName: name,
    node: parseApplicationName(name)?.node ?? null,
    state: asText(row.state) ?? "",
    syncState: asSyncState(row.sync),
    sentLsn: asLsn(row.sent),
    writeLsn: asLsn(row.write),
    flushLsn: asLsn(row.flush),
    replayLsn: asLsn(row.replay),
    replayLagMs: asNumber(row.lagMs),
  };
}

function asSyncState(value: unknown): ReplicationRow["syncState"] {
  return value === "sync" || value === "quorum" || value === "potential" ? value : "async";
}

export function asObject(value: unknown): Row {
  return typeof value === "object" && value !== null ? (value as Row) : {};
}

export function asNumber(value: unknown): number | null {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

export function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function asLsn(value: unknown): Lsn | null {
  return parseLsn(asText(value));
}
