/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of shortcuts: the handlers and the list under F1 both read it. */
import type { MessageKey } from "./messages/fr";
import { type Page, page, pageHash } from "./state";

export const shortcuts: readonly { keys: readonly string[]; what: MessageKey }[] = [
  { keys: ["Ctrl K", "/"], what: "keys.sentence" },
  { keys: ["⏎"], what: "keys.search" },
  { keys: ["←", "→", "↑", "↓"], what: "keys.move" },
  { keys: ["␣", "⏎"], what: "keys.play" },
  { keys: ["J", "K", "L"], what: "keys.jkl" },
  { keys: [",", "."], what: "keys.frame" },
  { keys: ["B"], what: "keys.box" },
  { keys: ["Alt 1", "2", "3", "4"], what: "keys.pages" },
  { keys: ["F1", "?"], what: "keys.help" },
];

const pages: readonly Page[] = ["search", "import", "system", "about"];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/* Shortcuts that act anywhere; those of list and player belong to their elements. */
export function onGlobalKey(e: KeyboardEvent, focusSentence: () => void, showHelp: () => void): void {
  if (e.key === "F1" || (e.key === "?" && !isTyping(e.target))) {
    e.preventDefault();
    showHelp();
  } else if ((e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey)) || (e.key === "/" && !isTyping(e.target))) {
    e.preventDefault();
    focusSentence();
  } else if (e.altKey && !e.ctrlKey && !e.metaKey && /^Digit[1-9]$/.test(e.code)) {
    const to = pages[Number(e.code.slice(5)) - 1];
    if (!to) return;
    e.preventDefault();
    location.hash = pageHash(to);
    page.value = to;
  }
}
