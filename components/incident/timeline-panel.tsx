"use client";
import { useTranslations } from "next-intl";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { TimelineEntry } from "../../server/core/index.ts";
import type { IncidentView } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { useNow } from "../live/use-now.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Panel } from "../ui/panel.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { TimelineChart } from "./timeline-chart.tsx";
import { TimelineList } from "./timeline-list.tsx";

const views = ["chart", "list"] as const;
const scales = ["log", "linear"] as const;

/** The timeline as a picture and as a list; both in the address. */
export function TimelinePanel({ incident, entries }: { incident: IncidentView; entries: readonly TimelineEntry[] }) {
  const t = useTranslations("timelineView");
  const say = useCodeText();
  const now = useNow(1_000);
  const [view, setView] = useQueryState("timeline", parseAsStringLiteral(views).withDefault("chart"));
  const [scale, setScale] = useQueryState("scale", parseAsStringLiteral(scales).withDefault("log"));
  const [selected, setSelected] = useSelectedEntry();
  useKey("t", () => void setView(view === "chart" ? "list" : "chart"));
  const ordered = useMemo(() => [...entries].sort((a, b) => a.at - b.at || a.seq - b.seq), [entries]);
  const fromMs = Math.min(incident.beganAt, ordered[0]?.at ?? incident.beganAt);
  const last = ordered.at(-1)?.at ?? incident.openedAt;
  const toMs = incident.resolvedAt !== null ? Math.max(last, incident.resolvedAt) : Math.max(last, now) + 1;
  const labelOf = useCallback(
    (entry: TimelineEntry) => {
      const words = say("timeline", entry.kind, { subject: entry.subject.id, node: null, ...entry.data });
      const observer =
        entry.lane === "signal" &&
        entry.actor !== "control-plane" &&
        entry.actor !== "holdfast" &&
        entry.actor !== entry.subject.id;
      return observer ? `${words} · ${entry.actor}` : words;
    },
    [say],
  );
  const plainLabel = useCallback(
    (entry: TimelineEntry) => say("timeline", entry.kind, { subject: entry.subject.id, node: null, ...entry.data }),
    [say],
  );
  const chosen = ordered.find((entry) => entry.seq === selected);
  return (
    <Panel
      title={t("title")}
      aside={
        <div className="flex flex-wrap items-center gap-2">
          {view === "chart" && (
            <Segmented
              label={t("scale")}
              value={scale}
              onChange={(value) => void setScale(value)}
              options={scales.map((value) => ({ value, label: t(value) }))}
            />
          )}
          <Segmented
            label={t("view")}
            value={view}
            onChange={(value) => void setView(value)}
            options={views.map((value) => ({ value, label: t(value) }))}
          />
        </div>
      }
    >
      {view === "chart" ? (
        <>
          <TimelineChart
            entries={ordered}
            fromMs={fromMs}
            toMs={toMs}
            scale={scale}
            selected={selected}
            onSelect={setSelected}
            labelOf={labelOf}
          />
          {chosen !== undefined && (
            <div className="mt-3 rounded-md border border-line">
              <TimelineList
                entries={[chosen]}
                fromMs={fromMs}
                selected={selected}
                onSelect={setSelected}
                labelOf={plainLabel}
              />
            </div>
          )}
        </>
      ) : (
        <TimelineList
          entries={ordered}
          fromMs={fromMs}
          selected={selected}
          onSelect={setSelected}
          labelOf={plainLabel}
        />
      )}
    </Panel>
  );
}

/** The entry named by the address's fragment. */
function useSelectedEntry(): [number | null, (seq: number) => void] {
  const [selected, setSelected] = useState<number | null>(null);
  useEffect(() => {
    const read = () => {
      const match = /^#t-(\d+)$/.exec(window.location.hash);
      if (match !== null) setSelected(Number(match[1]));
    };
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, []);
  const choose = useCallback((seq: number) => {
    setSelected(seq);
    window.history.replaceState(null, "", `#t-${seq}`);
  }, []);
  return [selected, choose];
}
