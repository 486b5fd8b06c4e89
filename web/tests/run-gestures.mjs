#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The six tasks of an operator, with every gesture counted on the real page: a typed text, a key or chord, a click, a
// choice or a drag is one. Fails when a task needs more than its target. Speaks TAP; the counts are in the comments.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { ask, CLIP, cards, data, finish, open, prepared, run, serve, test, user } from "./site.mjs";

const cameras = Array.from({ length: 12 }, (_, i) => `gare-${String(i + 1).padStart(2, "0")}`);
const { url } = await prepared("a site of twelve cameras with real footage is served", async () => {
  run("init", data);
  appendFileSync(join(data, "relecture.conf"), "site.purge = by_hand\nsite.allowed = vehicle.plate,vehicle.similar\n");
  cameras.forEach((id, i) =>
    run("-d", data, "camera", "add", "--id", id, "--name", `Abords gare ${i + 1}`, "--lat", String(43.55 + i * 0.0006), "--lon", String(7.017 + (i % 4) * 0.0007)),
  );
  run("-d", data, "camera", "add", "--id", "port-01", "--name", "Vieux port", "--lat", "43.5524", "--lon", "7.0261");
  const caseId = JSON.parse(
    run("-d", data, "case", "open", "--requisition", "PV 2026/00812", "--authority", "OPJ", "--basis", "CPP 60-1", "--from", "2026-11-20T11:00:00Z",
      "--to", "2026-11-21T11:00:00Z", "--cameras", [...cameras, "port-01"].join(), "--criteria", "all,vehicle.plate,vehicle.similar", "--json"),
  ).id;
  run("-d", data, "import", "--case", caseId, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", CLIP);
  const { url } = await serve();
  // The three switches of the site are named one by one, for a user as for a case.
  user("operator-1", "operator");
  const admin = await open(url, { role: "administrator" });
  const status = await admin.evaluate(async () => {
    const { csrf } = await (await fetch("/api/v1/session")).json();
    const body = JSON.stringify({ criteria: ["all", "vehicle.plate", "vehicle.similar"] });
    return (await fetch("/api/v1/users/operator-1", { method: "PATCH", headers: { "X-CSRF": csrf, "Content-Type": "application/json" }, body })).status;
  });
  if (status !== 200) throw new Error(`PATCH /users/operator-1: ${status}`);
  await admin.context().close();
  return { url };
});

const say = (good, why) => {
  if (!good) throw new Error(typeof why === "string" ? why : JSON.stringify(why));
};

/* Every gesture goes through one of these, so none is forgotten. */
function counted(page) {
  const c = { n: 0 };
  const one = (act) => (...args) => {
    c.n++;
    return act(...args);
  };
  c.key = one((k) => page.keyboard.press(k));
  c.type = one((text) => page.keyboard.type(text));
  c.click = one((where) => page.locator(where).first().click());
  c.drag = one(async (where, ...path) => {
    const b = await page.locator(where).first().boundingBox();
    const to = ([x, y]) => page.mouse.move(b.x + b.width * x, b.y + b.height * y, { steps: 6 });
    await to(path[0]);
    await page.mouse.down();
    for (const p of path.slice(1)) await to(p);
    await page.mouse.up();
  });
  return c;
}
function within(task, c, target) {
  console.log(`# ${task}: ${c.n} gestures, target ${target}`);
  say(c.n <= target, `${task}: ${c.n} gestures, more than ${target}`);
}
const fresh = async () => {
  const page = await open(url, { role: "operator" });
  await cards(page).first().waitFor();
  return page;
};
const answered = (page) => page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));

test("T1 white van, partial plate, twelve cameras, an afternoon: by keyboard", async () => {
  const page = await fresh();
  const c = counted(page);
  await c.key("Control+k");
  await c.type("fourgon blanc 4?8 vendredi 14h-16h abords gare");
  const reply = answered(page);
  await c.key("Enter");
  const a = await (await reply).json();
  for (const field of ["class", "vehicle_colour", "plate", "date", "hours", "camera"])
    say(a.tokens.some((t) => t.field === field && t.state === "ok"), `${field} was not understood`);
  say(a.ignored.length === 0 && a.coverage.cameras === 12, a.coverage);
  within("T1 by keyboard", c, 3);
  await page.context().close();
});

test("T1 by mouse: plate, period, type, colour and the cameras around the station", async () => {
  const page = await fresh();
  const c = counted(page);
  await c.click('[aria-labelledby="facet-plate"] input');
  await c.type("4?8");
  await page.waitForTimeout(50);
  let reply = answered(page);
  await c.drag(".tl svg", [0.1, 0.5], [0.8, 0.5]);
  await reply;
  await page.waitForTimeout(600);
  const pick = async (facet, value) => {
    const next = answered(page);
    await c.click(`section[aria-labelledby="facet-${facet}"] button:has-text("${value}")`);
    return (await next).json();
  };
  await pick("class", "camion");
  await pick("vehicle_colour", "blanc");
  await page.locator(".small-map svg").scrollIntoViewIfNeeded();
  reply = answered(page);
  await c.drag(".small-map svg", [0.02, 0.02], [0.55, 0.02], [0.55, 0.98], [0.02, 0.98]);
  const a = await (await reply).json();
  for (const field of ["class", "vehicle_colour", "plate"])
    say(a.tokens.some((t) => t.field === field && t.state === "ok"), `${field} was not understood`);
  const request = (await reply).request().postDataJSON();
  say(request.time && request.cameras.ids.length === 12, request);
  within("T1 by mouse", c, 7);
  await page.context().close();
});

test("T2 red top, dark trousers, backpack", async () => {
  const page = await fresh();
  const c = counted(page);
  await c.key("Control+k");
  await c.type("personne haut rouge pantalon noir sac à dos");
  const reply = answered(page);
  await c.key("Enter");
  const a = await (await reply).json();
  for (const field of ["upper_colour", "lower_colour", "accessory"]) say(a.tokens.some((t) => t.field === field), `${field} was not read`);
  say(a.ignored.length === 0, a.ignored);
  within("T2", c, 3);
  await page.context().close();
});

test("T3 vehicles like this one", async () => {
  const page = await fresh();
  await ask(page, "voiture");
  await page.locator("[role=listbox]").first().focus();
  const c = counted(page);
  const asked = page.waitForRequest((r) => r.url().endsWith("/api/v1/search"));
  await c.key("s");
  say((await asked).postDataJSON().like?.sighting_id, "not asked by likeness");
  await page.locator(".tok", { hasText: "semblable à" }).waitFor();
  within("T3", c, 1);
  await page.context().close();
});

test("T4 where else it went: from a hit, and from blank", async () => {
  const page = await fresh();
  const c = counted(page);
  await c.key("Control+k");
  await c.type("voiture");
  const reply = answered(page);
  await c.key("Enter");
  await reply;
  await page.locator('.card[aria-selected="true"]').waitFor();
  const hit = counted(page);
  // Enter leads from the sentence to its answer, so the next letter already acts.
  c.n++;
  await hit.key("p");
  await page.locator(".map .stop").first().waitFor();
  within("T4 from a hit", hit, 1);
  within("T4 from blank", c, 4);
  await page.context().close();
});

test("T5 keep three and prepare a sealed export", async () => {
  const page = await fresh();
  await page.getByRole("button", { name: "Grouper les quasi-doublons" }).click();
  await ask(page, "personne");
  await page.locator("[role=listbox]").first().focus();
  const c = counted(page);
  for (let i = 0; i < 3; i++) await c.key("a");
  await page.waitForFunction(() => document.querySelectorAll(".tray li").length === 3);
  await c.key("e");
  await page.locator("dialog[open] .exhibits li").nth(2).waitFor();
  say((await page.locator("dialog[open] .exhibits input:checked").count()) === 3, "not all three are ready to leave");
  within("T5", c, 4);
  await page.context().close();
});

test("T6 prove that the journal is intact", async () => {
  const page = await open(url, { role: "auditor" });
  await page.locator("nav.rail a").first().waitFor();
  const c = counted(page);
  await c.key("Alt+6");
  await page.locator("main h1").waitFor();
  const reply = page.waitForResponse((r) => r.url().endsWith("/api/v1/journal/verify"));
  const verify = page.getByRole("button", { name: /Vérifier/ }).first();
  await verify.waitFor();
  c.n++;
  await verify.click();
  say((await (await reply).json()).ok === true, "the journal is not intact");
  within("T6", c, 2);
  await page.context().close();
});

await finish();
