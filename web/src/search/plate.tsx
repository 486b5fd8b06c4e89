/* SPDX-License-Identifier: Apache-2.0 */
/* A plate as it was read: a doubtful character is marked, and each shows what it could be as well. No overall
 * percentage: it would be read as the chance that this is the right car. */
import type { JSX } from "preact";
import type { Plate } from "../api";
import { number, t } from "../i18n";

export const DOUBTFUL_BELOW = 70;

export function PlateTag({ plate }: { plate: Plate }): JSX.Element {
  return (
    <span class="plate" title={t("plate.read")}>
      <i aria-hidden="true">{plate.country}</i>
      <b>
        {plate.chars.map((c, i) => (
          <span key={i} class={c.p < DOUBTFUL_BELOW ? "maybe" : undefined}>
            {c.c}
          </span>
        ))}
      </b>
    </span>
  );
}

/* Per character: bar, letter, per cent, second and third reading. A table, because that is what it is. */
export function PlateChars({ plate }: { plate: Plate }): JSX.Element {
  const deepest = Math.max(0, ...plate.chars.map((c) => c.alt.length));
  return (
    <table class="chars">
      <caption class="vh">{t("plate.chars")}</caption>
      <tbody>
        <tr class="bars" aria-hidden="true">
          {plate.chars.map((c, i) => (
            <td key={i}>
              <u>
                <i class={c.p < DOUBTFUL_BELOW ? "maybe" : undefined} style={{ height: `${c.p}%` }} />
              </u>
            </td>
          ))}
        </tr>
        <tr>
          {plate.chars.map((c, i) => (
            <td key={i} class={c.p < DOUBTFUL_BELOW ? "maybe" : undefined}>
              <b>{c.c}</b>
              <small>{number(c.p)}</small>
            </td>
          ))}
        </tr>
        {Array.from({ length: Math.min(deepest, 2) }, (_, k) => (
          <tr key={k} class="alt">
            {plate.chars.map((c, i) => {
              const a = c.alt[k];
              return (
                <td key={i}>
                  {a && (
                    <>
                      {a.c}
                      <small>{number(a.p)}</small>
                    </>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
