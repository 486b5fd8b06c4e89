# SPDX-License-Identifier: Apache-2.0
"""Makes vector.txt anew: /usr/bin/python3 tests/golden/detect/make.py
A seeded pair of output tensors, and the boxes that the numpy reference finds in them."""
import json
import os
import sys

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "..", "models", "tools"))
import decode  # noqa: E402


def noise(n, seed):
    """Bytes of the generator that test_detect.c repeats."""
    out, x = np.empty(n, np.int64), seed
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = x >> 24
    return out


def main():
    with open(os.path.join(here, "model.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    channels = manifest["decode"]["classes"] + 4 * manifest["decode"]["bins"]
    heads, seed = [], 7
    for o in manifest["outputs"]:
        h, w = manifest["input"]["height"] // o["stride"], manifest["input"]["width"] // o["stride"]
        q = noise(h * w * channels, seed).reshape(h, w, channels)
        seed += 1
        # Logits from -110 to -1: few of them reach the lower limit.
        q[..., : manifest["decode"]["classes"]] = -110 + q[..., : manifest["decode"]["classes"]] * 109 // 255
        # Bins fall towards the far end, so that boxes stay smaller than the picture.
        falling = np.tile(4 * np.arange(manifest["decode"]["bins"]), 4)
        q[..., manifest["decode"]["classes"] :] = q[..., manifest["decode"]["classes"] :] // 4 - falling
        heads.append(q.astype(np.int8))
    rows = decode.decode(heads, manifest, (300, 200), manifest["threshold"]["keep"], [0, 2, 3])
    with open(os.path.join(here, "vector.txt"), "w", encoding="utf-8") as f:
        for r in rows:
            f.write(f"{int(r[0])} {r[1]:.6f} {r[2]:.4f} {r[3]:.4f} {r[4] - r[2]:.4f} {r[5] - r[3]:.4f}\n")
    print(len(rows), "boxes")


main()
