import { type MatrixAction, matrixActions } from "./actions.ts";
import { type Cell, type CellEnd, type CellResult, playCell, playReference, type Reference, victims } from "./cell.ts";

export interface MatrixPlan {
  readonly action: MatrixAction;
  readonly reference: Reference;
  readonly cells: readonly Cell[];
}

/** Every boundary that each kind of action passes, times everybody who may be killed there. */
export async function planMatrix(only?: readonly string[]): Promise<readonly MatrixPlan[]> {
  const plans: MatrixPlan[] = [];
  for (const action of matrixActions) {
    if (only !== undefined && !only.includes(action.name)) continue;
    const reference = await playReference(action);
    const cells = reference.passages.flatMap(({ boundary, occurrence }) =>
      victims.map((victim) => ({ action: action.name, boundary, occurrence, victim })),
    );
    plans.push({ action, reference, cells });
  }
  return plans;
}

export interface MatrixSummary {
  readonly cells: number;
  readonly done: number;
  readonly compensated: number;
  readonly needsOperator: number;
  readonly violated: number;
  readonly actions: Readonly<Record<string, Readonly<Record<CellEnd, number>> & { readonly cells: number }>>;
}

export async function playMatrix(
  plans: readonly MatrixPlan[],
  tell: (result: CellResult) => void,
): Promise<readonly CellResult[]> {
  const results: CellResult[] = [];
  for (const { action, reference, cells } of plans) {
    for (const cell of cells) {
      const result = await playCell(action, reference, cell);
      results.push(result);
      tell(result);
    }
  }
  return results;
}

export function summariseMatrix(results: readonly CellResult[]): MatrixSummary {
  const count = (list: readonly CellResult[], end: CellEnd) => list.filter((result) => result.end === end).length;
  const ends = (list: readonly CellResult[]) => ({
    cells: list.length,
    done: count(list, "done"),
    compensated: count(list, "compensated"),
    "needs-operator": count(list, "needs-operator"),
    violated: count(list, "violated"),
  });
  const names = [...new Set(results.map((result) => result.action))];
  const { "needs-operator": needsOperator, ...all } = ends(results);
  return {
    ...all,
    needsOperator,
    actions: Object.fromEntries(names.map((name) => [name, ends(results.filter((result) => result.action === name))])),
  };
}
