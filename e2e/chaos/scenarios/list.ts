import type { Scenario, Untried } from "../scenario.ts";
import { controlPlane } from "./control-plane.ts";
import { links } from "./links.ts";
import { needless } from "./needless.ts";
import { oneFault } from "./one-fault.ts";
import { twoFaults } from "./two-faults.ts";

/** The same fault under more standbys, or more of them waited for. */
function under(shape: Scenario["shape"], suffix: string, names: readonly string[]): readonly Scenario[] {
  return [...oneFault, ...controlPlane]
    .filter(({ name }) => names.includes(name))
    .map((each) => ({ ...each, name: `${each.name}-${suffix}`, shape: { ...each.shape, ...shape } }));
}

const large = ["crash", "pgkill", "partition", "switchover"];

export const scenarios: readonly Scenario[] = [
  ...oneFault,
  ...links,
  ...needless,
  ...controlPlane,
  ...twoFaults,
  ...under({ members: 5 }, "of-five", large),
  ...under({ members: 5, k: 2 }, "any-two", large),
];

export const untried: readonly Untried[] = [
  {
    name: "async",
    why: "no scenario yet: what counts as lost there needs a ledger that knows the announced figure; npm run sim -- --async tries the rules",
  },
];
