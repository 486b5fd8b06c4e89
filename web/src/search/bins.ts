/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of the timeline, apart from its drawing. */

export type Span = { from_ms: number; to_ms: number };

const STEPS_MS = [
  1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10800e3, 21600e3, 43200e3,
  86400e3, 172800e3, 604800e3,
];

/* The smallest round step of which `span` holds at most `most`. */
export function stepFor(spanMs: number, most: number): number {
  return STEPS_MS.find((s) => spanMs / s <= most) ?? Math.ceil(spanMs / most / 604800e3) * 604800e3;
}

/* How many moments fall into each of n equal bins of the span; those outside are left out. */
export function binned(moments: readonly number[], span: Span, n: number): number[] {
  const bins = new Array<number>(n).fill(0);
  const length = span.to_ms - span.from_ms;
  if (length <= 0) return bins;
  for (const ms of moments) {
    const i = Math.floor(((ms - span.from_ms) / length) * n);
    if (i >= 0 && i < n) bins[i] = (bins[i] ?? 0) + 1;
  }
  return bins;
}

/* Hourly counts spread over n bins by overlap, for answers longer than the items in hand. */
export function rebinned(
  histogram: { from_ms: number; step_ms: number; hits: readonly number[] },
  span: Span,
  n: number,
): number[] {
  const bins = new Array<number>(n).fill(0);
  const width = (span.to_ms - span.from_ms) / n;
  if (width <= 0) return bins;
  histogram.hits.forEach((hits, k) => {
    const from = histogram.from_ms + k * histogram.step_ms;
    const to = from + histogram.step_ms;
    const first = Math.max(0, Math.floor((from - span.from_ms) / width));
    const last = Math.min(n - 1, Math.ceil((to - span.from_ms) / width) - 1);
    for (let i = first; i <= last; i++) {
      const a = Math.max(from, span.from_ms + i * width);
      const b = Math.min(to, span.from_ms + (i + 1) * width);
      if (b > a) bins[i] = (bins[i] ?? 0) + (hits * (b - a)) / histogram.step_ms;
    }
  });
  return bins;
}

/* The part of the period worth drawing large: the hits with a margin, when they fill less than a third of it. */
export function fitted(items: readonly Span[], period: Span): Span | null {
  if (items.length === 0) return null;
  const from = Math.min(...items.map((s) => s.from_ms));
  const to = Math.max(...items.map((s) => s.to_ms));
  const margin = Math.max((to - from) * 0.06, 2000);
  const fit = { from_ms: Math.max(period.from_ms, from - margin), to_ms: Math.min(period.to_ms, to + margin) };
  return (fit.to_ms - fit.from_ms) * 3 < period.to_ms - period.from_ms ? fit : null;
}

/* Round moments inside the span for the axis, at most `most`. */
export function ticks(span: Span, most: number): number[] {
  const step = stepFor(span.to_ms - span.from_ms, most);
  const out: number[] = [];
  for (let ms = Math.ceil(span.from_ms / step) * step; ms <= span.to_ms; ms += step) out.push(ms);
  return out;
}

/* The part of the asked camera-time that is missing in each of n bins, 0 to 1: one camera of four without pictures
 * hides a quarter of what could be seen there. */
export function missing(gaps: readonly Span[], nCameras: number, span: Span, n: number): number[] {
  const bins = new Array<number>(n).fill(0);
  const width = (span.to_ms - span.from_ms) / n;
  if (width <= 0 || nCameras <= 0) return bins;
  for (const g of gaps) {
    const first = Math.max(0, Math.floor((g.from_ms - span.from_ms) / width));
    const last = Math.min(n - 1, Math.ceil((g.to_ms - span.from_ms) / width) - 1);
    for (let i = first; i <= last; i++) {
      const a = Math.max(g.from_ms, span.from_ms + i * width);
      const b = Math.min(g.to_ms, span.from_ms + (i + 1) * width);
      if (b > a) bins[i] = Math.min(1, (bins[i] ?? 0) + (b - a) / width / nCameras);
    }
  }
  return bins;
}

/* The outline of those parts hanging from the top of a w x h drawing, as an SVG path. */
export function hanging(parts: readonly number[], w: number, h: number): string {
  if (!parts.some((p) => p > 0)) return "";
  const step = w / parts.length;
  const points = parts.map((p, i) => `V${(p * h).toFixed(1)}H${((i + 1) * step).toFixed(1)}`);
  return `M0 0${points.join("")}V0Z`;
}
