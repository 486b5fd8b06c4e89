/* SPDX-License-Identifier: Apache-2.0 */
/* When an act on a passage needs a word from the operator: the reason for superseding a decision, somebody else who
 * was faster, a refusal. Until it is answered nothing more was written than the page shows. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { language, t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { TextField } from "../parts/fields";
import { errorText, tz } from "../state";
import { clock, dayAndTime } from "../time";
import { add, decide, decisionOf, type Question, question } from "./decisions";
import { watchedMs } from "./player";

const REASON_MAX = 500;
const close = (): void => {
  question.value = null;
};

function Supersede({ q }: { q: Extract<Question, { kind: "reason" | "changed" }> }): JSX.Element {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const old = q.kind === "changed" ? q.now : decisionOf(q.s);
  const same = q.kind === "changed" && q.now.state === q.state;
  const go = (): void => {
    if (!reason.trim()) {
      setMissing(true);
      return;
    }
    close();
    if (q.then === "add") void add(q.s, watchedMs(q.s.id), reason.trim());
    else void decide(q.s, q.state, watchedMs(q.s.id), reason.trim());
  };
  const text = {
    state: t(`mark.${q.state}`),
    old: old ? t(`mark.${old.state}`) : "",
    who: old?.by ?? "",
    when: old ? dayAndTime(old.at_ms, tz.value, language.value) : "",
  };
  return (
    <Dialog
      title={t(q.kind === "changed" ? "ask.changed.title" : "ask.reason.title", text)}
      onClose={close}
      foot={
        <>
          <button class="btn" type="button" onClick={close}>
            {t(q.kind === "changed" ? "ask.keep" : "cancel", text)}
          </button>
          {!same && (
            <button class="btn pri" type="submit" form="ask-reason">
              {t("ask.decide", text)}
            </button>
          )}
        </>
      }
    >
      <p>{t(same ? "ask.same" : q.kind === "changed" ? "ask.changed" : "ask.reason", text)}</p>
      {old?.reason && <p class="hint">{t("ask.oldreason", { reason: old.reason })}</p>}
      {!same && (
        <form
          id="ask-reason"
          noValidate
          onSubmit={(e) => {
            e.preventDefault();
            go();
          }}
        >
          <TextField
            label={t("ask.reason.label")}
            note={t("ask.reason.note")}
            error={missing && !reason.trim() ? t("ask.reason.missing") : null}
            value={reason}
            onValue={setReason}
            maxLength={REASON_MAX}
            focus
          />
        </form>
      )}
    </Dialog>
  );
}

function Failed({ q }: { q: Extract<Question, { kind: "failed" }> }): JSX.Element {
  return (
    <Dialog
      title={t("ask.failed.title")}
      onClose={close}
      foot={
        <button class="btn pri" type="button" onClick={close}>
          {t("tool.close")}
        </button>
      }
    >
      <p>
        {t("ask.failed", { camera: q.s.camera_id, when: clock(q.s.best_ms, tz.value, language.value) })}{" "}
        {errorText(q.error)}
      </p>
    </Dialog>
  );
}

export function AskDialog(): JSX.Element | null {
  const q = question.value;
  if (!q) return null;
  const key = `${q.kind} ${q.s.id}`;
  return q.kind === "failed" ? <Failed key={key} q={q} /> : <Supersede key={key} q={q} />;
}
