/* SPDX-License-Identifier: Apache-2.0 */
/* The server's answers about site, cases, search and media, typed as host/http/API.md says. */
import { BASE, get, send } from "./http";

export { ApiError } from "./http";

export type VocabValue = {
  id: number;
  name: string;
  label_fr: string;
  label_en: string;
  criterion: string;
  offered: boolean;
};

export type Case = {
  id: string;
  requisition: { no: string; authority: string; legal_basis: string; offence: string };
  from_ms: number;
  to_ms: number;
  camera_ids: string[];
  allowed_criteria: string[];
  state: string;
  opened_ms: number;
  expires_ms: number;
  /* When the last recording of its period dies; 0 or absent: nothing imported. */
  purge_ms?: number;
};

export type Cameras = {
  id: string[];
  name: string[];
  lat: number[];
  lon: number[];
  heading_deg: number[];
  fov_deg: number[];
  clock_offset_ms: number[];
};

export type Boot = {
  server_ms: number;
  tz: string;
  version: string;
  backend: "card" | "simulator" | "none";
  model: { name: string; sha256: string };
  languages: string[];
  vocab: Record<string, VocabValue[]>;
  cases: Case[];
  cameras: Cameras;
};

/* `at` and `n`: where its words stand in the sentence, in UTF-16 units; n = 0: implied by another word. */
export type Token = {
  field: string;
  value: string;
  label?: string;
  text: string;
  at: number;
  n: number;
  state: "ok" | "ranks" | "not_measured" | "not_searched" | "unknown" | "ambiguous" | "refused" | "outside";
  not?: boolean;
  only?: boolean;
  corrected?: boolean;
  note?: string;
  values?: { field: string; value: string; label: string }[];
  readings?: { label?: string; text?: string }[];
};
export type Alternative = { v: string; p: number };
export type Attribute = { k: string; v: string; p: number; sure?: boolean; alt?: Alternative[] };

/* One reading per character, with how sure it is and what it could be as well. */
export type Plate = {
  text: string;
  country: string;
  score: number;
  chars: { c: string; p: number; alt: { c: string; p: number }[] }[];
};
export type Decision = {
  sighting_id: string;
  state: "confirmed" | "rejected" | "undecided";
  reason: string;
  by: string;
  at_ms: number;
  viewed_ms: number;
  version: number;
};

export type Sighting = {
  id: string;
  kind: string;
  camera_id: string;
  recording_id: string;
  from_ms: number;
  to_ms: number;
  best_ms: number;
  confidence: number;
  attrs: Attribute[];
  /* Of the best moment: [x, y, w, h] in parts of the picture. */
  box_norm?: [number, number, number, number];
  picture?: { w_px: number; h_px: number };
  plate?: Plate;
  thumb: string;
  match?: { level: string; score?: number; plate_slips?: number };
  decision?: Decision | null;
  exhibit_id?: number | null;
};

export type Gap = { camera_id: string; from_ms: number; to_ms: number; state?: string; reason: string };

export type Answer = {
  total: number;
  took_ms: number;
  tokens: Token[];
  ignored: string[];
  refused: string[];
  coverage: { camera_h: number; searched_h: number; n_gaps: number; gaps: Gap[] };
  histogram: { from_ms: number; step_ms: number; hits: number[] };
  facets: Record<string, Record<string, number>>;
  /* Of each asked field: sightings that fit the rest and could not be decided there. */
  undecided?: { field: string; unknown: number; not_estimated: number }[];
  /* Only when nothing was found: how many there are without that one criterion. */
  without?: { field: string; values?: { field: string; value: string }[]; not?: boolean; total: number }[];
  items: Sighting[];
};

/* [ms, x, y, w, h]: parts of the shown picture. */
export type PathPoint = [number, number, number, number, number];

export type SightingDetail = Sighting & {
  path: PathPoint[];
  recording: {
    id: number;
    sha256: string;
    w_px: number;
    h_px: number;
    fps_milli: number;
    codec: string;
    from_ms: number;
    to_ms: number;
  };
};

/* One part of a passage; all_*: the whole passage with its lead and tail. */
export type Clip = {
  url: string;
  from_ms: number;
  to_ms: number;
  part: number;
  parts: number;
  all_from_ms: number;
  all_to_ms: number;
};

export type ImportItem = {
  file: string;
  camera_id: string;
  state: string;
  start_ms: number;
  duration_ms: number;
  done_ms: number;
  sightings?: number;
  x_realtime?: number;
  eta_ms?: number;
  imported_ms?: number;
  /* Of live ones: what `POST /imports/JOB` steers. */
  job?: number;
  batch_id?: number;
  priority?: number;
  error: string;
};
export type Imports = { server_ms: number; free_bytes?: number; items: ImportItem[] };

export type System = {
  version: string;
  libevent: string;
  backend: Boot["backend"];
  server_ms: number;
  started_ms: number;
  peak_kib: number;
  cpu_ms: number;
  workers: { kind: string; pid: number; state: string; restarts: number }[];
  card: {
    ready: boolean;
    simulated: boolean;
    device: string;
    core_library: string;
    runner_library: string;
    model: string;
    model_sha256: string;
    error: string;
    n_cards: number;
    n_ready: number;
    jobs: number;
    done: number;
    failed: number;
    resubmitted: number;
    restarts: number;
    cpu_us: number;
    peak_kib: number;
  };
  disk: { total_bytes: number; free_bytes: number } | null;
  http: { requests: number; refused: number; failed: number; searches: number };
  search: { p50_ms: number; p95_ms: number };
};

export const getBoot = (): Promise<Boot> => get("/boot");

export type Question = {
  sentence: string;
  language: string;
  time?: { from_ms: number; to_ms: number };
  cameras?: { ids: string[] };
  like?: { sighting_id: string };
  together?: { sighting_id: string; within_s: number };
  area?: { camera_id: string; points: [number, number][] };
  sort?: string;
  limit: number;
  offset: number;
};

export const postSearch = (caseId: string, q: Question, signal: AbortSignal): Promise<Answer> =>
  send("POST", "/search", q, { caseId, signal });

export const getSighting = (caseId: string, id: string, signal: AbortSignal): Promise<SightingDetail> =>
  get(`/sightings/${encodeURIComponent(id)}`, { caseId, signal });

export const getClip = (caseId: string, id: string, signal: AbortSignal, atMs?: number): Promise<Clip> =>
  get(`/sightings/${encodeURIComponent(id)}/clip${atMs === undefined ? "" : `?at_ms=${Math.round(atMs)}`}`, {
    caseId,
    signal,
  });

/* What a camera saw at a moment: the piece of its recording that holds it. */
export type View = { url: string; from_ms: number; to_ms: number };
export const getView = (caseId: string, cameraId: string, atMs: number, signal: AbortSignal): Promise<View> =>
  get(`/cameras/${encodeURIComponent(cameraId)}/clip?at_ms=${Math.round(atMs)}`, { caseId, signal });

export const getImports = (caseId: string): Promise<Imports> => get("/imports", { caseId });
export const getSystem = (): Promise<System> => get("/system");

/* Elements cannot send headers, so media and streams name their case in the address; a case number is no secret. */
const inCase = (path: string, caseId: string): string => `${BASE}${path}?case=${encodeURIComponent(caseId)}`;
export const thumbUrl = (caseId: string, id: string): string =>
  inCase(`/media/t/${encodeURIComponent(id)}.jpg`, caseId);
export const frameUrl = (caseId: string, id: string): string =>
  inCase(`/media/frame/${encodeURIComponent(id)}.jpg`, caseId);
/* The frame at or after a moment; X-Pts-Ms says which. */
export const frameAtUrl = (caseId: string, id: string, ms: number): string =>
  `${frameUrl(caseId, id)}&t_ms=${Math.max(0, Math.ceil(ms))}`;
export const cameraFrameUrl = (caseId: string, cameraId: string, ms: number): string =>
  `${inCase(`/media/camera/${encodeURIComponent(cameraId)}.jpg`, caseId)}&t_ms=${Math.max(0, Math.ceil(ms))}`;
export const eventsUrl = (caseId: string): string => inCase("/events", caseId);
