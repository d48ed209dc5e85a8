"use client";
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
  return composePicture({ nodes, clusters, incidents, actions, system }, scope);
}

let last: { readonly parts: Picture; readonly scope: string | null; readonly picture: Picture } | null = null;

/** Several panels look at the same picture at the same time: it is narrowed once, and is the same object for all of them. */
function composePicture(parts: Picture, scope: string | null): Picture {
  if (
    last !== null &&
    last.scope === scope &&
    last.parts.nodes === parts.nodes &&
    last.parts.clusters === parts.clusters &&
    last.parts.incidents === parts.incidents &&
    last.parts.actions === parts.actions &&
    last.parts.system === parts.system
  ) {
    return last.picture;
  }
  const picture =
    scope === null
      ? parts
      : {
          nodes: parts.nodes.filter((node) => node.cluster === scope),
          clusters: parts.clusters.filter((cluster) => cluster.id === scope),
          incidents: parts.incidents.filter((incident) => incident.cluster === scope),
          actions: parts.actions.filter((action) => action.cluster === scope),
          system: parts.system,
        };
  last = { parts, scope, picture };
  return picture;
}

export function useProblems(): readonly Problem[] {
  return findProblems(usePicture());
}
