# SPDX-License-Identifier: Apache-2.0
"""Trains the network that names type and colour of a vehicle from one crop, and writes graph.json and graph.bin.

  train.py DATA_DIR [STEPS]       from the repository's root after `make models`; a developer's act

Starts from the detector's first stages (models/tools/learn.py). Pictures: attributes/zenodo-6634554-tiny-vehicles
(CC BY 4.0; one camera: its last fifth by number measures), attributes/openimages-vehicles and
openimages-vehicle-crops (CC BY; a fifth of the pictures measures). labels.csv corrects types by eye. Rare paints are
made from common ones as in models/vehicle-colour/train.py. Seeded; 900 steps of 32,
about 7 minutes of one core.
plates/openalpr-eu is never read here: it only measures. Needs Debian's python3-torch and python3-opencv.
"""
import csv
import hashlib
import importlib.util
import os
import re
import sys

import cv2
import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import learn  # noqa: E402

FOLDER = os.path.dirname(os.path.abspath(__file__))
SIZE = (160, 120)
TYPES = ["car", "van", "pickup", "truck", "truck.articulated", "bus", "motorcycle"]
COLOURS = "black white grey beige brown red orange yellow green blue purple pink".split()
ZENODO = {"bike": "motorcycle", "car": "car", "minibus": "van", "pickup": "pickup", "truck": "truck",
          "juggernaut": "truck.articulated"}
SIDE_MIN = 36  # pixels; smaller boxes of openimages-vehicles show nothing
THRESHOLD = 0.6  # of a type finer than the class; set before measuring
SEED, STEPS, BATCH = 1, 900, 32


def paints():
    spec = importlib.util.spec_from_file_location("paint", os.path.join(FOLDER, "../vehicle-colour/train.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def held_out(name):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 5 == 0


class Sample:
    def __init__(self, picture, type_, colour, weight, measures, source):
        self.picture, self.weight, self.measures, self.source = picture, weight, measures, source
        self.type = TYPES.index(type_) if type_ in TYPES else -1
        self.colour = COLOURS.index(colour) if colour in COLOURS else -1


def load(data):
    out = []
    root = os.path.join(data, "attributes/zenodo-6634554-tiny-vehicles")
    about = {}
    for r in rows(os.path.join(root, "labels.csv")):
        about.setdefault(r["image"], {})[r["label"]] = r["value"]
    numbers = {}
    for image, a in about.items():
        numbers.setdefault(a.get("body"), []).append(int(re.search(r"(\d+)\.jpg", image).group(1)))
    last = {k: sorted(v)[len(v) * 4 // 5] for k, v in numbers.items()}
    for image, a in about.items():
        n = int(re.search(r"(\d+)\.jpg", image).group(1))
        out.append(Sample(cv2.imread(os.path.join(root, image)), ZENODO.get(a.get("body")), a.get("colour"), 0.5,
                          n >= last[a.get("body")], "zenodo"))
    root = os.path.join(data, "attributes/openimages-vehicles")
    seen = {(r["image"], r["x"], r["y"]): r["type"] for r in rows(os.path.join(FOLDER, "labels.csv"))}
    for r in rows(os.path.join(root, "labels.csv")):
        x, y, w, h = (int(float(r[k])) for k in "xywh")
        type_ = seen.get((r["image"], r["x"], r["y"]), r["label"])
        if min(w, h) >= SIDE_MIN and type_ in TYPES:
            crop = cv2.imread(os.path.join(root, r["image"]))[max(y, 0) : y + h, max(x, 0) : x + w]
            out.append(Sample(crop, type_, None, 1, held_out(os.path.basename(r["image"])), "openimages"))
    root = os.path.join(data, "attributes/openimages-vehicle-crops")
    for r in rows(os.path.join(root, "labels.csv")):
        out.append(Sample(cv2.imread(os.path.join(root, r["image"])), None, r["value"], 1.0,
                          held_out(os.path.basename(r["source"])), "openimages"))
    return out


def build(rng):
    """Two heads on the trunk: type, colour (which also sees the finer second stage)."""
    g = learn.trunk()
    n_trunk, top = len(g.nodes), g.outputs[0]
    a = learn.add_conv(g, top, 72, (3, 3), rng, stride=(2, 2), pad=(1, 1, 1, 1))
    h, w = g.shapes(SIZE[1], SIZE[0])[a][:2]
    types = learn.add_conv(g, a, len(TYPES), (h, w), rng, leaky=False)
    c = learn.add_conv(g, top, 48, (3, 3), rng, stride=(2, 2), pad=(1, 1, 1, 1))
    colours = learn.add_conv(g, c, len(COLOURS), (h, w), rng, leaky=False)
    g.outputs = [types, colours]
    return learn.TorchGraph(g, n_trunk, [a, c, types, colours])


def drawing(samples, paint):
    """Batches: half for types, each type alike; half for colours, a third of them repainted."""
    mine = [s for s in samples if not s.measures]
    by_type = [[s for s in mine if s.type == k] for k in range(len(TYPES))]
    by_colour = [[s for s in mine if s.colour == k] for k in range(len(COLOURS))]
    coloured = [s for s in mine if s.colour >= 0 and s.source == "openimages"]

    def repainted(rng):
        while True:
            s = coloured[rng.integers(len(coloured))]
            name = list(paint.PAINTS)[rng.integers(len(paint.PAINTS))]
            picture = learn.as_seen(s.picture, SIZE)
            grey = COLOURS[s.colour] in ("black", "grey", "white")
            made = paint.tinted(picture, paint.DARK.get(name, paint.PAINTS[name]), rng) if grey else \
                paint.turned(picture, paint.PAINTS[name], rng)
            if made is not None:
                return made, COLOURS.index(name)

    def one(rng, i):
        if i % 2 == 0:
            of = by_type[rng.integers(len(TYPES))]
            near = [s for s in of if s.source == "openimages"]
            s = (near if near and rng.random() < 0.5 else of)
            s = s[rng.integers(len(s))]
            return learn.varied(s.picture, SIZE, rng), s.type, -1
        if rng.random() < 0.35:
            picture, colour = repainted(rng)
            return learn.varied(picture, SIZE, rng, hue=False), -1, colour
        full = [k for k in range(len(COLOURS)) if by_colour[k]]
        if rng.random() < 0.5:
            s = coloured[rng.integers(len(coloured))]
        else:
            of = by_colour[full[rng.integers(len(full))]]
            s = of[rng.integers(len(of))]
        return learn.varied(s.picture, SIZE, rng, hue=False), s.type, s.colour

    def draw(rng, n):
        got = [one(rng, i) for i in range(n)]
        return [g[0] for g in got], torch.tensor([[g[1], g[2]] for g in got])

    return draw


def loss_of(out, target):
    f = torch.nn.functional
    n = len(TYPES)
    types = f.cross_entropy(out[:, :n], target[:, 0], ignore_index=-1, label_smoothing=0.05)
    colours = f.cross_entropy(out[:, n:], target[:, 1], ignore_index=-1, label_smoothing=0.05)
    return types + colours


def figures(name, scores, samples):
    n = len(TYPES)
    for source in ("zenodo", "openimages"):
        at = [i for i, s in enumerate(samples) if s.source == source and s.type >= 0]
        got, want = scores[at, :n].argmax(1), np.array([samples[i].type for i in at])
        print(f"{name} {source}: type {np.mean(got == want):.3f} of {len(at)}; "
              + " ".join(f"{t} {np.mean(got[want == k] == k):.2f}/{(want == k).sum()}" for k, t in enumerate(TYPES)
                         if (want == k).any()))
        at = [i for i, s in enumerate(samples) if s.source == source and s.colour >= 0]
        order = np.argsort(-scores[at, n:], axis=1)
        want = np.array([samples[i].colour for i in at])
        print(f"{name} {source}: colour {np.mean(order[:, 0] == want):.3f}, first two "
              f"{np.mean((order[:, :2] == want[:, None]).any(1)):.3f} of {len(at)}", flush=True)


def main():
    data, steps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else STEPS
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    samples = load(data)
    net = build(np.random.default_rng(SEED))
    print(learn.seen_by(net.graph, SIZE[1], SIZE[0]), f"{len(samples)} pictures", flush=True)
    learn.fit(net, drawing(samples, paints()), loss_of, steps, 1e-3, trunk_share=0.3, seed=SEED, batch=BATCH)
    test = [s for s in samples if s.measures]
    seen = [learn.as_seen(s.picture, SIZE) for s in test]
    figures("fp32", learn.outputs(net, seen), test)
    g = net.to_graph()
    rng = np.random.default_rng(SEED)
    mine = [s for s in samples if not s.measures]
    layers = learn.calibrate(g, [learn.as_seen(mine[i].picture, SIZE) for i in rng.choice(len(mine), 48, replace=False)])
    q = learn.save(FOLDER, g, layers, SIZE)
    figures("int8", np.array([learn.run_int8(q, p) for p in seen]), test)


if __name__ == "__main__":
    main()
