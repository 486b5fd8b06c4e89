# SPDX-License-Identifier: Apache-2.0
"""Trains the network that says what a person carries and wears from one crop, and writes graph.json and graph.bin.

  train.py DATA_DIR [STEPS]       from the repository's root after `make models`; a developer's act
  train.py --site FOLDER [STEPS]  on a site's own lawful labels: FOLDER/labels.csv with the columns image, source_image
                                  and those of NAMES (1, 0 or empty), pictures beside it

Starts from the detector's first stages (models/tools/learn.py). Pictures: attributes/persons-carrying (Open Images,
CC BY, and COCO pictures of licences 4 and 7; licences.csv there, per picture); labels.csv here adds what a look at
each told of legs and sleeves. A quarter of the source pictures, chosen by the hash of their name, is never trained on
and measures. Seeded; about 15 minutes on one core.
Needs Debian's python3-torch and python3-opencv.
"""
import csv
import hashlib
import os
import sys

import cv2
import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import learn

FOLDER = os.path.dirname(os.path.abspath(__file__))
SIZE = (64, 128)
NAMES = ["backpack", "hat", "shorts", "short_sleeve"]
WEIGHTS = [1.0, 0.4, 0.7, 0.7]
THRESHOLDS = [0.88, 0.6, 0.6, 0.6]  # README.md says how the first was chosen
SEED, STEPS, BATCH = 1, 450, 32


def rows(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def measures(source_image):
    return int(hashlib.sha256(source_image.encode()).hexdigest(), 16) % 4 == 0


def load(data, site=False):
    """-> pictures, targets (nan = unknown), who measures."""
    root = data if site else os.path.join(data, "attributes/persons-carrying")
    more = {} if site else {r["image"]: r for r in rows(os.path.join(FOLDER, "labels.csv"))}
    pictures, targets, test = [], [], []
    for r in rows(os.path.join(root, "labels.csv")):
        own = more.get(r["image"], {})
        said = {"shorts": {"shorts": "1", "long": "0"}.get(own.get("lower"), ""),
                "short_sleeve": {"short": "1", "long": "0"}.get(own.get("sleeve"), "")} if not site else {}
        said = {k: said.get(k, r.get(k, "")) for k in NAMES}
        pictures.append(cv2.imread(os.path.join(root, r["image"])))
        targets.append([float(said[k]) if said[k] else np.nan for k in NAMES])
        test.append(measures(r["source_image"]))
    return pictures, np.array(targets, np.float32), np.array(test)


def build(rng):
    g = learn.trunk()
    n_trunk, top = len(g.nodes), g.outputs[0]
    a = learn.add_conv(g, top, 64, (3, 3), rng, stride=(2, 2), pad=(1, 1, 1, 1))
    out = learn.add_conv(g, a, len(NAMES), g.shapes(SIZE[1], SIZE[0])[a][:2], rng, leaky=False)
    g.outputs = [out]
    return learn.TorchGraph(g, n_trunk, [a, out])


def loss_of(out, target):
    known = ~torch.isnan(target)
    wanted = torch.nan_to_num(target) * 0.94 + 0.03
    each = torch.nn.functional.binary_cross_entropy_with_logits(out, wanted, reduction="none") * known
    return (each.sum(0) / known.sum(0).clamp(min=1) * torch.tensor(WEIGHTS)).sum()


def figures(form, scores, targets):
    """Precision and recall at THRESHOLDS, area under the curve."""
    for k, name in enumerate(NAMES):
        at = ~np.isnan(targets[:, k])
        s, t = scores[at, k], targets[at, k] > 0
        found = 1 / (1 + np.exp(-s)) >= THRESHOLDS[k]
        hits = int((found & t).sum())
        print(f"{form} {name}: precision {hits / max(found.sum(), 1):.3f} of {found.sum()}, recall "
              f"{hits / max(t.sum(), 1):.3f} of {t.sum()}; area under the curve {learn.area_under(s, t):.3f}, n {at.sum()}", flush=True)


def main():
    site = sys.argv[1] == "--site"
    args = sys.argv[2:] if site else sys.argv[1:]
    steps = int(args[1]) if len(args) > 1 else STEPS
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pictures, targets, test = load(args[0], site)
    mine = [i for i in np.flatnonzero(~test) if not np.isnan(targets[i]).all()]
    net = build(np.random.default_rng(SEED))
    print(learn.seen_by(net.graph, SIZE[1], SIZE[0]), f"{len(mine)} pictures teach, {test.sum()} measure", flush=True)

    def draw(rng, n):
        at = rng.choice(mine, n)
        return [learn.varied(pictures[i], SIZE, rng) for i in at], torch.from_numpy(targets[at])

    learn.fit(net, draw, loss_of, steps, 1e-3, trunk_share=0.2, seed=SEED, batch=BATCH)
    seen = [learn.as_seen(pictures[i], SIZE) for i in np.flatnonzero(test)]
    figures("fp32", learn.outputs(net, seen), targets[test])
    g = net.to_graph()
    rng = np.random.default_rng(SEED)
    layers = learn.calibrate(g, [learn.as_seen(pictures[i], SIZE) for i in rng.choice(mine, 48, replace=False)])
    q = learn.save(FOLDER, g, layers, SIZE)
    figures("int8", np.array([learn.run_int8(q, p) for p in seen]), targets[test])


if __name__ == "__main__":
    main()
