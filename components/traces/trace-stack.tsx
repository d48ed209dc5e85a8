"use client";
import { useTranslations } from "next-intl";
import { cleanText } from "../format/hostile-text.ts";
import { type Frame, foldFrames } from "./fold-frames.ts";

/** A stack, innermost frame first: the service's own code open, what it stands upon folded. */
export function TraceStack({ frames }: { frames: readonly Frame[] }) {
  const t = useTranslations("traces");
  if (frames.length === 0) return <p className="text-muted">{t("noFrames")}</p>;
  return (
    <div className="flex flex-col font-mono text-xs leading-5">
      {foldFrames(frames).map((run, index) =>
        run.own ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a run is its place in the stack
          <FrameList key={index} frames={run.frames} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: a run is its place in the stack
          <details key={index} className="group border-l-2 border-line">
            <summary className="focus-ring cursor-pointer py-1 pl-3 font-sans text-muted hover:text-ink">
              {t("libraryFrames", { count: run.frames.length })}
            </summary>
            <FrameList frames={run.frames} quiet />
          </details>
        ),
      )}
    </div>
  );
}

function FrameList({ frames, quiet = false }: { frames: readonly Frame[]; quiet?: boolean }) {
  return (
    <ol className={quiet ? "" : "border-l-2 border-accent"}>
      {frames.map((frame, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same frame may stand twice in a stack
        <li key={index} className="py-0.5 pl-3 break-words">
          <span className={quiet ? "text-muted" : "font-semibold"}>{cleanText(frame.function, 120)}</span>{" "}
          <span className="text-muted">
            {cleanText(frame.file, 160)}
            {frame.line === null ? "" : `:${frame.line}`}
          </span>
        </li>
      ))}
    </ol>
  );
}
