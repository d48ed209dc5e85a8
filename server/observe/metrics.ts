import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export interface MetricSources {
  agentsConnected(): number;
  viewersConnected(): number;
  mailboxDepth(): number;
  mailboxDropped(): number;
  badFrames(): number;
  refusedParts(): readonly { readonly node: string; readonly part: string; readonly count: number }[];
  loopLagMs(): number;
  storeAvailable(): boolean;
  openIncidents(): number;
  nodesByState(): Readonly<Record<string, number>>;
  feedSeq(): number;
}

/** Figures for Prometheus; read when asked, so that nothing is counted twice. */
export function createMetrics(sources: MetricSources) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  gauge(registry, "holdfast_agents_connected", "Agents with a live session", sources.agentsConnected);
  gauge(registry, "holdfast_viewers_connected", "Browsers with a live feed", sources.viewersConnected);
  gauge(registry, "holdfast_mailbox_depth", "Events the loop has not taken yet", sources.mailboxDepth);
  gauge(
    registry,
    "holdfast_mailbox_dropped_total",
    "Events refused because the mailbox was full",
    sources.mailboxDropped,
  );
  gauge(registry, "holdfast_bad_frames_total", "Frames from agents that were refused", sources.badFrames);
  gauge(registry, "holdfast_loop_lag_ms", "How late the control loop's timer is", sources.loopLagMs);
  gauge(registry, "holdfast_store_available", "1 while the database can be written", () =>
    sources.storeAvailable() ? 1 : 0,
  );
  gauge(registry, "holdfast_open_incidents", "Incidents neither resolved nor closed", sources.openIncidents);
  gauge(registry, "holdfast_feed_seq", "Number of the newest change", sources.feedSeq);
  new Gauge({
    name: "holdfast_refused_parts_total",
    help: "Records and parts of agents' frames that were left out because they are malformed",
    labelNames: ["node", "part"],
    registers: [registry],
    collect() {
      for (const { node, part, count } of sources.refusedParts()) this.set({ node, part }, count);
    },
  });
  new Gauge({
    name: "holdfast_nodes",
    help: "Nodes by health state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(sources.nodesByState())) this.set({ state }, count);
    },
  });
  const buckets = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 25, 50, 100, 250, 1_000];
  const decide = new Histogram({ name: "holdfast_decide_ms", help: "Judging a batch", buckets, registers: [registry] });
  const commit = new Histogram({
    name: "holdfast_commit_ms",
    help: "Committing a decision and acting on it",
    buckets,
    registers: [registry],
  });
  const batches = new Counter({ name: "holdfast_batches_total", help: "Batches judged", registers: [registry] });
  const events = new Counter({ name: "holdfast_events_total", help: "Events judged", registers: [registry] });
  return {
    observe(figures: { batch: number; writes: number; decideMs: number; commitMs: number }): void {
      batches.inc();
      events.inc(figures.batch);
      decide.observe(figures.decideMs);
      if (figures.writes > 0) commit.observe(figures.commitMs);
    },
    async read() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
