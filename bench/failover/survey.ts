import { databaseOfApplication, superuser } from "../../demo/agent-config.ts";
import { applicationTable } from "../../demo/application.ts";
import type { Demo } from "../../demo/demo.ts";
import { pollUntil } from "../../demo/poll.ts";
import { type AcknowledgementLog, judgeSafety } from "./acknowledgements.ts";
import { readIds, readStreaming } from "./survivors.ts";
import { Witness } from "./witness.ts";

export interface Survey {
  readonly lost: number;
  readonly double: number;
}

export const witnessTable = "witness_events";

/** Sees to the witnesses, and compares what clients were promised with what the surviving primary holds. */
export class Surveyor {
  readonly #witnesses: readonly Witness[];
  #nextId = 1;

  constructor(
    private readonly demo: Demo,
    private readonly application: AcknowledgementLog,
    private readonly witnessed: AcknowledgementLog,
  ) {
    const nextId = () => this.#nextId++;
    this.#witnesses = demo.topology.postgres.map(
      ({ id, listen }) => new Witness({ node: id, ...listen }, databaseOfApplication, witnessTable, nextId, witnessed),
    );
  }

  async start(): Promise<void> {
    const primary = await pollUntil("A primary", 10_000, () => this.demo.findPrimary());
    await Witness.prepareTable({ node: primary, ...this.#address(primary) }, databaseOfApplication, witnessTable);
    for (const witness of this.#witnesses) witness.start();
  }

  stop(): void {
    for (const witness of this.#witnesses) witness.stop();
  }

  /** Nodes that stream from this one now. */
  streamsFrom(node: string): Promise<ReadonlySet<string>> {
    return readStreaming(this.#address(node), { ...databaseOfApplication, user: superuser });
  }

  /** Everything acknowledged so far, looked for on the primary of now. */
  async survey(deposed: string, successor: string, newFirstMs: number | null): Promise<Survey> {
    const pairs = [
      { log: this.application, table: applicationTable },
      { log: this.witnessed, table: witnessTable },
    ];
    let lost = 0;
    let double = 0;
    for (const { log, table } of pairs) {
      // What was acknowledged before the rows are read has to be among them.
      const entries = [...log.entries];
      const present = await this.#readFromPrimary(table);
      const verdict = judgeSafety(entries, present, deposed === successor ? null : deposed, newFirstMs);
      lost += verdict.lost.length;
      double += verdict.double.length;
      log.forget(verdict.lost);
    }
    return { lost, double };
  }

  async #readFromPrimary(table: string): Promise<ReadonlySet<number>> {
    return pollUntil("Reading the surviving rows", 30_000, async () => {
      const primary = await this.demo.findPrimary();
      return primary === null ? null : readIds(this.#address(primary), databaseOfApplication, table);
    });
  }

  #address(node: string): { readonly host: string; readonly port: number } {
    const plan = this.demo.topology.postgres.find(({ id }) => id === node);
    if (plan === undefined) throw new Error(`There is no node ${node}.`);
    return plan.listen;
  }
}
