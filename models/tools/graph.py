# SPDX-License-Identifier: Apache-2.0
"""The folded network: a list of plain layers, and two plain interpreters of it (float, and int8 as the DPU counts).

Both are references: written for being right, used by the converter and by tests only. Tensors are H x W x C.
"""
import dataclasses

import numpy as np

LEAKY_FLOAT = 0.1
LEAKY_256 = 26  # the DPU's slope: 26/256 = 0.1015625
# Bilinear x2 as a transposed convolution: taps {1,3,3,1}/4 on each axis; exact as int8 at position 4.
UP2_TAPS = np.outer([1, 3, 3, 1], [1, 3, 3, 1])
UP2_FIX = 4


@dataclasses.dataclass
class Node:
    id: int
    op: str  # input, conv, maxpool, add, concat, up2, down2
    channels: int
    inputs: list = dataclasses.field(default_factory=list)
    kernel: tuple = (1, 1)  # h, w
    stride: tuple = (1, 1)  # h, w
    pad: tuple = (0, 0, 0, 0)  # left, right, top, bottom
    leaky: bool = False
    weights: np.ndarray = None  # oc, kh, kw, ic
    bias: np.ndarray = None
    fix: int = None  # the position of the output, once quantised
    weights_fix: int = None
    bias_fix: int = None

    @property
    def name(self):
        return f"{self.op.rstrip('2')}{self.id:02d}"


class Graph:
    def __init__(self):
        self.nodes, self.outputs = [], []

    def shapes(self, height, width):
        """(h, w, c) of every node's output for an input of that size."""
        out = []
        for n in self.nodes:
            if n.op == "input":
                h, w = height, width
            else:
                h, w = out[n.inputs[0]][:2]
            if n.op in ("conv", "maxpool"):
                left, right, top, bottom = n.pad
                h = (h + top + bottom - n.kernel[0]) // n.stride[0] + 1
                w = (w + left + right - n.kernel[1]) // n.stride[1] + 1
            elif n.op == "up2":
                h, w = 2 * h, 2 * w
            elif n.op == "down2":
                h, w = h // 2, w // 2
            if any(out[i][:2] != out[n.inputs[0]][:2] for i in n.inputs):
                raise ValueError(f"{n.name}: its inputs differ in size; sides must be multiples of 32")
            out.append((h, w, n.channels))
        return out

    def macs(self, height, width):
        total = 0
        for n, (h, w, c) in zip(self.nodes, self.shapes(height, width)):
            if n.op == "conv":
                total += h * w * n.weights.size
            elif n.op == "up2":
                total += h * w * c * 4
        return total


def read_int8(what, blob):
    """The int8 graph that a graph.json and graph.bin describe (convert.describe)."""
    out, number = Graph(), {}
    kinds = {"max_pool": "maxpool", "average_pool": "down2", "transposed_depthwise": "up2"}
    for e in what["nodes"]:
        n = Node(id=len(out.nodes), op=kinds.get(e["op"], e["op"]), channels=e["shape"][2],
                 inputs=[number[i] for i in e["inputs"]], fix=e["fix_point"])
        if n.op in ("conv", "maxpool"):
            n.kernel, n.stride, n.pad = tuple(e["kernel"][::-1]), tuple(e["stride"][::-1]), tuple(e["pad"])
        if n.op == "conv":
            n.leaky = e["leaky"]
            for key, fix in (("weights", "weights_fix"), ("bias", "bias_fix")):
                c = e[key]
                size = int(np.prod(c["shape"]))
                setattr(n, key, np.frombuffer(blob, np.int8, size, c["at"]).reshape(c["shape"]))
                setattr(n, fix, c["fix_point"])
        number[e["name"]] = n.id
        out.nodes.append(n)
    out.outputs = [number[o["node"]] for o in what["outputs"]]
    return out


def windows(x, node, fill=0):
    """Every window of the padded input: (oh, ow, c, kh, kw), a view."""
    left, right, top, bottom = node.pad
    x = np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, node.kernel, axis=(0, 1))
    return view[:: node.stride[0], :: node.stride[1]]


def matrix_conv(x, node, weights):
    """sum x * w as one matrix product in the type of the operands."""
    if node.kernel == (1, 1) and node.stride == (1, 1):
        columns = x.reshape(-1, x.shape[2])
        oh, ow = x.shape[:2]
    else:
        v = windows(x, node)
        oh, ow = v.shape[:2]
        columns = v.transpose(0, 1, 3, 4, 2).reshape(oh * ow, -1)
    return (columns @ weights.reshape(node.channels, -1).T).reshape(oh, ow, node.channels)


def max_pool(x, node, lowest):
    left, right, top, bottom = node.pad
    x = np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=lowest)
    (kh, kw), (sh, sw) = node.kernel, node.stride
    oh, ow = (x.shape[0] - kh) // sh + 1, (x.shape[1] - kw) // sw + 1
    out = None
    for i in range(kh):
        for j in range(kw):
            tap = x[i : i + (oh - 1) * sh + 1 : sh, j : j + (ow - 1) * sw + 1 : sw]
            out = tap if out is None else np.maximum(out, tap)
    return out


def up2_zero_border(x, taps):
    """Transposed convolution, kernel 4, stride 2, padding 1: out[2i - 1 + k] += in[i] * taps[k]."""
    h, w, c = x.shape
    out = np.zeros((2 * h + 2, 2 * w + 2, c), x.dtype)
    for i in range(4):
        for j in range(4):
            out[i : i + 2 * h : 2, j : j + 2 * w : 2] += x * taps.dtype.type(taps[i, j])
    return out[1:-1, 1:-1]


def up2_replicated(x):
    """Bilinear x2 with half-pixel centres and a replicated border, as TensorFlow does it."""
    def axis0(a):
        before = np.concatenate([a[:1], a[:-1]])
        after = np.concatenate([a[1:], a[-1:]])
        return np.stack([0.75 * a + 0.25 * before, 0.75 * a + 0.25 * after], axis=1).reshape(-1, *a.shape[1:])
    return axis0(axis0(x).swapaxes(0, 1)).swapaxes(0, 1).astype(x.dtype)


def run_float(graph, x, keep_all=False, leaky=LEAKY_FLOAT, up2=up2_replicated):
    """fp32 outputs of the heads (or of every node) for an already normalised H x W x 3 image."""
    values = []
    for n in graph.nodes:
        a = [values[i] for i in n.inputs]
        if n.op == "input":
            y = x.astype(np.float32)
        elif n.op == "conv":
            y = matrix_conv(a[0], n, n.weights) + n.bias
            if n.leaky:
                y = np.where(y < 0, y * np.float32(leaky), y)
        elif n.op == "maxpool":
            y = max_pool(a[0], n, -np.inf)
        elif n.op == "add":
            y = a[0] + a[1]
        elif n.op == "concat":
            y = np.concatenate(a, axis=2)
        elif n.op == "up2":
            y = up2(a[0])
        else:
            y = (a[0][::2, ::2] + a[0][1::2, ::2] + a[0][::2, 1::2] + a[0][1::2, 1::2]) / np.float32(4)
        values.append(y)
    return values if keep_all else [values[i] for i in graph.outputs]


def round_shift(acc, shift):
    """acc / 2^shift, halves toward plus infinity, saturated to int8. A negative shift multiplies."""
    acc = acc.astype(np.int64)
    acc = (acc + (1 << (shift - 1))) >> shift if shift > 0 else acc << -shift
    return np.clip(acc, -128, 127).astype(np.int8)


def exact_conv(x, node):
    """sum x * w as integers. float32 holds every partial sum when 128 * sum|w| < 2^24, else float64 does."""
    worst = 128 * np.abs(node.weights.astype(np.int64)).reshape(node.channels, -1).sum(axis=1).max()
    real = np.float32 if worst < 1 << 24 else np.float64
    return matrix_conv(x.astype(real), node, node.weights.astype(real)).astype(np.int64)


def run_int8(graph, x, keep_all=False):
    """int8 outputs exactly as a DPU computes them, from an int8 image at the input's position."""
    values = []
    for n in graph.nodes:
        a = [values[i] for i in n.inputs]
        f = [graph.nodes[i].fix for i in n.inputs]
        if n.op == "input":
            y = x.astype(np.int8)
        elif n.op == "conv":
            acc = exact_conv(a[0], n) + (n.bias.astype(np.int64) << (f[0] + n.weights_fix - n.bias_fix))
            shift = f[0] + n.weights_fix - n.fix
            if n.leaky:
                y = np.where(acc < 0, round_shift(acc * LEAKY_256, shift + 8), round_shift(acc, shift))
            else:
                y = round_shift(acc, shift)
        elif n.op == "maxpool":
            y = round_shift(max_pool(a[0], n, -128), f[0] - n.fix)
        elif n.op == "add":
            m = max(f)
            y = round_shift(sum(v.astype(np.int64) << (m - p) for v, p in zip(a, f)), m - n.fix)
        elif n.op == "concat":
            y = np.concatenate([round_shift(v, p - n.fix) for v, p in zip(a, f)], axis=2)
        elif n.op == "up2":
            y = round_shift(up2_zero_border(a[0].astype(np.int32), UP2_TAPS.astype(np.int32)),
                            f[0] + UP2_FIX - n.fix)
        else:
            v = a[0].astype(np.int64)
            total = v[::2, ::2] + v[1::2, ::2] + v[::2, 1::2] + v[1::2, 1::2]
            y = round_shift(total, 2 + f[0] - n.fix)
        values.append(y)
    return values if keep_all else [values[i] for i in graph.outputs]
