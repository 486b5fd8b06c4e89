/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness says, with its doubt, as a sentence of the grammar: the form writes words, the server reads them
 * back as tokens, so the form can ask nothing that the sentence cannot. */

export type Doubt = "sure" | "maybe";
/* Labels of the vocabulary, in the page's language. */
export type Part = { colours: readonly string[]; doubt: Doubt };
export type Account = {
  object: string;
  upper: Part;
  lower: Part;
  vehicle: Part;
  things: readonly { word: string; doubt: Doubt | "not" }[];
  plate: string;
  /* "20/11", "" = any day. */
  day: string;
  /* "02:00", "" = any hour. */
  hour: string;
  plusMinusMin: number;
  place: string;
};

export const emptyAccount = (): Account => ({
  object: "",
  upper: { colours: [], doubt: "sure" },
  lower: { colours: [], doubt: "sure" },
  vehicle: { colours: [], doubt: "sure" },
  things: [],
  plate: "",
  day: "",
  hour: "",
  plusMinusMin: 20,
  place: "",
});

type Words = { or: string; maybe: string; not: string; upper: string; lower: string; plate: string; on: string; about: string };
const words: Readonly<Record<"fr" | "en", Words>> = {
  fr: { or: "ou", maybe: "peut-être", not: "sans", upper: "haut {c}", lower: "bas {c}", plate: "plaque", on: "le", about: "vers" },
  en: { or: "or", maybe: "maybe", not: "no", upper: "{c} top", lower: "{c} bottom", plate: "plate", on: "on", about: "about" },
};

export function sentenceOf(a: Account, language: "fr" | "en"): string {
  const w = words[language];
  const doubtful = (doubt: Doubt, text: string): string => (doubt === "maybe" ? `${w.maybe} ${text}` : text);
  const part = (p: Part, frame: string): string =>
    p.colours.length === 0 ? "" : doubtful(p.doubt, frame.replace("{c}", p.colours.join(` ${w.or} `).toLowerCase()));
  const out = [
    a.object.toLowerCase(),
    part(a.vehicle, "{c}"),
    part(a.upper, w.upper),
    part(a.lower, w.lower),
    ...a.things.map((x) => (x.doubt === "not" ? `${w.not} ${x.word}` : doubtful(x.doubt, x.word)).toLowerCase()),
    a.plate.trim() && `${w.plate} ${a.plate.trim()}`,
    a.day.trim() && `${w.on} ${a.day.trim()}`,
    a.hour.trim() && `${w.about} ${a.hour.trim()} ± ${a.plusMinusMin} min`,
    a.place.trim(),
  ];
  return out.filter((x): x is string => Boolean(x)).join(", ");
}
