/* SPDX-License-Identifier: Apache-2.0 */
/* One case: its requisition, exhibits, extensions, seals, the searches run in it, and its end. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { caseChanges } from "../../events";
import { language, number, t, tOr } from "../../i18n";
import { Icon } from "../../icons";
import { type CaseDetail, type Extension, getCase, getJournal, type JournalEntry, setOfficers } from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act, Show, useLoad } from "../../parts/load";
import { toast } from "../../parts/toast";
import { go, hashOf } from "../../router";
import { may } from "../../session";
import { boot, cameraName, chooseCase, openCase, refreshBoot, tz } from "../../state";
import { countdown, day, dayAndTime, span } from "../../time";
import { objectText } from "../journal/words";
import { CloseCase } from "./close";
import { Exhibits } from "./exhibits";
import { AskExtension, DecideExtension } from "./extension";
import { Seals } from "./seals";

/* A list of cameras that may be thousands: the first ones, and the rest when asked. */
const FEW = 12;
function CameraNames({ ids }: { ids: readonly string[] }): JSX.Element {
  const name = (id: string): JSX.Element => (
    <li key={id}>
      <b>{id}</b> {cameraName(id)}
    </li>
  );
  if (ids.length <= FEW) return <ul class="names">{ids.map(name)}</ul>;
  return (
    <details>
      <summary>{t("result.cameras.n", { n: number(ids.length) })}</summary>
      <ul class="names scroll" tabIndex={0}>
        {ids.map(name)}
      </ul>
    </details>
  );
}

function Facts({ c, again }: { c: CaseDetail; again: () => void }): JSX.Element {
  const lang = language.value;
  const zone = tz.value;
  const [naming, setNaming] = useState(false);
  const fact = (name: string, value: ComponentChildren): JSX.Element => (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
  return (
    <section class="pan" aria-labelledby="facts-title">
      <h2 id="facts-title">{t("case.facts")}</h2>
      <dl class="facts">
        {fact(t("strip.requisition"), <b>{c.requisition.no}</b>)}
        {fact(t("strip.authority"), c.requisition.authority)}
        {fact(t("strip.basis"), c.requisition.legal_basis)}
        {fact(t("case.offence"), c.requisition.offence || "–")}
        {fact(t("strip.period"), <span class="m">{span(c.from_ms, c.to_ms, zone, lang)}</span>)}
        {fact(t("nav.cameras"), <CameraNames ids={c.camera_ids} />)}
        {fact(
          t("strip.expires"),
          c.expires_ms > 0 ? t("strip.expires.until", { date: dayAndTime(c.expires_ms, zone, lang) }) : t("strip.expires.none"),
        )}
        {c.purge_ms ? fact(t("case.purge"), `${day(c.purge_ms, zone, lang)} (${countdown(c.purge_ms - (boot.value?.server_ms ?? 0), lang)})`) : null}
        {c.opened_by !== undefined && fact(t("case.opened"), `${c.opened_by || t("case.shell")}, ${dayAndTime(c.opened_ms, zone, lang)}`)}
        {c.closed_by ? fact(t("case.closed"), `${c.closed_by}, ${dayAndTime(c.closed_ms ?? 0, zone, lang)}`) : null}
        {c.officers !== undefined &&
          fact(
            t("case.officers"),
            <>
              {c.officers.length ? c.officers.join(", ") : "–"}{" "}
              {may("case_open") && c.state === "open" && (
                <button class="link small" type="button" onClick={() => setNaming(true)}>
                  {t("case.officers.change")}
                </button>
              )}
            </>,
          )}
        {c.requisition.doc_sha256 ? fact(t("case.document"), <span class="mono">{c.requisition.doc_sha256}</span>) : null}
      </dl>
      <h3>{t("case.criteria")}</h3>
      <ul class="quotes">
        {(c.criteria?.length ? c.criteria : c.allowed_criteria.map((key) => ({ key, line: "" }))).map((k) => (
          <li key={k.key}>
            <b>{tOr(`criterion.${k.key}`, k.key)}</b>
            {k.line && <q>{k.line}</q>}
          </li>
        ))}
      </ul>
      {naming && <Officers c={c} close={() => setNaming(false)} done={again} />}
    </section>
  );
}

function Officers({ c, close, done }: { c: CaseDetail; close: () => void; done: () => void }): JSX.Element {
  const [text, setText] = useState((c.officers ?? []).join(", "));
  return (
    <Dialog title={t("case.officers")} onClose={close}>
      <Act
        go={t("password.go")}
        cancel={close}
        act={async () => {
          await setOfficers(c.id, text.split(/[\s,;]+/).filter(Boolean));
          done();
          close();
        }}
      >
        <TextField label={t("case.officers")} note={t("case.officers.note")} value={text} onValue={setText} maxLength={400} optional focus />
      </Act>
    </Dialog>
  );
}

function Extensions({ c, again }: { c: CaseDetail; again: () => void }): JSX.Element | null {
  const [asking, setAsking] = useState(false);
  const [deciding, setDeciding] = useState<{ x: Extension; yes: boolean } | null>(null);
  const items = c.extensions ?? [];
  const lang = language.value;
  const zone = tz.value;
  const asks = (x: Extension): string =>
    [
      x.from_ms !== null || x.to_ms !== null ? span(x.from_ms ?? c.from_ms, x.to_ms ?? c.to_ms, zone, lang) : "",
      x.camera_ids?.length ? t("extension.cameras", { n: number(x.camera_ids.length) }) : "",
      x.criteria?.map((k) => tOr(`criterion.${k.key}`, k.key)).join(", ") ?? "",
      x.expires_ms !== null ? t("strip.expires.until", { date: day(x.expires_ms, zone, lang) }) : "",
    ]
      .filter(Boolean)
      .join(" · ");
  return (
    <section class="pan" aria-labelledby="extensions-title" tabIndex={0}>
      <div class="pan-hd">
        <h2 id="extensions-title">{t("extension.title")}</h2>
        {may("export_prepare") && c.state === "open" && (
          <button class="btn" type="button" onClick={() => setAsking(true)}>
            <Icon name="plus" /> {t("extension.ask")}
          </button>
        )}
      </div>
      {items.length === 0 ? (
        <p class="dim">{t("extension.none")}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{t("extension.what")}</th>
              <th scope="col">{t("extension.reason")}</th>
              <th scope="col">{t("extension.by")}</th>
              <th scope="col">{t("import.state")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((x) => (
              <tr key={x.id}>
                <td>{asks(x)}</td>
                <td>{x.reason}</td>
                <td>
                  {x.by}
                  <br />
                  <span class="dim nb">{dayAndTime(x.at_ms, zone, lang)}</span>
                </td>
                <td>
                  <span class={x.state === "approved" ? "ok-t" : x.state === "pending" ? "warn-t" : "dim"}>
                    {t(`extension.${x.state}`)}
                  </span>
                  {x.decided_by && (
                    <>
                      <br />
                      <span class="dim">
                        {x.decided_by} {x.decided_reason}
                      </span>
                    </>
                  )}
                  {x.state === "pending" && may("case_open") && c.state === "open" && (
                    <div class="btns tight">
                      <button class="btn small" type="button" onClick={() => setDeciding({ x, yes: true })}>
                        {t("approve")}
                      </button>
                      <button class="btn small" type="button" onClick={() => setDeciding({ x, yes: false })}>
                        {t("refuse")}
                      </button>
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {asking && <AskExtension c={c} close={() => setAsking(false)} done={again} />}
      {deciding && (
        <DecideExtension
          c={c}
          x={deciding.x}
          yes={deciding.yes}
          what={asks(deciding.x)}
          close={() => setDeciding(null)}
          done={() => (again(), void refreshBoot())}
        />
      )}
    </section>
  );
}

/* What was searched, from the journal: for those who may read it. */
function Searches({ id }: { id: string }): JSX.Element {
  const page = useLoad((signal) => getJournal({ case_id: id, action: "search" }, null, 30, signal), [id]);
  const lang = language.value;
  return (
    <section class="pan" aria-labelledby="searches-title" tabIndex={0}>
      <h2 id="searches-title">{t("case.searches")}</h2>
      <Show of={page}>
        {({ items }: { items: JournalEntry[] }) =>
          items.length === 0 ? (
            <p class="dim">{t("case.searches.none")}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("journal.when")}</th>
                  <th scope="col">{t("journal.who")}</th>
                  <th scope="col">{t("case.search.what")}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((e) => (
                  <tr key={e.seq}>
                    <td class="nb m">{dayAndTime(e.t_ms, tz.value, lang)}</td>
                    <td class="nb">{e.user}</td>
                    <td>{objectText(e)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Show>
    </section>
  );
}

export function CasePage({ id }: { id: string }): JSX.Element {
  const changes = openCase.value?.id === id ? caseChanges.value : 0;
  const loaded = useLoad((signal) => getCase(id, signal), [id, changes]);
  const [closing, setClosing] = useState(false);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <Show of={loaded}>
        {(c) => {
          const open = c.state === "open";
          const here = openCase.value?.id === c.id;
          return (
            <>
              <div class="hd">
                <a class="link" href={hashOf("cases")}>
                  {t("nav.cases")}
                </a>
                <h1>
                  {c.id} <span class="sub">{c.requisition.no}</span>
                </h1>
                <span class={open ? "tag ok" : "tag"}>{t(open ? "case.state.open" : "case.state.closed")}</span>
                <span class="sp" />
                {open && may("case_open") && (
                  <button class="btn" type="button" onClick={() => setClosing(true)}>
                    {t("case.close")}
                  </button>
                )}
                {open && may("search") && (
                  <button
                    class="btn pri"
                    type="button"
                    onClick={() => {
                      if (!here) {
                        chooseCase(c.id);
                        toast(t("case.chosen", { id: c.id }));
                      }
                      go("search");
                    }}
                  >
                    <Icon name="search" /> {t("case.work")}
                  </button>
                )}
              </div>
              {!open && (
                <section class="pan" aria-labelledby="record-title">
                  <h2 id="record-title">{t("case.record")}</h2>
                  <p>{t("case.record.text")}</p>
                  <pre>relecture -d DIR closing --case {c.id} DOSSIER</pre>
                </section>
              )}
              <div class="case-cols">
                <div>
                  <Exhibits c={c} />
                  <Seals c={c} />
                  <Extensions c={c} again={loaded.again} />
                  {may("journal_read") && <Searches id={c.id} />}
                </div>
                <Facts c={c} again={loaded.again} />
              </div>
              {closing && (
                <CloseCase c={c} close={() => setClosing(false)} done={() => (loaded.again(), void refreshBoot())} />
              )}
            </>
          );
        }}
      </Show>
    </main>
  );
}
