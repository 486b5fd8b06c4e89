/* SPDX-License-Identifier: Apache-2.0 */
/* How reliable each filter was when it was measured, beside the filter itself. A number without its set and its count
 * says nothing, so the table with both is one press away. */
import { computed, effect, signal, untracked } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../http";
import { number, t } from "../i18n";
import { boot } from "../state";

export type Measure = {
  metric: string;
  set: string;
  n: number;
  measured: number;
  ci95?: [number, number];
  goal?: number;
  at_most?: boolean;
  met?: boolean;
};
export type Filter = {
  field: string;
  value: string;
  enabled: boolean;
  why?: string;
  measures: Measure[];
  see_also?: { value: string; share: number; n: number }[];
};
export type Accuracy = { date: string; filters: Filter[] };

/* null: nothing was measured, or the list is not there yet; the filters then stand without a figure. */
export const accuracy = signal<Accuracy | null>(null);
export const reliabilityShown = signal(false);

const booted = computed(() => boot.value !== null);
effect(() => {
  if (!booted.value) return;
  untracked(() => {
    void get<Accuracy>("/accuracy").then(
      (a) => (accuracy.value = a),
      () => (accuracy.value = null),
    );
  });
});

const table = computed(() => new Map((accuracy.value?.filters ?? []).map((f) => [`${f.field} ${f.value}`, f])));
export const filterOf = (field: string, value: string): Filter | null => table.value.get(`${field} ${value}`) ?? null;

/* The first that exists, in the order in which they answer "how often is this right?". */
const ORDER = ["precision", "top1", "found", "recall"];
export function headline(f: Filter | null): Measure | null {
  for (const metric of ORDER) {
    const m = f?.measures.find((x) => x.metric === metric);
    if (m) return m;
  }
  return null;
}

/* "juste 92 %": beside a filter; in words for whoever does not see the bar. */
export function Reliability({ field, value }: { field: string; value: string }): JSX.Element | null {
  const m = headline(filterOf(field, value)) ?? null;
  if (!m) return null;
  const percent = number(Math.round(m.measured * 100));
  return (
    <small class="fia" title={t("accuracy.title", { metric: t(`accuracy.metric.${metricKey(m.metric)}`), n: percent, cases: number(m.n) })}>
      <u aria-hidden="true">
        <i style={{ width: `${m.measured * 100}%` }} />
      </u>
      <span class="vh">{t("accuracy.spoken", { n: percent })}</span>
    </small>
  );
}

const METRICS = ["precision", "recall", "top1", "top2", "any", "found"] as const;
export const metricKey = (metric: string): (typeof METRICS)[number] =>
  METRICS.find((m) => m === metric) ?? "any";

export function ReliabilityDialog(): JSX.Element | null {
  const [found, setFound] = useState<ComponentType | null>(null);
  const shown = reliabilityShown.value;
  useEffect(() => {
    if (shown && !found) void import("./accuracy_table").then((m) => setFound(() => m.AccuracyTable));
  }, [shown]);
  const Found = found;
  return shown && Found ? <Found /> : null;
}
