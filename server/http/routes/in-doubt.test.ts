import { describe, expect, it } from "vitest";
import type { InDoubtView } from "../../protocol/index.ts";
import type { RouteInput } from "../route.ts";
import type { HttpServices } from "../services.ts";
import { inDoubtRoutes } from "./in-doubt.ts";

const item = (gid: string, change: string | null, decision: InDoubtView["decision"]) =>
  ({ gid, change, decision, decided: null }) as InDoubtView;

async function list(items: readonly InDoubtView[]): Promise<readonly InDoubtView[]> {
  const stored: Record<string, object> = { "CHG-1": { transaction: { decision: "commit" } } };
  const control = { listInDoubt: () => items };
  const reads = { document: async (_: string, id: string) => stored[id] ?? null };
  const [route] = inDoubtRoutes({ control, reads } as unknown as HttpServices);
  const answer = (await route?.handle({} as RouteInput<never, never>)) as { items: readonly InDoubtView[] };
  return answer.items;
}

describe("what is in doubt", () => {
  it("says what a closed change had decided, and nothing of one that nobody knows or that is open", async () => {
    const found = await list([
      item("a", "CHG-1", "closed"),
      item("b", "CHG-2", "closed"),
      item("c", "CHG-1", "undecided"),
      item("d", null, null),
    ]);
    expect(found.map(({ gid, decided }) => [gid, decided])).toEqual([
      ["a", "commit"],
      ["b", null],
      ["c", null],
      ["d", null],
    ]);
  });
});
