/* SPDX-License-Identifier: Apache-2.0 */
/* The one event stream of this page: a browser keeps six connections to a server, and thumbnails need them. Every
 * event carries a whole state, so the last one is all there is to know. */
import { signal } from "@preact/signals";
import { eventsUrl, type Imports } from "./api";
import { BASE, get } from "./http";

export type Approval = { kind: "extension" | "seal"; case_id: string; id: number; by: string; at_ms: number };

export const imports = signal<Imports | null>(null);
/* What waits for somebody like this user. */
export const approvals = signal<Approval[]>([]);
/* Counts the changes of the open case, by anybody: what is shown of it is read again. */
export const caseChanges = signal(0);
export const streaming = signal(false);

const AGAIN_MS = 5000;

/* Follows the case (or what needs none) until the returned function is called. */
export function follow(caseId: string | null): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  imports.value = null;
  const open = (): void => {
    const s = new EventSource(caseId === null ? `${BASE}/events?topics=approval` : `${eventsUrl(caseId)}&topics=import,case,approval`);
    source = s;
    s.addEventListener("import", (e) => {
      imports.value = JSON.parse(e.data) as Imports;
    });
    s.addEventListener("approval", (e) => {
      approvals.value = (JSON.parse(e.data) as { items: Approval[] }).items;
    });
    s.addEventListener("case", () => {
      caseChanges.value++;
    });
    /* Any call now meets the end of the session and asks the person to sign in again. */
    s.addEventListener("session", () => void get("/session").catch(() => undefined));
    s.onopen = () => {
      streaming.value = true;
    };
    s.onerror = () => {
      streaming.value = false;
      /* After a refusal the browser does not try again by itself. */
      if (s.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, AGAIN_MS);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
