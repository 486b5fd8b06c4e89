/* SPDX-License-Identifier: Apache-2.0 */
/* Parcours: one vehicle over the cameras on the map, each hop with time, distance and plausible speed, confirmed by
 * hand. Beyond its last hop: where it may have passed next. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Sighting, thumbUrl } from "../api";
import { type ApiError, asApiError } from "../http";
import { language, number, t, tCount } from "../i18n";
import { Icon } from "../icons";
import { CameraMap, spotsOf } from "../map/map";
import { type Place, type Projection } from "../map/geometry";
import { toast } from "../parts/toast";
import { go, place } from "../router";
import { may } from "../session";
import { boot, cameraName, errorText, openCase, tz, valueLabel } from "../state";
import { actKey, letterOf, setNeighbours } from "../search/acts";
import { AskDialog } from "../search/ask";
import { add, decide, decisionOf, exhibitOf } from "../search/decisions";
import { stepper } from "../search/list";
import { Marks } from "../search/marks";
import { PlateTag } from "../search/plate";
import { Controls, failed, playerKey, purged, Screen, Scrub, usePlayed, watchedMs } from "../search/player";
import { visited } from "../search/question";
import { Swatch } from "../search/tokens";
import { Tray } from "../search/tray";
import { clock, clockSeconds, day, duration, hourMinute } from "../time";
import type { Leg } from "./legs";
import { type Hop, type Next, trip, type Trip } from "./trip";
import "../styles/route.css";

const MAX_KMH = 130;
const route = signal<Trip | null>(null);
const problem = signal<ApiError | null>(null);

let running: AbortController | null = null;
async function load(caseId: string, seed: string, maxKmh: number): Promise<void> {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const c = boot.value?.cameras;
  const at = new Map<string, Place>(c?.id.map((id, i) => [id, { lat: c.lat[i] ?? 0, lon: c.lon[i] ?? 0 }]) ?? []);
  try {
    const got = await trip(caseId, seed, maxKmh, (id) => at.get(id), mine.signal);
    if (running !== mine) return;
    route.value = got;
    problem.value = null;
    const known = [...got.hops.map((h) => h.s), ...got.next.flatMap((n) => n.items)];
    if (!known.some((s) => s.id === visited.value?.id)) visited.value = known.find((s) => s.id === seed) ?? known[0] ?? null;
  } catch (e) {
    if (running !== mine || (e as Error).name === "AbortError") return;
    problem.value = asApiError(e);
  }
}

function Look({ s }: { s: Sighting }): JSX.Element {
  const colour = s.attrs.find((a) => a.k === "vehicle_colour" && a.v !== "unknown" && a.v !== "not_estimated");
  return (
    <span class="look">
      {s.plate && <PlateTag plate={s.plate} />}
      <b>{valueLabel("class", s.kind)}</b>
      {colour && (
        <span>
          <Swatch name={colour.v} />
          {valueLabel(colour.k, colour.v)}
        </span>
      )}
    </span>
  );
}

/* Numbers of the hops at each camera; a line through them in order; where it may be next as empty rings. */
function Trace({ p, hops, next }: { p: Projection; hops: readonly Hop[]; next: readonly Next[] }): JSX.Element {
  const spots = new Map(spotsOf([...hops.map((h) => h.s.camera_id), ...next.map((n) => n.camera_id)]).map((s) => [s.id, s]));
  const numbers = new Map<string, number[]>();
  hops.forEach((h, i) => numbers.set(h.s.camera_id, [...(numbers.get(h.s.camera_id) ?? []), i + 1]));
  const legs = hops.slice(1).flatMap((h, i) => {
    const a = spots.get(hops[i]?.s.camera_id ?? "");
    const b = spots.get(h.s.camera_id);
    if (!a || !b || a === b) return [];
    const [x1, y1] = p.point(a);
    const [x2, y2] = p.point(b);
    return [<line key={i} class={h.leg?.flag ? "leg odd" : "leg"} x1={x1} y1={y1} x2={x2} y2={y2} />];
  });
  return (
    <g>
      {legs}
      {next.map((n) => {
        const spot = spots.get(n.camera_id);
        if (!spot || numbers.has(n.camera_id)) return null;
        const [x, y] = p.point(spot);
        return (
          <g key={n.camera_id}>
            <circle class={n.total > 0 ? "maybe" : "maybe none"} cx={x} cy={y} r={16} />
            <text class="name" x={x} y={y + 40}>
              {n.camera_id}
            </text>
          </g>
        );
      })}
      {[...numbers].map(([id, list]) => {
        const spot = spots.get(id);
        if (!spot) return null;
        const [x, y] = p.point(spot);
        const text = list.join("·");
        const here = visited.value?.camera_id === id;
        return (
          <g key={id}>
            <circle class={here ? "stop here" : "stop"} cx={x} cy={y} r={18 + 7 * (text.length - 1)} />
            <text class="no" x={x} y={y + 8}>
              {text}
            </text>
            <text class="name" x={x} y={y + 46}>
              {id}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function LegText({ l }: { l: Leg | null }): JSX.Element {
  if (!l) return <>–</>;
  const lang = language.value;
  return (
    <>
      {l.km !== null && `${number(l.km, l.km < 10 ? 1 : 0)} km, `}
      {duration(Math.max(0, l.minutes * 60e3), lang)}
      {l.flag && (
        <small class="warn-t">
          <Icon name="warn" /> {t(`route.flag.${l.flag}`)}
        </small>
      )}
    </>
  );
}

function Decide({ s }: { s: Sighting }): JSX.Element {
  const d = decisionOf(s);
  const name = `${s.camera_id} ${clockSeconds(s.best_ms, tz.value)}`;
  const button = (state: "confirmed" | "rejected", label: string): JSX.Element => (
    <button
      class={state === "confirmed" ? "btn ok small" : "btn small"}
      type="button"
      aria-label={`${label} ${name}`}
      aria-pressed={d?.state === state}
      onClick={() => void decide(s, state, watchedMs(s.id))}
    >
      {label}
    </button>
  );
  if (!may("decide")) return <>{d ? t(`mark.${d.state}`) : t("route.todecide")}</>;
  return (
    <span class="two-acts">
      {button("confirmed", t("route.confirm"))}
      {button("rejected", t("route.reject"))}
    </span>
  );
}

function Chain({ hops }: { hops: readonly Hop[] }): JSX.Element {
  return (
    <table class="chain">
      <caption class="vh">{t("route.chain")}</caption>
      <thead>
        <tr>
          {(["no", "time", "camera", "link", "leg", "speed", "decision"] as const).map((k) => (
            <th key={k} scope="col">
              {t(`route.${k}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {hops.map((h, i) => (
          <tr key={h.s.id} class={visited.value?.id === h.s.id ? "here" : undefined}>
            <td>{number(i + 1)}</td>
            <td class="m nb">
              <button class="link" type="button" onClick={() => (visited.value = h.s)}>
                {clockSeconds(h.s.best_ms, tz.value)}
              </button>
            </td>
            <td>
              <b>{h.s.camera_id}</b> {cameraName(h.s.camera_id)}
            </td>
            <td class={h.link === "look" || h.link === "plate_fuzzy" ? "warn-t" : undefined}>{t(`route.link.${h.link}`)}</td>
            <td>
              <LegText l={h.leg} />
            </td>
            <td class="nb">{h.leg?.kmh != null && h.leg.km !== 0 ? t("route.kmh", { n: number(h.leg.kmh) }) : "–"}</td>
            <td>
              <Decide s={h.s} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Film({ items, label }: { items: readonly { s: Sighting; no: number | null }[]; label: string }): JSX.Element | null {
  const c = openCase.value;
  const list = useRef<HTMLUListElement>(null);
  const now = visited.value?.id;
  useEffect(() => {
    /* Sideways only: the page itself must not move under the reader. */
    const film = list.current;
    const card = now ? document.getElementById(`h-${now}`) : null;
    if (film && card && film.contains(card)) film.scrollLeft = card.offsetLeft - film.offsetLeft - film.clientWidth / 3;
  }, [now]);
  if (!c || items.length === 0) return null;
  const by: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -items.length, End: items.length };
  return (
    <ul
      ref={list}
      class="film"
      role="listbox"
      aria-label={label}
      aria-orientation="horizontal"
      aria-activedescendant={items.some((x) => x.s.id === now) ? `h-${now}` : undefined}
      tabIndex={0}
      onKeyDown={(e) => {
        const step = by[e.key];
        if (step !== undefined) {
          const at = items.findIndex((x) => x.s.id === now);
          const to = items[Math.min(items.length - 1, Math.max(0, at + step))];
          if (to) visited.value = to.s;
        } else if (!actKey(e) && !playerKey(e)) return;
        e.preventDefault();
      }}
    >
      {items.map(({ s, no }) => (
        <li key={s.id} id={`h-${s.id}`} role="option" aria-selected={s.id === now} class="card" onClick={() => (visited.value = s)}>
          <div class="th">
            <img src={thumbUrl(c.id, s.id)} alt="" loading="lazy" />
            <Marks s={s} />
            <span class="osd m">{clock(s.best_ms, tz.value, language.value)}</span>
          </div>
          <div class="cb">
            <div class="r1">
              <span>
                {no !== null && <b>{number(no)} </b>}
                {s.camera_id}
              </span>
            </div>
            <div class="at">
              <Look s={s} />
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Onward({ next }: { next: readonly Next[] }): JSX.Element | null {
  if (next.length === 0) return null;
  return (
    <section class="onward" aria-labelledby="onward">
      <h2 id="onward">{t("route.next")}</h2>
      <p class="hint">{t("route.next.text")}</p>
      {next
        .filter((n) => n.total > 0)
        .map((n) => (
          <div key={n.camera_id} class="where">
            <p>
              <b>{n.camera_id}</b> {n.camera_name}
              <br />
              <span class="dim m">
                {t("route.next.camera", {
                  km: number(n.km, n.km < 10 ? 1 : 0),
                  from: hourMinute(n.from_ms, tz.value),
                  to: hourMinute(n.to_ms, tz.value),
                })}
                {" · "}
                {t("route.next.total", { n: number(n.total) })}
              </span>
            </p>
            <Film items={n.items.map((s) => ({ s, no: null }))} label={`${t("route.next")} ${n.camera_id}`} />
          </div>
        ))}
      {next.every((n) => n.total === 0) && <p>{t("route.next.none")}</p>}
    </section>
  );
}

function Watch(): JSX.Element {
  usePlayed();
  const s = visited.value;
  return (
    <aside
      class="ins up"
      aria-label={t("player.title")}
      tabIndex={0}
      onKeyDown={(e) => {
        const target = e.target as HTMLElement;
        if (/^(BUTTON|SELECT|INPUT|A)$/.test(target.tagName)) return;
        if (actKey(e) || playerKey(e)) e.preventDefault();
      }}
    >
      <Screen />
      <Scrub />
      <Controls />
      {purged.value && (
        <p class="fault" role="alert">
          <Icon name="warn" /> {t("player.purged")}
        </p>
      )}
      {failed.value && !purged.value && (
        <p class="fault" role="alert">
          <Icon name="warn" /> {t("player.stills")}
        </p>
      )}
      {s && (
        <section class="say">
          <Look s={s} />
          <span class="sp" />
          <Decide s={s} />
        </section>
      )}
      <p class="hint pad">{t("player.proposal")}</p>
    </aside>
  );
}

function Head({ r }: { r: Trip }): JSX.Element {
  const first = r.hops[0]?.s;
  const last = r.hops[r.hops.length - 1]?.s;
  const confirmed = r.hops.filter((h) => decisionOf(h.s)?.state === "confirmed" && exhibitOf(h.s) === null);
  const [adding, setAdding] = useState(false);
  const addAll = async (): Promise<void> => {
    setAdding(true);
    let n = 0;
    for (const h of confirmed) if (await add(h.s, watchedMs(h.s.id))) n++;
    setAdding(false);
    toast(t("route.added", { n: number(n) }));
  };
  return (
    <div class="hd">
      <h1>{t("route.title")}</h1>
      {first && <Look s={first} />}
      {first && last && (
        <span class="dim">
          {day(first.from_ms, tz.value, language.value)} {hourMinute(first.from_ms, tz.value)} – {hourMinute(last.to_ms, tz.value)} ·{" "}
          {tCount("result.count", r.hops.length)} · {t(r.byPlate ? "route.by.plate" : "route.by.look")}
        </span>
      )}
      <span class="sp" />
      <button class="btn" type="button" onClick={() => go("search")}>
        <Icon name="back" /> {t("route.back")}
      </button>
      {may("export_prepare") && (
        <button class="btn file" type="button" disabled={confirmed.length === 0 || adding} onClick={() => void addAll()}>
          <Icon name="lock" /> {t("route.add")}
        </button>
      )}
    </div>
  );
}

export function RoutePage(): JSX.Element {
  const c = openCase.value;
  const seed = place.value?.page === "route" ? place.value.arg : "";
  const r = route.value;
  /* A confirmation of what was proposed makes the route longer; a rejection makes way for another. */
  const decided = [...(r?.hops.map((h) => h.s) ?? []), ...(r?.next.flatMap((n) => n.items) ?? [])]
    .map((s) => `${s.id} ${decisionOf(s)?.state ?? ""}`)
    .join();
  useEffect(() => {
    if (c && seed) void load(c.id, seed, MAX_KMH);
  }, [c?.id, seed, decided]);
  useEffect(() => {
    stepper.value = () => {
      const hops = route.value?.hops ?? [];
      const at = hops.findIndex((h) => h.s.id === visited.value?.id);
      const next = hops[at + 1];
      if (at >= 0 && next) visited.value = next.s;
    };
    setNeighbours(false);
    return () => {
      running?.abort();
      stepper.value = null;
      visited.value = null;
      route.value = null;
      problem.value = null;
    };
  }, []);
  const ids = c?.camera_ids ?? [];
  const spots = useMemo(() => spotsOf(ids), [ids]);
  const fit = useMemo(
    () => (r ? spotsOf([...r.hops.map((h) => h.s.camera_id), ...r.next.map((n) => n.camera_id)]) : []),
    [r],
  );
  const on = useMemo(() => new Set(r?.hops.map((h) => h.s.camera_id) ?? []), [r]);
  if (!c || !seed)
    return (
      <main id="main" class="page" tabIndex={-1}>
        <div class="notice">
          <Icon name="route" />
          <h1>{t("route.title")}</h1>
          <p>{t("route.none", { key: letterOf("route") })}</p>
          <button class="btn pri" type="button" onClick={() => go("search")}>
            {t("route.back")}
          </button>
        </div>
      </main>
    );
  if (problem.value && !r)
    return (
      <main id="main" class="page" tabIndex={-1}>
        <div class="notice" role="alert">
          <h1>{errorText(problem.value)}</h1>
          <button class="btn" type="button" onClick={() => void load(c.id, seed, MAX_KMH)}>
            {t("retry")}
          </button>{" "}
          <button class="btn" type="button" onClick={() => go("search")}>
            {t("route.back")}
          </button>
        </div>
      </main>
    );
  if (!r) return <main id="main" class="page" tabIndex={-1} aria-busy="true" />;
  return (
    <main id="main" class="route" tabIndex={-1}>
      <div class="scroll">
        <Head r={r} />
        {problem.value && (
          <p class="fault" role="alert">
            {errorText(problem.value)}
          </p>
        )}
        <div class="journey">
          <CameraMap
            spots={spots}
            fit={fit}
            height={430}
            chosen={on}
            label={t("route.map", { n: tCount("result.count", r.hops.length) })}
            over={(p) => <Trace p={p} hops={r.hops} next={r.next} />}
          />
          <Film items={r.hops.map((h, i) => ({ s: h.s, no: i + 1 }))} label={t("route.strip")} />
          <section class="pan">
            <h2>{t("route.chain")}</h2>
            <Chain hops={r.hops} />
            <p class="hint">
              {t("route.note", { n: number(r.maxKmh) })} {!r.byPlate && t("route.hypothesis")}
            </p>
          </section>
          <Onward next={r.next} />
        </div>
      </div>
      <Watch />
      <Tray />
      <AskDialog />
    </main>
  );
}
