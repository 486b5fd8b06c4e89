# SPDX-License-Identifier: Apache-2.0
"""Sets of drawn samples, made once by several processes and kept as numpy files. A set depends on seed and size only,
not on the number of processes: each chunk has a generator of its own."""
import multiprocessing
import os

import numpy as np

CHUNK = 2500


def chunk(task):
    make, seed, number, n = task
    return make(np.random.default_rng([seed, number]), n)


def cached_set(folder, name, make, seed, n, processes):
    """-> the arrays of `make(rng, n) -> {key: array}` over all chunks; kept in folder/name.npz."""
    path = os.path.join(folder, f"{name}-{seed}-{n}.npz")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        tasks = [(make, seed, i, min(CHUNK, n - i * CHUNK)) for i in range((n + CHUNK - 1) // CHUNK)]
        with multiprocessing.Pool(processes) as pool:
            parts = pool.map(chunk, tasks, 1)
        np.savez(path + ".new.npz", **{k: np.concatenate([p[k] for p in parts]) for k in parts[0]})
        os.replace(path + ".new.npz", path)
    with np.load(path) as f:
        return {k: f[k] for k in f.files}
