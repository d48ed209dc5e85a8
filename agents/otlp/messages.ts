import type { FieldKind, FieldShape, MessageShape } from "./protobuf.ts";

/**
 * The messages of OTLP 1.x that are read here, and of each the fields that are used. Source: opentelemetry-proto, the `collector` services,
 * `trace/v1`, `logs/v1`, `metrics/v1`, `common/v1`, `resource/v1`.
 */
function shape(fields: Readonly<Record<number, FieldShape>>): MessageShape {
  return () => fields;
}

const one = (name: string, kind: FieldKind): FieldShape => ({ name, kind });
const many = (name: string, kind: FieldKind): FieldShape => ({ name, kind, repeated: true });

const anyValue: MessageShape = shape({
  1: one("stringValue", "string"),
  2: one("boolValue", "bool"),
  3: one("intValue", "varint"),
  4: one("doubleValue", "double"),
});
const keyValue = shape({ 1: one("key", "string"), 2: one("value", anyValue) });
const resource = shape({ 1: many("attributes", keyValue) });
const status = shape({ 2: one("message", "string"), 3: one("code", "varint") });

const event = shape({ 1: one("timeUnixNano", "fixed64"), 2: one("name", "string"), 3: many("attributes", keyValue) });
const span = shape({
  1: one("traceId", "hex"),
  2: one("spanId", "hex"),
  4: one("parentSpanId", "hex"),
  5: one("name", "string"),
  6: one("kind", "varint"),
  7: one("startTimeUnixNano", "fixed64"),
  8: one("endTimeUnixNano", "fixed64"),
  9: many("attributes", keyValue),
  11: many("events", event),
  15: one("status", status),
});
const scopeSpans = shape({ 2: many("spans", span) });
const resourceSpans = shape({ 1: one("resource", resource), 2: many("scopeSpans", scopeSpans) });

const logRecord = shape({
  1: one("timeUnixNano", "fixed64"),
  2: one("severityNumber", "varint"),
  3: one("severityText", "string"),
  5: one("body", anyValue),
  6: many("attributes", keyValue),
  9: one("traceId", "hex"),
  10: one("spanId", "hex"),
  11: one("observedTimeUnixNano", "fixed64"),
});
const scopeLogs = shape({ 2: many("logRecords", logRecord) });
const resourceLogs = shape({ 1: one("resource", resource), 2: many("scopeLogs", scopeLogs) });

/** A sum or a gauge; both hold data points, and only a sum says whether it only grows. */
const dataPoint = shape({ 4: one("asDouble", "double"), 6: one("asInt", "sfixed64") });
const points = shape({ 1: many("dataPoints", dataPoint), 3: one("isMonotonic", "bool") });
const metric = shape({
  1: one("name", "string"),
  3: one("unit", "string"),
  5: one("gauge", points),
  7: one("sum", points),
});
const scopeMetrics = shape({ 2: many("metrics", metric) });
const resourceMetrics = shape({ 1: one("resource", resource), 2: many("scopeMetrics", scopeMetrics) });

export const metricRequest = shape({ 1: many("resourceMetrics", resourceMetrics) });
export const traceRequest = shape({ 1: many("resourceSpans", resourceSpans) });
export const logRequest = shape({ 1: many("resourceLogs", resourceLogs) });
