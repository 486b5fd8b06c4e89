#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The page in Debian's Chromium against the real server and real footage, imported by the shipped binaries. Speaks
// TAP. RELECTURE names the program, SHOTS=1 renews web/docs.
import { spawn } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ask, CLIP, cards, data, dir, finish, open, openCase, playing, prepared, problems, program, root, run, serve, test,
  violations,
} from "./site.mjs";

const { url, caseId } = await prepared("real footage is imported and served", async () => {
  run("init", data);
  // The footage carries a fixed date: a server that purges would erase it one day.
  appendFileSync(join(data, "relecture.conf"), "site.purge = by_hand\n");
  run("-d", data, "camera", "add", "--id", "gare-01", "--name", "Gare, parvis", "--lat", "43.5536", "--lon", "7.0174");
  run("-d", data, "camera", "add", "--id", "gare-02", "--name", "Gare, quai B", "--lat", "43.5531", "--lon", "7.0190");
  openCase("PV 2026/00740 (autre)", "gare-02", "2026-11-19T08:00:00Z", "2026-11-19T09:00:00Z");
  const caseId = openCase("PV 2026/00812", "gare-01", "2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z");
  run("-d", data, "import", "--case", caseId, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", CLIP);
  return { url: (await serve()).url, caseId };
});

let page;

test("the page opens in French with every sighting of the case", async () => {
  page = await open(url);
  await cards(page).first().waitFor();
  const title = await page.locator("h1").textContent();
  if (!/passages/.test(title)) throw new Error(`title: ${title}`);
  if ((await page.locator("html").getAttribute("lang")) !== "fr") throw new Error("language");
  if ((await page.locator("#case").inputValue()) !== caseId) throw new Error("not the case opened last");
});

test("the simulator is named for as long as no real card does the work", async () => {
  await page.locator(".sim", { hasText: "simulateur" }).waitFor();
});

test("a French sentence is read back word by word and finds people in red", async () => {
  const a = await ask(page, "personne haut rouge");
  if (a.total < 1) throw new Error(`total ${a.total}`);
  await page.locator(".tok", { hasText: "personne" }).waitFor();
  await page.locator(".tok", { hasText: "rouge" }).waitFor();
  await page.getByRole("button", { name: "Grouper les quasi-doublons" }).click();
  if ((await cards(page).count()) !== Math.min(a.total, 60)) throw new Error("cards do not match the total");
  const first = await cards(page).first().textContent();
  if (!/rouge/.test(first)) throw new Error(`first card: ${first}`);
  if (!/\d\d:\d\d:\d\d,\d\d/.test(first)) throw new Error(`no time to the hundredth: ${first}`);
});

test("the count stands beside what was not searched", async () => {
  const missing = page.locator(".cov");
  if (!/il manque 3/.test(await missing.textContent())) throw new Error(await missing.textContent());
  await missing.click();
  await page.locator("dialog[open] table tbody tr").first().waitFor();
  if ((await page.locator("dialog[open] tbody tr").count()) !== 2) throw new Error("two gaps: before and after the recording");
  await page.keyboard.press("Escape");
});

test("thumbnails are shown", async () => {
  await page.waitForFunction(() => {
    const img = document.querySelector(".card img");
    return img instanceof HTMLImageElement && img.complete && img.naturalWidth > 20;
  });
});

test("a passage plays from before it begins, with the box over the person", async () => {
  await playing(page);
  const clip = await page.evaluate(() => {
    const v = document.querySelector("video");
    return { duration: v.duration, w: v.videoWidth, h: v.videoHeight, error: v.error?.code ?? 0 };
  });
  if (clip.error || clip.w !== 768 || clip.h !== 576) throw new Error(JSON.stringify(clip));
  await page.locator(".over .box").waitFor({ state: "attached", timeout: 20000 });
  const at = await page.evaluate(() => document.querySelector("video").currentTime);
  if (at < 3) throw new Error(`the box came at ${at} s: the clip does not start before the passage`);
});

test("K stops, a comma goes back one frame, L plays", async () => {
  await page.locator(".ins").focus();
  await page.keyboard.press("k");
  await page.waitForFunction(() => document.querySelector("video").paused);
  const before = await page.evaluate(() => document.querySelector("video").currentTime);
  await page.keyboard.press(",");
  await page.waitForFunction((t) => document.querySelector("video").currentTime < t - 0.03, before);
  const after = await page.evaluate(() => document.querySelector("video").currentTime);
  if (before - after > 0.35) throw new Error(`one frame was ${before - after} s`);
  await page.keyboard.press("l");
  await page.waitForFunction(() => !document.querySelector("video").paused);
});

test("a long passage plays on into its next part, and can be entered anywhere", async () => {
  const a = await ask(page, "personne");
  const longest = a.items.toSorted((x, y) => y.to_ms - y.from_ms - (x.to_ms - x.from_ms))[0];
  if (longest.to_ms - longest.from_ms < 30000) throw new Error("no passage of 30 s in this footage");
  await page.locator(`#s-${longest.id}`).click();
  await page.waitForFunction((id) => document.querySelector("video")?.getAttribute("src")?.includes(id), longest.id, { timeout: 30000 });
  await playing(page);
  const source = () => page.evaluate(() => document.querySelector("video")?.getAttribute("src") ?? "");
  const first = await source();
  if (!/part=0$/.test(first)) throw new Error(first);
  // To 1 s before the end of the first part, by the scrub bar's own event.
  await page.locator(".scrub input").evaluate((e) => {
    e.value = String(29000);
    e.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.waitForFunction((was) => document.querySelector("video")?.getAttribute("src") !== was, first, { timeout: 30000 });
  if (!/part=1$/.test(await source())) throw new Error(await source());
  await playing(page);
  const late = await page.locator(".osd.tl-l").textContent();
  await page.locator(".scrub input").evaluate((e) => {
    e.value = "2000";
    e.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.waitForFunction(() => /part=0$/.test(document.querySelector("video")?.getAttribute("src") ?? ""), null, { timeout: 30000 });
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1.5, null, { timeout: 30000 });
  if ((await page.locator(".osd.tl-l").textContent()) >= late) throw new Error("the clock did not go back");
  await ask(page, "personne haut rouge");
});

test("arrows move over the cards and the player follows", async () => {
  await page.locator(".grid").focus();
  const first = await page.locator('.card[aria-selected="true"]').getAttribute("id");
  await page.keyboard.press("ArrowRight");
  const second = await page.locator('.card[aria-selected="true"]').getAttribute("id");
  if (first === second) throw new Error("the selection did not move");
  await page.keyboard.press("Home");
  if ((await page.locator('.card[aria-selected="true"]').getAttribute("id")) !== first) throw new Error("Home");
});

test("a token's cross takes its words out and searches again", async () => {
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await page.locator(".tok", { hasText: "rouge" }).getByRole("button").click();
  await answered;
  if ((await page.inputValue("#sentence")) !== "personne") throw new Error(await page.inputValue("#sentence"));
});

test("a facet writes its words into the sentence", async () => {
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await page.locator('section[aria-labelledby="facet-upper_colour"] button').first().click();
  const a = await (await answered).json();
  if (!/^personne haut \S+/.test(await page.inputValue("#sentence"))) throw new Error(await page.inputValue("#sentence"));
  if (!a.tokens.some((t) => t.field === "upper_colour")) throw new Error(JSON.stringify(a.tokens));
});

test("words that are not understood are named, not guessed", async () => {
  await ask(page, "personne haut rouge gloubiboulga");
  await page.locator(".tok.bad", { hasText: "gloubiboulga" }).waitFor();
});

test("an empty answer says which criterion to drop, and drops it", async () => {
  const a = await ask(page, "personne haut violet");
  if (a.total !== 0) throw new Error(`this footage has ${a.total} people in purple`);
  const drop = page.getByRole("button", { name: /^Sans « haut violet » : \d+ passages$/ });
  await drop.waitFor();
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await drop.click();
  if ((await (await answered).json()).total < 1) throw new Error("nothing without it either");
  if ((await page.inputValue("#sentence")) !== "personne") throw new Error(await page.inputValue("#sentence"));
});

test("a word that the law forbids stops the search", async () => {
  await ask(page, "homme haut rouge");
  await page.locator(".empty[role=alert]").waitFor();
  if ((await cards(page).count()) !== 0) throw new Error("results are shown");
});

test("a date outside the requisition stops the search", async () => {
  await ask(page, "personne le 25/12/2026");
  await page.locator(".empty[role=alert]", { hasText: "période autorisée" }).waitFor();
});

test("the period fields narrow the search and refuse what is no date", async () => {
  await ask(page, "personne");
  await page.fill("#period-from", "32/11 10:00");
  await page.keyboard.press("Enter");
  await page.locator("#period-note[role=alert]").waitFor();
  await page.fill("#period-from", "20/11 16:00");
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await page.keyboard.press("Enter");
  if ((await (await answered).json()).total !== 0) throw new Error("the footage is before 16:00");
  await page.locator(".empty", { hasText: "Aucun passage" }).waitFor();
  const again = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await page.locator(".fac").getByRole("button", { name: "Toute la période" }).click();
  if ((await (await again).json()).total < 1) throw new Error("the whole period");
});

test("lanes show the same sightings over time", async () => {
  await page.getByRole("button", { name: "Frise" }).click();
  await page.locator(".seg-bar").first().waitFor();
  await page.getByRole("button", { name: "Cartes" }).click();
});

test("the exact frame of a passage is a picture of the recording's size", async () => {
  const href = await page.locator(".decide a.btn").getAttribute("href");
  const reply = await page.request.get(url + href);
  if (reply.status() !== 200 || reply.headers()["content-type"] !== "image/jpeg") throw new Error(`status ${reply.status()}`);
  const body = await reply.body();
  if (body.length < 5000 || body[0] !== 0xff || body[1] !== 0xd8) throw new Error(`${body.length} bytes`);
});

test("English is equal: sentence, labels, times", async () => {
  await page.getByRole("button", { name: "English" }).click();
  await page.locator(".btn.pri", { hasText: "Search" }).waitFor();
  const a = await ask(page, "person red top");
  if (a.total < 1) throw new Error(`total ${a.total}`);
  await page.locator(".tok", { hasText: "red" }).waitFor();
  if (!/\d\d:\d\d:\d\d\.\d\d/.test(await cards(page).first().textContent())) throw new Error("time");
});

test("Ctrl K, /, F1 and Alt 1, 4, 8, 9 work anywhere", async () => {
  await page.keyboard.press("Alt+4");
  await page.locator("h1", { hasText: "Import" }).waitFor();
  await page.locator("td", { hasText: "vtest.avi" }).waitFor();
  await page.locator("td", { hasText: "done" }).waitFor();
  await page.keyboard.press("Alt+8");
  await page.locator("dd", { hasText: "libxrt_core.so.2" }).waitFor();
  await page.keyboard.press("Alt+9");
  await page.locator("td", { hasText: "preact" }).first().waitFor();
  await page.keyboard.press("Control+k");
  await page.waitForFunction(() => document.activeElement?.id === "sentence");
  await page.locator(".grid").focus();
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.id === "sentence");
  await page.keyboard.press("F1");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
});

test("another case sees none of this one's sightings", async () => {
  const other = await page.evaluate((id) => [...document.querySelector("#case").options].map((o) => o.value).find((v) => v !== id), caseId);
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search"));
  await page.selectOption("#case", other);
  if ((await (await answered).json()).total !== 0) throw new Error("sightings leaked between cases");
  await page.locator(".empty", { hasText: "No sighting" }).waitFor();
  await page.selectOption("#case", caseId);
  await cards(page).first().waitFor();
});

test("an import into the running server is followed to its end, a broken file with what to do", async () => {
  const other = await page.evaluate((id) => [...document.querySelector("#case").options].map((o) => o.value).find((v) => v !== id), caseId);
  await page.selectOption("#case", other);
  await page.keyboard.press("Alt+4");
  await page.locator(".notice", { hasText: "No recording" }).waitFor();
  const broken = join(dir, "broken.mp4");
  writeFileSync(broken, "this is no video");
  const job = spawn(program, ["-d", data, "--log", "warn", "import", "--case", other, "--camera", "gare-02", "--start", "2026-11-19T08:10:00Z", broken, CLIP], { stdio: "ignore" });
  const over = new Promise((done) => job.on("exit", done));
  await page.locator("tr", { hasText: "vtest.avi" }).locator("td", { hasText: /^running$/ }).waitFor({ timeout: 60000 });
  await page.waitForFunction(() => /\d × real time/.test(document.querySelector(".kp")?.textContent ?? ""), null, { timeout: 60000 });
  await page.locator("tr", { hasText: "vtest.avi" }).locator("td", { hasText: /^done$/ }).waitFor({ timeout: 120000 });
  await page.locator("section", { hasText: "Failed files" }).locator("tr", { hasText: "broken.mp4" }).waitFor();
  if ((await over) === 0) throw new Error("the command hides the broken file");
  await page.keyboard.press("Alt+1");
  const a = await ask(page, "person");
  if (a.total < 1) throw new Error("what was just imported is not found");
  await page.selectOption("#case", caseId);
  await cards(page).first().waitFor();
});

test("a server that is gone is said, what was typed stays, and it comes back", async () => {
  await page.context().setOffline(true);
  await page.fill("#sentence", "person black top");
  await page.keyboard.press("Enter");
  await page.locator(".empty[role=alert]").waitFor();
  if ((await page.inputValue("#sentence")) !== "person black top") throw new Error("the sentence was lost");
  await page.context().setOffline(false);
  await page.locator(".empty").getByRole("button", { name: "Try again" }).click();
  await cards(page).first().waitFor();
});

for (const theme of ["dark", "light"])
  test(`axe finds nothing on any page and dialog, ${theme}`, async () => {
    const p = await open(url, { width: 1366, height: 768, theme, reducedMotion: "reduce" });
    await cards(p).first().waitFor();
    await ask(p, "personne haut rouge gloubiboulga");
    await playing(p);
    const found = [];
    const look = async (where) => found.push(...(await violations(p)).map((v) => `${where}: ${v}`));
    await look("cards");
    await p.locator(".cov").click();
    await look("coverage");
    await p.keyboard.press("Escape");
    await p.keyboard.press("F1");
    await look("keys");
    await p.keyboard.press("Escape");
    await p.getByRole("button", { name: "Frise" }).click();
    await look("lanes");
    await p.getByRole("button", { name: "Cartes" }).click();
    await ask(p, "personne le 25/12/2026");
    await look("stopped");
    for (const [key, where] of [["Alt+4", "import"], ["Alt+8", "system"], ["Alt+9", "about"]]) {
      await p.keyboard.press(key);
      await p.locator("main h1").waitFor();
      await p.waitForLoadState("networkidle").catch(() => undefined);
      await look(where);
    }
    await p.context().close();
    if (found.length) throw new Error(found.join("\n"));
  });

for (const [width, height] of [[1720, 1000], [1366, 768], [683, 768], [360, 740]])
  test(`nothing is cut off sideways at ${width} px`, async () => {
    const p = await open(url, { width, height });
    await cards(p).first().waitFor();
    const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await p.context().close();
    if (wide > 1) throw new Error(`${wide} px too wide`);
  });

test("the page made no request elsewhere, broke no policy and wrote no error", async () => {
  // Offline and refused searches are meant to fail; Chromium writes a line for each.
  const odd = problems.filter((p) => !/Failed to load resource/.test(p));
  if (odd.length) throw new Error(odd.join("\n"));
});

if (process.env.SHOTS)
  test("pictures for the documentation", async () => {
    for (const theme of ["dark", "light"]) {
      const p = await open(url, { width: 1440, height: 900, theme });
      await cards(p).first().waitFor();
      await ask(p, "personne haut rouge");
      await playing(p);
      await p.locator(".over .box").waitFor({ state: "attached", timeout: 20000 });
      await p.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 6.5, null, { timeout: 20000 });
      await p.locator(".grid").focus();
      await p.screenshot({ path: join(root, `web/docs/search-${theme}.png`) });
      if (theme === "dark") {
        await p.keyboard.press("Alt+4");
        await p.locator("td", { hasText: "vtest.avi" }).waitFor();
        await p.screenshot({ path: join(root, "web/docs/import-dark.png") });
      }
      await p.context().close();
    }
    const p = await open(url, { width: 1366, height: 768, theme: "light", language: "en" });
    await cards(p).first().waitFor();
    await ask(p, "person red top");
    await p.getByRole("button", { name: "Lanes" }).click();
    await playing(p);
    await p.screenshot({ path: join(root, "web/docs/lanes-english.png") });
  });

await finish(async (n) => {
  if (process.env.SHOTS && page) await page.screenshot({ path: join(tmpdir(), `failed-${n}.png`) }).catch(() => undefined);
});
