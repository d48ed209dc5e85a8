import { Agent, request } from "node:http";
import type { PortAddress } from "../network/silent-ports.ts";
import { chooseProduct } from "./services.ts";

export interface LoadReport {
  readonly sent: number;
  readonly failed: number;
}

const timeoutMs = 6_000;
/** Every fourth request is a checkout. */
const checkoutEvery = 4;
/** Customers who wait; more don't come. */
const maxWaiting = 200;

/** Customers at a steady rate, whether or not the shop keeps up with them. */
export class LoadGenerator {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: maxWaiting });
  #timer: NodeJS.Timeout | null = null;
  #sent = 0;
  #failed = 0;
  #waiting = 0;

  constructor(
    private readonly gateway: PortAddress,
    private readonly requestsPerSecond: number,
  ) {}

  start(): void {
    this.#timer ??= setInterval(() => this.#customer(), 1_000 / this.requestsPerSecond);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#agent.destroy();
  }

  report(): LoadReport {
    return { sent: this.#sent, failed: this.#failed };
  }

  #customer(): void {
    if (this.#waiting >= maxWaiting) return;
    this.#sent += 1;
    this.#waiting += 1;
    const product = chooseProduct(Math.random());
    const card = `card-${Math.floor(Math.random() * 40_000)}`;
    const checkout = this.#sent % checkoutEvery === 0;
    const sent = request({
      ...this.gateway,
      agent: this.#agent,
      method: checkout ? "POST" : "GET",
      path: checkout ? "/checkout" : `/products/${product}`,
      headers: { "content-type": "application/json" },
      timeout: timeoutMs,
    });
    let done = false;
    const finish = (ok: boolean) => {
      if (done) return;
      done = true;
      this.#waiting -= 1;
      if (!ok) this.#failed += 1;
    };
    sent.on("response", (response) => {
      response.resume();
      response.on("close", () => finish((response.statusCode ?? 500) < 400));
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => finish(false));
    sent.end(checkout ? JSON.stringify({ product, card }) : undefined);
  }
}
