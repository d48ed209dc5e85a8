"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { StateWord } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { LsnText, useFormat } from "../ui/text.tsx";

/** The table twin of the replication tree. */
export function ReplicationTable({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("topology");
  const format = useFormat();
  return (
    <Table label={t("label", { cluster: cluster.id })}>
      <thead>
        <tr>
          {(["node", "state", "role", "lag", "ratio", "timeline", "lsn"] as const).map((column) => (
            <Th key={column}>{t(`column.${column}`)}</Th>
          ))}
        </tr>
      </thead>
      <tbody className="num">
        {cluster.members.map((member) => (
          <Tr key={member.node}>
            <Td>
              <Link
                href={`/nodes/${encodeURIComponent(member.node)}`}
                className="focus-ring font-medium hover:underline"
              >
                {member.node}
              </Link>
            </Td>
            <Td>
              <StateWord state={member.state} />
            </Td>
            <Td>
              {member.standing !== "member"
                ? t(`standing.${member.standing}`)
                : member.node === cluster.primary
                  ? t("primary")
                  : t(member.sync ? "sync" : "async")}
            </Td>
            <Td>
              {member.node === cluster.primary
                ? ""
                : `${format.bytes(member.lagBytes)} · ${format.duration(member.lagMs)}`}
            </Td>
            <Td>{member.responseRatio === null ? "" : format.number(member.responseRatio.r, 2)}</Td>
            <Td>{member.timeline ?? "–"}</Td>
            <Td>
              <LsnText lsn={member.lsn} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
