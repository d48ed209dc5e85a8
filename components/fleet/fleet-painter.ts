import type { HealthState } from "../../server/protocol/index.ts";
import { resolveColor } from "../charts/colors.ts";
import { stateUrgency } from "../ui/state-urgency.ts";
import type { FleetLayout } from "./fleet-layout.ts";

/**
 * Paints the fleet on a canvas: one small picture per state, copied into cells. Only cells that changed are painted again,
 * which is what keeps 10,000 nodes at the screen's own rate.
 */
export interface FleetPainter {
  readonly paintAll: (layout: FleetLayout, stateOf: (id: string) => HealthState | undefined) => void;
  readonly paintCells: (
    layout: FleetLayout,
    indices: Iterable<number>,
    stateOf: (id: string) => HealthState | undefined,
  ) => void;
}

type Sprites = Readonly<Record<HealthState, HTMLCanvasElement>>;

export function createFleetPainter(canvas: HTMLCanvasElement, cell: number, scale: number): FleetPainter {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser has no 2D canvas");
  const sprites = createSprites(cell, scale);
  const side = Math.round(cell * scale);
  const paint = (layout: FleetLayout, index: number, state: HealthState | undefined) => {
    const x = Math.round((layout.xs[index] ?? 0) * scale);
    const y = Math.round((layout.ys[index] ?? 0) * scale);
    context.clearRect(x, y, side, side);
    if (state !== undefined) context.drawImage(sprites[state], x, y);
  };
  return {
    paintAll: (layout, stateOf) => {
      context.clearRect(0, 0, canvas.width, canvas.height);
      layout.ids.forEach((id, index) => {
        paint(layout, index, stateOf(id));
      });
    },
    paintCells: (layout, indices, stateOf) => {
      for (const index of indices) paint(layout, index, stateOf(layout.ids[index] as string));
    },
  };
}

function createSprites(cell: number, scale: number): Sprites {
  const page = resolveColor("--color-panel");
  const entries = stateUrgency.map((state) => {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(cell * scale);
    canvas.height = canvas.width;
    const context = canvas.getContext("2d");
    if (context !== null) {
      // Shapes are drawn on a 16-unit square, like the glyphs of the page.
      const unit = canvas.width / 16;
      context.scale(unit, unit);
      if (cell < TOLD_BY_SHAPE_PX) drawDot(context, state, resolveColor(`--color-${state}`));
      else drawShape(context, state, resolveColor(`--color-${state}`), page);
    }
    return [state, canvas] as const;
  });
  return Object.fromEntries(entries) as Sprites;
}

/** Below this there is no room for shapes: size and colour tell, and the hint on each cell says the word. */
const TOLD_BY_SHAPE_PX = 8;

function drawDot(c: CanvasRenderingContext2D, state: HealthState, color: string): void {
  c.fillStyle = color;
  if (state === "healthy") {
    c.globalAlpha = 0.6;
    return circle(c, 8, 8, 4.6);
  }
  c.fillRect(1, 1, 14, 14);
}

function drawShape(c: CanvasRenderingContext2D, state: HealthState, color: string, page: string): void {
  c.fillStyle = color;
  c.strokeStyle = color;
  c.lineCap = "round";
  switch (state) {
    case "healthy":
      c.globalAlpha = 0.72;
      return circle(c, 8, 8, 4.6);
    case "suspect":
      c.beginPath();
      c.moveTo(8, 8);
      c.arc(8, 8, 5.6, 0, Math.PI * 1.5);
      c.closePath();
      return c.fill();
    case "degraded":
      polygon(c, [8, 1.6, 14.8, 13.8, 1.2, 13.8]);
      return mark(c, page, 1.8, [8, 6, 8, 9.4], [8, 11.6, 8, 12]);
    case "down":
      c.beginPath();
      c.roundRect(1.4, 1.4, 13.2, 13.2, 2);
      c.fill();
      return mark(c, "#ffffff", 2, [5.2, 5.2, 10.8, 10.8], [10.8, 5.2, 5.2, 10.8]);
    case "unknown":
      c.lineWidth = 1.5;
      c.setLineDash([2.4, 2.3]);
      c.beginPath();
      c.arc(8, 8, 5, 0, Math.PI * 2);
      return c.stroke();
    case "maintenance":
      return polygon(c, [8, 1.4, 14.6, 8, 8, 14.6, 1.4, 8]);
    case "fenced":
      c.lineWidth = 1.7;
      c.strokeRect(2.4, 2.4, 11.2, 11.2);
      return mark(c, color, 2.2, [2.4, 8, 13.6, 8]);
    default:
      return state satisfies never;
  }
}

function circle(c: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  c.beginPath();
  c.arc(x, y, r, 0, Math.PI * 2);
  c.fill();
}

function polygon(c: CanvasRenderingContext2D, points: readonly number[]): void {
  c.beginPath();
  for (let i = 0; i < points.length; i += 2) c.lineTo(points[i] as number, points[i + 1] as number);
  c.closePath();
  c.fill();
}

function mark(
  c: CanvasRenderingContext2D,
  color: string,
  width: number,
  ...lines: readonly (readonly [number, number, number, number])[]
): void {
  c.strokeStyle = color;
  c.lineWidth = width;
  c.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    c.moveTo(x1, y1);
    c.lineTo(x2, y2);
  }
  c.stroke();
}
