# SPDX-License-Identifier: Apache-2.0
"""Pictures for tests and measurements, decoded by the ffmpeg command: H x W x 3 uint8 in B, G, R."""
import json
import subprocess

import numpy as np

VTEST = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"


def size_of(path):
    what = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "json"]
    stream = json.loads(subprocess.run([*what, path], check=True, capture_output=True).stdout)["streams"][0]
    return stream["width"], stream["height"]


def read(path, choose=None, most=None):
    """Frames of a video or picture; `choose` is an ffmpeg select expression over n."""
    w, h = size_of(path)
    command = ["ffmpeg", "-v", "error", "-i", path]
    if choose:
        command += ["-vf", f"select={choose}", "-vsync", "0"]
    if most:
        command += ["-frames:v", str(most)]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, h, w, 3)
