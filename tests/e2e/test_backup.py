#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A data directory is copied while it is in use, the copy is checked, and put back it answers the same."""
import glob
import json
import os
import resource
import shutil
import signal
import subprocess

from relecture_e2e import VTEST, Site, main, run, short_clip

site = None
kept = None  # a folder of backups


def backup(folder, check=0):
    return json.loads(site("backup", folder, "--json", check=check).stdout)


def restore(path, check=0):
    target = os.path.join(site.top, f"restored-{len(os.listdir(site.top))}")
    p = run(site.exe, "restore", path, target, check=check)
    return target, p


def persons_of(folder):
    out = run(site.exe, "-d", folder, "search", "--case", site.case, "--json", "--limit", "200", "personne", check=0).stdout
    return sorted(json.loads(out)["items"], key=lambda i: i["id"])


def a_backup_restored_answers_the_same():
    global site, kept
    site = Site()
    kept = os.path.join(site.top, "kept")
    site.items(short_clip())
    made = backup(kept)
    assert made["passages"] > 0 and made["journal_lines"] > 0 and made["delete_by_ms"] > made["made_ms"], made
    folder, _ = restore(made["path"])
    assert persons_of(folder) == site.persons() != []
    run(site.exe, "-d", folder, "check-index", check=0)
    run(site.exe, "-d", folder, "journal", "verify", check=0)


def a_backup_taken_during_an_import_is_whole_and_disturbs_nothing():
    p = site.popen(*site.import_args(VTEST), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    made = []
    while p.poll() is None and len(made) < 3:
        made.append(backup(os.path.join(site.top, f"during-{len(made)}")))
    out, err = p.communicate(timeout=300)
    assert p.returncode == 0, err
    assert made, "the import was over before the first backup"
    site("check-index", check=0)
    for m in made:
        folder, _ = restore(m["path"])
        run(site.exe, "-d", folder, "check-index", check=0)


def a_changed_byte_is_named_and_nothing_is_restored():
    path = backup(os.path.join(site.top, "changed"))["path"]
    for victim in ["index.db", "relecture.conf", os.path.relpath(glob.glob(path + "/thumbs/*")[0], path)]:
        with open(os.path.join(path, victim), "r+b") as f:
            first = f.read(1)
            f.seek(0)
            f.write(bytes([first[0] ^ 1]))
        target, p = restore(path, check=1)
        assert victim in p.stderr and not os.path.exists(target), p.stderr
        with open(os.path.join(path, victim), "r+b") as f:
            f.write(first)
    restore(path)
    os.remove(os.path.join(path, victim))
    _, p = restore(path, check=1)
    assert victim in p.stderr, p.stderr


def a_manifest_that_leads_outside_is_refused():
    path = backup(os.path.join(site.top, "outside"))["path"]
    manifest = os.path.join(path, "BACKUP.json")
    with open(manifest) as f:
        good = json.load(f)
    for name in ["../escaped", "/tmp/escaped", "a/../../escaped", "", "thumbs//x", "."]:
        bad = json.loads(json.dumps(good))
        bad["files"][0]["name"] = name
        with open(manifest, "w") as f:
            json.dump(bad, f)
        target, p = restore(path, check=1)
        assert "corrupt" in p.stderr and not os.path.exists(target), p.stderr
    with open(manifest, "w") as f:
        f.write("{")
    restore(path, check=1)


def a_folder_that_is_no_backup_or_a_target_that_exists_is_said():
    empty = os.path.join(site.top, "empty")
    os.makedirs(empty)
    _, p = restore(empty, check=1)
    assert "is no backup" in p.stderr, p.stderr
    path = backup(os.path.join(site.top, "twice"))["path"]
    p = run(site.exe, "restore", path, site.dir, check=1)
    assert "there already" in p.stderr, p.stderr


def a_backup_past_its_term_is_deleted_by_the_next():
    folder = os.path.join(site.top, "terms")
    old = os.path.join(folder, "last-week")
    os.rename(backup(folder)["path"], old)
    stranger = os.path.join(folder, "not-ours")
    os.makedirs(stranger)
    with open(os.path.join(old, "BACKUP.json")) as f:
        manifest = json.load(f)
    manifest["delete_by_ms"] = 1
    with open(os.path.join(old, "BACKUP.json"), "w") as f:
        json.dump(manifest, f)
    backup(folder)
    assert not os.path.exists(old) and os.path.exists(stranger), os.listdir(folder)


def a_full_disk_is_said_and_leaves_no_backup():
    folder = os.path.join(site.top, "full")

    def small_files_only():  # the journal's line still fits, the copy of the index does not
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(site.dir + "/index.db") - 4096,) * 2)

    p = site("backup", folder, check=1, preexec_fn=small_files_only)
    assert "index.db" in p.stderr, p.stderr
    assert not glob.glob(folder + "/relecture-*Z"), os.listdir(folder)
    site("check-index", check=0)


if __name__ == "__main__":
    try:
        main([
            a_backup_restored_answers_the_same,
            a_backup_taken_during_an_import_is_whole_and_disturbs_nothing,
            a_changed_byte_is_named_and_nothing_is_restored,
            a_manifest_that_leads_outside_is_refused,
            a_folder_that_is_no_backup_or_a_target_that_exists_is_said,
            a_backup_past_its_term_is_deleted_by_the_next,
            a_full_disk_is_said_and_leaves_no_backup,
        ])
    finally:
        if site:
            shutil.rmtree(site.top, ignore_errors=True)
