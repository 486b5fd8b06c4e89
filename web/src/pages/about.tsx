/* SPDX-License-Identifier: Apache-2.0 */
/* À propos: what the program is, and the licences of what the page is made of (collected at build). */
import licences from "virtual:licences";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getSystem, type System } from "../api";
import { t } from "../i18n";
import { hashOf, place } from "../router";
import { boot } from "../state";
import "../styles/office.css";
import { DeclarationPage } from "./declaration";

export const ACCESSIBILITY = "accessibilite";

/* The page as the browser checked it: the integrity hash of its first script. */
const pageHash = (): string => document.querySelector<HTMLScriptElement>("script[integrity]")?.integrity ?? "–";

export function AboutPage(): JSX.Element {
  const b = boot.value;
  const [system, setSystem] = useState<System | null>(null);
  useEffect(() => {
    let live = true;
    getSystem().then(
      (s) => live && setSystem(s),
      () => undefined,
    );
    return () => {
      live = false;
    };
  }, []);
  if (place.value?.page === "about" && place.value.arg === ACCESSIBILITY) return <DeclarationPage />;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("about.title")}</h1>
      </div>
      <section class="pan">
        <p>{t("about.text")}</p>
        <p>
          <a class="link" href={hashOf("about", ACCESSIBILITY)}>
            {t("declaration.link")}
          </a>
        </p>
        <h2>{t("system.versions")}</h2>
        <dl class="facts">
          <dt>Relecture</dt>
          <dd>{b?.version} · Apache-2.0</dd>
          {b?.model.name && (
            <>
              <dt>{t("system.model")}</dt>
              <dd>
                {b.model.name} <span class="mono dim">{b.model.sha256}</span>
              </dd>
            </>
          )}
          <dt>{t("about.page")}</dt>
          <dd class="mono">{pageHash()}</dd>
          {system && (
            <>
              <dt>{t("system.core")}</dt>
              <dd class="mono">{system.card.core_library || "–"}</dd>
              <dt>{t("system.runner")}</dt>
              <dd class="mono">{system.card.runner_library || "–"}</dd>
              <dt>libevent</dt>
              <dd>{system.libevent}</dd>
            </>
          )}
        </dl>
      </section>
      <section class="pan" aria-labelledby="licences-title" tabIndex={0}>
        <h2 id="licences-title">{t("about.licences")}</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("about.component")}</th>
              <th scope="col">{t("about.version")}</th>
              <th scope="col">{t("about.licence")}</th>
            </tr>
          </thead>
          <tbody>
            {licences.map((l) => (
              <tr key={l.name}>
                <td>{l.name}</td>
                <td>{l.version}</td>
                <td>
                  <details>
                    <summary>{l.licence}</summary>
                    <pre lang="en" tabIndex={0}>
                      {l.text}
                    </pre>
                  </details>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </main>
  );
}
