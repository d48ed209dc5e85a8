import * as z from "zod/mini";
import { cleanText } from "../protocol/clean-text.ts";

/** Shapes of what API callers send. Texts are cleaned and cut at what the screens allow. */

const cleaned = (maxLength: number, minLength = 0) =>
  z.pipe(
    z.string().check(z.maxLength(maxLength)),
    z.transform((value: string, context) => {
      const text = cleanText(value, maxLength).trim();
      if (text.length < minLength) context.issues.push({ code: "custom", message: "must not be empty", input: value });
      return text;
    }),
  );

export const reason = cleaned(1_000, 1);
export const reasonOrEmpty = z._default(cleaned(1_000), "");
export const longText = cleaned(20_000, 1);
export const serviceName = cleaned(100, 1);
export const displayName = cleaned(100, 1);
export const nodeId = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/));
export const email = z.string().check(z.maxLength(254), z.regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/));
export const password = z.string().check(z.minLength(1), z.maxLength(200));
export const oneTimeToken = z.string().check(z.minLength(1), z.maxLength(200));
export const role = z.enum(["viewer", "operator", "admin"]);
export const tokenRole = z.enum(["viewer", "operator", "admin", "application"]);

export const maintenance = z.nullable(
  z.object({
    muteAlerts: z.boolean(),
    holdAutomation: z.boolean(),
    reason,
    /** Wall-clock milliseconds; null: until a person ends it. */
    until: z.nullable(z.number()),
  }),
);

/** A whole number in a query string. */
export const queryInt = (least: number, most: number) =>
  z.pipe(
    z.string().check(z.regex(/^\d{1,16}$/)),
    z.transform((value: string) => Math.min(most, Math.max(least, Number(value)))),
  );
export const limit = z._default(queryInt(1, 500), 50);
export const cursor = z.optional(z.string().check(z.maxLength(200)));
export const filterText = z.optional(z.string().check(z.maxLength(200)));

/** A path of words, so that a token can be limited to what lies below a prefix. */
export const lockName = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/, "must be letters, digits and . _ : / - (at most 200)"));
