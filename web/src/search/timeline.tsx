/* SPDX-License-Identifier: Apache-2.0 */
/* When the sightings are: bars of hits, hatches where nothing could be searched, a brush that sets the period.
 * The period fields do the same by keyboard. */
import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { language, number, t } from "../i18n";
import { openCase, tz } from "../state";
import { clockSeconds, dayAndTime, hourMinute } from "../time";
import { binned, fitted, hanging, missing, rebinned, type Span, ticks } from "./bins";
import { answer, cameras, period, selected, selectedId, setPeriod } from "./question";

const BINS = 120;
const HEIGHT = 46;
const WIDTH = 1200;

export function Timeline(): JSX.Element | null {
  const c = openCase.value;
  const a = answer.value;
  const [whole, setWhole] = useState(false);
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const box = useRef<SVGSVGElement>(null);
  const items = a?.items;
  const asked: Span | null = period.value ?? c;
  const fit = useMemo(() => (items && asked ? fitted(items, asked) : null), [items, asked]);
  const domain = fit && !whole ? fit : asked;
  const bins = useMemo(() => {
    if (!a || !domain) return [];
    return a.items.length >= a.total
      ? binned(a.items.map((s) => s.best_ms || s.from_ms), domain, BINS)
      : rebinned(a.histogram, domain, BINS);
  }, [a, domain]);
  if (!c || !domain || !asked) return null;
  const length = domain.to_ms - domain.from_ms;
  const x = (ms: number): number => Math.min(1, Math.max(0, (ms - domain.from_ms) / length)) * WIDTH;
  const most = Math.max(1, ...bins);
  const zone = tz.value;
  const lang = language.value;
  const label = (ms: number): string => (length < 20 * 60e3 ? clockSeconds(ms, zone) : hourMinute(ms, zone));
  const at = (e: PointerEvent): number => {
    const r = box.current?.getBoundingClientRect();
    return r ? Math.min(1, Math.max(0, (e.clientX - r.left) / r.width)) : 0;
  };
  const momentAt = (part: number): number => domain.from_ms + part * length;
  const finish = (): void => {
    if (!drag) return;
    const [l, r] = drag.a < drag.b ? [drag.a, drag.b] : [drag.b, drag.a];
    setDrag(null);
    if (r - l > 0.008) {
      setPeriod({ from_ms: Math.round(momentAt(l)), to_ms: Math.round(momentAt(r)) });
      return;
    }
    const near = [...(a?.items ?? [])].sort(
      (p, q) => Math.abs(p.best_ms - momentAt(l)) - Math.abs(q.best_ms - momentAt(l)),
    )[0];
    if (near) selectedId.value = near.id;
  };
  const mark = selected.value;
  const nCameras = cameras.value.size || c.camera_ids.length;
  const gaps = hanging(missing(a?.coverage.gaps ?? [], nCameras, domain, 4 * BINS), WIDTH, HEIGHT);
  const axis = ticks(domain, 7);
  const summary = t("time.summary", {
    n: number(a?.total ?? 0),
    from: dayAndTime(domain.from_ms, zone, lang),
    to: dayAndTime(domain.to_ms, zone, lang),
  });
  return (
    <div class="tl">
      <svg
        ref={box}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${t("time.label")}. ${summary}`}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          setDrag({ a: at(e), b: at(e) });
        }}
        onPointerMove={(e) => drag && setDrag({ ...drag, b: at(e) })}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
      >
        <defs>
          <pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="gap-line" width="3.4" height="9" />
          </pattern>
        </defs>
        <rect class="ground" x="0" y="0" width={WIDTH} height={HEIGHT} />
        {gaps && <path d={gaps} fill="url(#hatch)" />}
        {bins.map((n, i) => {
          const h = n > 0 ? Math.max(4, (n / most) * (HEIGHT - 4)) : 0;
          return h > 0 ? (
            <rect
              key={i}
              class="bar"
              x={(i * WIDTH) / BINS + 1}
              width={WIDTH / BINS - 2}
              y={HEIGHT - h}
              height={h}
            />
          ) : null;
        })}
        {mark && <rect class="now" x={x(mark.best_ms) - 1.5} y="0" width="3" height={HEIGHT} />}
        {drag && (
          <rect
            class="brush"
            x={Math.min(drag.a, drag.b) * WIDTH}
            width={Math.abs(drag.b - drag.a) * WIDTH}
            y="0.5"
            height={HEIGHT - 1}
          />
        )}
      </svg>
      <div class="axis" aria-hidden="true">
        <span class="m">{dayAndTime(domain.from_ms, zone, lang)}</span>
        {axis.map((ms) => {
          const part = (ms - domain.from_ms) / length;
          return part > 0.24 && part < 0.84 ? (
            <span key={ms} class="m tick" style={{ left: `${part * 100}%` }}>
              {label(ms)}
            </span>
          ) : null;
        })}
        <span class="end">
          {fit ? (
            <button class="link small" type="button" tabIndex={-1} onClick={() => setWhole(!whole)}>
              {t(whole ? "time.fit" : "time.whole")}
            </button>
          ) : (
            <span class="m">{label(domain.to_ms)}</span>
          )}
        </span>
      </div>
    </div>
  );
}
