"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { useNow } from "../live/use-now.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Fact, Facts } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { ClockTime, Mono, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import { Participants } from "./participants.tsx";
import { RevertButton } from "./revert-button.tsx";
import { type Change, changeState, isOvertaken, phaseOf, whatOf } from "./use-changes.ts";

/** A change with everything that decides it: waves, votes, decision, watch, way back, and what happened in order. */
export function ChangeCard({
  change,
  later,
  onShow,
}: {
  change: Change;
  /** Changes that may have overtaken its way back. */
  later: readonly Change[];
  onShow: (id: string) => void;
}) {
  const t = useTranslations("changes");
  const say = useCodeText();
  return (
    <div className="flex flex-col gap-3" data-testid={`change-${change.id}`} data-phase={change.phase}>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <StateGlyph state={changeState(change)} size={14} />
        <h3 className="text-base font-semibold">
          {change.service} <Mono>{cleanText(whatOf(change), 80)}</Mono>
        </h3>
        <Badge>{t(`protocolIs.${change.protocol}`)}</Badge>
        <Badge>{t("waveOf", { wave: Math.min(change.wave + 1, change.waves), waves: change.waves })}</Badge>
        <span className="font-medium" aria-live="polite">
          {t(`phase.${phaseOf(change)}`)}
          {change.fault !== null && (
            <span className="font-normal text-danger-ink">
              {" "}
              · {change.fault.node ?? ""} {say("changeFault", change.fault.code)}
            </span>
          )}
        </span>
        <span className="flex-1" />
        {change.closedAt === null ? (
          <StopButton change={change} />
        ) : (
          <RevertButton change={change} later={later} onShow={onShow} />
        )}
      </header>
      <WaveTrack change={change} />
      <Participants change={change} />
      <Outcome change={change} later={later} onShow={onShow} />
      <Story change={change} />
    </div>
  );
}

function StopButton({ change }: { change: Change }) {
  const t = useTranslations("changes");
  const problem = useProblemText();
  const gate = useActionRefusal("operator");
  const { decision } = change.transaction;
  const decided = decision === null ? null : t(decision === "abort" ? "abortedGate" : "decidedGate");
  const stop = useMutation({
    mutationFn: () => apiSend("POST", `changes/${change.id}/stop`, { reason: t("stopReason") }),
    onSuccess: () => toast(t("stopped", { change: change.id })),
    onError: (error) => toast(problem(error).text),
  });
  return (
    <Button size="sm" refusal={gate ?? decided} busy={stop.isPending} onClick={() => stop.mutate()}>
      {t("stop")}
    </Button>
  );
}

/** The waves as a track: where the change stands, and how much of the present watch is over. */
function WaveTrack({ change }: { change: Change }) {
  const t = useTranslations("changes");
  const now = useNow(250);
  const { watch, waves } = change;
  const committed = change.transaction.decision === "commit";
  return (
    <ol className="flex gap-1.5" aria-label={t("sheet.waves")}>
      {Array.from({ length: waves }, (_, wave) => {
        const isWatched = watch !== null && watch.wave === wave;
        const through = change.fault === null && (wave < change.wave || (committed && change.phase === "done"));
        const share = isWatched
          ? Math.min(1, Math.max(0, (now - watch.from) / Math.max(1, watch.until - watch.from)))
          : 0;
        const width = through ? 1 : share;
        const nodes = change.targets.filter((target) => target.wave === wave && target.kind === "program");
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a wave is its number
          <li key={wave} className="min-w-0 flex-1">
            <div className="h-1.5 overflow-hidden rounded-full bg-raised">
              <div
                className={change.fault === null ? "h-full bg-accent" : "h-full bg-danger"}
                style={{
                  width: `${(change.fault?.node != null && nodes.some(({ node }) => node === change.fault?.node) ? 1 : width) * 100}%`,
                }}
              />
            </div>
            <p className="mt-1 truncate text-xs text-muted">
              {t("wave", { wave: wave + 1 })} · {nodes.map(({ node }) => node).join(", ")}
            </p>
          </li>
        );
      })}
    </ol>
  );
}

function Outcome({
  change,
  later,
  onShow,
}: {
  change: Change;
  later: readonly Change[];
  onShow: (id: string) => void;
}) {
  const t = useTranslations("changes");
  const format = useFormat();
  const { transaction } = change;
  const link = (id: string, words: string) => (
    <button type="button" className="focus-ring rounded-sm text-accent-ink hover:underline" onClick={() => onShow(id)}>
      {words}
    </button>
  );
  return (
    <Facts>
      <Fact name={t("decision")}>
        {transaction.decision === null || transaction.decidedAt === null ? (
          t("undecided")
        ) : (
          <>
            {t(`decisionIs.${transaction.decision}`)}{" "}
            {t("decidedIn", { time: format.duration(transaction.decidedAt - change.openedAt) })}
          </>
        )}
        {change.rolledBackBy !== null && (
          <> · {link(change.rolledBackBy, t("rolledBackBy", { change: change.rolledBackBy }))}</>
        )}
        {change.rollbackOf !== null && (
          <> · {link(change.rollbackOf, t("rollbackOf", { change: change.rollbackOf }))}</>
        )}
      </Fact>
      {transaction.blockedSince !== null && transaction.decision === null && (
        <Fact name="">
          <span className="text-danger-ink">
            {t("blocked", { time: format.clock(transaction.blockedSince, transaction.blockedSince) })}
          </span>
        </Fact>
      )}
      <Fact name={t("inverse")}>{useInverse(change, later)}</Fact>
      <Fact name="">
        <span className="text-muted">
          {t("byWhom", {
            who: cleanText(change.by, 40),
            reason: cleanText(change.reason, 200),
            hasReason: change.reason === "" ? "no" : "yes",
          })}
        </span>
      </Fact>
    </Facts>
  );
}

/** Where the way back leads, and until when. */
function useInverse(change: Change, later: readonly Change[]): string {
  const t = useTranslations("changes");
  if (change.transaction.decision === "abort") return t("inverseAborted");
  if (isOvertaken(change, later)) return t("inverseSuperseded");
  if (change.sql !== null) return t("inverseSql", { cluster: change.sql.cluster });
  if (change.item.kind === "restart") return t("inverseRestart");
  if (change.item.kind !== "release") return t("inverseConfig");
  // As the core's inverse has it: who had this version before has nothing to go back to, and one way back is for one version.
  const programs = change.targets.filter(({ kind, before }) => kind === "program" && before !== change.version);
  const befores = new Set(programs.map((each) => each.before));
  const [before] = befores.size === 1 ? befores : [null];
  return before === null || before === undefined
    ? t("inverseNone")
    : t("inverseRelease", { version: cleanText(before, 40) });
}

function Story({ change }: { change: Change }) {
  const t = useTranslations("changes");
  const say = useCodeText();
  const databases = new Set(change.targets.flatMap(({ id, kind }) => (kind === "sql" ? [id] : [])));
  return (
    <section aria-label={t("story")}>
      <h4 className="pb-1 text-xs font-semibold text-muted">{t("story")}</h4>
      <ol className="max-h-[max(18rem,50vh)] overflow-y-auto">
        {change.story.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the story only grows at its end
          <li key={index} className="grid grid-cols-[5.5rem_1fr] gap-x-2 border-t border-line py-1 text-sm">
            <ClockTime at={entry.at} className="text-xs leading-5 text-muted" />
            <span className="min-w-0 break-words">
              {say("changeStory", entry.kind, {
                ...entry.data,
                item: databases.has(String(entry.data.target)) ? "sql" : change.item.kind,
                // Stories are kept for ever; older ones have the watch under another name.
                ...(typeof entry.data.ms === "number" ? { watchMs: entry.data.ms } : {}),
                ...(typeof entry.data.code === "string" ? { code: say("changeFault", entry.data.code) } : {}),
              })}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
