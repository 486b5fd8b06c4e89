/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/pipe/detect.h"
#include "host/pipe/detect_manifest.h"
#include "tests/support/test.h"

#define DIR "tests/golden/detect"
enum { CLASSES = 4, BINS = 11, CHANNELS = CLASSES + 4 * BINS };
enum { W8 = 40, H8 = 24, W16 = 20, H16 = 12, CELLS8 = W8 * H8, CELLS16 = W16 * H16 };
enum { N8 = CELLS8 * CHANNELS, N16 = CELLS16 * CHANNELS };
enum { PERSON = 0, BIRD = 1, CAR = 2, DOG = 3 };

struct state {
    struct vocab *vocab;
    struct detector *d;
    struct wire_card_ready ready;
    int8_t q[N8 + N16];
    struct detection out[DETECTIONS_MAX];
    unsigned n;
};

static struct wire_tensor tensor(const char *name, uint32_t w, uint32_t h, uint32_t c, int fix_point) {
    struct wire_tensor t = {.h = h, .w = w, .c = c, .fix_point = fix_point, .n_bytes = w * h * c};
    (void)snprintf(t.name, sizeof t.name, "%s", name);
    return t;
}

static int setup(void **arg) {
    struct state *s = calloc(1, sizeof *s);
    *arg = s;
    assert_non_null(s);
    assert_int_equal(vocab_load("host/vocabulary.json", &s->vocab), OK);
    assert_int_equal(detector_open(DIR, s->vocab, &s->d), OK);
    (void)snprintf(s->ready.model, sizeof s->ready.model, "tiny");
    memset(s->ready.model_sha256, 'a', 64);
    s->ready.input = tensor("image", 320, 192, 3, 5);
    s->ready.n_outputs = 2;
    s->ready.outputs[0] = tensor("head08", W8, H8, CHANNELS, 3);
    s->ready.outputs[1] = tensor("head16", W16, H16, CHANNELS, 4);
    memset(s->q, -128, sizeof s->q);
    return 0;
}

static int teardown(void **arg) {
    struct state *s = *arg;
    detector_close(&s->d);
    vocab_free(&s->vocab);
    free(s);
    return 0;
}

static struct wire_surface surface(uint32_t w, uint32_t h) {
    return (struct wire_surface){.w_px = w, .h_px = h, .stride_bytes = w, .uv_offset_bytes = w * h};
}

static enum err decode(struct state *s, uint32_t w, uint32_t h) {
    struct wire_surface f = surface(w, h);
    return detect_decode(s->d, &s->ready, (const uint8_t *)s->q, sizeof s->q, &f, s->out, &s->n);
}

static float sigmoid(double x) {
    return (float)(1 / (1 + exp(-x)));
}

/* A box at one cell of the stride-8 head: `sides` = left, top, right, bottom in cells, each one sharp bin. */
static void put(struct state *s, int x, int y, int class, int logit, const int sides[4]) {
    int8_t *cell = s->q + (y * W8 + x) * CHANNELS;
    cell[class] = (int8_t)logit;
    for (int k = 0; k < 4; k++) {
        memset(cell + CLASSES + k * BINS, -128, BINS);
        cell[CLASSES + k * BINS + sides[k]] = 127;
    }
}

static void assert_box(const struct detection *d, float x, float y, float w, float h) {
    assert_float_equal(d->x_px, x, 0.01);
    assert_float_equal(d->y_px, y, 0.01);
    assert_float_equal(d->w_px, w, 0.01);
    assert_float_equal(d->h_px, h, 0.01);
}

static void empty_tensors_hold_no_detection(void **arg) {
    struct state *s = *arg;
    assert_int_equal(decode(s, 640, 384), OK);
    assert_int_equal(s->n, 0);
}

static void a_sharp_box_is_placed_in_pixels_of_the_surface(void **arg) {
    struct state *s = *arg;
    /* centre (28, 12), from 16 left to 16 right, 8 up and 24 down; the surface is twice the input */
    put(s, 3, 1, PERSON, 40, (int[]){2, 1, 2, 3});
    assert_int_equal(decode(s, 640, 384), OK);
    assert_int_equal(s->n, 1);
    assert_box(&s->out[0], 24, 8, 64, 64);
    assert_float_equal(s->out[0].score, sigmoid(5), 1e-6);
    assert_int_equal(s->out[0].class_id, vocab_by_name(s->vocab, FIELD_CLASS, "person")->id);
    assert_int_equal(s->out[0].is_hint, 0);
}

static void a_distance_is_the_expectation_over_its_bins(void **arg) {
    struct state *s = *arg;
    put(s, 10, 6, PERSON, 40, (int[]){2, 1, 2, 1});
    s->q[(6 * W8 + 10) * CHANNELS + CLASSES + 4] = 127; /* left: bins 2 and 4 alike = 3 cells */
    /* top: bin 1 at 0.0 and bin 3 at ln 3 below it: (3 * 1 + 1 * 3) / 4 = 1.5 cells; ln 3 * 8 = 8.79 -> 9 */
    s->q[(6 * W8 + 10) * CHANNELS + CLASSES + BINS + 3] = 127 - 9;
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, 1);
    const double far = exp(-9.0 / 8), top = (1 + 3 * far) / (1 + far) * 8;
    assert_box(&s->out[0], 84 - 24, (float)(52 - top), 24 + 16, (float)(top + 8));
}

static void the_lower_limit_is_kept_to_the_step(void **arg) {
    struct state *s = *arg;
    put(s, 3, 1, PERSON, -7, (int[]){1, 1, 1, 1}); /* sigmoid(-7/8) = 0.294 */
    put(s, 9, 1, PERSON, -6, (int[]){1, 1, 1, 1}); /* sigmoid(-6/8) = 0.321 */
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, 1);
    assert_float_equal(s->out[0].score, 0.3208, 1e-4);
    assert_float_equal(detector_threshold_keep(s->d), 0.30, 1e-6);
    assert_float_equal(detector_threshold_start(s->d), 0.45, 1e-6);
}

static void the_letterbox_of_a_tall_surface_is_undone(void **arg) {
    struct state *s = *arg;
    /* 100 x 200 becomes 96 x 192 at x = 112; centre (148, 52), 8 px each way */
    put(s, 18, 6, PERSON, 40, (int[]){1, 1, 1, 1});
    assert_int_equal(decode(s, 100, 200), OK);
    assert_int_equal(s->n, 1);
    assert_box(&s->out[0], (148 - 8 - 112) * 100 / 96.f, (52 - 8) * 200 / 192.f, 1600 / 96.f, 3200 / 192.f);
}

static void a_box_is_clipped_to_the_surface_and_dropped_when_outside(void **arg) {
    struct state *s = *arg;
    put(s, 0, 0, PERSON, 40, (int[]){9, 9, 1, 1});
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, 1);
    assert_box(&s->out[0], 0, 0, 12, 12);
    /* the same box lies in the black border of a tall surface */
    assert_int_equal(decode(s, 100, 200), OK);
    assert_int_equal(s->n, 0);
}

static void overlapping_boxes_of_one_class_are_one_and_of_two_classes_stay(void **arg) {
    struct state *s = *arg;
    put(s, 5, 5, PERSON, 30, (int[]){4, 4, 4, 4});
    put(s, 6, 5, PERSON, 40, (int[]){5, 4, 3, 4});
    put(s, 12, 5, PERSON, 20, (int[]){1, 1, 1, 1});
    put(s, 5, 6, CAR, 35, (int[]){4, 4, 4, 4});
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, 3);
    assert_float_equal(s->out[0].score, sigmoid(40.0 / 8), 1e-6);
    assert_int_equal(s->out[1].class_id, vocab_by_name(s->vocab, FIELD_CLASS, "car")->id);
    assert_float_equal(s->out[2].score, sigmoid(20.0 / 8), 1e-6);
}

static void ignored_labels_vanish_and_accessories_are_hints(void **arg) {
    struct state *s = *arg;
    put(s, 3, 3, BIRD, 127, (int[]){1, 1, 1, 1});
    put(s, 9, 9, DOG, 20, (int[]){1, 1, 1, 1});
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, 1);
    assert_int_equal(s->out[0].is_hint, 1);
    assert_int_equal(s->out[0].class_id, vocab_by_name(s->vocab, FIELD_ACCESSORY, "with.dog")->id);
}

static void a_frame_full_of_boxes_gives_the_best_in_order(void **arg) {
    struct state *s = *arg;
    for (int y = 0; y < H8; y++)
        for (int x = 0; x < W8; x++)
            for (int c = 0; c < CLASSES; c++)
                put(s, x, y, c, (x * 7 + y * 13 + c * 5) % 100, (int[]){0, 0, 1, 1});
    assert_int_equal(decode(s, 320, 192), OK);
    assert_int_equal(s->n, DETECTIONS_MAX);
    for (unsigned i = 1; i < s->n; i++) assert_true(s->out[i].score <= s->out[i - 1].score);
    assert_float_equal(s->out[0].score, sigmoid(99.0 / 8), 1e-6);
}

static void more_boxes_than_candidates_keep_the_best(void **arg) {
    struct state *s = *arg;
    memset(s->q, 0, sizeof s->q); /* every cell, every class: score 0.5, one size */
    put(s, W8 - 1, H8 - 1, CAR, 50, (int[]){1, 1, 0, 0});
    assert_int_equal(decode(s, 320, 192), OK);
    assert_true(s->n > 1);
    assert_float_equal(s->out[0].score, sigmoid(50.0 / 8), 1e-6);
}

static void outputs_in_another_order_give_the_same(void **arg) {
    struct state *s = *arg;
    put(s, 3, 1, PERSON, 40, (int[]){2, 1, 2, 3});
    int8_t *first = malloc(N8);
    assert_non_null(first);
    memcpy(first, s->q, N8);
    memmove(s->q, s->q + N8, N16);
    memcpy(s->q + N16, first, N8);
    free(first);
    struct wire_tensor t = s->ready.outputs[0];
    s->ready.outputs[0] = s->ready.outputs[1];
    s->ready.outputs[1] = t;
    assert_int_equal(detector_match(s->d, &s->ready), OK);
    assert_int_equal(decode(s, 640, 384), OK);
    assert_int_equal(s->n, 1);
    assert_box(&s->out[0], 24, 8, 64, 64);
}

static uint8_t noise(uint32_t *x) {
    *x = *x * 1664525u + 1013904223u;
    return (uint8_t)(*x >> 24);
}

/* tests/golden/detect/make.py fills the same tensors and decodes them with numpy. */
static void boxes_equal_those_of_the_numpy_reference(void **arg) {
    struct state *s = *arg;
    int8_t *q = s->q;
    uint32_t seed = 7;
    for (int h = 0; h < 2; h++, seed++) {
        uint32_t x = seed;
        for (int cell = 0; cell < (h ? CELLS16 : CELLS8); cell++)
            for (int c = 0; c < CHANNELS; c++) {
                int v = noise(&x);
                *q++ = (int8_t)(c < CLASSES ? -110 + v * 109 / 255 : v / 4 - 4 * ((c - CLASSES) % BINS));
            }
    }
    assert_int_equal(decode(s, 300, 200), OK);
    FILE *f = fopen(DIR "/vector.txt", "r");
    assert_non_null(f);
    static const char *const names[CLASSES] = {"person", "", "car", "with.dog"};
    int class;
    float score, x, y, w, h;
    unsigned n = 0;
    while (fscanf(f, "%d %f %f %f %f %f", &class, &score, &x, &y, &w, &h) == 6) {
        assert_true(n < s->n);
        const struct detection *d = &s->out[n++];
        const enum field field = class == DOG ? FIELD_ACCESSORY : FIELD_CLASS;
        assert_int_equal(d->class_id, vocab_by_name(s->vocab, field, names[class])->id);
        assert_float_equal(d->score, score, 1e-5);
        assert_box(d, x, y, w, h);
    }
    (void)fclose(f);
    assert_int_equal(n, s->n);
    assert_true(n > 50);
}

static void tensors_of_another_size_are_refused(void **arg) {
    struct state *s = *arg;
    struct wire_surface f = surface(320, 192);
    assert_int_equal(
        detect_decode(s->d, &s->ready, (const uint8_t *)s->q, sizeof s->q - 1, &f, s->out, &s->n),
        ERR_CORRUPT);
    s->ready.outputs[1].h++;
    s->ready.outputs[1].n_bytes += W16 * CHANNELS;
    assert_int_equal(decode(s, 320, 192), ERR_CORRUPT);
}

static void a_card_that_runs_something_else_is_refused(void **arg) {
    struct state *s = *arg;
    const struct wire_card_ready good = s->ready;
    assert_int_equal(detector_match(s->d, &good), OK);
    struct wire_card_ready r = good;
    r.input.fix_point = 6;
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.input.w = 352;
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.outputs[0].fix_point = 4;
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.outputs[1] = r.outputs[0];
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.n_outputs = 1;
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.model_sha256[0] = 'b';
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
    r = good;
    r.model[0] = 'T';
    assert_int_equal(detector_match(s->d, &r), ERR_CORRUPT);
}

/* ---- model.json ---- */

/* The whole way of detector_open() on `json` with its first `from` made `to`, and on `labels`. */
static enum err open_changed(struct state *s, const char *from, const char *to, const char *labels) {
    char *json = NULL;
    size_t n;
    struct detect_manifest m;
    assert_int_equal(fs_read(DIR "/model.json", DETECT_JSON_MAX, &json, &n), OK);
    size_t cap = n + strlen(to) + 1;
    char *text = malloc(cap);
    assert_non_null(text);
    const char *at = strstr(json, from);
    assert_non_null(at);
    int len = snprintf(text, cap, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    enum err e = detect_manifest_parse("test", text, (size_t)len, &m);
    if (!e) e = detect_manifest_map("test", text, (size_t)len, labels, strlen(labels), s->vocab, &m);
    free(text);
    free(json);
    return e;
}

static void a_manifest_with_one_wrong_field_is_refused(void **arg) {
    static const struct {
        const char *from, *to;
        enum err e;
    } cases[] = {
        {"\"tiny\"", "\"tiny\"", OK},
        {"\"detect\"", "\"face\"", ERR_DENIED},
        {"\"detect\"", "\"reid\"", ERR_DENIED},
        {"\"detect\"", "\"age_sex\"", ERR_DENIED},
        {"\"detect\"", "\"anything\"", ERR_DENIED},
        {"\"detect\"", "\"plate_read\"", ERR_CORRUPT},
        {"\"name\": \"tiny\"", "\"name\": \"retinaface\"", ERR_DENIED},
        {"\"name\": \"tiny\"", "\"name\": \"tiny-person_reid\"", ERR_DENIED},
        {"\"name\": \"tiny\"", "\"name\": 5", ERR_CORRUPT},
        {"head16", "gender", ERR_DENIED},
        {"head16", "head08", ERR_CORRUPT},
        {"\"format\": 1", "\"format\": 2", ERR_CORRUPT},
        {"\"width\": 320", "\"width\": 321", ERR_CORRUPT},
        {"\"width\": 320", "\"width\": 1000000", ERR_CORRUPT},
        {"\"width\": 320", "\"width\": 320.5", ERR_CORRUPT},
        {"\"width\": 320", "\"width\": -320", ERR_CORRUPT},
        {"\"BGR\"", "\"RGB\"", ERR_CORRUPT},
        {"\"letterbox\"", "\"stretch\"", ERR_CORRUPT},
        {"\"nanodet\"", "\"yolox\"", ERR_CORRUPT},
        {"\"scores+bins\"", "\"embedding\"", ERR_CORRUPT},
        {"\"stride\": 8", "\"stride\": 0", ERR_CORRUPT},
        {"\"fix_point\": 4", "\"fix_point\": 400", ERR_CORRUPT},
        {"\"bins\": 11", "\"bins\": 1", ERR_CORRUPT},
        {"\"classes\": 4", "\"classes\": 5", ERR_CORRUPT},
        {"\"classes\": 4", "\"classes\": 3", ERR_CORRUPT},
        {"\"iou\": 0.6", "\"iou\": 1.5", ERR_CORRUPT},
        {"\"keep\": 0.30", "\"keep\": 0.50", ERR_CORRUPT},
        {"\"keep\": 0.30", "\"keep\": 0", ERR_CORRUPT},
        {"\"labels.txt\"", "\"../labels.txt\"", ERR_CORRUPT},
        {"aaaa", "AAAA", ERR_CORRUPT},
        {"\"class:person\"", "\"class:nobody\"", ERR_CORRUPT},
        {"\"class:person\"", "\"person\"", ERR_CORRUPT},
        {"\"class:person\"", "\"upper_colour:red\"", ERR_CORRUPT},
        {"\"class:person\"", "\"class:unknown\"", ERR_CORRUPT},
        {"\"class:person\"", "7", ERR_CORRUPT},
        {"\"bird\": null, ", "", ERR_CORRUPT},
        {"\"map\"", "\"mop\"", ERR_CORRUPT},
        {"\"map\"", "\"outputs\"", ERR_CORRUPT}, /* a key twice */
        {"{", "[", ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum err e = open_changed(*arg, cases[i].from, cases[i].to, "person\nbird\ncar\ndog\n");
        if (e != cases[i].e) print_error("%s -> %s: %s\n", cases[i].from, cases[i].to, err_text(e));
        assert_int_equal(e, cases[i].e);
    }
}

static void a_refused_label_stops_the_load_even_when_it_is_ignored(void **arg) {
    const char *const refused[] = {"face",       "Human face", "age",   "female", "person-reid", "re-id",
                                   "hair_color", "long hair",  "woman", "Beard",  "ethnicity"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char entry[64], labels[64];
        (void)snprintf(entry, sizeof entry, "\"%s\": null", refused[i]);
        (void)snprintf(labels, sizeof labels, "person\n%s\ncar\ndog\n", refused[i]);
        assert_int_equal(open_changed(*arg, "\"bird\": null", entry, labels), ERR_DENIED);
    }
    const char *const fine[] = {"surfboard", "luggage", "hair drier", "surface", "cell phone", "garage"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        char entry[64], labels[64];
        (void)snprintf(entry, sizeof entry, "\"%s\": null", fine[i]);
        (void)snprintf(labels, sizeof labels, "person\n%s\ncar\ndog\n", fine[i]);
        assert_int_equal(open_changed(*arg, "\"bird\": null", entry, labels), OK);
    }
}

static void a_missing_model_says_so(void **arg) {
    struct state *s = *arg;
    struct detector *d = NULL;
    assert_int_equal(detector_open("tests/golden/nowhere", s->vocab, &d), ERR_IO);
    assert_null(d);
    detector_close(&d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(empty_tensors_hold_no_detection),
        TEST(a_sharp_box_is_placed_in_pixels_of_the_surface),
        TEST(a_distance_is_the_expectation_over_its_bins),
        TEST(the_lower_limit_is_kept_to_the_step),
        TEST(the_letterbox_of_a_tall_surface_is_undone),
        TEST(a_box_is_clipped_to_the_surface_and_dropped_when_outside),
        TEST(overlapping_boxes_of_one_class_are_one_and_of_two_classes_stay),
        TEST(ignored_labels_vanish_and_accessories_are_hints),
        TEST(a_frame_full_of_boxes_gives_the_best_in_order),
        TEST(more_boxes_than_candidates_keep_the_best),
        TEST(outputs_in_another_order_give_the_same),
        TEST(boxes_equal_those_of_the_numpy_reference),
        TEST(tensors_of_another_size_are_refused),
        TEST(a_card_that_runs_something_else_is_refused),
        TEST(a_manifest_with_one_wrong_field_is_refused),
        TEST(a_refused_label_stops_the_load_even_when_it_is_ignored),
        TEST(a_missing_model_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
