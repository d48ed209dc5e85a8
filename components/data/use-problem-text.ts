"use client";
import { useTranslations } from "next-intl";
import { useCallback } from "react";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { ApiError } from "./problem.ts";

export interface ProblemText {
  readonly title: string;
  readonly text: string;
  readonly reference: string | null;
}

/** Any thrown thing as a sentence: what happened, why, what to do. */
export function useProblemText(): (error: unknown) => ProblemText {
  const t = useTranslations("problem");
  const all = useTranslations();
  const say = useCodeText();
  return useCallback(
    (error) => {
      if (!(error instanceof ApiError))
        return { title: t("unexpected.title"), text: t("unexpected.text"), reference: null };
      const { status, code, data, title, detail, reference } = error.problem;
      const known = code !== null && all.has(`refusal.${code}`);
      const generic = genericKey(status, code);
      return {
        title: generic === "server" && title !== "" ? cleanText(title, 120) : t(`${generic}.title`),
        text:
          known && code !== null
            ? say("refusal", code, data)
            : detail !== null
              ? cleanText(detail, 600)
              : t(`${generic}.text`),
        reference,
      };
    },
    [t, all, say],
  );
}

function genericKey(
  status: number,
  code: string | null,
): "network" | "timeout" | "signedOut" | "forbidden" | "missing" | "conflict" | "tooMany" | "server" {
  if (status === 0) return code === "timeout" ? "timeout" : "network";
  if (status === 401) return "signedOut";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  if (status === 409 || status === 412) return "conflict";
  if (status === 429) return "tooMany";
  return "server";
}
