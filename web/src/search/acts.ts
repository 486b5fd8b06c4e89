/* SPDX-License-Identifier: Apache-2.0 */
/* What one key does to the chosen passage. The letters follow the page's language and stand in this one table, which
 * the handlers, the buttons and the list under F1 read. They act only while list or player has the focus, and can be
 * switched off. */
import { signal } from "@preact/signals";
import type { Sighting } from "../api";
import { language } from "../i18n";
import type { MessageKey } from "../messages/fr";
import { sealing } from "../parts/sealing";
import { go } from "../router";
import { may, user } from "../session";
import { keep, kept, openCase } from "../state";
import { add, decide, decisionOf, exhibitOf, type State } from "./decisions";
import { selectNext, togglePile } from "./list";
import { watchedMs } from "./player";
import { askLike, askTogether, selected, selectedId } from "./question";

export type Act = "confirm" | "reject" | "unsure" | "add" | "similar" | "route" | "together" | "area" | "neighbours" | "pile" | "seal";
export const acts: readonly { act: Act; fr: string; en: string; what: MessageKey }[] = [
  { act: "confirm", fr: "o", en: "c", what: "act.confirm" },
  { act: "reject", fr: "n", en: "r", what: "act.reject" },
  { act: "unsure", fr: "i", en: "u", what: "act.unsure" },
  { act: "add", fr: "a", en: "a", what: "act.add" },
  { act: "similar", fr: "s", en: "s", what: "act.similar" },
  { act: "route", fr: "p", en: "p", what: "act.route" },
  { act: "together", fr: "t", en: "t", what: "act.together" },
  { act: "area", fr: "z", en: "z", what: "act.area" },
  { act: "neighbours", fr: "v", en: "v", what: "act.neighbours" },
  { act: "pile", fr: "g", en: "g", what: "act.pile" },
  { act: "seal", fr: "e", en: "e", what: "act.seal" },
];
export const letterOf = (act: Act): string => {
  const row = acts.find((a) => a.act === act);
  return (row?.[language.value] ?? "").toUpperCase();
};

/* Single letters disturb whoever dictates or holds the keyboard oddly (WCAG 2.1.4). */
export const singleKeys = signal(kept("single-keys") !== "no");
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  keep("single-keys", on ? "yes" : "no");
}

/* What is open beside the list. */
export const areaShown = signal(false);
export const neighboursShown = signal(false);
/* The panel as a sheet over the list, where the window is too narrow for three columns. */
export const sheetShown = signal(false);
export const setNeighbours = (on: boolean): void => {
  neighboursShown.value = on;
};

const SWITCHED = new Set(["vehicle.plate", "vehicle.similar", "person.face_cover"]);
/* What case and user allow; "all" never means the three that need the site's switch too. */
export function allowed(criterion: string): boolean {
  const on = (list: readonly string[]): boolean =>
    list.includes(criterion) || (list.includes("all") && !SWITCHED.has(criterion));
  return criterion === "" || (on(openCase.value?.allowed_criteria ?? []) && on(user.value?.criteria ?? ["all"]));
}
export const isVehicle = (s: Sighting): boolean => s.kind !== "person";

/* Whether the button is there at all; the server refuses what is not allowed in any case. */
export function offered(act: Act, s: Sighting): boolean {
  switch (act) {
    case "confirm":
    case "reject":
    case "unsure":
      return may("decide");
    case "add":
    case "seal":
      return may("export_prepare");
    case "similar":
      return isVehicle(s) && allowed("vehicle.similar");
    case "route":
      return isVehicle(s) && may("search");
    case "area":
      return allowed("motion.area");
    default:
      return true;
  }
}

/* The next passage comes at once; the act goes its way, and says so when it fails. */
function decideAndGoOn(s: Sighting, state: State): void {
  const old = decisionOf(s);
  void decide(s, state, watchedMs(s.id));
  if (!old || old.state === state) selectNext();
}

export function act(name: Act): void {
  const s = selected.value;
  if (name === "seal") {
    if (may("export_prepare")) sealing.value = openCase.value?.id ?? null;
    return;
  }
  if (!s || !offered(name, s)) return;
  switch (name) {
    case "confirm":
      return decideAndGoOn(s, "confirmed");
    case "reject":
      return decideAndGoOn(s, "rejected");
    case "unsure":
      return decideAndGoOn(s, "undecided");
    case "add": {
      const old = decisionOf(s);
      if (exhibitOf(s) === null) void add(s, watchedMs(s.id));
      if (!old || old.state === "confirmed") selectNext();
      return;
    }
    case "similar":
      askLike(s);
      return go("search");
    case "together":
      askTogether(s);
      return go("search");
    case "route":
      return go("route", s.id);
    case "area":
      areaShown.value = true;
      return;
    case "neighbours":
      neighboursShown.value = !neighboursShown.value;
      return;
    case "pile":
      togglePile(selectedId.value);
  }
}

/* True when the key was one of the table's. */
export function actKey(e: KeyboardEvent): boolean {
  if (!singleKeys.value || e.ctrlKey || e.metaKey || e.altKey || e.key.length !== 1) return false;
  const key = e.key.toLowerCase();
  const row = acts.find((a) => a[language.value] === key);
  if (!row) return false;
  act(row.act);
  return true;
}
