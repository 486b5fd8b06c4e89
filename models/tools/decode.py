# SPDX-License-Identifier: Apache-2.0
"""The normalisation and the decoding of the detector in numpy, as a reference for the C code and for measuring.
Pictures are H x W x 3 uint8, channels B, G, R, of the network's input size."""
import numpy as np


def letterbox_of(w, h, dst_w, dst_h):
    """x, y, w, h of a w x h picture inside the input; the same integers as card_letterbox_of()."""
    if w * dst_h >= h * dst_w:
        bw, bh = dst_w, (2 * h * dst_w + w) // (2 * w)
    else:
        bw, bh = (2 * w * dst_h + h) // (2 * h), dst_h
    bw, bh = min(max(bw, 1), dst_w), min(max(bh, 1), dst_h)
    return (dst_w - bw) // 2, (dst_h - bh) // 2, bw, bh


def normalise(picture, spec):
    return (picture.astype(np.float32) - np.float32(spec["mean"])) * np.float32(spec["scale"])


def normalise_int8(picture, spec):
    """One table of 256 entries per channel, as the card uses it."""
    p = np.arange(256)[:, None]
    table = np.floor((p - np.array(spec["mean"])) * np.array(spec["scale"]) * 2.0 ** spec["fix_point"] + 0.5)
    table = np.clip(table, -128, 127).astype(np.int8)
    return np.stack([table[picture[..., c], c] for c in range(3)], axis=-1)


def iou(a, b):
    """Matrix of intersection over union; boxes are x0, y0, x1, y1."""
    lo, hi = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.clip(hi - lo, 0, None), axis=2)
    area = lambda r: np.prod(np.clip(r[:, 2:] - r[:, :2], 0, None), axis=1)
    return inter / np.maximum(area(a)[:, None] + area(b)[None, :] - inter, 1e-9)


def suppress(boxes, limit):
    """Indices kept of boxes that stand best first."""
    left, kept = np.arange(len(boxes)), []
    while len(left):
        kept.append(left[0])
        left = left[1:][iou(boxes[left[:1]], boxes[left[1:]])[0] <= limit]
    return kept


def decode(heads, manifest, size, keep, classes, input_size=None, most=256):
    """heads: H x W x C arrays, int8 (then scaled by the manifest) or float. -> rows of class, score, x0, y0, x1,
    y1 in pixels of a picture of `size` (w, h), best first."""
    n_classes, bins = manifest["decode"]["classes"], manifest["decode"]["bins"]
    scores, boxes = [], []
    for q, o in zip(heads, manifest["outputs"]):
        v = q.astype(np.float64) * (2.0 ** -o["fix_point"] if q.dtype == np.int8 else 1)
        s, (h, w) = o["stride"], q.shape[:2]
        logits = v[..., :n_classes].reshape(h * w, n_classes)
        e = np.exp(v[..., n_classes:].reshape(h * w, 4, bins))
        d = (e * np.arange(bins)).sum(axis=2) / e.sum(axis=2) * s
        x = (np.tile(np.arange(w), h) + 0.5) * s
        y = (np.repeat(np.arange(h), w) + 0.5) * s
        scores.append(1 / (1 + np.exp(-logits)))
        boxes.append(np.stack([x - d[:, 0], y - d[:, 1], x + d[:, 2], y + d[:, 3]], axis=1))
    scores, boxes = np.concatenate(scores), np.concatenate(boxes)
    input_w, input_h = input_size or (manifest["input"]["width"], manifest["input"]["height"])
    lx, ly, lw, lh = letterbox_of(*size, input_w, input_h)
    rows = []
    for c in classes:
        at = np.flatnonzero(scores[:, c] >= keep)
        at = at[np.argsort(-scores[at, c], kind="stable")]
        for i in at[suppress(boxes[at], manifest["decode"]["iou"])]:
            b = (boxes[i] - [lx, ly, lx, ly]) * np.array([size[0] / lw, size[1] / lh] * 2)
            b = np.clip(b, 0, [*size, *size])
            if b[2] - b[0] >= 1 and b[3] - b[1] >= 1:
                rows.append((c, scores[i, c], *b))
    rows.sort(key=lambda r: -r[1])
    return np.array(rows[:most]).reshape(-1, 6)
