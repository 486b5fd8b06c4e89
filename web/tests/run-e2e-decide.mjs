#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Decisions, exhibits, kept searches and a route confirmed by hand: two operators on one case, by keyboard, against
// the real server. Speaks TAP; SHOTS=1 renews its pictures in web/docs.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import {
  answerTo, ask, CLIP, cards, data, finish, open, openCase, PASSWORD, playing, prepared, problems, root, run, serve,
  serveAt, test, user,
  violations,
} from "./site.mjs";

const { child, url, caseId } = await prepared("two cameras of real footage are imported and served", async () => {
  run("init", data);
  appendFileSync(join(data, "relecture.conf"), "site.purge = by_hand\n");
  run("-d", data, "camera", "add", "--id", "gare-01", "--name", "Gare, parvis", "--lat", "43.5536", "--lon", "7.0174");
  run("-d", data, "camera", "add", "--id", "port-03", "--name", "Vieux port", "--lat", "43.5524", "--lon", "7.0161");
  const caseId = openCase("PV 2026/00812", "gare-01,port-03", "2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z");
  run("-d", data, "import", "--case", caseId, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", CLIP);
  run("-d", data, "import", "--case", caseId, "--camera", "port-03", "--start", "2026-11-20T14:02:00Z", CLIP);
  return { ...(await serve()), caseId };
});
let server = { child };

const say = (good, why) => {
  if (!good) throw new Error(typeof why === "string" ? why : JSON.stringify(why));
};
const list = (page) => page.locator("[role=listbox]").first();
const chosen = async (page) => (await page.locator('.card[aria-selected="true"]').getAttribute("id")).slice(2);
const mark = (page, id, text) => page.locator(`#s-${id} .mark`, { hasText: text }).waitFor();
const inCase = (page, path) =>
  page.evaluate(([p, c]) => fetch(`/api/v1${p}`, { headers: { "X-Case": c } }).then((r) => r.json()), [path, caseId]);
/* What the page writes to the server for one act. */
const written = (page, what) => page.waitForResponse((r) => r.request().method() !== "GET" && r.url().includes(what));
let page;
let all;

test("one key decides and goes on to the next passage", async () => {
  page = await open(url, { role: "operator" });
  await cards(page).first().waitFor();
  await page.getByRole("button", { name: "Grouper les quasi-doublons" }).click();
  all = (await ask(page, "personne gare-01")).items.map((s) => s.id);
  await list(page).focus();
  await page.keyboard.press("Home");
  for (const [key, word, at] of [["o", "confirmé", 0], ["n", "écarté", 1], ["i", "indécis", 2]]) {
    say((await chosen(page)) === all[at], `passage ${at} is not the chosen one`);
    const reply = written(page, "/decision");
    await page.keyboard.press(key);
    say((await reply).status() === 200, await (await reply).text());
    await mark(page, all[at], word);
  }
  say((await chosen(page)) === all[3], "the last decision did not go on");
});

test("a decision is superseded with a reason, and the old one stays", async () => {
  await list(page).focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("n");
  const dialog = page.locator("dialog[open]");
  await dialog.waitFor();
  await page.keyboard.press("Enter");
  await dialog.locator("[role=alert]", { hasText: "pourquoi" }).waitFor();
  await page.keyboard.type("Revu : autre personne");
  const reply = written(page, "/decision");
  await page.keyboard.press("Enter");
  say((await reply).status() === 200, await (await reply).text());
  await mark(page, all[0], "écarté");
  const history = (await inCase(page, `/sightings/${all[0]}/decisions`)).items;
  say(history.length === 2 && history[0].state === "rejected" && history[0].reason === "Revu : autre personne" && history[1].state === "confirmed", history);
  // Undo is deciding again.
  await page.locator(`#s-${all[0]}`).click();
  await list(page).focus();
  await page.keyboard.press("o");
  await dialog.waitFor();
  await page.keyboard.type("Erreur de touche");
  await page.keyboard.press("Enter");
  await mark(page, all[0], "confirmé");
});

test("A puts a passage into the file: confirmed, an exhibit, and the next one is chosen", async () => {
  await page.locator(`#s-${all[3]}`).click();
  await list(page).focus();
  const reply = written(page, "/exhibits");
  await page.keyboard.press("a");
  say((await reply).status() === 201, await (await reply).text());
  await mark(page, all[3], "au dossier");
  say((await chosen(page)) === all[4], "did not go on");
  const first = (await inCase(page, `/cases/${caseId}/exhibits`)).items[0];
  say(first.sighting_id === all[3] && first.decision.state === "confirmed" && first.pad_before_s === 5, first);
});

test("an exhibit's pads and note are kept, by keyboard alone", async () => {
  await page.locator(".tray li button").first().press("Enter");
  const dialog = page.locator("dialog[open]");
  await dialog.waitFor();
  await dialog.getByLabel("Secondes avant").fill("12");
  await dialog.getByLabel("Secondes après").fill("601");
  say(await dialog.getByRole("button", { name: "Enregistrer" }).isDisabled(), "601 s can be saved");
  await dialog.getByLabel("Secondes après").fill("20");
  await dialog.getByLabel(/^Note/).fill("Se retourne deux fois");
  const reply = written(page, "/exhibits/");
  await dialog.getByLabel("Secondes avant").press("Enter");
  say((await reply).status() === 200, await (await reply).text());
  await dialog.waitFor({ state: "detached" });
  const first = (await inCase(page, `/cases/${caseId}/exhibits`)).items[0];
  say(first.pad_before_s === 12 && first.pad_after_s === 20 && first.note === "Se retourne deux fois", first);
});

test("an exhibit is taken out again, its decision stays", async () => {
  await page.locator(`#s-${all[5]}`).click();
  await list(page).focus();
  await page.keyboard.press("a");
  await mark(page, all[5], "au dossier");
  await page.locator(".tray li").nth(1).getByRole("button").press("Enter");
  await page.locator("dialog[open]").getByRole("button", { name: "Retirer des pièces" }).press("Enter");
  await page.waitForFunction(() => document.querySelectorAll(".tray li").length === 1);
  await mark(page, all[5], "confirmé");
});

async function colleague() {
  user("operator-2", "operator");
  const p = await open(url, { role: null });
  const reply = await p.context().request.post(`${url}/api/v1/login`, { data: { login: "operator-2", secret: PASSWORD } });
  say(reply.ok(), await reply.text());
  await p.goto(url);
  await cards(p).first().waitFor();
  await p.getByRole("button", { name: "Grouper les quasi-doublons" }).click();
  await ask(p, "personne gare-01");
  return p;
}

test("what a colleague decides appears by itself", async () => {
  const other = await colleague();
  await other.locator(`#s-${all[6]}`).click();
  await list(other).focus();
  await other.keyboard.press("n");
  await mark(other, all[6], "écarté");
  await mark(page, all[6], "écarté");
  await other.context().close();
});

test("two on one passage: the second sees what the first decided, and nothing is written over", async () => {
  const other = await colleague();
  await other.route("**/api/v1/events**", (r) => r.abort()); // news have not come yet
  await other.reload();
  await cards(other).first().waitFor();
  await other.getByRole("button", { name: "Grouper les quasi-doublons" }).waitFor();
  await ask(other, "personne gare-01");
  await other.locator(`#s-${all[7]}`).click();
  await page.locator(`#s-${all[7]}`).click();
  await list(page).focus();
  await page.keyboard.press("o");
  await mark(page, all[7], "confirmé");
  await list(other).focus();
  await other.keyboard.press("n");
  const dialog = other.locator("dialog[open]", { hasText: "Quelqu’un d’autre" });
  await dialog.waitFor();
  say(/operator-1/.test(await dialog.textContent()), await dialog.textContent());
  say((await violations(other)).length === 0, (await violations(other)).join("\n"));
  await dialog.getByRole("button", { name: /Garder/ }).press("Enter");
  await mark(other, all[7], "confirmé");
  const history = (await inCase(page, `/sightings/${all[7]}/decisions`)).items;
  say(history.length === 1 && history[0].state === "confirmed", history);
  await other.context().close();
});

test("a search is kept in the case and asked again from it", async () => {
  const before = await ask(page, "personne haut rouge");
  await page.getByRole("button", { name: "Recherches" }).press("Enter");
  const dialog = page.locator("dialog[open]");
  await dialog.getByLabel("Nom").fill("Rouge, gare");
  await page.keyboard.press("Enter");
  await dialog.locator(".saved b", { hasText: "Rouge, gare" }).waitFor();
  say((await violations(page)).length === 0, (await violations(page)).join("\n"));
  await page.keyboard.press("Escape");
  await ask(page, "voiture");
  await page.getByRole("button", { name: "Recherches" }).press("Enter");
  const again = await answerTo(page, () => dialog.locator(".saved .row").first().press("Enter"));
  say(again.total === before.total && (await page.inputValue("#sentence")) === "personne haut rouge", again.total);
});

test("a hop confirmed by hand makes the route longer, and it is there again after a reload", async () => {
  await ask(page, "voiture gare-01");
  await list(page).focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("p");
  const proposed = page.locator(".where", { hasText: "port-03" }).locator("[role=listbox]");
  await proposed.waitFor();
  await proposed.locator("[role=option]").first().click();
  await proposed.focus();
  const reply = written(page, "/decision");
  await page.keyboard.press("o");
  say((await reply).status() === 200, await (await reply).text());
  await page.waitForFunction(() => document.querySelectorAll(".chain tbody tr").length === 2);
  const row = await page.locator(".chain tbody tr").nth(1).textContent();
  say(/port-03/.test(row) && /0,\d km/.test(row) && /\d km\/h au moins/.test(row), row);
  say((await page.locator(".map line.leg").count()) === 1, "no line on the map");
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll(".chain tbody tr").length === 2);
  say((await violations(page)).length === 0, (await violations(page)).join("\n"));
});

test("the confirmed hops go into the file together", async () => {
  const reply = written(page, "/exhibits");
  await page.getByRole("button", { name: "Ajouter les confirmés au dossier" }).press("Enter");
  say((await reply).status() === 201, await (await reply).text());
  await page.waitForFunction(() => document.querySelectorAll(".tray li").length === 2);
});

if (process.env.SHOTS)
  test("pictures for the documentation", async () => {
    const docs = (name) => join(root, `web/docs/${name}.png`);
    for (const [theme, name] of [["dark", "decisions-dark"], ["light", "decisions-light"]]) {
      const p = await open(url, { width: 1440, height: 900, theme, role: "operator" });
      await cards(p).first().waitFor();
      await ask(p, "personne gare-01");
      await p.keyboard.press("Home");
      await playing(p).catch(() => undefined); // a picture without motion is one too
            await p.screenshot({ path: docs(name) });
      await ask(p, "voiture gare-01");
      await p.keyboard.press("Home");
      await p.keyboard.press("p");
      await p.waitForFunction(() => document.querySelectorAll(".chain tbody tr").length === 2);
      await playing(p).catch(() => undefined); // a picture without motion is one too
      await p.screenshot({ path: docs(`route-${theme}`) });
      await p.context().close();
    }
  });

test("a passage erased while it is looked at is said to be gone", async () => {
  await page.keyboard.press("Alt+1");
  await ask(page, "personne port-03");
  await list(page).focus();
  // Only an hourly server purges beside a running page; here it stops for it, and comes back with the session.
  const ended = new Promise((done) => server.child.on("exit", done));
  server.child.kill("SIGTERM");
  await ended;
  run("-d", data, "purge", "--before", "2026-11-20T15:00:00Z", "--camera", "port-03");
  server = await serveAt(new URL(url).port);
  await page.keyboard.press("End");
  await page.locator(".fault[role=alert]", { hasText: "n’existe plus" }).waitFor();
  const a = await answerTo(page, () => page.getByRole("button", { name: "Actualiser la liste" }).press("Enter"));
  say(a.total === 0, `${a.total} passages are still there`);
});

test("an auditor decides nothing and keeps nothing", async () => {
  const p = await open(url, { role: "auditor" });
  await p.locator("nav.rail a").first().waitFor();
  say((await p.locator("nav.rail a", { hasText: "Recherche" }).count()) === 0, "the search is offered");
  await p.context().close();
});

test("nothing was asked elsewhere, no policy broken, no error written", async () => {
  const odd = problems.filter((p) => !/Failed to load resource/.test(p));
  say(odd.length === 0, odd.join("\n"));
});

await finish();
