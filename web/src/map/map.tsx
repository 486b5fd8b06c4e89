/* SPDX-License-Identifier: Apache-2.0 */
/* Cameras on a plain drawing: north up, view cones, the city's outline where the site has one. A lasso chooses; every
 * choice can be made in the list beside it as well, so the drawing is never the only way. */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../http";
import { number, t } from "../i18n";
import { boot } from "../state";
import { cone, dots, isInside, isPlaced, line, type Place, type Point, type Projection, projectionOf, scaleBar } from "./geometry";
import "../styles/map.css";

export type Spot = Place & { id: string; headingDeg: number; fovDeg: number };

/* The cameras of these ids that have a place. */
export function spotsOf(ids: readonly string[]): Spot[] {
  const c = boot.value?.cameras;
  if (!c) return [];
  const at = new Map(c.id.map((id, i) => [id, i]));
  return ids.flatMap((id) => {
    const i = at.get(id);
    if (i === undefined) return [];
    const spot = { id, lat: c.lat[i] ?? 0, lon: c.lon[i] ?? 0, headingDeg: c.heading_deg[i] ?? -1, fovDeg: c.fov_deg[i] ?? -1 };
    return isPlaced(spot) ? [spot] : [];
  });
}

/* What the site drew of its city; null = asked and not there. */
type Outline = { credit: string; lines: [number, number][][]; areas: [number, number][][] };
const outline = signal<Outline | null | undefined>(undefined);
const isPath = (x: unknown): x is [number, number][] =>
  Array.isArray(x) && x.every((p) => Array.isArray(p) && p.length === 2 && p.every((v) => typeof v === "number" && Number.isFinite(v)));
function loadOutline(): void {
  if (outline.value !== undefined) return;
  outline.value = null;
  void get<Record<string, unknown>>("/outline").then(
    (o) => {
      const paths = (v: unknown): [number, number][][] => (Array.isArray(v) ? v.filter(isPath) : []);
      outline.value = { credit: typeof o.credit === "string" ? o.credit : "", lines: paths(o.lines), areas: paths(o.areas) };
    },
    () => undefined /* most sites have none */,
  );
}

export const W = 1000;
const CONE_KM = 0.06;

export function CameraMap(props: {
  spots: readonly Spot[];
  height: number;
  label: string;
  /* What must be seen large; absent: all of them. */
  fit?: readonly Place[];
  /* Drawn large: chosen cameras, or those of a route. */
  chosen: ReadonlySet<string>;
  /* The lasso's answer; absent: the map only shows. */
  onLasso?: (ids: string[], more: boolean) => void;
  onPick?: (id: string, more: boolean) => void;
  /* What lies on top, drawn with the map's own projection. */
  over?: (p: Projection) => ComponentChildren;
}): JSX.Element {
  const { spots, fit, height } = props;
  const [lasso, setLasso] = useState<Point[] | null>(null);
  const box = useRef<SVGSVGElement>(null);
  useEffect(loadOutline, []);
  const drawn = useMemo(() => {
    const projection = projectionOf(fit && fit.length > 0 ? fit : spots, W, height, Math.min(90, height / 5));
    const points = spots.map((s) => projection.point(s));
    const radius = Math.min(60, Math.max(14, CONE_KM * projection.perKm));
    return {
      projection,
      points,
      all: dots(points),
      cones: spots.map((s, i) => cone(points[i] ?? [0, 0], s.headingDeg, s.fovDeg, radius)).join(""),
    };
  }, [spots, fit, height]);
  const chosen = useMemo(
    () => dots(drawn.points.filter((_, i) => props.chosen.has(spots[i]?.id ?? ""))),
    [drawn, props.chosen],
  );
  const city = outline.value;
  const ground = useMemo(() => {
    const path = (paths: [number, number][][], end: string): string =>
      paths.map((p) => line(p.map(([lat, lon]) => drawn.projection.point({ lat, lon }))) + end).join("");
    return city ? { lines: path(city.lines, ""), areas: path(city.areas, "Z") } : null;
  }, [city, drawn]);
  const at = (e: PointerEvent): Point => {
    const r = box.current?.getBoundingClientRect();
    return r ? [((e.clientX - r.left) / r.width) * W, ((e.clientY - r.top) / r.height) * height] : [0, 0];
  };
  const finish = (e: PointerEvent): void => {
    const path = lasso ?? [];
    setLasso(null);
    const [x0, y0] = path[0] ?? at(e);
    const [xs, ys] = [path.map((p) => p[0]), path.map((p) => p[1])];
    if (path.length < 3 || Math.max(...xs) - Math.min(...xs) + Math.max(...ys) - Math.min(...ys) < 24) {
      pick([x0, y0], e);
      return;
    }
    props.onLasso?.(
      spots.filter((_, i) => isInside(path, drawn.points[i] ?? [-1, -1])).map((s) => s.id),
      e.shiftKey || e.ctrlKey,
    );
  };
  const pick = ([x, y]: Point, e: PointerEvent): void => {
    let best = 30;
    let id: string | null = null;
    drawn.points.forEach(([px, py], i) => {
      const d = Math.hypot(px - x, py - y);
      if (d < best) [best, id] = [d, spots[i]?.id ?? null];
    });
    if (id !== null) props.onPick?.(id, e.shiftKey || e.ctrlKey);
  };
  const acts = props.onLasso !== undefined || props.onPick !== undefined;
  const bar = scaleBar(drawn.projection.perKm, W / 4);
  return (
    <div class="map">
      <svg
        ref={box}
        viewBox={`0 0 ${W} ${height}`}
        role="img"
        aria-label={props.label}
        class={acts ? "acts" : undefined}
        onPointerDown={(e) => {
          if (!acts) return;
          e.currentTarget.setPointerCapture(e.pointerId);
          setLasso([at(e)]);
        }}
        onPointerMove={(e) => lasso && setLasso([...lasso, at(e)])}
        onPointerUp={(e) => lasso && finish(e)}
        onPointerCancel={() => setLasso(null)}
      >
        <rect class="sea" width={W} height={height} />
        {ground && <path class="land" d={ground.areas} />}
        {ground && <path class="street" d={ground.lines} />}
        <path class="cone" d={drawn.cones} />
        <path class="dot" d={drawn.all} />
        <path class="dot on" d={chosen} />
        {props.over?.(drawn.projection)}
        {lasso && lasso.length > 1 && <path class="lasso" d={`${line(lasso)}Z`} />}
        <g class="scale">
          <path d={`M${W - 24 - bar.length} ${height - 22}v8h${bar.length}v-8`} />
          <text x={W - 24 - bar.length / 2} y={height - 28}>
            {bar.km < 1 ? `${number(bar.km * 1000)} m` : `${number(bar.km)} km`}
          </text>
          <path d={`M26 ${height - 14}v-34m-7 10l7-10l7 10`} />
        </g>
      </svg>
      <p class="credit">{city?.credit || t("map.schematic")}</p>
    </div>
  );
}
