/* SPDX-License-Identifier: Apache-2.0 */
/* register_schema.h - tables of register.db. Times are UTC milliseconds. Never an image, a password or a
 * face. */
#ifndef HOST_CASE_REGISTER_SCHEMA_H
#define HOST_CASE_REGISTER_SCHEMA_H

#define REGISTER_APPLICATION_ID 0x52454c52 /* "RELR" */

/* Version 1. It never changes any more: what came later stands in register_upgrades. */
static const char register_schema[] =
    "CREATE TABLE camera("
    " number INTEGER PRIMARY KEY CHECK(number BETWEEN 1 AND 65535)," /* dense, never reused; what the index
                                                                        keeps */
    " id TEXT NOT NULL UNIQUE,"                                      /* the city's name: gare-01 */
    " name TEXT NOT NULL,"
    " lat REAL NOT NULL CHECK(lat BETWEEN -90 AND 90), lon REAL NOT NULL CHECK(lon BETWEEN -180 AND 180),"
    " heading_deg INTEGER NOT NULL CHECK(heading_deg BETWEEN -1 AND 359)," /* -1 = unknown */
    " fov_deg INTEGER NOT NULL CHECK(fov_deg BETWEEN -1 AND 360),"
    " clock_offset_ms INTEGER NOT NULL," /* added to what its recordings claim */
    " retention_days INTEGER NOT NULL CHECK(retention_days BETWEEN 0 AND 30)) STRICT;" /* 0 = the site's */
    "CREATE TABLE case_file("
    " id TEXT PRIMARY KEY," /* 2026-0001 */
    " requisition TEXT NOT NULL CHECK(requisition <> ''), authority TEXT NOT NULL CHECK(authority <> ''),"
    " basis TEXT NOT NULL CHECK(basis <> ''), offence TEXT NOT NULL,"
    " from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL CHECK(to_ms > from_ms)," /* period allowed, end
                                                                                   exclusive */
    " criteria TEXT NOT NULL," /* comma-separated switches, or all */
    " state TEXT NOT NULL CHECK(state IN ('open','closed')),"
    " opened_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE case_camera(" /* the perimeter's cameras */
    " case_id TEXT NOT NULL REFERENCES case_file(id), number INTEGER NOT NULL REFERENCES camera(number),"
    " PRIMARY KEY(case_id, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE user("
    " login TEXT PRIMARY KEY, name TEXT NOT NULL CHECK(name <> ''),"
    " habilitation TEXT NOT NULL," /* the act that habilitates */
    " role TEXT NOT NULL CHECK(role IN ('operator','officer','chief','auditor','administrator')),"
    " password TEXT NOT NULL," /* Argon2id string of libsodium */
    " totp BLOB CHECK(totp IS NULL OR length(totp) = 20), totp_step INTEGER NOT NULL DEFAULT 0," /* last one
                                                                                                    used */
    " valid_from_ms INTEGER NOT NULL, valid_to_ms INTEGER NOT NULL CHECK(valid_to_ms > valid_from_ms),"
    " disabled INTEGER NOT NULL DEFAULT 0 CHECK(disabled IN (0,1)),"
    " n_failed INTEGER NOT NULL DEFAULT 0, locked_until_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE TABLE journal(" /* append-only: the triggers below refuse anything else */
    " seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " user TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL, case_id TEXT NOT NULL,"
    " object TEXT NOT NULL, detail TEXT NOT NULL,"
    " prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT;" /* hash: see journal.c */
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT,'the journal only "
    "grows'); END;"
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT,'the journal only "
    "grows'); END;";

/* Step N takes a register from version N + 1 to N + 2. Steps are only added at the end. */
static const char *const register_upgrades[] = {
    /* 1 -> 2: sessions, requisitions in full, what was decided and kept. */
    "ALTER TABLE user ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0 CHECK(must_change IN (0,1));" /* a
                                                                                    one-time password */
    "ALTER TABLE user ADD COLUMN criteria TEXT NOT NULL DEFAULT 'all';" /* what the user may ask for */
    "ALTER TABLE user ADD COLUMN last_login_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE session("
    " token_hash BLOB PRIMARY KEY CHECK(length(token_hash) = 32)," /* of the cookie; the token itself is kept
                                                                      nowhere */
    " login TEXT NOT NULL REFERENCES user(login), station TEXT NOT NULL," /* where it came from */
    " created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX session_login ON session(login);"
    "ALTER TABLE case_file ADD COLUMN doc_sha256 TEXT NOT NULL DEFAULT '';" /* of the signed requisition */
    "ALTER TABLE case_file ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE case_file ADD COLUMN closed_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE case_file ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE case_criterion(" /* the line of the requisition that supports it */
    " case_id TEXT NOT NULL REFERENCES case_file(id), criterion TEXT NOT NULL, line TEXT NOT NULL,"
    " PRIMARY KEY(case_id, criterion)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE case_officer(" /* the officers who may read it */
    " case_id TEXT NOT NULL REFERENCES case_file(id), login TEXT NOT NULL REFERENCES user(login),"
    " PRIMARY KEY(case_id, login)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE extension(" /* what a case asks for beyond its requisition; NULL = not asked */
    " id INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES case_file(id),"
    " from_ms INTEGER, to_ms INTEGER, expires_ms INTEGER, cameras TEXT," /* numbers, comma-separated */
    " reason TEXT NOT NULL CHECK(reason <> ''), doc_sha256 TEXT NOT NULL,"
    " by TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK(state IN ('pending','approved','refused')),"
    " decided_by TEXT NOT NULL DEFAULT '' CHECK(decided_by <> by)," /* the second person */
    " decided_ms INTEGER NOT NULL DEFAULT 0, decided_reason TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE TABLE extension_criterion("
    " extension INTEGER NOT NULL REFERENCES extension(id), criterion TEXT NOT NULL, line TEXT NOT NULL,"
    " PRIMARY KEY(extension, criterion)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE decision(" /* superseded, never erased: the highest version is in force */
    " case_id TEXT NOT NULL REFERENCES case_file(id), sighting INTEGER NOT NULL, version INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK(state IN ('confirmed','rejected','undecided')), reason TEXT NOT NULL,"
    " by TEXT NOT NULL, at_ms INTEGER NOT NULL, viewed_ms INTEGER NOT NULL,"
    " PRIMARY KEY(case_id, sighting, version)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT,'a decision is "
    "superseded, never altered'); END;"
    "CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision WHEN (SELECT state FROM case_file WHERE "
    "id = OLD.case_id) = 'open' BEGIN SELECT RAISE(ABORT,'a decision is superseded, never erased'); END;"
    "CREATE TABLE exhibit(" /* a sighting kept for the case; times are the sighting's own */
    " id INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES case_file(id), sighting INTEGER NOT NULL,"
    " camera INTEGER NOT NULL REFERENCES camera(number), recording INTEGER NOT NULL,"
    " from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, best_ms INTEGER NOT NULL,"
    " pad_before_s INTEGER NOT NULL CHECK(pad_before_s BETWEEN 0 AND 600),"
    " pad_after_s INTEGER NOT NULL CHECK(pad_after_s BETWEEN 0 AND 600), note TEXT NOT NULL,"
    " by TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " removed_by TEXT NOT NULL DEFAULT '', removed_ms INTEGER NOT NULL DEFAULT 0) STRICT;" /* 0 = kept */
    "CREATE UNIQUE INDEX exhibit_kept ON exhibit(case_id, sighting) WHERE removed_ms = 0;"
    "CREATE TABLE saved_search("
    " id INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES case_file(id), name TEXT NOT NULL,"
    " question TEXT NOT NULL," /* a body of POST /search */
    " by TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX saved_search_case ON saved_search(case_id);"
    "CREATE TABLE camera_group(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK(name <> '')) STRICT;"
    "CREATE TABLE camera_group_member("
    " group_id INTEGER NOT NULL REFERENCES camera_group(id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL REFERENCES camera(number),"
    " PRIMARY KEY(group_id, number)) STRICT, WITHOUT ROWID;",
    /* 2 -> 3: the journal's signed heads and its end of life, holds, receipts, seals. */
    /* The line before the first one kept; one row per purge of the journal. */
    "CREATE TABLE journal_base(seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at_ms INTEGER NOT "
    "NULL) STRICT;"
    "DROP TRIGGER journal_no_delete;"
    "CREATE TRIGGER journal_keeps BEFORE DELETE ON journal"
    " WHEN old.seq > coalesce((SELECT max(seq) FROM journal_base),0)"
    " BEGIN SELECT RAISE(ABORT,'the journal only grows'); END;"
    "CREATE TABLE anchor(" /* signed heads of the journal: journal.h */
    " seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL,"
    " signature BLOB NOT NULL, key_id TEXT NOT NULL, certificate TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER anchor_no_update BEFORE UPDATE ON anchor BEGIN SELECT RAISE(ABORT,'a "
    "signed "
    "head stays'); END;"
    "CREATE TABLE hold(" /* a case whose footage must not be erased yet */
    " id INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES case_file(id), from_ms INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL CHECK(until_ms > from_ms)," /* a hold always ends */
    " reason TEXT NOT NULL CHECK(reason <> ''), user TEXT NOT NULL,"
    " released_ms INTEGER NOT NULL DEFAULT 0, released_by TEXT NOT NULL DEFAULT '') STRICT;" /* 0 = not */
    "CREATE TABLE receipt(" /* of what was erased */
    " id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, case_id TEXT NOT NULL,"
    " text TEXT NOT NULL, signature BLOB NOT NULL, key_id TEXT NOT NULL) STRICT;"
    "CREATE TABLE retention_clock(" /* the last moment that retention went by */
    " one INTEGER PRIMARY KEY CHECK(one=1), seen_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE seal(" /* what was, or is to be, handed over; it needs two persons */
    " id INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES case_file(id),"
    " handed_to TEXT NOT NULL CHECK(handed_to <> ''), medium TEXT NOT NULL,"
    " blur INTEGER NOT NULL CHECK(blur IN (0,1))," /* the masked copy too */
    " by TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK(state IN ('waiting','building','ready','refused','failed')),"
    " decided_by TEXT NOT NULL DEFAULT '' CHECK(decided_by <> by)," /* the second person */
    " decided_ms INTEGER NOT NULL DEFAULT 0, decided_reason TEXT NOT NULL DEFAULT '',"
    " error TEXT NOT NULL DEFAULT '',"                                    /* failed: for a person */
    " bytes INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL DEFAULT ''," /* of MANIFEST.json */
    " journal_seq INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE seal_exhibit(seal INTEGER NOT NULL REFERENCES seal(id), exhibit INTEGER NOT NULL "
    "REFERENCES "
    "exhibit(id), PRIMARY KEY(seal, exhibit)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE camera_area(" /* parts of a camera's picture that no masked copy shows (CSI L252-3) */
    " number INTEGER NOT NULL REFERENCES camera(number), name TEXT NOT NULL,"
    " points TEXT NOT NULL," /* x,y x,y ...: 3 to 16 corners in 1/65536 of the picture */
    " PRIMARY KEY(number, name)) STRICT, WITHOUT ROWID;",
};
#define REGISTER_VERSION ((int)(sizeof register_upgrades / sizeof register_upgrades[0]) + 1)

#endif
