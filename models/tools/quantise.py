# SPDX-License-Identifier: Apache-2.0
"""Power-of-two int8: one binary point per tensor, taken from a committed quant.json."""
import copy
import json

import numpy as np


def to_int8(x, fix):
    return np.clip(np.floor(x.astype(np.float64) * 2.0**fix + 0.5), -128, 127).astype(np.int8)


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)["layers"]


def quantise(graph, layers):
    """A copy of the float graph with int8 weights and biases, and a position on every tensor. Refuses positions
    that would need an unproven shift, or concat inputs that do not share one position."""
    out = copy.deepcopy(graph)
    names = {n.name for n in out.nodes}
    if set(layers) != names:
        raise ValueError(f"quant.json names other layers: {sorted(set(layers) ^ names)}")
    for n in out.nodes:
        n.fix = layers[n.name]["output"]
    for n in out.nodes:
        f = [out.nodes[i].fix for i in n.inputs]
        if n.op == "conv":
            n.weights_fix, n.bias_fix = layers[n.name]["weights"], layers[n.name]["bias"]
            n.weights, n.bias = to_int8(n.weights, n.weights_fix), to_int8(n.bias, n.bias_fix)
            if f[0] + n.weights_fix - n.bias_fix < 0 or f[0] + n.weights_fix - n.fix < 0:
                raise ValueError(f"{n.name}: negative shift")
        elif n.op in ("concat", "maxpool") and set(f) != {n.fix}:
            raise ValueError(f"{n.name}: inputs at {f}, output at {n.fix}")
    return out
