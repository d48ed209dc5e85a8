// One release of the demo's pricing service. What it does wrong stands in release.json beside it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const release = JSON.parse(readFileSync("release.json", "utf8"));
const readPrices = () => JSON.parse(readFileSync(process.env.PRICES, "utf8"));
let prices = readPrices();
let asked = 0;

process.on("SIGHUP", () => {
  prices = readPrices();
});
process.on("SIGTERM", () => process.exit(0));

createServer((request, response) => {
  asked += 1;
  const ill = release.fault === "unhealthy" && process.uptime() > 4;
  const body = { service: "pricing", version: release.version, currency: prices.currency, asked };
  response.writeHead(ill ? 500 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(request.url === "/health" ? { ok: !ill, ...body } : body));
}).listen(Number(process.env.PORT), "127.0.0.1");

// The kind of mistake that a test misses: it shows only after some requests.
if (release.fault === "crash") {
  setTimeout(() => {
    const rates = undefined;
    console.log(rates[prices.currency]);
  }, 2_500);
}
