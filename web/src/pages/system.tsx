/* SPDX-License-Identifier: Apache-2.0 */
/* Système: what does the work, which libraries it really loaded, processes, figures. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError, getSystem, type System } from "../api";
import { language, number, t, tOr } from "../i18n";
import { errorText, tz } from "../state";
import { dayAndTime } from "../time";

const system = signal<System | null>(null);
const problem = signal<ApiError | null>(null);

async function refresh(): Promise<void> {
  try {
    system.value = await getSystem();
    problem.value = null;
  } catch (e) {
    problem.value = e instanceof ApiError ? e : new ApiError("internal", String(e));
  }
}

const mebibytes = (kib: number): string => `${number(kib / 1024)} ${language.value === "fr" ? "Mio" : "MiB"}`;
const gibibytes = (b: number): string => `${number(b / 2 ** 30, 1)} ${language.value === "fr" ? "Gio" : "GiB"}`;
const counts = (...n: number[]): string => n.map((x) => number(x)).join(" / ");

function Cards({ s }: { s: System }): JSX.Element {
  const k = s.card;
  const rows: [string, string, boolean][] = [
    [t("system.device"), k.device, false],
    [t("system.core"), k.core_library, true],
    [t("system.runner"), k.runner_library, true],
    [t("system.model"), k.model, false],
    [t("system.model.hash"), k.model_sha256, true],
    [t("system.jobs"), counts(k.done, k.failed, k.resubmitted), false],
  ];
  return (
    <section class="pan" aria-labelledby="cards-title" tabIndex={0}>
      <h2 id="cards-title">{t("system.cards")}</h2>
      {k.error && (
        <p class="err-t" role="alert" lang="en">
          {k.error}
        </p>
      )}
      {k.ready ? (
        <dl class="facts">
          {rows.map(([name, value, mono]) => (
            <>
              <dt>{name}</dt>
              <dd class={mono ? "mono" : ""}>{value || "–"}</dd>
            </>
          ))}
        </dl>
      ) : (
        <p class="dim">{t("system.none")}</p>
      )}
    </section>
  );
}

export function SystemPage(): JSX.Element {
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), 3000);
    return () => clearInterval(timer);
  }, []);
  const s = system.value;
  const ms = (x: number): string => `${number(x / 1000, x < 10 ? 4 : 3)} s`;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("system.title")}</h1>
        {problem.value && (
          <span class="warn-t" role="alert">
            {errorText(problem.value)}
          </span>
        )}
      </div>
      {s && (
        <>
          <dl class="kp">
            <div>
              <dt>{t("system.backend")}</dt>
              <dd class={s.backend === "simulator" ? "warn-t" : ""}>{t(`system.backend.${s.backend}`)}</dd>
            </div>
            <div>
              <dt>{t("system.latency")}</dt>
              <dd>{s.http.searches ? `${ms(s.search.p50_ms)} / ${ms(s.search.p95_ms)}` : "–"}</dd>
            </div>
            <div>
              <dt>{t("system.memory")}</dt>
              <dd>{mebibytes(s.peak_kib)}</dd>
            </div>
            <div>
              <dt>{t("system.disk")}</dt>
              <dd>{s.disk ? gibibytes(s.disk.free_bytes) : "–"}</dd>
            </div>
            <div>
              <dt>{t("system.uptime")}</dt>
              <dd>{dayAndTime(s.started_ms, tz.value, language.value)}</dd>
            </div>
          </dl>
          <div class="two">
            <section class="pan" aria-labelledby="workers-title" tabIndex={0}>
              <h2 id="workers-title">{t("system.workers")}</h2>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("system.worker")}</th>
                    <th scope="col">{t("import.state")}</th>
                    <th scope="col">{t("system.pid")}</th>
                    <th scope="col">{t("system.restarts")}</th>
                  </tr>
                </thead>
                <tbody>
                  <tr>
                    <td>{t("system.worker.server")}</td>
                    <td class="ok-t">{t("system.running")}</td>
                    <td>–</td>
                    <td>–</td>
                  </tr>
                  {s.workers.map((w) => (
                    <tr key={`${w.kind} ${w.pid}`}>
                      <td>{tOr(`system.worker.${w.kind}`, w.kind)}</td>
                      <td class={w.state === "running" ? "ok-t" : ""}>{tOr(`system.${w.state}`, w.state)}</td>
                      <td class="m">{w.pid > 0 ? w.pid : "–"}</td>
                      <td class="m">{number(w.restarts)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
            <Cards s={s} />
          </div>
          <section class="pan" aria-labelledby="versions-title">
            <h2 id="versions-title">{t("system.versions")}</h2>
            <dl class="facts">
              <dt>Relecture</dt>
              <dd>{s.version}</dd>
              <dt>libevent</dt>
              <dd>{s.libevent}</dd>
              <dt>{t("system.requests")}</dt>
              <dd>{counts(s.http.requests, s.http.refused, s.http.failed)}</dd>
            </dl>
          </section>
        </>
      )}
    </main>
  );
}
