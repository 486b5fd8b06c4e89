/* SPDX-License-Identifier: Apache-2.0 */
/* The route of one vehicle: by its plate as the server found it, and further by what people confirmed, one camera
 * after the other. Confirmations lie on the server, so the same seed gives the same route to whoever opens it. */
import type { Sighting } from "../api";
import { send } from "../http";
import type { Place } from "../map/geometry";
import { decisionOf } from "../search/decisions";
import { type Leg, leg } from "./legs";

export type Link = "seed" | "plate" | "plate_alike" | "plate_fuzzy" | "look";
export type Hop = { s: Sighting; link: Link; leg: Leg | null };
export type Next = {
  camera_id: string;
  camera_name: string;
  km: number;
  from_ms: number;
  to_ms: number;
  total: number;
  items: Sighting[];
};
export type Trip = { hops: Hop[]; next: Next[]; byPlate: boolean; maxKmh: number };

type Answer = {
  seed: Sighting;
  max_kmh: number;
  hops: { sighting: Sighting; link: Link; km?: number; minutes?: number; kmh?: number; flag?: string }[];
  next: Next[];
};

/* A trip over more confirmed hops than this is looked at in two. */
const HOPS_MAX = 40;

const ask = (caseId: string, seed: string, maxKmh: number, signal: AbortSignal): Promise<Answer> =>
  send("POST", "/routes", { seed_sighting_id: seed, max_kmh: maxKmh }, { caseId, signal });

const isConfirmed = (s: Sighting): boolean => decisionOf(s)?.state === "confirmed";

export async function trip(
  caseId: string,
  seed: string,
  maxKmh: number,
  placeOf: (id: string) => Place | undefined,
  signal: AbortSignal,
): Promise<Trip> {
  let answer = await ask(caseId, seed, maxKmh, signal);
  const hops: Hop[] = answer.hops.map((h, i) => ({
    s: h.sighting,
    link: h.link,
    leg:
      i === 0
        ? null
        : { km: h.km ?? null, minutes: h.minutes ?? 0, kmh: h.kmh ?? null, flag: (h.flag ?? "") as Leg["flag"] },
  }));
  const byPlate = hops.length > 0;
  if (!byPlate) hops.push({ s: answer.seed, link: "seed", leg: null });
  /* From the last hop on, whatever was confirmed among the proposals is the next one. */
  const last = (): Sighting => (hops[hops.length - 1] as Hop).s;
  if (byPlate && last().id !== seed) answer = await ask(caseId, last().id, maxKmh, signal);
  while (hops.length < HOPS_MAX) {
    const known = new Set(hops.map((h) => h.s.id));
    const onward = answer.next
      .flatMap((n) => n.items)
      .filter((s) => isConfirmed(s) && !known.has(s.id))
      .sort((a, b) => a.from_ms - b.from_ms)[0];
    if (!onward) break;
    hops.push({ s: onward, link: "look", leg: leg(last(), onward, placeOf, maxKmh) });
    answer = await ask(caseId, onward.id, maxKmh, signal);
  }
  return { hops, next: answer.next, byPlate, maxKmh: answer.max_kmh };
}
