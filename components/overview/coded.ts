import type { CodeData, CodeNamespace } from "../i18n/code-text.ts";

/** A sentence not yet in any language. */
export interface Coded {
  readonly namespace: CodeNamespace;
  readonly code: string;
  readonly data: CodeData;
}

export function coded(namespace: CodeNamespace, code: string, data: CodeData = {}): Coded {
  return { namespace, code, data };
}
