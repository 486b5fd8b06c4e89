/* SPDX-License-Identifier: Apache-2.0 */
/* Places on a flat drawing, apart from its drawing. A city is small: one scale for both axes is true to a metre. */

export type Place = { lat: number; lon: number };
export type Point = readonly [number, number];
/* 0, 0 means "not placed" in the register. */
export const isPlaced = (p: Place): boolean => p.lat !== 0 || p.lon !== 0;

const KM_PER_DEGREE = 111.195;
const LEAST_KM = 0.15;

/* Kilometres as the crow flies. */
export function kmBetween(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(h)));
}

export type Projection = {
  point: (p: Place) => Point;
  place: (at: Point) => Place;
  /* Drawing units per kilometre. */
  perKm: number;
};

/* Fits the places into w x h with a margin, north up; a single place lies in the middle of 150 m. */
export function projectionOf(places: readonly Place[], w: number, h: number, margin: number): Projection {
  const some = places.length > 0 ? places : [{ lat: 0, lon: 0 }];
  let [south, north, west, east] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const p of some) {
    south = Math.min(south, p.lat);
    north = Math.max(north, p.lat);
    west = Math.min(west, p.lon);
    east = Math.max(east, p.lon);
  }
  const lat0 = (south + north) / 2;
  const lon0 = (west + east) / 2;
  const kmX = KM_PER_DEGREE * Math.cos((lat0 * Math.PI) / 180);
  const wide = Math.max((east - west) * kmX, LEAST_KM);
  const high = Math.max((north - south) * KM_PER_DEGREE, LEAST_KM);
  const perKm = Math.min((w - 2 * margin) / wide, (h - 2 * margin) / high);
  return {
    perKm,
    point: (p) => [w / 2 + (p.lon - lon0) * kmX * perKm, h / 2 - (p.lat - lat0) * KM_PER_DEGREE * perKm],
    place: ([x, y]) => ({ lon: lon0 + (x - w / 2) / (kmX * perKm), lat: lat0 - (y - h / 2) / (KM_PER_DEGREE * perKm) }),
  };
}

/* Even-odd rule; points on an edge may count either way. */
export function isInside(polygon: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i] ?? [0, 0];
    const [xj, yj] = polygon[j] ?? [0, 0];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/* Dots as one path of lines without length: with round ends each is a dot, and thousands cost one element. */
export const dots = (points: readonly Point[]): string =>
  points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");

/* What a camera sees, as a sector of `radius`; "" when its heading or its angle is unknown. */
export function cone([x, y]: Point, headingDeg: number, fovDeg: number, radius: number): string {
  if (headingDeg < 0 || fovDeg <= 0) return "";
  const at = (deg: number): string => {
    const a = ((deg - 90) * Math.PI) / 180;
    return `${(x + radius * Math.cos(a)).toFixed(1)} ${(y + radius * Math.sin(a)).toFixed(1)}`;
  };
  const half = Math.min(fovDeg, 359) / 2;
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${at(headingDeg - half)}A${radius} ${radius} 0 ${fovDeg > 180 ? 1 : 0} 1 ${at(headingDeg + half)}Z`;
}

export const line = (points: readonly Point[]): string =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/* A round length of the scale bar that is at most `most` units long. */
export function scaleBar(perKm: number, most: number): { km: number; length: number } {
  const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
  const km = [...steps].reverse().find((s) => s * perKm <= most) ?? 0.05;
  return { km, length: km * perKm };
}
