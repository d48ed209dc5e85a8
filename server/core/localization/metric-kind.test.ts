import { describe, expect, it } from "vitest";
import { classifyMetric } from "./metric-kind.ts";

describe("classifyMetric", () => {
  it.each([
    ["http_request_duration_seconds_p99", "latency"],
    ["ResponseTime", "latency"],
    ["http_requests_total", "requests"],
    ["throughput_ops", "requests"],
    ["http_request_errors", "errors"],
    ["availability", "availability"],
    ["success_rate", "availability"],
    ["container_cpu_usage_seconds_total", "cpu"],
    ["process_resident_memory_bytes", "memory"],
    ["jvm_heap_used", "memory"],
    ["node_filesystem_free", "disk"],
    ["network_receive_bytes_total", "network"],
    ["temperature", "other"],
  ])("reads %s as %s", (name, kind) => {
    expect(classifyMetric(name).kind).toBe(kind);
  });

  it("tells a machine's metrics from a service's and a client's view from a server's", () => {
    expect(classifyMetric("node_cpu_seconds").scope).toBe("host");
    expect(classifyMetric("pod_cpu_seconds").scope).toBe("service");
    expect(classifyMetric("client_latency_p90").side).toBe("client");
    expect(classifyMetric("server_latency_p90").side).toBe("server");
  });

  it("prefers the mean, then the median, then lower percentiles", () => {
    const names = ["latency_p99", "latency_p50", "latency_avg"];
    const sorted = names.toSorted((a, b) => classifyMetric(a).preference - classifyMetric(b).preference);
    expect(sorted).toEqual(["latency_avg", "latency_p50", "latency_p99"]);
  });
});
