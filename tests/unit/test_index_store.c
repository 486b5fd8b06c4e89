/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer commits is what a reader finds: rows, positions, coverage, thumbnails, vectors. */
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/index/container.h"
#include "host/index/index.h"
#include "host/index/record.h"
#include "tests/support/index_fixture.h"
#include "tests/support/sightings_gen.h"
#include "tests/support/test.h"

static const uint16_t two_cameras[] = {3, 9};
static const struct perimeter everything = {.from_ms = 0,
                                            .to_ms = INT64_C(4102444800000),
                                            .cameras = two_cameras,
                                            .n_cameras = 2,
                                            .plates_allowed = true,
                                            .likeness_allowed = true};
#define T0 INT64_C(1795183200000) /* 2026-11-20T14:00:00Z */

static void fill(struct sighting *s, int64_t start_ms, uint16_t camera) {
    memset(s, 0, sizeof *s);
    s->recording_id = 1;
    s->camera_number = camera;
    s->class_id = 3;
    s->confidence = 77;
    s->start_ms = start_ms;
    s->end_ms = start_ms + 5300;
    s->best_ms = start_ms + 1200;
    s->best_pts_us = 1200345;
    s->best_box = (struct box_norm){100, 200, 30000, 65535};
    s->n_frames = 27;
    s->n_attributes = 2;
    s->attributes[0] = (struct attribute){.field = FIELD_CLASS, .n_values = 1, .value = {{3, 77, 1}}};
    s->attributes[1] = (struct attribute){
        .field = FIELD_UPPER_COLOUR, .n_values = 3, .value = {{9, 60, 1}, {1023, 30, 0}, {4, 9, 0}}};
    s->n_path = 2;
    s->path[0] = (struct path_point){start_ms, {0, 0, 100, 100}};
    s->path[1] = (struct path_point){start_ms + 5300, {65000, 65000, 65535, 65535}};
}

static void sighting_comes_back_as_it_was_given(void **state) {
    struct index_fixture *f = *state;
    struct sighting s, back;
    static uint8_t jpeg[3000];
    fill(&s, T0 + 1234, 3);
    memset(jpeg, 0xA7, sizeof jpeg);
    s.thumbnail_jpeg = jpeg;
    s.thumbnail_bytes = sizeof jpeg;
    s.has_likeness = 1;
    for (int i = 0; i < 128; i++) s.likeness[i] = (int8_t)(i - 64);
    s.plate = (struct plate_read){.n_chars = 7, .confidence = 80, .text = "AB123CD", .country = "F"};
    s.plate.chars[0].c[0] = 'A';
    s.plate.chars[0].score[0] = 90;
    s.plate.chars[0].c[1] = '4';
    s.plate.chars[0].score[1] = 9;
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_sighting_get(f->reader, &everything, s.id, &back), OK);
    assert_int_equal(s.id >> 24, T0 / 3600000);

    uint8_t *image = NULL;
    size_t n = 0;
    assert_int_equal(index_thumbnail_get(f->reader, &everything, s.id, &image, &n), OK);
    assert_int_equal(n, sizeof jpeg);
    assert_memory_equal(image, jpeg, n);
    free(image);
    s.thumbnail_jpeg = NULL;
    s.thumbnail_bytes = 0;
    assert_memory_equal(&s, &back, sizeof s);
}

static void sighting_outside_the_perimeter_is_missing(void **state) {
    struct index_fixture *f = *state;
    struct sighting s, back;
    uint8_t *image;
    size_t n;
    fill(&s, T0, 4);
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_sighting_get(f->reader, &everything, s.id, &back), ERR_MISSING);
    assert_int_equal(index_thumbnail_get(f->reader, &everything, s.id, &image, &n), ERR_MISSING);
    struct perimeter none = everything;
    none.n_cameras = 0;
    assert_int_equal(index_sighting_get(f->reader, &none, s.id, &back), ERR_DENIED);
}

static void plate_and_vector_stay_hidden_where_the_case_does_not_allow_them(void **state) {
    struct index_fixture *f = *state;
    struct sighting s, back;
    fill(&s, T0, 3);
    s.plate = (struct plate_read){.n_chars = 3, .text = "ABC"};
    s.has_likeness = 1;
    s.likeness[5] = 9;
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    struct perimeter p = everything;
    p.plates_allowed = p.likeness_allowed = false;
    assert_int_equal(index_sighting_get(f->reader, &p, s.id, &back), OK);
    assert_int_equal(back.plate.n_chars, 0);
    assert_string_equal(back.plate.text, "");
    assert_int_equal(back.likeness[5], 0);
    struct query q = {.limit = 10, .plate_mode = QUERY_PLATE_EXACT, .plate = "ABC"};
    struct index_result r;
    assert_int_equal(index_search(f->reader, &p, &q, 0, &r), ERR_DENIED);
    assert_int_equal(index_search(f->reader, NULL, &q, 0, &r), ERR_DENIED);
}

static void rolled_back_sightings_leave_nothing(void **state) {
    struct index_fixture *f = *state;
    struct sighting s, back;
    uint8_t jpeg[100] = {1};
    fill(&s, T0, 3);
    s.thumbnail_jpeg = jpeg;
    s.thumbnail_bytes = sizeof jpeg;
    s.plate = (struct plate_read){.n_chars = 3, .text = "ABC"};
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    uint64_t first = s.id;
    index_rollback(f->writer);
    assert_int_equal(index_sighting_get(f->reader, &everything, first, &back), ERR_MISSING);
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(s.id, first);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_sighting_get(f->reader, &everything, first, &back), OK);
    assert_string_equal(back.plate.text, "ABC");
}

static void recording_position_and_checkpoint_commit_with_the_sightings(void **state) {
    struct index_fixture *f = *state;
    struct recording r = {.camera_number = 3, .n_bytes = 99, .start_ms = T0, .position_us = -1}, back;
    memset(r.sha256, 'a', 64);
    snprintf(r.case_id, sizeof r.case_id, "2026-0001");
    assert_int_equal(index_recording_add(f->writer, &r), OK);
    assert_int_equal(index_commit(f->writer), OK);
    r.position_us = 5000000;
    r.state = RECORDING_RUNNING;
    assert_int_equal(index_recording_set(f->writer, &r), OK);
    uint8_t *scene = calloc(1, 300000);
    scene[299999] = 7;
    assert_int_equal(index_checkpoint_set(f->writer, r.id, 5000000, scene, 300000), OK);
    index_rollback(f->writer);
    int64_t at_us;
    void *saved;
    size_t n;
    assert_int_equal(index_recording_by_sha256(f->writer, r.sha256, 3, &back), OK);
    assert_int_equal(back.position_us, -1);
    assert_int_equal(index_checkpoint_get(f->writer, r.id, &at_us, &saved, &n), ERR_MISSING);
    assert_int_equal(index_recording_set(f->writer, &r), OK);
    assert_int_equal(index_checkpoint_set(f->writer, r.id, 5000000, scene, 300000), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_checkpoint_get(f->writer, r.id, &at_us, &saved, &n), OK);
    assert_int_equal(at_us, 5000000);
    assert_int_equal(n, 300000);
    assert_memory_equal(saved, scene, n);
    free(saved);
    free(scene);
    assert_int_equal(index_recording_get(f->reader, r.id, &back), OK);
    assert_memory_equal(&back, &r, sizeof r);
    struct recording *list;
    assert_int_equal(index_recordings(f->reader, "2026-0001", &list, &n), OK);
    assert_int_equal(n, 1);
    free(list);
    assert_int_equal(index_recordings(f->reader, "other", &list, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(index_checkpoint_set(f->writer, r.id, 0, NULL, 0), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_checkpoint_get(f->writer, r.id, &at_us, &saved, &n), ERR_MISSING);
}

static void the_recording_of_a_camera_at_a_moment(void **state) {
    struct index_fixture *f = *state;
    struct recording first = {.camera_number = 3, .start_ms = T0, .sha256 = "a"}, back;
    struct recording second = {.camera_number = 3, .start_ms = T0 + 10000, .sha256 = "b"};
    assert_int_equal(index_recording_add(f->writer, &first), OK);
    assert_int_equal(index_recording_add(f->writer, &second), OK);
    assert_int_equal(index_coverage_add(f->writer, first.id, 3, T0, T0 + 5000, COVERAGE_INDEXED, ""), OK);
    assert_int_equal(
        index_coverage_add(f->writer, second.id, 3, T0 + 10000, T0 + 15000, COVERAGE_INDEXED, ""), OK);
    assert_int_equal(index_commit(f->writer), OK);
    struct perimeter p = everything;
    assert_int_equal(index_recording_at(f->reader, &p, 3, T0 + 4999, &back), OK);
    assert_int_equal(back.id, first.id);
    assert_int_equal(index_recording_at(f->reader, &p, 3, T0 + 10000, &back), OK);
    assert_int_equal(back.id, second.id);
    assert_int_equal(index_recording_at(f->reader, &p, 3, T0 + 5000, &back), ERR_MISSING);
    assert_int_equal(index_recording_at(f->reader, &p, 9, T0, &back), ERR_MISSING);
    assert_int_equal(index_recording_at(f->reader, &p, 4, T0, &back), ERR_MISSING);
    p.from_ms = T0 + 4000;
    assert_int_equal(index_recording_at(f->reader, &p, 3, T0, &back), ERR_MISSING);
}

static void coverage_is_clipped_and_merged(void **state) {
    struct index_fixture *f = *state;
    struct coverage_span *spans;
    size_t n;
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            index_coverage_add(f->writer, 1, 3, T0 + i * 1000, T0 + (i + 1) * 1000, COVERAGE_INDEXED, ""),
            OK);
    assert_int_equal(
        index_coverage_add(f->writer, 1, 3, T0 + 10000, T0 + 11000, COVERAGE_FAILED, "decoder died"), OK);
    assert_int_equal(index_coverage_add(f->writer, 2, 9, T0, T0 + 500, COVERAGE_NIGHT, ""), OK);
    assert_int_equal(index_coverage_add(f->writer, 3, 4, T0, T0 + 500, COVERAGE_INDEXED, ""), OK);
    assert_int_equal(index_coverage_add(f->writer, 3, 4, T0, T0, COVERAGE_INDEXED, ""), ERR_USAGE);
    assert_int_equal(index_commit(f->writer), OK);
    struct perimeter p = everything;
    p.from_ms = T0 + 500;
    p.to_ms = T0 + 10500;
    assert_int_equal(index_coverage(f->reader, &p, &spans, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(spans[0].from_ms, T0 + 500);
    assert_int_equal(spans[0].to_ms, T0 + 10000);
    assert_int_equal(spans[1].to_ms, T0 + 10500);
    assert_string_equal(spans[1].reason, "decoder died");
    free(spans);
}

static void search_counts_pages_and_orders(void **state) {
    struct index_fixture *f = *state;
    struct sighting s;
    struct index_result r;
    for (int i = 0; i < 100; i++) {
        fill(&s, T0 + i * 60000, i % 3 == 0 ? 3 : i % 3 == 1 ? 9 : 4);
        if (i % 2) s.attributes[1].value[0].id = 8;
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    struct query q = {.n_groups = 1, .limit = 7, .offset = 2};
    q.group[0].n_terms = 1;
    q.group[0].term[0].field = FIELD_UPPER_COLOUR;
    q.group[0].term[0].id = 8;
    struct perimeter p = everything;
    p.to_ms = T0 + 86400000;
    p.from_ms = T0 - 86400000;
    assert_int_equal(index_search(f->reader, &p, &q, 0, &r), OK);
    unsigned expected = 0;
    for (int i = 0; i < 100; i++) expected += i % 2 == 1 && i % 3 != 2;
    assert_int_equal(r.total, expected);
    assert_int_equal(r.n_hits, 7);
    for (unsigned i = 1; i < r.n_hits; i++) assert_true(r.hits[i - 1].s.start_ms > r.hits[i].s.start_ms);
    uint64_t sum = 0;
    for (unsigned i = 0; i < r.n_histogram; i++) sum += r.histogram[i];
    assert_int_equal(sum, expected);
    assert_int_equal(r.histogram[(T0 - r.histogram_from_ms) / 3600000], 20);
    index_result_fini(&r);
    q.limit = 0;
    assert_int_equal(index_search(f->reader, &p, &q, 0, &r), ERR_USAGE);
}

static void second_writer_is_refused(void **state) {
    struct index_fixture *f = *state;
    struct index_writer *w;
    assert_int_equal(index_writer_open(f->dir, NULL, &w), ERR_BUSY);
    assert_null(w);
}

static void impossible_sighting_is_refused(void **state) {
    struct index_fixture *f = *state;
    struct sighting s;
    fill(&s, T0, 3);
    s.end_ms = s.start_ms - 1;
    assert_int_equal(index_sighting_add(f->writer, &s), ERR_USAGE);
    fill(&s, T0, 3);
    s.attributes[1].field = FIELD_CLASS;
    assert_int_equal(index_sighting_add(f->writer, &s), ERR_USAGE);
    fill(&s, T0, 3);
    s.n_path = SIGHTING_PATH_MAX + 1;
    assert_int_equal(index_sighting_add(f->writer, &s), ERR_USAGE);
}

static void record_cut_anywhere_is_corrupt(void **state) {
    (void)state;
    struct sighting s, back;
    struct bytes b = {0};
    fill(&s, T0, 3);
    s.plate = (struct plate_read){.n_chars = 3, .text = "ABC"};
    record_put_attributes(&b, &s);
    for (size_t n = 0; n < b.len; n++) {
        memset(&back, 0, sizeof back);
        assert_int_equal(record_get_attributes(b.data, n, &back), ERR_CORRUPT);
    }
    b.len = 0;
    record_put_path(&b, &s);
    for (size_t n = 0; n < b.len; n++) {
        memset(&back, 0, sizeof back);
        assert_int_equal(record_get_path(b.data, n, true, &back), ERR_CORRUPT);
    }
    bytes_fini(&b);
}

/* Under asan this shows that no decoder reads or writes outside, whatever the bytes. */
static void spoilt_records_and_bitmaps_never_do_harm(void **state) {
    (void)state;
    struct gen_random r = {17};
    struct sighting s, back;
    struct bytes b = {0};
    uint64_t words[CONTAINER_WORDS];
    unsigned refused = 0;
    for (unsigned round = 0; round < 20000; round++) {
        bool path = round % 2;
        fill(&s, T0, 3);
        s.plate = (struct plate_read){.n_chars = 3, .text = "ABC"};
        b.len = 0;
        if (path)
            record_put_path(&b, &s);
        else
            record_put_attributes(&b, &s);
        for (unsigned n = 1 + gen_below(&r, 4); n > 0; n--)
            b.data[gen_below(&r, (uint32_t)b.len)] = (uint8_t)gen_u64(&r);
        size_t n = gen_below(&r, 3) ? b.len : gen_below(&r, (uint32_t)b.len + 1);
        uint8_t *exact = malloc(n ? n : 1); /* of exactly this size, so that one byte too far is seen */
        assert_non_null(exact);
        if (n) memcpy(exact, b.data, n);
        memset(&back, 0, sizeof back);
        back.start_ms = T0;
        refused +=
            (path ? record_get_path(exact, n, true, &back) : record_get_attributes(exact, n, &back)) != OK;
        unsigned slots = 1 + gen_below(&r, 65536);
        struct container c = {.kind = (enum container_kind)gen_below(&r, 3), .bytes = exact, .n_bytes = n};
        if (container_check(&c, slots) == OK) {
            memset(words, 0, sizeof words);
            container_or(bits_best(), words, &c);
            container_and(bits_best(), words, BITS_WORDS(slots), &c);
            container_and_not(bits_plain(), words, &c);
            for (unsigned w = 0; w < CONTAINER_WORDS; w++) assert_int_equal(words[w], 0);
        }
        free(exact);
    }
    assert_true(refused > 1000);
    bytes_fini(&b);
}

static size_t unhex(const char *text, uint8_t *out) {
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return n;
}

static void records_of_version_1_are_still_read(void **state) {
    (void)state;
    uint8_t attributes[64], path[64];
    size_t n_attributes =
        unhex("03B9DA044104B94203C48307D50425C476D4B0010AC60115075D4600000000000000000000", attributes);
    size_t n_path = unhex("50DE09ECCBE8F3057CB0F03EA7BDF75902000000000000ECE4020080A80200", path);
    struct sighting s = {.start_ms = T0, .end_ms = T0 + 6775, .class_id = 4, .confidence = 57};
    assert_false(record_is_packed(attributes, n_attributes));
    assert_int_equal(record_get_attributes(attributes, n_attributes, &s), OK);
    assert_int_equal(s.n_attributes, 4);
    assert_int_equal(s.attributes[3].field, FIELD_MAKE_MODEL);
    assert_int_equal(s.attributes[3].n_values, 3);
    assert_int_equal(s.attributes[3].value[2].id, 198);
    assert_int_equal(s.attributes[3].value[2].score, 21);
    assert_int_equal(s.plate.n_chars, 7);
    assert_string_equal(s.plate.country, "F");
    assert_int_equal(record_get_path(path, n_path, false, &s), OK);
    assert_int_equal(s.n_frames, 80);
    assert_int_equal(s.best_ms, T0 + 623);
    assert_int_equal(s.best_box.x0, 45180);
    assert_int_equal(s.n_path, 2);
    assert_int_equal(s.path[1].at_ms, T0 + 6775);
    for (size_t n = 0; n < n_attributes; n++)
        assert_int_equal(record_get_attributes(attributes, n, &s), ERR_CORRUPT);
    for (size_t n = 0; n < n_path; n++) assert_int_equal(record_get_path(path, n, false, &s), ERR_CORRUPT);
}

static int64_t far(struct gen_random *r, unsigned round, int64_t most) {
    int64_t v = (int64_t)(gen_u64(r) >> (1 + round % 40)) % (most + 1);
    return gen_below(r, 2) ? v : -v;
}
static struct box_norm any_box(struct gen_random *r, const struct box_norm *like) {
    if (like && gen_below(r, 3) == 0) return *like;
    return (struct box_norm){(uint16_t)gen_u64(r), (uint16_t)gen_u64(r), (uint16_t)gen_u64(r),
                             (uint16_t)gen_u64(r)};
}

/* Whatever a sighting holds comes back, corners of boxes on their grid. */
static void any_sighting_comes_back_from_its_record(void **state) {
    (void)state;
    struct gen_random r = {23};
    struct bytes a = {0}, p = {0};
    for (unsigned round = 0; round < 5000; round++) {
        struct sighting s, back;
        memset(&s, 0, sizeof s);
        s.start_ms = T0;
        s.end_ms = T0 + llabs(far(&r, round, INT64_C(1) << 40));
        s.class_id = (uint16_t)(1 + gen_below(&r, VOCAB_MAX));
        s.confidence = (uint8_t)gen_below(&r, 101);
        s.n_frames = (uint32_t)(gen_u64(&r) >> (32 + round % 32));
        s.best_ms = T0 + far(&r, round, INT64_C(1) << 41);
        s.best_pts_us = far(&r, round, INT64_C(1) << 50);
        s.best_box = any_box(&r, NULL);
        s.n_attributes = gen_below(&r, SIGHTING_ATTRIBUTES_MAX + 1);
        for (unsigned i = 0; i < s.n_attributes; i++) {
            s.attributes[i].field = (uint8_t)(1 + gen_below(&r, FIELD_COUNT - 1));
            s.attributes[i].n_values = (uint8_t)gen_below(&r, 4);
            for (unsigned k = 0; k < s.attributes[i].n_values; k++) {
                s.attributes[i].value[k].id = (uint16_t)(1 + gen_below(&r, round % 2 ? VOCAB_MAX : 20));
                s.attributes[i].value[k].score = (uint8_t)gen_below(&r, 101);
                s.attributes[i].value[k].sure = (uint8_t)gen_below(&r, 2);
            }
        }
        if (round % 3 == 0 && s.n_attributes) {
            memset(&s.attributes[0], 0, sizeof s.attributes[0]);
            s.attributes[0].field = FIELD_CLASS;
            s.attributes[0].n_values = 1;
            s.attributes[0].value[0].id = s.class_id;
            s.attributes[0].value[0].score = s.confidence;
            s.attributes[0].value[0].sure = round % 2;
        }
        s.n_path = gen_below(&r, SIGHTING_PATH_MAX + 1);
        for (unsigned i = 0; i < s.n_path; i++) {
            s.path[i].at_ms = T0 + far(&r, round, INT64_C(1) << 40);
            s.path[i].box = any_box(&r, i ? &s.path[i - 1].box : &s.best_box);
        }
        if (round % 2) {
            s.plate.n_chars = (uint8_t)(1 + gen_below(&r, SIGHTING_PLATE_MAX));
            s.plate.confidence = (uint8_t)gen_u64(&r);
            memcpy(s.plate.country, "FRA", gen_below(&r, 4));
            for (unsigned i = 0; i < s.plate.n_chars && round % 4 == 1; i++)
                for (unsigned k = 0; k < gen_below(&r, SIGHTING_ALTERNATIVES_MAX + 1); k++) {
                    s.plate.chars[i].c[k] = (char)('A' + gen_below(&r, 26));
                    s.plate.chars[i].score[k] = (uint8_t)gen_u64(&r);
                }
        }
        record_round(&s);
        a.len = p.len = 0;
        record_put_attributes(&a, &s);
        record_put_path(&p, &s);
        memset(&back, 0, sizeof back);
        back.start_ms = s.start_ms;
        back.end_ms = s.end_ms;
        back.class_id = s.class_id;
        back.confidence = s.confidence;
        assert_int_equal(record_get_attributes(a.data, a.len, &back), OK);
        assert_int_equal(record_get_path(p.data, p.len, record_is_packed(a.data, a.len), &back), OK);
        if (memcmp(&s, &back, sizeof s) != 0) fail_msg("round %u", round);
    }
    bytes_fini(&a);
    bytes_fini(&p);
}

static void any_set_of_slots_comes_back_from_its_container(void **state) {
    (void)state;
    struct gen_random r = {29};
    static uint8_t room[CONTAINER_BYTES_MAX];
    unsigned kinds[3] = {0};
    for (unsigned round = 0; round < 600; round++) {
        uint64_t words[CONTAINER_WORDS] = {0}, back[CONTAINER_WORDS] = {0}, other[CONTAINER_WORDS], wanted;
        unsigned slots = 1 + gen_below(&r, 65536), apart = 1 + gen_below(&r, round % 3 ? 600 : 20000), n = 0;
        for (unsigned slot = gen_below(&r, apart); slot < slots; slot += 1 + gen_below(&r, apart), n++)
            words[slot / 64] |= UINT64_C(1) << slot % 64;
        struct container c;
        if (container_encode(words, slots, room, &c) == 0) continue;
        kinds[c.kind]++;
        assert_int_equal(container_check(&c, slots), OK);
        container_or(bits_best(), back, &c);
        assert_memory_equal(words, back, sizeof back);
        for (unsigned w = 0; w < CONTAINER_WORDS; w++) other[w] = w < BITS_WORDS(slots) ? gen_u64(&r) : 0;
        memcpy(back, other, sizeof back);
        uint64_t both = container_count_and(bits_best(), other, &c);
        container_and(bits_best(), back, BITS_WORDS(slots), &c);
        wanted = 0;
        for (unsigned w = 0; w < CONTAINER_WORDS; w++) {
            assert_true(back[w] == (w < BITS_WORDS(slots) ? other[w] & words[w] : 0));
            wanted += (uint64_t)__builtin_popcountll(other[w] & words[w]);
        }
        assert_true(both == wanted);
        container_and_not(bits_best(), other, &c);
        for (unsigned w = 0; w < CONTAINER_WORDS; w++) assert_true((other[w] & words[w]) == 0);
    }
    assert_true(kinds[0] > 5 && kinds[1] > 5 && kinds[2] > 5);
}

static void an_index_of_version_1_is_brought_up_to_this_one(void **state) {
    struct index_fixture *f = *state;
    static const uint16_t camera = 3;
    const struct perimeter p = {.from_ms = 0, .to_ms = INT64_MAX, .cameras = &camera, .n_cameras = 1};
    struct query q = {.limit = 5};
    struct index_result out;
    char path[300];
    sqlite3 *db;
    uint64_t rows;
    for (unsigned i = 0; i < 10; i++) {
        struct sighting s;
        fill(&s, T0 + i * 1000, camera);
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    index_reader_close(&f->reader);
    index_writer_close(&f->writer);
    snprintf(path, sizeof path, "%s/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "BEGIN; ALTER TABLE bitmap RENAME TO b; CREATE TABLE bitmap(key INTEGER PRIMARY KEY,"
                     " kind INTEGER NOT NULL CHECK(kind IN (0,1)), bits BLOB NOT NULL) STRICT;"
                     "INSERT INTO bitmap SELECT * FROM b; DROP TABLE b; PRAGMA user_version=1; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(index_reader_open(f->dir, NULL, &f->reader), OK);
    assert_int_equal(index_search(f->reader, &p, &q, 0, &out), OK);
    assert_int_equal(out.total, 10);
    index_result_fini(&out);
    assert_int_equal(index_writer_open(f->dir, NULL, &f->writer), OK);
    for (unsigned i = 0; i < 1000; i++) { /* enough for lists of gaps, which the old table refused */
        struct sighting s;
        fill(&s, T0 + i * 1000, i % 100 ? camera : 4);
        s.class_id = i % 100 ? s.class_id : 7;
        s.attributes[0].value[0].id = s.class_id;
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_check(f->dir, NULL, NULL, NULL, &rows), OK);
    assert_int_equal(rows, 1010);
}

/* ---- likeness in memory */

static void add_vehicles(struct index_fixture *f, unsigned n, uint64_t seed, uint64_t *ids,
                         int8_t (*vectors)[128]) {
    struct gen_random r = {seed};
    for (unsigned i = 0; i < n; i++) {
        struct sighting s = {
            .recording_id = 1, .camera_number = 1, .class_id = 4, .has_likeness = i % 5 != 4};
        s.start_ms = s.best_ms = T0 + i * 1000;
        s.end_ms = s.start_ms + 500;
        for (unsigned k = 0; k < 128; k++) s.likeness[k] = (int8_t)((int)gen_below(&r, 201) - 100);
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
        ids[i] = s.has_likeness ? s.id : 0;
        memcpy(vectors[i], s.likeness, 128);
    }
    assert_int_equal(index_commit(f->writer), OK);
}

static void assert_nearest(struct index_fixture *f, unsigned n, const uint64_t *ids, int8_t (*vectors)[128]) {
    static const uint16_t camera = 1;
    const struct perimeter p = {
        .from_ms = 0, .to_ms = INT64_MAX, .cameras = &camera, .n_cameras = 1, .likeness_allowed = true};
    struct query q = {.limit = 20, .like_id = ids[0]};
    struct index_result out;
    assert_int_equal(index_search(f->reader, &p, &q, 0, &out), OK);
    unsigned total = 0;
    int least = INT_MAX;
    for (unsigned h = 0; h < out.n_hits; h++)
        for (unsigned i = 1; i < n; i++) {
            int dot = 0;
            if (ids[i] != out.hits[h].s.id) continue;
            for (unsigned k = 0; k < 128; k++) dot += vectors[0][k] * vectors[i][k];
            assert_true(dot <= least);
            least = dot;
        }
    unsigned nearer = 0;
    for (unsigned i = 1; i < n; i++) {
        int dot = 0;
        if (!ids[i]) continue;
        total++;
        for (unsigned k = 0; k < 128; k++) dot += vectors[0][k] * vectors[i][k];
        nearer += dot > least;
    }
    assert_int_equal(out.total, total);
    assert_int_equal(out.n_hits, 20);
    assert_true(nearer < 20); /* nothing nearer was left out */
    index_result_fini(&out);
}

static void likeness_in_memory_follows_the_index(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[400];
    static int8_t vectors[400][128];
    struct purge_receipt r;
    add_vehicles(f, 200, 1, ids, vectors);
    assert_int_equal(index_reader_ready_likeness(f->reader), OK);
    assert_nearest(f, 200, ids, vectors);
    add_vehicles(f, 200, 2, ids + 200, vectors + 200); /* the segment grew */
    assert_nearest(f, 400, ids, vectors);
    uint64_t first = ids[0];
    assert_int_equal(index_purge_before(f->writer, -1, T0 + 3600000, NULL, &r), OK);
    add_vehicles(f, 400, 3, ids, vectors); /* the same ids, and as many: other vehicles */
    assert_int_equal(ids[0], first);
    assert_nearest(f, 400, ids, vectors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define WITH_INDEX(test) cmocka_unit_test_setup_teardown(test, index_fixture_setup, index_fixture_teardown)
        WITH_INDEX(sighting_comes_back_as_it_was_given),
        WITH_INDEX(sighting_outside_the_perimeter_is_missing),
        WITH_INDEX(plate_and_vector_stay_hidden_where_the_case_does_not_allow_them),
        WITH_INDEX(rolled_back_sightings_leave_nothing),
        WITH_INDEX(recording_position_and_checkpoint_commit_with_the_sightings),
        WITH_INDEX(coverage_is_clipped_and_merged),
        WITH_INDEX(the_recording_of_a_camera_at_a_moment),
        WITH_INDEX(search_counts_pages_and_orders),
        WITH_INDEX(second_writer_is_refused),
        WITH_INDEX(impossible_sighting_is_refused),
        WITH_INDEX(likeness_in_memory_follows_the_index),
        cmocka_unit_test(record_cut_anywhere_is_corrupt),
        cmocka_unit_test(spoilt_records_and_bitmaps_never_do_harm),
        cmocka_unit_test(records_of_version_1_are_still_read),
        cmocka_unit_test(any_sighting_comes_back_from_its_record),
        cmocka_unit_test(any_set_of_slots_comes_back_from_its_container),
        WITH_INDEX(an_index_of_version_1_is_brought_up_to_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
