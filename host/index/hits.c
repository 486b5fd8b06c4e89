/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/hits.h"

#include <stdlib.h>
#include <string.h>

#include "host/index/hitset.h"
#include "host/index/scan.h"

enum { COLUMN_TERMS = 2, COLUMN_PERIMETER, COLUMN_START, COLUMN_END, ARGUMENTS = 4, TERMS_MAX_BYTES = 4096 };

/* One module, two tables: which one is told by the client data. */
struct hits_module {
    struct index_reader *r;
    bool by_hour;
};
struct hits_table {
    sqlite3_vtab base;
    struct hits_module m;
};
struct hits_cursor {
    sqlite3_vtab_cursor base;
    struct hit_place *place; /* of hits(), newest first */
    size_t n, at;
    struct {
        int64_t hour;
        uint64_t n;
    } * hour; /* of hits_by_hour() */
};

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                         char **error) {
    const struct hits_module *m = aux;
    (void)argc, (void)argv, (void)error;
    int rc =
        sqlite3_declare_vtab(db, m->by_hour ? "CREATE TABLE x(hour INTEGER, hit_count INTEGER, terms HIDDEN, "
                                              "perimeter HIDDEN, start_ms HIDDEN, end_ms HIDDEN)"
                                            : "CREATE TABLE x(id INTEGER, start_ms INTEGER, terms HIDDEN, "
                                              "perimeter HIDDEN, from_ms HIDDEN, end_ms HIDDEN)");
    if (rc != SQLITE_OK) return rc;
    (void)sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY); /* never from a trigger or a view in the file */
    struct hits_table *t = sqlite3_malloc(sizeof *t);
    if (!t) return SQLITE_NOMEM;
    memset(t, 0, sizeof *t);
    t->m = *m;
    *out = &t->base;
    return SQLITE_OK;
}
static int table_disconnect(sqlite3_vtab *t) {
    sqlite3_free(t);
    return SQLITE_OK;
}

/* All four arguments are needed, in their order. */
static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
    unsigned seen = 0;
    (void)base;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        if (column < COLUMN_TERMS || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
        if (!info->aConstraint[i].usable) return SQLITE_CONSTRAINT;
        info->aConstraintUsage[i].argvIndex = column - COLUMN_TERMS + 1;
        info->aConstraintUsage[i].omit = 1;
        seen |= 1u << (column - COLUMN_TERMS);
    }
    if (seen != (1u << ARGUMENTS) - 1) return SQLITE_CONSTRAINT;
    /* Rows come newest first: ORDER BY start_ms DESC, id DESC (or hour DESC) needs no sort. */
    bool ordered = info->nOrderBy > 0 && info->aOrderBy[0].desc;
    if (info->nOrderBy == 1) ordered = ordered && info->aOrderBy[0].iColumn == 1;
    if (info->nOrderBy == 2)
        ordered = ordered && info->aOrderBy[0].iColumn == 1 && info->aOrderBy[1].iColumn == 0 &&
                  info->aOrderBy[1].desc;
    info->orderByConsumed = ordered && info->nOrderBy <= 2 && !((struct hits_table *)base)->m.by_hour;
    info->estimatedCost = 1000;
    info->estimatedRows = 100000;
    return SQLITE_OK;
}

static int cursor_make(sqlite3_vtab *t, sqlite3_vtab_cursor **out) {
    (void)t;
    struct hits_cursor *c = sqlite3_malloc(sizeof *c);
    if (!c) return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    *out = &c->base;
    return SQLITE_OK;
}
static void cursor_clear(struct hits_cursor *c) {
    free(c->place);
    free(c->hour);
    c->place = NULL;
    c->hour = NULL;
    c->n = c->at = 0;
}
static int cursor_destroy(sqlite3_vtab_cursor *base) {
    cursor_clear((struct hits_cursor *)base);
    sqlite3_free(base);
    return SQLITE_OK;
}

/* "131|140&!200". ERR_USAGE when it is anything else. */
static enum err parse_terms(const char *text, struct scan_request *q) {
    if (strlen(text) > TERMS_MAX_BYTES) return ERR_USAGE;
    for (const char *p = text; *p;) {
        if (q->n_groups == QUERY_GROUPS_MAX) return ERR_USAGE;
        struct scan_group *g = &q->group[q->n_groups++];
        memset(g, 0, sizeof *g);
        if (*p == '!') {
            g->negated = true;
            p++;
        }
        for (;;) {
            if (*p < '0' || *p > '9' || g->n == QUERY_TERMS_MAX) return ERR_USAGE;
            char *end;
            unsigned long v = strtoul(p, &end, 10);
            if (v == 0 || v >= 1ul << 21) return ERR_USAGE;
            g->number[g->n++] = (uint32_t)v;
            p = end;
            if (*p != '|') break;
            p++;
        }
        if (*p == '&' && p[1])
            p++;
        else if (*p)
            return ERR_USAGE;
    }
    return OK;
}

struct by_hour {
    struct hits_cursor *c;
    size_t cap;
};
static enum err take_hour(void *arg, const struct scan_segment *s) {
    struct by_hour *b = arg;
    int64_t hour = (int64_t)(s->id >> (24 - DB_SEGMENT_SHIFT));
    struct hits_cursor *c = b->c;
    if (c->n == 0 || c->hour[c->n - 1].hour != hour) {
        if (c->n == b->cap) {
            b->cap = b->cap ? b->cap * 2 : 64;
            void *q = realloc(c->hour, b->cap * sizeof *c->hour);
            if (!q) return ERR_NOMEM;
            c->hour = q;
        }
        c->hour[c->n].hour = hour;
        c->hour[c->n++].n = 0;
    }
    c->hour[c->n - 1].n += s->n_hits;
    return OK;
}
static enum err take_hits(void *arg, const struct scan_segment *s) {
    return hitset_add(arg, s, NULL);
}

static enum err run_hits(struct index_reader *r, const struct scan_request *q, struct hits_cursor *c) {
    struct hitset h = {0};
    unsigned n = 0;
    enum err e = scan_run(r, q, take_hits, &h);
    if (!e && h.total) {
        c->place = h.total <= UINT32_MAX ? malloc(h.total * sizeof *c->place) : NULL;
        e = c->place ? hitset_page(r, &h, false, 0, (unsigned)h.total, c->place, &n) : ERR_NOMEM;
        c->n = n;
    }
    hitset_fini(&h);
    return e;
}

static int refuse(sqlite3_vtab *t, const char *why) {
    sqlite3_free(t->zErrMsg);
    t->zErrMsg = sqlite3_mprintf("%s", why);
    return SQLITE_ERROR;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int index, const char *name, int argc,
                         sqlite3_value **argv) {
    struct hits_cursor *c = (struct hits_cursor *)base;
    struct hits_table *t = (struct hits_table *)base->pVtab;
    (void)index, (void)name;
    cursor_clear(c);
    if (argc != ARGUMENTS) return refuse(base->pVtab, "four arguments are needed");
    const struct perimeter *p = sqlite3_value_pointer(argv[1], HITS_PERIMETER);
    if (perimeter_check(p) != OK) return refuse(base->pVtab, "no perimeter: it is bound by the server");
    if (sqlite3_value_type(argv[0]) != SQLITE_TEXT || sqlite3_value_type(argv[2]) != SQLITE_INTEGER ||
        sqlite3_value_type(argv[3]) != SQLITE_INTEGER)
        return refuse(base->pVtab, "terms must be a text, start_ms and end_ms integers");
    int64_t from = sqlite3_value_int64(argv[2]), to = sqlite3_value_int64(argv[3]);
    struct scan_request *q = calloc(1, sizeof *q);
    if (!q) return SQLITE_NOMEM;
    enum err e = parse_terms((const char *)sqlite3_value_text(argv[0]), q);
    camera_set_clear(&q->cameras);
    for (unsigned i = 0; i < p->n_cameras; i++) camera_set_add(&q->cameras, p->cameras[i]);
    if (!e) e = scan_range(q, from > p->from_ms ? from : p->from_ms, to < p->to_ms ? to : p->to_ms);
    struct by_hour hours = {.c = c};
    if (!e) e = t->m.by_hour ? scan_run(t->m.r, q, take_hour, &hours) : run_hits(t->m.r, q, c);
    (void)sqlite3_reset(t->m.r->st[R_COLUMN]); /* lends its last chunk to nobody any more */
    free(q);
    if (e == ERR_USAGE) return refuse(base->pVtab, "terms are v, v|v or !v, joined by &");
    return e == OK ? SQLITE_OK : e == ERR_NOMEM ? SQLITE_NOMEM : refuse(base->pVtab, err_text(e));
}

static int cursor_next(sqlite3_vtab_cursor *base) {
    ((struct hits_cursor *)base)->at++;
    return SQLITE_OK;
}
static int cursor_eof(sqlite3_vtab_cursor *base) {
    struct hits_cursor *c = (struct hits_cursor *)base;
    return c->at >= c->n;
}
static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *cx, int column) {
    struct hits_cursor *c = (struct hits_cursor *)base;
    if (c->hour && column < COLUMN_TERMS)
        sqlite3_result_int64(cx, column ? (int64_t)c->hour[c->at].n : c->hour[c->at].hour);
    else if (c->place && column < COLUMN_TERMS)
        sqlite3_result_int64(cx, column ? c->place[c->at].start_ms : (int64_t)c->place[c->at].id);
    return SQLITE_OK;
}
static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
    *out = (sqlite3_int64)((struct hits_cursor *)base)->at;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = table_connect, /* no xCreate: the table is there by itself and cannot be made otherwise */
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_make,
    .xClose = cursor_destroy,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

enum err hits_register(struct index_reader *r) {
    for (unsigned by_hour = 0; by_hour < 2; by_hour++) {
        struct hits_module *m = malloc(sizeof *m);
        if (!m) return ERR_NOMEM;
        *m = (struct hits_module){r, by_hour == 1};
        int rc = sqlite3_create_module_v2(r->db, by_hour ? "hits_by_hour" : "hits", &module, m, free);
        if (rc != SQLITE_OK) return db_err(r->db, rc, "register hits()");
    }
    return OK;
}

sqlite3 *index_reader_sql(struct index_reader *r) {
    return r->db;
}
