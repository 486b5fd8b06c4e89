/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/http/exchange.h"

bool field_bad(struct exchange *x, const char *name, const char *why) {
    exchange_error(x, 422, "bad_field", json_pack("{s:s,s:s}", "field", name, "why", why),
                   "A field of the request cannot be taken.");
    return false;
}

/* Present, or fine to be absent (*value = NULL). null counts as absent. */
static bool find(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                 const json_t **value) {
    *value = json_object_get(body, name);
    if (json_is_null(*value)) *value = NULL;
    return *value || need == FIELD_OPTIONAL || field_bad(x, name, "missing");
}

static bool is_plain(const char *t, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)t[i] < 0x20 || t[i] == 0x7f) return false;
    return true;
}

bool field_text(struct exchange *x, const json_t *body, const char *name, enum field_need need, char *out,
                size_t cap) {
    const json_t *v;
    if (!find(x, body, name, need, &v)) return false;
    if (!v) return true;
    const char *text = json_string_value(v);
    const size_t n = json_string_length(v);
    if (!text || strlen(text) != n || !is_plain(text, n)) return field_bad(x, name, "not_text");
    if (n == 0 && need == FIELD_NEEDED) return field_bad(x, name, "missing");
    if (n >= cap) return field_bad(x, name, "too_long");
    memcpy(out, text, n + 1);
    return true;
}

bool field_integer(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                   int64_t min, int64_t max, int64_t *out) {
    const json_t *v;
    if (!find(x, body, name, need, &v)) return false;
    if (!v) return true;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return field_bad(x, name, "range");
    *out = json_integer_value(v);
    return true;
}

bool field_real(struct exchange *x, const json_t *body, const char *name, double min, double max,
                double *out) {
    const json_t *v;
    if (!find(x, body, name, FIELD_OPTIONAL, &v)) return false;
    if (!v) return true;
    const double value = json_number_value(v);
    if (!json_is_number(v) || !(value >= min && value <= max)) return field_bad(x, name, "range");
    *out = value;
    return true;
}

bool field_bool(struct exchange *x, const json_t *body, const char *name, bool *out) {
    const json_t *v;
    if (!find(x, body, name, FIELD_OPTIONAL, &v)) return false;
    if (!v) return true;
    if (!json_is_boolean(v)) return field_bad(x, name, "range");
    *out = json_is_true(v);
    return true;
}

bool field_sha256(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                  char out[static 65]) {
    if (!field_text(x, body, name, need, out, 65)) return false;
    const size_t n = strlen(out);
    if (n == 0) return true;
    return (n == 64 && strspn(out, "0123456789abcdef") == 64) || field_bad(x, name, "range");
}

/* The number of the camera called `id`; 0 = there is none. */
static uint16_t number_of(const struct camera *all, unsigned n, const char *id) {
    for (unsigned i = 0; id && i < n; i++)
        if (strcmp(all[i].id, id) == 0) return all[i].number;
    return 0;
}

/* Into `out` with room for every element; false = one is unknown. */
static bool numbers_of(const json_t *list, const struct camera *all, unsigned n_all, uint16_t *out,
                       unsigned *n) {
    size_t i;
    const json_t *id;
    json_array_foreach(list, i, id) {
        const uint16_t number = number_of(all, n_all, json_string_value(id));
        bool there = false;
        if (number == 0) return false;
        for (unsigned k = 0; k < *n && !there; k++) there = out[k] == number;
        if (!there) out[(*n)++] = number;
    }
    return true;
}

bool field_cameras(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                   uint16_t **out, unsigned *n) {
    const json_t *v;
    struct camera *all = NULL;
    unsigned n_all = 0;
    *out = NULL;
    *n = 0;
    if (!find(x, body, name, need, &v)) return false;
    if (!v) return true;
    if (!json_is_array(v) || json_array_size(v) > CASE_CAMERAS_MAX) return field_bad(x, name, "range");
    if (json_array_size(v) == 0) return field_bad(x, name, "missing");
    enum err e = camera_list(x->ctx->reg, &all, &n_all);
    if (e == OK && !(*out = calloc(json_array_size(v), sizeof **out))) e = ERR_NOMEM;
    const bool known = e == OK && numbers_of(v, all, n_all, *out, n);
    free(all);
    if (known) return true;
    free(*out);
    *out = NULL;
    *n = 0;
    if (e == OK) return field_bad(x, name, "unknown");
    exchange_err(x, e);
    return false;
}

bool field_words(struct exchange *x, const json_t *body, const char *name, enum field_need need, char *out,
                 size_t cap) {
    const json_t *v, *word;
    size_t i, n = 0;
    if (!find(x, body, name, need, &v)) return false;
    if (!v) return true;
    if (!json_is_array(v)) return field_bad(x, name, "range");
    if (json_array_size(v) == 0) return field_bad(x, name, "missing");
    out[0] = '\0';
    json_array_foreach(v, i, word) {
        const char *text = json_string_value(word);
        if (!text || !*text || strpbrk(text, ", ") || !is_plain(text, strlen(text)))
            return field_bad(x, name, "unknown");
        const int more = snprintf(out + n, cap - n, "%s%s", n ? "," : "", text);
        if (more < 0 || (size_t)more >= cap - n) return field_bad(x, name, "too_long");
        n += (size_t)more;
    }
    return true;
}
