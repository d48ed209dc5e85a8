/** The part of the package that is used here; it brings no types. */
declare module "node-zookeeper-client" {
  type Callback<T> = (error: ZooKeeperError | null, result: T) => void;
  export interface ZooKeeperError extends Error {
    getCode(): number;
  }
  export interface ZooKeeperStat {
    readonly ephemeralOwner: Buffer;
  }
  export interface ZooKeeperClient {
    /** Inner part of the package: its socket, to cut a connection that hangs. */
    readonly connectionManager: { readonly socket?: { destroy(): void } };
    connect(): void;
    close(): void;
    getSessionId(): Buffer;
    getSessionPassword(): Buffer;
    create(path: string, data: Buffer, mode: number, callback: Callback<string>): void;
    mkdirp(path: string, callback: Callback<string>): void;
    remove(path: string, callback: Callback<undefined>): void;
    setData(path: string, data: Buffer, callback: Callback<ZooKeeperStat>): void;
    getData(path: string, callback: (error: ZooKeeperError | null, data: Buffer, stat: ZooKeeperStat) => void): void;
    getChildren(path: string, callback: Callback<string[]>): void;
    exists(path: string, watcher: () => void, callback: Callback<ZooKeeperStat | null>): void;
    exists(path: string, callback: Callback<ZooKeeperStat | null>): void;
    on(event: "connected" | "disconnected" | "expired", listener: () => void): void;
    once(event: "connected" | "disconnected" | "expired", listener: () => void): void;
  }
  export interface ZooKeeperOptions {
    readonly sessionTimeout?: number;
    readonly spinDelay?: number;
    readonly retries?: number;
    readonly sessionId?: Buffer;
    readonly sessionPassword?: Buffer;
  }
  const zookeeper: {
    createClient(connection: string, options?: ZooKeeperOptions): ZooKeeperClient;
    readonly CreateMode: { readonly EPHEMERAL_SEQUENTIAL: number };
    readonly Exception: { readonly NO_NODE: number; readonly NODE_EXISTS: number; readonly NOT_EMPTY: number };
  };
  export default zookeeper;
}
