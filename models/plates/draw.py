# SPDX-License-Identifier: Apache-2.0
"""Draws registration plates of several countries with invented texts, as flat pictures and as a camera sees them.

All colours are B, G, R. A plate is drawn ROWS high; where each character stands is kept, because the reader is taught
column by column.
"""
import dataclasses

import cv2
import numpy as np

from faces import CAP, CHARACTERS, DIGITS, LETTERS

ROWS = 60  # of a drawn plate of one line: twice what the reader sees
SIV_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"

# weight, country letters on the band, pattern. a = letter, s = letter of the French SIV, 9 = digit, x = either;
# '-' is a hyphen, ' ' a gap, 'o' stickers in a gap, 'c' a coat of arms in a gap.
FORMATS = [
    (24, "F", "ss-999-ss"), (5, "F", "ss 999 ss"), (3, "F", "999 sss 99"), (4, "F", "9999 ss 99"), (1, "F", "99 ss 99"),
    (4, "D", "aoaa 999"), (3, "D", "aaoaa 99"), (2, "D", "aaoaa 9999"), (2, "D", "aaaoa 999"), (1, "D", "a-aaa"),
    (2, "D", "aaa-aaaa9"), (5, "GB", "aa99 aaa"), (5, "E", "9999 aaa"), (4, "I", "aa 999aa"), (6, "SK", "aac999aa"),
    (6, "SK", "aa-999aa"), (3, "SK", "aao999aa"), (4, "CZ", "9a9 9999"), (4, "CZ", "9a9o9999"), (3, "CZ", "aaa 9999"),
    (2, "NL", "aa-999-a"), (2, "NL", "99-aaa-9"), (3, "PL", "aa 99999"), (3, "PL", "aaa 9999"), (3, "B", "9-aaa-999"),
    (4, "RO", "aa 99 aaa"), (4, "RO", "a 999 aaa"), (2, "RO", "a 999999"), (2, "P", "99-aa-99"), (2, "A", "ac99999a"),
    (2, "H", "aaa-999"), (2, "CH", "aa-999999"), (2, "L", "aa 9999"), (2, "S", "aaa 999"), (2, "HR", "aac9999-aa"),
    (8, "", "xxxxxxx"), (5, "", "xxx xxx"), (4, "", "xx-xxxxx"), (2, "", "xxxxx"), (2, "", "xxxxxxxx"),
]
WEIGHTS = np.array([f[0] for f in FORMATS], float) / sum(f[0] for f in FORMATS)


@dataclasses.dataclass
class Plate:
    picture: np.ndarray  # ROWS x width x 3, float32 0..255
    text: str
    spans: list  # (left, right) of each character, in pixels of the picture


def random_text(rng, pattern):
    pool = {"a": LETTERS, "s": SIV_LETTERS, "9": DIGITS, "x": CHARACTERS}
    return "".join(pool[p][rng.integers(len(pool[p]))] if p in pool else p for p in pattern)


def colour_pair(rng):
    """Ground and paint."""
    r = rng.random()
    dark = rng.uniform(5, 60)
    ink = np.array([dark + rng.uniform(-5, 25), dark, dark])
    if r < 0.80:
        level = rng.uniform(190, 255)
        return level + rng.uniform(-12, 4, 3), ink
    if r < 0.90:
        return np.array([rng.uniform(20, 110), rng.uniform(170, 225), rng.uniform(210, 255)]), ink
    if r < 0.95:  # light on dark
        return rng.uniform(5, 60, 3), rng.uniform(170, 250) + rng.uniform(-10, 10, 3)
    hue = rng.uniform(0, 60, 3)  # green or red letters
    hue[rng.integers(3)] = rng.uniform(90, 160)
    return rng.uniform(215, 255) + rng.uniform(-8, 0, 3), hue


def paint(canvas, mask, x, y, colour):
    """Blends `colour` where the mask is set; parts outside are cut."""
    h, w = mask.shape
    x0, y0, x1, y1 = max(0, x), max(0, y), min(canvas.shape[1], x + w), min(canvas.shape[0], y + h)
    if x0 >= x1 or y0 >= y1:
        return
    a = (mask[y0 - y:y1 - y, x0 - x:x1 - x].astype(np.float32) / 255)[..., None]
    region = canvas[y0:y1, x0:x1]
    region += a * (np.asarray(colour, np.float32) - region)


def small_text(rng, canvas, face, text, x, y, rows, colour, spread=1.0):
    """Characters of `rows` height from x on; returns the end."""
    for ch in text:
        if ch == " ":
            x += rows // 2
            continue
        m = face[ch]
        w = max(2, int(m.shape[1] * rows / CAP * spread))
        paint(canvas, cv2.resize(m, (w, rows), interpolation=cv2.INTER_AREA), x, y, colour)
        x += w + max(1, rows // 6)
    return x


def band(rng, canvas, x, width, letters, face, blue, digits=""):
    """The blue band with stars or a flag and the letters of the country, or the department below."""
    canvas[:, x:x + width] = blue
    cx, cy, r = x + width // 2, int(ROWS * rng.uniform(0.26, 0.36)), max(4, int(width * rng.uniform(0.28, 0.4)))
    if not digits and rng.random() < 0.8:
        star = (np.array([40, 210, 240]) * rng.uniform(0.7, 1.0)).tolist()
        for a in range(0, 360, 30):
            p = (int(cx + r * np.cos(np.radians(a))), int(cy + r * np.sin(np.radians(a))))
            cv2.circle(canvas, p, max(1, width // 22), star, -1)
    elif digits and rng.random() < 0.85:
        flag = rng.uniform(30, 255, 3).tolist()
        cv2.rectangle(canvas, (cx - r, cy - r), (cx + r, cy + r), flag, -1)
        cv2.rectangle(canvas, (cx - r // 2, cy - r // 2), (cx + r // 2, cy + r // 2), rng.uniform(30, 255, 3).tolist(), -1)
    what = digits or letters
    rows = int(ROWS * rng.uniform(0.2, 0.32))
    if what:
        need = sum(face[c].shape[1] for c in what) * rows / CAP + len(what) * rows // 6
        spread = min(1.0, (width - 4) / max(1, need))
        start = x + max(2, int((width - need * spread) / 2))
        small_text(rng, canvas, face, what, start, int(ROWS * rng.uniform(0.6, 0.7)), rows, (245, 245, 245), spread)


def stickers(rng, canvas, cx, width):
    """Round test and seal stickers, one above the other."""
    r = int(min(width * 0.45, ROWS * rng.uniform(0.11, 0.17)))
    for y in rng.permutation([0.3, 0.7])[:rng.integers(1, 3)]:
        centre = (int(cx), int(ROWS * (y + rng.uniform(-0.05, 0.05))))
        cv2.circle(canvas, centre, r, rng.uniform(20, 250, 3).tolist(), -1)
        cv2.circle(canvas, centre, int(r * rng.uniform(0.3, 0.6)), rng.uniform(20, 250, 3).tolist(), -1)


def arms(rng, canvas, cx, width):
    """A coat of arms: a shield of two colours."""
    w, h = width * rng.uniform(0.3, 0.45), ROWS * rng.uniform(0.16, 0.26)
    cy = ROWS * rng.uniform(0.35, 0.6)
    shield = np.array([(cx - w, cy - h), (cx + w, cy - h), (cx + w, cy + h * 0.3), (cx, cy + h), (cx - w, cy + h * 0.3)])
    cv2.fillPoly(canvas, [np.round(shield).astype(np.int32)], rng.uniform(20, 200, 3).tolist())
    cv2.circle(canvas, (int(cx), int(cy)), int(w * 0.5), rng.uniform(20, 250, 3).tolist(), -1)
    if rng.random() < 0.3:
        paint(canvas, np.full((max(2, int(ROWS * 0.06)), int(width * 0.7)), 255, np.uint8), int(cx - width * 0.35),
              int(ROWS * rng.uniform(0.45, 0.6)), rng.uniform(20, 120, 3))


def draw_plate(rng, faces, face_weights, text=None):
    """A flat plate with an invented text, or with `text` in one of the patterns' alphabets ('-', ' ' allowed)."""
    face = faces[rng.choice(len(faces), p=face_weights)]
    _, country, pattern = FORMATS[rng.choice(len(FORMATS), p=WEIGHTS)]
    written = text or random_text(rng, pattern)
    ground, ink = colour_pair(rng)
    rows = int(ROWS * rng.uniform(0.62, 0.8))
    stretch = rng.uniform(0.8, 1.15)
    gap = rows * rng.uniform(0.07, 0.2)
    left = int(ROWS * rng.uniform(0.28, 0.46)) if rng.random() < 0.82 else 0
    right = int(ROWS * rng.uniform(0.28, 0.46)) if rng.random() < (0.7 if country == "F" else 0.12) else 0
    edge = rows * rng.uniform(0.06, 0.35)

    # Lay out first, so that the canvas has the right width.
    x, glyphs, gaps = left + edge, [], []
    cell = 0  # most countries give every character the same room, so that a 1 or I stands alone in it
    if rng.random() < 0.5:
        cell = float(np.median([face[c].shape[1] for c in written if c in face])) * rows / CAP * stretch
    for ch in written:
        if ch in face:
            w = max(4, int(face[ch].shape[1] * rows / CAP * stretch))
            room = max(w, cell)
            glyphs.append((ch, x + (room - w) / 2, w))
            x += room + gap
        else:
            w = rows * {"-": rng.uniform(0.2, 0.36), " ": rng.uniform(0.15, 0.5), "o": rng.uniform(0.32, 0.5),
                        "c": rng.uniform(0.4, 0.6)}[ch]
            gaps.append((ch, x, w))
            x += w + gap
    width = int(x - gap + edge + right)
    canvas = np.empty((ROWS, width, 3), np.float32)
    canvas[:] = ground
    blue = np.array([rng.uniform(110, 210), rng.uniform(20, 90), rng.uniform(0, 50)])
    if left:
        band(rng, canvas, 0, left, country or LETTERS[rng.integers(26)], face, blue)
    if right:
        band(rng, canvas, width - right, right, "", face, blue, str(rng.integers(10, 100)))
    top = int((ROWS - rows) * rng.uniform(0.35, 0.65))
    for ch, gx, w in glyphs:
        size = (w, round(rows * face[ch].shape[0] / CAP))
        paint(canvas, cv2.resize(face[ch], size, interpolation=cv2.INTER_AREA), int(gx), top, ink)
    for ch, gx, w in gaps:
        if ch == "-":
            bar = np.full((max(3, int(rows * rng.uniform(0.09, 0.16))), max(3, int(w))), 255, np.uint8)
            paint(canvas, bar, int(gx), top + int(rows * rng.uniform(0.42, 0.5)), ink)
        elif ch == "o":
            stickers(rng, canvas, gx + w / 2, w)
        elif ch == "c":
            arms(rng, canvas, gx + w / 2, w)
        if ch == "-" and rng.random() < 0.12:
            stickers(rng, canvas, gx + w / 2, w)
    if rng.random() < 0.3:  # a painted or embossed line round the plate
        inset = int(rng.integers(1, 5))
        cv2.rectangle(canvas, (inset, inset), (width - 1 - inset, ROWS - 1 - inset), ink.tolist(), int(rng.integers(1, 3)))
    if rng.random() < 0.3:  # screws
        for sx in (rng.uniform(0.1, 0.3), rng.uniform(0.7, 0.9)):
            cv2.circle(canvas, (int(width * sx), int(ROWS * rng.uniform(0.08, 0.92))), int(rng.integers(2, 5)),
                       rng.uniform(20, 240, 3).tolist(), -1)
    if rng.random() < 0.12:  # dirt
        spots = cv2.resize(rng.random((6, 20)).astype(np.float32), (width, ROWS), interpolation=cv2.INTER_CUBIC)
        canvas += (np.clip(spots - rng.uniform(0.5, 0.8), 0, 1) * rng.uniform(0.4, 1.2))[..., None] * \
            (rng.uniform(40, 120, 3).astype(np.float32) - canvas)
    return framed(rng, canvas, Plate(canvas, "".join(c for c, _, _ in glyphs), [(gx, gx + w) for _, gx, w in glyphs]), face)


def framed(rng, canvas, plate, face):
    """Most European plates sit in a holder of plastic, which carries a dealer's name below or above."""
    r = rng.random()
    if r < 0.25:
        return plate
    dark = rng.uniform(5, 70) if rng.random() < 0.8 else rng.uniform(120, 230)
    side = int(rng.uniform(1, 7))
    top = int(rng.uniform(1, 8))
    below = int(ROWS * rng.uniform(0.12, 0.3)) if r > 0.5 else int(rng.uniform(1, 8))
    h, w = canvas.shape[:2]
    out = np.empty((h + top + below, w + 2 * side, 3), np.float32)
    out[:] = dark + rng.uniform(-6, 6, 3)
    if below > 10 and rng.random() < 0.3:
        out[h + top:] = rng.uniform(0, 255, 3)
    out[top:top + h, side:side + w] = canvas
    if below > 10:
        ink = rng.uniform(120, 255, 3) if dark < 100 else rng.uniform(0, 100, 3)
        words = "".join(" " if rng.random() < 0.12 else LETTERS[rng.integers(26)] for _ in range(rng.integers(6, 34)))
        small_text(rng, out, face, words, int(w * rng.uniform(0.02, 0.4)), h + top + 3, below - 5, ink,
                   rng.uniform(0.9, 1.4))
    plate.picture = out
    plate.spans = [(a + side, b + side) for a, b in plate.spans]
    plate.box = (side, top, w, h)  # the plate itself within the holder
    return plate


def outdoors(rng, picture):
    """What light and camera do to a float picture, in place where possible; -> uint8."""
    h, w = picture.shape[:2]
    gx, gy = rng.normal(0, 0.25), rng.normal(0, 0.25)
    light = rng.uniform(0.3, 1.1) * (1 + gx * np.linspace(-1, 1, w)[None, :] + gy * np.linspace(-1, 1, h)[:, None])
    if rng.random() < 0.3:  # the edge of a shadow
        a, b, c = rng.normal(0, 1, 3)
        edge = a * np.linspace(-1, 1, w)[None, :] + b * np.linspace(-1, 1, h)[:, None] + c * 0.5
        light = light * (1 - rng.uniform(0.2, 0.6) / (1 + np.exp(-edge * rng.uniform(4, 40))))
    cast = 1 + rng.normal(0, 0.06, 3)
    if rng.random() < 0.15:  # red, pink or yellow lamps
        cast = cast * rng.uniform(0.5, 1.2, 3)
    picture = picture * light[..., None].astype(np.float32) * cast.astype(np.float32)
    if rng.random() < 0.12:  # fog, flare or a raised black
        picture = picture * rng.uniform(0.3, 0.8) + rng.uniform(20, 120)
    sigma = abs(rng.normal(0, 0.75))
    if sigma > 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if rng.random() < 0.2:
        n = int(rng.integers(2, 5))
        kernel = np.zeros((n, n), np.float32)
        if rng.random() < 0.8:
            kernel[n // 2] = 1.0 / n
        else:
            kernel[:, n // 2] = 1.0 / n
        picture = cv2.filter2D(picture, -1, kernel)
    if rng.random() < 0.35:  # cameras sharpen
        picture = picture + rng.uniform(0.3, 1.5) * (picture - cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 1.6)))
    if rng.random() < 0.1:  # infrared at night
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    noise = abs(rng.normal(0, 5))
    picture = picture + rng.standard_normal(picture.shape, dtype=np.float32) * noise
    out = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.85:
        quality = int(rng.integers(25, 96))
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return out


def bumper(rng, h, w):
    """What is round a plate: painted sheet, a recess, edges, grilles."""
    out = np.empty((h, w, 3), np.float32)
    out[:] = rng.uniform(0, 255) + rng.normal(0, 15, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)
    out += np.linspace(rng.normal(0, 30), rng.normal(0, 30), h, dtype=np.float32)[:, None, None]
    for _ in range(rng.integers(0, 6)):
        x0, x1 = sorted(rng.integers(0, w + 1, 2))
        y0, y1 = sorted(rng.integers(0, h + 1, 2))
        out[y0:y1, x0:x1] = out[y0:y1, x0:x1] * rng.uniform(0.3, 1.0) + rng.uniform(0, 80)
    if rng.random() < 0.3:
        step = int(rng.integers(3, 9))
        out[::step] *= rng.uniform(0.3, 0.9)
    return out


def corners_seen(rng, w, h, wide, tilt):
    """Where the four corners of a w x h plate go when it is seen `wide` pixels wide: turn, shear, perspective."""
    high = wide * h / w * rng.uniform(0.82, 1.2)
    quad = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * (wide, high)
    quad[:, 0] += rng.normal(0, 0.06) * quad[:, 1] * 2  # shear
    quad += rng.normal(0, 0.012, (4, 2)) * (wide, high)
    quad[:2, 1] *= 1 + rng.normal(0, 0.02)
    a = np.radians(rng.normal(0, tilt))
    return quad @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def place(plate, scene, quad):
    """Draws the plate into the float scene at the four corners (in place); -> the homography plate -> scene."""
    picture = plate.picture
    h, w = picture.shape[:2]
    scale = 1.3 * np.linalg.norm(quad[1] - quad[0]) / w
    if scale < 1:
        picture = cv2.resize(picture, (max(8, int(w * scale)), max(4, int(h * scale))), interpolation=cv2.INTER_AREA)
    ph, pw = picture.shape[:2]
    corners = np.array([(0, 0), (pw, 0), (pw, ph), (0, ph)], np.float32)
    m = cv2.getPerspectiveTransform(corners, quad.astype(np.float32))
    size = (scene.shape[1], scene.shape[0])
    alpha = cv2.warpPerspective(np.ones((ph, pw), np.float32), m, size)[..., None]
    scene += alpha * (cv2.warpPerspective(picture, m, size, borderMode=cv2.BORDER_REPLICATE) - scene)
    full = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    return cv2.getPerspectiveTransform(full, quad.astype(np.float32))


def through(m, points):
    return cv2.perspectiveTransform(np.asarray(points, np.float32)[None], m)[0]


def plate_outline(plate):
    x, y, w, h = getattr(plate, "box", (0, 0, plate.picture.shape[1], plate.picture.shape[0]))
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def fit(picture, w, h):
    """As the card's crop kernel: area average when shrinking, bilinear when growing."""
    grow = picture.shape[1] < w
    return cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR if grow else cv2.INTER_AREA)


READ_W, READ_H = 128, 32


def reading(rng, plate):
    """One view of a plate for the reader: (32 x 128 x 3 uint8, [(centre, width)] in pixels of the crop)."""
    h, w = plate.picture.shape[:2]
    wide = float(np.exp(rng.uniform(np.log(46), np.log(170))))
    quad = corners_seen(rng, w, h, wide, 2.6)
    span = np.ptp(quad, axis=0)
    size = (int(span[0] * 1.25) + 8, int(span[1] * 1.7) + 8)
    scene = bumper(rng, size[1], size[0])
    quad += np.array(size) / 2
    m = place(plate, scene, quad)
    scene = outdoors(rng, scene)
    outline = through(m, plate_outline(plate))
    x0, y0 = outline.min(axis=0)
    x1, y1 = outline.max(axis=0)
    bw, bh = x1 - x0, y1 - y0
    # The finder's box is not exact: it may cut a little or take a good deal of what is around.
    x0 -= bw * rng.normal(0.03, 0.035)
    x1 += bw * rng.normal(0.03, 0.035)
    y0 -= bh * rng.normal(0.12, 0.13)
    y1 += bh * rng.normal(0.12, 0.13)
    cx0, cy0 = max(0, int(round(x0))), max(0, int(round(y0)))
    cx1, cy1 = min(size[0], int(round(x1))), min(size[1], int(round(y1)))
    crop = fit(scene[cy0:cy1, cx0:cx1], READ_W, READ_H)
    py, ph = plate_outline(plate)[0][1], plate_outline(plate)[2][1]
    middle = (py + ph) / 2
    spots = []
    for a, b in plate.spans:
        left, right = through(m, [(a, middle), (b, middle)])[:, 0]
        k = READ_W / (cx1 - cx0)
        spots.append((((left + right) / 2 - cx0) * k, (right - left) * k))
    return crop, spots
