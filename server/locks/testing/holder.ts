// A holder as a process of its own, so that it can be stopped and woken: takes a lock and then writes to the resource in its parent without
// ever looking whether it still holds it. That is what a program does that was paused between the look and the write.
import { LockClient } from "../../../clients/node/locks.ts";

const [url = "", token = "", provider = "", name = ""] = process.argv.slice(2);
const lock = await new LockClient({ url, token }).acquire(name, { provider, ttlMs: 1_000, holder: "paused" });
process.send?.({ held: lock.fencingToken });
lock.signal.addEventListener("abort", () => process.send?.({ lost: lock.fencingToken }));
setInterval(() => process.send?.({ write: lock.fencingToken }), 50);
