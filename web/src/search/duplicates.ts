/* SPDX-License-Identifier: Apache-2.0 */
/* Passages that are most likely one: the tracker loses somebody behind a post and finds him again as another passage.
 * They are shown as one pile that can be opened; nothing is merged, each keeps its own decision. */
import type { Attribute, Sighting } from "../api";

const GAP_MS = 12e3; /* behind a post, a bus, another person */
const OVERLAP_MS = 1e3; /* two at the same time are two */
const HEIGHTS_PER_S = 1.6; /* how far a person runs or a near vehicle drives, in heights of its own box */
const SLACK_HEIGHTS = 1.5;

const known = (a: Attribute): boolean => a.v !== "unknown" && a.v !== "not_estimated";

/* Neither has the other's value among what it could be. */
function contradict(a: Attribute, b: Attribute): boolean {
  if (!known(a) || !known(b)) return false;
  const could = (x: Attribute): string[] => [x.v, ...(x.alt ?? []).map((o) => o.v)];
  return !could(a).some((v) => could(b).includes(v));
}

/* As far as something that stood at one best moment can have come by the other's. */
function reachable(a: Sighting, b: Sighting): boolean {
  if (!a.box_norm || !b.box_norm) return true;
  const [ax, ay, aw, ah] = a.box_norm;
  const [bx, by, bw, bh] = b.box_norm;
  const ratio = a.picture && a.picture.h_px > 0 ? a.picture.w_px / a.picture.h_px : 16 / 9;
  const height = Math.max(ah, bh, 1e-3);
  const away = Math.hypot((ax + aw / 2 - bx - bw / 2) * ratio, ay + ah - by - bh) / height;
  return away <= SLACK_HEIGHTS + (HEIGHTS_PER_S * Math.abs(a.best_ms - b.best_ms)) / 1000;
}

export function isDuplicate(a: Sighting, b: Sighting): boolean {
  const [first, second] = a.from_ms <= b.from_ms ? [a, b] : [b, a];
  const gap = second.from_ms - first.to_ms;
  if (a.camera_id !== b.camera_id || a.kind !== b.kind || gap < -OVERLAP_MS || gap > GAP_MS) return false;
  if (a.plate && b.plate && a.plate.text !== b.plate.text) return false;
  return (
    reachable(a, b) &&
    !a.attrs.some((x) => b.attrs.some((y) => x.k === y.k && contradict(x, y)))
  );
}

/* Piles in the order of the answer; each stands where its best passage stood and holds them in that order. Only
 * passages that follow one another without a gap fall together, so a pile never spans two who were there at once. */
export function piles(items: readonly Sighting[]): Sighting[][] {
  const place = new Map(items.map((s, i) => [s, i]));
  const chains: Sighting[][] = [];
  for (const s of [...items].sort((a, b) => a.from_ms - b.from_ms || (place.get(a) ?? 0) - (place.get(b) ?? 0))) {
    const chain = chains.find((c) => {
      const last = c[c.length - 1];
      return last !== undefined && isDuplicate(last, s);
    });
    if (chain) chain.push(s);
    else chains.push([s]);
  }
  const at = (s: Sighting | undefined): number => (s ? (place.get(s) ?? 0) : 0);
  for (const c of chains) c.sort((a, b) => at(a) - at(b));
  return chains.sort((a, b) => at(a[0]) - at(b[0]));
}
