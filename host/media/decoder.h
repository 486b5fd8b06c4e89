/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h - the server's view of one decode worker at work on one file.
 * The worker (relecture-decode) gets the open file as a descriptor and nothing else: it cannot open, connect
 * or exec (host/proc/sandbox.h). One worker does one job and ends. Threads: that of the event_base.
 * Ownership: decoder_free() at any time, also inside a callback. */
#ifndef HOST_MEDIA_DECODER_H
#define HOST_MEDIA_DECODER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"

struct event_base;
struct decoder;

enum decoder_job {
    DECODER_PROBE,  /* say what the file is: on_probed, then on_end */
    DECODER_FRAMES, /* deliver frames on a time grid: on_probed, on_frame..., on_end */
    DECODER_STILL,  /* one picture, the first frame with pts >= from_us, as JPEG written to out_fd */
    DECODER_CLIP /* a playable H.264 MP4 of [from_us, to_us) written to out_fd: packets copied when the source
                  * is H.264 that browsers play (cut at the key frame before), else re-encoded */
    ,
    DECODER_ORIGINAL, /* the untouched packets of whole groups around [from_us, to_us), written to out_fd */
    DECODER_UNITS,    /* the hashes of the coded units of the same packets, as text (host/media/encode.h) */
    DECODER_MASKED    /* CLIP encoded anew, with `mask` painted over it */
};

/* What a masked copy hides. Borrowed until decoder_start() returns. */
struct decoder_mask {
    const struct wire_area *areas; /* headers are filled in */
    unsigned n_areas;
    const struct wire_mask_piece *pieces;
    unsigned n_pieces;
};

struct decoder_spec {
    const char *exe;   /* path of relecture-decode */
    const char *label; /* shown in messages: the file's base name */
    enum decoder_job job;
    int in_fd;  /* borrowed; the recording, opened read-only */
    int out_fd; /* borrowed; STILL, CLIP and after: opened for reading and writing; -1 otherwise */
    /* FRAMES: the arena to fill (borrowed until decoder_free), and the grid. A frame is delivered when it is
     * the first one whose pts reaches k / fps (to half a millisecond: containers round) for a k not served
     * yet; that depends on the pts alone, so a resumed run picks the same frames. after_us < 0 = from the
     * beginning, else only frames with pts > after_us. */
    struct slots *slots;
    uint32_t fps_milli; /* 5000 = 5 per second; 0 = every frame */
    int64_t after_us;
    unsigned gate_width; /* FRAMES: 0 = every group of pictures is decoded, else gate.h's width */
    bool keys_only; /* FRAMES: only key frames, of those only what the grid takes; the rest is not decoded */
    int64_t from_us, to_us;          /* STILL, CLIP and after */
    bool matroska;                   /* ORIGINAL: into Matroska, for what MP4 does not take */
    const struct decoder_mask *mask; /* MASKED */
};

struct decoder_callbacks {
    void (*on_probed)(struct decoder *d, const struct wire_probed *p, void *arg);
    /* The slot carries one reference, now the callee's: slots_unref() when done. */
    void (*on_frame)(struct decoder *d, const struct wire_frame *f, void *arg);
    void (*on_gate)(struct decoder *d, const struct wire_gate *g, void *arg); /* may be NULL */
    void (*on_gap)(struct decoder *d, const struct wire_gap *g, void *arg);
    void (*on_end)(struct decoder *d, const struct wire_decode_end *e, void *arg);
    /* Exactly one of on_end and on_failed closes a job. e: ERR_CORRUPT and the like with the worker's text,
     * or why = WIRE_FAIL_DIED when it crashed or was killed: then a retry in a fresh worker
     * from the last frame delivered is the caller's decision. ERR_UNSUPPORTED with why = WIRE_FAIL_GEOMETRY
     * asks for larger slots. */
    void (*on_failed)(struct decoder *d, enum err e, const struct wire_failed *f, void *arg);
    void *arg;
};

MUST_CHECK enum err decoder_start(struct event_base *base, const struct decoder_spec *spec,
                                  const struct decoder_callbacks *cb, struct decoder **out);
/* Frames come only while slots are free; after slots_unref() outside a callback call this to hand the freed
 * slots to the worker. Cheap, idempotent. */
void decoder_pump(struct decoder *d);
int decoder_pid(const struct decoder *d);
/* CPU and peak memory of the worker, valid in on_end / on_failed and after. */
void decoder_usage(const struct decoder *d, uint64_t *cpu_us, uint64_t *peak_kib);
void decoder_free(struct decoder **d);

#endif
