/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/vocab.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/base/fold.h"
#include "host/base/log.h"

#define N_IDS          (VOCAB_MAX + 1u)
#define CONFUSABLE_MAX 16u

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_NONE] = "",
    [FIELD_CLASS] = "class",
    [FIELD_VEHICLE_COLOUR] = "vehicle_colour",
    [FIELD_VEHICLE_TYPE] = "vehicle_type",
    [FIELD_MAKE_MODEL] = "make_model",
    [FIELD_UPPER_COLOUR] = "upper_colour",
    [FIELD_UPPER_KIND] = "upper_kind",
    [FIELD_LOWER_COLOUR] = "lower_colour",
    [FIELD_LOWER_KIND] = "lower_kind",
    [FIELD_ACCESSORY] = "accessory",
    [FIELD_SLEEVE] = "sleeve",
    [FIELD_GRAIN] = "grain",
    [FIELD_SHOE] = "shoe",
    [FIELD_SERVICE] = "service",
    [FIELD_EXTRA] = "extra",
};

const char *field_name(enum field f) {
    return (unsigned)f < FIELD_COUNT ? field_names[f] : "";
}
enum field field_by_name(const char *name) {
    if (!name) return FIELD_NONE;
    for (unsigned f = 1; f < FIELD_COUNT; f++)
        if (strcmp(field_names[f], name) == 0) return (enum field)f;
    return FIELD_NONE;
}

struct vocab {
    json_t *root;               /* owns every string but the plain texts */
    struct vocab_value *values; /* ordered by field, id */
    size_t n_values;
    uint16_t *by_id[FIELD_COUNT]; /* id -> place in values, plus one */
    struct vocab_word *words;     /* ordered by text, language, sense, name */
    size_t n_words, words_cap;
    struct {
        const char *criterion, *label_fr, *label_en;
    } field[FIELD_COUNT];
    const char *confusable[CONFUSABLE_MAX + 1];
};

/* ---- reading ----------------------------------------------------------------------------------------------
 */

/* One complaint, then give up: a vocabulary with a doubt in it must not be used. */
static enum err bad(const char *where, const char *name, const char *what) {
    log_error("vocab", "vocabulary refused at=%s entry=%s problem=\"%s\"", where, name ? name : "?", what);
    return ERR_CORRUPT;
}
static const char *text_of(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static enum err add_word(struct vocab *v, const char *text, int language, const struct vocab_word *like) {
    char plain[96];
    if (!fold_text(text, strlen(text), plain, sizeof plain) || !plain[0] || strchr(plain, '~'))
        return bad("words", text, "empty, too long or in letters that nobody can match");
    unsigned n_words = 1;
    for (const char *p = plain; *p; p++)
        if (*p == ' ') n_words++;
    if (n_words > VOCAB_WORDS_MAX) return bad("words", text, "more words than a phrase may have");
    if (v->n_words == v->words_cap) {
        size_t cap = v->words_cap ? v->words_cap * 2 : 1024;
        struct vocab_word *w = realloc(v->words, cap * sizeof *w);
        if (!w) return ERR_NOMEM;
        v->words = w;
        v->words_cap = cap;
    }
    char *copy = strdup(plain);
    if (!copy) return ERR_NOMEM;
    struct vocab_word *w = &v->words[v->n_words++];
    *w = *like;
    w->text = copy;
    w->language = (uint8_t)language;
    w->n_words = (uint8_t)n_words;
    return OK;
}

static enum err add_words(struct vocab *v, const json_t *entry, const struct vocab_word *like) {
    static const struct {
        const char *key;
        int language;
    } lists[] = {{"fr", VOCAB_FR}, {"en", VOCAB_EN}};
    for (unsigned l = 0; l < 2; l++) {
        const json_t *list = json_object_get(entry, lists[l].key);
        if (!json_is_array(list) || json_array_size(list) == 0)
            return bad(lists[l].key, like->name, "no words in this language");
        size_t i;
        const json_t *w;
        json_array_foreach(list, i, w) {
            if (!json_is_string(w)) return bad(lists[l].key, like->name, "a word that is no text");
            enum err e = add_word(v, json_string_value(w), lists[l].language, like);
            if (e) return e;
        }
    }
    return OK;
}

static enum err read_fields(struct vocab *v) {
    const json_t *fields = json_object_get(v->root, "fields");
    if (json_object_size(fields) != FIELD_COUNT - 1) return bad("fields", "", "not one entry per field");
    for (unsigned f = 1; f < FIELD_COUNT; f++) {
        const json_t *o = json_object_get(fields, field_names[f]);
        v->field[f].criterion = text_of(o, "criterion");
        v->field[f].label_fr = text_of(o, "fr");
        v->field[f].label_en = text_of(o, "en");
        if (!v->field[f].criterion || !v->field[f].label_fr || !v->field[f].label_en)
            return bad("fields", field_names[f], "criterion, fr or en is missing");
    }
    return OK;
}

/* The fields an entry of "values" belongs to: "field", or "fields" for a colour. */
static unsigned fields_of(const json_t *o, enum field out[static 3]) {
    const json_t *list = json_object_get(o, "fields");
    if (!list) {
        out[0] = field_by_name(text_of(o, "field"));
        return out[0] != FIELD_NONE;
    }
    size_t n = json_array_size(list);
    if (n == 0 || n > 3) return 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = field_by_name(json_string_value(json_array_get(list, i)));
        if (out[i] == FIELD_NONE) return 0;
    }
    return (unsigned)n;
}

static const char *label_of(const json_t *o, const char *key) {
    const json_t *l = json_object_get(o, key);
    return json_is_string(l) ? json_string_value(l) : json_string_value(json_array_get(l, 0));
}

static enum err read_value(struct vocab *v, const json_t *o, enum field field) {
    const json_t *id = json_object_get(o, "id");
    const char *name = text_of(o, "name");
    if (!json_is_integer(id) || json_integer_value(id) < 1 || json_integer_value(id) > VOCAB_MAX)
        return bad("values", name, "id outside 1..1023");
    if (!name || !name[0]) return bad("values", name, "no name");
    struct vocab_value *x = &v->values[v->n_values++];
    *x = (struct vocab_value){
        .field = field,
        .id = (uint16_t)json_integer_value(id),
        .name = name,
        .label_fr = label_of(o, "fr"),
        .label_en = label_of(o, "en"),
        .onvif = text_of(o, "onvif") ? text_of(o, "onvif") : "",
        .criterion = text_of(o, "criterion") ? text_of(o, "criterion") : v->field[field].criterion,
        .offered = json_is_true(json_object_get(o, "offered")),
        .skin_when_bare = text_of(o, "bare_person") != NULL,
    };
    if (!x->label_fr || !x->label_en) return bad("values", name, "no label");
    return OK;
}

static int by_field_and_id(const void *a, const void *b) {
    const struct vocab_value *x = a, *y = b;
    return x->field != y->field ? (x->field < y->field ? -1 : 1) : (int)x->id - (int)y->id;
}

static enum err read_values(struct vocab *v) {
    const json_t *always = json_object_get(v->root, "always"), *list = json_object_get(v->root, "values"), *o;
    size_t n_list = json_array_size(list), i;
    if (json_array_size(always) != 2 || n_list == 0 || n_list > 10000) return bad("values", "", "missing");
    v->values = calloc(n_list * 3 + 2 * FIELD_COUNT, sizeof *v->values);
    if (!v->values) return ERR_NOMEM;
    for (unsigned f = 1; f < FIELD_COUNT; f++) {
        json_array_foreach(always, i, o) {
            enum err e = read_value(v, o, (enum field)f);
            if (e) return e;
            struct vocab_value *x = &v->values[v->n_values - 1];
            if (x->id != i + 1 || strcmp(x->name, i ? "not_estimated" : "unknown") != 0)
                return bad("always", x->name, "must be unknown 1, not_estimated 2");
            x->criterion = v->field[f].criterion;
        }
    }
    json_array_foreach(list, i, o) {
        enum field f[3];
        unsigned n = fields_of(o, f);
        if (n == 0) return bad("values", text_of(o, "name"), "no such field");
        for (unsigned k = 0; k < n; k++) {
            enum err e = read_value(v, o, f[k]);
            if (e) return e;
            if (v->values[v->n_values - 1].id < VOCAB_FIRST)
                return bad("values", text_of(o, "name"), "ids 1 and 2 are taken");
        }
    }
    qsort(v->values, v->n_values, sizeof *v->values, by_field_and_id);
    for (size_t k = 0; k < v->n_values; k++) {
        struct vocab_value *x = &v->values[k];
        if (!v->by_id[x->field]) v->by_id[x->field] = calloc(N_IDS, sizeof **v->by_id);
        if (!v->by_id[x->field]) return ERR_NOMEM;
        if (v->by_id[x->field][x->id]) return bad(field_names[x->field], x->name, "id used twice");
        v->by_id[x->field][x->id] = (uint16_t)(k + 1);
        for (size_t m = 0; m < k; m++)
            if (v->values[m].field == x->field && strcmp(v->values[m].name, x->name) == 0)
                return bad(field_names[x->field], x->name, "name used twice");
    }
    return OK;
}

static enum err ids_of(const struct vocab *v, const json_t *o, const char *key, enum field field,
                       uint16_t out[static 3]) {
    const json_t *list = json_object_get(o, key);
    size_t i;
    const json_t *name;
    if (!list) return OK;
    if (json_array_size(list) > 3) return bad(key, text_of(o, "name"), "more than three");
    json_array_foreach(list, i, name) {
        const struct vocab_value *x = vocab_by_name(v, field, json_string_value(name));
        if (!x) return bad(key, text_of(o, "name"), "names a value that does not exist");
        out[i] = x->id;
    }
    return OK;
}

/* Second pass over "values": what refers to other values, and the words. */
static enum err read_value_words(struct vocab *v) {
    size_t i;
    const json_t *o;
    json_array_foreach(json_object_get(v->root, "values"), i, o) {
        enum field f[3];
        unsigned n = fields_of(o, f);
        struct vocab_word w = {.sense = VOCAB_VALUE, .name = text_of(o, "name")};
        for (unsigned k = 0; k < n; k++) {
            struct vocab_value *x =
                &v->values[v->by_id[f[k]][json_integer_value(json_object_get(o, "id"))] - 1];
            enum err e = ids_of(v, o, "see_also", f[k], x->see_also);
            if (!e) e = ids_of(v, o, "seen_as", f[k], x->seen_as);
            if (e) return e;
            const char *class = text_of(o, "class");
            const struct vocab_value *c = class ? vocab_by_name(v, FIELD_CLASS, class) : NULL;
            if (class && !c) return bad("class", x->name, "names a class that does not exist");
            x->class_id = c ? c->id : 0;
            w.values[w.n_values++] = x;
        }
        enum err e = add_words(v, o, &w);
        if (e) return e;
    }
    return OK;
}

static enum err read_groups(struct vocab *v) {
    size_t i, k;
    const json_t *o, *name;
    json_array_foreach(json_object_get(v->root, "groups"), i, o) {
        struct vocab_word w = {.sense = VOCAB_VALUE, .name = text_of(o, "name")};
        enum field f = field_by_name(text_of(o, "field"));
        const json_t *any = json_object_get(o, "any");
        if (!w.name || f == FIELD_NONE || json_array_size(any) == 0 ||
            json_array_size(any) > VOCAB_VALUES_MAX)
            return bad("groups", w.name, "name, field or any is missing");
        json_array_foreach(any, k, name) {
            const struct vocab_value *x = vocab_by_name(v, f, json_string_value(name));
            if (!x) return bad("groups", w.name, "names a value that does not exist");
            w.values[w.n_values++] = x;
        }
        enum err e = add_words(v, o, &w);
        if (e) return e;
    }
    return OK;
}

static enum err read_refused_and_roles(struct vocab *v) {
    size_t i;
    const json_t *o;
    const char *role;
    json_t *r;
    if (json_array_size(json_object_get(v->root, "refused")) == 0)
        return bad("refused", "", "the list of refused words is missing");
    json_array_foreach(json_object_get(v->root, "refused"), i, o) {
        struct vocab_word w = {.sense = VOCAB_REFUSED, .name = text_of(o, "reason")};
        if (!w.name) return bad("refused", "", "no reason");
        enum err e = add_words(v, o, &w);
        if (e) return e;
    }
    json_object_foreach(json_object_get(v->root, "roles"), role, r) {
        struct vocab_word w = {.sense = VOCAB_ROLE, .name = role};
        enum err e = add_words(v, r, &w);
        if (e) return e;
    }
    return OK;
}

static int by_text(const void *a, const void *b) {
    const struct vocab_word *x = a, *y = b;
    int d = strcmp(x->text, y->text);
    if (d) return d;
    if (x->language != y->language) return x->language < y->language ? -1 : 1;
    if (x->sense != y->sense) return x->sense < y->sense ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool declared_double(const struct vocab *v, const struct vocab_word *w) {
    const json_t *list =
        json_object_get(json_object_get(v->root, "two_readings"), w->language == VOCAB_FR ? "fr" : "en");
    size_t i;
    const json_t *t;
    json_array_foreach(list, i, t) {
        const char *text = json_string_value(t);
        char plain[96];
        if (text && fold_text(text, strlen(text), plain, sizeof plain) && strcmp(plain, w->text) == 0)
            return true;
    }
    return false;
}

/* Sorts, drops the repeats that accents and hyphens make (t-shirt, tee shirt), and refuses a word with two
 * meanings in one language unless the file says that this is meant. Roles may share a word: the grammar
 * decides from what stands beside it. */
static enum err order_words(struct vocab *v) {
    size_t n = 0;
    qsort(v->words, v->n_words, sizeof *v->words, by_text);
    for (size_t i = 0; i < v->n_words; i++) {
        if (n > 0 && by_text(&v->words[n - 1], &v->words[i]) == 0) {
            if (memcmp(v->words[i].values, v->words[n - 1].values, sizeof v->words[i].values) != 0)
                return bad("words", v->words[i].text, "two entries of one name that mean different values");
            free((char *)(uintptr_t)v->words[i].text);
            v->words[i].text = NULL;
            continue;
        }
        struct vocab_word w = v->words[i];
        v->words[i].text = NULL;
        v->words[n++] = w;
        if (n > 1 && strcmp(w.text, v->words[n - 2].text) == 0 && w.language == v->words[n - 2].language &&
            !(w.sense == VOCAB_ROLE && v->words[n - 2].sense == VOCAB_ROLE) && !declared_double(v, &w)) {
            return bad("words", w.text, "two meanings in one language, not listed in two_readings");
        }
    }
    v->n_words = n;
    return OK;
}

static enum err read_confusable(struct vocab *v) {
    size_t i;
    const json_t *t;
    const json_t *list = json_object_get(v->root, "confusable_plate_characters");
    if (json_array_size(list) > CONFUSABLE_MAX) return bad("confusable_plate_characters", "", "too many");
    json_array_foreach(list, i, t) {
        const char *s = json_string_value(t);
        if (!s || strlen(s) < 2 || s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
            return bad("confusable_plate_characters", s, "not two or more capitals or digits");
        v->confusable[i] = s;
    }
    return OK;
}

enum err vocab_load(const char *path, struct vocab **out) {
    enum err e = ERR_NOMEM;
    json_error_t je;
    *out = NULL;
    struct vocab *v = calloc(1, sizeof *v);
    if (!v) return ERR_NOMEM;
    v->root = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (!v->root) {
        e = json_error_code(&je) == json_error_cannot_open_file ? ERR_IO : ERR_CORRUPT;
        log_error("vocab", "vocabulary not read file=%s line=%d problem=\"%s\"", path, je.line, je.text);
        goto fail;
    }
    if (json_integer_value(json_object_get(v->root, "version")) != 1) {
        e = bad("version", "", "not version 1");
        goto fail;
    }
    e = read_fields(v);
    if (!e) e = read_values(v);
    if (!e) e = read_value_words(v);
    if (!e) e = read_groups(v);
    if (!e) e = read_refused_and_roles(v);
    if (!e) e = order_words(v);
    if (!e) e = read_confusable(v);
    if (e) goto fail;
    *out = v;
    return OK;
fail:
    vocab_free(&v);
    return e;
}

void vocab_free(struct vocab **v) {
    if (!v || !*v) return;
    for (size_t i = 0; i < (*v)->n_words; i++) free((char *)(uintptr_t)(*v)->words[i].text);
    free((*v)->words);
    free((*v)->values);
    for (unsigned f = 0; f < FIELD_COUNT; f++) free((*v)->by_id[f]);
    json_decref((*v)->root);
    free(*v);
    *v = NULL;
}

/* ---- asking -----------------------------------------------------------------------------------------------
 */

const struct vocab_value *vocab_by_id(const struct vocab *v, enum field field, unsigned id) {
    if ((unsigned)field >= FIELD_COUNT || id > VOCAB_MAX || !v->by_id[field] || !v->by_id[field][id])
        return NULL;
    return &v->values[v->by_id[field][id] - 1];
}
const struct vocab_value *vocab_by_name(const struct vocab *v, enum field field, const char *name) {
    if (!name) return NULL;
    for (size_t i = 0; i < v->n_values; i++)
        if (v->values[i].field == field && strcmp(v->values[i].name, name) == 0) return &v->values[i];
    return NULL;
}
const struct vocab_value *vocab_all(const struct vocab *v, size_t *n) {
    *n = v->n_values;
    return v->values;
}
const struct vocab_word *vocab_words(const struct vocab *v, size_t *n) {
    *n = v->n_words;
    return v->words;
}
const struct vocab_word *vocab_find(const struct vocab *v, const char *text, size_t *n) {
    size_t lo = 0, hi = v->n_words;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(v->words[mid].text, text) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t end = lo;
    while (end < v->n_words && strcmp(v->words[end].text, text) == 0) end++;
    *n = end - lo;
    return *n ? &v->words[lo] : NULL;
}
const char *vocab_field_label(const struct vocab *v, enum field field, int language) {
    if ((unsigned)field >= FIELD_COUNT || field == FIELD_NONE) return "";
    return language == VOCAB_EN ? v->field[field].label_en : v->field[field].label_fr;
}
const char *vocab_field_criterion(const struct vocab *v, enum field field) {
    return (unsigned)field < FIELD_COUNT && field != FIELD_NONE ? v->field[field].criterion : "";
}
const char *const *vocab_confusable(const struct vocab *v) {
    return v->confusable;
}
