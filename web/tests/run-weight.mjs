#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What the first load weighs, and that the built page asks nobody else: checks on build/web, as TAP.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const built = join(dirname(fileURLToPath(import.meta.url)), "../../build/web");
const LIMIT_BYTES = 80 * 1024;
let n = 0;
const check = (good, name) => console.log(`${good ? "ok" : "not ok"} ${++n} - ${name}`);

if (!existsSync(join(built, "index.html"))) {
  check(false, "the built page is there (make web builds it)");
} else {
  const html = readFileSync(join(built, "index.html"), "utf8");
  const loaded = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map((m) => m[1]);
  const weight = loaded.reduce((sum, f) => sum + gzipSync(readFileSync(join(built, f)), { level: 9 }).length, 0);
  check(loaded.length >= 2, "the index loads a script and a style");
  check(weight <= LIMIT_BYTES, `first load is ${(weight / 1024).toFixed(1)} KiB gzip of script and style, at most 80`);
  check(!/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/i.test(html), "no inline script or style");
  check(loaded.every((f) => html.includes(`/${f}" integrity="sha384-`)), "what the index loads has an integrity hash");
  const assets = readdirSync(join(built, "assets")).filter((f) => /\.(js|css)$/.test(f));
  const outside = assets.filter((f) =>
    // Licence texts name their sites, and the drawing namespace is a name, not an address.
    !f.startsWith("about-") && /https?:\/\/(?!www\.w3\.org\/)/.test(readFileSync(join(built, "assets", f), "utf8")),
  );
  check(outside.length === 0, `no address of another site in the page ${outside.join(" ")}`);
  const src = join(dirname(fileURLToPath(import.meta.url)), "../src");
  const sources = readdirSync(src, { recursive: true }).filter((f) => /\.tsx?$/.test(f));
  const markup = sources.filter((f) => /innerHTML|\beval\(|new Function\(|document\.write/i.test(readFileSync(join(src, f), "utf8")));
  check(markup.length === 0, `no eval and no markup made from text ${markup.join(" ")}`);
}
console.log(`1..${Math.max(n, 1)}`);
