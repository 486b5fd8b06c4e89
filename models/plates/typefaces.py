# SPDX-License-Identifier: Apache-2.0
"""The typefaces that training draws with, made once per process; the same in all of them."""
import functools

import numpy as np

from faces import all_faces


@functools.lru_cache(maxsize=None)
def typefaces():
    """-> (faces, weights)"""
    pairs = all_faces(np.random.default_rng(2026))
    weights = np.array([w for _, w in pairs])
    return [f for f, _ in pairs], weights / weights.sum()
