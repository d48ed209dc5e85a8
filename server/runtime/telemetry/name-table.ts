/**
 * Numbers for names, so that rings hold numbers. When it is full it says -1 until half of it was forgotten by `sweep`.
 */
export class NameTable {
  readonly #ids = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#limit) return -1;
    const id = this.#free.pop() ?? this.#names.length;
    this.#ids.set(name, id);
    this.#names[id] = name;
    return id;
  }

  nameOf(id: number): string {
    return this.#names[id] ?? "";
  }

  get isFull(): boolean {
    return this.#ids.size >= this.#limit;
  }

  /** Forgets the names that nothing uses any more. */
  sweep(isUsed: (id: number) => boolean): void {
    for (const [name, id] of this.#ids) {
      if (isUsed(id)) continue;
      this.#ids.delete(name);
      this.#names[id] = undefined;
      this.#free.push(id);
    }
  }
}
