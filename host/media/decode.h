/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - the frames of a recording in the order they are shown, with their true times, and their pixels
 * as NV12 in the shape that a person sees: cropped, square pixels, upright, even sides. One decoder thread: a
 * worker per core, one file each, beats threads within a file. Threads: one. Ownership: a frame is valid
 * until the next call that takes the decoder non-const. */
#ifndef HOST_MEDIA_DECODE_H
#define HOST_MEDIA_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/media/demux.h"
#include "host/proc/wire.h"

struct AVFrame;
struct decode;

struct decode_frame {
    const struct AVFrame *av;
    int64_t pts_us; /* since the first frame; strictly rising */
    int64_t duration_us;
    bool is_key, is_damaged;
};

struct decode_counts {
    uint64_t n_decoded, n_damaged;
    int64_t last_pts_us, end_us; /* < 0 and 0 before the first frame */
};

/* A stretch that could not be decoded, told when its end is known. */
typedef void decode_gap_fn(int64_t from_us, int64_t to_us, const char *reason, void *arg);

/* `d` is borrowed until decode_close(). */
MUST_CHECK enum err decode_open(struct demux *d, decode_gap_fn *on_gap, void *arg, struct decode **out,
                                struct wire_failed *f);
void decode_close(struct decode **pd);

/* ERR_EOF at the end; any other failure is described in *f. Damaged stretches are skipped up to the next key
 * frame; ERR_CORRUPT only when the whole file holds nothing decodable. */
MUST_CHECK enum err decode_next(struct decode *dec, struct decode_frame *out, struct wire_failed *f);
/* Goes on with the frames after a key frame such that the first frame that decode_next() then gives is shown
 * at or before `us` (or is the first of the file). Call after the first frame was decoded. */
MUST_CHECK enum err decode_seek_us(struct decode *dec, int64_t us, struct wire_failed *f);
/* The grid: marks lie at k / fps; a moment has reached mark decode_mark_of(). Containers round times to as
 * little as a millisecond, so half of one is forgiven. */
#define DECODE_MARK_SLACK_US 500
int64_t decode_mark_of(uint32_t fps_milli, int64_t us);
/* From now on only frames after after_us are wanted and, if fps_milli > 0, of those only the first that
 * reaches each mark. Others may be left out where nothing refers to them: 40 % of the time in streams with
 * B-frames. They count as footage that is there, but not as decoded. keys_only: only key frames at all, the
 * rest is not even looked at (about twelve times as fast). Call when the first frame is out. */
void decode_want(struct decode *dec, uint32_t fps_milli, int64_t after_us, bool keys_only);
/* A group of pictures was decided upon (gate.h); all times since the first frame. */
struct gate_verdict;
typedef void decode_verdict_fn(const struct gate_verdict *v, void *arg);
/* From now on only the groups that the gate opens are decoded, and of the others the key frame. After
 * decode_want(); seek afterwards, to gate_begin_us(after_us). Where packets have no times all is decoded. arg:
 * that of decode_open(). */
MUST_CHECK enum err decode_gate(struct decode *dec, unsigned width, decode_verdict_fn *on_verdict,
                                struct wire_failed *f);
void decode_counts(const struct decode *dec, struct decode_counts *out);

/* Shape of the picture that decode_nv12() makes of this frame; ERR_UNSUPPORTED with *f for absurd ones. */
MUST_CHECK enum err decode_shape(const struct decode *dec, const struct decode_frame *fr,
                                 struct wire_surface *s, struct wire_failed *f);
/* Writes it to `dst` of `cap` bytes. ERR_FULL with WIRE_FAIL_GEOMETRY and the need when it does not fit. */
MUST_CHECK enum err decode_nv12(struct decode *dec, const struct decode_frame *fr, uint8_t *dst, size_t cap,
                                struct wire_surface *s, struct wire_failed *f);
/* What the file is, after its first frame was decoded. */
void decode_describe(const struct decode *dec, const struct decode_frame *first, struct wire_probed *p);

#endif
