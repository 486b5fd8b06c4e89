/* SPDX-License-Identifier: Apache-2.0 */
/* What was not searched, camera by camera: a count is worth nothing without it. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { language, number, t, tOr } from "../i18n";
import { Icon } from "../icons";
import { cameraName, fieldLabel, openCase, tz } from "../state";
import { clockSeconds, dayAndTime, hours, sameDay } from "../time";
import { answer, cameras } from "./question";

export const coverageShown = signal(false);

export function camerasText(): string {
  const n = cameras.value.size || (openCase.value?.camera_ids.length ?? 0);
  return n === 1 ? t("result.cameras.1") : t("result.cameras.n", { n: number(n) });
}

const minute = 60e3;
function gapText(from: number, to: number): string {
  const zone = tz.value;
  const lang = language.value;
  const brief = to - from < 10 * minute;
  const left = brief ? `${dayAndTime(from, zone, lang).slice(0, -5)}${clockSeconds(from, zone)}` : dayAndTime(from, zone, lang);
  const right = brief ? clockSeconds(to, zone) : dayAndTime(to, zone, lang);
  return `${left} – ${sameDay(from, to, zone) && !brief ? right.slice(-5) : right}`;
}

/* How many sightings no criterion could be decided on: they are neither found nor excluded. */
export const undecidedCount = (): number =>
  (answer.value?.undecided ?? []).reduce((n, u) => n + u.unknown + u.not_estimated, 0);

function Undecided(): JSX.Element | null {
  if (undecidedCount() === 0) return null;
  return (
    <>
      <h3>{t("undecided.title")}</h3>
      <ul class="plain">
        {(answer.value?.undecided ?? [])
          .filter((u) => u.unknown + u.not_estimated > 0)
          .map((u) => (
            <li key={u.field}>
              {t("undecided.line", {
                field: fieldLabel(u.field),
                unknown: number(u.unknown),
                not_estimated: number(u.not_estimated),
              })}
            </li>
          ))}
      </ul>
    </>
  );
}

export function CoverageDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = coverageShown.value;
  const c = answer.value?.coverage;
  useEffect(() => {
    if (shown && dialog.current && !dialog.current.open) dialog.current.showModal();
  }, [shown]);
  return (
    <dialog ref={dialog} aria-labelledby="coverage-title" onClose={() => (coverageShown.value = false)}>
      <header>
        <h2 id="coverage-title">{t("coverage.title")}</h2>
        <button class="ib" type="button" aria-label={t("tool.close")} onClick={() => dialog.current?.close()}>
          <Icon name="cross" />
        </button>
      </header>
      {c && (
        <div class="bd" tabIndex={0}>
          <p>
            {t("coverage.sum", {
              cameras: camerasText(),
              asked: hours(c.camera_h, language.value),
              searched: hours(c.searched_h, language.value),
            })}
          </p>
          {c.gaps.length === 0 ? (
            <p class="ok-t">{t("coverage.none")}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("coverage.camera")}</th>
                  <th scope="col">{t("coverage.missing")}</th>
                  <th scope="col">{t("coverage.reason")}</th>
                </tr>
              </thead>
              <tbody>
                {c.gaps.map((g) => (
                  <tr key={`${g.camera_id} ${g.from_ms}`}>
                    <td>
                      <b>{g.camera_id}</b> {cameraName(g.camera_id)}
                    </td>
                    <td class="m">{gapText(g.from_ms, g.to_ms)}</td>
                    <td>{tOr(`coverage.reason.${g.state ?? g.reason}`, g.reason)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <Undecided />
          {c.n_gaps > c.gaps.length && <p class="hint">{t("coverage.more", { n: number(c.n_gaps - c.gaps.length) })}</p>}
        </div>
      )}
    </dialog>
  );
}
