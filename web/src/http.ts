/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that asks the server: session header, error codes, and what to do when the session has ended or the
 * server is gone. A request that meets an ended session waits for the person to sign in again and is then repeated,
 * so nothing typed is lost. */
import { signal } from "@preact/signals";
import type { Answer } from "./api";

export const BASE = "/api/v1";

/* What went wrong, in the server's code, or "unreachable" when there was no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly params: Record<string, unknown> = {},
    readonly body: Partial<Answer> = {},
    readonly status = 0,
  ) {
    super(message);
  }
}

export const asApiError = (e: unknown): ApiError =>
  e instanceof ApiError ? e : new ApiError("internal", e instanceof Error ? e.message : String(e));

/* "gone": the last request had no answer. "slow": one has waited for longer than SLOW_MS. */
export const line = signal<"up" | "slow" | "gone">("up");
const SLOW_MS = 4000;

let csrf = "";
export const setCsrf = (token: string): void => {
  csrf = token;
};

/* Told of every good answer: the session's idle term counts from the last one. */
let answered: () => void = () => undefined;
export const onAnswer = (tell: () => void): void => {
  answered = tell;
};

/* Asked when an answer is 401: true once the same person is signed in again, false to let the error through. */
let signInAgain: () => Promise<boolean> = () => Promise.resolve(false);
export const onSessionEnd = (ask: () => Promise<boolean>): void => {
  signInAgain = ask;
};

async function once(path: string, init: RequestInit, caseId: string | undefined): Promise<Response> {
  const headers = new Headers(init.headers);
  if (caseId) headers.set("X-Case", caseId);
  if (csrf && init.method && init.method !== "GET") headers.set("X-CSRF", csrf);
  const late = setTimeout(() => {
    if (line.value === "up") line.value = "slow";
  }, SLOW_MS);
  try {
    const reply = await fetch(BASE + path, { ...init, headers, credentials: "same-origin" });
    line.value = "up";
    if (reply.ok) answered();
    return reply;
  } catch (e) {
    if ((e as Error).name === "AbortError") throw e;
    line.value = "gone";
    throw new ApiError("unreachable", "The server does not answer.");
  } finally {
    clearTimeout(late);
    if (line.value === "slow") line.value = "up";
  }
}

export type Ask = { caseId?: string; signal?: AbortSignal; anonymous?: boolean; headers?: Record<string, string> };

async function answerOf(path: string, init: RequestInit, ask: Ask): Promise<Response> {
  if (ask.signal) init.signal = ask.signal;
  let reply = await once(path, init, ask.caseId);
  if (reply.status === 401 && !ask.anonymous && (await signInAgain())) reply = await once(path, init, ask.caseId);
  if (reply.ok) return reply;
  let error: { code?: string; message?: string; params?: Record<string, unknown> };
  try {
    error = (await reply.json()) as typeof error;
  } catch {
    throw new ApiError("unreachable", `HTTP ${reply.status}`, {}, {}, reply.status);
  }
  throw new ApiError(error.code ?? "internal", error.message ?? "", error.params, error as Partial<Answer>, reply.status);
}

async function read<T>(reply: Response): Promise<T> {
  if (reply.status === 204) return undefined as T;
  try {
    return (await reply.json()) as T;
  } catch {
    throw new ApiError("unreadable", `HTTP ${reply.status}`);
  }
}

export const get = async <T>(path: string, ask: Ask = {}): Promise<T> => read<T>(await answerOf(path, {}, ask));

export const send = async <T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body: unknown = {},
  ask: Ask = {},
): Promise<T> =>
  read<T>(
    await answerOf(
      path,
      { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...ask.headers } },
      ask,
    ),
  );

/* Bytes of a file, as they are; progress is the caller's, who sends it in pieces. */
export const sendBytes = async <T>(
  method: "POST" | "PUT",
  path: string,
  bytes: Blob,
  headers: Record<string, string>,
  ask: Ask = {},
): Promise<T> =>
  read<T>(await answerOf(path, { method, body: bytes, headers: { "Content-Type": "application/octet-stream", ...headers } }, ask));
