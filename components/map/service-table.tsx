"use client";
import { useTranslations } from "next-intl";
import { cleanText } from "../format/hostile-text.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { compareUrgency } from "../ui/state-urgency.ts";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { RelativeTime, useFormat } from "../ui/text.tsx";
import type { MapModel } from "./map-model.ts";

/** The map's twin: what is wrong first, then the busiest. */
export function ServiceTable({
  model,
  shown,
  onSelect,
}: {
  model: MapModel;
  shown: ReadonlySet<string>;
  onSelect: (id: string) => void;
}) {
  const t = useTranslations("map");
  const format = useFormat();
  const rows = [...model.services]
    .filter(([id]) => shown.has(id))
    .sort(
      ([, a], [, b]) =>
        compareUrgency(a.state, b.state) || (b.node.traffic.perSecond ?? -1) - (a.node.traffic.perSecond ?? -1),
    );
  return (
    <Table label={t("tableLabel")}>
      <thead>
        <tr>
          {(["service", "requests", "errors", "latency", "calls", "seen"] as const).map((column) => (
            <Th key={column} className={column === "calls" || column === "seen" ? "hidden md:table-cell" : undefined}>
              {t(`column.${column}`)}
            </Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([id, { node, state }]) => (
          <Tr key={id}>
            <Td>
              <button
                type="button"
                onClick={() => onSelect(id)}
                data-service={node.name}
                className="focus-ring inline-flex items-center gap-2 font-medium hover:underline"
              >
                <StateGlyph state={state} size={12} withWord />
                {cleanText(node.name, 60)}
              </button>
            </Td>
            <Td className="num">
              {node.traffic.perSecond === null ? "–" : `${format.number(node.traffic.perSecond, 1)}/s`}
            </Td>
            <Td className="num whitespace-nowrap">{format.percent(node.traffic.errorShare, true)}</Td>
            <Td className="num whitespace-nowrap">{format.duration(node.traffic.latencyP95Ms)}</Td>
            <Td className="hidden max-w-72 text-muted md:table-cell">
              {model.calls
                .filter((call) => call.from === id)
                .map((call) => cleanText(call.to.slice("service:".length), 40))
                .join(", ") || "–"}
            </Td>
            <Td className="hidden whitespace-nowrap text-muted md:table-cell">
              <RelativeTime at={node.lastSeenAt} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
