/* SPDX-License-Identifier: Apache-2.0 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, get, line, onSessionEnd, send, setCsrf } from "../src/http";

type Call = { url: string; init: RequestInit };
let calls: Call[] = [];
let replies: (() => Response)[] = [];
const json = (status: number, body: unknown) => (): Response => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  calls = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    calls.push({ url, init });
    const next = replies.shift();
    return next ? Promise.resolve(next()) : Promise.reject(new TypeError("no network"));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  onSessionEnd(() => Promise.resolve(false));
});
const header = (c: Call | undefined, name: string): string | null => new Headers(c?.init.headers).get(name);

describe("a request", () => {
  it("names its case, and carries the token only where something is changed", async () => {
    setCsrf("t0k");
    replies = [json(200, { a: 1 }), json(200, {})];
    expect(await get("/x", { caseId: "2026-0001" })).toEqual({ a: 1 });
    await send("POST", "/y", { b: 2 });
    expect(header(calls[0], "X-Case")).toBe("2026-0001");
    expect(header(calls[0], "X-CSRF")).toBeNull();
    expect(header(calls[1], "X-CSRF")).toBe("t0k");
    expect(calls[1]?.init.body).toBe('{"b":2}');
  });

  it("that meets an ended session waits for signing in and is made again with the new token", async () => {
    setCsrf("old");
    onSessionEnd(() => {
      setCsrf("new");
      return Promise.resolve(true);
    });
    replies = [json(401, { code: "no_session" }), json(201, { id: 7 })];
    expect(await send("POST", "/cases", { typed: "kept" })).toEqual({ id: 7 });
    expect(calls.map((c) => c.init.body)).toEqual(['{"typed":"kept"}', '{"typed":"kept"}']);
    expect(header(calls[1], "X-CSRF")).toBe("new");
  });

  it("that nobody signs in for fails with the server's code", async () => {
    replies = [json(401, { code: "no_session", params: { reason: "idle" } })];
    const e = await get("/x").catch((x: unknown) => x);
    expect(e).toBeInstanceOf(ApiError);
    expect(e).toMatchObject({ code: "no_session", status: 401, params: { reason: "idle" } });
  });

  it("without an answer says so, and the line is up again with the next answer", async () => {
    replies = [];
    await expect(get("/x")).rejects.toMatchObject({ code: "unreachable" });
    expect(line.value).toBe("gone");
    replies = [json(404, { code: "not_found" })];
    await expect(get("/x")).rejects.toMatchObject({ code: "not_found" });
    expect(line.value).toBe("up");
  });

  it("that takes long is called slow until it is answered", async () => {
    vi.useFakeTimers();
    let answer: (r: Response) => void = () => undefined;
    vi.stubGlobal("fetch", () => new Promise<Response>((go) => (answer = go)));
    const asked = get("/x");
    await vi.advanceTimersByTimeAsync(3000);
    expect(line.value).toBe("up");
    await vi.advanceTimersByTimeAsync(2000);
    expect(line.value).toBe("slow");
    answer(new Response("{}"));
    await asked;
    expect(line.value).toBe("up");
  });

  it("answered by something that is no JSON is unreadable, never taken for data", async () => {
    replies = [() => new Response("<html>", { status: 200 })];
    await expect(get("/x")).rejects.toMatchObject({ code: "unreadable" });
    replies = [() => new Response("<html>", { status: 502 })];
    await expect(get("/x")).rejects.toMatchObject({ code: "unreachable" });
  });
});
