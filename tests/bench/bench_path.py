#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""make bench: what one minute of footage costs at each stage, and the peak memory of each process.

CPU seconds are the processes' own (getrusage of the workers and of the import); the card worker's CPU is split
between kernels and networks by the wall time each took inside it. Clips: the pedestrian clip of Debian's package
opencv-doc as it is, and the same upscaled to 1080p25 H.264 at 4 Mbit/s with noise. Limits: architecture's memory
goals; for CPU there is no limit here, the figures are for tests/RESULTS.md."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from relecture_e2e import VTEST, Site, clip  # noqa: E402


LOOKS_MAX = 0.30  # of the detector's time on the card, on a busy street


def measure(file):
    site = Site()
    out = site("import", "--case", site.case, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", "--json", "--stats",
               file, check=0, timeout=1200).stdout
    site.close()
    return json.loads(out.splitlines()[-1])["stats"]


def main():
    clips = [
        ("vtest 768x576 MPEG-4, 10 fps", VTEST),
        ("1080p25 H.264 4 Mbit/s, noise",
         clip("bench-1080p.mp4", "-i", VTEST, "-t", "30", "-vf",
              "fps=25,scale=1920:1080:flags=bicubic,noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "veryfast", "-b:v",
              "4M", "-maxrate", "4M", "-bufsize", "8M", "-g", "50", "-bf", "0", "-an")),
    ]
    limits = {"host": 300, "card": 400, "decode": 250}
    missed = False
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; 5 frames analysed per second of footage")
    for name, file in clips:
        s = measure(file)
        minutes = s["footage_us"] / 6e7
        nets = s["net_wall_us"] / max(1, s["net_wall_us"] + s["kernel_wall_us"])
        print(f"\n{name}: {minutes:.2f} min, {s['frames']} frames analysed")
        print(f"  {'CPU s per minute of footage':34} {'measured':>10}")
        for stage, us in (("decode", s["decode_cpu_us"]), ("kernels", s["card_cpu_us"] * (1 - nets)),
                          ("networks", s["card_cpu_us"] * nets), ("tracker, colours, index, rest", s["host_cpu_us"])):
            print(f"  {stage:34} {us / 1e6 / minutes:10.3f}")
        looks = s["look_wall_us"] / max(1, s["net_wall_us"] + s["kernel_wall_us"] - s["look_wall_us"])
        verdict = "ok" if looks <= LOOKS_MAX else "MISSED"
        missed |= looks > LOOKS_MAX
        print(f"  {'crops and their networks / detector':34} {looks:9.3f} {LOOKS_MAX:9.2f}  {verdict}")
        print(f"  {'peak memory, MB':34} {'measured':>10} {'limit':>8}")
        for who, kib in (("host", s["host_peak_kib"]), ("card", s["card_peak_kib"]), ("decode", s["decode_peak_kib"])):
            mb = kib / 1024
            verdict = "ok" if mb <= limits[who] else "MISSED"
            missed |= mb > limits[who]
            print(f"  {who:34} {mb:10.0f} {limits[who]:8d}  {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
