/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "host/base/fold.h"
#include "host/base/vocab.h"
#include "tests/support/test.h"

static const char *const path = "host/vocabulary.json";
static struct vocab *v;

static int load(void **state) {
    (void)state;
    return vocab_load(path, &v) == OK ? 0 : -1;
}
static int unload(void **state) {
    (void)state;
    vocab_free(&v);
    return 0;
}

static void every_field_has_unknown_and_not_estimated(void **state) {
    (void)state;
    for (unsigned f = 1; f < FIELD_COUNT; f++) {
        const struct vocab_value *u = vocab_by_id(v, (enum field)f, VOCAB_UNKNOWN);
        const struct vocab_value *n = vocab_by_id(v, (enum field)f, VOCAB_NOT_ESTIMATED);
        assert_non_null(u);
        assert_non_null(n);
        assert_string_equal(u->name, "unknown");
        assert_string_equal(n->name, "not_estimated");
        assert_int_equal(u->field, f);
        assert_true(field_by_name(field_name((enum field)f)) == f);
    }
    assert_null(vocab_by_id(v, FIELD_CLASS, 0));
    assert_null(vocab_by_id(v, FIELD_CLASS, VOCAB_MAX + 1));
    assert_null(vocab_by_id(v, FIELD_COUNT, 3));
    assert_int_equal(field_by_name("gender"), FIELD_NONE);
}

/* Ids are in every database: this table is the promise, it only ever grows. */
static void ids_of_classes_and_colours_never_change(void **state) {
    (void)state;
    static const struct {
        enum field field;
        unsigned id;
        const char *name;
    } fixed[] = {
        {FIELD_CLASS, 3, "person"},
        {FIELD_CLASS, 4, "bicycle"},
        {FIELD_CLASS, 5, "motorcycle"},
        {FIELD_CLASS, 6, "car"},
        {FIELD_CLASS, 7, "van"},
        {FIELD_CLASS, 8, "bus"},
        {FIELD_CLASS, 9, "truck"},
        {FIELD_UPPER_COLOUR, 3, "black"},
        {FIELD_UPPER_COLOUR, 4, "white"},
        {FIELD_UPPER_COLOUR, 5, "grey"},
        {FIELD_VEHICLE_COLOUR, 6, "silver"},
        {FIELD_LOWER_COLOUR, 7, "beige"},
        {FIELD_LOWER_COLOUR, 8, "brown"},
        {FIELD_UPPER_COLOUR, 9, "red"},
        {FIELD_UPPER_COLOUR, 10, "orange"},
        {FIELD_UPPER_COLOUR, 11, "yellow"},
        {FIELD_UPPER_COLOUR, 12, "green"},
        {FIELD_UPPER_COLOUR, 13, "blue"},
        {FIELD_UPPER_COLOUR, 14, "purple"},
        {FIELD_UPPER_COLOUR, 15, "pink"},
        {FIELD_UPPER_COLOUR, 16, "multicolour"},
        {FIELD_ACCESSORY, 7, "bag.suitcase"},
        {FIELD_ACCESSORY, 18, "umbrella"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const struct vocab_value *x = vocab_by_id(v, fixed[i].field, fixed[i].id);
        assert_non_null(x);
        assert_string_equal(x->name, fixed[i].name);
        assert_ptr_equal(vocab_by_name(v, fixed[i].field, fixed[i].name), x);
    }
    assert_null(vocab_by_id(v, FIELD_UPPER_COLOUR, 6)); /* silver is of vehicles only */
}

static void only_measured_values_are_offered(void **state) {
    (void)state;
    size_t n;
    const struct vocab_value *all = vocab_all(v, &n);
    for (size_t i = 0; i < n; i++) {
        bool colour = all[i].field == FIELD_VEHICLE_COLOUR || all[i].field == FIELD_UPPER_COLOUR ||
                      all[i].field == FIELD_LOWER_COLOUR;
        bool may = colour || (all[i].field == FIELD_CLASS && strcmp(all[i].name, "van") != 0) ||
                   strcmp(all[i].name, "bag.backpack") == 0 || strcmp(all[i].name, "pickup") == 0 ||
                   strcmp(all[i].name, "truck.articulated") == 0;
        if (all[i].offered) assert_true(may);
        if (all[i].id >= VOCAB_FIRST && colour) assert_true(all[i].offered);
        if (i > 0)
            assert_true(all[i - 1].field < all[i].field ||
                        (all[i - 1].field == all[i].field && all[i - 1].id < all[i].id));
    }
}

static void words_are_found_without_case_accents_or_hyphens(void **state) {
    (void)state;
    size_t n;
    const struct vocab_word *w = vocab_find(v, "tee shirt", &n);
    assert_int_equal(n, 2);
    assert_int_equal(w[0].sense, VOCAB_VALUE);
    assert_string_equal(w[0].values[0]->name, "top.tshirt");
    w = vocab_find(v, "blanche", &n);
    assert_int_equal(n, 1);
    assert_int_equal(w->n_values, 3);
    assert_string_equal(w->name, "white");
    w = vocab_find(v, "homme", &n);
    assert_int_equal(n, 1);
    assert_int_equal(w->sense, VOCAB_REFUSED);
    assert_string_equal(w->name, "sex");
    assert_null(vocab_find(v, "licorne", &n));
    assert_int_equal(n, 0);
}

static void a_word_with_two_languages_keeps_both_readings(void **state) {
    (void)state;
    size_t n;
    const struct vocab_word *w = vocab_find(v, "car", &n);
    assert_int_equal(n, 2);
    assert_int_equal(w[0].language, VOCAB_FR);
    assert_string_equal(w[0].name, "bus");
    assert_int_equal(w[1].language, VOCAB_EN);
    assert_string_equal(w[1].name, "car");
}

/* Writes the vocabulary with one change and says how it loads. */
static enum err load_changed(const char *where, const char *key, json_t *value) {
    char name[] = "/tmp/vocab-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    json_t *o = root;
    if (where[0]) o = json_array_get(json_object_get(root, where), 0);
    json_object_set_new(o, key, value);
    assert_int_equal(json_dumpfd(root, fd, 0), 0);
    close(fd);
    json_decref(root);
    struct vocab *x;
    enum err e = vocab_load(name, &x);
    if (e == OK) vocab_free(&x);
    unlink(name);
    return e;
}

static void a_vocabulary_with_a_doubt_in_it_is_refused(void **state) {
    (void)state;
    struct vocab *x;
    assert_int_equal(vocab_load("/nowhere/vocabulary.json", &x), ERR_IO);
    assert_int_equal(load_changed("", "version", json_integer(1)), OK);
    assert_int_equal(load_changed("", "version", json_integer(2)), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "id", json_integer(2)), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "id", json_integer(4)), ERR_CORRUPT); /* used twice */
    assert_int_equal(load_changed("values", "id", json_integer(1024)), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "name", json_string("bus")), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "field", json_string("gender")), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "fr", json_array()), ERR_CORRUPT);
    assert_int_equal(load_changed("values", "fr", json_pack("[s]", "rouge")), ERR_CORRUPT); /* two meanings */
    assert_int_equal(load_changed("values", "seen_as", json_pack("[s]", "cart")), ERR_CORRUPT);
    assert_int_equal(load_changed("", "refused", json_array()), ERR_CORRUPT);
    assert_int_equal(load_changed("", "fields", json_object()), ERR_CORRUPT);
    assert_int_equal(load_changed("", "confusable_plate_characters", json_pack("[s]", "0o")), ERR_CORRUPT);
}

static void text_folds_to_plain_letters(void **state) {
    (void)state;
    char out[64];
    const char *french = "Œuvre d’Été—ÇA  va";
    assert_true(fold_text(french, strlen(french), out, sizeof out));
    assert_string_equal(out, "oeuvre d ete ca va");
    const char *decomposed = "e\xcc\x81te\xcc\x81";
    assert_true(fold_text(decomposed, strlen(decomposed), out, sizeof out));
    assert_string_equal(out, "ete");
    assert_true(fold_text("\xff\xc3", 2, out, sizeof out));
    assert_string_equal(out, "~~");
    assert_false(fold_text("abcdef", 6, out, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_unknown_and_not_estimated),
        cmocka_unit_test(ids_of_classes_and_colours_never_change),
        cmocka_unit_test(only_measured_values_are_offered),
        cmocka_unit_test(words_are_found_without_case_accents_or_hyphens),
        cmocka_unit_test(a_word_with_two_languages_keeps_both_readings),
        cmocka_unit_test(a_vocabulary_with_a_doubt_in_it_is_refused),
        cmocka_unit_test(text_folds_to_plain_letters),
    };
    return cmocka_run_group_tests_name("vocab", tests, load, unload);
}
