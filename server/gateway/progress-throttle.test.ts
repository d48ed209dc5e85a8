import { expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { ProgressThrottle } from "./progress-throttle.ts";

function start() {
  const clock = new FakeClock();
  const seen: string[] = [];
  const throttle = new ProgressThrottle(clock, ({ commandId, progress }) => seen.push(`${commandId} ${progress}`));
  const say = (commandId: string, progress: number): void =>
    throttle.take({ t: "progress", commandId, progress, data: {} });
  return { clock, seen, throttle, say };
}

it("lets four a second through for each command, always the newest, and the last", async () => {
  const { clock, seen, say } = start();
  for (let turn = 0; turn <= 100; turn++) {
    say("a", turn);
    if (turn === 50) say("b", turn);
    await clock.advance(10);
  }
  await clock.advance(1_000);
  expect(seen.filter((line) => line.startsWith("a"))).toEqual(["a 0", "a 24", "a 49", "a 74", "a 99", "a 100"]);
  expect(seen).toContain("b 50");
});

it("says nothing of a command after its result, or of any after the end", async () => {
  const { clock, seen, throttle, say } = start();
  for (const progress of [1, 2]) for (const id of ["a", "b"]) say(id, progress);
  throttle.forget("a");
  await clock.advance(300);
  expect(seen).toEqual(["a 1", "b 1", "b 2"]);
  say("b", 3);
  throttle.close();
  await clock.advance(1_000);
  expect(seen).toEqual(["a 1", "b 1", "b 2"]);
});
