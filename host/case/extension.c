/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/extension.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/register_internal.h"

#define EXTENSION_COLUMNS                                                                                    \
    "id,case_id,from_ms,to_ms,expires_ms,cameras,reason,doc_sha256,by,at_ms,state,decided_by,decided_ms,"    \
    "decided_reason"

void extension_fini(struct extension *x) {
    free(x->cameras);
    x->cameras = NULL;
    x->n_cameras = 0;
}

/* ---- asking ----------------------------------------------------------------------------------------------
 */

static bool has_camera(const struct case_file *c, uint16_t number) {
    for (unsigned i = 0; i < c->n_cameras; i++)
        if (c->cameras[i] == number) return true;
    return false;
}

/* Something is asked, and everything that is asked lies outside the case as it stands. */
static bool is_wider(const struct extension *x, const struct case_file *c) {
    bool some = x->from_ms || x->to_ms || x->expires_ms || x->n_cameras || *x->criteria;
    if (x->from_ms && x->from_ms >= c->from_ms) return false;
    if (x->to_ms && x->to_ms <= c->to_ms) return false;
    if (x->expires_ms && x->expires_ms <= c->expires_ms) return false;
    for (unsigned i = 0; i < x->n_cameras; i++)
        if (has_camera(c, x->cameras[i])) return false;
    for (const char *p = x->criteria; *p; p += strspn(p, ",")) {
        char word[64];
        const size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        if (strcmp(word, "all") == 0 || case_allows(c, word)) return false;
        p += n;
    }
    return some;
}

static enum err add_line(struct register_db *r, uint64_t id, const char *word, size_t n, const char *line) {
    sqlite3_stmt *st;
    if (!register_text_fine(line, 1)) return ERR_USAGE;
    const enum err e = register_prepare(r, "INSERT INTO extension_criterion VALUES(?1,?2,?3)", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, word, (int)n, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, line, -1, SQLITE_STATIC);
    return register_run(r, st, "extension criterion");
}

static enum err add_lines(struct register_db *r, const struct extension *x, const char *const lines[]) {
    enum err e = OK;
    unsigned i = 0;
    for (const char *p = x->criteria; !e && *p; i++) {
        const size_t n = strcspn(p, ",");
        e = add_line(r, x->id, p, n, lines[i]);
        p += n;
        if (*p) p++;
    }
    return e;
}

/* "1,5,9"; owned by the caller. */
static char *camera_list_text(const struct extension *x) {
    char *text = malloc(6 * (size_t)x->n_cameras + 1), *p = text;
    for (unsigned i = 0; text && i < x->n_cameras; i++) p += sprintf(p, "%s%u", i ? "," : "", x->cameras[i]);
    if (text) *p = '\0';
    return text;
}

static void bind_asked(sqlite3_stmt *st, int at, int64_t ms) {
    if (ms) sqlite3_bind_int64(st, at, ms); /* else NULL */
}

static enum err insert(struct register_db *r, struct extension *x) {
    sqlite3_stmt *st;
    char *cameras = camera_list_text(x);
    if (!cameras) return ERR_NOMEM;
    enum err e = register_prepare(r,
                                  "INSERT INTO extension(case_id,from_ms,to_ms,expires_ms,cameras,reason,"
                                  "doc_sha256,by,at_ms,state) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,'pending')",
                                  &st);
    if (!e) {
        sqlite3_bind_text(st, 1, x->case_id, -1, SQLITE_STATIC);
        bind_asked(st, 2, x->from_ms);
        bind_asked(st, 3, x->to_ms);
        bind_asked(st, 4, x->expires_ms);
        if (x->n_cameras) sqlite3_bind_text(st, 5, cameras, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 6, x->reason, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 7, x->doc_sha256, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 8, x->by, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 9, x->at_ms);
        e = register_run(r, st, "extension ask");
    }
    if (!e) x->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
    free(cameras);
    return e;
}

enum err extension_ask(struct register_db *r, struct extension *x, const char *const lines[]) {
    struct case_file c;
    if (!register_text_fine(x->reason, 1) || !register_text_fine(x->doc_sha256, 0) ||
        (*x->criteria && !case_criteria_known(x->criteria)) || x->n_cameras > CASE_CAMERAS_MAX)
        return ERR_USAGE;
    x->at_ms = clock_wall_ms();
    snprintf(x->state, sizeof x->state, "pending");
    enum err e = register_begin(r);
    if (e) return e;
    e = case_get(r, x->case_id, &c);
    if (!e) {
        if (strcmp(c.state, "open") != 0)
            e = ERR_MISSING;
        else if (!is_wider(x, &c))
            e = ERR_USAGE;
        case_fini(&c);
    }
    if (!e) e = insert(r, x);
    if (!e) e = add_lines(r, x, lines);
    return register_end(r, e);
}

/* ---- reading ---------------------------------------------------------------------------------------------
 */

static enum err read_cameras(const char *text, struct extension *x) {
    for (char *end; text && *text; text = *end ? end + 1 : end) {
        uint16_t *more = register_grow(x->cameras, x->n_cameras, sizeof *more);
        if (!more) return ERR_NOMEM;
        x->cameras = more;
        x->cameras[x->n_cameras++] = (uint16_t)strtoul(text, &end, 10);
    }
    return OK;
}

static void add_word(const char *criterion, const char *line, void *arg) {
    struct extension *x = arg;
    const size_t n = strlen(x->criteria);
    (void)line;
    snprintf(x->criteria + n, sizeof x->criteria - n, "%s%s", n ? "," : "", criterion);
}

static enum err of_row(struct register_db *r, sqlite3_stmt *st, struct extension *x) {
    memset(x, 0, sizeof *x);
    x->id = (uint64_t)sqlite3_column_int64(st, 0);
    register_text(st, 1, x->case_id, sizeof x->case_id);
    x->from_ms = sqlite3_column_int64(st, 2);
    x->to_ms = sqlite3_column_int64(st, 3);
    x->expires_ms = sqlite3_column_int64(st, 4);
    register_text(st, 6, x->reason, sizeof x->reason);
    register_text(st, 7, x->doc_sha256, sizeof x->doc_sha256);
    register_text(st, 8, x->by, sizeof x->by);
    x->at_ms = sqlite3_column_int64(st, 9);
    register_text(st, 10, x->state, sizeof x->state);
    register_text(st, 11, x->decided_by, sizeof x->decided_by);
    x->decided_ms = sqlite3_column_int64(st, 12);
    register_text(st, 13, x->decided_reason, sizeof x->decided_reason);
    const enum err e = read_cameras((const char *)sqlite3_column_text(st, 5), x);
    return e ? e : extension_lines(r, x->id, add_word, x);
}

enum err extension_lines(struct register_db *r, uint64_t id, case_line_fn *each, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT criterion,line FROM extension_criterion WHERE extension=?1 ORDER BY criterion", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        each((const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), arg);
    e = register_error(r, rc, "extension lines");
    sqlite3_finalize(st);
    return e;
}

enum err extension_get(struct register_db *r, const char *case_id, uint64_t id, struct extension *out) {
    sqlite3_stmt *st;
    memset(out, 0, sizeof *out);
    enum err e =
        register_prepare(r, "SELECT " EXTENSION_COLUMNS " FROM extension WHERE id=?1 AND case_id=?2", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, case_id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        e = of_row(r, st, out);
    else
        e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "extension get");
    sqlite3_finalize(st);
    if (e) extension_fini(out);
    return e;
}

enum err extension_list(struct register_db *r, const char *case_id, struct extension **out, unsigned *n) {
    sqlite3_stmt *st;
    struct extension *list = NULL;
    int rc = SQLITE_DONE;
    *out = NULL;
    *n = 0;
    enum err e = register_prepare(
        r, "SELECT " EXTENSION_COLUMNS " FROM extension WHERE case_id=?1 ORDER BY id DESC", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct extension *more = register_grow(list, *n, sizeof *list);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        list = more;
        e = of_row(r, st, &list[(*n)++]);
    }
    if (!e) e = register_error(r, rc, "extension list");
    sqlite3_finalize(st);
    if (e) {
        for (unsigned i = 0; i < *n; i++) extension_fini(&list[i]);
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

/* ---- deciding --------------------------------------------------------------------------------------------
 */

static enum err add_cameras(struct register_db *r, const struct extension *x) {
    enum err e = OK;
    for (unsigned i = 0; !e && i < x->n_cameras; i++) {
        sqlite3_stmt *st;
        e = register_prepare(r, "INSERT OR IGNORE INTO case_camera VALUES(?1,?2)", &st);
        if (e) break;
        sqlite3_bind_text(st, 1, x->case_id, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 2, x->cameras[i]);
        e = register_run(r, st, "extension camera");
    }
    return e;
}

static enum err add_criteria(struct register_db *r, const struct extension *x) {
    sqlite3_stmt *st;
    if (!*x->criteria) return OK;
    enum err e = register_prepare(r,
                                  "INSERT OR REPLACE INTO case_criterion SELECT ?1,criterion,line FROM "
                                  "extension_criterion WHERE extension=?2",
                                  &st);
    if (!e) {
        sqlite3_bind_text(st, 1, x->case_id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)x->id);
        e = register_run(r, st, "extension lines");
    }
    return e;
}

/* Only wider: what another extension has widened meanwhile stays. */
static enum err widen_case(struct register_db *r, const struct extension *x) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "UPDATE case_file SET from_ms=min(from_ms,coalesce(?2,from_ms)),"
                                  "to_ms=max(to_ms,coalesce(?3,to_ms)),"
                                  "expires_ms=max(expires_ms,coalesce(?4,expires_ms)),"
                                  "criteria=criteria||CASE WHEN ?5='' THEN '' ELSE ','||?5 END "
                                  "WHERE id=?1 AND state='open'",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, x->case_id, -1, SQLITE_STATIC);
    bind_asked(st, 2, x->from_ms);
    bind_asked(st, 3, x->to_ms);
    bind_asked(st, 4, x->expires_ms);
    sqlite3_bind_text(st, 5, x->criteria, -1, SQLITE_STATIC);
    e = register_run(r, st, "case widen");
    if (!e && sqlite3_changes(r->db) == 0) e = ERR_MISSING;
    if (!e) e = add_cameras(r, x);
    return e ? e : add_criteria(r, x);
}

static enum err mark(struct register_db *r, uint64_t id, bool approve, const char *by, const char *reason) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(
        r, "UPDATE extension SET state=?2,decided_by=?3,decided_ms=?4,decided_reason=?5 WHERE id=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, approve ? "approved" : "refused", -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, clock_wall_ms());
    sqlite3_bind_text(st, 5, reason, -1, SQLITE_STATIC);
    return register_run(r, st, "extension decide");
}

enum err extension_decide(struct register_db *r, const char *case_id, uint64_t id, bool approve,
                          const char *by, const char *reason) {
    struct extension x;
    if (!register_text_fine(reason, 0) || strlen(reason) > EXTENSION_REASON_MAX) return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = extension_get(r, case_id, id, &x);
    if (!e) {
        if (strcmp(x.state, "pending") != 0)
            e = ERR_EXISTS;
        else if (strcmp(x.by, by) == 0)
            e = ERR_DENIED;
        if (!e) e = mark(r, id, approve, by, reason);
        if (!e && approve) e = widen_case(r, &x);
        extension_fini(&x);
    }
    return register_end(r, e);
}
