#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""make prove: what this build cannot do, shown from the build itself, for somebody who is no programmer.

    tests/tools/prove.py [--build build/release] [--models build/models] [--web build/web] [--static] [--json]

Each row is a claim, the evidence that was looked at, and ok, MISSING or skipped. The first rows read the programs
(symbols, texts, libraries), the databases' tables, the models' descriptions and the page. The last ones run the real
import and server in a network namespace that has no network (unshare -n): what works there needs none, and the
kernel's counters tell whether anything tried. --static leaves the run out. Ends with 1 when a claim is not borne out.
"""
import argparse
import ctypes
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = ("relecture", "relecture-decode", "relecture-card")

# Whole words of names and texts, after cutting at everything that is no letter and at changes of case.
BIOMETRIC = {"face", "faces", "facial", "faceid", "facenet", "arcface", "retinaface", "biometric", "biometrics", "gait", "iris",
             "landmark", "landmarks", "reid", "personreid", "reidentification", "embedding", "embeddings", "fingerprints"}
TRAITS = {"gender", "sex", "age", "ages", "ethnic", "ethnicity", "race", "racial", "religion", "skin", "emotion", "emotions"}
LIVE = {"rtsp", "rtmp", "rtp", "webrtc", "v4l", "v4l2", "onvifstream", "watchlist", "alert", "alerts"}

# Texts that hold such a word because they refuse it; each with where it stands.
SAID = {
    "face": ("the refused word", "model policy, word lists"), "facial": ("the refused word", "model policy"),
    "biometric": ("the refused word", "model policy"), "biometrics": ("the refused word", "model policy, refusals"),
    "embedding": ("the refused word", "model policy"), "embeddings": ("the refused word", "model policy"),
    "personreid": ("the refused word", "model policy"), "reid": ("the refused word", "model policy"),
    "reidentification": ("the refused word", "model policy"),
}
REFUSALS = ("model_policy", "no_faces", "person.face_cover", "reconnaissance faciale", "the face or biometrics", "sex or gender")

rows = []


def row(claim, evidence, ok):
    """ok: True, False, or None when it could not be looked at."""
    rows.append({"claim": claim, "evidence": evidence, "ok": ok})


def output(*command):
    p = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if p.returncode != 0:
        raise SystemExit(f"prove: {' '.join(command[:2])} failed: {p.stderr.strip()[:200]}")
    return p.stdout


def words(text):
    """face_match, faceMatch and FaceMatch are each 'face', 'match'; interface is one word."""
    return {w.lower() for part in re.split(r"[^A-Za-z0-9]+", text)
            for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", part)}


def symbols(path):
    names = set()
    for flags in ([], ["-D"]):
        p = subprocess.run(["nm", *flags, path], capture_output=True, text=True)
        names |= {line.split()[-1].split("@")[0] for line in p.stdout.splitlines() if line.split()}
    return names


def imports(path):
    return {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--undefined-only", path).splitlines() if line.split()}


def needed(path):
    return set(re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", path)))


def texts(path):
    return output("strings", "-n", "4", path).splitlines()


def few(names, n=4):
    names = sorted(names)
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


# ---- read -------------------------------------------------------------------------------------------------------

def sums(build):
    for name in PROGRAMS:
        path = os.path.join(build, name)
        with open(path, "rb") as f:
            print(f"{hashlib.sha256(f.read()).hexdigest()}  {path}")


def programs(build):
    paths = {n: os.path.join(build, n) for n in PROGRAMS}
    n_symbols, bad = 0, set()
    for name, path in paths.items():
        found = symbols(path)
        n_symbols += len(found)
        bad |= {f"{name}:{s}" for s in found if words(s) & BIOMETRIC}
    row("no code for faces, gait, re-identification of persons or other biometrics",
        f"{n_symbols} symbols of {len(paths)} programs" + (f"; found {few(bad)}" if bad else ""), not bad)
    bad = {f"{name}:{s}" for name, path in paths.items() for s in symbols(path) if words(s) & TRAITS}
    row("no code that tells sex, age, skin, origin or religion", "the same symbols" + (f"; found {few(bad)}" if bad else ""),
        not bad)
    unexplained, explained = set(), set()
    for name, path in paths.items():
        for text in texts(path):
            hit = words(text) & BIOMETRIC
            if not hit:
                continue
            plain = text.strip() in SAID or any(r in text for r in REFUSALS)
            (explained if plain else unexplained).add(text.strip()[:60])
    row("no text in the programs speaks of it but to refuse it",
        f"{len(explained)} refusing texts" + (f"; others: {few(unexplained)}" if unexplained else ""), not unexplained)

    live_libraries = {"libavdevice", "libcurl", "librtmp", "libgstreamer", "libsrt", "librabbitmq", "libzmq", "libv4l2"}
    bad = {f"{n}:{lib}" for n, p in paths.items() for lib in needed(p) if lib.split(".so")[0].split("-")[0] in live_libraries}
    row("no library for live sources or transfers is linked", few({lib for p in paths.values() for lib in needed(p)}, 3) + "..." +
        (f"; found {few(bad)}" if bad else ""), not bad)
    openers = {"avformat_network_init", "avio_open", "avio_open2", "avdevice_register_all", "socket", "connect", "getaddrinfo",
               "gethostbyname", "open", "openat", "fopen", "open64", "fopen64"}
    decode = imports(paths["relecture-decode"])
    # Debug builds and sanitizers add files of their own; the shipped program must have none of the network calls.
    bad = decode & (openers - {"open", "openat", "fopen", "open64", "fopen64"})
    row("the program that reads recordings can open no address and no device: it is handed one open file",
        f"{len(decode)} imported calls of relecture-decode" + (f"; found {few(bad)}" if bad else ""), not bad)
    bad = {f"{n}:{s}" for n, p in paths.items() for s in symbols(p) if words(s) & LIVE}
    row("no code for streams, watch lists or alerts", "symbols" + (f"; found {few(bad)}" if bad else ""), not bad)
    bad = {f"{n}:{c}" for n, p in paths.items() for c in imports(p) & {"getaddrinfo", "gethostbyname", "gethostbyname2", "res_query"}}
    row("no program looks up a name on the network", "imported calls" + (f"; found {few(bad)}" if bad else ""), not bad)
    urls = {u for p in paths.values() for t in texts(p) for u in re.findall(r"\b(?:https?|ftp|wss?|rtsp|rtmp)://[\w.-]+\.\w+", t)}
    row("no address of another machine is built in", f"{len(urls)} addresses" + (f": {few(urls)}" if urls else ""), not urls)
    routes = {t for t in texts(paths["relecture"]) if t.startswith("/api/v1/")}
    bad = {r for r in routes if words(r) & (LIVE | BIOMETRIC | {"live", "watch", "stream", "subscribe"})}
    row("the interface has no call for live pictures, watch lists or alerts", f"{len(routes)} calls" + (f"; {few(bad)}" if bad else ""),
        len(routes) > 0 and not bad)


def models(folder):
    allowed = {"detect", "plate_find", "plate_read", "vehicle_color", "vehicle_type", "vehicle_make", "clothing"}
    found, bad = [], []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name, "model.json")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            text = f.read()
        m = json.loads(text)
        found.append(f"{m['name']} ({m['task']})")
        if m["task"] not in allowed:
            bad.append(f"{name}: task {m['task']}")
        said = {w for key, value in walk(m) for w in words(str(key)) | words(value if isinstance(value, str) else "")}
        hit = said & (BIOMETRIC | {"gender", "sex", "age", "ethnicity", "race", "emotion", "hair", "beard", "male", "female"})
        hit -= {"hair"} if "hair drier" in text or "hair dryer" in text else set()
        if hit:
            bad.append(f"{name}: {few(hit)}")
    row("no network recognises faces, persons or their traits: only these tasks exist",
        "; ".join(found) + (f"; bad: {'; '.join(bad)}" if bad else "") if found else "no model found", bool(found) and not bad)


def walk(value, key=""):
    if isinstance(value, dict):
        for k, v in value.items():
            yield from walk(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from walk(v, key)
    else:
        yield key, value


def page(folder):
    hosts, n = set(), 0
    # Names of XML vocabularies, and addresses inside the licences that are shown as text; the browser's own rule
    # (Content-Security-Policy, below) holds for all of them.
    names = {"www.w3.org", "github.com", "www.debian.org", "www.gnu.org"}
    for d, _, files in os.walk(folder):
        for name in files:
            if not name.endswith((".js", ".css", ".html", ".mjs")):
                continue
            n += 1
            with open(os.path.join(d, name), errors="replace") as f:
                hosts |= set(re.findall(r"(?:https?:|wss?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)+)", f.read())) - names
    row("the page fetches nothing from elsewhere", f"{n} files" + (f"; names {few(hosts)}" if hosts else ""), n > 0 and not hosts)


def tables(data):
    n, bad = 0, []
    for name in ("index.db", "register.db"):
        with sqlite3.connect(f"file:{os.path.join(data, name)}?mode=ro", uri=True) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
                for column in db.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall():
                    n += 1
                    if words(f"{table} {column[0]}") & (BIOMETRIC | TRAITS | LIVE):
                        bad.append(f"{table}.{column[0]}")
        db.close()
    row("no column for a face, a biometric or a trait", f"{n} columns of index.db and register.db" + (f"; {bad}" if bad else ""),
        n > 50 and not bad)


# ---- run --------------------------------------------------------------------------------------------------------

def loopback_up():
    """ip link set lo up, without the package that has ip."""
    import fcntl
    import socket
    import struct
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running


def counters():
    out = {}
    with open("/proc/net/snmp") as f:
        lines = f.read().splitlines()
    for names, values in zip(lines[::2], lines[1::2]):
        kind = names.split(":")[0]
        for k, v in zip(names.split()[1:], values.split()[1:]):
            out[f"{kind}.{k}"] = int(v)
    return out


def inside(build):
    """Runs in the namespace: the real programs on real footage."""
    sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
    os.environ["VARIANT"] = os.path.basename(build)
    import relecture_e2e as e2e
    loopback_up()
    with open("/proc/net/dev") as f:
        devices = {line.split(":")[0].strip() for line in f if ":" in line}
    row("the run below has no network", f"interfaces: {few(devices)}", devices <= {"lo", "tunl0", "sit0", "ip6tnl0", "gre0"})
    site = e2e.Site()
    try:
        before = counters()
        (item,) = site.items(e2e.clip("prove.mp4", "-i", e2e.VTEST, "-t", "8", "-c:v", "libx264", "-preset", "veryfast", "-an"))
        found = site.search("personne")["total"]
        row("footage is imported and searched without network", f"{item['state']}, {found} passages",
            item["state"] == "done" and found > 0)
        tables(site.dir)
        plates(site)
        live(site)
        server = site.serve()
        try:
            client = server.login("operator")
            status, answer = client.post("/search", {"sentence": "personne"})
            thumb = client.ask("GET", f"/media/t/{answer['items'][0]['id']}.jpg?case={site.case}")[0]
            policy = client.ask("GET", "/")[1].get("Content-Security-Policy") or ""
            clip = client.ask("GET", f"/media/clip/{answer['items'][0]['id']}.mp4?case={site.case}")[0]
        finally:
            server.stop()
        row("the server answers searches, pictures and clips without network", f"status {status}, {thumb}, {clip}",
            (status, thumb, clip) == (200, 200, 200))
        row("the browser is told to fetch from this server alone", policy[:60], "default-src 'self'" in policy and "//" not in policy)
        after = counters()
        tried = {k: after[k] - before[k] for k in ("Ip.OutNoRoutes", "Udp.OutDatagrams", "Icmp.OutMsgs") if k in after}
        row("nothing tried to reach another machine", ", ".join(f"{k} {v}" for k, v in tried.items()),
            all(v == 0 for v in tried.values()))
    finally:
        site.close()


def plates(site):
    config = os.path.join(site.dir, "relecture.conf")
    with open(config) as f:
        own = [line for line in f if line.startswith("site.allowed")]
    db = sqlite3.connect(f"file:{os.path.join(site.dir, 'index.db')}?mode=ro", uri=True)
    n = db.execute("SELECT (SELECT count(*) FROM plate_block) + (SELECT count(*) FROM sighting WHERE plate_id IS NOT NULL)").fetchone()[0]
    db.close()
    likeness = os.path.join(site.dir, "likeness")
    vectors = sum(len(f) for _, _, f in os.walk(likeness)) if os.path.isdir(likeness) else 0
    p = site("search", "--case", site.case, "--json", "plaque AB-123-CD")
    row("plates are off unless the site and the case allow them", f"as installed: {n} plates stored, a search for one ends with {p.returncode} (4 = refused)",
        not own and n == 0 and p.returncode == 4)
    row("no description of a look is stored unless the site allows it, and then of vehicles only", f"{vectors} files of vectors", vectors == 0)


def live(site):
    pipe = os.path.join(site.top, "pipe.mp4")
    os.mkfifo(pipe)
    tried, taken = ("rtsp://127.0.0.1/live", "udp://127.0.0.1:5000", "http://127.0.0.1/film.mp4", "/dev/null", pipe), []
    for source in tried:
        p = site(*site.import_args(source), timeout=60)
        if p.returncode == 0 or '"done"' in p.stdout:
            taken.append(source)
    playlist = os.path.join(site.top, "list.m3u8")
    with open(playlist, "w") as f:
        f.write("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://127.0.0.1/a.ts\n#EXT-X-ENDLIST\n")
    p = site(*site.import_args(playlist), timeout=60)
    if '"done"' in p.stdout:
        taken.append("a playlist")
    row("no live input is taken: addresses, devices, pipes and playlists are refused", f"{len(tried) + 1} tried" + (f"; taken: {few(taken)}" if taken else ""),
        not taken)


def run_without_network(build):
    command = [sys.executable, "-B", os.path.abspath(__file__), "--build", build, "--inside"]
    for how in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if not shutil.which("unshare") or subprocess.run([*how, "true"], capture_output=True).returncode != 0:
            continue
        p = subprocess.run([*how, *command], capture_output=True, text=True, timeout=580)
        if p.returncode not in (0, 1) or not p.stdout.startswith("["):
            row("the run without network", (p.stderr.strip().splitlines() or ["no answer"])[-1][:120], False)
            return
        rows.extend(json.loads(p.stdout))
        return
    row("the run without network", "SKIPPED: this account may not make a network namespace (unshare -n); run as root", None)


# ---- told -------------------------------------------------------------------------------------------------------

def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    a.add_argument("--models", default=os.path.join(ROOT, "build", "models"))
    a.add_argument("--web", default=os.path.join(ROOT, "build", "web"))
    a.add_argument("--static", action="store_true")
    a.add_argument("--json", action="store_true")
    a.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    o = a.parse_args()
    if o.inside:
        inside(o.build)
        print(json.dumps(rows))
        return 0
    if not o.json:
        sums(o.build)
        print()
    programs(o.build)
    models(o.models)
    page(o.web)
    if not o.static:
        run_without_network(o.build)
    if o.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        for r in rows:
            print(f"{'ok     ' if r['ok'] else 'skipped' if r['ok'] is None else 'MISSING'}  {r['claim']}\n           {r['evidence']}")
        n_bad, n_skipped = sum(r["ok"] is False for r in rows), sum(r["ok"] is None for r in rows)
        print(f"\n{len(rows)} claims, {n_bad} not borne out, {n_skipped} not looked at")
    return 1 if any(r["ok"] is False for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
