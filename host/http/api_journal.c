/* SPDX-License-Identifier: Apache-2.0 */
/* /journal: its lines, the check of its chain, its signed heads. */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/base/clock.h"
#include "host/case/journal.h"

#define PAGE_DEFAULT 100u
#define PAGE_MAX     500u

struct question {
    uint64_t before_seq, limit;
    char user[64], action[64], case_id[64]; /* "" = any */
    int64_t last_seq;                       /* of the page */
};

static json_t *head_json(struct register_db *r) {
    int64_t seq;
    char hash[JOURNAL_HASH_BYTES];
    if (journal_head(r, &seq, hash) != OK) return NULL;
    return json_pack("{s:I,s:s}", "seq", (json_int_t)seq, "hash", hash);
}

static enum err add_row(const struct journal_row *row, const char *prev, void *arg) {
    struct exchange *x = arg;
    struct question *q = x->work;
    json_t *detail = json_loads(row->text[5] ? row->text[5] : "", 0, NULL);
    if (!json_is_object(detail)) { /* an altered line is shown as it is; the check names it */
        json_decref(detail);
        detail = json_pack("{s:s%}", "text", row->text[5] ? row->text[5] : "",
                           (size_t)(row->text[5] ? strlen(row->text[5]) : 0));
        if (!detail) detail = json_object();
    }
    json_t *station = json_object_get(detail, "station");
    json_t *item = json_pack(
        "{s:I,s:I,s:s*,s:s*,s:s,s:s*,s:s*,s:s*,s:o,s:s*,s:s*}", "seq", (json_int_t)row->seq, "t_ms",
        (json_int_t)row->at_ms, "user", row->text[0], "role", row->text[1], "station",
        json_is_string(station) ? json_string_value(station) : "", "action", row->text[2], "case_id",
        row->text[3], "object", row->text[4], "detail", detail, "prev", prev, "hash", row->hash);
    q->last_seq = row->seq;
    return json_array_append_new(x->detail, item) == 0 ? OK : ERR_NOMEM;
}

static const char *or_any(const char *text) {
    return *text ? text : NULL;
}

static enum err look(struct register_db *r, struct exchange *x) {
    struct question *q = x->work;
    x->detail = json_array();
    const enum err e = journal_page(r, (int64_t)q->before_seq, or_any(q->user), or_any(q->action),
                                    or_any(q->case_id), (unsigned)q->limit, add_row, x);
    if (e) return e;
    const bool full = json_array_size(x->detail) == q->limit && q->last_seq > 1;
    x->answer = json_pack("{s:O,s:o,s:o}", "items", x->detail, "next_before_seq",
                          full ? json_integer(q->last_seq) : json_null(), "head", head_json(r));
    return x->answer ? OK : ERR_NOMEM;
}

static void look_now(struct exchange *x) {
    exchange_look(x, look);
}

void api_journal_get(struct exchange *x) {
    char text[24];
    struct question *q = x->work = calloc(1, sizeof *q);
    if (!q) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    q->limit = PAGE_DEFAULT;
    if ((exchange_query(x, "before_seq", text, sizeof text) &&
         (!router_u64(text, &q->before_seq) || q->before_seq > INT64_MAX)) ||
        (exchange_query(x, "limit", text, sizeof text) &&
         (!router_u64(text, &q->limit) || q->limit < 1 || q->limit > PAGE_MAX))) {
        exchange_err(x, ERR_USAGE);
        return;
    }
    (void)exchange_query(x, "user", q->user, sizeof q->user);
    (void)exchange_query(x, "action", q->action, sizeof q->action);
    (void)exchange_query(x, "case_id", q->case_id, sizeof q->case_id);
    if (exchange_seen_lately(x, "journal.read")) {
        look_now(x);
        return;
    }
    exchange_remember_view(x, "journal.read");
    exchange_journal(x, "journal.read", "",
                     json_pack("{s:s,s:s,s:s}", "user", q->user, "action", q->action, "case_id", q->case_id),
                     look_now);
}

static enum err verify(struct register_db *r, struct exchange *x) {
    uint64_t n = 0, bad = 0;
    const enum err e = journal_verify(r, &n, &bad);
    if (e && e != ERR_CORRUPT) return e;
    x->answer = json_pack("{s:b,s:I,s:I,s:o}", "ok", (int)(e == OK), "checked", (json_int_t)n,
                          "first_bad_seq", (json_int_t)bad, "head", head_json(r));
    return x->answer ? OK : ERR_NOMEM;
}

static void verify_now(struct exchange *x) {
    exchange_look(x, verify);
}

void api_journal_verify_post(struct exchange *x) {
    exchange_journal(x, "journal.verify", "", NULL, verify_now);
}

static json_t *anchor_json(const struct journal_anchor *a) {
    char signature[4 * sizeof a->signature / 3 + 5], at[25];
    sodium_bin2base64(signature, sizeof signature, a->signature, a->n_signature,
                      sodium_base64_VARIANT_ORIGINAL);
    clock_format(a->at_ms, at);
    at[10] = '\0'; /* the day */
    return json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:I}", "day", at, "seq", (json_int_t)a->seq, "hash", a->hash,
                     "text", a->text, "signature", signature, "key_id", a->key_id, "at_ms",
                     (json_int_t)a->at_ms);
}

static enum err anchors(struct register_db *r, struct exchange *x) {
    struct journal_anchor *list = NULL;
    size_t n = 0;
    const enum err e = journal_anchors(r, &list, &n);
    if (e) return e;
    json_t *items = json_array();
    for (size_t i = n; i-- > 0;) json_array_append_new(items, anchor_json(&list[i]));
    journal_anchors_free(list, n);
    x->answer = json_pack("{s:o}", "items", items);
    return OK;
}

void api_journal_anchors_get(struct exchange *x) {
    exchange_look(x, anchors);
}
