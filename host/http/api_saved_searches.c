/* SPDX-License-Identifier: Apache-2.0 */
/* /cases/ID/searches: questions kept with a case under a name. */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/saved_search.h"
#include "host/http/field.h"

#define QUESTION_MAX_BYTES 8192u

static void work_free(void *arg) {
    struct saved_search *s = arg;
    if (s) free(s->question);
    free(s);
}

static json_t *search_json_of(const struct saved_search *s) {
    json_t *question = json_loads(s->question, 0, NULL);
    return json_pack("{s:I,s:s,s:o,s:s,s:I}", "id", (json_int_t)s->id, "name", s->name, "question",
                     question ? question : json_object(), "by", s->by, "at_ms", (json_int_t)s->at_ms);
}

void api_saved_searches_get(struct exchange *x) {
    struct saved_search *list = NULL;
    unsigned n = 0;
    if (!exchange_case_of_path(x)) return;
    const enum err e = saved_search_list(x->ctx->reg, x->c.id, &list, &n);
    if (e != OK) {
        exchange_err(x, e);
        return;
    }
    json_t *items = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(items, search_json_of(&list[i]));
    saved_search_list_free(list, n);
    exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

static enum err add(struct register_db *r, struct exchange *x) {
    struct saved_search *s = x->work;
    const enum err e = saved_search_add(r, x->c.id, s);
    if (e == ERR_FULL) return act_refuse(x, 429, "too_many", NULL, "The case holds 200 saved searches.");
    if (e == ERR_USAGE) return act_bad_field(x, "question", "not_text");
    if (e) return e;
    (void)snprintf(x->object, sizeof x->object, "%" PRIu64, s->id);
    x->detail = json_pack("{s:s,s:O}", "name", s->name, "question", json_object_get(x->asked, "question"));
    x->answer = search_json_of(s);
    x->status = 201;
    return OK;
}

void api_saved_searches_post(struct exchange *x) {
    static const char *const known[] = {"name", "question", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    const json_t *question = json_object_get(x->asked, "question");
    struct saved_search *s = x->work = calloc(1, sizeof *s);
    x->work_free = work_free;
    if (!s) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    (void)snprintf(s->by, sizeof s->by, "%s", x->who.user.login);
    if (!field_text(x, x->asked, "name", FIELD_NEEDED, s->name, sizeof s->name)) return;
    if (!json_is_object(question))
        field_bad(x, "question", "missing");
    else if (!(s->question = json_dumps(question, JSON_COMPACT)))
        exchange_err(x, ERR_NOMEM);
    else if (strlen(s->question) > QUESTION_MAX_BYTES)
        field_bad(x, "question", "too_long");
    else
        exchange_act(x, "search.save", add, NULL);
}

static enum err take_out(struct register_db *r, struct exchange *x) {
    uint64_t id = 0;
    x->answer = json_object();
    (void)snprintf(x->object, sizeof x->object, "%s", x->match.parameter[1]);
    return router_u64(x->match.parameter[1], &id) ? saved_search_remove(r, x->c.id, id) : ERR_MISSING;
}

void api_saved_search_delete(struct exchange *x) {
    if (exchange_case_of_path(x) && exchange_case_open(x)) exchange_act(x, "search.forget", take_out, NULL);
}
