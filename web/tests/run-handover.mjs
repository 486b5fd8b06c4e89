#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// From a recording in the inbox to a seal that its receiver checks without our programs, in the page and by keyboard,
// on the real server with real footage. Speaks TAP. SHOTS=1 renews web/docs.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerTo, cards, CLIP, data, dir, finish, login, open, openCase, prepared, problems, root, run, serve, test, violations } from "./site.mjs";

const inbox = join(dir, "inbox");
const site = await prepared("a site with an inbox of recordings is served", async () => {
  run("init", data);
  run("-d", data, "camera", "add", "--id", "gare-01", "--name", "Gare, parvis", "--lat", "43.5536", "--lon", "7.0174", "--heading", "200", "--fov", "60");
  run("-d", data, "camera", "add", "--id", "gare-02", "--name", "Gare, quai B", "--lat", "43.5531", "--lon", "7.0190");
  const caseId = openCase("PV 2026/00812", "gare-01,gare-02", "2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z");
  mkdirSync(join(inbox, "cle-usb-7"), { recursive: true });
  copyFileSync(CLIP, join(inbox, "cle-usb-7", "gare-01_20261120_150000.avi"));
  copyFileSync(CLIP, join(inbox, "cle-usb-7", "export (3).avi"));
  writeFileSync(join(inbox, "cle-usb-7", "abime.mp4"), "this is no video");
  // As files that were copied a while ago: what changes now might still be being written.
  const before = Date.now() / 1000 - 3600;
  for (const f of ["gare-01_20261120_150000.avi", "export (3).avi", "abime.mp4"]) utimesSync(join(inbox, "cle-usb-7", f), before, before);
  return { ...(await serve(`import.inbox=${inbox}`)), caseId };
});
const { url, caseId } = site;
const dialog = (p) => p.locator("dialog[open]");
const shot = (p, name) => (process.env.SHOTS ? p.screenshot({ path: join(root, `web/docs/${name}.png`) }) : undefined);
const SIZE = { width: 1440, height: 900 };

let operator;
let chief;

test("a folder of the inbox is looked into: camera and start are proposed, what is missing is asked", async () => {
  operator = await open(url, { role: "operator", ...SIZE });
  await operator.locator(".rail").waitFor(); // keys act once somebody is at work
  await operator.keyboard.press("Alt+4");
  await operator.locator(".notice").getByRole("button", { name: "Importer des enregistrements" }).click();
  await dialog(operator).locator("li", { hasText: "cle-usb-7" }).locator("input").check();
  await dialog(operator).getByRole("button", { name: "Examiner" }).click();
  const good = dialog(operator).locator("tr", { hasText: "gare-01_20261120_150000.avi" });
  await good.waitFor({ timeout: 60000 });
  if ((await good.getByLabel("Caméra de").inputValue()) !== "gare-01") throw new Error("no camera from the name");
  if ((await good.getByLabel("Début de").inputValue()) !== "20/11/2026 15:00:00") throw new Error(await good.getByLabel("Début de").inputValue());
  await good.locator(".hint", { hasText: "d’après le nom" }).first().waitFor();
  const bare = dialog(operator).locator("tr", { hasText: "export (3).avi" });
  await bare.locator(".hint.warn-t").first().waitFor();
  if (await dialog(operator).getByRole("button", { name: "Importer", exact: true }).isEnabled()) throw new Error("it may start with a file that has no camera");
  const found = await violations(operator);
  await shot(operator, "plan-dark");
  if (found.length) throw new Error(found.join("\n"));
});

test("the import is followed to its end in hours and × real time; the broken file says what to do", async () => {
  await dialog(operator).locator("tr", { hasText: "export (3).avi" }).locator("input[type=checkbox]").uncheck();
  const broken = dialog(operator).locator("tr", { hasText: "abime.mp4" }).locator("input[type=checkbox]");
  if (await broken.isEnabled()) await broken.uncheck();
  await dialog(operator).getByRole("button", { name: "Importer", exact: true }).click();
  await operator.locator(".batch tr", { hasText: "gare-01_20261120_150000.avi" }).waitFor();
  await operator.waitForFunction(() => /\d × temps réel/.test(document.querySelector(".kp")?.textContent ?? ""), null, { timeout: 90000 });
  await shot(operator, "import-dark");
  await operator.locator(".batch tr", { hasText: "gare-01_20261120_150000.avi" }).locator("td", { hasText: /^terminé$/ }).waitFor({ timeout: 240000 });
});

test("keep, keep, seal: three keys from the passages to a request for the second person", async () => {
  await answerTo(operator, async () => {
    await operator.keyboard.press("Control+k");
    await operator.keyboard.type("personne haut rouge");
    await operator.keyboard.press("Enter");
  });
  await cards(operator).first().waitFor();
  await operator.locator(".grid").focus();
  for (let i = 1; i <= 2; i++) {
    const added = operator.waitForResponse((r) => r.url().endsWith("/exhibits") && r.request().method() === "POST");
    await operator.keyboard.press("a");
    const reply = await added;
    if (reply.status() !== 201) throw new Error(`exhibit ${i}: ${reply.status()} ${await reply.text()}`);
  }
  await operator.keyboard.press("e");
  await dialog(operator).locator("h2", { hasText: "Sceller et exporter" }).waitFor();
  await dialog(operator).locator(".exhibits input:checked").nth(1).waitFor();
  const found = await violations(operator);
  await shot(operator, "seal-dark");
  if (found.length) throw new Error(found.join("\n"));
  await dialog(operator).getByRole("button", { name: "Demander l’accord" }).click();
  await operator.locator(".toast", { hasText: "une seconde personne" }).waitFor();
});

test("who asked cannot approve; another person does, and the seal is built", async () => {
  await operator.evaluate((id) => (location.hash = `#/dossiers/${id}`), caseId);
  await operator.locator("td", { hasText: "attend la seconde personne" }).waitFor();
  if (await operator.locator("section", { has: operator.locator("#seals-title") }).getByRole("button", { name: "Approuver" }).count()) throw new Error("its author is offered to approve");
  chief = await open(url, { role: "chief", theme: "light", ...SIZE });
  await chief.locator(".rail .badge", { hasText: "1" }).waitFor();
  await chief.keyboard.press("Alt+2");
  await chief.locator(".waiting a", { hasText: caseId }).click();
  await chief.getByRole("button", { name: "Approuver" }).click();
  await dialog(chief).getByRole("button", { name: "Approuver et fabriquer" }).click();
  await chief.locator("td", { hasText: /^prêt/ }).waitFor({ timeout: 120000 });
  await shot(chief, "case-light");
});

test("the receipt names case, receiver, persons and the archive's hash", async () => {
  await chief.getByRole("button", { name: "Reçu" }).click();
  const text = await dialog(chief).textContent();
  if (!/[0-9a-f]{64}/.test(text) || !text.includes("PV 2026/00812") || !text.includes("operator-1") || !text.includes("chief-1"))
    throw new Error(text);
  await shot(chief, "receipt-light");
  await chief.keyboard.press("Escape");
});

test("the officer of the case downloads the seal, and sha256sum finds every file whole", async () => {
  const officer = await open(url, { role: null });
  // Named in the case by the chief, in the page.
  await login(officer.context(), url, "officer");
  await chief.getByRole("button", { name: "Modifier la liste" }).click();
  await dialog(chief).locator("input").fill("officer-1");
  await dialog(chief).getByRole("button", { name: "Enregistrer" }).click();
  await chief.locator("dd", { hasText: "officer-1" }).waitFor();
  await officer.reload();
  await officer.evaluate((id) => (location.hash = `#/dossiers/${id}`), caseId);
  const download = officer.waitForEvent("download");
  await officer.getByRole("link", { name: "Télécharger" }).click();
  const tar = join(dir, "seal.tar");
  await (await download).saveAs(tar);
  const out = join(dir, "seal");
  mkdirSync(out);
  const untar = spawnSync("tar", ["-xf", tar, "-C", out, "--strip-components=1"], { encoding: "utf8" });
  if (untar.status !== 0) throw new Error(untar.stderr);
  const sums = spawnSync("sha256sum", ["-c", "SHA256SUMS"], { cwd: out, encoding: "utf8" });
  if (sums.status !== 0 || !/OK/.test(sums.stdout)) throw new Error(sums.stdout + sums.stderr);
  await officer.context().close();
});

test("an exhibit plays on the case's page, and its margins and note can be changed", async () => {
  await operator.getByRole("button", { name: "Lire la pièce 1" }).click();
  await operator.waitForFunction(() => (document.querySelector("dialog video")?.currentTime ?? 0) > 0.4, null, { timeout: 30000 });
  await operator.keyboard.press("Escape");
  await operator.locator(".exhibits").getByRole("button", { name: /^Modifier/ }).first().click();
  await dialog(operator).getByLabel("Secondes avant").fill("601");
  await dialog(operator).locator("[role=alert]", { hasText: "600" }).waitFor();
  await dialog(operator).getByLabel("Secondes avant").fill("10");
  await dialog(operator).getByLabel("Note").fill("Haut rouge, sac blanc");
  await dialog(operator).getByRole("button", { name: "Enregistrer" }).click();
  await operator.locator(".exhibits .note", { hasText: "sac blanc" }).waitFor();
});

test("no page made a request elsewhere, broke a policy or wrote an error", async () => {
  const odd = problems.filter((p) => !/Failed to load resource|net::ERR_|'localStorage'/.test(p));
  if (odd.length) throw new Error(odd.join("\n"));
});

await finish(async (n) => {
  if (!process.env.SHOTS) return;
  await operator?.screenshot({ path: join(tmpdir(), `handover-${n}-operator.png`) }).catch(() => undefined);
  await chief?.screenshot({ path: join(tmpdir(), `handover-${n}-chief.png`) }).catch(() => undefined);
});
