#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The work around the search in Debian's Chromium against the real server: from a data directory just made and its
// first administrator to cases, journal, roles, an ended session and a restarted server. Speaks TAP. SHOTS=1 renews
// web/docs.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, dir, finish, open, prepared, problems, program, root, serve, serveAt, test, violations } from "./site.mjs";

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
  await page.locator("input[autocomplete=new-password]").first().waitFor();
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

/* A labelled field of the page or of its dialog. */
const field = (page, label) => page.getByLabel(label, { exact: false }).first();
const dialog = (page) => page.locator("dialog[open]");
const toast = (page, text) => page.locator(".toast", { hasText: text }).waitFor();

/* Makes an account in the page and gives its one-time password. */
async function account(login, name, role) {
  await admin.keyboard.press("Alt+7");
  await admin.getByRole("button", { name: "Créer un compte" }).click();
  await field(dialog(admin), "Identifiant").fill(login);
  await field(dialog(admin), "Nom").fill(name);
  await field(dialog(admin), "Rôle").selectOption(role);
  await field(dialog(admin), "Habilitation").fill("Arrêté 2026-31");
  await dialog(admin).getByRole("button", { name: "Créer le compte" }).click();
  const secret = (await admin.locator(".secret").textContent()).trim();
  await dialog(admin).getByRole("button", { name: "C’est noté" }).click();
  await admin.locator("tr", { hasText: login }).waitFor();
  return secret;
}
/* A browser of its own in which that person has chosen a password. */
async function first(login, secret, more = {}) {
  const p = await open(url, { role: null, width: 1440, height: 900, ...more });
  await signIn(p, login, secret);
  await firstPassword(p, secret, NEW);
  await p.locator(".rail").waitFor();
  return p;
}

test("the first page of accounts says what is still missing, and makes them with passwords shown once", async () => {
  await admin.keyboard.press("Alt+7");
  await admin.locator(".first-run").waitFor();
  accounts.chief = await account("chef.01", "Nadia Benali", "chief");
  accounts.chief2 = await account("chef.02", "Luc Moreau", "chief");
  accounts.operator = await account("op.14", "Jean-Baptiste de La Rochefoucauld-Montmorency d’Aubeterre-sur-Dronne", "operator");
  accounts.officer = await account("opj.01", "Cne Paul Garnier", "officer");
  accounts.auditor = await account("audit.01", "Sophie Lambert", "auditor");
  if (await admin.locator(".first-run").count()) throw new Error("still says that the account is the only one");
  if (new Set(Object.values(accounts)).size !== 5) throw new Error("two accounts have one password");
});

test("a camera is declared with its place, its view and a clock worked out from two times", async () => {
  await admin.keyboard.press("Alt+5");
  await admin.getByRole("button", { name: "Ajouter une caméra" }).click();
  await field(admin, "Numéro").fill("gare-01");
  await field(admin, "Lieu").fill("Gare, parvis");
  await field(admin, "Latitude").fill("43,5536");
  await field(admin, "Longitude").fill("7,0174");
  await field(admin, "Orientation").fill("200");
  await field(admin, "Angle de vue").fill("60");
  await dialog(admin).locator("summary").click();
  await field(admin, "Heure affichée").fill("14:07:12");
  await field(admin, "Heure vraie").fill("14:07:05");
  await dialog(admin).getByRole("button", { name: "Reprendre" }).press("Enter");
  for (let i = 0; i < 50 && /^0?$/.test(await field(admin, "Correction d’horloge").inputValue()); i++) await admin.waitForTimeout(100);
  // By keyboard: the fields have just moved, and a click would have to hit the button where it was.
  await field(admin, "Numéro").press("Enter");
  await toast(admin, "gare-01").catch(async (e) => {
    throw new Error(`${e.message}\n${await admin.locator("body").innerText()}`);
  });
  await admin.locator("tr", { hasText: "gare-01" }).locator("td", { hasText: "−7 s" }).waitFor();
});

test("a clock is not changed without a reason", async () => {
  await admin.getByRole("button", { name: "gare-01", exact: true }).click();
  await field(admin, "Correction d’horloge").fill("0");
  await dialog(admin).getByRole("button", { name: "Enregistrer" }).click();
  await dialog(admin).locator(".refused", { hasText: "pourquoi" }).waitFor();
  await field(admin, "Motif de la correction").fill("Horloge réglée sur place");
  await dialog(admin).getByRole("button", { name: "Enregistrer" }).click();
  await admin.locator("tr", { hasText: "gare-01" }).locator("td", { hasText: /^0$/ }).waitFor();
});

test("chosen cameras become a group", async () => {
  await admin.getByLabel("Choisir gare-01").check();
  await admin.getByRole("button", { name: "Groupe avec les 1 choisies" }).click();
  await field(admin, "Nom du groupe").fill("Abords gare");
  await dialog(admin).getByRole("button", { name: "Enregistrer" }).click();
  await admin.locator(".groups", { hasText: "Abords gare" }).waitFor();
});

test("a chief without a case is told so, and led to open one", async () => {
  chief = await first("chef.01", accounts.chief);
  same(await rail(chief), ["Recherche", "Dossiers", "Parcours", "Import", "Caméras", "Journal", "Système", "À propos"]);
  await chief.locator("h1", { hasText: "Aucun dossier ouvert" }).waitFor();
  await chief.getByRole("link", { name: "Nouveau dossier" }).click();
  await chief.locator("h1", { hasText: "Nouveau dossier" }).waitFor();
});

const PDF = join(dir, "requisition.pdf");
const moment = (ms) => {
  const p = new Intl.DateTimeFormat("fr-FR", { timeZone: "Europe/Paris", dateStyle: "short", timeStyle: "short" }).format(ms);
  return p.replace(/\/(\d\d) /, "/20$1 ");
};
const hour = 3600e3;
const now = Math.floor(Date.now() / hour) * hour;

async function fillCase(p, no) {
  await field(p, "Numéro de la réquisition").fill(no);
  await field(p, "Autorité").fill("Cne Paul Garnier, brigade de sûreté urbaine");
  await field(p, "Infraction").fill("Vol avec effraction");
  await p.locator("input[type=file]").setInputFiles(PDF);
  await p.locator(".filepick + .hint", { hasText: "SHA-256" }).waitFor();
  await field(p, "Début de la période").fill(moment(now - 26 * hour));
  await field(p, "Fin de la période").fill(moment(now - 20 * hour));
  await p.locator(".rows label", { hasText: "gare-01" }).locator("input").check();
  await field(p, "Texte de la réquisition").fill("Rechercher un individu porteur d’un haut rouge.\nAucune plaque.");
  for (const [what, line] of [["Personne : vêtement du haut", "Rechercher un individu porteur d’un haut rouge."], ["Véhicule : couleur", "Tout véhicule de couleur claire"]]) {
    await p.locator(".criteria li", { hasText: what }).locator("input[type=checkbox]").check();
    await field(p, `fonde « ${what} »`).fill(line);
  }
  await field(p, "Autorisation valable").fill(moment(now + 20 * 24 * hour));
  await field(p, "OPJ du dossier").fill("opj.01");
}

test("a case needs everything: what is missing is named at its field", async () => {
  await chief.getByRole("button", { name: "Ouvrir le dossier" }).click();
  await chief.locator("[role=status]", { hasText: "champs à revoir" }).waitFor();
  await chief.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
  await field(chief, "Début de la période").fill("31/02/2026 10:00");
  await chief.keyboard.press("Tab");
  await chief.locator(".field", { hasText: "Début de la période" }).locator("[role=alert]", { hasText: "jj/mm/aaaa" }).waitFor();
});

let caseId;
test("a session that ends in mid-work loses nothing typed: one dialog, and the case is opened", async () => {
  writeFileSync(PDF, "%PDF-1.4 requisition");
  await fillCase(chief, "PV 2026/00812");
  // Somebody ends the session elsewhere: here the administrator.
  await admin.keyboard.press("Alt+7");
  await admin.locator("tr", { hasText: "chef.01" }).getByRole("button", { name: "Actions" }).click();
  await admin.locator(".menu:popover-open").getByRole("button", { name: "Fermer ses sessions" }).click();
  await dialog(admin).getByRole("button", { name: "Fermer ses sessions" }).click();
  await toast(admin, "Nadia Benali");
  await chief.getByRole("button", { name: "Ouvrir le dossier" }).click();
  await dialog(chief).locator("h2", { hasText: "Votre session a pris fin" }).waitFor();
  await chief.keyboard.press("Escape");
  await dialog(chief).locator("h2", { hasText: "Votre session a pris fin" }).waitFor();
  await chief.keyboard.type(NEW);
  await chief.keyboard.press("Enter");
  await chief.locator("h1", { hasText: "PV 2026/00812" }).waitFor();
  caseId = /(\d{4}-\d+)/.exec(await chief.locator("h1").textContent())[1];
  await chief.locator(".quotes q", { hasText: "haut rouge" }).waitFor();
  if ((await chief.locator("#case").inputValue()) !== caseId) throw new Error("the new case is not the one worked in");
});

test("an extension is asked for and decided by another person only", async () => {
  const ask = async (p) => {
    await p.getByRole("button", { name: "Demander une extension" }).click();
    await field(p, "Motif").fill("Le véhicule est revenu plus tard");
    await dialog(p).locator("input[type=file]").setInputFiles(PDF);
    await dialog(p).locator(".hint", { hasText: "SHA-256" }).waitFor();
    await field(dialog(p), "Fin de la période").fill(moment(now - 18 * hour));
    await dialog(p).getByRole("button", { name: "Demander l’accord" }).click();
    await toast(p, "Extension demandée");
  };
  await ask(chief);
  await chief.getByRole("button", { name: "Approuver" }).click();
  await dialog(chief).getByRole("button", { name: "Approuver" }).click();
  await dialog(chief).locator(".refused", { hasText: "seconde personne" }).waitFor();
  await chief.keyboard.press("Escape");
  const other = await first("chef.02", accounts.chief2);
  await other.evaluate((id) => (location.hash = `#/dossiers/${id}`), caseId);
  await other.getByRole("button", { name: "Approuver" }).click();
  await dialog(other).getByRole("button", { name: "Approuver" }).click();
  await other.locator("td", { hasText: "accordée" }).waitFor();
  await other.context().close();
});

test("an officer reads the case he is named in and nothing else; an operator opens none", async () => {
  const officer = await first("opj.01", accounts.officer);
  same(await rail(officer), ["Dossiers", "Caméras", "À propos"]);
  await officer.locator("tbody a", { hasText: caseId }).click();
  await officer.locator("h1", { hasText: "PV 2026/00812" }).waitFor();
  for (const name of ["Clore le dossier", "Demander une extension"])
    if (await officer.getByRole("button", { name }).count()) throw new Error(`an officer is offered « ${name} »`);
  await officer.context().close();
  const operator = await first("op.14", accounts.operator);
  same(await rail(operator), ["Recherche", "Dossiers", "Parcours", "Import", "Caméras", "À propos"]);
  await operator.keyboard.press("Alt+2");
  await operator.locator("tbody a", { hasText: caseId }).waitFor();
  if (await operator.getByRole("link", { name: "Nouveau dossier" }).count()) throw new Error("an operator may open a case");
  await operator.evaluate(() => (location.hash = "#/dossiers/nouveau"));
  if (await operator.locator("h1", { hasText: "Nouveau dossier" }).count()) throw new Error("by its address an operator reaches the form");
  const wide = await operator.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 1) throw new Error(`a long name makes the page ${wide} px too wide`);
  await operator.context().close();
});

test("an auditor verifies the journal in two gestures and finds who opened the case", async () => {
  const auditor = await first("audit.01", accounts.auditor);
  same(await rail(auditor), ["Journal", "Système", "À propos"]);
  await auditor.keyboard.press("Alt+6");
  await auditor.getByRole("button", { name: "Vérifier la chaîne maintenant" }).click();
  await auditor.locator(".verify.good", { hasText: "lignes intactes" }).waitFor();
  await field(auditor, "Dossier").fill(caseId);
  await auditor.keyboard.press("Enter");
  await auditor.locator(".journal td", { hasText: "dossier ouvert" }).waitFor();
  await auditor.locator(".journal tr", { hasText: "dossier ouvert" }).locator("button").click();
  await auditor.locator(".journal pre", { hasText: "PV 2026/00812" }).waitFor();
  accounts.page = auditor;
});

test("a second factor is enrolled, asked for, and taken away", async () => {
  const menu = async (what) => {
    await admin.keyboard.press("Alt+7");
    await admin.locator("tr", { hasText: "op.14" }).getByRole("button", { name: "Actions" }).click();
    await admin.locator(".menu:popover-open").getByRole("button", { name: what }).click();
    await dialog(admin).getByRole("button", { name: what }).click();
  };
  await menu("Activer un second facteur");
  if (!/^[A-Z2-7 ]{30,}$/.test((await admin.locator(".secret").textContent()).trim())) throw new Error("no secret in base 32");
  await dialog(admin).getByRole("button", { name: "C’est noté" }).click();
  const p = await open(url, { role: null });
  await signIn(p, "op.14", NEW);
  await p.locator(".refused", { hasText: "refusé" }).waitFor();
  await p.context().close();
  await menu("Retirer le second facteur");
  await toast(admin, "modifié");
  await menu("Désactiver le compte");
  await admin.locator("tr", { hasText: "op.14" }).locator("td", { hasText: "désactivé" }).waitFor();
  await menu("Réactiver le compte");
  await admin.locator("tr", { hasText: "op.14" }).locator("td", { hasText: "actif" }).waitFor();
});

test("an account that fails five times is locked, and says for how long", async () => {
  const p = await open(url, { role: null });
  for (let i = 0; i < 6; i++) {
    await p.reload();
    await signIn(p, "op.14", "Faux-Mot-de-Passe-9");
    await p.locator(".refused").waitFor();
  }
  await p.locator(".refused", { hasText: "bloqué pour" }).waitFor();
  await p.context().close();
});

test("a server that restarts is said, and what was typed goes on afterwards", async () => {
  await chief.evaluate(() => (location.hash = "#/dossiers/nouveau"));
  await field(chief, "Numéro de la réquisition").fill("PV 2026/00999");
  const port = new URL(url).port;
  const over = new Promise((done) => site.child.on("exit", done));
  site.child.kill("SIGTERM");
  await over;
  await chief.evaluate(() => (location.hash = "#/journal"));
  await chief.locator(".line.gone", { hasText: "ne répond plus" }).waitFor();
  site.child = (await serveAt(Number(port))).child;
  await chief.locator(".toast", { hasText: "répond de nouveau" }).waitFor({ timeout: 60000 });
  await chief.locator(".journal td").first().waitFor();
  await chief.evaluate(() => (location.hash = "#/dossiers/nouveau"));
  if ((await field(chief, "Numéro de la réquisition").inputValue()) !== "PV 2026/00999") throw new Error("what was typed is lost");
});

const looks = [
  { theme: "dark" },
  { theme: "light", language: "en" },
  { theme: "dark", forcedColors: "active" },
];
for (const look of looks)
  test(`axe finds nothing on any page and dialog: ${Object.values(look).join(", ")}`, async () => {
    const found = [];
    const on = async (p, where) => {
      const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 1) found.push(`${where}: ${wide} px too wide`);
      // In forced colours the contrast is the person's own choice.
      const except = look.forcedColors ? ["color-contrast"] : [];
      found.push(...(await violations(p, except)).map((v) => `${where}: ${v}`));
    };
    const as = async (login, visit) => {
      const p = await open(url, { role: null, width: 1366, height: 768, reducedMotion: "reduce", ...look });
      await p.locator(".gate-box").waitFor();
      await on(p, "signing in");
      await signIn(p, login, NEW);
      await p.locator(".rail").waitFor();
      await visit(p);
      await p.context().close();
    };
    const go = async (p, hash, wait) => {
      await p.evaluate((h) => (location.hash = h), hash);
      await p.locator(wait).first().waitFor();
      await on(p, hash);
    };
    const box = async (p, button, where) => {
      await button.click();
      await dialog(p).waitFor();
      await on(p, where);
      await p.keyboard.press("Escape");
    };
    await as("chef.02", async (p) => {
      await go(p, "#/dossiers", "tbody a");
      await go(p, "#/dossiers/nouveau", ".pick .rows li");
      await go(p, `#/dossiers/${caseId}`, ".quotes");
      await box(p, p.locator("section", { has: p.locator("#extensions-title") }).locator(".btn").first(), "extension");
      await box(p, p.locator(".hd .btn").first(), "closing");
      await go(p, "#/import", ".notice");
      await go(p, "#/cameras", ".citymap");
      await go(p, "#/journal", ".journal td");
      await go(p, "#/systeme", ".kp");
      await go(p, "#/a-propos", "td");
      await go(p, "#/a-propos/accessibilite", ".prose");
      await p.locator(".who").click();
      await on(p, "who");
    });
    await as(site.login, async (p) => {
      await go(p, "#/utilisateurs", ".matrix td");
      await box(p, p.locator(".hd .btn.pri"), "new account");
      await go(p, "#/cameras", ".citymap");
      await box(p, p.locator(".hd .btn.pri"), "new camera");
    });
    if (found.length) throw new Error(found.join("\n"));
  });

for (const [width, height] of [[720, 450], [360, 740]])
  test(`nothing is cut off sideways at ${width} px (1440 px at ${Math.round(144000 / width)} %)`, async () => {
    const p = await open(url, { role: null, width, height });
    await signIn(p, "chef.02", NEW);
    await p.locator(".rail").waitFor();
    const found = [];
    for (const [hash, wait] of [["#/dossiers", "tbody a"], ["#/dossiers/nouveau", ".pick .rows li"], [`#/dossiers/${caseId}`, ".quotes"], ["#/journal", ".journal td"], ["#/cameras", ".citymap"], ["#/import", ".notice"], ["#/systeme", ".kp"], ["#/a-propos/accessibilite", ".prose"]]) {
      await p.evaluate((h) => (location.hash = h), hash);
      await p.locator(wait).first().waitFor();
      const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 1) found.push(`${hash}: ${wide} px too wide`);
    }
    await p.context().close();
    if (found.length) throw new Error(found.join("\n"));
  });

if (process.env.SHOTS)
  test("pictures for the documentation", async () => {
    const shot = async (p, name) => {
      await p.mouse.move(2, 890);
      await p.screenshot({ path: join(root, `web/docs/${name}.png`) });
    };
    const size = { role: null, width: 1440, height: 900, reducedMotion: "reduce" };
    const gate = await open(url, { ...size, theme: "light" });
    await gate.locator(".gate-box").waitFor();
    await shot(gate, "login-light");
    await gate.context().close();
    const p = await open(url, { ...size, theme: "light" });
    await signIn(p, "audit.01", NEW);
    await p.locator(".journal td").first().waitFor();
    await p.getByRole("button", { name: "Vérifier la chaîne maintenant" }).click();
    await p.locator(".verify.good").waitFor();
    await shot(p, "journal-light");
    await p.keyboard.press("Alt+8");
    await p.locator(".kp").waitFor();
    await shot(p, "system-light");
    await p.evaluate(() => (location.hash = "#/a-propos/accessibilite"));
    await p.locator(".prose").waitFor();
    await shot(p, "declaration-light");
    await p.context().close();
    const a = await open(url, { ...size, theme: "dark" });
    await signIn(a, site.login, NEW);
    await a.locator(".rail").waitFor();
    await a.keyboard.press("Alt+7");
    await a.locator(".matrix td").first().waitFor();
    await shot(a, "users-dark");
    await a.context().close();
  });

test("a case is closed with its reason, and nothing can be searched in it", async () => {
  await chief.evaluate((id) => (location.hash = `#/dossiers/${id}`), caseId);
  await chief.getByRole("button", { name: "Clore le dossier" }).click();
  await field(chief, "Motif").fill("Enquête terminée");
  await dialog(chief).getByRole("button", { name: "Clore le dossier" }).click();
  await toast(chief, "clos");
  await chief.locator(".tag", { hasText: "clos" }).waitFor();
  await chief.keyboard.press("Alt+1");
  await chief.locator("h1", { hasText: "Aucun dossier ouvert" }).waitFor();
});

test("no page made a request elsewhere, broke a policy or wrote an error", async () => {
  // Refusals and the restart are meant: Chromium writes a line for each failed request, and its error page has no storage.
  const odd = problems.filter((p) => !/Failed to load resource|net::ERR_|'localStorage'/.test(p));
  if (odd.length) throw new Error(odd.join("\n"));
});

await finish(async (n) => {
  if (!process.env.SHOTS) return;
  await admin?.screenshot({ path: join(tmpdir(), `office-${n}-admin.png`) }).catch(() => undefined);
  await chief?.screenshot({ path: join(tmpdir(), `office-${n}-chief.png`) }).catch(() => undefined);
});
