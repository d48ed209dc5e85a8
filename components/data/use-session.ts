"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useCallback } from "react";
import type { SessionView } from "../../server/protocol/index.ts";
import { useIsFresh } from "../live/use-entities.ts";
import { apiGet, setCsrfToken } from "./api.ts";

export type Role = "viewer" | "operator" | "admin";
const rank: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

async function fetchSession(): Promise<SessionView> {
  const session = await apiGet<SessionView>("session");
  setCsrfToken(session.csrfToken);
  return session;
}

/** Who is signed in, and whether anybody exists yet. */
export function useSession() {
  return useQuery({ queryKey: ["session"], queryFn: fetchSession, staleTime: 60_000, retry: 2 });
}

/** Asks for the session anew: after signing in or out, and when the server said 401. */
export function useRenewSession(): () => Promise<SessionView> {
  const client = useQueryClient();
  return useCallback(() => client.fetchQuery({ queryKey: ["session"], queryFn: fetchSession, staleTime: 0 }), [client]);
}

export function useRole(): Role | null {
  return useSession().data?.user?.role ?? null;
}

/**
 * Why an action can't be taken now, in words, or null when it can: the picture must be current and the role high enough.
 * Pass the answer to `<Button refusal>`. The server judges again.
 */
export function useActionRefusal(needs: Role): string | null {
  const t = useTranslations("gate");
  const fresh = useIsFresh();
  const role = useRole();
  if (role === null || rank[role] < rank[needs]) return t("role", { needs, role: role ?? "none" });
  if (!fresh) return t("stale");
  return null;
}
