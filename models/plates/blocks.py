# SPDX-License-Identifier: Apache-2.0
"""What both plate nets share in training: blocks, folding of batch norms, positions of powers of two, and the written
files. A net is a list of named layers that models/tools/graph.py can hold: convolutions with or without ReLU, max
pools, concat, add, nearest x2."""
import copy
import json
import math
import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))


SLOPE = 26 / 256  # of the leaky ReLU, as the DPU has it


class Block(nn.Module):
    """Convolution, batch norm, leaky ReLU; padded by half the kernel where `pad` is not given."""

    def __init__(self, ic, oc, kernel=(3, 3), stride=1, pad=None):
        super().__init__()
        pad = pad if pad is not None else (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(ic, oc, kernel, stride, pad, bias=False)
        self.norm = nn.BatchNorm2d(oc)

    def forward(self, x):
        return nn.functional.leaky_relu(self.norm(self.conv(x)), SLOPE)

    def folded(self):
        """-> (weights oc x kh x kw x ic, bias) with the norm inside."""
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        weights = self.conv.weight * scale[:, None, None, None]
        bias = self.norm.bias - self.norm.running_mean * scale
        return weights.permute(0, 2, 3, 1).detach().numpy().copy(), bias.detach().numpy().copy()


def plain(conv):
    return conv.weight.permute(0, 2, 3, 1).detach().numpy().copy(), conv.bias.detach().numpy().copy()


class Average:
    """Exponential mean of the weights: what is kept and measured."""

    def __init__(self, net, keep):
        self.net, self.keep, self.n = copy.deepcopy(net).eval(), keep, 0

    def update(self, net):
        self.n += 1
        keep = min(self.keep, (1 + self.n) / (10 + self.n))
        with torch.no_grad():
            for a, b in zip(self.net.state_dict().values(), net.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.mul_(keep).add_(b, alpha=1 - keep)
                else:
                    a.copy_(b)


def rate(step, steps, peak, warm=40):
    """Warm-up, then a cosine down to zero."""
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def to_input(crops):
    """uint8 n x h x w x 3 -> float n x 3 x h x w, (p - 128) / 64."""
    return (torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 128) / 64
