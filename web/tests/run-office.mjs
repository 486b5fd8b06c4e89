#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The work around the search in Debian's Chromium against the real server: from a data directory just made and its
// first administrator to cases, journal, roles, an ended session and a restarted server. Speaks TAP. SHOTS=1 renews
// web/docs.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { data, dir, finish, open, prepared, problems, program, root, run, serve, test, violations } from "./site.mjs";

const NEW = "Un-Mot-de-Passe-7";
const site = await prepared("a data directory is made and served", async () => {
  const made = spawnSync(program, ["init", data], { encoding: "utf8", timeout: 60000 });
  if (made.status !== 0) throw new Error(made.stderr);
  const said = /login (\S+), one-time password (\S+)/.exec(made.stdout);
  if (!said) throw new Error(`no one-time password in what init says:\n${made.stdout}`);
  return { ...(await serve()), login: said[1], secret: said[2] };
});
const { url } = site;

/* By keyboard alone: each text goes into the field that has the focus, Tab between, Enter at the end. */
async function type(page, ...texts) {
  for (const [i, text] of texts.entries()) {
    if (i > 0) await page.keyboard.press("Tab");
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Enter");
}
async function signIn(page, login, secret) {
  await page.waitForFunction(() => document.activeElement?.getAttribute("autocomplete") === "username");
  await type(page, login, secret);
}
async function firstPassword(page, once, secret) {
  await page.waitForFunction(() => document.activeElement?.getAttribute("autocomplete") === "current-password");
  await type(page, once, secret, secret);
}
const rail = (page) => page.locator(".rail a").allTextContents().then((all) => all.map((x) => x.trim()));
const same = (a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
};

let admin;
let chief;
const accounts = {};

test("nobody is answered before signing in, and a wrong password says no more than that", async () => {
  admin = await open(url, { role: null, width: 1440, height: 900 });
  await admin.locator(".gate-box").waitFor();
  if (await admin.locator(".rail").count()) throw new Error("the rail is shown");
  await signIn(admin, site.login, "Faux-Mot-de-Passe-9");
  await admin.locator(".refused", { hasText: "refusé" }).waitFor();
});

test("the first administrator signs in with the one-time password and must choose another, by keyboard", async () => {
  await admin.reload();
  await signIn(admin, site.login, site.secret);
  await admin.locator("h1", { hasText: "Choisir un mot de passe" }).waitFor();
  await firstPassword(admin, site.secret, "court");
  await admin.locator(".refused", { hasText: "trop faible" }).waitFor();
  await admin.reload();
  await firstPassword(admin, site.secret, NEW);
  await admin.locator(".rail").waitFor();
});

test("an administrator sees accounts and cameras, and neither search nor case", async () => {
  same(await rail(admin), ["Caméras", "Utilisateurs", "Système", "À propos"]);
  await admin.evaluate(() => (location.hash = "#/dossiers"));
  await admin.locator("h1", { hasText: "Caméras" }).waitFor();
});

test("the declaration can be read before signing in", async () => {
  const p = await open(url, { role: null });
  await p.getByRole("link", { name: "Accessibilité : non conforme" }).click();
  await p.locator("h1", { hasText: "Déclaration d’accessibilité" }).waitFor();
  const found = await violations(p);
  await p.context().close();
  if (found.length) throw new Error(found.join("\n"));
});

await finish(async (n) => {
  if (process.env.SHOTS) await admin?.screenshot({ path: join(dir, `failed-${n}.png`) }).catch(() => undefined);
});
