/* SPDX-License-Identifier: Apache-2.0 */
/* The exhibits of the case, in the order of adding; each with what is kept before and after it, and a note. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { thumbUrl } from "../api";
import { type ApiError, asApiError } from "../http";
import { language, number, t } from "../i18n";
import { Icon } from "../icons";
import { Dialog } from "../parts/dialog";
import { TextField } from "../parts/fields";
import { toast } from "../parts/toast";
import { may } from "../session";
import { cameraName, errorText, openCase, tz } from "../state";
import { clock, clockSeconds, day, duration } from "../time";
import { act, letterOf } from "./acts";
import { change, type Exhibit, exhibitError, exhibits, isConfirmed, loadExhibits, takeOut } from "./decisions";

const NOTE_MAX = 1000;
const PAD_MAX_S = 600;
const opened = signal<number | null>(null);

const seconds = (text: string): number | null => {
  const n = Number(text.trim());
  return /^\d{1,3}$/.test(text.trim()) && n <= PAD_MAX_S ? n : null;
};

function Edit({ e }: { e: Exhibit }): JSX.Element {
  const [before, setBefore] = useState(String(e.pad_before_s));
  const [after, setAfter] = useState(String(e.pad_after_s));
  const [note, setNote] = useState(e.note);
  const [error, setError] = useState<ApiError | null>(null);
  const c = openCase.value;
  const b = seconds(before);
  const a = seconds(after);
  const close = (): void => {
    opened.value = null;
  };
  const during = (work: Promise<void>, done: string): void => {
    work.then(
      () => (close(), toast(done)),
      (x: unknown) => setError(asApiError(x)),
    );
  };
  const lang = language.value;
  const bad = t("tray.pad.bad", { most: PAD_MAX_S });
  return (
    <Dialog
      title={t("tray.edit.title", { n: exhibits.value.findIndex((x) => x.id === e.id) + 1 })}
      onClose={close}
      foot={
        <>
          <button class="btn" type="button" onClick={() => during(takeOut(e.id), t("tray.removed"))}>
            {t("tray.remove")}
          </button>
          <span class="sp" />
          <button class="btn" type="button" onClick={close}>
            {t("cancel")}
          </button>
          <button class="btn pri" type="submit" form="exhibit" disabled={a === null || b === null}>
            {t("tray.save")}
          </button>
        </>
      }
    >
      <div class="exhibit">
        {c && <img src={thumbUrl(c.id, e.sighting_id)} alt="" />}
        <form
          id="exhibit"
          noValidate
          onSubmit={(x) => {
            x.preventDefault();
            if (a !== null && b !== null)
              during(change(e.id, { pad_before_s: b, pad_after_s: a, note: note.trim() }), t("tray.saved"));
          }}
        >
          <p>
            <b>{e.camera_id}</b> {cameraName(e.camera_id)}
            <br />
            {day(e.from_ms, tz.value, lang)} {clock(e.from_ms, tz.value, lang)} – {clock(e.to_ms, tz.value, lang)}
          </p>
          <div class="pads">
            <TextField label={t("tray.before")} value={before} onValue={setBefore} inputMode="numeric" maxLength={3} error={b === null ? bad : null} />
            <TextField label={t("tray.after")} value={after} onValue={setAfter} inputMode="numeric" maxLength={3} error={a === null ? bad : null} />
          </div>
          {a !== null && b !== null && (
            <p class="hint">
              {t("tray.length", {
                from: clockSeconds(e.from_ms - b * 1000, tz.value),
                to: clockSeconds(e.to_ms + a * 1000, tz.value),
                length: duration(e.to_ms - e.from_ms + (a + b) * 1000, lang),
              })}
            </p>
          )}
          <TextField label={t("tray.note")} optional value={note} onValue={setNote} maxLength={NOTE_MAX} lines={3} />
          {error && (
            <p class="hint err-t" role="alert">
              {errorText(error)}
            </p>
          )}
        </form>
      </div>
    </Dialog>
  );
}

export function Tray(): JSX.Element | null {
  const c = openCase.value;
  const list = exhibits.value;
  if (!c || !may("export_prepare")) return null;
  const edited = list.find((e) => e.id === opened.value);
  const loose = list.filter((e) => !isConfirmed(e)).length;
  return (
    <section class="tray" aria-labelledby="tray-title">
      <h2 id="tray-title">
        {t("tray.title")} <span>{number(list.length)}</span>
      </h2>
      {exhibitError.value ? (
        <p class="hint warn-t">
          {errorText(exhibitError.value)}{" "}
          <button class="link" type="button" onClick={() => void loadExhibits()}>
            {t("retry")}
          </button>
        </p>
      ) : list.length === 0 ? (
        <p class="hint">{t("tray.empty", { key: letterOf("add") })}</p>
      ) : (
        <ul>
          {list.map((e, i) => (
            <li key={e.id}>
              <button
                type="button"
                aria-label={t("tray.item", { n: i + 1, camera: e.camera_id, when: clock(e.best_ms, tz.value, language.value) })}
                onClick={() => (opened.value = e.id)}
              >
                <img src={thumbUrl(c.id, e.sighting_id)} alt="" loading="lazy" />
                <span class="m">{clockSeconds(e.best_ms, tz.value)}</span>
                {e.note && <Icon name="note" />}
              </button>
            </li>
          ))}
        </ul>
      )}
      {loose > 0 && <p class="hint warn-t">{t("tray.loose", { n: number(loose) })}</p>}
      <span class="sp" />
      <button class="btn file" type="button" disabled={list.length === 0} onClick={() => act("seal")}>
        <Icon name="lock" /> {t("act.seal")} <kbd aria-hidden="true">{letterOf("seal")}</kbd>
      </button>
      {edited && <Edit key={edited.id} e={edited} />}
    </section>
  );
}
