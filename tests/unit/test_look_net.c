/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/pipe/look_net.h"

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

#define HASH   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INPUT  "{\"width\":160,\"height\":120,\"fix_point\":6,\"order\":\"BGR\",\"fit\":\"stretch\"}"
#define LABELS                                                                                                   \
    "[{\"name\":\"car\",\"yes\":\"class:car\"},"                                                                 \
    "{\"name\":\"pick\",\"yes\":[\"class:truck\",\"vehicle_type:pickup\"],\"at_least\":0.6,\"sure\":0.8},"       \
    "{\"name\":\"other\",\"yes\":null}]"

static char json[4096];

static const char *model(const char *task, const char *input, const char *softmax, const char *labels) {
    snprintf(json, sizeof json,
             "{\"format\":1,\"name\":\"tested\",\"task\":\"%s\",\"files\":{\"golden\":{\"sha256\":\"" HASH "\"}},"
             "\"input\":%s,\"outputs\":[{\"tensor\":\"type\",\"fix_point\":3,\"role\":\"class\",\"softmax\":\"%s\","
             "\"labels\":%s}]}",
             task, input, softmax, labels);
    return json;
}

static enum err parse(const char *text, struct look_net *n) {
    return look_net_parse("test", text, strlen(text), vocab, n);
}

static void labels_lead_to_the_vocabulary(void **state) {
    (void)state;
    struct look_net n;
    assert_int_equal(parse(model("vehicle_type", INPUT, "host", LABELS), &n), OK);
    assert_false(n.of_persons);
    assert_int_equal(n.n_heads, 1);
    assert_int_equal(n.n_labels, 3);
    assert_true(n.heads[0].is_choice);
    assert_int_equal(n.labels[0].yes[0].field, FIELD_CLASS);
    assert_int_equal(n.labels[0].yes[0].id, vocab_by_name(vocab, FIELD_CLASS, "car")->id);
    assert_int_equal(n.labels[1].yes[1].field, FIELD_VEHICLE_TYPE);
    assert_true(n.labels[1].at_least == 0.6f && n.labels[1].sure == 0.8f);
    assert_true(n.labels[0].at_least > 1.0f); /* never, where none is given */
    assert_int_equal(n.labels[2].yes[0].field, FIELD_NONE);
    assert_int_equal(parse(model("clothing", INPUT, "none", "[{\"name\":\"sleeve\",\"yes\":\"sleeve:short\","
                                                            "\"no\":\"sleeve:long\",\"at_least\":0.7}]"),
                           &n),
                     OK);
    assert_true(n.of_persons);
    assert_int_equal(n.labels[0].no.id, vocab_by_name(vocab, FIELD_SLEEVE, "long")->id);
}

static void a_model_with_a_doubt_is_refused(void **state) {
    (void)state;
    struct look_net n;
    static const char *const bad_labels[] = {
        "[]", "[{\"yes\":null}]", "[{\"name\":\"x\"}]", "[{\"name\":\"x\",\"yes\":\"class:cart\"}]",
        "[{\"name\":\"x\",\"yes\":\"car\"}]", "[{\"name\":\"x\",\"yes\":\"class:unknown\"}]",
        "[{\"name\":\"x\",\"yes\":[\"class:car\"]}]", "[{\"name\":\"x\",\"yes\":\"class:car\",\"at_least\":1.5}]",
        "[{\"name\":\"x\",\"yes\":\"class:car\",\"no\":\"class:bus\"}]" /* a choice has no opposite */};
    for (unsigned i = 0; i < sizeof bad_labels / sizeof *bad_labels; i++)
        assert_int_equal(parse(model("vehicle_type", INPUT, "host", bad_labels[i]), &n), ERR_CORRUPT);
    assert_int_equal(parse(model("plate_find", INPUT, "host", LABELS), &n), ERR_CORRUPT);
    assert_int_equal(parse(model("detect", INPUT, "host", LABELS), &n), ERR_CORRUPT);
    assert_int_equal(parse(model("face_detect", INPUT, "host", LABELS), &n), ERR_DENIED);
    assert_int_equal(parse(model("clothing", INPUT, "none", "[{\"name\":\"female\",\"yes\":null}]"), &n), ERR_DENIED);
    assert_int_equal(parse(model("vehicle_type", INPUT, "card", LABELS), &n), ERR_CORRUPT);
    assert_int_equal(parse(model("vehicle_type",
                                 "{\"width\":4096,\"height\":120,\"fix_point\":6,\"order\":\"BGR\",\"fit\":\"stretch\"}",
                                 "host", LABELS),
                           &n),
                     ERR_CORRUPT);
    assert_int_equal(parse(model("vehicle_type",
                                 "{\"width\":160,\"height\":120,\"fix_point\":6,\"order\":\"BGR\",\"fit\":\"letterbox\"}",
                                 "host", LABELS),
                           &n),
                     ERR_CORRUPT);
    assert_int_equal(parse("{}", &n), ERR_CORRUPT);
    assert_int_equal(parse("", &n), ERR_CORRUPT);
}

static void a_choice_sums_to_one_and_independent_labels_do_not(void **state) {
    (void)state;
    struct look_net n;
    float sums[LOOK_NET_LABELS_MAX] = {0}, shares[LOOK_NET_LABELS_MAX];
    const int8_t sure[3] = {0, 24, 0}, wrong[3] = {24, 0, 0};
    assert_int_equal(parse(model("vehicle_type", INPUT, "host", LABELS), &n), OK);
    look_net_add(&n, sure, 0.8f, sums); /* 24 at position 3 is a logit of 3 */
    look_net_add(&n, wrong, 0.2f, sums);
    look_net_shares(&n, sums, 1.0f, shares);
    assert_true(fabsf(shares[0] + shares[1] + shares[2] - 1.0f) < 1e-5f);
    assert_true(fabsf(shares[1] / shares[0] - expf(3.0f * 0.6f)) < 1e-3f); /* logits 2.4 and 0.6 */
    assert_int_equal(parse(model("clothing", INPUT, "none", LABELS), &n), OK);
    look_net_shares(&n, sums, 1.0f, shares);
    assert_true(fabsf(shares[1] - 1.0f / (1.0f + expf(-2.4f))) < 1e-5f);
    assert_true(fabsf(shares[2] - 0.5f) < 1e-6f);
}

static void a_card_that_runs_something_else_is_noticed(void **state) {
    (void)state;
    struct look_net n;
    struct wire_card_ready r = {.input = {.w = 160, .h = 120, .c = 3, .fix_point = 6},
                                .n_outputs = 1,
                                .outputs = {{.name = "type", .h = 1, .w = 1, .c = 3, .n_bytes = 3, .fix_point = 3}}};
    snprintf(r.model, sizeof r.model, "tested");
    snprintf(r.model_sha256, sizeof r.model_sha256, "%s", HASH);
    assert_int_equal(parse(model("vehicle_type", INPUT, "host", LABELS), &n), OK);
    assert_int_equal(look_net_match(&n, &r), OK);
    struct wire_card_ready x = r;
    x.model_sha256[3] = 'f';
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
    x = r;
    x.input.w = 128;
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
    x = r;
    x.outputs[0].n_bytes = 4;
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
    x = r;
    x.outputs[0].fix_point = 4;
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
    x = r;
    x.n_outputs = 2;
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
    x = r;
    snprintf(x.model, sizeof x.model, "other");
    assert_int_equal(look_net_match(&n, &x), ERR_CORRUPT);
}

/* models/zoo, as models/tools/adopt.py completes it. Makes have no labels of their own there. */
static void manifests_of_the_zoo_lead_to_the_vocabulary(void **state) {
    (void)state;
    static const struct {
        const char *file;
        enum err err;
        unsigned n_labels;
    } zoo[] = {{"models/zoo/zoo-vehicle-type.json", OK, 12},
               {"models/zoo/zoo-vehicle-colour.json", OK, 15},
               {"models/zoo/zoo-vehicle-make.json", ERR_CORRUPT, 0}};
    for (unsigned i = 0; i < 3; i++) {
        struct look_net n;
        json_t *root = json_load_file(zoo[i].file, 0, NULL);
        assert_non_null(root);
        char *raw = json_dumps(root, 0);
        assert_int_equal(parse(raw, &n), ERR_CORRUPT); /* no file yet */
        free(raw);
        json_array_append_new(json_object_get(json_object_get(root, "files"), "compiled"),
                              json_pack("{s:s}", "sha256", HASH));
        json_object_set_new(json_array_get(json_object_get(root, "outputs"), 0), "tensor", json_string("class"));
        char *text = json_dumps(root, 0);
        assert_int_equal(parse(text, &n), zoo[i].err);
        if (zoo[i].err == OK) {
            assert_int_equal(n.n_labels, zoo[i].n_labels);
            assert_int_equal(n.input_w_px, 224);
            assert_false(n.of_persons);
            for (unsigned k = 0; k < n.n_labels; k++) assert_true(n.labels[k].yes[0].field != FIELD_NONE);
        }
        free(text);
        json_decref(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_lead_to_the_vocabulary),
        cmocka_unit_test(a_model_with_a_doubt_is_refused),
        cmocka_unit_test(a_choice_sums_to_one_and_independent_labels_do_not),
        cmocka_unit_test(a_card_that_runs_something_else_is_noticed),
        cmocka_unit_test(manifests_of_the_zoo_lead_to_the_vocabulary),
    };
    return cmocka_run_group_tests_name("look_net", tests, load, unload);
}
