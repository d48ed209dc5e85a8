import { join } from "node:path";
import type { TelemetryWindow } from "../../server/core/localization/telemetry.ts";
import { type CaseEntry, type RawCase, type RawNormal, readIndex, readJson, toWindow } from "./case-file.ts";

/** One case with its answer. `faultClass` is undefined when the label does not name one. */
export interface LabelledCase {
  readonly id: string;
  readonly set: string;
  readonly nodes: readonly string[];
  readonly truth: string;
  readonly faultClass: string | undefined;
  /** Builds the window, with the stated fault time moved later by whole samples. */
  readonly window: (shiftSamples?: number) => TelemetryWindow;
}

export interface LoadedCase {
  readonly entry: CaseEntry;
  readonly raw: RawCase;
  readonly normal: RawNormal;
}

/** Reads the cases of a directory one at a time; normal files are read once. */
export function* loadCases(directory: string): Generator<LoadedCase> {
  const normals = new Map<string, RawNormal>();
  for (const entry of readIndex(directory)) {
    const raw = readJson<RawCase>(join(directory, entry.file));
    const reference = raw.normal_ref ?? entry.normal_ref;
    let normal = reference === undefined ? {} : normals.get(reference);
    if (normal === undefined) {
      normal = readJson<RawNormal>(join(directory, reference!));
      normals.set(reference!, normal);
    }
    yield { entry, raw, normal };
  }
}

/** The cases that carry a label. Throws when there are none: a score needs answers. */
export function loadLabelledCases(directory: string): LabelledCase[] {
  const cases: LabelledCase[] = [];
  for (const { entry, raw, normal } of loadCases(directory)) {
    if (raw.label === undefined) continue;
    cases.push({
      id: entry.case_id,
      set: entry.dataset,
      nodes: raw.topology.nodes,
      truth: raw.label.root_cause_node,
      faultClass: raw.label.type_class,
      window: (shift = 0) => toWindow(raw, normal, shift),
    });
  }
  if (cases.length === 0) throw new Error(`no labelled case in ${directory}`);
  return cases;
}
