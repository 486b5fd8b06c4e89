/* SPDX-License-Identifier: Apache-2.0 */
#include "host/proc/wire.h"

#include <stdbool.h>
#include <string.h>

#include "driver/card_abi.h"
#include "host/base/log.h"
#include "host/proc/slots.h"

#define SIDE_MAX_PX      16384u
#define TENSOR_MAX_BYTES (64u << 20)
#define FIX_POINT_LIMIT  64
#define LANES_MAX        64u
#define CROP_SIDE_MAX_PX 4096u
#define ARENA_SLOT_MAX   (1ull << 32)
#define STRIDE_MAX_BYTES (4u * SIDE_MAX_PX)
#define UV_OFFSET_MAX    (1u << 31)
#define TIME_MAX_US      1000000000000000ll /* 31 years: sums of two never overflow */

/* No two messages are told apart by anything but their type, so nothing may hide in padding. */
_Static_assert(sizeof(struct wire_surface) == 20, "wire_surface has no padding");
_Static_assert(sizeof(struct wire_frame) == 56, "wire_frame has no padding but its tail");
_Static_assert(sizeof(struct wire_roi) == 8, "wire_roi has no padding");

void wire_begin(void *msg, enum wire_type type, size_t n_bytes) {
    struct wire_header *h = msg;
    h->magic = WIRE_MAGIC;
    h->type = (uint16_t)type;
    h->n_bytes = (uint32_t)n_bytes;
}

/* The size that messages of a type have; 0 = no such type. */
static size_t size_of_type(enum wire_type type) {
    switch (type) {
    case WIRE_PING:
    case WIRE_PONG:
        return sizeof(struct wire_header);
    case WIRE_LOG:
        return sizeof(struct wire_log);
    case WIRE_DECODE_GRANT:
        return sizeof(struct wire_grant);
    case WIRE_DECODE_AREA:
        return sizeof(struct wire_area);
    case WIRE_DECODE_MASK:
        return sizeof(struct wire_mask);
    case WIRE_DECODE_PROBED:
        return sizeof(struct wire_probed);
    case WIRE_DECODE_FRAME:
        return sizeof(struct wire_frame);
    case WIRE_DECODE_GAP:
        return sizeof(struct wire_gap);
    case WIRE_DECODE_END:
        return sizeof(struct wire_decode_end);
    case WIRE_DECODE_FAILED:
        return sizeof(struct wire_failed);
    case WIRE_DECODE_GATE:
        return sizeof(struct wire_gate);
    case WIRE_CARD_ARENA:
    case WIRE_CARD_ARENA_DROP:
        return sizeof(struct wire_arena);
    case WIRE_CARD_DETECT:
        return sizeof(struct wire_detect);
    case WIRE_CARD_CROPS:
    case WIRE_CARD_REGIONS:
        return sizeof(struct wire_crops);
    case WIRE_CARD_READY:
        return sizeof(struct wire_card_ready);
    case WIRE_CARD_DONE:
        return sizeof(struct wire_card_done);
    }
    return 0;
}

/* Terminated, and without control characters: texts end up in log lines and on terminals. */
static bool is_text(const char *p, size_t cap) {
    for (size_t i = 0; i < cap; i++) {
        const unsigned char c = (unsigned char)p[i];
        if (c == 0) return true;
        if (c < 0x20 || c == 0x7f) return false;
    }
    return false;
}
#define IS_TEXT(array) is_text((array), sizeof(array))

static bool is_surface(const struct wire_surface *s) {
    return s->w_px >= 2 && s->h_px >= 2 && s->w_px <= SIDE_MAX_PX && s->h_px <= SIDE_MAX_PX &&
           s->w_px % 2 == 0 && s->h_px % 2 == 0 && s->stride_bytes >= s->w_px &&
           s->stride_bytes <= STRIDE_MAX_BYTES && s->uv_offset_bytes <= UV_OFFSET_MAX &&
           (uint64_t)s->uv_offset_bytes >= (uint64_t)s->stride_bytes * s->h_px &&
           s->matrix <= CARD_MATRIX_BT709 && s->full_range <= 1 && s->reserved[0] == 0 && s->reserved[1] == 0;
}

static bool is_probed(const struct wire_probed *m) {
    return m->duration_us >= 0 && m->duration_us <= TIME_MAX_US && m->creation_ms >= 0 && m->w_px >= 1 &&
           m->h_px >= 1 && m->w_px <= SIDE_MAX_PX && m->h_px <= SIDE_MAX_PX && m->n_video_streams >= 1 &&
           m->rotation_deg < 360 && m->rotation_deg % 90 == 0 && IS_TEXT(m->container) && IS_TEXT(m->codec) &&
           IS_TEXT(m->pixel_format) && IS_TEXT(m->encoder);
}

static bool is_frame(const struct wire_frame *m) {
    return m->slot < SLOTS_MAX && m->pts_us >= 0 && m->pts_us <= TIME_MAX_US && m->is_key <= 1 &&
           m->is_damaged <= 1 && m->reserved[0] == 0 && m->reserved[1] == 0 && is_surface(&m->surface);
}

static bool is_decode_end(const struct wire_decode_end *m) {
    return m->end_us <= TIME_MAX_US && m->first_pts_us >= -TIME_MAX_US && m->end_us >= m->last_pts_us &&
           m->first_pts_us <= m->last_pts_us && m->n_sent <= m->n_decoded && m->n_damaged <= m->n_decoded;
}

static bool is_failed(const struct wire_failed *m) {
    return m->why >= WIRE_FAIL_OPEN && m->why <= WIRE_FAIL_PROTOCOL && m->reserved == 0 && IS_TEXT(m->text);
}

static bool is_mask(const struct wire_mask *m) {
    static const uint8_t none[sizeof m->pieces[0].reserved];
    if (m->n == 0 || m->n > WIRE_MASKS_MAX || m->reserved != 0) return false;
    for (unsigned i = 0; i < m->n; i++) {
        const struct wire_mask_piece *p = &m->pieces[i];
        if (p->from_us < -TIME_MAX_US || p->to_us > TIME_MAX_US || p->to_us <= p->from_us || p->show > 1 ||
            memcmp(p->reserved, none, sizeof none) != 0)
            return false;
        if (p->from[0] > p->from[2] || p->from[1] > p->from[3] || p->to[0] > p->to[2] || p->to[1] > p->to[3])
            return false;
    }
    return true;
}

static bool is_gate(const struct wire_gate *m) {
    return m->from_us >= -TIME_MAX_US && m->to_us <= TIME_MAX_US && m->from_us < m->to_us && m->open <= 1 &&
           m->would_open <= 1 && m->sample <= 1 && m->learning <= 1 && m->by_packets <= 1 &&
           m->reserved[0] == 0 && m->reserved[1] == 0 && m->reserved[2] == 0 && m->reserved2 == 0;
}

static bool is_arena(const struct wire_arena *m) {
    return m->n_slots >= 1 && m->n_slots <= SLOTS_MAX && m->slot_bytes > 0 &&
           m->slot_bytes <= ARENA_SLOT_MAX && m->slot_bytes % SLOTS_ALIGN_BYTES == 0 && m->writable <= 1 &&
           m->reserved == 0;
}

static bool is_detect(const struct wire_detect *m) {
    return m->slot < SLOTS_MAX && m->out_slot < SLOTS_MAX && is_surface(&m->surface);
}

static bool is_crops(const struct wire_crops *m) {
    if (m->slot >= SLOTS_MAX || m->out_slot >= SLOTS_MAX || !is_surface(&m->surface)) return false;
    if (m->dst_w_px == 0 || m->dst_h_px == 0 || m->dst_w_px > CROP_SIDE_MAX_PX ||
        m->dst_h_px > CROP_SIDE_MAX_PX)
        return false;
    if (m->n_rois == 0 || m->n_rois > WIRE_ROIS_MAX) return false;
    for (unsigned i = 0; i < m->n_rois; i++) {
        const struct wire_roi *r = &m->rois[i];
        if (r->x_px % 2 || r->y_px % 2 || r->w_px < 2 || r->h_px < 2) return false;
        if ((uint32_t)r->x_px + r->w_px > m->surface.w_px || (uint32_t)r->y_px + r->h_px > m->surface.h_px)
            return false;
    }
    return true;
}

static bool is_tensor(const struct wire_tensor *t) {
    return IS_TEXT(t->name) && t->reserved == 0 && t->n_bytes > 0 && t->n_bytes <= TENSOR_MAX_BYTES &&
           t->h > 0 && t->w > 0 && t->c > 0 && t->h <= TENSOR_MAX_BYTES && t->w <= TENSOR_MAX_BYTES &&
           (uint64_t)t->h * t->w <= TENSOR_MAX_BYTES && (uint64_t)t->h * t->w * t->c == t->n_bytes &&
           t->fix_point >= -FIX_POINT_LIMIT && t->fix_point <= FIX_POINT_LIMIT;
}

static bool is_card_ready(const struct wire_card_ready *m) {
    if (m->n_lanes == 0 || m->n_lanes > LANES_MAX || m->simulated > 1) return false;
    if (!IS_TEXT(m->device) || !IS_TEXT(m->core_library) || !IS_TEXT(m->runner_library) ||
        !IS_TEXT(m->model) || !IS_TEXT(m->model_sha256))
        return false;
    if (m->reserved[0] || m->reserved[1] || m->reserved[2]) return false;
    if (m->n_outputs == 0 || m->n_outputs > WIRE_TENSORS_MAX || !is_tensor(&m->input)) return false;
    for (unsigned i = 0; i < m->n_outputs; i++)
        if (!is_tensor(&m->outputs[i])) return false;
    return true;
}

static bool is_well_formed(enum wire_type type, const union wire_any *m) {
    switch (type) {
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_CARD_ARENA_DROP:
        return true;
    case WIRE_LOG:
        return m->log.level <= LOG_ERROR && IS_TEXT(m->log.line);
    case WIRE_DECODE_GRANT:
        return m->grant.slot < SLOTS_MAX && m->grant.reserved == 0;
    case WIRE_DECODE_AREA:
        return m->area.n >= 3 && m->area.n <= WIRE_AREA_MAX && m->area.reserved == 0;
    case WIRE_DECODE_MASK:
        return is_mask(&m->mask);
    case WIRE_DECODE_PROBED:
        return is_probed(&m->probed);
    case WIRE_DECODE_FRAME:
        return is_frame(&m->frame);
    case WIRE_DECODE_GAP:
        return m->gap.from_us >= -TIME_MAX_US && m->gap.to_us <= TIME_MAX_US &&
               m->gap.from_us <= m->gap.to_us && IS_TEXT(m->gap.reason);
    case WIRE_DECODE_END:
        return is_decode_end(&m->decode_end);
    case WIRE_DECODE_FAILED:
        return is_failed(&m->failed);
    case WIRE_DECODE_GATE:
        return is_gate(&m->gate);
    case WIRE_CARD_ARENA:
        return is_arena(&m->arena);
    case WIRE_CARD_DETECT:
        return is_detect(&m->detect);
    case WIRE_CARD_CROPS:
    case WIRE_CARD_REGIONS:
        return is_crops(&m->crops);
    case WIRE_CARD_READY:
        return is_card_ready(&m->card_ready);
    case WIRE_CARD_DONE:
        return m->card_done.status <= ERR_UNSUPPORTED;
    }
    return false;
}

enum err wire_check(const void *raw, size_t n_bytes, void *out, size_t cap, enum wire_type *type) {
    struct wire_header h;
    if (n_bytes < sizeof h || n_bytes > sizeof(union wire_any) || n_bytes > cap) return ERR_CORRUPT;
    /* `raw` may be memory that the sender can still change, and need not be aligned: one copy, then only
     * that. */
    union wire_any m;
    memcpy(&m, raw, n_bytes);
    h = m.h;
    if (h.magic != WIRE_MAGIC || h.n_bytes != n_bytes) return ERR_CORRUPT;
    const enum wire_type t = (enum wire_type)h.type;
    if (size_of_type(t) != n_bytes || !is_well_formed(t, &m)) return ERR_CORRUPT;
    memcpy(out, &m, n_bytes);
    *type = t;
    return OK;
}

enum err wire_surface_fits(const struct wire_surface *s, size_t slot_bytes) {
    if (!is_surface(s)) return ERR_CORRUPT;
    const uint64_t end = (uint64_t)s->uv_offset_bytes + (uint64_t)s->stride_bytes * (s->h_px / 2);
    return end <= slot_bytes ? OK : ERR_CORRUPT;
}
