/* SPDX-License-Identifier: Apache-2.0 */
/* check-index finds what does not fit; purges leave nothing behind, in the answers and in the bytes of the
 * files. */
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/index/index.h"
#include "tests/support/index_fixture.h"
#include "tests/support/sightings_gen.h"
#include "tests/support/test.h"

#define HOUR_MS INT64_C(3600000)

static unsigned n_lines;
static char last_line[300];
static void note_line(const char *line, void *arg) {
    (void)arg;
    n_lines++;
    snprintf(last_line, sizeof last_line, "%s", line);
}

static enum err check(const struct index_fixture *f, uint64_t *n_rows) {
    n_lines = 0;
    last_line[0] = '\0';
    return index_check(f->dir, NULL, note_line, NULL, n_rows);
}

static void assert_clean(const struct index_fixture *f, uint64_t rows) {
    uint64_t n;
    if (check(f, &n) != OK) fail_msg("check-index: %s (%u lines)", last_line, n_lines);
    assert_int_equal(n, rows);
}

/* A mark that no other bytes have: the sighting's number in a text that the file would hold as it is. */
static void mark(char *out, size_t size, const char *kind, uint64_t n) {
    snprintf(out, size, "%s%09llu", kind, (unsigned long long)n);
}

enum { PER_HOUR = 600, HOURS = 6 };

/* Six hours, two cameras in turn, two cases in turn by hour; each row has a plate, a thumbnail and a vector
 * of its own. */
static void fill(struct index_fixture *f, uint64_t *ids) {
    struct recording rec[HOURS];
    for (unsigned h = 0; h < HOURS; h++) {
        rec[h] = (struct recording){.camera_number = (uint16_t)(h % 2),
                                    .state = RECORDING_DONE,
                                    .start_ms = (GEN_FIRST_HOUR + h) * HOUR_MS,
                                    .duration_us = INT64_C(3600000000)};
        snprintf(rec[h].case_id, sizeof rec[h].case_id, "case-%u", h % 3);
        mark(rec[h].path, sizeof rec[h].path, "/videos/FILE", h);
        assert_int_equal(index_recording_add(f->writer, &rec[h]), OK);
        assert_int_equal(index_coverage_add(f->writer, rec[h].id, rec[h].camera_number, rec[h].start_ms,
                                            rec[h].start_ms + HOUR_MS, COVERAGE_INDEXED, ""),
                         OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    struct gen *g = gen_new(
        &(struct gen_config){.shape = GEN_ONE_HOUR, .rows = PER_HOUR * HOURS, .seed = 7, .vectors = true});
    assert_non_null(g);
    for (unsigned i = 0; i < PER_HOUR * HOURS; i++) {
        struct sighting s;
        char jpeg[2000];
        assert_true(gen_next(g, &s));
        unsigned h = i / PER_HOUR;
        s.recording_id = rec[h].id;
        s.camera_number = (uint16_t)(i % 2);
        int64_t moved = (GEN_FIRST_HOUR + h) * HOUR_MS + (i % PER_HOUR) * 6000 - s.start_ms;
        s.start_ms += moved;
        s.end_ms += moved;
        s.best_ms += moved;
        s.path[0].at_ms += moved;
        s.path[1].at_ms += moved;
        memset(&s.plate, 0, sizeof s.plate);
        s.plate.n_chars = i % 3 ? 8 : 12;
        snprintf(s.plate.text, sizeof s.plate.text, i % 3 ? "P%07u" : "LONG%08u", i);
        memset(jpeg, 0, sizeof jpeg);
        mark(jpeg, sizeof jpeg, "JPEG-OF-", i);
        s.thumbnail_jpeg = (uint8_t *)jpeg;
        s.thumbnail_bytes = sizeof jpeg - i % 700;
        s.has_likeness = 1;
        mark((char *)s.likeness, 128, "VECTOR-OF-", i);
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
        ids[i] = s.id;
        if (i % 100 == 99) assert_int_equal(index_commit(f->writer), OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    gen_free(&g);
}

/* How often `text` stands in any file below the data directory. */
static unsigned occurrences(const char *dir, const char *text) {
    unsigned n = 0;
    DIR *d = opendir(dir);
    struct dirent *ent;
    size_t length = strlen(text);
    while (d && (ent = readdir(d)) != NULL) {
        char path[1024];
        struct stat st;
        if (ent->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", dir, ent->d_name);
        if (stat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            n += occurrences(path, text);
            continue;
        }
        int fd = open(path, O_RDONLY);
        static char buf[1 << 16];
        /* Sparse files are read where they have data. */
        for (off_t at = 0; fd >= 0 && (at = lseek(fd, at, SEEK_DATA)) >= 0;) {
            ssize_t k;
            while ((k = pread(fd, buf, sizeof buf, at)) > 0) {
                for (char *p = buf; (p = memmem(p, (size_t)(buf + k - p), text, length)) != NULL; p++) n++;
                if (k < (ssize_t)sizeof buf || lseek(fd, at, SEEK_DATA) != at) break;
                at += k - (ssize_t)length + 1;
            }
            at += k > 0 ? k : 1;
        }
        if (fd >= 0) close(fd);
    }
    if (d) closedir(d);
    return n;
}

static void assert_gone(const struct index_fixture *f, unsigned i, bool gone) {
    char text[64];
    struct {
        const char *kind;
    } kinds[] = {{"JPEG-OF-"}, {"VECTOR-OF-"}};
    for (unsigned k = 0; k < 2; k++) {
        mark(text, sizeof text, kinds[k].kind, i);
        if ((occurrences(f->dir, text) == 0) != gone) fail_msg("%s: gone should be %d", text, gone);
    }
    snprintf(text, sizeof text, i % 3 ? "P%07u" : "LONG%08u", i);
    if ((occurrences(f->dir, text) == 0) != gone) fail_msg("%s: gone should be %d", text, gone);
}

static const uint16_t both[] = {0, 1};
static const struct perimeter all = {.from_ms = GEN_FIRST_HOUR * HOUR_MS,
                                     .to_ms = (GEN_FIRST_HOUR + 24) * HOUR_MS,
                                     .cameras = both,
                                     .n_cameras = 2,
                                     .plates_allowed = true,
                                     .likeness_allowed = true};

static uint64_t total(struct index_fixture *f) {
    struct query q = {.limit = 1};
    struct index_result r;
    assert_int_equal(index_search(f->reader, &all, &q, 0, &r), OK);
    uint64_t n = r.total;
    index_result_fini(&r);
    return n;
}

static void purge_by_age_leaves_nothing_of_what_was_older(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    struct purge_receipt r;
    fill(f, ids);
    assert_clean(f, PER_HOUR * HOURS);
    assert_gone(f, 17, false);
    assert_gone(f, 2 * PER_HOUR + 299, false);
    /* Two whole hours and the first half of the third: 300 rows of it. */
    int64_t before = (GEN_FIRST_HOUR + 2) * HOUR_MS + HOUR_MS / 2;
    assert_int_equal(index_purge_before(f->writer, -1, before, NULL, &r), OK);
    assert_int_equal(r.n_sightings, 2 * PER_HOUR + 300);
    assert_int_equal(r.n_thumbnails, 2 * PER_HOUR + 300);
    assert_int_equal(r.n_plates, 2 * PER_HOUR + 300);
    assert_int_equal(r.n_recordings, 2);
    assert_true(r.n_bytes > 1500 * 1500);
    assert_clean(f, 3 * PER_HOUR + 300);
    assert_int_equal(total(f), 3 * PER_HOUR + 300);
    for (unsigned i = 0; i < 2 * PER_HOUR + 300; i += 61) assert_gone(f, i, true);
    assert_gone(f, 2 * PER_HOUR + 299, true);
    assert_gone(f, 2 * PER_HOUR + 300, false);
    assert_gone(f, PER_HOUR * HOURS - 1, false);
    struct sighting s;
    assert_int_equal(index_sighting_get(f->reader, &all, ids[5], &s), ERR_MISSING);
    assert_int_equal(index_sighting_get(f->reader, &all, ids[3000], &s), OK);
    assert_string_equal(s.plate.text, "LONG00003000");
    struct coverage_span *spans;
    size_t n;
    assert_int_equal(index_coverage(f->reader, &all, &spans, &n), OK);
    for (size_t i = 0; i < n; i++) assert_true(spans[i].from_ms >= before);
    free(spans);
}

static void purge_of_one_camera_leaves_the_other(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    struct purge_receipt r;
    fill(f, ids);
    assert_int_equal(index_purge_before(f->writer, 1, (GEN_FIRST_HOUR + 4) * HOUR_MS, NULL, &r), OK);
    assert_int_equal(r.n_sightings, 2 * PER_HOUR);
    assert_int_equal(r.n_recordings, 2);
    assert_clean(f, 4 * PER_HOUR);
    for (unsigned i = 0; i < 400; i += 13) assert_gone(f, i, i % 2 == 1);
    assert_gone(f, 4 * PER_HOUR + 1, false);
    assert_int_equal(total(f), 4 * PER_HOUR);
}

static void purge_of_a_case_leaves_the_others(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    struct purge_receipt r;
    struct recording *list;
    size_t n;
    fill(f, ids);
    assert_true(occurrences(f->dir, "/videos/FILE000000004") > 0);
    assert_int_equal(index_purge_case(f->writer, "case-1", NULL, &r), OK); /* hours 1 and 4 */
    assert_int_equal(r.n_sightings, 2 * PER_HOUR);
    assert_int_equal(r.n_recordings, 2);
    assert_clean(f, 4 * PER_HOUR);
    assert_gone(f, PER_HOUR - 1, false);
    assert_gone(f, PER_HOUR, true);
    assert_gone(f, 5 * PER_HOUR - 1, true);
    assert_gone(f, 5 * PER_HOUR, false);
    assert_int_equal(occurrences(f->dir, "/videos/FILE000000004"), 0);
    assert_int_equal(index_recordings(f->reader, NULL, &list, &n), OK);
    assert_int_equal(n, 4);
    free(list);
    assert_int_equal(index_purge_case(f->writer, "no such case", NULL, &r), OK);
    assert_int_equal(r.n_sightings, 0);
}

static bool keep_hour_one(const struct recording *r, void *arg) {
    (void)arg;
    return r->start_ms == (GEN_FIRST_HOUR + 1) * HOUR_MS;
}

static void what_must_be_kept_stays(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    const struct purge_keep keep = {keep_hour_one, NULL};
    struct purge_receipt r;
    fill(f, ids);
    struct sighting s;
    assert_int_equal(index_sighting_get(f->reader, &all, ids[0], &s), OK);
    s.start_ms += HOUR_MS; /* another recording's passage, in the kept one's hour */
    s.end_ms += HOUR_MS;
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_purge_before(f->writer, -1, (GEN_FIRST_HOUR + 4) * HOUR_MS, &keep, &r), OK);
    assert_int_equal(r.n_sightings, 3 * PER_HOUR + 1);
    assert_int_equal(r.n_recordings, 3);
    assert_clean(f, 3 * PER_HOUR);
    assert_gone(f, PER_HOUR - 1, true);
    assert_gone(f, PER_HOUR, false);
    assert_gone(f, 2 * PER_HOUR - 1, false);
    assert_gone(f, 2 * PER_HOUR, true);
    assert_int_equal(index_purge_case(f->writer, "case-1", &keep, &r), OK); /* hours 1 and 4 */
    assert_int_equal(r.n_sightings, PER_HOUR);
    assert_clean(f, 2 * PER_HOUR);
    assert_int_equal(index_purge_before(f->writer, 0, (GEN_FIRST_HOUR + 9) * HOUR_MS, &keep, &r), OK);
    assert_int_equal(r.n_sightings, PER_HOUR / 2);
    assert_clean(f, PER_HOUR + PER_HOUR / 2);
    assert_int_equal(index_purge_before(f->writer, -1, (GEN_FIRST_HOUR + 9) * HOUR_MS, NULL, &r), OK);
    assert_clean(f, 0);
}

static void plates_that_others_still_carry_stay(void **state) {
    struct index_fixture *f = *state;
    struct purge_receipt r;
    struct sighting s = {.recording_id = 1, .class_id = 4, .camera_number = 0, .n_attributes = 0};
    for (unsigned i = 0; i < 4; i++) {
        s.start_ms = (GEN_FIRST_HOUR + i) * HOUR_MS;
        s.end_ms = s.start_ms + 1000;
        s.plate.n_chars = 7;
        strcpy(s.plate.text, i < 3 ? "SHARED1" : "OTHER11");
        if (i == 0) strcpy(s.plate.text, "ALONE11");
        assert_int_equal(index_sighting_add(f->writer, &s), OK);
    }
    assert_int_equal(index_commit(f->writer), OK);
    assert_int_equal(index_purge_before(f->writer, -1, (GEN_FIRST_HOUR + 2) * HOUR_MS, NULL, &r), OK);
    assert_int_equal(r.n_plates, 1);
    assert_clean(f, 2);
    assert_int_equal(occurrences(f->dir, "ALONE11"), 0);
    /* The freed place is used again. */
    strcpy(s.plate.text, "FRESH11");
    s.start_ms += 1000;
    s.end_ms += 1000;
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    assert_clean(f, 3);
    struct query q = {.limit = 5, .plate_mode = QUERY_PLATE_PATTERN, .plate = "*11"};
    struct index_result found;
    assert_int_equal(index_search(f->reader, &all, &q, 0, &found), OK);
    assert_int_equal(found.total, 2);
    assert_string_equal(found.hits[0].s.plate.text, "FRESH11");
    index_result_fini(&found);
}

static void writing_after_a_purge_gives_new_ids(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    struct purge_receipt r;
    struct sighting s;
    fill(f, ids);
    int64_t in_last = (GEN_FIRST_HOUR + HOURS - 1) * HOUR_MS + 599 * 6000;
    assert_int_equal(index_sighting_get(f->reader, &all, ids[PER_HOUR * HOURS - 1], &s), OK);
    assert_int_equal(index_purge_before(f->writer, 1, in_last + 1, NULL, &r), OK);
    index_writer_close(&f->writer);
    assert_int_equal(index_writer_open(f->dir, NULL, &f->writer), OK);
    s.start_ms = in_last;
    s.end_ms = in_last + 1000;
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(s.id, ids[PER_HOUR * HOURS - 1] + 1);
    assert_int_equal(index_commit(f->writer), OK);
    assert_clean(f, PER_HOUR * HOURS / 2 + 1);
}

/* ---- check-index
 * ------------------------------------------------------------------------------------------------------ */

static void spoil(struct index_fixture *f, const char *sql) {
    sqlite3 *db;
    char path[300];
    snprintf(path, sizeof path, "%s/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_true(sqlite3_changes(db) > 0);
    sqlite3_close(db);
}

/* Flips one bit of one blob. */
static void flip(struct index_fixture *f, const char *select) {
    sqlite3 *db;
    sqlite3_stmt *st;
    sqlite3_blob *blob;
    char path[300];
    snprintf(path, sizeof path, "%s/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, select, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    uint8_t byte;
    assert_int_equal(sqlite3_blob_open(db, "main", (const char *)sqlite3_column_text(st, 0),
                                       (const char *)sqlite3_column_text(st, 1), sqlite3_column_int64(st, 2),
                                       1, &blob),
                     SQLITE_OK);
    int at = sqlite3_column_int(st, 3);
    assert_int_equal(sqlite3_blob_read(blob, &byte, 1, at), SQLITE_OK);
    byte ^= 4;
    assert_int_equal(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
    sqlite3_blob_close(blob);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void flipped_bits_are_found(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    uint64_t n;
    fill(f, ids);
    const char *const places[] = {
        "SELECT 'bitmap', 'bits', key, length(bits) / 2 FROM bitmap WHERE kind = 1 ORDER BY key LIMIT 20, 1",
        "SELECT 'bitmap', 'bits', key, 0 FROM bitmap WHERE kind = 0 ORDER BY key DESC LIMIT 1",
        "SELECT 'segment_column', 'data', key, 999 FROM segment_column WHERE key >> 40 = 1 LIMIT 1",
        "SELECT 'segment_column', 'data', key, 777 FROM segment_column WHERE key >> 40 = 2 LIMIT 1",
        "SELECT 'segment_column', 'data', key, 55 FROM segment_column WHERE key >> 40 = 3 LIMIT 1",
        "SELECT 'segment_column', 'data', key, 1300 FROM segment_column WHERE key >> 40 = 4 LIMIT 1",
        "SELECT 'segment', 'cameras', id, 0 FROM segment LIMIT 1",
    };
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        flip(f, places[i]);
        if (check(f, &n) != ERR_CORRUPT) fail_msg("not found: %s", places[i]);
        flip(f, places[i]);
        assert_clean(f, PER_HOUR * HOURS);
    }
}

static void missing_and_surplus_parts_are_found(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    uint64_t n;
    fill(f, ids);
    spoil(f, "INSERT INTO bitmap SELECT key + (5000 << 40), kind, bits FROM bitmap LIMIT 1");
    assert_int_equal(check(f, &n), ERR_CORRUPT);
    spoil(f, "DELETE FROM bitmap WHERE key >> 40 > 5000 AND key >> 40 < 1000000");
    spoil(f, "UPDATE plate_block SET texts = CAST(texts || x'4142433132333435' AS BLOB) WHERE number = 0");
    assert_int_equal(check(f, &n), ERR_CORRUPT);
}

static void damaged_thumbnail_and_vector_are_found(void **state) {
    struct index_fixture *f = *state;
    static uint64_t ids[PER_HOUR * HOURS];
    uint64_t n;
    char path[300];
    fill(f, ids);
    snprintf(path, sizeof path, "%s/thumbs/000000.pack", f->dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 100), 1);
    close(fd);
    assert_int_equal(check(f, &n), ERR_CORRUPT);
    assert_non_null(strstr(last_line, "thumbnail"));
    uint8_t *jpeg;
    size_t size;
    assert_int_equal(index_thumbnail_get(f->reader, &all, ids[0], &jpeg, &size), ERR_CORRUPT);
    snprintf(path, sizeof path, "%s/likeness/%06lld.vec", f->dir, (long long)(GEN_FIRST_HOUR / 24));
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 128 * 5 + 3 + GEN_FIRST_HOUR % 24 * (INT64_C(128) << 24)), 1);
    close(fd);
    assert_int_equal(check(f, &n), ERR_CORRUPT);
    assert_int_equal(n_lines, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define WITH_INDEX(test) cmocka_unit_test_setup_teardown(test, index_fixture_setup, index_fixture_teardown)
        WITH_INDEX(purge_by_age_leaves_nothing_of_what_was_older),
        WITH_INDEX(purge_of_one_camera_leaves_the_other),
        WITH_INDEX(purge_of_a_case_leaves_the_others),
        WITH_INDEX(what_must_be_kept_stays),
        WITH_INDEX(plates_that_others_still_carry_stay),
        WITH_INDEX(writing_after_a_purge_gives_new_ids),
        WITH_INDEX(flipped_bits_are_found),
        WITH_INDEX(missing_and_surplus_parts_are_found),
        WITH_INDEX(damaged_thumbnail_and_vector_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
