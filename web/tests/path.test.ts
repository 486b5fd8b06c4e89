/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { PathPoint } from "../src/api";
import { boxAt, footPoints } from "../src/search/path";

const path: PathPoint[] = [
  [1000, 0.1, 0.2, 0.1, 0.3],
  [2000, 0.3, 0.2, 0.1, 0.3],
  [2500, 0.3, 0.4, 0.2, 0.4],
];

describe("path", () => {
  it("puts the box between two points of the path", () => {
    expect(boxAt(path, 1500, 0)?.x).toBeCloseTo(0.2);
    expect(boxAt(path, 2250, 0)?.y).toBeCloseTo(0.3);
    expect(boxAt(path, 2000, 0)?.x).toBeCloseTo(0.3);
  });

  it("draws no box while the object was not seen", () => {
    expect(boxAt(path, 700, 250)).toBeNull();
    expect(boxAt(path, 2800, 250)).toBeNull();
    expect(boxAt([], 1000, 250)).toBeNull();
    expect(boxAt(path, 800, 250)?.x).toBe(0.1);
  });

  it("follows the feet", () => {
    expect(footPoints(path)).toBe("150,500 350,500 400,800");
  });
});
