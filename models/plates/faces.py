# SPDX-License-Identifier: Apache-2.0
"""Typefaces for drawn plates: a stroke face of our own in many variants, and faces of Debian packages.

A face is {character: mask}; a mask is a uint8 picture, 255 where there is paint, as wide as the glyph and CAP rows high;
more where a font lets a J or Q hang below the line.
"""
import glob

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAP = 96  # rows of a capital
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
CHARACTERS = DIGITS + LETTERS

# Files that look like plates: heavy, plain, condensed. Absent ones are skipped; the recipe names the packages.
FONT_FILES = [
    "opendin/OSP-DIN.ttf", "roadgeek/RG2014B.ttf", "roadgeek/RG2014C.ttf", "roadgeek/RG2014D.ttf",
    "roadgeek/RG2014E.ttf", "roadgeek/RG2014F.ttf", "liberation2/LiberationSans-Bold.ttf",
    "liberation2/LiberationSans-Regular.ttf", "osifont/osifont.ttf", "routed-gothic/routed-gothic.ttf",
    "routed-gothic/routed-gothic-narrow.ttf", "routed-gothic/routed-gothic-wide.ttf", "tuffy/Tuffy.ttf",
    "tuffy/Tuffy_Bold.ttf", "play/Play-Bold.ttf", "play/Play-Regular.ttf", "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSansCondensed-Bold.ttf", "dejavu/DejaVuSansMono-Bold.ttf", "lato/Lato-Bold.ttf",
    "freefont/FreeSansBold.ttf", "open-sans/OpenSans-CondBold.ttf", "open-sans/OpenSans-Semibold.ttf",
    "NationalPark-Heavy.otf", "national-park/NationalPark-Regular.otf", "dosis/Dosis-Bold.otf",
    "dosis/Dosis-ExtraBold.otf", "bebas-neue/BebasNeue-Bold.otf", "cabin/Cabin-Bold.otf",
    "urw-base35/NimbusSansNarrow-Bold.otf", "urw-base35/NimbusSans-Bold.otf",
    "yanone-kaffeesatz/YanoneKaffeesatz-Bold.otf",
]


def arc(cx, cy, rx, ry, a0, a1, square=2.0, n=14):
    """Points of a superellipse from a0 to a1 degrees, clockwise on the screen, 0 = right."""
    t = np.radians(np.linspace(a0, a1, n))
    c, s = np.cos(t), np.sin(t)
    power = 2.0 / square
    return [(cx + rx * np.sign(u) * abs(u) ** power, cy + ry * np.sign(v) * abs(v) ** power) for u, v in zip(c, s)]


def strokes(ch, v):
    """The strokes of one character in a unit square, y downward; `v` holds the choices of this variant."""
    k, mid, bar = v["square"], v["mid"], v["bar"]
    full = lambda a0, a1: arc(0.5, 0.5, 0.5, 0.5, a0, a1, k, 28)
    if ch in "O0":
        inset = v["zero_inset"] if ch == "0" else 0.0
        return [arc(0.5, 0.5, 0.5 - inset, 0.5, 0, 360, k, 40)]
    if ch == "Q":
        return [arc(0.5, 0.5, 0.5, 0.5, 0, 360, k, 40), [(0.58, 0.72), (1.0, 1.04)]]
    if ch == "A":
        y = v["a_bar"]
        flat = v["a_flat"]
        return [[(0, 1), (0.5 - flat, 0), (0.5 + flat, 0), (1, 1)], [(0.5 - 0.5 * y, y), (0.5 + 0.5 * y, y)]]
    if ch == "B":
        return [[(0, 0), (0, 1)], [(0, 0), (0.5, 0)] + arc(0.5, mid / 2, 0.42, mid / 2, -90, 90, k) + [(0, mid)],
                [(0, mid), (0.5, mid)] + arc(0.5, (1 + mid) / 2, 0.5, (1 - mid) / 2, -90, 90, k) + [(0, 1)]]
    if ch == "C":
        return [full(-v["open"], -360 + v["open"])]
    if ch == "D":
        return [[(0, 0), (0, 1)], [(0, 0), (0.45, 0)] + arc(0.45, 0.5, 0.55, 0.5, -90, 90, k, 24) + [(0, 1)]]
    if ch == "E":
        return [[(0.95, 0), (0, 0), (0, 1), (0.95, 1)], [(0, mid), (bar, mid)]]
    if ch == "F":
        return [[(0.95, 0), (0, 0), (0, 1)], [(0, mid + 0.03), (bar, mid + 0.03)]]
    if ch == "G":
        return [full(-v["open"], -360 + 8) + [(1.0, 0.55), (0.55, 0.55)]]
    if ch == "H":
        return [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, mid), (1, mid)]]
    if ch == "I":
        serif = [[(0.1, 0), (0.9, 0)], [(0.1, 1), (0.9, 1)]] if v["i_serif"] else []
        return [[(0.5, 0), (0.5, 1)]] + serif
    if ch == "J":
        top = [(0.4, 0)] if v["j_serif"] else []
        return [top + [(0.95, 0), (0.95, 0.65)] + arc(0.5, 0.68, 0.45, 0.32, 0, 170, k)]
    if ch == "K":
        return [[(0, 0), (0, 1)], [(0.95, 0), (0, 0.62)], [(0.32, 0.42), (1, 1)]]
    if ch == "L":
        return [[(0, 0), (0, 1), (0.95, 1)]]
    if ch == "M":
        return [[(0, 1), (0, 0), (0.5, v["m_deep"]), (1, 0), (1, 1)]]
    if ch == "N":
        return [[(0, 1), (0, 0), (1, 1), (1, 0)]]
    if ch in "PR":
        y = mid + 0.06
        out = [[(0, 0), (0, 1)], [(0, 0), (0.5, 0)] + arc(0.5, y / 2, 0.5, y / 2, -90, 90, k) + [(0, y)]]
        return out + ([[(v["r_leg"], y), (1, 1)]] if ch == "R" else [])
    if ch == "S":
        return [arc(0.5, mid / 2, 0.48, mid / 2, -25, -270, k, 20)
                + arc(0.5, (1 + mid) / 2, 0.5, (1 - mid) / 2, -90, 155, k, 20)]
    if ch == "T":
        return [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]]
    if ch == "U":
        return [[(0, 0), (0, 0.6)] + arc(0.5, 0.62, 0.5, 0.38, 180, 0, k, 20) + [(1, 0)]]
    if ch == "V":
        return [[(0, 0), (0.5, 1), (1, 0)]]
    if ch == "W":
        return [[(0, 0), (0.25, 1), (0.5, v["w_peak"]), (0.75, 1), (1, 0)]]
    if ch == "X":
        return [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]
    if ch == "Y":
        return [[(0, 0), (0.5, 0.52), (1, 0)], [(0.5, 0.52), (0.5, 1)]]
    if ch == "Z":
        return [[(0, 0), (1, 0), (0, 1), (1, 1)]]
    if ch == "1":
        foot = [[(0.15, 1), (1.0, 1)]] if v["one_foot"] else []
        return [[(0.1, v["one_arm"]), (0.6, 0), (0.6, 1)]] + foot
    if ch == "2":
        return [arc(0.5, 0.28, 0.47, 0.28, -170, 20, k, 20) + [(0.02, 1), (1, 1)]]
    if ch == "3":
        if v["three_flat"]:
            return [[(0.05, 0), (0.92, 0), (0.45, 0.4)] + arc(0.45, 0.7, 0.52, 0.3, -90, 150, k, 20)]
        return [arc(0.46, mid / 2, 0.46, mid / 2, -160, 90, k, 16),
                arc(0.46, (1 + mid) / 2, 0.52, (1 - mid) / 2, -90, 160, k, 16)]
    if ch == "4":
        if v["four_open"]:
            return [[(0.45, 0), (0, 0.68), (1, 0.68)], [(0.72, 0.4), (0.72, 1)]]
        return [[(0.74, 1), (0.74, 0), (0, 0.68), (1, 0.68)]]
    if ch == "5":
        return [[(0.92, 0), (0.1, 0), (0.06, 0.46)] + arc(0.48, 0.67, 0.5, 0.33, -130, 155, k, 22)]
    if ch in "69":
        bowl = arc(0.5, 0.68, 0.48, 0.32, 0, 360, k, 30)
        tail = ([(0.04, 0.66), (0.7, 0)] if v["six_straight"]
                else arc(0.55, 0.62, 0.53, 0.62, 180, 300, k, 16))
        out = [bowl, tail]
        return out if ch == "6" else [[(1 - x, 1 - y) for x, y in s] for s in out]
    if ch == "7":
        return [[(0, 0), (1, 0), (0.3, 1)]]
    if ch == "8":
        return [arc(0.5, mid / 2, 0.43, mid / 2, 0, 360, k, 30),
                arc(0.5, (1 + mid) / 2, 0.5, (1 - mid) / 2, 0, 360, k, 30)]
    raise ValueError(ch)


def stroke_face(rng):
    """One variant of our own face, in the manner of European plates: one line width, little contrast."""
    pick = lambda a, b: float(rng.uniform(a, b))
    v = {"square": pick(2.0, 4.2), "mid": pick(0.43, 0.52), "bar": pick(0.7, 0.95), "zero_inset": pick(0, 0.06),
         "a_bar": pick(0.62, 0.78), "a_flat": pick(0, 0.1), "open": pick(28, 55), "i_serif": rng.random() < 0.25,
         "j_serif": rng.random() < 0.4, "m_deep": pick(0.4, 1.0), "r_leg": pick(0.2, 0.5), "w_peak": pick(0.0, 0.55),
         "one_foot": rng.random() < 0.12, "one_arm": pick(0.12, 0.35), "three_flat": rng.random() < 0.25,
         "four_open": rng.random() < 0.3, "six_straight": rng.random() < 0.4}
    thick = pick(9.5, 17.5)
    base, digits = pick(38, 56), pick(0.9, 1.05)
    wide = {"M": 1.22, "W": 1.28, "Q": 1.02, "I": 0.5 if v["i_serif"] else 0.1, "1": 0.62, "J": 0.88, "L": 0.88,
            "E": 0.9, "F": 0.88, "A": 1.08, "V": 1.04}
    face, up = {}, 4
    for ch in CHARACTERS:
        w = base * wide.get(ch, 1.0) * (digits if ch in DIGITS else 1.0)
        full_w = w + thick
        mask = np.zeros((CAP * up, int(full_w * up) + 1), np.uint8)
        for line in strokes(ch, v):
            points = [((thick / 2 + x * w) * up, (thick / 2 + y * (CAP - thick)) * up) for x, y in line]
            cv2.polylines(mask, [np.round(points).astype(np.int32)], False, 255, int(thick * up))
        face[ch] = cv2.resize(mask, (mask.shape[1] // up, CAP), interpolation=cv2.INTER_AREA)
    return face


def font_face(path):
    """A face of a font file: each glyph cut to its paint, an H made CAP rows high; round letters, which overshoot a little,
    are made as high, what hangs well below the line stays there."""
    font = ImageFont.truetype(path, 160)
    boxes, pictures, face = {}, {}, {}
    for ch in CHARACTERS:
        pictures[ch] = Image.new("L", (360, 300))
        ImageDraw.Draw(pictures[ch]).text((60, 40), ch, fill=255, font=font)
        boxes[ch] = pictures[ch].getbbox()
        if not boxes[ch]:
            raise ValueError(f"{path} has no {ch}")
    high = boxes["H"][3] - boxes["H"][1]
    for ch in CHARACTERS:
        mask = np.array(pictures[ch].crop(boxes[ch]))
        rows = CAP
        if boxes[ch][3] > boxes["H"][3] + 0.08 * high:
            rows = round(CAP * mask.shape[0] / high)
        width = max(6, round(mask.shape[1] * rows / mask.shape[0]))
        face[ch] = cv2.resize(mask, (width, rows), interpolation=cv2.INTER_AREA)
    return face


def all_faces(rng, n_own=60):
    """-> [(face, weight)]: most plates are drawn with our own face."""
    out = [(stroke_face(rng), 0.65 / n_own) for _ in range(n_own)]
    files = [p for name in FONT_FILES for p in sorted(glob.glob("/usr/share/fonts/*/" + name))]
    fonts = [font_face(p) for p in files]
    return out + [(f, 0.35 / len(fonts)) for f in fonts]
