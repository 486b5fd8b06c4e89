#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What must not work: hostile JSON, headers, ranges, cookies and paths, replayed tokens, races of two persons, clients
that dribble or never read. Each is refused with the right status, and nothing else is disturbed."""
import os
import socket
import ssl
import subprocess
import threading
import time

from relecture_e2e import Site, main, run, short_clip, wait_for

site = Site()
site.items(short_clip())
server = site.serve()
operator = server.login("operator")
chief = server.login("chief")
auditor = server.login("auditor")
passage = site.persons()[0]["id"]


def connect():
    host, port = server.host.split(":")
    return server.tls.wrap_socket(socket.create_connection((host, int(port)), timeout=60), server_hostname=host)


def raw(request):
    """Status and bytes of the answer to these very bytes; 0 when the connection was closed without one."""
    with connect() as s:
        try:
            s.sendall(request)
            data = s.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
    return (int(data[9:12]), data) if data[:5] == b"HTTP/" else (0, data)


def head(method, path, more=b"", client=operator):
    return (f"{method} {path} HTTP/1.1\r\nHost: {server.host}\r\nCookie: {client.cookie}\r\nX-CSRF: {client.csrf}\r\n"
            f"X-Case: {site.case}\r\n").encode() + more + b"\r\n"


def alive():
    """The server is the same process and answers the others."""
    assert server.process.poll() is None, "the server ended"
    assert operator.get("/session")[0] == 200


def all_headers_are_there(answer):
    for name in (b"Content-Security-Policy: ", b"Strict-Transport-Security: ", b"X-Content-Type-Options: nosniff",
                 b"Referrer-Policy: no-referrer", b"Cross-Origin-Opener-Policy: same-origin", b"Permissions-Policy: "):
        assert name in answer, (name, answer[:300])


def hostile_json_is_refused():
    bad = [b"", b"[" * 5000, b"{" * 5000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"sentence":"\xff\xfe"}', b'{"sentence":"a\x00b"}',
           b'{"sentence":"\\ud800"}', b'{"limit":1e999}', b'{"limit":99999999999999999999999}', b'{"a":1,"a":2}', b"{}}", b"null",
           b'{"sentence":"\\u0000"}', b'\xef\xbb\xbf{}', b'{"sentence":{"sentence":{}}}', b'{"where":[[[[]]]]}', b'{"limit":-1}',
           b'{"limit":"5"}', b'{"time":{"from_ms":9223372036854775807,"to_ms":-9223372036854775808}}', b'{"area":{"points":[[1e308,1e308]]}}']
    for body in bad:
        status, answer = raw(head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)) + body)
        assert status in (400, 422), (body[:60], status, answer[-200:])
        all_headers_are_there(answer)
    alive()


def bodies_beyond_the_limit_are_refused():
    status, answer = raw(head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: 70000\r\n") + b"x" * 70000)
    assert status in (0, 413), status  # 0: closed while the rest was being sent
    status, answer = raw(head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: 9999999999\r\n"))
    assert status == 413, (status, answer)
    all_headers_are_there(answer)
    for length in (b"-1", b"5x", b"99999999999999999999999999", b""):
        status, answer = raw(head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: " + length + b"\r\n") + b"{}")
        assert status in (0, 400, 413), (length, status)
    alive()


def hostile_headers_are_refused_and_no_request_is_smuggled():
    before = operator.get("/system")[1]["http"]["searches"]
    odd = [b"X-Long: " + b"a" * 20000 + b"\r\n", b"".join(b"X-%d: y\r\n" % i for i in range(3000)), b"no colon here\r\n",
           b" leading: space\r\n", b"Host: evil.example\r\n", b"Host:\r\n"]
    for more in odd:
        status, answer = raw(head("GET", "/api/v1/session", more))
        # A second Host is ignored by the parser, the first one counts.
        assert status in (0, 200, 400, 413, 421), (more[:40], status)
    hidden = head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: 2\r\n") + b"{}"
    for smuggler in (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n" % len(hidden),
                     b"Transfer-Encoding: chunked, identity\r\n", b"Content-Length: 3\r\nContent-Length: %d\r\n" % len(hidden)):
        raw(head("POST", "/api/v1/routes", b"Content-Type: application/json\r\n" + smuggler) + b"0\r\n\r\n" + hidden)
    for line in (b"GET\r\n\r\n", b"GET / HTTP/1.1 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"GET / HTTP/3.7\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n"):
        status, answer = raw(line)
        assert status in (0, 400, 405, 421, 501), (line, status)
        if status:
            all_headers_are_there(answer)
    alive()
    assert operator.get("/system")[1]["http"]["searches"] - before <= 2, "a hidden request was answered"


def paths_and_numbers_lead_nowhere_else():
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../relecture.conf", "/api/v1/../../register.db",
                 "/api/v1/media/t/..%2f..%2fregister.db.jpg", "/api/v1/media/clip/%00.mp4", "/api/v1/cases/..%2f..", "//etc/passwd",
                 "/api/v1/media/t/1%20OR%201=1.jpg", "/api/v1/sightings/' OR 1=1 --".replace(" ", "%20"), "/api/v1/seals/1;DROP/archive",
                 "/api/v1/sightings/18446744073709551616", "/api/v1/sightings/-1", "/api/v1/sightings/0x10", "/" + "a" * 9000):
        status, _, body = operator.ask("GET", path if path.startswith("/api/") else "/api/v1/../.." + path)
        assert status in (400, 404), (path, status)
        assert b"root:" not in body and b"SQLite format" not in body, path
    alive()


def sql_in_texts_stays_text():
    evil = "x'); DROP TABLE journal; --"
    for query in ("user", "action", "case_id"):
        status, body = auditor.get(f"/journal?{query}=%27%20OR%20%271%27=%271")
        assert (status, body["items"]) == (200, []), (query, body)
    for case in ("' OR '1'='1", "2026-0001' --", "%", "2026-000_", "*"):
        status, body = operator.get("/decisions", X_Case=case)
        assert (status, body["code"]) == (403, "no_case"), (case, body)
    assert server.client().post("/login", {"login": "' OR 1=1 --", "secret": "x"})[0] == 401
    status, saved = operator.post(f"/cases/{site.case}/searches", {"name": evil, "question": {"sentence": evil}})
    assert status == 201 and saved["name"] == evil, saved
    status, kept = operator.post(f"/cases/{site.case}/exhibits", {"sighting_id": passage, "note": evil})
    assert status == 201 and kept["note"] == evil, kept
    assert operator.post("/search", {"sentence": evil})[0] in (200, 422)
    assert auditor.post("/journal/verify")[1]["ok"]


def tokens_of_ended_or_other_sessions_open_nothing():
    gone = server.login("operator", "op-gone")
    cookie, csrf = gone.cookie, gone.csrf
    assert gone.post("/logout")[0] == 200
    gone.cookie, gone.csrf = cookie, csrf
    assert gone.get("/boot")[0] == 401 and gone.post("/search", {})[0] == 401
    mixed = server.client()
    mixed.cookie, mixed.csrf = operator.cookie, chief.csrf
    status, body = mixed.post("/search", {})
    assert (status, body["code"]) == (403, "bad_csrf"), body
    mixed.csrf = operator.csrf
    for site_of in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"http://{server.host}"}, {"Sec_Fetch_Site": "cross-site"}):
        status, body = mixed.post("/search", {}, **site_of)
        assert (status, body["code"]) == (403, "wrong_origin"), (site_of, body)
    # The last five sessions of a user count; a sixth login ends the oldest.
    many = [server.login("operator", "op-gone") for _ in range(6)]
    assert many[0].get("/session")[0] == 401 and all(c.get("/session")[0] == 200 for c in many[1:])


def a_user_disabled_by_another_process_is_out_at_once_and_his_stream_ends():
    victim = server.login("operator", "op-out")
    with connect() as stream:
        stream.sendall(head("GET", f"/api/v1/events?case={site.case}", client=victim))
        assert b"200 OK" in stream.recv(4096)
        assert victim.get("/boot")[0] == 200
        site("user", "disable", "--login", "op-out", check=0)
        status, body = victim.get("/boot")
        assert (status, body["params"]["reason"]) in ((401, "ended"), (401, "disabled")), body
        stream.settimeout(20)
        told = b""
        while b"event: session" not in told:
            part = stream.recv(65536)
            assert part, told[-200:]
            told += part
    site("user", "enable", "--login", "op-out", check=0)
    assert victim.get("/boot")[0] == 401, "an ended session does not come back"
    assert server.login("operator", "op-out").get("/boot")[0] == 200
    assert operator.get("/boot")[0] == 200


def at_once(calls):
    """The answers of calls made at the same moment."""
    gate, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def one(i):
        gate.wait()
        answers[i] = calls[i]()

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def two_chiefs_approving_at_once_approve_once():
    chiefs = [chief, server.login("chief", "chief-2"), server.login("chief", "chief-3")]
    base = f"/cases/{site.case}/extensions"
    for n in range(3):
        status, asked = operator.post(base, {"reason": "plus long", "doc_sha256": "0" * 64, "to_ms": 1795190400000 + (n + 1) * 60000})
        assert status == 201, asked
        answers = at_once([lambda c=c: c.post(f"{base}/{asked['id']}/approve", {}) for c in chiefs])
        assert sorted(s for s, _ in answers) == [200, 409, 409], answers
        assert {b["code"] for s, b in answers if s == 409} == {"already_decided"}, answers
        lines = [i for i in auditor.get("/journal?action=extension.approve")[1]["items"] if i["object"] == str(asked["id"])]
        assert len(lines) == 1, lines


def two_persons_deciding_at_once_decide_once():
    other = site.persons()[1]["id"]
    clients = [operator, chief, server.login("operator", "op-2")]
    answers = at_once([lambda c=c: c.post(f"/sightings/{other}/decision", {"state": "confirmed"}, If_Match='"0"') for c in clients])
    assert sorted(s for s, _ in answers) == [200, 412, 412], answers
    assert len(operator.get(f"/sightings/{other}/decisions")[1]["items"]) == 1
    for tag in ('"', "0", '"-1"', '"0", "1"', "*", '"99999999999"'):
        assert operator.post(f"/sightings/{other}/decision", {"state": "rejected", "reason": "x"}, If_Match=tag)[0] == 400, tag


def odd_ranges_give_the_whole_or_a_refusal():
    url = f"/media/clip/{passage}.mp4"
    status, headers, whole = operator.ask("GET", url)
    assert status == 200
    for asked, wanted in (("bytes=0-0", 206), ("bytes=-5", 206), ("bytes=5-", 206), (f"bytes={len(whole)}-", 416), ("bytes=9-5", 200),
                          ("bytes=0-1,3-4", 200), ("bytes=" + "0-1," * 2000 + "0-1", 200), ("bytes=99999999999999999999-", 416),
                          ("lines=0-5", 200), ("bytes=a-b", 200), ("bytes=--5", 200), ("bytes=-0", 416)):
        status, headers, part = operator.ask("GET", url, headers={"Range": asked})
        assert status == wanted or (wanted == 200 and status == 416), (asked[:40], status)
        if status == 206:
            assert headers["Content-Range"].endswith(f"/{len(whole)}") and len(part) == int(headers["Content-Length"]), headers
        if status == 200:
            assert part == whole, asked[:40]


def clients_that_dribble_or_never_read_hold_up_nobody_and_are_cut_off():
    slow = [connect() for _ in range(8)]
    for s in slow[:4]:
        s.sendall(b"GET /api/v1/session HTTP/1.1\r\nHost: ")
    for s in slow[4:6]:
        s.sendall(head("POST", "/api/v1/search", b"Content-Type: application/json\r\nContent-Length: 5000\r\n") + b"{")
    for s in slow[6:]:  # asks for much and does not read
        for _ in range(20):
            s.sendall(head("GET", f"/api/v1/media/clip/{passage}.mp4"))
    mute = [socket.create_connection(tuple(server.host.split(":")), timeout=60) for _ in range(4)]  # no TLS at all
    for s in mute[:2]:
        s.sendall(b"\x16\x03\x01")
    began = time.monotonic()
    for _ in range(10):
        assert operator.post("/search", {"sentence": "personne", "limit": 5})[0] == 200
    ended = [False] * 4

    def watch():
        for i, s in enumerate(slow[:4]):
            if not ended[i]:
                try:
                    s.sendall(b"x")
                    s.settimeout(0.2)
                    ended[i] = s.recv(4096) == b""
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
                except OSError:
                    ended[i] = True
        return all(ended)

    wait_for(watch, 90, "the dribbling clients are cut off")
    assert time.monotonic() - began > 10, "they had a fair chance"
    for s in mute:  # cut off too, with or without an alert
        s.settimeout(60)
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
    for s in slow + mute:
        s.close()
    alive()


def old_tls_and_weak_ciphers_are_refused():
    host, port = server.host.split(":")
    for version in ("-tls1", "-tls1_1", "-ssl3"):
        p = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", version], input="", capture_output=True, text=True, timeout=60)
        assert "Cipher is ECDHE" not in p.stdout and "TLS_AES" not in p.stdout, p.stdout
    p = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", "-cipher", "AES128-SHA"], input="", capture_output=True,
                       text=True, timeout=60)
    assert "Cipher is (NONE)" in p.stdout, p.stdout
    for version in ("-tls1_2", "-tls1_3"):
        p = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", version, "-CAfile", f"{site.dir}/tls/cert.pem"], input="",
                           capture_output=True, text=True, timeout=60)
        assert "Verify return code: 0 (ok)" in p.stdout, p.stdout[-500:]


def a_key_that_others_may_read_or_that_does_not_fit_is_named():
    two = Site()
    key = os.path.join(two.dir, "tls", "key.pem")
    os.chmod(key, 0o644)
    p = two("serve", "--listen", "127.0.0.1:0", timeout=60)
    assert p.returncode != 0 and "chmod 600" in p.stderr, p
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key, check=0)
    os.chmod(key, 0o600)
    p = two("serve", "--listen", "127.0.0.1:0", timeout=60)
    assert p.returncode != 0 and "belong to cert.pem" in p.stderr, p
    os.unlink(os.path.join(two.dir, "tls", "cert.pem"))
    p = two("serve", "--listen", "127.0.0.1:0", timeout=60)
    assert p.returncode != 0 and "put the certificate of key.pem there" in p.stderr, p
    # With both gone, as in a directory of an earlier version, new ones are made.
    os.unlink(key)
    made = two.serve()
    assert made.login("auditor").get("/roles")[0] == 200
    made.stop()
    two.close()


def after_all_of_it_the_journal_is_whole_and_no_secret_is_in_it():
    alive()
    assert auditor.post("/journal/verify")[1]["ok"]
    server.stop()
    site("journal", "verify", check=0)
    with open(os.path.join(site.dir, "register.db"), "rb") as f:
        data = f.read()
    assert b"Correct-Horse" not in data and operator.cookie.split("=")[1].encode() not in data
    assert operator.csrf.encode() not in data


if __name__ == "__main__":
    try:
        main([
            hostile_json_is_refused,
            bodies_beyond_the_limit_are_refused,
            hostile_headers_are_refused_and_no_request_is_smuggled,
            paths_and_numbers_lead_nowhere_else,
            sql_in_texts_stays_text,
            tokens_of_ended_or_other_sessions_open_nothing,
            a_user_disabled_by_another_process_is_out_at_once_and_his_stream_ends,
            two_chiefs_approving_at_once_approve_once,
            two_persons_deciding_at_once_decide_once,
            odd_ranges_give_the_whole_or_a_refusal,
            clients_that_dribble_or_never_read_hold_up_nobody_and_are_cut_off,
            old_tls_and_weak_ciphers_are_refused,
            a_key_that_others_may_read_or_that_does_not_fit_is_named,
            after_all_of_it_the_journal_is_whole_and_no_secret_is_in_it,
        ])
    finally:
        if server.process.poll() is None:
            server.stop()
        site.close()
