/* SPDX-License-Identifier: Apache-2.0 */
/* The right column: the passage in motion from 5 s before, the box over it, and what the machine proposes. */
import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, type Clip, frameUrl, getClip, getSighting, type SightingDetail, thumbUrl } from "../api";
import { isColourField } from "../colours";
import { language, number, t } from "../i18n";
import { Icon } from "../icons";
import { cameraName, fieldLabel, openCase, tz, valueLabel } from "../state";
import { clock, day, duration } from "../time";
import { Confidence, levelOf } from "./cards";
import { boxAt, footPoints } from "./path";
import { selected, selectedId } from "./question";
import { Swatch } from "./tokens";

const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;

const detail = signal<SightingDetail | null>(null);
const clip = signal<Clip | null>(null);
const failed = signal<ApiError | null>(null);
const playing = signal(false);
const nowMs = signal(0);
const speed = signal<number>(1);
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

const asApiError = (e: unknown): ApiError => (e instanceof ApiError ? e : new ApiError("internal", String(e)));

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
    if (shown === mine) failed.value = asApiError(e);
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
    if (shown === mine) failed.value = asApiError(e);
  }
}

function seek(ms: number): void {
  const c = clip.value;
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

function step(frames: number): void {
  video?.pause();
  seek(nowMs.value + frames * frameMs.value);
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
  const box = showBox.value ? boxAt(d.path, nowMs.value, 250) : null;
  return (
    <svg class="over" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
      {showPath.value && d.path.length > 1 && <polyline class="way" points={footPoints(d.path)} />}
      {box && (
        <rect class="box" x={box.x * 1000} y={box.y * 1000} width={box.w * 1000} height={box.h * 1000} />
      )}
    </svg>
  );
}

function Scrub(): JSX.Element | null {
  const c = clip.value;
  const s = selected.value;
  if (!c || !s) return <div class="scrub" />;
  const length = Math.max(1, c.all_to_ms - c.all_from_ms);
  const part = (ms: number): number => (Math.min(c.all_to_ms, Math.max(c.all_from_ms, ms)) - c.all_from_ms) / length;
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
        value={Math.round(nowMs.value - c.all_from_ms)}
        onInput={(e) => seek(c.all_from_ms + Number(e.currentTarget.value))}
      />
    </div>
  );
}

function Controls(): JSX.Element {
  const off = clip.value === null;
  const button = (label: string, action: () => void, content: JSX.Element | string, pressed?: boolean): JSX.Element => (
    <button class="ib" type="button" aria-label={label} title={label} aria-pressed={pressed} disabled={off} onClick={action}>
      {content}
    </button>
  );
  return (
    <div class="tr">
      {button(t("player.back"), () => seek(nowMs.value - 5000), "−5 s")}
      {button(t("player.prev"), () => step(-1), <Icon name="prev" />)}
      {button(t(playing.value ? "player.pause" : "player.play"), toggle, <Icon name={playing.value ? "pause" : "play"} />)}
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
        disabled={off}
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

function Screen(): JSX.Element {
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
      playing.value = false;
    };
  }, [k]);
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
          onPlay={() => (playing.value = true)}
          onPause={() => (playing.value = false)}
          onEnded={onEnded}
          onError={() => (failed.value = new ApiError("no_extract", ""))}
        />
      ) : (
        s && c && <img class={failed.value ? "still" : "still soft"} src={failed.value ? frameUrl(c.id, s.id) : thumbUrl(c.id, s.id)} alt="" />
      )}
      {k && !failed.value && <Overlay />}
      {s && (
        <>
          <span class="osd tl-l m">
            {day(k ? nowMs.value : s.best_ms, tz.value, language.value)}{" "}
            {clock(k ? nowMs.value : s.best_ms, tz.value, language.value)}
          </span>
          <span class="osd tl-r">{s.camera_id}</span>
        </>
      )}
      {(!k || fetching.value) && !failed.value && <span class="wait-note">{t("player.loading")}</span>}
    </div>
  );
}

function Facts(): JSX.Element | null {
  const s = selected.value;
  const d = detail.value;
  if (!s) return null;
  const lang = language.value;
  const bar = (p: number): JSX.Element => (
    <dd class="cf">
      <u aria-hidden="true">
        <i style={{ width: `${p}%` }} />
      </u>
      <span>{t("detail.score", { n: number(p) })}</span>
    </dd>
  );
  return (
    <section>
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
        {bar(s.confidence)}
        {(d ?? s).attrs.map((a) => {
          const known = a.v !== "unknown" && a.v !== "not_estimated";
          const second = a.alt?.[0];
          return (
            <>
              <dt>{fieldLabel(a.k)}</dt>
              <dd class={known ? "" : "dim"}>
                {known && isColourField(a.k) && <Swatch name={a.v} />}
                {valueLabel(a.k, a.v)}
                {second && (
                  <span class="alt">
                    {" "}
                    {t("attr.maybe", { what: `${valueLabel(a.k, second.v)} ${t("detail.score", { n: number(second.p) })}` })}
                  </span>
                )}
              </dd>
              {known ? bar(a.p) : <dd />}
            </>
          );
        })}
        {d && (
          <>
            <dt>{t("detail.recording")}</dt>
            <dd class="two-col dim">
              {d.recording.w_px} × {d.recording.h_px} · {number(d.recording.fps_milli / 1000, 0)} i/s · {d.recording.codec}
            </dd>
          </>
        )}
      </dl>
      <p class="hint">{t("player.proposal")}</p>
    </section>
  );
}

export function Player(): JSX.Element {
  const id = selectedId.value;
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
      fetching.value = false;
    };
  }, [id, caseId]);
  const s = selected.value;
  if (!s)
    return (
      <aside class="ins" aria-label={t("player.title")}>
        <p class="hint pad">{t("player.choose")}</p>
      </aside>
    );
  return (
    <aside
      class="ins"
      aria-label={t("player.title")}
      tabIndex={0}
      onKeyDown={(e) => {
        const onControl = e.target instanceof HTMLElement && /^(BUTTON|SELECT|INPUT|A)$/.test(e.target.tagName);
        if (!(onControl && (e.key === " " || e.key === "Enter")) && playerKey(e)) e.preventDefault();
      }}
    >
      <Screen />
      <Scrub />
      <Controls />
      {failed.value && (
        <p class="fault" role="alert">
          <Icon name="warn" /> {t("player.failed")}
        </p>
      )}
      <section class="say">
        <h2>{valueLabel("class", s.kind)}</h2>
        <Confidence level={levelOf(s)} />
        {openCase.value && (
          <a class="btn" href={frameUrl(openCase.value.id, s.id)} target="_blank" rel="noreferrer">
            <Icon name="picture" /> {t("player.frame")}
          </a>
        )}
      </section>
      <Facts />
    </aside>
  );
}
