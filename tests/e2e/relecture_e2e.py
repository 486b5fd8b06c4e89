# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the shipped binaries, a fresh data directory, TAP output."""
import atexit
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"))
RELECTURE = os.path.join(BUILD, "relecture")
VTEST = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
START = "2026-11-20T14:00:00Z"
START_MS = 1795183200000
PASSWORD = "Correct-Horse-7"


def run(*args, check=None, timeout=300, **kw):
    """Runs a program; returns CompletedProcess with text. check = expected exit status."""
    p = subprocess.run(args, capture_output=True, text=True, timeout=timeout, **kw)
    if check is not None and p.returncode != check:
        raise AssertionError(f"{' '.join(args[:6])}... ended with {p.returncode}, not {check}\n{p.stdout}\n{p.stderr}")
    return p


class Site:
    """A data directory with one camera and one open case."""

    def __init__(self, cameras=("gare-01",), criteria="all", hours=("13", "16"), exe=RELECTURE):
        self.exe = exe
        self.top = tempfile.mkdtemp(prefix="relecture-e2e-")
        self.dir = os.path.join(self.top, "data")
        run(self.exe, "init", self.dir, check=0)
        # The footage of these tests carries a fixed date: a server that purges would erase it one day.
        with open(os.path.join(self.dir, "relecture.conf"), "a") as f:
            f.write("site.purge = by_hand\n")
        for c in cameras:
            self("camera", "add", "--id", c, "--name", f"Caméra {c}", "--lat", "43.5536", "--lon", "7.0174", check=0)
        out = self("case", "open", "--requisition", "PV 2026/00812", "--authority", "OPJ, commissariat", "--basis",
                   "CPP 60-1", "--from", f"2026-11-20T{hours[0]}:00:00Z", "--to", f"2026-11-20T{hours[1]}:00:00Z",
                   "--cameras", ",".join(cameras), "--criteria", criteria, "--expires", "2099-01-01T00:00:00Z", "--json",
                   check=0).stdout
        self.case = json.loads(out)["id"]

    def __call__(self, *args, **kw):
        return run(self.exe, "-d", self.dir, *args, **kw)

    def import_args(self, *files, camera="gare-01", start=START):
        return ["import", "--case", self.case, "--camera", camera, "--start", start, "--json", *files]

    def items(self, *files, check=0, **kw):
        """Imports and returns the finished items."""
        out = self(*self.import_args(*files, **kw), check=check).stdout
        return [json.loads(line) for line in out.splitlines()]

    def search(self, sentence="*", limit=200, check=0):
        return json.loads(self("search", "--case", self.case, "--json", "--limit", str(limit), sentence, check=check).stdout)

    def persons(self):
        """Every person, without what legitimately differs between two runs."""
        items = self.search("personne")["items"]
        for i in items:
            i.pop("took_ms", None)
        return sorted(items, key=lambda i: i["id"])

    def user(self, login, role, password=PASSWORD, name=None):
        """An account, made by the command."""
        self("user", "add", "--login", login, "--name", name or f"Personne {login}", "--role", role, "--habilitation",
             "arrêté 2026-12", input=password + "\n", check=0)

    def serve(self, *settings):
        """A running server; its first line has been read."""
        return Server(self, settings)

    def popen(self, *args, **kw):
        return subprocess.Popen([self.exe, "-d", self.dir, *args], text=True, **kw)

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


class Server:
    """`relecture serve` on a port of its own. Its certificate is checked by every client."""

    def __init__(self, site, settings=()):
        self.site = site
        sets = [a for s in settings for a in ("--set", s)]
        self.process = site.popen(*sets, "serve", "--listen", "127.0.0.1:0", stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        atexit.register(self.end)  # a test that failed in the middle leaves no server behind
        line = self.process.stdout.readline()
        assert "https://" in line, line
        self.host = line.split("https://")[1].split("/")[0]
        self.tls = ssl.create_default_context(cafile=os.path.join(site.dir, "tls", "cert.pem"))

    def client(self):
        """Somebody who has not logged in."""
        return Client(self)

    def login(self, role="operator", login=None, password=PASSWORD):
        """A client signed in as a user of that role, who is made when he is not there."""
        login = login or role + "-1"
        known = json.loads(self.site("user", "list", "--json", check=0).stdout)
        if not any(u["login"] == login for u in known):
            self.site.user(login, role, password)
        c = self.client()
        status, body = c.post("/login", {"login": login, "secret": password})
        assert status == 200, (status, body)
        return c

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)


class Client:
    """A browser's side of the API: cookie, X-CSRF, X-Case. Paths are below /api/v1 unless they say so."""

    seen = None  # a list gets (method, path, status, headers, body) of every answer

    def __init__(self, server):
        self.server = server
        self.cookie = self.csrf = None
        self.case = server.site.case

    def ask(self, method, path, body=None, headers=None, timeout=120):
        """Status, headers and bytes of the answer."""
        h = {"X-Case": self.case} if self.case else {}
        if self.cookie:
            h["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            h["X-CSRF"] = self.csrf
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            h["Content-Type"] = "application/json"
        h.update(headers or {})
        c = http.client.HTTPSConnection(self.server.host, timeout=timeout, context=self.server.tls)
        try:
            c.request(method, path if path.startswith(("/api/", "/assets/")) or path == "/" else "/api/v1" + path, body,
                      {k: v for k, v in h.items() if v is not None})
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if Client.seen is not None:
            Client.seen.append((method, path, r.status, r.headers, data))
        for line in r.headers.get_all("Set-Cookie") or []:
            self.cookie = line.split(";")[0]
        return r.status, r.headers, data

    def json(self, method, path, body=None, **headers):
        """Status and JSON; header names are given with _ for -."""
        status, _, data = self.ask(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = json.loads(data) if data else None
        if status == 200 and isinstance(answer, dict) and "csrf" in answer:
            self.csrf = answer["csrf"]
        return status, answer

    def get(self, path, **headers):
        return self.json("GET", path, None, **headers)

    def post(self, path, body=None, **headers):
        return self.json("POST", path, {} if body is None else body, **headers)


def clip(name, *ffmpeg_args):
    """A test file made by ffmpeg once per build, in build/e2e."""
    folder = os.path.join(ROOT, "build", "e2e")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        part = os.path.join(folder, "part-" + name)
        run("ffmpeg", "-nostdin", "-v", "error", "-y", *ffmpeg_args, part, check=0)
        os.rename(part, path)
    return path


def short_clip():
    """The first 20 s of the pedestrian clip, as H.264 with B-frames in MP4."""
    return clip("short.mp4", "-i", VTEST, "-t", "20", "-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-bf", "2", "-an")


def wait_for(condition, limit_s, what):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"not within {limit_s} s: {what}")


def read_proc(path):
    """A file of /proc as text; empty when the process or thread it speaks of has just ended (which /proc tells as
    ENOENT at opening, or as ESRCH in the middle of reading)."""
    try:
        with open(path) as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(pid):
    """Direct children of a process: {pid: program name}; none when it has ended."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    kids = [c for task in tasks for c in read_proc(f"/proc/{pid}/task/{task}/children").split()]
    names = {int(c): read_proc(f"/proc/{c}/comm").strip() for c in kids}
    return {c: name for c, name in names.items() if name}


def main(tests):
    """Runs every test function; its name, with spaces, is the fact it states."""
    failed = 0
    for n, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            why = test()
            print(f"ok {n} - {name}" + (f" # SKIP {why}" if why else ""), flush=True)
        except Exception:
            failed += 1
            print(f"not ok {n} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    print(f"1..{len(tests)}")
    sys.exit(1 if failed else 0)
