/* SPDX-License-Identifier: Apache-2.0 */
/* /sightings/ID/decision(s) and /decisions: the machine proposes, a person decides. */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/http/field.h"

#define VIEWED_MAX_MS 86400000

json_t *api_decision_json(const struct decision *d) {
    char id[24];
    (void)snprintf(id, sizeof id, "%" PRIu64, d->sighting);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:i}", "sighting_id", id, "state", d->state, "reason",
                     d->reason, "by", d->by, "at_ms", (json_int_t)d->at_ms, "viewed_ms",
                     (json_int_t)d->viewed_ms, "version", (int)d->version);
}

json_t *api_decision_of(const struct exchange *x, uint64_t sighting) {
    struct decision d;
    return decision_get(x->ctx->reg, x->c.id, sighting, &d) == OK ? api_decision_json(&d) : json_null();
}

static void mark_item(const struct exchange *x, json_t *item, const char *id) {
    uint64_t sighting, exhibit = 0;
    if (!router_u64(id, &sighting)) return;
    json_object_set_new(item, "decision", api_decision_of(x, sighting));
    if (exhibit_of(x->ctx->reg, x->c.id, sighting, &exhibit) != OK) exhibit = 0;
    json_object_set_new(item, "exhibit_id", exhibit ? json_integer((json_int_t)exhibit) : json_null());
}

void api_mark(const struct exchange *x, json_t *answer) {
    size_t i;
    const char *name;
    json_t *part;
    const char *id = json_string_value(json_object_get(answer, "id"));
    if (id && json_object_get(answer, "thumb")) {
        mark_item(x, answer, id);
        return;
    }
    json_array_foreach(answer, i, part) if (json_is_object(part)) api_mark(x, part);
    json_object_foreach(answer, name, part) if (json_is_object(part) || json_is_array(part))
        api_mark(x, part);
}

/* `"N"`, N = the version last seen. */
static bool read_version(struct exchange *x, unsigned *out) {
    const char *tag = exchange_header(x, "If-Match");
    char text[16] = "";
    uint64_t version;
    const size_t n = tag ? strlen(tag) : 0;
    if (!tag) {
        exchange_error(x, 428, "if_match_needed", NULL,
                       "Say which decision was seen: If-Match: \"version\".");
        return false;
    }
    if (n > 2 && n < sizeof text && tag[0] == '"' && tag[n - 1] == '"') memcpy(text, tag + 1, n - 2);
    if (!router_u64(text, &version) || version > INT32_MAX) {
        exchange_err(x, ERR_USAGE);
        return false;
    }
    *out = (unsigned)version;
    return true;
}

static enum err decide(struct register_db *r, struct exchange *x) {
    struct decision *d = x->work;
    const enum err e = decision_put(r, x->c.id, d);
    if (e == ERR_BUSY)
        return act_refuse(x, 412, "changed", api_decision_json(d), "Somebody has decided meanwhile.");
    if (e == ERR_USAGE)
        return act_bad_field(x, d->version > 0 && !*d->reason ? "reason" : "state", "missing");
    x->detail = api_decision_json(d);
    x->answer = api_decision_json(d);
    return e;
}

static void tag_decision(struct exchange *x) {
    const struct decision *d = x->work;
    char tag[16];
    (void)snprintf(tag, sizeof tag, "\"%u\"", d->version);
    exchange_set_header(x, "ETag", tag);
}

/* The sighting of the path must lie in the case. */
static bool find(struct exchange *x, uint64_t *id) {
    struct perimeter p;
    struct sighting s;
    case_perimeter(&x->c, &p);
    enum err e =
        router_u64(x->match.parameter[0], id) ? index_sighting_get(x->ctx->reader, &p, *id, &s) : ERR_MISSING;
    if (e == OK) {
        free(s.thumbnail_jpeg);
        return true;
    }
    exchange_err(x, e);
    return false;
}

void api_decision_post(struct exchange *x) {
    static const char *const known[] = {"state", "reason", "viewed_ms", NULL};
    if (!exchange_case(x) || !exchange_asked(x, known)) return;
    struct decision *d = x->work = calloc(1, sizeof *d);
    if (!d) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    (void)snprintf(d->by, sizeof d->by, "%s", x->who.user.login);
    if (!read_version(x, &d->version) || !find(x, &d->sighting) ||
        !field_text(x, x->asked, "state", FIELD_NEEDED, d->state, sizeof d->state) ||
        !field_text(x, x->asked, "reason", FIELD_OPTIONAL, d->reason, sizeof d->reason) ||
        !field_integer(x, x->asked, "viewed_ms", FIELD_OPTIONAL, 0, VIEWED_MAX_MS, &d->viewed_ms))
        return;
    if (strcmp(d->state, "confirmed") != 0 && strcmp(d->state, "rejected") != 0 &&
        strcmp(d->state, "undecided") != 0) {
        field_bad(x, "state", "unknown");
        return;
    }
    (void)snprintf(x->object, sizeof x->object, "%" PRIu64, d->sighting);
    exchange_act(x, "decide", decide, tag_decision);
}

/* ends; takes the list. */
static void answer_list(struct exchange *x, enum err e, struct decision *list, unsigned n) {
    json_t *items = e == OK ? json_array() : NULL;
    for (unsigned i = 0; items && i < n; i++) json_array_append_new(items, api_decision_json(&list[i]));
    free(list);
    if (e != OK)
        exchange_err(x, e);
    else
        exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

void api_sighting_decisions_get(struct exchange *x) {
    uint64_t id;
    struct decision *list = NULL;
    unsigned n = 0;
    if (!exchange_case(x) || !find(x, &id)) return;
    const enum err e = decision_history(x->ctx->reg, x->c.id, id, &list, &n);
    answer_list(x, e, list, n);
}

void api_decisions_get(struct exchange *x) {
    char state[16];
    struct decision *list = NULL;
    unsigned n = 0;
    if (!exchange_case(x)) return;
    const bool one = exchange_query(x, "state", state, sizeof state);
    const enum err e = decision_list(x->ctx->reg, x->c.id, one ? state : NULL, &list, &n);
    answer_list(x, e, list, n);
}
