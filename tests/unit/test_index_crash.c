/* SPDX-License-Identifier: Apache-2.0 */
/* Killing the writer at any moment, a full disk and I/O errors at any write leave an index in which rows,
 * bitmaps, dictionary, thumbnails, vectors and the import position agree. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/index/index.h"
#include "host/index/record.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/index_fixture.h"
#include "tests/support/sightings_gen.h"
#include "tests/support/test.h"

#define HOUR_MS INT64_C(3600000)

/* The store's own files, by --wrap. */
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at) {
    if (!fault_write()) return __real_pwrite(fd, p, n, at);
    errno = fault_kind_armed() == FAULT_FULL ? ENOSPC : EIO;
    return -1;
}
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
    if (!fault_write()) return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

static unsigned n_lines;
static char last_line[300];
static void note_line(const char *line, void *arg) {
    (void)arg;
    n_lines++;
    snprintf(last_line, sizeof last_line, "%s", line);
}
static uint64_t checked_rows(const char *dir) {
    uint64_t n = 0;
    n_lines = 0;
    enum err e = index_check(dir, NULL, note_line, NULL, &n);
    if (e) fail_msg("check-index: %s: %s (%u lines)", err_text(e), last_line, n_lines);
    return n;
}

/* ---- kill -9
 * -------------------------------------------------------------------------------------------------------------
 */

enum { ROUNDS = 15, ROWS_A_ROUND = 14000, BATCH = 2000, READERS = 4, SEED = 11 };

/* make crash-index asks for more of them. */
static unsigned rounds(void) {
    const char *asked = getenv("RELECTURE_CRASH_ROUNDS");
    unsigned n = asked ? (unsigned)strtoul(asked, NULL, 10) : 0;
    return n ? n : ROUNDS;
}

static struct gen *source(void) {
    return gen_new(&(struct gen_config){
        .shape = GEN_DENSE, .rows = rounds() * (uint64_t)ROWS_A_ROUND, .seed = SEED, .vectors = true});
}
static void picture(uint64_t number, uint8_t jpeg[200]) {
    for (unsigned i = 0; i < 200; i++) jpeg[i] = (uint8_t)gen_mix(number * 200 + i);
}

/* Adds from the recording's position on; tells the parent of every hundredth row. Never returns. */
static void import(const char *dir, int progress) {
    struct index_writer *w;
    struct recording rec;
    struct sighting s;
    uint8_t jpeg[200];
    char sha[65];
    memset(sha, 'c', 64);
    sha[64] = '\0';
    if (index_writer_open(dir, NULL, &w) != OK || index_recording_by_sha256(w, sha, 0, &rec) != OK) _exit(1);
    struct gen *g = source();
    for (int64_t n = 0; g && gen_next(g, &s); n++) {
        if (n < rec.position_us) continue;
        picture((uint64_t)n, jpeg);
        s.thumbnail_jpeg = jpeg;
        s.thumbnail_bytes = sizeof jpeg;
        if (index_sighting_add(w, &s) != OK) _exit(2);
        if (n % 100 == 99 && write(progress, "x", 1) != 1) _exit(3);
        if (n % BATCH != BATCH - 1) continue;
        rec.position_us = n + 1;
        if (index_recording_set(w, &rec) != OK || index_commit(w) != OK) _exit(4);
    }
    _exit(0);
}

/* Asks until told to stop; every answer must agree with itself. */
static void ask(const char *dir, int stop) {
    struct index_reader *r;
    static uint16_t cameras[GEN_CAMERAS];
    for (unsigned i = 0; i < GEN_CAMERAS; i++) cameras[i] = (uint16_t)i;
    struct perimeter p = {.from_ms = GEN_FIRST_HOUR * HOUR_MS,
                          .to_ms = (GEN_FIRST_HOUR + 800) * HOUR_MS,
                          .cameras = cameras,
                          .n_cameras = GEN_CAMERAS,
                          .plates_allowed = true};
    uint64_t before = 0;
    if (index_reader_open(dir, NULL, &r) != OK) _exit(1);
    for (unsigned i = 0;; i++) {
        struct query q = {.limit = 50, .n_groups = i % 2};
        struct index_result out;
        q.group[0].n_terms = 1;
        q.group[0].term[0].field = FIELD_CLASS;
        q.group[0].term[0].id = GEN_CLASS_CAR;
        if (index_search(r, &p, &q, 0, &out) != OK) _exit(2);
        uint64_t sum = 0;
        for (unsigned h = 0; h < out.n_histogram; h++) sum += out.histogram[h];
        if (sum != out.total || out.n_hits != (out.total < 50 ? out.total : 50)) _exit(3);
        if (i % 2 == 0 && (out.total < before || out.total % BATCH)) _exit(4); /* commits are seen whole */
        if (i % 2 == 0) before = out.total;
        index_result_fini(&out);
        struct pollfd told = {.fd = stop, .events = POLLIN};
        if (poll(&told, 1, 20) != 0) break;
    }
    index_reader_close(&r);
    _exit(0);
}

static pid_t start(void (*fn)(const char *, int), const char *dir, int fd, int other) {
    pid_t pid = fork();
    if (pid == 0) {
        if (other >= 0) close(other);
        fn(dir, fd);
    }
    assert_true(pid > 0);
    return pid;
}

/* Lets the importer reach a random row, then kills it: in the middle of adding, of writing files or of a
 * commit. */
static bool kill_round(const char *dir, struct gen_random *r) {
    int fd[2], status;
    char c;
    assert_int_equal(pipe(fd), 0);
    pid_t pid = start(import, dir, fd[1], fd[0]);
    close(fd[1]);
    unsigned rows = 10 + gen_below(r, 70);
    for (unsigned i = 0; i < rows; i++)
        if (read(fd[0], &c, 1) != 1) break;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(fd[0]);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static int64_t position(const char *dir) {
    struct index_writer *w;
    struct recording rec;
    char sha[65];
    memset(sha, 'c', 64);
    sha[64] = '\0';
    assert_int_equal(index_writer_open(dir, NULL, &w), OK);
    assert_int_equal(index_recording_by_sha256(w, sha, 0, &rec), OK);
    index_writer_close(&w);
    return rec.position_us;
}

static void compare_all(const char *dir, int64_t rows) {
    static uint16_t cameras[GEN_CAMERAS];
    struct index_reader *r;
    struct sighting s, back;
    uint8_t wanted[200], *jpeg;
    size_t n_bytes;
    struct {
        int64_t hour;
        uint32_t next;
    } hours[64] = {0};
    for (unsigned i = 0; i < GEN_CAMERAS; i++) cameras[i] = (uint16_t)i;
    struct perimeter p = {.from_ms = 0,
                          .to_ms = INT64_MAX,
                          .cameras = cameras,
                          .n_cameras = GEN_CAMERAS,
                          .plates_allowed = true,
                          .likeness_allowed = true};
    assert_int_equal(index_reader_open(dir, NULL, &r), OK);
    struct gen *g = source();
    for (int64_t n = 0; n < rows && gen_next(g, &s); n++) {
        unsigned h = 0;
        while (hours[h].next && hours[h].hour != s.start_ms / HOUR_MS) h++;
        hours[h].hour = s.start_ms / HOUR_MS;
        s.id = (uint64_t)hours[h].hour << 24 | hours[h].next++;
        record_round(&s);
        if (n % 3 && n < rows - 500) continue;
        assert_int_equal(index_sighting_get(r, &p, s.id, &back), OK);
        assert_memory_equal(&s, &back, sizeof s);
        if (n % 50 && n < rows - 500) continue;
        picture((uint64_t)n, wanted);
        assert_int_equal(index_thumbnail_get(r, &p, s.id, &jpeg, &n_bytes), OK);
        assert_int_equal(n_bytes, sizeof wanted);
        assert_memory_equal(jpeg, wanted, sizeof wanted);
        free(jpeg);
    }
    gen_free(&g);
    index_reader_close(&r);
}

static void killed_writer_never_leaves_a_difference(void **state) {
    char dir[256];
    struct index_writer *w;
    struct gen_random r = {1};
    struct recording rec = {.position_us = 0, .state = RECORDING_RUNNING};
    pid_t reader[READERS];
    int stop[2], status;
    (void)state;
    memset(rec.sha256, 'c', 64);
    assert_int_equal(index_fixture_dir(dir, sizeof dir), 0);
    assert_int_equal(index_writer_open(dir, NULL, &w), OK);
    assert_int_equal(index_recording_add(w, &rec), OK);
    assert_int_equal(index_commit(w), OK);
    index_writer_close(&w);
    assert_int_equal(pipe(stop), 0);
    for (unsigned i = 0; i < READERS; i++) reader[i] = start(ask, dir, stop[0], stop[1]);
    unsigned kills = 0;
    int64_t at = 0;
    for (unsigned i = 0; i < rounds(); i++) {
        kills += kill_round(dir, &r);
        int64_t now = position(dir);
        assert_true(now >= at);
        at = now;
        assert_int_equal(checked_rows(dir), at);
    }
    close(stop[1]);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(waitpid(reader[i], &status, 0), reader[i]);
        if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("reader %u ended with %x", i, status);
    }
    close(stop[0]);
    assert_int_equal(kills, rounds());
    assert_true(at > 0);
    compare_all(dir, at);
    index_fixture_remove_tree(dir);
}

/* ---- a disk that fails
 * ------------------------------------------------------------------------------------------------------ */

static void quiet(enum log_level level, const char *line, void *arg) {
    (void)level, (void)line;
    (*(unsigned *)arg)++;
}

struct faulty {
    char dir[256];
    struct index_writer *w;
    struct gen *g;
    uint64_t rows, tried;
    unsigned log_lines;
};

/* Twenty sightings with all that belongs to them, and the recording's position. */
static enum err add_some(struct faulty *f, struct recording *rec) {
    uint8_t jpeg[700];
    enum err e = OK;
    for (unsigned i = 0; !e && i < 20; i++) {
        struct sighting s;
        if (!gen_next(f->g, &s)) fail_msg("the generator ended");
        memset(jpeg, (int)(f->tried++ & 0xff), sizeof jpeg);
        s.thumbnail_jpeg = jpeg;
        s.thumbnail_bytes = sizeof jpeg;
        e = index_sighting_add(f->w, &s);
    }
    rec->position_us = (int64_t)f->rows + 20;
    if (!e) e = index_recording_set(f->w, rec);
    if (!e) e = index_checkpoint_set(f->w, rec->id, rec->position_us, jpeg, sizeof jpeg);
    if (!e) e = index_commit(f->w);
    return e;
}

static void faulty_open(struct faulty *f, struct recording *rec) {
    memset(f, 0, sizeof *f);
    memset(rec, 0, sizeof *rec);
    memset(rec->sha256, 'd', 64);
    fault_vfs_install();
    assert_int_equal(index_fixture_dir(f->dir, sizeof f->dir), 0);
    f->g = gen_new(&(struct gen_config){.shape = GEN_ONE_HOUR, .rows = 100000, .seed = 5, .vectors = true});
    assert_non_null(f->g);
    assert_int_equal(index_writer_open(f->dir, NULL, &f->w), OK);
    assert_int_equal(index_recording_add(f->w, rec), OK);
    assert_int_equal(index_commit(f->w), OK);
    log_sink(quiet, &f->log_lines);
}
static void faulty_close(struct faulty *f) {
    log_sink(NULL, NULL);
    index_writer_close(&f->w);
    gen_free(&f->g);
    index_fixture_remove_tree(f->dir);
}

static void fail_every_write(enum fault_kind kind, enum err expected) {
    struct faulty f;
    struct recording rec, back;
    faulty_open(&f, &rec);
    for (unsigned nth = 1;; nth++) {
        unsigned lines = f.log_lines;
        fault_arm(kind, nth);
        enum err e = add_some(&f, &rec);
        bool happened = fault_disarm();
        if (!happened) {
            assert_int_equal(e, OK);
            assert_true(nth > 20);
            break;
        }
        /* A failed checkpoint of the log after the commit is no failure of the commit. */
        if (e == OK) {
            f.rows += 20;
        } else {
            if (e != expected && e != ERR_IO) fail_msg("write %u: %s", nth, err_text(e));
            assert_true(f.log_lines > lines);
        }
        assert_int_equal(checked_rows(f.dir), f.rows);
        assert_int_equal(index_recording_by_sha256(f.w, rec.sha256, 0, &back), OK);
        assert_int_equal(back.position_us, f.rows);
        /* And the same writer goes on. */
        e = add_some(&f, &rec);
        if (e) fail_msg("after write %u failed: %s", nth, err_text(e));
        f.rows += 20;
        if (nth % 10 == 0) assert_int_equal(checked_rows(f.dir), f.rows);
        if (nth > 3000) fail_msg("no end of writes");
    }
    faulty_close(&f);
}
static void full_disk_at_any_write_leaves_a_consistent_index(void **state) {
    (void)state;
    fail_every_write(FAULT_FULL, ERR_FULL);
}
static void io_error_at_any_write_leaves_a_consistent_index(void **state) {
    (void)state;
    fail_every_write(FAULT_IO, ERR_IO);
}

static void failing_purge_is_finished_later(void **state) {
    struct faulty f;
    struct recording rec;
    struct purge_receipt r;
    (void)state;
    faulty_open(&f, &rec);
    for (unsigned nth = 1;; nth++) {
        for (unsigned i = 0; i < 5; i++) assert_int_equal(add_some(&f, &rec), OK);
        fault_arm(FAULT_IO, nth);
        enum err e = index_purge_before(f.w, -1, (GEN_FIRST_HOUR + 200) * HOUR_MS, NULL, &r);
        bool happened = fault_disarm();
        uint64_t rows = checked_rows(f.dir);
        assert_true(rows == 0 || rows % 100 == 0);
        if (!happened) {
            assert_int_equal(e, OK);
            assert_true(nth > 5);
            break;
        }
        index_writer_close(&f.w);
        assert_int_equal(index_writer_open(f.dir, NULL, &f.w), OK);
        assert_int_equal(index_purge_before(f.w, -1, (GEN_FIRST_HOUR + 200) * HOUR_MS, NULL, &r), OK);
        assert_int_equal(checked_rows(f.dir), 0);
        if (nth > 2000) fail_msg("no end of writes");
    }
    faulty_close(&f);
}

static void failing_start_is_an_error_and_harms_nothing(void **state) {
    struct faulty f;
    struct recording rec;
    (void)state;
    faulty_open(&f, &rec);
    for (unsigned i = 0; i < 10; i++) assert_int_equal(add_some(&f, &rec), OK);
    index_writer_close(&f.w);
    for (unsigned nth = 1; nth < 40; nth++) {
        struct index_writer *w = NULL;
        fault_arm(FAULT_IO, nth);
        enum err e = index_writer_open(f.dir, NULL, &w);
        index_writer_close(&w);
        bool happened = fault_disarm();
        if (!happened) assert_int_equal(e, OK);
        assert_int_equal(checked_rows(f.dir), 200);
        if (!happened) break;
    }
    assert_int_equal(index_writer_open(f.dir, NULL, &f.w), OK);
    faulty_close(&f);
}

int main(void) {
    /* Memory is as good as a disk here: nothing depends on what a sync really does. */
    if (access("/dev/shm", W_OK) == 0) (void)setenv("TMPDIR", "/dev/shm", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_writer_never_leaves_a_difference),
        cmocka_unit_test(full_disk_at_any_write_leaves_a_consistent_index),
        cmocka_unit_test(io_error_at_any_write_leaves_a_consistent_index),
        cmocka_unit_test(failing_purge_is_finished_later),
        cmocka_unit_test(failing_start_is_an_error_and_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
