# SPDX-License-Identifier: Apache-2.0
"""to_onnx.py DIR: DIR/graph.json and graph.bin, written by bench_engine, as DIR/graph.onnx for onnxruntime.

Quantised as its own tool would for a CPU: weights s8, activations u8, quantise/dequantise pairs around every
operator, so that the runtime fuses them into its int8 kernels. Activations that a ReLU follows get zero point 0, so
that the ReLU vanishes in the fusion; all others 128."""
import json
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

WEIGHTED = ("conv", "depthwise", "tconv", "tdepthwise")


class Writer:
    def __init__(self, directory):
        self.graph = json.load(open(directory + "/graph.json"))
        self.blob = np.fromfile(directory + "/graph.bin", dtype=np.int8)
        self.nodes, self.constants, self.seen = [], [], {}

    def constant(self, array, name):
        if name not in self.seen:
            self.constants.append(numpy_helper.from_array(array, name))
            self.seen[name] = True
        return name

    def scale(self, i):
        """Scale and zero point of node i's tensor."""
        node = self.graph["nodes"][i]
        positive = node["act"] in ("relu", "relu6")
        step = 6 / 255 if node["act"] == "relu6" else 2.0 ** -node["fix"]
        zero = 0 if positive else 128
        return (self.constant(np.array(step, np.float32), "scale%g" % step),
                self.constant(np.array(zero, np.uint8), "zero%d" % zero), step)

    def op(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def dequantised(self, i, user):
        scale, zero, _ = self.scale(i)
        return self.op("DequantizeLinear", ["q%d" % i, scale, zero], "d%d_%s" % (i, user))

    def quantise(self, i, value):
        scale, zero, _ = self.scale(i)
        self.op("QuantizeLinear", [value, scale, zero], "q%d" % i)

    def weighted(self, i, node, x):
        h, w, c = node["shape"]
        kh, kw = node["kernel"]
        source = node["inputs"][0]
        ic = self.graph["nodes"][source]["shape"][2]
        at, n = node["weights_at"], node["n_weights"]
        raw = self.blob[at:at + n]
        groups = 1
        if node["op"] == "conv":
            weights = raw.reshape(c, kh, kw, ic).transpose(0, 3, 1, 2)
        elif node["op"] == "tconv":
            weights = raw.reshape(c, kh, kw, ic)[:, ::-1, ::-1].transpose(3, 0, 1, 2)
        else:
            weights, groups = raw.reshape(1, kh, kw, c).transpose(3, 0, 1, 2), c
            if node["op"] == "tdepthwise":
                weights = weights[:, :, ::-1, ::-1]
        step = 2.0 ** -node["weights_fix"]
        w_scale = self.constant(np.array(step, np.float32), "scale%g" % step)
        w_zero = self.constant(np.array(0, np.int8), "zero_s8")
        q = self.constant(np.ascontiguousarray(weights), "w%d" % i)
        inputs = [x, self.op("DequantizeLinear", [q, w_scale, w_zero], "dw%d" % i)]
        if node["n_bias"]:
            sum_step = step * self.scale(source)[2]
            values = self.blob[at + n:at + n + node["n_bias"]].astype(np.float64) * 2.0 ** -node["bias_fix"]
            bias = self.constant(np.round(values / sum_step).astype(np.int32), "b%d" % i)
            b_scale = self.constant(np.array(sum_step, np.float32), "scale%g" % sum_step)
            b_zero = self.constant(np.array(0, np.int32), "zero_s32")
            inputs.append(self.op("DequantizeLinear", [bias, b_scale, b_zero], "db%d" % i))
        kind = "ConvTranspose" if node["op"].startswith("t") else "Conv"
        return self.op(kind, inputs, "y%d" % i, kernel_shape=[kh, kw], strides=node["stride"], pads=node["pads"],
                       group=groups)

    def compute(self, i, node):
        x = [self.dequantised(k, "%d_%d" % (i, j)) for j, k in enumerate(node["inputs"])]
        window = dict(kernel_shape=node["kernel"], strides=node["stride"], pads=node["pads"])
        kind = node["op"]
        if kind in WEIGHTED:
            y = self.weighted(i, node, x[0])
        elif kind == "max":
            y = self.op("MaxPool", x, "y%d" % i, **window)
        elif kind == "avg":
            y = self.op("AveragePool", x, "y%d" % i, count_include_pad=1, **window)
        elif kind == "add":
            y = self.op("Add", x, "y%d" % i)
        elif kind == "concat":
            y = self.op("Concat", x, "y%d" % i, axis=1)
        else:
            sys.exit("no ONNX form of " + kind)
        if node["act"] == "relu":
            y = self.op("Relu", [y], "a%d" % i)
        elif node["act"] == "relu6":
            zero, six = self.constant(np.array(0, np.float32), "f0"), self.constant(np.array(6, np.float32), "f6")
            y = self.op("Clip", [y, zero, six], "a%d" % i)
        elif node["act"] == "leaky":
            scale, zero, _ = self.scale(i)
            q = self.op("QuantizeLinear", [y, scale, zero], "ql%d" % i)
            d = self.op("DequantizeLinear", [q, scale, zero], "dl%d" % i)
            y = self.op("LeakyRelu", [d], "a%d" % i, alpha=26 / 256)
        self.quantise(i, y)

    def write(self, path):
        inputs, alias = [], {}
        for i, node in enumerate(self.graph["nodes"]):
            node["inputs"] = [alias.get(k, k) for k in node["inputs"]]
            h, w, c = node["shape"]
            if node["op"] == "input":
                inputs.append(helper.make_tensor_value_info("q%d" % i, TensorProto.UINT8, [1, c, h, w]))
            elif node["op"] == "copy":
                alias[i] = node["inputs"][0]
            else:
                self.compute(i, node)
        outputs = []
        for i in self.graph["outputs"]:
            i = alias.get(i, i)
            h, w, c = self.graph["nodes"][i]["shape"]
            outputs.append(helper.make_tensor_value_info("q%d" % i, TensorProto.UINT8, [1, c, h, w]))
        graph = helper.make_graph(self.nodes, "bench", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        save(model, path)


Writer(sys.argv[1]).write(sys.argv[1] + "/graph.onnx")
