# SPDX-License-Identifier: Apache-2.0
"""Trains plate-find on rendered vehicles and, where --real is given, on one video of the permissive real set.

  nice /usr/bin/python3 models/plate-find/train.py --work DIR [--real DATA/plates/romanian-dashcam]

Needs Debian's python3-torch, python3-opencv, python3-pil and the fonts named in README.md. Samples are drawn once into
DIR (about 0.9 GB). Every CHECK steps the averaged weights are measured on the videos that are not trained on; the best
state is written to DIR/plate-find.pt. export.py turns that into weights and positions.
"""
import argparse
import os
import sys
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(__file__))
from make_samples import KEEP_H, KEEP_W, NET_H, NET_W, real, rendered  # noqa: E402
from net import SIDE, STRIDE, Finder  # noqa: E402
from blocks import Average, rate, to_input  # noqa: E402
from samples import cached_set  # noqa: E402

BATCH, CHECK = 32, 200
GRID_W, GRID_H = NET_W // STRIDE, NET_H // STRIDE
TRAINED_VIDEO = "dayride_type1_001"
REAL_SHARE = 0.25  # of a batch


def targets(boxes):
    """Heat n x H x W, distances n x 4 x H x W, and where distances count."""
    x = (np.arange(GRID_W) + 0.5) * STRIDE
    y = (np.arange(GRID_H) + 0.5) * STRIDE
    there = boxes[:, 2] > boxes[:, 0]
    cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    w, h = np.maximum(boxes[:, 2] - boxes[:, 0], 4), np.maximum(boxes[:, 3] - boxes[:, 1], 3)
    gx = np.exp(-0.5 * ((x[None] - cx[:, None]) / np.maximum(0.12 * w, 2.5)[:, None]) ** 2)
    gy = np.exp(-0.5 * ((y[None] - cy[:, None]) / np.maximum(0.18 * h, 2.5)[:, None]) ** 2)
    heat = gy[:, :, None] * gx[:, None, :] * there[:, None, None]
    for i in np.flatnonzero(there):  # the nearest cell is a centre in full
        ix, iy = min(GRID_W - 1, max(0, int(cx[i] / STRIDE))), min(GRID_H - 1, max(0, int(cy[i] / STRIDE)))
        heat[i, iy, ix] = 1.0
    sides = np.empty((len(boxes), 4, GRID_H, GRID_W), np.float32)
    sides[:, 0] = x[None, None] - boxes[:, 0, None, None]
    sides[:, 1] = y[None, :, None] - boxes[:, 1, None, None]
    sides[:, 2] = boxes[:, 2, None, None] - x[None, None]
    sides[:, 3] = boxes[:, 3, None, None] - y[None, :, None]
    return heat.astype(np.float32), sides / SIDE, (heat > 0.4).astype(np.float32)


def loss_of(y, heat, sides, where):
    logit = y[:, 0]
    p = torch.sigmoid(logit)
    positive = heat == 1
    focal = torch.where(positive, -((1 - p) ** 2) * F.logsigmoid(logit),
                        -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logit)).sum() / positive.sum().clamp(min=1)
    near = where[:, None]
    box = (F.smooth_l1_loss(y[:, 1:], sides, reduction="none", beta=0.1) * near).sum() / near.sum().clamp(min=1)
    return focal, box


def best_boxes(y):
    """(x0, y0, x1, y1) and score of the best cell of each picture."""
    y = y.numpy()
    n = len(y)
    best = y[:, 0].reshape(n, -1).argmax(axis=1)
    iy, ix = best // GRID_W, best % GRID_W
    d = y[np.arange(n), 1:, iy, ix] * SIDE
    cx, cy = (ix + 0.5) * STRIDE, (iy + 0.5) * STRIDE
    score = 1 / (1 + np.exp(-y[np.arange(n), 0, iy, ix]))
    return np.stack([cx - d[:, 0], cy - d[:, 1], cx + d[:, 2], cy + d[:, 3]], axis=1), score


def iou(a, b):
    w = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    h = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    both = np.clip(w, 0, None) * np.clip(h, 0, None)
    area = lambda v: (v[:, 2] - v[:, 0]) * (v[:, 3] - v[:, 1])
    return both / np.maximum(1e-6, area(a) + area(b) - both)


def cut(pictures, boxes, dx, dy):
    """Windows of the net's size at (dx, dy) and the boxes in them; a box that is cut off by more than a third is none."""
    out = np.stack([p[y:y + NET_H, x:x + NET_W] for p, x, y in zip(pictures, dx, dy)])
    moved = boxes - np.stack([dx, dy, dx, dy], axis=1)
    inside = np.clip(moved, 0, [NET_W, NET_H, NET_W, NET_H])
    whole = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
    left = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])
    inside[(boxes[:, 2] <= boxes[:, 0]) | (left < 0.66 * whole)] = -1
    return out, inside.astype(np.float32)


def measure(net, chosen):
    """Share found at IoU > 0.5, and mean IoU, on the middle windows."""
    n = len(chosen["boxes"])
    dx, dy = np.full(n, (KEEP_W - NET_W) // 2), np.full(n, (KEEP_H - NET_H) // 2)
    pictures, boxes = cut(chosen["pictures"], chosen["boxes"], dx, dy)
    keep = boxes[:, 2] > boxes[:, 0]
    net.eval()
    with torch.no_grad():
        found, _ = best_boxes(torch.cat([net(to_input(p)) for p in np.array_split(pictures[keep], 4)]))
    v = iou(found, boxes[keep])
    return float((v > 0.5).mean()), float(v.mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--real", help="the permissive real set: one video is trained on, the others choose the state")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--samples", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="plate-find.pt")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    drawn = cached_set(args.work, "find", rendered, 1, args.samples, 2)
    trained = chosen = None
    if args.real:
        trained = real(args.real, lambda v: v == TRAINED_VIDEO, 1, 12)
        chosen = real(args.real, lambda v: v != TRAINED_VIDEO, 2, 2)
    n_real = int(BATCH * REAL_SHARE) if trained else 0

    net = Finder()
    average = Average(net, 0.995)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-4)
    best, t0, sums = -1.0, time.time(), []
    for step in range(args.steps):
        pick = rng.integers(0, len(drawn["boxes"]), BATCH - n_real)
        pictures, boxes = drawn["pictures"][pick], drawn["boxes"][pick]
        if trained:
            pick = rng.integers(0, len(trained["boxes"]), n_real)
            pictures = np.concatenate([pictures, trained["pictures"][pick]])
            boxes = np.concatenate([boxes, trained["boxes"][pick]])
        x, boxes = cut(pictures, boxes, rng.integers(0, KEEP_W - NET_W + 1, BATCH), rng.integers(0, KEEP_H - NET_H + 1, BATCH))
        mirrored = rng.random(BATCH) < 0.3
        x[mirrored] = x[mirrored, :, ::-1]
        there = mirrored & (boxes[:, 2] > boxes[:, 0])
        boxes[there, 0], boxes[there, 2] = NET_W - boxes[there, 2], NET_W - boxes[there, 0]
        x = to_input(x)
        gain = torch.from_numpy(rng.uniform(0.6, 1.5, (BATCH, 1, 1, 1)).astype(np.float32))
        tint = torch.from_numpy(rng.normal(0, 0.1, (BATCH, 3, 1, 1)).astype(np.float32))
        x = ((x + 2) * gain * (1 + tint) - 2 + torch.from_numpy(rng.normal(0, 0.2, (BATCH, 1, 1, 1)).astype(np.float32)))
        x = x.clamp(-2, 1.984375)
        heat, sides, where = (torch.from_numpy(t) for t in targets(boxes))
        for g in optimiser.param_groups:
            g["lr"] = rate(step, args.steps, 2e-3)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = net(x)
        focal, box = loss_of(y.float(), heat, sides, where)
        loss = focal + 2 * box
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimiser.step()
        average.update(net)
        sums.append((focal.item(), box.item()))
        if (step + 1) % CHECK == 0:
            line = "step {} focal {:.3f} box {:.4f} {:.0f} s".format(step + 1, *np.mean(sums, axis=0), time.time() - t0)
            sums.clear()
            score = float(step)
            if chosen:
                found, mean = measure(average.net, chosen)
                score = found + mean
                line += f" chosen on: found {found:.3f} mean IoU {mean:.3f}"
            if score >= best:
                best = score
                torch.save(average.net.state_dict(), os.path.join(args.work, args.out))
                line += " kept"
            print(line, flush=True)
    torch.save(average.net.state_dict(), os.path.join(args.work, "last-" + args.out))


if __name__ == "__main__":
    main()
