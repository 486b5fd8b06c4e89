#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A passage leads back to the very frame it was seen in: with B-frames, a variable frame rate, an edit list and a
transport stream whose counter wraps, the picture that the server shows for its best moment is compared pixel by pixel
with what FFmpeg decodes there, and with the frames before and behind."""
import os
import subprocess

import numpy as np

from relecture_e2e import START_MS, VTEST, Server, Site, clip, main, run

W, H = 768, 576
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "25", "-an")


def frames_of(path):
    """Times in seconds since the first frame shown, and grey pictures, of all frames in the order shown."""
    out = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of",
              "csv=p=0", path, check=0).stdout
    times = np.array([float(line.split(",")[0]) for line in out.split()])
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt",
                          "gray", "-"], check=True, capture_output=True).stdout
    pictures = np.frombuffer(raw, dtype=np.uint8).reshape(-1, H, W)
    assert len(times) == len(pictures), (len(times), len(pictures))
    return times - times[0], pictures


def grey_of_jpeg(data, folder):
    path = os.path.join(folder, "still.jpg")
    with open(path, "wb") as f:
        f.write(data)
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                         check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype=np.uint8).reshape(H, W).astype(np.float32)


def difference(a, b):
    """Mean difference per pixel once brightness and contrast are equal: JPEG and video differ in the range of luma."""
    b = b.astype(np.float32)
    return float(np.mean(np.abs((a - a.mean()) / a.std() - (b - b.mean()) / b.std()))) * 50


def check(path):
    times, pictures = frames_of(path)
    site = Site()
    site.items(path)
    server = Server(site)
    c = server.login()
    passages = site.persons()
    assert len(passages) >= 3, passages
    compared = 0
    for p in passages[:6]:
        status, headers, data = c.ask("GET", f"/media/frame/{p['id']}.jpg")
        assert status == 200, (status, data)
        at_s = (p["best_ms"] - START_MS) / 1000
        k = int(np.argmin(np.abs(times - at_s)))
        assert abs(times[k] - at_s) <= 0.001, (at_s, times[k - 1:k + 2])
        still = grey_of_jpeg(data, site.top)
        off = {d: difference(still, pictures[k + d]) for d in (-1, 0, 1) if 0 <= k + d < len(pictures)}
        assert off[0] < 3, off  # the coding of the JPEG alone
        assert all(off[0] < 0.9 * v for d, v in off.items() if d), off
        compared += 1
    assert compared >= 3
    server.stop()
    site.close()


def b_frames_in_mp4_with_an_edit_list():
    check(clip("exact-b.mp4", "-ss", "3.05", "-i", VTEST, "-t", "12", *H264, "-movflags", "+faststart"))


def a_variable_frame_rate_in_matroska():
    check(clip("exact-vfr.mkv", "-i", VTEST, "-t", "14", "-vf", "select='gt(mod(n,7),1)'", "-vsync", "vfr", *H264))


def a_transport_stream_whose_counter_wraps():
    # 2^33 / 90000 s = 95443.7 s: the counter passes zero in the middle.
    check(clip("exact-wrap.ts", "-i", VTEST, "-t", "12", *H264, "-output_ts_offset", "95437", "-muxdelay", "0", "-f", "mpegts"))


if __name__ == "__main__":
    main([
        b_frames_in_mp4_with_an_edit_list,
        a_variable_frame_rate_in_matroska,
        a_transport_stream_whose_counter_wraps,
    ])
