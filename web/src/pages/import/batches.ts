/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings grouped as they were brought in. Live ones know their batch; what is recorded already belongs to the
 * day it was imported on. */
import type { ImportItem } from "../../api";
import { type Rate, type Summary, summary } from "./progress";

export type Batch = { key: string; batch_id: number | null; at_ms: number; items: ImportItem[]; sum: Summary; live: boolean };

const DAY_MS = 86400e3;

export function batchesOf(items: readonly ImportItem[], rates: ReadonlyMap<string, Rate>): Batch[] {
  const groups = new Map<string, ImportItem[]>();
  for (const i of items) {
    const key = i.batch_id !== undefined ? `b${i.batch_id}` : `d${Math.floor((i.imported_ms ?? 0) / DAY_MS)}`;
    const there = groups.get(key);
    if (there) there.push(i);
    else groups.set(key, [i]);
  }
  const all = [...groups].map(([key, list]) => ({
    key,
    batch_id: list[0]?.batch_id ?? null,
    at_ms: Math.max(...list.map((i) => i.imported_ms ?? 0)),
    items: list,
    sum: summary(list, rates),
    live: list.some((i) => /^(waiting|hashing|probing|running|paused)$/.test(i.state)),
  }));
  /* What moves first, then the newest. */
  return all.toSorted((a, b) => Number(b.live) - Number(a.live) || (b.batch_id ?? 0) - (a.batch_id ?? 0) || b.at_ms - a.at_ms);
}
