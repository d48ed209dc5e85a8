import { describe, expect, it } from "vitest";
import { matrixActions } from "./actions.ts";
import { nameCell, playCell } from "./cell.ts";
import { planMatrix } from "./matrix.ts";

/** Every so many cells; all of them: `npm run sim:crash-matrix`. The offset moves along, so that each boundary and victim has its turn. */
const stride = 23;

describe("the crash matrix", () => {
  it.each(matrixActions.map(({ name }) => name))(
    "%s, killed anywhere, ends done, compensated or with a person asked",
    async (name) => {
      const [plan] = await planMatrix([name]);
      expect(plan).toBeDefined();
      if (plan === undefined) return;
      expect(plan.reference.phase).toBe("done");
      expect(plan.cells.length).toBeGreaterThan(40);
      for (const cell of plan.cells.filter((_, index) => index % stride === name.length)) {
        const { end, why } = await playCell(plan.action, plan.reference, cell);
        const replay = `npm run sim:crash-matrix -- --cell ${nameCell(cell)}   # ${why}`;
        expect(end === "violated" ? replay : end).toMatch(/^(done|compensated|needs-operator)$/);
      }
    },
  );
});
