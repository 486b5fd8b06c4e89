/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/seam/rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <event2/event.h>

#include "driver/dpu.h"
#include "driver/model_file.h"
#include "host/base/clock.h"
#include "tests/kernel/nv12_ref.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void absolute(char *out, size_t cap, const char *path) {
    char *p = realpath(path, NULL);
    if (!p) fail_msg("%s has not been built", path);
    snprintf(out, cap, "%s", p);
    free(p);
}

void rig_init(struct rig *r, const char *card_toml) {
    char path[512], built[512];
    memset(r, 0, sizeof *r);
    assert_true(tmpdir_make(r->sim, sizeof r->sim));
    absolute(built, sizeof built, BUILD_DIR "/sim/lib");
    snprintf(path, sizeof path, "%s/lib", r->sim);
    assert_int_equal(symlink(built, path), 0);
    snprintf(path, sizeof path, "%s/card.toml", r->sim);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(card_toml, f) >= 0);
    assert_int_equal(fclose(f), 0);
    absolute(r->exe, sizeof r->exe, BUILD_DIR "/relecture-card");
    absolute(r->runner, sizeof r->runner, BUILD_DIR "/sim/librelecture_dpu.so");
    absolute(r->xclbin, sizeof r->xclbin, BUILD_DIR "/sim/relecture.xclbin");
    snprintf(r->model, sizeof r->model, "%s", BUILD_DIR "/tests/seam/tiny");

    r->base = event_base_new();
    assert_non_null(r->base);
    r->surface = (struct wire_surface){
        .w_px = RIG_W, .h_px = RIG_H, .stride_bytes = 256, .uv_offset_bytes = 256 * RIG_H + 512, .matrix = 1};
    assert_int_equal(slots_new("surfaces", RIG_SLOTS, 256u * RIG_H * 3 / 2 + 512, &r->slots), OK);
    uint32_t seed = 3;
    for (unsigned s = 0; s < RIG_SLOTS; s++)
        for (size_t i = 0; i < slots_bytes(r->slots); i++) {
            seed = seed * 1664525u + 1013904223u;
            slots_at(r->slots, s)[i] = (uint8_t)(seed >> 24);
        }
}

static void on_ready(const struct wire_card_ready *m, void *arg) {
    (void)m;
    ((struct rig *)arg)->n_ready++;
}

static void on_dead(enum err e, const char *text, void *arg) {
    struct rig *r = arg;
    r->n_dead++;
    r->dead = e;
    snprintf(r->dead_text, sizeof r->dead_text, "%s", text);
}

void rig_start(struct rig *r, unsigned n_cards, unsigned job_timeout_ms) {
    const struct cards_config cfg = {.exe = r->exe,
                                     .xilinx_xrt = r->sim,
                                     .runner_lib = r->runner,
                                     .xclbin = r->xclbin,
                                     .model_dir = r->model,
                                     .n_cards = n_cards,
                                     .job_timeout_ms = job_timeout_ms};
    assert_int_equal(cards_new(r->base, &cfg, on_ready, on_dead, r, &r->cards), OK);
    assert_int_equal(cards_arena_add(r->cards, r->slots, &r->arena), OK);
}

void rig_fini(struct rig *r) {
    cards_free(&r->cards);
    slots_free(&r->slots);
    event_base_free(r->base);
    tmpdir_remove(r->sim);
}

void rig_turn(struct rig *r) {
    const struct timeval t = {.tv_usec = 20000};
    event_base_loopexit(r->base, &t);
    event_base_dispatch(r->base);
}

void rig_until(struct rig *r, const unsigned *count, unsigned least, unsigned limit_ms) {
    const uint64_t end = clock_mono_ns() + (uint64_t)limit_ms * 1000000u;
    while (*count < least) {
        if (clock_mono_ns() > end) fail_msg("%u of %u after %u ms", *count, least, limit_ms);
        rig_turn(r);
    }
}

static struct ref_surface reference(const struct rig *r, unsigned slot, unsigned x, unsigned y, unsigned w,
                                    unsigned h) {
    const uint8_t *p = slots_at(r->slots, slot);
    return (struct ref_surface){p + (size_t)y * r->surface.stride_bytes + x,
                                p + r->surface.uv_offset_bytes + (size_t)(y / 2) * r->surface.stride_bytes +
                                    x,
                                r->surface.stride_bytes,
                                w,
                                h,
                                r->surface.matrix,
                                r->surface.full_range != 0};
}

/* The network of a rig's model without any card, opened once per model. */
struct witness {
    char dir[160];
    struct dpu_model *model;
    struct dpu_runner *runner;
    struct model_file file;
    uint32_t n_bytes; /* of all outputs */
};

static const struct witness *witness(const struct rig *r) {
    static struct witness known[3];
    struct witness *w = known;
    while (w->runner && strcmp(w->dir, r->model) != 0) w++;
    assert_true(w < known + 3);
    if (w->runner) return w;
    snprintf(w->dir, sizeof w->dir, "%s", r->model);
    assert_int_equal(model_file_read(r->model, true, NULL, &w->file), OK);
    assert_int_equal(dpu_model_open(w->file.path, &w->model), OK);
    assert_int_equal(dpu_runner_open(w->model, 0, r->runner, &w->runner), OK);
    for (unsigned i = 0; i < dpu_runner_outputs(w->runner); i++)
        w->n_bytes += dpu_runner_output(w->runner, i)->n_bytes;
    return w;
}

/* The outputs in the order of model.json. */
static void run_witness(const struct witness *w, const void *input, uint8_t *to) {
    const void *in[1] = {input};
    void *out[DPU_TENSORS_MAX];
    uint32_t off = 0;
    for (unsigned i = 0; i < w->file.n_outputs; i++)
        for (unsigned k = 0; k < dpu_runner_outputs(w->runner); k++)
            if (strcmp(w->file.outputs[i].tensor, dpu_runner_output(w->runner, k)->name) == 0) {
                out[k] = to + off;
                off += dpu_runner_output(w->runner, k)->n_bytes;
            }
    assert_int_equal(off, w->n_bytes);
    assert_int_equal(dpu_submit(w->runner, in, out), OK);
    assert_int_equal(dpu_wait(w->runner, 10000), OK);
}

uint8_t *rig_expect_detect(const struct rig *r, unsigned slot, uint32_t *n) {
    const struct witness *w = witness(r);
    int8_t *input = malloc((size_t)w->file.w_px * w->file.h_px * 3);
    assert_non_null(input);
    const struct ref_surface s = reference(r, slot, 0, 0, RIG_W, RIG_H);
    ref_letterbox(&s, w->file.lut, w->file.w_px, w->file.h_px, input);
    uint8_t *all = malloc(*n = w->n_bytes);
    assert_non_null(all);
    run_witness(w, input, all);
    free(input);
    return all;
}

uint8_t *rig_expect_crops(const struct rig *r, unsigned slot, const struct wire_roi *rois, unsigned n_rois,
                          unsigned w, unsigned h, uint32_t *n) {
    *n = n_rois * w * h * 3;
    uint8_t *all = malloc(*n);
    assert_non_null(all);
    for (unsigned i = 0; i < n_rois; i++) {
        const struct ref_surface s =
            reference(r, slot, rois[i].x_px, rois[i].y_px, rois[i].w_px, rois[i].h_px);
        ref_resize(&s, w, h, all + (size_t)i * w * h * 3);
    }
    for (uint32_t i = 0; i < *n; i++) all[i] ^= 0x80; /* value - 128 as int8 */
    return all;
}

uint8_t *rig_expect_regions(const struct rig *r, unsigned slot, const struct wire_roi *rois, unsigned n_rois,
                            uint32_t *n) {
    const struct witness *w = witness(r);
    uint32_t n_crops;
    uint8_t *crops = rig_expect_crops(r, slot, rois, n_rois, w->file.w_px, w->file.h_px, &n_crops);
    uint8_t *all = malloc(*n = n_rois * w->n_bytes);
    assert_non_null(all);
    for (uint32_t i = 0; i < n_crops; i += 3) { /* what model.json says, written down once more */
        static const double mean[3] = {103.53, 116.28, 123.675}, scale[3] = {0.0174291939, 0.0175070028, 0.0171247538};
        const uint8_t b = crops[i] ^ 0x80, g = crops[i + 1] ^ 0x80, r_ = crops[i + 2] ^ 0x80, rgb[3] = {r_, g, b};
        for (unsigned c = 0; w->file.needs_table && c < 3; c++) {
            const double q = floor((rgb[c] - mean[c]) * scale[c] * 32.0 + 0.5);
            crops[i + c] = (uint8_t)(int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
        }
    }
    for (unsigned i = 0; i < n_rois; i++)
        run_witness(w, crops + (size_t)i * (n_crops / n_rois), all + (size_t)i * w->n_bytes);
    free(crops);
    return all;
}

static void on_detected(const struct cards_result *res, void *arg) {
    struct outcome *o = arg;
    o->n_calls++;
    o->status = res->status;
    if (res->status == OK) {
        uint32_t n;
        uint8_t *want = rig_expect_detect(o->rig, o->slot, &n);
        o->equal = n == res->n_bytes && memcmp(want, res->out, n) == 0;
        free(want);
    }
    ++*o->n_done;
}

void rig_detect(struct rig *r, struct outcome *o, unsigned slot, unsigned *n_done) {
    *o = (struct outcome){.rig = r, .slot = slot, .n_done = n_done};
    assert_int_equal(cards_detect(r->cards, r->arena, slot, &r->surface, on_detected, o), OK);
}
