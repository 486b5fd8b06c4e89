#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""make prove holds for this build, and names what a dishonest one has."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from relecture_e2e import ROOT, main, run

BUILD = os.path.join(ROOT, "build", "release")  # what ships; sanitizers bring calls of their own
PROVE = os.path.join(ROOT, "tests", "tools", "prove.py")
top = tempfile.mkdtemp(prefix="relecture-prove-")


def prove(*args):
    p = subprocess.run([sys.executable, "-B", PROVE, "--json", *args], capture_output=True, text=True, timeout=580)
    return p.returncode, json.loads(p.stdout)


def every_claim_holds_for_this_build():
    status, rows = prove("--build", BUILD)
    assert status == 0, [r for r in rows if r["ok"] is False]
    assert len(rows) >= 10
    skipped = [r["evidence"] for r in rows if r["ok"] is None]
    return skipped[0] if skipped else None


def cheat(source, claim):
    """Three small programs, of which one holds what it must not: that claim is not borne out, and it is with an honest one."""
    build = os.path.join(top, "release")
    for text, bad in (("int main(void) { return 0; }", False), (source, True)):
        shutil.rmtree(build, ignore_errors=True)
        os.makedirs(build)
        for name in ("relecture", "relecture-card", "relecture-decode"):
            run("cc", "-o", os.path.join(build, name), "-x", "c", "-", input=text if name == "relecture-decode" else
                "int main(void) { return 0; }", check=0)
        _, rows = prove("--build", build, "--static")
        (one,) = [r for r in rows if claim in r["claim"]]
        assert one["ok"] is not bad, one


def a_face_function_is_found():
    cheat("int match_face(void) { return 1; } int main(void) { return match_face(); }", "no code for faces")


def a_function_that_tells_a_trait_is_found():
    cheat("int guessGender(void) { return 1; } int main(void) { return guessGender(); }", "no code that tells sex")


def a_text_about_gait_is_found():
    cheat('#include <stdio.h>\nint main(void) { puts("gait model loaded"); }', "no text in the programs")


def a_decoder_that_connects_is_found():
    cheat("#include <sys/socket.h>\nint main(void) { return socket(2, 1, 0); }", "can open no address")


def a_stream_reader_is_found():
    cheat('#include <stdio.h>\nint open_rtsp_stream(void) { return 1; } int main(void) { return open_rtsp_stream(); }', "no code for streams")


def an_address_of_another_machine_is_found():
    cheat('#include <stdio.h>\nint main(void) { puts("https://telemetry.example.com/v1"); }', "no address of another machine")


def a_name_lookup_is_found():
    cheat("#include <netdb.h>\nint main(void) { return gethostbyname(\"x\") != 0; }", "looks up a name")


def a_network_for_faces_is_found():
    models = os.path.join(top, "models", "other")
    os.makedirs(models)
    with open(os.path.join(models, "model.json"), "w") as f:
        json.dump({"name": "other", "task": "detect", "labels": ["person", "human face"]}, f)
    status, rows = prove("--build", os.path.join(top, "release"), "--models", os.path.dirname(models), "--static")
    assert status == 1 and any("no network recognises" in r["claim"] and r["ok"] is False for r in rows), rows


def a_page_that_fetches_elsewhere_is_found():
    web = os.path.join(top, "web")
    os.makedirs(web)
    with open(os.path.join(web, "a.js"), "w") as f:
        f.write('fetch("https://cdn.example.com/x.js")')
    status, rows = prove("--build", os.path.join(top, "release"), "--web", web, "--static")
    assert status == 1 and any("fetches nothing" in r["claim"] and r["ok"] is False for r in rows), rows


if __name__ == "__main__":
    try:
        main([
            every_claim_holds_for_this_build,
            a_face_function_is_found,
            a_function_that_tells_a_trait_is_found,
            a_text_about_gait_is_found,
            a_decoder_that_connects_is_found,
            a_stream_reader_is_found,
            an_address_of_another_machine_is_found,
            a_name_lookup_is_found,
            a_network_for_faces_is_found,
            a_page_that_fetches_elsewhere_is_found,
        ])
    finally:
        shutil.rmtree(top, ignore_errors=True)
