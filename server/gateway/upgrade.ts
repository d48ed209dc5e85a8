import type { Server } from "node:http";
import type { AgentHub } from "./agent-hub.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import type { ViewerHub } from "./viewer-hub.ts";

export interface Gateway {
  readonly agents: Pick<AgentHub, "handleUpgrade">;
  readonly viewers: Pick<ViewerHub, "handleUpgrade">;
}

/**
 * Sends upgrade requests where they belong: agents, browsers, Next's own socket in development; nothing else lives. Called before the server
 * listens: an agent that comes while there is no gateway yet is refused at once and comes again. Left to the pages, it would wait for the first
 * of them to be made, for seconds, with a fault pending.
 */
export function routeUpgrades(
  server: Pick<Server, "on">,
  gateway: () => Gateway | null,
  { isDevelopment }: { readonly isDevelopment: boolean },
): void {
  server.on("upgrade", (request, socket, head) => {
    const path = (request.url ?? "").split("?", 1)[0];
    const open = gateway();
    if (path === "/agent" || path === "/live") {
      if (open === null) refuseUpgrade(socket, 503, "Holdfast is starting. Try again in a moment.\n");
      else if (path === "/agent") open.agents.handleUpgrade(request, socket, head);
      else void open.viewers.handleUpgrade(request, socket, head);
    } else if (!(isDevelopment && path?.startsWith("/_next/"))) socket.destroy();
  });
}
