#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The whole work of a centre by the API alone: an administrator makes users, a chief opens a case from a requisition,
an operator searches, decides and keeps, an officer reads, an auditor checks the journal."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import struct
import subprocess
import time

import jsonschema

from relecture_e2e import RELECTURE, ROOT, START_MS, Client, Server, Site, main, run, short_clip, wait_for

FAR_MS = 4102444800000  # 2100
DOC = "0" * 64
top = Site()
Client.seen = []
server = None
who = {}  # role: signed-in client
state = {}


def ok(answer, status=200):
    got, body = answer
    assert got == status, (got, body)
    return body


def refused(answer, status, code, **params):
    got, body = answer
    assert (got, body and body.get("code")) == (status, code), (got, body)
    for k, v in params.items():
        assert body["params"].get(k) == v, body
    return body


def journal(action, **filters):
    query = "".join(f"&{k}={v}" for k, v in filters.items())
    return ok(who["auditor"].get(f"/journal?action={action}{query}"))["items"]


def totp(secret, now=None):
    """RFC 6238: SHA-1, 30 s, 6 digits."""
    key = base64.b32decode(secret)
    mac = hmac.new(key, struct.pack(">Q", int(now or time.time()) // 30), hashlib.sha1).digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


def the_first_administrator_of_init_must_replace_his_password():
    global server
    fresh = os.path.join(top.top, "fresh")
    said = run(RELECTURE, "init", fresh, "--admin", "racine", check=0).stdout
    secret = re.search(r"login racine, one-time password (\S+) ", said).group(1)
    site = Site.__new__(Site)
    site.top, site.dir, site.case, site.exe = top.top, fresh, None, RELECTURE
    server = Server(site)
    admin = server.client()
    refused(admin.get("/session"), 401, "no_session", reason="none")
    first = ok(admin.post("/login", {"login": "racine", "secret": secret}))
    assert first["user"]["must_change"] is True and first["user"]["role"] == "administrator", first
    refused(admin.get("/users"), 403, "password_must_change")
    refused(admin.get("/boot"), 403, "password_must_change")
    refused(admin.post("/password", {"secret": secret, "new_secret": secret}), 422, "weak_password")
    refused(admin.post("/password", {"secret": "other", "new_secret": "Correct-Horse-8"}), 401, "bad_login")
    old = admin.cookie
    second = ok(admin.post("/password", {"secret": secret, "new_secret": "Correct-Horse-8"}))
    assert second["user"]["must_change"] is False and admin.cookie != old
    ok(admin.get("/users"))
    admin.cookie, new = old, admin.cookie
    refused(admin.get("/users"), 401, "no_session", reason="ended")
    admin.cookie = new
    who["administrator"] = admin
    # What init keeps is for its owner alone.
    for name in ("tls/key.pem", "register.db", "relecture.conf"):
        assert os.stat(os.path.join(fresh, name)).st_mode & 0o077 == 0, name


def logins_that_are_odd_or_guessed_are_refused():
    c = server.client()
    refused(c.post("/login", "[]"), 400, "bad_json")
    refused(c.post("/login", "{", Content_Type="text/plain"), 415, "bad_type")
    refused(c.post("/login", {"login": "racine"}), 422, "bad_field", field="secret")
    refused(c.post("/login", {"login": "racine", "secret": "x" * 300}), 422, "bad_field", field="secret")
    for _ in range(5):
        last = c.post("/login", {"login": "nobody", "secret": "Wrong-Horse-77"})
    body = refused(c.post("/login", {"login": "nobody", "secret": "Wrong-Horse-77"}), 429, "locked")
    assert last[0] in (401, 429) and 0 < body["params"]["retry_s"] <= 900, (last, body)
    # Another login from the same place is not held up by it.
    refused(c.post("/login", {"login": "racine", "secret": "Wrong-Horse-77"}), 401, "bad_login")


def an_administrator_makes_users_who_choose_their_own_passwords():
    admin = who["administrator"]
    now = ok(admin.get("/session"))["server_ms"]
    for role in ("operator", "officer", "chief", "auditor", "administrator"):
        login = f"{role}-2" if role == "administrator" else role
        made = ok(admin.post("/users", {"login": login, "name": f"Personne {role}", "role": role, "habilitation": "arrêté 12",
                                        "valid_from_ms": now - 1000, "valid_to_ms": now + 86400000}), 201)
        assert made["user"]["must_change"] and made["user"]["n_sessions"] == 0, made
        c = server.client()
        ok(c.post("/login", {"login": login, "secret": made["one_time_secret"]}))
        ok(c.post("/password", {"secret": made["one_time_secret"], "new_secret": "Correct-Horse-7"}))
        if role != "administrator":
            who[role] = c
    made = ok(admin.post("/users", {"login": "chief-2", "name": "Second chef", "role": "chief", "habilitation": "arrêté 13",
                                    "valid_from_ms": now - 1000, "valid_to_ms": now + 86400000}), 201)
    c = who["chief-2"] = server.client()
    ok(c.post("/login", {"login": "chief-2", "secret": made["one_time_secret"]}))
    ok(c.post("/password", {"secret": made["one_time_secret"], "new_secret": "Correct-Horse-7"}))
    refused(admin.post("/users", {"login": "chief", "name": "x", "role": "chief", "habilitation": "", "valid_from_ms": 1,
                                  "valid_to_ms": 2}), 409, "exists")
    for bad, field in (({"login": "a b"}, "login"), ({"role": "god"}, "role"), ({"valid_to_ms": 0}, "valid_to_ms"),
                       ({"name": ""}, "name"), ({"criteria": ["person.face"]}, "criteria"), ({"login": "x" * 64}, "login"),
                       ({"name": "a\nb"}, "name"), ({"valid_from_ms": "soon"}, "valid_from_ms")):
        refused(admin.post("/users", {"login": "new", "name": "n", "role": "operator", "habilitation": "h", "valid_from_ms": 1,
                                      "valid_to_ms": 2, **bad}), 422, "bad_field", field=field)
    refused(admin.post("/users", {"login": "new", "password": "x"}), 400, "bad_request", member="password")
    listed = {u["login"]: u for u in ok(admin.get("/users"))["items"]}
    assert set(listed) == {"racine", "operator", "officer", "chief", "chief-2", "auditor", "administrator-2"}, listed
    assert listed["operator"]["last_login_ms"] > 0 and listed["operator"]["criteria"] == ["all"], listed["operator"]


def the_last_administrator_can_neither_be_disabled_nor_demoted():
    admin = who["administrator"]
    ok(admin.json("PATCH", "/users/administrator-2", {"disabled": True}))
    refused(admin.json("PATCH", "/users/racine", {"disabled": True}), 409, "last_administrator")
    refused(admin.json("PATCH", "/users/racine", {"role": "chief"}), 409, "last_administrator")
    refused(admin.json("PATCH", "/users/racine", {"valid_from_ms": 1, "valid_to_ms": 2}), 409, "last_administrator")
    ok(admin.json("PATCH", "/users/racine", {"name": "Racine"}))
    refused(admin.json("PATCH", "/users/nobody", {"name": "x"}), 404, "not_found")


def roles_tell_the_matrix_and_the_server_keeps_to_it():
    rights = {r["role"]: set(r["rights"]) for r in ok(who["officer"].get("/roles"))["items"]}
    assert rights["auditor"] == {"journal_read", "figures_read"}, rights
    calls = {"search": ("POST", "/search"), "view": ("GET", "/media/t/1.jpg"), "decide": ("POST", "/sightings/1/decision"),
             "export_prepare": ("POST", "/cases/x/exhibits"), "case_read": ("GET", "/cases"), "case_open": ("POST", "/cases"),
             "camera_edit": ("POST", "/cameras"), "journal_read": ("POST", "/journal/verify"), "user_edit": ("GET", "/users")}
    for role, client in who.items():
        role = role.split("-")[0]
        for action, (method, path) in calls.items():
            status, body = client.json(method, path, {} if method == "POST" else None)
            said_no = status == 403 and body["code"] == "not_allowed"
            assert said_no == (action not in rights[role]), (role, action, status, body)
            if said_no:
                assert body["params"] == {"action": action, "role": role}, body
    kept = journal("refused", user="operator")
    assert any(i["detail"]["action"] == "user_edit" and i["station"] == "127.0.0.1" for i in kept), kept


def cameras_and_groups_are_kept_by_an_administrator():
    admin = who["administrator"]
    one = ok(admin.post("/cameras", {"id": "gare-01", "name": "Gare, parvis", "lat": 43.55, "lon": 7.01}), 201)
    assert one["heading_deg"] == -1 and one["clock_offset_ms"] == 0, one
    ok(admin.post("/cameras", {"id": "port-02", "name": "Port, quai"}), 201)
    refused(admin.post("/cameras", {"id": "port-02", "name": "Port"}), 409, "exists")
    refused(admin.post("/cameras", {"id": "../x", "name": "Port"}), 422, "bad_field", field="id")
    refused(admin.post("/cameras", {"id": "x", "name": "Port", "lat": 91}), 422, "bad_field", field="lat")
    refused(admin.json("PATCH", "/cameras/gare-01", {"clock_offset_ms": 2000}), 422, "bad_field", field="reason")
    moved = ok(admin.json("PATCH", "/cameras/gare-01", {"clock_offset_ms": 0, "heading_deg": 200, "fov_deg": 60,
                                                        "reason": "horloge vérifiée"}))
    assert (moved["heading_deg"], moved["fov_deg"], moved["name"]) == (200, 60, "Gare, parvis"), moved
    refused(admin.json("PATCH", "/cameras/nowhere", {"name": "x"}), 404, "not_found")
    columns = ok(who["operator"].get("/cameras"))
    assert columns["id"] == ["gare-01", "port-02"] and {len(v) for v in columns.values()} == {2}, columns
    group = ok(admin.post("/camera-groups", {"name": "Abords gare", "camera_ids": ["gare-01"]}), 201)
    refused(admin.post("/camera-groups", {"name": "Abords gare", "camera_ids": ["gare-01"]}), 409, "exists")
    refused(admin.post("/camera-groups", {"name": "x", "camera_ids": ["nowhere"]}), 422, "bad_field", field="camera_ids")
    wide = ok(admin.json("PATCH", f"/camera-groups/{group['id']}", {"camera_ids": ["gare-01", "port-02"]}))
    assert wide == {"id": group["id"], "name": "Abords gare", "camera_ids": ["gare-01", "port-02"]}, wide
    assert ok(who["operator"].get("/camera-groups"))["items"] == [wide]
    ok(admin.json("DELETE", f"/camera-groups/{group['id']}", {}))
    refused(admin.json("DELETE", f"/camera-groups/{group['id']}", {}), 404, "not_found")
    assert ok(who["operator"].get("/camera-groups"))["items"] == []


def requisition(**change):
    body = {"requisition": {"no": "PV 2026/00812", "authority": "OPJ Durand, commissariat", "legal_basis": "CPP 60-1",
                            "offence": "vol", "doc_sha256": DOC},
            "from_ms": START_MS - 3600000, "to_ms": START_MS + 3600000, "camera_ids": ["gare-01"], "expires_ms": FAR_MS,
            "criteria": [{"key": "person.tops", "line": "« un haut rouge »"}], "officers": ["officer"]}
    body.update(change)
    return body


def a_chief_opens_a_case_from_a_requisition_and_every_field_is_checked():
    chief = who["chief"]
    now = ok(chief.get("/session"))["server_ms"]
    req = requisition()["requisition"]
    body = requisition(expires_ms=now + 86400000)
    for change, field in (({"requisition": {**req, "no": ""}}, "no"), ({"requisition": {**req, "doc_sha256": "x"}}, "doc_sha256"),
                          ({"requisition": {k: v for k, v in req.items() if k != "offence"}}, "offence"),
                          ({"to_ms": 5}, "to_ms"), ({"camera_ids": []}, "camera_ids"), ({"camera_ids": ["nowhere"]}, "camera_ids"),
                          ({"criteria": []}, "criteria"), ({"criteria": [{"key": "person.face", "line": "x"}]}, "criteria"),
                          ({"criteria": [{"key": "person.tops", "line": ""}]}, "line"), ({"expires_ms": now - 1}, "expires_ms"),
                          ({"expires_ms": now + 4 * 365 * 86400000}, "expires_ms"), ({"officers": ["operator"]}, "officers")):
        refused(chief.post("/cases", {**body, **change}), 422, "bad_field", field=field)
    case = ok(chief.post("/cases", body), 201)
    assert case["state"] == "open" and case["opened_by"] == "chief" and case["officers"] == ["officer"], case
    assert case["criteria"] == [{"key": "person.tops", "line": "« un haut rouge »"}], case
    assert case["allowed_criteria"] == ["person.tops"] and case["requisition"]["doc_sha256"] == DOC, case
    other = ok(chief.post("/cases", {**body, "officers": [], "camera_ids": ["port-02"]}), 201)
    state["case"], state["other"] = case["id"], other["id"]
    for c in who.values():
        c.case = case["id"]
    assert [c["id"] for c in ok(who["officer"].get("/cases"))["items"]] == [case["id"]]
    refused(who["officer"].get(f"/cases/{other['id']}"), 404, "not_found")
    refused(who["officer"].get("/decisions", X_Case=other["id"]), 403, "no_case")
    assert len(ok(who["operator"].get("/cases"))["items"]) == 2
    (line,) = journal("case.open", case_id=case["id"])
    assert line["detail"]["requisition"]["no"] == "PV 2026/00812" and line["user"] == "chief", line
    refused(who["operator"].get("/cases/2026-9999"), 404, "not_found")
    got = ok(who["operator"].get(f"/cases/{case['id']}"))
    assert got["extensions"] == [] and got["n_exhibits"] == 0, got
    ok(chief.post(f"/cases/{other['id']}/officers", {"officers": ["officer"]}))
    refused(chief.post(f"/cases/{other['id']}/officers", {"officers": ["nobody"]}), 422, "bad_field", field="officers")
    assert len(ok(who["officer"].get("/cases"))["items"]) == 2


def a_search_is_bound_by_site_case_and_user():
    site = server.site
    site("import", "--case", state["case"], "--camera", "gare-01", "--start", "2026-11-20T14:00:00Z", short_clip(), check=0)
    operator = who["operator"]
    found = ok(operator.post("/search", {"sentence": "personne"}))
    assert found["total"] > 3 and all(i["decision"] is None and i["exhibit_id"] is None for i in found["items"]), found
    state["ids"] = [i["id"] for i in found["items"]]
    ok(operator.post("/search", {"sentence": "personne haut rouge"}))
    refused(operator.post("/search", {"sentence": "personne pantalon noir"}), 403, "criterion_not_allowed")  # case
    refused(operator.post("/search", {"sentence": "voiture comme", "plate": {"pattern": "AB123CD"}}), 403,
            "criterion_not_allowed")  # site
    ok(who["administrator"].json("PATCH", "/users/operator", {"criteria": ["person.bottoms"]}))
    refused(operator.post("/search", {"sentence": "personne haut rouge"}), 403, "criterion_not_allowed")  # user
    ok(who["administrator"].json("PATCH", "/users/operator", {"criteria": ["all"]}))
    ok(operator.post("/search", {"sentence": "personne haut rouge"}))
    kept = journal("search", user="operator")
    assert kept[0]["detail"]["asked"] == {"sentence": "personne haut rouge"} and kept[0]["detail"]["ids"], kept[0]
    spans = ok(operator.get("/coverage"))["spans"]
    assert spans and all(s["camera_id"] == "gare-01" and s["state"] in ("indexed", "night", "damaged") for s in spans), spans
    assert ok(operator.get(f"/coverage?from_ms={START_MS}&to_ms={START_MS + 1000}"))["spans"][0]["to_ms"] == START_MS + 1000
    refused(operator.get("/coverage?cameras=port-02"), 404, "not_found")
    assert ok(operator.get("/cameras"))["last_recorded_ms"][0] > START_MS


def decisions_are_superseded_with_a_reason_and_never_erased():
    operator, chief, one = who["operator"], who["chief"], state["ids"][0]
    path = f"/sightings/{one}/decision"
    refused(operator.post(path, {"state": "confirmed"}), 428, "if_match_needed")
    refused(operator.post(path, {"state": "maybe"}, If_Match='"0"'), 422, "bad_field", field="state")
    first = ok(operator.post(path, {"state": "confirmed", "viewed_ms": 4000}, If_Match='"0"'))
    assert first["version"] == 1 and first["by"] == "operator" and first["viewed_ms"] == 4000, first
    refused(chief.post(path, {"state": "rejected", "reason": "autre"}, If_Match='"0"'), 412, "changed", version=1, by="operator")
    refused(chief.post(path, {"state": "rejected"}, If_Match='"1"'), 422, "bad_field", field="reason")
    second = ok(chief.post(path, {"state": "rejected", "reason": "autre vêtement"}, If_Match='"1"'))
    assert second["version"] == 2, second
    history = ok(who["officer"].get(f"/sightings/{one}/decisions"))["items"]
    assert [(d["version"], d["state"], d["by"]) for d in history] == [(2, "rejected", "chief"), (1, "confirmed", "operator")]
    assert [d["version"] for d in ok(operator.get("/decisions"))["items"]] == [2]
    assert ok(operator.get("/decisions?state=confirmed"))["items"] == []
    found = {i["id"]: i for i in ok(operator.post("/search", {"sentence": "personne"}))["items"]}
    assert found[one]["decision"]["state"] == "rejected", found[one]
    assert ok(operator.get(f"/sightings/{one}"))["decision"]["version"] == 2
    refused(operator.post("/sightings/999999999/decision", {"state": "confirmed"}, If_Match='"0"'), 404, "not_found")
    refused(operator.post(path, {"state": "confirmed"}, If_Match='"0"', X_Case=state["other"]), 404, "not_found")
    p = subprocess.run(["sqlite3", f"{server.site.dir}/register.db", "DELETE FROM decision"], capture_output=True, text=True)
    assert p.returncode != 0 and "never erased" in p.stderr, p
    assert journal("decide", user="chief")[0]["detail"]["reason"] == "autre vêtement"


def exhibits_are_kept_with_their_seconds_and_a_note():
    operator, base = who["operator"], f"/cases/{state['case']}/exhibits"
    one, two = state["ids"][:2]
    kept = ok(operator.post(base, {"sighting_id": one}), 201)
    assert (kept["pad_before_s"], kept["pad_after_s"], kept["decision"]["state"]) == (5, 3, "rejected"), kept
    refused(operator.post(base, {"sighting_id": one}), 409, "exists")
    refused(operator.post(base, {"sighting_id": "999999999"}), 422, "bad_field", field="sighting_id")
    refused(operator.post(base, {"sighting_id": two, "pad_before_s": 601}), 422, "bad_field", field="pad_before_s")
    more = ok(operator.post(base, {"sighting_id": two, "pad_before_s": 0, "note": "avec un sac"}), 201)
    changed = ok(operator.json("PATCH", f"{base}/{more['id']}", {"note": "avec un sac à dos"}))
    assert changed["note"] == "avec un sac à dos" and changed["pad_before_s"] == 0, changed
    assert [e["id"] for e in ok(who["officer"].get(base))["items"]] == [kept["id"], more["id"]]
    refused(who["officer"].post(base, {"sighting_id": two}), 403, "not_allowed")
    found = {i["id"]: i for i in ok(operator.post("/search", {"sentence": "personne"}))["items"]}
    assert found[two]["exhibit_id"] == more["id"], found[two]
    ok(operator.json("DELETE", f"{base}/{kept['id']}", {}))
    refused(operator.json("DELETE", f"{base}/{kept['id']}", {}), 404, "not_found")
    assert [e["id"] for e in ok(operator.get(base))["items"]] == [more["id"]]
    rows = subprocess.run(["sqlite3", f"{server.site.dir}/register.db", "SELECT count(*),sum(removed_ms>0) FROM exhibit"],
                          capture_output=True, text=True, check=True).stdout
    assert rows.strip() == "2|1", rows


def searches_are_saved_with_the_case():
    operator, base = who["operator"], f"/cases/{state['case']}/searches"
    one = ok(operator.post(base, {"name": "Haut rouge", "question": {"sentence": "personne haut rouge"}}), 201)
    assert ok(who["chief"].get(base))["items"] == [one] and one["question"] == {"sentence": "personne haut rouge"}
    refused(operator.post(base, {"name": "", "question": {}}), 422, "bad_field", field="name")
    refused(operator.post(base, {"name": "x", "question": {"sentence": "a" * 9000}}), 422, "bad_field", field="question")
    ok(operator.json("DELETE", f"{base}/{one['id']}", {}))
    refused(operator.json("DELETE", f"{base}/{one['id']}", {}), 404, "not_found")


def a_case_widens_only_by_an_extension_that_a_second_person_approves():
    operator, base = who["operator"], f"/cases/{state['case']}/extensions"
    ask = {"reason": "le suspect est parti vers le port", "doc_sha256": DOC, "camera_ids": ["port-02"],
           "to_ms": START_MS + 7200000, "criteria": [{"key": "person.bottoms", "line": "« pantalon noir »"}]}
    refused(operator.post(base, {**ask, "to_ms": START_MS}), 422, "bad_field", field="extension")
    refused(operator.post(base, {**ask, "camera_ids": ["gare-01"]}), 422, "bad_field", field="extension")
    refused(operator.post(base, {"reason": "rien", "doc_sha256": DOC}), 422, "bad_field", field="extension")
    refused(operator.post(base, {**ask, "reason": ""}), 422, "bad_field", field="reason")
    pending = ok(operator.post(base, ask), 201)
    assert pending["state"] == "pending" and pending["from_ms"] is None and pending["decided_by"] is None, pending
    refused(operator.post("/search", {"sentence": "personne pantalon noir"}), 403, "criterion_not_allowed")
    refused(operator.post(f"{base}/{pending['id']}/approve", {}), 403, "not_allowed")
    done = ok(who["chief"].post(f"{base}/{pending['id']}/approve", {"reason": "vu l'acte"}))
    assert done["state"] == "approved" and done["decided_by"] == "chief", done
    refused(who["chief-2"].post(f"{base}/{pending['id']}/refuse", {}), 409, "already_decided", by="chief", state="approved")
    wide = ok(operator.get(f"/cases/{state['case']}"))
    assert wide["camera_ids"] == ["gare-01", "port-02"] and wide["to_ms"] == START_MS + 7200000, wide
    assert {c["key"] for c in wide["criteria"]} == {"person.tops", "person.bottoms"} and len(wide["extensions"]) == 1, wide
    status, body = operator.post("/search", {"sentence": "personne pantalon noir"})
    assert body.get("code") != "criterion_not_allowed", body
    # His own wish needs another chief.
    own = ok(who["chief"].post(base, {"reason": "plus tôt", "doc_sha256": DOC, "from_ms": START_MS - 7200000}), 201)
    refused(who["chief"].post(f"{base}/{own['id']}/approve", {}), 403, "needs_second_person")
    assert journal("refused", user="chief")[0]["detail"]["code"] == "needs_second_person"
    refused(who["chief"].post(f"{base}/99/approve", {}), 404, "not_found")
    assert ok(who["chief-2"].post(f"{base}/{own['id']}/refuse", {"reason": "inutile"}))["state"] == "refused"
    assert ok(operator.get(f"/cases/{state['case']}"))["from_ms"] == START_MS - 3600000
    assert [x["state"] for x in ok(operator.get(base))["items"]] == ["refused", "approved"]


def an_officer_reads_and_decides_and_searches_not():
    officer = who["officer"]
    ok(officer.get(f"/sightings/{state['ids'][1]}"))
    ok(officer.post(f"/sightings/{state['ids'][1]}/decision", {"state": "confirmed"}, If_Match='"0"'))
    refused(officer.post("/search", {"sentence": "personne"}), 403, "not_allowed")
    status, headers, jpeg = officer.ask("GET", f"/media/t/{state['ids'][1]}.jpg")
    assert status == 200 and jpeg[:2] == b"\xff\xd8"
    assert journal("view", user="officer"), "the passage that an officer opened is in the journal"


class Stream:
    """Server-sent events of a client, read as they come."""

    def __init__(self, client, path):
        self.c = http.client.HTTPSConnection(client.server.host, timeout=30, context=client.server.tls)
        self.c.request("GET", "/api/v1" + path, headers={"Cookie": client.cookie})
        self.answer = self.c.getresponse()
        assert self.answer.status == 200, self.answer.status

    def next(self, event):
        """The data of the next event of that name; None at the end."""
        name = None
        while line := self.answer.readline().decode():
            if line.startswith("event: "):
                name = line[7:].strip()
            if line.startswith("data: ") and name == event:
                return json.loads(line[6:])
        return None


def events_tell_what_changed_and_that_the_session_ended():
    chief, operator, admin = who["chief"], who["operator"], who["administrator"]
    refused(chief.get("/events?topics=weather"), 400, "bad_request")
    refused(chief.get("/events?topics=case", X_Case=None), 403, "no_case")
    stream = Stream(chief, f"/events?case={state['case']}")
    before = stream.next("case")
    assert before["case_id"] == state["case"] and before["n_exhibits"] == 1, before
    ok(operator.post(f"/cases/{state['case']}/searches", {"name": "Tout", "question": {}}), 201)
    after = stream.next("case")
    assert after["n_searches"] == before["n_searches"] + 1 and after["version"] != before["version"], (before, after)
    ok(operator.post(f"/cases/{state['case']}/extensions", {"reason": "plus long", "doc_sha256": DOC, "expires_ms": FAR_MS}), 201)
    while not (waiting := stream.next("approval")["items"]):
        pass
    assert waiting[0]["kind"] == "extension" and waiting[0]["by"] == "operator", waiting
    quiet = Stream(operator, f"/events?topics=approval,journal_head&case={state['case']}")
    assert quiet.next("approval") == {"items": []}, "an operator approves nothing"
    stream = Stream(who["chief-2"], "/events")
    assert stream.next("journal_head")["seq"] > 0
    ok(admin.post("/users/chief-2/logout", {}))
    assert stream.next("session") == {"reason": "ended"} and stream.next("session") is None


def a_second_factor_is_enrolled_and_asked_for():
    operator, admin = who["operator"], who["administrator"]
    refused(operator.post("/users/chief/totp", {}), 403, "not_allowed")
    secret = ok(operator.post("/users/operator/totp", {}))
    assert secret["uri"].startswith("otpauth://totp/Relecture:operator?secret=" + secret["secret"]), secret
    c = server.client()
    refused(c.post("/login", {"login": "operator", "secret": "Correct-Horse-7"}), 401, "bad_login")
    code = totp(secret["secret"])
    ok(c.post("/login", {"login": "operator", "secret": "Correct-Horse-7", "otp": code}))
    # A code works once, whoever saw it typed.
    refused(server.client().post("/login", {"login": "operator", "secret": "Correct-Horse-7", "otp": code}), 401, "bad_login")
    assert ok(admin.json("DELETE", "/users/operator/totp", {}))["totp"] is False
    ok(server.client().post("/login", {"login": "operator", "secret": "Correct-Horse-7"}))


def an_administrator_ends_sessions_and_resets_passwords():
    admin = who["administrator"]
    victim = server.client()
    ok(victim.post("/login", {"login": "chief-2", "secret": "Correct-Horse-7"}))
    assert ok(admin.post("/users/chief-2/logout", {}))["n_sessions"] == 0
    refused(victim.get("/boot"), 401, "no_session", reason="ended")
    made = ok(admin.post("/users/chief-2/password", {}))
    refused(victim.post("/login", {"login": "chief-2", "secret": "Correct-Horse-7"}), 401, "bad_login")
    assert ok(victim.post("/login", {"login": "chief-2", "secret": made["one_time_secret"]}))["user"]["must_change"]
    for line in ok(who["auditor"].get("/journal?limit=500"))["items"]:
        assert made["one_time_secret"] not in json.dumps(line) and "Correct-Horse" not in json.dumps(line), line


def the_auditor_reads_and_verifies_the_journal_and_sees_no_picture():
    auditor = who["auditor"]
    page = ok(auditor.get("/journal?limit=5"))
    assert len(page["items"]) == 5 and page["next_before_seq"] == page["items"][-1]["seq"], page
    assert page["items"][0]["prev"] == page["items"][1]["hash"], page
    more = ok(auditor.get(f"/journal?limit=5&before_seq={page['next_before_seq']}"))
    assert more["items"][0]["seq"] == page["next_before_seq"] - 1, more
    checked = ok(auditor.post("/journal/verify", {}))
    assert checked["ok"] and checked["first_bad_seq"] == 0 and checked["checked"] == checked["head"]["seq"], checked
    assert isinstance(ok(auditor.get("/journal/anchors"))["items"], list)
    for path in (f"/media/t/{state['ids'][0]}.jpg", f"/sightings/{state['ids'][0]}", "/cases", f"/media/frame/{state['ids'][0]}.jpg"):
        refused(auditor.get(path), 403, "not_allowed")
    for bad in ("limit=0", "limit=501", "before_seq=-1", "limit=x"):
        refused(auditor.get("/journal?" + bad), 400, "bad_request")


def two_persons_seal_what_is_confirmed():
    operator, chief, officer, case = who["operator"], who["chief"], who["officer"], state["case"]
    (kept,) = ok(operator.get(f"/cases/{case}/exhibits"))["items"]
    assert kept["decision"]["state"] == "confirmed", kept
    ask = {"exhibit_ids": [kept["id"]], "handed_to": "OPJ Durand", "medium": "clé USB", "blur": False}
    refused(operator.post(f"/cases/{case}/seals", {**ask, "exhibit_ids": []}), 422, "bad_field")
    seal = ok(operator.post(f"/cases/{case}/seals", ask), 201)
    assert seal["state"] == "waiting", seal
    refused(operator.get("/seals/99"), 404, "not_found")
    refused(operator.get(f"/seals/{seal['id']}/manifest"), 404, "not_found")
    ok(chief.post(f"/seals/{seal['id']}/approve", {}))
    refused(chief.post(f"/seals/{seal['id']}/approve", {}), 409, "already_decided")

    def over():
        got = ok(operator.get(f"/seals/{seal['id']}"))
        return got if got["state"] in ("ready", "failed") else None

    done = wait_for(over, 120, "the seal")
    assert done["state"] == "ready", done
    ok(operator.get(f"/seals/{seal['id']}/manifest"))
    status, _, whole = officer.ask("GET", f"/seals/{seal['id']}/archive")
    assert status == 200 and len(whole) > 1000
    status, _, part = officer.ask("GET", f"/seals/{seal['id']}/archive", headers={"Range": "bytes=10-19"})
    assert status == 206 and part == whole[10:20]
    own = ok(chief.post(f"/cases/{case}/seals", ask), 201)
    refused(chief.post(f"/seals/{own['id']}/approve", {}), 403, "needs_second_person")
    second = server.login("chief", "chief-3")
    ok(second.post(f"/seals/{own['id']}/refuse", {"reason": "une fois suffit"}))
    assert len(ok(officer.get(f"/cases/{case}/seals"))["items"]) == 2


def pictures_and_the_rest_of_the_calls_answer():
    operator, one = who["operator"], state["ids"][0]
    ok(operator.get("/boot"))
    ok(operator.get("/system"))
    ok(operator.get("/accuracy"))
    refused(operator.get("/outline"), 404, "not_found")
    with open(os.path.join(server.site.dir, "outline.json"), "w") as f:
        f.write('{"credit": "", "lines": [], "areas": []}')
    ok(operator.get("/outline"))
    ok(operator.get("/search?limit=5"))
    refused(operator.get("/search?plate=AB"), 400, "not_in_address")
    refused(operator.post("/search", {"sentense": "x"}), 400, "bad_request")
    assert operator.post("/search", {"sentence": "personne le 3 mars 2020"})[0] == 422
    refused(operator.post("/routes", {"seed_sighting_id": one}), 403, "vehicles_only")
    assert operator.post("/routes", {})[0] == 400
    clip = ok(operator.get(f"/sightings/{one}/clip"))
    refused(operator.get(f"/sightings/{one}/clip?part=99"), 404, "not_found")
    refused(operator.get("/sightings/7"), 404, "not_found")
    refused(operator.get("/media/t/7.jpg"), 404, "not_found")
    status, headers, mp4 = operator.ask("GET", clip["url"])
    assert status == 200, status
    tag = headers["ETag"]
    status, _, part = operator.ask("GET", clip["url"], headers={"Range": "bytes=5-9", "If-Range": tag})
    assert status == 206 and part == mp4[5:10], status
    assert operator.ask("GET", clip["url"], headers={"Range": "bytes=5-9", "If-Range": '"another"'})[0] == 200
    assert operator.ask("GET", clip["url"], headers={"Range": f"bytes={len(mp4)}-"})[0] == 416
    assert operator.ask("GET", f"/media/frame/{one}.jpg")[0] == 200
    assert operator.ask("GET", f"/media/frame/{one}.jpg?t_ms={FAR_MS}")[0] == 403
    at = START_MS + 2000
    view = ok(operator.get(f"/cameras/gare-01/clip?at_ms={at}"))
    refused(operator.get("/cameras/gare-01/clip"), 400, "bad_request")
    refused(operator.get(f"/cameras/gare-01/clip?at_ms={START_MS + 3000000}"), 404, "not_found")
    assert operator.ask("GET", view["url"])[0] == 200
    assert operator.ask("GET", f"/media/camera/gare-01.jpg?t_ms={at}")[0] == 200
    assert [i["state"] for i in ok(operator.get("/imports"))["items"]] == ["done"]
    refused(operator.get("/imports/inbox"), 403, "no_inbox")


def imports_are_planned_and_steered():
    """A server with an inbox; the one before has none."""
    global server
    operator = who["operator"]
    inbox = os.path.join(top.top, "inbox")
    os.mkdir(inbox)
    os.symlink(short_clip(), os.path.join(inbox, "link.mp4"))
    with open(short_clip(), "rb") as f, open(os.path.join(inbox, "quai.mp4"), "wb") as g:
        g.write(f.read())
    server.stop()
    server = Server(server.site, [f"import.inbox={inbox}"])
    for c in who.values():
        c.server = server
    assert "quai.mp4" in [f["name"] for f in ok(operator.get("/imports/inbox"))["files"]]
    assert operator.get("/imports/inbox?path=../..")[0] in (400, 403, 404)
    plan = ok(operator.post("/imports/plan", {"paths": ["quai.mp4"], "camera_id": "port-02", "start_ms": START_MS}))
    assert plan["n_files"] == 1, plan
    refused(operator.post("/imports/plan", {}), 422, "bad_field", field="paths")
    file = {"path": "quai.mp4", "camera_id": "port-02", "start_ms": START_MS}
    assert operator.post("/imports", {"files": [{**file, "camera_id": "nowhere"}]})[0] in (403, 422)
    refused(operator.post("/imports", {"files": []}), 422, "bad_field")
    done = ok(operator.post("/imports", {"files": [file]}), 202)
    assert ok(operator.post("/imports/all", {"action": "cancel"}))["n"] in (0, 1), done
    refused(operator.post("/imports/all", {"action": "dance"}), 422, "bad_field")


def sessions_survive_a_restart_of_the_server():
    global server
    operator = who["operator"]
    ok(operator.get("/session"))
    server.stop()
    server = Server(server.site)
    for c in who.values():
        c.server = server
    ok(operator.get("/session"))
    ok(operator.post("/logout", {}))
    refused(operator.get("/session"), 401, "no_session")


def a_chief_writes_the_closing_record_and_an_auditor_reads_the_figures():
    path = f"/cases/{state['case']}/closing"
    refused(who["chief"].get(path + "/proces-verbal.pdf"), 404, "not_found")
    refused(who["auditor"].post(path, {}), 403, "not_allowed", action="case_read")
    for name in ok(who["chief"].post(path, {}), 201)["files"]:
        status, _, data = who["chief"].ask("GET", f"{path}/{name}")
        assert status == 200 and data, name
    facts = ok(who["auditor"].get("/facts"))
    year = facts["months"][-1]["month"][:4]
    assert ok(who["auditor"].get(f"/figures?year={year}"))["searches"] > 0
    refused(who["auditor"].get("/figures?year=12"), 400, "bad_request")


def a_closed_case_is_read_and_searched_no_more():
    chief, case = who["chief"], state["case"]
    refused(chief.post(f"/cases/{case}/close", {}), 422, "bad_field", field="reason")
    closed = ok(chief.post(f"/cases/{case}/close", {"reason": "fin de l'enquête"}))
    assert closed["state"] == "closed" and closed["closed_by"] == "chief" and closed["closed_ms"] > 0, closed
    refused(chief.post(f"/cases/{case}/close", {"reason": "encore"}), 409, "case_closed")
    refused(chief.post("/search", {"sentence": "personne"}), 403, "case_closed")
    refused(chief.post(f"/cases/{case}/exhibits", {"sighting_id": state["ids"][2]}), 409, "case_closed")
    refused(chief.post(f"/cases/{case}/extensions", {"reason": "x", "doc_sha256": DOC, "to_ms": FAR_MS}), 409, "case_closed")
    ok(chief.get(f"/cases/{case}"))
    server.site("journal", "verify", check=0)


# ---- the OpenAPI file ---------------------------------------------------------------------------------------------
with open(os.path.join(ROOT, "host/http/openapi.json")) as f:
    openapi = json.load(f)


def operations():
    """{(METHOD, path template): operation}"""
    return {(m.upper(), p): o for p, ops in openapi["paths"].items() for m, o in ops.items()}


def operation_of(method, path):
    """The documented operation of a request; literal paths win over those with parameters."""
    path = path.removeprefix("/api/v1").split("?")[0]
    def pattern(p):
        return "".join("[^/]+" if t.startswith("{") else re.escape(t) for t in re.split(r"(\{\w+\})", p))
    fits = [p for m, p in operations() if m == method and re.fullmatch(pattern(p), path)]
    return min(fits, key=lambda p: p.count("{")) if fits else None


def the_openapi_file_names_every_call_of_the_server_and_no_other():
    with open(os.path.join(ROOT, "host/http/api_routes.c")) as f:
        source = f.read()
    served = {(m, re.sub(r"\{\}", "{}", p), a) for m, p, a in
              re.findall(r'ROUTER_([A-Z]+), API "([^"]+)",\s*\w+,\s*ROUTE_(\w+(?:\(\w+\))?)', source)}
    told = set()
    for (m, p), o in operations().items():
        access = f"MAY({o['x-action'].upper()})" if "x-action" in o else "ANYONE" if o.get("security") == [] else "SIGNED_IN"
        told.add((m, re.sub(r"\{\w+\}", "{}", p), access))
    assert served == told, (sorted(served - told), sorted(told - served))


def every_answer_of_this_test_is_as_the_openapi_file_says():
    resolver = jsonschema.RefResolver("", openapi)
    seen = set()
    for method, path, status, headers, data in Client.seen:
        template = operation_of(method, path)
        if not template:  # the page, and addresses that are not there
            continue
        o = operations()[(method, template)]
        told = o["responses"].get(str(status), o["responses"]["default"])
        if "$ref" in told:
            told = openapi["components"]["responses"][told["$ref"].split("/")[-1]]
        seen.add((method, template, str(status)))
        kind = next((k for k in told["content"] if headers["Content-Type"].startswith(k)), None)
        assert kind, (method, path, status, headers["Content-Type"])
        content = told["content"][kind]
        if kind != "application/json":
            continue
        try:
            jsonschema.Draft202012Validator(content["schema"], resolver=resolver).validate(json.loads(data))
        except jsonschema.ValidationError as e:
            raise AssertionError(f"{method} {path} {status}: {e.message} at {list(e.absolute_path)}") from None
    told = {(m, p, s) for (m, p), o in operations().items() for s in o["responses"] if s != "default"}
    # Streams are read by Stream; no vehicle passes in these 20 s of footage.
    elsewhere = {("GET", "/events", "200"), ("POST", "/routes", "200")}
    never = sorted(told - seen - elsewhere)
    assert not never, f"told and never seen: {never}"


if __name__ == "__main__":
    try:
        main([
            the_first_administrator_of_init_must_replace_his_password,
            logins_that_are_odd_or_guessed_are_refused,
            an_administrator_makes_users_who_choose_their_own_passwords,
            the_last_administrator_can_neither_be_disabled_nor_demoted,
            roles_tell_the_matrix_and_the_server_keeps_to_it,
            cameras_and_groups_are_kept_by_an_administrator,
            a_chief_opens_a_case_from_a_requisition_and_every_field_is_checked,
            a_search_is_bound_by_site_case_and_user,
            decisions_are_superseded_with_a_reason_and_never_erased,
            exhibits_are_kept_with_their_seconds_and_a_note,
            searches_are_saved_with_the_case,
            a_case_widens_only_by_an_extension_that_a_second_person_approves,
            an_officer_reads_and_decides_and_searches_not,
            events_tell_what_changed_and_that_the_session_ended,
            a_second_factor_is_enrolled_and_asked_for,
            an_administrator_ends_sessions_and_resets_passwords,
            the_auditor_reads_and_verifies_the_journal_and_sees_no_picture,
            two_persons_seal_what_is_confirmed,
            pictures_and_the_rest_of_the_calls_answer,
            imports_are_planned_and_steered,
            sessions_survive_a_restart_of_the_server,
            a_chief_writes_the_closing_record_and_an_auditor_reads_the_figures,
            a_closed_case_is_read_and_searched_no_more,
            the_openapi_file_names_every_call_of_the_server_and_no_other,
            every_answer_of_this_test_is_as_the_openapi_file_says,
        ])
    finally:
        if server and server.process.poll() is None:
            server.stop()
        top.close()
