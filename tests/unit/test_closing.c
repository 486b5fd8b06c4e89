/* SPDX-License-Identifier: Apache-2.0 */
/* The closing record and the certificate against tests/golden; made anew by RELECTURE_GOLDEN=write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/case/journal.h"
#include "host/case/seal.h"
#include "host/case/user.h"
#include "host/evidence/closing.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define START_MS 1795183200000 /* 2026-11-20T14:00:00Z */
#define VOCAB    "host/vocabulary.json"

static struct ctx {
    char dir[64];
    struct register_db *r;
    struct vocab *v;
    struct index_reader *reader;
    struct zone *zone;
    struct case_file c;
    struct closing_context closing;
    uint64_t sighting;
} c;

static struct accuracy_filter filters[] = {
    {.field = FIELD_VEHICLE_COLOUR, .enabled = true}, /* nobody asked for it */
    {.field = FIELD_UPPER_COLOUR,
     .enabled = true,
     .n_measures = 2,
     .measures = {
         {.metric = "top1", .set = "pets09-s2l1", .measured = 0.842, .low = 0.624, .high = 0.945, .n = 19},
         {.metric = "top2", .set = "pets09-s2l1", .measured = 0.9, .low = 0.9, .high = 0.9, .n = 19}}}};
static const struct accuracy measured = {.date = "2026-11-24", .n_filters = 2, .filters = filters};

static void journal(const char *user, const char *action, const char *detail) {
    uint64_t seq;
    const struct journal_entry e = {user, "operator", action, c.c.id, "", detail};
    assert_int_equal(journal_add(c.r, &e, &seq), OK);
}

static uint64_t fill_index(void) {
    struct index_writer *w;
    assert_int_equal(index_writer_open(c.dir, c.v, &w), OK);
    struct recording rec = {.camera_number = 1,
                            .path = "/footage/a.mp4",
                            .n_bytes = 9,
                            .start_ms = START_MS,
                            .duration_us = 600000000,
                            .w_px = 640,
                            .h_px = 480,
                            .state = RECORDING_DONE,
                            .codec = "h264",
                            .container = "mp4"};
    memset(rec.sha256, 'a', 64);
    snprintf(rec.case_id, sizeof rec.case_id, "%s", c.c.id);
    assert_int_equal(index_recording_add(w, &rec), OK);
    assert_int_equal(index_coverage_add(w, rec.id, 1, START_MS, START_MS + 600000, COVERAGE_INDEXED, ""), OK);
    struct sighting s = {.recording_id = rec.id,
                         .camera_number = 1,
                         .class_id = 3,
                         .confidence = 80,
                         .start_ms = START_MS + 5000,
                         .end_ms = START_MS + 9000,
                         .best_ms = START_MS + 6000,
                         .n_attributes = 1};
    s.attributes[0] = (struct attribute){.field = FIELD_CLASS, .n_values = 1, .value = {{3, 80, 1}}};
    assert_int_equal(index_sighting_add(w, &s), OK);
    assert_int_equal(index_commit(w), OK);
    index_writer_close(&w);
    return s.id;
}

static void decide(uint64_t sighting, const char *state, const char *reason) {
    struct decision d = {.sighting = sighting};
    snprintf(d.state, sizeof d.state, "%s", state);
    snprintf(d.reason, sizeof d.reason, "%s", reason);
    snprintf(d.by, sizeof d.by, "op.1");
    assert_int_equal(decision_put(c.r, c.c.id, &d), OK);
}

static int setup(void **state) {
    (void)state;
    if (!tmpdir_make(c.dir, sizeof c.dir)) return -1;
    clock_fake(START_MS + 3600000);
    if (register_open(c.dir, true, &c.r) != OK || vocab_load(VOCAB, &c.v) != OK ||
        zone_open("Europe/Paris", &c.zone) != OK)
        return -1;
    struct camera k = {
        .id = "gare-01", .name = "Gare, parvis", .heading_deg = -1, .fov_deg = -1, .clock_offset_ms = -1500};
    struct user u = {.login = "op.1",
                     .name = "Zoé Lœuf",
                     .habilitation = "Arrêté n° 12 <du 3 mars>",
                     .role = ROLE_OPERATOR,
                     .valid_from_ms = START_MS,
                     .valid_to_ms = START_MS + 86400000};
    uint16_t one[] = {1};
    c.c = (struct case_file){.requisition = "PV 2026/00812",
                             .authority = "OPJ Martin, commissariat",
                             .basis = "CPP 60-1",
                             .offence = "Vol",
                             .criteria = "person.tops,vehicle.color",
                             .from_ms = START_MS,
                             .to_ms = START_MS + 7200000,
                             .cameras = one,
                             .n_cameras = 1,
                             .opened_by = "chef.1"};
    if (camera_add(c.r, &k) != OK || user_add(c.r, &u, "Passage-nuit-12") != OK || case_open(c.r, &c.c) != OK)
        return -1;
    char id[40];
    snprintf(id, sizeof id, "%s", c.c.id);
    if (case_get(c.r, id, &c.c) != OK ||
        case_line_set(c.r, id, "person.tops", "« un homme en haut rouge »") != OK)
        return -1;
    c.sighting = fill_index();
    if (index_reader_open(c.dir, c.v, &c.reader) != OK) return -1;
    c.closing = (struct closing_context){.r = c.r,
                                         .reader = c.reader,
                                         .vocab = c.v,
                                         .zone = c.zone,
                                         .accuracy = &measured,
                                         .c = &c.c,
                                         .software = "0.1.0 sha256:0000",
                                         .models = "1111"};
    journal("op.1", "search",
            "{\"asked\":{\"sentence\":\"haut rouge & "
            "<bleu>\",\"limit\":50},\"tokens\":[{\"field\":\"upper_colour\"}],"
            "\"total\":7}");
    journal("op.1", "search.refused", "{\"asked\":{\"sentence\":\"un enfant\"},\"code\":\"refused_word\"}");
    journal("op.1", "view", "{}");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    index_reader_close(&c.reader);
    zone_free(&c.zone);
    vocab_free(&c.v);
    case_fini(&c.c);
    register_close(&c.r);
    clock_fake(0);
    tmpdir_remove(c.dir);
    return 0;
}

static void compare(const struct document *d, const char *golden) {
    struct bytes html = {0};
    char *wanted;
    size_t n;
    assert_int_equal(document_html(d, &html), OK);
    if (getenv("RELECTURE_GOLDEN")) assert_int_equal(fs_write_atomic(golden, html.data, html.len, 0644), OK);
    assert_int_equal(fs_read(golden, 1 << 20, &wanted, &n), OK);
    bytes_put(&html, "", 1);
    assert_string_equal((const char *)html.data, wanted);
    free(wanted);
    bytes_fini(&html);
}

static void certificate_of_a_case_without_a_hit_says_what_was_looked_at(void **state) {
    (void)state;
    struct document d;
    assert_int_equal(closing_certificate(&c.closing, &d), OK);
    compare(&d, "tests/golden/certificate.html");
    document_fini(&d);
}

static void fingerprint_of_the_index_follows_what_is_imported(void **state) {
    (void)state;
    char before[65], same[65], after[65];
    struct index_writer *w;
    struct recording rec = {
        .camera_number = 1, .path = "/footage/b.mp4", .start_ms = START_MS, .state = RECORDING_DONE};
    memset(rec.sha256, 'b', 64);
    snprintf(rec.case_id, sizeof rec.case_id, "other");
    assert_int_equal(index_fingerprint(c.reader, before), OK);
    assert_int_equal(index_fingerprint(c.reader, same), OK);
    assert_string_equal(before, same);
    assert_int_equal(index_writer_open(c.dir, c.v, &w), OK);
    assert_int_equal(index_recording_add(w, &rec), OK);
    assert_int_equal(index_commit(w), OK);
    assert_int_equal(index_fingerprint(c.reader, after), OK);
    assert_string_not_equal(before, after);
    struct purge_receipt gone;
    assert_int_equal(index_purge_case(w, "other", NULL, &gone), OK);
    index_writer_close(&w);
    assert_int_equal(index_fingerprint(c.reader, after), OK);
    assert_string_equal(before, after);
}

static void closing_record_is_the_golden_one(void **state) {
    (void)state;
    struct document d;
    decide(c.sighting, "confirmed", "");
    decide(c.sighting + 1, "rejected", "autre vêtement");
    struct exhibit x = {.sighting = c.sighting,
                        .recording = 1,
                        .camera = 1,
                        .from_ms = 1,
                        .to_ms = 2,
                        .best_ms = 1,
                        .by = "op.1"};
    snprintf(x.case_id, sizeof x.case_id, "%s", c.c.id);
    assert_int_equal(exhibit_add(c.r, &x), OK);
    struct seal s = {
        .handed_to = "OPJ Martin", .medium = "DVD", .by = "op.1", .exhibits = &x.id, .n_exhibits = 1};
    snprintf(s.case_id, sizeof s.case_id, "%s", c.c.id);
    assert_int_equal(seal_request(c.r, &s), OK);
    assert_int_equal(closing_record(&c.closing, &d), OK);
    compare(&d, "tests/golden/closing.html");
    document_fini(&d);
}

/* What a program that knows PDF reads in it. */
static void pdf_says_what_the_html_says(void **state) {
    (void)state;
    struct document d;
    struct bytes pdf = {0};
    char path[128], cmd[512], *text;
    size_t n;
    assert_int_equal(closing_record(&c.closing, &d), OK);
    assert_int_equal(document_pdf(&d, &pdf), OK);
    snprintf(path, sizeof path, "%s/a.pdf", c.dir);
    assert_int_equal(fs_write_atomic(path, pdf.data, pdf.len, 0600), OK);
    snprintf(cmd, sizeof cmd, "pdftotext -layout %s %s.txt 2>/dev/null", path, path);
    assert_int_equal(system(cmd), 0);
    snprintf(path, sizeof path, "%s/a.pdf.txt", c.dir);
    assert_int_equal(fs_read(path, 1 << 20, &text, &n), OK);
    static const char *const said[] = {"Procès-verbal de fin d'exploitation",
                                       "Zoé Lœuf",
                                       "PV 2026/00812",
                                       "haut rouge & <bleu>",
                                       "Passages écartés (1)",
                                       "autre vêtement",
                                       "Exactitude mesurée",
                                       "Versions et empreintes"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (!strstr(text, said[i])) fail_msg("the PDF lacks: %s\n%s", said[i], text);
    free(text);
    bytes_fini(&pdf);
    document_fini(&d);
}

static void long_tables_and_words_stay_on_their_pages(void **state) {
    (void)state;
    struct document d = {.language = "fr", .footer = "pied"};
    struct bytes pdf = {0};
    char path[128], cmd[512], word[2000];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = 0;
    static const char *const head[] = {"a", "b", "c"};
    document_say(&d, DOCUMENT_TITLE, "Long");
    document_say(&d, DOCUMENT_TEXT, "%s", word);
    document_row(&d, DOCUMENT_HEAD_ROW, head, 3);
    for (int i = 0; i < 300; i++) {
        const char *const cells[] = {"é", i == 150 ? word : "texte avec des espaces", ""};
        document_row(&d, DOCUMENT_ROW, cells, 3);
    }
    assert_int_equal(document_pdf(&d, &pdf), OK);
    snprintf(path, sizeof path, "%s/b.pdf", c.dir);
    assert_int_equal(fs_write_atomic(path, pdf.data, pdf.len, 0600), OK);
    snprintf(cmd, sizeof cmd, "test $(pdfinfo %s 2>/dev/null | sed -n 's/^Pages: *//p') -gt 6", path);
    assert_int_equal(system(cmd), 0);
    snprintf(cmd, sizeof cmd,
             "test $(pdftotext -layout %s - 2>/dev/null | grep -c 'texte avec des espaces') = 299", path);
    assert_int_equal(system(cmd), 0);
    bytes_fini(&pdf);
    document_fini(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_of_a_case_without_a_hit_says_what_was_looked_at),
        cmocka_unit_test(fingerprint_of_the_index_follows_what_is_imported),
        cmocka_unit_test(closing_record_is_the_golden_one),
        cmocka_unit_test(pdf_says_what_the_html_says),
        cmocka_unit_test(long_tables_and_words_stay_on_their_pages),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
