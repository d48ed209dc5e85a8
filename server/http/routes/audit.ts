import * as z from "zod/mini";
import type { AuditView } from "../../protocol/index.ts";
import { actorOf, audit, defineRoute, type Route } from "../route.ts";
import { cursor, filterText, limit } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const exportPage = 500;
/** About a year of a busy installation; beyond it, export by the cursor of `GET /audit`. */
const exportLimit = 200_000;

export function auditRoutes(services: HttpServices): Route[] {
  const { reads } = services;
  return [
    defineRoute("GET /audit", {
      summary: "The audit, newest first",
      query: z.object({ cursor, limit, actor: filterText, subject: filterText }),
      handle: ({ query }) => reads.audit(query),
    }),
    defineRoute("GET /audit/verify", {
      summary: "Recompute the hash chain",
      handle: () => reads.verifyAudit(),
    }),
    defineRoute("GET /audit/export", {
      summary: "The whole audit as JSON lines or CSV, newest first",
      query: z.object({ format: z._default(z.enum(["jsonl", "csv"]), "jsonl") }),
      async handle({ query, principal }) {
        await audit(services, actorOf(principal), { verb: "audit-exported", subject: "audit", reason: query.format });
        const isCsv = query.format === "csv";
        return new Response(stream(services, isCsv), {
          headers: {
            "content-type": isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8",
            "content-disposition": `attachment; filename="holdfast-audit.${isCsv ? "csv" : "jsonl"}"`,
            "cache-control": "no-store",
          },
        });
      },
    }),
  ];
}

const columns = ["seq", "at", "actor", "actorRole", "verb", "subject", "reason", "before", "after", "hash"] as const;

function stream(services: HttpServices, isCsv: boolean): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let after: string | undefined;
  let sent = 0;
  return new ReadableStream({
    start(controller) {
      if (isCsv) controller.enqueue(encoder.encode(`${columns.join(",")}\r\n`));
    },
    async pull(controller) {
      const page = await services.reads.audit({ limit: exportPage, ...(after === undefined ? {} : { cursor: after }) });
      const text = page.items.map(isCsv ? toCsv : (entry) => `${JSON.stringify(entry)}\n`).join("");
      if (text !== "") controller.enqueue(encoder.encode(text));
      sent += page.items.length;
      after = page.nextCursor ?? undefined;
      if (after === undefined || sent >= exportLimit) controller.close();
    },
  });
}

function toCsv(entry: AuditView): string {
  const cells = columns.map((column) => {
    const value = entry[column];
    if (column === "at") return escapeCsv(new Date(entry.at).toISOString());
    return escapeCsv(value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  });
  return `${cells.join(",")}\r\n`;
}

/** Quoted (RFC 4180), and never a formula for a spreadsheet. */
export function escapeCsv(value: string): string {
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
