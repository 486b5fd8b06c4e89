/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a sentence: the answer is within its limits, inside the case, and the same the second time. */
#include <string.h>

#include "host/search/grammar.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sentence_case.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

static void check_tokens(const struct grammar_result *r, size_t n_text) {
    REQUIRE(r->n_tokens <= GRAMMAR_TOKENS_MAX && r->stop_token <= GRAMMAR_TOKENS_MAX);
    for (unsigned i = 0; i < r->n_tokens; i++) {
        const struct grammar_token *t = &r->tokens[i];
        REQUIRE((size_t)t->at + t->n_bytes <= n_text);
        REQUIRE(t->n_values <= VOCAB_VALUES_MAX && t->n_readings <= GRAMMAR_READINGS_MAX && t->note);
        REQUIRE(t->group < (int)r->query.n_groups);
        REQUIRE(memchr(t->value, 0, sizeof t->value) && memchr(t->field, 0, sizeof t->field));
    }
}

static void check_query(const struct query *q) {
    REQUIRE(q->n_groups <= QUERY_GROUPS_MAX && q->n_periods <= QUERY_PERIODS_MAX);
    for (unsigned i = 0; i < q->n_groups; i++) {
        REQUIRE(q->group[i].n_terms > 0 && q->group[i].n_terms <= QUERY_TERMS_MAX);
        for (unsigned k = 0; k < q->group[i].n_terms; k++)
            REQUIRE(vocab_by_id(fuzz_words()->vocab, (enum field)q->group[i].term[k].field,
                                q->group[i].term[k].id));
    }
    for (unsigned i = 0; i < q->n_periods; i++) {
        REQUIRE(q->period[i].from_ms >= CASE_FROM_MS && q->period[i].to_ms <= CASE_TO_MS);
        REQUIRE(q->period[i].from_ms < q->period[i].to_ms);
    }
    for (unsigned i = 0; i < q->n_cameras; i++) REQUIRE(q->cameras[i] >= 1 && q->cameras[i] <= CASE_ALLOWED);
    REQUIRE(memchr(q->plate, 0, sizeof q->plate));
    REQUIRE(q->plate_mode == QUERY_PLATE_NONE || q->plate[0]);
    REQUIRE(q->min_duration_ms >= 0 && q->max_duration_ms >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct grammar_result a, b;
    if (n < 1 || n > 4 * GRAMMAR_TEXT_MAX) return 0;
    char *text = malloc(n);
    REQUIRE(text);
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    struct grammar_input in = {.vocab = fuzz_words()->vocab,
                               .text = text,
                               .language = data[0] & 1 ? VOCAB_EN : VOCAB_FR,
                               .now_ms = CASE_TO_MS + (data[0] & 2 ? -INT64_C(86400000) : INT64_C(3600000)),
                               .zone = fuzz_words()->zone,
                               .from_ms = CASE_FROM_MS,
                               .to_ms = CASE_TO_MS,
                               .cameras = case_cameras,
                               .n_cameras = data[0] & 4 ? 0 : CASE_CAMERAS,
                               .allowed = case_allowed,
                               .n_allowed = CASE_ALLOWED};
    REQUIRE(grammar_parse(&in, &a) == OK && grammar_parse(&in, &b) == OK);
    check_tokens(&a, strlen(text));
    if (a.stop == GRAMMAR_GOES) check_query(&a.query);
    REQUIRE(a.query.n_cameras == b.query.n_cameras);
    REQUIRE(!a.query.n_cameras ||
            !memcmp(a.query.cameras, b.query.cameras, a.query.n_cameras * sizeof *a.query.cameras));
    grammar_fini(&a);
    grammar_fini(&b);
    a.query.cameras = b.query.cameras = NULL;
    REQUIRE(memcmp(&a, &b, sizeof a) == 0);
    free(text);
    return 0;
}

/* Words of the vocabulary, slips of them, numbers, signs and bytes, in any order. */
size_t fuzz_make_input(uint64_t seed, uint8_t *out, size_t cap) {
    static const char *const bits[] = {" ",         " ",          " ",
                                       ", ",        "-",          "'",
                                       "14h",       "16h30",      "2pm",
                                       "20/11",     "2026-11-02", "1er",
                                       "\xc2\xb1",  "20 min",     "4?8",
                                       "AB-123-CD", "*",          "gare-01",
                                       "c-0042",    "port",       "\xe2\x80\x99",
                                       "\xc3\xa9",  "\xff",       "\xf0\x9f\x9a\x97",
                                       "?",         "99",         ":",
                                       "+/-"};
    size_t n_words, n = 1;
    const struct vocab_word *words = vocab_words(fuzz_words()->vocab, &n_words);
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    out[0] = (uint8_t)(x >> 60);
    unsigned n_parts = 1 + (unsigned)(x >> 32) % 24;
    for (unsigned i = 0; i < n_parts; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        const char *part =
            x % 3 == 0 ? bits[(x >> 8) % (sizeof bits / sizeof *bits)] : words[(x >> 8) % n_words].text;
        size_t len = strlen(part);
        if (n + len + 2 > cap) break;
        memcpy(out + n, part, len);
        if (x % 11 == 0 && len > 3) out[n + (x >> 20) % len] = (uint8_t)('a' + (x >> 30) % 26);
        n += len;
        if (x % 5) out[n++] = ' ';
    }
    return n;
}
