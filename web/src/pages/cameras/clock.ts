/* SPDX-License-Identifier: Apache-2.0 */
/* How wrong a camera's clock is, from what it showed at a known moment. */

const parse = (text: string): number | null => {
  const m = /^\s*(\d{1,2})\s*[:hH]\s*(\d{2})(?:\s*[:mM]\s*(\d{2})(?:[.,](\d{1,3}))?)?\s*$/.exec(text);
  if (!m) return null;
  const [h, min, s] = [Number(m[1]), Number(m[2]), Number(m[3] ?? "0")];
  if (h > 23 || min > 59 || s > 59) return null;
  return ((h * 60 + min) * 60 + s) * 1000 + Number((m[4] ?? "0").padEnd(3, "0"));
};

const HALF_DAY = 12 * 3600e3;

/* Milliseconds to add to what the camera shows: true time less shown time, by the shorter way round midnight. null
 * when one of the two is no time of day. */
export function offsetFrom(shown: string, truth: string): number | null {
  const a = parse(shown);
  const b = parse(truth);
  if (a === null || b === null) return null;
  const d = b - a;
  return d > HALF_DAY ? d - 2 * HALF_DAY : d <= -HALF_DAY ? d + 2 * HALF_DAY : d;
}

/* "+2,5" or "-7": seconds as a person writes them, in milliseconds. null when it is no number. */
export function secondsOf(text: string): number | null {
  const t = text.trim().replace(/\u2212/g, "-").replace(",", ".");
  if (!/^[+-]?\d{1,7}(\.\d{1,3})?$/.test(t)) return null;
  return Math.round(Number(t) * 1000);
}
