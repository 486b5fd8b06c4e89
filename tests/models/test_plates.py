#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The two networks of plates as built: their files hold the committed int8 layers, the simulated card computes what the
numpy reference does, and a drawn plate on a real car is found and read. TAP on stdout.
test_plates.py BUILD_DIR (build/release)"""
import json
import os
import subprocess
import sys

import numpy as np

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "models", "tools"))
import convert  # noqa: E402
import engines  # noqa: E402
import graph as reference  # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build/release"
RUNNER = os.path.join(BUILD, "sim", "librelecture_dpu.so")
RUN = os.path.join(BUILD, "models", "tools", "run_xmodel")
CAR = "/usr/share/doc/opencv-doc/examples/data/licenseplate_motion.jpg"
PLATE = "tests/e2e/plate.png"
TEXT = "BX428TL"
NETS = ("plate-find", "plate-read")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Skip(Exception):
    pass


def net(name):
    """-> (int8 graph of the committed files, the built folder's manifest)."""
    with open(f"models/{name}/graph.json", encoding="utf-8") as f:
        what = json.load(f)
    with open(f"models/{name}/graph.bin", "rb") as f:
        return reference.read_int8(what, f.read()), convert.read_manifest(f"build/models/{name}")


def picture(w, h, *graph):
    """ffmpeg's picture as int8 B, G, R, value - 128."""
    out = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *graph, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "bgr24",
                          "-"], check=True, capture_output=True).stdout
    return (np.frombuffer(out, np.uint8).reshape(h, w, 3).astype(np.int16) - 128).astype(np.int8)


def plate():
    return picture(128, 32, "-i", PLATE, "-vf", "pad=iw*1.06:ih*1.2:(ow-iw)/2:(oh-ih)/2:color=0x404040,scale=128:32:flags=area")


def car():
    """The car with the drawn plate over its own: x 210..380, y 232..266 of 600 x 482."""
    if not os.path.exists(CAR):
        raise Skip("Debian's package opencv-doc is not installed")
    return picture(160, 128, "-i", CAR, "-i", PLATE, "-filter_complex",
                   "[1]scale=170:-2[p];[0][p]overlay=x=210:y=232,scale=160:128:flags=area")


def run(name, pictures):
    manifest = net(name)[1]
    golden = os.path.join("build", "models", name, manifest["files"]["golden"]["path"])
    data = engines.pipe([RUN, golden, RUNNER], b"".join(p.tobytes() for p in pictures))
    return np.frombuffer(data, np.int8).reshape(len(pictures), -1)


def cost_is_within_the_limit():
    said = []
    for name in NETS:
        g, manifest = net(name)
        macs = g.macs(manifest["input"]["height"], manifest["input"]["width"]) / 1e6
        assert macs <= 120, f"{name}: {macs} MMAC"
        said.append(f"{name} {macs:.0f} MMAC")
    return ", ".join(said)


def files_hold_the_committed_layers():
    for name in NETS:
        g, manifest = net(name)
        listed = {}
        for kind in ("golden", "quant"):
            path = os.path.join("build", "models", name, manifest["files"][kind]["path"])
            assert convert.sha256(path) == manifest["files"][kind]["sha256"], path
            lines = engines.pipe(["build/models/list_xmodel", path], b"").decode().splitlines()
            listed[kind] = {line.split()[0]: line.split()[1:] for line in lines}
        for n in g.nodes[1:]:
            assert listed["golden"][n.name][2] == str(n.fix), n.name
        for op, (_, shape, fix_point, digest) in listed["quant"].items():
            if not op.endswith("_fix"):
                continue
            twin = listed["golden"][op.removesuffix("_fix").removesuffix("_leaky")]
            assert [shape, fix_point, digest] == twin[1:], f"{name} {op}: {shape} {fix_point}, golden has {twin}"
        assert manifest["outputs"][0]["fix_point"] == g.nodes[g.outputs[0]].fix


def simulated_card_equals_the_numpy_reference_bit_for_bit():
    rng = np.random.default_rng(5)
    n = 0
    for name, real in (("plate-find", car()), ("plate-read", plate())):
        g, _ = net(name)
        pictures = [real, rng.integers(-128, 128, real.shape).astype(np.int8), np.full(real.shape, 127, np.int8)]
        for p, found in zip(pictures, run(name, pictures)):
            wanted = reference.run_int8(g, p)[0].reshape(-1)
            differing = int((wanted != found).sum())
            assert differing == 0, f"{name}: {differing} of {wanted.size} values differ"
            n += wanted.size
    return f"{n} values"


def drawn_plate_is_read():
    columns = run("plate-read", [plate()])[0].reshape(32, 37)
    best = columns.argmax(axis=1)
    text = "".join(ALPHABET[k - 1] for i, k in enumerate(best) if k and (i == 0 or best[i - 1] != k))
    assert text == TEXT, text


def plate_is_found_on_a_car():
    cells = run("plate-find", [car()])[0].reshape(32, 40, 5) / 2.0 ** net("plate-find")[1]["outputs"][0]["fix_point"]
    y, x = np.unravel_index(cells[..., 0].argmax(), (32, 40))
    left, top, right, bottom = cells[y, x, 1:] * 16
    cx, cy = x * 4 + 2, y * 4 + 2
    a = np.array([cx - left, cy - top, cx + right, cy + bottom])
    b = np.array([210 / 600 * 160, 232 / 482 * 128, 380 / 600 * 160, 266 / 482 * 128])
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    iou = both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
    assert cells[y, x, 0] > 0 and iou > 0.5, f"score {cells[y, x, 0]}, box {a}, overlap {iou}"
    return f"overlap {iou:.2f}"


TESTS = [cost_is_within_the_limit, files_hold_the_committed_layers, simulated_card_equals_the_numpy_reference_bit_for_bit,
         drawn_plate_is_read, plate_is_found_on_a_car]


def main():
    os.chdir(TOP)
    failed = 0
    print(f"1..{len(TESTS)}")
    for i, test in enumerate(TESTS, 1):
        try:
            said = test()
            print(f"ok {i} - {test.__name__}" + (f" ({said})" if said else ""))
        except Skip as why:
            print(f"ok {i} - {test.__name__} # SKIP {why}")
        except (AssertionError, OSError, subprocess.CalledProcessError) as why:
            failed += 1
            print(f"not ok {i} - {test.__name__}")
            for line in (str(why) + str(getattr(why, "stderr", b"") or "")).splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
