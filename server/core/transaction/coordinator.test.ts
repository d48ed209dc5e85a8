import { describe, expect, it } from "vitest";
import { type Answer, advance, answerInquiry, type Input, openTransaction, type Protocol } from "./index.ts";

const yes: Answer = { kind: "yes", detail: null, report: { state: "prepared", attempt: 0 }, ballot: 0 };
const done: Answer = { ...yes, kind: "done" };

function open(protocol: Protocol, gated = false) {
  const draft = {
    id: "t",
    protocol,
    participants: ["a", "b", "c"],
    nowMs: 0,
    voteWithinMs: 1_000,
    retryMs: 100,
    gated,
  };
  return advance(openTransaction(draft), { kind: "time" }, 0);
}

function answer(from: string, to: Extract<Input, { kind: "answered" }>["to"], said: Answer): Input {
  return { kind: "answered", from, to, answer: said };
}

function feed(start: ReturnType<typeof open>, inputs: readonly Input[], nowMs = 10) {
  return inputs.reduce((step, input) => advance(step.transaction, input, nowMs), start);
}

const votes = ["a", "b", "c"].map((id) => answer(id, "prepare", yes));

describe("a coordinator", () => {
  it("decides to commit when the last vote is in, and tells everybody", () => {
    const step = feed(open("2pc"), votes);
    expect(step.transaction).toMatchObject({ phase: "committing", decision: "commit", decidedAt: 10 });
    expect(step.messages.map(({ to, kind }) => `${kind} ${to}`)).toEqual(["commit a", "commit b", "commit c"]);
  });

  it("aborts at one no, and at a vote that is missing in time", () => {
    const no = feed(open("2pc"), [answer("b", "prepare", { ...yes, kind: "no", detail: "disk full" })]);
    expect(no.transaction).toMatchObject({ decision: "abort", cause: { code: "voted-no", branch: "b" } });
    const late = advance(feed(open("2pc"), votes.slice(0, 2)).transaction, { kind: "time" }, 1_000);
    expect(late.transaction).toMatchObject({ decision: "abort", cause: { code: "no-vote-in-time", branch: "c" } });
  });

  it("withholds its decision behind a gate, and may still say no", () => {
    const prepared = feed(open("2pc", true), votes);
    expect(prepared.transaction).toMatchObject({ phase: "prepared", decision: null });
    expect(advance(prepared.transaction, { kind: "gate-opened" }, 20).transaction.decision).toBe("commit");
    const abort: Input = { kind: "abort-requested", code: "unhealthy", branch: "a" };
    expect(advance(prepared.transaction, abort, 20).transaction.decision).toBe("abort");
  });

  it("goes on without one that a person sets aside, once it is decided and no sooner", () => {
    const aside: Input = { kind: "set-aside", branch: "c" };
    const undecided = feed(open("2pc"), [...votes.slice(0, 2), aside]);
    expect(undecided.transaction).toMatchObject({ phase: "preparing", decision: null });
    const decided = feed(open("2pc"), [...votes, answer("a", "commit", done), answer("b", "commit", done)]);
    expect(decided.transaction.phase).toBe("committing");
    const ended = feed(decided, [aside]);
    expect(ended.transaction.phase).toBe("committed");
    expect(ended.transaction.branches[2]).toMatchObject({ state: "set-aside", endedAt: 10 });
    expect(answerInquiry(ended.transaction)).toBe("commit");
  });

  it("commits by 3PC only when a majority has pre-committed, and says when it waits for one", () => {
    const asked = feed(open("3pc"), votes);
    expect(asked.transaction.phase).toBe("pre-committing");
    const ack: Answer = { ...done, report: { state: "pre-committed", attempt: 1 } };
    const one = feed(asked, [answer("a", "pre-commit", ack)]);
    expect(one.transaction.decision).toBeNull();
    expect(advance(one.transaction, { kind: "time" }, 2_000).transaction.blockedSince).toBe(2_000);
    expect(feed(one, [answer("b", "pre-commit", ack)]).transaction.decision).toBe("commit");
  });

  it("undoes a saga in reverse, also the step of which nothing was heard", () => {
    const first = feed(open("saga"), [answer("a", "do", yes)]);
    expect(first.messages).toMatchObject([{ to: "b", kind: "do" }]);
    const undo = advance(first.transaction, { kind: "time" }, 1_000);
    expect(undo.messages).toMatchObject([{ to: "b", kind: "undo" }]);
    const next = feed(undo, [answer("b", "undo", done)], 1_010);
    expect(next.messages).toMatchObject([{ to: "a", kind: "undo" }]);
    expect(feed(next, [answer("a", "undo", done)], 1_020).transaction.phase).toBe("compensated");
  });

  it("ends mixed when a participant has contradicted what was decided, and still tells the decision", () => {
    const refused: Answer = { ...done, kind: "refused", report: { state: "none", attempt: 0 } };
    const last = [answer("a", "commit", done), answer("b", "commit", refused), answer("c", "commit", done)];
    const ended = feed(open("2pc"), [...votes, ...last]);
    expect(ended.transaction.phase).toBe("mixed");
    expect(answerInquiry(ended.transaction)).toBe("commit");
    const undo = advance(feed(open("saga"), [answer("a", "do", yes)]).transaction, { kind: "time" }, 1_000);
    const back = feed(undo, [answer("b", "undo", refused), answer("a", "undo", done)], 1_010);
    expect(back.transaction.phase).toBe("mixed");
  });

  it("confirms a reservation only while enough of its time is left", () => {
    const tries = ["a", "b", "c"].map((id) => answer(id, "try", yes));
    expect(feed(open("tcc"), tries).transaction.decision).toBe("commit");
    expect(feed(open("tcc"), tries, 800).transaction).toMatchObject({
      decision: "abort",
      cause: { code: "reservation-about-to-expire" },
    });
  });

  it("presumes abort of what it does not know", () => {
    expect(answerInquiry(null)).toBe("abort");
    expect(answerInquiry(open("2pc").transaction)).toBe("undecided");
  });
});
