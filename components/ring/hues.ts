/** Colours that tell nodes apart, away from those of the seven states. Neighbours in the list differ in lightness, too. */
const hues = [
  "light-dark(#2f6fd0, #4f9af0)",
  "light-dark(#6a58c8, #8f7ff0)",
  "light-dark(#1f7d8c, #3fb3bd)",
  "light-dark(#66758c, #93a6c2)",
  "light-dark(#8d5bb0, #b794dd)",
  "light-dark(#3d5a9e, #6f8fd8)",
  "light-dark(#4d8a8f, #7cc6cc)",
  "light-dark(#7c6f9e, #aea3d6)",
] as const;

export function hueOf(index: number): string {
  return hues[index % hues.length]!;
}

export const MOVED = "var(--color-suspect)";
