/** Every limit of the wire in one place. Sizes in bytes, times in milliseconds. */
export const limits = {
  maxFrameBytes: 256 * 1024,
  /** Records in one `records` frame. */
  maxRecordsPerFrame: 200,
  maxTextLength: 2_000,
  maxNameLength: 40,
  maxStackFrames: 64,
  maxChecks: 64,
  maxPeers: 64,
  maxSyncMembers: 32,
  maxPrograms: 16,
  /** A configuration file that is rolled out. */
  maxConfigBytes: 64 * 1024,
  /** Prepared transactions in one status, oldest first. */
  maxInDoubt: 50,
  /** Of one `telemetry` frame. */
  maxServicesPerFrame: 64,
  maxCallsPerFrame: 256,
  maxGaugesPerFrame: 512,
  maxBucketsPerFrame: 64,
  maxSpansPerFrame: 1_000,
  /** Listening ports, and pairs of a service and what it is connected to. */
  maxConnectionsPerFrame: 256,
  maxAddressesPerFrame: 32,
  maxLogsPerFrame: 100,
  maxLogEventsPerTemplate: 50,
  maxServiceNameLength: 100,
  /** Redis servers beside one agent, and nodes of one Redis Cluster. */
  maxRedisServers: 16,
  maxRedisNodes: 256,
  /** Ranges of slots that one server reports; a cluster cut finer than this is told by its counts alone. */
  maxSlotRanges: 2_048,
  /** A command not begun within this time after it was sent is refused by the agent. */
  commandExpiresAfterMs: 60_000,
  handshakeTimeoutMs: 5_000,
  /** A viewer with more than this waiting in its socket is cut. */
  viewerBufferedBytes: 1024 * 1024,
  /** Changes kept so that a viewer can catch up after a short disconnect. */
  feedBacklog: 5_000,
  memberHeartbeatMs: 250,
  nodeHeartbeatMs: 1_000,
  protocolVersion: 1,
} as const;
