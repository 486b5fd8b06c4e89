/* SPDX-License-Identifier: Apache-2.0 */
/* t(key, params): the message in the page's language. Components that call it redraw when the language changes,
 * because it reads the `messages` signal. */
import { signal } from "@preact/signals";
import { type CoreMessages, fr, type MessageKey, type Messages } from "./messages/fr";

export type Language = "fr" | "en";
export const language = signal<Language>("fr");
/* Of a page whose words are not there yet nothing is drawn: the shell awaits withOffice() before. */
const messages = signal<CoreMessages & Partial<Messages>>(fr);

export type Params = Readonly<Record<string, string | number>>;

export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

export function t(key: MessageKey, params?: Params): string {
  const text = messages.value[key] ?? key;
  return params ? fill(text, params) : text;
}

export const isKey = (key: string): key is MessageKey => Object.hasOwn(messages.value, key);

/* The message of a key built from the server's data, or the fallback when this page does not know it. */
export const tOr = (key: string, fallback: string): string => (isKey(key) ? t(key) : fallback);

/* "{n} passages" in its three forms. */
export function tCount(base: "result.count", n: number): string {
  if (n === 0) return t(`${base}.0`);
  return n === 1 ? t(`${base}.1`) : t(`${base}.n`, { n: number(n) });
}

export const number = (n: number, digits = 0): string =>
  new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

let office = false;
async function wordsOf(to: Language): Promise<CoreMessages & Partial<Messages>> {
  const core = to === "fr" ? fr : (await import("./messages/en")).en;
  if (!office) return core;
  const more =
    to === "fr" ? (await import("./messages/office_fr")).officeFr : (await import("./messages/office_en")).officeEn;
  return { ...core, ...more };
}

export async function setLanguage(to: Language): Promise<void> {
  messages.value = await wordsOf(to);
  language.value = to;
  document.documentElement.lang = to;
}

/* The words of the pages around the search. */
export async function withOffice(): Promise<void> {
  if (office) return;
  office = true;
  messages.value = await wordsOf(language.value);
}
