/* SPDX-License-Identifier: Apache-2.0 */
/* Why a passage answers the question: each word of the sentence against what the machine read of this passage. */
import type { Sighting, Token } from "../api";

/* "first": the machine's first choice; "second": one of its other readings; "undecided": it could not tell;
 * "other": it reads something else (a word that only ranks); "absent": what was excluded is not there. */
export type Reason = {
  token: Token;
  how: "first" | "second" | "undecided" | "other" | "absent";
  field: string;
  /* What was read, and its share of the track's vote; empty and 0 where nothing was. */
  value: string;
  p: number;
};

export function reasons(s: Sighting, tokens: readonly Token[]): Reason[] {
  const out: Reason[] = [];
  const seen = new Set<string>();
  for (const token of tokens) {
    if ((token.state !== "ok" && token.state !== "ranks") || !token.values?.length) continue;
    const field = token.values[0]?.field ?? token.field;
    const wanted = new Set(token.values.map((v) => v.value));
    const a = field === "class" ? { k: "class", v: s.kind, p: s.confidence, alt: [] } : s.attrs.find((x) => x.k === field);
    const decided = a !== undefined && a.v !== "unknown" && a.v !== "not_estimated";
    const second = a?.alt?.find((o) => wanted.has(o.v));
    let reason: Reason;
    if (token.not) reason = { token, how: decided && !wanted.has(a.v) ? "absent" : "undecided", field, value: a?.v ?? "", p: a?.p ?? 0 };
    else if (decided && wanted.has(a.v)) reason = { token, how: "first", field, value: a.v, p: a.p };
    else if (second) reason = { token, how: "second", field, value: second.v, p: second.p };
    else if (!decided) reason = { token, how: "undecided", field, value: "", p: 0 };
    else reason = { token, how: "other", field, value: a.v, p: a.p };
    /* "gris ou bleu" is one question asked by two words: one line, the one that fits. */
    if (reason.how === "other" && tokens.some((o) => o !== token && fits(s, o, field))) continue;
    const line = `${reason.how} ${field} ${reason.value}`;
    if (!seen.has(line)) out.push(reason);
    seen.add(line);
  }
  return out;
}

function fits(s: Sighting, token: Token, field: string): boolean {
  const a = s.attrs.find((x) => x.k === field);
  if (token.not || !a) return false;
  return (token.values ?? []).some((v) => v.field === field && (v.value === a.v || a.alt?.some((o) => o.v === v.value)));
}
