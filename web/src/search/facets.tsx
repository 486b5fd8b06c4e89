/* SPDX-License-Identifier: Apache-2.0 */
/* The left column: period, and what occurs in the answer, each with its count. A click writes words into the
 * sentence or takes them out. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isColourField } from "../colours";
import { number, t } from "../i18n";
import { cameraName, openCase, tz, valueLabel, vocabOf } from "../state";
import { fieldText, parseField } from "../time";
import { withWords } from "../words";
import { answer, cameras, period, search, sentence, setPeriod, toggleCamera } from "./question";
import { remove, Swatch } from "./tokens";

const shown = ["class", "upper_colour", "lower_colour", "vehicle_colour", "accessory"] as const;
type Field = (typeof shown)[number];

function PeriodFields(): JSX.Element | null {
  const c = openCase.value;
  const p = period.value;
  const zone = tz.value;
  const from = p?.from_ms ?? c?.from_ms ?? 0;
  const to = p?.to_ms ?? c?.to_ms ?? 0;
  const [texts, setTexts] = useState({ from: "", to: "" });
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    setTexts({ from: fieldText(from, zone), to: fieldText(to, zone) });
    setProblem(null);
  }, [from, to, zone]);
  if (!c) return null;
  const apply = (): void => {
    if (texts.from === fieldText(from, zone) && texts.to === fieldText(to, zone)) return;
    const a = parseField(texts.from, zone, c.from_ms, c.to_ms);
    const b = parseField(texts.to, zone, c.from_ms, c.to_ms);
    if (a === null || b === null) setProblem(t("facet.period.bad", { example: fieldText(c.from_ms, zone) }));
    else if (b <= a) setProblem(t("facet.period.order"));
    else if (a < c.from_ms || b > c.to_ms) setProblem(t("facet.period.outside"));
    else {
      setProblem(null);
      setPeriod(a === c.from_ms && b === c.to_ms ? null : { from_ms: a, to_ms: b });
    }
  };
  const field = (name: "from" | "to"): JSX.Element => (
    <>
      <label for={`period-${name}`}>{t(`facet.${name}`)}</label>
      <input
        id={`period-${name}`}
        class="fld m"
        inputMode="numeric"
        autocomplete="off"
        value={texts[name]}
        placeholder={t("facet.period.hint")}
        aria-invalid={problem ? "true" : undefined}
        aria-describedby="period-note"
        onInput={(e) => setTexts({ ...texts, [name]: e.currentTarget.value })}
        onBlur={apply}
        onKeyDown={(e) => e.key === "Enter" && apply()}
      />
    </>
  );
  return (
    <section aria-labelledby="facet-period">
      <h2 id="facet-period">
        {t("facet.period")} <span>{t("facet.period.hint")}</span>
      </h2>
      <div class="per">
        {field("from")}
        {field("to")}
      </div>
      <p id="period-note" class={problem ? "hint warn-t" : "hint"} role={problem ? "alert" : undefined}>
        {problem}
      </p>
      {p && (
        <button class="link" type="button" onClick={() => setPeriod(null)}>
          {t("facet.period.reset")}
        </button>
      )}
    </section>
  );
}

function words(field: Field, value: string): string {
  const label = valueLabel(field, value).toLowerCase();
  if (field === "upper_colour") return t("words.upper", { value: label });
  if (field === "lower_colour") return t("words.lower", { value: label });
  return label;
}

function FieldFacet({ field }: { field: Field }): JSX.Element | null {
  const counts = answer.value?.facets[field] ?? {};
  const tokens = answer.value?.tokens ?? [];
  const rows = vocabOf(field).filter((v) => v.offered && v.name in counts);
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby={`facet-${field}`}>
      <h2 id={`facet-${field}`}>{t(`facet.${field}`)}</h2>
      <div class="opts">
        {rows.map((v) => {
          const n = counts[v.name] ?? 0;
          const token = tokens.find((k) => k.field === field && k.value === v.name);
          const label = valueLabel(field, v.name);
          return (
            <button
              key={v.name}
              type="button"
              class={n === 0 ? "opt z" : "opt"}
              aria-pressed={token !== undefined}
              onClick={() => {
                if (token) {
                  remove(token);
                } else {
                  sentence.value = withWords(sentence.value, words(field, v.name));
                  void search();
                }
              }}
            >
              {isColourField(field) && <Swatch name={v.name} />}
              <span title={label}>{label}</span>
              <i>
                {number(n)}
                <span class="vh"> {t("facet.count")}</span>
              </i>
            </button>
          );
        })}
      </div>
    </section>
  );
}

function CameraFacet(): JSX.Element | null {
  const c = openCase.value;
  if (!c || c.camera_ids.length < 2) return null;
  const chosen = cameras.value;
  return (
    <section aria-labelledby="facet-cameras">
      <h2 id="facet-cameras">
        {t("facet.cameras")}{" "}
        <span>
          {number(chosen.size || c.camera_ids.length)} / {number(c.camera_ids.length)}
        </span>
      </h2>
      <div class="opts one">
        {c.camera_ids.map((id) => (
          <button key={id} type="button" class="opt" aria-pressed={chosen.has(id)} onClick={() => toggleCamera(id)}>
            <b>{id}</b> <span>{cameraName(id)}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

export function Facets(): JSX.Element {
  return (
    <aside class="fac" aria-label={t("facet.title")} tabIndex={0}>
      <PeriodFields />
      {shown.map((f) => (
        <FieldFacet key={f} field={f} />
      ))}
      <CameraFacet />
      {!answer.value && <p class="hint pad">{t("facet.none")}</p>}
    </aside>
  );
}
