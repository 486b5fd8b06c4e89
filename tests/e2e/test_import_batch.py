#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whole folders: what names, sidecars and containers say, gaps, overlaps, twins, and what is brought in of it."""
import json
import os
import shutil

from relecture_e2e import Server, Site, clip, main, wait_for

CAMERAS = ("gare-01", "quai-02")
H14 = 1795179600000  # 2026-11-20 14:00 in Paris


def tiny():
    return clip("tiny-4s.mp4", "-f", "lavfi", "-i", "testsrc=s=64x48:r=5:d=4", "-c:v", "libx264", "-g", "5", "-an")


def folder(site, **files):
    """A folder with copies of the tiny clip (made unlike each other by a byte behind their end), or with texts."""
    top = os.path.join(site.top, "export")
    for n, (name, content) in enumerate(files.items()):
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if content is None:
            shutil.copy(tiny(), path)
            with open(path, "ab") as f:
                f.write(b"\0\0\0\10free" * (n + 1))
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(content)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return top


def plan(site, *args, check=0):
    out = site("import", "--case", site.case, "--plan", "--json", *args, check=check).stdout
    return json.loads(out)


def by_name(p):
    return {os.path.basename(f["path"]): f for f in p["files"]}


def names_folders_and_sidecars_say_camera_and_time():
    site = Site(CAMERAS)
    top = folder(site, **{
        "gare-01_20261120140000.mp4": None,
        "QUAI_02/2026-11-20/001/14.00.00-15.00.00[M][0@0][0].dav": None,
        "a/export.ts": None,
        "a/export.json": '{"camera": "quai-02", "start": "2026-11-20T14:10:00Z"}',
        "b/one.bin": None,
        "b/two.bin": None,
        "b/index.csv": "Filename;Camera;Start_Time\nC:\\rec\\one.bin;gare-01;2026-11-20 14:20:00\nother.bin;quai-02;x\n",
        "b/notes.txt": "not a recording",
    })
    p = plan(site, top, check=3)
    f = by_name(p)
    assert set(f) == {"gare-01_20261120140000.mp4", "14.00.00-15.00.00[M][0@0][0].dav", "export.ts", "one.bin", "two.bin"}, f
    said = {n: (i["camera_id"], i["camera_from"], i["start_ms"] - H14, i["start_from"]) for n, i in f.items()}
    assert said["gare-01_20261120140000.mp4"] == ("gare-01", "name", 0, "name"), said
    assert said["14.00.00-15.00.00[M][0@0][0].dav"] == ("quai-02", "folder", 0, "folder"), said
    assert said["export.ts"] == ("quai-02", "sidecar", 4200000, "sidecar"), said
    assert said["one.bin"] == ("gare-01", "sidecar", 1200000, "sidecar"), said
    assert f["two.bin"]["camera_id"] == "" and f["two.bin"]["start_ms"] == -1, f["two.bin"]
    # Whatever they are called, they were opened: a Matroska or MP4 with another ending is one all the same.
    assert all(i["duration_ms"] == 4000 and "mp4" in i["container"] for i in f.values()), f
    assert p["need_bytes"] > 0 and p["free_bytes"] > 0
    assert not site.search("personne")["total"]
    site.close()


def split_files_follow_each_other_and_gaps_overlaps_and_twins_are_shown():
    site = Site(CAMERAS)
    top = folder(site, **{f"gare-01/clip_{n:03}.mp4": None for n in range(3)}, **{
        "quai-02/20261120_140000.mp4": None,
        "quai-02/20261120_140001.mp4": None,
        "quai-02/20261120_141000.mp4": None,
    })
    shutil.copy(os.path.join(top, "quai-02/20261120_140000.mp4"), os.path.join(top, "quai-02/copy_20261120_150000.mp4"))
    p = plan(site, "--start", "2026-11-20T13:00:00Z", os.path.join(top, "gare-01"))
    starts = [(f["start_ms"] - H14, f["start_from"]) for f in p["files"]]
    assert starts == [(0, "asked"), (4000, "previous"), (8000, "previous")], starts
    assert not p["gaps"] and not p["overlaps"]
    p = plan(site, os.path.join(top, "quai-02"), check=3)
    assert [(o["from_ms"] - H14, o["to_ms"] - H14) for o in p["overlaps"]] == [(1000, 4000)], p["overlaps"]
    assert [(g["from_ms"] - H14, g["to_ms"] - H14) for g in p["gaps"]][0] == (5000, 600000), p["gaps"]
    (twins,) = p["twins"]
    assert sorted(os.path.basename(t) for t in twins["files"]) == ["20261120_140000.mp4", "copy_20261120_150000.mp4"]
    site.close()


def the_hour_that_autumn_repeats_is_doubted_and_a_file_just_written_too():
    site = Site(CAMERAS)
    top = folder(site, **{"gare-01_20261025_023000.mp4": None, "gare-01_20261025T003000Z.mp4": None})
    f = by_name(plan(site, top))
    assert f["gare-01_20261025_023000.mp4"]["doubt"] == "dst", f
    assert f["gare-01_20261025T003000Z.mp4"]["doubt"] == "", f
    assert f["gare-01_20261025_023000.mp4"]["start_ms"] == f["gare-01_20261025T003000Z.mp4"]["start_ms"], f
    os.utime(os.path.join(top, "gare-01_20261025T003000Z.mp4"))
    assert by_name(plan(site, top))["gare-01_20261025T003000Z.mp4"]["doubt"] == "growing"
    site.close()


def a_burned_in_clock_read_once_moves_what_comes_after():
    site = Site(CAMERAS)
    top = folder(site, **{"gare-01_20261120140000.mp4": None})
    site("camera", "clock", "--id", "gare-01", "--shows", "2026-11-20T14:05:00Z", "--really", "2026-11-20T14:02:30Z", check=0)
    (f,) = plan(site, top)["files"]
    assert (f["start_ms"] - H14, f["clock_offset_ms"]) == (-150000, -150000), f
    assert "nobody" in site("camera", "clock", "--id", "nobody", "--shows", "2026-11-20T14:05:00Z", "--really",
                            "2026-11-20T14:05:00Z", check=1).stderr
    assert site("camera", "clock", "--id", "gare-01", "--shows", "14:05", "--really", "2026-11-20T14:05:00Z").returncode == 2
    site.close()


def what_cannot_be_imported_is_named_and_the_rest_comes_in_exactly_once():
    site = Site(CAMERAS, hours=("12", "16"))
    top = folder(site, **{
        "gare-01_20261120140000.mp4": None,
        "gare-01_20261120140100.mp4": None,
        "gare-01_20261120140200.mp4": "this is a text, whatever its name says",
        "gare-01_20261120140300.mp4": "",
    })
    out = site("import", "--case", site.case, "--yes", top, check=3)
    assert "2 of 4 files can be imported" in out.stdout, out.stdout
    assert "is empty" in out.stdout and "not a video format" in out.stdout + out.stderr or "text" in out.stdout, out.stdout
    again = site("import", "--case", site.case, "--yes", "--json", top, check=3).stdout
    states = [json.loads(line)["state"] for line in again.splitlines()]
    assert states == ["skipped", "skipped"], states
    site.close()


def thirty_tiny_files_are_one_batch():
    site = Site(CAMERAS, hours=("12", "16"))
    files = [f"2026-11-20/gare-01/14-{m:02}-{s:02}.mp4" for m in range(5) for s in range(0, 60, 10)]
    top = folder(site, **{f: None for f in files})
    out = site("import", "--case", site.case, "--yes", "--json", top, check=0, timeout=600).stdout
    states = [json.loads(line)["state"] for line in out.splitlines()]
    assert states == ["done"] * len(files), states
    site("check-index", check=0)
    site.close()


def the_page_looks_into_the_inbox_brings_in_and_steers_and_nothing_outside_is_reached():
    site = Site(CAMERAS, hours=("12", "16"))
    top = folder(site, **{"gare-01_20261120140000.mp4": None, "sub/gare-01_20261120140100.mp4": None, "x/late.mp4": None})
    os.symlink("/etc/passwd", os.path.join(top, "link"))
    with open(os.path.join(site.top, "secret.mp4"), "w") as f:
        f.write("outside")
    server = Server(site, [f"import.inbox={top}"])
    c = server.login()
    status, body = c.get("/imports/inbox")
    assert status == 200 and body["root"] == "export" and body["folders"] == ["sub", "x"], (status, body)
    assert [f["name"] for f in body["files"]] == ["gare-01_20261120140000.mp4"], body
    assert c.get("/imports/inbox?path=sub")[1]["files"][0]["name"] == "gare-01_20261120140100.mp4"
    for bad in ("..", "../secret.mp4", "/etc", "link", "sub/../../secret.mp4", "nowhere"):
        assert c.get(f"/imports/inbox?path={bad}")[0] == 404, bad
        assert c.post("/imports/plan", {"paths": [bad]})[0] == 404, bad
        files = [{"path": bad, "camera_id": "gare-01", "start_ms": H14}]
        assert c.post("/imports", {"files": files})[0] in (404, 422), bad
    status, plan = c.post("/imports/plan", {"paths": ["."]})
    assert status == 200 and plan["n_files"] == 3, (status, plan)
    known = [f for f in plan["files"] if f["camera_id"] and f["start_ms"] >= 0]
    assert sorted(f["path"] for f in known) == ["gare-01_20261120140000.mp4", "sub/gare-01_20261120140100.mp4"], plan
    assert c.post("/imports", {"files": [{"path": known[0]["path"], "camera_id": "nowhere", "start_ms": 1}]})[0] == 403
    assert c.post("/imports", {"files": []})[0] == 422
    status, added = c.post("/imports", {"files": [{k: f[k] for k in ("path", "camera_id", "start_ms")} for f in known],
                                        "priority": 3})
    assert status == 202 and len(added["jobs"]) == 2, (status, added)
    wait_for(lambda: c.get("/imports")[1]["total"]["over"] == 2, 120, "both in")
    body = c.get("/imports")[1]
    assert [(i["state"], i["priority"], i["batch_id"]) for i in body["items"]] == [("done", 3, added["batch_id"])] * 2, body
    assert c.post(f"/imports/{added['jobs'][0]}", {"action": "pause"})[0] == 404  # it is over
    assert c.post("/imports/all", {"action": "pause"}) == (200, {"n": 0})
    assert c.post("/imports/all", {"action": "burn"})[0] == 422
    assert c.post("/imports/all", {"action": "priority"})[0] == 422
    server.stop()
    closed = Server(site)
    c = closed.login()
    assert c.get("/imports/inbox")[0] == 403
    closed.stop()
    site.close()


if __name__ == "__main__":
    main([
        names_folders_and_sidecars_say_camera_and_time,
        split_files_follow_each_other_and_gaps_overlaps_and_twins_are_shown,
        the_hour_that_autumn_repeats_is_doubted_and_a_file_just_written_too,
        a_burned_in_clock_read_once_moves_what_comes_after,
        what_cannot_be_imported_is_named_and_the_rest_comes_in_exactly_once,
        thirty_tiny_files_are_one_batch,
        the_page_looks_into_the_inbox_brings_in_and_steers_and_nothing_outside_is_reached,
    ])
