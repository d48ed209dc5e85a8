import type { MessageKind } from "../transaction/types.ts";

/** What a change does at one participant. */
export type ChangeItem =
  | { readonly kind: "release"; readonly version: string }
  | { readonly kind: "config"; readonly file: string; readonly content: string }
  /** Back to what the file held before that change. */
  | { readonly kind: "config-revert"; readonly file: string; readonly change: string }
  /** The same release again; there is nothing to take back. */
  | { readonly kind: "restart" };

/** Step of a change on a node. `trial`: what was staged is switched to, and can still be taken back. */
export type StepKind = MessageKind | "trial";

export type ChangeVerb =
  | {
      readonly verb: "change.step";
      readonly args: {
        readonly change: string;
        readonly program: string;
        readonly message: StepKind;
        readonly ballot: number;
        readonly item: ChangeItem;
      };
    }
  /** One branch in a database: `PREPARE TRANSACTION`, then `COMMIT PREPARED` or `ROLLBACK PREPARED`. */
  | {
      readonly verb: "change.sql";
      readonly args: {
        readonly change: string;
        readonly gid: string;
        readonly message: StepKind;
        readonly ballot: number;
        readonly database: string;
        readonly statements: readonly string[];
      };
    };

/** Whose grants a service's steps carry; clusters have names of their own. */
export function scopeOf(service: string): string {
  return `program:${service}`;
}

/** Prepared transactions of ours are known by this. */
export const gidPrefix = "holdfast_";

export function gidOf(change: string, cluster: string): string {
  return `${gidPrefix}${change}_${cluster}`;
}

/** The change that a prepared transaction belongs to; null: it is not one of ours. */
export function changeOfGid(gid: string): { readonly change: string; readonly cluster: string } | null {
  const match = /^holdfast_(CHG-\d+)_([a-z0-9-]+)$/.exec(gid);
  return match === null ? null : { change: match[1] as string, cluster: match[2] as string };
}
