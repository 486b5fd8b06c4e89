#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""/metrics counts what happened, in a form that Prometheus reads, and tells nothing else."""
import re
import socket
import subprocess
import urllib.error
import urllib.request

from relecture_e2e import Site, main, short_clip, wait_for

site = server = None
port = 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scrape():
    """{name with labels: value}; every line must be a comment or a sample."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as r:
        assert r.headers["Content-Type"].startswith("text/plain; version=0.0.4"), r.headers
        text = r.read().decode()
    out = {}
    for line in text.splitlines():
        if line.startswith("# "):
            assert re.match(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge))$", line), line
        else:
            name, value = re.fullmatch(r'([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) ([0-9.e+-]+)', line).groups()
            out[name] = float(value)
    return out, text


def what_happened_is_counted():
    global site, server, port
    site = Site()
    port = free_port()
    server = site.popen("--set", f"site.metrics_port={port}", "serve", "--listen", "127.0.0.1:0", stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL)
    assert "127.0.0.1:" in server.stdout.readline()
    before, _ = scrape()
    assert before["relecture_card_jobs_done_total"] == 0
    assert before["process_open_fds"] > 3 and before["process_resident_memory_bytes"] > 1e6
    assert 0 < before["relecture_disk_free_bytes"] < before["relecture_disk_size_bytes"]
    assert before['relecture_import_recordings{state="running"}'] == 0
    # an import through the server is seen
    site.items(short_clip())
    done = 'relecture_import_recordings{state="done"}'
    wait_for(lambda: scrape()[0][done] == 1, 60, "the importer's last word")
    after, _ = scrape()
    assert after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]
    # one worker for the detector, one for each network on crops
    assert after["relecture_cards"] == 3 and after["relecture_cards_ready"] >= 1, after
    assert after["relecture_card_jobs_done_total"] > 0, after
    assert after["relecture_card_simulated"] == 1


def nothing_but_numbers_is_told():
    _, text = scrape()
    for secret in (site.case, "gare", "PV 2026", site.dir, "short.mp4"):
        assert secret not in text, secret


def nothing_else_is_answered():
    for path in ("/", "/api/v1/boot", "/metrics/../"):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60)
            raise AssertionError(path)
        except urllib.error.HTTPError as e:
            assert e.code in (400, 404), (path, e.code)


def a_taken_port_is_said():
    second = Site()
    p = second("--set", f"site.metrics_port={port}", "serve", "--listen", "127.0.0.1:0", check=1)
    assert "site.metrics_port" in p.stderr, p.stderr
    second.close()
    server.terminate()
    assert server.wait(60) == 0


if __name__ == "__main__":
    try:
        main([what_happened_is_counted, nothing_but_numbers_is_told, nothing_else_is_answered, a_taken_port_is_said])
    finally:
        if server and server.poll() is None:
            server.kill()
        if site:
            site.close()
