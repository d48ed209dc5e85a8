"use client";
import { useTranslations } from "next-intl";
import type { RedisMemberView, RedisView } from "../../server/protocol/index.ts";
import { Button } from "../ui/button.tsx";
import { StateWord } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Mono, useFormat } from "../ui/text.tsx";

interface RowActions {
  /** Null for a replica set, which has no slots. */
  readonly onDrain: ((server: string) => void) | null;
  /** Why nothing can be drained now. */
  readonly drainRefusal: string | null;
  readonly onMakeMaster: (server: string) => void;
  /** Why nobody can be made master now. */
  readonly masterRefusal: string | null;
}

/** What a phone has no room for; bold and indented names tell masters from replicas there. */
const wide = "max-sm:hidden";

/** The servers, each master followed by its replicas, with what can be done to each. */
export function MembersTable({ redis, actions }: { redis: RedisView; actions: RowActions }) {
  const t = useTranslations("redis");
  const columns = ["server", "state", "role", "follows", "lag", "keys", "memory", "epoch"] as const;
  const onPhones = ["server", "state", "lag"];
  return (
    <Table label={t("servers")}>
      <thead>
        <tr>
          {columns.map((column) => (
            <Th key={column} className={onPhones.includes(column) ? "" : wide}>
              {t(`column.${column}`)}
            </Th>
          ))}
          <Th className="relative">
            <span className="sr-only">{t("column.action")}</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {inShards(redis.members).map((member) => (
          <Row key={member.id} member={member} redis={redis} actions={actions} />
        ))}
      </tbody>
    </Table>
  );
}

function Row({ member, redis, actions }: { member: RedisMemberView; redis: RedisView; actions: RowActions }) {
  const t = useTranslations("redis");
  const format = useFormat();
  const master = redis.members.find((other) => other.shard !== null && other.shard.id === member.shard?.masterId);
  const follows = member.role === "replica" ? (master?.id ?? redis.primary) : null;
  const isMaster = member.role === "master";
  return (
    <Tr className={member.fresh ? "" : "stale"}>
      <Td>
        <span className={isMaster ? "font-semibold" : "pl-3"}>{member.id}</span>{" "}
        <Mono className="text-muted">
          {member.host}:{member.port}
        </Mono>
      </Td>
      <Td>
        <StateWord state={member.state} />
      </Td>
      <Td className={wide}>{member.role === null ? "–" : t(`role.${member.role}`)}</Td>
      <Td className={wide}>{follows ?? "–"}</Td>
      <Td className="num whitespace-nowrap">
        {member.lagBytes === null
          ? "–"
          : `${format.bytes(member.lagBytes)}${member.lagMs === null ? "" : ` · ${format.duration(member.lagMs)}`}`}
      </Td>
      <Td className={`num ${wide}`}>{format.number(member.keys)}</Td>
      <Td className={`num whitespace-nowrap ${wide}`}>{format.bytes(member.memoryBytes)}</Td>
      <Td className={`num ${wide}`}>{member.shard?.configEpoch ?? member.promisedEpoch ?? "–"}</Td>
      <Td>
        <RowAction member={member} actions={actions} />
      </Td>
    </Tr>
  );
}

/** A master is drained, a replica made master: one button for each server. */
function RowAction({ member, actions }: { member: RedisMemberView; actions: RowActions }) {
  const t = useTranslations("redis");
  const { onDrain, drainRefusal, onMakeMaster, masterRefusal } = actions;
  const server = member.id;
  if (member.role === "replica") {
    return (
      <Button
        size="sm"
        variant="quiet"
        className="whitespace-nowrap"
        refusal={masterRefusal}
        onClick={() => onMakeMaster(server)}
        aria-label={t("makeMasterOf", { server })}
      >
        {t("makeMaster")}
      </Button>
    );
  }
  if (onDrain === null || member.role !== "master" || (member.shard?.slotCount ?? 0) === 0) return null;
  return (
    <Button
      size="sm"
      variant="quiet"
      refusal={drainRefusal}
      onClick={() => onDrain(server)}
      aria-label={t("drainServer", { server })}
    >
      {t("drain")}
    </Button>
  );
}

function inShards(members: readonly RedisMemberView[]): readonly RedisMemberView[] {
  const shardOf = (member: RedisMemberView) => {
    const id = member.shard?.masterId ?? member.shard?.id;
    return members.find((other) => other.shard?.id === id)?.id ?? member.id;
  };
  const rank = (member: RedisMemberView) => (member.role === "master" ? 0 : 1);
  return [...members].sort(
    (a, b) =>
      shardOf(a).localeCompare(shardOf(b), "en", { numeric: true }) ||
      rank(a) - rank(b) ||
      a.id.localeCompare(b.id, "en", { numeric: true }),
  );
}
