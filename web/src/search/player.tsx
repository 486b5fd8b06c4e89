/* SPDX-License-Identifier: Apache-2.0 */
/* The passage in motion from 5 s before, with the box over it; where its clip cannot play, its stills one by one. */
import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Clip, getClip, getSighting, type SightingDetail, thumbUrl } from "../api";
import { ApiError, asApiError } from "../http";
import { language, number, t } from "../i18n";
import { Icon } from "../icons";
import { openCase, tz } from "../state";
import { clock, day } from "../time";
import { boxAt, footPoints } from "./path";
import { selected, type Span } from "./question";
import { showStill, Still, stillMs, stillsFailed } from "./stills";

const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;

export const detail = signal<SightingDetail | null>(null);
const clip = signal<Clip | null>(null);
/* Why the clip does not play; the stills then do. */
export const failed = signal<ApiError | null>(null);
/* It was there when the list was made and is not any more: its term is over, or its case was purged. */
export const purged = signal(false);
export const playing = signal(false);
export const nowMs = signal(0);
export const speed = signal<number>(1);
const showBox = signal(true);
const showPath = signal(true);
let video: HTMLVideoElement | null = null;

const frameMs = computed(() => {
  const fps = detail.value?.recording.fps_milli ?? 0;
  return fps > 0 ? 1e6 / fps : 40;
});

/* What the player shows now; everything asked for an older choice is thrown away. */
let shown: { caseId: string; id: string; signal: AbortSignal } | null = null;
/* Where the next part begins to play, and whether it does. */
let resume: { ms: number | null; play: boolean } = { ms: null, play: true };
const fetching = signal(false);

const LEAD_MS = 5000;
const TAIL_MS = 3000;
/* What can be moved in: all of the clip, or what it would have been. */
const range = computed<Span | null>(() => {
  const c = clip.value;
  const s = selected.value;
  if (c) return { from_ms: c.all_from_ms, to_ms: c.all_to_ms };
  if (!failed.value || !s) return null;
  const r = detail.value?.recording;
  return {
    from_ms: Math.max(s.from_ms - LEAD_MS, r?.from_ms ?? s.from_ms),
    to_ms: Math.min(s.to_ms + TAIL_MS, r?.to_ms || s.to_ms),
  };
});

/* How long this passage was really watched: goes with the decision on it. */
let watched = { id: "", ms: 0 };
let playedSince = 0;
export function watchedMs(id: string): number {
  if (watched.id !== id) return 0;
  return watched.ms + (playing.peek() && playedSince > 0 ? performance.now() - playedSince : 0);
}
function onPlaying(on: boolean): void {
  const id = selected.peek()?.id ?? "";
  if (watched.id !== id) watched = { id, ms: 0 };
  else if (playing.peek() && playedSince > 0) watched.ms += performance.now() - playedSince;
  playedSince = on ? performance.now() : 0;
  playing.value = on;
}

/* A passage that is not found any more is no fault of the clip. */
function fail(e: unknown): void {
  const error = asApiError(e);
  if (error.code === "not_found") purged.value = true;
  else toStills(error);
}
function toStills(error: ApiError): void {
  const s = selected.peek();
  clip.value = null;
  failed.value = error;
  playing.value = false;
  if (shown && s) {
    nowMs.value = s.best_ms;
    showStill(shown.caseId, shown.id, s.best_ms);
  }
}

async function loadPart(atMs?: number): Promise<void> {
  const mine = shown;
  if (!mine) return;
  fetching.value = true;
  try {
    const next = await getClip(mine.caseId, mine.id, mine.signal, atMs);
    if (shown !== mine) return;
    nowMs.value = resume.ms ?? next.from_ms;
    clip.value = next;
  } catch (e) {
    if (shown === mine) fail(e);
  } finally {
    if (shown === mine) fetching.value = false;
  }
}

async function loadDetail(): Promise<void> {
  const mine = shown;
  if (!mine) return;
  try {
    const d = await getSighting(mine.caseId, mine.id, mine.signal);
    if (shown === mine) detail.value = d;
  } catch (e) {
    if (shown === mine && asApiError(e).code === "not_found") purged.value = true;
  }
}

export function seek(ms: number): void {
  const c = clip.value;
  const r = range.value;
  if (failed.value && shown && r) {
    nowMs.value = Math.min(r.to_ms, Math.max(r.from_ms, ms));
    showStill(shown.caseId, shown.id, nowMs.value);
    return;
  }
  if (!video || !c) return;
  const at = Math.min(c.all_to_ms, Math.max(c.all_from_ms, ms));
  nowMs.value = at;
  if (at >= c.from_ms && (at < c.to_ms || c.part === c.parts - 1)) {
    video.currentTime = (at - c.from_ms) / 1000;
    return;
  }
  resume = { ms: at, play: !video.paused };
  void loadPart(at);
}

/* The server cuts the next part while this one's last seconds play. */
const AHEAD_MS = 8000;
let prepared = "";
function prepareNext(c: Clip): void {
  if (!shown || !video || video.paused || c.part >= c.parts - 1 || c.to_ms - nowMs.value > AHEAD_MS) return;
  const key = `${shown.id} ${c.part}`;
  if (key === prepared) return;
  prepared = key;
  void getClip(shown.caseId, shown.id, shown.signal, c.to_ms + 1).catch(() => undefined);
}

function onEnded(): void {
  const c = clip.value;
  if (!c || c.part >= c.parts - 1) return;
  resume = { ms: c.to_ms, play: true };
  void loadPart(c.to_ms + 1);
}

function toggle(): void {
  if (!video) return;
  if (video.paused) {
    if (video.ended) seek(clip.value?.all_from_ms ?? 0);
    void video.play().catch(() => undefined);
  } else video.pause();
}

/* The server gives the frame at or after a moment: one back is asked for just before it. */
function step(frames: number): void {
  video?.pause();
  if (failed.value && stillMs.value !== null) {
    const by = frames > 0 ? frameMs.value * (frames - 0.5) : frameMs.value * (frames - 0.25);
    seek(stillMs.value + by);
  } else seek(nowMs.value + frames * frameMs.value);
}

function setSpeed(to: number): void {
  speed.value = to;
  if (video) video.playbackRate = to;
}

/* True when the key was one of the player's. */
export function playerKey(e: KeyboardEvent): boolean {
  if (e.ctrlKey || e.metaKey || e.altKey) return false;
  switch (e.key) {
    case " ":
    case "Enter":
      toggle();
      return true;
    case "j":
    case "J":
      seek(nowMs.value - 2000);
      return true;
    case "k":
    case "K":
      video?.pause();
      return true;
    case "l":
    case "L":
      if (video && !video.paused) setSpeed(Math.min(4, speed.value * 2));
      else {
        setSpeed(1);
        toggle();
      }
      return true;
    case ",":
    case ";":
      step(-1);
      return true;
    case ".":
    case ":":
      step(1);
      return true;
    case "b":
    case "B":
      showBox.value = !showBox.value;
      return true;
    default:
      return false;
  }
}

/* Keeps nowMs at the frame that is really on the screen, not at the last timeupdate, which comes 4 times a second. */
function follow(v: HTMLVideoElement): () => void {
  let live = true;
  const onFrame = (_now: number, meta: { mediaTime: number }): void => {
    if (!live) return;
    const c = clip.value;
    if (c && !fetching.value) {
      nowMs.value = c.from_ms + meta.mediaTime * 1000;
      prepareNext(c);
    }
    v.requestVideoFrameCallback(onFrame);
  };
  v.requestVideoFrameCallback(onFrame);
  return () => {
    live = false;
  };
}

function Overlay(): JSX.Element | null {
  const d = detail.value;
  if (!d) return null;
  const box = showBox.value ? boxAt(d.path, stillMs.value ?? nowMs.value, 250) : null;
  return (
    <svg class="over" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
      {showPath.value && d.path.length > 1 && <polyline class="way" points={footPoints(d.path)} />}
      {box && (
        <rect class="box" x={box.x * 1000} y={box.y * 1000} width={box.w * 1000} height={box.h * 1000} />
      )}
    </svg>
  );
}

export function Scrub(): JSX.Element | null {
  const r = range.value;
  const s = selected.value;
  if (!r || !s) return <div class="scrub" />;
  const length = Math.max(1, r.to_ms - r.from_ms);
  const part = (ms: number): number => (Math.min(r.to_ms, Math.max(r.from_ms, ms)) - r.from_ms) / length;
  return (
    <div class="scrub">
      <i style={{ left: `${part(s.from_ms) * 100}%`, width: `${(part(s.to_ms) - part(s.from_ms)) * 100}%` }} />
      <b style={{ left: `${part(nowMs.value) * 100}%` }} />
      <input
        type="range"
        aria-label={t("player.scrub")}
        aria-valuetext={clock(nowMs.value, tz.value, language.value)}
        min={0}
        max={Math.round(length)}
        step={Math.max(1, Math.round(frameMs.value))}
        value={Math.round(nowMs.value - r.from_ms)}
        onInput={(e) => seek(r.from_ms + Number(e.currentTarget.value))}
      />
    </div>
  );
}

export function Controls(): JSX.Element {
  const off = range.value === null;
  const still = clip.value === null;
  const button = (
    label: string,
    action: () => void,
    content: JSX.Element | string,
    pressed?: boolean,
    disabled = off,
  ): JSX.Element => (
    <button class="ib" type="button" aria-label={label} title={label} aria-pressed={pressed} disabled={disabled} onClick={action}>
      {content}
    </button>
  );
  return (
    <div class="tr">
      {button(t("player.back"), () => seek(nowMs.value - 5000), "−5 s")}
      {button(t("player.prev"), () => step(-1), <Icon name="prev" />)}
      {button(
        t(playing.value ? "player.pause" : "player.play"),
        toggle,
        <Icon name={playing.value ? "pause" : "play"} />,
        undefined,
        still,
      )}
      {button(t("player.next"), () => step(1), <Icon name="next" />)}
      {button(t("player.forward"), () => seek(nowMs.value + 5000), "+5 s")}
      <span class="sp" />
      {button(t("player.box"), () => (showBox.value = !showBox.value), <Icon name="box" />, showBox.value)}
      {button(t("player.path"), () => (showPath.value = !showPath.value), <Icon name="path" />, showPath.value)}
      <select
        class="srt"
        aria-label={t("player.speed")}
        title={t("player.speed")}
        value={String(speed.value)}
        disabled={still}
        onChange={(e) => setSpeed(Number(e.currentTarget.value))}
      >
        {SPEEDS.map((x) => (
          <option key={x} value={String(x)}>
            ×{number(x, x < 0.5 ? 2 : x < 1 ? 1 : 0)}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Screen(): JSX.Element {
  const s = selected.value;
  const c = openCase.value;
  const d = detail.value;
  const k = clip.value;
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    video = ref.current;
    if (!video || !k) return;
    const end = follow(video);
    video.playbackRate = speed.value;
    if (resume.ms !== null) video.currentTime = Math.max(0, (resume.ms - k.from_ms) / 1000);
    if (resume.play) void video.play().catch(() => undefined);
    return () => {
      end();
      video = null;
      onPlaying(false);
    };
  }, [k]);
  const moment = k ? nowMs.value : s ? (stillMs.value ?? s.best_ms) : 0;
  const ratio = d && d.recording.h_px > 0 ? `${d.recording.w_px} / ${d.recording.h_px}` : "16 / 9";
  return (
    <div class="vid" style={{ aspectRatio: ratio }} aria-busy={!k && !failed.value}>
      {k ? (
        <video
          ref={ref}
          src={k.url}
          muted
          playsInline
          preload="auto"
          tabIndex={-1}
          aria-label={t("player.title")}
          onClick={toggle}
          onPlay={() => onPlaying(true)}
          onPause={() => onPlaying(false)}
          onEnded={onEnded}
          onError={() => toStills(new ApiError("no_extract", ""))}
        />
      ) : failed.value && s && !stillsFailed.value ? (
        <Still />
      ) : (
        s && c && <img class="still soft" src={thumbUrl(c.id, s.id)} alt="" />
      )}
      {(k || stillMs.value !== null) && <Overlay />}
      {s && (
        <>
          <span class="osd tl-l m">
            {day(moment, tz.value, language.value)} {clock(moment, tz.value, language.value)}
          </span>
          <span class="osd tl-r">{s.camera_id}</span>
        </>
      )}
      {(!k || fetching.value) && !failed.value && !purged.value && <span class="wait-note">{t("player.loading")}</span>}
    </div>
  );
}

/* Fetches what the chosen passage needs, for as long as it is chosen. */
export function usePlayed(): void {
  const id = selected.value?.id;
  const caseId = openCase.value?.id;
  useEffect(() => {
    if (!id || !caseId) return;
    const abort = new AbortController();
    shown = { caseId, id, signal: abort.signal };
    resume = { ms: null, play: true };
    /* Holding an arrow key passes over many cards; only the one that is stayed on is fetched. */
    const timer = setTimeout(() => {
      void loadDetail();
      void loadPart();
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
      shown = null;
      clip.value = null;
      detail.value = null;
      failed.value = null;
      purged.value = false;
      fetching.value = false;
      stillMs.value = null;
      stillsFailed.value = false;
    };
  }, [id, caseId]);
}
