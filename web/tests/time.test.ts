/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { clock, duration, fieldText, fromLocal, hours, parseField, span } from "../src/time";

const PARIS = "Europe/Paris";
const at = (iso: string): number => Date.parse(iso);

describe("time", () => {
  it("shows a moment to the hundredth in the site's zone", () => {
    expect(clock(at("2026-11-20T14:00:07.129Z"), PARIS, "fr")).toBe("15:00:07,12");
    expect(clock(at("2026-11-20T14:00:07.129Z"), PARIS, "en")).toBe("15:00:07.12");
    expect(clock(at("2026-07-20T22:30:00.000Z"), PARIS, "fr")).toBe("00:30:00,00");
  });

  it("reads a local wall time on both sides of a clock change", () => {
    const local = (day: number, month: number, hour: number, minute: number): number =>
      fromLocal({ year: 2026, month, day, hour, minute }, PARIS);
    expect(local(20, 11, 15, 0)).toBe(at("2026-11-20T14:00:00Z"));
    expect(local(20, 7, 15, 0)).toBe(at("2026-07-20T13:00:00Z"));
    expect(local(25, 10, 1, 59)).toBe(at("2026-10-24T23:59:00Z"));
    expect(local(25, 10, 2, 30)).toBe(at("2026-10-25T00:30:00Z"));
    expect(local(25, 10, 3, 0)).toBe(at("2026-10-25T02:00:00Z"));
    expect(local(29, 3, 1, 59)).toBe(at("2026-03-29T00:59:00Z"));
    expect(local(29, 3, 3, 0)).toBe(at("2026-03-29T01:00:00Z"));
  });

  it("reads dd/mm hh:mm in its usual spellings", () => {
    const from = at("2026-11-20T13:00:00Z");
    const to = at("2026-11-20T16:00:00Z");
    for (const text of ["20/11 15:30", " 20/11 15h30 ", "20-11 15.30", "20.11 15H30"])
      expect(parseField(text, PARIS, from, to)).toBe(at("2026-11-20T14:30:00Z"));
    expect(parseField("20/11 15h", PARIS, from, to)).toBe(at("2026-11-20T14:00:00Z"));
    expect(parseField(fieldText(from, PARIS), PARIS, from, to)).toBe(from);
  });

  it("refuses what is no date instead of guessing", () => {
    const from = at("2026-11-20T13:00:00Z");
    for (const text of ["", "15:30", "31/11 10:00", "20/13 10:00", "20/11 24:00", "20/11 10:60", "29/02 10:00", "hier"])
      expect(parseField(text, PARIS, from, from + 3600e3)).toBeNull();
  });

  it("takes the year that lies in the authorised period", () => {
    const from = at("2026-12-30T00:00:00Z");
    const to = at("2027-01-05T00:00:00Z");
    expect(parseField("31/12 12:00", PARIS, from, to)).toBe(at("2026-12-31T11:00:00Z"));
    expect(parseField("02/01 12:00", PARIS, from, to)).toBe(at("2027-01-02T11:00:00Z"));
  });

  it("names durations and hours by their two largest units", () => {
    const plain = (s: string): string => s.replaceAll("\u00a0", " ");
    expect(plain(duration(1440, "fr"))).toBe("1,4 s");
    expect(plain(duration(12400, "en"))).toBe("12 s");
    expect(plain(duration(185000, "fr"))).toBe("3 min 05 s");
    expect(plain(duration(7800000, "fr"))).toBe("2 h 10");
    expect(plain(hours(23.6, "fr"))).toBe("23,6 h");
    expect(plain(hours(22 / 60, "fr"))).toBe("22 min");
    expect(plain(hours(45 / 3600, "en"))).toBe("45 s");
  });

  it("gives the second day of a span only when it differs", () => {
    const a = at("2026-11-20T13:00:00Z");
    expect(span(a, a + 3 * 3600e3, PARIS, "en")).toBe("Fri 20 Nov 14:00 → 17:00");
    expect(span(a, a + 24 * 3600e3, PARIS, "en")).toBe("Fri 20 Nov 14:00 → Sat 21 Nov 14:00");
  });
});
