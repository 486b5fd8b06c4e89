#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A server erases on its own what has reached its term; a command does it when none runs."""
import json
import subprocess
import time

from relecture_e2e import Site, main, short_clip


def days_ago(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - n * 86400))


def site_with_old_footage():
    site = Site()
    out = site("case", "open", "--requisition", "PV 2026/00813", "--authority", "OPJ", "--basis", "CPP 60-1", "--from",
               days_ago(60), "--to", days_ago(0), "--cameras", "gare-01", "--criteria", "all", "--expires",
               "2099-01-01T00:00:00Z", "--json", check=0).stdout
    site.case = json.loads(out)["id"]
    site.items(short_clip(), start=days_ago(31))
    assert site.search("personne")["total"] > 0
    return site


def purges(site):
    """Lines of the journal and receipts about it."""
    query = "SELECT (SELECT count(*) FROM journal WHERE action='purge'), (SELECT count(*) FROM receipt WHERE kind='age')"
    return subprocess.run(["sqlite3", f"{site.dir}/register.db", query], capture_output=True, text=True, check=True).stdout.strip()


def a_server_erases_at_its_start_what_has_reached_its_term():
    site = site_with_old_footage()
    p = site.popen("--set", "site.purge=hourly", "serve", "--listen", "127.0.0.1:0", stdout=subprocess.PIPE,
                   stderr=subprocess.DEVNULL)
    assert "Serving" in p.stdout.readline()
    try:
        assert site.search("personne")["total"] == 0
        assert purges(site) == "1|1", purges(site)
    finally:
        p.terminate()
        assert p.wait(60) == 0
    site("check-index", check=0)
    site.close()


def a_server_told_otherwise_leaves_it_to_the_command():
    site = site_with_old_footage()
    p = site.popen("serve", "--listen", "127.0.0.1:0", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert "Serving" in p.stdout.readline()
    try:
        assert site.search("personne")["total"] > 0
        assert site("purge").returncode != 0  # the server is the index's one writer
    finally:
        p.terminate()
        assert p.wait(60) == 0
    counts = json.loads(site("purge", "--json", check=0).stdout)
    assert counts["sightings"] > 0 and counts["recordings"] == 1, counts
    assert site.search("personne")["total"] == 0
    assert purges(site) == "1|1", purges(site)
    site.close()


main([a_server_erases_at_its_start_what_has_reached_its_term, a_server_told_otherwise_leaves_it_to_the_command])
