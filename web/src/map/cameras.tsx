/* SPDX-License-Identifier: Apache-2.0 */
/* The cameras as dots where they stand, with what each sees, over the city's outline where the site has one. Drag
 * around dots to choose them, wheel or + and − to come nearer, Shift and drag to move. The list beside it does the
 * same by keyboard, so the drawing itself takes no focus. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Cameras } from "../api";
import { get } from "../http";
import { number, t } from "../i18n";
import { Icon } from "../icons";
import { cone, dots, isInside, isPlaced, line, type Point, projectionOf, scaleBar } from "./geometry";

const W = 1000;
const H = 640;
const REACH_KM = 0.06;

type Outline = { credit: string; lines: [number, number][][]; areas: [number, number][][] };
const outline = signal<Outline | null | undefined>(undefined);

/* Asked once; a site without one is no error. */
export function useOutline(): Outline | null {
  useEffect(() => {
    if (outline.peek() !== undefined) return;
    outline.value = null;
    get<Outline>("/outline").then(
      (o) => (outline.value = o),
      () => undefined,
    );
  }, []);
  return outline.value ?? null;
}

export function CameraMap(props: {
  cameras: Cameras;
  chosen: ReadonlySet<string>;
  /* Drawn in amber: what needs somebody's eye. */
  marked?: ReadonlySet<string>;
  onPick?: (id: string) => void;
  onLasso?: (ids: string[]) => void;
}): JSX.Element {
  const { cameras } = props;
  const svg = useRef<SVGSVGElement>(null);
  const [view, setView] = useState({ x: 0, y: 0, k: 1 });
  const [lasso, setLasso] = useState<Point[]>([]);
  const [near, setNear] = useState<number>(-1);
  const city = useOutline();
  const shown = useMemo(() => {
    const places = cameras.id.map((_, i) => ({ lat: cameras.lat[i] ?? 0, lon: cameras.lon[i] ?? 0 }));
    const placed = places.filter(isPlaced);
    const p = projectionOf(placed, W, H, 40);
    return { p, points: places.map((x) => (isPlaced(x) ? p.point(x) : null)), n: placed.length };
  }, [cameras]);
  const ground = useMemo(() => {
    const draw = (l: [number, number][]): string => line(l.map(([lat, lon]) => shown.p.point({ lat, lon })));
    return city ? { lines: city.lines.map(draw).join(""), areas: city.areas.map((a) => `${draw(a)}Z`).join("") } : null;
  }, [city, shown]);
  const r = 3 / view.k;
  const of = (wanted: (id: string) => boolean): Point[] =>
    shown.points.filter((pt, i): pt is Point => pt !== null && wanted(cameras.id[i] ?? ""));
  const cones = cameras.id
    .map((_, i) => {
      const pt = shown.points[i];
      const reach = Math.max(REACH_KM * shown.p.perKm, 14 / view.k);
      return pt ? cone(pt, cameras.heading_deg[i] ?? -1, cameras.fov_deg[i] ?? 0, reach) : "";
    })
    .join("");

  const at = (e: MouseEvent): Point => {
    const box = svg.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    /* The drawing is centred in its box (preserveAspectRatio's default). */
    const scale = Math.min(box.width / W, box.height / H);
    const left = box.left + (box.width - W * scale) / 2;
    const top = box.top + (box.height - H * scale) / 2;
    return [((e.clientX - left) / scale - view.x) / view.k, ((e.clientY - top) / scale - view.y) / view.k];
  };
  const nearest = ([x, y]: Point): number => {
    let best = -1;
    let distance = (12 / view.k) ** 2;
    shown.points.forEach((pt, i) => {
      const d = pt ? (pt[0] - x) ** 2 + (pt[1] - y) ** 2 : Infinity;
      if (d < distance) [best, distance] = [i, d];
    });
    return best;
  };
  const zoom = (factor: number, [x, y]: Point = [(W / 2 - view.x) / view.k, (H / 2 - view.y) / view.k]): void =>
    setView((v) => {
      const k = Math.min(40, Math.max(1, v.k * factor));
      return k === 1 ? { x: 0, y: 0, k } : { k, x: v.x + x * (v.k - k), y: v.y + y * (v.k - k) };
    });
  useEffect(() => {
    const node = svg.current;
    if (!node) return undefined;
    const onWheel = (e: WheelEvent): void => {
      e.preventDefault();
      zoom(e.deltaY < 0 ? 1.25 : 0.8, at(e));
    };
    node.addEventListener("wheel", onWheel, { passive: false });
    return () => node.removeEventListener("wheel", onWheel);
  });
  const down = (e: PointerEvent): void => {
    if (e.button !== 0) return;
    const start = at(e);
    const moves = e.shiftKey;
    const drawn: Point[] = [start];
    const from = { x: e.clientX, y: e.clientY, view };
    const box = svg.current?.getBoundingClientRect();
    const scale = box ? Math.min(box.width / W, box.height / H) : 1;
    const onMove = (m: PointerEvent): void => {
      if (moves) {
        setView({ ...from.view, x: from.view.x + (m.clientX - from.x) / scale, y: from.view.y + (m.clientY - from.y) / scale });
      } else if (props.onLasso) {
        drawn.push(at(m));
        setLasso([...drawn]);
      }
    };
    const onUp = (): void => {
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onUp);
      setLasso([]);
      if (moves) return;
      if (drawn.length < 5) {
        const hit = cameras.id[nearest(start)];
        if (hit) props.onPick?.(hit);
        return;
      }
      props.onLasso?.(cameras.id.filter((_, i) => {
        const pt = shown.points[i];
        return pt !== null && pt !== undefined && isInside(drawn, pt);
      }));
    };
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onUp);
  };
  const bar = scaleBar(shown.p.perKm * view.k, 180);
  const nearId = cameras.id[near];
  return (
    <div class="citymap">
      <svg
        ref={svg}
        viewBox={`0 0 ${W} ${H}`}
        role="img"
        aria-label={t("map.label", { n: number(shown.n), chosen: number(props.chosen.size) })}
        onPointerDown={down}
        onPointerMove={(e) => setNear(nearest(at(e)))}
        onPointerLeave={() => setNear(-1)}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.k})`}>
          {ground && (
            <>
              <path class="ground" d={ground.areas} />
              <path class="road" d={ground.lines} stroke-width={2 / view.k} />
            </>
          )}
          <path class="sees" d={cones} />
          <path class="cam" d={dots(of(() => true))} stroke-width={r * 2} />
          <path class="cam mark" d={dots(of((id) => props.marked?.has(id) ?? false))} stroke-width={r * 2.6} />
          <path class="cam on" d={dots(of((id) => props.chosen.has(id)))} stroke-width={r * 2.8} />
          {lasso.length > 1 && <path class="loop" d={`${line(lasso)}Z`} stroke-width={1.5 / view.k} />}
        </g>
        <g class="scale" transform={`translate(${W - 30 - bar.length} ${H - 22})`}>
          <path d={`M0 -5v5h${bar.length.toFixed(1)}v-5`} />
          <text x={bar.length / 2} y={-9} text-anchor="middle">
            {bar.km < 1 ? `${number(bar.km * 1000)} m` : `${number(bar.km)} km`}
          </text>
        </g>
      </svg>
      <div class="citymap-tools">
        <button class="ib" type="button" aria-label={t("map.in")} onClick={() => zoom(1.6)}>
          <Icon name="plus" />
        </button>
        <button class="ib" type="button" aria-label={t("map.out")} onClick={() => zoom(1 / 1.6)}>
          <Icon name="minus" />
        </button>
      </div>
      {nearId && (
        <p class="citymap-name">
          <b>{nearId}</b> {cameras.name[near]}
        </p>
      )}
      <p class="hint">
        {t(city ? "map.outline" : "map.schematic")} {city?.credit} {shown.n < cameras.id.length && t("map.unplaced", { n: number(cameras.id.length - shown.n) })}
      </p>
    </div>
  );
}
