/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { ImportItem, Imports } from "../src/api";
import { summary, track } from "../src/pages/import/progress";

const item = (over: Partial<ImportItem>): ImportItem => ({
  file: "a.mp4",
  camera_id: "gare-01",
  state: "running",
  start_ms: 0,
  duration_ms: 100e3,
  done_ms: 0,
  error: "",
  ...over,
});
const at = (server_ms: number, ...items: ImportItem[]): Imports => ({ server_ms, items });

describe("import progress", () => {
  it("measures the rate of an import that only tells how far it is", () => {
    let rates = track(new Map(), at(0, item({})));
    rates = track(rates, at(1000, item({ done_ms: 10e3 })));
    const s = summary([item({ done_ms: 10e3 })], rates);
    expect(s.rate).toBeCloseTo(10);
    expect(s.left_ms).toBeCloseTo(9000);
  });

  it("keeps the last rate when two states come close together", () => {
    let rates = track(new Map(), at(0, item({})));
    rates = track(rates, at(1000, item({ done_ms: 10e3 })));
    rates = track(rates, at(1100, item({ done_ms: 10e3 })));
    expect(summary([item({ done_ms: 10e3 })], rates).rate).toBeCloseTo(10);
  });

  it("prefers the importer's own rate", () => {
    expect(summary([item({ x_realtime: 14.5 })], new Map()).rate).toBe(14.5);
  });

  it("knows no time left before anything moved, nor when all is done", () => {
    expect(summary([item({})], new Map()).left_ms).toBeNull();
    expect(summary([item({ state: "done", done_ms: 100e3 })], new Map()).left_ms).toBeNull();
  });

  it("counts failed files and leaves skipped ones out of the hours", () => {
    const s = summary([item({ state: "failed", duration_ms: 0 }), item({ state: "skipped" }), item({ state: "done", done_ms: 100e3 })], new Map());
    expect(s.n_failed).toBe(1);
    expect(s.total_ms).toBe(100e3);
    expect(s.done_ms).toBe(100e3);
  });
});
