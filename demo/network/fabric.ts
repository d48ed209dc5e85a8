import { Link, type LinkOptions } from "./link.ts";
import { discardPreparedSilence, prepareSilence, type SilentPorts, silencePorts } from "./silent-ports.ts";

/** Which of a node's links a cut takes: all of them, or those to the cluster and to the control plane but not its clients'. */
export type CutExtent = "all" | "cluster";

export interface FabricLink extends LinkOptions {
  /** `client` links stay up in a partition. */
  readonly kind: "control" | "cluster" | "client";
}

interface Cut {
  readonly links: readonly Link[];
  readonly ports: SilentPorts;
}

/** The network between the demo's nodes: one proxy for each directed link, all in this process. */
export class Fabric {
  readonly #links = new Map<string, { link: Link; kind: FabricLink["kind"] }>();
  readonly #cuts = new Map<string, Cut>();

  /** Opens a link. The error of a taken port names it. */
  async add(options: FabricLink): Promise<void> {
    const link = new Link(options);
    try {
      await link.open();
    } catch (error) {
      const { host, port } = options.listen;
      throw new Error(`The demo's network can't listen on ${host}:${port} (${(error as NodeJS.ErrnoException).code}).`);
    }
    this.#links.set(options.name, { link, kind: options.kind });
    prepareSilence();
  }

  /** Nodes that are cut off now. */
  get cutNodes(): readonly string[] {
    return [...this.#cuts.keys()];
  }

  /** Connections open now, over all links. */
  get connections(): number {
    let count = 0;
    for (const { link } of this.#links.values()) count += link.connections;
    return count;
  }

  /** A black hole: established connections stay open and silent, new ones get no answer. Takes effect before this returns. */
  async cut(node: string, extent: CutExtent = "all"): Promise<void> {
    if (this.#cuts.has(node)) return;
    const links: Link[] = [];
    for (const { link, kind } of this.#links.values()) {
      const touches = link.options.from === node || link.options.to === node;
      if (touches && !link.silent && (extent === "all" || kind !== "client")) links.push(link);
    }
    for (const link of links) {
      link.silence();
      link.stopListening();
    }
    this.#cuts.set(node, { links, ports: await silencePorts(links.map((link) => link.options.listen)) });
  }

  /** Undoes `cut`. */
  async heal(node: string): Promise<void> {
    const cut = this.#cuts.get(node);
    if (cut === undefined) return;
    this.#cuts.delete(node);
    await cut.ports.release();
    for (const link of cut.links) {
      await link.open();
      link.resume();
    }
  }

  async close(): Promise<void> {
    for (const node of [...this.#cuts.keys()]) await this.#cuts.get(node)?.ports.release();
    this.#cuts.clear();
    for (const { link } of this.#links.values()) link.close();
    this.#links.clear();
    await discardPreparedSilence();
  }
}
