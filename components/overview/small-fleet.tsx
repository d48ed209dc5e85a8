"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { NodeView } from "../../server/protocol/index.ts";
import { compareNatural } from "../format/natural-order.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";

/** Up to this many nodes have room for their names. */
export const SMALL_FLEET = 16;

/** A fleet so small that every node is named. */
export function SmallFleet({ nodes }: { nodes: readonly NodeView[] }) {
  const role = useTranslations("role");
  const sorted = [...nodes].sort((a, b) => compareNatural(a.id, b.id));
  return (
    <ul className="grid grid-cols-1 gap-x-4 sm:grid-cols-2">
      {sorted.map((node) => (
        <li key={node.id}>
          <Link
            href={`/nodes/${encodeURIComponent(node.id)}`}
            className="focus-ring -mx-2 flex h-9 items-center gap-2.5 rounded-md px-2 hover:bg-raised"
          >
            <span className="inline-flex w-4 shrink-0 justify-center">
              <StateGlyph state={node.state} size={13} />
            </span>
            <span className="truncate font-medium">{node.id}</span>
            <span className="truncate text-xs text-muted">
              {role(node.role)} · {node.zone}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
