#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The gate: still stretches are looked at by key frames only, what comes in is seen from its beginning, and neither a
kill nor --ungated changes what is found."""
import json
import signal
import sqlite3
import subprocess

from relecture_e2e import START_MS, VTEST, Site, clip, main, wait_for

BACK_S = 60  # when people come back
LIMIT_S = 180


def street():
    """A picture of the pedestrian clip standing still for 60 s, with sensor noise, and the 12 s that follow it."""
    graph = "[0:v]trim=15:27,setpts=PTS-STARTPTS,tpad=start_mode=clone:start_duration=60,noise=alls=6:allf=t"
    return clip("still-street.mp4", "-i", VTEST, "-filter_complex", graph, "-c:v", "libx264", "-preset", "veryfast", "-g", "20",
                "-bf", "2", "-crf", "24", "-an")


def spans(site):
    db = sqlite3.connect(f"file:{site.dir}/index.db?mode=ro", uri=True)
    rows = db.execute("SELECT from_ms, to_ms, state, reason FROM coverage ORDER BY from_ms").fetchall()
    db.close()
    return [(a - START_MS, b - START_MS, state, reason) for a, b, state, reason in rows]


def closed_ms(site):
    return sum(b - a for a, b, _, reason in spans(site) if reason)


def late(site):
    """Who came in behind the still stretch."""
    return [i for i in site.persons() if i["from_ms"] - START_MS >= (BACK_S - 1) * 1000]


def seen(site):
    keys = ("kind", "from_ms", "to_ms", "best_ms", "box", "attrs")
    return sorted(json.dumps({k: i[k] for k in keys}, sort_keys=True) for i in site.persons())


def stillness_is_passed_over_and_what_comes_behind_it_is_found_as_without_the_gate():
    whole, gated = Site(), Site()
    whole("import", "--case", whole.case, "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", "--ungated", street(),
          check=0)
    gated.items(street())
    assert closed_ms(whole) == 0, spans(whole)
    # Of 60 s, the sample takes 40 s and the end a group or two.
    assert 12000 <= closed_ms(gated) <= 20000, spans(gated)
    covered = spans(gated)
    assert all(state == 0 for _, _, state, _ in covered), covered
    assert all(a[1] == b[0] for a, b in zip(covered, covered[1:])), covered  # no hole, no overlap
    assert (covered[0][0], covered[-1][1]) == (spans(whole)[0][0], spans(whole)[-1][1])
    a, b = late(whole), late(gated)
    assert len(a) >= 3, a
    again = [i for i in a if any(abs(k["from_ms"] - i["from_ms"]) <= 400 and k["kind"] == i["kind"] for k in b)]
    assert len(again) >= len(a) - 1, (len(again), len(a), len(b))  # the tracker knows a little more or less before
    whole.close()
    gated.close()


def a_gated_import_killed_anywhere_finds_what_an_undisturbed_one_finds():
    undisturbed = Site()
    undisturbed.items(street())
    wanted = seen(undisturbed)
    cover = spans(undisturbed)
    undisturbed.close()
    site = Site()
    for done_us in (5000000, 50000000, 63000000):
        p = site.popen(*site.import_args(street()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def reached():
            try:
                db = sqlite3.connect(f"file:{site.dir}/index.db?mode=ro", uri=True, timeout=30)
                row = db.execute("SELECT max(position_us) FROM recording").fetchone()
                db.close()
                return p.poll() is not None or (row[0] or -1) > done_us
            except sqlite3.OperationalError:
                return False

        wait_for(reached, LIMIT_S, "a commit")
        p.send_signal(signal.SIGKILL)
        p.wait()
    site(*site.import_args(street()), check=0)
    got = seen(site)
    assert got == wanted, f"{len(got)} against {len(wanted)} passages"
    joined = []
    for s in spans(site):
        if joined and joined[-1][1:] == (s[0], s[2], s[3]):
            joined[-1] = (joined[-1][0], s[1], s[2], s[3])
        else:
            joined.append(s)
    assert sum(b - a for a, b, _, r in joined if r) == sum(b - a for a, b, _, r in cover if r), (joined, cover)
    site.close()


def the_switch_of_the_site_opens_it_for_all():
    site = Site()
    site("--set", "import.gate=off", *site.import_args(street()), check=0)
    assert closed_ms(site) == 0, spans(site)
    site.close()


if __name__ == "__main__":
    main([
        stillness_is_passed_over_and_what_comes_behind_it_is_found_as_without_the_gate,
        a_gated_import_killed_anywhere_finds_what_an_undisturbed_one_finds,
        the_switch_of_the_site_opens_it_for_all,
    ])
