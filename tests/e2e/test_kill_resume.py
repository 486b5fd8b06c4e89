#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each process in mid-import, then resume: the index is the same as after an undisturbed import."""
import os
import signal
import subprocess
import time

from relecture_e2e import Site, children, main, short_clip, wait_for

reference = None
reference_s = 0


def setup():
    global reference, reference_s
    site = Site()
    t = time.monotonic()
    (item,) = site.items(short_clip())
    reference_s = time.monotonic() - t
    assert item["state"] == "done", item
    reference = site.persons()
    assert reference, "nobody found"
    site.close()


def comparable(items):
    return [{k: v for k, v in i.items()} for i in items]


def an_undisturbed_import_repeated_gives_the_same_index():
    setup()
    site = Site()
    site.items(short_clip())
    assert comparable(site.persons()) == comparable(reference)
    site.close()


def kill_worker(name):
    """Kills the worker `name` about a third into the import; the import itself must end well."""
    site = Site()
    p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: "relecture-decod" in children(p.pid).values(), 20, "a decode worker")
    time.sleep(reference_s / 3)
    victims = [pid for pid, comm in children(p.pid).items() if comm.startswith(name)]
    assert victims, f"no {name} among {children(p.pid)}"
    os.kill(victims[0], signal.SIGKILL)
    out, err = p.communicate(timeout=300)
    assert p.returncode == 0, (p.returncode, out, err)
    got = comparable(site.persons())
    site("check-index", check=0)
    site.close()
    assert got == comparable(reference), f"{len(got)} against {len(reference)} passages"


def the_decode_worker_killed_in_mid_import_loses_and_doubles_nothing():
    kill_worker("relecture-decod")


def the_card_worker_killed_in_mid_import_loses_and_doubles_nothing():
    kill_worker("relecture-card")


def the_import_killed_at_five_moments_resumes_without_loss_or_doubles():
    site = Site()
    kills = 0
    for i in range(5):
        p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            p.wait(timeout=reference_s * (0.2 + 0.12 * i))
            break
        except subprocess.TimeoutExpired:
            os.kill(p.pid, signal.SIGKILL)
            p.wait()
            kills += 1
    assert kills >= 2, kills
    (item,) = site.items(short_clip())
    assert item["state"] in ("done", "skipped"), item
    site("check-index", check=0)
    got = comparable(site.persons())
    site.close()
    assert got == comparable(reference), f"{len(got)} against {len(reference)} passages"


def workers_of_a_killed_import_do_not_live_on():
    site = Site()
    p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    kids = wait_for(lambda: (lambda c: c if len(c) >= 2 else None)(children(p.pid)), 20, "two workers")
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

    wait_for(gone, 10, "the workers' end")
    site.close()


def an_import_told_to_stop_says_how_to_go_on():
    site = Site()
    p = site.popen(*site.import_args(short_clip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: "relecture-decod" in children(p.pid).values(), 20, "a decode worker")
    p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=30)
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
