/* SPDX-License-Identifier: Apache-2.0 */
/* search_answer.c - tokens and passages as JSON. Shapes: host/http/API.md, "Search". */
#include <stdio.h>
#include <string.h>

#include "host/search/search_internal.h"

#define STRONG_MIN 70
#define MEDIUM_MIN 40
#define NORM       65536.0

const struct camera *search_camera(const struct search_context *ctx, unsigned number) {
    for (unsigned i = 0; i < ctx->n_cameras; i++)
        if (ctx->cameras[i].number == number) return &ctx->cameras[i];
    return NULL;
}
const char *search_label(const struct vocab_value *v, int language) {
    return language == VOCAB_EN ? v->label_en : v->label_fr;
}
static int language_of(const struct search_context *ctx) {
    return ctx->language && strcmp(ctx->language, "en") == 0 ? VOCAB_EN : VOCAB_FR;
}

/* ---- tokens ------------------------------------------------------------------------------------------ */

/* Places in a JavaScript string are counted in UTF-16 units. */
static unsigned utf16_units(const char *text, unsigned n_bytes) {
    unsigned n = 0;
    for (unsigned i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c & 0xc0) != 0x80) n += c >= 0xf0 ? 2 : 1;
    }
    return n;
}

static json_t *value_json(const struct vocab_value *v, int language) {
    return json_pack("{s:s,s:s,s:s}", "field", field_name(v->field), "value", v->name, "label",
                     search_label(v, language));
}

static json_t *readings_json(const struct grammar_token *t, int language) {
    json_t *list = json_array();
    for (unsigned i = 0; i < t->n_readings; i++)
        json_array_append_new(list, t->readings[i].value ? value_json(t->readings[i].value, language)
                                                         : json_pack("{s:s}", "text", t->readings[i].text));
    return list;
}

/* Colours that are measured to be mistaken for this one. */
static json_t *see_also_json(const struct question *s, const struct vocab_value *v) {
    json_t *list = json_array();
    for (unsigned i = 0; i < 3 && v->see_also[i]; i++) {
        const struct vocab_value *o = vocab_by_id(s->ctx->vocab, v->field, v->see_also[i]);
        if (o) json_array_append_new(list, value_json(o, s->language));
    }
    return list;
}

static void put_values(const struct question *s, const struct grammar_token *t, json_t *o) {
    char label[192] = "";
    size_t len = 0;
    json_t *values = json_array();
    for (unsigned i = 0; i < t->n_values; i++) {
        const struct vocab_value *v = t->values[i];
        const char *l = search_label(v, s->language);
        json_array_append_new(values, value_json(v, s->language));
        if (strstr(label, l) || len + strlen(l) + 4 > sizeof label) continue;
        len += (size_t)snprintf(label + len, sizeof label - len, "%s%s", len ? ", " : "", l);
    }
    if (t->n_values == 0) {
        json_decref(values);
        return;
    }
    if (!t->field[0]) json_object_set_new(o, "field", json_string(field_name(t->values[0]->field)));
    json_object_set_new(o, "value", json_string(t->values[0]->name));
    json_object_set_new(o, "label", json_string(label));
    json_object_set_new(o, "values", values);
    json_t *also = see_also_json(s, t->values[0]);
    if (json_array_size(also))
        json_object_set_new(o, "see_also", also);
    else
        json_decref(also);
}

static void put_true(json_t *o, const char *key, bool is) {
    if (is) json_object_set_new(o, key, json_true());
}

static json_t *token_json(const struct question *s, const char *sentence, const struct grammar_token *t) {
    unsigned at = utf16_units(sentence, t->at);
    json_t *o =
        json_pack("{s:s,s:s,s:s%,s:i,s:i,s:s}", "field", t->field, "value", t->value, "text",
                  sentence + t->at, (size_t)t->n_bytes, "at", (int)at, "n",
                  (int)utf16_units(sentence + t->at, t->n_bytes), "state", grammar_state_name(t->state));
    if (!o) return NULL;
    if (t->state != GRAMMAR_REFUSED) put_values(s, t, o);
    put_true(o, "not", t->negated);
    put_true(o, "only", t->only);
    put_true(o, "sure", t->sure);
    put_true(o, "corrected", t->corrected);
    put_true(o, "clipped", t->clipped);
    if (t->note[0]) json_object_set_new(o, "note", json_string(t->note));
    if (t->n_readings) json_object_set_new(o, "readings", readings_json(t, s->language));
    return o;
}

json_t *search_tokens_json(const struct question *s) {
    json_t *list = json_array();
    for (unsigned i = 0; s->said && i < s->said->n_tokens; i++) {
        json_t *t = token_json(s, s->sentence, &s->said->tokens[i]);
        if (t) json_array_append_new(list, t);
    }
    return list;
}

/* ---- passages ---------------------------------------------------------------------------------------- */

static json_t *attribute_json(const struct search_context *ctx, const struct attribute *a) {
    json_t *o = NULL, *alternatives = json_array();
    int language = language_of(ctx);
    for (unsigned i = 0; i < a->n_values && i < SIGHTING_ALTERNATIVES_MAX; i++) {
        const struct vocab_value *v = vocab_by_id(ctx->vocab, (enum field)a->field, a->value[i].id);
        if (!v) continue;
        json_t *one = json_pack("{s:s,s:s,s:i,s:b}", "value", v->name, "label", search_label(v, language),
                                "score", (int)a->value[i].score, "sure", (int)(a->value[i].sure != 0));
        if (o) {
            json_array_append_new(alternatives, one);
            continue;
        }
        o = one;
        json_object_set_new(o, "field", json_string(field_name((enum field)a->field)));
    }
    if (o && json_array_size(alternatives))
        json_object_set_new(o, "alternatives", alternatives);
    else
        json_decref(alternatives);
    return o;
}

static json_t *attributes_json(const struct search_context *ctx, const struct sighting *s) {
    json_t *list = json_array();
    for (unsigned i = 0; i < s->n_attributes && i < SIGHTING_ATTRIBUTES_MAX; i++) {
        const struct attribute *a = &s->attributes[i];
        if (a->field == FIELD_CLASS || a->n_values == 0) continue;
        const struct vocab_value *v = vocab_by_id(ctx->vocab, (enum field)a->field, a->value[0].id);
        if (!v || !case_allows(ctx->c, v->criterion)) continue;
        json_t *o = attribute_json(ctx, a);
        if (o) json_array_append_new(list, o);
    }
    return list;
}

/* The page's short form (operator-page.md section 6). */
static json_t *attrs_json(const json_t *attributes) {
    json_t *list = json_array();
    size_t i, k;
    json_t *a, *b;
    json_array_foreach(attributes, i, a) {
        json_t *o =
            json_pack("{s:O,s:O,s:O,s:O}", "k", json_object_get(a, "field"), "v", json_object_get(a, "value"),
                      "p", json_object_get(a, "score"), "sure", json_object_get(a, "sure"));
        json_t *alt = json_array();
        json_array_foreach(json_object_get(a, "alternatives"), k, b) json_array_append_new(
            alt, json_pack("{s:O,s:O}", "v", json_object_get(b, "value"), "p", json_object_get(b, "score")));
        if (json_array_size(alt))
            json_object_set_new(o, "alt", alt);
        else
            json_decref(alt);
        json_array_append_new(list, o);
    }
    return list;
}

/* In the recording's own picture, and as parts of it for whoever shows it at another size. */
static void put_box(const struct search_context *ctx, const struct sighting *s, json_t *o) {
    struct recording r;
    const struct box_norm *b = &s->best_box;
    double x = b->x0 / NORM, y = b->y0 / NORM, w = (b->x1 - b->x0) / NORM, h = (b->y1 - b->y0) / NORM;
    json_object_set_new(o, "box_norm", json_pack("[f,f,f,f]", x, y, w, h));
    if (index_recording_get(ctx->reader, s->recording_id, &r) != OK || r.w_px == 0 || r.h_px == 0) return;
    int x_px = (int)(x * r.w_px + 0.5), y_px = (int)(y * r.h_px + 0.5);
    int w_px = (int)((x + w) * r.w_px + 0.5) - x_px, h_px = (int)((y + h) * r.h_px + 0.5) - y_px;
    json_object_set_new(
        o, "box", json_pack("{s:i,s:i,s:i,s:i}", "x_px", x_px, "y_px", y_px, "w_px", w_px, "h_px", h_px));
    json_object_set_new(o, "picture", json_pack("{s:i,s:i}", "w_px", (int)r.w_px, "h_px", (int)r.h_px));
    json_object_set_new(o, "media_us", json_integer((json_int_t)s->best_pts_us));
}

static void put_plate(const struct search_context *ctx, const struct sighting *s, json_t *o) {
    if (!s->plate.n_chars || !case_allows(ctx->c, "vehicle.plate")) return;
    json_t *chars = json_array();
    for (unsigned i = 0; i < s->plate.n_chars && i < SIGHTING_PLATE_MAX; i++) {
        json_t *alt = json_array();
        for (unsigned k = 1; k < SIGHTING_ALTERNATIVES_MAX && s->plate.chars[i].c[k]; k++)
            json_array_append_new(alt, json_pack("{s:s%,s:i}", "c", &s->plate.chars[i].c[k], (size_t)1, "p",
                                                 (int)s->plate.chars[i].score[k]));
        const char c = s->plate.chars[i].c[0] ? s->plate.chars[i].c[0] : s->plate.text[i];
        json_array_append_new(chars, json_pack("{s:s%,s:i,s:o}", "c", &c, (size_t)1, "p",
                                               (int)s->plate.chars[i].score[0], "alt", alt));
    }
    json_object_set_new(o, "plate",
                        json_pack("{s:s,s:s,s:i,s:o}", "text", s->plate.text, "country", s->plate.country,
                                  "score", (int)s->plate.confidence, "chars", chars));
}

static const char *level_of(unsigned degree) {
    return degree >= STRONG_MIN ? "strong" : degree >= MEDIUM_MIN ? "medium" : "weak";
}

json_t *search_sighting_json(const struct search_context *ctx, const struct sighting *s) {
    const struct camera *c = search_camera(ctx, s->camera_number);
    const struct vocab_value *class = vocab_by_id(ctx->vocab, FIELD_CLASS, s->class_id);
    char id[24], recording[24], thumb[64], clip[64];
    snprintf(id, sizeof id, "%llu", (unsigned long long)s->id);
    snprintf(recording, sizeof recording, "%llu", (unsigned long long)s->recording_id);
    snprintf(thumb, sizeof thumb, "/api/v1/media/t/%s.jpg", id);
    snprintf(clip, sizeof clip, "/api/v1/sightings/%s/clip", id);
    const char *class_name = class ? class->name : "unknown";
    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", id, "camera", c ? c->id : "",
                          "camera_id", c ? c->id : "", "camera_name", c ? c->name : "", "recording_id",
                          recording, "class", class_name, "kind", class_name, "class_label",
                          class ? search_label(class, language_of(ctx)) : "");
    if (!o) return NULL;
    json_t *times = json_pack("{s:I,s:I,s:I,s:i,s:i}", "from_ms", (json_int_t)s->start_ms, "to_ms",
                              (json_int_t)s->end_ms, "best_ms", (json_int_t)s->best_ms, "confidence",
                              (int)s->confidence, "frames", (int)s->n_frames);
    json_object_update(o, times);
    json_decref(times);
    put_box(ctx, s, o);
    json_t *attributes = attributes_json(ctx, s);
    json_object_set_new(o, "attrs", attrs_json(attributes));
    json_object_set_new(o, "attributes", attributes);
    put_plate(ctx, s, o);
    json_object_set_new(o, "thumb", json_string(thumb));
    json_object_set_new(o, "clip", json_string(clip));
    return o;
}

json_t *search_hit_json(const struct search_context *ctx, const struct index_hit *hit) {
    json_t *o = search_sighting_json(ctx, &hit->s);
    if (!o) return NULL;
    json_t *match = json_pack("{s:s,s:i}", "level", level_of(hit->match), "score", (int)hit->match);
    if (hit->plate_slips) json_object_set_new(match, "plate_slips", json_integer(hit->plate_slips));
    json_object_set_new(o, "match", match);
    return o;
}
