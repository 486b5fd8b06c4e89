/* SPDX-License-Identifier: Apache-2.0 */
/* How fast an import goes and how long it still takes, from successive states of the server: an import run by
 * another process tells only how far it is. */
import type { ImportItem, Imports } from "../../api";

export type Rate = { at_ms: number; done_ms: number; rate: number };

const key = (i: ImportItem): string => `${i.camera_id} ${i.file} ${i.start_ms}`;
export const isRunning = (i: ImportItem): boolean =>
  /^(waiting|hashing|probing|running|paused)$/.test(i.state);

/* Footage done per time passed, smoothed over the last few states. */
export function track(before: ReadonlyMap<string, Rate>, now: Imports): Map<string, Rate> {
  const out = new Map<string, Rate>();
  for (const i of now.items) {
    if (!isRunning(i)) continue;
    const last = before.get(key(i));
    if (!last) {
      out.set(key(i), { at_ms: now.server_ms, done_ms: i.done_ms, rate: 0 });
      continue;
    }
    const passed = now.server_ms - last.at_ms;
    if (passed < 500) {
      out.set(key(i), last);
      continue;
    }
    const fresh = Math.max(0, i.done_ms - last.done_ms) / passed;
    const rate = last.rate > 0 ? last.rate * 0.7 + fresh * 0.3 : fresh;
    out.set(key(i), { at_ms: now.server_ms, done_ms: i.done_ms, rate });
  }
  return out;
}

export type Summary = { done_ms: number; total_ms: number; rate: number; left_ms: number | null; n_failed: number };

export function summary(items: readonly ImportItem[], rates: ReadonlyMap<string, Rate>): Summary {
  const s: Summary = { done_ms: 0, total_ms: 0, rate: 0, left_ms: null, n_failed: 0 };
  let todo = 0;
  for (const i of items) {
    if (i.state === "failed") s.n_failed++;
    if (i.state === "skipped" || i.state === "cancelled") continue;
    s.done_ms += Math.min(i.done_ms, i.duration_ms || i.done_ms);
    s.total_ms += i.duration_ms;
    if (!isRunning(i)) continue;
    todo += Math.max(0, i.duration_ms - i.done_ms);
    s.rate += i.x_realtime ?? rates.get(key(i))?.rate ?? 0;
  }
  if (todo > 0 && s.rate > 0) s.left_ms = todo / s.rate;
  return s;
}
