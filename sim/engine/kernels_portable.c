/* SPDX-License-Identifier: Apache-2.0 */
/* Plain C: right on any processor, fast on none. */
#include "sim/engine/rows.h"

/* Weights of 16 bits, [group of 8 outputs][tap][ic][8], so that one value meets eight weights in a row. */
#define LANES 8

static enum err pack_conv(struct step *s, const int8_t *weights, int32_t n_index, const struct tap *taps,
                          int32_t n_taps, const int32_t *bias) {
    size_t ic = (size_t)s->in[0].shape.c, oc = (size_t)s->out.shape.c, groups = (oc + LANES - 1) / LANES, n;
    enum err e = rows_tap_offsets(s, taps, n_taps);
    if (e) return e;
    s->steps = (int32_t)ic;
    if (!size_mul(groups * LANES, ic * (size_t)n_taps, &n) || !size_mul(n, sizeof(int16_t), &n))
        return ERR_NOMEM;
    int16_t *packed = calloc(n ? n : 1, 1);
    s->weights = packed;
    s->bias = calloc(groups * LANES, sizeof *s->bias);
    if (!packed || !s->bias) return ERR_NOMEM;
    memcpy(s->bias, bias, oc * sizeof *bias);
    for (size_t o = 0; o < oc; o++)
        for (size_t t = 0; t < (size_t)n_taps; t++)
            for (size_t i = 0; i < ic; i++)
                packed[(((o / LANES) * (size_t)n_taps + t) * ic + i) * LANES + o % LANES] =
                    weights[(o * (size_t)n_index + (size_t)taps[t].index) * ic + i];
    s->packed_bytes = n + groups * LANES * sizeof *s->bias;
    return OK;
}

static void run_conv(const struct step *s) {
    int32_t oc = s->out.shape.c, ic = s->steps;
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            const uint8_t *origin = s->in[0].at + (ptrdiff_t)y * s->stride_h * s->in[0].row +
                                    (ptrdiff_t)x * s->stride_w * s->in[0].pixel;
            uint8_t *out = view_at(&s->out, y, x);
            const int16_t *w = s->weights;
            for (int32_t o = 0; o < oc; o += LANES) {
                int32_t sum[LANES];
                memcpy(sum, s->bias + o, sizeof sum);
                for (int32_t t = 0; t < s->n_runs; t++) {
                    const uint8_t *in = origin + s->run_offset[t];
                    for (int32_t i = 0; i < ic; i++, w += LANES) {
                        int32_t v = in[i] - 128;
                        for (int32_t l = 0; l < LANES; l++) sum[l] += v * w[l];
                    }
                }
                rows_apply(&s->rule, sum, oc - o < LANES ? oc - o : LANES, out + o);
            }
        }
}

const struct kernels KERNELS_PORTABLE = {.isa = ENGINE_ISA_PORTABLE,
                                         .pack_conv = pack_conv,
                                         .pack_depthwise = rows_pack_depthwise,
                                         .run = {[STEP_CONV] = run_conv,
                                                 [STEP_DEPTHWISE] = rows_depthwise,
                                                 [STEP_POOL_MAX] = rows_pool_max,
                                                 [STEP_POOL_AVG] = rows_pool_avg,
                                                 [STEP_ADD] = rows_add,
                                                 [STEP_REQUANT] = rows_requant,
                                                 [STEP_NEAREST] = rows_nearest},
                                         .import = rows_import,
                                         .export = rows_export};
