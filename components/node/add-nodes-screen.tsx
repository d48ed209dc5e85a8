"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useEntities } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/feedback.tsx";
import { Field, Input } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { CopyLine, RelativeTime } from "../ui/text.tsx";

interface EnrolmentToken {
  readonly token: string;
  readonly expiresAt: number;
  readonly serverKey: string;
}

/** One line with a token, and a panel that waits for the node to report. */
export function AddNodesScreen() {
  const t = useTranslations("addNodes");
  const say = useProblemText();
  const refusal = useActionRefusal("admin");
  const [name, setName] = useState("");
  const make = useMutation({
    mutationFn: (node: string) => apiSend<EnrolmentToken>("POST", "enrolment-tokens", { node }),
  });
  const valid = /^[a-z0-9][a-z0-9-]{0,39}$/.test(name);
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className="grid max-w-5xl items-start gap-4">
        <Panel title={t("step1")}>
          <form
            className="flex flex-wrap items-end gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              if (valid && refusal === null) make.mutate(name);
            }}
          >
            <div className="w-64">
              <Field label={t("name")} error={valid || name === "" ? undefined : t("nameWrong")} hint={t("nameHint")}>
                {(ids) => (
                  <Input {...ids} value={name} placeholder="pg-d" onChange={(event) => setName(event.target.value)} />
                )}
              </Field>
            </div>
            <Button
              type="submit"
              variant="primary"
              refusal={refusal ?? (valid ? null : t("nameMissing"))}
              busy={make.isPending}
              className="mb-5.5"
            >
              {t("make")}
            </Button>
          </form>
          {make.error !== null && <ErrorState {...say(make.error)} />}
        </Panel>
        {make.data !== undefined && (
          <>
            <Panel
              title={t("step2")}
              aside={
                <>
                  {t("expires")} <RelativeTime at={make.data.expiresAt} />
                </>
              }
            >
              <CopyLine label={t("line")} text={enrolLine(make.variables, make.data, new URL(window.location.href))} />
              <p className="mt-2 text-muted">{t("lineHint")}</p>
            </Panel>
            <Waiting expected={make.variables} />
          </>
        )}
        <Panel title={t("remove")}>
          <CopyLine label={t("remove")} text={`rm -r agent.yaml ${STATE_DIR}`} />
          <p className="mt-2 text-muted">{t("removeHint")}</p>
        </Panel>
      </div>
    </>
  );
}

const STATE_DIR = "/var/lib/holdfast-agent";

/** Writes the node's configuration (JSON is YAML too) and starts its agent. */
export function enrolLine(node: string, { token, serverKey }: EnrolmentToken, origin: URL): string {
  const secure = origin.protocol === "https:";
  const loopback = /^(localhost|127\.|\[::1\])/.test(origin.hostname);
  const config = {
    node,
    server: `${secure ? "wss" : "ws"}://${origin.host}`,
    ...(secure || loopback ? {} : { allowInsecure: true }),
    serverKey,
    token,
    stateDir: STATE_DIR,
  };
  return `echo '${JSON.stringify(config)}' > agent.yaml && holdfast agent --config agent.yaml`;
}

/** Says which nodes have come since the page was opened, and what to look at while none does. */
function Waiting({ expected }: { expected: string }) {
  const t = useTranslations("addNodes");
  const nodes = useEntities("node");
  const known = useRef<ReadonlySet<string> | null>(null);
  const [arrived, setArrived] = useState<readonly string[]>([]);
  useEffect(() => {
    known.current ??= new Set(nodes.map((node) => node.id));
    const { current } = known;
    setArrived(nodes.map((node) => node.id).filter((id) => !current.has(id)));
  }, [nodes]);
  return (
    <Panel title={t("step3")}>
      {arrived.length === 0 ? (
        <div className="flex gap-3" role="status">
          <StateGlyph state="unknown" size={16} withWord />
          <div>
            <p className="font-medium">{t("waiting", { node: expected })}</p>
            <ul className="mt-1 list-disc pl-4 text-muted">
              <li>{t("hintReach", { host: window.location.host })}</li>
              <li>{t("hintToken")}</li>
              <li>{t("hintLog")}</li>
            </ul>
          </div>
        </div>
      ) : (
        <ul className="flex flex-col gap-1.5" role="status">
          {arrived.map((id) => (
            <li key={id} className="flex items-center gap-2">
              <StateGlyph state="healthy" size={13} withWord />
              <Link href={`/nodes/${id}`} className="focus-ring font-medium hover:underline">
                {id}
              </Link>
              <span className="text-muted">{t("arrived")}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
