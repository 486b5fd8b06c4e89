/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the journal in words: what was done, to what. The whole line stays there to unfold. */
import { isKey, number, t } from "../../i18n";
import type { JournalEntry } from "../../office";

/* What the journal's own words are; the filter offers them. */
export const actions = [
  "search", "search.refused", "search.save", "search.forget", "route", "view", "still", "thumbnail", "decide",
  "exhibit.add", "exhibit.change", "exhibit.remove", "seal.ask", "seal.approve", "seal.refuse", "seal.built",
  "seal.download", "case.open", "case.close", "case.officers", "case.hold", "case.release", "extension.ask",
  "extension.approve", "extension.refuse", "closing", "import", "import.order", "purge", "camera.add", "camera.change",
  "group.change", "group.remove", "login", "login.refused", "logout", "session.end", "password", "password.refused",
  "refused", "user.add", "user.change", "user.password", "user.totp", "user.totp_off", "user.logout", "journal.read",
  "journal.verify", "journal.export", "journal.purge", "facts", "figures", "backup", "restore", "init",
] as const;

export function actionText(action: string): string {
  const key = `action.${action.replace(/\./g, "_")}`;
  return isKey(key) ? t(key) : action;
}

/* Refusals are what an auditor looks for first. */
export const isRefusal = (e: JournalEntry): boolean =>
  /refus|denied|failed/.test(e.action) || typeof e.detail.code === "string";

const scalar = (v: unknown): v is string | number | boolean =>
  (typeof v === "string" && v !== "") || typeof v === "number" || typeof v === "boolean";

/* On every line, so they tell nothing of this one; the unfolded line has them. */
const EVERYWHERE: ReadonlySet<string> = new Set(["id", "station", "local", "software", "models", "index"]);

export function objectText(e: JournalEntry): string {
  const d = e.detail;
  const asked = d.asked as { sentence?: unknown } | undefined;
  if (asked) {
    const sentence = typeof asked.sentence === "string" && asked.sentence ? `« ${asked.sentence} »` : t("query.everything");
    if (typeof d.code === "string") return `${sentence} : ${t("journal.refused", { code: d.code.replace(/_/g, " ") })}`;
    return typeof d.total === "number" ? `${sentence} → ${t("result.count.n", { n: number(d.total) })}` : sentence;
  }
  const rest = Object.entries(d)
    .filter(([k, v]) => scalar(v) && !EVERYWHERE.has(k) && v !== e.object && v !== e.user && !/_ms$|sha256/.test(k))
    .slice(0, 4)
    .map(([k, v]) => `${k} ${String(v).slice(0, 60)}`);
  return [e.object === e.case_id || e.object === e.user ? "" : e.object, ...rest].filter(Boolean).join(" · ");
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
