import type { Endpoint, SyncConfiguration } from "../../../server/core/index.ts";
import { type FenceRecord, mayFollow } from "../../fence/promise.ts";
import { quoteConnInfo } from "./conf-text.ts";
import { applicationName, slotName, standbyNames, unsatisfiableNames } from "./names.ts";
import type { PostgresService } from "./service.ts";

/**
 * Settings that the agent owns: it writes them before every start, whatever a clone or a rewind brought along.
 * Reasons: docs/failover.md, "Settings the agent owns".
 */

export type Settings = Readonly<Record<string, string | null>>;

/** What holds in every role. `majorVersion`: of the data; null when there is none yet. */
export function baseSettings(service: PostgresService, majorVersion: number | null): Settings {
  const places: Settings =
    service.manager === null
      ? {
          port: String(service.port),
          listen_addresses:
            service.settings.listen_addresses ?? [...new Set([service.host, service.advertise.host])].join(","),
          // The default directory belongs to another user on most systems, and members on one machine would share it.
          unix_socket_directories: service.settings.unix_socket_directories ?? "",
          logging_collector: service.settings.logging_collector ?? "off",
        }
      : {};
  return {
    ...service.settings,
    ...places,
    hot_standby: "on",
    wal_log_hints: "on",
    restart_after_crash: "off",
    wal_retrieve_retry_interval: "100ms",
    wal_receiver_status_interval: "1s",
    wal_receiver_timeout: "5s",
    wal_sender_timeout: "5s",
    tcp_user_timeout: "3s",
    tcp_keepalives_idle: "5",
    tcp_keepalives_interval: "2",
    tcp_keepalives_count: "3",
    recovery_min_apply_delay: "0",
    ...startSync(service, majorVersion),
    // Set for a moment when an asynchronous primary's lease runs out; never kept beyond a start.
    default_transaction_read_only: service.settings.default_transaction_read_only ?? null,
    // A follower that is late by a moment must find its WAL on a primary that has just been promoted.
    wal_keep_size: service.settings.wal_keep_size ?? "128MB",
    // A member that never comes back must not fill the primary's disk.
    max_slot_wal_keep_size: service.settings.max_slot_wal_keep_size ?? "8GB",
  };
}

/** After a crash every file is synced before the first record is replayed: at once rather than one after the other, where that is known (14 and later). */
function startSync({ settings }: PostgresService, majorVersion: number | null): Settings {
  if (majorVersion === null || majorVersion < 14 || process.platform !== "linux") return {};
  return { recovery_init_sync_method: settings.recovery_init_sync_method ?? "syncfs" };
}

/** A primary under its grant. */
export function primarySettings(configuration: SyncConfiguration): Settings {
  return { synchronous_standby_names: standbyNames(configuration), primary_conninfo: null, primary_slot_name: null };
}

/** A member that follows nobody: sealed, fenced, or started before anybody could be asked. */
export const fencedSettings: Settings = {
  synchronous_standby_names: unsatisfiableNames,
  primary_conninfo: "",
  primary_slot_name: "",
};

/** A standby of `primary` under epoch `epoch`. */
export function standbySettings(service: PostgresService, primary: Endpoint, epoch: number): Settings {
  return {
    synchronous_standby_names: unsatisfiableNames,
    primary_conninfo: primaryConnInfo(service, primary, epoch),
    primary_slot_name: slotName(service.node),
  };
}

/** What a standby is started with when nobody can be asked: it streams from whom it was seen to fit, else from nobody. */
export function aloneSettings(service: PostgresService, fence: FenceRecord): Settings {
  const followed = mayFollow(fence);
  return followed === null ? fencedSettings : standbySettings(service, followed.primary, followed.epoch);
}

function primaryConnInfo(service: PostgresService, primary: Endpoint, epoch: number): string {
  const parts: [string, string][] = [
    ["host", primary.host],
    ["port", String(primary.port)],
    ["user", service.user],
    ["application_name", applicationName(epoch, service.node)],
    ["connect_timeout", "2"],
    ["keepalives_idle", "5"],
    ["keepalives_interval", "2"],
    ["keepalives_count", "3"],
    ["tcp_user_timeout", "3000"],
  ];
  if (service.password !== null) parts.push(["password", service.password]);
  return parts.map(([name, value]) => `${name}=${quoteConnInfo(value)}`).join(" ");
}
