/** FNV-1a (Fowler, Noll, Vo): short, and the same on every platform. It tells plans apart and guards against a stale screen, not against an attacker. */
export function fnv1a(text: string, start = 0x811c9dc5): string {
  let hash = start >>> 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

/** Of the canonical parts of a plan, in their order. */
export function hashPlan(parts: object): string {
  return fnv1a(JSON.stringify(parts));
}

/** Twelve digits for a content: a configuration file has the same on its node, in a plan and on the change that brings it. */
export function digestText(text: string): string {
  return fnv1a(text) + fnv1a(text, 0x9747b28c).slice(0, 4);
}
