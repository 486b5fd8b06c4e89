#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A recorded file goes in, a search finds the passage: with the shipped binaries on real footage."""
import http.client
import json
import os
import subprocess
import time

from relecture_e2e import RELECTURE, START_MS, VTEST, Site, children, clip, main, run, short_clip, wait_for

site = None


def the_whole_clip_is_imported_with_its_true_length():
    global site
    site = Site()
    (item,) = site.items(VTEST)
    assert item["state"] == "done", item
    # 795 frames at 10 per second
    assert 79.4e6 <= item["duration_us"] <= 79.6e6, item
    assert 15 <= item["sightings"] <= 60, item
    assert item["x_realtime"] > 0, item


def search_json_has_the_promised_fields():
    answer = site.search("personne haut rouge")
    for key in ("total", "coverage", "took_ms", "items"):
        assert key in answer, key
    assert answer["total"] >= 1, answer["total"]
    for i in answer["items"]:
        for key in ("id", "camera", "from_ms", "to_ms", "class", "box", "attributes"):
            assert key in i, (key, i)


def every_passage_lies_inside_the_recording():
    for i in site.search("personne")["items"]:
        assert START_MS <= i["from_ms"] <= i["to_ms"] <= START_MS + 79600, i


def coverage_says_that_the_whole_recording_was_searched():
    c = site.search("personne")["coverage"]
    assert abs(c["searched_h"] - 79.5 / 3600) < 1 / 3600, c
    assert abs(c["camera_h"] - 3) < 0.001, c


def a_french_and_an_english_question_find_the_same():
    fr = site.search("personne haut rouge")
    en = json.loads(site("search", "--case", site.case, "--json", "--language", "en", "--limit", "200",
                         "person red top", check=0).stdout)
    assert fr["total"] == en["total"]
    assert [i["id"] for i in fr["items"]] == [i["id"] for i in en["items"]]


def the_same_file_again_is_skipped_with_the_reason():
    before = site.search("personne")["total"]
    (item,) = site.items(VTEST)
    assert item["state"] == "skipped" and "already imported" in item["error"], item
    assert site.search("personne")["total"] == before


def a_search_without_a_case_is_refused():
    p = site("search", "--json", "personne")
    assert p.returncode == 2 and "--case is missing" in p.stderr, p


def a_camera_outside_the_case_cannot_be_imported_for_it():
    site("camera", "add", "--id", "port-02", "--name", "Port", check=0)
    p = site("import", "--case", site.case, "--camera", "port-02", "--start", "2026-11-20T14:00:00Z", VTEST)
    assert p.returncode == 4 and "not one of case" in p.stderr, p


def the_journal_is_whole_and_holds_the_searches():
    assert "is whole" in site("journal", "verify", check=0).stdout


def the_index_checks_out_bit_by_bit():
    assert "is whole" in site("check-index", check=0).stdout


def the_server_gives_page_search_thumbnail_and_a_clip_that_plays():
    server = site.serve()
    try:
        operator = server.login()
        status, _, body = server.client().ask("GET", "/")
        assert status == 200 and b"<html" in body
        status, answer = operator.post("/search", {"sentence": "personne"})
        assert status == 200 and answer["total"] == site.search("personne")["total"], answer
        one = answer["items"][0]["id"]
        _, headers, jpeg = operator.ask("GET", f"/media/t/{one}.jpg")
        assert headers["Content-Type"] == "image/jpeg" and jpeg[:2] == b"\xff\xd8", headers
        url = f"/media/clip/{one}.mp4?case={site.case}"
        _, headers, mp4 = operator.ask("GET", url, headers={"X-Case": None})
        assert headers["Content-Type"] == "video/mp4" and headers.get("Accept-Ranges") == "bytes", headers
        status, headers, part = operator.ask("GET", url, headers={"Range": "bytes=100-199"})
        assert status == 206 and part == mp4[100:200], (status, headers)
        path = os.path.join(site.top, "clip.mp4")
        with open(path, "wb") as f:
            f.write(mp4)
        streams = json.loads(run("ffprobe", "-v", "error", "-show_streams", "-of", "json", path, check=0).stdout)
        assert streams["streams"][0]["codec_name"] == "h264", streams
    finally:
        server.stop()


def a_batch_given_to_a_running_server_is_imported_by_it():
    two = Site()
    server = two.serve()
    try:
        (item,) = two.items(short_clip())
        assert item["state"] == "done", item
        assert 0 < two.search("personne")["total"] <= item["sightings"], item
    finally:
        server.stop()
        two.close()


def the_server_speaks_tls_only_on_whatever_address_it_listens():
    server = site.serve()
    try:
        plain = http.client.HTTPConnection(server.host, timeout=30)
        try:
            plain.request("GET", "/")
            answer = plain.getresponse().read()
        except (http.client.HTTPException, OSError):
            answer = b""
        assert answer == b"", answer
    finally:
        server.stop()
    p = site("serve", "--listen", "nowhere", timeout=60)
    assert p.returncode == 2 and "ADDRESS:PORT" in p.stderr, p


def a_wide_recording_is_watched_by_the_wide_detector():
    wide = clip("wide.mp4", "-i", VTEST, "-t", "8", "-vf", "crop=768:432:0:72", "-c:v", "libx264", "-an")
    two = Site()
    # without networks on crops: the workers are those of the two detectors
    p = two.popen("--set", "looks=none", *two.import_args(wide), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: list(children(p.pid).values()).count("relecture-card") == 2 or p.poll() is not None, 60,
             "a second card worker")
    assert p.poll() is None, p.communicate()
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0, (out, err)
    assert two.search("personne")["total"] >= 3
    two.close()
    three = Site()
    p = three("--set", "detector.wide=nowhere", *three.import_args(wide))
    assert p.returncode == 1 and "detector.wide = none" in p.stdout, p
    p = three("--set", "detector.wide=none", *three.import_args(wide), check=0)
    assert json.loads(p.stdout)["state"] == "done"
    three.close()


def a_camera_with_a_shorter_term_is_purged_at_it():
    two = Site()
    two("camera", "add", "--id", "court-02", "--name", "Court", "--retention-days", "1", check=0)
    out = two("case", "open", "--requisition", "PV", "--authority", "OPJ", "--basis", "CPP 60-1", "--from",
              "2026-11-20T13:00:00Z", "--to", "2030-01-01T00:00:00Z", "--cameras", "court-02", "--criteria", "all",
              "--expires", "2099-01-01T00:00:00Z", "--json", check=0).stdout
    case = json.loads(out)["id"]
    now = time.time()
    for camera, of_case, age_h in (("gare-01", two.case, 0), ("court-02", case, 30)):
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - age_h * 3600 - 3600))
        two("import", "--case", of_case, "--camera", camera, "--start", start, short_clip(), check=0)
    receipt = json.loads(two("purge", "--json", check=0).stdout)
    assert receipt["recordings"] == 1 and receipt["sightings"] > 0, receipt
    assert json.loads(two("purge", "--json", check=0).stdout)["recordings"] == 0
    receipt = json.loads(two("purge", "--before", "2099-01-01T00:00:00Z", "--camera", "gare-01", "--json", check=0).stdout)
    assert receipt["recordings"] == 1 and receipt["sightings"] > 0, receipt
    two("check-index", check=0)
    two.close()


def the_card_gives_the_committed_bytes_and_one_flipped_hash_is_noticed():
    assert "gives the right bytes" in run(RELECTURE, "card", "selftest", check=0).stdout
    with open(os.path.join(os.path.dirname(os.path.dirname(RELECTURE)), "models", "nanodet-g", "selftest.json")) as f:
        wrong = f.read().replace("c8d5", "d8c5")
    models = os.path.join(site.top, "models")
    run("cp", "-r", os.path.join(os.path.dirname(os.path.dirname(RELECTURE)), "models"), models, check=0)
    with open(os.path.join(models, "nanodet-g", "selftest.json"), "w") as f:
        f.write(wrong)
    p = run(RELECTURE, "--set", f"paths.models={models}", "card", "selftest", check=1)
    assert "WRONG bytes" in p.stderr, p.stderr


def every_command_explains_itself():
    for c in ("init", "camera", "case", "import", "search", "serve", "journal", "check-index", "purge", "user", "card", "model",
              "decide", "exhibit", "export", "closing", "facts", "receipt"):
        p = run(RELECTURE, c, "--help", check=0)
        assert p.stdout.startswith("usage: relecture"), (c, p.stdout)


if __name__ == "__main__":
    try:
        main([
            the_whole_clip_is_imported_with_its_true_length,
            search_json_has_the_promised_fields,
            every_passage_lies_inside_the_recording,
            coverage_says_that_the_whole_recording_was_searched,
            a_french_and_an_english_question_find_the_same,
            the_same_file_again_is_skipped_with_the_reason,
            a_search_without_a_case_is_refused,
            a_camera_outside_the_case_cannot_be_imported_for_it,
            the_journal_is_whole_and_holds_the_searches,
            the_index_checks_out_bit_by_bit,
            the_server_gives_page_search_thumbnail_and_a_clip_that_plays,
            a_batch_given_to_a_running_server_is_imported_by_it,
            the_server_speaks_tls_only_on_whatever_address_it_listens,
            a_wide_recording_is_watched_by_the_wide_detector,
            a_camera_with_a_shorter_term_is_purged_at_it,
            the_card_gives_the_committed_bytes_and_one_flipped_hash_is_noticed,
            every_command_explains_itself,
        ])
    finally:
        if site:
            site.close()
