# SPDX-License-Identifier: Apache-2.0
"""Trains plate-read on drawn plates only.

  nice /usr/bin/python3 models/plate-read/train.py --work DIR [--choose DIR/plates/romanian-dashcam]

Needs Debian's python3-torch, python3-opencv, python3-pil and the fonts named in README.md. Samples are drawn once into
DIR (about 1 GB). Two stages, each with a rate that falls to zero; the second begins with the last state of the first.
Every CHECK steps the averaged weights are measured on the set given by --choose (real plates that are never trained
on); the best state of the last stage is written to DIR/plate-read.pt. export.py turns that into weights and positions.
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
import real  # noqa: E402
from make_samples import readings  # noqa: E402
from net import CLASSES, Reader  # noqa: E402
from blocks import Average, rate, to_input  # noqa: E402
from samples import cached_set  # noqa: E402

COLUMNS, BATCH, CHECK = 32, 64, 150
STAGES = [  # steps, peak rate, sets of samples: (seed, size)
    (2500, 3e-3, [(1, 30000)]),
    (600, 1e-3, [(2, 16000)]),
]
IGNORE = -1


def column_labels(text, spots):
    """n x 32: the character whose middle a column sees, blank (0) outside and between, IGNORE at the rims."""
    n = len(text)
    centre, width = spots[..., 0] / 4, spots[..., 1] / 4
    t = np.arange(COLUMNS)[None, None, :] + 0.5
    away = np.abs(t - centre[..., None])
    there = (text > 0)[..., None]
    core = there & (away <= np.maximum(0.5, 0.30 * width[..., None]))
    near = there & (away <= 0.5 * width[..., None])
    labels = np.where(near.any(axis=1), IGNORE, 0).astype(np.int64)
    for k in range(text.shape[1]):
        labels = np.where(core[:, k], text[:, k, None], labels)
    return labels.reshape(n, COLUMNS)


def vary(x, generator):
    """Light, contrast and channels, so that a drawn sample is not seen twice the same."""
    n = x.shape[0]
    r = lambda lo, hi, *shape: torch.rand(n, *shape, 1, 1, generator=generator) * (hi - lo) + lo
    x = x * r(0.7, 1.3, 1) + r(-0.35, 0.35, 1) + r(-0.12, 0.12, 3)
    return x.clamp(-2, 1.984375)


def run_stage(args, stage, state, choose):
    """-> the averaged weights at its end; the best by `choose` (without it, the last) are in DIR/plate-read.pt."""
    steps, peak, sets = stage
    generator = torch.Generator().manual_seed(args.seed + steps)
    rng = np.random.default_rng([args.seed, steps])
    parts = [cached_set(args.work, "read", readings, seed, size, 2) for seed, size in sets]
    crops = np.concatenate([p["crops"] for p in parts])
    text = np.concatenate([p["text"] for p in parts])
    labels = torch.from_numpy(np.concatenate([column_labels(p["text"], p["spots"]) for p in parts]))
    lengths = torch.from_numpy((text > 0).sum(axis=1).astype(np.int64))
    targets = torch.from_numpy(text.astype(np.int64))

    net = Reader()
    if state:
        net.load_state_dict(state)
    average = Average(net, 0.998)
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=1e-4)
    best, t0, order, sums = -1.0, time.time(), [], []
    for step in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(len(crops))
        pick, order = order[:BATCH], order[BATCH:]
        for g in optimiser.param_groups:
            g["lr"] = rate(step, steps, peak)
        x = vary(to_input(crops[pick]), generator)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = net(x)
        y = y.float()
        loss = F.cross_entropy(y, labels[pick], ignore_index=IGNORE)
        sums.append(loss.item())
        if state or step > 0.35 * steps:
            lp = F.log_softmax(y, dim=1).permute(2, 0, 1)
            ctc = F.ctc_loss(lp, targets[pick], torch.full((BATCH,), COLUMNS), lengths[pick], zero_infinity=True)
            loss = 0.5 * loss + 0.15 * ctc
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimiser.step()
        average.update(net)
        if (step + 1) % CHECK == 0:
            line = f"step {step + 1} loss {np.mean(sums):.4f} {time.time() - t0:.0f} s"
            sums.clear()
            score = float(step)
            if choose:
                exact, characters = real.measure(average.net, choose)
                score = exact + 0.5 * characters
                line += f" chosen on: exact {exact:.3f} characters {characters:.3f}"
            if score >= best:
                best = score
                torch.save(average.net.state_dict(), os.path.join(args.work, "plate-read.pt"))
                line += " kept"
            print(line, flush=True)
    torch.save(average.net.state_dict(), os.path.join(args.work, "plate-read-last.pt"))
    return average.net.state_dict()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--choose", help="folder of real plates with labels.csv, for choosing the state")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", help="the state after stage 1, to run stage 2 alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    choose = real.load(args.choose) if args.choose else None
    state = torch.load(args.start) if args.start else None
    for stage in STAGES[1 if args.start else 0:]:
        state = run_stage(args, stage, state, choose)


if __name__ == "__main__":
    main()
