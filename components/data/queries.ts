"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type {
  AuditView,
  IncidentDetail,
  IncidentView,
  NodeDetail,
  RuleView,
  SeriesView,
  ServiceDetail,
  TopologyView,
  TraceGroupDetail,
  TraceListItem,
  TraceRange,
} from "../../server/protocol/index.ts";
import { useWatch } from "../live/use-entities.ts";
import { serverNow } from "../live/use-now.ts";
import { apiGet } from "./api.ts";

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** All of one node; kept current by the socket while mounted. */
export function useNodeDetail(id: string) {
  useWatch(`node:${id}`);
  return useQuery({
    queryKey: ["node", id],
    queryFn: ({ signal }) => apiGet<NodeDetail>(`nodes/${encodeURIComponent(id)}`, {}, signal),
    staleTime: 5_000,
  });
}

/** The whole record of one incident; new entries arrive by the socket. */
export function useIncidentDetail(id: string) {
  return useQuery({
    queryKey: ["incident", id],
    queryFn: ({ signal }) => apiGet<IncidentDetail>(`incidents/${encodeURIComponent(id)}`, {}, signal),
    staleTime: 5_000,
  });
}

/** Incidents, newest first; includes closed ones, which the socket does not carry. */
export function useIncidentPage(filter: { phase?: string; cluster?: string; cursor?: string; limit?: number }) {
  return useQuery({
    queryKey: ["incidents", filter],
    queryFn: ({ signal }) => apiGet<Page<IncidentView>>("incidents", filter, signal),
    placeholderData: keepPreviousData,
  });
}

export function useAuditPage(filter: { actor?: string; subject?: string; cursor?: string; limit?: number }) {
  return useQuery({
    queryKey: ["audit", filter],
    queryFn: ({ signal }) => apiGet<Page<AuditView>>("audit", filter, signal),
    placeholderData: keepPreviousData,
  });
}

/** Services and calls as telemetry shows them now. */
export function useTopology() {
  return useQuery({
    queryKey: ["topology"],
    queryFn: ({ signal }) => apiGet<TopologyView>("topology", {}, signal),
    refetchInterval: 3_000,
  });
}

export function useServiceDetail(name: string) {
  return useQuery({
    queryKey: ["service", name],
    queryFn: ({ signal }) => apiGet<ServiceDetail>(`services/${encodeURIComponent(name)}`, {}, signal),
    refetchInterval: 5_000,
  });
}

/** Figures of a service over the last `rangeMs`, a value a second. */
export function useServiceSeries(name: string, rangeMs: number) {
  return useQuery({
    queryKey: ["service-series", name, rangeMs],
    queryFn: ({ signal }) => {
      const toMs = Math.round(serverNow());
      return apiGet<SeriesView>(
        `services/${encodeURIComponent(name)}/series`,
        { fromMs: toMs - rangeMs, toMs },
        signal,
      );
    },
    refetchInterval: 3_000,
  });
}

/** Monitoring rules with what they say now. */
export function useRules() {
  return useQuery({
    queryKey: ["policies"],
    queryFn: ({ signal }) => apiGet<{ readonly items: readonly RuleView[] }>("policies", {}, signal),
    refetchInterval: 5_000,
  });
}

export interface TraceQuery {
  readonly q?: string;
  readonly service?: string;
  readonly node?: string;
  readonly sort?: "last-seen" | "first-seen" | "count";
  readonly range?: TraceRange;
  readonly limit?: number;
}

/** Groups of error traces with their trend, and the names of every service that has one. */
export function useTraceList(filter: TraceQuery, enabled = true) {
  return useQuery({
    queryKey: ["traces", filter],
    queryFn: ({ signal }) =>
      apiGet<{ readonly items: readonly TraceListItem[]; readonly services: readonly string[] }>(
        "traces",
        { ...filter },
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
    enabled,
  });
}

export function useTraceGroup(id: string) {
  return useQuery({
    queryKey: ["trace", id],
    queryFn: ({ signal }) => apiGet<TraceGroupDetail>(`traces/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: 10_000,
  });
}

/** History of a node or cluster over the last `rangeMs`; asked for again now and then, the live end comes from the feed. */
export function useSeries(kind: "nodes" | "clusters", id: string, rangeMs: number, stepMs: number) {
  return useQuery({
    queryKey: ["series", kind, id, rangeMs, stepMs],
    queryFn: ({ signal }) => {
      const toMs = Math.round(serverNow());
      return apiGet<SeriesView>(
        `${kind}/${encodeURIComponent(id)}/series`,
        { fromMs: toMs - rangeMs, toMs, stepMs },
        signal,
      );
    },
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}
