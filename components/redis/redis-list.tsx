"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useReasonText } from "../i18n/code-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { Panel } from "../ui/panel.tsx";
import { StateWord } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";

/** The Redis clusters below the PostgreSQL ones; nothing where there are none. */
export function RedisList() {
  const t = useTranslations("redis");
  const reason = useReasonText("reason");
  const all = useEntities("redis");
  if (all.length === 0) return null;
  return (
    <Panel title={t("listTitle")} bodyClassName="px-4 py-1" className="mt-4">
      <Table label={t("listTitle")}>
        <thead>
          <tr>
            {(["name", "state", "kind", "servers", "why"] as const).map((column) => (
              <Th key={column}>{t(`column.${column}`)}</Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((redis) => (
            <Tr key={redis.id}>
              <Td>
                <Link
                  href={`/clusters/redis/${encodeURIComponent(redis.id)}`}
                  className="focus-ring font-semibold hover:underline"
                >
                  {redis.id}
                </Link>
              </Td>
              <Td>
                <StateWord state={redis.state} />
              </Td>
              <Td>{redis.mode === "cluster" ? t("cluster") : t("replicaSet")}</Td>
              <Td className="num">{redis.members.length}</Td>
              <Td className="text-muted">{redis.reasons[0] === undefined ? "" : reason(redis.reasons[0])}</Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
