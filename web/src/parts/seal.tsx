/* SPDX-License-Identifier: Apache-2.0 */
/* Sceller: what leaves, for whom, on what; a second person approves it before anything is built. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type ApiError, asApiError } from "../http";
import { language, number, t } from "../i18n";
import { Icon } from "../icons";
import { addSeal, type Exhibit, getExhibits, type Seal } from "../office";
import { boot, cameraName, errorText, tz } from "../state";
import "../styles/office.css";
import { clockSeconds, day, duration } from "../time";
import { Dialog } from "./dialog";
import { Check, SelectField, TextField } from "./fields";
import { Show, useLoad } from "./load";
import { sealed, sealing } from "./sealing";
import { toast } from "./toast";

const media = ["optical", "usb", "network", "other"] as const;
type Medium = (typeof media)[number];

const isReady = (x: Exhibit): boolean => x.decision?.state === "confirmed";

function Form({ caseId, exhibits, close }: { caseId: string; exhibits: Exhibit[]; close: () => void }): JSX.Element {
  const authority = boot.value?.cases.find((c) => c.id === caseId)?.requisition.authority ?? "";
  const ready = exhibits.filter(isReady);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set(ready.map((x) => x.id)));
  const [to, setTo] = useState(authority);
  const [medium, setMedium] = useState<Medium>("optical");
  const [number_, setNumber] = useState("");
  const [blur, setBlur] = useState(true);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const lang = language.value;
  const total = exhibits
    .filter((x) => chosen.has(x.id))
    .reduce((ms, x) => ms + x.to_ms - x.from_ms + (x.pad_before_s + x.pad_after_s) * 1000, 0);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const name = t(`seal.medium.${medium}`);
      const seal: Seal = await addSeal(caseId, {
        exhibit_ids: [...chosen],
        handed_to: to.trim(),
        medium: number_.trim() ? `${name} ${number_.trim()}` : name,
        blur,
      });
      sealed.value++;
      toast(t("seal.asked", { n: seal.id }));
      close();
    } catch (e) {
      setError(asApiError(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="form"
      onSubmit={(e) => {
        e.preventDefault();
        void ask();
      }}
    >
      <fieldset>
        <legend>{t("seal.exhibits")}</legend>
        <ul class="exhibits">
          {exhibits.map((x, i) => (
            <li key={x.id}>
              <Check
                checked={chosen.has(x.id)}
                disabled={!isReady(x)}
                note={isReady(x) ? undefined : t("seal.unconfirmed")}
                onValue={(on) => {
                  const next = new Set(chosen);
                  if (on) next.add(x.id);
                  else next.delete(x.id);
                  setChosen(next);
                }}
                label={
                  <>
                    <b>{t("exhibit.n", { n: i + 1 })}</b> {x.camera_id} {cameraName(x.camera_id)} ·{" "}
                    <span class="m">
                      {day(x.best_ms, tz.value, lang)} {clockSeconds(x.best_ms, tz.value)}
                    </span>{" "}
                    · {duration(x.to_ms - x.from_ms + (x.pad_before_s + x.pad_after_s) * 1000, lang)}
                  </>
                }
              />
            </li>
          ))}
        </ul>
      </fieldset>
      <div class="pair">
        <TextField label={t("seal.to")} value={to} onValue={setTo} maxLength={127} />
        <SelectField
          label={t("seal.medium")}
          value={medium}
          onValue={setMedium}
          options={media.map((m) => ({ value: m, label: t(`seal.medium.${m}`) }))}
        />
        <TextField label={t("seal.medium.no")} value={number_} onValue={setNumber} maxLength={40} optional />
      </div>
      <Check label={t("seal.blur")} note={t("seal.blur.note")} checked={blur} onValue={setBlur} />
      <p class="hint">{t("seal.content")}</p>
      <p aria-live="polite">
        {t("seal.sum", { n: number(chosen.size), length: duration(total, lang) })}
      </p>
      {error && (
        <p class="refused" role="alert">
          {errorText(error)}
        </p>
      )}
      <div class="btns end">
        <button class="btn" type="button" onClick={close}>
          {t("cancel")}
        </button>
        <button class="btn sealing" type="submit" disabled={busy || chosen.size === 0 || to.trim() === ""}>
          <Icon name="lock" /> {t("seal.ask")}
        </button>
      </div>
    </form>
  );
}

export function SealDialog({ caseId }: { caseId: string }): JSX.Element {
  const exhibits = useLoad((signal) => getExhibits(caseId, signal), [caseId]);
  const close = (): void => {
    sealing.value = null;
  };
  return (
    <Dialog title={t("seal.title")} onClose={close} wide>
      <Show of={exhibits}>
        {(d) => d.items.length === 0 ? <p>{t("seal.none")}</p> : <Form caseId={caseId} exhibits={d.items} close={close} />}
      </Show>
    </Dialog>
  );
}
