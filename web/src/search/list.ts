/* SPDX-License-Identifier: Apache-2.0 */
/* What the list shows of the answer, in its order: piles of near-duplicates closed or opened. */
import { computed, signal } from "@preact/signals";
import type { Sighting } from "../api";
import { keep, kept } from "../state";
import { piles } from "./duplicates";
import { answer, selectedId } from "./question";

export const grouping = signal(kept("grouping") !== "no");
export function setGrouping(on: boolean): void {
  grouping.value = on;
  keep("grouping", on ? "yes" : "no");
}
/* Ids of the passages whose pile is open. */
const opened = signal<ReadonlySet<string>>(new Set());

/* `more`: how many lie under this one; `of`: how many are in its pile, when that is open. */
export type Row = { s: Sighting; more: number; of: number };

const allPiles = computed(() => piles(answer.value?.items ?? []));
export const rows = computed<Row[]>(() => {
  const items = answer.value?.items ?? [];
  if (!grouping.value) return items.map((s) => ({ s, more: 0, of: 1 }));
  return allPiles.value.flatMap((pile): Row[] => {
    const first = pile[0];
    if (!first) return [];
    if (pile.length === 1 || !opened.value.has(first.id)) return [{ s: first, more: pile.length - 1, of: 1 }];
    return pile.map((s) => ({ s, more: 0, of: pile.length }));
  });
});
export const hiddenCount = computed(() => rows.value.reduce((n, r) => n + r.more, 0));
export const shownIds = computed(() => rows.value.map((r) => r.s.id));

/* Opens or closes the pile of a passage; the first of a closed pile stays chosen. */
export function togglePile(id: string | null): void {
  const first = allPiles.value.find((p) => p.some((s) => s.id === id))?.[0];
  if (!first) return;
  const next = new Set(opened.value);
  if (!next.delete(first.id)) next.add(first.id);
  else if (selectedId.value !== first.id) selectedId.value = first.id;
  opened.value = next;
}

/* What "the next one" is outside the search's list: the next hop of a route. */
export const stepper = signal<(() => void) | null>(null);

/* After a decision: the one below, or none further. */
export function selectNext(): void {
  if (stepper.value) {
    stepper.value();
    return;
  }
  const ids = shownIds.value;
  const next = ids[ids.indexOf(selectedId.value ?? "") + 1];
  if (next) selectedId.value = next;
}
