import { cleanText } from "../format/hostile-text.ts";

/** The part of Markdown that notes need: **bold**, `code`, bare and named https links, bullet lists. Anything else stays text. */
export type NotePart =
  | { readonly kind: "text" | "bold" | "code"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

export interface NoteLine {
  readonly bullet: boolean;
  readonly parts: readonly NotePart[];
}

const maxLines = 200;
const inline = /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"')]+)/g;

export function parseNote(text: string): readonly NoteLine[] {
  return text
    .split(/\r?\n/)
    .slice(0, maxLines)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const bullet = /^\s*[-*]\s+/.exec(line);
      return {
        bullet: bullet !== null,
        parts: parseInline(cleanText(bullet === null ? line : line.slice(bullet[0].length), 2_000)),
      };
    });
}

function parseInline(line: string): NotePart[] {
  const parts: NotePart[] = [];
  let from = 0;
  for (const match of line.matchAll(inline)) {
    if (match.index > from) parts.push({ kind: "text", text: line.slice(from, match.index) });
    const [whole, bold, code, name, target, bare] = match;
    if (bold !== undefined) parts.push({ kind: "bold", text: bold });
    else if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (name !== undefined && target !== undefined) parts.push({ kind: "link", text: name, href: target });
    else if (bare !== undefined) parts.push({ kind: "link", text: bare, href: bare });
    from = match.index + whole.length;
  }
  if (from < line.length) parts.push({ kind: "text", text: line.slice(from) });
  return parts;
}
