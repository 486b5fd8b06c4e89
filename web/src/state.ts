/* SPDX-License-Identifier: Apache-2.0 */
/* What the page knows, as signals. Everything that survives a reload (case, theme, language, view) lies in
 * localStorage; never a sentence, a plate or a result. */
import { computed, effect, signal } from "@preact/signals";
import { type Answer, ApiError, type Boot, type Case, getBoot, postSearch, type Question, type VocabValue } from "./api";
import { type Language, language, setLanguage, t, tOr } from "./i18n";

export type Page = "search" | "import" | "system" | "about";
const hashes: Readonly<Record<Page, string>> = {
  search: "#/recherche",
  import: "#/import",
  system: "#/systeme",
  about: "#/a-propos",
};
export const pageHash = (p: Page): string => hashes[p];
const pageOf = (hash: string): Page =>
  (Object.keys(hashes) as Page[]).find((p) => hashes[p] === hash) ?? "search";

export const page = signal<Page>(pageOf(location.hash));
window.addEventListener("hashchange", () => {
  page.value = pageOf(location.hash);
});

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; /* storage switched off: the page works, it only forgets */
  }
}
function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* as above */
  }
}

export const theme = signal<"dark" | "light">(kept("theme") === "light" ? "light" : "dark");
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  keep("theme", theme.value);
});

export async function chooseLanguage(to: Language): Promise<void> {
  await setLanguage(to);
  keep("language", to);
}
export const restoreLanguage = (): Promise<void> => (kept("language") === "en" ? setLanguage("en") : setLanguage("fr"));

/* ---- site and case ---- */
export const boot = signal<Boot | null>(null);
export const bootError = signal<ApiError | null>(null);
const caseId = signal<string | null>(kept("case"));

export const openCase = computed<Case | null>(() => {
  const open = boot.value?.cases.filter((c) => c.state === "open") ?? [];
  const newest = open.toSorted((a, b) => b.opened_ms - a.opened_ms || b.id.localeCompare(a.id))[0];
  return open.find((c) => c.id === caseId.value) ?? newest ?? null;
});
export const tz = computed(() => boot.value?.tz ?? "Europe/Paris");

export function chooseCase(id: string): void {
  caseId.value = id;
  keep("case", id);
  clearSearch();
  void search();
}

export async function start(): Promise<void> {
  bootError.value = null;
  try {
    boot.value = await getBoot();
  } catch (e) {
    bootError.value = e instanceof ApiError ? e : new ApiError("internal", String(e));
    return;
  }
  if (openCase.value) void search();
}

const cameraNames = computed(() => {
  const cameras = boot.value?.cameras;
  return new Map(cameras?.id.map((id, i) => [id, cameras.name[i] ?? ""]) ?? []);
});
export const cameraName = (id: string): string => cameraNames.value.get(id) ?? "";

const values = computed(() => {
  const byField = new Map<string, Map<string, VocabValue>>();
  for (const [field, list] of Object.entries(boot.value?.vocab ?? {}))
    byField.set(field, new Map(list.map((v) => [v.name, v])));
  return byField;
});
export const vocabOf = (field: string): VocabValue[] => boot.value?.vocab[field] ?? [];

/* "rouge"; what the vocabulary does not know is shown as it is. */
export function valueLabel(field: string, name: string): string {
  if (name === "unknown") return t("attr.unknown");
  if (name === "not_estimated") return t("attr.not_estimated");
  const v = values.value.get(field)?.get(name);
  if (!v) return name;
  return language.value === "fr" ? v.label_fr : v.label_en;
}
export const fieldLabel = (field: string): string => tOr(`field.${field}`, t("field.other"));

/* ---- the search ---- */
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
export const announcement = signal("");

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

export const errorText = (e: ApiError): string => tOr(`error.${e.code}`, e.message || t("error.internal"));
