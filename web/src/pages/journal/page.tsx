/* SPDX-License-Identifier: Apache-2.0 */
/* Journal: who did what, hash-chained; filter, check the whole chain now, see the signed daily heads. Never an
 * image. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../http";
import { language, number, t, tOr } from "../../i18n";
import { Icon } from "../../icons";
import {
  type Anchor,
  getAnchors,
  getJournal,
  type JournalEntry,
  type JournalFilter,
  type Verified,
  verifyJournal,
} from "../../office";
import { SelectField, TextField } from "../../parts/fields";
import { Problem, Show, useLoad } from "../../parts/load";
import { announcement, tz } from "../../state";
import "../../styles/office.css";
import { clockSeconds, day, dayAndTime, sameDay } from "../../time";
import { actions, actionText, firstBreak, isRefusal, objectText } from "./words";

const STEP = 100;
const short = (hash: string): string => `${hash.slice(0, 8)}…`;

function Verify(): JSX.Element {
  const [result, setResult] = useState<Verified | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const verify = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      setResult(await verifyJournal());
    } catch (e) {
      setError(asApiError(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class={`pan verify ${result ? (result.ok ? "good" : "bad") : ""}`} aria-labelledby="verify-title">
      <h2 id="verify-title">{t("journal.verify.title")}</h2>
      <div role="status">
        {busy && <p>{t("journal.verify.busy")}</p>}
        {!busy && !result && !error && <p class="dim">{t("journal.verify.text")}</p>}
        {!busy && result?.ok && (
          <>
            <p class="big ok-t">
              <Icon name="check" /> {t("journal.verify.ok", { n: number(result.checked) })}
            </p>
            <p class="hint">
              {t("journal.head", { n: number(result.head.seq) })} <span class="mono">{result.head.hash}</span>
            </p>
          </>
        )}
        {!busy && result && !result.ok && (
          <>
            <p class="big err-t">
              <Icon name="warn" /> {t("journal.verify.bad", { n: number(result.first_bad_seq) })}
            </p>
            <p>{t("journal.verify.bad.text")}</p>
          </>
        )}
      </div>
      {error && <Problem error={error} />}
      <button class="btn pri" type="button" disabled={busy} aria-busy={busy} onClick={() => void verify()}>
        {t("journal.verify")}
      </button>
    </section>
  );
}

function Anchors(): JSX.Element {
  const anchors = useLoad<{ items: Anchor[] }>(getAnchors, []);
  return (
    <section class="pan" aria-labelledby="anchors-title" tabIndex={0}>
      <h2 id="anchors-title">{t("journal.anchors")}</h2>
      <p class="hint">{t("journal.anchors.text")}</p>
      <Show of={anchors}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="dim">{t("journal.anchors.none")}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("journal.day")}</th>
                  <th scope="col">{t("journal.seq")}</th>
                  <th scope="col">{t("journal.hash")}</th>
                  <th scope="col">{t("journal.key")}</th>
                </tr>
              </thead>
              <tbody>
                {items.slice(0, 14).map((a) => (
                  <tr key={a.seq}>
                    <td class="nb">{day(Date.parse(`${a.day}T12:00:00Z`), "UTC", language.value)}</td>
                    <td class="m">{number(a.seq)}</td>
                    <td class="mono" title={a.hash}>
                      {short(a.hash)}
                    </td>
                    <td class="mono" title={a.signature}>
                      {short(a.key_id)}
                    </td>
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

function Line({ e, shown, unfold }: { e: JournalEntry; shown: boolean; unfold: () => void }): JSX.Element {
  const zone = tz.value;
  return (
    <>
      <tr>
        <td class="r">
          <button
            class="link small m"
            type="button"
            aria-expanded={shown}
            onClick={unfold}
          >
            {number(e.seq)}
            <span class="vh"> {t("journal.unfold")}</span>
          </button>
        </td>
        <td class="nb m">{clockSeconds(e.t_ms, zone)}</td>
        <td class="ell" title={`${e.user} ${e.station}`}>
          {e.user || t("journal.system")} <span class="dim">{tOr(`role.${e.role}`, e.role)}</span>
        </td>
        <td class={isRefusal(e) ? "nb warn-t" : "nb"}>{actionText(e.action)}</td>
        <td class="nb">{e.case_id || "–"}</td>
        <td class="what">{objectText(e)}</td>
        <td class="mono" title={e.hash}>
          {short(e.hash)}
        </td>
        <td class="mono dim" title={e.prev}>
          {short(e.prev)}
        </td>
      </tr>
      {shown && (
        <tr>
          <td colSpan={8}>
            <dl class="facts">
              <dt>{t("journal.when")}</dt>
              <dd>
                {dayAndTime(e.t_ms, zone, language.value)} · {new Date(e.t_ms).toISOString()}
              </dd>
              <dt>{t("journal.station")}</dt>
              <dd>{e.station || "–"}</dd>
              <dt>{t("journal.hash")}</dt>
              <dd class="mono">{e.hash}</dd>
              <dt>{t("journal.prev")}</dt>
              <dd class="mono">{e.prev}</dd>
            </dl>
            <pre lang="en" tabIndex={0}>
              {JSON.stringify(e.detail, null, 2)}
            </pre>
          </td>
        </tr>
      )}
    </>
  );
}

/* Lines newest first, more of them when asked; a change of the filter begins anew. */
function Lines({ filter }: { filter: JournalFilter }): JSX.Element {
  const first = useLoad(
    (signal) => getJournal(filter, null, STEP, signal),
    [filter.case_id, filter.user, filter.action],
  );
  const [more, setMore] = useState<JournalEntry[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [open, setOpen] = useState<number | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => {
    setMore([]);
    setNext(first.data?.next_before_seq ?? null);
    return () => running.current?.abort();
  }, [first.data]);
  const goOn = async (): Promise<void> => {
    if (next === null) return;
    const mine = new AbortController();
    running.current = mine;
    setError(null);
    try {
      const page = await getJournal(filter, next, STEP, mine.signal);
      setMore((m) => [...m, ...page.items]);
      setNext(page.next_before_seq);
      announcement.value = t("journal.more.done", { n: number(page.items.length) });
    } catch (e) {
      if ((e as Error).name !== "AbortError") setError(asApiError(e));
    }
  };
  const filtered = Boolean(filter.case_id || filter.user || filter.action);
  return (
    <section class="pan" aria-labelledby="lines-title" tabIndex={0}>
      <div class="pan-hd">
        <h2 id="lines-title">{t("journal.lines")}</h2>
        <button class="btn small" type="button" onClick={first.again}>
          {t("journal.again")}
        </button>
      </div>
      <Show of={first}>
        {(page) => {
          const items = [...page.items, ...more];
          const broken = filtered ? null : firstBreak(items);
          if (items.length === 0) return <p class="dim">{t("journal.none")}</p>;
          return (
            <>
              {broken !== null && (
                <p class="refused" role="alert">
                  {t("journal.break", { n: number(broken) })}
                </p>
              )}
              <table class="journal">
                <thead>
                  <tr>
                    <th scope="col" class="r">
                      {t("journal.seq")}
                    </th>
                    <th scope="col">{t("journal.when")}</th>
                    <th scope="col">{t("journal.who")}</th>
                    <th scope="col">{t("journal.action")}</th>
                    <th scope="col">{t("strip.case")}</th>
                    <th scope="col">{t("journal.object")}</th>
                    <th scope="col">{t("journal.hash")}</th>
                    <th scope="col">{t("journal.prev")}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((e, i) => {
                    const before = items[i - 1];
                    const newDay = !before || !sameDay(before.t_ms, e.t_ms, tz.value);
                    return (
                      <>
                        {newDay && (
                          <tr key={`day-${e.seq}`} class="day">
                            <th colSpan={8}>{day(e.t_ms, tz.value, language.value)}</th>
                          </tr>
                        )}
                        <Line
                          key={e.seq}
                          e={e}
                          shown={open === e.seq}
                          unfold={() => setOpen(open === e.seq ? null : e.seq)}
                        />
                      </>
                    );
                  })}
                </tbody>
              </table>
              {error && <Problem error={error} again={() => void goOn()} />}
              {next !== null && !error && (
                <button class="btn" type="button" onClick={() => void goOn()}>
                  {t("result.more")}
                </button>
              )}
            </>
          );
        }}
      </Show>
    </section>
  );
}

export function JournalPage(): JSX.Element {
  const none = { case_id: "", user: "", action: "" };
  const [typed, setTyped] = useState(none);
  const [filter, setFilter] = useState<JournalFilter>({});
  const put = (change: Partial<typeof none>): void => setTyped({ ...typed, ...change });
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("nav.journal")}</h1>
        <span class="dim">{t("journal.sub")}</span>
      </div>
      <div class="two">
        <Verify />
        <Anchors />
      </div>
      <form
        class="filters"
        role="search"
        aria-label={t("journal.filter")}
        onSubmit={(e) => {
          e.preventDefault();
          setFilter({ case_id: typed.case_id.trim(), user: typed.user.trim(), action: typed.action });
        }}
      >
        <TextField label={t("strip.case")} value={typed.case_id} onValue={(case_id) => put({ case_id })} quiet maxLength={39} />
        <TextField label={t("journal.who")} value={typed.user} onValue={(user) => put({ user })} quiet maxLength={63} />
        <SelectField
          label={t("journal.action")}
          value={typed.action}
          onValue={(action) => put({ action })}
          options={["", ...actions].map((a) => ({ value: a, label: a === "" ? t("action.any") : actionText(a) }))}
        />
        <button class="btn" type="submit">
          {t("journal.filter.go")}
        </button>
        {(filter.case_id || filter.user || filter.action) && (
          <button class="link" type="button" onClick={() => (setTyped(none), setFilter({}))}>
            {t("query.clear")}
          </button>
        )}
      </form>
      <Lines filter={filter} />
    </main>
  );
}
