#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A site of 5,000 cameras with very long names, on the real server: choosing them, the map, the lists. What each act
// took is printed, not judged: a loaded machine is no fault of the page. Speaks TAP. SHOTS=1 renews web/docs.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, finish, open, openCase, prepared, problems, root, run, serve, test } from "./site.mjs";

const N = 5000;
const ROWS = `
import sqlite3, sys, random
random.seed(7)
zones = [("Gare", 43.5536, 7.0174), ("Centre", 43.5513, 7.0128), ("Croisette", 43.5497, 7.0205), ("La Bocca", 43.5528, 6.9756), ("Palm Beach", 43.5385, 7.0370)]
streets = ["Rue d’Antibes", "Avenue de la Gare", "Boulevard Carnot", "Quai Saint-Pierre", "Rue du Port", "Place du Marché", "Allée des Platanes"]
db = sqlite3.connect(sys.argv[1])
rows = []
for i in range(1, ${N} + 1):
    z = random.choice(zones)
    name = f"{z[0]}, {random.choice(streets)} {random.randint(1, 99)}"
    if i == 3: name = "Esplanade du Président Georges Pompidou, angle de la promenade de la Pantiero, mât 12, seconde optique"
    rows.append((i, f"C-{i:04d}", name, z[1] + random.gauss(0, .003), z[2] + random.gauss(0, .005), random.randrange(-1, 360), random.choice([-1, 60, 90]), random.choice([0] * 40 + [7000, -3500]), 0))
db.executemany("INSERT INTO camera(number,id,name,lat,lon,heading_deg,fov_deg,clock_offset_ms,retention_days) VALUES(?,?,?,?,?,?,?,?,?)", rows)
db.commit()
`;
const site = await prepared("a site of 5,000 cameras is served", async () => {
  run("init", data);
  const filled = spawnSync("python3", ["-c", ROWS, join(data, "register.db")], { encoding: "utf8" });
  if (filled.status !== 0) throw new Error(filled.stderr);
  for (let i = 1; i <= 3; i++)
    openCase(`PV 2026/0081${i}/0${i} (jonction des procédures 2026/00781, 2026/00782 et 2026/00783, cabinet 3)`, "C-0001,C-0003", `2026-11-${10 + i}T08:00:00Z`, `2026-11-${11 + i}T08:00:00Z`);
  return serve();
});
const { url } = site;
const took = async (name, act) => {
  const from = performance.now();
  await act();
  console.log(`# ${name}: ${Math.round(performance.now() - from)} ms`);
};
const shot = (p, name) => (process.env.SHOTS ? p.screenshot({ path: join(root, `web/docs/${name}.png`) }) : undefined);
const fits = async (p, where) => {
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 1) throw new Error(`${where}: ${wide} px too wide`);
};
const SIZE = { width: 1440, height: 900 };
let page;
let admin;

test("a new case is made from all of them, from a pasted list, and from around dots", async () => {
  page = await open(url, { role: "chief", ...SIZE });
  await page.locator(".rail").waitFor();
  await page.evaluate(() => (location.hash = "#/dossiers/nouveau"));
  await page.locator(".pick .rows li").first().waitFor();
  const chosen = (n) => page.locator(".pick-n", { hasText: new RegExp(`^${n} `) }).waitFor();
  await took("all 5,000 chosen", async () => {
    await page.getByRole("button", { name: /^Tout choisir/ }).click();
    await chosen("5 000".replace(" ", "\\s"));
  });
  await page.getByRole("button", { name: /^Tout retirer/ }).click();
  await chosen("0");
  await took("the filter typed", async () => {
    await page.getByPlaceholder("Numéro, rue ou zone ; ou coller").fill("pompidou");
    await page.locator(".rows li").nth(0).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".rows li").length === 1);
  });
  await page.getByPlaceholder("Numéro, rue ou zone ; ou coller").fill("");
  if ((await page.locator(".rows li").count()) > 101) throw new Error("thousands of rows are drawn");
  await page.evaluate(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", "C-0010, C-0011;\nC-9999");
    document.querySelector(".pick input[type=search]").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  await chosen("2");
  await page.locator("[role=alert]", { hasText: "C-9999" }).waitFor();
  const map = await page.locator(".citymap svg").first().boundingBox();
  await took("a loop drawn around dots", async () => {
    await page.locator(".citymap").scrollIntoViewIfNeeded();
    const b = await page.locator(".citymap svg").first().boundingBox();
    const at = (x, y) => page.mouse.move(b.x + b.width * x, b.y + b.height * y);
    await at(0.45, 0.15);
    await page.mouse.down();
    for (const [x, y] of [[0.7, 0.15], [0.7, 0.5], [0.6, 0.6], [0.45, 0.5], [0.45, 0.16]]) await at(x, y);
    await page.mouse.up();
    await page.waitForFunction(() => Number(/^[\d\s\u202f\u00a0]+/.exec(document.querySelector(".pick-n").textContent)[0].replace(/\D/g, "")) > 50);
  });
  if (!map) throw new Error("no map");
  await fits(page, "new case");
  await shot(page, "new-case-dark");
});

test("the cameras page shows what needs an eye, and a long name cuts nothing", async () => {
  admin = await open(url, { role: "administrator", theme: "light", ...SIZE });
  await admin.locator(".rail").waitFor();
  await took("5,000 cameras drawn", async () => {
    await admin.keyboard.press("Alt+5");
    await admin.locator(".citymap").waitFor();
  });
  await took("only those whose clock is off", async () => {
    await admin.locator(".kp-b").nth(1).click();
    await admin.waitForFunction(() => !/^C-0001/.test(document.querySelector(".cam-cols tbody th")?.textContent ?? ""));
  });
  await shot(admin, "cameras-light");
  await admin.locator(".kp-b").nth(0).click();
  await admin.getByPlaceholder("Numéro, rue ou zone").fill("pantiero");
  await admin.locator("tbody th", { hasText: "Pompidou" }).waitFor();
  await fits(admin, "cameras");
  await admin.context().close();
});

test("long requisitions fit strip, list and case", async () => {
  await page.keyboard.press("Alt+2");
  await page.locator("tbody a").first().waitFor();
  await fits(page, "cases");
  await shot(page, "cases-dark");
  await page.locator("tbody a").first().click();
  await page.locator(".quotes").waitFor();
  await fits(page, "case");
});

test("no page made a request elsewhere, broke a policy or wrote an error", async () => {
  const odd = problems.filter((p) => !/Failed to load resource/.test(p));
  if (odd.length) throw new Error(odd.join("\n"));
});

await finish(async (n) => {
  if (process.env.SHOTS) await admin?.screenshot({ path: join(tmpdir(), `city-${n}.png`) }).catch(() => undefined);
});
