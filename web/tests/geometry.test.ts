/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { cone, dots, isInside, isPlaced, kmBetween, projectionOf, scaleBar } from "../src/map/geometry";
import { leg } from "../src/pages/legs";

const gare = { lat: 43.5536, lon: 7.0174 };
const port = { lat: 43.55, lon: 7.012 };

describe("the map", () => {
  it("measures as the crow flies", () => {
    expect(kmBetween(gare, port)).toBeCloseTo(0.591, 2);
    expect(kmBetween(gare, gare)).toBe(0);
  });
  it("puts north up and keeps the scale on both axes", () => {
    const p = projectionOf([gare, port], 1000, 600, 50);
    const [ax, ay] = p.point(gare);
    const [bx, by] = p.point(port);
    expect(ay).toBeLessThan(by);
    expect(ax).toBeGreaterThan(bx);
    expect(Math.hypot(ax - bx, ay - by) / p.perKm).toBeCloseTo(kmBetween(gare, port), 2);
    for (const v of [ax, bx]) expect(v).toBeGreaterThanOrEqual(49);
    const back = p.place([ax, ay]);
    expect(back.lat).toBeCloseTo(gare.lat, 9);
    expect(back.lon).toBeCloseTo(gare.lon, 9);
  });
  it("shows a single camera in the middle, and none without a fault", () => {
    expect(projectionOf([gare], 1000, 600, 50).point(gare)).toEqual([500, 300]);
    expect(Number.isFinite(projectionOf([], 1000, 600, 50).perKm)).toBe(true);
  });
  it("knows what a lasso holds, also a concave one", () => {
    const u: [number, number][] = [[0, 0], [10, 0], [10, 10], [7, 10], [7, 3], [3, 3], [3, 10], [0, 10]];
    expect(isInside(u, [1, 9])).toBe(true);
    expect(isInside(u, [5, 9])).toBe(false);
    expect(isInside(u, [11, 1])).toBe(false);
  });
  it("draws cones only where heading and angle are known", () => {
    expect(cone([100, 100], -1, 60, 40)).toBe("");
    expect(cone([100, 100], 90, -1, 40)).toBe("");
    expect(cone([100, 100], 0, 90, 40)).toBe("M100.0 100.0L71.7 71.7A40 40 0 0 1 128.3 71.7Z");
  });
  it("draws thousands of dots as one path", () => {
    expect(dots([[1, 2], [3, 4]])).toBe("M1.0 2.0h0M3.0 4.0h0");
  });
  it("takes 0, 0 for not placed", () => {
    expect(isPlaced({ lat: 0, lon: 0 })).toBe(false);
    expect(isPlaced(gare)).toBe(true);
  });
  it("chooses a round scale", () => {
    expect(scaleBar(500, 250)).toEqual({ km: 0.5, length: 250 });
  });
});

describe("a leg of a route", () => {
  const places = new Map([["gare", gare], ["port", port], ["nowhere", { lat: 0, lon: 0 }]]);
  const at = (id: string): { lat: number; lon: number } | undefined => places.get(id);
  const passage = (camera_id: string, from: number, to: number): { camera_id: string; from_ms: number; to_ms: number } => ({
    camera_id,
    from_ms: from * 60e3,
    to_ms: to * 60e3,
  });
  it("has distance, time and the least speed", () => {
    const l = leg(passage("gare", 0, 1), passage("port", 3, 4), at, 130);
    expect(l.km).toBeCloseTo(0.591, 2);
    expect(l.minutes).toBe(2);
    expect(l.kmh).toBeCloseTo(17.7, 0);
    expect(l.flag).toBe("");
  });
  it("flags what no car can do", () => {
    expect(leg(passage("gare", 0, 1), passage("port", 1.1, 4), at, 130).flag).toBe("too_fast");
    expect(leg(passage("gare", 0, 2), passage("port", 1, 4), at, 130).flag).toBe("two_places");
    expect(leg(passage("gare", 0, 2), passage("gare", 1, 4), at, 130).flag).toBe("");
    expect(leg(passage("gare", 0, 1), passage("nowhere", 3, 4), at, 130)).toMatchObject({ km: null, flag: "not_placed" });
  });
});
