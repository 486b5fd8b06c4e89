/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/accuracy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/base/log.h"

#define FILTERS_MAX 4096u

static enum err bad(size_t i, const char *text) {
    log_error("accuracy", "filter=%zu text=\"%s\"", i, text);
    return ERR_CORRUPT;
}

static bool get_text(const json_t *o, const char *key, char out[ACCURACY_TEXT_BYTES]) {
    const char *s = json_string_value(json_object_get(o, key));
    if (!s || strlen(s) >= ACCURACY_TEXT_BYTES) return false;
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < ' ') return false;
    strcpy(out, s); /* NOLINT: the length was just checked */
    return true;
}

static bool get_number(const json_t *v, double least, double most, double *out) {
    if (!json_is_number(v)) return false;
    *out = json_number_value(v);
    return *out >= least && *out <= most;
}

static bool get_count(const json_t *v, unsigned *out) {
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 100000000) return false;
    *out = (unsigned)json_integer_value(v);
    return true;
}

static enum err get_measure(size_t i, const json_t *o, struct accuracy_measure *out) {
    const json_t *between = json_object_get(o, "ci95"), *goal = json_object_get(o, "goal");
    if (!get_text(o, "metric", out->metric) || !get_text(o, "set", out->set))
        return bad(i, "a measure without metric or set");
    if (!get_number(json_object_get(o, "measured"), -1e9, 1e9, &out->measured) ||
        !get_count(json_object_get(o, "n"), &out->n))
        return bad(i, "a measure without figure or count");
    out->low = out->high = out->measured;
    if (between && (!get_number(json_array_get(between, 0), -1e9, 1e9, &out->low) ||
                    !get_number(json_array_get(between, 1), out->low, 1e9, &out->high)))
        return bad(i, "ci95 is no interval");
    out->has_goal = json_is_number(goal);
    if (out->has_goal) {
        out->goal = json_number_value(goal);
        out->at_most = json_is_true(json_object_get(o, "at_most"));
        out->met = json_is_true(json_object_get(o, "met"));
    }
    return OK;
}

static enum err get_filter(size_t i, const json_t *o, const struct vocab *vocab, struct accuracy_filter *out) {
    char field[ACCURACY_TEXT_BYTES], value[ACCURACY_TEXT_BYTES];
    const json_t *measures = json_object_get(o, "measures"), *see = json_object_get(o, "see_also"), *one;
    size_t k;
    if (!get_text(o, "field", field)) return bad(i, "no field");
    out->field = field_by_name(field);
    if (out->field == FIELD_NONE && strcmp(field, ACCURACY_PLATE) != 0) return bad(i, "no field of the vocabulary");
    if (!get_text(o, "value", value)) return bad(i, "no value");
    if (*value && !(out->value = vocab_by_name(vocab, out->field, value)))
        return bad(i, "no value of the vocabulary");
    out->enabled = json_is_true(json_object_get(o, "enabled"));
    if (out->value && out->value->offered != out->enabled)
        return bad(i, "enabled here and not offered by the vocabulary, or the reverse");
    if (!get_text(o, "why", out->why) || (out->enabled == (*out->why != 0)))
        return bad(i, "a disabled filter says why, an enabled one does not");
    if (json_array_size(measures) > ACCURACY_MEASURES_MAX || json_array_size(see) > ACCURACY_SEE_ALSO_MAX)
        return bad(i, "too many measures or confusions");
    json_array_foreach(measures, k, one) {
        enum err e = get_measure(i, one, &out->measures[out->n_measures++]);
        if (e) return e;
    }
    json_array_foreach(see, k, one) {
        struct accuracy_confusion *c = &out->see_also[out->n_see_also++];
        if (!get_text(one, "value", value) || !(c->value = vocab_by_name(vocab, out->field, value)) ||
            !get_number(json_object_get(one, "share"), 0.0, 1.0, &c->share) ||
            !get_count(json_object_get(one, "n"), &c->n))
            return bad(i, "a confusion without value, share or count");
    }
    return OK;
}

enum err accuracy_load(const char *path, const struct vocab *vocab, struct accuracy **out) {
    json_error_t why;
    enum err e = OK;
    *out = NULL;
    FILE *f = fopen(path, "re");
    if (!f) {
        log_error("accuracy", "path=%s text=\"cannot be read\"", path);
        return ERR_IO;
    }
    json_t *root = json_loadf(f, JSON_REJECT_DUPLICATES, &why);
    (void)fclose(f);
    const json_t *filters = json_object_get(root, "filters"), *one;
    struct accuracy *a = calloc(1, sizeof *a);
    if (!a) e = ERR_NOMEM;
    if (!e && !json_is_array(filters)) {
        log_error("accuracy", "path=%s line=%d text=\"%s\"", path, root ? 0 : why.line,
                  root ? "no filters" : why.text);
        e = ERR_CORRUPT;
    }
    if (!e && (!get_text(root, "date", a->date) || json_array_size(filters) > FILTERS_MAX))
        e = bad(0, "no date, or too many filters");
    size_t n = json_array_size(filters), i;
    if (!e && !(a->filters = calloc(n ? n : 1, sizeof *a->filters))) e = ERR_NOMEM;
    json_array_foreach(filters, i, one) {
        if (e) break;
        e = get_filter(i, one, vocab, &a->filters[i]);
        a->n_filters++;
    }
    json_decref(root);
    if (e) {
        accuracy_free(&a);
        return e;
    }
    *out = a;
    return OK;
}

const struct accuracy_filter *accuracy_of(const struct accuracy *a, enum field field,
                                          const struct vocab_value *value) {
    for (size_t i = 0; i < a->n_filters; i++)
        if (a->filters[i].field == field && a->filters[i].value == value) return &a->filters[i];
    return NULL;
}

void accuracy_free(struct accuracy **a) {
    if (!a || !*a) return;
    free((*a)->filters);
    free(*a);
    *a = NULL;
}
