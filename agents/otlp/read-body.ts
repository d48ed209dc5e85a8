import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

export interface BodyLimits {
  /** As it comes. */
  readonly maxBytes: number;
  /** Unpacked. */
  readonly maxUnpackedBytes: number;
}

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** The whole body, unpacked. @throws Refusal */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") throw new Refusal(415, "send it plain or with gzip");
  const most = encoding === "gzip" ? limits.maxBytes : Math.max(limits.maxBytes, limits.maxUnpackedBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw new Refusal(413, `the body has more than ${most} bytes; send smaller batches`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return encoding === "gzip" ? unpack(body, limits.maxUnpackedBytes) : body;
}

async function unpack(body: Buffer, maxOutputLength: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(body, { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw new Refusal(413, `the body has more than ${maxOutputLength} bytes when unpacked; send smaller batches`);
    throw new Refusal(400, "the body is not valid gzip");
  }
}

/** Whether brackets are nested deeper than `maxDepth`; looked for before parsing, without recursion. */
export function isDeeper(json: Buffer, maxDepth: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    if (inText) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}
