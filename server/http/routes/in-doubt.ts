import * as z from "zod/mini";
import type { InDoubtView } from "../../protocol/index.ts";
import { Problem, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

/** How long the answer is waited for; the command goes on by itself. */
const waitMs = 8_000;
const lookMs = 100;
const name = z.string().check(z.minLength(1), z.maxLength(200));

/** Prepared transactions of every watched database. What ends one is audited by the core, together with the command that does it. */
export function inDoubtRoutes({ control, clock, reads }: HttpServices): Route[] {
  /** A closed change is known to the store only, with its decision: whoever ends what it left should end it the same way. */
  const withPast = async (item: InDoubtView): Promise<InDoubtView> => {
    if (item.decision !== "closed" || item.change === null) return item;
    const change = await reads.document("change", item.change);
    return { ...item, decided: change?.transaction.decision ?? null };
  };
  const isThere = (cluster: string, gid: string): boolean =>
    control.listInDoubt().some((each) => each.cluster === cluster && each.gid === gid);
  return [
    defineRoute("GET /in-doubt", {
      summary: "Prepared transactions of every watched database, oldest first, with what they block",
      async handle() {
        return { items: await Promise.all(control.listInDoubt().map(withPast)) };
      },
    }),
    defineRoute("POST /in-doubt/resolve", {
      summary: "Commit or roll back a prepared transaction; its name must be typed again in confirm",
      body: z.object({
        cluster: name,
        database: name,
        gid: name,
        decision: z.enum(["commit", "rollback"]),
        confirm: z.string(),
        reason,
      }),
      async handle({ body, principal, signal }) {
        const { confirm, ...wish } = body;
        const actor = actorOf(principal);
        if (confirm !== body.gid) {
          throw new Problem(409, "not-confirmed", `Type the name of the transaction, ${body.gid}, to confirm.`);
        }
        const data = readReply(await control.request(actor, { kind: "resolve-in-doubt", ...wish }));
        const deadline = clock.monoMs() + waitMs;
        while (isThere(body.cluster, body.gid) && clock.monoMs() < deadline && !signal.aborted) {
          await new Promise<void>((resolve) => clock.setTimer(resolve, lookMs));
        }
        return { ...data, resolved: !isThere(body.cluster, body.gid) };
      },
    }),
  ];
}
