"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { memo, useMemo } from "react";
import type { ClusterView, MemberView } from "../../server/protocol/index.ts";
import { useEntity } from "../live/use-entities.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { useWidth } from "../ui/use-size.ts";
import { lagShare, layoutTree, type TreeBox, type TreeEdge } from "./tree-layout.ts";

/**
 * Who follows whom, with live lag on the lines. Role is drawn apart from health: the crown is the primary, a double line is a
 * standby that commits wait for, a single line one that follows, a dashed line one that doesn't stream.
 */
export function ReplicationTree({
  cluster,
  marked,
}: {
  cluster: ClusterView;
  /** A node to outline: the candidate of a plan. */
  marked?: string | null;
}) {
  const t = useTranslations("topology");
  const [ref, width] = useWidth<HTMLDivElement>();
  const { members, primary } = cluster;
  const layout = useMemo(
    () => (width === 0 ? null : layoutTree({ members, primary }, width)),
    [members, primary, width],
  );
  return (
    <div ref={ref} className="min-h-32 w-full group-data-[fresh=false]/live:opacity-70">
      {layout !== null && (
        <svg
          width={width}
          height={layout.height}
          className="block overflow-visible"
          aria-label={t("label", { cluster: cluster.id })}
        >
          {layout.edges.map((edge) => (
            <Edge key={edge.member.node} edge={edge} narrow={width < 420} />
          ))}
          {layout.boxes.map((box) => (
            <Box
              key={box.member?.node ?? "none"}
              box={box}
              width={layout.boxWidth}
              height={layout.boxHeight}
              isPrimary={box.member !== null && box.member.node === primary}
              marked={box.member !== null && box.member.node === marked}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

const Edge = memo(function Edge({ edge, narrow }: { edge: TreeEdge; narrow: boolean }) {
  const share = lagShare(edge.member.lagBytes);
  const color =
    edge.kind === "broken" || share === null
      ? "var(--color-unknown)"
      : `color-mix(in oklab, var(--color-degraded) ${Math.round(share * 100)}%, var(--color-healthy))`;
  return (
    <g fill="none">
      {edge.kind === "sync" ? (
        <>
          <path d={edge.path} stroke={color} strokeWidth="4.5" opacity="0.75" />
          <path d={edge.path} stroke="var(--color-panel)" strokeWidth="2" />
        </>
      ) : (
        <path
          d={edge.path}
          stroke={color}
          strokeWidth="1.5"
          strokeDasharray={edge.kind === "broken" ? "5 4" : undefined}
          className={edge.member.rejoinProgress === null ? undefined : "dash-flow"}
        />
      )}
      <EdgeLabel edge={edge} narrow={narrow} />
    </g>
  );
});

function EdgeLabel({ edge, narrow }: { edge: TreeEdge; narrow: boolean }) {
  const label = useEdgeText(edge);
  const lines = narrow ? label.split(" · ") : [label];
  const widthPx = Math.max(...lines.map((line) => line.length)) * 6.1 + 12;
  const heightPx = lines.length * 15 + 4;
  return (
    <g transform={`translate(${edge.labelX} ${edge.labelY})`} className="num text-2xs">
      <rect x={-widthPx / 2} y={-heightPx / 2} width={widthPx} height={heightPx} rx="4" fill="var(--color-panel)" />
      {lines.map((line, index) => (
        <text key={line} textAnchor="middle" y={4 + (index - (lines.length - 1) / 2) * 15} fill="var(--color-muted)">
          {line}
        </text>
      ))}
    </g>
  );
}

function useEdgeText(edge: TreeEdge): string {
  const t = useTranslations("topology");
  const format = useFormat();
  const { member } = edge;
  if (member.rejoinProgress !== null) return t("rejoining", { percent: Math.round(member.rejoinProgress * 100) });
  if (edge.kind === "broken") return t("notStreaming");
  const bytes = format.bytes(member.lagBytes);
  return member.lagMs === null ? bytes : `${bytes} · ${format.duration(member.lagMs)}`;
}

function Box({
  box,
  width,
  height,
  isPrimary,
  marked,
}: {
  box: TreeBox;
  width: number;
  height: number;
  isPrimary: boolean;
  marked: boolean;
}) {
  const t = useTranslations("topology");
  const { member } = box;
  if (member === null) {
    return (
      <g transform={`translate(${box.x} ${box.y})`}>
        <rect width={width} height={height} rx="6" fill="none" stroke="var(--color-down)" strokeDasharray="4 3" />
        <text x={width / 2} y={height / 2 + 4} textAnchor="middle" fill="var(--color-ink)" className="text-xs">
          {t("noPrimary")}
        </text>
      </g>
    );
  }
  return (
    <Link
      href={`/nodes/${encodeURIComponent(member.node)}`}
      className="group/box outline-none"
      aria-label={member.node}
    >
      <g transform={`translate(${box.x} ${box.y})`}>
        <rect
          width={width}
          height={height}
          rx="6"
          fill="var(--color-raised)"
          stroke={marked ? "var(--color-accent)" : outlineOf(member)}
          strokeWidth={marked ? 2 : 1}
          className="group-hover/box:stroke-line-strong group-focus-visible/box:stroke-accent group-focus-visible/box:stroke-2"
        />
        <svg x="11" y={height / 2 - 7} width="14" height="14" overflow="visible" aria-hidden>
          <StateGlyph state={member.state} size={13} withWord />
        </svg>
        {isPrimary && (
          <path
            d="M0 9 L-1 1.5 L2.6 4.6 L5.5 0 L8.4 4.6 L12 1.5 L11 9 Z"
            transform="translate(33 13)"
            fill="var(--color-ink)"
            aria-hidden
          />
        )}
        <text x={isPrimary ? 50 : 33} y="20" fill="var(--color-ink)" className="text-sm font-semibold">
          {shorten(member.node, (width - (isPrimary ? 56 : 40)) / 7.4)}
        </text>
        <MemberNote member={member} isPrimary={isPrimary} room={(width - 40) / 5.5} />
      </g>
    </Link>
  );
}

function MemberNote({ member, isPrimary, room }: { member: MemberView; isPrimary: boolean; room: number }) {
  const t = useTranslations("topology");
  const state = useTranslations("state");
  const format = useFormat();
  const zone = useEntity("node", member.node)?.zone;
  const parts = [memberPart(member, isPrimary, t, state)];
  if (zone) parts.push(zone);
  if (member.responseRatio !== null && member.streaming) parts.push(`R ${format.number(member.responseRatio.r, 2)}`);
  return (
    <text x="33" y="36" fill="var(--color-muted)" className="num text-2xs">
      {shorten(parts.join(" · "), room)}
    </text>
  );
}

function memberPart(
  member: MemberView,
  isPrimary: boolean,
  t: (key: string) => string,
  state: (key: string) => string,
): string {
  if (member.standing !== "member") return t(`standing.${member.standing}`);
  if (member.state === "down" || member.state === "unknown") return state(member.state);
  if (isPrimary) return t("primary");
  return t(member.sync ? "sync" : "async");
}

function outlineOf(member: MemberView): string {
  if (member.state === "fenced" || member.standing === "fenced") return "var(--color-fenced)";
  return member.state === "down" ? "var(--color-down)" : "var(--color-line)";
}

function shorten(text: string, characters: number): string {
  const most = Math.max(4, Math.floor(characters));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
