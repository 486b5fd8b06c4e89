/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves as evidence: packets that are the source's own, and masked copies that hide. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "host/media/mask.h"
#include "tests/support/media.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define CLIPS "build/media-clips/"

static char exe[512], dir[64];

static struct media_run run(enum decoder_job job, const char *in, const char *out, int64_t from_us,
                            int64_t to_us, bool matroska, const struct decoder_mask *mask) {
    struct media_run r;
    const struct media_job j = {.job = job,
                                .path = in,
                                .out_path = out,
                                .from_us = from_us,
                                .to_us = to_us,
                                .matroska = matroska,
                                .mask = mask};
    media_run(exe, &j, &r);
    if (r.failed) fprintf(stderr, "%s\n", r.fail.text);
    return r;
}

static char *read_text(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*n + 1);
    assert_int_equal(fread(text, 1, *n, f), *n);
    text[*n] = 0;
    fclose(f);
    return text;
}

/* The hashes of a list of units, one after the other. */
static char *hashes(const char *path) {
    size_t n;
    char *text = read_text(path, &n), *out = calloc(1, n + 1), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        assert_non_null(strrchr(line, ' '));
        assert_int_equal(strlen(strrchr(line, ' ') + 1), 64);
        strcat(out, strrchr(line, ' ') + 1);
    }
    free(text);
    return out;
}

static int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *fmt, ...) {
    char cmd[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cmd, sizeof cmd, fmt, ap);
    va_end(ap);
    return system(cmd);
}

static const struct {
    const char *name;
    bool matroska;
} sources[] = {{"bframes.mp4", false}, {"bframes.ts", false}, {"ippp.mp4", false},    {"opengop.mkv", false},
               {"hevc.mkv", false},    {"vfr.mkv", false},    {"mpeg2.vob", false},   {"mjpeg.avi", true},
               {"packed.avi", false},  {"h264.avi", false},   {"editlist.mp4", false}};
enum { N_SOURCES = sizeof sources / sizeof sources[0] };

static void extract_has_the_units_of_its_source_and_an_ordinary_player_plays_it(void **state) {
    (void)state;
    char in[256], out[128], from[128], copy[128];
    for (unsigned i = 0; i < N_SOURCES; i++) {
        snprintf(in, sizeof in, CLIPS "%s", sources[i].name);
        if (access(in, R_OK) != 0) continue; /* this ffmpeg lacks the encoder */
        snprintf(out, sizeof out, "%s/cut.%s", dir, sources[i].matroska ? "mkv" : "mp4");
        snprintf(from, sizeof from, "%s/from", dir);
        snprintf(copy, sizeof copy, "%s/copy", dir);
        struct media_run r = run(DECODER_ORIGINAL, in, out, 1500000, 1900000, sources[i].matroska, NULL);
        if (!r.ended) fail_msg("%s: %s", sources[i].name, r.fail.text);
        if (r.end.first_pts_us > 1500000 || r.end.end_us < 1900000)
            fail_msg("%s: %" PRId64 " to %" PRId64, sources[i].name, r.end.first_pts_us, r.end.end_us);
        struct media_run a = run(DECODER_UNITS, in, from, 1500000, 1900000, false, NULL);
        struct media_run b = run(DECODER_UNITS, out, copy, 0, 1000000000, false, NULL);
        assert_true(a.ended && b.ended);
        char *x = hashes(from), *y = hashes(copy);
        if (strlen(x) < 64 || strcmp(x, y) != 0) fail_msg("%s: other units", sources[i].name);
        /* Packed AVI holds a packet or two that show nothing. */
        if (shell("set -- $(ffprobe -v quiet -count_frames -count_packets -show_entries "
                  "stream=nb_read_frames,nb_read_packets -of csv=p=0 %s | tr , ' ') && [ $1 -gt 9 ] && [ $1 -ge $(($2 - 2)) ]",
                  out) != 0)
            fail_msg("%s: the extract does not play", sources[i].name);
        free(x);
        free(y);
    }
}

static void containers_of_the_same_video_give_the_same_units(void **state) {
    (void)state;
    char a[128], b[128], t[128], mkv[128];
    snprintf(a, sizeof a, "%s/a", dir);
    snprintf(b, sizeof b, "%s/b", dir);
    snprintf(t, sizeof t, "%s/t", dir);
    snprintf(mkv, sizeof mkv, "%s/same.mkv", dir);
    assert_int_equal(shell("ffmpeg -nostdin -v error -y -i %s -c copy %s", CLIPS "bframes.mp4", mkv), 0);
    assert_true(run(DECODER_UNITS, CLIPS "bframes.mp4", a, 0, 1000000, false, NULL).ended);
    assert_true(run(DECODER_UNITS, mkv, b, 0, 1000000, false, NULL).ended);
    assert_true(run(DECODER_UNITS, CLIPS "bframes.ts", t, 0, 1000000, false, NULL).ended);
    char *mp4 = hashes(a), *matroska = hashes(b), *ts = hashes(t);
    assert_string_equal(mp4, matroska);
    /* A transport stream repeats the headers in the stream; all units of the video are there, in their order. */
    const char *at = ts;
    for (const char *unit = mp4; *unit; unit += 64) {
        while (*at && strncmp(at, unit, 64) != 0) at += 64;
        assert_int_equal(strncmp(at, unit, 64), 0);
    }
    free(mp4);
    free(matroska);
    free(ts);
}

/* The witness is the ffmpeg command, which knows nothing of our units. */
static void the_bytes_of_an_extract_are_a_piece_of_the_source(void **state) {
    (void)state;
    char out[128], a[128], b[128];
    size_t n_a, n_b;
    snprintf(out, sizeof out, "%s/cut.mp4", dir);
    snprintf(a, sizeof a, "%s/a.h264", dir);
    snprintf(b, sizeof b, "%s/b.h264", dir);
    struct media_run r = run(DECODER_ORIGINAL, CLIPS "bframes.mp4", out, 2500000, 3500000, false, NULL);
    assert_true(r.ended);
    assert_int_equal(r.end.first_pts_us, 2000000); /* the key frame before */
    assert_int_equal(shell("ffmpeg -nostdin -v error -y -i %s -c copy -f h264 %s", CLIPS "bframes.mp4", a),
                     0);
    assert_int_equal(shell("ffmpeg -nostdin -v error -y -i %s -c copy -f h264 %s", out, b), 0);
    char *whole = read_text(a, &n_a), *piece = read_text(b, &n_b);
    assert_true(n_b > 1000 && n_b < n_a);
    assert_non_null(memmem(whole, n_a, piece, n_b));
    free(whole);
    free(piece);
}

static void video_without_times_or_keys_gives_no_extract_but_says_so(void **state) {
    (void)state;
    char out[128];
    snprintf(out, sizeof out, "%s/none.mp4", dir);
    struct media_run r = run(DECODER_ORIGINAL, CLIPS "bframes.mp4", out, 900000000, 901000000, false, NULL);
    assert_true(r.failed);
    assert_int_equal(r.fail.why, WIRE_FAIL_DATA);
}

static void masked_copy_hides_with_a_constant_and_shows_the_rest(void **state) {
    (void)state;
    char out[128], raw[128];
    snprintf(out, sizeof out, "%s/masked.mp4", dir);
    snprintf(raw, sizeof raw, "%s/masked.gray", dir);
    struct wire_area area;
    memset(&area, 0, sizeof area);
    area.n = 4;
    const uint16_t half = 32768;
    memcpy(area.x, (const uint16_t[]){half, 65535, 65535, half}, 8);
    memcpy(area.y, (const uint16_t[]){half, half, 65535, 65535}, 8);
    struct wire_mask_piece pieces[100];
    memset(pieces, 0, sizeof pieces);
    for (unsigned i = 0; i < 100;
         i++) { /* more than one message; all but the first hide nothing in this clip */
        pieces[i].from_us = i ? 60000000 : 0;
        pieces[i].to_us = 70000000;
        memcpy(pieces[i].from, (const uint16_t[]){0, half, half / 2, 65535}, 8);
        memcpy(pieces[i].to, pieces[i].from, 8);
    }
    const struct decoder_mask mask = {.areas = &area, .n_areas = 1, .pieces = pieces, .n_pieces = 100};
    struct media_run r = run(DECODER_MASKED, CLIPS "ippp.mp4", out, 1000000, 2000000, false, &mask);
    assert_true(r.ended);
    assert_int_equal(shell("ffmpeg -nostdin -v error -y -i %s -f rawvideo -pix_fmt gray %s", out, raw), 0);
    size_t n;
    enum { W = 640, H = 360 };
    uint8_t *p = (uint8_t *)read_text(raw, &n);
    assert_true(n >= (size_t)W * H * 25 && n % (W * H) == 0);
    const uint32_t banner = mask_banner_height(H);
    for (size_t at = 0; at < n; at += (size_t)W * H) {
        int least = 255, most = 0, plain_least = 255, plain_most = 0, banner_most = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int v = p[at + (size_t)y * W + (size_t)x];
                /* 16 pixels inside: what the encoder's blocks carry over the edge is no secret. */
                const bool in_area = x > W / 2 + 16 && y > H / 2 + 16,
                           in_box = x < W / 4 - 16 && y > H / 2 + 16;
                if (in_area || in_box) {
                    if (v < least) least = v;
                    if (v > most) most = v;
                } else if (y > (int)banner + 16 && y < H / 2 - 16) {
                    if (v < plain_least) plain_least = v;
                    if (v > plain_most) plain_most = v;
                } else if (y < (int)banner && v > banner_most) {
                    banner_most = v;
                }
            }
        if (most - least > 6 || plain_most - plain_least < 100 || banner_most < 180)
            fail_msg("frame %zu: hidden %d..%d, shown %d..%d, words %d", at / (W * H), least, most,
                     plain_least, plain_most, banner_most);
    }
    free(p);
}

int main(void) {
    if (!media_ready(CLIPS, exe, sizeof exe) || !tmpdir_make(dir, sizeof dir)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extract_has_the_units_of_its_source_and_an_ordinary_player_plays_it),
        cmocka_unit_test(containers_of_the_same_video_give_the_same_units),
        cmocka_unit_test(the_bytes_of_an_extract_are_a_piece_of_the_source),
        cmocka_unit_test(video_without_times_or_keys_gives_no_extract_but_says_so),
        cmocka_unit_test(masked_copy_hides_with_a_constant_and_shows_the_rest),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tmpdir_remove(dir);
    return failed;
}
