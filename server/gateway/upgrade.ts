import type { Server } from "node:http";
import type { AgentHub } from "./agent-hub.ts";
import type { ViewerHub } from "./viewer-hub.ts";

/** Sends upgrade requests where they belong: agents, browsers, Next's own socket in development; nothing else lives. */
export function routeUpgrades(
  server: Pick<Server, "on">,
  routes: { readonly agents: AgentHub; readonly viewers: ViewerHub; readonly isDevelopment: boolean },
): void {
  server.on("upgrade", (request, socket, head) => {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path === "/agent") routes.agents.handleUpgrade(request, socket, head);
    else if (path === "/live") void routes.viewers.handleUpgrade(request, socket, head);
    else if (!(routes.isDevelopment && path?.startsWith("/_next/"))) socket.destroy();
  });
}
