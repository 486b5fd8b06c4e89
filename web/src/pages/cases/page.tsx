/* SPDX-License-Identifier: Apache-2.0 */
/* Dossiers: the list, one case, or the form of a new one, as the address says. */
import type { JSX } from "preact";
import { place } from "../../router";
import { may } from "../../session";
import "../../styles/office.css";
import { CaseList } from "./list";
import { NewCasePage } from "./new";
import { CasePage } from "./one";

export const NEW = "nouveau";

export function CasesPage(): JSX.Element {
  const arg = place.value?.page === "cases" ? place.value.arg : "";
  if (arg === NEW && may("case_open")) return <NewCasePage />;
  if (arg && arg !== NEW) return <CasePage key={arg} id={arg} />;
  return <CaseList />;
}
