/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recording: refused with a reason, or frames with rising times whose pixels stay in their
 * place. The corpus: clips of three frames, 64 x 48, by the ffmpeg command, one per container and codec, and
 * broken ones. */
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "host/base/log.h"
#include "host/media/decode.h"
#include "host/media/demux.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

#define ROOM_BYTES (1u << 20)
#define FRAMES_MAX 40
#define ALLOC_MAX  (48u << 20)

static void quiet(enum log_level level, const char *line, void *arg) {
    (void)level;
    (void)line;
    (void)arg;
}

static void on_gap(int64_t from_us, int64_t to_us, const char *reason, void *arg) {
    (void)arg;
    REQUIRE(from_us <= to_us && reason && reason[0]);
}

static void require_reason(const struct wire_failed *f) {
    union wire_any out;
    enum wire_type type;
    REQUIRE(wire_check(f, sizeof *f, &out, sizeof out, &type) == OK && f->text[0]);
}

/* Decodes some frames; the pixels must stay inside `room`. */
static void some_frames(struct decode *dec, uint8_t *room, int64_t *last_us) {
    struct wire_failed f;
    for (int i = 0; i < FRAMES_MAX; i++) {
        struct decode_frame fr;
        enum err e = decode_next(dec, &fr, &f);
        if (e != OK) {
            if (e != ERR_EOF) require_reason(&f);
            return;
        }
        REQUIRE(fr.pts_us > *last_us && fr.duration_us > 0);
        *last_us = fr.pts_us;
        struct wire_surface s;
        e = decode_nv12(dec, &fr, room, ROOM_BYTES, &s, &f);
        if (e == OK)
            REQUIRE(wire_surface_fits(&s, ROOM_BYTES) == OK);
        else
            require_reason(&f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    log_sink(quiet, NULL);
    av_log_set_level(AV_LOG_QUIET);
    av_max_alloc(ALLOC_MAX);
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    uint8_t *room = malloc(ROOM_BYTES); /* on the heap: a byte too many is seen */
    REQUIRE(room);
    struct wire_failed f;
    struct demux *d = NULL;
    struct decode *dec = NULL;
    enum err e = demux_open(fd, NULL, NULL, &d, &f);
    if (e == OK) e = decode_open(d, on_gap, NULL, &dec, &f);
    struct decode_frame first;
    if (e == OK) e = decode_next(dec, &first, &f);
    if (e == OK) {
        REQUIRE(first.pts_us == 0);
        struct wire_probed p;
        union wire_any out;
        enum wire_type type;
        struct wire_surface s;
        e = decode_shape(dec, &first, &s, &f);
        if (e == OK) {
            decode_describe(dec, &first, &p);
            REQUIRE(wire_check(&p, sizeof p, &out, sizeof out, &type) == OK);
            int64_t last_us = 0;
            decode_want(dec, 5000, -1, n % 2 == 1);
            some_frames(dec, room, &last_us);
            const int64_t back_us = last_us / 2;
            e = decode_seek_us(dec, back_us, &f);
            last_us = -1;
            if (e == OK) some_frames(dec, room, &last_us);
            if (e == ERR_EOF) e = OK;
        }
    }
    if (e != OK) require_reason(&f);
    decode_close(&dec);
    demux_close(&d);
    free(room);
    close(fd);
    return 0;
}
