"use client";
import { parseAsString, useQueryState } from "nuqs";

/** The cluster the reader is looking at, in the address (`?scope=orders`); null is everything. */
export function useScope(): [string | null, (cluster: string | null) => void] {
  const [scope, setScope] = useQueryState("scope", parseAsString);
  return [scope, (cluster) => void setScope(cluster)];
}

/** An address of the console that keeps the scope. */
export function useScopedHref(href: string): string {
  const [scope] = useScope();
  return scope === null ? href : `${href}${href.includes("?") ? "&" : "?"}scope=${encodeURIComponent(scope)}`;
}
