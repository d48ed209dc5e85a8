/**
 * Text that came from a node is hostile: it may be long, hold control characters, or turn the reading direction round.
 * React escapes it; this caps it and takes out what could mislead the eye. (Bidi controls: Unicode TR #9; the same set as CVE-2021-42574.)
 */
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
/** Zero-width joiners are part of ordinary words and emoji in several scripts. */
const KEPT = new Set(["\u200c", "\u200d"]);

/** One line of at most `maxLength` characters, without control or bidi characters. Newlines and tabs become spaces. */
export function cleanText(text: string, maxLength = 240): string {
  const line = text
    .slice(0, maxLength * 4)
    .replace(/[\r\n\t]+/g, " ")
    .replace(CONTROL, (char) => (KEPT.has(char) ? char : ""));
  const chars = Array.from(line);
  return chars.length > maxLength ? `${chars.slice(0, maxLength - 1).join("")}…` : line;
}
