#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`relecture doctor` finds nothing in a sound installation, and each thing that was broken by hand."""
import glob
import json
import os
import shutil
import sqlite3

from relecture_e2e import RELECTURE, Site, main, run, short_clip

site = None


def look(*sets, check):
    """{check: (state, found, mend)} of the site."""
    args = [a for s in sets for a in ("--set", s)]
    out = run(RELECTURE, "-d", site.dir, *args, "doctor", "--json", check=check).stdout
    answer = json.loads(out)
    assert answer["ok"] == (check == 0), answer
    return {c["check"]: (c["state"], c["found"], c["mend"]) for c in answer["checks"]}


def ill(name, word, *sets):
    state, found, mend = look(*sets, check=1)[name]
    assert state == "ill" and word in found and mend, (name, state, found, mend)


def a_sound_installation_has_nothing_ill():
    global site
    site = Site()
    site.items(short_clip())
    found = look(check=0)
    for name in ("parts", "libevent", "sandbox", "time zone", "clock", "card", "directory", "disk", "journal", "index", "keys"):
        assert found[name][0] != "ill", found[name]
    assert "recordings" in found["index"][1]


def the_card_is_really_tried():
    # the simulated card refuses an image that is none
    bad = os.path.join(site.top, "bad.xclbin")
    with open(bad, "wb") as f:
        f.write(b"no image")
    conf = site.dir + "/relecture.conf"
    with open(conf) as f:
        good = f.read()
    with open(conf, "w") as f:
        f.write(good + f"card.xclbin = {bad}\n")
    ill("card", "xclbin")
    with open(conf, "w") as f:
        f.write(good)


def missing_parts_and_an_unknown_zone_are_named():
    ill("parts", "/nowhere/decode", "paths.decode=/nowhere/decode")
    ill("time zone", "Mars/Olympus", "site.tz=Mars/Olympus")


def a_folder_open_to_others_and_a_readable_key_are_ill():
    os.chmod(site.dir, 0o755)
    ill("directory", "others")
    os.chmod(site.dir, 0o700)
    (key,) = glob.glob(site.dir + "/keys/signer.key")
    os.chmod(key, 0o644)
    ill("keys", "signer.key")
    os.chmod(key, 0o600)
    look(check=0)


def an_altered_journal_line_is_named():
    copy = os.path.join(site.top, "register.db")
    shutil.copy(site.dir + "/register.db", copy)
    db = sqlite3.connect(site.dir + "/register.db")
    triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE journal SET action = 'nothing' WHERE seq = 2")
    db.commit()
    db.close()
    ill("journal", "line 2")
    shutil.copy(copy, site.dir + "/register.db")
    look(check=0)


def a_damaged_index_is_ill():
    path = site.dir + "/index.db"
    with open(path, "r+b") as f:
        good = f.read(4096)
        f.seek(0)
        f.write(b"\0" * 4096)
    ill("index", "cannot be opened")
    with open(path, "r+b") as f:
        f.write(good)
    look(check=0)


def without_a_data_directory_the_machine_alone_is_looked_at():
    out = run(RELECTURE, "doctor", check=0).stdout
    assert "sandbox" in out and "journal" not in out and "the machine alone" in out, out


if __name__ == "__main__":
    try:
        main([
            a_sound_installation_has_nothing_ill,
            the_card_is_really_tried,
            missing_parts_and_an_unknown_zone_are_named,
            a_folder_open_to_others_and_a_readable_key_are_ill,
            an_altered_journal_line_is_named,
            a_damaged_index_is_ill,
            without_a_data_directory_the_machine_alone_is_looked_at,
        ])
    finally:
        if site:
            site.close()
