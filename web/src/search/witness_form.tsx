/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness is sure of, half sure of, or denies, put down as said; the form only writes the sentence. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { language, t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { TextField } from "../parts/fields";
import { openCase, tz, valueLabel, vocabOf } from "../state";
import { fieldText } from "../time";
import { allowed } from "./acts";
import { search, sentence } from "./question";
import { Swatch } from "./tokens";
import { type Account, emptyAccount, type Part, sentenceOf } from "./witness";
import { witnessShown } from "./tools";

function Colours(props: { field: string; title: string; part: Part; onPart: (p: Part) => void }): JSX.Element | null {
  const { part, onPart } = props;
  const list = vocabOf(props.field).filter((v) => v.offered && allowed(v.criterion));
  if (list.length === 0) return null;
  const toggle = (label: string): void =>
    onPart({ ...part, colours: part.colours.includes(label) ? part.colours.filter((c) => c !== label) : [...part.colours, label] });
  return (
    <fieldset>
      <legend>{props.title}</legend>
      <div class="chips">
        {list.map((v) => {
          const label = valueLabel(props.field, v.name);
          return (
            <button key={v.name} class="opt" type="button" aria-pressed={part.colours.includes(label)} onClick={() => toggle(label)}>
              <Swatch name={v.name} />
              <span>{label}</span>
            </button>
          );
        })}
      </div>
      {part.colours.length > 0 && (
        <div class="seg" role="group" aria-label={t("witness.doubt")}>
          {(["sure", "maybe"] as const).map((d) => (
            <button key={d} type="button" aria-pressed={part.doubt === d} onClick={() => onPart({ ...part, doubt: d })}>
              {t(`witness.${d}`)}
            </button>
          ))}
        </div>
      )}
    </fieldset>
  );
}

/* Yes, maybe, no: what is not pressed is not asked. */
function Things({ account, set }: { account: Account; set: (a: Account) => void }): JSX.Element | null {
  const list = vocabOf("accessory").filter((v) => v.offered && allowed(v.criterion));
  if (list.length === 0) return null;
  return (
    <fieldset>
      <legend>{t("witness.things")}</legend>
      <ul class="things">
        {list.map((v) => {
          const word = valueLabel("accessory", v.name);
          const now = account.things.find((x) => x.word === word)?.doubt;
          const rest = account.things.filter((x) => x.word !== word);
          return (
            <li key={v.name}>
              <span id={`thing-${v.id}`}>{word}</span>
              <div class="seg" role="group" aria-labelledby={`thing-${v.id}`}>
                {(["sure", "maybe", "not"] as const).map((d) => (
                  <button
                    key={d}
                    type="button"
                    aria-pressed={now === d}
                    onClick={() => set({ ...account, things: now === d ? rest : [...rest, { word, doubt: d }] })}
                  >
                    {t(`witness.${d}`)}
                  </button>
                ))}
              </div>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

export function WitnessForm(): JSX.Element {
  const c = openCase.value;
  const [a, set] = useState<Account>(emptyAccount);
  const [kind, setKind] = useState<"person" | "vehicle">("person");
  const close = (): void => {
    witnessShown.value = false;
  };
  const classes = vocabOf("class").filter((v) => v.offered && v.name !== "person");
  const person = kind === "person";
  const object = person ? valueLabel("class", "person") : a.object || t("witness.vehicle");
  const parts = person ? { ...a, vehicle: emptyAccount().vehicle, plate: "" } : { ...a, upper: emptyAccount().upper, lower: emptyAccount().lower, things: [] };
  const text = sentenceOf({ ...parts, object }, language.value);
  const hourBad = a.hour.trim() !== "" && !/^\d{1,2}(\s*[:hH]\s*(\d{2})?)?$/.test(a.hour.trim());
  const dayBad = a.day.trim() !== "" && !/^\d{1,2}\s*[/.-]\s*\d{1,2}$/.test(a.day.trim());
  const ask = (): void => {
    sentence.value = text;
    close();
    void search();
    document.querySelector<HTMLElement>("[role=listbox]")?.focus();
  };
  return (
    <Dialog
      title={t("witness.title")}
      onClose={close}
      wide
      foot={
        <>
          <p class="writes" role="status">
            <small>{t("witness.writes")}</small> <b>{text}</b>
          </p>
          <span class="sp" />
          <button class="btn" type="button" onClick={close}>
            {t("cancel")}
          </button>
          <button class="btn pri" type="submit" form="witness" disabled={hourBad || dayBad}>
            {t("query.run")}
          </button>
        </>
      }
    >
      <form
        id="witness"
        noValidate
        class="witness"
        onSubmit={(e) => {
          e.preventDefault();
          if (!hourBad && !dayBad) ask();
        }}
      >
        <p class="hint">{t("witness.text")}</p>
        <div class="seg" role="group" aria-label={t("witness.what")}>
          {(["person", "vehicle"] as const).map((k) => (
            <button key={k} type="button" aria-pressed={kind === k} onClick={() => setKind(k)}>
              {t(`witness.${k}`)}
            </button>
          ))}
        </div>
        {person ? (
          <>
            <Colours field="upper_colour" title={t("witness.upper")} part={a.upper} onPart={(p) => set({ ...a, upper: p })} />
            <Colours field="lower_colour" title={t("witness.lower")} part={a.lower} onPart={(p) => set({ ...a, lower: p })} />
            <Things account={a} set={set} />
          </>
        ) : (
          <>
            <fieldset>
              <legend>{t("witness.kind")}</legend>
              <div class="chips">
                {classes.map((v) => {
                  const label = valueLabel("class", v.name);
                  return (
                    <button key={v.name} class="opt" type="button" aria-pressed={a.object === label} onClick={() => set({ ...a, object: a.object === label ? "" : label })}>
                      <span>{label}</span>
                    </button>
                  );
                })}
              </div>
            </fieldset>
            <Colours field="vehicle_colour" title={t("witness.colour")} part={a.vehicle} onPart={(p) => set({ ...a, vehicle: p })} />
            {allowed("vehicle.plate") && (
              <TextField label={t("witness.plate")} note={t("plate.hint")} optional value={a.plate} onValue={(plate) => set({ ...a, plate })} mono maxLength={16} />
            )}
          </>
        )}
        <fieldset>
          <legend>{t("witness.when")}</legend>
          <div class="whens">
            <TextField
              label={t("witness.day")}
              optional
              value={a.day}
              onValue={(day) => set({ ...a, day })}
              placeholder={c ? fieldText(c.from_ms, tz.value).slice(0, 5) : ""}
              inputMode="numeric"
              maxLength={5}
              error={dayBad ? t("witness.day.bad") : null}
            />
            <TextField
              label={t("witness.hour")}
              optional
              value={a.hour}
              onValue={(hour) => set({ ...a, hour })}
              placeholder="02:00"
              maxLength={6}
              error={hourBad ? t("witness.hour.bad") : null}
            />
            <div class="field">
              <label for="plus-minus">{t("witness.plusminus", { n: a.plusMinusMin })}</label>
              <input
                id="plus-minus"
                type="range"
                min={5}
                max={180}
                step={5}
                value={a.plusMinusMin}
                disabled={!a.hour.trim()}
                onInput={(e) => set({ ...a, plusMinusMin: Number(e.currentTarget.value) })}
              />
            </div>
          </div>
        </fieldset>
        <TextField label={t("witness.place")} note={t("witness.place.note")} optional value={a.place} onValue={(place) => set({ ...a, place })} />
      </form>
    </Dialog>
  );
}
