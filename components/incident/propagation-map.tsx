"use client";
import { useTranslations } from "next-intl";
import type { IncidentView } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { classes } from "../ui/classes.ts";
import { Panel } from "../ui/panel.tsx";
import { layOutMap, type PlacedService } from "./map-layout.ts";

const boxWidth = 112;
const boxHeight = 34;
const gapX = 40;
const gapY = 18;
const nameLength = 16;

/** The way the fault came: from the service whose users suffer to the first suspect, with the calls around it. */
export function PropagationMap({ incident }: { incident: IncidentView }) {
  const t = useTranslations("propagation");
  const { localization } = incident;
  if (!localization || localization.path.length === 0) return null;
  const { path, edges } = localization;
  const layout = layOutMap(path, edges);
  const width = layout.columns * boxWidth + (layout.columns - 1) * gapX;
  const height = layout.rows * boxHeight + (layout.rows - 1) * gapY;
  const places = new Map(layout.services.map((service) => [service.name, service]));
  const label = t("label", { path: path.map((name) => cleanText(name, 40)).join(" → ") });
  return (
    <Panel title={t("title")} aside={t("aside")}>
      <div className="overflow-x-auto">
        <svg
          viewBox={`-2 -2 ${width + 4} ${height + 4}`}
          style={{ maxWidth: width + 4 }}
          className="block h-auto w-full min-w-64"
          role="img"
          aria-label={label}
        >
          <title>{label}</title>
          {layout.edges.map(([from, to]) => (
            <Edge key={`${from}>${to}`} from={places.get(from)} to={places.get(to)} isPath={isStep(path, from, to)} />
          ))}
          {layout.services.map((service) => (
            <Box
              key={service.name}
              service={service}
              role={service.name === path.at(-1) ? "suspect" : path.includes(service.name) ? "path" : "beside"}
            />
          ))}
        </svg>
      </div>
      <p className="mt-2 text-sm">
        {path.map((name, index) => (
          <span key={name}>
            {index > 0 && <span className="text-muted"> → </span>}
            <span className={index === path.length - 1 ? "font-semibold" : undefined}>{cleanText(name, 60)}</span>
          </span>
        ))}
      </p>
    </Panel>
  );
}

function isStep(path: readonly string[], from: string, to: string): boolean {
  const at = path.indexOf(from);
  return at >= 0 && path[at + 1] === to;
}

function corner({ column, row }: PlacedService): { x: number; y: number } {
  return { x: column * (boxWidth + gapX), y: row * (boxHeight + gapY) };
}

function Edge({ from, to, isPath }: { from?: PlacedService; to?: PlacedService; isPath: boolean }) {
  if (from === undefined || to === undefined) return null;
  const start = corner(from);
  const end = corner(to);
  const x1 = start.x + boxWidth;
  const y1 = start.y + boxHeight / 2;
  const y2 = end.y + boxHeight / 2;
  const middle = (x1 + end.x) / 2;
  return (
    <path
      d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${end.x} ${y2}`}
      fill="none"
      className={isPath ? "stroke-down" : "stroke-line-strong"}
      strokeWidth={isPath ? 2 : 1}
    />
  );
}

function Box({ service, role }: { service: PlacedService; role: "suspect" | "path" | "beside" }) {
  const { x, y } = corner(service);
  const name = cleanText(service.name, 80);
  return (
    <g>
      <title>{name}</title>
      <rect
        x={x}
        y={y}
        width={boxWidth}
        height={boxHeight}
        rx="6"
        className={classes(
          "fill-panel",
          role === "suspect" ? "stroke-down" : role === "path" ? "stroke-degraded" : "stroke-line",
        )}
        strokeWidth={role === "beside" ? 1 : 2}
      />
      {role === "suspect" && (
        <rect x={x + 8} y={y + boxHeight / 2 - 5} width="10" height="10" rx="1.5" className="fill-down" />
      )}
      <text
        x={x + (role === "suspect" ? 24 : boxWidth / 2)}
        y={y + boxHeight / 2 + 4}
        textAnchor={role === "suspect" ? "start" : "middle"}
        className={classes("text-xs", role === "beside" ? "fill-muted" : "fill-ink")}
        fontWeight={role === "suspect" ? 600 : 400}
      >
        {name.length > nameLength ? `${name.slice(0, nameLength - 1)}…` : name}
      </text>
    </g>
  );
}
