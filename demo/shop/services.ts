import { appendFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { badRelease, type ShopConfig } from "./config.ts";
import type { ShopDatabase } from "./database.ts";
import { insertPayment, selectPayments } from "./schema.ts";
import type { Telemetry } from "./telemetry.ts";
import type { Weaknesses } from "./weakness.ts";
import { callService, HttpError, type ShopRoute } from "./web.ts";

export interface ServiceParts {
  readonly config: ShopConfig;
  readonly telemetry: Telemetry;
  readonly weaknesses: Weaknesses;
  readonly database: ShopDatabase;
}

const products = 40;
const maxJournalBytes = 256 * 1024;

interface Product {
  readonly id: number;
  readonly cents: number;
  readonly currency: string;
}

/** What customers talk to. */
export function gatewayRoutes({ config, telemetry, weaknesses }: ServiceParts): ShopRoute[] {
  const { orders } = config.addresses;
  return [
    {
      name: "GET /products/:id",
      pattern: /^GET \/products\/(\d+)$/,
      async handle(_request, id) {
        await weaknesses.delay();
        return callService(telemetry, "orders", orders, { name: "GET /products/:id", path: `/products/${id}` });
      },
    },
    {
      name: "POST /checkout",
      pattern: /^POST \/checkout$/,
      async handle({ body }) {
        await weaknesses.delay();
        if (weaknesses.has("exception")) failOnMissing({});
        return callService(telemetry, "orders", orders, { name: "POST /orders", path: "/orders", body });
      },
    },
  ];
}

/** Catalogue and orders. Every order goes to the journal on its own volume before it is paid. */
export function ordersRoutes(parts: ServiceParts): ShopRoute[] {
  const { config, telemetry, weaknesses } = parts;
  const { payments } = config.addresses;
  return [
    {
      name: "GET /products/:id",
      pattern: /^GET \/products\/(\d+)$/,
      async handle(_request, id) {
        await weaknesses.delay();
        return findProduct(parts, Number(id));
      },
    },
    {
      name: "POST /orders",
      pattern: /^POST \/orders$/,
      async handle({ body }) {
        await weaknesses.delay();
        if (weaknesses.has("exception")) failOnMissing({});
        const product = await findProduct(parts, Number(body.product));
        const cents = priceOf(product, config.release);
        await writeJournal(config.volume, `order of ${product.id} for ${body.card}: ${cents}\n`);
        const order = { card: body.card, cents };
        const paid = await callService(telemetry, "payments", payments, {
          name: "POST /payments",
          path: "/payments",
          body: order,
        });
        telemetry.log("INFO", `Order of product ${product.id} was paid with ${cents} cents`);
        return paid;
      },
    },
  ];
}

/** Asks the cache, and puts there what was missing. */
async function findProduct({ config, telemetry }: ServiceParts, id: number): Promise<Product> {
  const { cache } = config.addresses;
  const path = `/items/product-${id}`;
  const cached = await callService(telemetry, "cache", cache, { name: "GET /items/:key", path });
  const value = (cached as { value?: Product | null } | null)?.value;
  if (value) return value;
  const product: Product = { id, cents: 100 + ((id * 7_919) % 9_000), currency: "EUR" };
  await callService(telemetry, "cache", cache, { name: "PUT /items/:key", path, body: { value: product } });
  return product;
}

/** The bad release looks the rate up by a field that half of the products don't have. */
function priceOf(product: Product, release: string): number {
  if (release !== badRelease) return product.cents;
  const rates: Readonly<Record<string, { readonly rate: number }>> = { "EUR/0": { rate: 1 } };
  const found = rates[`${product.currency}/${product.id % 2}`] as { readonly rate: number };
  return Math.round(product.cents * found.rate);
}

async function writeJournal(volume: string, line: string): Promise<void> {
  const path = join(volume, "journal.log");
  await appendFile(path, line);
  if ((await stat(path)).size > maxJournalBytes) await truncate(path, 0);
}

/** Takes money: looks at the card's former payments, then writes the new one. */
export function paymentsRoutes({ telemetry, weaknesses, database }: ServiceParts): ShopRoute[] {
  return [
    {
      name: "POST /payments",
      pattern: /^POST \/payments$/,
      async handle({ body }) {
        await weaknesses.delay();
        const card = String(body.card);
        if (weaknesses.has("exception")) failOnMissing({});
        if (weaknesses.isRepeated(`receipt of ${card}`)) throw new HttpError(409, "This receipt was written before.");
        const { rows } = await database.query("SELECT shop_payments", selectPayments, [card]);
        const { rows: written } = await database.query("INSERT shop_payments", insertPayment, [card, body.cents]);
        telemetry.log("INFO", `Payment ${(written[0] as { id: string }).id} of ${card} accepted`);
        return { payment: (written[0] as { id: string }).id, before: (rows[0] as { count: string }).count };
      },
    },
  ];
}

/** A real mistake: the holder is not always there. */
function failOnMissing(account: { readonly holder?: { readonly name: string } }): string {
  return (account.holder as { readonly name: string }).name.trim();
}

const maxItems = products * 4;
const freshMs = 20_000;

/** A small cache in memory: the oldest go first, all of them after their time. */
export function cacheRoutes({ weaknesses, telemetry }: ServiceParts): ShopRoute[] {
  const items = new Map<string, { readonly value: unknown; readonly untilMs: number }>();
  return [
    {
      name: "GET /items/:key",
      pattern: /^GET \/items\/([\w-]{1,60})$/,
      async handle(_request, key) {
        await weaknesses.delay();
        if (weaknesses.has("exception")) failOnMissing({});
        const item = items.get(key);
        const fresh = item !== undefined && item.untilMs > performance.now();
        if (!fresh) telemetry.log("INFO", `Cache has no fresh ${key}`);
        return { value: fresh ? item.value : null };
      },
    },
    {
      name: "PUT /items/:key",
      pattern: /^PUT \/items\/([\w-]{1,60})$/,
      async handle({ body }, key) {
        await weaknesses.delay();
        items.delete(key);
        items.set(key, { value: body.value, untilMs: performance.now() + freshMs });
        for (const oldest of items.keys()) {
          if (items.size <= maxItems) break;
          items.delete(oldest);
        }
        return {};
      },
    },
  ];
}

export function chooseProduct(random: number): number {
  return Math.floor(random * products);
}
