"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { NodeDetail, TraceGroupView } from "../../server/protocol/index.ts";
import { useTraceList } from "../data/queries.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { Fact, Facts, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { HostileText, LsnText, Mono, RelativeTime, useFormat } from "../ui/text.tsx";

/** What PostgreSQL on this node says of itself. */
export function PostgresPanel({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const format = useFormat();
  const { postgres } = node;
  if (postgres === null) return null;
  return (
    <Panel title={`PostgreSQL ${cleanText(postgres.version ?? "", 20)}`} aside={t(`postgres.${postgres.state}`)}>
      <Facts>
        <Fact name={t("pgRole")}>{postgres.role === null ? "–" : t(`pgRoles.${postgres.role}`)}</Fact>
        <Fact name={t("pgAddress")}>
          <Mono>
            {cleanText(postgres.host, 60)}:{postgres.port}
          </Mono>
        </Fact>
        <Fact name={t("pgTimeline")}>{postgres.timeline ?? "–"}</Fact>
        <Fact name="LSN">
          <LsnText lsn={postgres.lsn} />
        </Fact>
        {postgres.role === "standby" && (
          <>
            <Fact name={t("pgReplayLag")}>{format.duration(postgres.replayLagMs)}</Fact>
            <Fact name={t("pgReceiver")}>
              {postgres.receiver === null
                ? "–"
                : `${postgres.receiver.status} · ${cleanText(postgres.receiver.senderHost ?? "–", 40)}:${postgres.receiver.senderPort ?? "–"}`}
            </Fact>
          </>
        )}
        {postgres.role === "primary" && (
          <Fact name={t("pgSyncNames")}>
            <Mono>{cleanText(postgres.synchronousStandbyNames ?? "–", 120)}</Mono>
          </Fact>
        )}
        <Fact name={t("pgProbe")}>
          {postgres.probe.ok
            ? format.duration(postgres.probe.ms)
            : t("pgProbeFailing", {
                duration: format.duration(postgres.probe.failingForMs),
                reason: cleanText(postgres.probe.reason ?? "", 30),
              })}
        </Fact>
        <Fact name={t("pgConnections")}>{format.number(postgres.connections)}</Fact>
        <Fact name={t("pgPrepared")}>{format.number(postgres.preparedTransactions)}</Fact>
        <Fact name={t("pgLongest")}>{format.duration(postgres.longestTransactionMs)}</Fact>
        <Fact name={t("pgPromise")}>
          {postgres.promise === null
            ? "–"
            : t("pgPromised", { epoch: postgres.promise.epoch, step: postgres.promise.step })}
        </Fact>
      </Facts>
    </Panel>
  );
}

/** Scheduled checks and what came back; failing ones first. */
export function ChecksPanel({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const format = useFormat();
  const checks = [...node.checks].sort((a, b) => Number(a.ok) - Number(b.ok) || (a.name < b.name ? -1 : 1));
  return (
    <Panel
      title={t("checks")}
      aside={t("checksCount", { count: checks.length, failing: checks.filter((check) => !check.ok).length })}
    >
      {checks.length === 0 ? (
        <p className="text-muted">{t("checksNone")}</p>
      ) : (
        <Table label={t("checks")}>
          <thead>
            <tr>
              <Th>{t("checkName")}</Th>
              <Th>{t("checkKind")}</Th>
              <Th>{t("checkTook")}</Th>
              <Th>{t("checkDetail")}</Th>
            </tr>
          </thead>
          <tbody>
            {checks.map((check) => (
              <Tr key={`${check.kind}:${check.name}:${check.subject}`}>
                <Td>
                  <span className="inline-flex items-center gap-2">
                    <StateGlyph state={check.ok ? "healthy" : "down"} />
                    <span className="font-medium">
                      <HostileText text={check.name} max={60} />
                    </span>
                  </span>
                </Td>
                <Td className="text-muted">{check.kind}</Td>
                <Td className="num">
                  {check.ok
                    ? format.duration(check.ms)
                    : t("failingFor", { duration: format.duration(check.failingForMs) })}
                </Td>
                <Td className="max-w-72 break-words text-muted">
                  <HostileText text={check.detail} max={160} />
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

interface SightRow {
  readonly key: string;
  readonly node: string;
  readonly reach: "ok" | "failed" | "unknown";
  readonly reason: string | null;
  readonly failingForMs: number;
  readonly responseMs: number | null;
}

/** Who sees this node, and whom it sees: the two-observer rule made visible. */
export function SightsPanel({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const nodes = useEntities("node");
  const connected = new Set(nodes.filter((each) => each.connected).map((each) => each.id));
  const seen: readonly SightRow[] = [
    {
      key: "control-plane",
      node: t("controlPlane"),
      reach: node.connected ? "ok" : "failed",
      reason: null,
      failingForMs: 0,
      responseMs: null,
    },
    ...node.seenBy.map((sight): SightRow => {
      const row = { ...sight, key: sight.observer, node: sight.observer };
      // What an observer said before it went silent is no sight any more.
      return connected.has(sight.observer)
        ? row
        : { ...row, reach: "unknown", reason: "observer-silent", failingForMs: 0 };
    }),
  ];
  const sees: readonly SightRow[] = node.peers.map((sight) => ({ ...sight, key: sight.node }));
  return (
    <Panel title={t("sights")}>
      <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        <SightList title={t("seenBy")} rows={seen} />
        <SightList title={t("sees")} rows={sees} />
      </div>
    </Panel>
  );
}

function SightList({ title, rows }: { title: string; rows: readonly SightRow[] }) {
  const t = useTranslations("node");
  const format = useFormat();
  return (
    <div>
      <h3 className="mb-1 text-xs font-medium text-muted">{title}</h3>
      {rows.length === 0 && <p className="text-muted">{t("sightsNone")}</p>}
      <ul>
        {rows.map((row) => (
          <li key={row.key} className="flex items-center justify-between gap-3 border-t border-line py-1.5">
            <span className="inline-flex min-w-0 items-center gap-2">
              <StateGlyph state={row.reach === "ok" ? "healthy" : row.reach === "failed" ? "down" : "unknown"} />
              <span className="truncate font-medium">{cleanText(row.node, 40)}</span>
            </span>
            <span className="num text-right text-muted">
              {row.reach === "ok"
                ? row.responseMs === null
                  ? t("reach.ok")
                  : format.duration(row.responseMs)
                : [t(`reach.${row.reason ?? row.reach}`), row.failingForMs > 0 ? format.duration(row.failingForMs) : ""]
                    .filter(Boolean)
                    .join(" · ")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Errors that this node's applications reported, in groups. */
export function TracesPanel({ node }: { node: string }) {
  const t = useTranslations("node");
  const { data } = useTraceList({ node, limit: 10 });
  const groups = data?.items ?? [];
  if (groups.length === 0) return null;
  return (
    <Panel title={t("traces")} aside={t("tracesCount", { count: groups.length })}>
      <ul>
        {groups.map((group) => (
          <TraceRow key={group.id} group={group} />
        ))}
      </ul>
    </Panel>
  );
}

export function TraceRow({ group }: { group: TraceGroupView }) {
  const t = useTranslations("node");
  const say = useCodeText();
  const format = useFormat();
  return (
    <li className="border-t border-line">
      <details className="group">
        <summary className="focus-ring flex flex-wrap items-baseline gap-x-3 gap-y-0.5 py-2">
          <span className="font-semibold break-words">
            <HostileText text={group.type} max={80} />
          </span>
          <span className="min-w-0 flex-1 basis-64 break-words text-muted">
            <HostileText text={group.message} max={200} />
          </span>
          <span className="num text-muted">
            {format.number(group.count)} × · <RelativeTime at={group.lastSeenAt} />
          </span>
        </summary>
        <div className="flex flex-col gap-2 pb-3 pl-4">
          <ol className="font-mono text-xs leading-5">
            {group.frames.slice(0, 24).map((frame, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same frame may stand twice in a stack
              <li key={index} className="break-all">
                {cleanText(frame.function, 80)}{" "}
                <span className="text-muted">
                  {cleanText(frame.file, 120)}
                  {frame.line === null ? "" : `:${frame.line}`}
                </span>
              </li>
            ))}
          </ol>
          {group.why.length > 0 && (
            <p className="text-xs text-muted">
              {t("tracesWhy", { why: group.why.map((code) => say("grouping", code)).join(", ") })}
            </p>
          )}
          <Link href={`/traces/${encodeURIComponent(group.id)}`} className="focus-ring text-xs underline">
            {t("tracesOpen")}
          </Link>
        </div>
      </details>
    </li>
  );
}

/** Applications that write through this node's agent. */
export function WorkloadsPanel({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const format = useFormat();
  if (node.workloads.length === 0) return null;
  return (
    <Panel title={t("services")}>
      <Table label={t("services")}>
        <thead>
          <tr>
            <Th>{t("serviceName")}</Th>
            <Th className="max-sm:hidden">{t("cluster")}</Th>
            <Th>{t("writes")}</Th>
            <Th className="max-sm:hidden">{t("latency")}</Th>
            <Th>{t("acknowledged")}</Th>
            <Th>{t("lost")}</Th>
          </tr>
        </thead>
        <tbody className="num">
          {node.workloads.map((workload) => (
            <Tr key={workload.name}>
              <Td className="font-medium">
                <HostileText text={workload.name} max={60} />
              </Td>
              <Td className="max-sm:hidden">
                <Link href={`/clusters/${encodeURIComponent(workload.cluster)}`} className="focus-ring hover:underline">
                  {workload.cluster}
                </Link>
              </Td>
              <Td>{format.number(workload.writesPerSecond)}/s</Td>
              <Td className="max-sm:hidden">{format.duration(workload.latencyP95Ms)}</Td>
              <Td>{format.number(workload.acknowledged)}</Td>
              <Td>{workload.lost === null ? t("notAudited") : format.number(workload.lost)}</Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
