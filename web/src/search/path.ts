/* SPDX-License-Identifier: Apache-2.0 */
/* Where the object is in the picture at a moment: between two points of its path, in a straight line. */
import type { PathPoint } from "../api";

export type Box = { x: number; y: number; w: number; h: number };

const boxOf = (p: PathPoint): Box => ({ x: p[1], y: p[2], w: p[3], h: p[4] });

/* null before the first and after the last point: then the object was not seen, and no box is drawn. `slack_ms`
 * forgives the distance between two analysed frames. */
export function boxAt(path: readonly PathPoint[], ms: number, slackMs: number): Box | null {
  const first = path[0];
  const last = path[path.length - 1];
  if (!first || !last || ms < first[0] - slackMs || ms > last[0] + slackMs) return null;
  if (ms <= first[0]) return boxOf(first);
  if (ms >= last[0]) return boxOf(last);
  let lo = 0;
  let hi = path.length - 1;
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if ((path[mid]?.[0] ?? 0) <= ms) lo = mid;
    else hi = mid;
  }
  const a = path[lo];
  const b = path[hi];
  if (!a || !b) return null;
  const k = b[0] > a[0] ? (ms - a[0]) / (b[0] - a[0]) : 0;
  const mix = (i: 1 | 2 | 3 | 4): number => a[i] + (b[i] - a[i]) * k;
  return { x: mix(1), y: mix(2), w: mix(3), h: mix(4) };
}

/* The feet's way over the picture, as SVG points in thousandths. */
export const footPoints = (path: readonly PathPoint[]): string =>
  path.map((p) => `${Math.round((p[1] + p[3] / 2) * 1000)},${Math.round((p[2] + p[4]) * 1000)}`).join(" ");
