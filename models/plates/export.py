# SPDX-License-Identifier: Apache-2.0
"""A trained plate net -> its folder's graph.json and graph.bin: layers, int8 constants and one power of two per
tensor. These two files are what is committed and what `make models` turns into xmodels; no picture is needed then."""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import convert  # noqa: E402
import graph as plain  # noqa: E402
import quantise  # noqa: E402
from graph import Graph, Node  # noqa: E402

SAMPLE = 20000  # values per layer and picture that positions are chosen by


class Builder:
    """Adds layers to a Graph; each call gives the number of its node."""

    def __init__(self):
        self.graph = Graph()
        self.input = self.add(op="input", channels=3)

    def add(self, **fields):
        self.graph.nodes.append(Node(id=len(self.graph.nodes), **fields))
        return len(self.graph.nodes) - 1

    def conv(self, source, weights, bias, module, leaky):
        (kh, kw), (ph, pw) = module.kernel_size, module.padding
        return self.add(op="conv", inputs=[source], channels=len(bias), kernel=(kh, kw), stride=module.stride,
                        pad=(pw, pw, ph, ph), leaky=leaky, weights=weights, bias=bias)

    def block(self, source, block):
        return self.conv(source, *block.folded(), block.conv, True)

    def linear(self, source, conv):
        return self.conv(source, conv.weight.permute(0, 2, 3, 1).detach().numpy().copy(),
                         conv.bias.detach().numpy().copy(), conv, False)

    def max_pool(self, source, kernel):
        return self.add(op="maxpool", inputs=[source], channels=self.graph.nodes[source].channels, kernel=kernel,
                        stride=kernel)

    def up2(self, source):
        return self.add(op="up2", inputs=[source], channels=self.graph.nodes[source].channels)

    def concat(self, *sources):
        return self.add(op="concat", inputs=list(sources), channels=sum(self.graph.nodes[s].channels for s in sources))


def position(values):
    """The power of two of least mean squared error; clipping a little is allowed."""
    first = int(np.floor(np.log2(127 / max(1e-9, np.abs(values).max()))))
    errors = []
    for f in range(first, first + 6):
        q = np.clip(np.floor(values * 2.0**f + 0.5), -128, 127) / 2.0**f
        errors.append((np.mean((q - values) ** 2), f))
    return min(errors)[1]


def run_float(graph, x):
    """All layers as they were trained: the DPU's slope, and x2 with a zero border."""
    return plain.run_float(graph, x, keep_all=True, leaky=plain.LEAKY_256 / 256,
                           up2=lambda v: plain.up2_zero_border(v, (plain.UP2_TAPS / 16).astype(np.float32)))


def positions(graph, pictures, input_fix):
    """quant.json's form of the positions: {layer: {output, weights, bias}}."""
    rng = np.random.default_rng(7)
    seen = [[] for _ in graph.nodes]
    for x in pictures:
        for n, v in zip(graph.nodes, run_float(graph, x)):
            flat = v.reshape(-1)
            part = rng.choice(flat, min(SAMPLE, flat.size), replace=False)
            seen[n.id].append(np.concatenate([part, [flat.min(), flat.max()]]))
    fix = [position(np.concatenate(v)) for v in seen]
    fix[0] = input_fix
    changed = True
    while changed:  # a pool keeps its input's position; all inputs of a concat share one
        changed = False
        for n in graph.nodes:
            if n.op not in ("concat", "maxpool"):
                continue
            low = min([fix[i] for i in n.inputs] + [fix[n.id]])
            for i in [*n.inputs, n.id]:
                changed |= fix[i] != low
                fix[i] = low
    layers = {}
    for n in graph.nodes:
        layers[n.name] = {"output": fix[n.id]}
        if n.op == "conv":
            before = fix[n.inputs[0]]
            weights = max(position(n.weights), fix[n.id] - before)  # no negative shift
            layers[n.name] |= {"weights": weights, "bias": min(position(n.bias), before + weights)}
    return layers


def write(folder, graph, layers, width, height):
    """graph.json and graph.bin of the int8 net; -> the int8 graph."""
    manifest = convert.read_manifest(folder)
    int8 = quantise.quantise(graph, layers)
    what, blob = convert.describe(int8, manifest, width, height)
    nodes = what.pop("nodes")
    with open(os.path.join(folder, "graph.json"), "w", encoding="utf-8") as f:
        head = json.dumps(what)[:-1]
        f.write(head + ',\n "nodes": [\n' + ",\n".join("  " + json.dumps(n) for n in nodes) + "\n ]}\n")
    with open(os.path.join(folder, "graph.bin"), "wb") as f:
        f.write(blob)
    return int8
