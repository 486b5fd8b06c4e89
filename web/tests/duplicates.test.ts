/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { Sighting } from "../src/api";
import { isDuplicate, piles } from "../src/search/duplicates";

let n = 0;
const at = (from: number, to: number, more: Partial<Sighting> = {}): Sighting => ({
  id: String(++n),
  kind: "person",
  camera_id: "a",
  recording_id: "1",
  from_ms: from * 1000,
  to_ms: to * 1000,
  best_ms: (from + to) * 500,
  confidence: 80,
  attrs: [{ k: "upper_colour", v: "red", p: 70, sure: true, alt: [{ v: "black", p: 20 }] }],
  box_norm: [0.4, 0.4, 0.05, 0.2],
  picture: { w_px: 768, h_px: 576 },
  thumb: "",
  ...more,
});

describe("near-duplicates", () => {
  it("takes a passage that goes on after a short gap for the same", () => {
    expect(isDuplicate(at(0, 5), at(7, 9))).toBe(true);
    expect(isDuplicate(at(7, 9), at(0, 5))).toBe(true);
  });
  it("never takes two who were there at once, elsewhere, or much later for one", () => {
    expect(isDuplicate(at(0, 5), at(2, 9))).toBe(false);
    expect(isDuplicate(at(0, 5), at(7, 9, { camera_id: "b" }))).toBe(false);
    expect(isDuplicate(at(0, 5), at(7, 9, { kind: "car" }))).toBe(false);
    expect(isDuplicate(at(0, 5), at(40, 45))).toBe(false);
  });
  it("keeps apart what contradicts, and pairs what one could be read as", () => {
    const as = (v: string, alt: string[] = []): Partial<Sighting> => ({
      attrs: [{ k: "upper_colour", v, p: 60, alt: alt.map((o) => ({ v: o, p: 20 })) }],
    });
    expect(isDuplicate(at(0, 5), at(7, 9, as("green")))).toBe(false);
    expect(isDuplicate(at(0, 5), at(7, 9, as("black")))).toBe(true);
    expect(isDuplicate(at(0, 5), at(7, 9, as("unknown")))).toBe(true);
  });
  it("keeps apart what nobody can have run in the time", () => {
    expect(isDuplicate(at(0, 5, { best_ms: 4900 }), at(5.2, 6, { box_norm: [0.95, 0.4, 0.02, 0.05], best_ms: 5300 }))).toBe(false);
  });
  it("keeps two plates apart", () => {
    const plate = (text: string): Partial<Sighting> => ({ kind: "car", plate: { text, country: "F", score: 90, chars: [] } });
    expect(isDuplicate(at(0, 5, plate("AB123CD")), at(7, 9, plate("AB123CE")))).toBe(false);
    expect(isDuplicate(at(0, 5, plate("AB123CD")), at(7, 9, plate("AB123CD")))).toBe(true);
  });
  it("piles in the order of the answer, losing nobody", () => {
    const [late, other, early] = [at(7, 9), at(100, 104), at(0, 5)];
    const found = piles([late, other, early]);
    expect(found.map((p) => p.map((s) => s.id))).toEqual([[late.id, early.id], [other.id]]);
  });
});
