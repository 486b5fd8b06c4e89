/* SPDX-License-Identifier: Apache-2.0 */
/* Searches kept in the case for whoever works on it: a name, the question, and who kept it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Question } from "../api";
import { type ApiError, asApiError, get, send } from "../http";
import { language, t } from "../i18n";
import { Icon } from "../icons";
import { Dialog } from "../parts/dialog";
import { TextField } from "../parts/fields";
import { Show, useLoad } from "../parts/load";
import { toast } from "../parts/toast";
import { errorText, openCase, tz } from "../state";
import { dayAndTime } from "../time";
import { asked, questionNow, type Sort, stand } from "./question";
import { savedShown } from "./tools";

type Kept = Partial<Omit<Question, "limit" | "offset">>;
type Saved = { id: number; name: string; question: Kept; by: string; at_ms: number };
const NAME_MAX = 120;

/* What a kept question asks, in one line: its sentence, and what stands beside it. */
function summary(q: Kept): string {
  const beside = [
    q.time && t("saved.time"),
    q.cameras && t("saved.cameras", { n: q.cameras.ids.length }),
    q.like && t("saved.like"),
    q.together && t("saved.together"),
    q.area && t("saved.area"),
  ].filter((x): x is string => Boolean(x));
  return [q.sentence || t("query.everything"), ...beside].join(" · ");
}

function again(q: Kept): void {
  const reference = (id: string): { sighting_id: string; camera_id: string; best_ms: number } => ({ sighting_id: id, camera_id: "", best_ms: 0 });
  stand({
    sentence: q.sentence ?? "",
    period: q.time ?? null,
    cameras: new Set(q.cameras?.ids ?? []),
    like: q.like ? reference(q.like.sighting_id) : null,
    together: q.together ? { ...reference(q.together.sighting_id), within_s: q.together.within_s } : null,
    area: q.area ?? null,
    sort: (q.sort as Sort | undefined) ?? "score",
  });
}

export function SavedDialog(): JSX.Element | null {
  const c = openCase.value;
  const path = `/cases/${encodeURIComponent(c?.id ?? "")}/searches`;
  const list = useLoad<{ items: Saved[] }>((signal) => get(path, { caseId: c?.id ?? "", signal }), [path]);
  const [name, setName] = useState(asked.value.slice(0, NAME_MAX));
  const [error, setError] = useState<ApiError | null>(null);
  const close = (): void => {
    savedShown.value = false;
  };
  if (!c) return null;
  const during = (work: Promise<unknown>, done: string): void => {
    work.then(
      () => (setError(null), list.again(), toast(done)),
      (e: unknown) => setError(asApiError(e)),
    );
  };
  return (
    <Dialog title={t("saved.title")} onClose={close}>
      <form
        class="save"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          if (name.trim())
            during(send("POST", path, { name: name.trim(), question: questionNow() }, { caseId: c.id }), t("saved.done"));
        }}
      >
        <TextField label={t("saved.name")} value={name} onValue={setName} maxLength={NAME_MAX} note={t("saved.note", { what: summary(questionNow()) })} />
        <button class="btn pri" type="submit" disabled={!name.trim()}>
          <Icon name="star" /> {t("saved.keep")}
        </button>
      </form>
      {error && (
        <p class="hint err-t" role="alert">
          {errorText(error)}
        </p>
      )}
      <h3>{t("saved.list")}</h3>
      <Show of={list}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="hint">{t("saved.none")}</p>
          ) : (
            <ul class="saved">
              {items.map((s) => (
                <li key={s.id}>
                  <button
                    class="row"
                    type="button"
                    onClick={() => {
                      close();
                      again(s.question);
                    }}
                  >
                    <b>{s.name}</b>
                    <span>{summary(s.question)}</span>
                    <small>
                      {s.by} · {dayAndTime(s.at_ms, tz.value, language.value)}
                    </small>
                  </button>
                  <button
                    class="ib"
                    type="button"
                    aria-label={t("saved.remove", { name: s.name })}
                    title={t("saved.remove", { name: s.name })}
                    onClick={() => during(send("DELETE", `${path}/${s.id}`, {}, { caseId: c.id }), t("saved.removed"))}
                  >
                    <Icon name="cross" />
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
    </Dialog>
  );
}
