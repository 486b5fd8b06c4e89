/* SPDX-License-Identifier: Apache-2.0 */
/* Every case this user may read: what is open, what waits for a second person, what ends soon. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { approvals } from "../../events";
import { language, number, t } from "../../i18n";
import { Icon } from "../../icons";
import { type CaseFile, getCases } from "../../office";
import { Show, useLoad } from "../../parts/load";
import { go, hashOf } from "../../router";
import { may } from "../../session";
import { boot, openCase, tz } from "../../state";
import { countdown, day, dayAndTime, span } from "../../time";
import { matches } from "../../words";

const SOON_MS = 48 * 3600e3;

const textOf = (c: CaseFile): string =>
  [c.id, c.requisition.no, c.requisition.authority, c.requisition.legal_basis, c.requisition.offence].join(" ");

function State({ c, now }: { c: CaseFile; now: number }): JSX.Element {
  if (c.state !== "open") return <span class="dim">{t("case.state.closed")}</span>;
  if (c.expires_ms > 0 && c.expires_ms <= now) return <span class="err-t">{t("case.state.expired")}</span>;
  if (c.n_extensions_pending) return <span class="warn-t">{t("case.state.pending")}</span>;
  return <span class={openCase.value?.id === c.id ? "ok-t" : ""}>{t(openCase.value?.id === c.id ? "case.state.current" : "case.state.open")}</span>;
}

function Purge({ ms, now }: { ms: number | undefined; now: number }): JSX.Element {
  if (!ms) return <span class="dim">–</span>;
  const left = ms - now;
  return (
    <span class={left <= 0 ? "dim" : left < SOON_MS ? "err-t" : ""} title={dayAndTime(ms, tz.value, language.value)}>
      {left > 0 ? `${day(ms, tz.value, language.value)} (${countdown(left, language.value)})` : t("case.purged")}
    </span>
  );
}

function Rows({ items, now, label }: { items: CaseFile[]; now: number; label: string }): JSX.Element {
  return (
    <section class="pan" aria-label={label} tabIndex={0}>
      <h2>{label}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("strip.case")}</th>
            <th scope="col">{t("strip.requisition")}</th>
            <th scope="col">{t("strip.authority")}</th>
            <th scope="col">{t("case.period")}</th>
            <th scope="col" class="r">
              {t("nav.cameras")}
            </th>
            <th scope="col" class="r">
              {t("case.exhibits")}
            </th>
            <th scope="col">{t("case.purge")}</th>
            <th scope="col">{t("import.state")}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((c) => (
            <tr key={c.id}>
              <th scope="row" class="nb">
                <a href={hashOf("cases", c.id)}>{c.id}</a>
              </th>
              <td class="ell" title={c.requisition.no}>
                {c.requisition.no}
                <br />
                <span class="dim">{c.requisition.offence}</span>
              </td>
              <td class="ell" title={`${c.requisition.authority}, ${c.requisition.legal_basis}`}>
                {c.requisition.authority}
                <br />
                <span class="dim">{c.requisition.legal_basis}</span>
              </td>
              <td class="m">{span(c.from_ms, c.to_ms, tz.value, language.value)}</td>
              <td class="m r">{number(c.camera_ids.length)}</td>
              <td class="m r">{c.n_exhibits === undefined ? "–" : number(c.n_exhibits)}</td>
              <td class="nb">
                <Purge ms={c.purge_ms} now={now} />
              </td>
              <td class="nb">
                <State c={c} now={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function CaseList(): JSX.Element {
  const [filter, setFilter] = useState("");
  const cases = useLoad(getCases, [boot.value?.cases]);
  const mayOpen = may("case_open");
  useEffect(() => {
    if (!mayOpen) return undefined;
    const onKey = (e: KeyboardEvent): void => {
      if (e.altKey && !e.ctrlKey && !e.metaKey && e.code === "KeyN") {
        e.preventDefault();
        go("cases", "nouveau");
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [mayOpen]);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("nav.cases")}</h1>
        <span class="sp" />
        <label class="vh" for="case-filter">
          {t("case.filter")}
        </label>
        <input
          id="case-filter"
          class="fld filter"
          type="search"
          autocomplete="off"
          placeholder={t("case.filter")}
          value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
        {mayOpen && (
          <a class="btn pri" href={hashOf("cases", "nouveau")}>
            <Icon name="plus" /> {t("case.new")} <kbd aria-hidden="true">Alt N</kbd>
          </a>
        )}
      </div>
      <Show of={cases}>
        {({ items }) => {
          const now = boot.value?.server_ms ?? Date.now();
          const seen = items.filter((c) => matches(textOf(c), filter));
          const open = seen.filter((c) => c.state === "open");
          const closed = seen.filter((c) => c.state !== "open");
          const all = items.filter((c) => c.state === "open");
          const soon = all.filter((c) => c.expires_ms > now && c.expires_ms - now < SOON_MS).length;
          const pending = all.reduce((n, c) => n + (c.n_extensions_pending ?? 0), 0);
          const exhibits = all.reduce((n, c) => n + (c.n_exhibits ?? 0), 0);
          return (
            <>
              <dl class="kp">
                <div>
                  <dt>{t("case.kp.open")}</dt>
                  <dd>{number(all.length)}</dd>
                </div>
                <div>
                  <dt>{t("case.kp.pending")}</dt>
                  <dd class={pending ? "warn-t" : ""}>{number(pending)}</dd>
                </div>
                <div>
                  <dt>{t("case.kp.soon")}</dt>
                  <dd class={soon ? "err-t" : ""}>{number(soon)}</dd>
                </div>
                <div>
                  <dt>{t("case.kp.exhibits")}</dt>
                  <dd>{number(exhibits)}</dd>
                </div>
              </dl>
              {approvals.value.length > 0 && (
                <section class="pan" aria-labelledby="waiting-title" tabIndex={0}>
                  <h2 id="waiting-title">{t("case.waiting")}</h2>
                  <ul class="waiting">
                    {approvals.value.map((a) => (
                      <li key={`${a.kind} ${a.id}`}>
                        <a href={hashOf("cases", a.case_id)}>
                          {t(a.kind === "seal" ? "case.waiting.seal" : "case.waiting.extension", { n: a.id, id: a.case_id })}
                        </a>{" "}
                        <span class="dim">
                          {a.by}, {dayAndTime(a.at_ms, tz.value, language.value)}
                        </span>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              {open.length > 0 && <Rows items={open} now={now} label={t("case.open.title")} />}
              {closed.length > 0 && <Rows items={closed} now={now} label={t("case.closed.title")} />}
              {items.length > 0 && seen.length === 0 && <p class="empty-line">{t("case.filter.none")}</p>}
              {items.length === 0 && (
                <div class="notice">
                  <Icon name="cases" />
                  <h2>{t("case.none.title")}</h2>
                  <p>{t(mayOpen ? "case.none.chief" : "case.none.text")}</p>
                  {mayOpen && (
                    <a class="btn pri" href={hashOf("cases", "nouveau")}>
                      {t("case.new")}
                    </a>
                  )}
                </div>
              )}
            </>
          );
        }}
      </Show>
    </main>
  );
}
