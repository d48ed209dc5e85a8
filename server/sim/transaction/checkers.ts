import { isEnded, isInDoubt } from "../../core/transaction/index.ts";
import type { Run } from "./run.ts";

export interface Violation {
  readonly checker: "atomic" | "decision-stable" | "saga-complete" | "saga-once" | "no-reservation-leaked" | "ends";
  readonly text: string;
}

/** What must hold at the end of every run, whatever happened in it. */
export function check(run: Run): Violation[] {
  switch (run.protocol) {
    case "2pc":
    case "3pc":
      return [...checkAtomic(run), ...checkStable(run), ...checkEnds(run)];
    case "saga":
      return [...checkSaga(run), ...checkStable(run), ...checkEnds(run)];
    case "tcc":
      return [...checkReservations(run), ...checkStable(run), ...checkEnds(run)];
    default:
      return run.protocol satisfies never;
  }
}

/** All or nothing, at every instant that any disk ever showed; and nobody commits against a no. */
function checkAtomic(run: Run): Violation[] {
  const ever = (state: string) => run.participants.filter(({ history }) => history.some((each) => each === state));
  const committed = ever("committed");
  const aborted = ever("aborted");
  const found: Violation[] = [];
  if (committed.length > 0 && aborted.length > 0) {
    const names = (list: typeof committed) => list.map(({ id }) => id).join(", ");
    found.push({ checker: "atomic", text: `${names(committed)} committed and ${names(aborted)} aborted` });
  }
  if (committed.length > 0 && run.votes.includes(false)) {
    found.push({ checker: "atomic", text: "committed although somebody votes no" });
  }
  const missing = run.participants.filter(({ record }) => record.state !== "committed");
  if (committed.length > 0 && missing.length > 0) {
    found.push({ checker: "atomic", text: `committed, but ${missing.map(({ id }) => id).join(", ")} not` });
  }
  run.resources.forEach((resource, index) => {
    const participant = run.participants[index];
    if (participant === undefined) return;
    const { state } = participant.record;
    if (resource.applied !== (state === "committed") || (!isInDoubt(state) && resource.staged)) {
      found.push({ checker: "atomic", text: `${participant.id} is ${state}, its resource is not` });
    }
  });
  return found;
}

/** A decision is taken once: no coordinator changes it, and none contradicts another. */
function checkStable(run: Run): Violation[] {
  const decisions = new Set([run.coordinator, ...run.backups].flatMap((coordinator) => coordinator.decisions));
  const text = `decided ${[...decisions].join(" and ")}`;
  return decisions.size > 1 ? [{ checker: "decision-stable", text }] : [];
}

/** Everything done and nothing undone, or nothing left done; undone in reverse, each once. */
function checkSaga(run: Run): Violation[] {
  const found: Violation[] = [];
  const phase = run.coordinator.transaction?.phase;
  const done = run.resources.filter(({ applied }) => applied).length;
  if (phase === "committed" && done < run.resources.length) {
    found.push({ checker: "saga-complete", text: `${done} of ${run.resources.length} steps are done at its end` });
  }
  if (phase === "compensated" && done > 0) {
    found.push({ checker: "saga-complete", text: `${done} steps are still done after the compensation` });
  }
  for (const resource of run.resources) {
    if (resource.appliedAt.length > 1 || resource.undoneAt.length > 1) {
      found.push({ checker: "saga-once", text: "a step was done or undone twice" });
    }
  }
  const undone = run.resources.flatMap(({ undoneAt }) => undoneAt.slice(0, 1));
  if (undone.some((at, index) => index > 0 && at > (undone[index - 1] as number))) {
    found.push({ checker: "saga-complete", text: "steps were not undone in reverse order" });
  }
  return found;
}

/** Units are used or free at the end, none is lost; and a mixed end says so. */
function checkReservations(run: Run): Violation[] {
  const found: Violation[] = [];
  const phase = run.coordinator.transaction?.phase;
  for (const { reserved, free, used, whole } of run.resources) {
    if (reserved > 0) found.push({ checker: "no-reservation-leaked", text: `${reserved} units stay reserved` });
    if (free + reserved + used > whole)
      found.push({ checker: "no-reservation-leaked", text: "a unit was given twice" });
  }
  const used = run.resources.filter((resource) => resource.used > 0).length;
  const every = used === run.resources.length;
  if (phase === "committed" && !every) found.push({ checker: "atomic", text: "confirmed, and not everywhere" });
  if (phase === "aborted" && used > 0) found.push({ checker: "atomic", text: "cancelled, and used somewhere" });
  if (phase === undefined && used > 0) found.push({ checker: "atomic", text: "used without a decision" });
  return found;
}

/** After the faults are over nobody is left in doubt, also when the coordinator never came back (3PC). */
function checkEnds(run: Run): Violation[] {
  const found: Violation[] = [];
  const doubtful = run.participants.filter(({ record }) => isInDoubt(record.state));
  if (doubtful.length > 0) {
    found.push({ checker: "ends", text: `${doubtful.map(({ id }) => id).join(", ")} in doubt at the end` });
  }
  const { transaction, alive } = run.coordinator;
  if (alive && transaction !== null && !isEnded(transaction)) {
    found.push({ checker: "ends", text: `the coordinator is still ${transaction.phase}` });
  }
  return found;
}
