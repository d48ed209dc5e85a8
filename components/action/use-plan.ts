"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { PlanView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";

/** The checks are judged again this often while the sheet is open. */
const refreshMs = 1_000;

/** The server's plan for an action, judged anew every second. */
export function usePlan(cluster: string, kind: "failover" | "switchover", target: string | null, enabled: boolean) {
  return useQuery({
    queryKey: ["plan", cluster, kind, target],
    queryFn: () => apiSend<PlanView>("POST", `clusters/${encodeURIComponent(cluster)}/plan`, { kind, target }),
    refetchInterval: refreshMs,
    placeholderData: keepPreviousData,
    enabled,
    retry: false,
  });
}
