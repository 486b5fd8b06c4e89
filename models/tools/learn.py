# SPDX-License-Identifier: Apache-2.0
"""Small classifiers on crops that start from the first stages of a published detector, trained with Debian's torch,
then turned into int8 with one power of two per tensor.

What is here is shared by the recipes models/*/train.py: the torch form of a graph.Graph, varied pictures, training,
calibration. Everything is seeded; the machine's arithmetic still differs a little between processors, so a second
training gives equal accuracy within the stated noise and not equal weights.
"""
import copy
import os

import cv2
import numpy as np
import torch

import convert
import graph as reference
import quantise
import tfjs
from graph import Graph, Node

SOURCE = "build/cache/human-models-3.0.4"
MEAN, DEVIATION = [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]  # what the detector's B, G, R are normalised with
TRUNK_CHANNELS = 256  # stages up to 1/16 of the input's side
INPUT_FIX = 6  # a crop is value - 128; its real value (p - 128) / 64


def trunk():
    """The detector's layers up to its third stage, numbered anew, for crops as the card cuts them."""
    whole = tfjs.read(os.path.join(SOURCE, "nanodet.json"), os.path.join(SOURCE, "nanodet.bin"))
    first_linear = {n.inputs[0] for n in whole.nodes if n.op == "conv" and n.kernel == (1, 1)}
    last = [i for i in sorted(first_linear) if whole.nodes[i].channels == TRUNK_CHANNELS][0]
    wanted, order = set(), [last]
    while order:
        i = order.pop()
        if i not in wanted:
            wanted.add(i)
            order += whole.nodes[i].inputs
    out, number = Graph(), {}
    for n in whole.nodes:
        if n.id in wanted:
            number[n.id] = len(out.nodes)
            m = copy.deepcopy(n)
            m.id, m.inputs = number[n.id], [number[i] for i in n.inputs]
            out.nodes.append(m)
    first = next(n for n in out.nodes if n.op == "conv")
    mean, deviation = np.float32(MEAN), np.float32(DEVIATION)
    first.bias = first.bias + (first.weights * ((128 - mean) / deviation)).sum(axis=(1, 2, 3))
    first.weights = first.weights * (64 / deviation)
    out.outputs = [number[last]]
    return out


def add_conv(g, source, channels, kernel, rng, stride=(1, 1), pad=(0, 0, 0, 0), leaky=True):
    """A fresh convolution behind node `source`; returns its number."""
    before = g.nodes[source].channels
    scale = np.sqrt(2.0 / (before * kernel[0] * kernel[1])) * (1.0 if leaky else 0.3)
    g.nodes.append(Node(id=len(g.nodes), op="conv", channels=channels, inputs=[source], kernel=kernel, stride=stride,
                        pad=pad, leaky=leaky, bias=np.zeros(channels, np.float32),
                        weights=rng.normal(0, scale, (channels, *kernel, before)).astype(np.float32)))
    return len(g.nodes) - 1


class TorchGraph(torch.nn.Module):
    """A graph's float weights as torch parameters."""

    def __init__(self, graph, n_trunk, dropout_before=()):
        super().__init__()
        self.graph, self.n_trunk, self.dropout_before = graph, n_trunk, set(dropout_before)
        self.w, self.b = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        for n in graph.nodes:
            if n.op == "conv":
                self.w[str(n.id)] = torch.nn.Parameter(torch.from_numpy(n.weights.transpose(0, 3, 1, 2).copy()))
                self.b[str(n.id)] = torch.nn.Parameter(torch.from_numpy(n.bias.copy()))

    def forward(self, x):
        f, values = torch.nn.functional, []
        for n in self.graph.nodes:
            a = [values[i] for i in n.inputs]
            if n.op == "input":
                y = x
            elif n.op == "conv":
                if n.id in self.dropout_before:
                    a[0] = f.dropout(a[0], 0.3, self.training)
                y = f.conv2d(f.pad(a[0], n.pad), self.w[str(n.id)], self.b[str(n.id)], n.stride)
                if n.leaky:
                    y = f.leaky_relu(y, reference.LEAKY_256 / 256)
            elif n.op == "maxpool":
                y = f.max_pool2d(f.pad(a[0], n.pad, value=-1e30), n.kernel, n.stride)
            else:
                y = torch.cat(a, 1)
            values.append(y)
        return torch.cat([values[i].flatten(1) for i in self.graph.outputs], 1)

    def to_graph(self):
        out = copy.deepcopy(self.graph)
        for n in out.nodes:
            if n.op == "conv":
                n.weights = self.w[str(n.id)].detach().numpy().transpose(0, 2, 3, 1).copy()
                n.bias = self.b[str(n.id)].detach().numpy().copy()
        return out


def tensor_of(pictures):
    """uint8 B, G, R pictures -> N x 3 x H x W as the network takes them."""
    x = (np.stack(pictures).astype(np.float32) - 128) / 64
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def varied(picture, size, rng, hue=True):
    """The picture at size (w, h) as another camera's box would have cut it: frame, mirror, light, tint, sharpness,
    noise, coding. Without `hue` the colours keep their names."""
    h, w = picture.shape[:2]
    x0, x1 = w * rng.uniform(-0.08, 0.10), w * (1 - rng.uniform(-0.08, 0.10))
    y0, y1 = h * rng.uniform(-0.05, 0.08), h * (1 - rng.uniform(-0.05, 0.08))
    lean = w * rng.uniform(-0.04, 0.04)
    to = np.float32([[0, 0], [size[0], 0], [0, size[1]]])
    m = cv2.getAffineTransform(np.float32([[x0 + lean, y0], [x1 + lean, y0], [x0 - lean, y1]]), to)
    shrink = max((x1 - x0) / size[0], (y1 - y0) / size[1])
    if shrink > 1.5:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink)
    out = cv2.warpAffine(picture, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    if rng.random() < 0.5:  # a small figure, enlarged
        k = rng.uniform(0.35, 0.9)
        small = cv2.resize(out, (max(8, int(size[0] * k)), max(8, int(size[1] * k))), interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    x = out.astype(np.float32)
    x = (x - 128) * rng.uniform(0.7, 1.25) + 128 + rng.uniform(-30, 30) if hue else x * rng.uniform(0.85, 1.15)
    if hue:
        x *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
        if rng.random() < 0.15:
            x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
    x += rng.normal(0, rng.uniform(0, 7), x.shape)
    out = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [1, int(rng.integers(30, 90))])[1], 1)
    return out


def as_seen(picture, size):
    """What the card's crop kernel makes of it: an area average, or bilinear where it enlarges."""
    smaller = picture.shape[1] >= size[0]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def fit(net, draw, loss_of, steps, rate, trunk_share=0.15, decay=2e-4, seed=1, batch=32, say=print):
    """AdamW with warm-up and cosine; the trunk learns trunk_share as fast as the head. `draw(rng, n)` gives pictures
    and targets. Returns the mean of the last weights (exponential, 0.99)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    for k in list(net.w):  # the first stage, edges and colours, stays as it is: a quarter of the time
        if int(k) < net.n_trunk and net.graph.nodes[int(k)].channels <= 32:
            net.w[k].requires_grad_(False)
            net.b[k].requires_grad_(False)
    head = [p for k, p in [*net.w.items(), *net.b.items()] if int(k) >= net.n_trunk and p.requires_grad]
    old = [p for k, p in [*net.w.items(), *net.b.items()] if int(k) < net.n_trunk and p.requires_grad]
    best = torch.optim.AdamW([{"params": head, "lr": rate}, {"params": old, "lr": rate * trunk_share}],
                             weight_decay=decay)
    warm = max(1, steps // 20)
    plan = torch.optim.lr_scheduler.LambdaLR(
        best, lambda i: min(1.0, (i + 1) / warm) * 0.5 * (1 + np.cos(np.pi * i / steps)))
    mean = {k: v.detach().clone() for k, v in net.state_dict().items()}
    net.train()
    lost = 0.0
    for i in range(steps):
        pictures, target = draw(rng, batch)
        loss = loss_of(net(tensor_of(pictures)), target)
        best.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        best.step()
        plan.step()
        keep = min(0.99, (i + 1) / (i + 10))
        for k, v in net.state_dict().items():
            mean[k].mul_(keep).add_(v, alpha=1 - keep)
        lost += (loss.item() - lost) / min(i + 1, 50)
        if (i + 1) % 100 == 0:
            say(f"step {i + 1}/{steps}: loss {lost:.3f}", flush=True)
    net.load_state_dict(mean)
    net.eval()
    return net


def outputs(net, pictures, batch=64):
    with torch.no_grad():
        return np.concatenate([net(tensor_of(pictures[i : i + batch])).numpy()
                               for i in range(0, len(pictures), batch)])


# ---- int8 ----


def best_fix(x, tries=5):
    """The position of least squared error among the first that do not clip and the next ones that do."""
    top = np.abs(x).max()
    first = int(np.floor(np.log2(127 / top))) if top > 0 else 7
    lost = [np.square(quantise.to_int8(x, f) / 2.0**f - x).mean() for f in range(first, first + tries)]
    return first + int(np.argmin(lost))


def calibrate(g, pictures, seed=1):
    """Positions of every tensor by the rules of models/README.md, from these uint8 pictures."""
    rng = np.random.default_rng(seed)
    samples = {n.name: [] for n in g.nodes}
    for p in pictures:
        for n, v in zip(g.nodes, reference.run_float(g, (p.astype(np.float32) - 128) / 64, keep_all=True,
                                                     leaky=reference.LEAKY_256 / 256)):
            v = v.reshape(-1)
            samples[n.name].append(np.append(rng.choice(v, min(v.size, 4000), replace=False), [v.min(), v.max()]))
    fix = {n.name: INPUT_FIX if n.op == "input" else best_fix(np.concatenate(samples[n.name])) for n in g.nodes}
    changed = True
    while changed:  # what is concatenated or pooled shares one position
        changed = False
        for n in g.nodes:
            if n.op in ("concat", "maxpool"):
                shared = min([fix[n.name]] + [fix[g.nodes[i].name] for i in n.inputs])
                for name in [n.name] + [g.nodes[i].name for i in n.inputs]:
                    changed |= fix[name] != shared
                    fix[name] = shared
    layers = {}
    for n in g.nodes:
        layers[n.name] = {"output": fix[n.name]}
        if n.op == "conv":
            before = fix[g.nodes[n.inputs[0]].name]
            weights = max(best_fix(n.weights), fix[n.name] - before)
            layers[n.name] |= {"weights": weights, "bias": min(best_fix(n.bias), before + weights)}
    return layers


def save(folder, g, layers, size):
    """quant.json, and graph.json with graph.bin, from which `make models` writes the xmodels. Returns the quantised
    graph."""
    q = quantise.quantise(g, layers)
    what, blob = convert.describe(q, convert.read_manifest(folder), *size)
    convert.write_json(os.path.join(folder, "graph.json"), what)
    with open(os.path.join(folder, "graph.bin"), "wb") as f:
        f.write(blob)
    return q


def run_int8(q, picture):
    """Outputs of the quantised graph as real numbers, from a uint8 picture."""
    x = (picture.astype(np.int16) - 128).astype(np.int8)
    return np.concatenate([o.reshape(-1) / 2.0 ** q.nodes[i].fix for o, i in zip(reference.run_int8(q, x), q.outputs)])


def area_under(scores, truth):
    """Area under the receiver's curve."""
    order = np.argsort(np.argsort(scores, kind="stable"), kind="stable") + 1.0
    pos = truth.astype(bool)
    if not pos.any() or pos.all():
        return float("nan")
    return (order[pos].sum() - pos.sum() * (pos.sum() + 1) / 2) / (pos.sum() * (~pos).sum())


def seen_by(g, width, height):
    return f"{len(g.nodes)} layers, {g.macs(height, width) / 1e6:.1f} MMAC"
