import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";

// zod/mini comes without words: until a locale is set every mistake is just an "Invalid input".
z.config(en());

/** What is wrong with a value, in words, one line a mistake. */
export function describeMistakes(error: Parameters<typeof z.prettifyError>[0]): string {
  return z.prettifyError(error);
}
