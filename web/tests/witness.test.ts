/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { emptyAccount, sentenceOf } from "../src/search/witness";
import { withoutWords } from "../src/words";
import sentences from "../../tests/golden/sentences.json?raw";

describe("the witness's form", () => {
  it("writes the doubt as it was said", () => {
    const a = {
      ...emptyAccount(),
      object: "Personne",
      upper: { colours: ["Gris", "Bleu"], doubt: "sure" as const },
      lower: { colours: ["Noir"], doubt: "maybe" as const },
      things: [
        { word: "Casquette", doubt: "maybe" as const },
        { word: "Parapluie", doubt: "not" as const },
      ],
      day: "20/11",
      hour: "02:00",
      place: "gare",
    };
    expect(sentenceOf(a, "fr")).toBe(
      "personne, haut gris ou bleu, peut-être bas noir, peut-être casquette, sans parapluie, le 20/11, vers 02:00 ± 20 min, gare",
    );
    expect(sentenceOf({ ...a, object: "Person", upper: { colours: ["grey", "blue"], doubt: "sure" }, lower: { colours: [], doubt: "sure" }, things: [] }, "en")).toBe(
      "person, grey or blue top, on 20/11, about 02:00 ± 20 min, gare",
    );
  });
  it("writes nothing of what was not said", () => {
    expect(sentenceOf({ ...emptyAccount(), object: "voiture" }, "fr")).toBe("voiture");
  });
});

/* The sentences and tokens that the C grammar is tested with. */
type Vector = { text: string; language: "fr" | "en"; tokens: string[] };
const golden = JSON.parse(sentences) as { vectors: Vector[] };

describe("the grammar's vectors", () => {
  it("name words that the page can take out of the sentence again", () => {
    let n = 0;
    for (const v of golden.vectors)
      for (const token of v.tokens) {
        const words = /^\S+ (?:clipped )?"([^"]+)"/.exec(token)?.[1];
        if (!words || !v.text.includes(words)) continue;
        expect(withoutWords(v.text, words).length, `${v.text} without ${words}`).toBeLessThan(v.text.length);
        n++;
      }
    expect(n).toBeGreaterThan(300);
  });
});
