#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts down works from there, alone, and its systemd unit is closed tightly."""
import os
import re
import shutil
import tempfile

from relecture_e2e import BUILD, ROOT, Site, main, run, short_clip

top = tempfile.mkdtemp(prefix="relecture-install-")
PREFIX = "/opt/relecture"
installed = os.path.join(top, PREFIX.lstrip("/"))
unit = os.path.join(installed, "lib/systemd/system/relecture.service")


def install_puts_everything_under_its_prefix():
    run("sh", "host/packaging/install.sh", os.path.relpath(BUILD, ROOT), top, PREFIX, cwd=ROOT, check=0)
    assert os.listdir(top) == ["opt"] and os.path.exists(unit)
    foreign = run("grep", "-rlF", ROOT, "--include=*.conf", "--include=*.service", "--include=*.json", "--include=*.toml",
                  installed).stdout
    assert not foreign, f"these name the folder they were built in:\n{foreign}"


def the_installed_programs_find_their_parts_and_work():
    moved = os.path.join(top, "moved")  # the build beside them would otherwise hide what is missing
    os.rename(installed, moved)
    try:
        site = Site(exe=os.path.join(moved, "bin/relecture"))
        (item,) = site.items(short_clip())
        assert item["state"] == "done" and item["sightings"] > 0, item
        assert site.search("personne")["total"] >= 1
        site.close()
    finally:
        os.rename(moved, installed)


def the_unit_is_understood_and_exposes_little():
    readable = os.path.join(top, "relecture.service")
    with open(unit) as f:
        text = f.read()
    assert PREFIX in text and "@" not in re.sub("@(system-service|privileged)", "", text), text
    # the command exists only under `top`: checked as if it were there
    with open(readable, "w") as f:
        f.write(text.replace(PREFIX, installed))
    said = run("systemd-analyze", "verify", readable)
    assert said.returncode == 0 and not said.stderr.strip(), said.stderr
    said = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", readable)
    level = re.search(r"exposure level for relecture.service: ([0-9.]+)", said.stdout)
    assert said.returncode == 0 and level and float(level[1]) <= 2.0, said.stdout + said.stderr


if __name__ == "__main__":
    try:
        main([
            install_puts_everything_under_its_prefix,
            the_installed_programs_find_their_parts_and_work,
            the_unit_is_understood_and_exposes_little,
        ])
    finally:
        shutil.rmtree(top)
