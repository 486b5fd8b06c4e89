/* SPDX-License-Identifier: Apache-2.0 */
/* How the sentence was understood, word by word; each token can be taken out again. */
import type { JSX } from "preact";
import type { Token } from "../api";
import { isColourField, swatch } from "../colours";
import { language, number, t, tOr } from "../i18n";
import { Icon } from "../icons";
import { cameraName, fieldLabel, tz, valueLabel } from "../state";
import { clock, hourMinute, dayAndTime, sameDay } from "../time";
import { spanOf, withoutSpan, withoutWords } from "../words";
import {
  answer,
  area,
  asked,
  before,
  cameras,
  clearSearch,
  goBack,
  like,
  period,
  type Reference,
  search,
  searchError,
  sentence,
  together,
} from "./question";

export function Swatch({ name }: { name: string }): JSX.Element {
  const colour = swatch(name);
  return <i class={colour ? "sw" : "sw none"} style={colour ? { backgroundColor: colour } : undefined} aria-hidden="true" />;
}

/* "haut rouge": the field says what the value is of. */
export const wordsOf = (token: Token): string =>
  `${token.not ? `${t("token.not")} ` : ""}${fieldLabel(token.field)} ${valueLabel(token.field, token.value) || token.text}`;

/* Takes the token's words out: by their place while the sentence is the one that was read, else by their text. */
export function remove(token: Token, ask = true): void {
  const a = answer.value ?? searchError.value?.body;
  if (sentence.value.trim() === asked.value) {
    const span = spanOf(asked.value, token, a?.tokens ?? [], language.value, a?.ignored ?? []);
    sentence.value = withoutSpan(asked.value, span.at, span.n);
  } else {
    sentence.value = withoutWords(sentence.value, token.text);
  }
  if (ask) void search();
}
function removeWord(word: string): void {
  sentence.value = withoutWords(sentence.value, word);
  void search();
}

function Cross({ what, onClick }: { what: string; onClick: () => void }): JSX.Element {
  return (
    <button type="button" aria-label={t("query.remove", { what })} title={t("query.remove", { what })} onClick={onClick}>
      <Icon name="cross" />
    </button>
  );
}

/* "haut rouge", "sauf camion", "peut-être casquette"; a token that filters nothing says why. */
function Known({ token }: { token: Token }): JSX.Element {
  const label = token.values ? token.values.map((v) => valueLabel(v.field, v.value)) : [token.text || token.value];
  const text = [...new Set(label)].join(", ");
  const filters = token.state === "ok" || token.state === "ranks";
  const how = token.not ? "token.not" : token.only ? "token.only" : token.state === "ranks" ? "token.maybe" : null;
  const note = token.note ? tOr(`note.${token.note}`, "") : "";
  const readings = token.readings?.map((r) => r.label ?? r.text).join(", ");
  return (
    <li class={filters ? "tok" : "tok bad"} title={note || undefined}>
      <span>
        <em>{filters ? fieldLabel(token.field) : tOr(`token.${token.state}`, token.state)}</em>
        {how && <em>{t(how)}</em>}
        {isColourField(token.field) && <Swatch name={token.value} />}
        {text}
        {readings && <small> {t("token.readings", { what: readings })}</small>}
        {note && !filters && <small> · {note}</small>}
        {token.corrected && <small> ({token.text})</small>}
      </span>
      {token.n > 0 && <Cross what={token.text} onClick={() => remove(token)} />}
    </li>
  );
}

function Odd({ what, word }: { what: string; word: string }): JSX.Element {
  return (
    <li class="tok bad">
      <span>
        <em>{what}</em>
        {word}
      </span>
      <Cross what={word} onClick={() => removeWord(word)} />
    </li>
  );
}

/* What is asked beside the sentence: a passage, an area, cameras; each can be taken out like a word. */
function Beside(): JSX.Element {
  const lang = language.value;
  const when = (r: Reference): string => `${r.camera_id} ${r.best_ms > 0 ? clock(r.best_ms, tz.value, lang) : ""}`.trim() || r.sighting_id;
  const chip = (what: string, text: string, out: () => void): JSX.Element => (
    <li key={what} class="tok">
      <span>
        <em>{what}</em>
        {text}
      </span>
      <Cross
        what={`${what} ${text}`}
        onClick={() => {
          out();
          void search();
        }}
      />
    </li>
  );
  const some = cameras.value;
  return (
    <>
      {like.value && chip(t("token.like"), when(like.value), () => (like.value = null))}
      {together.value &&
        chip(t("token.together"), `${when(together.value)} ${t("token.within", { n: together.value.within_s })}`, () => (together.value = null))}
      {area.value && chip(t("token.area"), area.value.camera_id, () => (area.value = null))}
      {some.size > 0 &&
        chip(
          t("token.cameras"),
          some.size === 1 ? `${[...some][0] ?? ""} ${cameraName([...some][0] ?? "")}` : number(some.size),
          () => (cameras.value = new Set()),
        )}
    </>
  );
}

export function Tokens(): JSX.Element {
  const a = answer.value ?? searchError.value?.body ?? null;
  const tokens = a?.tokens ?? [];
  const ignored = a?.ignored ?? [];
  const refused = a?.refused ?? [];
  const p = period.value;
  const beside = like.value ?? together.value ?? area.value ?? (cameras.value.size > 0 || null);
  const nothing = tokens.length + ignored.length + refused.length === 0 && !p && beside === null;
  const stale = answer.value !== null && sentence.value.trim() !== asked.value;
  return (
    <div class="toks" aria-live="polite">
      <span class="lead" id="readas">
        {t("query.readas")}
      </span>
      <ul aria-labelledby="readas">
        {nothing && answer.value && <li class="lead strong">{t("query.everything")}</li>}
        {tokens.map((k, i) => (
          <Known key={`${k.field} ${k.value} ${i}`} token={k} />
        ))}
        <Beside />
        {p && (
          <li class="tok">
            <span>
              <em>{t("field.time")}</em>
              {dayAndTime(p.from_ms, tz.value, language.value)} –{" "}
              {sameDay(p.from_ms, p.to_ms, tz.value)
                ? hourMinute(p.to_ms, tz.value)
                : dayAndTime(p.to_ms, tz.value, language.value)}
            </span>
            <Cross
              what={t("field.time")}
              onClick={() => {
                period.value = null;
                void search();
              }}
            />
          </li>
        )}
        {ignored.map((w) => (
          <Odd key={w} what={t("query.ignored")} word={w} />
        ))}
        {refused.map((w) => (
          <Odd key={w} what={t("query.refused")} word={w} />
        ))}
      </ul>
      {!nothing && (
        <button
          class="link"
          type="button"
          onClick={() => {
            clearSearch();
            before.value = null;
            void search();
          }}
        >
          {t("query.clear")}
        </button>
      )}
      {before.value && (
        <button class="link" type="button" onClick={goBack}>
          {t("token.back")}
        </button>
      )}
      {stale && <span class="lead">{t("query.stale")}</span>}
    </div>
  );
}
