/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/search/search.h"
#include "tests/support/test.h"

#define HOUR_MS 3600000LL

static struct vocab *vocab;
static char dir[] = "/tmp/search-XXXXXX";
static struct index_reader *reader;
static int64_t t0; /* 2026-11-20T14:00:00Z: begin of the recordings and of the case */
static struct camera cameras[3] = {
    {.number = 1, .id = "gare-01", .name = "Gare, parvis", .lat = 43.5536, .lon = 7.0174},
    {.number = 2, .id = "port-01", .name = "Port, quai nord", .lat = 43.5500, .lon = 7.0120},
    {.number = 3, .id = "hors-01", .name = "Ailleurs"},
};
static uint16_t allowed[2] = {1, 2};
static struct case_file open_case;

static void set(struct sighting *s, enum field f, const char *name, unsigned score, const char *second) {
    struct attribute *a = &s->attributes[s->n_attributes++];
    a->field = (uint8_t)f;
    const char *names[2] = {name, second};
    for (unsigned i = 0; i < 2 && names[i]; i++) {
        const struct vocab_value *v = vocab_by_name(vocab, f, names[i]);
        assert_non_null(v);
        a->value[i].id = v->id;
        a->value[i].score = (uint8_t)(i ? 100 - score : score);
        a->value[i].sure = score >= 70 && i == 0;
        a->n_values++;
    }
}

static struct sighting *sighting(uint64_t recording, uint16_t camera, const char *class, int64_t at_ms) {
    struct sighting *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->recording_id = recording;
    s->camera_number = camera;
    s->class_id = vocab_by_name(vocab, FIELD_CLASS, class)->id;
    s->confidence = 80;
    s->start_ms = at_ms;
    s->end_ms = at_ms + 5000;
    s->best_ms = at_ms + 2000;
    s->best_pts_us = (at_ms - t0) * 1000;
    s->best_box = (struct box_norm){16384, 16384, 32768, 49152};
    set(s, FIELD_CLASS, class, 90, NULL);
    return s;
}
static void store(struct index_writer *w, struct sighting *s) {
    assert_int_equal(index_sighting_add(w, s), OK);
    sighting_free(&s);
}

static void fill(struct index_writer *w) {
    struct recording r = {.camera_number = 1,
                          .start_ms = t0,
                          .duration_us = 3600000000LL,
                          .w_px = 768,
                          .h_px = 576,
                          .state = RECORDING_DONE,
                          .case_id = "2026-0001",
                          .path = "/footage/a.mp4"};
    memset(r.sha256, 'a', 64);
    assert_int_equal(index_recording_add(w, &r), OK);
    assert_int_equal(index_coverage_add(w, r.id, 1, t0, t0 + HOUR_MS, COVERAGE_INDEXED, ""), OK);
    assert_int_equal(index_coverage_add(w, r.id, 2, t0, t0 + HOUR_MS / 2, COVERAGE_INDEXED, ""), OK);
    assert_int_equal(
        index_coverage_add(w, r.id, 2, t0 + HOUR_MS / 2, t0 + HOUR_MS, COVERAGE_FAILED, "broken file"), OK);
    struct sighting *s = sighting(r.id, 1, "person", t0 + 60000); /* 1: red over black */
    set(s, FIELD_UPPER_COLOUR, "red", 90, NULL);
    set(s, FIELD_LOWER_COLOUR, "black", 80, NULL);
    store(w, s);
    s = sighting(r.id, 1, "person", t0 + 120000); /* 2: grey or blue over red */
    set(s, FIELD_UPPER_COLOUR, "grey", 55, "blue");
    set(s, FIELD_LOWER_COLOUR, "red", 75, NULL);
    store(w, s);
    s = sighting(r.id, 2, "person", t0 + 180000); /* 3: red or orange, backpack */
    set(s, FIELD_UPPER_COLOUR, "red", 60, "orange");
    set(s, FIELD_LOWER_COLOUR, "not_estimated", 1, NULL);
    set(s, FIELD_ACCESSORY, "bag.backpack", 70, NULL);
    store(w, s);
    s = sighting(r.id, 1, "car", t0 + 240000); /* 4: white car */
    set(s, FIELD_VEHICLE_COLOUR, "white", 85, NULL);
    store(w, s);
    s = sighting(r.id, 2, "truck", t0 + 300000); /* 5: white truck, with a plate */
    set(s, FIELD_VEHICLE_COLOUR, "white", 85, "silver");
    strcpy(s->plate.text, "AB123CD");
    s->plate.n_chars = 7;
    s->plate.confidence = 80;
    store(w, s);
    s = sighting(r.id, 1, "truck", t0 + 600000); /* 6: the same plate five minutes later at the station */
    strcpy(s->plate.text, "A8123CD");
    s->plate.n_chars = 7;
    store(w, s);
    s = sighting(r.id, 2, "truck", t0 + 606000); /* 7: and at the port one second after: not the same */
    strcpy(s->plate.text, "AB123CD");
    s->plate.n_chars = 7;
    set(s, FIELD_VEHICLE_COLOUR, "red", 90, NULL);
    s->path[0] = (struct path_point){t0 + 606000, {1000, 30000, 5000, 40000}};
    s->path[1] = (struct path_point){t0 + 611000, {50000, 30000, 54000, 40000}};
    s->n_path = 2;
    store(w, s);
    assert_int_equal(index_commit(w), OK);
}

static int open_all(void **state) {
    (void)state;
    struct index_writer *w;
    if (!mkdtemp(dir) || vocab_load("host/vocabulary.json", &vocab) != OK) return -1;
    if (clock_parse("2026-11-20T14:00:00Z", &t0) != OK || index_writer_open(dir, vocab, &w) != OK) return -1;
    fill(w);
    index_writer_close(&w);
    if (index_reader_open(dir, vocab, &reader) != OK) return -1;
    open_case = (struct case_file){.id = "2026-0001",
                                   .from_ms = t0,
                                   .to_ms = t0 + 2 * HOUR_MS,
                                   .cameras = allowed,
                                   .n_cameras = 2,
                                   .criteria = "all",
                                   .state = "open"};
    return 0;
}
static int close_all(void **state) {
    (void)state;
    char command[64];
    index_reader_close(&reader);
    vocab_free(&vocab);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct search_context context(const char *language) {
    return (struct search_context){.vocab = vocab,
                                   .reader = reader,
                                   .c = &open_case,
                                   .cameras = cameras,
                                   .n_cameras = 3,
                                   .now_ms = t0 + 24 * HOUR_MS,
                                   .tz = "Europe/Paris",
                                   .language = language};
}

static json_t *say(const char *sentence, enum err expected) {
    struct search_context ctx = context("fr");
    json_t *answer;
    enum err e = search_sentence(&ctx, sentence, 50, 0, &answer);
    if (e != expected) {
        char *text = json_dumps(answer, 0);
        print_error("\"%s\": %s\n", sentence, text ? text : "no answer");
        free(text);
    }
    assert_int_equal(e, expected);
    assert_non_null(answer);
    return answer;
}
static int64_t total_of(const char *sentence) {
    json_t *a = say(sentence, OK);
    int64_t total = json_integer_value(json_object_get(a, "total"));
    json_decref(a);
    return total;
}
static void assert_code(const char *sentence, enum err e, const char *code) {
    json_t *a = say(sentence, e);
    assert_string_equal(json_string_value(json_object_get(a, "code")), code);
    assert_non_null(json_object_get(a, "message"));
    json_decref(a);
}

static void a_red_top_is_found_with_its_passage(void **state) {
    (void)state;
    json_t *a = say("personne haut rouge", OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 2);
    const json_t *item = json_array_get(json_object_get(a, "items"), 1);
    assert_string_equal(json_string_value(json_object_get(item, "camera")), "gare-01");
    assert_string_equal(json_string_value(json_object_get(item, "class")), "person");
    assert_int_equal(json_integer_value(json_object_get(item, "from_ms")), t0 + 60000);
    assert_int_equal(json_integer_value(json_object_get(item, "to_ms")), t0 + 65000);
    const json_t *box = json_object_get(item, "box");
    assert_int_equal(json_integer_value(json_object_get(box, "x_px")), 192);
    assert_int_equal(json_integer_value(json_object_get(box, "h_px")), 288);
    const json_t *first = json_array_get(json_object_get(item, "attributes"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "field")), "upper_colour");
    assert_string_equal(json_string_value(json_object_get(first, "value")), "red");
    assert_int_equal(json_integer_value(json_object_get(first, "score")), 90);
    assert_true(json_is_number(json_object_get(a, "took_ms")));
    json_decref(a);
}

static void counts_follow_the_sentence(void **state) {
    (void)state;
    assert_int_equal(total_of("personne"), 3);
    assert_int_equal(total_of("haut gris ou orange"), 2);
    assert_int_equal(total_of("haut uniquement rouge"), 1);
    assert_int_equal(total_of("haut sûrement rouge"), 2 - 1);
    assert_int_equal(total_of("personne en rouge"), 3);
    assert_int_equal(total_of("pantalon rouge"), 1);
    assert_int_equal(total_of("personne haut pas rouge"), 2); /* what only may be red stays */
    assert_int_equal(total_of("personne peut-être un sac à dos"), 3);
    assert_int_equal(total_of("personne sac à dos"), 1);
    assert_int_equal(total_of("fourgon blanc"), 2);
    assert_int_equal(total_of("camion blanc"), 1);
    assert_int_equal(total_of("white car"), 1);
    assert_int_equal(total_of("véhicule"), 4);
}

static void coverage_tells_what_was_not_searched_and_why(void **state) {
    (void)state;
    json_t *a = say("personne", OK);
    const json_t *c = json_object_get(a, "coverage"), *gaps = json_object_get(c, "gaps");
    assert_float_equal(json_number_value(json_object_get(c, "camera_h")), 4.0, 1e-9);
    assert_float_equal(json_number_value(json_object_get(c, "searched_h")), 1.5, 1e-9);
    assert_int_equal(json_array_size(gaps), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(gaps, 0), "state")), "absent");
    assert_string_equal(json_string_value(json_object_get(json_array_get(gaps, 1), "state")), "failed");
    assert_string_equal(json_string_value(json_object_get(json_array_get(gaps, 1), "reason")), "broken file");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(gaps, 1), "from_ms")),
                     t0 + HOUR_MS / 2);
    json_decref(a);
}

static void refused_words_are_refused_and_named(void **state) {
    (void)state;
    json_t *a = say("homme haut rouge", ERR_DENIED);
    assert_string_equal(json_string_value(json_object_get(a, "code")), "refused_word");
    assert_string_equal(json_string_value(json_object_get(json_object_get(a, "params"), "reason")), "sex");
    assert_string_equal(json_string_value(json_array_get(json_object_get(a, "refused"), 0)), "homme");
    assert_string_equal(json_string_value(json_object_get(a, "message")),
                        "« homme » : le sexe ou le genre. La loi interdit cette recherche.");
    json_decref(a);
    a = say("personne noire", ERR_DENIED);
    assert_string_equal(
        json_string_value(json_object_get(a, "message")),
        "« noire » : la couleur de la peau. La loi interdit cette recherche. Pour le vêtement, "
        "dites « haut noir » ou « en noir ».");
    json_decref(a);
    a = say("taxi", ERR_USAGE); /* known, but not measured yet */
    assert_string_equal(json_string_value(json_object_get(a, "code")), "not_understood");
    assert_non_null(strstr(json_string_value(json_object_get(a, "message")), "ne peut encore"));
    json_decref(a);
    assert_code("licorne", ERR_USAGE, "not_understood");
}

static void a_criterion_outside_the_case_is_refused(void **state) {
    (void)state;
    strcpy(open_case.criteria, "person.bottoms");
    assert_code("haut rouge", ERR_DENIED, "criterion_not_allowed");
    assert_code("voiture", ERR_DENIED, "criterion_not_allowed");
    assert_int_equal(total_of("pantalon noir"), 1);
    assert_int_equal(total_of("personne en rouge"), 1); /* narrowed to what is allowed */
    json_t *a = say("personne", OK);
    const json_t *item = json_array_get(json_object_get(a, "items"), 2);
    assert_int_equal(json_array_size(json_object_get(item, "attributes")),
                     1); /* the upper colour is not shown */
    json_decref(a);
    strcpy(open_case.criteria, "all");
}

static enum err ask(json_t *body, json_t **answer) {
    struct search_context ctx = context("en");
    enum err e = search_json(&ctx, body, answer);
    json_decref(body);
    return e;
}

static void a_body_narrows_what_the_sentence_asks(void **state) {
    (void)state;
    json_t *a;
    assert_int_equal(ask(json_pack("{s:i}", "limit", 2), &a), OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 7);
    assert_int_equal(json_array_size(json_object_get(a, "items")), 2);
    assert_int_equal(json_integer_value(json_object_get(a, "next_offset")), 2);
    json_decref(a);
    assert_int_equal(
        ask(json_pack("{s:s,s:{s:[s]}}", "sentence", "red top", "cameras", "ids", "port-01"), &a), OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 1);
    json_decref(a);
    assert_int_equal(ask(json_pack("{s:{s:I,s:I}}", "time", "from_ms", (json_int_t)(t0 + 100000), "to_ms",
                                   (json_int_t)(t0 + 200000)),
                         &a),
                     OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 2);
    json_decref(a);
    assert_int_equal(
        ask(json_pack("{s:[{s:s,s:[s,s]}]}", "where", "field", "upper_colour", "any", "grey", "orange"), &a),
        OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 2);
    json_decref(a);
}

static void a_body_with_anything_odd_is_refused(void **state) {
    (void)state;
    static const char *const odd[] = {
        "{\"limit\":0}",
        "{\"limit\":201}",
        "{\"limit\":\"2\"}",
        "{\"offset\":-1}",
        "{\"sort\":\"name\"}",
        "{\"sentence\":3}",
        "{\"who\":1}",
        "{\"time\":[]}",
        "{\"time\":{\"from\":1}}",
        "{\"cameras\":{\"ids\":[]}}",
        "{\"where\":{}}",
        "{\"where\":[{}]}",
        "{\"where\":[{\"field\":\"gender\",\"any\":[\"x\"]}]}",
        "{\"where\":[{\"field\":\"upper_colour\",\"any\":[\"x\"]}]}",
        "{\"where\":[{\"field\":\"upper_colour\",\"any\":[\"red\"],\"not\":1}]}",
        "[]",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        json_t *a;
        assert_int_equal(ask(json_loads(odd[i], 0, NULL), &a), ERR_USAGE);
        assert_string_equal(json_string_value(json_object_get(a, "code")), "bad_request");
        json_decref(a);
    }
    json_t *a;
    assert_int_equal(ask(json_pack("{s:{s:[s]}}", "cameras", "ids", "hors-01"), &a), ERR_USAGE);
    assert_string_equal(json_string_value(json_object_get(a, "code")), "outside_cameras");
    json_decref(a);
    assert_int_equal(ask(json_pack("{s:{s:i}}", "time", "to_ms", 1000), &a), ERR_USAGE);
    assert_string_equal(json_string_value(json_object_get(a, "code")), "outside_period");
    json_decref(a);
}

static void the_sentence_narrows_to_time_and_camera(void **state) {
    (void)state;
    assert_int_equal(total_of("20/11 15h-15h02"), 1); /* 14:00 UTC is 15:00 in Paris */
    assert_int_equal(total_of("port"), 3);
    assert_int_equal(total_of("plus de 1 min"), 0);
    assert_code("21/11", ERR_USAGE, "outside_period");
    assert_code("hors-01", ERR_USAGE, "outside_cameras");
    json_t *a = say("port", OK);
    const json_t *c = json_object_get(a, "coverage");
    assert_float_equal(json_number_value(json_object_get(c, "camera_h")), 2.0, 1e-9);
    json_decref(a);
    a = say("15h-15h30", OK);
    c = json_object_get(a, "coverage");
    assert_float_equal(json_number_value(json_object_get(c, "camera_h")), 1.0, 1e-9);
    assert_float_equal(json_number_value(json_object_get(c, "searched_h")), 1.0, 1e-9);
    assert_int_equal(json_array_size(json_object_get(c, "gaps")), 0);
    json_decref(a);
}

static void plates_need_their_own_switch(void **state) {
    (void)state;
    assert_code("AB-123-CD", ERR_DENIED, "criterion_not_allowed");
    json_t *a = say("camion blanc", OK);
    assert_null(json_object_get(json_array_get(json_object_get(a, "items"), 0), "plate"));
    json_decref(a);
    strcpy(open_case.criteria, "all,vehicle.plate");
    assert_int_equal(total_of("AB-123-CD"), 3);
    assert_int_equal(total_of("A8-1Z3-CD"), 3); /* look-alikes */
    assert_int_equal(total_of("plaque exacte A8-1Z3-CD"), 0);
    assert_int_equal(total_of("*3CD"), 3);
    assert_int_equal(total_of("1?3"), 3);
    a = say("camion blanc", OK);
    const json_t *plate = json_object_get(json_array_get(json_object_get(a, "items"), 0), "plate");
    assert_string_equal(json_string_value(json_object_get(plate, "text")), "AB123CD");
    json_decref(a);
    strcpy(open_case.criteria, "all");
}

static void an_answer_prints_for_people(void **state) {
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    json_t *a = say("personne licorne haut rouge", OK);
    search_print(f, a);
    json_decref(a);
    a = say("homme", ERR_DENIED);
    search_print(f, a);
    json_decref(a);
    a = say("haut rouge pantalon vert port", OK);
    search_print(f, a);
    json_decref(a);
    fclose(f);
    assert_non_null(strstr(text, "2 passages in "));
    assert_non_null(strstr(text, "Not understood: licorne"));
    assert_non_null(strstr(text, "Searched 1.50 of 4.00 camera-hours; missing:"));
    assert_non_null(
        strstr(text, "2026-11-20 15:01:00.00    5.0 s  gare-01      personne, upper_colour rouge 90%"));
    assert_non_null(strstr(text, "Refused: homme"));
    assert_non_null(
        strstr(text, "lower_colour: 0 more fit but for an undecided value, 1 were not estimated"));
    assert_non_null(strstr(text, "Without lower_colour vert: 1"));
    free(text);
}

static json_t *ask_text(const char *body, enum err expected) {
    json_t *a;
    assert_int_equal(ask(json_loads(body, 0, NULL), &a), expected);
    assert_non_null(a);
    return a;
}
static int64_t total_asked(const char *body) {
    json_t *a = ask_text(body, OK);
    int64_t total = json_integer_value(json_object_get(a, "total"));
    json_decref(a);
    return total;
}

static void motion_duration_and_hours_come_from_the_body(void **state) {
    (void)state;
    assert_int_equal(total_asked("{\"direction\":\"right\"}"), 1);
    assert_int_equal(total_asked("{\"direction\":\"left\"}"), 0);
    assert_int_equal(
        total_asked("{\"area\":{\"camera_id\":\"port-01\",\"points\":[[0.4,0.5],[0.6,0.5],[0.5,0.7]]}}"), 1);
    assert_int_equal(
        total_asked("{\"area\":{\"camera_id\":\"port-01\",\"points\":[[0.4,0.1],[0.6,0.1],[0.5,0.2]]}}"), 0);
    assert_int_equal(total_asked("{\"duration\":{\"min_ms\":5000}}"), 7);
    assert_int_equal(total_asked("{\"duration\":{\"max_ms\":4999}}"), 0);
    assert_int_equal(total_asked("{\"time\":{\"daily\":{\"from\":\"15:00\",\"to\":\"15:02\"}}}"), 1);
    assert_int_equal(total_asked("{\"time\":{\"daily\":{\"from\":\"23:00\",\"to\":\"15:02\"}}}"), 1);
    json_decref(ask_text("{\"time\":{\"daily\":{\"from\":\"20:00\",\"to\":\"21:00\"}}}", ERR_USAGE));
}

static void facets_count_within_the_question_and_can_be_left_out(void **state) {
    (void)state;
    json_t *a = say("personne", OK);
    const json_t *facets = json_object_get(a, "facets"), *upper = json_object_get(facets, "upper_colour");
    assert_int_equal(json_integer_value(json_object_get(upper, "red")), 2);
    assert_int_equal(json_integer_value(json_object_get(upper, "blue")), 1);
    assert_null(json_object_get(facets, "vehicle_colour"));
    json_decref(a);
    a = ask_text("{\"facets\":false}", OK);
    assert_null(json_object_get(a, "facets"));
    json_decref(a);
}

static void the_undecided_are_counted_beside_the_answer(void **state) {
    (void)state;
    json_t *a = say("personne pantalon noir", OK);
    const json_t *one = json_array_get(json_object_get(a, "undecided"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "field")), "lower_colour");
    assert_int_equal(json_integer_value(json_object_get(one, "not_estimated")), 1);
    assert_int_equal(json_integer_value(json_object_get(one, "unknown")), 0);
    json_decref(a);
}

static void an_empty_answer_says_which_criterion_is_to_blame(void **state) {
    (void)state;
    json_t *a = say("haut rouge pantalon vert port", OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 0);
    const json_t *without = json_object_get(a, "without");
    assert_int_equal(json_array_size(without), 1);
    const json_t *one = json_array_get(without, 0);
    assert_string_equal(json_string_value(json_object_get(one, "field")), "lower_colour");
    assert_int_equal(json_integer_value(json_object_get(one, "total")), 1);
    json_decref(a);
    a = say("haut rouge", OK);
    assert_null(json_object_get(a, "without"));
    json_decref(a);
}

static const char *first_id(const char *sentence, json_t **keep) {
    *keep = say(sentence, OK);
    return json_string_value(json_object_get(json_array_get(json_object_get(*keep, "items"), 0), "id"));
}

static void a_route_follows_the_plate_and_flags_impossible_legs(void **state) {
    (void)state;
    json_t *keep, *a;
    struct search_context ctx = context("fr");
    strcpy(open_case.criteria, "all,vehicle.plate");
    json_t *body = json_pack("{s:s}", "seed_sighting_id", first_id("camion blanc", &keep));
    assert_int_equal(search_route(&ctx, body, &a), OK);
    const json_t *hops = json_object_get(a, "hops"), *hop = json_array_get(hops, 1);
    assert_int_equal(json_array_size(hops), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(hops, 0), "link")), "seed");
    assert_string_equal(json_string_value(json_object_get(hop, "link")), "plate_alike");
    assert_true(json_number_value(json_object_get(hop, "km")) > 0.4 &&
                json_number_value(json_object_get(hop, "km")) < 0.8);
    assert_null(json_object_get(hop, "flag"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(hops, 2), "flag")), "too_fast");
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    search_route_print(f, a);
    fclose(f);
    assert_non_null(strstr(text, "plate_alike, 0."));
    assert_non_null(strstr(text, "! too_fast"));
    free(text);
    json_decref(a);
    strcpy(open_case.criteria, "all");
    assert_int_equal(search_route(&ctx, body, &a), OK); /* no plate: only by look, at the next camera */
    assert_int_equal(json_array_size(json_object_get(a, "hops")), 0);
    const json_t *next = json_array_get(json_object_get(a, "next"), 0);
    assert_string_equal(json_string_value(json_object_get(next, "camera_id")), "gare-01");
    json_decref(a);
    json_decref(body);
    json_decref(keep);
}

static void nobody_is_followed(void **state) {
    (void)state;
    json_t *keep, *a;
    struct search_context ctx = context("fr");
    json_t *body = json_pack("{s:s}", "seed_sighting_id", first_id("personne", &keep));
    assert_int_equal(search_route(&ctx, body, &a), ERR_DENIED);
    assert_string_equal(json_string_value(json_object_get(a, "code")), "vehicles_only");
    json_decref(a);
    json_decref(body);
    json_decref(keep);
    body = json_pack("{s:i}", "seed_sighting_id", 5);
    assert_int_equal(search_route(&ctx, body, &a), ERR_MISSING);
    json_decref(a);
    json_decref(body);
}

static json_t *pairs(const char *text, enum err expected) {
    json_t *a, *body = json_loads(text, 0, NULL);
    struct search_context ctx = context("fr");
    assert_non_null(body);
    assert_int_equal(search_pairs(&ctx, body, &a), expected);
    json_decref(body);
    assert_non_null(a);
    return a;
}
static void pairs_refused(const char *text, enum err expected, const char *code) {
    json_t *a = pairs(text, expected);
    assert_string_equal(json_string_value(json_object_get(a, "code")), code);
    json_decref(a);
}

static void the_same_plate_here_and_then_there_is_a_pair(void **state) {
    (void)state;
    static const char *const once[] = {
        "{\"from_camera_id\": \"port-01\", \"plate\": \"ab-123-cd\"}",
        "{\"from_camera_id\": \"port-01\", \"to_camera_id\": \"gare-01\"}",
        "{\"from_camera_id\": \"port-01\", \"within_s\": 301, \"limit\": 1}",
    };
    pairs_refused("{\"from_camera_id\": \"port-01\"}", ERR_DENIED, "criterion_not_allowed");
    strcpy(open_case.criteria, "all,vehicle.plate");
    /* Only sightings 5 and 7 have the very same text, both at the port: no pair. */
    for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
        json_t *a = pairs(once[i], OK);
        assert_int_equal(json_integer_value(json_object_get(a, "total")), 0);
        json_decref(a);
    }
    struct index_writer *w;
    assert_int_equal(index_writer_open(dir, vocab, &w), OK);
    struct sighting *s = sighting(1, 1, "truck", t0 + 600500); /* 8: 300.5 s after 5, read right this time */
    strcpy(s->plate.text, "AB123CD");
    s->plate.n_chars = 7;
    store(w, s);
    assert_int_equal(index_commit(w), OK);
    index_writer_close(&w);
    for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
        json_t *a = pairs(once[i], OK);
        const json_t *pair = json_array_get(json_object_get(a, "pairs"), 0);
        assert_int_equal(json_integer_value(json_object_get(a, "total")), 1);
        assert_true(json_number_value(json_object_get(pair, "seconds")) == 300.5);
        assert_string_equal(json_string_value(json_object_get(json_object_get(pair, "from"), "camera")),
                            "port-01");
        assert_string_equal(json_string_value(json_object_get(json_object_get(pair, "to"), "camera")),
                            "gare-01");
        char *text = NULL;
        size_t n = 0;
        FILE *f = open_memstream(&text, &n);
        assert_non_null(f);
        search_pairs_print(f, a);
        fclose(f);
        assert_non_null(strstr(text, "300.5 s later"));
        free(text);
        json_decref(a);
    }
    json_t *a = pairs("{\"from_camera_id\": \"port-01\", \"within_s\": 300}", OK);
    assert_int_equal(json_integer_value(json_object_get(a, "total")), 0);
    json_decref(a);
    pairs_refused("{\"from_camera_id\": \"hors-01\"}", ERR_USAGE, "outside_cameras");
    pairs_refused("{\"from_camera_id\": \"port-01\", \"to_camera_id\": \"port-01\"}", ERR_USAGE,
                  "bad_request");
    pairs_refused("{\"from_camera_id\": \"port-01\", \"plate\": \"AB1?*\"}", ERR_USAGE, "bad_request");
    pairs_refused("{\"from_camera_id\": \"port-01\", \"colour\": \"red\"}", ERR_USAGE, "bad_request");
    pairs_refused("{\"from_camera_id\": \"port-01\", \"time\": {\"from_ms\": 1, \"to_ms\": 2}}", ERR_USAGE,
                  "outside_period");
    strcpy(open_case.criteria, "all");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_red_top_is_found_with_its_passage),
        cmocka_unit_test(counts_follow_the_sentence),
        cmocka_unit_test(coverage_tells_what_was_not_searched_and_why),
        cmocka_unit_test(refused_words_are_refused_and_named),
        cmocka_unit_test(a_criterion_outside_the_case_is_refused),
        cmocka_unit_test(a_body_narrows_what_the_sentence_asks),
        cmocka_unit_test(a_body_with_anything_odd_is_refused),
        cmocka_unit_test(the_sentence_narrows_to_time_and_camera),
        cmocka_unit_test(plates_need_their_own_switch),
        cmocka_unit_test(an_answer_prints_for_people),
        cmocka_unit_test(motion_duration_and_hours_come_from_the_body),
        cmocka_unit_test(facets_count_within_the_question_and_can_be_left_out),
        cmocka_unit_test(the_undecided_are_counted_beside_the_answer),
        cmocka_unit_test(an_empty_answer_says_which_criterion_is_to_blame),
        cmocka_unit_test(a_route_follows_the_plate_and_flags_impossible_legs),
        cmocka_unit_test(nobody_is_followed),
        cmocka_unit_test(the_same_plate_here_and_then_there_is_a_pair), /* last: adds a passage */
    };
    return cmocka_run_group_tests_name("search", tests, open_all, close_all);
}
