/* SPDX-License-Identifier: Apache-2.0 */
/* The sightings as cards, and as lanes of cameras over time; both are one list box over the same selection. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Attribute, Sighting } from "../api";
import { thumbUrl } from "../api";
import { isColourField } from "../colours";
import { language, number, t } from "../i18n";
import { Icon } from "../icons";
import { cameraName, openCase, tz, valueLabel } from "../state";
import { clock, clockSeconds } from "../time";
import { type Span, ticks } from "./bins";
import { actKey, sheetShown } from "./acts";
import { decisionOf } from "./decisions";
import { type Row, rows, shownIds, togglePile } from "./list";
import { Marks } from "./marks";
import { PlateTag } from "./plate";
import { playerKey } from "./player";
import { answer, selectedId } from "./question";
import { Swatch } from "./tokens";

export type Level = "strong" | "medium" | "weak";
export function levelOf(s: Sighting): Level {
  const l = s.match?.level;
  return l === "strong" || l === "medium" || l === "weak" ? l : "medium";
}

export function Confidence({ level }: { level: Level }): JSX.Element {
  const n = level === "strong" ? 3 : level === "medium" ? 2 : 1;
  const word = t(`level.${level}`);
  return (
    <span class="rel" title={t("level.title", { level: word })}>
      <u aria-hidden="true">
        <i class={n > 0 ? "on" : ""} />
        <i class={n > 1 ? "on" : ""} />
        <i class={n > 2 ? "on" : ""} />
      </u>
      {word}
    </span>
  );
}

/* What a card says of its sighting: what was decided, best first; the undecided stays in the panel. */
export const shownAttributes = (s: Sighting): Attribute[] =>
  s.attrs.filter((a) => a.v !== "unknown" && a.v !== "not_estimated");

/* "haut rouge": a garment's colour needs its garment, a vehicle's does not. */
function AttributeText({ a }: { a: Attribute }): JSX.Element {
  const label = valueLabel(a.k, a.v);
  const prefix = a.k === "upper_colour" ? t("field.upper_colour") : a.k === "lower_colour" ? t("field.lower_colour") : "";
  return (
    <span class={a.sure === false ? "unsure" : undefined}>
      {prefix && <em>{prefix}</em>}
      {isColourField(a.k) && <Swatch name={a.v} />}
      {label}
    </span>
  );
}

/* The place of a card in its pile is part of what it says; a decision redraws only the card itself. */
function Card({ s, more, of, chosen }: Row & { chosen: boolean }): JSX.Element {
  const c = openCase.value;
  const rejected = decisionOf(s)?.state === "rejected";
  return (
    <li
      id={`s-${s.id}`}
      class={`card${more > 0 ? " pile" : ""}${of > 1 ? " opened" : ""}${rejected ? " out" : ""}`}
      role="option"
      aria-selected={chosen}
      onClick={() => {
        selectedId.value = s.id;
        sheetShown.value = true;
      }}
    >
      <div class="th">
        {c && <img src={thumbUrl(c.id, s.id)} alt="" loading="lazy" decoding="async" />}
        <Marks s={s} />
        <span class="osd m">
          {clock(s.best_ms || s.from_ms, tz.value, language.value)} <b>{s.camera_id}</b>
        </span>
        {(more > 0 || of > 1) && (
          <span
            class="osd near"
            title={t("pile.title", { n: number(more > 0 ? more : of - 1) })}
            onClick={(e) => {
              e.stopPropagation();
              togglePile(s.id);
            }}
          >
            <Icon name="pile" /> {more > 0 ? t("pile.more", { n: number(more) }) : t("pile.of", { n: number(of) })}
          </span>
        )}
      </div>
      <div class="cb">
        <div class="r1">
          {s.plate ? <PlateTag plate={s.plate} /> : <b>{valueLabel("class", s.kind)}</b>}
          <Confidence level={levelOf(s)} />
        </div>
        <div class="at">
          {s.plate && <span>{valueLabel("class", s.kind)}</span>}
          {shownAttributes(s)
            .filter((a) => a.k !== "class")
            .map((a) => (
              <AttributeText key={`${a.k} ${a.v}`} a={a} />
            ))}
        </div>
        <div class="loc">{cameraName(s.camera_id)}</div>
      </div>
    </li>
  );
}

/* Arrow keys over a grid whose number of columns is whatever fits. */
function columnsOf(list: HTMLElement): number {
  const first = list.children[0] as HTMLElement | undefined;
  if (!first) return 1;
  const top = first.offsetTop;
  let n = 0;
  for (const child of list.children) {
    if ((child as HTMLElement).offsetTop !== top) break;
    n++;
  }
  return Math.max(1, n);
}

export function move(ids: readonly string[], current: string | null, key: string, columns: number): string | null {
  const at = current ? ids.indexOf(current) : -1;
  const last = ids.length - 1;
  if (last < 0) return null;
  const step: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key === "Home") return ids[0] ?? null;
  if (key === "End") return ids[last] ?? null;
  const by = step[key];
  if (by === undefined) return null;
  const to = at < 0 ? 0 : at + by;
  if (to < 0 || to > last) return by > 0 && at < last && columns > 1 && by === columns ? (ids[last] ?? null) : null;
  return ids[to] ?? null;
}

/* Moves, decides or drives the player; true when the key was one of these. Enter brings the sheet up where the
 * window is narrow. */
function listKey(e: KeyboardEvent, ids: readonly string[], columns: number): boolean {
  const to = move(ids, selectedId.value, e.key, columns);
  if (to) selectedId.value = to;
  if (e.key === "Enter" && !sheetShown.value) sheetShown.value = true;
  return to !== null || actKey(e) || playerKey(e);
}

export function Cards(): JSX.Element {
  const items = answer.value?.items ?? [];
  const current = selectedId.value;
  const list = useRef<HTMLUListElement>(null);
  /* People stand, vehicles lie: the pictures of what most of the answer is fill their cards. */
  const tall = items.filter((s) => s.kind === "person").length * 2 > items.length;
  useEffect(() => {
    if (current) document.getElementById(`s-${current}`)?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    <ul
      ref={list}
      class={tall ? "grid tall" : "grid"}
      role="listbox"
      aria-label={t("result.list")}
      tabIndex={0}
      aria-activedescendant={current ? `s-${current}` : undefined}
      onKeyDown={(e) => {
        if (list.current && listKey(e, shownIds.value, columnsOf(list.current))) e.preventDefault();
      }}
    >
      {rows.value.map(({ s, more, of }) => (
        <Card key={s.id} s={s} more={more} of={of} chosen={s.id === current} />
      ))}
    </ul>
  );
}

export function Lanes(): JSX.Element {
  const items = answer.value?.items ?? [];
  const current = selectedId.value;
  const zone = tz.value;
  const from = Math.min(...items.map((s) => s.from_ms));
  const to = Math.max(...items.map((s) => s.to_ms));
  const margin = Math.max((to - from) * 0.02, 1000);
  const domain: Span = { from_ms: from - margin, to_ms: to + margin };
  const length = domain.to_ms - domain.from_ms;
  const x = (ms: number): string => `${((ms - domain.from_ms) / length) * 100}%`;
  const ordered = [...items].sort((a, b) => a.from_ms - b.from_ms);
  const ofCamera = new Map<string, Sighting[]>(items.map((s) => [s.camera_id, []]));
  for (const s of ordered) ofCamera.get(s.camera_id)?.push(s);
  const lanes = [...ofCamera.keys()];
  /* Sightings of one camera that overlap lie in rows of their own. */
  const rows = (camera: string): Sighting[][] => {
    const out: Sighting[][] = [];
    for (const s of ofCamera.get(camera) ?? []) {
      const free = out.find((r) => (r[r.length - 1]?.to_ms ?? 0) + length * 0.002 < s.from_ms);
      if (free) free.push(s);
      else out.push([s]);
    }
    return out;
  };
  return (
    <div
      class="lanes"
      role="listbox"
      aria-label={t("result.list")}
      tabIndex={0}
      aria-activedescendant={current ? `s-${current}` : undefined}
      onKeyDown={(e) => {
        if (listKey(e, ordered.map((s) => s.id), 1)) e.preventDefault();
      }}
    >
      <div class="lane-axis" aria-hidden="true">
        <span />
        <div>
          {ticks(domain, 8).map((ms) => (
            <span key={ms} class="m" style={{ left: x(ms) }}>
              {clockSeconds(ms, zone)}
            </span>
          ))}
        </div>
      </div>
      {lanes.map((camera) => (
        <div class="lane" role="group" aria-label={camera} key={camera}>
          <span>
            <b>{camera}</b> {cameraName(camera)}
          </span>
          <div>
            {rows(camera).map((row, i) => (
              <div class="row" key={i}>
                {row.map((s) => (
                  <div
                    key={s.id}
                    id={`s-${s.id}`}
                    class={`seg-bar ${levelOf(s)} ${decisionOf(s)?.state ?? ""}`}
                    role="option"
                    aria-selected={s.id === current}
                    aria-label={`${clock(s.from_ms, zone, language.value)} ${valueLabel("class", s.kind)}`}
                    style={{ left: x(s.from_ms), width: `${Math.max(0.4, ((s.to_ms - s.from_ms) / length) * 100)}%` }}
                    onClick={() => {
                      selectedId.value = s.id;
                      sheetShown.value = true;
                    }}
                  />
                ))}
              </div>
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
