/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { fill } from "../src/i18n";
import { en as enCore } from "../src/messages/en";
import { fr as frCore } from "../src/messages/fr";
import { officeEn } from "../src/messages/office_en";
import { officeFr } from "../src/messages/office_fr";

const fr = { ...frCore, ...officeFr };
const en = { ...enCore, ...officeEn };

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? "").sort();

describe("messages", () => {
  it("have the same keys and the same holes in both languages", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) expect([key, ...holes(en[key])]).toEqual([key, ...holes(fr[key])]);
  });

  it("are in one of the two parts, never in both", () => {
    for (const key of Object.keys(officeFr)) expect(Object.hasOwn(frCore, key)).toBe(false);
  });

  it("are never empty", () => {
    for (const text of [...Object.values(fr), ...Object.values(en)]) expect(text.trim()).not.toBe("");
  });

  it("are filled by name, and an unknown hole stays visible", () => {
    expect(fill("{n} passages de {from}", { n: 3, from: "14:00" })).toBe("3 passages de 14:00");
    expect(fill("{n} {x}", { n: 1 })).toBe("1 {x}");
  });

  it("never suggest a live picture or an overall percentage of identity", () => {
    for (const text of Object.values(fr)) expect(text).not.toMatch(/temps réel(?!.*×)(?<!× temps réel)|probabilité/i);
  });
});
