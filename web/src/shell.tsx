/* SPDX-License-Identifier: Apache-2.0 */
/* What is always there: case strip, rail, keys, theme, language; and the page inside. */
import { signal } from "@preact/signals";
import { Component, type ComponentChildren, type ComponentType, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { language, t } from "./i18n";
import { Icon, type IconName } from "./icons";
import { onGlobalKey, shortcuts } from "./keys";
import { SearchPage } from "./search/page";
import {
  announcement,
  boot,
  bootError,
  chooseCase,
  chooseLanguage,
  errorText,
  openCase,
  type Page,
  page,
  pageHash,
  start,
  theme,
  tz,
} from "./state";
import { day, span } from "./time";

const helpShown = signal(false);

const rail: readonly { page: Page; icon: IconName }[] = [
  { page: "search", icon: "search" },
  { page: "import", icon: "import" },
  { page: "system", icon: "system" },
  { page: "about", icon: "about" },
];

/* Pages that are not the first one are fetched when first opened. */
const later = {
  import: () => import("./pages/import").then((m) => m.ImportPage),
  system: () => import("./pages/system").then((m) => m.SystemPage),
  about: () => import("./pages/about").then((m) => m.AboutPage),
};

function Later({ name }: { name: keyof typeof later }): JSX.Element {
  const [found, setFound] = useState<{ name: string; page: ComponentType } | null>(null);
  useEffect(() => {
    let live = true;
    void later[name]().then((p) => live && setFound({ name, page: p }));
    return () => {
      live = false;
    };
  }, [name]);
  if (found?.name !== name) return <main class="wait" id="main" tabIndex={-1} aria-busy="true" />;
  return <found.page />;
}

function CaseStrip(): JSX.Element {
  const c = openCase.value;
  const b = boot.value;
  const lang = language.value;
  return (
    <div class="case">
      {c && (
        <>
          <div class="seal">
            <label for="case">{t("strip.case")}</label>
            <select id="case" value={c.id} onChange={(e) => chooseCase(e.currentTarget.value)}>
              {b?.cases.map((k) => (
                <option key={k.id} value={k.id} disabled={k.state !== "open"}>
                  {k.id} {k.state !== "open" && `· ${t("strip.closed")}`}
                </option>
              ))}
            </select>
          </div>
          <div>
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
          <div>
            <small>{t("strip.period")}</small>
            <span>{span(c.from_ms, c.to_ms, tz.value, lang)}</span>
          </div>
          <div class="wide">
            <small>{t("strip.expires")}</small>
            <span>
              {c.expires_ms > 0
                ? t("strip.expires.until", { date: day(c.expires_ms, tz.value, lang) })
                : t("strip.expires.none")}
            </span>
          </div>
        </>
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
      <button class="ib" type="button" title={t("tool.keys")} onClick={() => (helpShown.value = true)}>
        <Icon name="keyboard" />
        <span>F1</span>
        <span class="vh">{t("tool.keys")}</span>
      </button>
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
    </div>
  );
}

function Help(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = helpShown.value;
  useEffect(() => {
    const d = dialog.current;
    if (shown && d && !d.open) d.showModal();
  }, [shown]);
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={() => (helpShown.value = false)}>
      <header>
        <h2 id="help-title">{t("keys.title")}</h2>
        <button class="ib" type="button" aria-label={t("tool.close")} onClick={() => dialog.current?.close()}>
          <Icon name="cross" />
        </button>
      </header>
      <div class="bd">
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
        <p class="hint">{t("keys.note")}</p>
      </div>
    </dialog>
  );
}

function NoCase(): JSX.Element {
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="notice">
        <h1>{t("case.none.title")}</h1>
        <p>{t("case.none.text")}</p>
        <pre>relecture -d DIR case open --help</pre>
      </div>
    </main>
  );
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

function Content(): JSX.Element {
  if (bootError.value)
    return (
      <main class="page" id="main" tabIndex={-1}>
        <div class="notice" role="alert">
          <h1>{t("boot.failed")}</h1>
          <p>{bootError.value.code === "unreachable" ? t("boot.failed.text") : errorText(bootError.value)}</p>
          <button class="btn pri" type="button" onClick={() => void start()}>
            {t("retry")}
          </button>
        </div>
      </main>
    );
  if (!boot.value)
    return (
      <main class="page" id="main" tabIndex={-1} aria-busy="true">
        <p class="hint">{t("boot.loading")}</p>
      </main>
    );
  if (page.value === "search") return openCase.value ? <SearchPage /> : <NoCase />;
  return <Later name={page.value} />;
}

export function Shell(): JSX.Element {
  useEffect(() => {
    const onKey = (e: KeyboardEvent): void =>
      onGlobalKey(
        e,
        () => {
          location.hash = pageHash("search");
          page.value = "search";
          /* After the page is drawn: the field may not be there yet. */
          requestAnimationFrame(() => document.querySelector<HTMLInputElement>("#sentence")?.select());
        },
        () => (helpShown.value = true),
      );
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const current = page.value;
  const title = `${t(`nav.${current}`)} · ${t("app.name")}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
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
        {rail.map((r) => (
          <a key={r.page} href={pageHash(r.page)} aria-current={current === r.page ? "page" : undefined}>
            <Icon name={r.icon} />
            <span>{t(`nav.${r.page}`)}</span>
          </a>
        ))}
      </nav>
      <Boundary key={current}>
        <Content />
      </Boundary>
      <Help />
      <div class="vh" aria-live="polite">
        {announcement}
      </div>
    </>
  );
}
