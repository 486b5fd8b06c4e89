/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution by dot products of four taps. Four pixels are interleaved so that each channel's four
 * bytes lie side by side: two stages of unpacking, whose strange order of channels the packing of the result
 * undoes. One such quad of columns serves two neighbouring outputs (weights w0 w1 w2 0 and 0 w0 w1 w2), which
 * halves the unpacking. Registers of 256 bits: as fast as 512 here, and 32 channels waste less than 64. */
#include "sim/engine/kernels_avx512.h"

#define BLOCK 32 /* channels */
#define QUAD  4  /* taps */

/* Register v, lane l, element i holds channel l * 16 + v * 4 + i of the block. */
static size_t place_of(size_t channel) {
    return channel % 16 / 4 * 8 + channel / 16 * 4 + channel % 4;
}

static int compare_taps(const void *a, const void *b) {
    const struct tap *s = a, *t = b;
    return s->dy != t->dy ? (s->dy > t->dy) - (s->dy < t->dy) : (s->dx > t->dx) - (s->dx < t->dx);
}

/* True when the sorted taps are full rows of neighbours; *length is that of a row. */
static bool full_rows(const struct tap *taps, int32_t n_taps, int32_t *length) {
    int32_t n = 1;
    while (n < n_taps && taps[n].dy == taps[0].dy) n++;
    *length = n;
    if (n_taps % n) return false;
    for (int32_t t = 0; t < n_taps; t++)
        if (taps[t].dy != taps[t / n * n].dy || taps[t].dx != taps[0].dx + t % n) return false;
    return true;
}

/* Slots of quads: the tap each holds for the first and the second of two outputs (-1: none), and where it
 * reads. */
struct slot {
    int32_t tap[2];
    ptrdiff_t offset;
};

static struct slot empty_slot(ptrdiff_t offset) {
    return (struct slot){{-1, -1}, offset};
}

/* Two neighbouring outputs of a window of full rows see `length + stride` columns. Of each row the columns
 * are taken four at a time; those left over from all rows share quads of their own. */
static size_t make_pair_slots(const struct step *s, const struct tap *taps, int32_t n_taps, int32_t length,
                              struct slot *slots) {
    size_t n = 0;
    int32_t columns = length + s->stride_w, whole = columns / QUAD * QUAD;
    for (int32_t rest = 0; rest < 2; rest++)
        for (int32_t first = 0; first < n_taps; first += length)
            for (int32_t k = rest ? whole : 0; k < (rest ? columns : whole); k++) {
                int32_t second = k - s->stride_w;
                ptrdiff_t at = taps[first].dy * s->in[0].row + (taps[first].dx + k) * s->in[0].pixel;
                slots[n++] = (struct slot){
                    {k < length ? first + k : -1, second >= 0 && second < length ? first + second : -1}, at};
            }
    return n;
}

static size_t make_slots(const struct step *s, const struct tap *taps, int32_t n_taps, struct slot *slots,
                         bool *pairs) {
    int32_t length = 1;
    *pairs = n_taps && s->stride_w <= 2 && full_rows(taps, n_taps, &length);
    size_t n = *pairs ? make_pair_slots(s, taps, n_taps, length, slots) : 0;
    for (int32_t t = 0; t < n_taps && !*pairs; t++)
        slots[n++] = (struct slot){{t, -1}, taps[t].dy * s->in[0].row + taps[t].dx * s->in[0].pixel};
    for (; n % QUAD; n++) slots[n] = empty_slot(slots[n - 1].offset);
    return n;
}

/* weights: [block][quad][output][register][element][4 taps]; s->steps: outputs served by one quad. */
static void fill_weights(struct step *s, const int8_t *weights, const struct tap *taps,
                         const struct slot *slots, size_t n_slots, const int32_t *bias) {
    size_t c = (size_t)s->out.shape.c, outputs = (size_t)s->steps;
    int8_t *packed = s->weights;
    for (size_t i = 0; i < c; i++) {
        int32_t sum = 0;
        size_t block = i / BLOCK * n_slots / QUAD;
        for (size_t k = 0; k < n_slots; k++)
            for (size_t o = 0; o < outputs; o++) {
                if (slots[k].tap[o] < 0) continue;
                int8_t w = weights[(size_t)taps[slots[k].tap[o]].index * c + i];
                size_t quad = ((block + k / QUAD) * outputs + o) * BLOCK;
                packed[(quad + place_of(i % BLOCK)) * QUAD + k % QUAD] = w;
                if (o == 0) sum += w;
            }
        int32_t round = rule_only_shifts(&s->rule) ? s->rule.round : 0;
        s->bias[i / BLOCK * BLOCK + place_of(i % BLOCK)] = bias[i] - 128 * sum + round;
    }
}

enum err avx512_pack_depthwise(struct step *s, const int8_t *weights, const struct tap *given, int32_t n_taps,
                               const int32_t *bias) {
    size_t blocks = ((size_t)s->out.shape.c + BLOCK - 1) / BLOCK, bytes, n_slots;
    struct tap *taps = calloc((size_t)n_taps + 1, sizeof *taps);
    struct slot *slots =
        calloc((size_t)n_taps * QUAD + QUAD, sizeof *slots); /* at most 3 per tap and a rest */
    enum err e = ERR_NOMEM;
    if (!taps || !slots) goto done;
    memcpy(taps, given, (size_t)n_taps * sizeof *taps);
    qsort(taps, (size_t)n_taps, sizeof *taps, compare_taps);
    if (avx512_rolls(s, taps, n_taps)) {
        e = avx512_pack_rolling(s, weights, taps, bias);
        goto done;
    }
    bool pairs;
    n_slots = make_slots(s, taps, n_taps, slots, &pairs);
    s->steps = pairs ? 2 : 1;
    s->n_runs = (int32_t)(n_slots / QUAD);
    if (!size_mul(blocks * BLOCK * (size_t)s->steps, n_slots, &bytes)) goto done;
    s->run_offset = calloc(n_slots + 1, sizeof *s->run_offset);
    s->weights = aligned_alloc(64, bytes ? bytes : 64);
    s->bias = aligned_alloc(64, blocks * BLOCK * sizeof *s->bias);
    if (!s->run_offset || !s->weights || !s->bias) goto done;
    memset(s->weights, 0, bytes);
    memset(s->bias, 0, blocks * BLOCK * sizeof *s->bias);
    for (size_t k = 0; k < n_slots; k++) s->run_offset[k] = slots[k].offset;
    fill_weights(s, weights, taps, slots, n_slots, bias);
    s->packed_bytes = bytes + blocks * BLOCK * sizeof *s->bias;
    e = OK;
done:
    free(taps);
    free(slots);
    return e;
}

static ALWAYS_INLINE __m256i load(const void *at) {
    return _mm256_loadu_si256(at);
}

struct rule_regs {
    __m256i pre_lo, pre_hi, slope, round, lo, hi, factor;
    __m128i shift;
};

static ALWAYS_INLINE __m256i finish(__m256i sum, const struct rule_regs *r, const enum rule_kind kind) {
    if (kind == RULE_SHIFT_16) return sum;
    if (kind == RULE_SHIFT) return _mm256_sra_epi32(sum, r->shift);
    if (kind == RULE_LEFT) {
        sum = _mm256_max_epi32(_mm256_set1_epi32(-128), _mm256_min_epi32(_mm256_set1_epi32(127), sum));
        return _mm256_sll_epi32(sum, r->shift);
    }
    if (kind == RULE_SLOPE_CLAMPED) sum = _mm256_max_epi32(r->pre_lo, _mm256_min_epi32(r->pre_hi, sum));
    __m256i factor = _mm256_mask_blend_epi32(_mm256_movepi32_mask(sum), _mm256_set1_epi32(256), r->slope);
    return _mm256_sra_epi32(_mm256_add_epi32(_mm256_mullo_epi32(sum, factor), r->round), r->shift);
}

/* One pixel of one block: four registers of sums to 32 bytes, of which `channels` are real. */
static ALWAYS_INLINE void store(uint8_t *out, __m256i a, __m256i b, __m256i c, __m256i d, int32_t channels,
                                const struct rule_regs *r, const struct rule *rule,
                                const enum rule_kind kind) {
    if (kind == RULE_WIDE) {
        int32_t scattered[BLOCK], sums[BLOCK];
        memcpy(scattered, &a, sizeof a);
        memcpy(scattered + 8, &b, sizeof b);
        memcpy(scattered + 16, &c, sizeof c);
        memcpy(scattered + 24, &d, sizeof d);
        for (size_t i = 0; i < BLOCK; i++) sums[i] = scattered[place_of(i)];
        rows_apply(rule, sums, channels, out);
        return;
    }
    __m256i ab = _mm256_packs_epi32(finish(a, r, kind), finish(b, r, kind));
    __m256i cd = _mm256_packs_epi32(finish(c, r, kind), finish(d, r, kind));
    if (kind == RULE_SHIFT_16) {
        ab = _mm256_mulhi_epi16(ab, r->factor);
        cd = _mm256_mulhi_epi16(cd, r->factor);
    }
    __m256i v = _mm256_packs_epi16(ab, cd);
    if (clamps(kind)) v = _mm256_max_epi8(r->lo, _mm256_min_epi8(r->hi, v));
    v = _mm256_xor_si256(v, _mm256_set1_epi8((char)0x80));
    if (channels == BLOCK)
        _mm256_storeu_si256((void *)out, v);
    else
        _mm256_mask_storeu_epi8(out, (1U << channels) - 1, v);
}

/* Four columns of 32 channels, interleaved: register v holds the four taps of channels place_of() puts there.
 */
struct quad {
    __m256i x0, x1, x2, x3;
};

static ALWAYS_INLINE struct quad load_quad(const uint8_t *in, const ptrdiff_t *offset) {
    __m256i p0 = load(in + offset[0]), p1 = load(in + offset[1]);
    __m256i p2 = load(in + offset[2]), p3 = load(in + offset[3]);
    __m256i lo01 = _mm256_unpacklo_epi8(p0, p1), hi01 = _mm256_unpackhi_epi8(p0, p1);
    __m256i lo23 = _mm256_unpacklo_epi8(p2, p3), hi23 = _mm256_unpackhi_epi8(p2, p3);
    return (struct quad){_mm256_unpacklo_epi16(lo01, lo23), _mm256_unpackhi_epi16(lo01, lo23),
                         _mm256_unpacklo_epi16(hi01, hi23), _mm256_unpackhi_epi16(hi01, hi23)};
}

static ALWAYS_INLINE struct rule_regs rule_load(const struct rule *r) {
    return (struct rule_regs){.pre_lo = _mm256_set1_epi32(r->pre_lo),
                              .pre_hi = _mm256_set1_epi32(r->pre_hi),
                              .slope = _mm256_set1_epi32(r->slope),
                              .round = _mm256_set1_epi32(r->round),
                              .lo = _mm256_set1_epi8(r->lo),
                              .hi = _mm256_set1_epi8(r->hi),
                              .factor = _mm256_set1_epi16(shift_factor(r)),
                              .shift = _mm_cvtsi32_si128(r->shift)};
}

/* What one block of one or two rows is computed from and into. */
struct block {
    const struct step *step;
    const uint8_t *in;
    uint8_t *out;
    const int8_t *weights;
    const int32_t *bias;
    int32_t channels;
};

/* One block of one row. `outputs` neighbours at a time where the quads serve two. */
static ALWAYS_INLINE void run_outputs(const struct block *t, const uint8_t *in, uint8_t *out,
                                      const int outputs, const enum rule_kind kind) {
    const struct step *s = t->step;
    const struct rule_regs r = rule_load(&s->rule);
    const int8_t *weights = t->weights;
    __m256i a0 = load(t->bias), a1 = load(t->bias + 8), a2 = load(t->bias + 16), a3 = load(t->bias + 24);
    __m256i b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    const ptrdiff_t *offset = s->run_offset;
    const int stored = s->steps; /* outputs whose weights are there */
    for (int32_t n = 0; n < s->n_runs; n++, offset += QUAD, weights += stored * BLOCK * QUAD) {
        struct quad q = load_quad(in, offset);
        a0 = _mm256_dpbusd_epi32(a0, q.x0, load(weights));
        a1 = _mm256_dpbusd_epi32(a1, q.x1, load(weights + 32));
        a2 = _mm256_dpbusd_epi32(a2, q.x2, load(weights + 64));
        a3 = _mm256_dpbusd_epi32(a3, q.x3, load(weights + 96));
        if (outputs > 1) {
            b0 = _mm256_dpbusd_epi32(b0, q.x0, load(weights + 128));
            b1 = _mm256_dpbusd_epi32(b1, q.x1, load(weights + 160));
            b2 = _mm256_dpbusd_epi32(b2, q.x2, load(weights + 192));
            b3 = _mm256_dpbusd_epi32(b3, q.x3, load(weights + 224));
        }
    }
    store(out, a0, a1, a2, a3, t->channels, &r, &s->rule, kind);
    if (outputs > 1) store(out + s->out.pixel, b0, b1, b2, b3, t->channels, &r, &s->rule, kind);
}

/* Two by two outputs. Each quad is interleaved once and meets the weights of two rows; each weight is loaded
 * once and meets two quads. */
static ALWAYS_INLINE void run_square(const struct block *t, const uint8_t *in, uint8_t *out,
                                     const enum rule_kind kind) {
    const struct step *s = t->step;
    const struct rule_regs r = rule_load(&s->rule);
    const int8_t *weights = t->weights;
    const ptrdiff_t *offset = s->run_offset;
    __m256i a0 = load(t->bias), a1 = load(t->bias + 8), a2 = load(t->bias + 16), a3 = load(t->bias + 24);
    __m256i b0 = a0, b1 = a1, b2 = a2, b3 = a3, c0 = a0, c1 = a1, c2 = a2, c3 = a3, d0 = a0, d1 = a1, d2 = a2,
            d3 = a3;
    struct quad q = load_quad(in, offset);
    for (int32_t n = 0; n < s->n_runs; n++, weights += 2 * BLOCK * QUAD) {
        in += s->in[0].row;
        struct quad below = load_quad(in, offset);
#define BOTH_ROWS(v, upper, lower, at)                                                                       \
    {                                                                                                        \
        __m256i w = load(weights + (at));                                                                    \
        upper##v = _mm256_dpbusd_epi32(upper##v, q.x##v, w);                                                 \
        lower##v = _mm256_dpbusd_epi32(lower##v, below.x##v, w);                                             \
    }
        BOTH_ROWS(0, a, c, 0)
        BOTH_ROWS(1, a, c, 32)
        BOTH_ROWS(2, a, c, 64)
        BOTH_ROWS(3, a, c, 96)
        BOTH_ROWS(0, b, d, 128)
        BOTH_ROWS(1, b, d, 160)
        BOTH_ROWS(2, b, d, 192)
        BOTH_ROWS(3, b, d, 224)
        q = below;
    }
    ptrdiff_t row = s->out.row, pixel = s->out.pixel;
    store(out, a0, a1, a2, a3, t->channels, &r, &s->rule, kind);
    store(out + pixel, b0, b1, b2, b3, t->channels, &r, &s->rule, kind);
    store(out + row, c0, c1, c2, c3, t->channels, &r, &s->rule, kind);
    store(out + row + pixel, d0, d1, d2, d3, t->channels, &r, &s->rule, kind);
}

/* True when the quads are one per row, of rows that follow each other: then two rows go together. */
static bool squares(const struct step *s) {
    if (s->steps != 2 || s->stride_h != 1 || s->stride_w != 1) return false;
    for (int32_t n = 1; n < s->n_runs; n++)
        if (s->run_offset[n * QUAD] != s->run_offset[(n - 1) * QUAD] + s->in[0].row) return false;
    return true;
}

static ALWAYS_INLINE void run_rows(const struct block *t, int32_t rows, const enum rule_kind kind) {
    const struct step *s = t->step;
    ptrdiff_t in_pixel = s->in[0].pixel * s->stride_w, out_pixel = s->out.pixel;
    const uint8_t *in = t->in;
    uint8_t *out = t->out;
    int32_t x = 0, w = s->out.shape.w;
    if (rows == 2)
        for (; x + 2 <= w; x += 2, in += 2 * in_pixel, out += 2 * out_pixel) run_square(t, in, out, kind);
    else if (s->steps > 1)
        for (; x + 2 <= w; x += 2, in += 2 * in_pixel, out += 2 * out_pixel) run_outputs(t, in, out, 2, kind);
    for (; x < w; x++, in += in_pixel, out += out_pixel)
        for (int32_t row = 0; row < rows; row++)
            run_outputs(t, in + row * s->in[0].row, out + row * s->out.row, 1, kind);
}

void avx512_run_depthwise(const struct step *s) {
    if (s->rolling) {
        avx512_run_rolling(s);
        return;
    }
    int32_t c = s->out.shape.c, h = s->out.shape.h, rows;
    ptrdiff_t per_block = (ptrdiff_t)s->n_runs * s->steps * BLOCK * QUAD;
    bool two = squares(s);
    for (int32_t y = 0; y < h; y += rows) {
        rows = two && y + 2 <= h ? 2 : 1;
        for (int32_t first = 0; first < c; first += BLOCK) {
            struct block t = {.step = s,
                              .in = s->in[0].at + (ptrdiff_t)y * s->stride_h * s->in[0].row + first,
                              .out = view_at(&s->out, y, 0) + first,
                              .weights = (const int8_t *)s->weights + first / BLOCK * per_block,
                              .bias = s->bias + first,
                              .channels = c - first < BLOCK ? c - first : BLOCK};
            switch (s->rule.kind) {
            case RULE_SHIFT:
                run_rows(&t, rows, RULE_SHIFT);
                break;
            case RULE_SHIFT_16:
                run_rows(&t, rows, RULE_SHIFT_16);
                break;
            case RULE_LEFT:
                run_rows(&t, rows, RULE_LEFT);
                break;
            case RULE_SLOPE:
                run_rows(&t, rows, RULE_SLOPE);
                break;
            case RULE_SLOPE_CLAMPED:
                run_rows(&t, rows, RULE_SLOPE_CLAMPED);
                break;
            case RULE_WIDE:
                run_rows(&t, rows, RULE_WIDE);
                break;
            }
        }
    }
}
