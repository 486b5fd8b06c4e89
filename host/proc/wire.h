/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - the messages between the server and its workers. Same machine and same build on both sides, so a
 * message is a fixed-width struct behind a header; the receiver copies it first, checks it, then uses it.
 * wire_check() is the one place that decides whether bytes are a message; a worker that sends anything else
 * is ended, never argued with.
 * Times of media are microseconds of presentation time counted from the recording's first video frame. */
#ifndef HOST_PROC_WIRE_H
#define HOST_PROC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define WIRE_MAGIC       0x4c52u /* "RL" */
#define WIRE_TEXT_MAX    256u
#define WIRE_ROIS_MAX    32u
#define WIRE_TENSORS_MAX 8u

enum wire_type {
    /* both ways */
    WIRE_PING = 1,
    WIRE_PONG,
    WIRE_LOG, /* worker -> server: struct wire_log */
    /* server -> decode worker */
    WIRE_DECODE_GRANT = 16, /* struct wire_grant: this slot is yours to fill */
    WIRE_DECODE_AREA,       /* struct wire_area: a part of the picture that a masked copy hides */
    WIRE_DECODE_MASK,       /* struct wire_mask: boxes that it hides or shows, over time */
    /* decode worker -> server */
    WIRE_DECODE_PROBED = 32, /* struct wire_probed */
    WIRE_DECODE_FRAME,       /* struct wire_frame: a granted slot holds a surface */
    WIRE_DECODE_GAP,         /* struct wire_gap: a stretch that could not be decoded */
    WIRE_DECODE_END,         /* struct wire_decode_end: the job is done */
    WIRE_DECODE_FAILED,      /* struct wire_failed: it cannot be done; the worker ends */
    WIRE_DECODE_GATE,        /* struct wire_gate: what the gate decided about a group of pictures */
    /* server -> card worker */
    WIRE_CARD_ARENA = 64, /* struct wire_arena, the memfd attached */
    WIRE_CARD_ARENA_DROP, /* struct wire_arena (id only): unmap; no job may refer to it any more */
    WIRE_CARD_DETECT,     /* struct wire_detect */
    WIRE_CARD_CROPS,      /* struct wire_crops */
    WIRE_CARD_REGIONS,    /* struct wire_crops: each region goes through the network */
    /* card worker -> server */
    WIRE_CARD_READY = 80, /* struct wire_card_ready */
    WIRE_CARD_DONE,       /* struct wire_card_done: exactly one per job */
};

struct wire_header {
    uint16_t magic, type;
    uint32_t n_bytes; /* of the whole message, header included */
};

struct wire_log {
    struct wire_header h;
    uint32_t level;
    char line[1024]; /* zero-terminated */
};

/* A decoded picture in a slot: NV12, both planes of the same stride, chroma at uv_offset_bytes. */
struct wire_surface {
    uint32_t w_px, h_px;      /* even; the shown picture, after cropping and rotation */
    uint32_t stride_bytes;    /* >= w_px */
    uint32_t uv_offset_bytes; /* >= stride * h */
    uint8_t matrix;           /* enum card_matrix: how to turn YUV into RGB */
    uint8_t full_range;       /* 1 = luma 0..255, else 16..235 */
    uint8_t reserved[2];      /* zero */
};

struct wire_grant {
    struct wire_header h;
    uint32_t slot, reserved;
};

#define WIRE_AREA_MAX 16u
/* A polygon; corners as 1/65536 of the shown picture. */
struct wire_area {
    struct wire_header h;
    uint32_t n, reserved; /* 3 to 16 corners */
    uint16_t x[WIRE_AREA_MAX], y[WIRE_AREA_MAX];
};

#define WIRE_MASKS_MAX 64u
/* A box that goes from one place to another: x0 y0 x1 y1 as 1/65536 of the shown picture. */
struct wire_mask_piece {
    int64_t from_us, to_us; /* [from, to) */
    uint16_t from[4], to[4];
    uint8_t show, reserved[7]; /* show: this is the object that the copy is about */
};
struct wire_mask {
    struct wire_header h;
    uint32_t n, reserved;
    struct wire_mask_piece pieces[WIRE_MASKS_MAX];
};

struct wire_probed {
    struct wire_header h;
    int64_t duration_us;  /* 0 = unknown */
    int64_t first_pts_us; /* of the first video frame, as the container has it */
    int64_t creation_ms;  /* UTC, from the container's metadata; 0 = none. A hint only, never the truth */
    uint32_t w_px, h_px;  /* shown size */
    uint32_t fps_milli;   /* average frames per 1,000 s / 1; 0 = unknown */
    uint32_t n_video_streams, n_audio_streams;
    uint32_t rotation_deg; /* 0, 90, 180, 270 */
    char container[32], codec[32], pixel_format[32];
    char encoder[64];
};

struct wire_frame {
    struct wire_header h;
    uint32_t slot;
    uint32_t seq;       /* 0, 1, 2 ... of this worker's frames */
    int64_t pts_us;     /* since the first frame of the recording */
    uint32_t n_decoded; /* frames decoded so far, this one included (of which some were not asked for) */
    uint8_t is_key, is_damaged, reserved[2];
    struct wire_surface surface;
};

struct wire_gap {
    struct wire_header h;
    int64_t from_us, to_us; /* to_us: start of the next good segment, or the end */
    char reason[WIRE_TEXT_MAX];
};

/* Comes before the frames of its group; a resumed run tells again of groups before after_us. */
struct wire_gate {
    struct wire_header h;
    int64_t from_us, to_us; /* from its key frame to the next */
    uint8_t open, would_open, sample, learning, by_packets, reserved[3];
    uint32_t n_active, reserved2; /* cells of its key frame that were out of the ordinary */
};

struct wire_decode_end {
    struct wire_header h;
    int64_t first_pts_us; /* of the first frame sent or written (a clip begins there); < 0 = none */
    int64_t last_pts_us;  /* of the last frame decoded (STILL: of the one written); < 0 = none */
    int64_t end_us;       /* where it ends: last pts + its duration */
    uint64_t n_decoded, n_sent, n_damaged, n_bytes;
    uint64_t cpu_us; /* of this worker so far */
};

enum wire_fail {
    WIRE_FAIL_OPEN = 1, /* not a container we know, or empty */
    WIRE_FAIL_NO_VIDEO, /* a container without a video stream */
    WIRE_FAIL_CODEC,    /* no decoder, or encrypted */
    WIRE_FAIL_SIZE,     /* zero, odd beyond repair or too large pictures */
    WIRE_FAIL_READ,     /* read error, or the file changed under us */
    WIRE_FAIL_DATA,     /* nothing decodable */
    WIRE_FAIL_GEOMETRY, /* pictures became larger than a slot: position_us says where, w_px x h_px the need */
    WIRE_FAIL_MEMORY,
    WIRE_FAIL_WRITE,    /* the output descriptor refused (disk full) */
    WIRE_FAIL_PROTOCOL, /* the server sent something impossible */
    WIRE_FAIL_DIED      /* never sent: our own word for a worker that died or broke the protocol */
};
struct wire_failed {
    struct wire_header h;
    uint32_t why; /* enum wire_fail */
    uint32_t w_px, h_px, reserved;
    int64_t position_us;      /* < 0 = before the first frame */
    char text[WIRE_TEXT_MAX]; /* English, for a person: what and where */
};

struct wire_arena {
    struct wire_header h;
    uint32_t arena, n_slots;
    uint64_t slot_bytes;
    uint32_t writable, reserved;
};

/* Letterbox the surface into the detector's input, run the detector, write its raw output tensors back to
 * back (in the order and sizes of wire_card_ready) into out_slot of out_arena. */
struct wire_detect {
    struct wire_header h;
    uint64_t job;
    uint32_t arena, slot;
    uint32_t out_arena, out_slot;
    struct wire_surface surface;
};

struct wire_roi {
    uint16_t x_px, y_px, w_px, h_px; /* in the surface; x, y even; at least 2x2; inside it */
};
/* Cut n_rois regions, each stretched to dst_w x dst_h, as int8 B,G,R = value - 128, back to back in out_slot.
 * As WIRE_CARD_REGIONS: dst_w x dst_h is the network's input, which takes exactly such crops; out_slot gets the
 * raw output tensors of the first region (in the order and sizes of wire_card_ready), then of the next. */
struct wire_crops {
    struct wire_header h;
    uint64_t job;
    uint32_t arena, slot;
    uint32_t out_arena, out_slot;
    struct wire_surface surface;
    uint16_t dst_w_px, dst_h_px;
    uint32_t n_rois;
    struct wire_roi rois[WIRE_ROIS_MAX];
};

struct wire_tensor {
    char name[64];
    uint32_t h, w, c;  /* NHWC with n = 1 */
    int32_t fix_point; /* real value = q * 2^-fix_point */
    uint32_t n_bytes;
    uint32_t reserved;
};
struct wire_card_ready {
    struct wire_header h;
    uint32_t n_lanes;                            /* jobs that run at once */
    uint32_t simulated;                          /* 1 when the XRT core library says it is our simulator */
    char device[64];                             /* device name as XRT gives it */
    char core_library[256], runner_library[256]; /* what was really loaded, by path */
    char model[64], model_sha256[65], reserved[3];
    uint32_t n_outputs;
    struct wire_tensor input, outputs[WIRE_TENSORS_MAX];
};

struct wire_card_done {
    struct wire_header h;
    uint64_t job;
    uint32_t status;                    /* enum err */
    uint32_t n_bytes;                   /* written to out_slot */
    uint32_t kernel_us, dpu_us;         /* wall time inside the worker */
    uint64_t kernel_cpu_us, dpu_cpu_us; /* CPU of this process so far (simulated parts included) */
};

/* Fills the header. */
void wire_begin(void *msg, enum wire_type type, size_t n_bytes);

/* Copies `n_bytes` of `raw` to `out` (capacity cap) when they are exactly one well-formed message: known
 * type, the size that this type has, terminated texts, enumerations and counts in range, reserved fields
 * zero. ERR_CORRUPT otherwise. What depends on context (slot numbers, arena ids, sizes against a slot) is the
 * receiver's to check: see wire_surface_fits(). Pure; any thread; fuzzed. */
MUST_CHECK enum err wire_check(const void *raw, size_t n_bytes, void *out, size_t cap, enum wire_type *type);

/* OK when the surface lies inside a slot of slot_bytes. */
MUST_CHECK enum err wire_surface_fits(const struct wire_surface *s, size_t slot_bytes);

/* Largest message, for buffers. */
union wire_any {
    struct wire_header h;
    struct wire_log log;
    struct wire_grant grant;
    struct wire_area area;
    struct wire_mask mask;
    struct wire_probed probed;
    struct wire_frame frame;
    struct wire_gap gap;
    struct wire_gate gate;
    struct wire_decode_end decode_end;
    struct wire_failed failed;
    struct wire_arena arena;
    struct wire_detect detect;
    struct wire_crops crops;
    struct wire_card_ready card_ready;
    struct wire_card_done card_done;
};

#endif
