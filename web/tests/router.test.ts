/* SPDX-License-Identifier: Apache-2.0 */
import { beforeAll, describe, expect, it, vi } from "vitest";

let router: typeof import("../src/router");
beforeAll(async () => {
  vi.stubGlobal("location", { hash: "" });
  vi.stubGlobal("window", { addEventListener: () => undefined });
  router = await import("../src/router");
});

describe("addresses", () => {
  it("name a page and what is shown of it, and come back the same", () => {
    for (const p of router.pages)
      for (const arg of ["", "2026-0001", "a b/é"])
        expect(router.placeOf(router.hashOf(p.page, arg))).toEqual({ page: p.page, arg });
  });

  it("that name nothing name no page", () => {
    for (const hash of ["", "#", "#/", "#/nulle-part", "#/recherche2"]) expect(router.placeOf(hash)).toBeNull();
  });

  it("with broken escapes still name their page", () => {
    expect(router.placeOf("#/import/%E0%A4%A")).toEqual({ page: "import", arg: "" });
  });

  it("and keys are each used once", () => {
    expect(new Set(router.pages.map((p) => p.key)).size).toBe(router.pages.length);
    expect(new Set(router.pages.map((p) => p.hash)).size).toBe(router.pages.length);
  });
});
