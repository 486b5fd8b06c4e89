/* SPDX-License-Identifier: Apache-2.0 */
/* media.h - run one decode worker to its end and keep what it said; make clips with the ffmpeg command.
 * For tests and benchmarks; everything asserts nothing and reports by value. */
#ifndef TESTS_SUPPORT_MEDIA_H
#define TESTS_SUPPORT_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "host/media/decoder.h"

struct media_frame {
    int64_t pts_us;
    bool is_key, is_damaged;
    struct wire_surface surface;
    uint64_t hash; /* of its pixels */
};

struct media_run {
    bool ended, failed, probed;
    enum err err;
    struct wire_probed probe;
    struct wire_decode_end end;
    struct wire_failed fail;
    struct media_frame *frames; /* owned */
    unsigned n_frames;
    struct wire_gap gaps[64];
    unsigned n_gaps;
    uint64_t cpu_us, peak_kib;
};

struct media_job {
    enum decoder_job job;
    const char *path;
    const char *out_path;            /* STILL, CLIP and after */
    bool matroska;                   /* ORIGINAL */
    const struct decoder_mask *mask; /* MASKED */
    uint32_t fps_milli;
    int64_t after_us, from_us, to_us;
    bool keys_only;
    unsigned n_slots;      /* 0 = 4 */
    size_t slot_bytes;     /* 0 = 4 MiB */
    unsigned kill_after;   /* kill the worker after that many frames; 0 = never */
    unsigned stop_after;   /* free the decoder after that many frames */
    unsigned append_after; /* append a byte to the file after that many frames */
    bool unhashed;         /* for benchmarks: pixels are not read */
    unsigned limit_s;      /* 0 = 60 */
    /* Frame `keep` is copied here, `keep_bytes` of it. */
    unsigned keep;
    uint8_t *keep_to;
    size_t keep_bytes;
};

void media_run(const char *exe, const struct media_job *job, struct media_run *out);
void media_run_fini(struct media_run *r);

/* Absolute path of a program built beside the running test: "relecture-decode" in build/VARIANT. */
void media_built_path(const char *name, char *out, size_t cap);

/* What a test of the media programs begins with: the path of relecture-decode, and the clips made in `dir`.
 * False after a failed TAP line when ffmpeg could not make them. */
bool media_ready(const char *dir, char *decode_exe, size_t cap);

#endif
