/* SPDX-License-Identifier: Apache-2.0 */
/* What is not a recording, or is a broken one: one clear line, or a stretch told as missing, and never more.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/media.h"
#include "tests/support/test.h"

#define CLIPS "build/media-clips/"

static char exe[512];

static void run(const char *name, enum decoder_job what, struct media_run *r) {
    char path[256];
    snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : CLIPS, name);
    const struct media_job job = {
        .job = what, .path = path, .fps_milli = 0, .after_us = -1, .slot_bytes = 1u << 20};
    media_run(exe, &job, r);
}

static void files_that_are_no_recordings_are_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum wire_fail why;
        enum err err;
        const char *says;
    } cases[] = {
        {"empty.mp4", WIRE_FAIL_OPEN, ERR_CORRUPT, "is empty"},
        {"text.mp4", WIRE_FAIL_OPEN, ERR_CORRUPT, "not a video format"},
        {"noise.mp4", WIRE_FAIL_OPEN, ERR_CORRUPT, "not a video format"},
        {"url.mp4", WIRE_FAIL_OPEN, ERR_CORRUPT, "not a video format"},
        {"picture.png", WIRE_FAIL_OPEN, ERR_CORRUPT, "single picture"},
        {"picture.jpg", WIRE_FAIL_OPEN, ERR_CORRUPT, "single picture"},
        {"list.m3u8", WIRE_FAIL_OPEN, ERR_CORRUPT, "playlist"},
        {"passwd.m3u8", WIRE_FAIL_OPEN, ERR_CORRUPT, "playlist"},
        {"list.ffconcat", WIRE_FAIL_OPEN, ERR_CORRUPT, "playlist"},
        {"stream.sdp", WIRE_FAIL_OPEN, ERR_CORRUPT, "playlist"},
        {"audio.m4a", WIRE_FAIL_NO_VIDEO, ERR_UNSUPPORTED, "no video"},
        {"audio.wav", WIRE_FAIL_NO_VIDEO, ERR_UNSUPPORTED, "no video"},
        {"encrypted.mp4", WIRE_FAIL_CODEC, ERR_UNSUPPORTED, "encrypted"},
        {"cut_index_last.mp4", WIRE_FAIL_OPEN, ERR_CORRUPT, "moov"},
        {"huge.mkv", WIRE_FAIL_GEOMETRY, ERR_UNSUPPORTED, "larger"},
        {"/dev/null", WIRE_FAIL_OPEN, ERR_CORRUPT, "not a regular file"},
        {"/tmp", WIRE_FAIL_OPEN, ERR_CORRUPT, "not a regular file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct media_run r;
        run(cases[i].name, DECODER_FRAMES, &r);
        const char *slash = strrchr(cases[i].name, '/');
        if (!r.failed || r.fail.why != cases[i].why || r.err != cases[i].err)
            fail_msg("%s: failed %d why %u err %d: %s", cases[i].name, r.failed, r.fail.why, r.err,
                     r.fail.text);
        if (!strstr(r.fail.text, cases[i].says) || !strstr(r.fail.text, slash ? slash + 1 : cases[i].name))
            fail_msg("%s: says \"%s\"", cases[i].name, r.fail.text);
        assert_int_equal(r.n_frames, 0);
        media_run_fini(&r);
    }
}

static void cut_files_give_what_is_there_and_tell_what_is_not(void **state) {
    (void)state;
    static const struct {
        const char *name;
        unsigned least_frames;
        int64_t stated_us; /* 0 = the container does not say how long it was */
    } cases[] = {{"cut_index_first.mp4", 80, 6000000}, {"cut.mkv", 80, 6000000}, {"cut.ts", 80, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct media_run r;
        run(cases[i].name, DECODER_FRAMES, &r);
        if (!r.ended) fail_msg("%s: %s", cases[i].name, r.fail.text);
        assert_true(r.n_frames >= cases[i].least_frames);
        if (cases[i].stated_us) {
            assert_int_equal(r.n_gaps, 1);
            assert_int_equal(r.gaps[0].from_us, r.end.end_us);
            assert_int_equal(r.gaps[0].to_us, cases[i].stated_us);
        }
        media_run_fini(&r);
    }
}

static void damage_in_the_middle_costs_a_stretch_and_not_the_rest(void **state) {
    (void)state;
    static const struct {
        const char *name, *whole;
    } cases[] = {{"holed_ippp.mp4", "ippp.mp4"},
                 {"holed_bframes.ts", "bframes.ts"},
                 {"holed_opengop.mkv", "opengop.mkv"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct media_run r, w;
        run(cases[i].name, DECODER_FRAMES, &r);
        run(cases[i].whole, DECODER_FRAMES, &w);
        if (!r.ended) fail_msg("%s: %s", cases[i].name, r.fail.text);
        assert_true(r.n_frames < w.n_frames || r.end.n_damaged > 0);
        assert_true(r.n_frames * 10 > w.n_frames * 8);
        assert_int_equal(r.end.last_pts_us, w.end.last_pts_us);
        /* What is not marked is what it was; what differs is marked. */
        unsigned k = 0, same = 0;
        for (unsigned j = 0; j < r.n_frames; j++) {
            while (k < w.n_frames && w.frames[k].pts_us < r.frames[j].pts_us) k++;
            assert_true(k < w.n_frames && w.frames[k].pts_us == r.frames[j].pts_us);
            same += w.frames[k].hash == r.frames[j].hash;
            if (w.frames[k].hash != r.frames[j].hash && !r.frames[j].is_damaged)
                fail_msg("%s at %lld: differs and is not marked", cases[i].name,
                         (long long)r.frames[j].pts_us);
        }
        assert_true(same * 10 > w.n_frames * 8);
        /* frames are missing for longer than a blink only inside a gap */
        for (unsigned j = 1; j < r.n_frames; j++) {
            if (r.frames[j].pts_us - r.frames[j - 1].pts_us <= 600000) continue;
            bool told = false;
            for (unsigned g = 0; g < r.n_gaps; g++)
                told |= r.gaps[g].from_us <= r.frames[j - 1].pts_us + 40000 &&
                        r.gaps[g].to_us >= r.frames[j].pts_us;
            if (!told)
                fail_msg("%s: a hole at %lld is not told", cases[i].name, (long long)r.frames[j].pts_us);
        }
        media_run_fini(&r);
        media_run_fini(&w);
    }
}

static void a_pause_in_the_footage_is_told(void **state) {
    (void)state;
    struct media_run r;
    run("vfr.mkv", DECODER_FRAMES, &r);
    assert_true(r.ended);
    assert_int_equal(r.n_gaps, 1);
    assert_int_equal(r.gaps[0].from_us, 2000000);
    assert_int_equal(r.gaps[0].to_us, 4000000);
    media_run_fini(&r);
}

/* A file that grows while it is decoded: the worker notices at the end. */
static void file_that_changes_while_it_is_read_is_told(void **state) {
    (void)state;
    char path[] = "/tmp/relecture-grows-XXXXXX";
    const int to = mkstemp(path);
    const int from = open(CLIPS "bframes.ts", O_RDONLY);
    assert_true(to >= 0 && from >= 0);
    char buf[65536];
    ssize_t n;
    while ((n = read(from, buf, sizeof buf)) > 0) assert_int_equal(write(to, buf, (size_t)n), n);
    close(from);
    struct media_run r;
    const struct media_job job = {.job = DECODER_FRAMES,
                                  .path = path,
                                  .after_us = -1,
                                  .n_slots = 1,
                                  .append_after = 3,
                                  .slot_bytes = 1u << 20};
    media_run(exe, &job, &r);
    assert_true(r.failed);
    assert_int_equal(r.fail.why, WIRE_FAIL_READ);
    assert_int_equal(r.err, ERR_IO);
    assert_true(r.n_frames > 100); /* what was there before was still given */
    media_run_fini(&r);
    close(to);
    unlink(path);
}

static void stills_and_clips_of_bad_files_fail_and_write_nothing_playable(void **state) {
    (void)state;
    char out[] = "/tmp/relecture-out-XXXXXX";
    close(mkstemp(out));
    static const char *const names[] = {"text.mp4", "audio.m4a", "encrypted.mp4"};
    for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, CLIPS "%s", names[i / 2]);
        struct media_run r;
        const struct media_job job = {.job = i % 2 ? DECODER_STILL : DECODER_CLIP,
                                      .path = path,
                                      .out_path = out,
                                      .from_us = 0,
                                      .to_us = 1000000};
        media_run(exe, &job, &r);
        assert_true(r.failed);
        struct stat st;
        assert_int_equal(stat(out, &st), 0);
        assert_int_equal(st.st_size, 0);
        media_run_fini(&r);
    }
    unlink(out);
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum decoder_job what;
    } cases[] = {{"ippp.mp4", DECODER_CLIP}, {"mpeg2.vob", DECODER_CLIP}, {"ippp.mp4", DECODER_STILL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, CLIPS "%s", cases[i].name);
        struct media_run r;
        const struct media_job job = {
            .job = cases[i].what, .path = path, .out_path = "/dev/full", .from_us = 0, .to_us = 1000000};
        media_run(exe, &job, &r);
        if (!r.failed || r.err != ERR_FULL || r.fail.why != WIRE_FAIL_WRITE)
            fail_msg("%s: err %d %s", cases[i].name, r.err, r.fail.text);
        assert_non_null(strstr(r.fail.text, "no space left"));
        media_run_fini(&r);
    }
}

int main(void) {
    if (!media_ready(CLIPS, exe, sizeof exe)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_no_recordings_are_refused_with_a_reason),
        cmocka_unit_test(cut_files_give_what_is_there_and_tell_what_is_not),
        cmocka_unit_test(damage_in_the_middle_costs_a_stretch_and_not_the_rest),
        cmocka_unit_test(a_pause_in_the_footage_is_told),
        cmocka_unit_test(file_that_changes_while_it_is_read_is_told),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(stills_and_clips_of_bad_files_fail_and_write_nothing_playable),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
