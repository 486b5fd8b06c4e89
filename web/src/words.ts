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
