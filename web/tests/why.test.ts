/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { Sighting, Token } from "../src/api";
import { reasons } from "../src/search/why";

const token = (field: string, value: string, more: Partial<Token> = {}): Token => ({
  field,
  value,
  text: value,
  at: 0,
  n: value.length,
  state: "ok",
  values: [{ field, value, label: value }],
  ...more,
});
const s = {
  id: "1",
  kind: "person",
  confidence: 84,
  attrs: [
    { k: "upper_colour", v: "red", p: 73, alt: [{ v: "black", p: 15 }] },
    { k: "lower_colour", v: "unknown", p: 0 },
  ],
} as unknown as Sighting;
const how = (...tokens: Token[]): string[] => reasons(s, tokens).map((r) => `${r.how} ${r.field} ${r.value} ${r.p}`);

describe("why a passage matched", () => {
  it("names the first choice and the second guess with their own shares", () => {
    expect(how(token("class", "person"), token("upper_colour", "red"))).toEqual(["first class person 84", "first upper_colour red 73"]);
    expect(how(token("upper_colour", "black"))).toEqual(["second upper_colour black 15"]);
  });
  it("says when nothing was decided, and what is there instead of a word that only ranks", () => {
    expect(how(token("lower_colour", "blue"))).toEqual(["undecided lower_colour  0"]);
    expect(how(token("upper_colour", "green", { state: "ranks" }))).toEqual(["other upper_colour red 73"]);
  });
  it("gives one line for « gris ou rouge »: the one that fits", () => {
    expect(how(token("upper_colour", "grey"), token("upper_colour", "red"))).toEqual(["first upper_colour red 73"]);
  });
  it("reads an exclusion the other way round, and skips what filters nothing", () => {
    expect(how(token("upper_colour", "green", { not: true }))).toEqual(["absent upper_colour red 73"]);
    expect(how(token("accessory", "cap", { state: "not_measured" }))).toEqual([]);
    expect(how({ ...token("hours", "14:00-16:00"), values: [] })).toEqual([]);
  });
});
