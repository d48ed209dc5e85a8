import type { Scenario } from "../scenario.ts";
import { asynchronous } from "./asynchronous.ts";
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
  ...asynchronous,
];
