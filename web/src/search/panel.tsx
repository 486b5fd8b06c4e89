/* SPDX-License-Identifier: Apache-2.0 */
/* The right column: the passage in motion, what can be decided and asked about it, why it answers the question, and
 * what the machine proposes with its second guesses. Below 1180 px it is a sheet over the list. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Attribute, frameUrl, type Sighting } from "../api";
import { isColourField } from "../colours";
import { language, number, t } from "../i18n";
import { Icon, type IconName } from "../icons";
import { cameraName, errorText, fieldLabel, openCase, tz, valueLabel } from "../state";
import { clock, day, dayAndTime, duration } from "../time";
import { withWords } from "../words";
import { type Act, act, actKey, letterOf, neighboursShown, offered, sheetShown } from "./acts";
import { Confidence, levelOf } from "./cards";
import { decisionOf, exhibitOf } from "./decisions";
import { words } from "./facets";
import { PlateChars, PlateTag } from "./plate";
import { Controls, detail, failed, playerKey, purged, Screen, Scrub, usePlayed } from "./player";
import { answer, askPlate, search, selected, sentence } from "./question";
import { stillsFailed } from "./stills";
import { Swatch } from "./tokens";
import { type Reason, reasons } from "./why";

const icons: Readonly<Partial<Record<Act, IconName>>> = {
  confirm: "check",
  reject: "cross",
  unsure: "warn",
  add: "lock",
  similar: "alike",
  route: "route",
  together: "together",
  area: "area",
  neighbours: "cameras",
};

function Button({ name, s, kind, pressed }: { name: Act; s: Sighting; kind?: string; pressed?: boolean }): JSX.Element | null {
  if (!offered(name, s)) return null;
  const icon = icons[name];
  return (
    <button class={`btn ${kind ?? ""}`} type="button" aria-pressed={pressed} onClick={() => act(name)}>
      {icon && <Icon name={icon} />} <span>{t(`act.${name}`)}</span> <kbd aria-hidden="true">{letterOf(name)}</kbd>
    </button>
  );
}

function Decide({ s }: { s: Sighting }): JSX.Element {
  const d = decisionOf(s);
  const inFile = exhibitOf(s) !== null;
  return (
    <section class="decide" aria-label={t("decide.title")}>
      <div class="acts">
        <Button name="confirm" s={s} kind="ok" pressed={d?.state === "confirmed"} />
        <Button name="reject" s={s} pressed={d?.state === "rejected"} />
        <Button name="unsure" s={s} pressed={d?.state === "undecided"} />
        <Button name="add" s={s} kind="file" pressed={inFile} />
      </div>
      {d && (
        <p class="hint">
          {t("decide.now", {
            state: t(`mark.${d.state}`),
            who: d.by,
            when: dayAndTime(d.at_ms, tz.value, language.value),
          })}
          {d.reason && ` ${t("ask.oldreason", { reason: d.reason })}`}
        </p>
      )}
      <div class="acts more-acts">
        <Button name="similar" s={s} />
        <Button name="route" s={s} />
        <Button name="together" s={s} />
        <Button name="area" s={s} />
        <Button name="neighbours" s={s} pressed={neighboursShown.value} />
        {s.plate && (
          <button class="btn" type="button" onClick={() => askPlate(s.plate?.text ?? "")}>
            <Icon name="search" /> <span>{t("act.plate")}</span>
          </button>
        )}
        {openCase.value && (
          <a class="btn" href={frameUrl(openCase.value.id, s.id)} target="_blank" rel="noreferrer">
            <Icon name="picture" /> <span>{t("player.frame")}</span>
          </a>
        )}
      </div>
    </section>
  );
}

/* Each asked word against what was read: never one number for the whole. */
function Why({ s }: { s: Sighting }): JSX.Element | null {
  const list = reasons(s, answer.value?.tokens ?? []);
  if (list.length === 0) return null;
  const line = (r: Reason): JSX.Element => {
    const value = r.value ? valueLabel(r.field, r.value) : "";
    return (
      <li key={`${r.field} ${r.how} ${r.value}`} class={`why ${r.how}`}>
        <Icon name={r.how === "first" || r.how === "absent" ? "check" : r.how === "other" ? "cross" : "warn"} />
        <span>
          <em>{fieldLabel(r.field)}</em> {isColourField(r.field) && r.value && <Swatch name={r.value} />}
          {t(`why.how.${r.how}`, { value, n: number(r.p), asked: r.token.label ?? r.token.text })}
        </span>
      </li>
    );
  };
  return (
    <section aria-labelledby="why-title">
      <h2 id="why-title">
        {t("why.title")} <Confidence level={levelOf(s)} />
      </h2>
      <ul>{list.map(line)}</ul>
      {s.match?.plate_slips !== undefined && s.match.plate_slips > 0 && (
        <p class="hint">{t("why.plate", { n: number(s.match.plate_slips) })}</p>
      )}
    </section>
  );
}

function Bar({ p }: { p: number }): JSX.Element {
  return (
    <dd class="cf">
      <u aria-hidden="true">
        <i style={{ width: `${p}%` }} />
      </u>
      <span>{t("detail.score", { n: number(p) })}</span>
    </dd>
  );
}

/* What it could be as well: a press asks for that instead. */
function Guesses({ a }: { a: Attribute }): JSX.Element | null {
  if (!a.alt?.length) return null;
  return (
    <span class="alt">
      {a.alt.map((o) => {
        const label = valueLabel(a.k, o.v);
        const text = words(a.k, o.v);
        return (
          <button
            key={o.v}
            class="link small"
            type="button"
            disabled={o.v === "unknown" || o.v === "not_estimated"}
            title={t("attr.ask", { what: text })}
            onClick={() => {
              sentence.value = withWords(sentence.value, text);
              void search();
            }}
          >
            {t("attr.maybe", { what: label })} {t("detail.score", { n: number(o.p) })}
          </button>
        );
      })}
    </span>
  );
}

function Facts({ s }: { s: Sighting }): JSX.Element {
  const d = detail.value;
  const lang = language.value;
  return (
    <section aria-labelledby="facts-title">
      <h2 id="facts-title">{t("detail.title")}</h2>
      <dl class="dl">
        <dt>{t("detail.camera")}</dt>
        <dd class="two-col">
          <b>{s.camera_id}</b> {cameraName(s.camera_id)}
        </dd>
        <dt>{t("detail.passage")}</dt>
        <dd class="two-col m">
          {day(s.from_ms, tz.value, lang)} {clock(s.from_ms, tz.value, lang)} · {duration(s.to_ms - s.from_ms, lang)}
        </dd>
        <dt>{fieldLabel("class")}</dt>
        <dd>{valueLabel("class", s.kind)}</dd>
        <Bar p={s.confidence} />
        {(d ?? s).attrs.map((a) => {
          const known = a.v !== "unknown" && a.v !== "not_estimated";
          return (
            <>
              <dt>{fieldLabel(a.k)}</dt>
              <dd class={known ? "" : "dim"}>
                {known && isColourField(a.k) && <Swatch name={a.v} />}
                {valueLabel(a.k, a.v)}
                <Guesses a={a} />
              </dd>
              {known ? <Bar p={a.p} /> : <dd />}
            </>
          );
        })}
        {d && (
          <>
            <dt>{t("detail.recording")}</dt>
            <dd class="two-col dim">
              {d.recording.w_px} × {d.recording.h_px} · {t("detail.fps", { n: number(d.recording.fps_milli / 1000, 0) })} ·{" "}
              {d.recording.codec}
            </dd>
          </>
        )}
      </dl>
      {s.plate && (
        <div class="plate-box">
          <PlateTag plate={s.plate} />
          <PlateChars plate={s.plate} />
        </div>
      )}
      <p class="hint">{t("player.proposal")}</p>
    </section>
  );
}

function Gone(): JSX.Element {
  return (
    <div class="fault" role="alert">
      <Icon name="warn" />
      <p>
        {t("player.purged")}{" "}
        <button class="link" type="button" onClick={() => void search()}>
          {t("player.purged.again")}
        </button>
      </p>
    </div>
  );
}

/* The neighbours' pictures are fetched as code when first asked for. */
function Neighbours(): JSX.Element | null {
  const [found, setFound] = useState<ComponentType | null>(null);
  const shown = neighboursShown.value;
  useEffect(() => {
    if (shown && !found) void import("./neighbours").then((m) => setFound(() => m.Neighbours));
  }, [shown]);
  const Found = found;
  return shown && Found ? <Found /> : null;
}

export function Panel(): JSX.Element {
  usePlayed();
  const s = selected.value;
  if (!s)
    return (
      <aside class="ins" aria-label={t("player.title")}>
        <p class="hint pad">{t("player.choose")}</p>
      </aside>
    );
  return (
    <aside
      class={sheetShown.value ? "ins up" : "ins"}
      aria-label={t("player.title")}
      tabIndex={0}
      onKeyDown={(e) => {
        if (e.key === "Escape" && sheetShown.value) {
          closeSheet();
          return;
        }
        const onControl = e.target instanceof HTMLElement && /^(BUTTON|SELECT|INPUT|A)$/.test(e.target.tagName);
        const typing = e.target instanceof HTMLElement && /^(SELECT|INPUT|TEXTAREA)$/.test(e.target.tagName);
        if (onControl && (e.key === " " || e.key === "Enter")) return;
        if ((!typing && actKey(e)) || playerKey(e)) e.preventDefault();
      }}
    >
      <button class="ib sheet-close" type="button" aria-label={t("player.close")} onClick={closeSheet}>
        <Icon name="cross" />
      </button>
      <Screen />
      <Scrub />
      <Controls />
      {purged.value && <Gone />}
      {failed.value && !purged.value && (
        <p class="fault" role="alert">
          <Icon name="warn" /> {t(stillsFailed.value ? "player.nothing" : "player.stills")} {errorText(failed.value)}
        </p>
      )}
      <Neighbours />
      <Decide s={s} />
      <Why s={s} />
      <Facts s={s} />
    </aside>
  );
}

function closeSheet(): void {
  sheetShown.value = false;
  document.querySelector<HTMLElement>("[role=listbox]")?.focus();
}
