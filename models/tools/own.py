# SPDX-License-Identifier: Apache-2.0
"""The nets trained here, from what is committed of them (graph.json, graph.bin), and ways to run them on crops."""
import json
import os
import subprocess

import numpy as np

from graph import Graph, Node, run_int8


def load(folder):
    """The quantised graph. Its convolutions are what write_xmodel puts into the xmodels."""
    with open(os.path.join(folder, "graph.json"), encoding="utf-8") as f:
        what = json.load(f)
    blob = np.fromfile(os.path.join(folder, "graph.bin"), np.int8)
    g, number = Graph(), {}

    def constant(entry):
        n = int(np.prod(entry["shape"]))
        return blob[entry["at"] : entry["at"] + n].reshape(entry["shape"])

    for e in what["nodes"]:
        number[e["name"]] = len(g.nodes)
        n = Node(id=len(g.nodes), op={"max_pool": "maxpool"}.get(e["op"], e["op"]), channels=e["shape"][2],
                 inputs=[number[i] for i in e["inputs"]], fix=e["fix_point"])
        if "kernel" in e:
            n.kernel, n.stride, n.pad = tuple(e["kernel"][::-1]), tuple(e["stride"][::-1]), tuple(e["pad"])
        if n.op == "conv":
            n.weights, n.bias, n.leaky = constant(e["weights"]), constant(e["bias"]), e["leaky"]
            n.weights_fix, n.bias_fix = e["weights"]["fix_point"], e["bias"]["fix_point"]
        g.nodes.append(n)
    g.outputs = [number[o["node"]] for o in what["outputs"]]
    return g


def crops_int8(pictures):
    """uint8 B, G, R pictures of the input's size as the card cuts them."""
    return (np.stack(pictures).astype(np.int16) - 128).astype(np.int8)


def by_reference(g, crops):
    """int8 outputs of the numpy reference, all heads one after the other: crops x numbers."""
    return np.array([np.concatenate([o.reshape(-1) for o in run_int8(g, c)]) for c in crops])


def by_card(runner, folder, library, crops):
    """The same by a VART runner library: the simulated card's. `folder`: of build/models."""
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    widths = {o["tensor"]: len(o["labels"]) for o in manifest["outputs"]}
    out = subprocess.run([runner, os.path.join(folder, manifest["files"]["golden"]["path"]), library],
                         input=crops.tobytes(), check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    out, at, heads = np.frombuffer(out, np.int8).reshape(len(crops), sum(widths.values())), 0, {}
    for tensor in sorted(widths):  # run_xmodel orders them by name
        heads[tensor] = out[:, at : at + widths[tensor]]
        at += widths[tensor]
    return np.concatenate([heads[o["tensor"]] for o in manifest["outputs"]], axis=1)


def real(g, values):
    """int8 outputs as real numbers."""
    scale = np.concatenate([np.full(len(g.nodes[i].bias), 2.0 ** -g.nodes[i].fix) for i in g.outputs])
    return values * scale
