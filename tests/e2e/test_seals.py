#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Seals over HTTP: two persons, two chiefs at once, the archive in ranges, a server that ends while it builds."""
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import threading

from relecture_e2e import VTEST, Site, clip, main, wait_for

site = server = operator = chief = other = officer = None
exhibit = None


def prepare():
    """A confirmed passage, kept; the accounts."""
    global site, server, operator, chief, other, officer, exhibit
    site = Site()
    (item,) = site.items(clip("evidence.mp4", "-i", VTEST, "-t", "12", "-c:v", "libx264", "-preset", "veryfast", "-g", "20", "-bf",
                              "2", "-an"))
    assert item["state"] == "done", item
    hits = [i["id"] for i in site.search("personne")["items"]]
    site("decide", "--case", site.case, "--sighting", hits[0], "--state", "confirmed", check=0)
    exhibit = int(site("exhibit", "add", "--case", site.case, "--sighting", hits[0], check=0).stdout)
    site.unconfirmed = int(site("exhibit", "add", "--case", site.case, "--sighting", hits[1], check=0).stdout)
    server = site.serve()
    operator, chief, other = server.login("operator"), server.login("chief"), server.login("chief", login="chief2")
    officer = server.login("officer")


def body(*ids, blur=True):
    return {"exhibit_ids": list(ids), "handed_to": "OPJ Martin", "medium": "DVD-R", "blur": blur}


def asked(client, *ids, **kw):
    status, seal = client.post(f"/cases/{site.case}/seals", body(*(ids or (exhibit,)), **kw))
    assert status == 201, (status, seal)
    return seal


def ready(n):
    def look():
        status, seal = chief.get(f"/seals/{n}")
        assert status == 200 and seal["state"] in ("building", "ready"), seal
        return seal if seal["state"] == "ready" else None
    return wait_for(look, 180, "the seal is built")


def a_seal_is_asked_for_and_waits():
    prepare()
    seal = asked(operator)
    assert seal["state"] == "waiting" and seal["by"] and seal["exhibit_ids"] == [exhibit] and seal["blur"] is True, seal
    status, listed = operator.get(f"/cases/{site.case}/seals")
    assert status == 200 and listed["items"][0] == seal, listed


def what_is_unconfirmed_malformed_or_not_ones_business_is_refused():
    status, error = operator.post(f"/cases/{site.case}/seals", body(exhibit, site.unconfirmed))
    assert status == 422 and error["code"] == "unconfirmed" and error["params"]["exhibit_ids"] == [site.unconfirmed], error
    for bad, field in ((body(), "exhibit_ids"), ({**body(exhibit), "exhibit_ids": "x"}, "exhibit_ids"),
                       (body(exhibit, exhibit), "exhibit_ids"), (body(-1), "exhibit_ids"),
                       ({**body(exhibit), "handed_to": ""}, "handed_to"), ({**body(exhibit), "medium": "a\nb"}, "medium"),
                       ({**body(exhibit), "blur": 1}, "blur")):
        status, error = operator.post(f"/cases/{site.case}/seals", bad)
        assert status == 422 and error["code"] == "bad_field" and error["params"]["field"] == field, (bad, error)
    assert operator.post(f"/cases/{site.case}/seals", {**body(exhibit), "approve": True})[0] == 400
    assert operator.post("/cases/2026-0099/seals", body(exhibit))[0] == 404
    n = asked(operator)["id"]
    for who, want in ((operator, 403), (officer, 403)):
        assert who.post(f"/seals/{n}/approve")[0] == want
    for path in ("/seals/999", "/seals/x", "/seals/999/manifest", f"/seals/{n}/archive"):
        status, error = chief.get(path)
        assert status in (403, 404), (path, status)
    assert operator.get(f"/seals/{n}/manifest")[0] == 404  # not ready
    # The officer is not named in the case: for him there is none.
    assert officer.get(f"/seals/{n}")[0] == 404


def an_author_never_approves_his_own():
    n = asked(chief)["id"]
    status, error = chief.post(f"/seals/{n}/approve")
    assert status == 403 and error["code"] == "needs_second_person", error
    status, seal = other.post(f"/seals/{n}/refuse", {"reason": "trop large"})
    assert status == 200 and seal["state"] == "refused" and seal["decided_reason"] == "trop large", seal
    status, error = other.post(f"/seals/{n}/approve")
    assert status == 409 and error["code"] == "already_decided" and error["params"]["state"] == "refused", error


def of_two_chiefs_at_once_one_approves_and_it_is_built_once():
    n = asked(operator)["id"]
    start, results = threading.Barrier(2), []

    def go(client):
        start.wait()
        results.append(client.post(f"/seals/{n}/approve"))
    threads = [threading.Thread(target=go, args=(c,)) for c in (chief, other)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(r[0] for r in results) == [200, 409], results
    seal = ready(n)
    assert seal["sha256"] and seal["bytes"] > 10000 and seal["journal_seq"] > 0, seal
    site.ready = n


def the_recipient_downloads_the_archive_in_ranges():
    status, manifest = operator.get(f"/seals/{site.ready}/manifest")
    assert status == 200 and manifest["seal"] == site.ready, manifest
    assert operator.get(f"/seals/{site.ready}/archive")[0] == 403
    assert officer.get(f"/seals/{site.ready}")[0] == 404  # not named in the case
    with sqlite3.connect(os.path.join(site.dir, "register.db")) as db:
        db.execute("INSERT INTO case_officer VALUES(?, 'officer-1')", (site.case,))
    db.close()
    status, headers, whole = officer.ask("GET", f"/seals/{site.ready}/archive")
    assert status == 200 and headers["Content-Type"] == "application/x-tar" and "attachment" in headers["Content-Disposition"]
    status, headers, part = officer.ask("GET", f"/seals/{site.ready}/archive", headers={"Range": "bytes=1000-1999"})
    assert status == 206 and part == whole[1000:2000], (status, headers)
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        names = tar.getnames()
    assert f"seal-{site.ready}/SHA256SUMS.sig" in names and f"seal-{site.ready}/MANIFEST.json" in names, names
    out = os.path.join(site.top, "journal")
    site("journal", "export", out, check=0)
    with open(os.path.join(out, "journal.tsv")) as f:
        lines = [line.split("\t") for line in f]
    assert [line[2] for line in lines if len(line) > 4 and line[4] == "seal.download"] == ["officer-1"]  # two ranges, one view


def the_closing_record_is_written_and_read():
    path = f"/cases/{site.case}/closing"
    assert chief.get(path + "/proces-verbal.pdf")[0] == 404  # nobody asked for it yet
    status, answer = chief.post(path)
    assert status == 201 and "proces-verbal.pdf" in answer["files"], answer
    got = {}
    for name in answer["files"]:
        status, headers, data = chief.ask("GET", f"{path}/{name}")
        assert status == 200 and data, name
        got[name] = data
    assert got["proces-verbal.pdf"][:5] == b"%PDF-" and "Passages retenus (1)".encode() in got["proces-verbal.html"]
    for line in got["SHA256SUMS"].decode().splitlines():
        value, name = line.split("  ")
        assert hashlib.sha256(got[name]).hexdigest() == value, name
    assert chief.post(path)[0] == 201  # again, in its place
    for bad in ("x", "..%2f..%2fregister.db", "signer.key"):
        assert chief.ask("GET", f"{path}/{bad}")[0] == 404, bad


def figures_are_for_those_who_may_read_them():
    status, facts = chief.get("/facts")
    assert status == 200 and facts["months"][-1]["confirmed"] == 1 and facts["durations"]["footage_days"] == 30, facts
    year = facts["months"][-1]["month"][:4]
    status, figures = chief.get(f"/figures?year={year}")
    assert status == 200 and figures["seals"] >= 1 and site.case not in json.dumps(figures), figures
    own = json.loads(site("facts", "--year", year, check=0).stdout)
    assert {k: v for k, v in own.items() if not isinstance(v, float)} == \
        {k: v for k, v in figures.items() if not isinstance(v, float)}, (own, figures)
    assert operator.get("/facts")[0] == 403 and operator.get(f"/figures?year={year}")[0] == 403
    for bad in ("/figures", "/figures?year=x", "/figures?year=99999", "/figures?year=-1"):
        assert chief.get(bad)[0] == 400, bad


def a_server_that_ends_while_it_builds_goes_on_at_its_next_start():
    global server, operator, chief
    seals = [asked(operator)["id"] for _ in range(3)]
    for n in seals:
        assert chief.post(f"/seals/{n}/approve")[0] == 200
    server.stop()
    states = [s["state"] for s in json.loads(site("export", "list", "--json", check=0).stdout)]
    assert "failed" not in states, states
    server = site.serve()
    chief = server.login("chief")
    for n in seals:
        ready(n)
    site("journal", "verify", check=0)


if __name__ == "__main__":
    try:
        main([
            a_seal_is_asked_for_and_waits,
            what_is_unconfirmed_malformed_or_not_ones_business_is_refused,
            an_author_never_approves_his_own,
            of_two_chiefs_at_once_one_approves_and_it_is_built_once,
            the_recipient_downloads_the_archive_in_ranges,
            the_closing_record_is_written_and_read,
            figures_are_for_those_who_may_read_them,
            a_server_that_ends_while_it_builds_goes_on_at_its_next_start,
        ])
    finally:
        if server:
            server.stop()
        if site:
            site.close()
