/* SPDX-License-Identifier: Apache-2.0 */
/* The left column: period, and what occurs in the answer, each with its count. A click writes words into the
 * sentence or takes them out. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isColourField } from "../colours";
import { number, t } from "../i18n";
import { openCase, tz, valueLabel, vocabOf } from "../state";
import { fieldText, parseField } from "../time";
import { withWords } from "../words";
import { accuracy, Reliability, ReliabilityDialog, reliabilityShown } from "./accuracy";
import { allowed } from "./acts";
import { CameraFacet } from "./cameras";
import { answer, period, search, sentence, setPeriod } from "./question";
import { remove, Swatch } from "./tokens";

const shown = [
  "class",
  "vehicle_colour",
  "vehicle_type",
  "make_model",
  "upper_colour",
  "upper_kind",
  "lower_colour",
  "lower_kind",
  "accessory",
] as const;
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

/* A value as words of the sentence: a garment's colour needs its garment. */
export function words(field: string, value: string): string {
  const label = valueLabel(field, value).toLowerCase();
  if (field === "upper_colour") return t("words.upper", { value: label });
  if (field === "lower_colour") return t("words.lower", { value: label });
  return label;
}

/* The kind can be chosen at any time; colours also when nothing was found, or the mouse could not go on. */
function always(field: Field): boolean {
  if (field === "class") return true;
  const a = answer.value;
  if (!a || a.total > 0 || !isColourField(field)) return false;
  const person = a.tokens.some((k) => k.field === "class" && k.value === "person");
  const vehicle = a.tokens.some((k) => k.field === "plate" || (k.field === "class" && k.value !== "person"));
  return field === "vehicle_colour" ? !person : !vehicle;
}

function FieldFacet({ field }: { field: Field }): JSX.Element | null {
  const counts = answer.value?.facets[field] ?? {};
  const tokens = answer.value?.tokens ?? [];
  const rows = vocabOf(field).filter((v) => v.offered && (v.name in counts || (always(field) && allowed(v.criterion))));
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
              <Reliability field={field} value={v.name} />
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

/* A plate, whole or in part, as one word of the sentence. */
function PlateFacet(): JSX.Element | null {
  const token = answer.value?.tokens.find((k) => k.field === "plate");
  const read = token?.text ?? "";
  const [typed, setTyped] = useState(read);
  const [bad, setBad] = useState(false);
  useEffect(() => setTyped(read), [read]);
  if (!allowed("vehicle.plate")) return null;
  const apply = (): void => {
    const text = typed.trim().toUpperCase();
    if (text === read.toUpperCase()) return;
    const ok = /^[A-Z0-9?*\- ]{0,16}$/.test(text);
    setBad(!ok);
    if (!ok) return;
    if (token) remove(token, false);
    sentence.value = withWords(sentence.value, text ? `${t("field.plate")} ${text}` : "");
    void search();
  };
  return (
    <section aria-labelledby="facet-plate">
      <h2 id="facet-plate">
        {t("facet.plate")} <span>{t("plate.hint")}</span>
      </h2>
      <input
        class="fld mono"
        aria-labelledby="facet-plate"
        autocomplete="off"
        spellcheck={false}
        maxLength={16}
        placeholder="FK-4?8-QT"
        value={typed}
        aria-invalid={bad ? "true" : undefined}
        onInput={(e) => setTyped(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Enter" && apply()}
        onBlur={apply}
      />
      {bad && (
        <p class="hint warn-t" role="alert">
          {t("facet.plate.bad")}
        </p>
      )}
    </section>
  );
}

export function Facets(): JSX.Element {
  return (
    <aside class="fac" aria-label={t("facet.title")} tabIndex={0}>
      <PlateFacet />
      <PeriodFields />
      {shown.map((f) => (
        <FieldFacet key={f} field={f} />
      ))}
      {accuracy.value && (
        <p class="hint pad">
          {t("accuracy.legend")}{" "}
          <button class="link small" type="button" onClick={() => (reliabilityShown.value = true)}>
            {t("accuracy.open")}
          </button>
        </p>
      )}
      <CameraFacet />
      <ReliabilityDialog />
      {!answer.value && <p class="hint pad">{t("facet.none")}</p>}
    </aside>
  );
}
