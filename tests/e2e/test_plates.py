#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Plates, from a recording to a search, and the three switches: with any of them off no network of plates is loaded
and no plate exists. The clip is a car of Debian's opencv-doc with a drawn plate (plate.png: BX-428-TL, invented)."""
import json
import os
import sqlite3
import subprocess

from relecture_e2e import Site, children, clip, main, read_proc, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
CAR = "/usr/share/doc/opencv-doc/examples/data/licenseplate_motion.jpg"
TEXT = "BX428TL"
CRITERIA = "vehicle.type,vehicle.color,vehicle.plate"
on = None


def car_clip(name="car.mp4", seconds="4"):
    """The car crosses the picture; its own plate, which is blurred, lies under the drawn one."""
    graph = ("[1]scale=170:-2[plate];[0][plate]overlay=x=210:y=232,scale=400:-2[car];"
             "color=0x303030:640x480:r=5[street];[street][car]overlay=x=20+45*t:y=80:shortest=1,format=yuv420p")
    return clip(name, "-loop", "1", "-framerate", "5", "-i", CAR, "-i", os.path.join(HERE, "plate.png"), "-filter_complex",
                graph, "-t", seconds, "-c:v", "libx264", "-preset", "veryfast", "-crf", "18")


def make_site(criteria, allowed):
    site = Site(criteria=criteria)
    if allowed:
        with open(os.path.join(site.dir, "relecture.conf"), "a", encoding="utf-8") as f:
            f.write(f"\nsite.allowed = {allowed}\n")
    return site


def plates_of(site):
    return [i["plate"]["text"] for i in site.search("véhicule")["items"] if "plate" in i]


def stored_plates(site):
    """What the index holds, whatever the rights: rows with a plate, and texts of the dictionary."""
    db = sqlite3.connect(f"file:{site.dir}/index.db?mode=ro", uri=True)
    rows = db.execute("SELECT count(*) FROM sighting WHERE plate_id IS NOT NULL").fetchone()[0]
    texts = db.execute("SELECT count(*) FROM plate_block").fetchone()[0]
    db.close()
    return rows, texts


def search(site, sentence, status=0):
    p = site("search", "--case", site.case, "--json", sentence)
    assert p.returncode == status, p
    return json.loads(p.stdout)


def a_car_goes_in_and_its_plate_is_read():
    global on
    on = make_site(CRITERIA, "vehicle.plate")
    p = on("--log", "info", *on.import_args(car_clip()), check=0)
    assert json.loads(p.stdout.splitlines()[-1])["state"] == "done", p.stdout
    assert "model=plate-find" in p.stderr and "model=plate-read" in p.stderr, p.stderr
    assert plates_of(on) == [TEXT], on.search("véhicule")
    assert stored_plates(on) == (1, 1)
    (plate,) = [i["plate"] for i in on.search("véhicule")["items"]]
    assert [c["c"] for c in plate["chars"]] == list(TEXT), plate
    assert all(1 <= c["p"] <= 100 and len(c["alt"]) <= 2 for c in plate["chars"]), plate
    assert plate["country"] == "", plate  # AA-999-AA: not only French


def it_is_found_whole_in_part_and_with_look_alikes():
    for sentence, slips in (("plaque BX-428-TL", None), ("plaque commençant par BX", None), ("plaque B?42*", None),
                            ("plaque 8X-42B-TL", 1)):  # 8 for B, B for 8
        items = search(on, sentence)["items"]
        assert [i["plate"]["text"] for i in items] == [TEXT], (sentence, items)
        assert items[0]["match"].get("plate_slips") == slips, (sentence, items)
    assert search(on, "plaque exacte 8X-42B-TL")["total"] == 0
    assert search(on, "plaque AA-111-AA")["total"] == 0


def no_plate_stands_in_the_log():
    p = on("--log", "debug", "import", "--case", on.case, "--camera", "gare-01", "--start", "2026-11-20T15:00:00Z",
           car_clip("again.mp4", "3"))
    assert p.returncode == 0 and TEXT not in p.stderr.replace("-", "") + p.stdout, p


def a_case_without_plates_has_no_row_and_no_network():
    for criteria, allowed in (("vehicle.type,vehicle.color", "vehicle.plate"), ("all", "vehicle.plate"), (CRITERIA, None)):
        site = make_site(criteria, allowed)
        try:
            p = site("--log", "info", *site.import_args(car_clip()), check=0)
            assert "model=nanodet-g" in p.stderr and "model=plate-" not in p.stderr, p.stderr
            assert site.search("véhicule")["total"] >= 1 and stored_plates(site) == (0, 0), (criteria, allowed)
            refusal = search(site, f"plaque {TEXT}", status=4)
            assert refusal["params"] == {"criterion": "vehicle.plate"}, (criteria, allowed, refusal)
        finally:
            site.close()


def outside_the_period_of_its_case_nothing_is_read():
    site = make_site(CRITERIA, "vehicle.plate")
    try:
        (item,) = site.items(car_clip(), start="2026-11-20T11:00:00Z")  # the case begins at 13 h
        assert item["state"] == "done" and stored_plates(site) == (0, 0), item
    finally:
        site.close()


def plate_workers_of(server):
    return [pid for pid, name in children(server.process.pid).items()
            if name == "relecture-card" and "plate-" in read_proc(f"/proc/{pid}/cmdline")]


def a_server_holds_the_networks_only_while_such_a_recording_is_at_work():
    site = make_site(CRITERIA, "vehicle.plate")
    server = site.serve()
    try:
        assert plate_workers_of(server) == []
        client = site.popen(*site.import_args(car_clip("long.mp4", "8")), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        wait_for(lambda: len(plate_workers_of(server)) == 2, 120, "both plate networks at work")
        out, _ = client.communicate(timeout=300)
        assert json.loads(out.splitlines()[-1])["state"] == "done", out
        wait_for(lambda: plate_workers_of(server) == [], 60, "both plate networks gone")
        assert plates_of(site) == [TEXT]
        the_users_right_is_the_third_switch(server)
    finally:
        server.stop()
        site.close()


def the_users_right_is_the_third_switch(server):
    """By the API: the same question from a user without the right, and with it."""
    operator, question = server.login(), {"plate": {"pattern": TEXT, "mode": "exact"}}
    status, answer = operator.post("/search", question)
    assert status == 403 and answer["params"] == {"criterion": "vehicle.plate"}, (status, answer)
    status, answer = operator.post("/search", {"sentence": "véhicule"})
    assert status == 200 and answer["items"] and not any("plate" in i for i in answer["items"]), answer
    db = sqlite3.connect(os.path.join(server.site.dir, "register.db"), timeout=30)
    assert db.execute("UPDATE user SET criteria='all,vehicle.plate' WHERE login='operator-1'").rowcount == 1
    db.commit()
    db.close()
    operator = server.login()
    for plate, total in ((question["plate"], 1), ({"pattern": "428", "mode": "pattern"}, 1),
                         ({"pattern": "BX429TL", "mode": "fuzzy", "max_slips": 1}, 1),
                         ({"pattern": "BX429TL", "mode": "exact"}, 0)):
        status, answer = operator.post("/search", {"plate": plate})
        assert status == 200 and [i["plate"]["text"] for i in answer["items"]] == [TEXT] * total, (plate, answer)


def purging_the_recording_erases_the_plate():
    on("purge", "--before", "2026-11-21T00:00:00Z", check=0)
    assert stored_plates(on)[0] == 0
    with open(os.path.join(on.dir, "index.db"), "rb") as f:
        assert TEXT.encode() not in f.read()
    on.close()


if __name__ == "__main__":
    main([a_car_goes_in_and_its_plate_is_read, it_is_found_whole_in_part_and_with_look_alikes, no_plate_stands_in_the_log,
          a_case_without_plates_has_no_row_and_no_network, outside_the_period_of_its_case_nothing_is_read,
          a_server_holds_the_networks_only_while_such_a_recording_is_at_work, purging_the_recording_erases_the_plate])
