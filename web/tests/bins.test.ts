/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { binned, fitted, hanging, missing, rebinned, stepFor, ticks } from "../src/search/bins";

const span = { from_ms: 1000, to_ms: 2000 };
const sum = (a: number[]): number => a.reduce((x, y) => x + y, 0);

describe("timeline", () => {
  it("counts each moment of the span in one bin and leaves out the others", () => {
    expect(binned([1000, 1099, 1100, 1999, 2000, 999], span, 10)).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(binned([5], { from_ms: 5, to_ms: 5 }, 3)).toEqual([0, 0, 0]);
  });

  it("spreads hourly counts by overlap without losing any", () => {
    const bins = rebinned({ from_ms: 1000, step_ms: 500, hits: [10, 4] }, span, 4);
    expect(bins).toEqual([5, 5, 2, 2]);
    expect(sum(rebinned({ from_ms: 0, step_ms: 1500, hits: [3, 6] }, { from_ms: 0, to_ms: 3000 }, 7))).toBeCloseTo(9);
  });

  it("draws a gap as high as the part of the cameras it concerns", () => {
    const parts = missing([{ from_ms: 1000, to_ms: 1500 }], 4, span, 2);
    expect(parts).toEqual([0.25, 0]);
    expect(missing([span, span], 2, span, 2)).toEqual([1, 1]);
    expect(hanging([0.5, 0], 100, 40)).toBe("M0 0V20.0H50.0V0.0H100.0V0Z");
    expect(hanging([0, 0], 100, 40)).toBe("");
  });

  it("frames the sightings only when they fill a small part of the period", () => {
    const period = { from_ms: 0, to_ms: 3600e3 };
    const fit = fitted([{ from_ms: 600e3, to_ms: 660e3 }], period);
    expect(fit?.from_ms).toBeLessThan(600e3);
    expect(fit?.to_ms).toBeGreaterThan(660e3);
    expect(fitted([{ from_ms: 0, to_ms: 3000e3 }], period)).toBeNull();
    expect(fitted([], period)).toBeNull();
  });

  it("marks round moments only", () => {
    expect(stepFor(3 * 3600e3, 8)).toBe(1800e3);
    expect(ticks({ from_ms: 100, to_ms: 4100 }, 8)).toEqual([1000, 2000, 3000, 4000]);
  });
});
