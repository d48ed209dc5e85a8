import * as z from "zod/mini";
import { limits } from "../../server/protocol/limits.ts";

/** What `agent.yaml` says about the services of the node. docs/telemetry.md explains it. */

const serviceName = z.string().check(z.minLength(1), z.maxLength(limits.maxServiceNameLength));
const port = z.int().check(z.gte(1), z.lte(65_535));
const host = z.string().check(z.regex(/^[A-Za-z0-9._:-]{1,253}$/, "use a host name or an address"));
const path = z.string().check(z.minLength(1), z.maxLength(500));

const logFile = z.strictObject({
  file: path,
  /** How lines begin and what stack traces look like; `auto` tries them all. */
  format: z._default(z.enum(["auto", "json", "javascript", "python", "java", "go", "postgres"]), "auto"),
});

const application = z.strictObject({
  name: serviceName,
  dependsOn: z._default(z.array(serviceName).check(z.maxLength(64)), []),
  /** `host:port` under which others call it, where it sends no spans itself. */
  addresses: z._default(
    z.array(z.string().check(z.regex(/^\S{1,253}:\d{1,5}$/, "use host:port"))).check(z.maxLength(16)),
    [],
  ),
  /** Which process it is: one of these. */
  pidFile: z.optional(path),
  /** Words that all occur in its command line. */
  command: z.optional(z.string().check(z.minLength(2), z.maxLength(200))),
  unit: z.optional(z.string().check(z.regex(/^[A-Za-z0-9@._-]{1,100}$/, "use a systemd unit name"))),
  logs: z._default(z.array(logFile).check(z.maxLength(8)), []),
  /** Read the journal of `unit`. */
  journal: z._default(z.boolean(), false),
});

export const telemetryShape = {
  otlp: z.optional(
    z.strictObject({
      host: z._default(host, "127.0.0.1"),
      port: z._default(port, 4_318),
      maxPerSecond: z._default(z.int().check(z.gte(10), z.lte(200_000)), 20_000),
    }),
  ),
  applications: z._default(z.array(application).check(z.maxLength(limits.maxServicesPerFrame)), []),
  /** Sampled spans that are sent, a second. */
  spansPerSecond: z._default(z.int().check(z.gte(1), z.lte(limits.maxSpansPerFrame)), 100),
};

export type ApplicationConfig = z.infer<typeof application>;
export type LogFileConfig = z.infer<typeof logFile>;

export interface TelemetryConfig {
  readonly otlp: { readonly host: string; readonly port: number; readonly maxPerSecond: number } | null;
  readonly applications: readonly ApplicationConfig[];
  readonly spansPerSecond: number;
}
