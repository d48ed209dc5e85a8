declare module "hashring" {
  /** What is used of npm's `hashring` 3.2, which has no types of its own. */
  export default class HashRing {
    constructor(servers: readonly string[], algorithm?: string, options?: Record<string, unknown>);
    get(key: string): string;
    points(server?: string): Record<string, number[]>;
    hashValue(key: string): number;
  }
}
