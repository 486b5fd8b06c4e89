/* SPDX-License-Identifier: Apache-2.0 */
/* The question as it stands, its answer, and the passage chosen of it. A change of case begins anew. */
import { computed, effect, signal, untracked } from "@preact/signals";
import { type Answer, ApiError, postSearch, type Question } from "../api";
import { language } from "../i18n";
import { may } from "../session";
import { keep, kept, openCase } from "../state";

export const PAGE_SIZE = 60;
export type Sort = "score" | "oldest" | "newest";

export const sentence = signal("");
export const asked = signal("");
export const period = signal<{ from_ms: number; to_ms: number } | null>(null);
export const cameras = signal<ReadonlySet<string>>(new Set());
export const sort = signal<Sort>("score");
export const view = signal<"cards" | "lanes">(kept("view") === "lanes" ? "lanes" : "cards");
effect(() => keep("view", view.value));

export const answer = signal<Answer | null>(null);
export const searchError = signal<ApiError | null>(null);
export const searching = signal(false);
export const selectedId = signal<string | null>(null);
export const selected = computed(() => answer.value?.items.find((s) => s.id === selectedId.value) ?? null);

let running: AbortController | null = null;

function question(offset: number): Question {
  const q: Question = { sentence: asked.value, language: language.value, sort: sort.value, limit: PAGE_SIZE, offset };
  if (period.value) q.time = period.value;
  if (cameras.value.size) q.cameras = { ids: [...cameras.value] };
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
    const next = await postSearch(c.id, question(more ? (answer.value?.items.length ?? 0) : 0), mine.signal);
    if (running !== mine) return;
    const before = more ? answer.value : null;
    answer.value = before ? { ...next, items: [...before.items, ...next.items] } : next;
    if (!answer.value.items.some((s) => s.id === selectedId.value)) selectedId.value = next.items[0]?.id ?? null;
  } catch (e) {
    if (running !== mine || (e as Error).name === "AbortError") return;
    searchError.value = e instanceof ApiError ? e : new ApiError("internal", String(e));
    if (!more) {
      answer.value = null;
      selectedId.value = null;
    }
  } finally {
    if (running === mine) searching.value = false;
  }
}

export function clearSearch(): void {
  sentence.value = "";
  period.value = null;
  cameras.value = new Set();
  answer.value = null;
  selectedId.value = null;
}

export function setPeriod(p: { from_ms: number; to_ms: number } | null): void {
  period.value = p;
  void search();
}

export function toggleCamera(id: string): void {
  const next = new Set(cameras.value);
  if (!next.delete(id)) next.add(id);
  cameras.value = next;
  void search();
}

/* Another case, or the first one: nothing of the last question may follow. */
const caseOfQuestion = computed(() => openCase.value?.id ?? null);
effect(() => {
  if (caseOfQuestion.value === null) return;
  untracked(() => {
    clearSearch();
    if (may("search")) void search();
  });
});
