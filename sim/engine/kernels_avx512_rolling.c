/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolutions of 3 by 3 taps and stride 1 or 2 that are only shifted: nearly all there are. */
#include "sim/engine/kernels_avx512.h"

#define LANES_512  64
#define LANES_256  32
#define LANES_128  16
#define PREFIX_512 _mm512
#define PREFIX_256 _mm256
#define PREFIX_128 _mm

#define BITS 512
#include "sim/engine/rolling.h"
#undef BITS
#define BITS 256
#include "sim/engine/rolling.h"
#undef BITS
#define BITS 128
#include "sim/engine/rolling.h"
#undef BITS

#define SIDE 3

bool avx512_rolls(const struct step *s, const struct tap *taps, int32_t n_taps) {
    if (n_taps != SIDE * SIDE || s->stride_h != s->stride_w || !rule_only_shifts(&s->rule)) return false;
    if (!(s->stride_h == 1 && s->out.shape.h >= 2) && s->stride_h != 2) return false;
    for (int32_t t = 0; t < n_taps; t++)
        if (taps[t].dy != taps[0].dy + t / SIDE || taps[t].dx != taps[0].dx + t % SIDE) return false;
    return true;
}

/* Channels of the block that begins at `first`: 64, but 32 or 16 for a rest of no more. */
static int32_t block_channels(int32_t first, int32_t channels) {
    int32_t rest = channels - first;
    return rest > LANES_256 ? LANES_512 : rest > LANES_128 ? LANES_256 : LANES_128;
}

/* Output rows that are computed together. */
static int32_t rows_together(const struct step *s) {
    return s->stride_h == 1 ? 2 : 1;
}

/* Bytes of packed weights: a quad for each column and row of outputs. */
static int32_t weights_a_channel(const struct step *s) {
    return SIDE * rows_together(s) * 4;
}

enum err avx512_pack_rolling(struct step *s, const int8_t *weights, const struct tap *taps,
                             const int32_t *bias) {
    int32_t c = s->out.shape.c;
    int32_t rows = rows_together(s), a_channel = weights_a_channel(s);
    size_t padded = ((size_t)c + LANES_512 - 1) / LANES_512 * LANES_512, bytes = padded * (size_t)a_channel;
    s->rolling = true;
    s->run_offset = calloc(1, sizeof *s->run_offset);
    s->weights = aligned_alloc(64, bytes);
    s->bias = aligned_alloc(64, padded * sizeof *s->bias);
    if (!s->run_offset || !s->weights || !s->bias) return ERR_NOMEM;
    memset(s->weights, 0, bytes);
    memset(s->bias, 0, padded * sizeof *s->bias);
    s->run_offset[0] = taps[0].dy * s->in[0].row + taps[0].dx * s->in[0].pixel;
    for (int32_t first = 0, block; first < c; first += block) {
        block = block_channels(first, c);
        int8_t *packed = (int8_t *)s->weights + (ptrdiff_t)first * a_channel;
        for (int32_t i = 0; i < block && first + i < c; i++) {
            /* the unpacking puts channels 4 v to 4 v + 3 of each sixteen into register v */
            int32_t reg = i % 16 / 4, place = reg * block / 4 + i / 16 * 4 + i % 4, sum = 0;
            for (int32_t t = 0; t < SIDE * SIDE; t++) {
                int8_t w = weights[(ptrdiff_t)taps[t].index * c + first + i];
                int32_t y = t / SIDE, x = t % SIDE;
                for (int32_t lower = 0; lower < rows; lower++)
                    packed[((x * rows + lower) * block + place) * 4 + y + lower] = w;
                sum += w;
            }
            s->bias[first + place] = bias[first + i] - 128 * sum + s->rule.round;
        }
    }
    s->packed_bytes = bytes + padded * sizeof *s->bias;
    return OK;
}

static ALWAYS_INLINE void run_block(const struct step *s, int32_t y, int32_t first,
                                    const enum rule_kind kind) {
    int32_t rest = s->out.shape.c - first, channels = rest < LANES_512 ? rest : LANES_512;
    const uint8_t *in = view_at(&s->in[0], y * s->stride_h, 0) + s->run_offset[0] + first;
    uint8_t *out = view_at(&s->out, y, 0) + first;
    const int8_t *weights = (const int8_t *)s->weights + (ptrdiff_t)first * weights_a_channel(s);
    const int32_t *bias = s->bias + first;
    if (s->stride_h == 1 && rest > LANES_256)
        roll_512(s, in, out, weights, bias, channels, kind);
    else if (s->stride_h == 1 && rest > LANES_128)
        roll_256(s, in, out, weights, bias, channels, kind);
    else if (s->stride_h == 1)
        roll_128(s, in, out, weights, bias, channels, kind);
    else if (rest > LANES_256)
        roll_2_512(s, in, out, weights, bias, channels, kind);
    else if (rest > LANES_128)
        roll_2_256(s, in, out, weights, bias, channels, kind);
    else
        roll_2_128(s, in, out, weights, bias, channels, kind);
}

/* An odd last row is computed again together with the one before it. */
void avx512_run_rolling(const struct step *s) {
    int32_t h = s->out.shape.h, c = s->out.shape.c, rows = rows_together(s);
    for (int32_t begun = 0; begun < h; begun += rows)
        for (int32_t first = 0; first < c; first += block_channels(first, c)) {
            int32_t y = begun + rows <= h ? begun : h - rows;
            if (s->rule.kind == RULE_SHIFT_16)
                run_block(s, y, first, RULE_SHIFT_16);
            else
                run_block(s, y, first, RULE_SHIFT);
        }
}
