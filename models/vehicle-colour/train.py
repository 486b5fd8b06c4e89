# SPDX-License-Identifier: Apache-2.0
"""Learns the linear layer that names a vehicle's colour, and writes host/pipe/colour_vehicle_weights.h.

  train.py DATA_DIR           from the repository's root; a developer's act, not part of the build

Features come from the product's own C (host/pipe/colour_vehicle.c), so what is learned is what runs. Pictures:
attributes/openimages-vehicle-crops (CC BY) and attributes/zenodo-6634554-tiny-vehicles (CC BY 4.0). Rare paints are
made from common ones: the hue of coloured cars is turned, grey and black ones are tinted. Seeded; 3 minutes on one
core. plates/openalpr-eu is never read here: it only measures.
Needs Debian's python3-numpy, python3-scipy, python3-opencv and gcc.
"""
import csv
import ctypes
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np
from scipy.optimize import minimize

NAMES = "black white grey silver beige brown red orange yellow green blue purple pink".split()  # enum colour
LEARNED = [n for n in NAMES if n != "silver"]  # no set tells silver from grey
N_FEATURES, W, H = 282, 160, 120
DECAY, VARIANTS, FOLDS = 3e-3, 8, 4
# hue in degrees, chroma, lightness that bear the name without doubt
PAINTS = {
    "purple": ((300, 338), (12, 40), (15, 50)), "pink": ((345, 375), (15, 40), (60, 82)),
    "orange": ((48, 66), (45, 85), (45, 72)), "brown": ((40, 78), (10, 30), (15, 42)),
    "beige": ((68, 100), (8, 20), (55, 85)), "green": ((115, 190), (12, 55), (20, 65)),
    "yellow": ((84, 100), (45, 90), (60, 88)), "red": ((8, 36), (25, 70), (18, 52)),
    "blue": ((240, 300), (12, 55), (12, 65)),
}
DARK = {"purple": ((300, 340), (8, 22), (12, 34)), "brown": ((42, 80), (8, 20), (14, 40)),
        "green": ((120, 195), (8, 22), (12, 36)), "red": ((5, 36), (14, 32), (12, 34)),
        "blue": ((255, 300), (9, 25), (8, 34)), "beige": ((70, 98), (8, 17), (55, 82))}


class Features:
    """colour_vehicle_features() of the product, by ctypes."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        library = os.path.join(self.folder.name, "features.so")
        source = [f"host/pipe/{f}.c" for f in ("palette", "colour", "colour_vehicle")]
        subprocess.check_call(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-I.", *source, "-lm",
                               "-o", library])
        self.call = ctypes.CDLL(library).colour_vehicle_features

    def __call__(self, bgr):
        crop = np.ascontiguousarray((bgr.astype(np.int16) - 128).astype(np.int8))
        out = np.zeros(N_FEATURES, np.float32)
        self.call(crop.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p))
        return out


def lab(bgr):
    return cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)


def bgr(l, a, b):
    picture = cv2.cvtColor(np.stack([l, a, b], -1).astype(np.float32), cv2.COLOR_LAB2BGR)
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def body(shape):
    mask = np.zeros(shape, bool)
    mask[20:105, 12:148] = True
    return mask


def turned(picture, paint, rng):
    """A coloured car in another hue; None when it has no clear colour of its own."""
    x = lab(picture)
    l, a, b = x[..., 0], x[..., 1], x[..., 2]
    c, h = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    inside = body(l.shape)
    coloured = inside & (c > 14)
    if coloured.mean() < 0.12:
        return None
    own = np.bincount((h[coloured] / 10).astype(int), minlength=36).argmax() * 10 + 5
    off = (h - own + 180) % 360 - 180
    weight = np.clip((c - 8) / 8, 0, 1) * np.clip((45 - np.abs(off)) / 15, 0, 1)
    if (weight * inside).mean() < 0.10:
        return None
    hue, chroma, light = (rng.uniform(*r) for r in paint)
    new_h = np.radians(hue + 0.4 * off)
    new_c = np.clip(c * chroma / np.average(c, weights=weight * inside), 0, 90)
    new_l = np.clip(l + light - np.average(l, weights=weight * inside), 1, 99)
    return bgr(l * (1 - weight) + new_l * weight, a * (1 - weight) + new_c * np.cos(new_h) * weight,
               b * (1 - weight) + new_c * np.sin(new_h) * weight)


def tinted(picture, paint, rng):
    """A black, grey or white car with a faint colour in its paint."""
    x = lab(picture)
    l, a, b = x[..., 0], x[..., 1], x[..., 2]
    inside = body(l.shape) & (np.hypot(a, b) < 10)
    if inside.mean() < 0.15:
        return None
    own = np.bincount((l[inside] / 5).astype(int), minlength=21).argmax() * 5 + 2.5
    weight = (np.hypot(a, b) < 12) * np.clip((30 - np.abs(l - own)) / 12, 0, 1)
    weight = cv2.GaussianBlur(weight.astype(np.float32), (5, 5), 0)
    hue, chroma, light = (rng.uniform(*r) for r in paint)
    h = np.radians(hue + rng.normal(0, 3))
    shift = np.clip(light - own, -40, 40)
    return bgr(np.clip(l + shift * weight, 1, 99), a + chroma * np.cos(h) * weight, b + chroma * np.sin(h) * weight)


def varied(picture, rng):
    """Another frame, light, white balance and noise."""
    side = [W * rng.uniform(-0.06, 0.10), H * rng.uniform(-0.06, 0.10), W * (1 - rng.uniform(-0.06, 0.10)),
            H * (1 - rng.uniform(-0.06, 0.10))]
    x0, y0, x1, y1 = side
    to = np.float32([[0, 0], [W, 0], [0, H], [W, H]])
    m = cv2.getPerspectiveTransform(np.float32([[x0, y0], [x1, y0], [x0, y1], [x1, y1]]), to)
    out = cv2.warpPerspective(picture, m, (W, H), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    out = 255 * (out / 255) ** rng.uniform(0.85, 1.18) * rng.uniform(0.8, 1.2) * np.exp(rng.normal(0, 0.03, 3))
    return np.clip(out + rng.normal(0, rng.uniform(0, 6), out.shape), 0, 255).astype(np.uint8)


def pictures(data, folder, weight):
    for row in csv.DictReader(open(os.path.join(data, "attributes", folder, "labels.csv"))):
        if row["label"] == "colour" and row["value"] in LEARNED:
            picture = cv2.imread(os.path.join(data, "attributes", folder, row["image"]))
            how = cv2.INTER_AREA if picture.shape[1] >= W else cv2.INTER_LINEAR
            yield cv2.resize(picture, (W, H), interpolation=how), row["value"], weight, row["image"]


def samples(of, picture, name, weight, features, rng):
    """(features, label, weight) of one picture and what is made of it."""
    rows = [(features(picture), name, weight)]
    for _ in range(VARIANTS if of == "openimages" else 1):
        rows.append((features(varied(picture, rng)), name, weight))
    made = []
    if of == "openimages" and name in ("red", "yellow", "blue", "green", "orange"):
        for paint in PAINTS:
            made += [(turned(picture, PAINTS[paint], rng), paint, 0.6) for _ in range(2)]
    if name in ("black", "grey", "white") and (of == "openimages" or rng.random() < 0.35):
        for paint in DARK:
            made.append((tinted(picture, DARK[paint], rng), paint, 0.3))
    rows += [(features(varied(p, rng)), n, w) for p, n, w in made if p is not None]
    return rows


def fit(rows):
    x = np.array([r[0] for r in rows], np.float64)
    y = np.array([LEARNED.index(r[1]) for r in rows])
    w = np.array([r[2] for r in rows])
    total = np.array([w[y == k].sum() for k in range(len(LEARNED))])
    w *= np.sqrt(np.minimum(200 / np.maximum(total, 1), 1))[y]  # common colours count less, not as little as rare
    w /= w.sum()
    truth = np.eye(len(LEARNED))[y]

    def loss(v):
        m = v.reshape(N_FEATURES, -1)
        z = x @ m
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        return (-(w * np.log(p[np.arange(len(y)), y] + 1e-12)).sum() + DECAY * (m**2).sum() / 2,
                (x.T @ ((p - truth) * w[:, None]) + DECAY * m).ravel())

    start = np.zeros(N_FEATURES * len(LEARNED))
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 120}).x.reshape(N_FEATURES, -1)


def right(m, rows):
    """How often the first, and one of the first two names is right."""
    first = second = 0
    for features, name, _ in rows:
        order = np.argsort(-(features @ m), kind="stable")[:2]
        first += LEARNED[order[0]] == name
        second += name in (LEARNED[order[0]], LEARNED[order[1]])
    return first, second


def write(m, path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("/* SPDX-License-Identifier: Apache-2.0 */\n"
                "/* Made by models/vehicle-colour/train.py; see the README beside it for data and accuracy. Rows: enum\n"
                " * colour; columns: colour_vehicle_features(). */\n"
                "#ifndef HOST_PIPE_COLOUR_VEHICLE_WEIGHTS_H\n#define HOST_PIPE_COLOUR_VEHICLE_WEIGHTS_H\n\n"
                '#include "host/pipe/colour.h"\n#include "host/pipe/colour_vehicle.h"\n\n'
                "/* clang-format off */\n"
                "static const float colour_vehicle_weights[COLOUR_NAMES][COLOUR_VEHICLE_FEATURES] = {\n")
        for name in NAMES:
            values = m[:, LEARNED.index(name)] if name in LEARNED else np.zeros(1)
            text = [f"{v:.3f}f" for v in values]
            f.write(f"    /* {name} */ {{\n")
            for i in range(0, len(text), 11):
                f.write("        " + ", ".join(text[i:i + 11]) + ",\n")
            f.write("    },\n")
        f.write("};\n/* clang-format on */\n\n#endif\n")


def main():
    data, features = sys.argv[1], Features()
    groups = [[] for _ in range(FOLDS)]
    tests = [[] for _ in range(FOLDS)]
    always = []
    rng = np.random.default_rng(1)
    sources = {}
    for picture, name, weight, path in pictures(data, "openimages-vehicle-crops", 1.0):
        source = os.path.basename(path).split("_")[0]  # crops of one picture stay together
        fold = sources.setdefault(source, len(sources) % FOLDS)
        rows = samples("openimages", picture, name, weight, features, rng)
        groups[fold] += rows
        tests[fold].append(rows[0])
    for picture, name, weight, _ in pictures(data, "zenodo-6634554-tiny-vehicles", 0.5):
        always += samples("zenodo", picture, name, weight, features, rng)
    first = second = n = 0
    for k in range(FOLDS):
        m = fit(always + [r for i in range(FOLDS) if i != k for r in groups[i]])
        a, b = right(m, tests[k])
        first, second, n = first + a, second + b, n + len(tests[k])
    print(f"openimages-vehicle-crops, {FOLDS} folds by picture: top-1 {first / n:.3f} top-2 {second / n:.3f} n {n}")
    m = fit(always + [r for g in groups for r in g])
    write(m, "host/pipe/colour_vehicle_weights.h")
    print(f"{len(always) + sum(map(len, groups))} samples; host/pipe/colour_vehicle_weights.h written")


if __name__ == "__main__":
    main()
