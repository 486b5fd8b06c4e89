/* SPDX-License-Identifier: Apache-2.0 */
/* Exact pictures one by one, for a clip that cannot play. Each says which frame it really is. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { frameAtUrl } from "../api";
import { t } from "../i18n";

/* The moment of the picture that is shown; null = none. */
export const stillMs = signal<number | null>(null);
/* Not even stills: the recording itself cannot be read. */
export const stillsFailed = signal(false);
const picture = signal<string | null>(null);

let timer = 0;
let running: AbortController | null = null;

/* A drag asks for many moments; only the one it rests at is fetched, and journalled. */
const REST_MS = 120;

export function showStill(caseId: string, id: string, ms: number): void {
  clearTimeout(timer);
  running?.abort();
  const mine = new AbortController();
  running = mine;
  timer = window.setTimeout(() => void load(frameAtUrl(caseId, id, ms), ms, mine), REST_MS);
}

async function load(url: string, ms: number, mine: AbortController): Promise<void> {
  try {
    const reply = await fetch(url, { signal: mine.signal, credentials: "same-origin" });
    if (!reply.ok) throw new Error(String(reply.status));
    const blob = await reply.blob();
    if (running !== mine) return;
    if (picture.value) URL.revokeObjectURL(picture.value);
    picture.value = URL.createObjectURL(blob);
    stillMs.value = Number(reply.headers.get("X-Pts-Ms")) || ms;
    stillsFailed.value = false;
  } catch (e) {
    if (running === mine && (e as Error).name !== "AbortError") stillsFailed.value = true;
  }
}

export function Still(): JSX.Element {
  return picture.value && stillMs.value !== null ? (
    <img class="still" src={picture.value} alt={t("player.frame")} />
  ) : (
    <span class="wait-note">{t("player.loading")}</span>
  );
}
