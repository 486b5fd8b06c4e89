/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.c - which of the asked time was looked at: spans clipped to a perimeter and merged. */
#include <stdlib.h>
#include <string.h>

#include "host/index/reader.h"

struct spans {
    struct coverage_span *v;
    size_t n, cap;
};

static enum err spans_add(struct spans *s, const struct coverage_span *span) {
    if (s->n > 0) {
        struct coverage_span *last = &s->v[s->n - 1];
        /* Overlap and touch both merge: two recordings of one camera may share a few frames. */
        if (last->camera_number == span->camera_number && last->state == span->state &&
            strcmp(last->reason, span->reason) == 0 && span->from_ms <= last->to_ms) {
            if (span->to_ms > last->to_ms) last->to_ms = span->to_ms;
            return OK;
        }
    }
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct coverage_span *q = realloc(s->v, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        s->v = q;
        s->cap = cap;
    }
    s->v[s->n++] = *span;
    return OK;
}

static enum err spans_of_camera(struct index_reader *r, const struct perimeter *p, uint16_t camera,
                                struct spans *spans) {
    sqlite3_stmt *st = r->st[R_COVERAGE];
    bool row;
    (void)sqlite3_bind_int(st, 1, camera);
    (void)sqlite3_bind_int64(st, 2, p->from_ms);
    (void)sqlite3_bind_int64(st, 3, p->to_ms);
    enum err e = db_step(st, &row);
    while (!e && row) {
        struct coverage_span span = {.camera_number = camera,
                                     .from_ms = sqlite3_column_int64(st, 0),
                                     .to_ms = sqlite3_column_int64(st, 1),
                                     .state = (enum coverage_state)sqlite3_column_int(st, 2)};
        const char *reason = (const char *)sqlite3_column_text(st, 3);
        if (reason) strncpy(span.reason, reason, sizeof span.reason - 1);
        if (span.from_ms < p->from_ms) span.from_ms = p->from_ms;
        if (span.to_ms > p->to_ms) span.to_ms = p->to_ms;
        e = spans_add(spans, &span);
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
    return e;
}

static int camera_order(const void *a, const void *b) {
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

enum err index_coverage(struct index_reader *r, const struct perimeter *p, struct coverage_span **out,
                        size_t *n) {
    struct spans spans = {0};
    *out = NULL;
    *n = 0;
    enum err e = perimeter_check(p);
    if (e) return e;
    uint16_t *cameras = malloc(p->n_cameras * sizeof *cameras);
    if (!cameras) return ERR_NOMEM;
    memcpy(cameras, p->cameras, p->n_cameras * sizeof *cameras);
    qsort(cameras, p->n_cameras, sizeof *cameras, camera_order);
    e = reader_begin(r);
    if (!e) {
        for (unsigned i = 0; !e && i < p->n_cameras; i++)
            if (i == 0 || cameras[i] != cameras[i - 1]) e = spans_of_camera(r, p, cameras[i], &spans);
        reader_end(r);
    }
    free(cameras);
    if (e) {
        free(spans.v);
        return e;
    }
    *out = spans.v;
    *n = spans.n;
    return OK;
}
