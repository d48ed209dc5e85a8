"use client";
import dynamic from "next/dynamic";
import { useMemo } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useSystem } from "../live/use-entities.ts";
import { compareUrgency } from "../ui/state-urgency.ts";
import { ActionsPanel } from "./actions-panel.tsx";
import { ClusterPanel } from "./cluster-panel.tsx";
import { EmptyFleet } from "./empty-fleet.tsx";
import { FleetPanel } from "./fleet-panel.tsx";
import { OtherClusters } from "./other-clusters.tsx";
import { ProblemList } from "./problem-list.tsx";
import { StatusLine } from "./status-line.tsx";
import { usePicture } from "./use-problems.ts";

const DemoPanel = dynamic(() => import("../demo/demo-panel.tsx").then((module) => module.DemoPanel), { ssr: false });

/** The first screen: one sentence, then what needs a person, then the picture. */
export function OverviewScreen() {
  const { nodes, clusters } = usePicture();
  const demo = useSystem()?.demo != null;
  const [worst, ...others] = useMemo(() => orderClusters(clusters), [clusters]);
  if (nodes.length === 0) {
    return (
      <>
        <StatusLine />
        <EmptyFleet />
      </>
    );
  }
  return (
    <>
      <StatusLine />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,19fr)_minmax(0,10fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <ProblemList />
          {worst !== undefined && <ClusterPanel key={worst.id} cluster={worst} />}
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <FleetPanel />
          {demo && <DemoPanel />}
          <ActionsPanel />
        </div>
        {others.length > 0 && (
          <div className="min-w-0 lg:col-span-2">
            <OtherClusters clusters={others} />
          </div>
        )}
      </div>
    </>
  );
}

/** The worst first; among equals by name, so that a calm page never changes its subject. */
function orderClusters(clusters: readonly ClusterView[]): readonly ClusterView[] {
  return [...clusters].sort((a, b) => compareUrgency(a.state, b.state) || (a.id < b.id ? -1 : 1));
}
