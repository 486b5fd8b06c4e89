#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Recherche and Parcours beyond the first answer, by keyboard, against the real server: three cameras with real
// footage, two of them at the same time, the third where a car can have come by then. Speaks TAP.
import { appendFileSync, copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  answerTo, ask, CLIP, cards, data, dir, finish, open, openCase, playing, prepared, problems, run, serve, test,
  violations,
} from "./site.mjs";

const movable = join(dir, "gare-03.avi");
const { url } = await prepared("three cameras of real footage are imported and served", async () => {
  run("init", data);
  appendFileSync(join(data, "relecture.conf"), "site.purge = by_hand\n");
  for (const [id, name, lat, lon, heading] of [
    ["gare-01", "Gare, parvis", "43.5536", "7.0174", "200"],
    ["gare-02", "Gare, quai B", "43.5531", "7.0190", "80"],
    ["port-03", "Vieux port", "43.5524", "7.0161", "320"],
  ])
    run("-d", data, "camera", "add", "--id", id, "--name", name, "--lat", lat, "--lon", lon, "--heading", heading, "--fov", "60");
  const caseId = openCase("PV 2026/00812", "gare-01,gare-02,port-03", "2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z");
  copyFileSync(CLIP, movable);
  for (const [camera, start, file] of [
    ["gare-01", "2026-11-20T14:00:00Z", CLIP],
    ["gare-02", "2026-11-20T14:00:20Z", CLIP],
    ["port-03", "2026-11-20T14:02:00Z", movable],
  ])
    run("-d", data, "import", "--case", caseId, "--camera", camera, "--start", start, file);
  return { url: (await serve()).url };
});

const say = (good, why) => {
  if (!good) throw new Error(typeof why === "string" ? why : JSON.stringify(why));
};
const list = (page) => page.locator("[role=listbox]").first();
const chosen = (page) => page.locator('[role=option][aria-selected="true"]').first().getAttribute("id");
const key = (page, k) => page.keyboard.press(k);
let page;

test("passages that are most likely one lie in a pile, which one key opens", async () => {
  page = await open(url, { role: "operator" });
  await cards(page).first().waitFor();
  const a = await ask(page, "personne haut rouge");
  const shown = await cards(page).count();
  const badges = await page.locator(".card.pile .near").allTextContents();
  const under = badges.reduce((n, text) => n + Number(/\+(\d+)/.exec(text)?.[1] ?? 0), 0);
  say(under > 0, "this footage has a person whom a lamp post hides");
  say(shown + under === a.items.length, `${shown} shown and ${under} under piles of ${a.items.length}`);
  await list(page).focus();
  await key(page, "Home");
  for (let i = 0; i < shown && !(await page.locator('.card.pile[aria-selected="true"]').count()); i++) await key(page, "ArrowRight");
  const n = Number(/\+(\d+)/.exec(await page.locator('.card.pile[aria-selected="true"] .near').textContent())[1]);
  await key(page, "g");
  say((await cards(page).count()) === shown + n, "the pile did not open");
  await key(page, "g");
  say((await cards(page).count()) === shown, "the pile did not close");
});

test("each word says why the passage matched, with its own share", async () => {
  const why = await page.locator('section[aria-labelledby="why-title"]').textContent();
  say(/type personne, premier choix \(\d+ %\)/.test(why) && /rouge/.test(why), why);
});

test("a second guess is asked for by its button", async () => {
  const second = page.locator(".dl .alt button:enabled").first();
  const label = (await second.textContent()).trim();
  const a = await answerTo(page, () => second.press("Enter"));
  const wanted = /^ou (.+?) \d/.exec(label)?.[1];
  say(a.tokens.some((t) => t.label === wanted), { label, tokens: a.tokens });
});

test("what passed with a passage is found, and the search before comes back", async () => {
  const before = await ask(page, "personne haut rouge");
  await list(page).focus();
  await key(page, "Home");
  const a = await answerTo(page, () => key(page, "t"));
  say(a.total >= 1, "nobody passed within 10 s");
  await page.locator(".tok", { hasText: "avec" }).waitFor();
  say((await page.inputValue("#sentence")) === "", "the old sentence stayed and would mislead");
  const again = await answerTo(page, () => page.getByRole("button", { name: "Revenir à la recherche" }).press("Enter"));
  say(again.total === before.total, `${again.total} instead of ${before.total}`);
});

test("an area is drawn by keyboard alone, and who sets foot in it is found", async () => {
  const all = await ask(page, "personne");
  await list(page).focus();
  await key(page, "Home");
  await key(page, "z");
  await page.locator(".draw").waitFor();
  await page.waitForFunction(() => document.activeElement?.classList.contains("draw"));
  const moves = [["ArrowLeft", 20], ["ArrowUp", 5], ["Enter", 1], ["ArrowRight", 20], ["Enter", 1], ["ArrowDown", 25], ["Enter", 1], ["ArrowLeft", 20], ["Enter", 1]];
  for (const [k, n] of moves) for (let i = 0; i < n; i++) await key(page, k);
  const request = page.waitForRequest((r) => r.url().endsWith("/api/v1/search"));
  const a = await answerTo(page, async () => {
    for (let i = 0; i < 12; i++) {
      await key(page, "Tab");
      if (await page.evaluate(() => document.activeElement?.classList.contains("pri"))) break;
    }
    await key(page, "Enter");
  });
  const asked = (await request).postDataJSON();
  say(asked.area?.points.length === 4, asked);
  say(a.total > 0 && a.total < all.total, `${a.total} of ${all.total}`);
  say(a.items.every((s) => s.camera_id === asked.area.camera_id), "another camera");
  await answerTo(page, () => page.locator(".tok", { hasText: "zone" }).getByRole("button").press("Enter"));
});

test("neighbouring cameras show the same moment and stop with the player", async () => {
  await ask(page, "personne 15:00:30-15:01:00 gare-01");
  const views = [];
  page.on("response", async (r) => {
    if (/\/cameras\/[^/]+\/clip/.test(r.url()) && r.ok()) views.push(await r.json());
  });
  await list(page).focus();
  await playing(page);
  await key(page, "v");
  await page.locator(".neighbours video").first().waitFor({ timeout: 30000 });
  await page.waitForFunction(() => (document.querySelector(".neighbours video")?.currentTime ?? 0) > 0.2, null, { timeout: 30000 });
  await key(page, "k");
  await page.waitForFunction(() => document.querySelector(".vid video").paused && document.querySelector(".neighbours video").paused);
  await page.waitForTimeout(600);
  const at = await page.evaluate(() => ({
    clock: document.querySelector(".vid .tl-l").textContent,
    t: document.querySelector(".neighbours video").currentTime,
    src: document.querySelector(".neighbours video").getAttribute("src"),
  }));
  const view = views.find((v) => v.url === at.src);
  const neighbour = new Intl.DateTimeFormat("fr-FR", { timeZone: "Europe/Paris", minute: "2-digit", second: "2-digit" }).format(view.from_ms + at.t * 1000);
  const [m, s] = /:(\d\d):(\d\d)/.exec(at.clock).slice(1).map(Number);
  const [m2, s2] = neighbour.split(":").map(Number);
  say(Math.abs(m * 60 + s - (m2 * 60 + s2)) <= 1, `${at.clock} against ${neighbour}`);
  await key(page, "v");
});

test("a witness's doubt becomes a sentence, filled in by keyboard alone", async () => {
  await page.getByRole("button", { name: "Témoignage" }).press("Enter");
  const form = page.locator("dialog[open]");
  await form.waitFor();
  const upper = form.getByRole("group", { name: /^Haut/ });
  await upper.getByRole("button", { name: "rouge" }).press("Enter");
  await upper.getByRole("button", { name: "orange" }).press("Enter");
  const lower = form.getByRole("group", { name: /^Bas/ });
  await lower.getByRole("button", { name: "bleu" }).press("Enter");
  await lower.getByRole("button", { name: "peut-être" }).press("Enter");
  await form.getByLabel(/^Jour/).fill("20/11");
  await form.getByLabel(/^Vers/).fill("15:00");
  const a = await answerTo(page, () => key(page, "Enter"));
  say((await page.inputValue("#sentence")) === "personne, haut rouge ou orange, peut-être bas bleu, le 20/11, vers 15:00 ± 20 min", await page.inputValue("#sentence"));
  say(a.tokens.some((t) => t.state === "ranks" && t.field === "lower_colour"), a.tokens);
  say(a.tokens.some((t) => t.field === "hours" && t.value === "14:40-15:20"), a.tokens);
  say(a.total > 0 && a.ignored.length === 0, a);
});

test("a lasso on the map chooses cameras, the list does the same", async () => {
  await ask(page, "personne");
  const map = page.locator(".small-map svg");
  await map.scrollIntoViewIfNeeded();
  const b = await map.boundingBox();
  const to = (x, y) => page.mouse.move(b.x + b.width * x, b.y + b.height * y, { steps: 3 });
  await to(0.02, 0.02);
  const a = await answerTo(page, async () => {
    await page.mouse.down();
    for (const [x, y] of [[0.98, 0.02], [0.98, 0.6], [0.02, 0.6], [0.02, 0.05]]) await to(x, y);
    await page.mouse.up();
  });
  const found = new Set(a.items.map((s) => s.camera_id));
  say(found.size > 0 && !found.has("port-03"), [...found]);
  await page.locator(".tok", { hasText: "caméras" }).waitFor();
  const one = await answerTo(page, async () => {
    await page.getByRole("button", { name: "Toutes les caméras" }).press("Enter");
    await page.waitForTimeout(300);
    await page.locator(".opts.one").getByRole("button", { name: /port-03/ }).press("Enter");
  });
  say(one.total > 0, "all cameras");
  await page.waitForFunction(() => [...document.querySelectorAll(".tok")].some((t) => /port-03/.test(t.textContent)));
  await answerTo(page, () => page.getByRole("button", { name: "Tout effacer" }).press("Enter"));
});

test("a vehicle's route: its hop on the map, and where it may have passed next", async () => {
  const a = await ask(page, "voiture 15:00-15:01 gare-01");
  say(a.total >= 1, "this footage has a car");
  await list(page).focus();
  await key(page, "Home");
  const asked = page.waitForRequest((r) => r.url().endsWith("/api/v1/routes"));
  await key(page, "p");
  say((await asked).postDataJSON().seed_sighting_id === a.items[0].id, "another seed");
  await page.locator("h1", { hasText: "Parcours" }).waitFor();
  await page.locator(".map .stop").first().waitFor();
  say((await page.locator(".chain tbody tr").count()) === 1, "one hop: nothing is confirmed yet");
  await page.locator(".where", { hasText: "port-03" }).locator("[role=option]").first().waitFor();
  const where = await page.locator(".where", { hasText: "port-03" }).textContent();
  say(/\d,\d km · 15:0\d à 15:0\d/.test(where), where);
});

test("a person is never followed from camera to camera", async () => {
  await key(page, "Alt+1");
  const a = await ask(page, "personne");
  await list(page).focus();
  say((await page.locator(".decide").getByRole("button", { name: "Parcours" }).count()) === 0, "the button is there");
  await page.evaluate((id) => (location.hash = `#/parcours/${id}`), a.items[0].id);
  await page.locator(".notice[role=alert]").waitFor();
  await key(page, "Alt+1");
});

test("a clip that cannot play gives way to its exact pictures, one by one", async () => {
  await page.route("**/media/clip/**", (r) => r.fulfill({ status: 200, contentType: "video/mp4", body: "no video" }));
  await ask(page, "personne haut rouge gare-02");
  await list(page).focus();
  await page.locator(".fault", { hasText: "images une à une" }).waitFor({ timeout: 30000 });
  await page.waitForFunction(() => (document.querySelector(".vid img.still")?.naturalWidth ?? 0) === 768, null, { timeout: 30000 });
  const time = () => page.locator(".vid .tl-l").textContent();
  const first = await time();
  await key(page, ".");
  await page.waitForFunction((t) => document.querySelector(".vid .tl-l").textContent !== t, first, { timeout: 15000 });
  say((await time()) > first, `${first}, then ${await time()}`);
  const second = await time();
  await key(page, ",");
  await page.waitForFunction((t) => document.querySelector(".vid .tl-l").textContent < t, second, { timeout: 15000 });
  say((await time()) === first, `back to ${await time()} instead of ${first}`);
  await page.unroute("**/media/clip/**");
});

test("a recording that is gone is said, with what to do", async () => {
  renameSync(movable, `${movable}.away`);
  await ask(page, "personne port-03");
  await list(page).focus();
  await key(page, "End"); // a passage whose clip was not made before
  await page.locator(".fault", { hasText: "enregistrement est en place" }).waitFor({ timeout: 30000 });
  renameSync(`${movable}.away`, movable);
});

test("single letters can be switched off, and the list under F1 says them in the page's language", async () => {
  await ask(page, "personne haut rouge");
  await key(page, "F1");
  const rows = await page.locator("dialog[open] .keys").last().textContent();
  say(/OConfirmer/.test(rows) && /NÉcarter/.test(rows), rows);
  await page.getByLabel("Lettres seules actives").press("Space");
  await key(page, "Escape");
  await list(page).focus();
  await key(page, "z");
  await page.waitForTimeout(300);
  say((await page.locator("dialog[open]").count()) === 0, "the letter still acted");
  await key(page, "F1");
  await page.getByLabel("Lettres seules actives").press("Space");
  await key(page, "Escape");
  await page.getByRole("button", { name: "English" }).press("Enter");
  await page.locator(".decide kbd", { hasText: /^C$/ }).waitFor(); // "Confirm" stands in "Confirmer" too
  say((await page.locator(".decide kbd").allTextContents()).slice(0, 3).join("") === "CRU", "English letters");
  await page.getByRole("button", { name: "Français" }).press("Enter");
});

test("below 1180 px the player is a sheet that Enter brings and Escape takes away", async () => {
  const p = await open(url, { width: 900, height: 800, role: "operator" });
  await cards(p).first().waitFor();
  say(!(await p.locator(".ins").isVisible()), "the sheet is up from the start");
  await list(p).focus();
  await key(p, "ArrowRight");
  await key(p, "Enter");
  await p.locator(".ins .vid").waitFor();
  await p.locator(".sheet-close").waitFor();
  await p.locator(".ins").focus();
  await key(p, "Escape");
  await p.locator(".ins").waitFor({ state: "hidden" });
  say((await p.evaluate(() => document.activeElement?.getAttribute("role"))) === "listbox", "the focus is lost");
  await p.context().close();
});

for (const theme of ["dark", "light"])
  test(`axe finds nothing on what search and route open, ${theme}`, async () => {
    const p = await open(url, { width: 1440, height: 900, theme, role: "operator", reducedMotion: "reduce" });
    await cards(p).first().waitFor();
    const found = [];
    const look = async (where) => found.push(...(await violations(p)).map((v) => `${where}: ${v}`));
    await ask(p, "personne haut rouge");
    await list(p).focus();
    await key(p, "v");
    await playing(p);
    await look("panel and neighbours");
    await key(p, "v");
    await key(p, "z");
    await p.locator(".draw").waitFor();
    await look("area");
    await key(p, "Escape");
    await p.getByRole("button", { name: "Témoignage" }).click();
    await p.locator("#witness").waitFor();
    await p.locator("#witness").getByRole("button", { name: "rouge" }).first().click();
    await look("witness");
    await key(p, "Escape");
    await p.getByRole("button", { name: "Fiabilité mesurée" }).click();
    await p.locator("table.acc").waitFor();
    await look("reliability");
    await key(p, "Escape");
    await ask(p, "voiture 15:00-15:01 gare-01");
    await list(p).focus();
    await key(p, "p");
    await p.locator(".map .stop").first().waitFor();
    await look("route");
    await p.setViewportSize({ width: 720, height: 800 });
    await look("route at 200 %");
    say((await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 1, "the route is cut off sideways");
    await key(p, "Alt+1");
    await cards(p).first().waitFor();
    await list(p).focus();
    await key(p, "Enter");
    await p.locator(".ins.up .vid").waitFor();
    await look("sheet");
    await p.context().close();
    say(found.length === 0, found.join("\n"));
  });

test("in forced colours what is chosen and what is decided stay visible", async () => {
  const p = await open(url, { role: "operator", forcedColors: "active" });
  await cards(p).first().waitFor();
  await list(p).focus();
  const outline = await p.locator('.card[aria-selected="true"]').evaluate((e) => getComputedStyle(e).outlineStyle);
  say(outline !== "none", "the chosen card has no outline");
  await p.context().close();
});

test("nothing was asked elsewhere, no policy broken, no error written", async () => {
  const odd = problems.filter((p) => !/Failed to load resource/.test(p));
  say(odd.length === 0, odd.join("\n"));
});

await finish();
