/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message of a worker: refused, or one whose fields may be used as they are. */
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)
#define REQUIRE_TEXT(array)                                                                                  \
    do {                                                                                                     \
        REQUIRE(memchr((array), 0, sizeof(array)));                                                          \
        REQUIRE(!strpbrk((array), "\n\r\033"));                                                              \
    } while (0)

static void require_surface(const struct wire_surface *s) {
    REQUIRE(s->w_px >= 2 && s->h_px >= 2 && s->w_px <= 16384 && s->h_px <= 16384);
    REQUIRE(s->w_px % 2 == 0 && s->h_px % 2 == 0 && s->stride_bytes >= s->w_px);
    REQUIRE((uint64_t)s->uv_offset_bytes >= (uint64_t)s->stride_bytes * s->h_px);
    const uint64_t end = (uint64_t)s->uv_offset_bytes + (uint64_t)s->stride_bytes * (s->h_px / 2);
    REQUIRE((wire_surface_fits(s, 3u << 20) == OK) == (end <= 3u << 20));
    REQUIRE(s->matrix <= 1 && s->full_range <= 1);
}

static void require_tensor(const struct wire_tensor *t) {
    REQUIRE_TEXT(t->name);
    REQUIRE((uint64_t)t->h * t->w * t->c == t->n_bytes && t->n_bytes > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    union wire_any m;
    enum wire_type type;
    if (wire_check(data, n, &m, sizeof m, &type) != OK) return 0;
    REQUIRE(n >= sizeof m.h && m.h.n_bytes == n && m.h.type == (uint16_t)type && !memcmp(&m, data, n));
    switch (type) {
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_CARD_ARENA_DROP:
        break;
    case WIRE_LOG:
        REQUIRE(m.log.level <= LOG_ERROR);
        REQUIRE_TEXT(m.log.line);
        break;
    case WIRE_DECODE_GRANT:
        REQUIRE(m.grant.slot < SLOTS_MAX);
        break;
    case WIRE_DECODE_AREA:
        REQUIRE(m.area.n >= 3 && m.area.n <= WIRE_AREA_MAX);
        break;
    case WIRE_DECODE_MASK:
        REQUIRE(m.mask.n >= 1 && m.mask.n <= WIRE_MASKS_MAX);
        for (unsigned i = 0; i < m.mask.n; i++) REQUIRE(m.mask.pieces[i].to_us > m.mask.pieces[i].from_us);
        break;
    case WIRE_DECODE_PROBED:
        REQUIRE(m.probed.w_px && m.probed.h_px && m.probed.rotation_deg % 90 == 0);
        REQUIRE_TEXT(m.probed.container);
        REQUIRE_TEXT(m.probed.encoder);
        break;
    case WIRE_DECODE_FRAME:
        REQUIRE(m.frame.slot < SLOTS_MAX && m.frame.pts_us >= 0);
        require_surface(&m.frame.surface);
        break;
    case WIRE_DECODE_GAP:
        REQUIRE(m.gap.from_us <= m.gap.to_us);
        REQUIRE_TEXT(m.gap.reason);
        break;
    case WIRE_DECODE_GATE:
        REQUIRE(m.gate.from_us < m.gate.to_us && m.gate.open <= 1 && m.gate.would_open <= 1);
        break;
    case WIRE_DECODE_END:
        REQUIRE(m.decode_end.n_sent <= m.decode_end.n_decoded);
        break;
    case WIRE_DECODE_FAILED:
        REQUIRE(m.failed.why >= WIRE_FAIL_OPEN && m.failed.why <= WIRE_FAIL_PROTOCOL);
        REQUIRE_TEXT(m.failed.text);
        break;
    case WIRE_CARD_ARENA:
        REQUIRE(m.arena.n_slots <= SLOTS_MAX && m.arena.slot_bytes % SLOTS_ALIGN_BYTES == 0);
        break;
    case WIRE_CARD_DETECT:
        REQUIRE(m.detect.slot < SLOTS_MAX && m.detect.out_slot < SLOTS_MAX);
        require_surface(&m.detect.surface);
        break;
    case WIRE_CARD_CROPS:
    case WIRE_CARD_REGIONS:
        require_surface(&m.crops.surface);
        REQUIRE(m.crops.n_rois >= 1 && m.crops.n_rois <= WIRE_ROIS_MAX);
        for (unsigned i = 0; i < m.crops.n_rois; i++)
            REQUIRE((uint32_t)m.crops.rois[i].x_px + m.crops.rois[i].w_px <= m.crops.surface.w_px &&
                    (uint32_t)m.crops.rois[i].y_px + m.crops.rois[i].h_px <= m.crops.surface.h_px);
        break;
    case WIRE_CARD_READY:
        REQUIRE(m.card_ready.n_outputs >= 1 && m.card_ready.n_outputs <= WIRE_TENSORS_MAX);
        REQUIRE_TEXT(m.card_ready.core_library);
        require_tensor(&m.card_ready.input);
        for (unsigned i = 0; i < m.card_ready.n_outputs; i++) require_tensor(&m.card_ready.outputs[i]);
        break;
    case WIRE_CARD_DONE:
        REQUIRE(m.card_done.status <= ERR_UNSUPPORTED);
        break;
    }
    return 0;
}

static uint64_t next(uint64_t *s) {
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return *s >> 33;
}

/* A message of the right size whose small fields hold small numbers, then a few bytes changed. */
size_t fuzz_make_input(uint64_t seed, uint8_t *out, size_t cap) {
    static const struct {
        enum wire_type type;
        size_t n;
    } kinds[] = {
        {WIRE_PING, sizeof(struct wire_header)},           {WIRE_LOG, sizeof(struct wire_log)},
        {WIRE_DECODE_AREA, sizeof(struct wire_area)},      {WIRE_DECODE_MASK, sizeof(struct wire_mask)},
        {WIRE_DECODE_GRANT, sizeof(struct wire_grant)},    {WIRE_DECODE_PROBED, sizeof(struct wire_probed)},
        {WIRE_DECODE_FRAME, sizeof(struct wire_frame)},    {WIRE_DECODE_GAP, sizeof(struct wire_gap)},
        {WIRE_DECODE_END, sizeof(struct wire_decode_end)}, {WIRE_DECODE_FAILED, sizeof(struct wire_failed)},
        {WIRE_CARD_ARENA, sizeof(struct wire_arena)},      {WIRE_CARD_DETECT, sizeof(struct wire_detect)},
        {WIRE_CARD_CROPS, sizeof(struct wire_crops)},      {WIRE_CARD_READY, sizeof(struct wire_card_ready)},
        {WIRE_CARD_DONE, sizeof(struct wire_card_done)},   {WIRE_CARD_REGIONS, sizeof(struct wire_crops)}};
    uint64_t s = seed * 2654435761u + 1;
    const size_t k = next(&s) % (sizeof kinds / sizeof kinds[0]);
    const size_t n = kinds[k].n < cap ? kinds[k].n : cap;
    union wire_any m;
    memset(&m, 0, sizeof m);
    struct wire_surface *surface = kinds[k].type == WIRE_DECODE_FRAME  ? &m.frame.surface
                                   : kinds[k].type == WIRE_CARD_DETECT ? &m.detect.surface
                                   : kinds[k].n == sizeof m.crops      ? &m.crops.surface
                                                                       : NULL;
    if (surface) {
        surface->w_px = (uint32_t)(2 * (1 + next(&s) % 4096));
        surface->h_px = (uint32_t)(2 * (1 + next(&s) % 4096));
        surface->stride_bytes = surface->w_px + (uint32_t)(next(&s) % 64);
        surface->uv_offset_bytes = surface->stride_bytes * surface->h_px;
    }
    if (surface == &m.crops.surface) {
        m.crops.dst_w_px = m.crops.dst_h_px = 64;
        m.crops.n_rois = 1;
        m.crops.rois[0] = (struct wire_roi){0, 0, 2, 2};
    }
    memcpy(out, &m, n);
    wire_begin(out, kinds[k].type, kinds[k].n);
    for (uint64_t i = next(&s) % 4; i > 0; i--) out[next(&s) % n] = (uint8_t)next(&s);
    return n;
}
