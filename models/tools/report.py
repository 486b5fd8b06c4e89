# SPDX-License-Identifier: Apache-2.0
"""What was measured -> one table, models/ACCURACY.json, and what became worse.

  report.py ROWS.jsonl host/vocabulary.json models/ACCURACY.json
  report.py --filters host/vocabulary.json models/ACCURACY.json      only makes `filters` anew from the rows there

Each line of ROWS is one figure, written by a program that measures:
  set, what, metric, n, measured          always
  ci95, goal, at_most, fp32, input, peer  where there are any; at_most: less is better
  field, value                            of host/vocabulary.json, when the figure belongs to a filter; value "" = all
or one confusion: field, value, called, k, n: k of n objects with that value were called something else.
Exit status 1 when a goal is missed, a committed figure got worse, or a value is offered without figures for it.
"""
import datetime
import json
import os
import sys

import convert

WORSE = 0.02  # shares may move that much without a word; other figures by a tenth
PRECISION_MIN, RECALL_MIN = 0.70, 0.40  # what offering one value needs
SEE_ALSO = 0.08  # a confusion from this share of the cases is shown
WITHOUT_WORDS = ("plate",)  # filters whose values are no list of the vocabulary
OUT_OF_REACH = {"make_model": "no_model"}  # fields that only a network of the site can fill
KEY = ("set", "input", "what", "metric", "field", "value")


def read_rows(path):
    rows, confusions = [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            if "called" in r:
                confusions.append(r)
                continue
            if r.get("goal") is not None:
                r["met"] = r["measured"] <= r["goal"] if r.get("at_most") else r["measured"] >= r["goal"]
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()})
    return rows, confusions


def key_of(r):
    return tuple(r.get(k, "") for k in KEY)


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def values_of(vocabulary):
    """(field, name, offered) in the vocabulary's order."""
    for field in vocabulary["fields"]:
        for v in vocabulary["values"]:
            if field in v.get("fields", [v.get("field")]):
                yield field, v["name"], v.get("offered", False)


def good_enough(measures):
    best = {m["metric"]: 0.0 for m in measures}
    for m in measures:
        best[m["metric"]] = max(best[m["metric"]], m["measured"])
    return best.get("precision", 0) >= PRECISION_MIN and best.get("recall", 0) >= RECALL_MIN


def filters_of(rows, confusions, vocabulary):
    """What the page shows beside each filter."""
    def measures(field, value):
        wanted = ("metric", "set", "n", "measured", "ci95", "goal", "at_most", "met")
        return [{k: r[k] for k in wanted if k in r} for r in rows if (r.get("field"), r.get("value")) == (field, value)]

    def see_also(field, value):
        mine = [c for c in confusions if (c["field"], c["value"]) == (field, value) and c["k"] >= SEE_ALSO * c["n"]]
        mine.sort(key=lambda c: -c["k"])
        return [{"value": c["called"], "share": round(c["k"] / c["n"], 3), "n": c["n"]} for c in mine[:3]]

    filters, unproven, seen = [], [], set()
    for field, value, offered in values_of(vocabulary):
        if field not in seen:
            seen.add(field)
            if measures(field, ""):
                filters.append({"field": field, "value": "", "enabled": True, "why": "",
                                "measures": measures(field, ""), "see_also": []})
        mine = measures(field, value)
        why = "" if offered else "below_goal" if mine else OUT_OF_REACH.get(field, "no_data")
        filters.append({"field": field, "value": value, "enabled": offered, "why": why, "measures": mine,
                        "see_also": see_also(field, value)})
        whole = [m for m in measures(field, "") if "goal" in m]
        if offered and not good_enough(mine) and not any(m["met"] for m in whole):
            unproven.append(f"{field}:{value}")
    for field in WITHOUT_WORDS:
        if measures(field, ""):
            filters.append({"field": field, "value": "", "enabled": True, "why": "", "measures": measures(field, ""),
                            "see_also": []})
    return filters, unproven


def worse(new, old):
    """A figure that fell behind the committed one."""
    if old is None:
        return False
    slack = WORSE if abs(old["measured"]) <= 1 else 0.1 * abs(old["measured"])
    lost = new["measured"] - old["measured"] if new.get("at_most") else old["measured"] - new["measured"]
    return ("goal" in new or new["metric"] in ("precision", "recall")) and lost > slack


def show(r, old):
    goal = "" if r.get("goal") is None else f"{'<=' if r.get('at_most') else '>='} {r['goal']:.2f}"
    between = f"{r['ci95'][0]:.3f} .. {r['ci95'][1]:.3f}" if "ci95" in r else ""
    before = "" if old is None else f"{old['measured']:.3f}"
    said = "MISSED" if r.get("met") is False else "ok" if r.get("met") else ""
    if worse(r, old):
        said += " WORSE"
    of = f"{r['field']}:{r['value']}" if r.get("value") else r.get("field", "")
    what = r["what"] + (f" @{r['input']}" if r.get("input") else "")
    print(f"{r['set'][:24]:24} {of[:24]:24} {what[:40]:40} {r['n']:6} {r['measured']:8.3f}  {between:16} {goal:8} "
          f"{before:>8}  {said}")


def main():
    *rest, vocabulary_path, out = sys.argv[1:]
    vocabulary = read_json(vocabulary_path)
    before = read_json(out) if os.path.exists(out) else {}
    if rest == ["--filters"]:
        rows, confusions, date = before["rows"], before["confusions"], before["date"]
    else:
        rows, confusions = read_rows(rest[0])
        date = str(datetime.date.today())
    committed = {key_of(r): r for r in before.get("rows", [])}
    print(f"{'set':24} {'filter':24} {'what':40} {'n':>6} {'measured':>8}  {'95 %':16} {'goal':8} {'before':>8}")
    for r in rows:
        show(r, committed.get(key_of(r)))
    filters, unproven = filters_of(rows, confusions, vocabulary)
    missed = sum(r.get("met") is False for r in rows)
    fell = sum(worse(r, committed.get(key_of(r))) for r in rows)
    absent = sorted({r["set"] for r in committed.values()} - {r["set"] for r in rows})
    convert.write_json(out, {"about": "Made by `make accuracy`; fields: models/README.md, sets too.", "date": date,
                             "filters": filters, "rows": rows, "confusions": confusions})
    on = sum(f["enabled"] and f["value"] != "" for f in filters)
    print(f"{sum(r.get('met', False) for r in rows)} goals met, {missed} missed; {fell} worse than committed; "
          f"{on} values offered, {sum(not f['enabled'] for f in filters)} not")
    if absent:
        print(f"not measured this time: {', '.join(absent)}")
    if unproven:
        print(f"offered without figures that allow it: {', '.join(unproven)}")
    return missed > 0 or fell > 0 or len(unproven) > 0


if __name__ == "__main__":
    sys.exit(main())
