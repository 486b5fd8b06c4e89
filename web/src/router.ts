/* SPDX-License-Identifier: Apache-2.0 */
/* Which page is shown: #/dossiers/2026-0001 is the page "cases" with the argument "2026-0001". An address never
 * holds a sentence, a plate or a name of a person. */
import { signal } from "@preact/signals";

/* In the order of the rail. `key`: Alt and that digit; `rights`: actions of the server's matrix, one of which a user
 * needs to see the page (none: everybody). */
export const pages = [
  { page: "search", hash: "recherche", key: 1, rights: ["search"] },
  { page: "cases", hash: "dossiers", key: 2, rights: ["case_read"] },
  { page: "route", hash: "parcours", key: 3, rights: ["search"] },
  { page: "import", hash: "import", key: 4, rights: ["import"] },
  { page: "cameras", hash: "cameras", key: 5, rights: ["camera_edit", "case_read"] },
  { page: "journal", hash: "journal", key: 6, rights: ["journal_read"] },
  { page: "users", hash: "utilisateurs", key: 7, rights: ["user_edit"] },
  { page: "system", hash: "systeme", key: 8, rights: ["system_edit", "figures_read"] },
  { page: "about", hash: "a-propos", key: 9, rights: [] },
] as const satisfies readonly { page: string; hash: string; key: number; rights: readonly string[] }[];

export type Page = (typeof pages)[number]["page"];
export type Place = { page: Page; arg: string };

export function placeOf(hash: string): Place | null {
  const [name, ...rest] = hash.replace(/^#\//, "").split("/");
  const found = pages.find((p) => p.hash === name);
  if (!found) return null;
  try {
    return { page: found.page, arg: decodeURIComponent(rest.join("/")) };
  } catch {
    return { page: found.page, arg: "" };
  }
}

export function hashOf(page: Page, arg = ""): string {
  const name = pages.find((p) => p.page === page)?.hash ?? "";
  return `#/${name}${arg ? `/${encodeURIComponent(arg)}` : ""}`;
}

/* null: the address names no page; the shell then shows the first one that the user may see. */
export const place = signal<Place | null>(placeOf(location.hash));
window.addEventListener("hashchange", () => {
  place.value = placeOf(location.hash);
});

export function go(page: Page, arg = ""): void {
  location.hash = hashOf(page, arg);
  place.value = { page, arg };
}
