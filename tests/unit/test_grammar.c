/* SPDX-License-Identifier: Apache-2.0 */
/* The shared vectors of tests/golden/sentences.json (the page reads the same file), and what no vector can
 * say. GRAMMAR_WRITE=FILE writes the vectors anew with what the grammar answers now; read every change before
 * keeping it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/base/clock.h"
#include "host/search/grammar.h"
#include "host/search/plate.h"
#include "tests/support/test.h"

#define CAMERAS_MAX 16u

static struct vocab *vocab;
static struct zone *zone;
static json_t *file;
static struct camera cameras[CAMERAS_MAX];
static uint16_t allowed[CAMERAS_MAX];
static unsigned n_cameras, n_allowed;

static int open_all(void **state) {
    (void)state;
    file = json_load_file("tests/golden/sentences.json", JSON_REJECT_DUPLICATES, NULL);
    if (!file || vocab_load("host/vocabulary.json", &vocab) != OK) return -1;
    if (zone_open(json_string_value(json_object_get(file, "tz")), &zone) != OK) return -1;
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(file, "cameras"), i, c) {
        cameras[i].number = (uint16_t)(i + 1);
        strcpy(cameras[i].id, json_string_value(json_object_get(c, "id")));
        strcpy(cameras[i].name, json_string_value(json_object_get(c, "name")));
        cameras[i].lat = json_number_value(json_object_get(c, "lat"));
        cameras[i].lon = json_number_value(json_object_get(c, "lon"));
        if (json_is_true(json_object_get(c, "allowed"))) allowed[n_allowed++] = cameras[i].number;
        n_cameras++;
    }
    return 0;
}
static int close_all(void **state) {
    (void)state;
    json_decref(file);
    zone_free(&zone);
    vocab_free(&vocab);
    return 0;
}

static int64_t moment(const json_t *v, const char *key) {
    const json_t *t = json_object_get(v, key);
    int64_t ms = 0;
    if (!t) t = json_object_get(file, key);
    assert_int_equal(clock_parse(json_string_value(t), &ms), OK);
    return ms;
}

static struct grammar_input input(const json_t *v) {
    const char *language = json_string_value(json_object_get(v, "language"));
    return (struct grammar_input){.vocab = vocab,
                                  .text = json_string_value(json_object_get(v, "text")),
                                  .language = strcmp(language, "en") == 0 ? VOCAB_EN : VOCAB_FR,
                                  .now_ms = moment(v, "now"),
                                  .zone = zone,
                                  .from_ms = moment(v, "from"),
                                  .to_ms = moment(v, "to"),
                                  .cameras = cameras,
                                  .n_cameras = n_cameras,
                                  .allowed = allowed,
                                  .n_allowed = n_allowed};
}

/* ---- the query and the tokens as lines of text ------------------------------------------------------- */

static json_t *group_line(const struct query_group *g) {
    char line[1024] = "";
    size_t n = 0;
    n += (size_t)snprintf(line + n, sizeof line - n, "%s%s%s%s", g->negated ? "not " : "",
                          g->sure && !g->negated ? "sure " : "", g->only ? "only " : "",
                          g->optional ? "maybe " : "");
    for (unsigned i = 0; i < g->n_terms; i++) {
        const struct vocab_value *v = vocab_by_id(vocab, (enum field)g->term[i].field, g->term[i].id);
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s:%s", i ? " | " : "", field_name(v->field),
                              v->name);
    }
    return json_string(line);
}

static json_t *query_lines(const struct query *q) {
    static const char *const modes[] = {"", "exact", "pattern", "fuzzy"};
    static const char *const ways[] = {"", "left", "right", "up", "down"};
    static const char *const orders[] = {"", "oldest", "best"};
    json_t *list = json_array();
    for (unsigned i = 0; i < q->n_groups; i++) json_array_append_new(list, group_line(&q->group[i]));
    for (unsigned i = 0; i < q->n_periods; i++) {
        char a[25], b[25];
        clock_format(q->period[i].from_ms, a);
        clock_format(q->period[i].to_ms, b);
        json_array_append_new(list, json_sprintf("time %.16sZ %.16sZ", a, b));
    }
    for (unsigned i = 0; i < q->n_cameras; i++)
        json_array_append_new(list, json_sprintf("camera %s", cameras[q->cameras[i] - 1].id));
    if (q->plate_mode)
        json_array_append_new(list,
                              json_sprintf("plate %s %u %s", modes[q->plate_mode], q->max_slips, q->plate));
    if (q->min_duration_ms)
        json_array_append_new(list, json_sprintf("duration >= %lld", (long long)q->min_duration_ms));
    if (q->max_duration_ms)
        json_array_append_new(list, json_sprintf("duration <= %lld", (long long)q->max_duration_ms));
    if (q->direction) json_array_append_new(list, json_sprintf("direction %s", ways[q->direction]));
    if (q->order) json_array_append_new(list, json_sprintf("order %s", orders[q->order]));
    return list;
}

static json_t *token_line(const char *text, const struct grammar_token *t) {
    char line[1024];
    size_t n = (size_t)snprintf(line, sizeof line, "%s \"%.*s\"%s%s%s%s%s", grammar_state_name(t->state),
                                (int)t->n_bytes, text + t->at, t->negated ? " not" : "",
                                t->only ? " only" : "", t->sure ? " sure" : "",
                                t->corrected ? " corrected" : "", t->clipped ? " clipped" : "");
    if (t->field[0]) n += (size_t)snprintf(line + n, sizeof line - n, " %s", t->field);
    if (t->value[0]) n += (size_t)snprintf(line + n, sizeof line - n, " %s", t->value);
    for (unsigned i = 0; i < t->n_values; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, " %s:%s", field_name(t->values[i]->field),
                              t->values[i]->name);
    if (t->note[0]) n += (size_t)snprintf(line + n, sizeof line - n, " (%s)", t->note);
    for (unsigned i = 0; i < t->n_readings; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, " ?%s",
                              t->readings[i].value ? t->readings[i].value->name : t->readings[i].text);
    return json_string(line);
}

static json_t *result_of(const json_t *v, struct grammar_result *r) {
    static const char *const stops[] = {"",        "refused",     "period",  "cameras",
                                        "nothing", "two_objects", "too_long"};
    struct grammar_input in = input(v);
    assert_int_equal(grammar_parse(&in, r), OK);
    json_t *out = json_object(), *tokens = json_array();
    for (unsigned i = 0; i < r->n_tokens; i++)
        json_array_append_new(tokens, token_line(in.text, &r->tokens[i]));
    if (r->stop)
        json_object_set_new(out, "stop", json_string(stops[r->stop]));
    else
        json_object_set_new(out, "query", query_lines(&r->query));
    json_object_set_new(out, "tokens", tokens);
    return out;
}

static void write_anew(const char *path) {
    size_t i;
    json_t *v;
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    json_t *head = json_copy(file);
    json_object_del(head, "vectors");
    char *text = json_dumps(head, JSON_INDENT(2) | JSON_ENSURE_ASCII * 0);
    fprintf(f, "%.*s,\n  \"vectors\": [", (int)(strlen(text) - 2), text);
    free(text);
    json_array_foreach(json_object_get(file, "vectors"), i, v) {
        struct grammar_result *r = calloc(1, sizeof *r);
        json_t *is = result_of(v, r);
        json_object_del(v, "stop");
        json_object_del(v, "query");
        json_object_update(v, is);
        text = json_dumps(v, JSON_COMPACT);
        fprintf(f, "%s\n    %s", i ? "," : "", text);
        free(text);
        json_decref(is);
        grammar_fini(r);
        free(r);
    }
    fputs("\n  ]\n}\n", f);
    json_decref(head);
    assert_int_equal(fclose(f), 0);
}

static void every_vector_gives_its_query_and_tokens(void **state) {
    (void)state;
    size_t i;
    unsigned n_wrong = 0;
    json_t *v;
    const char *path = getenv("GRAMMAR_WRITE");
    if (path) write_anew(path);
    assert_true(json_array_size(json_object_get(file, "vectors")) >= 150);
    json_array_foreach(json_object_get(file, "vectors"), i, v) {
        static const char *const keys[] = {"stop", "query", "tokens"};
        struct grammar_result *r = calloc(1, sizeof *r);
        assert_non_null(r);
        json_t *is = result_of(v, r);
        for (unsigned k = 0; k < 3; k++) {
            json_t *a = json_object_get(v, keys[k]), *b = json_object_get(is, keys[k]);
            if (json_equal(a, b) || (!a && !b)) continue;
            char *x = json_dumps(a, JSON_ENCODE_ANY), *y = json_dumps(b, JSON_ENCODE_ANY);
            print_error("\"%s\"\n  expected %s\n  got      %s\n",
                        json_string_value(json_object_get(v, "text")), x, y);
            free(x);
            free(y);
            n_wrong++;
        }
        json_decref(is);
        grammar_fini(r);
        free(r);
    }
    assert_int_equal(n_wrong, 0);
}

/* ---- every word of the vocabulary, by itself --------------------------------------------------------------
 */

static void parse_alone(const struct vocab_word *w, struct grammar_result *r) {
    struct grammar_input in = {.vocab = vocab,
                               .text = w->text,
                               .language = w->language,
                               .now_ms = moment(file, "now"),
                               .zone = zone,
                               .from_ms = moment(file, "from"),
                               .to_ms = moment(file, "to")};
    assert_int_equal(grammar_parse(&in, r), OK);
}

/* The cameras a sentence asks for when the site has saved two groups. */
static void asks_cameras(const char *text, const char *expected) {
    uint16_t north[] = {1, 3, 6}, quays[] = {2, 5};
    const struct camera_group groups[] = {{.id = 1, .name = "Secteur nord", .cameras = north, .n_cameras = 3},
                                          {.id = 2, .name = "Quais", .cameras = quays, .n_cameras = 2}};
    json_t *v = json_pack("{s:s,s:s}", "text", text, "language", "fr");
    struct grammar_input in = input(v);
    struct grammar_result r;
    char got[128] = "";
    in.groups = groups;
    in.n_groups = 2;
    assert_int_equal(grammar_parse(&in, &r), OK);
    for (unsigned i = 0; i < r.query.n_cameras; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u", i ? " " : "", r.query.cameras[i]);
    assert_string_equal(got, expected);
    grammar_fini(&r);
    json_decref(v);
}
static void a_saved_group_of_cameras_is_a_place(void **state) {
    (void)state;
    asks_cameras("voiture secteur nord", "1 3"); /* 6 is outside the case */
    asks_cameras("voiture blanche Secteur Nord 14h-16h", "1 3");
    asks_cameras("personne aux quais", "2 5");
    asks_cameras("personne secteur nord, quais", "1 2 3 5");
    asks_cameras("personne port-03", "3");
}

static void every_refused_word_stops_the_search_and_says_why(void **state) {
    (void)state;
    size_t n;
    unsigned n_refused = 0;
    const struct vocab_word *w = vocab_words(vocab, &n);
    struct grammar_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < n; i++) {
        if (w[i].sense != VOCAB_REFUSED) continue;
        parse_alone(&w[i], r);
        if (r->stop != GRAMMAR_STOP_REFUSED) print_error("\"%s\" is not refused\n", w[i].text);
        assert_int_equal(r->stop, GRAMMAR_STOP_REFUSED);
        assert_string_equal(r->tokens[r->stop_token].value, w[i].name);
        grammar_fini(r);
        n_refused++;
    }
    assert_true(n_refused > 500);
    free(r);
}

static void every_value_word_is_understood(void **state) {
    (void)state;
    size_t n;
    const struct vocab_word *w = vocab_words(vocab, &n);
    struct grammar_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < n; i++) {
        if (w[i].sense != VOCAB_VALUE) continue;
        parse_alone(&w[i], r);
        bool found = false;
        for (unsigned t = 0; t < r->n_tokens; t++) {
            assert_int_not_equal(r->tokens[t].state, GRAMMAR_UNKNOWN);
            assert_false(r->tokens[t].corrected);
            for (unsigned k = 0; k < r->tokens[t].n_values; k++)
                for (unsigned v = 0; v < w[i].n_values; v++)
                    found = found || r->tokens[t].values[k] == w[i].values[v];
            for (unsigned k = 0; k < r->tokens[t].n_readings; k++)
                found = found || r->tokens[t].readings[k].value == w[i].values[0];
        }
        if (!found) print_error("\"%s\" is not understood\n", w[i].text);
        assert_true(found);
        grammar_fini(r);
    }
    free(r);
}

static void a_slip_never_reaches_a_refused_word(void **state) {
    (void)state;
    static const char *const near[] = {"hommme", "fammille", "jeunne", "arabee", "vieuxx", "womann", "oldd"};
    struct grammar_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        struct vocab_word w = {.text = near[i], .language = VOCAB_FR};
        parse_alone(&w, r);
        assert_int_not_equal(r->stop, GRAMMAR_STOP_REFUSED);
        grammar_fini(r);
    }
    free(r);
}

static void a_text_too_long_or_with_too_many_wishes_is_told_so(void **state) {
    (void)state;
    char text[GRAMMAR_TEXT_MAX + 2];
    struct grammar_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct vocab_word w = {.text = text, .language = VOCAB_FR};
    parse_alone(&w, r);
    assert_int_equal(r->stop, GRAMMAR_STOP_TOO_LONG);
    grammar_fini(r);
    text[0] = '\0';
    for (unsigned i = 0; i < 20; i++) strcat(text, "haut rouge, bas bleu, ");
    parse_alone(&w, r);
    assert_int_equal(r->stop, GRAMMAR_STOP_TOO_LONG); /* more than 16 groups */
    grammar_fini(r);
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_its_query_and_tokens),
        cmocka_unit_test(a_saved_group_of_cameras_is_a_place),
        cmocka_unit_test(every_refused_word_stops_the_search_and_says_why),
        cmocka_unit_test(every_value_word_is_understood),
        cmocka_unit_test(a_slip_never_reaches_a_refused_word),
        cmocka_unit_test(a_text_too_long_or_with_too_many_wishes_is_told_so),
    };
    return cmocka_run_group_tests_name("grammar", tests, open_all, close_all);
}
