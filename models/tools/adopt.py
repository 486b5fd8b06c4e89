# SPDX-License-Identifier: Apache-2.0
"""A network compiled elsewhere becomes a folder that `looks` can name: its manifest from models/zoo, the file's hash,
and what the package says of its tensors. The runtime checks all of it again.

  adopt.py models/zoo/NAME.json FILE.xmodel --dpu NAME --tensor-in T --fix-in N --tensor-out T --fix-out N
           [--labels FILE] --out DIR
"""
import argparse
import json
import os
import shutil
import unicodedata

import convert


def plain(text):
    """"Alfa Romeo" -> "alfa_romeo"."""
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "_".join("".join(c if c.isalnum() else " " for c in ascii_).split())


def makes(path, vocabulary="host/vocabulary.json"):
    """Labels of a file with one name per line; those of the vocabulary lead to it."""
    with open(vocabulary, encoding="utf-8") as f:
        known = {v["name"] for v in json.load(f)["values"] if v.get("field") == "make_model"}
    with open(path, encoding="utf-8") as f:
        names = [line.strip() for line in f if line.strip()]
    return [{"name": n, "yes": f"make_model:{plain(n)}" if plain(n) in known else None, "at_least": 0.6, "sure": 0.85}
            for n in names]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("manifest")
    p.add_argument("xmodel")
    p.add_argument("--dpu", required=True)
    p.add_argument("--tensor-in", required=True)
    p.add_argument("--fix-in", type=int, required=True)
    p.add_argument("--tensor-out", required=True)
    p.add_argument("--fix-out", type=int, required=True)
    p.add_argument("--labels")
    p.add_argument("--out", required=True)
    args = p.parse_args()
    with open(args.manifest, encoding="utf-8") as f:
        m = json.load(f)
    os.makedirs(args.out, exist_ok=True)
    name = os.path.basename(args.xmodel)
    shutil.copyfile(args.xmodel, os.path.join(args.out, name))
    m["files"]["compiled"] = [{"dpu_name": args.dpu, "path": name, "sha256": convert.sha256(args.xmodel)}]
    m["input"] |= {"tensor": args.tensor_in, "fix_point": args.fix_in}
    m["outputs"][0] |= {"tensor": args.tensor_out, "fix_point": args.fix_out}
    if args.labels:
        m["outputs"][0]["labels"] = makes(args.labels)
    if not m["outputs"][0]["labels"]:
        raise SystemExit(f"{args.manifest} has no labels of its own: give those of the package with --labels")
    convert.write_json(os.path.join(args.out, "model.json"), m)


if __name__ == "__main__":
    main()
