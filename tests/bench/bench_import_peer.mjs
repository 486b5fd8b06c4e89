// SPDX-License-Identifier: Apache-2.0
// bench_import_peer.mjs GRAPH.onnx WORK_DIR [FILE]: what one would build out of the usual parts: FFmpeg decodes, swscale
// letterboxes five frames a second to 640x384, onnxruntime runs the same detector in int8. No tracker, no index. Without
// FILE only the session is made, so that its cost can be taken off. The caller measures the CPU time.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [graph, workDir, file] = process.argv.slice(2);
const ort = createRequire(join(resolve(workDir), "package.json"))("onnxruntime-node");
const session = await ort.InferenceSession.create(graph, {
  intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential", graphOptimizationLevel: "all",
});
const [w, h] = [640, 384];
const meta = session.inputMetadata[0];
const size = w * h * 3;
if (meta.shape.reduce((a, b) => a * b, 1) !== size) throw new Error(`the net takes ${meta.shape}, not ${w}x${h}`);
let frames = 0;
if (file) {
  const ffmpeg = spawn("ffmpeg", ["-nostdin", "-v", "error", "-threads", "1", "-i", file, "-an", "-vf",
    `fps=5,scale=${w}:360:flags=fast_bilinear,pad=${w}:${h}:0:12`, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
  { stdio: ["ignore", "pipe", "inherit"] });
  const data = new Uint8Array(size);
  let at = 0;
  for await (const chunk of ffmpeg.stdout) {
    for (let from = 0; from < chunk.length;) {
      const n = Math.min(size - at, chunk.length - from);
      data.set(chunk.subarray(from, from + n), at);
      at += n;
      from += n;
      if (at < size) continue;
      await session.run({ [meta.name]: new ort.Tensor("uint8", data, meta.shape) });
      at = 0;
      frames++;
    }
  }
}
console.log(frames);
