"use client";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Tooltip } from "../ui/tooltip.tsx";

const glyphs = { ok: "healthy", failed: "down", unknown: "unknown" } as const;

/** Every observer's word about every member, side by side: a partition is visible at a glance. */
export function WhoSeesWhom({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const subjects = cluster.members.map((member) => member.node);
  const observers = [
    "control-plane",
    ...new Set(cluster.sights.map((sight) => sight.observer).filter((observer) => observer !== "control-plane")),
  ].sort((a, b) => (a === "control-plane" ? -1 : b === "control-plane" ? 1 : a.localeCompare(b, "en")));
  return (
    <Panel title={t("whoSeesWhom")}>
      <Table label={t("whoSeesWhom")}>
        <thead>
          <tr>
            <Th>{t("observer")}</Th>
            {subjects.map((subject) => (
              <Th key={subject} className="text-center">
                {subject}
              </Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {observers.map((observer) => (
            <Tr key={observer}>
              <Td>{observer === "control-plane" ? t("controlPlane") : observer}</Td>
              {subjects.map((subject) => (
                <Td key={subject} className="text-center">
                  <Sight
                    sight={cluster.sights.find((item) => item.observer === observer && item.subject === subject)}
                    self={observer === subject}
                  />
                </Td>
              ))}
            </Tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

function Sight({ sight, self }: { sight: ClusterView["sights"][number] | undefined; self: boolean }) {
  const t = useTranslations("cluster");
  const say = useCodeText();
  if (self || sight === undefined) return <span className="text-muted">–</span>;
  const words =
    sight.reach === "failed" && sight.reason !== null
      ? say("evidence", `probe-${sight.reason}`)
      : t(`reach.${sight.reach}`);
  return (
    <Tooltip text={words}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the reason behind a glyph must be reachable by keyboard */}
      <span tabIndex={0} role="img" aria-label={words} className="focus-ring inline-flex rounded-sm p-1">
        <StateGlyph state={glyphs[sight.reach]} size={11} withWord />
      </span>
    </Tooltip>
  );
}
