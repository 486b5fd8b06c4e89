/* SPDX-License-Identifier: Apache-2.0 */
/* Import: what is brought in batch by batch, how far each is, time left, what failed with what to do, and the load of
 * the cards that do it. */
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getSystem, type ImportItem, type System } from "../../api";
import { imports, streaming } from "../../events";
import { asApiError } from "../../http";
import { language, number, t, tOr } from "../../i18n";
import { Icon } from "../../icons";
import { steerImport } from "../../office";
import { toast } from "../../parts/toast";
import { may } from "../../session";
import { cameraName, errorText, openCase, tz } from "../../state";
import "../../styles/office.css";
import { day, dayAndTime, duration, hours } from "../../time";
import { AddImport, bytes } from "./add";
import { type Batch, batchesOf } from "./batches";
import { isRunning, type Rate, summary, track } from "./progress";

let rates: ReadonlyMap<string, Rate> = new Map();
effect(() => {
  rates = imports.value ? track(rates, imports.value) : new Map();
});

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

const tone = (i: ImportItem): string =>
  i.state === "done" ? "ok-t" : i.state === "failed" ? "err-t" : i.state === "paused" ? "warn-t" : isRunning(i) ? "" : "dim";

type Steer = (job: number | "all", action: "pause" | "resume" | "cancel" | "priority", priority?: number) => void;

function Files({ b, steer }: { b: Batch; steer: Steer }): JSX.Element {
  const lang = language.value;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("import.file")}</th>
          <th scope="col">{t("import.camera")}</th>
          <th scope="col">{t("import.start")}</th>
          <th scope="col">{t("import.duration")}</th>
          <th scope="col">{t("import.progress")}</th>
          <th scope="col">{t("import.state")}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {b.items.map((i) => (
          <tr key={`${i.camera_id} ${i.file} ${i.start_ms}`}>
            <td class="ell" title={i.file}>
              {i.file}
            </td>
            <td class="ell" title={cameraName(i.camera_id)}>
              <b>{i.camera_id}</b> {cameraName(i.camera_id)}
            </td>
            <td class="m nb">{dayAndTime(i.start_ms, tz.value, lang)}</td>
            <td class="m nb">{i.duration_ms > 0 ? duration(i.duration_ms, lang) : "–"}</td>
            <td>
              <Progress done={i.done_ms} total={i.duration_ms} />
            </td>
            <td class={`nb ${tone(i)}`}>{tOr(`state.${i.state}`, i.state)}</td>
            <td class="nb r">
              {i.job !== undefined && isRunning(i) && may("import") && (
                <>
                  <button class="link small" type="button" onClick={() => steer(i.job ?? 0, "priority", Math.min(9, (i.priority ?? 0) + 1))}>
                    {t("import.first")}
                    <span class="vh"> {i.file}</span>
                  </button>
                  <button
                    class="link small"
                    type="button"
                    onClick={() => steer(i.job ?? 0, i.state === "paused" ? "resume" : "pause")}
                  >
                    {t(i.state === "paused" ? "import.resume" : "import.pause")}
                    <span class="vh"> {i.file}</span>
                  </button>
                  <button class="link small" type="button" onClick={() => steer(i.job ?? 0, "cancel")}>
                    {t("import.cancel")}
                    <span class="vh"> {i.file}</span>
                  </button>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/* A batch of a few files shows them; a large one shows its sum, its files when unfolded. */
const FEW = 12;
function BatchRow({ b, steer }: { b: Batch; steer: Steer }): JSX.Element {
  const lang = language.value;
  const s = b.sum;
  const name = b.batch_id !== null ? t("batch.n", { n: b.batch_id }) : t("batch.day", { day: day(b.at_ms, tz.value, lang) });
  const cameras = new Set(b.items.map((i) => i.camera_id)).size;
  return (
    <section class="pan batch" aria-label={name} tabIndex={0}>
      <div class="pan-hd">
        <h2>{name}</h2>
        <span class="dim">
          {t("batch.sum", { files: number(b.items.length), cameras: number(cameras), length: hours(s.total_ms / 3600e3, lang) })}
        </span>
        <span class="sp" />
        {b.live && (
          <span class="m">
            {s.rate > 0 && t("import.speed.value", { n: number(s.rate, s.rate < 10 ? 1 : 0) })}
            {s.left_ms !== null && ` · ${t("batch.left", { left: duration(s.left_ms, lang) })}`}
          </span>
        )}
        {s.n_failed > 0 && <span class="err-t">{t("batch.failed", { n: number(s.n_failed) })}</span>}
      </div>
      <Progress done={s.done_ms} total={s.total_ms} />
      {b.items.length <= FEW ? (
        <Files b={b} steer={steer} />
      ) : (
        <details>
          <summary>{t("batch.files", { n: number(b.items.length) })}</summary>
          <Files b={b} steer={steer} />
        </details>
      )}
    </section>
  );
}

/* What the cards do now; each card by itself where the server tells them apart. */
function Cards(): JSX.Element | null {
  const [system, setSystem] = useState<System | null>(null);
  useEffect(() => {
    let live = true;
    const ask = (): void =>
      void getSystem().then(
        (s) => live && setSystem(s),
        () => undefined,
      );
    ask();
    const timer = setInterval(ask, 2000);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, []);
  const k = system?.card;
  if (!system || !k) return null;
  return (
    <section class="pan" aria-labelledby="load-title">
      <div class="pan-hd">
        <h2 id="load-title">{t("cards.title")}</h2>
        {k.simulated && k.ready && (
          <span class="sim">
            <Icon name="warn" /> {t("backend.simulator")}
          </span>
        )}
      </div>
      {k.ready ? (
        <dl class="load">
          <div>
            <dt>{t("cards.device")}</dt>
            <dd>{k.device}</dd>
          </div>
          <div>
            <dt>{t("cards.ready")}</dt>
            <dd>
              {number(k.n_ready)} / {number(k.n_cards)}
            </dd>
          </div>
          <div>
            <dt>{t("cards.jobs")}</dt>
            <dd>{number(k.jobs)}</dd>
          </div>
          <div>
            <dt>{t("system.jobs")}</dt>
            <dd>
              {number(k.done)} / {number(k.failed)} / {number(k.resubmitted)}
            </dd>
          </div>
          <div>
            <dt>{t("system.restarts")}</dt>
            <dd class={k.restarts ? "warn-t" : ""}>{number(k.restarts)}</dd>
          </div>
          <div>
            <dt>{t("cards.memory")}</dt>
            <dd>{bytes(k.peak_kib * 1024)}</dd>
          </div>
        </dl>
      ) : (
        <p class="dim">{t("system.none")}</p>
      )}
    </section>
  );
}

/* What a person can do about a file that failed, by what the error names. */
function todo(i: ImportItem): string {
  if (i.state === "skipped") return t("import.todo.skipped");
  if (/disk|space/i.test(i.error)) return t("import.todo.disk");
  if (/card/i.test(i.error)) return t("import.todo.card");
  return t("import.todo.failed");
}

export function ImportPage(): JSX.Element {
  const c = openCase.value;
  const id = c?.id;
  const [adding, setAdding] = useState(false);
  const lang = language.value;
  const items = imports.value?.items ?? [];
  const s = summary(items, rates);
  const failed = items.filter((i) => i.state === "failed" || i.state === "skipped");
  const live = items.filter((i) => isRunning(i) && i.job !== undefined);
  const paused = live.length > 0 && live.every((i) => i.state === "paused");
  const sightings = items.reduce((n, i) => n + (i.sightings ?? 0), 0);
  const steer: Steer = (job, action, priority) => {
    if (!id) return;
    steerImport(id, job, action, priority).then(
      () => toast(t(`import.did.${action}`)),
      (e: unknown) => toast(errorText(asApiError(e))),
    );
  };
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("import.title")}</h1>
        <span class={streaming.value ? "dim" : "warn-t"} role="status">
          {t(streaming.value ? "import.live" : "import.offline")}
        </span>
        <span class="sp" />
        {live.length > 0 && may("import") && (
          <button class="btn" type="button" onClick={() => steer("all", paused ? "resume" : "pause")}>
            <Icon name={paused ? "play" : "pause"} /> {t(paused ? "import.resume.all" : "import.pause.all")}
          </button>
        )}
        {id && may("import") && (
          <button class="btn pri" type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" /> {t("import.add")}
          </button>
        )}
      </div>
      {!id && (
        <div class="notice">
          <h2>{t("case.none.title")}</h2>
          <p>{t("import.nocase")}</p>
        </div>
      )}
      {id && imports.value && items.length === 0 && (
        <div class="notice">
          <Icon name="import" />
          <h2>{t("import.none")}</h2>
          <p>{t("import.none.text")}</p>
          {may("import") && (
            <button class="btn pri" type="button" onClick={() => setAdding(true)}>
              {t("import.add")}
            </button>
          )}
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
            {sightings > 0 && (
              <div>
                <dt>{t("import.sightings")}</dt>
                <dd>{number(sightings)}</dd>
              </div>
            )}
            <div>
              <dt>{t("import.errors")}</dt>
              <dd class={s.n_failed ? "warn-t" : ""}>{number(s.n_failed)}</dd>
            </div>
            {imports.value?.free_bytes !== undefined && (
              <div>
                <dt>{t("system.disk")}</dt>
                <dd>{bytes(imports.value.free_bytes)}</dd>
              </div>
            )}
          </dl>
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
                      <td class="ell" title={i.file}>
                        {i.file}
                      </td>
                      <td class="nb">{i.camera_id}</td>
                      <td lang="en">{i.error}</td>
                      <td>{todo(i)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
          {batchesOf(items, rates).map((b) => (
            <BatchRow key={b.key} b={b} steer={steer} />
          ))}
        </>
      )}
      {id && <Cards />}
      {adding && id && <AddImport caseId={id} close={() => setAdding(false)} done={() => undefined} />}
    </main>
  );
}
