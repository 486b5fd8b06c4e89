/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { spanOf, withoutSpan, withoutWords, withWords } from "../src/words";

describe("words", () => {
  it("takes a token's words out of the sentence", () => {
    expect(withoutWords("personne haut rouge sac à dos", "haut rouge")).toBe("personne sac à dos");
    expect(withoutWords("personne", "personne")).toBe("");
    expect(withoutWords("camion blanc, mardi 14h-16h", "mardi 14h-16h")).toBe("camion blanc");
  });

  it("ignores case and accents, as the grammar does", () => {
    expect(withoutWords("Sac A Dos rouge", "sac à dos")).toBe("rouge");
    expect(withoutWords("vélo vert", "VELO")).toBe("vert");
  });

  it("never cuts inside a word", () => {
    expect(withoutWords("rouges", "rouge")).toBe("rouges");
    expect(withoutWords("infrarouge rouge", "rouge")).toBe("infrarouge");
    expect(withoutWords("carton car", "car")).toBe("carton");
  });

  it("leaves a sentence that does not hold the words as it is", () => {
    expect(withoutWords("personne", "camion")).toBe("personne");
    expect(withoutWords("personne", " ")).toBe("personne");
  });

  it("takes the words out that the server read, by their place", () => {
    expect(withoutSpan("rouge ou rouge", 9, 5)).toBe("rouge ou");
    expect(withoutSpan("personne", 0, 8)).toBe("");
  });

  it("takes out the words that only served a token", () => {
    const fr = "personne haut rouge sac à dos";
    const read = [{ at: 0, n: 8 }, { at: 14, n: 5 }, { at: 20, n: 9 }];
    const cut = (s: string, i: number, r: { at: number; n: number }[], l: "fr" | "en", odd: string[] = []): string => {
      const span = spanOf(s, r[i] ?? { at: 0, n: 0 }, r, l, odd);
      return withoutSpan(s, span.at, span.n);
    };
    expect(cut(fr, 1, read, "fr")).toBe("personne sac à dos");
    expect(cut(fr, 0, read, "fr")).toBe("haut rouge sac à dos");
    expect(cut(fr, 2, read, "fr")).toBe("personne haut rouge");
    expect(cut(fr, 1, read, "fr", ["haut"])).toBe("personne haut sac à dos");
    const en = [{ at: 0, n: 6 }, { at: 7, n: 3 }, { at: 15, n: 8 }];
    expect(cut("person red top backpack", 1, en, "en")).toBe("person backpack");
  });

  it("adds words once, with one blank", () => {
    expect(withWords("personne ", "haut rouge")).toBe("personne haut rouge");
    expect(withWords("", "camion")).toBe("camion");
  });
});
