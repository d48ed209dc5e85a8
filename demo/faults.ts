import { machineMs } from "./clock.ts";
import type { DemoNode } from "./demo-node.ts";
import { type FaultName, type FaultRequest, isShopFaultName, type ShopFaultName } from "./fault-names.ts";
import type { Fabric } from "./network/fabric.ts";
import type { ShopFaults } from "./shop/shop-faults.ts";
import type { SwitchoverStart } from "./switchover.ts";

/** What the injector needs of the running demo. */
export interface FaultTargets {
  readonly nodes: readonly DemoNode[];
  readonly fabric: Fabric;
  readonly shop: ShopFaults;
  findPrimary(): Promise<string | null>;
  killControlPlane(): void;
  startControlPlane(): Promise<void>;
  /** Planned change of primary through the API; by default to the standby that the control plane prefers. */
  switchOver(target: string | null): Promise<SwitchoverStart>;
}

export interface FaultOutcome {
  readonly fault: FaultRequest["fault"];
  readonly node: string | null;
  /** When it took effect, by the machine's monotonic clock. */
  readonly atMs: number;
  /** What was done, for the terminal. */
  readonly detail: string;
}

const controlPlaneDownMs = 5_000;
const defaultBlipMs = 800;

/** Causes faults on real processes and undoes them. Keeps no judgement: what follows is Holdfast's business. */
export class FaultInjector {
  readonly #active = new Map<string, FaultName>();

  constructor(private readonly targets: FaultTargets) {}

  /** Node (or `control-plane`) → the fault it suffers from now. */
  get active(): Readonly<Record<string, FaultName | ShopFaultName>> {
    return { ...Object.fromEntries(this.#active), ...this.targets.shop.active };
  }

  /** @throws Error with a sentence when the fault can't be caused now. */
  async cause(request: FaultRequest): Promise<FaultOutcome> {
    if (isShopFaultName(request.fault)) return this.targets.shop.cause(request.fault, request);
    switch (request.fault) {
      case "heal":
        return this.#heal(request.node ?? null);
      case "ctl":
        return this.#killControlPlane();
      case "switchover":
        return this.#switchOver(request.node ?? null);
      case "blip":
        return this.#blip(await this.#pick(request), request.ms ?? defaultBlipMs);
      case "crash":
      case "pgkill":
      case "power":
      case "freeze":
      case "pgfreeze":
      case "partition":
        return this.#strike(request.fault, await this.#pick(request));
      default:
        return assertNever(request.fault);
    }
  }

  async #pick(request: FaultRequest): Promise<DemoNode> {
    const id = request.node ?? (await this.targets.findPrimary());
    const node = this.targets.nodes.find((each) => each.id === id);
    if (node === undefined)
      throw new Error("No node is primary now. Name a node with --node, or wait until there is one.");
    return node;
  }

  async #strike(fault: Exclude<FaultName, "ctl" | "switchover" | "blip">, node: DemoNode): Promise<FaultOutcome> {
    const { fabric } = this.targets;
    const before = this.#active.get(node.id);
    if (before !== undefined && before !== "pgkill") {
      throw new Error(`${node.id} suffers from ${before} already. Heal it first: break heal.`);
    }
    const atMs = machineMs();
    let detail: string;
    if (fault === "crash") detail = `${node.kill()} processes killed`;
    else if (fault === "pgkill") detail = `${node.killPostgres()} PostgreSQL processes killed`;
    else if (fault === "freeze") detail = `${node.freeze()} processes stopped`;
    else if (fault === "pgfreeze") detail = `${node.freezePostgres()} PostgreSQL processes stopped`;
    else {
      await fabric.cut(node.id, fault === "power" ? "all" : "cluster");
      detail = fault === "power" ? `network cut, ${node.kill()} processes killed` : "cluster and control links cut";
    }
    this.#active.set(node.id, fault);
    return { fault, node: node.id, atMs, detail };
  }

  async #blip(node: DemoNode, blipMs: number): Promise<FaultOutcome> {
    const atMs = machineMs();
    const count = node.freeze();
    await new Promise((resolve) => setTimeout(resolve, blipMs));
    node.thaw();
    return { fault: "blip", node: node.id, atMs, detail: `${count} processes stopped for ${blipMs} ms` };
  }

  async #killControlPlane(): Promise<FaultOutcome> {
    const atMs = machineMs();
    this.targets.killControlPlane();
    this.#active.set("control-plane", "ctl");
    setTimeout(() => void this.#reviveControlPlane(), controlPlaneDownMs).unref();
    return { fault: "ctl", node: null, atMs, detail: `killed; it starts again in ${controlPlaneDownMs / 1000} s` };
  }

  async #reviveControlPlane(): Promise<void> {
    if (!this.#active.delete("control-plane")) return;
    await this.targets.startControlPlane();
  }

  async #switchOver(target: string | null): Promise<FaultOutcome> {
    return { fault: "switchover", node: target, ...(await this.targets.switchOver(target)) };
  }

  /** Network first, then the processes: what comes back finds a network again, as after a power cut. */
  async #heal(only: string | null): Promise<FaultOutcome> {
    const atMs = machineMs();
    const healed: string[] = [];
    for (const node of this.targets.nodes) {
      if (only !== null && node.id !== only) continue;
      const needed = this.#active.delete(node.id) || node.frozen || !node.agentRuns;
      await this.targets.fabric.heal(node.id);
      node.thaw();
      node.startAgent();
      if (needed) healed.push(node.id);
    }
    await this.#reviveControlPlane();
    healed.push(...(await this.targets.shop.heal(only)));
    return {
      fault: "heal",
      node: only,
      atMs,
      detail: healed.length === 0 ? "nothing was broken" : `${healed.join(", ")} back`,
    };
  }
}

function assertNever(value: never): never {
  throw new Error(`Unknown fault ${JSON.stringify(value)}`);
}
