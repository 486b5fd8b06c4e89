#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What leaves: a confirmed passage, sealed by two persons, checked by its recipient without us."""
import hashlib
import json
import os
import shutil
import subprocess

from relecture_e2e import Site, clip, main, run, VTEST

site = None
hits = []
PASSWORD = "Chef-de-salle-2026"


def confirm(hit, state="confirmed", reason="vu"):
    site("decide", "--case", site.case, "--sighting", hit, "--state", state, "--reason", reason, check=0)


def keep(hit, *more):
    return site("exhibit", "add", "--case", site.case, "--sighting", hit, *more, check=0).stdout.strip()


def ask(exhibits, check=0):
    return site("export", "ask", "--case", site.case, "--exhibits", exhibits, "--to", "OPJ Martin, SRPJ", "--medium",
                "DVD-R", "--json", check=check)


def approve(seal, login="chef.1", password=PASSWORD, verb="approve"):
    return site("export", verb, str(seal), "--login", login, "--json", input=password + "\n", timeout=600)


def hash_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def the_four_commands(folder):
    """What LISEZMOI.txt tells the recipient to type, in an environment without anything of ours."""
    home = os.path.join(site.top, "home")
    os.makedirs(home, exist_ok=True)
    with open(os.path.join(folder, "LISEZMOI.txt")) as f:
        commands = [line.strip() for line in f if line.startswith("    sha256sum") or line.startswith("    openssl")]
    assert len(commands) == 4, commands
    script = " && ".join(c.replace("ville-ca.pem", "../ville-ca.pem") for c in commands)
    return subprocess.run(["sh", "-c", script], cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": home, "LC_ALL": "C"},
                          capture_output=True, text=True)


def a_passage_is_found_decided_and_kept():
    global site, hits
    site = Site()
    footage = clip("evidence.mp4", "-i", VTEST, "-t", "12", "-c:v", "libx264", "-preset", "veryfast", "-g", "20", "-bf", "2",
                   "-an")
    (item,) = site.items(footage)
    assert item["state"] == "done", item
    hits = [i["id"] for i in site.search("personne")["items"]]
    assert len(hits) >= 3, hits
    for login, role in (("chef.1", "chief"), ("op.1", "operator")):
        p = site("user", "add", "--login", login, "--name", f"Personne {login}", "--role", role, "--habilitation", "Arrêté 12",
                 input=PASSWORD + "\n")
        assert p.returncode == 0, p.stderr


def nothing_unconfirmed_leaves():
    exhibit = keep(hits[0])
    p = ask(exhibit, check=4)
    assert "nothing unconfirmed leaves" in p.stderr, p.stderr
    confirm(hits[0])
    confirm(hits[0], "rejected", "ce n'est pas elle")
    ask(exhibit, check=4)
    confirm(hits[0], reason="si, c'est elle")
    confirm(hits[1], "rejected")
    site.exhibit = exhibit


def a_second_person_who_may_must_approve():
    site.seal = json.loads(ask(site.exhibit).stdout)["id"]
    assert approve(site.seal, "op.1").returncode == 4  # an operator
    assert approve(site.seal, "chef.1", "Mauvais-mot-2026").returncode == 4
    assert approve(site.seal, "nobody").returncode == 4
    p = approve(site.seal, verb="refuse")
    assert p.returncode == 0 and json.loads(p.stdout)["state"] == "refused", p
    assert "is refused already" in approve(site.seal).stderr


def the_folder_is_built_signed_and_whole():
    site("camera", "hide", "--id", "gare-01", "--name", "Immeuble", "--points", "0,0 0.3,0 0.3,0.3 0,0.3", check=0)
    site.seal = json.loads(ask(site.exhibit).stdout)["id"]
    p = approve(site.seal)
    assert p.returncode == 0, p.stderr
    seal = json.loads(p.stdout)
    assert seal["state"] == "ready" and seal["decided_by"] == "chef.1", seal
    site.folder = os.path.join(site.top, "recipient")
    site("export", "write", str(site.seal), site.folder, check=0)
    shutil.copy(os.path.join(site.dir, "keys", "signer.pem"), os.path.join(site.top, "ville-ca.pem"))
    p = the_four_commands(site.folder)
    assert p.returncode == 0, (p.stdout, p.stderr)
    assert "Verified OK" in p.stdout, p.stdout
    site.names = sorted(os.path.relpath(os.path.join(d, f), site.folder) for d, _, fs in os.walk(site.folder) for f in fs)
    kinds = {n.split("/")[0] for n in site.names}
    assert {"originals", "masked", "metadata", "MANIFEST.json", "SHA256SUMS", "SHA256SUMS.sig", "signer.pem",
            "LISEZMOI.txt", "RECU.txt"} <= kinds, kinds


def the_archive_holds_the_same():
    tar = os.path.join(site.dir, "exports", f"seal-{site.seal}.tar")
    out = os.path.join(site.top, "untarred")
    os.makedirs(out)
    run("tar", "-xf", tar, "-C", out, check=0)
    inside = os.path.join(out, f"seal-{site.seal}")
    assert {n: hash_of(os.path.join(site.folder, n)) for n in site.names} == \
        {n: hash_of(os.path.join(inside, n)) for n in site.names}


def one_changed_byte_in_any_file_fails_a_command():
    for name in site.names:
        path = os.path.join(site.folder, name)
        size = os.path.getsize(path)
        assert size > 0, name
        for at in {0, size // 2, size - 1}:
            with open(path, "r+b") as f:
                f.seek(at)
                old = f.read(1)
                f.seek(at)
                f.write(bytes([old[0] ^ 1]))
            p = the_four_commands(site.folder) if name != "LISEZMOI.txt" else \
                subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=site.folder, capture_output=True)
            assert p.returncode != 0, (name, at)
            with open(path, "r+b") as f:
                f.seek(at)
                f.write(old)
    assert the_four_commands(site.folder).returncode == 0


def a_forged_export_does_not_verify():
    """Everything made anew with another key: only the city's certificate can tell."""
    forged = os.path.join(site.top, "forged")
    shutil.copytree(site.folder, forged)
    run("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", os.path.join(site.top, "k.pem"), "-subj", "/CN=x",
        "-out", os.path.join(forged, "signer.pem"), check=0)
    with open(os.path.join(forged, "RECU.txt"), "a") as f:
        f.write("faux\n")
    run("sh", "-c", "find . -type f ! -name 'SHA256SUMS*' -printf '%P\\n' | sort | xargs sha256sum > SHA256SUMS && "
        "openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -sign ../k.pem -out SHA256SUMS.sig "
        "SHA256SUMS", cwd=forged, check=0)
    p = the_four_commands(forged)
    assert p.returncode != 0 and "signer.pem" in p.stdout + p.stderr, p


def both_copies_play_and_the_original_is_the_source_s():
    import glob
    (original,) = glob.glob(os.path.join(site.folder, "originals", "*"))
    (masked,) = glob.glob(os.path.join(site.folder, "masked", "*"))
    assert "copie-masquee" in masked
    for path in (original, masked):
        p = run("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "null", "-", check=0)
        assert p.stderr == "", p.stderr
    source = os.path.join(site.top, "a.h264")
    piece = os.path.join(site.top, "b.h264")
    run("ffmpeg", "-nostdin", "-v", "error", "-i", clip("evidence.mp4"), "-c", "copy", "-f", "h264", source, check=0)
    run("ffmpeg", "-nostdin", "-v", "error", "-i", original, "-c", "copy", "-f", "h264", piece, check=0)
    with open(source, "rb") as a, open(piece, "rb") as b:
        whole, part = a.read(), b.read()
    assert len(part) > 5000 and part in whole


def the_masked_area_holds_constant_pixels_and_the_original_does_not():
    import glob
    import numpy
    for kind, constant in (("masked", True), ("originals", False)):
        (path,) = glob.glob(os.path.join(site.folder, kind, "*"))
        raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-vf", "scale=768:576", "-f", "rawvideo", "-pix_fmt",
                              "gray", "-"], capture_output=True, check=True).stdout
        frames = numpy.frombuffer(raw, numpy.uint8).reshape(-1, 576, 768)
        part = frames[:, 80:150, 16:210].astype(int)  # inside the area, under the line of words
        assert (part.max() - part.min() <= 8) == constant, (kind, part.min(), part.max())


def the_manifest_says_what_it_must():
    with open(os.path.join(site.folder, "MANIFEST.json")) as f:
        m = json.load(f)
    assert m["case"]["id"] == site.case and m["case"]["requisition"]["no"] == "PV 2026/00812", m["case"]
    assert m["handed_to"] == "OPJ Martin, SRPJ"
    assert any(p.get("habilitation") == "Arrêté 12" and p["as"] == "approved this export" for p in m["persons"]), m["persons"]
    for f in m["files"]:
        assert hash_of(os.path.join(site.folder, f["name"])) == f["sha256"], f["name"]
        assert os.path.getsize(os.path.join(site.folder, f["name"])) == f["bytes"], f["name"]
    original = next(f for f in m["files"] if f["kind"] == "original")
    assert original["units"] > 10 and original["lead_in_ms"] >= 0, original
    assert original["recording_sha256"] == hash_of(clip("evidence.mp4"))
    assert original["from"]["local"].endswith("+01:00"), original
    assert m["searches"] and m["searches"][0]["asked"]["sentence"] == "personne", m["searches"]
    assert m["searches"][0]["index"] == m["index_sha256"]  # what the search saw is what is exported
    assert m["journal_head"]["seq"] > 0 and len(m["index_sha256"]) == 64 and len(m["models_sha256"]) == 64
    with open(os.path.join(site.folder, "metadata", "decisions.json")) as f:
        d = json.load(f)
    assert d["rejected"] == 1 and d["decided"] == 2, d
    with open(os.path.join(site.folder, "metadata", "coverage.json")) as f:
        c = json.load(f)
    assert any(s["state"] == "indexed" for s in c["spans"]) and any(s["state"] == "absent" for s in c["spans"])
    assert sum(s["to_ms"] - s["from_ms"] for s in c["spans"]) == c["camera_ms"], c
    meta = next(n for n in site.names if n.startswith("metadata/001") and n.endswith(".json"))
    with open(os.path.join(site.folder, meta)) as f:
        o = json.load(f)
    assert o["object"]["Class"]["Type"] == "Human", o["object"]["Class"]
    assert [x["state"] for x in o["decisions"]] == ["confirmed", "rejected", "confirmed"], o["decisions"]


def a_recording_that_was_altered_is_not_sealed():
    path = clip("evidence.mp4")
    kept = path + ".kept"
    shutil.copy(path, kept)
    try:
        with open(path, "r+b") as f:
            f.seek(5000)
            b = f.read(1)
            f.seek(5000)
            f.write(bytes([b[0] ^ 1]))
        seal = json.loads(ask(site.exhibit).stdout)["id"]
        p = approve(seal)
        assert p.returncode == 1 and "not the file that was imported" in p.stderr, p.stderr
        one = next(s for s in json.loads(site("export", "list", "--json", check=0).stdout) if s["id"] == seal)
        assert one["state"] == "failed" and "SHA-256" in one["error"], one
        assert not os.path.exists(os.path.join(site.dir, "exports", f"seal-{seal}.part"))
        assert not os.path.exists(os.path.join(site.dir, "exports", f"seal-{seal}"))
    finally:
        os.rename(kept, path)


def the_end_of_a_case_leaves_its_record_and_none_of_its_footage():
    seal = os.path.join(site.dir, "exports", f"seal-{site.seal}")
    site("case", "hold", site.case, "--until", "2027-06-01T00:00:00Z", "--reason", "instruction en cours", check=0)
    site("case", "close", site.case, check=0)
    assert json.loads(site("purge", "--json", check=0).stdout)["recordings"] == 0  # held
    assert os.path.isdir(seal)
    site("case", "hold", site.case, "--release", check=0)
    receipt = json.loads(site("purge", "--json", check=0).stdout)
    assert receipt["recordings"] == 1 and receipt["sightings"] >= len(hits), receipt
    assert not os.path.exists(seal) and not os.path.exists(seal + ".tar")
    record = os.path.join(site.dir, "exports", f"closing-{site.case}")
    run("sha256sum", "-c", "SHA256SUMS", cwd=record, check=0)
    with open(os.path.join(record, "proces-verbal.html")) as f:
        text = f.read()
    for said in ("Passages écartés (1)", "Passages retenus (1)", "examiné", "Arrêté 12", "OPJ Martin, SRPJ", "personne"):
        assert said in text, said
    assert "effacé de l'index" not in text  # it was written before the erasure
    assert json.loads(site("purge", "--json", check=0).stdout)["recordings"] == 0  # the end is told once


def an_erasure_has_a_receipt_that_openssl_checks():
    receipts = json.loads(site("receipt", "list", "--json", check=0).stdout)
    assert [r["kind"] for r in receipts if r["case_id"] == site.case] == ["case_end", "hand_over"], receipts
    end = next(r for r in receipts if r["kind"] == "case_end")
    assert '"recordings":1' in end["text"] and f"case {site.case}\n" in end["text"], end["text"]
    out = os.path.join(site.top, "receipt")
    command = site("receipt", "write", str(end["id"]), out, check=0).stdout
    assert run("sh", "-c", command).stdout.strip() == "Verified OK"
    with open(os.path.join(out, "receipt.txt"), "r+") as f:
        text = f.read().replace('"recordings":1', '"recordings":2')
        f.seek(0)
        f.write(text)
    assert run("sh", "-c", command).returncode != 0
    assert site("receipt", "write", "999", out + "2").returncode == 1


def the_journal_holds_every_step_and_no_password():
    site("journal", "verify", check=0)
    out = os.path.join(site.top, "journal")
    site("journal", "export", out, check=0)
    run("sh", os.path.join(out, "verify.sh"), os.path.join(site.top, "ville-ca.pem"), check=0)
    with open(os.path.join(out, "journal.tsv")) as f:
        text = f.read()
    for action in ("decide", "exhibit.add", "seal.ask", "seal.refuse", "seal.approve", "seal.built", "seal.write", "camera.hide",
                   "journal.export"):
        assert f"\t{action}\t" in text, action
    assert PASSWORD not in text and "JFIF" not in text
    for line in text.splitlines()[1:]:
        detail = json.loads(line.split("\t")[7])
        assert detail["software"] and len(detail["models"]) == 64 and detail["local"].endswith("+01:00"), detail


if __name__ == "__main__":
    try:
        main([
            a_passage_is_found_decided_and_kept,
            nothing_unconfirmed_leaves,
            a_second_person_who_may_must_approve,
            the_folder_is_built_signed_and_whole,
            the_archive_holds_the_same,
            one_changed_byte_in_any_file_fails_a_command,
            a_forged_export_does_not_verify,
            both_copies_play_and_the_original_is_the_source_s,
            the_masked_area_holds_constant_pixels_and_the_original_does_not,
            the_manifest_says_what_it_must,
            a_recording_that_was_altered_is_not_sealed,
            the_end_of_a_case_leaves_its_record_and_none_of_its_footage,
            an_erasure_has_a_receipt_that_openssl_checks,
            the_journal_holds_every_step_and_no_password,
        ])
    finally:
        if site:
            site.close()
