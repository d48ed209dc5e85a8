"use client";
import { useMemo } from "react";
import { useCodeText } from "../i18n/code-text.ts";
import { useNow } from "../live/use-now.ts";
import { PageHeader } from "../ui/panel.tsx";
import type { Coded } from "./coded.ts";
import { composeStatus } from "./status-sentence.ts";
import { usePicture } from "./use-problems.ts";

/** The sentence at the top: renewed with the picture, and each second while something is going on. */
export function StatusLine() {
  const picture = usePicture();
  const now = useNow(1_000);
  const say = useCodeText();
  const status = useMemo(() => composeStatus(picture, now), [picture, now]);
  const speak = (sentence: Coded) => say(sentence.namespace, sentence.code, sentence.data);
  return (
    <div aria-live="polite" aria-atomic="true">
      <PageHeader title={joinSentences(status.headline.map(speak))} subtitle={status.subline.map(speak).join(" · ")} />
    </div>
  );
}

/** Clauses without a full stop get one; Chinese sentences follow each other without a space. */
function joinSentences(parts: readonly string[]): string {
  return parts
    .map((part, index) => {
      const chinese = /[\u4e00-\u9fff]/.test(part);
      const ended = /[.。!?！？]$/.test(part) ? part : `${part}${chinese ? "。" : "."}`;
      return index < parts.length - 1 && !chinese ? `${ended} ` : ended;
    })
    .join("");
}
