/* SPDX-License-Identifier: Apache-2.0 */
/* The decode worker against ffprobe and ffmpeg: the same frames at the same times with the same pixels. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "tests/support/media.h"
#include "tests/support/test.h"

#define CLIPS      "build/media-clips/"
#define VTEST      "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
#define FRAMES_MAX 1000

static char exe[512];

static void clip_path(const char *name, char out[static 256]) {
    snprintf(out, 256, "%s%s", name[0] == '/' ? "" : CLIPS, name);
}

static bool exists(const char *name) {
    char path[256];
    struct stat st;
    clip_path(name, path);
    return stat(path, &st) == 0;
}

static void run_frames(const char *name, uint32_t fps_milli, int64_t after_us, struct media_run *r) {
    char path[256];
    clip_path(name, path);
    const struct media_job job = {
        .job = DECODER_FRAMES, .path = path, .fps_milli = fps_milli, .after_us = after_us};
    media_run(exe, &job, r);
}

/* Presentation times as ffprobe has them, in us since the first; -1 where it knows none. */
static unsigned ffprobe_times(const char *name, int64_t *out) {
    char path[256], cmd[600], line[512];
    clip_path(name, path);
    snprintf(cmd, sizeof cmd,
             "ffprobe -loglevel quiet -select_streams v:0 -show_entries stream=time_base -of csv=p=0 %s",
             path);
    int64_t num = 0, den = 0;
    FILE *f = popen(cmd, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%" SCNd64 "/%" SCNd64, &num, &den) == 2) break;
    while (fgets(line, sizeof line, f)) {
    }
    pclose(f);
    assert_true(num > 0 && den > 0);
    snprintf(cmd, sizeof cmd,
             "ffprobe -loglevel quiet -select_streams v:0 -show_entries frame=best_effort_timestamp -of "
             "csv=p=0 %s",
             path);
    f = popen(cmd, "r");
    assert_non_null(f);
    unsigned n = 0;
    int64_t first = 0;
    while (fgets(line, sizeof line, f) && n < FRAMES_MAX) {
        int64_t t;
        if (sscanf(line, "%" SCNd64, &t) == 1) {
            if (n == 0) first = t;
            out[n++] = (int64_t)llround((double)(t - first) * (double)num * 1e6 / (double)den);
        } else if (!strncmp(line, "N/A", 3)) {
            out[n++] = -1;
        }
    }
    pclose(f);
    return n;
}

static const char *const timed_clips[] = {
    "bframes.mp4", "editlist.mp4",  "ippp.mp4", "opengop.mkv",  "hevc.mkv",   "bframes.ts", "intrarefresh.ts",
    "mpeg2.vob",   "interlaced.ts", "vfr.mkv",  "ntsc.mp4",     "packed.avi", "h264.avi",   "mjpeg.avi",
    "wmv.wmv",     "flv.flv",       "vp9.webm", "turned90.mp4", "cut.mkv",    "cut.ts",     "resolution.ts"};

static void frame_times_are_those_of_ffprobe(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof timed_clips / sizeof timed_clips[0]; i++) {
        static int64_t want[FRAMES_MAX];
        if (!exists(timed_clips[i])) {
            print_message("# %s is absent: no encoder for it here\n", timed_clips[i]);
            continue;
        }
        const unsigned n = ffprobe_times(timed_clips[i], want);
        struct media_run r;
        run_frames(timed_clips[i], 0, -1, &r);
        if (!r.ended) fail_msg("%s: %s", timed_clips[i], r.fail.text);
        if (r.n_frames != n) fail_msg("%s: %u frames, ffprobe has %u", timed_clips[i], r.n_frames, n);
        for (unsigned k = 0; k < n; k++)
            if (want[k] >= 0 && llabs(want[k] - r.frames[k].pts_us) > 1)
                fail_msg("%s frame %u: %" PRId64 ", ffprobe has %" PRId64, timed_clips[i], k,
                         r.frames[k].pts_us, want[k]);
        assert_int_equal(r.end.n_sent, n);
        assert_int_equal(r.end.last_pts_us, r.frames[n - 1].pts_us);
        media_run_fini(&r);
    }
}

static void raw_streams_without_times_are_counted(void **state) {
    (void)state;
    struct media_run r;
    run_frames("raw.h264", 0, -1, &r);
    assert_true(r.ended);
    assert_int_equal(r.n_frames, 150);
    for (unsigned i = 0; i < r.n_frames; i++) assert_int_equal(r.frames[i].pts_us, i * 40000);
    media_run_fini(&r);
    run_frames("raw.mjpeg", 0, -1, &r); /* not taken for a picture */
    assert_true(r.ended);
    assert_int_equal(r.n_frames, 50);
    media_run_fini(&r);
}

static void a_clock_that_jumps_back_goes_on_and_is_told(void **state) {
    (void)state;
    struct media_run r;
    run_frames("jump.ts", 0, -1, &r);
    assert_true(r.ended);
    assert_int_equal(r.n_frames, 300);
    for (unsigned i = 0; i < r.n_frames; i++) assert_int_equal(r.frames[i].pts_us, i * 40000);
    assert_int_equal(r.n_gaps, 1);
    assert_int_equal(r.gaps[0].from_us, 6000000);
    assert_int_equal(r.gaps[0].to_us, 6000000);
    media_run_fini(&r);
}

/* ---- pixels ----------------------------------------------------------------------------------------------
 */
/* Every frame of the clip as NV12 by ffmpeg; `filter` beside the conversion. Owned by the caller. */
static uint8_t *ffmpeg_nv12(const char *name, const char *filter, size_t frame_bytes, unsigned *n) {
    char path[256], cmd[900];
    clip_path(name, path);
    snprintf(cmd, sizeof cmd,
             "ffmpeg -nostdin -loglevel quiet -threads 1 -i %s -map 0:v:0 -vsync passthrough -vf \"%s\" -f "
             "rawvideo -",
             path, filter);
    FILE *f = popen(cmd, "r");
    assert_non_null(f);
    size_t cap = frame_bytes * 16, len = 0;
    uint8_t *p = malloc(cap);
    assert_non_null(p);
    for (;;) {
        if (len == cap) {
            p = realloc(p, cap *= 2);
            assert_non_null(p);
        }
        const size_t k = fread(p + len, 1, cap - len, f);
        if (k == 0) break;
        len += k;
    }
    pclose(f);
    *n = (unsigned)(len / frame_bytes);
    return p;
}

static double psnr(const uint8_t *a, const uint8_t *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum == 0 ? INFINITY : 10 * log10(255.0 * 255.0 * (double)n / sum);
}

static const struct {
    const char *name, *filter;
    unsigned w, h, matrix, full;
    double least_db; /* INFINITY = the same bytes */
} pixel_clips[] = {
    {"bframes.mp4", "format=nv12", 352, 288, 0, 0, INFINITY},
    {"editlist.mp4", "format=nv12", 352, 288, 0, 0, INFINITY},
    {"hevc.mkv", "format=nv12", 352, 288, 0, 0, INFINITY},
    {"interlaced.ts", "format=nv12", 352, 288, 0, 0, INFINITY},
    {"hd.mkv", "format=nv12", 1280, 720, 1, 0, INFINITY},
    {"full.mkv", "format=yuvj420p,extractplanes=y,format=gray", 352, 288, 0, 1, INFINITY}, /* luma alone */
    {"tenbit.mkv", "format=nv12", 352, 288, 0, 0, 55},
    {"y422.mkv", "format=nv12", 352, 288, 0, 0, 45},
    {"y444.mkv", "format=nv12", 352, 288, 0, 0, 45},
    {"rgb.mkv", "format=nv12", 352, 288, 0, 0, 45},
    {"odd.avi", "crop=176:142:0:0:exact=1,format=nv12", 176, 142, 0, 0, INFINITY},
    {"sar.mkv", "scale=384:288,format=nv12", 384, 288, 0, 0, 45},
    {"tallsar.mkv", "scale=352:432,format=nv12", 352, 432, 0, 0, 45},
    {"turned90.mp4", "format=nv12", 288, 352, 0, 0, INFINITY}, /* ffmpeg turns by itself */
    {"turned180.mp4", "format=nv12", 352, 288, 0, 0, INFINITY},
    {"turned270.mp4", "format=nv12", 288, 352, 0, 0, INFINITY},
    {"mirrored.mp4", "format=nv12", 352, 288, 0, 0, INFINITY},
    {VTEST, "format=nv12", 768, 576, 0, 0, INFINITY},
};

static void pixels_are_those_of_ffmpeg(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pixel_clips / sizeof pixel_clips[0]; i++) {
        const char *name = pixel_clips[i].name;
        if (!exists(name)) {
            print_message("# %s is absent\n", name);
            continue;
        }
        const size_t luma = (size_t)pixel_clips[i].w * pixel_clips[i].h;
        const size_t bytes = strstr(pixel_clips[i].filter, "gray") ? luma : luma * 3 / 2;
        unsigned n = 0;
        char filter[200];
        snprintf(filter, sizeof filter, "%s%s", name[0] == '/' ? "trim=end_frame=20," : "",
                 pixel_clips[i].filter);
        uint8_t *want = ffmpeg_nv12(name, filter, bytes, &n);
        assert_true(n >= 20);
        static const unsigned picks[] = {0, 7, 19};
        for (size_t k = 0; k < sizeof picks / sizeof picks[0]; k++) {
            char path[256];
            clip_path(name, path);
            uint8_t *got = malloc(bytes);
            struct media_run r;
            const struct media_job job = {.job = DECODER_FRAMES,
                                          .path = path,
                                          .after_us = -1,
                                          .stop_after = picks[k] + 1,
                                          .keep = picks[k],
                                          .keep_to = got,
                                          .keep_bytes = bytes};
            media_run(exe, &job, &r);
            if (r.n_frames != picks[k] + 1) fail_msg("%s: %u frames, %s", name, r.n_frames, r.fail.text);
            const struct wire_surface *s = &r.frames[picks[k]].surface;
            if (s->w_px != pixel_clips[i].w || s->h_px != pixel_clips[i].h)
                fail_msg("%s: %u x %u", name, s->w_px, s->h_px);
            if (s->matrix != pixel_clips[i].matrix || s->full_range != pixel_clips[i].full)
                fail_msg("%s: matrix %u full %u", name, s->matrix, s->full_range);
            const double db = psnr(got, want + bytes * picks[k], bytes);
            if (db < pixel_clips[i].least_db)
                fail_msg("%s frame %u: %.1f dB from ffmpeg's", name, picks[k], db);
            media_run_fini(&r);
            free(got);
        }
        free(want);
    }
}

/* ---- the grid and resuming
 * ----------------------------------------------------------------------------------- */
static void grid_picks_the_first_frame_at_or_after_each_mark(void **state) {
    (void)state;
    static const char *const clips[] = {"bframes.mp4", "vfr.mkv", "ntsc.mp4", "bframes.ts"};
    static const uint32_t rates[] = {5000, 7000, 25000, 30000, 29970, 100000, 400};
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        struct media_run all;
        run_frames(clips[i], 0, -1, &all);
        assert_true(all.ended && all.n_frames > 10);
        for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
            struct media_run r;
            run_frames(clips[i], rates[k], -1, &r);
            assert_true(r.ended);
            unsigned n = 0;
            double next_mark = 0;
            for (unsigned j = 0; j < all.n_frames; j++) {
                /* half a millisecond of slack: containers round */
                const double pts = (double)all.frames[j].pts_us + 500.0;
                if (pts < next_mark) continue;
                if (n >= r.n_frames || r.frames[n].pts_us != all.frames[j].pts_us ||
                    r.frames[n].hash != all.frames[j].hash)
                    fail_msg("%s at %u: frame %u is not the one at %" PRId64, clips[i], rates[k], n,
                             all.frames[j].pts_us);
                n++;
                next_mark = (floor(pts * rates[k] / 1e9) + 1) * 1e9 / rates[k];
            }
            assert_int_equal(n, r.n_frames);
            media_run_fini(&r);
        }
        media_run_fini(&all);
    }
}

/* A grid as fast as the frames takes every one of them. */
static void grid_at_the_frame_rate_loses_nothing(void **state) {
    (void)state;
    struct media_run r;
    run_frames("ntsc.mp4", 29970, -1, &r);
    assert_int_equal(r.n_frames, 180);
    media_run_fini(&r);
    run_frames("bframes.mp4", 25000, -1, &r);
    assert_int_equal(r.n_frames, 150);
    media_run_fini(&r);
}

static void key_frames_alone_are_those_of_the_full_run(void **state) {
    (void)state;
    static const char *const clips[] = {"bframes.mp4",   "editlist.mp4", "opengop.mkv",   "hevc.mkv",
                                        "bframes.ts",    "mpeg2.vob",    "packed.avi",    "h264.avi",
                                        "raw.h264",      "jump.ts",      "interlaced.ts", "vfr.mkv",
                                        "holed_ippp.mp4"};
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        if (!exists(clips[i])) continue;
        struct media_run all, keys;
        char path[256];
        clip_path(clips[i], path);
        const struct media_job job = {.job = DECODER_FRAMES, .path = path, .after_us = -1, .keys_only = true};
        run_frames(clips[i], 0, -1, &all);
        media_run(exe, &job, &keys);
        if (!all.ended || !keys.ended) fail_msg("%s: %s%s", clips[i], all.fail.text, keys.fail.text);
        unsigned k = 0;
        for (unsigned j = 0; j < all.n_frames; j++) {
            if (!all.frames[j].is_key) continue;
            if (k >= keys.n_frames || keys.frames[k].pts_us != all.frames[j].pts_us ||
                keys.frames[k].hash != all.frames[j].hash)
                fail_msg("%s: key frame %u of %u is not the one at %" PRId64 " but at %" PRId64, clips[i], k,
                         keys.n_frames, all.frames[j].pts_us, k < keys.n_frames ? keys.frames[k].pts_us : -1);
            k++;
        }
        assert_int_equal(k, keys.n_frames);
        /* damage between key frames is not seen, pauses are */
        if (strncmp(clips[i], "holed", 5) != 0) {
            assert_int_equal(keys.n_gaps, all.n_gaps);
            for (unsigned g = 0; g < all.n_gaps; g++) {
                assert_in_range(keys.gaps[g].from_us, all.gaps[g].from_us - 1000, all.gaps[g].from_us + 1000);
                assert_int_equal(keys.gaps[g].to_us, all.gaps[g].to_us);
            }
        }
        media_run_fini(&all);
        media_run_fini(&keys);
    }
}

static void resumed_run_gives_the_same_frames_as_an_undisturbed_one(void **state) {
    (void)state;
    static const char *const clips[] = {
        "bframes.mp4", "editlist.mp4", "opengop.mkv",     "hevc.mkv",       "bframes.ts",   "mpeg2.vob",
        "vfr.mkv",     "packed.avi",   "h264.avi",        "raw.h264",       "jump.ts",      "mjpeg.avi",
        "wmv.wmv",     "flv.flv",      "intrarefresh.ts", "holed_ippp.mp4", "interlaced.ts"};
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        if (!exists(clips[i])) continue;
        struct media_run all;
        run_frames(clips[i], 5000, -1, &all);
        if (!all.ended) fail_msg("%s: %s", clips[i], all.fail.text);
        const unsigned picks[] = {0, all.n_frames / 3, all.n_frames / 2 + 1, all.n_frames - 2,
                                  all.n_frames - 1};
        for (size_t k = 0; k < sizeof picks / sizeof picks[0]; k++) {
            struct media_run r;
            const unsigned at = picks[k];
            run_frames(clips[i], 5000, all.frames[at].pts_us, &r);
            if (!r.ended) fail_msg("%s after %" PRId64 ": %s", clips[i], all.frames[at].pts_us, r.fail.text);
            if (r.n_frames != all.n_frames - at - 1)
                fail_msg("%s after %" PRId64 ": %u frames, not %u", clips[i], all.frames[at].pts_us,
                         r.n_frames, all.n_frames - at - 1);
            for (unsigned j = 0; j < r.n_frames; j++) {
                const struct media_frame *a = &all.frames[at + 1 + j], *b = &r.frames[j];
                if (a->pts_us != b->pts_us || a->hash != b->hash)
                    fail_msg("%s after %" PRId64 ": frame %u differs (%" PRId64 ", %" PRId64 ")", clips[i],
                             all.frames[at].pts_us, j, a->pts_us, b->pts_us);
            }
            assert_int_equal(r.end.end_us, all.end.end_us);
            media_run_fini(&r);
        }
        media_run_fini(&all);
    }
}

static void resuming_past_the_end_ends_without_frames(void **state) {
    (void)state;
    struct media_run r;
    run_frames("bframes.mp4", 5000, 100000000, &r);
    assert_true(r.ended);
    assert_int_equal(r.n_frames, 0);
    media_run_fini(&r);
}

/* ---- the rest of a worker's life
 * ------------------------------------------------------------------------------- */
static void killed_worker_is_told_and_a_retry_completes_the_run(void **state) {
    (void)state;
    char path[256];
    clip_path("bframes.mp4", path);
    struct media_run all, a, b;
    run_frames("bframes.mp4", 5000, -1, &all);
    const struct media_job job = {.job = DECODER_FRAMES,
                                  .path = path,
                                  .fps_milli = 5000,
                                  .after_us = -1,
                                  .kill_after = 5,
                                  .n_slots = 1};
    media_run(exe, &job, &a);
    assert_true(a.failed);
    assert_int_equal(a.err, ERR_IO);
    assert_non_null(strstr(a.fail.text, "bframes.mp4"));
    assert_non_null(strstr(a.fail.text, "signal 9"));
    assert_true(a.n_frames >= 5 && a.n_frames < all.n_frames);
    run_frames("bframes.mp4", 5000, a.frames[a.n_frames - 1].pts_us, &b);
    assert_true(b.ended);
    assert_int_equal(a.n_frames + b.n_frames, all.n_frames);
    for (unsigned i = 0; i < all.n_frames; i++)
        assert_int_equal(all.frames[i].hash,
                         i < a.n_frames ? a.frames[i].hash : b.frames[i - a.n_frames].hash);
    media_run_fini(&all);
    media_run_fini(&a);
    media_run_fini(&b);
}

/* A server with a worker in the middle of its work; tells the worker's pid and waits to be killed. */
static void keep_slot(struct decoder *d, const struct wire_frame *f, void *arg) {
    (void)f;
    const int pid = decoder_pid(d);
    if (write(*(int *)arg, &pid, sizeof pid) != sizeof pid) _exit(1);
}
static void be_a_server(int tell_fd) {
    struct event_base *base = event_base_new();
    struct slots *slots;
    struct decoder *d;
    const int in = open(CLIPS "bframes.mp4", O_RDONLY | O_CLOEXEC);
    if (slots_new("server", 1, 1u << 20, &slots) != OK) _exit(1);
    const struct decoder_spec spec = {.exe = exe,
                                      .label = "x",
                                      .job = DECODER_FRAMES,
                                      .in_fd = in,
                                      .out_fd = -1,
                                      .slots = slots,
                                      .after_us = -1};
    const struct decoder_callbacks cb = {.on_frame = keep_slot, .arg = &tell_fd};
    if (decoder_start(base, &spec, &cb, &d) != OK) _exit(1);
    event_base_dispatch(base);
    _exit(1);
}
/* Running, that is: a zombie is gone, whoever is to reap it. */
static bool is_running(int pid) {
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    const size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    const char *state = n ? strrchr(text, ')') : NULL;
    return state && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}
static void server_that_dies_takes_its_worker_along(void **state) {
    (void)state;
    int p[2], worker = 0;
    assert_int_equal(pipe(p), 0);
    const pid_t server = fork();
    if (server == 0) be_a_server(p[1]);
    assert_int_equal(read(p[0], &worker, sizeof worker), sizeof worker);
    assert_true(is_running(worker));
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    const time_t deadline = time(NULL) + 20;
    while (is_running(worker) && time(NULL) < deadline) sched_yield();
    assert_false(is_running(worker));
    close(p[0]);
    close(p[1]);
}

static void frames_wait_for_slots_and_none_is_dropped(void **state) {
    (void)state;
    char path[256];
    clip_path("bframes.mp4", path);
    struct media_run one, many;
    const struct media_job job = {.job = DECODER_FRAMES, .path = path, .after_us = -1, .n_slots = 1};
    media_run(exe, &job, &one);
    const struct media_job more = {.job = DECODER_FRAMES, .path = path, .after_us = -1, .n_slots = 16};
    media_run(exe, &more, &many);
    assert_int_equal(one.n_frames, 150);
    assert_int_equal(many.n_frames, 150);
    for (unsigned i = 0; i < 150; i++) assert_int_equal(one.frames[i].hash, many.frames[i].hash);
    media_run_fini(&one);
    media_run_fini(&many);
}

static void pictures_larger_than_a_slot_ask_for_larger_slots(void **state) {
    (void)state;
    char path[256];
    clip_path("resolution.ts", path);
    struct media_run r;
    const struct media_job job = {
        .job = DECODER_FRAMES, .path = path, .after_us = -1, .slot_bytes = 320 * 240 * 3 / 2};
    media_run(exe, &job, &r);
    assert_true(r.failed);
    assert_int_equal(r.err, ERR_UNSUPPORTED);
    assert_int_equal(r.fail.why, WIRE_FAIL_GEOMETRY);
    assert_int_equal(r.fail.w_px, 640);
    assert_int_equal(r.fail.h_px, 480);
    assert_int_equal(r.n_frames, 50);
    assert_int_equal(r.fail.position_us, r.frames[49].pts_us + 200000 - 40000);
    /* with the need met it goes on where it stopped */
    struct media_run b;
    run_frames("resolution.ts", 0, r.frames[49].pts_us, &b);
    assert_true(b.ended);
    assert_int_equal(b.n_frames, 50);
    assert_int_equal(b.frames[0].surface.w_px, 640);
    media_run_fini(&r);
    media_run_fini(&b);
}

static void probe_says_what_the_file_is(void **state) {
    (void)state;
    char path[256];
    clip_path("sound.mp4", path);
    struct media_run r;
    const struct media_job job = {.job = DECODER_PROBE, .path = path};
    media_run(exe, &job, &r);
    assert_true(r.ended && r.probed);
    assert_int_equal(r.probe.w_px, 352);
    assert_int_equal(r.probe.h_px, 288);
    assert_int_equal(r.probe.fps_milli, 25000);
    assert_int_equal(r.probe.duration_us, 3000000);
    assert_int_equal(r.probe.n_video_streams, 1);
    assert_int_equal(r.probe.n_audio_streams, 1);
    assert_int_equal(r.probe.creation_ms, 1795183200000);
    assert_string_equal(r.probe.codec, "h264");
    assert_string_equal(r.probe.pixel_format, "yuv420p");
    assert_non_null(strstr(r.probe.container, "mp4"));
    assert_in_range(r.cpu_us, 1, 10000000);
    assert_in_range(r.peak_kib, 1000, 1000000);
    media_run_fini(&r);
}

static void largest_video_stream_is_taken(void **state) {
    (void)state;
    struct media_run r;
    run_frames("two.mkv", 5000, -1, &r);
    assert_true(r.ended);
    assert_int_equal(r.probe.n_video_streams, 2);
    assert_int_equal(r.frames[0].surface.w_px, 352);
    media_run_fini(&r);
}

int main(void) {
    if (!media_ready(CLIPS, exe, sizeof exe)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_times_are_those_of_ffprobe),
        cmocka_unit_test(raw_streams_without_times_are_counted),
        cmocka_unit_test(a_clock_that_jumps_back_goes_on_and_is_told),
        cmocka_unit_test(pixels_are_those_of_ffmpeg),
        cmocka_unit_test(grid_picks_the_first_frame_at_or_after_each_mark),
        cmocka_unit_test(grid_at_the_frame_rate_loses_nothing),
        cmocka_unit_test(key_frames_alone_are_those_of_the_full_run),
        cmocka_unit_test(resumed_run_gives_the_same_frames_as_an_undisturbed_one),
        cmocka_unit_test(resuming_past_the_end_ends_without_frames),
        cmocka_unit_test(killed_worker_is_told_and_a_retry_completes_the_run),
        cmocka_unit_test(server_that_dies_takes_its_worker_along),
        cmocka_unit_test(frames_wait_for_slots_and_none_is_dropped),
        cmocka_unit_test(pictures_larger_than_a_slot_ask_for_larger_slots),
        cmocka_unit_test(probe_says_what_the_file_is),
        cmocka_unit_test(largest_video_stream_is_taken),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
