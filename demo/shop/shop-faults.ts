import { machineMs } from "../clock.ts";
import type { FaultRequest, ShopFaultName } from "../fault-names.ts";
import type { FaultOutcome } from "../faults.ts";
import { badRelease, type InnerFault, isShopService, type ShopService, shopDatabase, shopServices } from "./config.ts";
import { createIndex, dropIndex } from "./schema.ts";
import type { Shop } from "./shop.ts";

/** Where each fault happens unless a service is named. */
export const defaultPlace: Readonly<Record<ShopFaultName, ShopService>> = {
  slow: "cache",
  exception: "payments",
  cpu: "orders",
  leak: "payments",
  disk: "orders",
  pool: "payments",
  release: "orders",
  index: "payments",
};

/** Which services a fault can happen to: only payments has a pool, and so on. */
const places: Readonly<Record<ShopFaultName, readonly ShopService[]>> = {
  slow: shopServices,
  exception: shopServices,
  cpu: shopServices,
  leak: ["payments"],
  disk: ["orders"],
  pool: ["payments"],
  release: ["orders"],
  index: ["payments"],
};

/** Causes the shop's faults and undoes them. */
export class ShopFaults {
  readonly #active = new Map<string, ShopFaultName>();

  constructor(private readonly shop: Shop) {}

  /** Service → its fault. */
  get active(): Readonly<Record<string, ShopFaultName>> {
    return Object.fromEntries(this.#active);
  }

  /** @throws Error with a sentence when the fault can't be caused now. */
  async cause(fault: ShopFaultName, request: FaultRequest): Promise<FaultOutcome> {
    const service = this.#pick(fault, request.node);
    const before = this.#active.get(service);
    if (before !== undefined) throw new Error(`${service} suffers from ${before} already. Heal it first: break heal.`);
    const atMs = machineMs();
    const detail = await this.#strike(fault, service);
    const place = fault === "index" ? shopDatabase : service;
    this.#active.set(place, fault);
    return { fault, node: place, atMs, detail };
  }

  /** Answers with the healed places. */
  async heal(only: string | null): Promise<readonly string[]> {
    const healed: string[] = [];
    for (const [place, fault] of [...this.#active]) {
      if (only !== null && only !== place) continue;
      if (fault === "index") await this.shop.onPrimary([createIndex]);
      else if (fault === "release") await this.shop.rollBack(place as ShopService);
      else this.shop.tell(place as ShopService, fault, false);
      this.#active.delete(place);
      healed.push(place);
    }
    return healed;
  }

  /** Starts a service again or takes its release back. Answers with what was done. @throws Error with a sentence when it can't */
  async recover(action: string, service: string): Promise<string> {
    if (!isShopService(service)) throw new Error(`There is no service ${service}. Known: ${shopServices.join(", ")}.`);
    if (action === "restart-service") {
      const release = await this.shop.restart(service);
      this.#forgetInner(service);
      return `${service} was started again with release ${release}`;
    }
    if (action === "roll-back-release") {
      const release = await this.shop.rollBack(service);
      if (release === null) throw new Error(`${service} has no release before this one.`);
      this.#active.delete(service);
      return `${service} was taken back to release ${release}`;
    }
    throw new Error("Known actions: restart-service, roll-back-release.");
  }

  /** A fresh process has none of the faults inside it; its volume is as full, and its release as bad, as before. */
  #forgetInner(service: ShopService): void {
    const fault = this.#active.get(service);
    if (fault !== "release" && fault !== "disk") this.#active.delete(service);
  }

  #pick(fault: ShopFaultName, node: string | undefined): ShopService {
    if (node === undefined) return defaultPlace[fault];
    if (!isShopService(node) || !places[fault].includes(node)) {
      throw new Error(`${fault} can happen to: ${places[fault].join(", ")}.`);
    }
    return node;
  }

  async #strike(fault: ShopFaultName, service: ShopService): Promise<string> {
    switch (fault) {
      case "release":
        await this.shop.deploy(service, badRelease);
        return `release ${badRelease} deployed`;
      case "index":
        await this.shop.onPrimary([dropIndex]);
        return "an index that every payment needs was dropped";
      case "disk":
        if (!this.shop.isSmallVolume(service)) {
          throw new Error("The demo has no small volume to fill here: mounting one needs root on Linux.");
        }
        this.shop.tell(service, fault, true);
        return "its volume is filled to the last byte";
      default:
        this.shop.tell(service, fault satisfies InnerFault, true);
        return details[fault];
    }
  }
}

const details: Readonly<Record<Exclude<InnerFault, "disk">, string>> = {
  slow: "it answers 600 ms late",
  exception: "it throws on every checkout",
  cpu: "it burns most of a processor",
  leak: "it keeps everything it ever made",
  pool: "its database connections are taken and not given back",
};
