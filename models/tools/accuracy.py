# SPDX-License-Identifier: Apache-2.0
"""How well the detector finds things, on data that is not part of the repository.

  accuracy.py DATA_DIR OUT.json      prints goal / measured / peer, writes OUT.json; exit status 1 when a goal is
                                     missed, 77 when DATA_DIR is absent

int8 figures come from the numpy reference, which a test holds equal to the simulated card bit for bit.
"""
import csv
import datetime
import glob
import json
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


class Set:
    def __init__(self, name, group, pictures):
        """`pictures`: function giving (picture, true boxes, ignored boxes)."""
        self.name, self.group, self.pictures = name, group, pictures


def coco(data, group):
    def pictures():
        for path in sorted(glob.glob(os.path.join(data, "detection/coco-val/images/*.jpg"))):
            picture = frames.read(path)[0]
            w, h = picture.size
            label = os.path.join(data, "detection/coco-val/labels", os.path.basename(path)[:-4] + ".txt")
            rows = np.loadtxt(label, ndmin=2).reshape(-1, 5)
            rows = rows[np.isin(rows[:, 0], GROUPS[group])]
            x, y, bw, bh = (rows[:, 1:] * [w, h, w, h]).T
            yield picture, np.stack([x - bw / 2, y - bh / 2, x + bw / 2, y + bh / 2], axis=1), None
    return Set("coco-val", group, pictures)


def pets(data, every=10):
    def pictures():
        rows = np.array([r[:6] for r in csv.reader(open(os.path.join(data, "tracking/pets09-s2l1/gt.txt")))], float)
        for i, picture in enumerate(frames.read(frames.VTEST, f"not(mod(n\\,{every}))")):
            x, y, w, h = rows[rows[:, 0] == i * every + 1][:, 2:].T
            yield picture, np.stack([x, y, x + w, y + h], axis=1), None
    return Set(f"pets09-s2l1, every {every}th frame", "person", pictures)


def airport(data):
    folder = os.path.join(data, "detection/intel-airport")

    def pictures():
        with open(os.path.join(folder, "annotation_train.coco.json"), encoding="utf-8") as f:
            what = json.load(f)
        for image in what["images"]:
            boxes = {True: [], False: []}
            for a in what["annotations"]:
                if a["image_id"] == image["id"]:
                    x, y, w, h = a["bbox"]
                    boxes[a["category_id"] == 2].append([x, y, x + w, y + h])
            truth = np.array(boxes[True], float).reshape(-1, 4)
            yield frames.read(os.path.join(folder, image["image"]))[0], truth, np.array(boxes[False]).reshape(-1, 4)
    return Set("intel-airport 1920x1080", "person", pictures)


def detect(run, manifest, picture, group, size):
    """Rows score, x0, y0, x1, y1 of a group of classes; two classes on one object count once."""
    heads = run(picture.letterbox(*size))
    rows = decode.decode(heads, manifest, picture.size, LOWEST, GROUPS[group], input_size=size, most=100)
    return rows[decode.suppress(rows[:, 2:], manifest["decode"]["iou"])][:, 1:]


class Forms:
    """The network in both arithmetics."""

    def __init__(self):
        self.float_graph, self.int8_graph = convert.load_quantised(SOURCE, RECIPE)
        self.manifest = convert.read_manifest("build/models/nanodet-g")

    def fp32(self, small):
        return reference.run_float(self.float_graph, decode.normalise(small, self.manifest["input"]))

    def int8(self, small):
        return reference.run_int8(self.int8_graph, decode.normalise_int8(small, self.manifest["input"]))


def evaluate(forms, what, size=(416, 416)):
    """-> {form: [Judged]} over the pictures of a set."""
    out = {"fp32": [], "int8": []}
    for picture, truth, ignored in what.pictures():
        for form, judged in out.items():
            found = detect(getattr(forms, form), forms.manifest, picture, what.group, size)
            judged.append(measure.judge(found, truth, ignored=ignored))
    return out


# The least AP50 that the int8 detector may have, and who else says what on comparable data.
GOALS = [
    ("coco-val", "person", 0.55, "NanoDet-g fp32 0.65 on 206 val2017 pictures"),
    ("coco-val", "vehicle", 0.40, "NanoDet-g fp32 0.53 on 206 val2017 pictures"),
    ("pets", "person", 0.70, None),
    ("airport", "person", 0.45, None),
]
LOSS_MAX = 0.02  # int8 may lose this much AP50 against fp32


def rows_of(forms, data):
    makers = {"coco-val": lambda g: coco(data, g), "pets": lambda g: pets(data), "airport": lambda g: airport(data)}
    for name, group, goal, peer in GOALS:
        what = makers[name](group)
        judged = evaluate(forms, what)
        n = len(judged["int8"])
        ap = {form: measure.average_precision(p) for form, p in judged.items()}
        pick = lambda form, at: [judged[form][i] for i in at]
        ci = measure.interval(n, lambda at: measure.average_precision(pick("int8", at)))
        lost = measure.interval(n, lambda at: measure.average_precision(pick("fp32", at)) -
                                measure.average_precision(pick("int8", at)))
        n_true = sum(p.n_true for p in judged["int8"])
        common = {"set": what.name, "class": group, "pictures": n, "boxes": n_true}
        yield common | {"metric": "AP50", "goal": f">= {goal:.2f}", "measured": round(ap["int8"], 3),
                        "ci95": [round(v, 3) for v in ci], "fp32": round(ap["fp32"], 3), "peer": peer,
                        "met": ap["int8"] >= goal}
        yield common | {"metric": "AP50 lost by int8", "goal": f"<= {LOSS_MAX:.2f}",
                        "measured": round(ap["fp32"] - ap["int8"], 3), "ci95": [round(v, 3) for v in lost],
                        "peer": None, "met": ap["fp32"] - ap["int8"] <= LOSS_MAX}


def main():
    data, out = sys.argv[1:]
    if not os.path.isdir(os.path.join(data, "detection")):
        print(f"accuracy: {data} is not here, nothing can be measured", file=sys.stderr)
        return 77
    print(f"{'set':32} {'class':11} {'boxes':>5}  {'metric':18} {'goal':>8} {'measured':>9}  95 % interval   peer")
    rows = []
    for r in rows_of(Forms(), data):
        rows.append(r)
        print(f"{r['set']:32} {r['class']:11} {r['boxes']:5}  {r['metric']:18} {r['goal']:>8} {r['measured']:9.3f}"
              f"  {r['ci95'][0]:.3f} .. {r['ci95'][1]:.3f}  {r['peer'] or '-'}{'' if r['met'] else '  MISSED'}",
              flush=True)
    convert.write_json(out, {"about": "Made by `make accuracy`; the sets are described in models/README.md.",
                             "model": "nanodet-g", "input": "416x416", "date": str(datetime.date.today()), "rows": rows})
    missed = sum(not r["met"] for r in rows)
    print(f"{len(rows) - missed} goals met, {missed} missed")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
