/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of shortcuts: the handlers and the list under F1 both read it. */
import type { MessageKey } from "./messages/fr";
import { go, pages } from "./router";
import { may } from "./session";

/* The letters that decide and ask about a passage are a table of their own (search/acts.ts): they follow the language. */
export const shortcuts: readonly { keys: readonly string[]; what: MessageKey }[] = [
  { keys: ["Ctrl K", "/"], what: "keys.sentence" },
  { keys: ["⏎"], what: "keys.search" },
  { keys: ["←", "→", "↑", "↓"], what: "keys.move" },
  { keys: ["␣", "⏎"], what: "keys.play" },
  { keys: ["J", "K", "L"], what: "keys.jkl" },
  { keys: [",", "."], what: "keys.frame" },
  { keys: ["B"], what: "keys.box" },
  { keys: ["Alt 1", "…", "9"], what: "keys.pages" },
  { keys: ["F1", "?"], what: "keys.help" },
];

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
    const to = pages.find((p) => p.key === Number(e.code.slice(5)));
    if (!to || !may(...to.rights)) return;
    e.preventDefault();
    go(to.page);
  }
}
