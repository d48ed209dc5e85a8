"use client";
import { MISSING } from "../format/units.ts";
import { useFormat } from "../ui/text.tsx";

/** A share as a short bar and its figure; amber from 80 %, red from 92 %. */
export function UsageBar({ used, label }: { used: number | null; label: string }) {
  const format = useFormat();
  if (used === null || !Number.isFinite(used)) return <span className="text-muted">{MISSING}</span>;
  const share = Math.min(1, Math.max(0, used));
  const color = share >= 0.92 ? "bg-down" : share >= 0.8 ? "bg-degraded" : "bg-accent";
  return (
    <span className="flex w-full items-center gap-2">
      <span aria-hidden className="h-1 min-w-8 flex-1 overflow-hidden rounded-full bg-line">
        <span className={`block h-full ${color}`} style={{ width: `${share * 100}%` }} />
      </span>
      <span className="sr-only">{label}</span>
      <span className="num w-9 text-right text-xs">{format.percent(share)}</span>
    </span>
  );
}
