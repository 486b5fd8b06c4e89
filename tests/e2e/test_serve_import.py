#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Imports by a running server: awkward batches, kill -9 of the server, a recording that is gone at playback."""
import json
import os
import shutil
import signal
import subprocess

from relecture_e2e import RELECTURE, START, START_MS, Site, children, clip, main, short_clip, wait_for

reference = None


def tiny():
    return clip("tiny.mp4", "-f", "lavfi", "-i", "testsrc=s=64x48:r=5:d=1", "-c:v", "libx264", "-an")


def a_batch_with_odd_names_is_told_file_by_file():
    site = Site()
    server = site.serve()
    odd = os.path.join(site.top.encode(), b"not-utf8-\xff.mp4")
    lines = os.path.join(site.top, "two\nlines \"and\" 'quotes' é.mp4")
    shutil.copy(tiny(), odd)
    shutil.copy(tiny(), lines)
    out = subprocess.run([os.fsencode(a) for a in [RELECTURE, "-d", site.dir, *site.import_args()]] + [odd, lines],
                         capture_output=True, text=True, timeout=120)
    server.stop()
    items = [json.loads(line) for line in out.stdout.splitlines()]
    assert out.returncode == 3, (out.returncode, out.stdout, out.stderr)
    states = {os.path.basename(i["file"]): i["state"] for i in items}
    assert states == {"not-utf8-?.mp4": "failed", os.path.basename(lines): "done"}, states
    assert "not UTF-8" in [i for i in items if i["state"] == "failed"][0]["error"]
    site.close()




def a_batch_whose_names_fill_megabytes_is_taken_whole():
    site = Site()
    server = site.serve()
    names = [f"/nowhere/{'x' * 200}/{i}.mp4" for i in range(8000)]
    out = site(*site.import_args(*names), timeout=120)
    server.stop()
    assert out.returncode == 1, (out.returncode, out.stderr)
    assert len(out.stdout.splitlines()) == len(names), (len(out.stdout.splitlines()), out.stderr)
    site.close()


def a_server_killed_in_mid_import_goes_on_by_itself_exactly_once():
    global reference
    undisturbed = Site()
    undisturbed.items(short_clip())
    reference = undisturbed.persons()
    undisturbed.close()
    assert reference
    site = Site()
    server = site.serve()
    operator = server.login()
    client = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def begun():
        status, body = operator.get("/imports")
        return status == 200 and any(i["state"] == "running" and i["done_ms"] > 3000 for i in body["items"])

    wait_for(begun, 120, "three seconds analysed")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    out, err = client.communicate(timeout=60)
    assert client.returncode == 1 and "started again" in err, (client.returncode, out, err)
    server = site.serve()
    operator = server.login()

    def over():
        status, body = operator.get("/imports")
        return status == 200 and [i["state"] for i in body["items"]] == ["done"]

    wait_for(over, 180, "the end of the import, by itself")
    server.stop()
    site("check-index", check=0)
    got = site.persons()
    site.close()
    assert got == reference, f"{len(got)} against {len(reference)} passages"


def a_recording_that_is_gone_or_another_one_is_not_played_and_the_answer_says_why():
    site = Site()
    file = os.path.join(site.top, "cam.mp4")
    shutil.copy(short_clip(), file)
    site.items(file)
    passage = site.persons()[0]["id"]
    server = site.serve()
    operator = server.login()
    os.rename(file, file + ".away")
    status, body = operator.get(f"/sightings/{passage}/clip")
    assert status == 502 and "no longer where it was imported from" in body["message"], (status, body)
    shutil.copy(tiny(), file)
    status, body = operator.get(f"/sightings/{passage}/clip")
    assert status == 502 and "no longer the file that was imported" in body["message"], (status, body)
    os.rename(file + ".away", file)
    status, body = operator.get(f"/sightings/{passage}/clip")
    assert status == 200 and body["from_ms"] >= START_MS, (status, body)
    cache = os.path.join(site.dir, "cache")
    assert os.listdir(cache)
    server.stop()
    # What was derived from an erased recording goes with it.
    site("purge", "--case", site.case, check=0)
    left = os.listdir(cache)
    site.close()
    assert left == [], left


def passages_before_the_case_begins_are_never_found():
    site = Site()
    site.items(short_clip(), start="2026-11-20T12:59:50Z")
    got = site.persons()
    server = site.serve()
    operator = server.login()
    first = 1795179600000
    for i in got:
        assert i["to_ms"] >= first, i
        status, body = operator.get(f"/sightings/{i['id']}/clip")
        assert status == 200 and body["all_from_ms"] >= first, (status, body)
    server.stop()
    site.close()
    outside = Site(hours=("15", "16"))
    outside.items(short_clip(), start=START)
    total = outside.search("personne")["total"]
    outside.close()
    assert got and total == 0, (len(got), total)


if __name__ == "__main__":
    main([
        a_batch_with_odd_names_is_told_file_by_file,
        a_batch_whose_names_fill_megabytes_is_taken_whole,
        a_server_killed_in_mid_import_goes_on_by_itself_exactly_once,
        a_recording_that_is_gone_or_another_one_is_not_played_and_the_answer_says_why,
        passages_before_the_case_begins_are_never_found,
    ])
