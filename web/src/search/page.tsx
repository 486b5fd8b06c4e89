/* SPDX-License-Identifier: Apache-2.0 */
/* Recherche: sentence, tokens, facets, timeline, passages, player. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { language, number, t, tCount } from "../i18n";
import { Icon } from "../icons";
import { announcement, errorText } from "../state";
import { hours } from "../time";
import { AskDialog } from "./ask";
import { Cards, Lanes } from "./cards";
import { camerasText, CoverageDialog, coverageShown, undecidedCount } from "./coverage";
import { Facets } from "./facets";
import { grouping, hiddenCount, setGrouping } from "./list";
import { useCaseNews } from "./news";
import { Panel } from "./panel";
import { answer, period, type Sort, search, searchError, searching, sentence, sort, view } from "./question";
import { Timeline } from "./timeline";
import { remove, Tokens, wordsOf } from "./tokens";
import { Tools } from "./tools";
import { Tray } from "./tray";

/* From the sentence to its answer, so that the next key already acts on a passage; Ctrl K leads back. */
function intoList(): void {
  const from = document.activeElement;
  if (from?.closest(".qrow")) document.querySelector<HTMLElement>(".mid [role=listbox]")?.focus();
}

function Sentence(): JSX.Element {
  return (
    <div class="q">
      <form
        class="qrow"
        role="search"
        onSubmit={(e) => {
          e.preventDefault();
          void search().then(() => requestAnimationFrame(intoList));
        }}
      >
        <div class="qbox">
          <Icon name="search" />
          <label class="vh" for="sentence">
            {t("query.label")}
          </label>
          <input
            id="sentence"
            type="text"
            autocomplete="off"
            spellcheck={false}
            maxLength={400}
            placeholder={t("query.placeholder")}
            value={sentence.value}
            onInput={(e) => {
              sentence.value = e.currentTarget.value;
            }}
          />
          <kbd aria-hidden="true">Ctrl K</kbd>
        </div>
        <button class="btn pri" type="submit">
          {t("query.run")}
        </button>
        <Tools />
      </form>
      <Tokens />
    </div>
  );
}

function Missing(): JSX.Element | null {
  const c = answer.value?.coverage;
  if (!c) return null;
  const missing = c.camera_h - c.searched_h;
  if (missing * 3600 < 1)
    return (
      <button class="cov full" type="button" onClick={() => (coverageShown.value = true)}>
        <Icon name="check" /> {t("result.complete")}
      </button>
    );
  return (
    <button class="cov" type="button" onClick={() => (coverageShown.value = true)}>
      <Icon name="warn" /> {t("result.missing", { what: hours(missing, language.value) })}
    </button>
  );
}

function Head(): JSX.Element {
  const a = answer.value;
  const lang = language.value;
  if (!a)
    return (
      <div class="rh">
        <h1>{searching.value ? t("result.loading") : searchError.value ? t("result.stopped") : ""}</h1>
      </div>
    );
  const took = `${number(Math.max(a.took_ms, 1) / 1000, a.took_ms < 10 ? 3 : 2)} s`;
  return (
    <div class="rh">
      <h1>{tCount("result.count", a.total)}</h1>
      <span class="meta">
        {hiddenCount.value > 0 && `${t("pile.hidden", { n: number(hiddenCount.value) })} · `}
        {t("result.meta", { hours: hours(a.coverage.searched_h, lang) })}
        <span class="long">
          {" "}
          · {camerasText()} · {took}
        </span>
      </span>
      <Missing />
      {undecidedCount() > 0 && (
        <button
          class="doubt"
          type="button"
          title={t("undecided.chip.title")}
          onClick={() => (coverageShown.value = true)}
        >
          +{" "}
          {undecidedCount() === 1
            ? t("undecided.chip.1")
            : t("undecided.chip.n", { n: number(undecidedCount()) })}
        </button>
      )}
      <span class="sp" />
      <button
        class="ib"
        type="button"
        aria-pressed={grouping.value}
        aria-label={t("pile.group")}
        title={t("pile.group")}
        onClick={() => setGrouping(!grouping.value)}
      >
        <Icon name="pile" />
      </button>
      <div class="seg" role="group" aria-label={t("result.view")}>
        {(["cards", "lanes"] as const).map((v) => (
          <button key={v} type="button" aria-pressed={view.value === v} onClick={() => (view.value = v)}>
            {t(`result.${v}`)}
          </button>
        ))}
      </div>
      <select
        class="srt"
        aria-label={t("result.sort")}
        value={sort.value}
        onChange={(e) => {
          sort.value = e.currentTarget.value as Sort;
          void search();
        }}
      >
        {(["score", "oldest", "newest"] as const).map((s) => (
          <option key={s} value={s}>
            {t(`result.sort.${s}`)}
          </option>
        ))}
      </select>
    </div>
  );
}

/* One button per criterion whose removal would find something. */
function Without(): JSX.Element {
  const a = answer.value;
  return (
    <>
      {(a?.without ?? []).map((w) => {
        const asked = (v: { field: string; value: string }): boolean =>
          (w.values ?? []).some((x) => x.field === v.field && x.value === v.value);
        const token = a?.tokens.find((k) => k.n > 0 && (k.values ?? [k]).some(asked));
        if (!token || w.total === 0) return null;
        const count = tCount("result.count", w.total);
        return (
          <button key={token.at} class="btn pri" type="button" onClick={() => remove(token)}>
            {t("result.without", { what: wordsOf(token), count })}
          </button>
        );
      })}
    </>
  );
}

function Empty(): JSX.Element {
  return (
    <div class="empty">
      <h2>{t("result.empty.title")}</h2>
      <p>{t("result.empty.text")}</p>
      <div class="btns">
        <Without />
        <button class="btn" type="button" onClick={() => (coverageShown.value = true)}>
          {t("result.empty.coverage")}
        </button>
        {period.value && (
          <button
            class="btn"
            type="button"
            onClick={() => {
              period.value = null;
              void search();
            }}
          >
            {t("facet.period.reset")}
          </button>
        )}
      </div>
    </div>
  );
}

function Failure(): JSX.Element | null {
  const e = searchError.value;
  if (!e) return null;
  const again = e.code === "unreachable" || e.code === "busy" || e.code === "internal";
  return (
    <div class="empty" role="alert">
      <h2>{errorText(e)}</h2>
      {again && (
        <button class="btn pri" type="button" onClick={() => void search()}>
          {t("retry")}
        </button>
      )}
    </div>
  );
}

function Skeleton(): JSX.Element {
  return (
    <div class="grid" aria-hidden="true">
      {Array.from({ length: 9 }, (_, i) => (
        <div class="card ghost" key={i}>
          <div class="th" />
          <div class="cb" />
        </div>
      ))}
    </div>
  );
}

function Results(): JSX.Element {
  const a = answer.value;
  if (searchError.value && !a) return <Failure />;
  if (!a) return <Skeleton />;
  if (a.items.length === 0) return <Empty />;
  return (
    <>
      {view.value === "cards" ? <Cards /> : <Lanes />}
      {a.items.length < a.total && (
        <div class="more">
          <span>{t("result.more.count", { shown: number(a.items.length), total: number(a.total) })}</span>
          <button class="btn" type="button" disabled={searching.value} onClick={() => void search(true)}>
            {t("result.more")}
          </button>
        </div>
      )}
      {searchError.value && <Failure />}
    </>
  );
}

export function SearchPage(): JSX.Element {
  const a = answer.value;
  const spoken = a ? tCount("result.count", a.total) : "";
  useEffect(() => {
    announcement.value = spoken;
  }, [spoken, a]);
  useCaseNews();
  return (
    <main id="main" tabIndex={-1} class="search">
      <Sentence />
      <div class="work">
        <Facets />
        <div class="mid" aria-busy={searching.value}>
          <Timeline />
          <Head />
          <Results />
        </div>
        <Panel />
      </div>
      <Tray />
      <CoverageDialog />
      <AskDialog />
    </main>
  );
}
