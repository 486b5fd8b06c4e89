# SPDX-License-Identifier: Apache-2.0
"""The ways to run the detector on pictures of its input size; each gives, per picture, the list of heads."""
import os
import subprocess

import numpy as np

import decode


def split(values, shapes, channels_first=False):
    heads, at = [], 0
    for h, w, c in shapes:
        part = values[at : at + h * w * c]
        heads.append(part.reshape(c, h, w).transpose(1, 2, 0) if channels_first else part.reshape(h, w, c))
        at += h * w * c
    return heads


def pipe(command, data):
    return subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def head_shapes(manifest, width, height):
    channels = manifest["decode"]["classes"] + 4 * manifest["decode"]["bins"]
    return [(height // o["stride"], width // o["stride"], channels) for o in manifest["outputs"]]


def run_tfjs(tools, source, manifest, inputs):
    """fp32 by TensorFlow.js; 416 x 416 only. `inputs` are normalised float pictures."""
    data = b"".join(np.ascontiguousarray(x.transpose(2, 0, 1), np.float32).tobytes() for x in inputs)
    out = np.frombuffer(pipe(["node", os.path.join(tools, "run_tfjs.mjs"), source], data), np.float32)
    shapes = head_shapes(manifest, 416, 416)
    return [split(v, shapes, True) for v in out.reshape(len(inputs), -1)]


def run_engine(runner, model, library, manifest, pictures):
    """int8 by a VART runner, from uint8 pictures of the input's size."""
    data = b"".join(decode.normalise_int8(p, manifest["input"]).tobytes() for p in pictures)
    out = np.frombuffer(pipe([runner, model, library], data), np.int8)
    shapes = head_shapes(manifest, manifest["input"]["width"], manifest["input"]["height"])
    return [split(v, shapes) for v in out.reshape(len(pictures), -1)]


def agreement(found, wanted, limit=0.35, slack=0.05, overlap=0.5):
    """How many of the boxes of `found` above `limit` have one of the same class in `wanted`, and of how many."""
    strong = found[found[:, 1] > limit]
    wanted = wanted[wanted[:, 1] > limit - slack]
    hit = 0
    for r in strong:
        same = wanted[wanted[:, 0] == r[0]]
        hit += bool(len(same)) and decode.iou(r[None, 2:], same[:, 2:]).max() >= overlap
    return hit, len(strong)
