/* SPDX-License-Identifier: Apache-2.0 */
/* One leg of a route between two passages, by the rule that the server uses: as the crow flies, so the speed is a
 * lower bound. */
import { isPlaced, kmBetween, type Place } from "../map/geometry";

export type Flag = "" | "too_fast" | "two_places" | "not_placed";
export type Leg = { km: number | null; minutes: number; kmh: number | null; flag: Flag };
type Passage = { camera_id: string; from_ms: number; to_ms: number };

const SAME_PLACE_KM = 0.05;

export function leg(a: Passage, b: Passage, placeOf: (id: string) => Place | undefined, maxKmh: number): Leg {
  const minutes = (b.from_ms - a.to_ms) / 60e3;
  const [from, to] = [placeOf(a.camera_id), placeOf(b.camera_id)];
  const same = a.camera_id === b.camera_id;
  if (!same && (!from || !to || !isPlaced(from) || !isPlaced(to))) return { km: null, minutes, kmh: null, flag: "not_placed" };
  const km = same || !from || !to ? 0 : kmBetween(from, to);
  if (minutes <= 0) return { km, minutes, kmh: null, flag: km > SAME_PLACE_KM ? "two_places" : "" };
  const kmh = km / (minutes / 60);
  return { km, minutes, kmh, flag: kmh > maxKmh ? "too_fast" : "" };
}
