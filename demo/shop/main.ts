// One process of the demo's shop: `node shop.js CONFIG.json`. Its supervisor switches faults over the message channel.
import { readFileSync } from "node:fs";
import type { ShopConfig, ShopMessage, ShopService } from "./config.ts";
import { ShopDatabase } from "./database.ts";
import { cacheRoutes, gatewayRoutes, ordersRoutes, paymentsRoutes, type ServiceParts } from "./services.ts";
import { Telemetry } from "./telemetry.ts";
import { Weaknesses } from "./weakness.ts";
import { type ShopRoute, serveShop } from "./web.ts";

const routesOf: Readonly<Record<ShopService, (parts: ServiceParts) => ShopRoute[]>> = {
  gateway: gatewayRoutes,
  orders: ordersRoutes,
  payments: paymentsRoutes,
  cache: cacheRoutes,
};

const poolEveryMs = 1_000;

async function main(configPath: string): Promise<void> {
  const config = JSON.parse(readFileSync(configPath, "utf8")) as ShopConfig;
  const telemetry = new Telemetry(config);
  const weaknesses = new Weaknesses(config.volume);
  const database = new ShopDatabase(config, telemetry);
  const routes = routesOf[config.service]({ config, telemetry, weaknesses, database });
  const server = await serveShop(config.addresses[config.service], telemetry, routes);
  telemetry.log("INFO", `Release ${config.release} of ${config.service} started`);
  const timer = setInterval(() => {
    if (config.service === "payments") telemetry.gauge("db.pool.in_use", "1", database.inUse);
  }, poolEveryMs);

  process.on("message", (message: ShopMessage) => {
    if (message.kind !== "fault") return;
    weaknesses.switch(message.fault, message.on);
    if (message.fault !== "pool") return;
    if (message.on) void database.leakConnections();
    else database.giveBack();
  });

  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    clearInterval(timer);
    server.close();
    server.closeAllConnections();
    await database.stop();
    await telemetry.stop();
    process.exit(0);
  }
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
  // The supervisor is gone: nobody would ever stop this process.
  process.once("disconnect", () => void stop());
}

const configPath = process.argv[2];
if (configPath === undefined) {
  console.error("Name the service's configuration file: node shop.js CONFIG.json");
  process.exit(2);
}
void main(configPath);
