/* SPDX-License-Identifier: Apache-2.0 */
/* register_schema.h - tables of register.db. Times are UTC milliseconds. Never an image, a password or a
 * face. */
#ifndef HOST_CASE_REGISTER_SCHEMA_H
#define HOST_CASE_REGISTER_SCHEMA_H

#define REGISTER_APPLICATION_ID 0x52454c52 /* "RELR" */
#define REGISTER_VERSION        1

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

#endif
