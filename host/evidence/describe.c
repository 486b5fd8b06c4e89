/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/journal.h"
#include "host/case/user.h"

#define PARTS 65536.0

const struct camera *describe_find_camera(const struct camera *cameras, unsigned n, uint16_t number) {
    for (unsigned i = 0; i < n; i++)
        if (cameras[i].number == number) return &cameras[i];
    return NULL;
}

json_t *describe_moment(const struct zone *z, int64_t ms) {
    char utc[25], local[32];
    clock_format(ms, utc);
    journal_local_time(z, ms, local);
    return json_pack("{s:I,s:s,s:s}", "ms", (json_int_t)ms, "utc", utc, "local", local);
}

json_t *describe_case(const struct case_file *c, const struct camera *cameras, unsigned n_cameras) {
    json_t *ids = json_array();
    for (unsigned i = 0; i < c->n_cameras; i++) {
        const struct camera *k = describe_find_camera(cameras, n_cameras, c->cameras[i]);
        if (k) json_array_append_new(ids, json_string(k->id));
    }
    return json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:s},s:I,s:I,s:o,s:s,s:s,s:I,s:s}", "id", c->id, "requisition",
                     "no", c->requisition, "authority", c->authority, "legal_basis", c->basis, "offence",
                     c->offence, "doc_sha256", c->doc_sha256, "from_ms", (json_int_t)c->from_ms, "to_ms",
                     (json_int_t)c->to_ms, "camera_ids", ids, "criteria", c->criteria, "state", c->state,
                     "opened_ms", (json_int_t)c->opened_ms, "opened_by", c->opened_by);
}

json_t *describe_person(struct register_db *r, const char *login) {
    struct user u;
    if (user_get(r, login, &u) != OK) return json_pack("{s:s}", "login", login);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "login", u.login, "name", u.name, "role", role_name(u.role),
                     "habilitation", u.habilitation, "valid_from_ms", (json_int_t)u.valid_from_ms,
                     "valid_to_ms", (json_int_t)u.valid_to_ms);
}

json_t *describe_decision(const struct decision *d) {
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, d->sighting);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:i}", "sighting_id", id, "state", d->state, "reason",
                     d->reason, "by", d->by, "at_ms", (json_int_t)d->at_ms, "viewed_ms",
                     (json_int_t)d->viewed_ms, "version", (int)d->version);
}

json_t *describe_camera(const struct camera *c) {
    return json_pack("{s:s,s:s,s:f,s:f,s:i,s:i,s:I,s:s}", "id", c->id, "name", c->name, "lat", c->lat, "lon",
                     c->lon, "heading_deg", c->heading_deg, "fov_deg", c->fov_deg, "clock_offset_ms",
                     (json_int_t)c->clock_offset_ms, "clock_offset_source",
                     "register of cameras at this export");
}

json_t *describe_recording(const struct recording *rec) {
    const char *slash = strrchr(rec->path, '/');
    return json_pack("{s:I,s:s,s:s,s:I,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:I}", "id", (json_int_t)rec->id, "file",
                     slash ? slash + 1 : rec->path, "sha256", rec->sha256, "bytes", (json_int_t)rec->n_bytes,
                     "codec", rec->codec, "container", rec->container, "w_px", (int)rec->w_px, "h_px",
                     (int)rec->h_px, "fps_milli", (int)rec->fps_milli, "start_ms", (json_int_t)rec->start_ms,
                     "duration_us", (json_int_t)rec->duration_us, "imported_ms",
                     (json_int_t)rec->imported_ms);
}

/* ONVIF: -1..1 from left to right and from bottom to top. */
static json_t *onvif_box(const struct box_norm *b) {
    return json_pack("{s:f,s:f,s:f,s:f}", "left", b->x0 / PARTS * 2 - 1, "top", 1 - b->y0 / PARTS * 2,
                     "right", b->x1 / PARTS * 2 - 1, "bottom", 1 - b->y1 / PARTS * 2);
}

static json_t *value_json(const struct vocab_value *v, int score, bool sure) {
    json_t *o = json_pack("{s:s,s:s,s:s,s:f,s:b}", "Name", v->name, "LabelFr", v->label_fr, "LabelEn",
                          v->label_en, "Likelihood", score / 100.0, "Sure", (int)sure);
    if (o && v->onvif[0]) json_object_set_new(o, "Onvif", json_string(v->onvif));
    return o;
}

static json_t *attributes_json(const struct vocab *v, const struct sighting *s) {
    json_t *all = json_array();
    for (unsigned i = 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        json_t *values = json_array();
        for (unsigned k = 0; k < a->n_values; k++) {
            const struct vocab_value *x = vocab_by_id(v, (enum field)a->field, a->value[k].id);
            if (x) json_array_append_new(values, value_json(x, a->value[k].score, a->value[k].sure != 0));
        }
        json_array_append_new(
            all, json_pack("{s:s,s:o}", "Field", field_name((enum field)a->field), "Values", values));
    }
    return all;
}

json_t *describe_sighting(const struct vocab *v, const struct sighting *s, bool plates_allowed) {
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, s->id);
    const struct vocab_value *class = vocab_by_id(v, FIELD_CLASS, s->class_id);
    json_t *path = json_array();
    for (unsigned i = 0; i < s->n_path; i++)
        json_array_append_new(path, json_pack("{s:I,s:o}", "UtcMs", (json_int_t)s->path[i].at_ms,
                                              "BoundingBox", onvif_box(&s->path[i].box)));
    json_t *o =
        json_pack("{s:s,s:{s:s,s:s,s:f},s:{s:o},s:I,s:I,s:I,s:I,s:i,s:o,s:o}", "ObjectId", id, "Class",
                  "Type", class && class->onvif[0] ? class->onvif : "Other", "Name", class ? class->name : "",
                  "Likelihood", s->confidence / 100.0, "Shape", "BoundingBox", onvif_box(&s->best_box),
                  "FromUtcMs", (json_int_t)s->start_ms, "ToUtcMs", (json_int_t)s->end_ms, "BestUtcMs",
                  (json_int_t)s->best_ms, "BestMediaUs", (json_int_t)s->best_pts_us, "Frames",
                  (int)s->n_frames, "Appearance", attributes_json(v, s), "Path", path);
    if (o && plates_allowed && s->plate.n_chars > 0)
        json_object_set_new(o, "LicensePlateInfo",
                            json_pack("{s:s,s:s,s:f}", "PlateNumber", s->plate.text, "CountryCode",
                                      s->plate.country, "Likelihood", s->plate.confidence / 100.0));
    return o;
}

const char *describe_coverage_state(enum coverage_state s) {
    switch (s) {
    case COVERAGE_DAMAGED:
        return "damaged";
    case COVERAGE_FAILED:
        return "failed";
    case COVERAGE_NIGHT:
        return "night";
    case COVERAGE_INDEXED:
        break;
    }
    return "indexed";
}

static void add_span(json_t *list, const char *camera, int64_t from_ms, int64_t to_ms, const char *state,
                     const char *reason) {
    if (to_ms > from_ms)
        json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:s,s:s}", "camera_id", camera, "from_ms",
                                              (json_int_t)from_ms, "to_ms", (json_int_t)to_ms, "state", state,
                                              "reason", reason));
}

json_t *describe_coverage(struct index_reader *reader, const struct perimeter *p,
                          const struct camera *cameras, unsigned n_cameras) {
    struct coverage_span *spans;
    size_t n;
    if (index_coverage(reader, p, &spans, &n) != OK) return NULL;
    json_t *list = json_array();
    int64_t searched_ms = 0, damaged_ms = 0, night_ms = 0;
    for (unsigned c = 0; c < p->n_cameras; c++) {
        const struct camera *k = describe_find_camera(cameras, n_cameras, p->cameras[c]);
        const char *id = k ? k->id : "?";
        int64_t at_ms = p->from_ms; /* all before it is told */
        for (size_t i = 0; i < n; i++) {
            const struct coverage_span *s = &spans[i];
            if (s->camera_number != p->cameras[c]) continue;
            add_span(list, id, at_ms, s->from_ms, "absent", "");
            add_span(list, id, s->from_ms, s->to_ms, describe_coverage_state(s->state), s->reason);
            const int64_t new_ms = s->to_ms - (s->from_ms > at_ms ? s->from_ms : at_ms);
            if (new_ms > 0 && s->state != COVERAGE_FAILED) searched_ms += new_ms;
            if (new_ms > 0 && s->state == COVERAGE_DAMAGED) damaged_ms += new_ms;
            if (new_ms > 0 && s->state == COVERAGE_NIGHT) night_ms += new_ms;
            if (s->to_ms > at_ms) at_ms = s->to_ms;
        }
        add_span(list, id, at_ms, p->to_ms, "absent", "");
    }
    free(spans);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "from_ms", (json_int_t)p->from_ms, "to_ms",
                     (json_int_t)p->to_ms, "camera_ms", (json_int_t)(p->to_ms - p->from_ms) * p->n_cameras,
                     "searched_ms", (json_int_t)searched_ms, "damaged_ms", (json_int_t)damaged_ms, "night_ms",
                     (json_int_t)night_ms, "spans", list);
}
