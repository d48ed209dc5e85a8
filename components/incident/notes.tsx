"use client";
import { useTranslations } from "next-intl";
import { type RefObject, useState } from "react";
import type { Note } from "../../server/core/index.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/text.tsx";
import { useIncidentCommand } from "./incident-actions.tsx";
import { parseNote } from "./note-text.ts";

const maxLength = 4_000;

/** What people wrote; Markdown's bold, code, links and lists, never HTML. */
export function Notes({
  id,
  notes,
  input,
}: {
  id: string;
  notes: readonly Note[];
  input: RefObject<HTMLTextAreaElement | null>;
}) {
  const t = useTranslations("notes");
  const refusal = useActionRefusal("operator");
  const { busy, run } = useIncidentCommand(id);
  const [text, setText] = useState("");
  const send = async () => {
    if (text.trim() !== "" && (await run("notes", { text }))) setText("");
  };
  return (
    <Panel title={t("title")} aside={notes.length > 0 ? String(notes.length) : undefined}>
      {notes.length === 0 && <p className="mb-2 text-muted">{t("none")}</p>}
      <ul>
        {notes.map((note) => (
          <li key={note.id} className="border-t border-line py-2">
            <p className="text-xs text-muted">
              {note.author} · <RelativeTime at={note.at} />
            </p>
            <NoteText text={note.text} />
          </li>
        ))}
      </ul>
      <label className="mt-2 block">
        <span className="sr-only">{t("write")}</span>
        <textarea
          ref={input}
          value={text}
          maxLength={maxLength}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void send();
          }}
          placeholder={t("placeholder")}
          rows={3}
          className="focus-ring w-full rounded-md border border-line bg-well px-2.5 py-2 text-sm placeholder:text-muted"
        />
      </label>
      <div className="mt-1.5 flex justify-end">
        <Button
          size="sm"
          refusal={refusal ?? (text.trim() === "" ? t("empty") : null)}
          busy={busy}
          onClick={() => void send()}
        >
          {t("save")}
        </Button>
      </div>
    </Panel>
  );
}

function NoteText({ text }: { text: string }) {
  return (
    <div className="mt-1 flex flex-col gap-1.5 break-words">
      {parseNote(text).map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a stored note never move
        <p key={index} className={line.bullet ? "pl-4 before:-ml-3 before:mr-1.5 before:content-['•']" : undefined}>
          {line.parts.map((part, at) => {
            const key = `${at}-${part.kind}`;
            if (part.kind === "bold") return <strong key={key}>{part.text}</strong>;
            if (part.kind === "code")
              return (
                <code key={key} className="rounded-sm bg-raised px-1 font-mono text-xs">
                  {part.text}
                </code>
              );
            if (part.kind === "link")
              return (
                <a
                  key={key}
                  href={part.href}
                  rel="noreferrer noopener"
                  target="_blank"
                  className="focus-ring text-accent underline"
                >
                  {part.text}
                </a>
              );
            return <span key={key}>{part.text}</span>;
          })}
        </p>
      ))}
    </div>
  );
}
