/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the journal in words: what was done, to what. The whole line stays there to unfold. */
import { isKey, number, t } from "../../i18n";
import type { JournalEntry } from "../../office";

/* "case.open", "case_open" and "case-open" are one act. */
export function actionText(action: string): string {
  const key = `action.${action.replace(/[._-]/g, "_")}`;
  return isKey(key) ? t(key) : action;
}

/* Refusals are what an auditor looks for first. */
export const isRefusal = (e: JournalEntry): boolean =>
  /refus|denied|failed/.test(e.action) || typeof e.detail.code === "string";

const scalar = (v: unknown): v is string | number | boolean =>
  (typeof v === "string" && v !== "") || typeof v === "number" || typeof v === "boolean";

export function objectText(e: JournalEntry): string {
  const d = e.detail;
  const asked = d.asked as { sentence?: unknown } | undefined;
  if (asked) {
    const sentence = typeof asked.sentence === "string" && asked.sentence ? `« ${asked.sentence} »` : t("query.everything");
    if (typeof d.code === "string") return `${sentence} : ${t("journal.refused", { code: d.code.replace(/_/g, " ") })}`;
    return typeof d.total === "number" ? `${sentence} → ${t("result.count.n", { n: number(d.total) })}` : sentence;
  }
  const rest = Object.entries(d)
    .filter(([k, v]) => scalar(v) && k !== "id" && v !== e.object && !/_ms$/.test(k))
    .slice(0, 4)
    .map(([k, v]) => `${k} ${String(v)}`);
  return [e.object !== e.case_id ? e.object : "", ...rest].filter(Boolean).join(" · ");
}

/* The first line, of those shown newest first, whose `prev` is not the hash of the line before it; null when the
 * shown ones hold together. */
export function firstBreak(items: readonly JournalEntry[]): number | null {
  for (let i = items.length - 1; i > 0; i--) {
    const older = items[i];
    const newer = items[i - 1];
    if (older && newer && newer.seq === older.seq + 1 && newer.prev !== older.hash) return newer.seq;
  }
  return null;
}
