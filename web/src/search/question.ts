/* SPDX-License-Identifier: Apache-2.0 */
/* The question as it stands, its answer, and the passage chosen of it. A change of case begins anew. */
import { computed, effect, signal, untracked } from "@preact/signals";
import { type Answer, postSearch, type Question, type Sighting } from "../api";
import { type ApiError, asApiError } from "../http";
import { language } from "../i18n";
import { may } from "../session";
import { keep, kept, openCase } from "../state";

export const PAGE_SIZE = 60;
export type Sort = "score" | "oldest" | "newest";
export type Span = { from_ms: number; to_ms: number };
export type Area = { camera_id: string; points: [number, number][] };
/* Passages that another one stands for: vehicles like it, or what passed the same camera with it. */
export type Reference = { sighting_id: string; camera_id: string; best_ms: number };

export const sentence = signal("");
export const asked = signal("");
export const period = signal<Span | null>(null);
export const cameras = signal<ReadonlySet<string>>(new Set());
export const like = signal<Reference | null>(null);
export const together = signal<(Reference & { within_s: number }) | null>(null);
export const area = signal<Area | null>(null);
export const sort = signal<Sort>("score");
export const view = signal<"cards" | "lanes">(kept("view") === "lanes" ? "lanes" : "cards");
effect(() => keep("view", view.value));

export const answer = signal<Answer | null>(null);
export const searchError = signal<ApiError | null>(null);
export const searching = signal(false);
export const selectedId = signal<string | null>(null);
/* A passage looked at outside the answer: a hop of a route. It is then the chosen one. */
export const visited = signal<Sighting | null>(null);
export const selected = computed(
  () => visited.value ?? answer.value?.items.find((s) => s.id === selectedId.value) ?? null,
);

let running: AbortController | null = null;

/* The question without its page: what a saved search keeps. */
export function questionNow(): Omit<Question, "limit" | "offset"> {
  const q: Omit<Question, "limit" | "offset"> = {
    sentence: asked.value,
    language: language.value,
    sort: sort.value,
  };
  if (period.value) q.time = period.value;
  if (cameras.value.size) q.cameras = { ids: [...cameras.value] };
  if (like.value) q.like = { sighting_id: like.value.sighting_id };
  if (together.value) q.together = { sighting_id: together.value.sighting_id, within_s: together.value.within_s };
  if (area.value) q.area = area.value;
  return q;
}

/* Asks for the sentence as it stands, or for the next page of the last answer. A newer search ends an older one. */
export async function search(more = false): Promise<void> {
  const c = openCase.value;
  if (!c) return;
  running?.abort();
  const mine = new AbortController();
  running = mine;
  if (!more) asked.value = sentence.value.trim();
  searching.value = true;
  searchError.value = null;
  try {
    const offset = more ? (answer.value?.items.length ?? 0) : 0;
    const next = await postSearch(c.id, { ...questionNow(), limit: PAGE_SIZE, offset }, mine.signal);
    if (running !== mine) return;
    const before = more ? answer.value : null;
    answer.value = before ? { ...next, items: [...before.items, ...next.items] } : next;
    if (!answer.value.items.some((s) => s.id === selectedId.value)) selectedId.value = next.items[0]?.id ?? null;
  } catch (e) {
    if (running !== mine || (e as Error).name === "AbortError") return;
    searchError.value = asApiError(e);
    if (!more) {
      answer.value = null;
      selectedId.value = null;
    }
  } finally {
    if (running === mine) searching.value = false;
  }
}

function forget(): void {
  sentence.value = "";
  period.value = null;
  cameras.value = new Set();
  like.value = null;
  together.value = null;
  area.value = null;
}

export function clearSearch(): void {
  forget();
  answer.value = null;
  selectedId.value = null;
}

export function setPeriod(p: Span | null): void {
  period.value = p;
  void search();
}

export function setCameras(ids: Iterable<string>): void {
  cameras.value = new Set(ids);
  void search();
}

export function toggleCamera(id: string): void {
  const next = new Set(cameras.value);
  if (!next.delete(id)) next.add(id);
  setCameras(next);
}

/* ---- questions about a passage: the one before waits to be gone back to --------------------------------- */

export type Standing = {
  sentence: string;
  period: Span | null;
  cameras: ReadonlySet<string>;
  like: Reference | null;
  together: (Reference & { within_s: number }) | null;
  area: Area | null;
  sort: Sort;
};
export const standing = (): Standing => ({
  sentence: asked.value,
  period: period.value,
  cameras: cameras.value,
  like: like.value,
  together: together.value,
  area: area.value,
  sort: sort.value,
});

export const before = signal<{ question: Standing; selectedId: string | null } | null>(null);

export function stand(q: Standing): void {
  sentence.value = q.sentence;
  period.value = q.period;
  cameras.value = q.cameras;
  like.value = q.like;
  together.value = q.together;
  area.value = q.area;
  sort.value = q.sort;
  void search();
}

export function goBack(): void {
  const b = before.value;
  if (!b) return;
  before.value = null;
  selectedId.value = b.selectedId;
  stand(b.question);
}

const referenceTo = (s: Sighting): Reference => ({ sighting_id: s.id, camera_id: s.camera_id, best_ms: s.best_ms });

/* A sentence that stayed would read as if it were still asked: it goes, and "back" brings it again. */
function askAbout(change: () => void): void {
  if (!before.value) before.value = { question: standing(), selectedId: selectedId.value };
  forget();
  change();
  sort.value = "score";
  void search();
}
export const askLike = (s: Sighting): void => askAbout(() => (like.value = referenceTo(s)));
export const askTogether = (s: Sighting, withinS = 10): void =>
  askAbout(() => (together.value = { ...referenceTo(s), within_s: withinS }));
export const askPlate = (text: string): void => askAbout(() => (sentence.value = text));

/* Another case, or the first one: nothing of the last question may follow. */
const caseOfQuestion = computed(() => openCase.value?.id ?? null);
effect(() => {
  if (caseOfQuestion.value === null) return;
  untracked(() => {
    clearSearch();
    before.value = null;
    if (may("search")) void search();
  });
});
