# SPDX-License-Identifier: Apache-2.0
"""How well the detector finds things, on data that is not part of the repository.

  accuracy.py DATA_DIR ROWS.jsonl    adds its figures to ROWS (models/tools/report.py says what they are)

int8 figures come from the numpy reference, which a test holds equal to the simulated card bit for bit.
"""
import csv
import glob
import json
import math
import os
import sys

import numpy as np

import convert
import decode
import frames
import graph as reference
import measure

SOURCE, RECIPE = "build/cache/human-models-3.0.4", "models/nanodet-g"
GROUPS = {"person": [0], "two-wheeler": [1, 3], "vehicle": [2, 5, 7]}  # COCO numbers
LOWEST = 0.05  # score from which detections enter an average precision
SQUARE, WIDE = (416, 416), (640, 384)
LOSS_MAX = 0.02  # int8 may lose this much AP50 against fp32

# ---- sets: functions of (data folder, group) that give (surface, true boxes, ignored boxes) ----


def corners(rows):
    """x, y, w, h -> x0, y0, x1, y1"""
    rows = np.asarray(rows, float).reshape(-1, 4)
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)


def coco(data, group):
    """64 pictures of COCO val2017."""
    for path in sorted(glob.glob(os.path.join(data, "detection/coco-val/images/*.jpg"))):
        picture = frames.read(path)[0]
        label = os.path.join(data, "detection/coco-val/labels", os.path.basename(path)[:-4] + ".txt")
        rows = np.loadtxt(label, ndmin=2).reshape(-1, 5)
        rows = rows[np.isin(rows[:, 0], GROUPS[group])][:, 1:] * [*picture.size, *picture.size]
        yield picture, corners(np.concatenate([rows[:, :2] - rows[:, 2:] / 2, rows[:, 2:]], axis=1)), []


def pets_truth(data):
    with open(os.path.join(data, "tracking/pets09-s2l1/gt.txt"), encoding="utf-8") as f:
        rows = np.array([r[:6] for r in csv.reader(f)], float)
    return lambda i: corners(rows[rows[:, 0] == i + 1][:, 2:])


def pets(data, _):
    """Every 10th frame of PETS 2009 S2.L1, 768x576, persons 55 to 130 pixels tall."""
    truth = pets_truth(data)
    for i, picture in enumerate(frames.read(frames.VTEST, "not(mod(n\\,10))")):
        yield picture, truth(10 * i), []


def wide_view(data, _):
    """Four such frames, each 960x540, in one picture of 1920x1080: the small figures of a wide camera, real and
    with known truth. Who is cut by a cell's border is ignored."""
    truth, (top, scale) = pets_truth(data), (60, 1.25)
    cells = frames.read(frames.VTEST, "not(mod(n\\,10))", part=(0, top, 768, 432), scaled=(960, 540))
    n = len(cells) // 4
    for i in range(n):
        data_out, boxes, cut = np.empty((1620, 1920), np.uint8), [], []
        for c in range(4):
            x, y, cell = 960 * (c % 2), 540 * (c // 2), i + c * n
            data_out[y : y + 540, x : x + 960] = cells[cell].data[:540]
            data_out[1080 + y // 2 : 1350 + y // 2, x : x + 960] = cells[cell].data[540:]
            t = truth(10 * cell) - [0, top, 0, top]
            inside = (t[:, 1] >= -8) & (t[:, 3] <= 440)
            t = t.clip([0, 0, 0, 0], [768, 432, 768, 432]) * scale + [x, y, x, y]
            boxes.append(t[inside])
            cut.append(t[~inside])
        yield frames.Surface(data_out), np.concatenate(boxes), np.concatenate(cut)


def airport(data, _):
    """Ten pictures 1920x1080; what is labelled as no person is ignored."""
    folder = os.path.join(data, "detection/intel-airport")
    with open(os.path.join(folder, "annotation_train.coco.json"), encoding="utf-8") as f:
        what = json.load(f)
    for image in what["images"]:
        mine = [a for a in what["annotations"] if a["image_id"] == image["id"]]
        yield (frames.read(os.path.join(folder, image["image"]))[0],
               corners([a["bbox"] for a in mine if a["category_id"] == 2]),
               corners([a["bbox"] for a in mine if a["category_id"] != 2]))


def plates(data, _):
    """53 European vehicles; the truth is the plate, which the vehicle's box must hold."""
    folder = os.path.join(data, "plates/openalpr-eu")
    with open(os.path.join(folder, "labels.csv"), encoding="utf-8") as f:
        for r in csv.DictReader(f):
            yield frames.read(os.path.join(folder, r["image"]))[0], corners([[float(r[k]) for k in "xywh"]]), []


# ---- measuring ----


class Forms:
    """The network in both arithmetics."""

    def __init__(self):
        self.float_graph, self.int8_graph = convert.load_quantised(SOURCE, RECIPE)
        self.manifest = convert.read_manifest("build/models/nanodet-g")

    def fp32(self, small):
        return reference.run_float(self.float_graph, decode.normalise(small, self.manifest["input"]))

    def int8(self, small):
        return reference.run_int8(self.int8_graph, decode.normalise_int8(small, self.manifest["input"]))


def detect(run, manifest, picture, group, size):
    """Rows score, x0, y0, x1, y1 of a group of classes; two classes on one object count once."""
    heads = run(picture.letterbox(*size))
    rows = decode.decode(heads, manifest, picture.size, LOWEST, GROUPS[group], input_size=size, most=100)
    return rows[decode.suppress(rows[:, 2:], manifest["decode"]["iou"])][:, 1:]


def average_precision_rows(forms, data, pictures, group, size, goal, peer):
    judged = {"fp32": [], "int8": []}
    for picture, truth, ignored in pictures(data, group):
        for form, list_ in judged.items():
            found = detect(getattr(forms, form), forms.manifest, picture, group, size)
            list_.append(measure.judge(found, truth, ignored=ignored))
    n = len(judged["int8"])
    of = lambda form, at: measure.average_precision([judged[form][i] for i in at])
    lost = lambda at: of("fp32", at) - of("int8", at)
    everything = range(n)
    start = forms.manifest["threshold"]["start"]
    recall, precision = measure.found_at(judged["int8"], start)
    common = {"pictures": n, "boxes": sum(p.n_true for p in judged["int8"])}
    ap = of("int8", everything)
    yield common | {"metric": "AP50", "goal": goal, "measured": ap, "fp32": of("fp32", everything),
                    "ci95": measure.interval(n, lambda at: of("int8", at)), "peer": peer, "met": ap >= goal,
                    "at_start": {"score": start, "recall": round(recall, 3), "precision": round(precision, 3)}}
    yield common | {"metric": "AP50 lost by int8", "goal": LOSS_MAX, "measured": lost(everything),
                    "ci95": measure.interval(n, lost), "peer": None, "met": lost(everything) <= LOSS_MAX}


def share_row(forms, data, pictures, group, size, goal, peer):
    """Share of pictures in which a box that the detector reports holds nine tenths of the true box."""
    best = []
    for picture, truth, _ in pictures(data, group):
        found = detect(forms.int8, forms.manifest, picture, group, size)
        lo, hi = np.maximum(found[:, 1:3], truth[0, :2]), np.minimum(found[:, 3:], truth[0, 2:])
        held = np.prod(np.clip(hi - lo, 0, None), axis=1) / np.prod(truth[0, 2:] - truth[0, :2])
        best.append(found[held >= 0.9, 0].max(initial=0))
    keep, start = (forms.manifest["threshold"][k] for k in ("keep", "start"))
    n, p, z = len(best), float(np.mean(np.array(best) >= keep)), 1.96  # Wilson
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    yield {"pictures": n, "boxes": n, "metric": "box holds plate", "goal": goal, "measured": p,
           "ci95": [(middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)], "peer": peer,
           "met": p >= goal, "at_start": {"score": start, "recall": round(float(np.mean(np.array(best) >= start)), 3)}}


# set, pictures, how, group, input, the least that int8 must reach, who else says what on comparable data
MEASURED = [
    ("coco-val", coco, average_precision_rows, "person", SQUARE, 0.55, "NanoDet-g fp32 0.65 on 206 of val2017"),
    ("coco-val", coco, average_precision_rows, "vehicle", SQUARE, 0.40, "NanoDet-g fp32 0.53 on 206 of val2017"),
    ("pets09-s2l1", pets, average_precision_rows, "person", SQUARE, 0.88, None),
    ("pets09-s2l1", pets, average_precision_rows, "person", WIDE, 0.88, "ours at 416x416: line above"),
    ("pets09 wide view", wide_view, average_precision_rows, "person", SQUARE, 0.65, None),
    ("pets09 wide view", wide_view, average_precision_rows, "person", WIDE, 0.88, "ours at 416x416: line above"),
    ("intel-airport", airport, average_precision_rows, "person", SQUARE, 0.90, None),
    ("intel-airport", airport, average_precision_rows, "person", WIDE, 0.90, "ours at 416x416: line above"),
    ("openalpr-eu", plates, share_row, "vehicle", SQUARE, 0.95, "NanoDet-g 107 of 108 photographs"),
]


def rows_of(found, name, group, size):
    """A measured figure as lines of ROWS; how often the boxes above `start` are right stands beside the filter."""
    common = {"set": name, "input": f"{size[0]}x{size[1]}", "n": found["boxes"]}
    extra = {k: found[k] for k in ("fp32", "peer") if found.get(k) is not None}
    if "lost" not in found["metric"]:
        extra |= {"field": "class", "value": ""}
    yield common | {"what": f"{group}: {found['metric']}", "metric": found["metric"], "measured": found["measured"],
                    "ci95": found["ci95"], "goal": found["goal"], "at_most": "lost" in found["metric"]} | extra
    start = found.get("at_start", {})
    for metric in ("precision", "recall"):
        if metric in start and group == "person":
            yield common | {"what": f"{group} at {start['score']}: {metric}", "metric": metric, "measured": start[metric],
                            "field": "class", "value": group}


def main():
    data, out = sys.argv[1:]
    if not os.path.isdir(os.path.join(data, "detection")):
        print(f"detector: skipped, {data}/detection is absent")
        return 0
    forms = Forms()
    with open(out, "a", encoding="utf-8") as f:
        for name, pictures, how, group, size, goal, peer in MEASURED:
            for found in how(forms, data, pictures, group, size, goal, peer):
                for r in rows_of(found, name, group, size):
                    f.write(json.dumps(r) + "\n")
                print(f"detector: {name} {group} {found['metric']} {found['measured']:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
