import { createHmac } from "node:crypto";
import { lookup } from "node:dns";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPrivateAddress } from "./private-address.ts";

const timeoutMs = 5_000;

export interface WebhookTarget {
  readonly url: string;
  /** Signs each message; null: unsigned. */
  readonly secret: string | null;
  /** Addresses of this machine and of private networks are refused unless this is set. */
  readonly allowPrivate: boolean;
}

/**
 * One POST. Redirects are not followed. With a secret, `x-holdfast-signature` is `sha256=` and the HMAC of `timestamp.body`.
 * @throws Error with the reason: a private address, no answer, or a status that is not 2xx.
 */
export function postJson(target: WebhookTarget, body: string, timestamp: number): Promise<void> {
  const url = new URL(target.url);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (!target.allowPrivate && isIP(literal) !== 0 && isPrivateAddress(literal)) {
    return Promise.reject(new Error(`${literal} is a private address; set allowPrivate for it`));
  }
  const headers: Record<string, string | number> = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": "holdfast",
    "x-holdfast-timestamp": timestamp,
  };
  if (target.secret !== null) {
    const signature = createHmac("sha256", target.secret).update(`${timestamp}.${body}`).digest("hex");
    headers["x-holdfast-signature"] = `sha256=${signature}`;
  }
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const options = {
    method: "POST",
    headers,
    timeout: timeoutMs,
    ...(target.allowPrivate ? {} : { lookup: publicLookup }),
  };
  return new Promise((resolve, reject) => {
    const request = send(url, options, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve();
      else reject(new Error(`it answered ${status}`));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}

/** Checks the address that is really connected to: a name that changes its mind between check and use gains nothing. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, "");
      return;
    }
    const found = addresses.find(({ address }) => !isPrivateAddress(address));
    if (found === undefined) callback(new Error(`${hostname} is a private address; set allowPrivate for it`), "");
    else if (options.all === true) callback(null, [found]);
    else callback(null, found.address, found.family);
  });
};
