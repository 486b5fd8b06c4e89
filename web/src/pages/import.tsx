/* SPDX-License-Identifier: Apache-2.0 */
/* Import: the recordings of the case, how far each is, time left, and what failed with what to do. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { eventsUrl, type Imports } from "../api";
import { language, number, t, tOr } from "../i18n";
import { cameraName, openCase, tz } from "../state";
import { dayAndTime, duration, hours } from "../time";
import { isRunning, type Rate, summary, track } from "./progress";

const imports = signal<Imports | null>(null);
const connected = signal(true);
let rates: ReadonlyMap<string, Rate> = new Map();

function follow(caseId: string): () => void {
  const source = new EventSource(eventsUrl(caseId));
  source.addEventListener("import", (e) => {
    const next = JSON.parse(e.data) as Imports;
    rates = track(rates, next);
    imports.value = next;
    connected.value = true;
  });
  source.onopen = () => {
    connected.value = true;
  };
  source.onerror = () => {
    connected.value = false;
  };
  return () => source.close();
}

function Progress({ done, total }: { done: number; total: number }): JSX.Element {
  const part = total > 0 ? Math.min(1, done / total) : 0;
  const percent = number(Math.floor(part * 100));
  return (
    <div class="prog">
      <u aria-hidden="true">
        <i style={{ width: `${part * 100}%` }} />
      </u>
      <span>{t("detail.score", { n: percent })}</span>
    </div>
  );
}

export function ImportPage(): JSX.Element {
  const c = openCase.value;
  const id = c?.id;
  useEffect(() => {
    imports.value = null;
    rates = new Map();
    return id ? follow(id) : undefined;
  }, [id]);
  const lang = language.value;
  const items = imports.value?.items ?? [];
  const s = summary(items, rates);
  const failed = items.filter((i) => i.state === "failed" || i.state === "skipped");
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("import.title")}</h1>
        <span class={connected.value ? "dim" : "warn-t"} role="status">
          {t(connected.value ? "import.live" : "import.offline")}
        </span>
      </div>
      {imports.value && items.length === 0 && (
        <div class="notice">
          <h2>{t("import.none")}</h2>
          <p>{t("import.none.text")}</p>
          <pre>relecture -d DIR import --case {id ?? "CASE"} --camera CAMERA --start 2026-11-20T14:00:00Z FILE...</pre>
        </div>
      )}
      {items.length > 0 && (
        <>
          <dl class="kp">
            <div>
              <dt>{t("import.indexed")}</dt>
              <dd>
                {hours(s.done_ms / 3600e3, lang)} / {hours(s.total_ms / 3600e3, lang)}
              </dd>
            </div>
            <div>
              <dt>{t("import.speed")}</dt>
              <dd>{s.rate > 0 ? t("import.speed.value", { n: number(s.rate, s.rate < 10 ? 1 : 0) }) : "–"}</dd>
            </div>
            <div>
              <dt>{t("import.left")}</dt>
              <dd>{s.left_ms === null ? "–" : duration(s.left_ms, lang)}</dd>
            </div>
            <div>
              <dt>{t("import.errors")}</dt>
              <dd class={s.n_failed ? "warn-t" : ""}>{number(s.n_failed)}</dd>
            </div>
          </dl>
          <section class="pan" aria-labelledby="files-title" tabIndex={0}>
            <h2 id="files-title">{t("import.files")}</h2>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("import.file")}</th>
                  <th scope="col">{t("import.camera")}</th>
                  <th scope="col">{t("import.start")}</th>
                  <th scope="col">{t("import.duration")}</th>
                  <th scope="col">{t("import.progress")}</th>
                  <th scope="col">{t("import.state")}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((i) => (
                  <tr key={`${i.camera_id} ${i.file} ${i.start_ms}`}>
                    <td class="nb">{i.file}</td>
                    <td>
                      <b>{i.camera_id}</b> {cameraName(i.camera_id)}
                    </td>
                    <td class="m">{dayAndTime(i.start_ms, tz.value, lang)}</td>
                    <td class="m">{i.duration_ms > 0 ? duration(i.duration_ms, lang) : "–"}</td>
                    <td>
                      <Progress done={i.done_ms} total={i.duration_ms} />
                    </td>
                    <td class={i.state === "done" ? "ok-t" : i.state === "failed" ? "err-t" : isRunning(i) ? "" : "dim"}>
                      {tOr(`state.${i.state}`, i.state)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          {failed.length > 0 && (
            <section class="pan" aria-labelledby="failed-title" tabIndex={0}>
              <h2 id="failed-title">{t("import.failed")}</h2>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("import.file")}</th>
                    <th scope="col">{t("import.camera")}</th>
                    <th scope="col">{t("import.cause")}</th>
                    <th scope="col">{t("import.todo")}</th>
                  </tr>
                </thead>
                <tbody>
                  {failed.map((i) => (
                    <tr key={`${i.camera_id} ${i.file}`}>
                      <td class="nb">{i.file}</td>
                      <td class="nb">{i.camera_id}</td>
                      <td lang="en">{i.error}</td>
                      <td>{t(i.state === "skipped" ? "import.todo.skipped" : "import.todo.failed")}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </>
      )}
    </main>
  );
}
