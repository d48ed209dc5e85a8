"use client";
import { useTranslations } from "next-intl";
import { useFormat } from "../ui/text.tsx";
import type { LevelUnit } from "./rule-units.ts";

/** A level or a value in its unit: `95 %`, `6 h`, `30 s`, `8 × the spread`. */
export function useLevelText(): (value: number, unit: LevelUnit) => string {
  const t = useTranslations("policies");
  const format = useFormat();
  return (value, unit) => {
    switch (unit) {
      case "percent":
        return format.percent(value, value < 0.1);
      case "hours":
        return value >= 1_000 ? t("never") : format.duration(value * 3_600_000);
      case "seconds":
        return format.duration(value);
      case "deviations":
        return t("deviations", { count: format.number(value, value % 1 === 0 ? 0 : 1) });
      case "number":
        return format.number(value, value % 1 === 0 ? 0 : 1);
      default:
        return unit satisfies never;
    }
  };
}
