/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in, and what happens when that ends. The secret goes to the server and nowhere else. */
import { signal } from "@preact/signals";
import { ApiError, get, onAnswer, onSessionEnd, send, setCsrf } from "./http";

export type User = {
  login: string;
  name: string;
  role: string;
  rights: string[];
  criteria: string[];
  habilitation: string;
  valid_to_ms: number;
  totp: boolean;
  /* A one-time password: a new one is asked for before anything else. */
  must_change: boolean;
};
export type Session = { user: User; csrf: string; idle_s: number; server_ms: number; tz: string; version: string };

export const user = signal<User | null>(null);
/* "ended": somebody was signed in and the page still holds the work; a dialog asks for the secret again. */
export const phase = signal<"starting" | "out" | "in" | "ended">("starting");
export const idleSeconds = signal(0);
/* When the server last heard of this session; its idle term counts from there. */
export const heardMs = signal(0);

export const may = (...rights: readonly string[]): boolean =>
  rights.length === 0 || rights.some((r) => user.value?.rights.includes(r) ?? false);

let waiting: ((again: boolean) => void)[] = [];

function begin(s: Session): void {
  setCsrf(s.csrf);
  user.value = s.user;
  idleSeconds.value = s.idle_s;
  heardMs.value = Date.now();
  phase.value = "in";
  const all = waiting;
  waiting = [];
  for (const go of all) go(true);
}

/* The session that this browser already has, if any; throws only when the server is gone. */
export async function resume(): Promise<void> {
  try {
    begin(await get<Session>("/session", { anonymous: true }));
  } catch (e) {
    if (!(e instanceof ApiError) || e.status !== 401) throw e;
    phase.value = "out";
  }
}

export async function login(name: string, secret: string, otp: string): Promise<void> {
  const before = user.value;
  const s = await send<Session>("POST", "/login", { login: name, secret, ...(otp ? { otp } : {}) }, { anonymous: true });
  /* Another person must not go on in the work of the first one. */
  if (phase.value === "ended" && before && before.login !== s.user.login) location.reload();
  else begin(s);
}

export async function changePassword(secret: string, newSecret: string): Promise<void> {
  begin(await send<Session>("POST", "/password", { secret, new_secret: newSecret }, { anonymous: true }));
}

/* Ends the session and forgets everything the page holds. */
export async function logout(): Promise<void> {
  try {
    await send("POST", "/logout", {}, { anonymous: true });
  } finally {
    location.reload();
  }
}

export const stillHere = async (): Promise<void> => {
  await get<Session>("/session");
};
onAnswer(() => {
  heardMs.value = Date.now();
});

onSessionEnd(() => {
  if (phase.value === "out" || !user.value) {
    phase.value = "out";
    return Promise.resolve(false);
  }
  phase.value = "ended";
  return new Promise((go) => waiting.push(go));
});
