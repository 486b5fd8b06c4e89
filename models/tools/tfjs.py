# SPDX-License-Identifier: Apache-2.0
"""Reads a TFJS graph-model (JSON topology + packed weights) and folds it into the plain layers of graph.py.

Only what the detector needs is understood; anything else is an error, never a guess. Reading stops at the inputs
of the SplitV nodes: those are the raw heads, what follows them is host code.
"""
import base64
import json
import math

import numpy as np

from graph import Graph, Node

TO_NHWC, TO_NCHW = [0, 2, 3, 1], [0, 3, 1, 2]
DTYPES = {"float32": np.float32, "int32": np.int32}


class FormatError(Exception):
    pass


def need(condition, text):
    if not condition:
        raise FormatError(text)


def load(json_path, bin_path):
    """-> (nodes in file order, {constant name: array}). Entries lie back to back, little-endian, unaligned."""
    with open(json_path, encoding="utf-8") as f:
        model = json.load(f)
    with open(bin_path, "rb") as f:
        blob = f.read()
    need(model.get("format") == "graph-model", "not a TFJS graph-model")
    need(len(model["weightsManifest"]) == 1, "one weight group expected")
    constants, at = {}, 0
    for w in model["weightsManifest"][0]["weights"]:
        n = math.prod(w["shape"])
        stored = np.dtype({"float16": "<f2"}[w["quantization"]["dtype"]] if "quantization" in w
                          else {"float32": "<f4", "int32": "<i4"}[w["dtype"]])
        need(at + n * stored.itemsize <= len(blob), f"weights of {w['name']} lie past the end of the file")
        a = np.frombuffer(blob, stored, n, at).reshape(w["shape"])
        constants[w["name"]] = a.astype(DTYPES[w["dtype"]])
        at += n * stored.itemsize
    need(at == len(blob), f"{len(blob) - at} bytes of weights left over")
    return model["modelTopology"]["node"], constants


def text(node, key):
    return base64.b64decode(node["attr"][key]["s"]).decode()


def ints(node, key):
    return [int(i) for i in node["attr"][key]["list"].get("i", [])]


class Value:
    """What a TFJS tensor is in our graph: the output of `layer` with `shape` (h, w, c), seen in `layout`, behind
    an explicit padding (l, r, t, b) that the next convolution or pool takes over."""

    def __init__(self, layer, shape, layout, pad=(0, 0, 0, 0)):
        self.layer, self.shape, self.layout, self.pad = layer, shape, layout, pad


class Folder:
    def __init__(self, nodes, constants):
        self.nodes = {n["name"]: n for n in nodes}
        self.constants = constants
        self.users = {}
        for n in nodes:
            for i in n.get("input", []):
                self.users.setdefault(i.split(":")[0], []).append(n["name"])
        self.done = {}
        self.graph = Graph()

    def constant(self, name):
        need(name in self.constants, f"{name} is no constant")
        return self.constants[name]

    def add(self, **fields):
        node = Node(id=len(self.graph.nodes), **fields)
        self.graph.nodes.append(node)
        return node.id

    def value(self, name):
        if name not in self.done:
            node = self.nodes[name]
            fold = getattr(self, "fold_" + node["op"], None)
            need(fold, f"{name}: operation {node['op']} is not understood")
            self.done[name] = fold(node)
        return self.done[name]

    def plain(self, name):
        v = self.value(name)
        need(v.pad == (0, 0, 0, 0), f"{name}: padding in front of this operation is not understood")
        return v

    def only_user(self, node):
        """True when nothing but this node reads its first input, so that folding changes nobody else's view."""
        return len(self.users[node["input"][0]]) == 1

    def fold_Placeholder(self, node):
        dims = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        need(len(dims) == 4 and dims[:2] == [1, 3], "the input must be 1x3xHxW")
        return Value(self.add(op="input", channels=3), (dims[2], dims[3], 3), "NCHW")

    def fold_Identity(self, node):
        return self.value(node["input"][0])

    def fold_Transpose(self, node):
        v = self.value(node["input"][0])
        perm = self.constant(node["input"][1]).tolist()
        need((v.layout, perm) in (("NCHW", TO_NHWC), ("NHWC", TO_NCHW)), f"{node['name']}: permutation {perm}")
        return Value(v.layer, v.shape, "NHWC" if v.layout == "NCHW" else "NCHW", v.pad)

    def fold_Pad(self, node):
        v = self.plain(node["input"][0])
        p = self.constant(node["input"][1]).tolist()
        h, w = (p[2], p[3]) if v.layout == "NCHW" else (p[1], p[2])
        rest = (p[0], p[1]) if v.layout == "NCHW" else (p[0], p[3])
        need(rest == ([0, 0], [0, 0]), f"{node['name']}: padding of batch or channels")
        return Value(v.layer, v.shape, v.layout, (w[0], w[1], h[0], h[1]))

    def fold_PadV2(self, node):
        # The value is the pool's "lowest number": our MAX pool ignores its padding, which is the same.
        need(self.constant(node["input"][2]).item() < -1e30, f"{node['name']}: pad value could win a maximum")
        need([self.kind_after(u) for u in self.users[node["name"]]] == ["MaxPool"], f"{node['name']}: not a pool's")
        return self.fold_Pad(node)

    def kind_after(self, name):
        while self.nodes[name]["op"] == "Transpose":
            need(len(self.users[name]) == 1, f"{name}: several users")
            name = self.users[name][0]
        return self.nodes[name]["op"]

    def window(self, v, kernel, stride):
        """Output height and width of a VALID window over the padded value."""
        left, right, top, bottom = v.pad
        h, w = v.shape[0] + top + bottom, v.shape[1] + left + right
        return (h - kernel[0]) // stride[0] + 1, (w - kernel[1]) // stride[1] + 1

    def fold_Conv2D(self, node):
        v = self.value(node["input"][0])
        name = node["input"][1]
        need(v.layout == "NHWC" and text(node, "data_format") == "NHWC", f"{node['name']}: layout")
        need(text(node, "padding") == "VALID" and ints(node, "dilations") == [1, 1, 1, 1], f"{node['name']}: padding")
        weights = self.constant(name)  # kh, kw, ic, oc
        kh, kw, ic, oc = weights.shape
        _, sh, sw, _ = ints(node, "strides")
        need(ic == v.shape[2], f"{node['name']}: {ic} input channels, {v.shape[2]} given")
        layer = self.add(op="conv", inputs=[v.layer], channels=oc, kernel=(kh, kw), stride=(sh, sw), pad=v.pad,
                         weights=np.ascontiguousarray(weights.transpose(3, 0, 1, 2)),
                         bias=np.zeros(oc, np.float32))
        return Value(layer, (*self.window(v, (kh, kw), (sh, sw)), oc), "NHWC")

    def fold_MaxPool(self, node):
        v = self.value(node["input"][0])
        need(v.layout == "NHWC" and text(node, "padding") == "VALID", f"{node['name']}: layout or padding")
        _, kh, kw, _ = ints(node, "ksize")
        _, sh, sw, _ = ints(node, "strides")
        layer = self.add(op="maxpool", inputs=[v.layer], channels=v.shape[2], kernel=(kh, kw), stride=(sh, sw),
                         pad=v.pad)
        return Value(layer, (*self.window(v, (kh, kw), (sh, sw)), v.shape[2]), "NHWC")

    def fold_Add(self, node):
        a, b = node["input"]
        v = self.plain(a)
        if b in self.constants:
            layer = self.graph.nodes[v.layer]
            bias = self.constants[b].reshape(-1)
            need(layer.op == "conv" and not layer.leaky and bias.size == layer.channels and self.only_user(node),
                 f"{node['name']}: a constant is added to something other than a convolution")
            layer.bias = layer.bias + bias
            return v
        u = self.plain(b)
        need(u.shape == v.shape and u.layout == v.layout, f"{node['name']}: shapes differ")
        layer = self.add(op="add", inputs=[v.layer, u.layer], channels=v.shape[2])
        return Value(layer, v.shape, v.layout)

    def fold_LeakyRelu(self, node):
        v = self.plain(node["input"][0])
        layer = self.graph.nodes[v.layer]
        need(layer.op == "conv" and not layer.leaky and self.only_user(node), f"{node['name']}: not after a conv")
        need(abs(node["attr"]["alpha"]["f"] - 0.1) < 1e-6, f"{node['name']}: slope {node['attr']['alpha']['f']}")
        layer.leaky = True
        return v

    def fold_ConcatV2(self, node):
        *names, axis = node["input"]
        values = [self.plain(n) for n in names]
        need(all(v.layout == values[0].layout and v.shape[:2] == values[0].shape[:2] for v in values),
             f"{node['name']}: shapes differ")
        channel_axis = 1 if values[0].layout == "NCHW" else 3
        need(self.constant(axis).item() in (channel_axis, channel_axis - 4), f"{node['name']}: not along channels")
        channels = sum(v.shape[2] for v in values)
        layer = self.add(op="concat", inputs=[v.layer for v in values], channels=channels)
        return Value(layer, (*values[0].shape[:2], channels), values[0].layout)

    def fold_ResizeBilinear(self, node):
        v = self.plain(node["input"][0])
        need(v.layout == "NHWC" and node["attr"]["half_pixel_centers"]["b"] and
             not node["attr"]["align_corners"]["b"], f"{node['name']}: resize mode")
        h, w = self.constant(node["input"][1]).tolist()
        if (h, w) == (2 * v.shape[0], 2 * v.shape[1]):
            op = "up2"
        else:
            need((2 * h, 2 * w) == v.shape[:2], f"{node['name']}: neither x2 nor x0.5")
            op = "down2"
        return Value(self.add(op=op, inputs=[v.layer], channels=v.shape[2]), (h, w, v.shape[2]), "NHWC")


def read(json_path, bin_path):
    """The folded graph; its outputs are the heads in the file's order. Numbers are given depth first, so that a
    layer's number depends only on the graph."""
    nodes, constants = load(json_path, bin_path)
    folder = Folder(nodes, constants)
    heads = [n["input"][0] for n in nodes if n["op"] == "SplitV"]
    need(heads, "no head found")
    folder.graph.outputs = [folder.plain(h).layer for h in heads]
    return folder.graph
