#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The imported detector proves itself: against the published graph in TensorFlow.js, against itself in numpy, and
through the simulated card's runner. TAP on stdout.   test_detector.py BUILD_DIR (build/release)"""
import glob
import hashlib
import json
import os
import subprocess
import sys

import numpy as np

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(TOP, "models", "tools")
sys.path.insert(0, TOOLS)
import convert  # noqa: E402
import decode  # noqa: E402
import engines  # noqa: E402
import frames  # noqa: E402
import graph as reference  # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build/release"
SOURCE, RECIPE, MODEL = "build/cache/human-models-3.0.4", "models/nanodet-g", "build/models/nanodet-g"
WIDE, WIDE_SIZE = "build/models/nanodet-g-640x384", (640, 384)
DATA = os.environ.get("RELECTURE_DATA", "../shared/data")
RUNNER = os.path.join(BUILD, "sim", "librelecture_dpu.so")
RUN = os.path.join(BUILD, "models", "tools", "run_xmodel")
CLASSES = [0, 1, 2, 3, 5, 7]  # what the product keeps, by COCO number
SIZE = 416


def run_model(folder, pictures):
    manifest = convert.read_manifest(folder)
    golden = os.path.join(folder, manifest["files"]["golden"]["path"])
    return engines.run_engine(RUN, golden, RUNNER, manifest, pictures)


class Skip(Exception):
    pass


class Subject:
    """The import, loaded once for all tests."""

    def __init__(self):
        self.float_graph, self.graph = convert.load_quantised(SOURCE, RECIPE)
        self.manifest = convert.read_manifest(MODEL)
        self.cached = {}

    def once(self, key, make):
        if key not in self.cached:
            self.cached[key] = make()
        return self.cached[key]

    def scene(self):
        """Sample frames of the clip in Debian's opencv-doc."""
        if not os.path.exists(frames.VTEST):
            raise Skip("Debian's package opencv-doc is not installed")
        return self.once("scene", lambda: frames.read(frames.VTEST, "not(mod(n\\,50))", 16))

    def inputs(self):
        return self.once("inputs", lambda: [p.letterbox(SIZE, SIZE) for p in self.scene()])

    def published(self, inputs):
        if not os.path.isdir("models/node_modules/@tensorflow"):
            raise Skip("models/node_modules is missing: npm ci --prefix models")
        return engines.run_tfjs(TOOLS, SOURCE, self.manifest, inputs)

    def fp32(self):
        spec = self.manifest["input"]
        return self.once("fp32", lambda: self.published([decode.normalise(p, spec) for p in self.inputs()]))

    def int8(self):
        return self.once("int8", lambda: run_model(MODEL, self.inputs()))


def folded_graph_is_the_committed_one(s):
    with open(os.path.join(RECIPE, "quant.json"), encoding="utf-8") as f:
        wanted = json.load(f)["constants_sha256"]
    with open(os.path.join(MODEL, "graph.bin"), "rb") as f:
        found = hashlib.sha256(f.read()).hexdigest()
    assert found == wanted, f"int8 constants have the hash {found}"
    assert len(s.graph.nodes) == 56 and s.graph.macs(SIZE, SIZE) == 2091814400


def manifest_names_its_files_by_hash(s):
    for folder in (MODEL, WIDE):
        files = convert.read_manifest(folder)["files"]
        for kind in ("golden", "quant"):
            path = os.path.join(folder, files[kind]["path"])
            assert convert.sha256(path) == files[kind]["sha256"], path
    assert [o["fix_point"] for o in s.manifest["outputs"]] == [s.graph.nodes[i].fix for i in s.graph.outputs]


def both_xmodels_hold_the_same_network(s):
    """Names, shapes and fix points of golden and quant, read back from the files."""
    listed = {}
    for kind in ("golden", "quant"):
        path = os.path.join(MODEL, s.manifest["files"][kind]["path"])
        lines = engines.pipe(["build/models/list_xmodel", path], b"").decode().splitlines()
        listed[kind] = {line.split()[0]: line.split()[1:] for line in lines}
    fixed = {n: v for n, v in listed["quant"].items() if n.endswith("_fix")}
    assert len(fixed) == 56 + 34 * 2 + 2, f"{len(fixed)} fix nodes"
    for name, (_, shape, fix_point, digest) in fixed.items():
        plain = name.removesuffix("_fix").removesuffix("_leaky")
        _, shape2, fix2, digest2 = listed["golden"][plain]
        assert (shape, fix_point) == (shape2, fix2), f"{name}: {shape} {fix_point}, golden has {shape2} {fix2}"
        assert digest == digest2, f"{name}: other values"


def fp32_outputs_equal_the_published_graph_in_tensorflow_js(s):
    rng = np.random.default_rng(20)
    ramp = np.linspace(-2, 2, SIZE, dtype=np.float32)
    inputs = [rng.normal(0, 1, (SIZE, SIZE, 3)).astype(np.float32), np.zeros((SIZE, SIZE, 3), np.float32),
              np.stack([ramp[:, None] * ramp[None, :]] * 3, axis=2),
              decode.normalise(s.inputs()[3], s.manifest["input"])]
    worst = 0
    for x, wanted in zip(inputs, s.published(inputs)):
        for a, b in zip(reference.run_float(s.float_graph, x), wanted):
            worst = max(worst, np.abs(a - b).max())
    assert worst <= 1e-4, f"largest difference {worst}"
    return f"largest difference {worst:.1e} on {len(inputs)} inputs"


def runner_equals_the_numpy_reference_bit_for_bit(s):
    wide = s.scene()[5].letterbox(*WIDE_SIZE)
    n = 0
    for picture, heads in ((s.inputs()[5], s.int8()[5]), (wide, run_model(WIDE, [wide])[0])):
        wanted = reference.run_int8(s.graph, decode.normalise_int8(picture, s.manifest["input"]))
        differing = sum((a != b).sum() for a, b in zip(wanted, heads))
        assert differing == 0, f"{differing} values differ for an input of {picture.shape}"
        n += sum(h.size for h in heads)
    return f"{n} values of two input sizes"


def agreed(s, scene, int8, fp32, classes):
    hits, totals = [0, 0], [0, 0]
    for picture, q, f in zip(scene, int8, fp32):
        a = decode.decode(q, s.manifest, picture.size, 0.30, classes)
        b = decode.decode(f, s.manifest, picture.size, 0.30, classes)
        for i, (x, y) in enumerate(((b, a), (a, b))):
            hit, total = engines.agreement(x, y)
            hits[i] += hit
            totals[i] += total
    recall, precision = hits[0] / totals[0], hits[1] / totals[1]
    said = f"recall {recall:.3f} of {totals[0]}, precision {precision:.3f} of {totals[1]}"
    assert totals[0] >= 100 and recall >= 0.97 and precision >= 0.97, said
    return said


def int8_boxes_agree_with_fp32_ones(s):
    return agreed(s, s.scene(), s.int8(), s.fp32(), CLASSES)


def int8_boxes_of_all_classes_agree_on_coco(s):
    names = sorted(glob.glob(os.path.join(DATA, "detection/coco-val/images/*.jpg")))
    if not names:
        raise Skip(f"no COCO pictures in {DATA}")
    scene = [frames.read(n)[0] for n in names[:48]]
    inputs = [p.letterbox(SIZE, SIZE) for p in scene]
    fp32 = s.published([decode.normalise(p, s.manifest["input"]) for p in inputs])
    return agreed(s, scene, run_model(MODEL, inputs), fp32, range(s.manifest["decode"]["classes"]))


def decoder_in_c_equals_the_numpy_decoder(s):
    w, h = s.scene()[0].size
    tensors = b"".join(head.tobytes() for heads in s.int8() for head in heads)
    program = os.path.join(BUILD, "tests", "models", "decode_tensors")
    found, lines = [], engines.pipe([program, MODEL, str(w), str(h)], tensors).decode().splitlines()
    for line in lines:
        if line.startswith("picture"):
            found.append([])
        else:
            found[-1].append(line.split())
    assert len(found) == len(s.int8())
    with open(os.path.join(MODEL, "labels.txt"), encoding="utf-8") as f:
        labels = f.read().split("\n")
    used = [i for i, label in enumerate(labels) if s.manifest["map"].get(label)]
    n = 0
    for heads, rows in zip(s.int8(), found):
        wanted = decode.decode(heads, s.manifest, (w, h), s.manifest["threshold"]["keep"], used)
        assert len(wanted) == len(rows), f"{len(rows)} boxes, numpy has {len(wanted)}"
        for a, b in zip(wanted, rows):
            assert s.manifest["map"][labels[int(a[0])]] == f"{b[0]}:{b[1]}", b
            box = [a[1], a[2], a[3], a[4] - a[2], a[5] - a[3]]
            assert np.allclose(box, [float(v) for v in b[2:]], atol=0.02), f"{b} against {box}"
            n += 1
    return f"{n} boxes"


def no_refused_word_stands_in_a_model_folder(_):
    words = ("face", "reid", "gender", "ethnic", "emotion")
    for folder, _, names in os.walk("models"):
        if "node_modules" in folder:
            continue
        for name in names:
            if name in ("model.json", "labels.txt"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    text = f.read().lower()
                assert not any(w in text for w in words), os.path.join(folder, name)


TESTS = [folded_graph_is_the_committed_one, manifest_names_its_files_by_hash, both_xmodels_hold_the_same_network,
         fp32_outputs_equal_the_published_graph_in_tensorflow_js, runner_equals_the_numpy_reference_bit_for_bit,
         int8_boxes_agree_with_fp32_ones, int8_boxes_of_all_classes_agree_on_coco, decoder_in_c_equals_the_numpy_decoder,
         no_refused_word_stands_in_a_model_folder]


def main():
    os.chdir(TOP)
    subject, failed = Subject(), 0
    print(f"1..{len(TESTS)}")
    for i, test in enumerate(TESTS, 1):
        try:
            said = test(subject)
            print(f"ok {i} - {test.__name__}" + (f" ({said})" if said else ""))
        except Skip as why:
            print(f"ok {i} - {test.__name__} # SKIP {why}")
        except (AssertionError, OSError, subprocess.CalledProcessError) as why:
            failed += 1
            print(f"not ok {i} - {test.__name__}")
            for line in str(why).splitlines() + str(getattr(why, "stderr", b"") or "").splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
