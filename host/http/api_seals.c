/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: what is handed over, asked for by one person and approved by another. The register refuses the
 * author and anything unconfirmed (host/case/seal.h); here is only who may ask at all, and what is answered.
 */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/case/rights.h"
#include "host/case/seal.h"
#include "host/evidence/folder.h"
#include "host/http/field.h"
#include "host/http/sealer.h"

/* What an act needs; one allocation, freed with the exchange. */
struct wish {
    uint64_t id;
    bool approve;
    char reason[501], state[16];
    char handed_to[256], medium[128];
    bool blur;
    uint64_t exhibits[SEAL_EXHIBITS_MAX];
    unsigned n_exhibits;
    char path[FOLDER_PATH_MAX];
};

static json_t *numbers(const uint64_t *ids, unsigned n) {
    json_t *out = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(out, json_integer((json_int_t)ids[i]));
    return out;
}

static json_t *seal_json(const struct seal *s) {
    return json_pack("{s:I,s:s,s:s,s:o,s:s,s:s,s:b,s:s,s:I,s:s,s:I,s:s,s:s,s:I,s:s,s:I}", "id",
                     (json_int_t)s->id, "case_id", s->case_id, "state", s->state, "exhibit_ids",
                     numbers(s->exhibits, s->n_exhibits), "handed_to", s->handed_to, "medium", s->medium,
                     "blur", (int)s->blur, "by", s->by, "at_ms", (json_int_t)s->at_ms, "decided_by",
                     s->decided_by, "decided_ms", (json_int_t)s->decided_ms, "decided_reason",
                     s->decided_reason, "error", s->error, "bytes", (json_int_t)s->bytes, "sha256", s->sha256,
                     "journal_seq", (json_int_t)s->journal_seq);
}

void api_seals_get(struct exchange *x) {
    struct seal *list;
    unsigned n;
    if (!exchange_case_of_path(x)) return;
    const enum err e = seal_list(x->ctx->reg, x->c.id, &list, &n);
    if (e != OK) {
        exchange_err(x, e);
        return;
    }
    json_t *items = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(items, seal_json(&list[i]));
    seals_free(list, n);
    exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

static struct wish *wish_new(struct exchange *x) {
    struct wish *w = x->work = calloc(1, sizeof *w);
    if (!w) exchange_err(x, ERR_NOMEM);
    return w;
}

/* ---- asked for -------------------------------------------------------------------------------------------
 */

static enum err refuse_unconfirmed(struct register_db *r, struct exchange *x, const uint64_t *ids,
                                   unsigned n) {
    uint64_t *bad;
    unsigned n_bad;
    const enum err e = seal_unconfirmed(r, x->c.id, ids, n, &bad, &n_bad);
    if (e) return e;
    json_t *params = json_pack("{s:o}", "exhibit_ids", numbers(bad, n_bad));
    free(bad);
    return act_refuse_journalled(x, 422, "unconfirmed", params, "Nothing unconfirmed leaves.");
}

static enum err ask(struct register_db *r, struct exchange *x) {
    struct wish *w = x->work;
    struct seal s = {.blur = w->blur, .exhibits = w->exhibits, .n_exhibits = w->n_exhibits};
    snprintf(s.case_id, sizeof s.case_id, "%s", x->c.id);
    snprintf(s.handed_to, sizeof s.handed_to, "%s", w->handed_to);
    snprintf(s.medium, sizeof s.medium, "%s", w->medium);
    snprintf(s.by, sizeof s.by, "%s", x->who.user.login);
    const enum err e = seal_request(r, &s);
    if (e == ERR_DENIED) return refuse_unconfirmed(r, x, w->exhibits, w->n_exhibits);
    if (e == ERR_MISSING) return act_refuse(x, 409, "case_closed", NULL, "The case is closed.");
    if (e == ERR_USAGE) return act_bad_field(x, "exhibit_ids", "range");
    if (e) return e;
    snprintf(x->object, sizeof x->object, "%" PRIu64, s.id);
    x->status = 201;
    x->answer = seal_json(&s);
    x->detail = seal_json(&s);
    return OK;
}

static bool read_exhibits(struct exchange *x, struct wish *w) {
    const json_t *list = json_object_get(x->asked, "exhibit_ids");
    size_t i;
    const json_t *one;
    if (!list) return field_bad(x, "exhibit_ids", "missing");
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > SEAL_EXHIBITS_MAX)
        return field_bad(x, "exhibit_ids", "range");
    json_array_foreach(list, i, one) {
        if (!json_is_integer(one) || json_integer_value(one) <= 0)
            return field_bad(x, "exhibit_ids", "range");
        w->exhibits[w->n_exhibits++] = (uint64_t)json_integer_value(one);
    }
    return true;
}

void api_seals_post(struct exchange *x) {
    static const char *const known[] = {"exhibit_ids", "handed_to", "medium", "blur", NULL};
    struct wish *w;
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known) ||
        !(w = wish_new(x)))
        return;
    w->blur = true;
    if (read_exhibits(x, w) &&
        field_text(x, x->asked, "handed_to", FIELD_NEEDED, w->handed_to, sizeof w->handed_to) &&
        field_text(x, x->asked, "medium", FIELD_NEEDED, w->medium, sizeof w->medium) &&
        field_bool(x, x->asked, "blur", &w->blur))
        exchange_act(x, "seal.ask", ask, NULL);
}

/* ---- one seal --------------------------------------------------------------------------------------------
 */

/* The seal of the path, whose case this user may see, into *s; false = the exchange has ended. */
static bool find(struct exchange *x, struct seal *s) {
    uint64_t id;
    const enum err e = router_u64(x->match.parameter[0], &id) ? seal_get(x->ctx->reg, id, s) : ERR_MISSING;
    if (e == ERR_MISSING)
        exchange_error(x, 404, "not_found", NULL, "There is no such seal.");
    else if (e != OK)
        exchange_err(x, e);
    if (e != OK) return false;
    if (exchange_case_named(x, s->case_id)) return true;
    seal_fini(s);
    return false;
}

void api_seal_get(struct exchange *x) {
    struct seal s;
    if (!find(x, &s)) return;
    json_t *o = seal_json(&s);
    seal_fini(&s);
    exchange_json(x, 200, o);
}

static enum err decide(struct register_db *r, struct exchange *x) {
    struct wish *w = x->work;
    struct seal s;
    enum err e = seal_decide(r, w->id, w->approve, x->who.user.login, w->reason, &s);
    if (e == ERR_DENIED && strcmp(s.by, x->who.user.login) == 0)
        e = act_refuse_journalled(x, 403, "needs_second_person", NULL,
                                  "Who asked for a seal cannot decide on it.");
    else if (e == ERR_DENIED)
        e = refuse_unconfirmed(r, x, s.exhibits, s.n_exhibits);
    else if (e == ERR_BUSY)
        e = act_refuse(x, 409, "already_decided",
                       json_pack("{s:s,s:s}", "state", s.state, "by", s.decided_by),
                       "It was decided already.");
    else if (e == ERR_USAGE)
        e = act_bad_field(x, "reason", "too_long");
    else if (e == OK) {
        snprintf(x->object, sizeof x->object, "%" PRIu64, s.id);
        snprintf(w->state, sizeof w->state, "%s", s.state);
        x->answer = seal_json(&s);
        x->detail = seal_json(&s);
    }
    seal_fini(&s);
    return e;
}

static void begin_building(struct exchange *x) {
    const struct wish *w = x->work;
    /* When too many wait, the next start of the server takes it up: its state says "building". */
    if (strcmp(w->state, "building") == 0 && sealer_add(x->server->sealer, w->id, x->c.id) != OK)
        log_warn("http", "resource=seals: the queue is full");
}

static void decide_post(struct exchange *x, bool approve) {
    static const char *const known[] = {"reason", NULL};
    struct seal s;
    struct wish *w;
    if (!find(x, &s)) return;
    const uint64_t id = s.id;
    seal_fini(&s);
    if (!exchange_asked(x, known) || !(w = wish_new(x))) return;
    if (approve && !x->server->sealer) {
        exchange_error(x, 503, "busy", NULL, "This server builds no seals.");
        return;
    }
    w->id = id;
    w->approve = approve;
    if (field_text(x, x->asked, "reason", FIELD_OPTIONAL, w->reason, sizeof w->reason))
        exchange_act(x, approve ? "seal.approve" : "seal.refuse", decide, begin_building);
}

void api_seal_approve_post(struct exchange *x) {
    decide_post(x, true);
}

void api_seal_refuse_post(struct exchange *x) {
    decide_post(x, false);
}

/* ---- its files -------------------------------------------------------------------------------------------
 */

static void send_archive(struct exchange *x) {
    const struct wish *w = x->work;
    char name[64];
    snprintf(name, sizeof name, "attachment; filename=\"seal-%" PRIu64 ".tar\"", w->id);
    exchange_set_header(x, "Content-Disposition", name);
    exchange_file(x, w->path, "application/x-tar", "private, no-store");
}

static void send_manifest(struct exchange *x) {
    const struct wish *w = x->work;
    exchange_file(x, w->path, "application/json", "private, no-store");
}

static void file_get(struct exchange *x, bool archive) {
    struct seal s;
    struct wish *w;
    char object[24];
    if (!find(x, &s)) return;
    const uint64_t id = s.id;
    const bool ready = strcmp(s.state, "ready") == 0;
    seal_fini(&s);
    if (!ready) {
        exchange_error(x, 404, "not_found", NULL, "The seal is not ready.");
        return;
    }
    if (!(w = wish_new(x))) return;
    w->id = id;
    enum err e = folder_path(x->ctx->data_dir, id, archive, w->path);
    if (!e && !archive && strlen(w->path) + sizeof "/MANIFEST.json" > sizeof w->path) e = ERR_USAGE;
    if (e) {
        exchange_err(x, e);
        return;
    }
    if (!archive) strcat(w->path, "/MANIFEST.json");
    snprintf(object, sizeof object, "%" PRIu64, id);
    /* A download in ranges is one line a minute. */
    char view[64];
    snprintf(view, sizeof view, "seal %s %s", archive ? "archive" : "manifest", object);
    if (exchange_seen_lately(x, view)) {
        (archive ? send_archive : send_manifest)(x);
        return;
    }
    exchange_remember_view(x, view);
    exchange_journal(x, archive ? "seal.download" : "seal.manifest", object, NULL,
                     archive ? send_archive : send_manifest);
}

void api_seal_archive_get(struct exchange *x) {
    file_get(x, true);
}

void api_seal_manifest_get(struct exchange *x) {
    if (rights_allow(x->who.user.role, ACTION_EXPORT_RECEIVE) ||
        rights_allow(x->who.user.role, ACTION_EXPORT_PREPARE))
        file_get(x, false);
    else
        exchange_error(x, 403, "not_allowed",
                       json_pack("{s:s,s:s}", "action", action_name(ACTION_EXPORT_RECEIVE), "role",
                                 role_name(x->who.user.role)),
                       "Your role may not do this.");
}
