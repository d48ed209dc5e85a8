import { Argument, type Command, Option } from "commander";
import type { CauseRule } from "../server/core/index.ts";
import type { Api } from "./api.ts";
import { formatTable, print } from "./print.ts";

/** What happens by itself once a cause is named. */
export function addCauses(program: Command, api: () => Api): void {
  const causes = program.command("causes").description("what happens by itself once a cause is named");
  causes
    .command("list", { isDefault: true })
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { causes: rules } = await api().get<{ causes: Readonly<Record<string, CauseRule>> }>("cause-policy");
      print(json, rules, () =>
        formatTable(
          ["cause", "by itself", "above"],
          Object.entries(rules).map(([cause, { mode, above }]) => [cause, mode, String(above)]),
        ),
      );
    });
  causes
    .command("set <cause>")
    .description("change it")
    .addArgument(new Argument("<mode>").choices(["off", "suggest", "automatic"]))
    .addOption(new Option("--above <confidence>", "0.5 to 1: only when the answer is this sure").default("0.9"))
    .option("--json", "print JSON", false)
    .action(async (cause: string, mode: string, { above, json }: { above: string; json: boolean }) => {
      const body = { mode, above: Number(above) };
      const done = await api().send("PUT", `cause-policy/${encodeURIComponent(cause)}`, body);
      print(json, done, () => [`${cause}: ${mode}.`]);
    });
}
