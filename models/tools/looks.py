# SPDX-License-Identifier: Apache-2.0
"""How well the networks on crops name what they see, on the pictures that they were not trained on.

  looks.py DATA_DIR BUILD_DIR ROWS.jsonl    adds its figures to ROWS (models/tools/report.py says what they are)

The numbers are those of the simulated card. Needs Debian's python3-opencv for the pictures; the measured nets are
those of build/models.
"""
import importlib.util
import json
import math
import os
import sys

import numpy as np

import own

ENABLED = {"precision": 0.70, "recall": 0.40}  # what offering a value needs


def recipe(name):
    """models/NAME/train.py as a module: it knows which pictures measure."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), os.path.join("models", name, "train.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wilson(k, n):
    z = 1.96
    p, middle = k / n, (k / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def row(set_, what, filter_, metric, k, n, goal=None):
    r = {"set": set_, "what": what, "metric": metric, "n": int(n), "k": int(k), "measured": k / n, "ci95": wilson(k, n)}
    if filter_:
        r |= dict(zip(("field", "value"), filter_.split(":")))
    return r | ({"goal": goal} if goal else {})


def offered():
    with open("host/vocabulary.json", encoding="utf-8") as f:
        return {f"{field}:{v['name']}" for v in json.load(f)["values"] if v.get("offered")
                for field in v.get("fields", [v.get("field")])}


def found_rows(set_, what, filter_, found, true, on):
    """precision and recall of a yes-or-no value."""
    hits = (found & true).sum()
    for metric, n in (("precision", found.sum()), ("recall", true.sum())):
        if n:
            yield row(set_, f"{what}: {metric}", filter_, metric, hits, n, ENABLED[metric] if filter_ in on else None)


def card(build, name, pictures):
    folder, crops = os.path.join("build/models", name), own.crops_int8(pictures)
    out = own.by_card(os.path.join(build, "models/tools/run_xmodel"), folder,
                      os.path.join(build, "sim/librelecture_dpu.so"), crops)
    return own.real(own.load(os.path.join("models", name)), out)


def persons(data, build, on):
    train, learn = recipe("person-look"), sys.modules["learn"]
    pictures, targets, test = train.load(data)
    at = np.flatnonzero(test)
    logits = card(build, "person-look", [learn.as_seen(pictures[i], train.SIZE) for i in at])
    shares = 1 / (1 + np.exp(-logits))
    filters = {"backpack": "accessory:bag.backpack", "hat": "accessory:head.hat", "shorts": "lower_kind:bottom.shorts",
               "short_sleeve": "sleeve:short"}
    for k, name in enumerate(train.NAMES):
        known = ~np.isnan(targets[at, k])
        found, true = shares[known, k] >= train.THRESHOLDS[k], targets[at][known, k] > 0
        yield from found_rows("persons-carrying, held out", f"{name} from {train.THRESHOLDS[k]}", filters[name], found, true, on)


def vehicles(data, build, on):
    train, learn = recipe("vehicle-look"), sys.modules["learn"]
    test = [s for s in train.load(data) if s.measures and s.type >= 0]
    logits = card(build, "vehicle-look", [learn.as_seen(s.picture, train.SIZE) for s in test])[:, : len(train.TYPES)]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    types = np.array(train.TYPES)
    class_of = np.array([{"pickup": "truck", "truck.articulated": "truck"}.get(t, t) for t in types])
    classes = sorted(set(class_of))
    by_class = np.stack([shares[:, class_of == c].sum(1) for c in classes], 1)
    for source in ("zenodo", "openimages"):
        at = np.array([s.source == source for s in test])
        true_type = types[[s.type for s in test]][at]
        true_class = class_of[[s.type for s in test]][at]
        said = np.array(classes)[by_class[at].argmax(1)]
        set_ = {"zenodo": "zenodo, later, same camera", "openimages": "openimages, held out"}[source]
        # Not beside a filter: the class that is stored is the detector's word too.
        yield row(set_, "vehicle class by the network alone", None, "top1", (said == true_class).sum(), at.sum())
        for c in classes:
            if (true_class == c).any():
                yield from found_rows(set_, f"{c} by the network alone", None, said == c, true_class == c, on)
        for t in ("pickup", "truck.articulated"):
            k = list(types).index(t)
            if (true_type == t).any():
                yield from found_rows(set_, f"{t} from {train.THRESHOLD}", f"vehicle_type:{t}",
                                      shares[at, k] >= train.THRESHOLD, true_type == t,
                                      on if source == "zenodo" else ())  # three and four pictures set no goal


def main():
    data, build, out = sys.argv[1:]
    if not os.path.isdir(os.path.join(data, "attributes")):
        print(f"looks: skipped, {data}/attributes is absent")
        return 0
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("cv2") is None:
        print("looks: skipped, python3-torch or python3-opencv is absent")
        return 0
    with open(out, "a", encoding="utf-8") as f:
        for rows in (persons, vehicles):
            for r in rows(data, build, offered()):
                f.write(json.dumps(r) + "\n")
                if "what" in r:
                    print(f"looks: {r['what']} {r['measured']:.3f} of {r['n']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
