#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The networks trained here: the simulated card must give what the committed constants give by definition, bit for bit.

  test_looks.py BUILD_DIR          TAP on stdout; from the repository's root
"""
import json
import os
import sys

import numpy as np

sys.path.insert(0, "models/tools")
import own  # noqa: E402

BUILD = sys.argv[1]
NAMES = ["person-look", "vehicle-look"]
MMAC_MAX = 121e6


def crops_of(manifest, n=4):
    """Smooth patches, noise, and both ends of the range."""
    rng = np.random.default_rng(5)
    h, w = manifest["input"]["height"], manifest["input"]["width"]
    coarse = rng.integers(0, 256, (n, 8, 8, 3))
    smooth = coarse.repeat(-(-h // 8), axis=1).repeat(-(-w // 8), axis=2)[:, :h, :w]
    smooth = np.clip(smooth + rng.integers(-20, 21, smooth.shape), 0, 255).astype(np.uint8)
    ends = np.stack([np.zeros((h, w, 3), np.uint8), np.full((h, w, 3), 255, np.uint8)])
    return own.crops_int8([*smooth, *ends])


def check(name):
    folder = os.path.join("build/models", name)
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    g = own.load(os.path.join("models", name))
    crops = crops_of(manifest)
    want = own.by_reference(g, crops)
    got = own.by_card(os.path.join(BUILD, "models/tools/run_xmodel"), folder,
                      os.path.join(BUILD, "sim/librelecture_dpu.so"), crops)
    yield got.shape == want.shape and (got == want).all(), f"{name}: {want.size} values on the simulated card equal the reference"
    yield len(np.unique(want, axis=0)) > 1, f"{name}: different crops get different answers"
    macs = g.macs(manifest["input"]["height"], manifest["input"]["width"])
    yield macs <= MMAC_MAX, f"{name}: {macs / 1e6:.1f} MMAC"
    positions = [o["fix_point"] for o in manifest["outputs"]]
    yield positions == [g.nodes[i].fix for i in g.outputs], f"{name}: the manifest has the network's fix points"


def main():
    n = failed = 0
    for name in NAMES:
        for fine, text in check(name):
            n += 1
            failed += not fine
            print(f"{'ok' if fine else 'not ok'} {n} - {text}")
    print(f"1..{n}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
