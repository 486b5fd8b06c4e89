/* SPDX-License-Identifier: Apache-2.0 */
/* encode.h - what is taken out of a recording: a still as JPEG, a clip as MP4 that browsers play.
 * Writes to an open descriptor with pwrite() and to nothing else. Threads: one. */
#ifndef HOST_MEDIA_ENCODE_H
#define HOST_MEDIA_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/media/decode.h"
#include "host/media/demux.h"
#include "host/proc/wire.h"

/* JPEG of an NV12 picture in its right colours. ERR_FULL with WIRE_FAIL_WRITE when the disk refuses. */
MUST_CHECK enum err encode_still(const uint8_t *nv12, const struct wire_surface *s, int fd, int64_t at_us,
                                 struct wire_failed *f);

struct encode_clip {
    int64_t from_us, to_us; /* [from, to) */
    int fd;                 /* opened for reading and writing: the index moves to the front at the end */
    /* encode_clip_anew(): changes each picture before it is encoded; NULL = none. */
    enum err (*paint)(uint8_t *nv12, const struct wire_surface *s, int64_t pts_us, void *arg);
    void *paint_arg;
};
struct encode_clip_result {
    int64_t first_us, last_us, end_us; /* first: at or before from_us where the recording has a frame there */
    uint64_t n_frames;
};

/* H.264 that browsers play: its packets are copied, from the key frame before. ERR_UNSUPPORTED = not such a
 * stream, or not to be cut there: nothing is written, take encode_clip_anew(). The decoder that set the zero
 * of `d` cannot go on afterwards. */
MUST_CHECK enum err encode_clip_copy(struct demux *d, const struct encode_clip *c, demux_idle_fn *idle,
                                     void *arg, struct encode_clip_result *out, struct wire_failed *f);
/* The packets themselves, as they are: from the key frame at or before from_us to the end of the group that
 * holds to_us (without the pictures of an open group that
 * refer to what stands before), into MP4 (or Matroska: `matroska`), whatever the codec. ERR_UNSUPPORTED: not to be cut. */
MUST_CHECK enum err encode_original(struct demux *d, const struct encode_clip *c, bool matroska,
                                    demux_idle_fn *idle, void *arg, struct encode_clip_result *out,
                                    struct wire_failed *f);
/* The coded units of the same packets as text, one per line: "pts_us bytes sha256". A unit is a NAL unit of
 * H.264 or H.265 without start code, length and trailing zeros, else a whole packet: so MP4, Matroska and TS
 * of the same video give the same hashes. from_us < 0: from the first packet. */
MUST_CHECK enum err encode_units(struct demux *d, const struct encode_clip *c, demux_idle_fn *idle, void *arg,
                                 struct encode_clip_result *out, struct wire_failed *f);
/* Decodes and encodes as H.264, at most 1280 wide. */
MUST_CHECK enum err encode_clip_anew(struct decode *dec, const struct encode_clip *c, demux_idle_fn *idle,
                                     void *arg, struct encode_clip_result *out, struct wire_failed *f);

#endif
