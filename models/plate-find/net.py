# SPDX-License-Identifier: Apache-2.0
"""plate-find: 160x128 B,G,R of a vehicle -> 40x32 cells of centre logit and distances to the four sides / 16."""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "plates"))
from blocks import Block  # noqa: E402

STRIDE, SIDE = 4, 16.0


def up2(x):
    """The DPU's bilinear x2: a transposed convolution of taps {1,3,3,1} / 4 on each axis, zero border."""
    taps = torch.from_numpy(np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16)
    return F.conv_transpose2d(x, taps.expand(x.shape[1], 1, 4, 4).to(x.dtype), stride=2, padding=1, groups=x.shape[1])


class Finder(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(Block(3, 16, stride=2), Block(16, 32, stride=2), Block(32, 32))
        self.b = nn.Sequential(Block(32, 64, stride=2), Block(64, 64), Block(64, 64))
        self.c = nn.Sequential(Block(64, 96, stride=2), Block(96, 64))
        self.d = nn.Sequential(Block(128, 64), Block(64, 32, (1, 1)))
        self.e = nn.Sequential(Block(64, 40), nn.Conv2d(40, 5, 1))
        nn.init.constant_(self.e[1].bias, 1.0)
        with torch.no_grad():
            self.e[1].bias[0] = -4.0  # few cells are centres

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        d = self.d(torch.cat([b, up2(self.c(b))], 1))
        return self.e(torch.cat([a, up2(d)], 1))
