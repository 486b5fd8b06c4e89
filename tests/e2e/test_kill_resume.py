#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each process in mid-import, then resume: the index is the same as after an undisturbed import."""
import os
import signal
import sqlite3
import subprocess

from relecture_e2e import Site, children, main, read_proc, short_clip, wait_for

LIMIT_S = 120  # for what takes a second or two where nothing else runs
reference = None


def setup():
    global reference
    site = Site()
    (item,) = site.items(short_clip())
    assert item["state"] == "done", item
    reference = site.persons()
    assert reference, "nobody found"
    site.close()


def position_us(site):
    """How far the only recording is committed."""
    try:
        db = sqlite3.connect(f"file:{site.dir}/index.db?mode=ro", uri=True, timeout=30)
        try:
            row = db.execute("SELECT position_us FROM recording WHERE state = 1").fetchone()
        finally:
            db.close()
        return row[0] if row else -1
    except sqlite3.OperationalError:
        return -1


def frames_worker(pid):
    """The decode worker that delivers frames (not the one that only probes)."""
    for kid, comm in children(pid).items():
        if comm.startswith("relecture-decod") and read_proc(f"/proc/{kid}/cmdline").split("\0")[1:2] == ["frames"]:
            return kid
    return None


def start_import(site, committed_after_us=None):
    """An import whose frames are being decoded; with a position, one that has committed something past it. When it
    was over before that (a fast machine) it is waited for, and its exit status is known."""
    p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: frames_worker(p.pid) or p.poll() is not None, LIMIT_S, "a decode worker at work")
    if committed_after_us is not None:
        wait_for(lambda: position_us(site) > committed_after_us or p.poll() is not None, LIMIT_S, "a commit")
    return p


def comparable(items):
    return [{k: v for k, v in i.items()} for i in items]


def an_undisturbed_import_repeated_gives_the_same_index():
    setup()
    site = Site()
    site.items(short_clip())
    assert comparable(site.persons()) == comparable(reference)
    site.close()


def kill_worker(name, committed_after_us):
    """Kills the worker `name` in mid-import; the import itself must end well. True when there was one to kill."""
    site = Site()
    p = start_import(site, committed_after_us)
    victims = [pid for pid, comm in children(p.pid).items() if comm.startswith(name)] if p.poll() is None else []
    for v in victims:
        try:
            os.kill(v, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended by itself meanwhile
    out, err = p.communicate(timeout=300)
    assert p.returncode == 0, (p.returncode, out, err)
    got = comparable(site.persons())
    site("check-index", check=0)
    site.close()
    assert got == comparable(reference), f"{len(got)} against {len(reference)} passages"
    return bool(victims)


def kill_worker_twice(name):
    """At its beginning, and after a commit, which a fast machine may not need."""
    at_the_start = kill_worker(name, None)
    later = kill_worker(name, 0)
    assert at_the_start or later, f"no {name} was ever there to kill"


def the_decode_worker_killed_in_mid_import_loses_and_doubles_nothing():
    kill_worker_twice("relecture-decod")


def the_card_worker_killed_in_mid_import_loses_and_doubles_nothing():
    kill_worker_twice("relecture-card")


def the_import_killed_at_five_moments_resumes_without_loss_or_doubles():
    site = Site()
    kills = 0
    for after_commit in (False, True, False, True, True):
        p = start_import(site, position_us(site) if after_commit else None)
        over = p.poll() is not None
        if not over:
            p.kill()
            kills += 1
        p.communicate()
        if over:
            break
    assert kills >= 1, kills
    (item,) = site.items(short_clip())
    assert item["state"] in ("done", "skipped"), item
    site("check-index", check=0)
    got = comparable(site.persons())
    site.close()
    assert got == comparable(reference), f"{len(got)} against {len(reference)} passages"


def workers_of_a_killed_import_do_not_live_on():
    site = Site()
    p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    kids = wait_for(lambda: (lambda c: c if len(c) >= 2 else None)(children(p.pid)), LIMIT_S, "two workers")
    os.kill(p.pid, signal.SIGKILL)
    p.wait()

    def gone():
        for k in kids:
            try:
                with open(f"/proc/{k}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] != "Z":
                        return False
            except FileNotFoundError:
                pass
        return True

    wait_for(gone, LIMIT_S, "the workers' end")
    site.close()


def an_import_told_to_stop_says_how_to_go_on():
    site = Site()
    p = start_import(site)
    p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=LIMIT_S)
    assert p.returncode == 1 and "the same command goes on from there" in err, (p.returncode, err)
    (item,) = site.items(short_clip())
    assert item["state"] == "done", item
    got = comparable(site.persons())
    site.close()
    assert got == comparable(reference)


if __name__ == "__main__":
    main([
        an_undisturbed_import_repeated_gives_the_same_index,
        the_decode_worker_killed_in_mid_import_loses_and_doubles_nothing,
        the_card_worker_killed_in_mid_import_loses_and_doubles_nothing,
        the_import_killed_at_five_moments_resumes_without_loss_or_doubles,
        workers_of_a_killed_import_do_not_live_on,
        an_import_told_to_stop_says_how_to_go_on,
    ])
