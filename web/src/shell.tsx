/* SPDX-License-Identifier: Apache-2.0 */
/* What is always there: case strip, rail, keys, theme, language; and the page inside. */
import { signal } from "@preact/signals";
import { Component, type ComponentChildren, type ComponentType, type JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { approvals, follow } from "./events";
import { language, number, t, tOr, withOffice } from "./i18n";
import { Icon } from "./icons";
import { onGlobalKey, shortcuts } from "./keys";
import { Dialog } from "./parts/dialog";
import { Check } from "./parts/fields";
import { Line } from "./parts/line";
import { sealing } from "./parts/sealing";
import { Toast } from "./parts/toast";
import { go, hashOf, type Page, pages, place } from "./router";
import { acts, letterOf, setSingleKeys, singleKeys } from "./search/acts";
import { SearchPage } from "./search/page";
import { logout, may, phase, user } from "./session";
import { FirstPassword, IdleWarning, PasswordDialog, passwordShown, SignIn, SignInAgain } from "./signin";
import {
  announcement,
  boot,
  bootError,
  chooseCase,
  chooseLanguage,
  errorText,
  openCase,
  start,
  theme,
  tz,
} from "./state";
import { countdown, day, span } from "./time";

const helpShown = signal(false);

/* Pages that are not the first one are fetched when first opened. */
const later: Readonly<Record<Exclude<Page, "search">, () => Promise<ComponentType>>> = {
  cases: () => import("./pages/cases/page").then((m) => m.CasesPage),
  cameras: () => import("./pages/cameras/page").then((m) => m.CamerasPage),
  journal: () => import("./pages/journal/page").then((m) => m.JournalPage),
  users: () => import("./pages/users").then((m) => m.UsersPage),
  route: () => import("./pages/route").then((m) => m.RoutePage),
  import: () => import("./pages/import/page").then((m) => m.ImportPage),
  system: () => import("./pages/system").then((m) => m.SystemPage),
  about: () => import("./pages/about").then((m) => m.AboutPage),
};

/* Once somebody is at work the other pages he may see are fetched too, so that a server that restarts takes none of
 * them away. */
function fetchLater(): void {
  const wanted = (Object.keys(later) as (keyof typeof later)[]).filter((name) =>
    may(...(pages.find((p) => p.page === name)?.rights ?? [])),
  );
  requestIdleCallback(() => {
    void Promise.allSettled([withOffice(), ...wanted.map((name) => later[name]())]);
  });
}

function Later({ name }: { name: keyof typeof later }): JSX.Element {
  const [found, setFound] = useState<{ name: string; page: ComponentType } | null>(null);
  const [failed, setFailed] = useState(false);
  const load = (): (() => void) => {
    let live = true;
    setFailed(false);
    Promise.all([later[name](), withOffice()]).then(
      ([p]) => live && setFound({ name, page: p }),
      () => live && setFailed(true),
    );
    return () => {
      live = false;
    };
  };
  useEffect(load, [name]);
  if (failed)
    return (
      <main class="page" id="main" tabIndex={-1}>
        <div class="notice" role="alert">
          <h1>{t("page.missing")}</h1>
          <p>{t("page.missing.text")}</p>
          <div class="btns">
            <button class="btn pri" type="button" onClick={load}>
              {t("retry")}
            </button>
            <button class="btn" type="button" onClick={() => location.reload()}>
              {t("page.reload")}
            </button>
          </div>
        </div>
      </main>
    );
  if (found?.name !== name) return <main class="wait" id="main" tabIndex={-1} aria-busy="true" />;
  return <found.page />;
}

/* Which case, under which requisition, until when. The last choice of the list leads to all cases. */
const ALL_CASES = "*";
function CaseStrip(): JSX.Element {
  const c = openCase.value;
  const b = boot.value;
  const lang = language.value;
  const zone = tz.value;
  if (!c || !b) return <div class="case" />;
  const purge = c.purge_ms ? c.purge_ms - b.server_ms : 0;
  const open = b.cases.filter((k) => k.state === "open");
  return (
    <div class="case">
      <div class="seal">
        <label for="case">{t("strip.case")}</label>
        <select
          id="case"
          value={c.id}
          onChange={(e) => {
            const id = e.currentTarget.value;
            if (id !== ALL_CASES) return chooseCase(id);
            e.currentTarget.value = c.id;
            go("cases");
          }}
        >
          {open.map((k) => (
            <option key={k.id} value={k.id} title={k.requisition.no}>
              {k.id}
            </option>
          ))}
          <option value={ALL_CASES}>{t("strip.all")}</option>
        </select>
      </div>
      <div class="firm">
        <small>{t("strip.requisition")}</small>
        <b title={c.requisition.no}>{c.requisition.no}</b>
      </div>
      <div class="wide">
        <small>{t("strip.authority")}</small>
        <span title={c.requisition.authority}>{c.requisition.authority}</span>
      </div>
      <div class="wide">
        <small>{t("strip.basis")}</small>
        <span title={c.requisition.legal_basis}>{c.requisition.legal_basis}</span>
      </div>
      <div class="firm">
        <small>{t("strip.period")}</small>
        <span>{span(c.from_ms, c.to_ms, zone, lang)}</span>
      </div>
      {purge > 0 ? (
        <div class="firm">
          <small>{t("strip.purge")}</small>
          <b class="warn-t" title={day(c.purge_ms ?? 0, zone, lang)}>
            {countdown(purge, lang)}
          </b>
        </div>
      ) : (
        <div class="wide">
          <small>{t("strip.expires")}</small>
          <span>
            {c.expires_ms > 0
              ? t("strip.expires.until", { date: day(c.expires_ms, zone, lang) })
              : t("strip.expires.none")}
          </span>
        </div>
      )}
    </div>
  );
}

function Tools(): JSX.Element {
  const dark = theme.value === "dark";
  const themeName = t(dark ? "tool.theme.light" : "tool.theme.dark");
  const other = language.value === "fr" ? "en" : "fr";
  return (
    <div class="tools">
      {boot.value?.backend === "simulator" && (
        <span class="sim" title={t("backend.simulator.title")}>
          <Icon name="warn" /> {t("backend.simulator")}
        </span>
      )}
      {boot.value && (
        <button class="ib" type="button" title={t("tool.keys")} onClick={() => (helpShown.value = true)}>
          <Icon name="keyboard" />
          <span>F1</span>
          <span class="vh">{t("tool.keys")}</span>
        </button>
      )}
      <button
        class="ib"
        type="button"
        aria-label={themeName}
        title={themeName}
        onClick={() => (theme.value = dark ? "light" : "dark")}
      >
        <Icon name={dark ? "sun" : "moon"} />
      </button>
      <button class="ib" type="button" lang={other} onClick={() => void chooseLanguage(other)}>
        {t("tool.language")}
      </button>
      <UserMenu />
    </div>
  );
}

/* Who is signed in, until when that person may be, and the way out. */
function UserMenu(): JSX.Element | null {
  const u = user.value;
  const id = useId();
  if (!u) return null;
  const close = (): void => document.getElementById(id)?.hidePopover();
  return (
    <>
      <button class="who" type="button" popovertarget={id} title={t("who.title")}>
        <b>{u.name}</b>
        <small>{tOr(`role.${u.role}`, u.role)}</small>
      </button>
      <div class="menu" id={id} popover="auto">
        <dl class="facts">
          <dt>{t("login.name")}</dt>
          <dd class="mono">{u.login}</dd>
          {u.habilitation && (
            <>
              <dt>{t("users.habilitation")}</dt>
              <dd>{u.habilitation}</dd>
            </>
          )}
          <dt>{t("users.valid.to")}</dt>
          <dd>{day(u.valid_to_ms, tz.value, language.value)}</dd>
        </dl>
        <button class="btn" type="button" onClick={() => (close(), (passwordShown.value = true))}>
          {t("password.title")}
        </button>
        <button class="btn" type="button" onClick={() => void logout()}>
          {t("who.logout")}
        </button>
      </div>
    </>
  );
}

function Help(): JSX.Element | null {
  if (!helpShown.value) return null;
  return (
    <Dialog title={t("keys.title")} onClose={() => (helpShown.value = false)}>
      <dl class="keys">
        {shortcuts.map((s) => (
          <div key={s.what}>
            <dt>
              {s.keys.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{t(s.what)}</dd>
          </div>
        ))}
      </dl>
      {may("search") && (
        <>
          <h3>{t("keys.acts")}</h3>
          <dl class="keys">
            {acts.map((a) => (
              <div key={a.act}>
                <dt>
                  <kbd>{letterOf(a.act)}</kbd>
                </dt>
                <dd>{t(a.what)}</dd>
              </div>
            ))}
          </dl>
          <Check label={t("keys.single")} checked={singleKeys.value} onValue={setSingleKeys} />
        </>
      )}
      <p class="hint">{t("keys.note")}</p>
    </Dialog>
  );
}

/* No search without a case: what is missing and who can help. */
function NoCase(): JSX.Element {
  const closed = boot.value?.cases.length ?? 0;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="notice">
        <Icon name="cases" />
        <h1>{t("case.none.title")}</h1>
        <p>{t("case.none.text")}</p>
        {closed > 0 && <p>{t("case.none.closed", { n: closed })}</p>}
        {may("case_open") && (
          <a class="btn pri" href={hashOf("cases", "nouveau")}>
            {t("case.new")}
          </a>
        )}
      </div>
    </main>
  );
}

/* The dialog that seals, fetched when first asked for. */
function Sealing(): JSX.Element | null {
  const id = sealing.value;
  const [dialog, setDialog] = useState<{ of: ComponentType<{ caseId: string }> } | null>(null);
  useEffect(() => {
    if (id !== null && !dialog)
      Promise.all([import("./parts/seal"), withOffice()]).then(
        ([m]) => setDialog({ of: m.SealDialog }),
        () => (sealing.value = null),
      );
  }, [id]);
  return id !== null && dialog ? <dialog.of caseId={id} /> : null;
}

/* A fault of the page itself is said in its place; strip and rail go on. */
class Boundary extends Component<{ children: ComponentChildren }, { fault: string | null }> {
  override state = { fault: null };
  override componentDidCatch(e: unknown): void {
    this.setState({ fault: e instanceof Error ? e.message : String(e) });
  }
  override render(): ComponentChildren {
    if (this.state.fault === null) return this.props.children;
    return (
      <main class="page" id="main" tabIndex={-1}>
        <div class="notice" role="alert">
          <h1>{t("page.broken")}</h1>
          <p>{t("page.broken.text")}</p>
          <pre lang="en">{this.state.fault}</pre>
          <button class="btn pri" type="button" onClick={() => location.reload()}>
            {t("page.reload")}
          </button>
        </div>
      </main>
    );
  }
}

function Failed(): JSX.Element | null {
  const e = bootError.value;
  if (!e) return null;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="notice" role="alert">
        <h1>{t(e.code === "unreachable" ? "boot.failed" : "boot.refused")}</h1>
        <p>{e.code === "unreachable" ? t("boot.failed.text") : errorText(e)}</p>
        <button class="btn pri" type="button" onClick={() => void start()}>
          {t("retry")}
        </button>
      </div>
    </main>
  );
}

/* The page of the address if this user may see it, else the first one that he may. */
function current(): Page {
  const wanted = pages.find((p) => p.page === place.value?.page);
  if (wanted && may(...wanted.rights)) return wanted.page;
  return pages.find((p) => may(...p.rights))?.page ?? "about";
}

function Content({ page }: { page: Page }): JSX.Element {
  if (bootError.value) return <Failed />;
  if (!boot.value)
    return (
      <main class="page" id="main" tabIndex={-1} aria-busy="true">
        <p class="hint">{t("loading")}</p>
      </main>
    );
  if (page === "search") return openCase.value ? <SearchPage /> : <NoCase />;
  return <Later name={page} />;
}

/* Before anybody is signed in there is no strip, no rail, and nothing of any case. */
function Gate({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <>
      <header class="top bare">
        <span />
        <Tools />
      </header>
      {children}
    </>
  );
}

function Work({ page }: { page: Page }): JSX.Element {
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>
        {t("skip")}
      </a>
      <header class="top">
        <div class="brand" aria-hidden="true">
          <img src="/icon.svg" alt="" width="30" height="30" />
        </div>
        <CaseStrip />
        <Tools />
      </header>
      <nav class="rail" aria-label={t("nav.label")}>
        {pages
          .filter((p) => may(...p.rights))
          .map((p) => (
            <a
              key={p.page}
              href={hashOf(p.page)}
              title={`Alt ${p.key}`}
              aria-current={page === p.page ? "page" : undefined}
            >
              <Icon name={p.page} />
              <span>
                {t(`nav.${p.page}`)}
                {p.page === "cases" && approvals.value.length > 0 && (
                  <b class="badge">
                    {number(approvals.value.length)}
                    <span class="vh"> {t("nav.waiting")}</span>
                  </b>
                )}
              </span>
            </a>
          ))}
      </nav>
      <Boundary key={page}>
        <Content page={page} />
      </Boundary>
      <Help />
      <Sealing />
      <PasswordDialog />
      <IdleWarning />
      <SignInAgain />
    </>
  );
}

export function Shell(): JSX.Element {
  const state = phase.value;
  const working = (state === "in" || state === "ended") && !user.value?.must_change;
  const booted = boot.value !== null;
  useEffect(() => {
    if (working && booted) fetchLater();
  }, [working, booted]);
  const caseId = openCase.value?.id ?? null;
  const streams = state === "in" && working && booted;
  useEffect(() => (streams ? follow(caseId) : undefined), [streams, caseId]);
  useEffect(() => {
    if (!working) return undefined;
    const onKey = (e: KeyboardEvent): void =>
      onGlobalKey(
        e,
        () => {
          go("search");
          /* After the page is drawn: the field may not be there yet. */
          requestAnimationFrame(() => document.querySelector<HTMLInputElement>("#sentence")?.select());
        },
        () => (helpShown.value = true),
      );
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [working]);
  const page = current();
  const title = `${working ? `${t(`nav.${page}`)} · ` : ""}${t("app.name")}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      {working ? (
        <Work page={page} />
      ) : (
        <Gate>
          {bootError.value ? (
            <Failed />
          ) : state === "in" ? (
            <FirstPassword />
          ) : state === "starting" ? null : place.value?.page === "about" && place.value.arg ? (
            <Later name="about" />
          ) : (
            <SignIn />
          )}
        </Gate>
      )}
      <Line />
      <Toast />
      <div class="vh" aria-live="polite">
        {announcement}
      </div>
    </>
  );
}
