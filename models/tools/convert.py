# SPDX-License-Identifier: Apache-2.0
"""Published weights + committed fix positions -> graph.json and graph.bin, which write_xmodel turns into xmodels;
afterwards model.json, which names the written files by hash.

  convert.py graph --source DIR --model models/nanodet-g --width 416 --height 416 --out build/models/nanodet-g
  convert.py manifest --model models/nanodet-g --accuracy models/ACCURACY.json --out build/models/nanodet-g
"""
import argparse
import hashlib
import json
import os
import shutil

import numpy as np

import quantise
import tfjs
from graph import UP2_FIX, UP2_TAPS

# DPU of the Alveo U50LV and U55C builds with depthwise support; the golden file itself runs on no card.
DPU_NAME = "DPUCAHX8H_ISA2_DWC"


class Blob:
    def __init__(self):
        self.parts, self.at = [], 0

    def put(self, array, fix):
        entry = {"at": self.at, "shape": list(array.shape), "fix_point": int(fix)}
        self.parts.append(array.astype(np.int8).tobytes())
        self.at += array.size
        return entry


def describe(graph, manifest, width, height):
    """-> (what write_xmodel reads, the int8 constants back to back)."""
    blob, nodes = Blob(), []
    for n, shape in zip(graph.nodes, graph.shapes(height, width)):
        e = {"name": n.name, "inputs": [graph.nodes[i].name for i in n.inputs], "shape": list(shape),
             "fix_point": n.fix}
        if n.op == "conv":
            e |= {"op": "conv", "weights": blob.put(n.weights, n.weights_fix), "bias": blob.put(n.bias, n.bias_fix),
                  "leaky": n.leaky}
        elif n.op == "up2":
            taps = np.repeat(UP2_TAPS[None, :, :, None], n.channels, axis=3)
            e |= {"op": "transposed_depthwise", "weights": blob.put(taps, UP2_FIX)}
        else:
            e |= {"op": {"maxpool": "max_pool", "down2": "average_pool"}.get(n.op, n.op)}
        if n.op in ("conv", "maxpool"):
            e |= {"kernel": list(n.kernel[::-1]), "stride": list(n.stride[::-1]), "pad": list(n.pad)}
        elif n.op == "up2":
            e |= {"kernel": [4, 4], "stride": [2, 2], "pad": [1, 1, 1, 1]}
        elif n.op == "down2":
            e |= {"kernel": [2, 2], "stride": [2, 2], "pad": [0, 0, 0, 0]}
        nodes.append(e)
    outputs = manifest["outputs"]
    if len(outputs) != len(graph.outputs):
        raise ValueError("model.json names another number of outputs than the graph has")
    heads = [{"node": graph.nodes[i].name, "name": o["tensor"]} for i, o in zip(graph.outputs, outputs)]
    return {"name": manifest["name"], "dpu_name": DPU_NAME, "input": manifest["input"]["tensor"], "nodes": nodes,
            "outputs": heads}, b"".join(blob.parts)


def read_manifest(folder):
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as f:
        return json.load(f)


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def write_json(path, what):
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(what, f, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)


def load_quantised(source, model):
    graph = tfjs.read(os.path.join(source, "nanodet.json"), os.path.join(source, "nanodet.bin"))
    return graph, quantise.quantise(graph, quantise.load(os.path.join(model, "quant.json")))


def command_graph(args):
    _, graph = load_quantised(args.source, args.model)
    what, blob = describe(graph, read_manifest(args.model), args.width, args.height)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "graph.bin"), "wb") as f:
        f.write(blob)
    write_json(os.path.join(args.out, "graph.json"), what)
    print(f"{what['name']} {args.width}x{args.height}: {len(graph.nodes)} layers, {len(blob)} int8 constants, "
          f"{graph.macs(args.height, args.width) / 1e9:.3f} GMAC")


def accuracy_of(size, path):
    """Rows of ACCURACY.json about a detector of this input."""
    with open(path, encoding="utf-8") as f:
        measured = json.load(f)
    return [{"set": r["set"], "what": r["what"], "n": r["n"], "metric": r["metric"], "fp32": r["fp32"],
             "int8": r["measured"], "date": measured["date"]}
            for r in measured["rows"] if r["metric"] == "AP50" and r.get("input") == size]


def command_manifest(args):
    manifest = read_manifest(args.model)
    with open(os.path.join(args.out, "graph.json"), encoding="utf-8") as f:
        what = json.load(f)
    nodes = {n["name"]: n for n in what["nodes"]}
    heads = {o["name"]: nodes[o["node"]] for o in what["outputs"]}
    image = nodes["input00"]
    manifest["input"] |= {"width": image["shape"][1], "height": image["shape"][0], "fix_point": image["fix_point"]}
    for o in manifest["outputs"]:
        o["fix_point"] = heads[o["tensor"]]["fix_point"]
    for kind in ("golden", "quant"):
        entry = manifest["files"][kind]
        entry["sha256"] = sha256(os.path.join(args.out, entry["path"]))
    size = f"{image['shape'][1]}x{image['shape'][0]}"
    manifest["accuracy"] = accuracy_of(size, args.accuracy)
    if "labels" in manifest:
        shutil.copyfile(os.path.join(args.model, manifest["labels"]), os.path.join(args.out, manifest["labels"]))
    write_json(os.path.join(args.out, "model.json"), manifest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    graph = commands.add_parser("graph")
    graph.add_argument("--source", required=True)
    graph.add_argument("--width", type=int, default=416)
    graph.add_argument("--height", type=int, default=416)
    manifest = commands.add_parser("manifest")
    manifest.add_argument("--accuracy", required=True, help="models/ACCURACY.json")
    for c in (graph, manifest):
        c.add_argument("--model", required=True)
        c.add_argument("--out", required=True)
    args = parser.parse_args()
    {"graph": command_graph, "manifest": command_manifest}[args.command](args)


if __name__ == "__main__":
    main()
