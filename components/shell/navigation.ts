import {
  Bug,
  Gauge,
  House,
  LayoutGrid,
  Lock,
  type LucideIcon,
  Network,
  Orbit,
  Plus,
  Rocket,
  ScrollText,
  TriangleAlert,
  Waypoints,
} from "lucide-react";

/** The places of the console, in the order of the rail. `key` is the letter after `g`. */
export interface Place {
  readonly id:
    | "overview"
    | "fleet"
    | "clusters"
    | "incidents"
    | "map"
    | "traces"
    | "changes"
    | "ring"
    | "locks"
    | "policies"
    | "audit"
    | "addNodes";
  readonly href: string;
  readonly icon: LucideIcon;
  readonly key: string;
  /** One of the four in the bar of a phone; the others are behind *More*. */
  readonly onPhoneBar?: true;
  /** Paths that belong to it, for the mark in the rail. */
  readonly owns: (path: string) => boolean;
}

const below = (prefix: string) => (path: string) => path === prefix || path.startsWith(`${prefix}/`);

export const places: readonly Place[] = [
  { id: "overview", href: "/", icon: House, key: "o", onPhoneBar: true, owns: (path) => path === "/" },
  {
    id: "fleet",
    href: "/fleet",
    icon: LayoutGrid,
    key: "f",
    onPhoneBar: true,
    owns: (path) => path.startsWith("/fleet") || (path.startsWith("/nodes/") && path !== "/nodes/add"),
  },
  { id: "clusters", href: "/clusters", icon: Network, key: "c", onPhoneBar: true, owns: below("/clusters") },
  { id: "incidents", href: "/incidents", icon: TriangleAlert, key: "i", onPhoneBar: true, owns: below("/incidents") },
  { id: "map", href: "/map", icon: Waypoints, key: "m", owns: below("/map") },
  { id: "traces", href: "/traces", icon: Bug, key: "t", owns: below("/traces") },
  { id: "changes", href: "/changes", icon: Rocket, key: "h", owns: below("/changes") },
  { id: "ring", href: "/ring", icon: Orbit, key: "r", owns: below("/ring") },
  { id: "locks", href: "/locks", icon: Lock, key: "l", owns: below("/locks") },
  { id: "policies", href: "/policies", icon: Gauge, key: "p", owns: below("/policies") },
  { id: "audit", href: "/audit", icon: ScrollText, key: "a", owns: below("/audit") },
  { id: "addNodes", href: "/nodes/add", icon: Plus, key: "n", owns: below("/nodes/add") },
];
