"use client";
import { useEffect, useState } from "react";

/**
 * A one-time secret from the part of the address after `#`, which never reaches a server's log; taken out of the address bar
 * at once. `undefined` until looked at, null when there is none.
 */
export function useFragmentToken(name: string): string | null | undefined {
  const [token, setToken] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    const found = new URLSearchParams(window.location.hash.slice(1)).get(name);
    if (found !== null) window.history.replaceState(null, "", window.location.pathname + window.location.search);
    // Strict mode runs effects twice; the second look must not forget what the first took out.
    setToken((before) => before ?? found);
  }, [name]);
  return token;
}

/** Where to go after signing in: only a path of our own. */
export function safeNext(next: string | null): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : "/";
}
