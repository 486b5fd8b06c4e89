// SPDX-License-Identifier: Apache-2.0
// bench_engine.mjs BENCH_PROGRAM GOLDEN.xmodel WORK_DIR: the engine beside its peers, in one run on one core.
// A/B interleaved five times, CPU time, medians of the rounds; a table of goal and measured; exit status 1 when a
// goal was missed. onnxruntime (npm onnxruntime-node) is looked for under WORK_DIR; without it its rows are skipped.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const [program, golden, workDir] = process.argv.slice(2);
const ROUNDS = 5;
const here = dirname(fileURLToPath(import.meta.url));

const child = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
async function ask(command) {
  child.stdin.write(command + "\n");
  const { value, done } = await lines.next();
  if (done || value.startsWith("error")) throw new Error(`${command}: ${value ?? "the program ended"}`);
  return value;
}
const number = async (command) => Number(await ask(command));

const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
const spread = (v) => `${Math.min(...v).toFixed(3)}..${Math.max(...v).toFixed(3)}`;
const geometricMean = (v) => Math.exp(v.reduce((s, x) => s + Math.log(x), 0) / v.length);

const rows = [];
let missed = 0;
function goal(what, wanted, measured, unit, atMost = false) {
  const met = atMost ? measured <= wanted : measured >= wanted;
  if (!met) missed++;
  rows.push([what, `${atMost ? "<=" : ">="} ${wanted} ${unit}`, `${measured.toFixed(2)} ${unit}`, met ? "met" : "MISSED"]);
}

let ort = null;
try {
  ort = createRequire(join(resolve(workDir), "package.json"))("onnxruntime-node");
} catch {
  console.log(`# onnxruntime-node is not installed under ${workDir}: its comparisons are skipped`);
}

async function session(name) {
  if (!ort) return null;
  const dir = join(workDir, name);
  mkdirSync(dir, { recursive: true });
  await ask(`dump ${name} ${dir}`);
  execFileSync("/usr/bin/python3", ["-B", join(here, "to_onnx.py"), dir]);
  const s = await ort.InferenceSession.create(readFileSync(join(dir, "graph.onnx")), {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential", graphOptimizationLevel: "all",
  });
  const feeds = {};
  for (const meta of s.inputMetadata) {
    const data = new Uint8Array(meta.shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = (i * 2654435761) >>> 24;
    feeds[meta.name] = new ort.Tensor("uint8", data, meta.shape);
  }
  await s.run(feeds);
  return async (n) => {
    const begun = process.cpuUsage();
    for (let i = 0; i < n; i++) await s.run(feeds);
    const used = process.cpuUsage(begun);
    return (used.user + used.system) / 1e3 / n;
  };
}

async function beside(name, frames) {
  const peer = await session(name), ours = [], theirs = [];
  for (let r = 0; r < ROUNDS; r++) {
    ours.push(await number(`run ${name} ${frames}`));
    if (peer) theirs.push(await peer(Math.ceil(frames / 2)));
  }
  console.log(`${name}: engine ${median(ours).toFixed(3)} ms (${spread(ours)})` +
    (peer ? `, onnxruntime int8 u8 ${median(theirs).toFixed(3)} ms (${spread(theirs)})` : ""));
  return { ours: median(ours), theirs: peer ? median(theirs) : null };
}

const LAYERS = {
  "3x3": [["conv", 104, 32, 32, 3, 1], ["conv", 52, 64, 64, 3, 1], ["conv", 26, 128, 128, 3, 1], ["conv", 52, 128, 128, 3, 2]],
  // those of the MobileNet-like net: what 1x1 convolutions are used for
  "1x1": [["conv", 160, 16, 96, 1, 1], ["conv", 80, 24, 144, 1, 1], ["conv", 80, 144, 24, 1, 1], ["conv", 40, 32, 192, 1, 1],
    ["conv", 40, 192, 32, 1, 1], ["conv", 20, 96, 576, 1, 1], ["conv", 20, 576, 96, 1, 1], ["conv", 10, 320, 1280, 1, 1]],
  depthwise: [["dw", 80, 144, 144, 3, 1], ["dw", 40, 192, 192, 3, 1], ["dw", 20, 576, 576, 3, 1], ["dw", 80, 144, 144, 3, 2]],
};

async function layers(kind) {
  const ratios = [];
  for (const [op, side, ic, oc, k, stride] of LAYERS[kind]) {
    const macs = Math.ceil(side / stride) ** 2 * oc * k * k * (op === "dw" ? 1 : ic);
    const n = Math.max(20, Math.round(4e9 / macs / (op === "dw" ? 8 : 1)));
    const shape = `${op} ${side} ${ic} ${oc} ${k} ${stride} ${n}`, ours = [], theirs = [];
    for (let r = 0; r < ROUNDS; r++) {
      ours.push(await number(`layer engine ${shape}`));
      theirs.push(await number(`layer onednn ${shape}`));
    }
    const ratio = median(theirs) / median(ours);
    ratios.push(ratio);
    console.log(`${kind} ${side}x${side} ${ic} -> ${oc}, stride ${stride}: engine ${(macs / median(ours) / 1e6).toFixed(0)} GMAC/s, ` +
      `oneDNN ${(macs / median(theirs) / 1e6).toFixed(0)} GMAC/s, ratio ${ratio.toFixed(2)}`);
  }
  return geometricMean(ratios);
}

const peak = Math.max(await number("peak"), await number("peak"));
console.log(`load average ${loadavg().map((l) => l.toFixed(1)).join(" ")}; peak of this core ${peak.toFixed(0)} GMAC/s`);
mkdirSync(workDir, { recursive: true });

if (existsSync(golden)) {
  const macs = await number(`open nanodet ${golden}`);
  const net = await beside("nanodet", 20);
  goal("NanoDet-g 416, share of the peak", 85, (100 * macs) / net.ours / peak, "%");
  if (net.theirs) goal("NanoDet-g against onnxruntime", 1.4, net.theirs / net.ours, "x");
  await ask("relu nanodet-relu nanodet");
  const relu = await beside("nanodet-relu", 20);
  if (relu.theirs) goal("the same with ReLU, which it fuses", 1.4, relu.theirs / relu.ours, "x");
  const [weights, packed, activations] = (await ask("memory nanodet")).split(" ").map(Number);
  console.log(`memory: int8 weights ${weights}, kept ${packed}, activations ${activations} bytes`);
  goal("memory kept for weights", 4, packed / weights, "x", true);
  const cores = [];
  for (let r = 0; r < ROUNDS; r++) {
    const [alone, each] = (await ask("cores nanodet 20")).split(" ").map(Number);
    cores.push((2 * alone) / each);
  }
  goal("frames on two cores against one, by CPU time", 1.9, median(cores), "x");
} else {
  console.log(`# no ${golden}: NanoDet-g is skipped (make models builds it)`);
}
const mobileMacs = await number("mobilenet");
const mobile = await beside("mobilenet", 40);
console.log(`mobilenet: ${(mobileMacs / 1e3).toFixed(2)} GMAC, ${(mobileMacs / mobile.ours).toFixed(0)} GMAC/s`);
if (mobile.theirs) goal("MobileNetV2-SSDLite-like against onnxruntime", 2.3, mobile.theirs / mobile.ours, "x");
goal("3x3 convolutions against oneDNN (geometric mean)", 0.97, await layers("3x3"), "x");
goal("1x1 convolutions against oneDNN (geometric mean)", 1.2, await layers("1x1"), "x");
goal("depthwise against oneDNN (geometric mean)", 4, await layers("depthwise"), "x");

console.log(`\n${"".padEnd(52)}${"goal".padEnd(12)}measured`);
for (const [what, wanted, measured, verdict] of rows) console.log(`${what.padEnd(52)}${wanted.padEnd(12)}${measured.padEnd(12)}${verdict}`);
child.stdin.end();
process.exit(missed ? 1 : 0);
