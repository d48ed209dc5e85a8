/**
 * Characters that a screen or a terminal would act upon: C0 and C1 controls except tab and newline, bidirectional overrides and
 * isolates, line and paragraph separators, byte order marks, halves of surrogate pairs.
 */
const acting =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** Text from outside, made harmless: acting characters removed, cut to `maxLength` UTF-16 units. */
export function cleanText(text: string, maxLength: number): string {
  // Cut first, generously: nobody makes us walk megabytes. Then again, since half a pair may have been left at the end.
  const cleaned = text.slice(0, maxLength * 2).replace(acting, "");
  return cleaned.length <= maxLength ? cleaned : cleaned.slice(0, maxLength).replace(/\p{Surrogate}/gu, "");
}
