"use client";
import { useTranslations } from "next-intl";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import { resolveColor, useThemeTurn } from "../charts/colors.ts";
import { useFormat } from "../ui/text.tsx";
import { useWidth } from "../ui/use-size.ts";
import { formatShare } from "./format-share.ts";
import { hueOf } from "./hues.ts";
import { BINS, type Owners } from "./placement.ts";

interface PictureProps {
  readonly order: readonly string[];
  readonly before: Owners;
  /** After the changes, when there are any. */
  readonly after: Owners | null;
  /** Nodes to lift out; all when empty. */
  readonly lit: readonly string[];
  /** 0..1 around the circle; null: nowhere. */
  readonly marker: number | null;
  readonly onMove: (part: number | null) => void;
  readonly onPick: (part: number) => void;
}

type Painted = Pick<PictureProps, "order" | "before" | "after" | "lit" | "marker">;

/** The circle of all keys from twelve o'clock on: who owns what, and outside it what would move. */
export function RingPicture(
  props: PictureProps & { readonly children: React.ReactNode; readonly ownerAtMarker: string | null },
) {
  const { marker, onMove, onPick, children, ownerAtMarker } = props;
  const t = useTranslations("ring");
  const format = useFormat();
  const [frame, width] = useWidth<HTMLDivElement>();
  const side = Math.min(width, 560);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeTurn();
  const { order, before, after } = props;
  // The names, not the list: it is a new one at every rendering, and painting is dear.
  const litNames = props.lit.join(" ");
  useEffect(() => {
    if (canvas.current === null || side <= 0 || theme < 0) return;
    const lit = litNames === "" ? [] : litNames.split(" ");
    paint(canvas.current, side, { order, before, after, lit, marker });
  }, [side, theme, order, before, after, litNames, marker]);
  const partOf = (event: PointerEvent<HTMLElement>): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    if (Math.hypot(x, y) < box.width * 0.3) return null;
    return (Math.atan2(x, -y) / (2 * Math.PI) + 1) % 1;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: 36,
      PageDown: -36,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onPick(((((marker ?? 0) + step / 360) % 1) + 1) % 1);
  };
  return (
    <div ref={frame} className="flex justify-center">
      <div
        role="slider"
        tabIndex={0}
        aria-label={t("picture")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((marker ?? 0) * 100)}
        aria-valuetext={t("pictureValue", {
          part: formatShare(marker ?? 0, format.locale),
          owner: ownerAtMarker ?? "–",
        })}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => event.pointerType === "mouse" && onMove(partOf(event))}
        onPointerLeave={() => onMove(null)}
        onPointerDown={(event) => {
          const part = partOf(event);
          if (part !== null) onPick(part);
        }}
        className="focus-ring relative rounded-full"
        style={{ width: side, height: side }}
      >
        <canvas ref={canvas} style={{ width: side, height: side }} aria-hidden />
        <div className="pointer-events-none absolute inset-[27%] flex flex-col items-center justify-center text-center">
          {children}
        </div>
      </div>
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, side: number, { order, before, after, lit, marker }: Painted): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = side * scale;
  canvas.height = side * scale;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  context.translate(side / 2, side / 2);
  const colors = new Map(order.map((id, index) => [id, resolveAny(hueOf(index))]));
  const outer = side * 0.445;
  const inner = outer - Math.max(18, side * 0.062);
  for (const { from, to, owner } of runs(before)) {
    if (owner === null) continue;
    context.globalAlpha = lit.length === 0 ? 0.62 : lit.includes(owner) ? 1 : 0.16;
    ringSlice(context, from, to, inner, outer, colors.get(owner) ?? "gray");
  }
  context.globalAlpha = 1;
  if (after !== null) {
    const moved = resolveColor("--color-suspect");
    const changed = before.map((owner, bin) => (owner === after[bin] ? null : "moved"));
    for (const { from, to, owner } of runs(changed)) {
      if (owner !== null) ringSlice(context, from, to, outer + side * 0.014, outer + side * 0.03, moved);
    }
  }
  context.lineWidth = 1;
  context.strokeStyle = resolveColor("--color-line");
  context.beginPath();
  context.arc(0, 0, inner - side * 0.03, 0, 2 * Math.PI);
  context.stroke();
  if (marker !== null) paintMarker(context, marker, inner - side * 0.03, outer + side * 0.04);
}

function paintMarker(context: CanvasRenderingContext2D, part: number, from: number, to: number): void {
  const angle = part * 2 * Math.PI - Math.PI / 2;
  context.strokeStyle = resolveColor("--color-ink");
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(Math.cos(angle) * from, Math.sin(angle) * from);
  context.lineTo(Math.cos(angle) * to, Math.sin(angle) * to);
  context.stroke();
}

function ringSlice(
  context: CanvasRenderingContext2D,
  from: number,
  to: number,
  inner: number,
  outer: number,
  color: string,
): void {
  const start = (from / BINS) * 2 * Math.PI - Math.PI / 2;
  const end = (to / BINS) * 2 * Math.PI - Math.PI / 2;
  context.fillStyle = color;
  context.beginPath();
  context.arc(0, 0, outer, start, end);
  context.arc(0, 0, inner, end, start, true);
  context.fill();
}

/** Neighbouring parts of the same owner as one. */
function runs(owners: Owners): { from: number; to: number; owner: string | null }[] {
  const list: { from: number; to: number; owner: string | null }[] = [];
  owners.forEach((owner, bin) => {
    const last = list.at(-1);
    if (last?.owner === owner) last.to = bin + 1;
    else list.push({ from: bin, to: bin + 1, owner });
  });
  return list;
}

function resolveAny(color: string): string {
  const probe = document.createElement("span");
  probe.style.color = color;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
