// The pricing service's own checker of its configuration: exit code 0 when the file may be used.
import { readFileSync } from "node:fs";

let prices;
try {
  prices = JSON.parse(readFileSync(process.argv[2], "utf8"));
} catch (error) {
  console.error(`prices.json is not valid JSON: ${error.message}`);
  process.exit(1);
}
if (!/^[A-Z]{3}$/.test(prices.currency ?? "")) {
  console.error("currency must be a code of three letters, such as EUR");
  process.exit(1);
}
