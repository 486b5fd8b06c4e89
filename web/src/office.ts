/* SPDX-License-Identifier: Apache-2.0 */
/* The server's answers about the work around the search, typed as host/http/API.md says: cases and their extensions,
 * exhibits and seals, imports, cameras, journal, users. */
import type { Cameras } from "./api";
import { BASE, get, send } from "./http";

const enc = encodeURIComponent;
type Items<T> = { items: T[] };

/* ---- cases ---- */
export type CriterionLine = { key: string; line: string };
export type Requisition = {
  no: string;
  authority: string;
  legal_basis: string;
  offence: string;
  /* SHA-256 of the signed document; "" = none was given. */
  doc_sha256?: string;
};
export type CaseFile = {
  id: string;
  requisition: Requisition;
  from_ms: number;
  to_ms: number;
  camera_ids: string[];
  allowed_criteria: string[];
  state: string;
  opened_ms: number;
  expires_ms: number;
  criteria?: CriterionLine[];
  officers?: string[];
  opened_by?: string;
  closed_ms?: number;
  closed_by?: string;
  purge_ms?: number;
  n_exhibits?: number;
  n_extensions_pending?: number;
};
export type Extension = {
  id: number;
  state: "pending" | "approved" | "refused";
  reason: string;
  doc_sha256: string;
  from_ms: number | null;
  to_ms: number | null;
  camera_ids: string[] | null;
  criteria: CriterionLine[] | null;
  expires_ms: number | null;
  by: string;
  at_ms: number;
  decided_by: string | null;
  decided_ms: number | null;
  decided_reason: string | null;
};
export type CaseDetail = CaseFile & { extensions?: Extension[] };
export type NewCase = {
  requisition: Required<Requisition>;
  from_ms: number;
  to_ms: number;
  camera_ids: string[];
  criteria: CriterionLine[];
  expires_ms: number;
  officers?: string[];
};
export type NewExtension = {
  reason: string;
  doc_sha256: string;
  from_ms?: number;
  to_ms?: number;
  camera_ids?: string[];
  criteria?: CriterionLine[];
  expires_ms?: number;
};

export const getCases = (signal: AbortSignal): Promise<Items<CaseFile>> => get("/cases", { signal });
export const getCase = (id: string, signal: AbortSignal): Promise<CaseDetail> => get(`/cases/${enc(id)}`, { signal });
export const addCase = (c: NewCase): Promise<CaseFile> => send("POST", "/cases", c);
export const closeCase = (id: string, reason: string): Promise<CaseFile> =>
  send("POST", `/cases/${enc(id)}/close`, { reason });
export const setOfficers = (id: string, officers: string[]): Promise<CaseFile> =>
  send("POST", `/cases/${enc(id)}/officers`, { officers });
export const addExtension = (id: string, x: NewExtension): Promise<Extension> =>
  send("POST", `/cases/${enc(id)}/extensions`, x);
export const decideExtension = (id: string, n: number, yes: boolean, reason: string): Promise<Extension> =>
  send("POST", `/cases/${enc(id)}/extensions/${n}/${yes ? "approve" : "refuse"}`, { reason });

/* ---- exhibits and seals ---- */
export type Decision = {
  sighting_id: string;
  state: "confirmed" | "rejected" | "undecided";
  reason: string;
  by: string;
  at_ms: number;
  viewed_ms: number;
  version: number;
};
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
export type SavedSearch = { id: number; name: string; question: Record<string, unknown>; by: string; at_ms: number };
export type Seal = {
  id: number;
  case_id: string;
  state: "waiting" | "building" | "ready" | "refused" | "failed";
  exhibit_ids: number[];
  handed_to: string;
  medium: string;
  blur: boolean;
  by: string;
  at_ms: number;
  decided_by: string | null;
  decided_ms: number | null;
  decided_reason: string | null;
  error: string | null;
  bytes: number | null;
  sha256: string | null;
  journal_seq: number | null;
};

export const getExhibits = (id: string, signal?: AbortSignal): Promise<Items<Exhibit>> =>
  get(`/cases/${enc(id)}/exhibits`, signal ? { signal } : {});
export const changeExhibit = (
  id: string,
  n: number,
  change: Partial<Pick<Exhibit, "pad_before_s" | "pad_after_s" | "note">>,
): Promise<Exhibit> => send("PATCH", `/cases/${enc(id)}/exhibits/${n}`, change);
export const removeExhibit = (id: string, n: number): Promise<unknown> =>
  send("DELETE", `/cases/${enc(id)}/exhibits/${n}`);
export const getSavedSearches = (id: string, signal: AbortSignal): Promise<Items<SavedSearch>> =>
  get(`/cases/${enc(id)}/searches`, { signal });
export const getSeals = (id: string, signal: AbortSignal): Promise<Items<Seal>> =>
  get(`/cases/${enc(id)}/seals`, { signal });
export const addSeal = (
  id: string,
  s: { exhibit_ids: number[]; handed_to: string; medium: string; blur: boolean },
): Promise<Seal> => send("POST", `/cases/${enc(id)}/seals`, s);
export const decideSeal = (n: number, yes: boolean, reason: string): Promise<Seal> =>
  send("POST", `/seals/${n}/${yes ? "approve" : "refuse"}`, { reason });
export const archiveUrl = (n: number): string => `${BASE}/seals/${n}/archive`;
export const manifestUrl = (n: number): string => `${BASE}/seals/${n}/manifest`;

/* ---- imports ---- */
export type Inbox = {
  root: string;
  path: string;
  folders: string[];
  files: { name: string; n_bytes: number; modified_ms: number }[];
};
export type PlanFile = {
  path: string;
  n_bytes: number;
  container: string;
  duration_ms: number;
  scheme: string;
  camera_id: string;
  camera_from: string;
  start_ms: number;
  start_from: string;
  end_ms: number;
  clock_offset_ms: number;
  doubt: string;
  problem: string;
};
export type Plan = {
  files: PlanFile[];
  n_files: number;
  duration_ms: number;
  n_bytes: number;
  need_bytes: number;
  free_bytes: number;
  eta_ms: number;
  gaps: { camera_id: string; from_ms: number; to_ms: number }[];
  overlaps: { camera_id: string; from_ms: number; to_ms: number; files: string[] }[];
  twins: { files: string[] }[];
};
export const getInbox = (caseId: string, path: string, signal: AbortSignal): Promise<Inbox> =>
  get(`/imports/inbox${path ? `?path=${enc(path)}` : ""}`, { caseId, signal });
export const planImport = (
  caseId: string,
  paths: readonly string[],
  set: { camera_id?: string; start_ms?: number } = {},
  signal?: AbortSignal,
): Promise<Plan> => send("POST", "/imports/plan", { paths, ...set }, signal ? { caseId, signal } : { caseId });
export const addImport = (
  caseId: string,
  files: { path: string; camera_id: string; start_ms: number }[],
  priority = 0,
): Promise<{ batch_id: number; jobs: number[] }> => send("POST", "/imports", { files, priority }, { caseId });
export const steerImport = (
  caseId: string,
  job: number | "all",
  action: "pause" | "resume" | "cancel" | "priority",
  priority?: number,
): Promise<{ n: number }> =>
  send("POST", `/imports/${job}`, priority === undefined ? { action } : { action, priority }, { caseId });

/* ---- cameras ---- */
export type Camera = {
  id: string;
  name: string;
  lat: number;
  lon: number;
  heading_deg: number;
  fov_deg: number;
  clock_offset_ms: number;
  retention_days: number;
};
export type CameraGroup = { id: number; name: string; camera_ids: string[] };
export type CameraColumns = Cameras & { retention_days?: number[]; last_recorded_ms?: number[] };
export const getCameras = (signal: AbortSignal): Promise<CameraColumns> => get("/cameras", { signal });
export const addCamera = (c: Partial<Camera> & { id: string; name: string }): Promise<Camera> =>
  send("POST", "/cameras", c);
export const changeCamera = (id: string, c: Partial<Omit<Camera, "id">> & { reason?: string }): Promise<Camera> =>
  send("PATCH", `/cameras/${enc(id)}`, c);
export const getGroups = (signal: AbortSignal): Promise<Items<CameraGroup>> => get("/camera-groups", { signal });
export const addGroup = (name: string, camera_ids: string[]): Promise<CameraGroup> =>
  send("POST", "/camera-groups", { name, camera_ids });
export const changeGroup = (id: number, change: { name?: string; camera_ids?: string[] }): Promise<CameraGroup> =>
  send("PATCH", `/camera-groups/${id}`, change);
export const removeGroup = (id: number): Promise<unknown> => send("DELETE", `/camera-groups/${id}`);

/* ---- journal ---- */
export type JournalEntry = {
  seq: number;
  t_ms: number;
  user: string;
  role: string;
  station: string;
  action: string;
  case_id: string;
  object: string;
  detail: Record<string, unknown>;
  prev: string;
  hash: string;
};
export type Head = { seq: number; hash: string };
export type JournalPage = { items: JournalEntry[]; next_before_seq: number | null; head: Head };
export type JournalFilter = { case_id?: string; user?: string; action?: string };
export type Verified = { ok: boolean; checked: number; first_bad_seq: number; head: Head };
export type Anchor = { day: string; seq: number; hash: string; signature: string; key_id: string; at_ms: number };

export function getJournal(f: JournalFilter, before: number | null, limit: number, signal: AbortSignal): Promise<JournalPage> {
  const q = new URLSearchParams({ limit: String(limit) });
  if (before !== null) q.set("before_seq", String(before));
  for (const [k, v] of Object.entries(f)) if (v) q.set(k, v);
  return get(`/journal?${q}`, { signal });
}
export const verifyJournal = (): Promise<Verified> => send("POST", "/journal/verify");
export const getAnchors = (signal: AbortSignal): Promise<Items<Anchor>> => get("/journal/anchors", { signal });

/* ---- users ---- */
export type Account = {
  login: string;
  name: string;
  role: string;
  habilitation: string;
  valid_from_ms: number;
  valid_to_ms: number;
  criteria: string[];
  totp: boolean;
  disabled: boolean;
  must_change: boolean;
  locked_until_ms: number;
  last_login_ms: number;
  n_sessions: number;
};
export type RoleRights = { role: string; rights: string[] };
export type NewAccount = Pick<Account, "login" | "name" | "role" | "habilitation" | "valid_from_ms" | "valid_to_ms">;
export type OneTime = { user: Account; one_time_secret: string };
export const getRoles = (signal: AbortSignal): Promise<Items<RoleRights>> => get("/roles", { signal });
export const getUsers = (signal: AbortSignal): Promise<Items<Account>> => get("/users", { signal });
export const addUser = (u: NewAccount): Promise<OneTime> => send("POST", "/users", u);
export const changeUser = (login: string, change: Partial<Omit<NewAccount, "login">> & { disabled?: boolean }): Promise<Account> =>
  send("PATCH", `/users/${enc(login)}`, change);
export const resetPassword = (login: string): Promise<OneTime> => send("POST", `/users/${enc(login)}/password`);
export const enrolTotp = (login: string): Promise<{ secret: string; uri: string }> =>
  send("POST", `/users/${enc(login)}/totp`);
export const removeTotp = (login: string): Promise<Account> => send("DELETE", `/users/${enc(login)}/totp`);
export const endSessions = (login: string): Promise<Account> => send("POST", `/users/${enc(login)}/logout`);
