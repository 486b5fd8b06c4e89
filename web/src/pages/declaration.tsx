/* SPDX-License-Identifier: Apache-2.0 */
/* The accessibility declaration that article 47 of law 2005-102 asks for, in the order of RGAA 4.1.2. It claims no
 * more than was checked: without an audit by a person the state is "not conforming". */
import type { JSX } from "preact";
import { t } from "../i18n";
import { hashOf } from "../router";
import { phase } from "../session";

const checked = ["login", "search", "cases", "route", "import", "cameras", "journal", "users", "system", "about"] as const;

export function DeclarationPage(): JSX.Element {
  return (
    <main class={phase.value === "out" ? "gate" : "page"} id="main" tabIndex={-1}>
      <article class="prose">
        {phase.value === "out" ? (
          <a class="link" href="#/">
            {t("declaration.back")}
          </a>
        ) : (
          <a class="link" href={hashOf("about")}>
            {t("nav.about")}
          </a>
        )}
        <h1>{t("declaration.title")}</h1>
        <p>{t("declaration.intro")}</p>
        <h2>{t("declaration.state")}</h2>
        <p>
          <b>{t("declaration.state.text")}</b> {t("declaration.state.why")}
        </p>
        <h2>{t("declaration.results")}</h2>
        <p>{t("declaration.results.text")}</p>
        <ul>
          <li>{t("declaration.result.axe")}</li>
          <li>{t("declaration.result.keyboard")}</li>
          <li>{t("declaration.result.zoom")}</li>
          <li>{t("declaration.result.colour")}</li>
        </ul>
        <h2>{t("declaration.gaps")}</h2>
        <ul>
          <li>{t("declaration.gap.audit")}</li>
          <li>{t("declaration.gap.video")}</li>
          <li>{t("declaration.gap.map")}</li>
          <li>{t("declaration.gap.english")}</li>
        </ul>
        <h2>{t("declaration.made")}</h2>
        <p>{t("declaration.made.text")}</p>
        <p>{t("declaration.tools")}</p>
        <p>
          {t("declaration.pages")} {checked.map((p) => t(p === "login" ? "login.page" : `nav.${p}`)).join(", ")}.
        </p>
        <h2>{t("declaration.contact")}</h2>
        <p>{t("declaration.contact.text")}</p>
        <h2>{t("declaration.recourse")}</h2>
        <p>{t("declaration.recourse.text")}</p>
        <p>
          {t("declaration.recourse.who")} <span lang="fr">Défenseur des droits, Libre réponse 71120, 75342 Paris CEDEX 07, 09 69 39 00 00.</span>
        </p>
      </article>
    </main>
  );
}
