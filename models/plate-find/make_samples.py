# SPDX-License-Identifier: Apache-2.0
"""Vehicles with plates for the finder, as arrays: rendered ones, and real ones of the permissive set."""
import csv
import os
import sys

import cv2
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "plates"))
import draw  # noqa: E402
import vehicle  # noqa: E402
from typefaces import typefaces  # noqa: E402

# What the net sees, and what is kept of each sample: a margin is left for shifting it at random.
NET_W, NET_H = 160, 128
KEEP_W, KEEP_H = 176, 142


def rendered(rng, n):
    out = {"pictures": np.zeros((n, KEEP_H, KEEP_W, 3), np.uint8), "boxes": np.full((n, 4), -1, np.float32)}
    scale = np.array([KEEP_W / vehicle.W, KEEP_H / vehicle.H] * 2)
    for i in range(n):
        picture, box = vehicle.finding(rng, *typefaces())
        out["pictures"][i] = draw.fit(picture, KEEP_W, KEEP_H)
        if box is not None:
            out["boxes"][i] = np.array(box) * scale
    return out


def round_plate(rng, picture, box):
    """A window as the vehicle detector would cut it round this plate, as near as its box tells."""
    x, y, w, h = box
    wide = w / rng.uniform(0.2, 0.42)
    high = wide * rng.uniform(0.72, 1.0)
    x0 = x + w / 2 - wide * rng.uniform(0.38, 0.62)
    y0 = y + h / 2 - high * rng.uniform(0.45, 0.85)
    x0, y0 = max(0, x0), max(0, y0)
    x1, y1 = min(picture.shape[1], x0 + wide), min(picture.shape[0], y0 + high)
    return int(x0), int(y0), int(x1), int(y1)


def real(folder, wanted, seed, views):
    """Windows round the plates of the videos that `wanted(name)` takes; several views of each."""
    rng = np.random.default_rng(seed)
    pictures, boxes = [], []
    with open(os.path.join(folder, "labels.csv"), encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if wanted(r["video"])]
    for row in rows:
        picture = cv2.imread(os.path.join(folder, row["image"]))
        box = np.array([float(row[k]) for k in "xywh"])
        others = [np.array([float(r[k]) for k in "xywh"]) for r in rows if r["image"] == row["image"] and r is not row]
        for _ in range(views):
            x0, y0, x1, y1 = round_plate(rng, picture, box)
            if any(x0 < o[0] + o[2] / 2 < x1 and y0 < o[1] + o[3] / 2 < y1 for o in others):
                continue  # two plates in one window
            kx, ky = KEEP_W / (x1 - x0), KEEP_H / (y1 - y0)
            pictures.append(draw.fit(picture[y0:y1, x0:x1], KEEP_W, KEEP_H))
            boxes.append([(box[0] - x0) * kx, (box[1] - y0) * ky, (box[0] + box[2] - x0) * kx, (box[1] + box[3] - y0) * ky])
    return {"pictures": np.stack(pictures), "boxes": np.array(boxes, np.float32)}
