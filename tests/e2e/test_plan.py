#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""relecture plan: its parts add up, a clip is really measured, and what cannot be planned is said."""
import json

from relecture_e2e import RELECTURE, clip, main, run


def plan(*args, check=0):
    return run(RELECTURE, "plan", *args, check=check)


def asked(*args):
    return json.loads(plan(*args, "--json").stdout)


def its_parts_follow_the_formula():
    p = asked("--hours", "400", "--card", "u55c", "--cores", "32")
    assert p["hours"] == max(p["cores_h"], p["card_h"], p["storage_h"]), p
    assert abs(p["card_h"] - 400 * p["analysed_per_s"] / p["card_frames_per_s"]) < 1e-6, p
    assert p["card"]["busy"]["dpu"] >= 0.95, p["card"]  # the lanes keep the engines fed
    assert "NOT measured" in p["assumed"], p
    q = asked("--hours", "800", "--card", "u55c", "--cores", "64")
    assert abs(q["cores_h"] - p["cores_h"]) < 1e-6 and abs(q["card_h"] - 2 * p["card_h"]) < 1e-6, (p, q)
    assert q["bottleneck"] == "card", q
    whole = asked("--hours", "400", "--card", "u55c", "--cores", "32", "--open-pct", "100")
    assert whole["analysed_per_s"] == 5 and whole["hours"] > 2 * p["hours"], whole
    two = asked("--hours", "400", "--card", "u55c", "--cores", "32", "--cards", "2")
    assert abs(2 * two["card_h"] - p["card_h"]) < 1e-6, two


def a_clip_is_measured():
    small = clip("plan-small.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=8", "-c:v", "libx264", "-g", "50", "-an")
    p = asked("--hours", "400", "--card", "u55c", "--cores", "32", "--clip", small)
    assert "measured on the clip" in p["assumed"], p
    assert p["decode_h_per_core_h"] > 6.9, p  # of so small a picture certainly more


def what_cannot_be_planned_is_said():
    assert "no description" in plan("--hours", "1", "--card", "abacus", "--cores", "1", check=1).stderr
    assert plan("--hours", "1", "--card", "u55c", check=2).returncode == 2
    assert "from 0.001" in plan("--hours", "-3", "--card", "u55c", "--cores", "1", check=2).stderr
    assert "/nowhere" in plan("--hours", "1", "--card", "u55c", "--cores", "1", "--clip", "/nowhere", check=1).stderr


if __name__ == "__main__":
    main([its_parts_follow_the_formula, a_clip_is_measured, what_cannot_be_planned_is_said])
