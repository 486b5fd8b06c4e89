/* SPDX-License-Identifier: Apache-2.0 */
/* POST /cases, /cases/ID/close, /cases/ID/officers: a chief opens a case from a requisition, names the
 * officers who may read it, and ends it. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/http/field.h"

#define CASE_TERM_MAX_MS (3 * 365 * 86400000LL) /* CPP 230-22 */
#define OFFICERS_MAX     32u
#define MOMENT_MAX_MS    253402300799999LL /* the year 9999 */

/* [{key, line}, ...]: keys comma-separated into `words`, each line in lines[], borrowed from the body. */
bool api_read_lines(struct exchange *x, const json_t *body, bool needed, char *words, size_t cap,
                    const char *lines[API_LINES_MAX]) {
    const json_t *list = json_object_get(body, "criteria"), *one;
    size_t i, n = 0;
    words[0] = '\0';
    if (!list || json_is_null(list)) return !needed || field_bad(x, "criteria", "missing");
    if (!json_is_array(list) || json_array_size(list) > API_LINES_MAX)
        return field_bad(x, "criteria", "range");
    if (json_array_size(list) == 0) return field_bad(x, "criteria", "missing");
    json_array_foreach(list, i, one) {
        char line[1001];
        const char *key = json_string_value(json_object_get(one, "key"));
        bool known = false;
        for (unsigned k = 0; key && case_criteria[k]; k++) known |= strcmp(case_criteria[k], key) == 0;
        if (!known || strstr(words, key)) return field_bad(x, "criteria", "unknown");
        if (!field_text(x, one, "line", FIELD_NEEDED, line, sizeof line)) return false;
        lines[i] = json_string_value(json_object_get(one, "line"));
        n += (size_t)snprintf(words + n, cap - n, "%s%s", n ? "," : "", key);
        if (n >= cap) return field_bad(x, "criteria", "too_long");
    }
    return true;
}

static bool read_requisition(struct exchange *x, struct case_file *c) {
    const json_t *r = json_object_get(x->asked, "requisition");
    if (!json_is_object(r)) return field_bad(x, "requisition", "missing");
    return field_text(x, r, "no", FIELD_NEEDED, c->requisition, sizeof c->requisition) &&
           field_text(x, r, "authority", FIELD_NEEDED, c->authority, sizeof c->authority) &&
           field_text(x, r, "legal_basis", FIELD_NEEDED, c->basis, sizeof c->basis) &&
           field_text(x, r, "offence", FIELD_NEEDED, c->offence, sizeof c->offence) &&
           field_sha256(x, r, "doc_sha256", FIELD_NEEDED, c->doc_sha256);
}

/* Logins of an array, borrowed from the body. */
static bool read_officers(struct exchange *x, const char *logins[OFFICERS_MAX], unsigned *n) {
    const json_t *list = json_object_get(x->asked, "officers"), *one;
    size_t i;
    *n = 0;
    if (!list || json_is_null(list)) return true;
    if (!json_is_array(list) || json_array_size(list) > OFFICERS_MAX)
        return field_bad(x, "officers", "range");
    json_array_foreach(list, i, one) {
        struct user u;
        const char *login = json_string_value(one);
        if (!login || user_get(x->ctx->reg, login, &u) != OK || u.role != ROLE_OFFICER)
            return field_bad(x, "officers", "unknown");
        logins[(*n)++] = login;
    }
    return true;
}

struct edit_work {
    const char *lines[API_LINES_MAX];
    const char *officers[OFFICERS_MAX];
    unsigned n_officers;
    char reason[501];
};

static enum err open_case(struct register_db *r, struct exchange *x) {
    const struct edit_work *w = x->work;
    struct case_file *c = &x->c;
    snprintf(c->opened_by, sizeof c->opened_by, "%s", x->who.user.login);
    enum err e = case_open(r, c);
    unsigned i = 0;
    for (const char *p = c->criteria; !e && *p; i++) {
        char word[64];
        const size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        e = case_line_set(r, c->id, word, w->lines[i]);
        p += n + (p[n] == ',');
    }
    if (!e) e = case_officers_set(r, c->id, w->officers, w->n_officers);
    if (e) {
        c->id[0] = '\0'; /* it does not exist */
        return e == ERR_USAGE ? act_bad_field(x, "case", "not_text") : e;
    }
    snprintf(x->object, sizeof x->object, "%s", c->id);
    x->detail = json_deep_copy(x->asked);
    x->status = 201;
    return OK;
}

static void answer_case(struct exchange *x) {
    x->answer = api_case_json(x, x->c.id);
}

void api_cases_post(struct exchange *x) {
    static const char *const known[] = {"requisition", "from_ms",    "to_ms",    "camera_ids",
                                        "criteria",    "expires_ms", "officers", NULL};
    struct case_file *c = &x->c;
    if (!exchange_asked(x, known)) return;
    struct edit_work *w = x->work = calloc(1, sizeof *w);
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    const int64_t now_ms = http_now_ms(x->server);
    if (!read_requisition(x, c) ||
        !field_integer(x, x->asked, "from_ms", FIELD_NEEDED, 0, MOMENT_MAX_MS, &c->from_ms) ||
        !field_integer(x, x->asked, "to_ms", FIELD_NEEDED, 0, MOMENT_MAX_MS, &c->to_ms))
        return;
    if (c->to_ms <= c->from_ms) {
        field_bad(x, "to_ms", "order");
        return;
    }
    if (!field_integer(x, x->asked, "expires_ms", FIELD_NEEDED, 0, MOMENT_MAX_MS, &c->expires_ms)) return;
    if (c->expires_ms <= now_ms || c->expires_ms > now_ms + CASE_TERM_MAX_MS) {
        field_bad(x, "expires_ms", c->expires_ms <= now_ms ? "past" : "range");
        return;
    }
    if (!field_cameras(x, x->asked, "camera_ids", FIELD_NEEDED, &c->cameras, &c->n_cameras) ||
        !api_read_lines(x, x->asked, true, c->criteria, sizeof c->criteria, w->lines) ||
        !read_officers(x, w->officers, &w->n_officers))
        return;
    exchange_act(x, "case.open", open_case, answer_case);
}

static enum err close_case(struct register_db *r, struct exchange *x) {
    const struct edit_work *w = x->work;
    const enum err e = case_close(r, x->c.id, x->who.user.login);
    if (e == ERR_MISSING) return act_refuse(x, 409, "case_closed", NULL, "The case is closed.");
    snprintf(x->object, sizeof x->object, "%s", x->c.id);
    x->detail = json_pack("{s:s}", "reason", w->reason);
    return e;
}

void api_case_close_post(struct exchange *x) {
    static const char *const known[] = {"reason", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    struct edit_work *w = x->work = calloc(1, sizeof *w);
    if (!w)
        exchange_err(x, ERR_NOMEM);
    else if (field_text(x, x->asked, "reason", FIELD_NEEDED, w->reason, sizeof w->reason))
        exchange_act(x, "case.close", close_case, answer_case);
}

static enum err set_officers(struct register_db *r, struct exchange *x) {
    const struct edit_work *w = x->work;
    snprintf(x->object, sizeof x->object, "%s", x->c.id);
    x->detail = json_deep_copy(x->asked);
    const enum err e = case_officers_set(r, x->c.id, w->officers, w->n_officers);
    return e == ERR_USAGE ? act_bad_field(x, "officers", "unknown") : e;
}

void api_case_officers_post(struct exchange *x) {
    static const char *const known[] = {"officers", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    struct edit_work *w = x->work = calloc(1, sizeof *w);
    if (!w)
        exchange_err(x, ERR_NOMEM);
    else if (!json_object_get(x->asked, "officers"))
        field_bad(x, "officers", "missing");
    else if (read_officers(x, w->officers, &w->n_officers))
        exchange_act(x, "case.officers", set_officers, answer_case);
}
