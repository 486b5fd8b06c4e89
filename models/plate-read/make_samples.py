# SPDX-License-Identifier: Apache-2.0
"""Drawn plates for the reader, as arrays."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "plates"))
import draw  # noqa: E402
from faces import CHARACTERS  # noqa: E402
from typefaces import typefaces  # noqa: E402

TEXT_MAX = 9
VIEWS = 2  # of each drawn plate


def readings(rng, n):
    """crops: n x 32 x 128 x 3; text: n x TEXT_MAX, index in CHARACTERS + 1, 0 = none; spots: centre, width."""
    out = {"crops": np.zeros((n, draw.READ_H, draw.READ_W, 3), np.uint8),
           "text": np.zeros((n, TEXT_MAX), np.uint8), "spots": np.zeros((n, TEXT_MAX, 2), np.float32)}
    for i in range(n):
        if i % VIEWS == 0:
            plate = draw.draw_plate(rng, *typefaces())
        out["crops"][i], spots = draw.reading(rng, plate)
        for k, (ch, spot) in enumerate(zip(plate.text, spots)):
            out["text"][i, k] = CHARACTERS.index(ch) + 1
            out["spots"][i, k] = spot
    return out
