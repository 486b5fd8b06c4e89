/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "host/pipe/accuracy.h"
#include "tests/support/test.h"

static struct vocab *vocab;

static int load(void **state) {
    (void)state;
    return vocab_load("host/vocabulary.json", &vocab) == OK ? 0 : -1;
}
static int unload(void **state) {
    (void)state;
    vocab_free(&vocab);
    return 0;
}

/* The committed file is what the program ships with. */
static void every_value_has_an_entry_and_offered_ones_have_figures(void **state) {
    (void)state;
    struct accuracy *a = NULL;
    size_t n = 0;
    assert_int_equal(accuracy_load("models/ACCURACY.json", vocab, &a), OK);
    const struct vocab_value *all = vocab_all(vocab, &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].id < VOCAB_FIRST) continue;
        const struct accuracy_filter *one = accuracy_of(a, all[i].field, &all[i]);
        assert_non_null(one);
        assert_int_equal(one->enabled, all[i].offered);
        double precision = 0.0, recall = 0.0; /* of the best set: small ones elsewhere are told, too */
        for (unsigned k = 0; k < one->n_measures; k++) {
            if (strcmp(one->measures[k].metric, "precision") == 0) precision = fmax(precision, one->measures[k].measured);
            if (strcmp(one->measures[k].metric, "recall") == 0) recall = fmax(recall, one->measures[k].measured);
        }
        bool proven = precision >= 0.70 && recall >= 0.40; /* or a goal of its field as a whole is met */
        const struct accuracy_filter *whole = accuracy_of(a, all[i].field, NULL);
        for (unsigned k = 0; whole && k < whole->n_measures; k++) proven |= whole->measures[k].met;
        if (all[i].offered && !proven) print_message("%s is offered without figures\n", all[i].name);
        assert_true(proven || !all[i].offered);
    }
    const struct accuracy_filter *plates = accuracy_of(a, FIELD_NONE, NULL);
    assert_non_null(plates);
    assert_string_equal(accuracy_field_name(plates), "plate");
    assert_true(plates->n_measures >= 5);
    accuracy_free(&a);
}

static enum err load_text(const char *text) {
    char path[] = "/tmp/relecture-accuracy-XXXXXX";
    struct accuracy *a = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    enum err e = accuracy_load(path, vocab, &a);
    unlink(path);
    assert_true((e == OK) == (a != NULL));
    accuracy_free(&a);
    return e;
}

#define ONE(fields) "{\"date\":\"2026-11-24\",\"filters\":[{" fields "}]}"
#define SHOE        "\"field\":\"shoe\",\"value\":\"boots\",\"enabled\":false,\"why\":\"no_data\""

static void figures_with_a_doubt_in_them_are_refused(void **state) {
    (void)state;
    struct accuracy *a = NULL;
    assert_int_equal(load_text(ONE(SHOE)), OK);
    assert_int_equal(load_text("{\"date\":\"2026-11-24\",\"filters\":[]}"), OK);
    assert_int_equal(load_text("{\"filters\":[]}"), ERR_CORRUPT);
    assert_int_equal(load_text("{\"date\":\"2026-11-24\"}"), ERR_CORRUPT);
    assert_int_equal(load_text("nothing"), ERR_CORRUPT);
    /* offered by the vocabulary or not: both files say the same */
    assert_int_equal(load_text(ONE("\"field\":\"shoe\",\"value\":\"boots\",\"enabled\":true,\"why\":\"\"")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE("\"field\":\"shoe\",\"value\":\"boots\",\"enabled\":false,\"why\":\"\"")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE("\"field\":\"gender\",\"value\":\"\",\"enabled\":true,\"why\":\"\"")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE("\"field\":\"shoe\",\"value\":\"hooves\",\"enabled\":false,\"why\":\"no_data\"")),
                     ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"measures\":[{\"metric\":\"top1\",\"set\":\"x\",\"n\":-1,\"measured\":0.5}]")),
                     ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"measures\":[{\"metric\":\"top1\",\"set\":\"x\",\"n\":4,\"measured\":0.5,"
                                        "\"ci95\":[0.9,0.1]}]")),
                     ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"measures\":[{\"set\":\"x\",\"n\":4,\"measured\":0.5}]")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"see_also\":[{\"value\":\"sandals\",\"share\":1.5,\"n\":4}]")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"see_also\":[{\"value\":\"red\",\"share\":0.5,\"n\":4}]")), ERR_CORRUPT);
    assert_int_equal(load_text(ONE(SHOE ",\"see_also\":[{\"value\":\"sandals\",\"share\":0.5,\"n\":4}]")), OK);
    assert_int_equal(accuracy_load("/nowhere/accuracy.json", vocab, &a), ERR_IO);
    assert_null(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_an_entry_and_offered_ones_have_figures),
        cmocka_unit_test(figures_with_a_doubt_in_them_are_refused),
    };
    return cmocka_run_group_tests_name("accuracy", tests, load, unload);
}
