/* SPDX-License-Identifier: Apache-2.0 */
/* Plates from int8 tensors to the stored text: hand-made columns and cells, no network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/plate_net.h"
#include "host/pipe/plate_text.h"
#include "host/pipe/plate_vote.h"
#include "tests/support/test.h"

typedef float columns[PLATE_COLUMNS][PLATE_CLASSES];

static unsigned class_of(char c) {
    for (unsigned i = 0; i < PLATE_ALPHABET; i++)
        if (plate_text_char(i) == c) return i + 1;
    fail_msg("no character %c", c);
    return 0;
}

/* Probability p for class k in column t, the rest shared out. */
static void say(columns c, unsigned t, unsigned k, float p) {
    for (unsigned i = 0; i < PLATE_CLASSES; i++) c[t][i] = logf((1.0f - p) / (PLATE_CLASSES - 1));
    c[t][k] = logf(p);
}

/* Two columns a character, one blank between, from column `from` on; a space is three blanks. */
static void write_text(columns c, unsigned from, const char *text, float p) {
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) say(c, t, 0, p);
    for (unsigned t = from; *text; text++, t += 3)
        if (*text != ' ')
            for (unsigned i = 0; i < 2; i++) say(c, t + i, class_of(*text), p);
}

static void text_of(const struct plate_guess *g, char out[PLATE_TEXT_MAX + 1]) {
    for (unsigned k = 0; k < g->n_chars; k++) {
        unsigned best = 0;
        for (unsigned a = 1; a < PLATE_ALPHABET; a++)
            if (g->share[k][a] > g->share[k][best]) best = a;
        out[k] = plate_text_char(best);
    }
    out[g->n_chars] = 0;
}

static void reads(columns c, const char *wanted) {
    struct plate_guess g;
    char text[PLATE_TEXT_MAX + 1];
    plate_text_read((const float(*)[PLATE_CLASSES])c, &g);
    text_of(&g, text);
    assert_string_equal(text, wanted);
    for (unsigned k = 0; k < g.n_chars; k++) {
        float sum = 0.0f;
        for (unsigned a = 0; a < PLATE_ALPHABET; a++) sum += g.share[k][a];
        assert_true(fabsf(sum - 1.0f) < 1e-3f);
    }
}

static void clear_texts_are_read_in_any_form(void **state) {
    (void)state;
    static const char *const texts[] = {"AB123CD", "1234AB56", "WOBAB123", "RK896AO", "9A91234",
                                        "GWAGEN",  "B144MOS",  "AA11111",  "M5XSX",   "1QQ7X"};
    columns c;
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(c, 3, texts[i], 0.95f);
        reads(c, texts[i]);
    }
}

/* O and 0, I and 1, B and 8 look the same; the place tells them apart. */
static void form_decides_between_look_alikes(void **state) {
    (void)state;
    columns c;
    write_text(c, 4, "AB1O3CD", 0.9f); /* a letter where a digit must stand, the digit nearly as likely */
    for (unsigned i = 0; i < 2; i++) c[4 + 9 + i][class_of('0')] = logf(0.09f);
    reads(c, "AB103CD");
    write_text(c, 4, "8B123CD", 0.9f);
    for (unsigned i = 0; i < 2; i++) c[4 + i][class_of('B')] = logf(0.09f);
    reads(c, "BB123CD");
}

static void blue_band_is_no_character_of_a_form(void **state) {
    (void)state;
    columns c;
    write_text(c, 6, "AB123CD", 0.95f);
    say(c, 2, class_of('F'), 0.6f); /* the band's letter, less sure and single */
    reads(c, "AB123CD");
    write_text(c, 5, "AB123CD", 0.95f);
    say(c, 29, class_of('1'), 0.6f); /* the department's number */
    reads(c, "AB123CD");
}

static void same_character_twice_needs_its_blank(void **state) {
    (void)state;
    columns c;
    write_text(c, 3, "GG777GG", 0.95f);
    reads(c, "GG777GG");
}

static void nothing_is_read_where_nothing_stands(void **state) {
    (void)state;
    columns c;
    struct plate_guess g;
    write_text(c, 3, "", 0.9f);
    plate_text_read((const float(*)[PLATE_CLASSES])c, &g);
    assert_int_equal(g.n_chars, 0);
    write_text(c, 10, "AB", 0.95f); /* a badge */
    plate_text_read((const float(*)[PLATE_CLASSES])c, &g);
    assert_int_equal(g.n_chars, 0);
}

static void country_is_named_only_when_no_other_fits(void **state) {
    (void)state;
    assert_string_equal(plate_text_country("1234AB56"), "F");
    assert_string_equal(plate_text_country("1234BCD"), "E");
    assert_string_equal(plate_text_country("AB123CD"), ""); /* French, Slovak, Italian */
    assert_string_equal(plate_text_country("GWAGEN"), "");
    assert_string_equal(plate_text_country(""), "");
}

/* ---- votes ---- */

static struct plate_guess guess_of(const char *text, float p) {
    columns c;
    struct plate_guess g;
    write_text(c, 3, text, p);
    plate_text_read((const float(*)[PLATE_CLASSES])c, &g);
    assert_int_equal(g.n_chars, strlen(text));
    return g;
}

static void add(struct plate_votes *v, const char *text, float p, float weight) {
    const struct plate_guess g = guess_of(text, p);
    plate_votes_add(v, &g, weight);
}

static void readings_are_fused_character_by_character(void **state) {
    (void)state;
    struct plate_votes v = {0};
    struct plate_read r;
    /* Each has one wrong character, at three places: none of them is right, all together are. */
    add(&v, "XB123CD", 0.8f, 50);
    add(&v, "AB723CD", 0.8f, 60);
    add(&v, "AB123CX", 0.8f, 55);
    assert_true(plate_votes_decide(&v, 0.5f, &r));
    assert_string_equal(r.text, "AB123CD");
    assert_int_equal(r.n_chars, 7);
    assert_int_equal(r.chars[2].c[0], '1');
    assert_int_equal(r.chars[2].c[1], '7'); /* the second guess stays */
    assert_true(r.chars[2].score[0] > r.chars[2].score[1] && r.chars[2].score[1] >= 10);
    assert_true(r.confidence >= 1 && r.confidence < 60);
    assert_string_equal(r.country, "");
}

static void heavier_readings_and_the_commoner_length_win(void **state) {
    (void)state;
    struct plate_votes v = {0};
    struct plate_read r;
    add(&v, "AB123CD", 0.9f, 100);
    add(&v, "EB123CD", 0.9f, 40);
    add(&v, "AB123C", 0.9f, 90);
    assert_true(plate_votes_decide(&v, 0.5f, &r));
    assert_string_equal(r.text, "AB123CD");
}

static void best_five_are_kept(void **state) {
    (void)state;
    struct plate_votes v = {0};
    struct plate_read r;
    for (unsigned i = 0; i < 5; i++) add(&v, "EE555EE", 0.9f, 10.0f + (float)i);
    assert_int_equal(v.n, PLATE_VOTES_MAX);
    for (unsigned i = 0; i < 5; i++) add(&v, "AB123CD", 0.9f, 100);
    assert_int_equal(v.n, PLATE_VOTES_MAX);
    add(&v, "ZZ999ZZ", 0.9f, 1); /* lighter than all */
    assert_true(plate_votes_decide(&v, 0.5f, &r));
    assert_string_equal(r.text, "AB123CD");
    assert_int_equal(r.chars[0].c[1], 0); /* nothing of the others is left */
}

static void doubtful_reading_is_no_plate(void **state) {
    (void)state;
    struct plate_votes v = {0};
    struct plate_read r;
    assert_false(plate_votes_decide(&v, 0.5f, &r));
    assert_int_equal(r.n_chars, 0);
    add(&v, "AB123CD", 0.8f, 50);
    add(&v, "EF456GH", 0.8f, 50);
    add(&v, "JK789LM", 0.8f, 50);
    assert_false(plate_votes_decide(&v, 0.5f, &r)); /* they agree in nothing */
    assert_int_equal(r.n_chars, 0);
    assert_string_equal(r.text, "");
}

static void votes_are_saved_and_loaded_and_hostile_ones_refused(void **state) {
    (void)state;
    struct plate_votes v = {0}, back;
    struct bytes b = {0}, again = {0};
    add(&v, "AB123CD", 0.9f, 100);
    add(&v, "AB123CX", 0.7f, 60);
    plate_votes_save(&v, &b);
    struct bytes_reader r = bytes_reader_of(b.data, b.len);
    plate_votes_load(&r, &back);
    assert_false(r.bad);
    assert_ptr_equal(r.p, r.end);
    plate_votes_save(&back, &again);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.data, b.data, b.len);
    for (size_t n = 0; n < b.len; n++) { /* cut anywhere */
        r = bytes_reader_of(b.data, n);
        plate_votes_load(&r, &back);
        assert_true(r.bad);
    }
    for (unsigned i = 0; i < 256; i++) { /* any count and any length */
        uint8_t *copy = malloc(b.len);
        assert_non_null(copy);
        memcpy(copy, b.data, b.len);
        copy[i < 128 ? 0 : 5] = (uint8_t)(i * 2 + 5);
        r = bytes_reader_of(copy, b.len);
        plate_votes_load(&r, &back);
        assert_true(back.n <= PLATE_VOTES_MAX);
        for (unsigned k = 0; k < back.n && !r.bad; k++) assert_true(back.of[k].n_chars <= PLATE_TEXT_MAX);
        free(copy);
    }
    bytes_fini(&b);
    bytes_fini(&again);
}

/* ---- the networks' claims and outputs ---- */

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FINDER                                                                                               \
    "{\"format\":1,\"name\":\"f\",\"task\":\"plate_find\",\"files\":{\"golden\":{\"sha256\":\"" SHA          \
    "\"},\"compiled\":[]},\"input\":{\"width\":160,\"height\":128,\"order\":\"BGR\",\"fit\":\"stretch\","    \
    "\"fix_point\":6},\"outputs\":[{\"tensor\":\"cells\",\"role\":\"centre+box\",\"stride\":4,\"fix_"        \
    "point\":4,"                                                                                             \
    "\"softmax\":\"host\"}],\"decode\":{\"kind\":\"plate_centre\",\"side\":16},\"threshold\":{\"start\":0."  \
    "3,"                                                                                                     \
    "\"not_estimated_below_px\":40}}"

static enum err parse(const char *json, enum plate_task task, struct plate_net *n) {
    return plate_net_parse("test", json, strlen(json), task, n);
}

/* FINDER with the first `from` replaced by `to`. */
static enum err parse_with(const char *from, const char *to) {
    char json[2048];
    struct plate_net n;
    const char *at = strstr(FINDER, from);
    assert_non_null(at);
    (void)snprintf(json, sizeof json, "%.*s%s%s", (int)(at - FINDER), FINDER, to, at + strlen(from));
    return parse(json, PLATE_FIND, &n);
}

static void manifest_is_checked_field_by_field(void **state) {
    (void)state;
    struct plate_net n;
    assert_int_equal(parse(FINDER, PLATE_FIND, &n), OK);
    assert_int_equal(plate_net_bytes(&n), 40 * 32 * 5);
    assert_int_equal(parse(FINDER, PLATE_READ, &n), ERR_CORRUPT);
    assert_int_equal(parse("{", PLATE_FIND, &n), ERR_CORRUPT);
    assert_int_equal(parse_with("plate_find", "face_find"), ERR_DENIED);
    assert_int_equal(parse_with("\"f\"", "\"face\""), ERR_DENIED);
    static const char *const bad[][2] = {
        {"\"format\":1", "\"format\":2"},
        {SHA, "aa"},
        {"160", "161"},
        {"160", "100000"},
        {"BGR", "RGB"},
        {"stretch", "letterbox"},
        {"\"fix_point\":6", "\"fix_point\":60"},
        {"\"tensor\":\"cells\"", "\"tensor\":\"\""},
        {"centre+box", "columns"},
        {"\"stride\":4", "\"stride\":0"},
        {"\"fix_point\":4", "\"fix_point\":40"},
        {"\"host\"", "\"card\""},
        {"plate_centre", "plate_columns"},
        {"\"side\":16", "\"side\":0"},
        {"\"start\":0.3", "\"start\":1.5"},
        {"\"not_estimated_below_px\":40", "\"not_estimated_below_px\":\"x\""},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse_with(bad[i][0], bad[i][1]) != ERR_CORRUPT) fail_msg("%s passes", bad[i][1]);
}

static void card_must_run_the_network_of_the_manifest(void **state) {
    (void)state;
    struct plate_net n;
    assert_int_equal(parse(FINDER, PLATE_FIND, &n), OK);
    struct wire_card_ready r = {
        .model = "f",
        .model_sha256 = SHA,
        .n_outputs = 1,
        .input = {.h = 128, .w = 160, .c = 3, .fix_point = 6, .n_bytes = 160 * 128 * 3},
        .outputs = {{.name = "cells", .h = 32, .w = 40, .c = 5, .fix_point = 4, .n_bytes = 6400}}};
    assert_int_equal(plate_net_match(&n, &r), OK);
    struct wire_card_ready other = r;
    other.model_sha256[3] = 'b';
    assert_int_equal(plate_net_match(&n, &other), ERR_CORRUPT);
    other = r;
    other.input.fix_point = 5;
    assert_int_equal(plate_net_match(&n, &other), ERR_CORRUPT);
    other = r;
    other.outputs[0].n_bytes = 6395;
    assert_int_equal(plate_net_match(&n, &other), ERR_CORRUPT);
    other = r;
    other.n_outputs = 2;
    assert_int_equal(plate_net_match(&n, &other), ERR_CORRUPT);
    other = r;
    other.model[0] = 'g';
    assert_int_equal(plate_net_match(&n, &other), ERR_CORRUPT);
}

static void best_cell_becomes_a_box_of_the_picture(void **state) {
    (void)state;
    struct plate_net n;
    static int8_t cells[40 * 32 * 5];
    struct plate_box b;
    assert_int_equal(parse(FINDER, PLATE_FIND, &n), OK);
    for (unsigned i = 0; i < 40 * 32; i++) cells[i * 5] = -100;
    int8_t *c = cells + (20 * 40 + 10) * 5; /* centre at 42, 82 of the input */
    c[0] = 32;                              /* logit 2 */
    c[1] = 24;                              /* 1.5 x 16 px to the left */
    c[2] = 8;
    c[3] = 24;
    c[4] = 8;
    const struct wire_roi region = {100, 50, 320, 256}; /* twice the input */
    assert_true(plate_net_find(&n, cells, &region, &b));
    assert_true(fabsf(b.x_px - (100 + 2 * 18)) < 0.01f && fabsf(b.y_px - (50 + 2 * 74)) < 0.01f);
    assert_true(fabsf(b.w_px - 96) < 0.01f && fabsf(b.h_px - 32) < 0.01f);
    assert_true(fabsf(b.score - 0.8808f) < 0.001f);
    const struct wire_roi small = {100, 50, 120, 96}; /* the plate is 36 px wide there */
    assert_false(plate_net_find(&n, cells, &small, &b));
    c[0] = -20; /* not sure enough */
    assert_false(plate_net_find(&n, cells, &region, &b));
    c[0] = 32;
    c[1] = -128; /* sides crossed */
    c[3] = -128;
    assert_false(plate_net_find(&n, cells, &region, &b));
}

static void region_to_read_stays_on_the_grid_and_in_the_picture(void **state) {
    (void)state;
    struct plate_net n = {.task = PLATE_READ, .margin_x = 0.1f, .margin_y = 0.5f};
    struct wire_roi r;
    const struct plate_box b = {.x_px = 101, .y_px = 51, .w_px = 100, .h_px = 20};
    assert_true(plate_net_region(&n, &b, 640, 480, &r));
    assert_int_equal(r.x_px, 90);
    assert_int_equal(r.y_px, 40);
    assert_int_equal(r.x_px + r.w_px, 211);
    assert_int_equal(r.y_px + r.h_px, 81);
    const struct plate_box edge = {.x_px = 600, .y_px = 470, .w_px = 60, .h_px = 20};
    assert_true(plate_net_region(&n, &edge, 640, 480, &r));
    assert_true(r.x_px + r.w_px <= 640 && r.y_px + r.h_px <= 480);
    const struct plate_box outside = {.x_px = 700, .y_px = 470, .w_px = 60, .h_px = 20};
    assert_false(plate_net_region(&n, &outside, 640, 480, &r));
}

static void int8_columns_are_read(void **state) {
    (void)state;
    static const char text[] = "AB123CD";
    struct plate_net n = {.task = PLATE_READ, .output_fix_point = 3};
    static int8_t columns8[PLATE_COLUMNS * PLATE_CLASSES];
    struct plate_guess g;
    char read[PLATE_TEXT_MAX + 1];
    memset(columns8, -60, sizeof columns8);
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        const unsigned k = t / 4;
        const bool on = t % 4 < 2 && k < sizeof text - 1;
        columns8[t * PLATE_CLASSES + (on ? class_of(text[k]) : 0)] = 60;
    }
    plate_net_read(&n, columns8, &g);
    text_of(&g, read);
    assert_string_equal(read, text);
    assert_true(g.score > -0.01f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_texts_are_read_in_any_form),
        cmocka_unit_test(form_decides_between_look_alikes),
        cmocka_unit_test(blue_band_is_no_character_of_a_form),
        cmocka_unit_test(same_character_twice_needs_its_blank),
        cmocka_unit_test(nothing_is_read_where_nothing_stands),
        cmocka_unit_test(country_is_named_only_when_no_other_fits),
        cmocka_unit_test(readings_are_fused_character_by_character),
        cmocka_unit_test(heavier_readings_and_the_commoner_length_win),
        cmocka_unit_test(best_five_are_kept),
        cmocka_unit_test(doubtful_reading_is_no_plate),
        cmocka_unit_test(votes_are_saved_and_loaded_and_hostile_ones_refused),
        cmocka_unit_test(manifest_is_checked_field_by_field),
        cmocka_unit_test(card_must_run_the_network_of_the_manifest),
        cmocka_unit_test(best_cell_becomes_a_box_of_the_picture),
        cmocka_unit_test(region_to_read_stays_on_the_grid_and_in_the_picture),
        cmocka_unit_test(int8_columns_are_read),
    };
    return cmocka_run_group_tests_name("plate_pipe", tests, NULL, NULL);
}
