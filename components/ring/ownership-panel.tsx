"use client";
import { useTranslations } from "next-intl";
import type { OwnershipChange } from "../../server/core/index.ts";
import type { HealthState } from "../../server/protocol/index.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Mono, useFormat } from "../ui/text.tsx";
import { hueOf } from "./hues.ts";

export interface OwnedRow extends OwnershipChange {
  readonly state: HealthState | null;
}

/** How a share is told: percent of a ring, slots of a table. */
export type ShareText = (share: number) => string;

/** Who owns how much, and how much afterwards: the bar is the future, the line across it the present. */
export function OwnershipPanel({
  rows,
  order,
  changed,
  say,
  onLight,
  onDrain,
}: {
  rows: readonly OwnedRow[];
  order: readonly string[];
  changed: boolean;
  say: ShareText;
  onLight: (node: string | null) => void;
  onDrain: ((node: string) => void) | null;
}) {
  const t = useTranslations("ring");
  const most = Math.max(...rows.flatMap((row) => [row.shareBefore, row.shareAfter]), 1e-9);
  return (
    <Panel
      title={t("ownership")}
      aside={changed ? t("beforeAfter") : t("ofAllKeys")}
      bodyClassName="px-4 pb-3 max-h-[26rem] overflow-y-auto"
    >
      <ul>
        {rows.map((row) => (
          <li
            key={row.node}
            onPointerEnter={() => onLight(row.node)}
            onPointerLeave={() => onLight(null)}
            className="group grid grid-cols-[minmax(5.5rem,auto)_1fr_auto_auto] items-center gap-x-3 border-t border-line py-1.5 first:border-t-0"
          >
            <span className="flex min-w-0 items-center gap-2">
              {row.state !== null && <StateGlyph state={row.state} size={11} withWord />}
              <span className="truncate font-medium">{row.node}</span>
            </span>
            <span className="relative h-2.5 rounded-sm bg-well" aria-hidden>
              <span
                className="absolute inset-y-0 left-0 rounded-sm"
                style={{ width: `${(row.shareAfter / most) * 100}%`, background: hueOf(order.indexOf(row.node)) }}
              />
              {changed && (
                <span
                  className="absolute -inset-y-1 w-0.5 bg-ink"
                  style={{ left: `calc(${(row.shareBefore / most) * 100}% - 1px)` }}
                />
              )}
            </span>
            <span
              className={classes(
                "num text-right text-xs whitespace-nowrap",
                row.shareBefore !== row.shareAfter && "font-semibold",
              )}
            >
              {changed ? `${say(row.shareBefore)} → ${say(row.shareAfter)}` : say(row.shareAfter)}
              <span className="ml-2 font-normal text-muted">{row.zone ?? ""}</span>
            </span>
            {onDrain !== null && (
              <Button
                size="sm"
                variant="quiet"
                onClick={() => onDrain(row.node)}
                aria-label={t("drainNode", { node: row.node })}
                refusal={row.weightAfter === 0 ? t("isDrained") : null}
              >
                {t("drain")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** The twin of the picture. */
export function OwnershipTable({
  rows,
  say,
  vnodes,
}: {
  rows: readonly OwnedRow[];
  say: ShareText;
  vnodes: number | null;
}) {
  const t = useTranslations("ring");
  const format = useFormat();
  const total = { before: sum(rows, "weightBefore"), after: sum(rows, "weightAfter") };
  return (
    <Table label={t("ownership")}>
      <thead>
        <tr>
          {(["node", "zone", "weight", "vnodes", "now", "after", "fair"] as const).map((column) => (
            <Th key={column}>{t(`column.${column}`)}</Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Tr key={row.node}>
            <Td>
              <Mono>{row.node}</Mono>
            </Td>
            <Td>{row.zone ?? "–"}</Td>
            <Td className="num">
              {row.weightBefore === row.weightAfter ? row.weightAfter : `${row.weightBefore} → ${row.weightAfter}`}
            </Td>
            <Td className="num">{vnodes === null ? "–" : format.number(Math.round(row.weightAfter * vnodes))}</Td>
            <Td className="num">{say(row.shareBefore)}</Td>
            <Td className="num">{say(row.shareAfter)}</Td>
            <Td className="num">{say(total.after === 0 ? 0 : row.weightAfter / total.after)}</Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

function sum(rows: readonly OwnedRow[], field: "weightBefore" | "weightAfter"): number {
  return rows.reduce((total, row) => total + row[field], 0);
}
