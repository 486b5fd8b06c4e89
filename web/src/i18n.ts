/* SPDX-License-Identifier: Apache-2.0 */
/* t(key, params): the message in the page's language. Components that call it redraw when the language changes,
 * because it reads the `messages` signal. */
import { signal } from "@preact/signals";
import { fr, type MessageKey, type Messages } from "./messages/fr";

export type Language = "fr" | "en";
export const language = signal<Language>("fr");
const messages = signal<Messages>(fr);

export type Params = Readonly<Record<string, string | number>>;

export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

export function t(key: MessageKey, params?: Params): string {
  const text = messages.value[key];
  return params ? fill(text, params) : text;
}

export const isKey = (key: string): key is MessageKey => Object.hasOwn(fr, key);

/* The message of a key built from the server's data, or the fallback when this page does not know it. */
export const tOr = (key: string, fallback: string): string => (isKey(key) ? t(key) : fallback);

/* "{n} passages" in its three forms. */
export function tCount(base: "result.count", n: number): string {
  if (n === 0) return t(`${base}.0`);
  return n === 1 ? t(`${base}.1`) : t(`${base}.n`, { n: number(n) });
}

export const number = (n: number, digits = 0): string =>
  new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

export async function setLanguage(to: Language): Promise<void> {
  const next: Messages = to === "fr" ? fr : (await import("./messages/en")).en;
  messages.value = next;
  language.value = to;
  document.documentElement.lang = to;
}
