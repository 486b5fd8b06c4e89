/* SPDX-License-Identifier: Apache-2.0 */
import { beforeAll, describe, expect, it } from "vitest";
import type { ImportItem } from "../src/api";
import type { CaseDetail, JournalEntry } from "../src/office";
import { withOffice } from "../src/i18n";
import { offsetFrom, secondsOf } from "../src/pages/cameras/clock";
import { linesOf } from "../src/pages/cases/criteria";
import { extensionOf } from "../src/pages/cases/widen";
import { batchesOf } from "../src/pages/import/batches";
import { missingOf } from "../src/pages/import/check";
import { matchDropped } from "../src/pages/import/dropped";
import { actions, actionText, firstBreak, isRefusal, objectText } from "../src/pages/journal/words";
import { matches } from "../src/words";

beforeAll(withOffice);

describe("a camera's clock", () => {
  it("is corrected by true time less shown time", () => {
    expect(offsetFrom("14:07:12", "14:07:05")).toBe(-7000);
    expect(offsetFrom("14h07", "14:08")).toBe(60000);
    expect(offsetFrom("10:00:00,5", "10:00:01")).toBe(500);
  });
  it("is corrected the short way round midnight", () => {
    expect(offsetFrom("23:59:58", "00:00:03")).toBe(5000);
    expect(offsetFrom("00:00:03", "23:59:58")).toBe(-5000);
  });
  it("is not corrected by what is no time", () => {
    for (const bad of ["", "25:00", "12:60", "midi"]) expect(offsetFrom(bad, "12:00")).toBeNull();
  });
  it("takes seconds with comma, point and either minus", () => {
    expect(secondsOf("2,5")).toBe(2500);
    expect(secondsOf("\u22127")).toBe(-7000);
    expect(secondsOf("+0.25")).toBe(250);
    for (const bad of ["", "sept", "1e3", "--2", "12345678"]) expect(secondsOf(bad)).toBeNull();
  });
});

describe("what is dropped on the import page", () => {
  const inbox = { path: "usb", folders: ["gare"], files: [{ name: "a.mp4", n_bytes: 10 }] };
  it("is found in the inbox by name and size", () => {
    const drop = [
      { path: "a.mp4", n_bytes: 10, isFolder: false },
      { path: "gare", n_bytes: 0, isFolder: true },
    ];
    expect(matchDropped(drop, inbox)).toEqual({ found: ["usb/a.mp4", "usb/gare"], missing: [] });
  });
  it("is named as missing when it is another file or lies elsewhere", () => {
    const drop = [
      { path: "a.mp4", n_bytes: 11, isFolder: false },
      { path: "b.mp4", n_bytes: 10, isFolder: false },
      { path: "quai", n_bytes: 0, isFolder: true },
    ];
    expect(matchDropped(drop, inbox)).toEqual({ found: [], missing: ["a.mp4", "b.mp4", "quai"] });
  });
});

describe("a looked-at file", () => {
  const known = new Set(["g1"]);
  it("needs a camera of the case and a start, unless it is left out", () => {
    expect(missingOf({ take: true, camera: "g1", start: 1 }, known).any).toBe(false);
    expect(missingOf({ take: true, camera: "", start: 1 }, known)).toEqual({ camera: true, start: false, any: true });
    expect(missingOf({ take: true, camera: "g2", start: null }, known)).toEqual({ camera: true, start: true, any: true });
    expect(missingOf({ take: false, camera: "", start: null }, known).any).toBe(false);
  });
});

describe("batches", () => {
  const item = (x: Partial<ImportItem>): ImportItem => ({
    file: "f", camera_id: "c", state: "done", start_ms: 0, duration_ms: 1000, done_ms: 1000, error: "", ...x,
  });
  it("hold what was brought in together, what moves first", () => {
    const b = batchesOf(
      [
        item({ imported_ms: 86400e3 * 3 }),
        item({ file: "g", batch_id: 4, state: "running", done_ms: 500, x_realtime: 2 }),
        item({ file: "h", batch_id: 4, state: "failed", duration_ms: 0, done_ms: 0 }),
      ],
      new Map(),
    );
    expect(b.map((x) => [x.batch_id, x.live, x.items.length, x.sum.n_failed])).toEqual([[4, true, 2, 1], [null, false, 1, 0]]);
    expect(b[0]?.sum.left_ms).toBe(250);
  });
});

describe("an extension", () => {
  const c = { from_ms: 100, to_ms: 200, expires_ms: 900, camera_ids: ["a", "b"] } as CaseDetail;
  const same = { reason: " r ", hash: "h", from: 100, to: 200, expires: 900, cameras: new Set(["a", "b"]), lines: {} };
  it("is nothing when nothing is added", () => {
    expect(extensionOf(c, same)).toBeNull();
  });
  it("holds only what is added", () => {
    expect(extensionOf(c, { ...same, to: 300, cameras: new Set(["a", "b", "z"]) })).toEqual({
      reason: "r", doc_sha256: "h", to_ms: 300, camera_ids: ["z"],
    });
  });
  it("quotes a line for each criterion", () => {
    expect(linesOf({ "vehicle.type": " un fourgon ", "person.bag": "" })).toEqual([
      { key: "vehicle.type", line: "un fourgon" },
      { key: "person.bag", line: "" },
    ]);
  });
});

describe("a line of the journal", () => {
  const e = (x: Partial<JournalEntry>): JournalEntry => ({
    seq: 1, t_ms: 0, user: "u", role: "operator", station: "", action: "search", case_id: "c", object: "", detail: {}, prev: "", hash: "", ...x,
  });
  it("says a search by its sentence and its count", () => {
    expect(objectText(e({ detail: { asked: { sentence: "fourgon blanc" }, total: 61 } }))).toBe("« fourgon blanc » → 61 passages");
  });
  it("leaves out what stands on every line", () => {
    const line = e({ action: "login", object: "u", detail: { station: "10.0.0.1", software: "0.1.0 sha256:ab", models: "cd", local: "x" } });
    expect(objectText(line)).toBe("");
    expect(objectText(e({ action: "camera.change", object: "g1", detail: { reason: "réglée", clock_offset_ms: 5 } }))).toBe("g1 · reason réglée");
  });
  it("says a refusal by its code", () => {
    const refused = e({ detail: { asked: { sentence: "homme" }, code: "refused_word" } });
    expect(objectText(refused)).toContain("refused word");
    expect(isRefusal(refused)).toBe(true);
    expect(isRefusal(e({}))).toBe(false);
  });
  it("names an unknown action as it is", () => {
    expect(actionText("case.open")).toBe("dossier ouvert");
    expect(actionText("something.new")).toBe("something.new");
    for (const a of actions) if (a !== "import") expect(actionText(a)).not.toBe(a);
  });
  it("is checked against the one before it, among those shown", () => {
    const chain = [e({ seq: 3, prev: "h2", hash: "h3" }), e({ seq: 2, prev: "h1", hash: "h2" }), e({ seq: 1, prev: "0", hash: "h1" })];
    expect(firstBreak(chain)).toBeNull();
    expect(firstBreak([e({ seq: 3, prev: "xx", hash: "h3" }), ...chain.slice(1)])).toBe(3);
    expect(firstBreak([chain[0] as JournalEntry, chain[2] as JournalEntry])).toBeNull();
  });
});

describe("a filter", () => {
  it("finds every word in any order, without case and accents", () => {
    expect(matches("C-0114 Gare, Rue de l’Hôtel", "hotel gare")).toBe(true);
    expect(matches("C-0114 Gare", "gare 0115")).toBe(false);
    expect(matches("anything", "")).toBe(true);
  });
});
