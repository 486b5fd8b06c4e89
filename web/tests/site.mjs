// SPDX-License-Identifier: Apache-2.0
// What every test of the page in Debian's Chromium needs: a data directory made by the shipped binaries, the real
// server on it, a browser, and TAP. RELECTURE names the program.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
// Real footage: PETS 2009 S2.L1, 79.5 s, people and one car.
export const CLIP = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
export const program = [
  process.env.RELECTURE,
  join(root, "build/relecture"),
  join(root, "build/release/relecture"),
].find((p) => p && existsSync(p));

let n = 0;
let failures = 0;
export const report = (good, name, why) => {
  console.log(`${good ? "ok" : "not ok"} ${++n} - ${name}`);
  if (!good) {
    failures++;
    for (const line of String(why ?? "").split("\n").slice(0, 12)) console.log(`# ${line}`);
  }
};

/* `make test` installs and builds all of this: what is missing is a failure, never a reason to pass. */
const needed = [
  [CHROMIUM, "Debian package chromium: make deps"],
  [CLIP, "Debian package opencv-doc: make deps"],
  [program ?? "build/relecture", "make all"],
  [join(root, "build/web/index.html"), "make web"],
  [join(root, "web/node_modules/playwright-core"), "make web"],
];
for (const [path, how] of needed) {
  if (path && existsSync(resolve(root, path))) continue;
  console.log(`not ok 1 - ${path} is there\n# ${how}\n1..1`);
  process.exit(1);
}
const axe = readFileSync(join(root, "web/node_modules/axe-core/axe.min.js"), "utf8");

// ---- a data directory, and a server on it ----------------------------------------------------------------------
/* Removed, and the server ended, when the test ends. */
export const dir = mkdtempSync(join(tmpdir(), "relecture-page-"));
export const data = join(dir, "data");
const children = [];
process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
  rmSync(dir, { recursive: true, force: true });
});
/* A wait that a failed step left behind must not end the others. */
process.on("unhandledRejection", () => undefined);

export const run = (...args) => {
  const r = spawnSync(program, args, { encoding: "utf8", timeout: 240000 });
  if (r.status !== 0) throw new Error(`relecture ${args.join(" ")}: ${r.status}\n${r.stderr}`);
  return r.stdout;
};
export const openCase = (requisition, cameras, from, to) =>
  JSON.parse(
    run("-d", data, "case", "open", "--requisition", requisition, "--authority", "OPJ, commissariat central",
      "--basis", "CPP 60-1", "--from", from, "--to", to, "--cameras", cameras, "--criteria", "all", "--json"),
  ).id;

export const PASSWORD = "Correct-Horse-7";
const users = new Set();
/* An account of that login, made when it is not there yet. */
export function user(login, role) {
  if (users.has(login)) return;
  const args = ["-d", data, "user", "add", "--login", login, "--name", `Personne ${login}`, "--role", role, "--habilitation", "arrêté 2026-12"];
  const r = spawnSync(program, args, { encoding: "utf8", input: `${PASSWORD}\n`, timeout: 60000 });
  if (r.status !== 0) throw new Error(`user add ${login}: ${r.status}\n${r.stderr}`);
  users.add(login);
}
/* Signs the browser context in; its pages then begin with a session. */
export async function login(context, url, role) {
  user(`${role}-1`, role);
  const reply = await context.request.post(`${url}/api/v1/login`, { data: { login: `${role}-1`, secret: PASSWORD } });
  if (!reply.ok()) throw new Error(`login ${role}: ${reply.status()} ${await reply.text()}`);
}

/* {child, url} of a server on `data`; `settings` as --set wants them. */
export const serve = (...settings) => serveAt(0, ...settings);
/* The same on a port of this machine; 0 = one that is free. */
export async function serveAt(port, ...settings) {
  const set = [`paths.web=${join(root, "build/web")}`, ...settings].flatMap((s) => ["--set", s]);
  const child = spawn(program, ["-d", data, ...set, "serve", "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const url = await new Promise((found, failed) => {
    let said = "";
    const look = (chunk) => {
      said += chunk;
      const m = /listening=\S+ port=(\d+)/.exec(said);
      if (m) found(`https://127.0.0.1:${m[1]}`);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("exit", (code) => failed(new Error(`the server ended with ${code}\n${said}`)));
    setTimeout(() => failed(new Error(`the server did not come up\n${said}`)), 60000).unref();
  });
  return { child, url };
}

/* What `prepare` makes before the tests is a test itself: its failure ends the run. */
export async function prepared(name, prepare) {
  try {
    return await prepare();
  } catch (e) {
    report(false, name, e.message);
    console.log(`1..${n}`);
    return process.exit(1);
  }
}

// ---- a browser ---------------------------------------------------------------------------------------------------
let browser;
/* What pages wrote to their console, and requests that left for elsewhere. */
export const problems = [];
/* `role`: who is signed in; null = nobody, and the page asks. */
export async function open(url, { width = 1720, height = 1000, theme = "dark", language = "fr", role = "chief", ...more } = {}) {
  const { chromium } = await import("playwright-core");
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"],
  });
  /* The server's certificate is its own; the tests of the server check it. */
  const context = await browser.newContext({ viewport: { width, height }, bypassCSP: false, ignoreHTTPSErrors: true, ...more });
  if (role) await login(context, url, role);
  await context.addInitScript(
    ([t, l]) => {
      localStorage.setItem("theme", localStorage.getItem("theme") ?? t);
      localStorage.setItem("language", localStorage.getItem("language") ?? l);
    },
    [theme, language],
  );
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("console", (m) => /error|warning/.test(m.type()) && problems.push(m.text()));
  page.on("pageerror", (e) => problems.push(e.message));
  page.on("request", (r) => {
    if (!r.url().startsWith(url) && !/^(blob|data):/.test(r.url())) problems.push(`outside request ${r.url()}`);
  });
  await page.goto(url);
  return page;
}
export const cards = (page) => page.locator(".card:not(.ghost)");
/* The answer to the next search that `act` causes. */
export async function answerTo(page, act) {
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/search") && r.request().method() === "POST");
  await act();
  const answer = await (await answered).json();
  /* What is chosen, and so what a key acts on, follows the answer only once it is shown. */
  await page.locator('.mid[aria-busy="false"]').waitFor();
  return answer;
}
export const ask = (page, sentence) =>
  answerTo(page, async () => {
    await page.fill("#sentence", sentence);
    await page.keyboard.press("Enter");
  });
export const playing = (page) =>
  page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.6, null, { timeout: 30000 });

/* axe is evaluated by the debugger, which the page's CSP does not concern. */
export async function violations(page, except = []) {
  await page.evaluate(axe);
  const r = await page.evaluate(
    (off) =>
      globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        rules: Object.fromEntries(off.map((rule) => [rule, { enabled: false }])),
      }),
    except,
  );
  return r.violations.map((v) => `${v.id}: ${v.nodes.map((x) => x.target.join(" ")).slice(0, 3).join(" | ")}`);
}

// ---- TAP ---------------------------------------------------------------------------------------------------------
const tests = [];
export const test = (name, body) => tests.push([name, body]);
/* Runs what test() collected, and ends the process. `failed(n)` may take a picture. */
export async function finish(failed) {
  for (const [name, body] of tests) {
    try {
      await body();
      report(true, name);
    } catch (e) {
      report(false, name, e.message);
      await failed?.(n);
    }
  }
  console.log(`1..${n}`);
  await browser?.close();
  process.exit(failures ? 1 : 0);
}
