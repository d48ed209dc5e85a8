"use client";
import { useEffect } from "react";
import { useProblemText } from "../data/use-problem-text.ts";
import { ErrorState } from "../ui/feedback.tsx";

/** A screen that threw: the rest of the console stays usable. */
export function CrashScreen({ error, onRetry }: { error: Error & { digest?: string }; onRetry: () => void }) {
  const say = useProblemText();
  const { title, text } = say(error);
  useEffect(() => console.error(error), [error]);
  return <ErrorState title={title} text={text} reference={error.digest ?? null} onRetry={onRetry} />;
}
