/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { clock, countdown, dateText, duration, fieldText, fromLocal, hours, parseField, parseMoment, span } from "../src/time";

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

describe("moments with their year", () => {
  const zone = "Europe/Paris";
  const now = Date.UTC(2026, 10, 24, 12, 0);
  it("are read as they are written", () => {
    for (const ms of [Date.UTC(2026, 10, 20, 13, 0), Date.UTC(2027, 5, 1, 22, 59), Date.UTC(2024, 1, 29, 0, 0)])
      expect(parseMoment(dateText(ms, zone), zone, now)).toBe(ms);
  });
  it("may have seconds", () => {
    const ms = Date.UTC(2026, 10, 20, 13, 4, 7);
    expect(dateText(ms, zone, true)).toBe("20/11/2026 14:04:07");
    expect(parseMoment("20/11/2026 14:04:07", zone, now)).toBe(ms);
    expect(parseMoment("20/11/2026 14:04:60", zone, now)).toBeNull();
  });
  it("without the year are the nearest one", () => {
    expect(parseMoment("20/11 14:00", zone, now)).toBe(Date.UTC(2026, 10, 20, 13, 0));
    expect(parseMoment("2/1 8h", zone, now)).toBe(Date.UTC(2027, 0, 2, 7, 0));
    expect(parseMoment("24/11/2026", zone, now)).toBe(Date.UTC(2026, 10, 23, 23, 0));
  });
  it("that do not exist are refused", () => {
    for (const text of ["", "32/11/2026", "29/02/2026 10:00", "20/13/2026", "20/11/2026 24:00", "demain", "20/11/26 14:00"])
      expect(parseMoment(text, zone, now)).toBeNull();
  });
});

describe("what is left", () => {
  it("is said in its two largest units, and never below nothing", () => {
    expect(countdown(7 * 86400e3 + 23.5 * 3600e3, "fr").replace(/\u00a0/g, " ")).toBe("7 j 23 h");
    expect(countdown(2 * 86400e3, "en").replace(/\u00a0/g, " ")).toBe("2 d");
    expect(countdown(3600e3 * 5 + 60e3, "fr").replace(/\u00a0/g, " ")).toBe("5 h 01");
    expect(countdown(-5, "fr").replace(/\u00a0/g, " ")).toBe("0 min");
  });
});
