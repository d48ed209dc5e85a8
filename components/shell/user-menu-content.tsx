"use client";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useRenewSession, useSession } from "../data/use-session.ts";
import type { LoadedMenuProps } from "../ui/lazy-menu.tsx";
import { Menu, MenuChoices, MenuItem, MenuNote, MenuSeparator } from "../ui/menu.tsx";
import { toast } from "../ui/toast.tsx";
import { usePreferences } from "./preferences.tsx";

/** Who is signed in, how they like to look at it, and the way out. */
export function UserMenuContent({ trigger, defaultOpen }: LoadedMenuProps) {
  const t = useTranslations("user");
  const preferences = usePreferences();
  const router = useRouter();
  const renew = useRenewSession();
  const say = useProblemText();
  const user = useSession().data?.user;

  const signOut = async () => {
    try {
      await apiSend("POST", "sign-out");
      await renew();
      router.replace("/sign-in");
    } catch (error) {
      const { title, text } = say(error);
      toast.error(title, { description: text });
    }
  };

  return (
    <Menu trigger={trigger} defaultOpen={defaultOpen}>
      {user && (
        <MenuNote>
          <span className="block text-sm font-medium text-ink">{user.name || user.email}</span>
          {t(`role.${user.role}`)}
        </MenuNote>
      )}
      <MenuSeparator />
      <MenuChoices
        label={t("theme")}
        value={preferences.theme}
        onChange={preferences.setTheme}
        options={[
          { value: "system", label: t("themeSystem") },
          { value: "dark", label: t("themeDark") },
          { value: "light", label: t("themeLight") },
        ]}
      />
      <MenuChoices
        label={t("contrast")}
        value={preferences.contrast}
        onChange={preferences.setContrast}
        options={[
          { value: "system", label: t("contrastSystem") },
          { value: "more", label: t("contrastMore") },
        ]}
      />
      <MenuChoices
        label={t("zone")}
        value={preferences.zone}
        onChange={preferences.setZone}
        options={[
          { value: "utc", label: "UTC" },
          { value: "local", label: t("zoneLocal") },
        ]}
      />
      <MenuChoices
        label={t("language")}
        value={preferences.locale}
        onChange={preferences.setLocale}
        options={[
          { value: "en", label: "English" },
          { value: "zh-CN", label: "简体中文" },
        ]}
      />
      <MenuSeparator />
      <MenuItem onSelect={() => void signOut()}>{t("signOut")}</MenuItem>
    </Menu>
  );
}
