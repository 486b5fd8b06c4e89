/* SPDX-License-Identifier: Apache-2.0 */
/* Every measured figure of every filter, with the set and the number of cases behind it. */
import type { JSX } from "preact";
import { isColourField } from "../colours";
import { number, t, tOr } from "../i18n";
import { Dialog } from "../parts/dialog";
import { fieldLabel, valueLabel } from "../state";
import { accuracy, type Filter, type Measure, metricKey, reliabilityShown } from "./accuracy";
import { Swatch } from "./tokens";

const percent = (x: number): string => t("detail.score", { n: number(Math.round(x * 100)) });

function Figure({ m }: { m: Measure }): JSX.Element {
  return (
    <>
      {percent(m.measured)}
      {m.ci95 && <small> {t("accuracy.ci", { low: number(m.ci95[0] * 100), high: number(m.ci95[1] * 100) })}</small>}
    </>
  );
}

function Line({ f }: { f: Filter }): JSX.Element {
  const rows = f.measures.length > 0 ? f.measures : [null];
  return (
    <>
      {rows.map((m, i) => (
        <tr key={i}>
          {i === 0 && (
            <th scope="row" rowSpan={rows.length}>
              {f.value ? (
                <>
                  {isColourField(f.field) && <Swatch name={f.value} />}
                  {fieldLabel(f.field)} {valueLabel(f.field, f.value)}
                </>
              ) : (
                fieldLabel(f.field)
              )}
              {!f.enabled && <small class="warn-t"> {tOr(`accuracy.why.${f.why ?? ""}`, t("accuracy.off"))}</small>}
              {f.see_also?.map((o) => (
                <small key={o.value}>
                  {" "}
                  {t("accuracy.also", { what: valueLabel(f.field, o.value), n: number(o.share * 100) })}
                </small>
              ))}
            </th>
          )}
          {m ? (
            <>
              <td>{t(`accuracy.metric.${metricKey(m.metric)}`)}</td>
              <td class="nb">
                <Figure m={m} />
              </td>
              <td>{number(m.n)}</td>
              <td>{m.set}</td>
            </>
          ) : (
            <td colSpan={4} class="dim">
              {t("accuracy.never")}
            </td>
          )}
        </tr>
      ))}
    </>
  );
}

export function AccuracyTable(): JSX.Element {
  const a = accuracy.value;
  return (
    <Dialog title={t("accuracy.dialog")} onClose={() => (reliabilityShown.value = false)} wide>
      <p>{t("accuracy.text", { date: a?.date ?? "" })}</p>
      <table class="acc">
        <thead>
          <tr>
            {(["filter", "metric", "measured", "cases", "set"] as const).map((k) => (
              <th key={k} scope="col">
                {t(`accuracy.col.${k}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(a?.filters ?? []).map((f) => (
            <Line key={`${f.field} ${f.value}`} f={f} />
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
