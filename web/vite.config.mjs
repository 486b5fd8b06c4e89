/* SPDX-License-Identifier: Apache-2.0 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const out = resolve(import.meta.dirname, "../build/web");
const fonts = resolve(import.meta.dirname, "../build/web-fonts");

/* The licence texts of what ends up in the page: our runtime packages and the fonts. */
function licences() {
  const id = "virtual:licences";
  const text = (dir) => {
    const file = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f));
    return file ? readFileSync(join(dir, file), "utf8") : "";
  };
  return {
    name: "licences",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      const list = ["preact", "@preact/signals", "@preact/signals-core"].map((name) => {
        const dir = join(import.meta.dirname, "node_modules", name);
        const p = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
        return { name, version: p.version, licence: p.license, text: text(dir) };
      });
      const ofl = readFileSync(join(fonts, "copyright"), "utf8");
      list.push({ name: "B612, B612 Mono", version: "Debian fonts-b612", licence: "OFL-1.1", text: ofl });
      return `export default ${JSON.stringify(list)}`;
    },
  };
}

/* FILE.gz beside each text file, and an integrity hash on what the index loads. */
function packed() {
  return {
    name: "packed",
    apply: "build",
    closeBundle() {
      const index = join(out, "index.html");
      const html = readFileSync(index, "utf8").replace(
        /<(script|link)([^>]*?) (src|href)="\/(assets\/[^"]+\.(?:js|css))"/g,
        (_all, tag, rest, attribute, file) => {
          const hash = createHash("sha384").update(readFileSync(join(out, file))).digest("base64");
          return `<${tag}${rest} ${attribute}="/${file}" integrity="sha384-${hash}"`;
        },
      );
      writeFileSync(index, html);
      for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(html|js|css|svg|txt)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        const body = readFileSync(file);
        if (body.length > 512) writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [licences(), packed()],
  resolve: { alias: { "@fonts": fonts } },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: "https://127.0.0.1:8443", secure: false } }, fs: { allow: [".", fonts] } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
