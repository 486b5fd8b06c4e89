// SPDX-License-Identifier: Apache-2.0
// Runs the published graph unchanged in TensorFlow.js, as the reference that our import is compared with.
//   node run_tfjs.mjs DIR < float32 1x3xHxW inputs back to back > float32 inputs of each SplitV node (the raw heads)
// DIR holds nanodet.json and nanodet.bin; H and W are those of the graph's placeholder.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const { GraphModel } = require('@tensorflow/tfjs-converter');

const dir = process.argv[2];
wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();

const description = JSON.parse(fs.readFileSync(path.join(dir, 'nanodet.json'), 'utf8'));
const weights = fs.readFileSync(path.join(dir, 'nanodet.bin'));
const model = new GraphModel({
  load: () => ({
    format: description.format,
    modelTopology: description.modelTopology,
    signature: description.signature,
    weightSpecs: description.weightsManifest[0].weights,
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }),
});
await model.load();

const nodes = description.modelTopology.node;
const heads = nodes.filter((n) => n.op === 'SplitV').map((n) => n.input[0]);
const shape = nodes.find((n) => n.op === 'Placeholder').attr.shape.shape.dim.map((d) => Number(d.size));
const size = shape.reduce((a, b) => a * b, 1) * 4;

const input = fs.readFileSync(0);
if (input.length === 0 || input.length % size !== 0) throw new Error(`inputs must be ${size} bytes each`);
for (let at = 0; at < input.length; at += size) {
  const values = new Float32Array(input.buffer.slice(input.byteOffset + at, input.byteOffset + at + size));
  const outputs = model.execute(tf.tensor(values, shape), heads);
  for (const o of outputs) {
    const data = await o.data();
    process.stderr.write(`shape ${o.shape.join(' ')}\n`);
    fs.writeSync(1, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  tf.dispose(outputs);
}
