/* SPDX-License-Identifier: Apache-2.0 */
/* What people decided on passages, and which are exhibits. A decision is never erased: a new one supersedes it, with
 * its reason. Two operators on one passage: the server refuses the second, who then sees what the first decided. */
import { computed, effect, signal, untracked } from "@preact/signals";
import type { Decision, Sighting } from "../api";
import { ApiError, asApiError, get, send } from "../http";
import { openCase } from "../state";
import { answer } from "./question";

export type State = Decision["state"];
export type Exhibit = {
  id: number;
  sighting_id: string;
  camera_id: string;
  from_ms: number;
  to_ms: number;
  best_ms: number;
  pad_before_s: number;
  pad_after_s: number;
  note: string;
  by: string;
  at_ms: number;
  decision: Decision | null;
  thumb: string;
};

/* What was decided since the answers were made, by this page or by others; it wins over what an answer says. */
const later = signal<ReadonlyMap<string, Decision>>(new Map());
export const exhibits = signal<readonly Exhibit[]>([]);
export const exhibitError = signal<ApiError | null>(null);
const exhibitIds = computed(() => new Map(exhibits.value.map((e) => [e.sighting_id, e.id])));

export const decisionOf = (s: Sighting): Decision | null => later.value.get(s.id) ?? s.decision ?? null;
/* Only what is confirmed may leave; an exhibit whose decision was superseded since is to be looked at again. */
export const isConfirmed = (e: Exhibit): boolean =>
  (later.value.get(e.sighting_id) ?? e.decision)?.state === "confirmed";
export const exhibitOf = (s: Sighting): number | null => exhibitIds.value.get(s.id) ?? null;

/* Passages whose act is on its way; a second press waits. */
export const pending = signal<ReadonlySet<string>>(new Set());
function during(id: string, on: boolean): void {
  const next = new Set(pending.value);
  if (on) next.add(id);
  else next.delete(id);
  pending.value = next;
}

/* Needs a person: a reason for superseding, or somebody else was faster, or the server said no. */
export type Question =
  | { kind: "reason"; s: Sighting; state: State; then: "stay" | "add" }
  | { kind: "changed"; s: Sighting; state: State; now: Decision; then: "stay" | "add" }
  | { kind: "failed"; s: Sighting; error: ApiError };
export const question = signal<Question | null>(null);

function put(d: Decision): void {
  later.value = new Map(later.value).set(d.sighting_id, d);
}

/* True when it was written down. Deciding what is already decided so is no act. */
export async function decide(
  s: Sighting,
  state: State,
  viewedMs: number,
  reason = "",
  then: "stay" | "add" = "stay",
): Promise<boolean> {
  const c = openCase.value;
  const old = decisionOf(s);
  if (!c || pending.value.has(s.id)) return false;
  if (old?.state === state) return true;
  if (old && !reason) {
    question.value = { kind: "reason", s, state, then };
    return false;
  }
  during(s.id, true);
  try {
    const body = { state, viewed_ms: Math.round(viewedMs), ...(reason ? { reason } : {}) };
    const path = `/sightings/${encodeURIComponent(s.id)}/decision`;
    put(await send<Decision>("POST", path, body, { caseId: c.id, headers: { "If-Match": `"${old?.version ?? 0}"` } }));
    return true;
  } catch (e) {
    const error = asApiError(e);
    const now = error.params as unknown as Decision;
    if (error.code === "changed" && now.sighting_id === s.id) {
      put(now);
      question.value = { kind: "changed", s, state, now, then };
    } else question.value = { kind: "failed", s, error };
    return false;
  } finally {
    during(s.id, false);
  }
}

const exhibitsPath = (caseId: string): string => `/cases/${encodeURIComponent(caseId)}/exhibits`;

/* Into the case file: what goes there is confirmed by that very act, unless it was before. */
export async function add(s: Sighting, viewedMs: number, reason = ""): Promise<boolean> {
  const c = openCase.value;
  if (!c || exhibitOf(s) !== null) return c !== null;
  if (!(await decide(s, "confirmed", viewedMs, reason, "add"))) return false;
  during(s.id, true);
  try {
    const made = await send<Exhibit>("POST", exhibitsPath(c.id), { sighting_id: s.id }, { caseId: c.id });
    exhibits.value = [...exhibits.value, made];
    return true;
  } catch (e) {
    const error = asApiError(e);
    if (error.code === "exists") await loadExhibits();
    else question.value = { kind: "failed", s, error };
    return error.code === "exists";
  } finally {
    during(s.id, false);
  }
}

export async function change(id: number, to: Partial<Pick<Exhibit, "pad_before_s" | "pad_after_s" | "note">>): Promise<void> {
  const c = openCase.value;
  if (!c) return;
  const made = await send<Exhibit>("PATCH", `${exhibitsPath(c.id)}/${id}`, to, { caseId: c.id });
  exhibits.value = exhibits.value.map((e) => (e.id === id ? made : e));
}

export async function takeOut(id: number): Promise<void> {
  const c = openCase.value;
  if (!c) return;
  await send("DELETE", `${exhibitsPath(c.id)}/${id}`, {}, { caseId: c.id });
  exhibits.value = exhibits.value.filter((e) => e.id !== id);
}

export async function loadExhibits(): Promise<void> {
  const c = openCase.value;
  if (!c) return;
  try {
    const got = await get<{ items: Exhibit[] }>(exhibitsPath(c.id), { caseId: c.id });
    if (openCase.value?.id !== c.id) return;
    exhibits.value = got.items;
    exhibitError.value = null;
  } catch (e) {
    exhibitError.value = asApiError(e);
  }
}

/* What others decided meanwhile, of the passages on the page. */
export async function refreshDecisions(): Promise<void> {
  const c = openCase.value;
  if (!c || !answer.value) return;
  const got = await get<{ items: Decision[] }>("/decisions", { caseId: c.id });
  if (openCase.value?.id === c.id) later.value = new Map([...later.value, ...got.items.map((d) => [d.sighting_id, d] as const)]);
}

const caseId = computed(() => openCase.value?.id ?? null);
effect(() => {
  const id = caseId.value;
  untracked(() => {
    later.value = new Map();
    exhibits.value = [];
    exhibitError.value = null;
    question.value = null;
    if (id !== null) void loadExhibits();
  });
});
