import { describe, expect, it } from "vitest";
import type { DocumentOf, OperatorRequest, Reply } from "./core/index.ts";
import { createProgramServices, firstOf } from "./program-services.ts";

type Change = DocumentOf<"change">;

function open(
  ending: Partial<Change>,
  reply: Partial<Reply> = { ok: true, data: { change: "CHG-1" } } as Partial<Reply>,
) {
  const asked: OperatorRequest[] = [];
  let looks = 0;
  const supervisor = createProgramServices({
    find: (service) => (service === "web" ? { wayBack: false } : service === "api" ? { wayBack: true } : null),
    request: async (_actor, request) => {
      asked.push(request);
      return reply as Reply;
    },
    readChange: async () => {
      looks += 1;
      if (looks === 1) throw new Error("the store is away");
      const closedAt = looks > 3 ? 1 : null;
      return { service: "web", version: "restart", phase: "done", fault: null, ...ending, closedAt } as Change;
    },
    wait: async () => {},
  });
  return { supervisor, asked };
}

describe("recovery of services that agents keep", () => {
  it("restarts what is known, and rolls back only where there is a way back", () => {
    const { supervisor } = open({});
    expect(supervisor.can("restart-service", "web")).toBe(true);
    expect(supervisor.can("roll-back-release", "web")).toBe(false);
    expect(supervisor.can("roll-back-release", "api")).toBe(true);
    expect(supervisor.can("restart-service", "unknown")).toBe(false);
  });

  it("is a change, followed to its end over a store that is away for a moment", async () => {
    const { supervisor, asked } = open({});
    expect(await supervisor.act("restart-service", "web")).toEqual({ ok: true, detail: "CHG-1 (web restart): done." });
    expect(asked).toEqual([{ kind: "start-restart", service: "web", reason: "recovery by cause" }]);
  });

  it("says what became of it when it was refused or went wrong", async () => {
    const refused = open({}, { ok: false, code: "change-under-way", data: {} } as Partial<Reply>);
    expect(await refused.supervisor.act("restart-service", "web")).toEqual({
      ok: false,
      detail: "Refused: change-under-way.",
    });
    const fault = { code: "unhealthy", node: "web-1", data: {} } as unknown as Change["fault"];
    const bad = open({ phase: "aborted", fault });
    expect((await bad.supervisor.act("restart-service", "web")).ok).toBe(false);
  });

  it("leaves each service to the first that can act on it", async () => {
    const { supervisor } = open({});
    const all = firstOf([supervisor]);
    expect(all.can("restart-service", "web")).toBe(true);
    expect(await all.act("restart-service", "unknown")).toMatchObject({ ok: false });
  });
});
