import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Demo } from "../../demo/demo.ts";
import { makeTemporaryFolder } from "../../demo/folder.ts";
import { runSetup } from "../../scripts/setup.js";
import { writeEnvironment } from "./environment.ts";
import { openSession } from "./sessions.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const basePort = Number(process.env.HOLDFAST_JOURNEYS_PORT ?? 7600);

/** One demo for all journeys; the function it answers with ends every process. */
export default async function setUp(): Promise<() => Promise<void>> {
  const say = (line: string) => console.log(`  ${line}`);
  await runSetup(say);
  const folder = makeTemporaryFolder("holdfast-journeys-");
  const demo = new Demo({ root, folder: join(folder, "demo"), basePort, keep: false, writesPerSecond: 50, say });
  const tearDown = async () => {
    await demo.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await demo.start();
    for (const role of ["viewer", "operator", "admin"] as const) {
      writeFileSync(
        join(folder, `${role}.json`),
        JSON.stringify(await openSession(demo.api, demo.controlPlane.url, role)),
      );
    }
    const { token } = await demo.api.post<{ token: string }>("tokens", { name: "journeys", role: "admin" });
    const { host, port } = demo.topology.supervisor;
    writeEnvironment({
      url: demo.controlPlane.url,
      adminToken: token,
      supervisorUrl: `http://${host}:${port}`,
      supervisorToken: demo.supervisorToken,
      sessions: folder,
    });
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}
