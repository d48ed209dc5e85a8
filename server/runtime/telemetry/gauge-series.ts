import { SecondSeries } from "./second-series.ts";

/** Gauges of one service or host. Where several nodes report the same second, their mean counts. */
export class GaugeSeries {
  readonly #series: SecondSeries;

  constructor(gaugeLimit: number) {
    this.#series = new SecondSeries(gaugeLimit * 2);
  }

  get names(): readonly string[] {
    return this.#series.names.filter((name) => !name.startsWith("#"));
  }

  get oldest(): number {
    return this.#series.oldest;
  }

  add(name: string, second: number, value: number): void {
    this.#series.add(name, second, value);
    this.#series.add(`#${name}`, second, 1);
  }

  /** NaN for none. */
  read(name: string, second: number): number {
    return this.#series.get(name, second) / this.#series.get(`#${name}`, second);
  }

  latest(second: number, withinS: number): Record<string, number> {
    const values: Record<string, number> = {};
    for (const name of this.names) {
      for (let at = second; at > second - withinS; at -= 1) {
        const value = this.read(name, at);
        if (Number.isNaN(value)) continue;
        values[name] = Math.round(value * 1_000) / 1_000;
        break;
      }
    }
    return values;
  }
}
