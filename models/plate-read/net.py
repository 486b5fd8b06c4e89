# SPDX-License-Identifier: Apache-2.0
"""plate-read: 128x32 B,G,R -> 32 columns of blank, 0-9, A-Z. Height is pooled away, width stays at a quarter."""
import os
import sys

from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "plates"))
from blocks import Block  # noqa: E402

CLASSES = 37


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            Block(3, 24, stride=2), Block(24, 48), nn.MaxPool2d(2), Block(48, 80), Block(80, 80), nn.MaxPool2d((2, 1)),
            Block(80, 128), Block(128, 128), nn.MaxPool2d((2, 1)), Block(128, 160, (2, 5), pad=(0, 2)),
            nn.Conv2d(160, CLASSES, 1))

    def forward(self, x):
        return self.layers(x)[:, :, 0]  # n x classes x 32
