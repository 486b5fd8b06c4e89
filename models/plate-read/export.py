# SPDX-License-Identifier: Apache-2.0
"""plate-read.pt -> graph.json, graph.bin.   /usr/bin/python3 models/plate-read/export.py DIR/plate-read.pt

Positions are chosen on drawn plates (seed below), so they too come from no photograph."""
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.dirname(__file__))
from make_samples import readings  # noqa: E402
from net import Reader  # noqa: E402
from blocks import Block  # noqa: E402
import export  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def graph_of(net):
    b = export.Builder()
    at = b.input
    for layer in net.layers:
        if isinstance(layer, Block):
            at = b.block(at, layer)
        elif isinstance(layer, nn.MaxPool2d):
            k = layer.kernel_size
            at = b.max_pool(at, k if isinstance(k, tuple) else (k, k))
        else:
            at = b.linear(at, layer)
    b.graph.outputs = [at]
    return b.graph


def main():
    net = Reader()
    net.load_state_dict(torch.load(sys.argv[1]))
    net.eval()
    graph = graph_of(net)
    crops = readings(np.random.default_rng(77), 48)["crops"]
    pictures = [(c.astype(np.float32) - 128) / 64 for c in crops]
    with torch.no_grad():
        wanted = net(torch.from_numpy(pictures[0]).permute(2, 0, 1)[None]).numpy()[0].T
    worst = np.abs(export.run_float(graph, pictures[0])[-1][0] - wanted).max()
    assert worst < 1e-3, f"the folded net differs by {worst}"
    export.write(HERE, graph, export.positions(graph, pictures, 6), 128, 32)
    print(f"folded difference {worst:.1e}, {graph.macs(32, 128) / 1e6:.1f} MMAC")


if __name__ == "__main__":
    main()
