/**
 * Finds the templates of log lines while they come: the constant words of a line stay, its variable ones become `<*>`. A tree of fixed depth by
 * number of words and first words leads to a short list of templates; the most similar one takes the line, or a new one is made.
 * Source: He, Zhu, Zheng, Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. Besides the paper's limit of children there is
 * one of templates in all: a program that logs random words must not fill memory.
 */
export interface DrainOptions {
  /** Leading words that lead through the tree. */
  readonly depth: number;
  /** Share of words that must agree. */
  readonly similarity: number;
  readonly maxChildren: number;
  readonly maxTemplates: number;
}

export const drainDefaults: DrainOptions = { depth: 1, similarity: 0.6, maxChildren: 64, maxTemplates: 500 };

export interface Template {
  words: readonly string[];
}

const wildcard = "<*>";
const wordsRead = 60;
/** A longer word is data. */
const wordLength = 120;

interface Branch {
  readonly children: Map<string, Branch>;
  readonly templates: Template[];
}

/** What is a value by its look: numbers with or without a unit, identifiers, addresses, times, quoted text, paths with digits. */
const values: readonly RegExp[] = [
  /^[-+]?[\d.,:/xX%-]*\d[\d.,:/%-]*(?:[a-zA-Z]{1,3})?$/,
  /^(?:0x)?[0-9a-fA-F]{8,}$/,
  /^[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}$/,
  /^\d{4}-\d\d-\d\d[T ]/,
  /^\/?(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$/,
];

export class Drain {
  readonly #options: DrainOptions;
  readonly #root = new Map<number, Branch>();
  #templates = 0;

  constructor(options: DrainOptions = drainDefaults) {
    this.#options = options;
  }

  get size(): number {
    return this.#templates;
  }

  /** The line's template, as a text; null when there are too many templates already. */
  learn(line: string): string | null {
    const words = splitWords(line);
    const leaf = this.#leafOf(words);
    const match = this.#closest(leaf.templates, words);
    if (match !== null) {
      match.words = match.words.map((word, i) => (word === words[i] ? word : wildcard));
      return match.words.join(" ");
    }
    if (this.#templates >= this.#options.maxTemplates) return null;
    this.#templates += 1;
    leaf.templates.push({ words });
    return words.join(" ");
  }

  #leafOf(words: readonly string[]): Branch {
    let branch = childOf(this.#root, words.length);
    for (const word of words.slice(0, this.#options.depth)) {
      const isValue = word.includes(wildcard);
      const known = !isValue && (branch.children.has(word) || branch.children.size < this.#options.maxChildren);
      branch = childOf(branch.children, known ? word : wildcard);
    }
    return branch;
  }

  #closest(templates: readonly Template[], words: readonly string[]): Template | null {
    let best: Template | null = null;
    let bestShare = this.#options.similarity;
    let bestWildcards = -1;
    for (const template of templates) {
      let same = 0;
      let wildcards = 0;
      template.words.forEach((word, i) => {
        if (word === wildcard) wildcards += 1;
        else if (word === words[i]) same += 1;
      });
      // Words that are variable already count for nothing, and a line of nothing else agrees with its like.
      const share = wildcards === words.length ? 1 : same / words.length;
      if (share > bestShare || (share === bestShare && wildcards > bestWildcards)) {
        best = template;
        bestShare = share;
        bestWildcards = wildcards;
      }
    }
    return best;
  }
}

function childOf<K>(children: Map<K, Branch>, key: K): Branch {
  const known = children.get(key) ?? { children: new Map(), templates: [] };
  children.set(key, known);
  return known;
}

/** Words of a line with obvious values masked; a line longer than any template is cut. */
export function splitWords(line: string): string[] {
  const masked = line.replace(/"[^"]{0,500}"|'[^']{0,500}'/g, wildcard);
  const words = masked.trim().split(/\s+/, wordsRead);
  return words.map((word) => maskWord(word));
}

/** A word may carry its value after `=` or `:`, and punctuation around it. */
function maskWord(word: string): string {
  if (word.includes(wildcard)) return word;
  if (word.length > wordLength) return wildcard;
  const match = /^([([{<]*)([\w.-]+[=:])?(.*?)([\])}>,;:.]*)$/.exec(word);
  if (match === null) return word;
  const [, open = "", name = "", value = "", close = ""] = match;
  if (value === "") return word;
  if (name !== "" && values.some((pattern) => pattern.test(`${name}${value}`))) return `${open}${wildcard}${close}`;
  if (values.some((pattern) => pattern.test(value))) return `${open}${name}${wildcard}${close}`;
  // Paths and identifiers that hold digits differ from line to line.
  if (/\d/.test(value) && /[/_:-]/.test(value))
    return `${open}${name}${value.replace(/[0-9a-fA-F-]*\d[0-9a-fA-F-]*/g, wildcard)}${close}`;
  return word;
}
