/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"
#include "tests/support/test.h"

static const struct wire_surface surface = {
    .w_px = 640, .h_px = 480, .stride_bytes = 640, .uv_offset_bytes = 640 * 480, .matrix = 1};

/* A well-formed message of each type; `n` its size. */
static size_t good(enum wire_type type, union wire_any *m) {
    memset(m, 0, sizeof *m);
    size_t n = sizeof m->h;
    switch (type) {
    case WIRE_PING:
    case WIRE_PONG:
        break;
    case WIRE_LOG:
        n = sizeof m->log;
        m->log.level = LOG_WARN;
        snprintf(m->log.line, sizeof m->log.line, "a line");
        break;
    case WIRE_DECODE_GRANT:
        n = sizeof m->grant;
        m->grant.slot = SLOTS_MAX - 1;
        break;
    case WIRE_DECODE_AREA:
        n = sizeof m->area;
        m->area.n = 3;
        break;
    case WIRE_DECODE_MASK:
        n = sizeof m->mask;
        m->mask.n = 1;
        m->mask.pieces[0] = (struct wire_mask_piece){.to_us = 1, .to = {0, 0, 1, 1}};
        break;
    case WIRE_DECODE_PROBED:
        n = sizeof m->probed;
        m->probed = (struct wire_probed){.w_px = 768, .h_px = 576, .n_video_streams = 1, .rotation_deg = 270};
        break;
    case WIRE_DECODE_FRAME:
        n = sizeof m->frame;
        m->frame.surface = surface;
        break;
    case WIRE_DECODE_GAP:
        n = sizeof m->gap;
        m->gap.to_us = 5;
        break;
    case WIRE_DECODE_GATE:
        n = sizeof m->gate;
        m->gate.to_us = 1;
        m->gate.open = m->gate.sample = 1;
        break;
    case WIRE_DECODE_END:
        n = sizeof m->decode_end;
        m->decode_end = (struct wire_decode_end){.first_pts_us = -1, .last_pts_us = -1, .end_us = 0};
        break;
    case WIRE_DECODE_FAILED:
        n = sizeof m->failed;
        m->failed.why = WIRE_FAIL_PROTOCOL;
        break;
    case WIRE_CARD_ARENA:
    case WIRE_CARD_ARENA_DROP:
        n = sizeof m->arena;
        m->arena.n_slots = 8;
        m->arena.slot_bytes = 8192;
        break;
    case WIRE_CARD_DETECT:
        n = sizeof m->detect;
        m->detect.surface = surface;
        break;
    case WIRE_CARD_CROPS:
    case WIRE_CARD_REGIONS:
        n = sizeof m->crops;
        m->crops.surface = surface;
        m->crops.dst_w_px = m->crops.dst_h_px = 64;
        m->crops.n_rois = 1;
        m->crops.rois[0] = (struct wire_roi){638, 478, 2, 2};
        break;
    case WIRE_CARD_READY:
        n = sizeof m->card_ready;
        m->card_ready.n_lanes = 2;
        m->card_ready.n_outputs = 1;
        m->card_ready.input = (struct wire_tensor){.h = 4, .w = 4, .c = 3, .n_bytes = 48};
        m->card_ready.outputs[0] = (struct wire_tensor){.h = 1, .w = 2, .c = 3, .n_bytes = 6, .fix_point = 4};
        break;
    case WIRE_CARD_DONE:
        n = sizeof m->card_done;
        m->card_done.status = ERR_UNSUPPORTED;
        break;
    }
    wire_begin(m, type, n);
    return n;
}

static const enum wire_type types[] = {WIRE_PING,
                                       WIRE_PONG,
                                       WIRE_LOG,
                                       WIRE_DECODE_GRANT,
                                       WIRE_DECODE_AREA,
                                       WIRE_DECODE_MASK,
                                       WIRE_DECODE_PROBED,
                                       WIRE_DECODE_FRAME,
                                       WIRE_DECODE_GAP,
                                       WIRE_DECODE_GATE,
                                       WIRE_DECODE_END,
                                       WIRE_DECODE_FAILED,
                                       WIRE_CARD_ARENA,
                                       WIRE_CARD_ARENA_DROP,
                                       WIRE_CARD_DETECT,
                                       WIRE_CARD_CROPS,
                                       WIRE_CARD_REGIONS,
                                       WIRE_CARD_READY,
                                       WIRE_CARD_DONE};
#define N_TYPES (sizeof types / sizeof types[0])

static enum err check(const void *raw, size_t n) {
    union wire_any out;
    enum wire_type type;
    return wire_check(raw, n, &out, sizeof out, &type);
}

static void every_well_formed_message_passes_unchanged(void **state) {
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++) {
        union wire_any m, out;
        enum wire_type type;
        const size_t n = good(types[i], &m);
        assert_int_equal(wire_check(&m, n, &out, sizeof out, &type), OK);
        assert_int_equal(type, types[i]);
        assert_memory_equal(&m, &out, n);
        /* from an odd address */
        uint8_t odd[sizeof m + 1];
        memcpy(odd + 1, &m, n);
        assert_int_equal(check(odd + 1, n), OK);
    }
}

static void every_other_size_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++) {
        union wire_any big[2] = {0};
        const size_t n = good(types[i], &big[0]);
        for (size_t k = 0; k <= sizeof big; k++) {
            if (k == n) continue;
            assert_int_equal(check(&big[0], k), ERR_CORRUPT);
            big[0].h.n_bytes = (uint32_t)k; /* also when the header claims that size */
            assert_int_equal(check(&big[0], k), ERR_CORRUPT);
            big[0].h.n_bytes = (uint32_t)n;
        }
        union wire_any out;
        enum wire_type type;
        assert_int_equal(wire_check(&big[0], n, &out, n - 1, &type), ERR_CORRUPT);
    }
}

static void unknown_types_and_other_magic_are_refused(void **state) {
    (void)state;
    for (unsigned t = 0; t < 65536; t++) {
        int known = 0;
        for (size_t i = 0; i < N_TYPES; i++) known |= types[i] == t;
        if (known) continue;
        struct wire_header h;
        wire_begin(&h, (enum wire_type)t, sizeof h);
        assert_int_equal(check(&h, sizeof h), ERR_CORRUPT);
    }
    union wire_any m;
    const size_t n = good(WIRE_PING, &m);
    m.h.magic ^= 1;
    assert_int_equal(check(&m, n), ERR_CORRUPT);
}

/* Sets one field of a good message and asks for the answer. */
#define REFUSED(type, field, value)                                                                          \
    do {                                                                                                     \
        union wire_any m_;                                                                                   \
        const size_t n_ = good(type, &m_);                                                                   \
        m_.field = value;                                                                                    \
        if (check(&m_, n_) != ERR_CORRUPT) fail_msg("accepted: " #type " " #field " = " #value);             \
    } while (0)

static void surfaces_that_cannot_be_are_refused(void **state) {
    (void)state;
    REFUSED(WIRE_DECODE_FRAME, frame.surface.w_px, 0);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.w_px, 639);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.w_px, 642);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.h_px, 0);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.h_px, 479);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.h_px, 482);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.h_px, 0xfffffffe);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.stride_bytes, 638);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.stride_bytes, 0xffffffff);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.uv_offset_bytes, 640 * 480 - 1);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.uv_offset_bytes, 0xffffffff);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.matrix, 2);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.full_range, 2);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.reserved[0], 1);
    REFUSED(WIRE_DECODE_FRAME, frame.surface.reserved[1], 1);
    REFUSED(WIRE_CARD_DETECT, detect.surface.w_px, 1);
    REFUSED(WIRE_CARD_CROPS, crops.surface.w_px, 1);
}

static void fields_out_of_range_are_refused(void **state) {
    (void)state;
    REFUSED(WIRE_LOG, log.level, 4);
    REFUSED(WIRE_DECODE_GRANT, grant.slot, SLOTS_MAX);
    REFUSED(WIRE_DECODE_GRANT, grant.reserved, 1);
    REFUSED(WIRE_DECODE_AREA, area.n, 2);
    REFUSED(WIRE_DECODE_AREA, area.n, WIRE_AREA_MAX + 1);
    REFUSED(WIRE_DECODE_AREA, area.reserved, 1);
    REFUSED(WIRE_DECODE_MASK, mask.n, 0);
    REFUSED(WIRE_DECODE_MASK, mask.n, WIRE_MASKS_MAX + 1);
    REFUSED(WIRE_DECODE_MASK, mask.n, 2); /* the second one is empty */
    REFUSED(WIRE_DECODE_MASK, mask.pieces[0].to_us, 0);
    REFUSED(WIRE_DECODE_MASK, mask.pieces[0].to_us, INT64_MAX);
    REFUSED(WIRE_DECODE_MASK, mask.pieces[0].show, 2);
    REFUSED(WIRE_DECODE_MASK, mask.pieces[0].reserved[6], 1);
    REFUSED(WIRE_DECODE_MASK, mask.pieces[0].from[0], 1);
    REFUSED(WIRE_DECODE_PROBED, probed.duration_us, -1);
    REFUSED(WIRE_DECODE_PROBED, probed.creation_ms, -1);
    REFUSED(WIRE_DECODE_PROBED, probed.w_px, 0);
    REFUSED(WIRE_DECODE_PROBED, probed.w_px, 16385);
    REFUSED(WIRE_DECODE_PROBED, probed.h_px, 0);
    REFUSED(WIRE_DECODE_PROBED, probed.h_px, 16385);
    REFUSED(WIRE_DECODE_PROBED, probed.n_video_streams, 0);
    REFUSED(WIRE_DECODE_PROBED, probed.rotation_deg, 45);
    REFUSED(WIRE_DECODE_PROBED, probed.rotation_deg, 360);
    REFUSED(WIRE_DECODE_FRAME, frame.slot, SLOTS_MAX);
    REFUSED(WIRE_DECODE_FRAME, frame.pts_us, -1);
    REFUSED(WIRE_DECODE_FRAME, frame.is_key, 2);
    REFUSED(WIRE_DECODE_FRAME, frame.is_damaged, 2);
    REFUSED(WIRE_DECODE_FRAME, frame.reserved[0], 1);
    REFUSED(WIRE_DECODE_GAP, gap.to_us, -1);
    /* Differences and sums of these are taken. */
    REFUSED(WIRE_DECODE_GAP, gap.from_us, INT64_MIN);
    REFUSED(WIRE_DECODE_GAP, gap.to_us, INT64_MAX);
    REFUSED(WIRE_DECODE_GATE, gate.to_us, 0); /* nothing between */
    REFUSED(WIRE_DECODE_GATE, gate.open, 2);
    REFUSED(WIRE_DECODE_GATE, gate.reserved[1], 1);
    REFUSED(WIRE_DECODE_END, decode_end.end_us, INT64_MAX);
    REFUSED(WIRE_DECODE_END, decode_end.first_pts_us, INT64_MIN);
    REFUSED(WIRE_DECODE_FRAME, frame.pts_us, INT64_MAX);
    REFUSED(WIRE_DECODE_PROBED, probed.duration_us, INT64_MAX);
    REFUSED(WIRE_DECODE_END, decode_end.end_us, -2);
    REFUSED(WIRE_DECODE_END, decode_end.first_pts_us, 0); /* later than the last */
    REFUSED(WIRE_DECODE_END, decode_end.n_sent, 1);
    REFUSED(WIRE_DECODE_END, decode_end.n_damaged, 1);
    REFUSED(WIRE_DECODE_FAILED, failed.why, 0);
    REFUSED(WIRE_DECODE_FAILED, failed.why, WIRE_FAIL_PROTOCOL + 1);
    REFUSED(WIRE_DECODE_FAILED, failed.reserved, 1);
    REFUSED(WIRE_CARD_ARENA, arena.n_slots, 0);
    REFUSED(WIRE_CARD_ARENA, arena.n_slots, SLOTS_MAX + 1);
    REFUSED(WIRE_CARD_ARENA, arena.slot_bytes, 0);
    REFUSED(WIRE_CARD_ARENA, arena.slot_bytes, 4097);
    REFUSED(WIRE_CARD_ARENA, arena.slot_bytes, 1ull << 40);
    REFUSED(WIRE_CARD_ARENA, arena.writable, 2);
    REFUSED(WIRE_CARD_ARENA, arena.reserved, 1);
    REFUSED(WIRE_CARD_DETECT, detect.slot, SLOTS_MAX);
    REFUSED(WIRE_CARD_DETECT, detect.out_slot, SLOTS_MAX);
    REFUSED(WIRE_CARD_CROPS, crops.slot, SLOTS_MAX);
    REFUSED(WIRE_CARD_CROPS, crops.out_slot, SLOTS_MAX);
    REFUSED(WIRE_CARD_CROPS, crops.dst_w_px, 0);
    REFUSED(WIRE_CARD_CROPS, crops.dst_h_px, 4097);
    REFUSED(WIRE_CARD_CROPS, crops.n_rois, 0);
    REFUSED(WIRE_CARD_REGIONS, crops.n_rois, 0);
    REFUSED(WIRE_CARD_CROPS, crops.n_rois, WIRE_ROIS_MAX + 1);
    REFUSED(WIRE_CARD_CROPS, crops.n_rois, 2); /* the second is all zero */
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].x_px, 639);
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].y_px, 479);
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].w_px, 1);
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].h_px, 1);
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].w_px, 3);
    REFUSED(WIRE_CARD_CROPS, crops.rois[0].h_px, 65535);
    REFUSED(WIRE_CARD_READY, card_ready.n_lanes, 0);
    REFUSED(WIRE_CARD_READY, card_ready.n_lanes, 65);
    REFUSED(WIRE_CARD_READY, card_ready.simulated, 2);
    REFUSED(WIRE_CARD_READY, card_ready.reserved[1], 1);
    REFUSED(WIRE_CARD_READY, card_ready.n_outputs, 0);
    REFUSED(WIRE_CARD_READY, card_ready.n_outputs, WIRE_TENSORS_MAX + 1);
    REFUSED(WIRE_CARD_READY, card_ready.n_outputs, 2); /* the second is all zero */
    REFUSED(WIRE_CARD_READY, card_ready.input.n_bytes, 47);
    REFUSED(WIRE_CARD_READY, card_ready.input.h, 0);
    REFUSED(WIRE_CARD_READY, card_ready.input.h, 0xffffffff);
    REFUSED(WIRE_CARD_READY, card_ready.input.fix_point, 65);
    REFUSED(WIRE_CARD_READY, card_ready.input.reserved, 1);
    REFUSED(WIRE_CARD_READY, card_ready.outputs[0].n_bytes, 7);
    REFUSED(WIRE_CARD_READY, card_ready.outputs[0].fix_point, -65);
    REFUSED(WIRE_CARD_DONE, card_done.status, ERR_UNSUPPORTED + 1);
}

#define FILLED(type, field, byte)                                                                            \
    do {                                                                                                     \
        union wire_any m_;                                                                                   \
        const size_t n_ = good(type, &m_);                                                                   \
        memset(m_.field, byte, sizeof m_.field);                                                             \
        if (check(&m_, n_) != ERR_CORRUPT) fail_msg("accepted: " #type " " #field " without end");           \
        m_.field[sizeof m_.field - 1] = 0;                                                                   \
        if (check(&m_, n_) != OK) fail_msg("refused: " #type " " #field " with its end");                    \
        m_.field[0] = '\n';                                                                                  \
        if (check(&m_, n_) != ERR_CORRUPT) fail_msg("accepted: " #type " " #field " with a line end");       \
        m_.field[0] = 0x1b;                                                                                  \
        if (check(&m_, n_) != ERR_CORRUPT) fail_msg("accepted: " #type " " #field " with an escape");        \
    } while (0)

static void texts_without_end_or_with_control_characters_are_refused(void **state) {
    (void)state;
    FILLED(WIRE_LOG, log.line, 'x');
    FILLED(WIRE_DECODE_PROBED, probed.container, 'x');
    FILLED(WIRE_DECODE_PROBED, probed.codec, 'x');
    FILLED(WIRE_DECODE_PROBED, probed.pixel_format, 'x');
    FILLED(WIRE_DECODE_PROBED, probed.encoder, 'x');
    FILLED(WIRE_DECODE_GAP, gap.reason, 'x');
    FILLED(WIRE_DECODE_FAILED, failed.text, 'x');
    FILLED(WIRE_CARD_READY, card_ready.device, 'x');
    FILLED(WIRE_CARD_READY, card_ready.core_library, 'x');
    FILLED(WIRE_CARD_READY, card_ready.runner_library, 'x');
    FILLED(WIRE_CARD_READY, card_ready.model, 'x');
    FILLED(WIRE_CARD_READY, card_ready.model_sha256, 'x');
    FILLED(WIRE_CARD_READY, card_ready.input.name, 'x');
    FILLED(WIRE_CARD_READY, card_ready.outputs[0].name, 'x');
}

static void a_surface_fits_a_slot_to_the_last_byte_and_no_further(void **state) {
    (void)state;
    struct wire_surface s = surface;
    const size_t need = 640 * 480 * 3 / 2;
    assert_int_equal(wire_surface_fits(&s, need), OK);
    assert_int_equal(wire_surface_fits(&s, need - 1), ERR_CORRUPT);
    s.uv_offset_bytes += 4096;
    assert_int_equal(wire_surface_fits(&s, need), ERR_CORRUPT);
    s = surface;
    s.uv_offset_bytes = 0xfffffff0u;
    assert_int_equal(wire_surface_fits(&s, need), ERR_CORRUPT);
    s = surface;
    s.stride_bytes = 0x80000000u;
    s.h_px = 2;
    assert_int_equal(wire_surface_fits(&s, need), ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_well_formed_message_passes_unchanged),
        cmocka_unit_test(every_other_size_is_refused),
        cmocka_unit_test(unknown_types_and_other_magic_are_refused),
        cmocka_unit_test(surfaces_that_cannot_be_are_refused),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(texts_without_end_or_with_control_characters_are_refused),
        cmocka_unit_test(a_surface_fits_a_slot_to_the_last_byte_and_no_further),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
