# SPDX-License-Identifier: Apache-2.0
"""Rendered backs and fronts of vehicles with a drawn plate: what plate-find learns from. No photograph is in them."""
import cv2
import numpy as np

from draw import corners_seen, draw_plate, outdoors, place, plate_outline, small_text, through
from faces import CHARACTERS

W, H = 224, 176  # of a rendered scene


def poly(scene, points, colour, light=0.0):
    """A filled polygon; `light` shades it from top (brighter) to bottom."""
    points = np.round(points).astype(np.int32)
    if not light:
        cv2.fillPoly(scene, [points], [float(c) for c in colour])
        return
    x, y, w, h = cv2.boundingRect(points)
    x0, y0, x1, y1 = max(0, x), max(0, y), min(scene.shape[1], x + w), min(scene.shape[0], y + h)
    if x0 >= x1 or y0 >= y1:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [points - (x0, y0)], 1)
    shade = np.linspace(1 + light, 1 - light, y1 - y0, dtype=np.float32)[:, None, None] * np.asarray(colour, np.float32)
    region = scene[y0:y1, x0:x1]
    np.copyto(region, np.broadcast_to(shade, region.shape), where=mask[..., None] > 0)


def rect(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def surroundings(rng):
    scene = np.empty((H, W, 3), np.float32)
    scene[:] = rng.uniform(40, 230) + rng.normal(0, 12, 3)
    for _ in range(rng.integers(2, 9)):
        x, y = rng.uniform(-0.2, 1) * W, rng.uniform(-0.2, 0.8) * H
        poly(scene, rect(x, y, x + rng.uniform(0.05, 0.6) * W, y + rng.uniform(0.05, 0.6) * H),
             rng.uniform(20, 230) + rng.normal(0, 25, 3))
    ground = rng.uniform(0.6, 0.95) * H
    poly(scene, rect(0, ground, W, H), rng.uniform(40, 180) + rng.normal(0, 8, 3), rng.uniform(-0.2, 0.2))
    grain = cv2.resize(rng.normal(0, 14, (H // 4, W // 4)).astype(np.float32), (W, H))
    return scene + grain[..., None]


def lamp(rng, scene, x0, y0, w, h, mirror, colour):
    """A pair of lamps, left and right of the middle line."""
    skew = rng.uniform(-0.4, 0.4) * h
    left = np.array([(x0, y0), (x0 + w, y0 + skew), (x0 + w, y0 + h), (x0, y0 + h)])
    for points in (left, np.stack([2 * mirror - left[:, 0], left[:, 1]], axis=1)):
        poly(scene, points, colour, rng.uniform(-0.2, 0.4))
        middle = points.mean(axis=0)
        cv2.circle(scene, (int(middle[0]), int(middle[1])), max(1, int(min(w, h) * 0.3)),
                   [float(c) for c in np.clip(np.asarray(colour) * rng.uniform(0.6, 1.6), 0, 255)], -1)


def distractors(rng, scene, face, x0, x1, y0, y1):
    """Makes, stickers and white patches that are no plates."""
    for _ in range(rng.integers(0, 4)):
        x, y = rng.uniform(x0, x1 - 10), rng.uniform(y0, y1)
        kind = rng.random()
        if kind < 0.45:
            text = "".join(CHARACTERS[rng.integers(len(CHARACTERS))] for _ in range(rng.integers(2, 8)))
            small_text(rng, scene, face, text, int(x), int(y), int(rng.integers(4, 10)), rng.uniform(0, 255, 3))
        elif kind < 0.75:
            poly(scene, rect(x, y, x + rng.uniform(4, 26), y + rng.uniform(3, 12)), rng.uniform(0, 255, 3))
        else:
            cv2.circle(scene, (int(x), int(y)), int(rng.integers(2, 9)), rng.uniform(60, 255, 3).tolist(),
                       int(rng.choice([-1, 1, 2])))


def vehicle(rng, face):
    """-> (scene, where a plate belongs: centre x, centre y, width)."""
    scene = surroundings(rng)
    cx = W * rng.uniform(0.44, 0.56)
    half = W * rng.uniform(0.36, 0.47)
    top, bottom = H * rng.uniform(0.03, 0.14), H * rng.uniform(0.82, 0.97)
    tall = rng.random() < 0.25  # van, bus, lorry
    waist = top + (bottom - top) * (rng.uniform(0.3, 0.5) if not tall else rng.uniform(0.4, 0.65))
    roof = half * (rng.uniform(0.62, 0.82) if not tall else rng.uniform(0.9, 1.0))
    paint = rng.uniform(10, 250) + rng.normal(0, 10, 3) if rng.random() < 0.6 else rng.uniform(0, 230, 3)
    poly(scene, rect(cx - half * 1.02, bottom - 6, cx + half * 1.02, bottom + 8), rng.uniform(5, 50, 3))  # shadow
    for side in (-1, 1):  # tyres
        poly(scene, rect(cx + side * half * 0.94 - 12, bottom - 16, cx + side * half * 0.94 + 12, bottom + 6), (25, 25, 25))
    shade = rng.uniform(0.05, 0.4)
    poly(scene, [(cx - roof, top), (cx + roof, top), (cx + half, waist), (cx - half, waist)], paint, shade / 2)
    poly(scene, [(cx - half, waist), (cx + half, waist), (cx + half * rng.uniform(0.92, 1.0), bottom),
                 (cx - half * rng.uniform(0.92, 1.0), bottom)], paint, shade)
    glass = rng.uniform(15, 110) + rng.normal(0, 8, 3)
    inset = rng.uniform(0.05, 0.14)
    poly(scene, [(cx - roof * (1 - inset), top + 5), (cx + roof * (1 - inset), top + 5),
                 (cx + half * (1 - inset), waist - 3), (cx - half * (1 - inset), waist - 3)], glass, rng.uniform(-0.4, 0.4))
    if rng.random() < 0.5:  # reflections in the glass
        x = cx + rng.uniform(-0.5, 0.3) * half
        poly(scene, [(x, top + 6), (x + 20, top + 6), (x + 34, waist - 4), (x + 8, waist - 4)], glass + rng.uniform(10, 90))
    body = bottom - waist
    bumper_top = waist + body * rng.uniform(0.4, 0.65)
    if rng.random() < 0.75:
        trim = paint * rng.uniform(0.5, 1.1) if rng.random() < 0.55 else rng.uniform(20, 70) + rng.normal(0, 4, 3)
        poly(scene, rect(cx - half, bumper_top, cx + half, bottom - rng.uniform(0, 10)), trim, rng.uniform(0, 0.3))
    for _ in range(rng.integers(1, 5)):  # edges of sheets
        y = rng.uniform(waist, bottom)
        cv2.line(scene, (int(cx - half * 0.95), int(y)), (int(cx + half * 0.95), int(y + rng.normal(0, 2))),
                 [float(c) for c in paint * rng.uniform(0.3, 1.3)], int(rng.integers(1, 3)))
    front = rng.random() < 0.45
    lamps = (rng.uniform(150, 250) + rng.normal(0, 10, 3)) if front else \
        np.array([rng.uniform(10, 70), rng.uniform(10, 70), rng.uniform(110, 230)])
    lamp(rng, scene, cx - half * 0.97, waist + body * rng.uniform(0.02, 0.3), half * rng.uniform(0.18, 0.4),
         body * rng.uniform(0.12, 0.35), cx, lamps)
    if front and rng.random() < 0.8:  # grille
        gw, gy0, gy1 = half * rng.uniform(0.3, 0.6), waist + body * rng.uniform(0.08, 0.3), waist + body * rng.uniform(0.35, 0.6)
        poly(scene, rect(cx - gw, gy0, cx + gw, gy1), rng.uniform(10, 60, 3))
        step = int(rng.integers(3, 7))
        for y in range(int(gy0), int(gy1), step):
            cv2.line(scene, (int(cx - gw), y), (int(cx + gw), y), rng.uniform(40, 200, 3).tolist(), 1)
    wide = half * 2 * rng.uniform(0.2, 0.36) * (0.7 if tall else 1.0)
    py = rng.choice([waist + body * rng.uniform(0.2, 0.45), bumper_top + (bottom - bumper_top) * rng.uniform(0.2, 0.7)])
    px = cx + (rng.normal(0, 0.02) if rng.random() < 0.85 else rng.uniform(-0.5, 0.5)) * half
    if rng.random() < 0.6:  # its recess
        dark = rng.uniform(0.2, 0.8)
        hw, hh = wide * rng.uniform(0.55, 0.9), wide * rng.uniform(0.14, 0.3)
        poly(scene, rect(px - hw, py - hh, px + hw, py + hh), paint * dark)
    distractors(rng, scene, face, cx - half * 0.9, cx + half * 0.9, top, bottom)
    return scene, (px, py, wide)


def turned(rng, scene, quad):
    """Seen from the side: the scene and the plate's corners through one homography."""
    lean = rng.uniform(0, 0.16)
    corners = np.array([(0, 0), (W, 0), (W, H), (0, H)], np.float32)
    to = corners.copy()
    left, right = ((0, lean), (lean, 0))[rng.integers(2)]
    to[0, 1] += left * H
    to[3, 1] -= left * H
    to[1, 1] += right * H
    to[2, 1] -= right * H
    squeeze = rng.uniform(0, 0.12) * W
    to[:, 0] = np.where(to[:, 0] > 0, W - squeeze, squeeze)
    m = cv2.getPerspectiveTransform(corners, to)
    return cv2.warpPerspective(scene, m, (W, H), borderMode=cv2.BORDER_REPLICATE), through(m, quad)


def finding(rng, faces, weights):
    """One rendered scene: (H x W x 3 uint8, (x0, y0, x1, y1) of the plate, or None)."""
    face = faces[rng.integers(len(faces))]
    scene, (px, py, wide) = vehicle(rng, face)
    if rng.random() < 0.07:
        return outdoors(rng, scene), None
    plate = draw_plate(rng, faces, weights)
    h, w = plate.picture.shape[:2]
    wide *= w / 280  # longer texts stand on longer plates
    quad = corners_seen(rng, w, h, np.clip(wide, 24, 110), 2.0) + (px, py)
    if rng.random() < 0.35:
        scene, quad = turned(rng, scene, quad)
    m = place(plate, scene, quad)
    outline = through(m, plate_outline(plate))
    picture = outdoors(rng, scene)
    if rng.random() < 0.35:  # small in its picture
        k = rng.uniform(0.35, 0.9)
        small = cv2.resize(picture, (int(W * k), int(H * k)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (W, H), interpolation=cv2.INTER_LINEAR)
    return picture, (*outline.min(axis=0), *outline.max(axis=0))
