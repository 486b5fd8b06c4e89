# SPDX-License-Identifier: Apache-2.0
"""Real plates with known texts, cut by their true boxes: for choosing a state, and for measuring the reader alone."""
import csv
import os
import sys

import cv2
import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "plates"))
from draw import READ_H, READ_W, fit  # noqa: E402
from faces import CHARACTERS  # noqa: E402
from blocks import to_input  # noqa: E402

MARGIN_X, MARGIN_Y = 0.03, 0.10  # of the plate's size, on each side


def cut(picture, x, y, w, h):
    """The reader's crop of a plate at (x, y, w, h)."""
    x0, y0 = max(0, int(round(x - w * MARGIN_X))), max(0, int(round(y - h * MARGIN_Y)))
    x1 = min(picture.shape[1], int(round(x + w * (1 + MARGIN_X))))
    y1 = min(picture.shape[0], int(round(y + h * (1 + MARGIN_Y))))
    return fit(picture[y0:y1, x0:x1], READ_W, READ_H)


def load(folder):
    """-> (crops, texts, widths in pixels). Romanian rows are cut from the native crops, others from the pictures."""
    crops, texts, widths = [], [], []
    with open(os.path.join(folder, "labels.csv"), encoding="utf-8") as f:
        for row in csv.DictReader(f):
            text = row.get("plate_fixed") or row.get("plate") or row.get("value")
            if not text:
                continue
            if row.get("crop"):
                picture = cv2.imread(os.path.join(folder, row["crop"]))
                w, h = float(row["native_w"]), float(row["native_h"])
                x, y = (picture.shape[1] - w) / 2, (picture.shape[0] - h) / 2
            else:
                picture = cv2.imread(os.path.join(folder, row["image"]))
                x, y, w, h = (float(row[k]) for k in "xywh")
            crops.append(cut(picture, x, y, w, h))
            texts.append(text)
            widths.append(w)
    return np.stack(crops), texts, np.array(widths)


def logits(net, crops):
    with torch.no_grad():
        return net(to_input(crops)).numpy()


def free(columns):
    """Greedy text of a 37 x 32 array: repeats and blanks fall away."""
    best = columns.argmax(axis=0)
    return "".join(CHARACTERS[k - 1] for i, k in enumerate(best) if k and (i == 0 or best[i - 1] != k))


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            last, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, last + (x != y))
    return row[-1]


def measure(net, loaded):
    """Exact texts (O = 0) and characters right, by free reading."""
    crops, texts, _ = loaded
    net.eval()
    same = lambda s: s.replace("O", "0")
    read = [same(free(y)) for y in logits(net, crops)]
    true = [same(t) for t in texts]
    exact = np.mean([a == b for a, b in zip(read, true)])
    wrong = sum(distance(a, b) for a, b in zip(read, true))
    return float(exact), 1 - wrong / sum(map(len, true))
