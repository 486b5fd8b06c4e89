/* SPDX-License-Identifier: Apache-2.0 */
/* What the page knows of site and case, as signals. What survives a reload (case, theme, language, view) lies in
 * localStorage; never a sentence, a plate or a result. */
import { computed, effect, signal } from "@preact/signals";
import { type Boot, type Case, getBoot, type VocabValue } from "./api";
import { type ApiError, asApiError } from "./http";
import { isKey, type Language, language, setLanguage, t, tOr } from "./i18n";
import { phase, resume, user } from "./session";

export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; /* storage switched off: the page works, it only forgets */
  }
}
export function keep(key: string, value: string): void {
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
}

/* Who is it, then what the site is. */
export async function start(): Promise<void> {
  bootError.value = null;
  try {
    if (phase.value !== "in") await resume();
    if (phase.value !== "in" || user.value?.must_change) return;
    boot.value = await getBoot();
  } catch (e) {
    bootError.value = asApiError(e);
  }
}
/* After an act that changes cases or cameras. */
export async function refreshBoot(): Promise<void> {
  boot.value = await getBoot();
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

/* What a screen reader is told, wherever it happens. */
export const announcement = signal("");

/* In the page's words: why a field was not taken, why a session ended, else what the code means. */
export function errorText(e: ApiError): string {
  const { why, reason } = e.params;
  if (e.code === "bad_field" && typeof why === "string") return tOr(`why.${why}`, e.message);
  const precise = `error.${e.code}.${String(reason)}`;
  if (isKey(precise)) return t(precise);
  return tOr(`error.${e.code}`, e.message || t("error.internal"));
}
