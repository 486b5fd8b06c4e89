/* SPDX-License-Identifier: Apache-2.0 */
/* Moments are UTC milliseconds; people see the site's local time. The zone comes from the server, never from the
 * browser: an operator's machine may be set otherwise. */

export type Lang = "fr" | "en";

const formats = new Map<string, Intl.DateTimeFormat>();
function format(lang: Lang, tz: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang} ${tz} ${name}`;
  let f = formats.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(lang === "fr" ? "fr-FR" : "en-GB", { timeZone: tz, hourCycle: "h23", ...options });
    formats.set(key, f);
  }
  return f;
}

type Parts = { year: number; month: number; day: number; hour: number; minute: number; second: number };

export function partsOf(ms: number, tz: string): Parts {
  const f = format("en", tz, "parts", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const out: Record<string, number> = {};
  for (const p of f.formatToParts(ms)) if (p.type !== "literal") out[p.type] = Number(p.value);
  return out as Parts;
}

/* The UTC moment of a local wall time. In the hour that winter time repeats, the first one; in the hour that
 * summer time skips, the moment the clock would have shown had it not been changed. */
export function fromLocal(p: Omit<Parts, "second">, tz: string): number {
  const wanted = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute);
  const offsetAt = (ms: number): number => {
    const q = partsOf(ms, tz);
    return Date.UTC(q.year, q.month - 1, q.day, q.hour, q.minute, q.second) - Math.floor(ms / 1000) * 1000;
  };
  const early = wanted - offsetAt(wanted - 86400e3);
  const late = wanted - offsetAt(wanted + 86400e3);
  const fits = (ms: number): boolean => ms + offsetAt(ms) === wanted;
  return fits(Math.min(early, late)) ? Math.min(early, late) : fits(Math.max(early, late)) ? Math.max(early, late) : early;
}

const pad = (n: number, width = 2): string => String(n).padStart(width, "0");

/* 14:07:12,36: a hundredth is what 25 frames a second can tell apart. */
export function clock(ms: number, tz: string, lang: Lang): string {
  const p = partsOf(ms, tz);
  const hundredths = Math.floor((((ms % 1000) + 1000) % 1000) / 10);
  return `${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}${lang === "fr" ? "," : "."}${pad(hundredths)}`;
}

export const clockSeconds = (ms: number, tz: string): string => {
  const p = partsOf(ms, tz);
  return `${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}`;
};

export const hourMinute = (ms: number, tz: string): string => {
  const p = partsOf(ms, tz);
  return `${pad(p.hour)}:${pad(p.minute)}`;
};

export const day = (ms: number, tz: string, lang: Lang): string =>
  format(lang, tz, "day", { weekday: "short", day: "numeric", month: "short" }).format(ms);

export const dayAndTime = (ms: number, tz: string, lang: Lang): string =>
  `${day(ms, tz, lang)} ${hourMinute(ms, tz)}`;

export const sameDay = (a: number, b: number, tz: string): boolean => {
  const p = partsOf(a, tz);
  const q = partsOf(b, tz);
  return p.year === q.year && p.month === q.month && p.day === q.day;
};

/* "ven. 20 nov. 14:00 → 16:00", with the second day only when it differs. */
export const span = (from: number, to: number, tz: string, lang: Lang): string =>
  `${dayAndTime(from, tz, lang)} → ${sameDay(from, to, tz) ? hourMinute(to, tz) : dayAndTime(to, tz, lang)}`;

export const fieldText = (ms: number, tz: string): string => {
  const p = partsOf(ms, tz);
  return `${pad(p.day)}/${pad(p.month)} ${pad(p.hour)}:${pad(p.minute)}`;
};

/* "20/11 14:00", also "20/11 14h", "20-11 14.00": a moment inside [from, to] when one year makes it so, else the
 * one nearest to it. null when it is no date. The own field exists because the browser's follows the browser's
 * language, not the page's. */
export function parseField(text: string, tz: string, from: number, to: number): number | null {
  const m = /^\s*(\d{1,2})\s*[/.-]\s*(\d{1,2})\s+(\d{1,2})(?:\s*[:hH.]\s*(\d{2})?)?\s*$/.exec(text);
  if (!m) return null;
  const dayNo = Number(m[1]);
  const month = Number(m[2]);
  const hour = Number(m[3]);
  const minute = Number(m[4] ?? "0");
  if (hour > 23 || minute > 59 || month < 1 || month > 12) return null;
  let best: number | null = null;
  let bestDistance = Infinity;
  for (let year = partsOf(from, tz).year; year <= partsOf(to, tz).year; year++) {
    if (dayNo < 1 || dayNo > new Date(Date.UTC(year, month, 0)).getUTCDate()) continue;
    const ms = fromLocal({ year, month, day: dayNo, hour, minute }, tz);
    const distance = ms < from ? from - ms : ms > to ? ms - to : 0;
    if (distance < bestDistance) {
      bestDistance = distance;
      best = ms;
    }
  }
  return best;
}

/* 1.4 s, 12 s, 3 min 05, 2 h 10: the two largest units. */
export function duration(ms: number, lang: Lang): string {
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1).replace(".", lang === "fr" ? "," : ".")}\u00a0s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole}\u00a0s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min\u00a0${pad(whole % 60)}\u00a0s`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)}\u00a0h\u00a0${pad(minutes % 60)}`;
}

/* Hours of footage: 24 h, 23,6 h, 22 min, 45 s. */
export function hours(h: number, lang: Lang): string {
  const seconds = Math.round(h * 3600);
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) {
    const rest = seconds % 60;
    return rest && seconds < 600 ? `${Math.floor(seconds / 60)}\u00a0min\u00a0${pad(rest)}\u00a0s` : `${Math.round(seconds / 60)}\u00a0min`;
  }
  return `${new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }).format(h)}\u00a0h`;
}

/* "20/11/2026 14:00", what a moment field shows; with seconds where a recording begins. */
export const dateText = (ms: number, tz: string, seconds = false): string => {
  const p = partsOf(ms, tz);
  return `${pad(p.day)}/${pad(p.month)}/${p.year} ${pad(p.hour)}:${pad(p.minute)}${seconds ? `:${pad(p.second)}` : ""}`;
};

/* "20/11/2026 14:00", also with seconds, without the year (then the one that brings it nearest to `near`), "20/11 14h",
 * or "20/11/2026" for the start of that day. null when it is no moment. */
export function parseMoment(text: string, tz: string, near: number): number | null {
  const m = /^\s*(\d{1,2})\s*[/.-]\s*(\d{1,2})(?:\s*[/.-]\s*(\d{4}))?(?:\s+(\d{1,2})(?:\s*[:hH.]\s*(?:(\d{2})(?::(\d{2}))?)?)?)?\s*$/.exec(text);
  if (!m) return null;
  const second = Number(m[6] ?? "0");
  const [dayNo, month, hour, minute] = [Number(m[1]), Number(m[2]), Number(m[4] ?? "0"), Number(m[5] ?? "0")];
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || dayNo < 1) return null;
  const year = partsOf(near, tz).year;
  const years = m[3] ? [Number(m[3])] : [year - 1, year, year + 1];
  const found = years
    .filter((y) => y >= 1970 && y <= 9999 && dayNo <= new Date(Date.UTC(y, month, 0)).getUTCDate())
    .map((y) => fromLocal({ year: y, month, day: dayNo, hour, minute }, tz) + second * 1000);
  return found.toSorted((a, b) => Math.abs(a - near) - Math.abs(b - near))[0] ?? null;
}

/* 7 j 23 h, 23 h 10, 12 min: what is left, in its two largest units. */
export function countdown(ms: number, lang: Lang): string {
  const minutes = Math.max(0, Math.floor(ms / 60e3));
  const days = Math.floor(minutes / 1440);
  const h = Math.floor(minutes / 60) % 24;
  if (days > 0) return `${days}\u00a0${lang === "fr" ? "j" : "d"}${h ? ` ${h}\u00a0h` : ""}`;
  if (h > 0) return `${h}\u00a0h\u00a0${pad(minutes % 60)}`;
  return `${minutes}\u00a0min`;
}
