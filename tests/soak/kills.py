#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""kills.py N [SEED] - N times: an import is disturbed by kill -9 of a process chosen at random, at a moment chosen at
random, once or more; it is taken up again until it ends; then the index must equal that of an undisturbed import, the
journal must be whole and no file may be left over. Prints one table and ends with 1 when a goal is missed. `make soak`."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from relecture_e2e import RELECTURE, Site, children, run, short_clip  # noqa: E402

RECOVERY_LIMIT_S = 2.0


class Copy:
    """A site made from `base` as it was before the import."""

    def __init__(self, base):
        self.top = tempfile.mkdtemp(prefix="relecture-soak-")
        self.dir = os.path.join(self.top, "data")
        shutil.copytree(base.dir, self.dir)
        self.base = base

    def popen(self):
        return subprocess.Popen([RELECTURE, "-d", self.dir, *self.base.import_args(short_clip())], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def close(self):
        shutil.rmtree(self.top)


def rows(folder, case):
    """What an investigator would see: every person with its attributes, without what differs between two runs."""
    import json
    out = run(RELECTURE, "-d", folder, "search", "--case", case, "--json", "--limit", "200", "personne", check=0).stdout
    return sorted(json.loads(out)["items"], key=lambda i: i["id"])


def files(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, names in os.walk(folder) for f in names
                  if not f.endswith(("-wal", "-shm")) and "cache" not in d)


def workers(p):
    return {pid: name for pid, name in children(p.pid).items() if name.startswith("relecture-")} if p.poll() is None else {}


def kill_one(p, rng, counts):
    """Kills the import or one of its workers; seconds until what was killed is there again (None: nothing to wait for)."""
    kids = workers(p)
    victims = [("import", p.pid), *((name, pid) for pid, name in kids.items())]
    name, pid = rng.choice(victims)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    counts[name] = counts.get(name, 0) + 1
    if pid == p.pid:
        p.wait()
        return None
    began = time.monotonic()
    while time.monotonic() - began < 30 and p.poll() is None:
        if any(n == name and k not in kids for k, n in workers(p).items()):
            return time.monotonic() - began
        time.sleep(0.005)
    return None  # it had no more to do


def disturbed(site, rng, length_s, counts, recoveries):
    """One import with at least one kill, to its end."""
    for attempt in range(20):
        p = site.popen()
        kills = rng.choice((1, 1, 2, 3)) if attempt == 0 else rng.choice((0, 0, 1))
        for _ in range(kills):
            time.sleep(rng.random() * length_s)
            if p.poll() is not None:
                break
            back_s = kill_one(p, rng, counts)
            if back_s is not None:
                recoveries.append(back_s)
        out, err = p.communicate(timeout=600)
        if p.returncode == 0:
            return
        assert p.returncode == -signal.SIGKILL, (p.returncode, out, err)
    raise AssertionError("it never came to its end")


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    base = Site()
    undisturbed = Copy(base)
    began = time.monotonic()
    p = undisturbed.popen()
    p.communicate(timeout=600)
    length_s = time.monotonic() - began
    reference, expected = rows(undisturbed.dir, base.case), files(undisturbed.dir)
    assert p.returncode == 0 and reference, "the undisturbed import failed"
    counts, recoveries, rounds, wrong = {}, [], 0, 0
    began = time.monotonic()
    while sum(counts.values()) < wanted:
        site = Copy(base)
        rounds += 1
        try:
            disturbed(site, rng, length_s, counts, recoveries)
            run(RELECTURE, "-d", site.dir, "check-index", check=0)
            run(RELECTURE, "-d", site.dir, "journal", "verify", check=0)
            got, left = rows(site.dir, base.case), files(site.dir)
            assert got == reference, f"{len(got)} passages against {len(reference)}"
            assert left == expected, f"files: {sorted(set(left) ^ set(expected))}"
        except (AssertionError, subprocess.TimeoutExpired) as e:
            wrong += 1
            print(f"round {rounds} (seed {seed}): {e}", flush=True)
        finally:
            site.close()
        if rounds % 20 == 0:
            done, gone_s = sum(counts.values()), time.monotonic() - began
            print(f"{done} of {wanted} kills, {gone_s:.0f} s, about {gone_s / done * (wanted - done):.0f} s left", flush=True)
    undisturbed.close()
    base.close()
    worst = max(recoveries, default=0.0)
    print(f"\n{'':34}{'goal':>8}{'measured':>10}")
    print(f"{'kills':34}{wanted:8}{sum(counts.values()):10}   " + ", ".join(f"{n} {c}" for n, c in sorted(counts.items())))
    print(f"{'imports that differ or fail':34}{0:8}{wrong:10}   of {rounds}")
    print(f"{'slowest return of a worker, s':34}{RECOVERY_LIMIT_S:8}{worst:10.2f}   of {len(recoveries)}")
    return 1 if wrong or worst > RECOVERY_LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
