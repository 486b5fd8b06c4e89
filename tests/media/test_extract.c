/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <turbojpeg.h>

#include "host/media/extract.h"
#include "tests/support/media.h"
#include "tests/support/test.h"

#define CLIPS "build/media-clips/"

static char exe[512];

struct answer {
    struct event_base *base;
    unsigned n, leave_at;
    enum err status;
    int64_t first_us;
    char path[512], text[256];
    struct extract **free_inside;
};

static void on_done(const struct extract_result *r, void *arg) {
    struct answer *a = arg;
    a->status = r->status;
    a->first_us = r->first_us;
    snprintf(a->path, sizeof a->path, "%s", r->path ? r->path : "");
    snprintf(a->text, sizeof a->text, "%s", r->text ? r->text : "");
    if (a->free_inside) extract_free(a->free_inside);
    if (++a->n == a->leave_at) event_base_loopbreak(a->base);
}

static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    fprintf(stderr, "deadline passed\n");
    _exit(1);
}

struct bench {
    struct event_base *base;
    struct event *deadline;
    struct extract *ex;
    char dir[64];
};

static void bench_begin(struct bench *b, unsigned n_waiting) {
    snprintf(b->dir, sizeof b->dir, "/tmp/relecture-extract-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->base = event_base_new();
    b->deadline = evtimer_new(b->base, too_late, NULL);
    const struct timeval limit = {.tv_sec = 60};
    event_add(b->deadline, &limit);
    const struct extract_config cfg = {
        .exe = exe, .dir = b->dir, .n_waiting = n_waiting, .limit_s = 30, .clip_max_s = 60};
    assert_int_equal(extract_new(b->base, &cfg, &b->ex), OK);
}
static unsigned bench_n_files(const struct bench *b) {
    unsigned n = 0;
    DIR *d = opendir(b->dir);
    assert_non_null(d);
    const struct dirent *de;
    while ((de = readdir(d)) != NULL) n += de->d_name[0] != '.' || !strncmp(de->d_name, ".new", 4);
    closedir(d);
    return n;
}
static void bench_end(struct bench *b) {
    char cmd[128];
    extract_free(&b->ex);
    event_free(b->deadline);
    event_base_free(b->base);
    snprintf(cmd, sizeof cmd, "rm -rf %s", b->dir);
    assert_int_equal(system(cmd), 0);
}

static struct answer clip(struct bench *b, const char *name, int64_t from_us, int64_t to_us,
                          const char *key) {
    char path[256];
    struct answer a = {.base = b->base, .leave_at = 1};
    snprintf(path, sizeof path, CLIPS "%s", name);
    assert_int_equal(extract_clip(b->ex, path, from_us, to_us, key, on_done, &a), OK);
    assert_int_equal(a.n, 0);
    event_base_dispatch(b->base);
    assert_int_equal(a.n, 1);
    return a;
}

/* One line of a command's output. */
static void ask_tool(const char *cmd, char *out, size_t cap) {
    FILE *f = popen(cmd, "r");
    assert_non_null(f);
    size_t n = 0;
    int c;
    while ((c = fgetc(f)) != EOF)
        if (n + 1 < cap) out[n++] = (char)c;
    out[n] = 0;
    pclose(f);
}

/* Where an atom's name first occurs; SIZE_MAX = nowhere. */
static size_t find_atom(const char *path, const char *name) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static uint8_t buf[4 << 20];
    const size_t n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    for (size_t i = 0; i + 4 <= n; i++)
        if (!memcmp(buf + i, name, 4)) return i;
    return SIZE_MAX;
}

static void clips_play_from_at_or_before_the_moment_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t from_us, to_us, first_us; /* first: < 0 = any not after from */
        unsigned least_frames;
    } cases[] = {
        {"bframes.mp4", 2500000, 4000000, 2000000, 48},
        {"ippp.mp4", 2500000, 4000000, 2000000, 50},
        {"opengop.mkv", 2500000, 4000000, 2000000, 45},
        {"bframes.ts", 2500000, 4000000, 2000000, 48},
        {"ippp.mp4", 0, 1000000, 0, 25},
        {"hevc.mkv", 1500000, 3000000, 1480000, 37},
        {"mpeg2.vob", 2500000, 4000000, 2480000, 37},
        {"tenbit.mkv", 500000, 1500000, 480000, 25},
        {"turned90.mp4", 200000, 800000, 200000, 15},
        {"h264.avi", 2500000, 4000000, -1, 37},
        {"odd.avi", 500000, 1500000, 480000, 25},
        {"full.mkv", 500000, 1500000, -1, 25},
        {"vfr.mkv", 1500000, 5000000, -1, 30},
    };
    struct bench b;
    bench_begin(&b, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[32], cmd[700], text[4096];
        snprintf(key, sizeof key, "clip-%zu", i);
        struct stat st;
        snprintf(cmd, sizeof cmd, CLIPS "%s", cases[i].name);
        if (stat(cmd, &st) != 0) continue;
        const struct answer a = clip(&b, cases[i].name, cases[i].from_us, cases[i].to_us, key);
        if (a.status != OK) fail_msg("%s: %s", cases[i].name, a.text);
        if (a.first_us > cases[i].from_us || (cases[i].first_us >= 0 && a.first_us != cases[i].first_us))
            fail_msg("%s begins at %" PRId64, cases[i].name, a.first_us);
        snprintf(cmd, sizeof cmd,
                 "ffprobe -v error -count_frames -show_entries "
                 "stream=codec_name,pix_fmt,nb_read_frames,codec_type:format=nb_streams,duration -of "
                 "default=nw=1 %s 2>&1",
                 a.path);
        ask_tool(cmd, text, sizeof text);
        if (!strstr(text, "codec_name=h264") || !strstr(text, "nb_streams=1\n") ||
            !strstr(text, "pix_fmt=yuv"))
            fail_msg("%s: ffprobe says %s", cases[i].name, text);
        const char *frames = strstr(text, "nb_read_frames=");
        const unsigned n = frames ? (unsigned)strtoul(frames + 15, NULL, 10) : 0;
        if (n < cases[i].least_frames || n > cases[i].least_frames + 40)
            fail_msg("%s: %u frames", cases[i].name, n);
        const char *d = strstr(text, "duration=");
        const double duration = d ? strtod(d + 9, NULL) : 0;
        const double want = (double)(cases[i].to_us - a.first_us) / 1e6;
        if (fabs(duration - want) > 0.25)
            fail_msg("%s: %.3f s long, not %.3f", cases[i].name, duration, want);
        /* the index comes first, so that a browser can seek before it has everything */
        assert_true(find_atom(a.path, "moov") < find_atom(a.path, "mdat"));
        snprintf(cmd, sizeof cmd, "ffmpeg -v error -i %s -f null - 2>&1", a.path);
        ask_tool(cmd, text, sizeof text);
        if (text[0]) fail_msg("%s: decoding the clip says %s", cases[i].name, text);
    }
    bench_end(&b);
}

static void copied_clip_has_the_very_pictures_of_the_recording(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    const struct answer a = clip(&b, "bframes.mp4", 2500000, 4000000, "k");
    struct media_run of_clip, of_file;
    const struct media_job j1 = {.job = DECODER_FRAMES, .path = a.path, .after_us = -1};
    const struct media_job j2 = {.job = DECODER_FRAMES, .path = CLIPS "bframes.mp4", .after_us = -1};
    media_run(exe, &j1, &of_clip);
    media_run(exe, &j2, &of_file);
    assert_true(of_clip.ended && of_clip.n_frames >= 49);
    unsigned k = 0;
    for (unsigned i = 0; i < 49; i++) { /* to 4 s; the last few may lack a frame they refer to */
        while (of_file.frames[k].pts_us < a.first_us + of_clip.frames[i].pts_us - 500) k++;
        assert_int_equal(of_file.frames[k].hash, of_clip.frames[i].hash);
    }
    media_run_fini(&of_clip);
    media_run_fini(&of_file);
    bench_end(&b);
}

static void still_is_the_exact_frame(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t at_us, want_us;
    } cases[] = {{"bframes.mp4", 2500000, 2520000}, {"bframes.mp4", 0, 0},
                 {"bframes.ts", 3990000, 4000000},  {"vfr.mkv", 2500000, 4000000},
                 {"packed.avi", 1000000, 1000000},  {"raw.h264", 1010000, 1040000}};
    struct bench b;
    bench_begin(&b, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[256], key[32], cmd[700];
        snprintf(path, sizeof path, CLIPS "%s", cases[i].name);
        snprintf(key, sizeof key, "still-%zu", i);
        struct answer a = {.base = b.base, .leave_at = 1};
        assert_int_equal(extract_still(b.ex, path, cases[i].at_us, key, on_done, &a), OK);
        event_base_dispatch(b.base);
        if (a.status != OK) fail_msg("%s: %s", cases[i].name, a.text);
        if (a.first_us != cases[i].want_us) fail_msg("%s: still at %" PRId64, cases[i].name, a.first_us);
        /* which frame that is, by its place in the run */
        struct media_run all;
        const struct media_job job = {.job = DECODER_FRAMES, .path = path, .after_us = -1};
        media_run(exe, &job, &all);
        unsigned nth = 0;
        while (all.frames[nth].pts_us < a.first_us) nth++;
        media_run_fini(&all);
        /* luma of the JPEG and of ffmpeg's decode of that frame, and of the one after it */
        enum { N = 352 * 288 };
        static uint8_t jpeg[N], same[N], next[N];
        snprintf(cmd, sizeof cmd, "ffmpeg -v error -i %s -vf scale=out_range=full,format=gray -f rawvideo -",
                 a.path);
        FILE *f = popen(cmd, "r");
        assert_int_equal(fread(jpeg, 1, N, f), N);
        pclose(f);
        snprintf(cmd, sizeof cmd,
                 "ffmpeg -v error -i %s -vsync passthrough -vf "
                 "\"select='between(n,%u,%u)',scale=out_range=full,format=gray\" "
                 "-f rawvideo -",
                 path, nth, nth + 1);
        f = popen(cmd, "r");
        assert_int_equal(fread(same, 1, N, f), N);
        assert_int_equal(fread(next, 1, N, f), N);
        pclose(f);
        double d_same = 0, d_next = 0;
        for (unsigned k = 0; k < N; k++) {
            d_same += (jpeg[k] - same[k]) * (jpeg[k] - same[k]);
            d_next += (jpeg[k] - next[k]) * (jpeg[k] - next[k]);
        }
        const double db = 10 * log10(255.0 * 255.0 * N / (d_same + 1));
        if (db < 36) fail_msg("%s: %.1f dB from the frame", cases[i].name, db);
        assert_true(d_next > 2 * d_same);
    }
    bench_end(&b);
}

static void colours_of_a_still_are_those_of_the_recording(void **state) {
    (void)state;
    static const char *const names[] = {"bframes.mp4", "hd.mkv", "full.mkv", "rgb.mkv"};
    struct bench b;
    bench_begin(&b, 4);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256], key[32], cmd[700];
        snprintf(path, sizeof path, CLIPS "%s", names[i]);
        snprintf(key, sizeof key, "colour-%zu", i);
        struct answer a = {.base = b.base, .leave_at = 1};
        assert_int_equal(extract_still(b.ex, path, 0, key, on_done, &a), OK);
        event_base_dispatch(b.base);
        assert_int_equal(a.status, OK);
        /* mean of each channel over quarters of the picture: no tint, no range error */
        uint8_t got[48], want[48];
        snprintf(cmd, sizeof cmd, "ffmpeg -v error -i %s -vf format=rgb24,scale=4:4:flags=area -f rawvideo -",
                 a.path);
        FILE *f = popen(cmd, "r");
        assert_int_equal(fread(got, 1, sizeof got, f), sizeof got);
        pclose(f);
        const char *matrix = !strcmp(names[i], "hd.mkv") ? "in_color_matrix=bt709:" : "";
        snprintf(cmd, sizeof cmd,
                 "ffmpeg -v error -i %s -frames:v 1 -vf "
                 "scale=%sflags=accurate_rnd,format=rgb24,scale=4:4:flags=area "
                 "-f rawvideo -",
                 path, matrix);
        f = popen(cmd, "r");
        assert_int_equal(fread(want, 1, sizeof want, f), sizeof want);
        pclose(f);
        for (unsigned k = 0; k < sizeof got; k++)
            if (abs(got[k] - want[k]) > 6)
                fail_msg("%s: value %u is %u, not %u", names[i], k, got[k], want[k]);
    }
    bench_end(&b);
}

static void failed_extracts_leave_nothing(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    struct answer a = clip(&b, "text.mp4", 0, 1000000, "a");
    assert_int_equal(a.status, ERR_CORRUPT);
    assert_non_null(strstr(a.text, "text.mp4 is not a video"));
    assert_string_equal(a.path, "");
    a = clip(&b, "absent.mp4", 0, 1000000, "b");
    assert_int_equal(a.status, ERR_MISSING);
    a = clip(&b, "ippp.mp4", 50000000, 51000000, "c");
    assert_int_not_equal(a.status, OK);
    assert_non_null(strstr(a.text, "no frame"));
    a = clip(&b, "hevc.mkv", 50000000, 51000000, "d");
    assert_int_not_equal(a.status, OK);
    struct answer s = {.base = b.base, .leave_at = 1};
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 60000000, "e", on_done, &s), OK);
    event_base_dispatch(b.base);
    assert_int_equal(s.status, ERR_CORRUPT);
    assert_non_null(strstr(s.text, "ends at 6.000 s"));
    assert_int_equal(bench_n_files(&b), 0);
    bench_end(&b);
}

static void same_key_is_made_once_and_kept(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    struct answer two = {.base = b.base, .leave_at = 2};
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 1000000, "k", on_done, &two), OK);
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 1000000, "k", on_done, &two), OK);
    event_base_dispatch(b.base);
    assert_int_equal(two.status, OK);
    struct stat before, after;
    assert_int_equal(stat(two.path, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    /* kept over a restart, with its moment */
    extract_free(&b.ex);
    const struct extract_config cfg = {
        .exe = "/nonexistent", .dir = b.dir, .n_waiting = 1, .limit_s = 30, .clip_max_s = 60};
    assert_int_equal(extract_new(b.base, &cfg, &b.ex), OK);
    struct answer again = {.base = b.base, .leave_at = 1};
    assert_int_equal(extract_still(b.ex, "/nonexistent", 1000000, "k", on_done, &again), OK);
    event_base_dispatch(b.base);
    assert_int_equal(again.status, OK);
    assert_int_equal(again.first_us, 1000000);
    assert_int_equal(stat(again.path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    bench_end(&b);
}

static void requests_are_limited_cancelled_and_dropped(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 1);
    struct answer a = {.base = b.base, .leave_at = 1}, c = {.base = b.base, .leave_at = 1};
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 0, "a", on_done, &a), OK);
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 0, "b", on_done, &c), OK);
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 0, "c", on_done, &c), ERR_BUSY);
    extract_cancel(b.ex, &a);
    event_base_dispatch(b.base);
    assert_int_equal(a.n, 0);
    assert_int_equal(c.n, 1);
    assert_int_equal(extract_still(b.ex, "x", 0, "", on_done, &a), ERR_USAGE);
    assert_int_equal(extract_still(b.ex, "x", 0, "../a", on_done, &a), ERR_USAGE);
    assert_int_equal(extract_still(b.ex, "x", -1, "a", on_done, &a), ERR_USAGE);
    assert_int_equal(extract_clip(b.ex, "x", 5, 5, "a", on_done, &a), ERR_USAGE);
    assert_int_equal(extract_clip(b.ex, "x", 0, 61000000, "a", on_done, &a), ERR_USAGE);
    /* freed with one in work: its temporary file goes too */
    const unsigned n = bench_n_files(&b);
    assert_int_equal(extract_clip(b.ex, CLIPS "hevc.mkv", 0, 3000000, "d", on_done, &a), OK);
    event_base_loop(b.base, EVLOOP_ONCE);
    assert_int_equal(bench_n_files(&b), n + 1);
    extract_free(&b.ex);
    assert_int_equal(bench_n_files(&b), n);
    bench_end(&b);
}

static void worker_that_dies_or_hangs_leaves_nothing_and_the_next_goes_on(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    extract_free(&b.ex);
    char double_path[600], in[128];
    media_built_path("tests/support/decode_double", double_path, sizeof double_path);
    const struct extract_config cfg = {
        .exe = double_path, .dir = b.dir, .n_waiting = 4, .limit_s = 1, .clip_max_s = 60};
    assert_int_equal(extract_new(b.base, &cfg, &b.ex), OK);
    static const char *const words[] = {"fall", "hang", "fall"};
    static const enum err want[] = {ERR_IO, ERR_TIMEOUT, ERR_IO};
    for (size_t i = 0; i < 3; i++) {
        snprintf(in, sizeof in, "%s.in", b.dir);
        FILE *f = fopen(in, "w");
        assert_non_null(f);
        fputs(words[i], f);
        fclose(f);
        struct answer a = {.base = b.base, .leave_at = 1};
        assert_int_equal(extract_clip(b.ex, in, 0, 1000000, words[i], on_done, &a), OK);
        event_base_dispatch(b.base);
        assert_int_equal(a.status, want[i]);
        assert_true(a.text[0] != 0);
        assert_int_equal(bench_n_files(&b), 0);
    }
    unlink(in);
    bench_end(&b);
}

static void extract_may_be_freed_inside_its_callback(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    struct answer a = {.base = b.base, .leave_at = 1, .free_inside = &b.ex};
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 0, "a", on_done, &a), OK);
    assert_int_equal(extract_still(b.ex, CLIPS "bframes.mp4", 0, "b", on_done, &a), OK);
    event_base_dispatch(b.base);
    assert_null(b.ex);
    assert_int_equal(a.n, 1);
    bench_end(&b);
}

static void leftovers_of_a_crash_are_removed(void **state) {
    (void)state;
    struct bench b;
    bench_begin(&b, 4);
    char path[128];
    snprintf(path, sizeof path, "%s/.new-k.mp4", b.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    extract_free(&b.ex);
    const struct extract_config cfg = {
        .exe = exe, .dir = b.dir, .n_waiting = 1, .limit_s = 30, .clip_max_s = 60};
    assert_int_equal(extract_new(b.base, &cfg, &b.ex), OK);
    assert_int_equal(bench_n_files(&b), 0);
    bench_end(&b);
}

int main(void) {
    if (!media_ready(CLIPS, exe, sizeof exe)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clips_play_from_at_or_before_the_moment_asked_for),
        cmocka_unit_test(copied_clip_has_the_very_pictures_of_the_recording),
        cmocka_unit_test(still_is_the_exact_frame),
        cmocka_unit_test(colours_of_a_still_are_those_of_the_recording),
        cmocka_unit_test(failed_extracts_leave_nothing),
        cmocka_unit_test(same_key_is_made_once_and_kept),
        cmocka_unit_test(requests_are_limited_cancelled_and_dropped),
        cmocka_unit_test(worker_that_dies_or_hangs_leaves_nothing_and_the_next_goes_on),
        cmocka_unit_test(extract_may_be_freed_inside_its_callback),
        cmocka_unit_test(leftovers_of_a_crash_are_removed),
    };
    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
