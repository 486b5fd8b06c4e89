#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""An import on a card that fails in every way, a few runs in a hundred: the index is that of a card without faults."""
import collections
import os
import re
import shutil
import tempfile

from relecture_e2e import BUILD, Site, main, short_clip

SOFT = ["error", "status", "short", "corrupt", "dpu_error", "dpu_corrupt", "double", "reorder"]
PLAN = """
[card]
cards = {cards}
[fault]
seed = 2026
error_pct = 1
status_pct = 1
short_pct = 1
corrupt_pct = 1
dpu_error_pct = 1
dpu_corrupt_pct = 1
double_pct = 2
reorder_pct = 1
delay_pct = 5
delay_us = 20000
hang_at = 71
drop_at = 83
dpu_hang_at = 61
dpu_abort_at = 43
abort_at = 97
"""


class Sim:
    """A simulated card of its own: links to what was built, and a card.toml."""

    def __init__(self, toml):
        self.dir = tempfile.mkdtemp(prefix="relecture-sim-")
        os.symlink(os.path.join(BUILD, "sim", "lib"), os.path.join(self.dir, "lib"))
        with open(os.path.join(self.dir, "card.toml"), "w") as f:
            f.write(toml)

    def args(self, cards):
        return ["--set", f"card.xilinx_xrt={self.dir}", "--set", f"card.count={cards}", "--set", "card.job_timeout_ms=2000"]

    def faults(self):
        try:
            with open(os.path.join(self.dir, "faults")) as f:
                return collections.Counter(f.read().split())
        except FileNotFoundError:
            return collections.Counter()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def import_on(toml, cards):
    """Returns the persons of the index, the faults that fired, the program's log."""
    site, sim = Site(), Sim(toml)
    try:
        p = site(*sim.args(cards), *site.import_args(short_clip()), timeout=280)
        assert p.returncode == 0, (p.returncode, p.stdout, p.stderr[-3000:])
        site("check-index", check=0)
        return site.persons(), sim.faults(), p.stderr
    finally:
        site.close()
        sim.close()


reference = None


def fault_free():
    global reference
    if reference is None:
        reference, faults, _ = import_on("", 1)
        assert reference and not faults, faults
    return reference


def an_import_on_a_card_with_all_faults_gives_the_index_of_one_without():
    want = fault_free()
    got, faults, log = import_on(PLAN.format(cards=1), 1)
    print(f"# fired: {dict(faults)}")
    assert sum(faults[f] for f in SOFT) >= 5, faults
    assert sum(faults.values()) - sum(faults[f] for f in SOFT) >= 1, faults
    noticed = len(re.findall(r"failed job|started again", log))
    assert noticed >= sum(faults[f] for f in SOFT[:6]), (noticed, faults)
    assert got == want, f"{len(got)} against {len(want)} passages"


def an_import_on_two_such_cards_gives_it_too():
    want = fault_free()
    got, faults, _ = import_on(PLAN.format(cards=2), 2)
    print(f"# fired: {dict(faults)}")
    assert sum(faults.values()) >= 5, faults
    assert got == want, f"{len(got)} against {len(want)} passages"


def a_card_that_goes_away_in_mid_import_and_returns_loses_nothing():
    want = fault_free()
    got, faults, _ = import_on("[fault]\nmax_fires = 1\nvanish_at = 60\nvanish_ms = 2500\n", 1)
    assert faults["vanish"] == 1, faults
    assert got == want, f"{len(got)} against {len(want)} passages"


if __name__ == "__main__":
    main([
        an_import_on_a_card_with_all_faults_gives_the_index_of_one_without,
        an_import_on_two_such_cards_gives_it_too,
        a_card_that_goes_away_in_mid_import_and_returns_loses_nothing,
    ])
