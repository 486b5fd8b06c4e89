/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence is the one place that holds the criteria: a facet adds words to it, a token's cross takes its words
 * out, so what is read back is always what was asked. */

const squeeze = (s: string): string => s.replace(/\s+/g, " ").replace(/\s+,/g, ",").replace(/^[\s,]+|[\s,]+$/g, "").trim();

/* Letters compared as the grammar does: without case and accents. Keeps the length, so positions stay true. */
const fold = (s: string): string =>
  [...s].map((c) => c.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()[0] ?? c).join("");

/* The sentence without the n units at `at`. */
export const withoutSpan = (sentence: string, at: number, n: number): string =>
  squeeze(`${sentence.slice(0, at)} ${sentence.slice(at + n)}`);

type Read = { at: number; n: number };

/* Where a token's words stand, with the words around it that only served it ("haut" in « haut rouge », "top" in
 * "red top"): before it in French, after it in English. Words that were not understood stay for the operator to see. */
export function spanOf(
  sentence: string,
  token: Read,
  tokens: readonly Read[],
  language: "fr" | "en",
  ignored: readonly string[],
): Read {
  const end = token.at + token.n;
  const before = Math.max(0, ...tokens.filter((o) => o.n > 0 && o.at + o.n <= token.at).map((o) => o.at + o.n));
  const after = Math.min(sentence.length, ...tokens.filter((o) => o.n > 0 && o.at >= end).map((o) => o.at));
  const [from, to] = language === "fr" ? [before, end] : [token.at, after];
  const served = language === "fr" ? sentence.slice(before, token.at) : sentence.slice(end, after);
  const odd = ignored.some((w) => fold(served).includes(fold(w)));
  return odd ? { at: token.at, n: token.n } : { at: from, n: to - from };
}

/* The sentence without the first occurrence of the words, which must stand as whole words. */
export function withoutWords(sentence: string, words: string): string {
  const text = fold(sentence);
  const wanted = fold(words.trim());
  if (!wanted) return sentence;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const before = text[at - 1] ?? " ";
    const after = text[at + wanted.length] ?? " ";
    if (/[\p{L}\p{N}]/u.test(before) || /[\p{L}\p{N}]/u.test(after)) continue;
    return squeeze(`${sentence.slice(0, at)} ${sentence.slice(at + wanted.length)}`);
  }
  return sentence;
}

export const withWords = (sentence: string, words: string): string => squeeze(`${sentence} ${words}`);

/* Whether a text holds every word of a filter, in any order, without case and accents. */
export const matches = (text: string, filter: string): boolean => {
  const folded = fold(text);
  return fold(filter)
    .split(/\s+/)
    .every((w) => folded.includes(w));
};
