#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""make bench-api: the API under 22 clients over TLS, and the server's CPU per request beside nginx's in the same run.
One table; ends with 1 when a goal is missed. wrk and nginx come from Debian.

    BENCH_API_ROWS=100000   sightings of the site (1,021 cameras, 30 days)
    BENCH_API_S=10          seconds of each measurement
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from relecture_e2e import BUILD, Server, Site, run  # noqa: E402

ROWS = int(os.environ.get("BENCH_API_ROWS", "100000"))
SECONDS = int(os.environ.get("BENCH_API_S", "10"))
CLIENTS = 22
# Operators read what they found; a question a second each is far more than people ask.
THINK_MS = 1000
SENTENCES = ["personne haut rouge", "fourgon blanc", "véhicule pas blanc", "personne en noir pantalon bleu",
             "voiture rouge 8h-10h", "personne haut gris ou bleu", "voiture blanche", "personne"]
TICK = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system time of a process, all of its threads."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def to_ms(text):
    value, unit = re.match(r"([0-9.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, pid, script=None, seconds=SECONDS):
    """Latencies, rate and CPU of the server for one load."""
    args = ["wrk", "-t", "1", "-c", str(CLIENTS), "-d", f"{seconds}s", "--latency", "--timeout", "10s"]
    before = cpu_s(pid)
    out = run(*args, *(["-s", script] if script else []), url, check=0, timeout=seconds + 60).stdout
    used = cpu_s(pid) - before
    n = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = re.search(r"Socket errors: (.*)", out)
    if bad or errors or n == 0:
        sys.exit(f"bench-api: {url}: {bad and bad.group(0)} {errors and errors.group(0)}\n{out}")
    return {"p50": to_ms(re.search(r"^\s+50%\s+(\S+)", out, re.M).group(1)), "p99": to_ms(re.search(r"^\s+99%\s+(\S+)", out, re.M).group(1)),
            "rate": n / seconds, "cpu_us": used / n * 1e6, "n": n}


def lua(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def headers(client):
    return (f'wrk.headers["Cookie"] = "{client.cookie}"\nwrk.headers["X-CSRF"] = "{client.csrf}"\n'
            f'wrk.headers["X-Case"] = "{client.case}"\nwrk.headers["Content-Type"] = "application/json"\n')


def start_nginx(folder, site, page):
    """One worker, the same certificate, the same headers, no access log: what a careful installation would run."""
    head = site.client_headers
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w") as f:
        f.write(f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 75s; tcp_nodelay on; sendfile on; default_type text/html;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{site.nginx_port} ssl; root {page};
    ssl_certificate {site.dir}/tls/cert.pem; ssl_certificate_key {site.dir}/tls/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
""" + "".join(f"    add_header {k} \"{v}\";\n" for k, v in head) + "  } }\n")
    p = subprocess.Popen(["nginx", "-p", folder, "-c", conf], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    if p.poll() is not None:
        sys.exit(f"bench-api: nginx ended: {open(folder + '/nginx.log').read()}")
    return p


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    site = Site()
    page = os.path.join(site.top, "page")
    os.mkdir(page)
    with open(os.path.join(page, "index.html"), "w") as f:
        f.write("<!doctype html>" + "x" * 1009)
    jpeg = os.path.join(site.top, "thumb.jpg")
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x200", "-frames:v", "1", "-q:v", "6", jpeg, check=0)
    site.case = None
    cameras = run(os.path.join(BUILD, "tests/bench/fill_site"), site.dir, str(ROWS), jpeg, check=0, timeout=1200).stdout.strip()
    case = site("case", "open", "--requisition", "PV 2026/01021", "--authority", "OPJ", "--basis", "CPP 60-1", "--from",
                "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z", "--cameras", cameras, "--criteria", "all", "--expires",
                "2099-01-01T00:00:00Z", "--json", check=0).stdout
    site.case = re.search(r'"id": "([^"]+)"', case).group(1)
    server = Server(site, [f"paths.web={page}", "site.purge=by_hand"])
    nginx = None
    try:
        operator = server.login()
        _, got, _ = operator.ask("GET", "/")
        site.client_headers = [(k, v) for k, v in got.items()
                               if k.startswith(("Content-Sec", "Strict", "X-", "Referrer", "Cross", "Permissions"))]
        site.nginx_port = free_port()
        nginx = start_nginx(site.top, site, page)
        url = f"https://{server.host}"
        status, answer = operator.post("/search", {"sentence": "personne", "limit": 60})
        assert status == 200, answer
        ids = [i["id"] for i in answer["items"]]
        asked = ", ".join(f'"{s}"' for s in SENTENCES)
        search = lua(site.top, "search.lua", headers(operator) + f"""
local asked, n = {{{asked}}}, 0
function request()
  n = n + 1
  return wrk.format("POST", "/api/v1/search", nil, '{{"sentence":"' .. asked[n % #asked + 1] .. '","limit":50}}')
end
function delay() return {THINK_MS} end
""")
        thumb = lua(site.top, "thumb.lua", headers(operator) + f"""
local ids, n = {{{", ".join(f'"{i}"' for i in ids)}}}, 0
function request()
  n = n + 1
  return wrk.format("GET", "/api/v1/media/t/" .. ids[n % #ids + 1] .. ".jpg")
end
""")
        pid = server.process.pid
        for path, p in ((url + "/", pid), (f"https://127.0.0.1:{site.nginx_port}/", nginx.pid)):
            wrk(path, p, seconds=1)
        found = wrk(url, pid, search)
        picture = wrk(url, pid, thumb)
        # Turn by turn, so that both meet the same machine.
        ours, theirs = [], []
        for _ in range(3):
            ours.append(wrk(url + "/", pid, seconds=max(2, SECONDS // 3)))
            theirs.append(wrk(f"https://127.0.0.1:{site.nginx_port}/", nginx.pid, seconds=max(2, SECONDS // 3)))
        our_us = sorted(r["cpu_us"] for r in ours)[1]
        their_us = sorted(r["cpu_us"] for r in theirs)[1]
        rows = [
            (f"search, {CLIENTS} clients, {THINK_MS} ms think time, {ROWS:,} sightings, p99", "50 ms", found["p99"] <= 50,
             f"{found['p99']:.1f} ms (p50 {found['p50']:.1f}, {found['rate']:.0f}/s, {found['cpu_us'] / 1000:.1f} CPU-ms each)"),
            (f"thumbnail, {CLIENTS} clients without pause, p99", "10 ms", picture["p99"] <= 10,
             f"{picture['p99']:.1f} ms (p50 {picture['p50']:.1f}, {picture['rate']:.0f}/s, {picture['cpu_us']:.0f} CPU-us each)"),
            ("CPU per request, 1 kB over TLS, keep-alive, beside nginx", "1.25x", our_us <= 1.25 * their_us,
             f"{our_us / their_us:.2f}x ({our_us:.1f} us against {their_us:.1f} us; "
             f"{max(r['rate'] for r in ours):.0f}/s against {max(r['rate'] for r in theirs):.0f}/s)"),
        ]
        print("| | goal | measured | |\n|---|---|---|---|")
        for what, goal, met, measured in rows:
            print(f"| {what} | {goal} | {measured} | {'met' if met else '**missed**'} |")
        with open("/proc/loadavg") as f:
            print(f"load of the machine while measuring: {f.read().split()[0]}, {os.cpu_count()} processors")
        return 0 if all(r[2] for r in rows) else 1
    finally:
        if nginx:
            nginx.terminate()
            nginx.wait(20)
        server.stop()
        site.close()


if __name__ == "__main__":
    sys.exit(main())
