#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Several recordings at once by a running server: kill -9 in the middle, pauses, priorities, cancelling."""
import json
import signal
import subprocess

from relecture_e2e import START, Site, main, short_clip, wait_for

LIMIT_S = 180
CAMERAS = ("gare-01", "quai-02")


def serve(site):
    return site.serve().process


def queue(site, *args):
    out = site("queue", *args, "--json", check=0).stdout
    return [json.loads(line) for line in out.splitlines()]


def send(site, camera, *more):
    """An import handed to the server; the command that waits for it."""
    return site.popen("import", "--case", site.case, "--camera", camera, "--start", START, *more, short_clip(),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def states(site):
    return {i["camera_number"]: i["state"] for i in queue(site, "list")}


def two_recordings_at_once_and_a_kill_give_what_two_undisturbed_imports_give():
    undisturbed = Site(CAMERAS)
    for camera in CAMERAS:
        undisturbed.items(short_clip(), camera=camera)
    wanted = comparable(undisturbed)
    undisturbed.close()
    assert len(wanted) >= 6, wanted
    site = Site(CAMERAS)
    p = serve(site)
    clients = [send(site, c) for c in CAMERAS]
    # Somewhere in the middle of both; on a fast machine one may be over.
    wait_for(lambda: sum(i["position_us"] > 3000000 for i in queue(site, "list")) == 2, LIMIT_S, "both at work")
    p.send_signal(signal.SIGKILL)
    p.wait()
    for c in clients:
        c.wait(60)
    p = serve(site)
    wait_for(lambda: all(s in ("done", "skipped") for s in states(site).values()), LIMIT_S, "the end of both, by itself")
    p.terminate()
    assert p.wait(60) == 0
    site("check-index", check=0)
    got = comparable(site)
    site.close()
    assert got == wanted, f"{len(got)} against {len(wanted)} passages"


def comparable(site):
    """What was seen: without ids, which depend on the order in which two recordings commit."""
    seen = ("kind", "camera_id", "from_ms", "to_ms", "best_ms", "box", "attrs")
    return sorted(json.dumps({k: i[k] for k in seen}, sort_keys=True) for i in site.persons())


def paused_recordings_stay_paused_over_a_restart_and_cancelled_ones_are_gone():
    site = Site(CAMERAS)
    p = serve(site)
    first = send(site, CAMERAS[0], "--priority", "2")
    wait_for(lambda: states(site).get(1) is not None, LIMIT_S, "the first in the queue")
    queue(site, "pause")
    second = send(site, CAMERAS[1])
    wait_for(lambda: states(site).get(2) is not None, LIMIT_S, "the second in the queue")
    queue(site, "cancel", "--job", str([i["job"] for i in queue(site, "list") if i["camera_number"] == 2][0]))
    assert second.wait(60) != 0
    (one,) = [i for i in queue(site, "list") if i["camera_number"] == 1]
    assert one["state"] in ("paused", "done") and one["priority"] == 2, one
    p.terminate()
    p.wait(60)
    first.wait(60)
    p = serve(site)
    if one["state"] == "paused":
        (again,) = queue(site, "list")
        assert (again["state"], again["priority"], again["job"]) == ("paused", 2, one["job"]), again
        queue(site, "resume", "--case", site.case)
        wait_for(lambda: states(site) == {1: "done"}, LIMIT_S, "the rest of the first")
    p.terminate()
    assert p.wait(60) == 0
    assert site.persons()
    site.close()


def without_a_server_the_queue_says_so():
    site = Site()
    out = site("queue", "list")
    assert out.returncode == 1 and "no server runs" in out.stderr, out
    assert site("queue", "priority").returncode == 2
    site.close()


if __name__ == "__main__":
    main([
        two_recordings_at_once_and_a_kill_give_what_two_undisturbed_imports_give,
        paused_recordings_stay_paused_over_a_restart_and_cancelled_ones_are_gone,
        without_a_server_the_queue_says_so,
    ])
