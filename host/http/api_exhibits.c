/* SPDX-License-Identifier: Apache-2.0 */
/* /cases/ID/exhibits: sightings kept for a case, with the seconds around them and a note. */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/exhibit.h"
#include "host/http/field.h"

#define PAD_BEFORE_S 5
#define PAD_AFTER_S  3

static const char *camera_id(const struct camera *cameras, unsigned n, uint16_t number) {
    for (unsigned i = 0; i < n; i++)
        if (cameras[i].number == number) return cameras[i].id;
    return "";
}

static json_t *exhibit_json(const struct exchange *x, const struct exhibit *e, const struct camera *cameras,
                            unsigned n_cameras) {
    char id[24], thumb[96];
    (void)snprintf(id, sizeof id, "%" PRIu64, e->sighting);
    (void)snprintf(thumb, sizeof thumb, "/api/v1/media/t/%s.jpg?case=%s", id, e->case_id);
    return json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:i,s:i,s:s,s:s,s:I,s:o,s:s}", "id", (json_int_t)e->id,
                     "sighting_id", id, "camera_id", camera_id(cameras, n_cameras, e->camera), "from_ms",
                     (json_int_t)e->from_ms, "to_ms", (json_int_t)e->to_ms, "best_ms", (json_int_t)e->best_ms,
                     "pad_before_s", e->pad_before_s, "pad_after_s", e->pad_after_s, "note", e->note, "by",
                     e->by, "at_ms", (json_int_t)e->at_ms, "decision", api_decision_of(x, e->sighting),
                     "thumb", thumb);
}

void api_exhibits_get(struct exchange *x) {
    struct exhibit *list = NULL;
    struct camera *cameras = NULL;
    unsigned n = 0, n_cameras = 0;
    if (!exchange_case_of_path(x)) return;
    enum err e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e == OK) e = exhibit_list(x->ctx->reg, x->c.id, &list, &n);
    json_t *items = e == OK ? json_array() : NULL;
    for (unsigned i = 0; items && i < n; i++)
        json_array_append_new(items, exhibit_json(x, &list[i], cameras, n_cameras));
    free(list);
    free(cameras);
    if (e != OK)
        exchange_err(x, e);
    else
        exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

static void answer_exhibit(struct exchange *x) {
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    if (camera_list(x->ctx->reg, &cameras, &n_cameras) == OK)
        x->answer = exhibit_json(x, x->work, cameras, n_cameras);
    free(cameras);
}

static json_t *detail_json(const struct exhibit *e) {
    char id[24];
    (void)snprintf(id, sizeof id, "%" PRIu64, e->sighting);
    return json_pack("{s:s,s:i,s:i,s:s}", "sighting_id", id, "pad_before_s", e->pad_before_s, "pad_after_s",
                     e->pad_after_s, "note", e->note);
}

static void name_object(struct exchange *x) {
    const struct exhibit *e = x->work;
    (void)snprintf(x->object, sizeof x->object, "%" PRIu64, e->id);
    x->detail = detail_json(e);
}

static enum err add(struct register_db *r, struct exchange *x) {
    const enum err e = exhibit_add(r, x->work);
    if (e == ERR_EXISTS) return act_refuse(x, 409, "exists", NULL, "This passage is kept already.");
    if (e == ERR_FULL) return act_refuse(x, 429, "too_many", NULL, "The case holds 1,000 exhibits.");
    if (e == ERR_USAGE) return act_bad_field(x, "note", "not_text");
    if (e == OK) name_object(x);
    x->status = 201;
    return e;
}

static bool read_pads(struct exchange *x, struct exhibit *e) {
    int64_t before = e->pad_before_s, after = e->pad_after_s;
    if (!field_integer(x, x->asked, "pad_before_s", FIELD_OPTIONAL, 0, EXHIBIT_PAD_MAX_S, &before) ||
        !field_integer(x, x->asked, "pad_after_s", FIELD_OPTIONAL, 0, EXHIBIT_PAD_MAX_S, &after) ||
        !field_text(x, x->asked, "note", FIELD_OPTIONAL, e->note, sizeof e->note))
        return false;
    e->pad_before_s = (int)before;
    e->pad_after_s = (int)after;
    return true;
}

/* What the sighting says of itself, inside the case. */
static bool read_sighting(struct exchange *x, struct exhibit *e) {
    char id[24];
    struct perimeter p;
    struct sighting s;
    if (!field_text(x, x->asked, "sighting_id", FIELD_NEEDED, id, sizeof id)) return false;
    case_perimeter(&x->c, &p);
    const enum err got =
        router_u64(id, &e->sighting) ? index_sighting_get(x->ctx->reader, &p, e->sighting, &s) : ERR_MISSING;
    if (got == ERR_MISSING) return field_bad(x, "sighting_id", "unknown");
    if (got != OK) {
        exchange_err(x, got);
        return false;
    }
    free(s.thumbnail_jpeg);
    e->recording = s.recording_id;
    e->camera = s.camera_number;
    e->from_ms = s.start_ms;
    e->to_ms = s.end_ms;
    e->best_ms = s.best_ms;
    return true;
}

void api_exhibits_post(struct exchange *x) {
    static const char *const known[] = {"sighting_id", "pad_before_s", "pad_after_s", "note", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    struct exhibit *e = x->work = calloc(1, sizeof *e);
    if (!e) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    e->pad_before_s = PAD_BEFORE_S;
    e->pad_after_s = PAD_AFTER_S;
    (void)snprintf(e->case_id, sizeof e->case_id, "%s", x->c.id);
    (void)snprintf(e->by, sizeof e->by, "%s", x->who.user.login);
    if (read_sighting(x, e) && read_pads(x, e)) exchange_act(x, "exhibit.add", add, answer_exhibit);
}

/* The kept exhibit of the path, of an open case; NULL = the exchange has ended. */
static struct exhibit *find(struct exchange *x) {
    uint64_t id;
    if (!exchange_case_of_path(x) || !exchange_case_open(x)) return NULL;
    struct exhibit *e = x->work = calloc(1, sizeof *e);
    enum err got = ERR_NOMEM;
    if (e)
        got = router_u64(x->match.parameter[1], &id) ? exhibit_get(x->ctx->reg, x->c.id, id, e) : ERR_MISSING;
    if (got == OK) return e;
    exchange_err(x, got);
    return NULL;
}

static enum err change(struct register_db *r, struct exchange *x) {
    const enum err e = exhibit_update(r, x->work);
    if (e == ERR_USAGE) return act_bad_field(x, "note", "not_text");
    name_object(x);
    return e;
}

void api_exhibit_patch(struct exchange *x) {
    static const char *const known[] = {"pad_before_s", "pad_after_s", "note", NULL};
    struct exhibit *e = find(x);
    if (e && exchange_asked(x, known) && read_pads(x, e))
        exchange_act(x, "exhibit.change", change, answer_exhibit);
}

static enum err take_out(struct register_db *r, struct exchange *x) {
    const struct exhibit *e = x->work;
    name_object(x);
    x->answer = json_object();
    return exhibit_remove(r, x->c.id, e->id, x->who.user.login);
}

void api_exhibit_delete(struct exchange *x) {
    if (find(x)) exchange_act(x, "exhibit.remove", take_out, NULL);
}
