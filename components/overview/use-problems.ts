"use client";
import { useMemo } from "react";
import { useEntities, useSystem } from "../live/use-entities.ts";
import { useScope } from "../shell/scope.ts";
import { findProblems, type Picture, type Problem } from "./problems.ts";

/** The picture within the chosen scope. */
export function usePicture(): Picture {
  const nodes = useEntities("node");
  const clusters = useEntities("cluster");
  const incidents = useEntities("incident");
  const actions = useEntities("action");
  const system = useSystem();
  const [scope] = useScope();
  return useMemo(() => {
    if (scope === null) return { nodes, clusters, incidents, actions, system };
    return {
      nodes: nodes.filter((node) => node.cluster === scope),
      clusters: clusters.filter((cluster) => cluster.id === scope),
      incidents: incidents.filter((incident) => incident.cluster === scope),
      actions: actions.filter((action) => action.cluster === scope),
      system,
    };
  }, [nodes, clusters, incidents, actions, system, scope]);
}

export function useProblems(): readonly Problem[] {
  const picture = usePicture();
  return useMemo(() => findProblems(picture), [picture]);
}
