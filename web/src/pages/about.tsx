/* SPDX-License-Identifier: Apache-2.0 */
/* À propos: what the program is, and the licences of what the page is made of (collected at build). */
import licences from "virtual:licences";
import type { JSX } from "preact";
import { t } from "../i18n";
import { boot } from "../state";

export function AboutPage(): JSX.Element {
  const b = boot.value;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("about.title")}</h1>
      </div>
      <section class="pan">
        <p>{t("about.text")}</p>
        <br />
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
