# SPDX-License-Identifier: Apache-2.0
"""plate-find.pt -> graph.json, graph.bin.   /usr/bin/python3 models/plate-find/export.py DIR/plate-find.pt

Positions are chosen on rendered vehicles (seed below), so they too come from no photograph."""
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(__file__))
from make_samples import NET_H, NET_W, rendered  # noqa: E402
from net import Finder  # noqa: E402
import export  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def graph_of(net):
    g = export.Builder()

    def run(at, blocks):
        for layer in blocks:
            at = g.block(at, layer)
        return at

    a = run(g.input, net.a)
    b = run(a, net.b)
    d = run(g.concat(b, g.up2(run(b, net.c))), net.d)
    g.graph.outputs = [g.linear(run(g.concat(a, g.up2(d)), net.e[:1]), net.e[1])]
    return g.graph


def main():
    net = Finder()
    net.load_state_dict(torch.load(sys.argv[1]))
    net.eval()
    graph = graph_of(net)
    pictures = [(p[:NET_H, :NET_W].astype(np.float32) - 128) / 64 for p in rendered(np.random.default_rng(77), 48)["pictures"]]
    with torch.no_grad():
        wanted = net(torch.from_numpy(pictures[0]).permute(2, 0, 1)[None]).numpy()[0].transpose(1, 2, 0)
    worst = np.abs(export.run_float(graph, pictures[0])[-1] - wanted).max()
    assert worst < 1e-3, f"the folded net differs by {worst}"
    export.write(HERE, graph, export.positions(graph, pictures, 6), NET_W, NET_H)
    print(f"folded difference {worst:.1e}, {graph.macs(NET_H, NET_W) / 1e6:.1f} MMAC")


if __name__ == "__main__":
    main()
