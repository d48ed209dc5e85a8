"use client";
import { parseAsArrayOf, parseAsString, useQueryState } from "nuqs";
import { useMemo } from "react";
import type { RingChange } from "../../server/core/index.ts";
import { formatChange, parseChange } from "./ring-changes.ts";

/** The changes to try, in the address: a plan can be sent to somebody before it is applied. */
export function useChanges(): [readonly RingChange[], (changes: readonly RingChange[]) => void] {
  const [texts, setTexts] = useQueryState("change", parseAsArrayOf(parseAsString, ",").withDefault([]));
  const changes = useMemo(
    () => texts.map(parseChange).filter((change): change is RingChange => change !== null),
    [texts],
  );
  const set = (next: readonly RingChange[]) => void setTexts(next.length === 0 ? null : next.map(formatChange));
  return [changes, set];
}
