/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest other cameras of the case at the very moment the player shows, moving in step with it. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { getView, type View } from "../api";
import { type ApiError, asApiError } from "../http";
import { language, number, t } from "../i18n";
import { isPlaced, kmBetween } from "../map/geometry";
import { boot, cameraName, errorText, openCase, tz } from "../state";
import { clock } from "../time";
import { nowMs, playing, speed } from "./player";
import { selected, setCameras, setPeriod } from "./question";

const MOST = 4;
/* A picture may lag by this much before it is put right: less would stutter. */
const DRIFT_MS = 180;
const AROUND_MS = 120e3;

const large = signal<string | null>(null);

type Near = { id: string; km: number };

function nearest(ids: readonly string[], of: string): Near[] {
  const c = boot.value?.cameras;
  if (!c) return [];
  const at = new Map(c.id.map((id, i) => [id, { lat: c.lat[i] ?? 0, lon: c.lon[i] ?? 0 }]));
  const here = at.get(of);
  if (!here || !isPlaced(here)) return [];
  return ids
    .flatMap((id) => {
      const p = at.get(id);
      return id !== of && p && isPlaced(p) ? [{ id, km: kmBetween(here, p) }] : [];
    })
    .sort((a, b) => a.km - b.km)
    .slice(0, MOST);
}

function Picture({ near }: { near: Near }): JSX.Element {
  const caseId = openCase.value?.id ?? "";
  const [view, setView] = useState<View | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  const asking = useRef<AbortController | null>(null);
  const moment = nowMs.value;
  const inside = view !== null && moment >= view.from_ms && moment < view.to_ms;
  /* Where nothing is recorded there is nothing to ask again for until the moment leaves the half minute. */
  const slot = Math.floor(moment / 30e3);
  useEffect(() => {
    if (moment <= 0 || inside) return;
    asking.current?.abort();
    const mine = new AbortController();
    asking.current = mine;
    getView(caseId, near.id, moment, mine.signal).then(
      (v) => asking.current === mine && (setView(v), setError(null)),
      (e: unknown) => asking.current === mine && (e as Error).name !== "AbortError" && (setView(null), setError(asApiError(e))),
    );
  }, [slot, inside, near.id, caseId, moment > 0]);
  useEffect(() => () => asking.current?.abort(), []);
  useEffect(() => {
    const v = video.current;
    if (!v || !view || !inside) return;
    const wanted = (moment - view.from_ms) / 1000;
    v.playbackRate = speed.value;
    if (Math.abs(v.currentTime - wanted) * 1000 > DRIFT_MS) v.currentTime = wanted;
    if (playing.value && v.paused) void v.play().catch(() => undefined);
    else if (!playing.value && !v.paused) v.pause();
  }, [moment, view, inside, playing.value, speed.value]);
  const name = `${near.id} ${cameraName(near.id)}`;
  return (
    <li class={large.value === near.id ? "large" : undefined}>
      <button
        type="button"
        class="view"
        aria-pressed={large.value === near.id}
        title={t("neighbours.enlarge", { camera: name })}
        onClick={() => (large.value = large.value === near.id ? null : near.id)}
      >
        {view && inside ? (
          <video ref={video} src={view.url} muted playsInline preload="auto" tabIndex={-1} />
        ) : (
          <span class="none">{error ? (error.code === "not_found" ? t("neighbours.absent") : errorText(error)) : t("player.loading")}</span>
        )}
        <span class="osd">
          <b>{near.id}</b> {near.km < 1 ? `${number(near.km * 1000)} m` : `${number(near.km, 1)} km`}
        </span>
      </button>
      <button
        class="link small"
        type="button"
        onClick={() => {
          setCameras([near.id]);
          setPeriod({ from_ms: Math.round(moment - AROUND_MS), to_ms: Math.round(moment + AROUND_MS) });
        }}
      >
        {t("neighbours.search")}
      </button>
    </li>
  );
}

export function Neighbours(): JSX.Element {
  const s = selected.value;
  const ids = openCase.value?.camera_ids ?? [];
  const list = useMemo(() => (s ? nearest(ids, s.camera_id) : []), [ids, s?.camera_id]);
  return (
    <section class="neighbours" aria-labelledby="neighbours-title">
      <h2 id="neighbours-title">
        {t("neighbours.title")} <span class="m">{clock(nowMs.value, tz.value, language.value)}</span>
      </h2>
      {list.length === 0 ? (
        <p class="hint">{t("neighbours.none")}</p>
      ) : (
        <ul>
          {list.map((n) => (
            <Picture key={n.id} near={n} />
          ))}
        </ul>
      )}
    </section>
  );
}
