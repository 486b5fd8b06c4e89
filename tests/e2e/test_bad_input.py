#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Files that are not what they should be: one clear line each, a non-zero exit, and nothing else is lost."""
import os
import subprocess

from relecture_e2e import RELECTURE, START, VTEST, Site, children, clip, main, run, short_clip, wait_for

site = Site()


def path(name, data=b""):
    p = os.path.join(site.top, name)
    with open(p, "wb") as f:
        f.write(data)
    return p


def refused(file, *words):
    (item,) = site.items(file, check=1)
    assert item["state"] == "failed", item
    assert len(item["error"]) > 10, item
    for w in words:
        assert w in item["error"].lower(), (w, item["error"])
    return item


def a_file_that_is_not_there_is_named():
    refused("/nowhere/at-all.mp4", "no such file")


def an_empty_file_is_refused():
    refused(path("empty.mp4"), "empty")


def a_text_file_is_refused():
    refused(path("notes.mp4", b"This is not a video.\n" * 200))


def random_bytes_are_refused():
    refused(path("noise.avi", os.urandom(200000)))


def a_url_is_refused_because_it_is_not_a_closed_file():
    refused("rtsp://192.0.2.1/live", "url", "closed file")
    refused("http://192.0.2.1/x.mp4", "url")


def a_folder_without_recordings_is_named():
    empty = os.path.join(site.top, "empty")
    os.mkdir(empty)
    for args in ([empty], [empty, "--yes"]):
        p = site("import", "--case", site.case, "--camera", "gare-01", "--start", START, *args, check=1)
        assert "no recording" in p.stderr and empty in p.stderr, p


def a_network_on_crops_that_cannot_be_used_is_named():
    for looks, *words in (("nowhere", "nowhere/model.json", "make models"), ("nanodet-g", "nanodet-g", "another task")):
        r = site("--set", f"looks={looks}", "import", "--case", site.case, "--camera", "gare-01", "--start", START, VTEST,
                 check=1)
        for w in [*words, '"looks"']:
            assert w in r.stderr, (w, r.stderr)


def sound_without_pictures_is_refused():
    refused(clip("sound.m4a", "-f", "lavfi", "-i", "sine=d=1"), "video")


def a_playlist_that_points_elsewhere_opens_nothing():
    other = short_clip()
    refused(path("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n".encode()))


def a_truncated_file_keeps_what_is_readable_or_says_why_not():
    data = open(VTEST, "rb").read()
    items = site.items(path("cut.avi", data[:2000000]), check=None)
    assert items[0]["state"] in ("done", "failed")
    assert items[0]["state"] == "done" and items[0]["sightings"] > 0, items


def a_header_without_pictures_is_refused():
    data = open(short_clip(), "rb").read()
    refused(path("head.mp4", data[:3000]))


def an_impossible_date_is_refused_with_the_right_form():
    p = site("import", "--case", site.case, "--camera", "gare-01", "--start", "2026-02-30T14:00:00Z", VTEST)
    assert p.returncode == 2 and "2026-11-20T14:00:00Z" in p.stderr, p.stderr


def a_bad_file_in_a_batch_stops_no_other():
    good = clip("four.mp4", "-i", VTEST, "-t", "4", "-c:v", "libx264", "-an")
    items = site.items(path("bad.mp4", b"x" * 5000), good, "/nowhere.mp4", check=3)
    states = {os.path.basename(i["file"]): i["state"] for i in items}
    assert states == {"bad.mp4": "failed", "four.mp4": "done", "nowhere.mp4": "failed"}, states


def the_same_content_twice_in_a_batch_is_imported_once():
    two = Site()
    good = clip("four.mp4", "-i", VTEST, "-t", "4", "-c:v", "libx264", "-an")
    copy = os.path.join(two.top, "copy.mp4")
    with open(good, "rb") as f, open(copy, "wb") as g:
        g.write(f.read())
    items = two.items(good, copy)
    two.close()
    assert sorted(i["state"] for i in items) == ["done", "skipped"], items


def a_file_that_grows_while_it_is_read_fails_and_says_so():
    two = Site()
    growing = os.path.join(two.top, "growing.avi")
    with open(VTEST, "rb") as f, open(growing, "wb") as g:
        g.write(f.read())
    p = two.popen(*two.import_args(growing), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: "relecture-decod" in children(p.pid).values(), 120, "a decode worker")
    with open(growing, "ab") as g:
        g.write(b"\0" * 4096)
    out, err = p.communicate(timeout=300)
    two.close()
    assert p.returncode == 1 and "changed while it was read" in out, (p.returncode, out, err)


def a_full_disk_fails_the_file_and_keeps_the_index_whole():
    two = Site()
    mount = os.path.join(two.top, "small")
    os.mkdir(mount)
    if run("mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", mount).returncode != 0:
        two.close()
        return "a small file system cannot be mounted here"
    try:
        small = os.path.join(mount, "data")
        run("cp", "-r", two.dir, small, check=0)
        two.dir = small
        # Enough to begin, too little to end: the filler takes the rest while the import runs.
        p = two.popen(*two.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: "relecture-decod" in children(p.pid).values(), 120, "a decode worker")
        filler = os.path.join(mount, "filler")
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
            except OSError:
                pass
        out, err = p.communicate(timeout=300)
        assert p.returncode == 1 and ("disk is full" in out), (p.returncode, out, err)
        os.unlink(filler)
        two("check-index", check=0)
        (item,) = two.items(short_clip())
        assert item["state"] == "done", item
        two("check-index", check=0)
    finally:
        run("umount", "-l", mount)
        two.close()


def a_damaged_database_is_named_and_nothing_is_written_over_it():
    two = Site()
    for name in ("register.db", "index.db"):
        file = os.path.join(two.dir, name)
        with open(file, "rb") as f:
            whole = f.read()
        for other in ("-wal", "-shm"):
            if os.path.exists(file + other):
                os.unlink(file + other)
        junk = b"not a database " * 400
        with open(file, "wb") as f:
            f.write(junk)
        p = two(*two.import_args(short_clip()))
        assert p.returncode == 1 and two.dir in p.stderr and name.split(".")[0] in p.stderr, (name, p)
        with open(file, "rb") as f:
            assert f.read() == junk, name
        with open(file, "wb") as f:
            f.write(whole)
    two.close()


def an_unknown_time_zone_is_named():
    for command in (["search", "--case", site.case, "personne"], ["serve", "--listen", "127.0.0.1:0"]):
        p = run(RELECTURE, "-d", site.dir, "--set", "site.tz=Mars/Olympus", *command, timeout=60)
        assert p.returncode == 2 and "site.tz = Mars/Olympus" in p.stderr, p


def a_settings_file_that_is_a_folder_is_named():
    two = Site()
    conf = os.path.join(two.dir, "relecture.conf")
    os.unlink(conf)
    os.mkdir(conf)
    p = two("case", "list")
    two.close()
    assert p.returncode == 2 and conf in p.stderr, p


def a_card_that_is_not_there_is_an_error_never_the_simulator():
    p = run(RELECTURE, "-d", site.dir, "--set", "card.xilinx_xrt=/nowhere", "import", "--case", site.case, "--camera",
            "gare-01", "--start", START, short_clip())
    assert p.returncode == 5, (p.returncode, p.stdout, p.stderr)
    assert "no card can work" in p.stdout + p.stderr, p.stderr
    p = run(RELECTURE, "-d", site.dir, "--set", "card.backend=card", "import", "--case", site.case, "--camera",
            "gare-01", "--start", START, short_clip())
    assert p.returncode == 5, (p.returncode, p.stdout, p.stderr)


if __name__ == "__main__":
    try:
        main([
            a_file_that_is_not_there_is_named,
            an_empty_file_is_refused,
            a_text_file_is_refused,
            random_bytes_are_refused,
            a_url_is_refused_because_it_is_not_a_closed_file,
            a_folder_without_recordings_is_named,
            a_network_on_crops_that_cannot_be_used_is_named,
            sound_without_pictures_is_refused,
            a_playlist_that_points_elsewhere_opens_nothing,
            a_truncated_file_keeps_what_is_readable_or_says_why_not,
            a_header_without_pictures_is_refused,
            an_impossible_date_is_refused_with_the_right_form,
            a_bad_file_in_a_batch_stops_no_other,
            the_same_content_twice_in_a_batch_is_imported_once,
            a_file_that_grows_while_it_is_read_fails_and_says_so,
            a_full_disk_fails_the_file_and_keeps_the_index_whole,
            a_damaged_database_is_named_and_nothing_is_written_over_it,
        an_unknown_time_zone_is_named,
        a_settings_file_that_is_a_folder_is_named,
        a_card_that_is_not_there_is_an_error_never_the_simulator,
        ])
    finally:
        site.close()
