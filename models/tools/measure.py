# SPDX-License-Identifier: Apache-2.0
"""Average precision with its uncertainty. Boxes are x0, y0, x1, y1 in pixels of the picture."""
import numpy as np

import decode

RESAMPLES = 400
SEED = 11


class Judged:
    """One picture: the detections' scores, whether each was a hit, and how many true boxes there were."""

    def __init__(self, scores, hits, n_true):
        self.scores, self.hits, self.n_true = scores, hits, n_true


def judge(detections, truth, overlap=0.5, ignored=None):
    """Greedy, best score first: a true box is hit once. `detections` rows: score, x0, y0, x1, y1. Detections that
    hit nothing but lie on an `ignored` box are left out."""
    detections = detections[np.argsort(-detections[:, 0], kind="stable")]
    taken = np.zeros(len(truth), bool)
    scores, hits = [], []
    over = decode.iou(detections[:, 1:], truth) if len(truth) else np.zeros((len(detections), 0))
    beside = decode.iou(detections[:, 1:], ignored) if ignored is not None and len(ignored) else None
    for i, d in enumerate(detections):
        free = np.where(taken, -1, over[i])
        hit = len(free) > 0 and free.max() >= overlap
        if hit:
            taken[free.argmax()] = True
        elif beside is not None and beside[i].max() >= overlap:
            continue
        scores.append(d[0])
        hits.append(hit)
    return Judged(np.array(scores), np.array(hits, bool), len(truth))


def average_precision(pictures):
    """101-point interpolated, as COCO counts it; nan without a true box."""
    n_true = sum(p.n_true for p in pictures)
    if n_true == 0:
        return float("nan")
    scores = np.concatenate([p.scores for p in pictures])
    hits = np.concatenate([p.hits for p in pictures])[np.argsort(-scores, kind="stable")]
    if not len(hits):
        return 0.0
    found = np.cumsum(hits)
    precision = np.maximum.accumulate((found / np.arange(1, len(hits) + 1))[::-1])[::-1]
    at = np.searchsorted(found / n_true, np.linspace(0, 1, 101))
    return float(np.append(precision, 0)[at].mean())


def found_at(pictures, limit):
    """(recall, precision) of the detections at or above a score."""
    n_hits = sum(int(p.hits[p.scores >= limit].sum()) for p in pictures)
    n_found = sum(int((p.scores >= limit).sum()) for p in pictures)
    n_true = sum(p.n_true for p in pictures)
    return n_hits / max(n_true, 1), n_hits / max(n_found, 1)


def interval(count, statistic):
    """95 % bootstrap interval of statistic(indices of pictures) over `count` pictures."""
    rng = np.random.default_rng(SEED)
    values = [statistic(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    return [float(v) for v in np.nanpercentile(values, [2.5, 97.5])]
