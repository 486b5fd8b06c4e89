# SPDX-License-Identifier: Apache-2.0
"""Surfaces for tests and measurements: decoded by the ffmpeg command to NV12, letterboxed by the product's own
kernel, so that a figure measured here has gone the way of a recording."""
import ctypes
import json
import subprocess

import numpy as np

VTEST = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
KERNEL = "build/models/letterbox.so"
BT601_STUDIO = 0  # what ffmpeg makes of pictures, and what small recordings hold
# Entry 0 must be black; offset by 128 the kernel's int8 are the 8-bit values themselves.
IDENTITY = np.tile(np.arange(256, dtype=np.uint8) - np.uint8(128), 3).view(np.int8)


class Surface:
    """An NV12 picture: `data` is (h * 3 / 2) x w bytes; w and h are even."""

    def __init__(self, data):
        self.data = np.ascontiguousarray(data)
        self.w, self.h = self.data.shape[1], self.data.shape[0] * 2 // 3

    @property
    def size(self):
        return self.w, self.h

    def cut(self, x, y, w, h):
        """A part of it; all four even."""
        luma, chroma = self.data[: self.h], self.data[self.h :]
        return Surface(np.concatenate([luma[y : y + h, x : x + w], chroma[y // 2 : (y + h) // 2, x : x + w]]))

    def letterbox(self, dst_w, dst_h):
        """dst_h x dst_w x 3 uint8 in B, G, R, as the card's kernel makes it."""
        out = np.empty((dst_h, dst_w, 3), np.int8)
        status = np.zeros(4, np.uint32)
        pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)
        u32 = [ctypes.c_uint32(v) for v in (self.w, self.h, self.w, self.w * self.h, BT601_STUDIO, dst_w, dst_h)]
        kernel().letterbox(pointer(self.data), pointer(IDENTITY), pointer(out), pointer(status), *u32)
        if status[1] != 1 or status[2] != 0:
            raise ValueError(f"the letterbox kernel refuses {self.w}x{self.h}: code {status[2]}")
        return out.view(np.uint8) + np.uint8(128)


loaded = {}


def kernel():
    if KERNEL not in loaded:
        loaded[KERNEL] = ctypes.CDLL(f"./{KERNEL}")
    return loaded[KERNEL]


def size_of(path):
    what = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "json"]
    stream = json.loads(subprocess.run([*what, path], check=True, capture_output=True).stdout)["streams"][0]
    return stream["width"] // 2 * 2, stream["height"] // 2 * 2


def read(path, choose="1", most=None, part=None, scaled=None):
    """Surfaces of a video or picture; `choose` is an ffmpeg select expression over n. Odd sides lose a row.
    `part`: x, y, w, h of what is kept; `scaled`: w, h that it becomes."""
    w, h = size_of(path)
    x, y, w, h = part or (0, 0, w, h)
    filters = f"select={choose},crop={w}:{h}:{x}:{y}"
    if scaled:
        w, h = scaled
        filters += f",scale={w}:{h}:flags=bicubic"
    command = ["ffmpeg", "-v", "error", "-i", path, "-vf", filters, "-vsync", "0"]
    if most:
        command += ["-frames:v", str(most)]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "nv12", "-"], check=True, capture_output=True).stdout
    return [Surface(a) for a in np.frombuffer(raw, np.uint8).reshape(-1, h * 3 // 2, w)]
