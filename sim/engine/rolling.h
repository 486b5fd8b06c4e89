/* SPDX-License-Identifier: Apache-2.0 */
/* rolling.h - the inner loop of kernels_avx512_rolling.c, once for each width of registers: it is included
 * with BITS 512 (64 channels at a time), 256 and 128. No include guard, therefore.
 *
 * A quad is one column of four rows, interleaved so that each channel's four bytes lie side by side. It
 * serves two output rows (weights w0 w1 w2 0 and 0 w0 w1 w2) and, while the loop rolls along the row, the
 * three output columns whose windows it is in. Registers: 12 for three quads, 8 for the sums of an output in
 * two rows, 8 for a third of the weights; more sums at a time would be bound by loading weights. */
#define GLUE_(a, b) a##b
#define GLUE(a, b)  GLUE_(a, b)
#define OP(name)    GLUE(GLUE(GLUE(PREFIX_, BITS), _), name)
#define SI(name)    GLUE(GLUE(OP(name), _si), BITS)
#define VECTOR      GLUE(GLUE(__m, BITS), i)
#define NAME(name)  GLUE(GLUE(name, _), BITS)
#define BYTES       (BITS / 8)
#define LOAD(at)    SI(loadu)((const void *)(at))

struct NAME(outputs) {
    VECTOR factor, lo, hi;
    __m128i shift;
    GLUE(__mmask, GLUE(LANES_, BITS)) real;
    bool whole;
};

static ALWAYS_INLINE void NAME(store)(uint8_t *out, VECTOR a, VECTOR b, VECTOR c, VECTOR d,
                                      const struct NAME(outputs) * o, const enum rule_kind kind) {
    if (kind == RULE_SHIFT) {
        a = OP(sra_epi32)(a, o->shift);
        b = OP(sra_epi32)(b, o->shift);
        c = OP(sra_epi32)(c, o->shift);
        d = OP(sra_epi32)(d, o->shift);
    }
    VECTOR ab = OP(packs_epi32)(a, b), cd = OP(packs_epi32)(c, d);
    if (kind == RULE_SHIFT_16) {
        ab = OP(mulhi_epi16)(ab, o->factor);
        cd = OP(mulhi_epi16)(cd, o->factor);
    }
    VECTOR v = OP(max_epi8)(o->lo, OP(min_epi8)(o->hi, OP(packs_epi16)(ab, cd)));
    v = SI(xor)(v, OP(set1_epi8)((char)0x80));
    if (o->whole)
        SI(storeu)((void *)out, v);
    else
        OP(mask_storeu_epi8)((void *)out, o->real, v);
}

static ALWAYS_INLINE struct NAME(outputs) NAME(outputs_of)(const struct step *s, int32_t channels) {
    return (struct NAME(outputs)){.factor = OP(set1_epi16)(shift_factor(&s->rule)),
                                  .lo = OP(set1_epi8)(s->rule.lo),
                                  .hi = OP(set1_epi8)(s->rule.hi),
                                  .shift = _mm_cvtsi32_si128(s->rule.shift),
                                  .real = (GLUE(__mmask, GLUE(LANES_, BITS)))first_bytes(channels),
                                  .whole = channels == BYTES};
}

/* Towards the second-level cache: rows that the next rows of outputs will be the first to read. */
#define FETCH(at) _mm_prefetch((const char *)(at), _MM_HINT_T1);
#define QUAD(q)                                                                                              \
    {                                                                                                        \
        VECTOR p0 = LOAD(in), p1 = LOAD(in + row), p2 = LOAD(in + 2 * row), p3 = LOAD(in + 3 * row);         \
        VECTOR lo01 = OP(unpacklo_epi8)(p0, p1), hi01 = OP(unpackhi_epi8)(p0, p1);                           \
        VECTOR lo23 = OP(unpacklo_epi8)(p2, p3), hi23 = OP(unpackhi_epi8)(p2, p3);                           \
        q##0 = OP(unpacklo_epi16)(lo01, lo23);                                                               \
        q##1 = OP(unpackhi_epi16)(lo01, lo23);                                                               \
        q##2 = OP(unpacklo_epi16)(hi01, hi23);                                                               \
        q##3 = OP(unpackhi_epi16)(hi01, hi23);                                                               \
        FETCH(in + 4 * row)                                                                                  \
        FETCH(in + 5 * row)                                                                                  \
        in += in_pixel;                                                                                      \
    }
#define WEIGHTS(column, lower, v) LOAD(weights + ((column)*8 + (lower)*4 + (v)) * BYTES)
#define ADD_MIDDLE(q, v)                                                                                     \
    a##v = OP(dpbusd_epi32)(a##v, q##v, upper##v);                                                           \
    b##v = OP(dpbusd_epi32)(b##v, q##v, lower##v);
#define ADD(q, column, v)                                                                                    \
    a##v = OP(dpbusd_epi32)(a##v, q##v, WEIGHTS(column, 0, v));                                              \
    b##v = OP(dpbusd_epi32)(b##v, q##v, WEIGHTS(column, 1, v));
#define SUM(left, middle, right, v)                                                                          \
    VECTOR a##v = LOAD(bias + (v)*BYTES / 4), b##v = a##v;                                                   \
    ADD(left, 0, v)                                                                                          \
    ADD_MIDDLE(middle, v)                                                                                    \
    ADD(right, 2, v)
/* One column of outputs. The compiler may not keep copies of weights on the stack. */
#define COLUMN(left, middle, right)                                                                          \
    {                                                                                                        \
        __asm__("" : "+r"(weights), "+r"(bias));                                                             \
        QUAD(right)                                                                                          \
        SUM(left, middle, right, 0)                                                                          \
        SUM(left, middle, right, 1)                                                                          \
        SUM(left, middle, right, 2)                                                                          \
        SUM(left, middle, right, 3)                                                                          \
        NAME(store)(out, a0, a1, a2, a3, &o, kind);                                                          \
        NAME(store)(out + out_row, b0, b1, b2, b3, &o, kind);                                                \
        out += out_pixel;                                                                                    \
    }

/* Two rows of outputs of one block of channels, of which `channels` are real. */
static ALWAYS_INLINE void NAME(roll)(const struct step *s, const uint8_t *in, uint8_t *out,
                                     const int8_t *weights, const int32_t *bias, int32_t channels,
                                     const enum rule_kind kind) {
    const struct NAME(outputs) o = NAME(outputs_of)(s, channels);
    const ptrdiff_t row = s->in[0].row, in_pixel = s->in[0].pixel, out_row = s->out.row,
                    out_pixel = s->out.pixel;
    VECTOR x0, x1, x2, x3, y0, y1, y2, y3, z0, z1, z2, z3;
    const VECTOR upper0 = WEIGHTS(1, 0, 0), upper1 = WEIGHTS(1, 0, 1), upper2 = WEIGHTS(1, 0, 2),
                 upper3 = WEIGHTS(1, 0, 3), lower0 = WEIGHTS(1, 1, 0), lower1 = WEIGHTS(1, 1, 1),
                 lower2 = WEIGHTS(1, 1, 2), lower3 = WEIGHTS(1, 1, 3);
    QUAD(x)
    QUAD(y)
    for (int32_t left = s->out.shape.w;;) {
        COLUMN(x, y, z)
        if (--left == 0) break;
        COLUMN(y, z, x)
        if (--left == 0) break;
        COLUMN(z, x, y)
        if (--left == 0) break;
    }
}

/* With stride 2 an output shares one column with the next, and nothing with the row below: three rows to a
 * quad, all weights in registers. */
#define QUAD_2(q)                                                                                            \
    {                                                                                                        \
        VECTOR p0 = LOAD(in), p1 = LOAD(in + row), p2 = LOAD(in + 2 * row);                                  \
        VECTOR lo01 = OP(unpacklo_epi8)(p0, p1), hi01 = OP(unpackhi_epi8)(p0, p1);                           \
        VECTOR lo22 = OP(unpacklo_epi8)(p2, p2), hi22 = OP(unpackhi_epi8)(p2, p2);                           \
        q##0 = OP(unpacklo_epi16)(lo01, lo22);                                                               \
        q##1 = OP(unpackhi_epi16)(lo01, lo22);                                                               \
        q##2 = OP(unpacklo_epi16)(hi01, hi22);                                                               \
        q##3 = OP(unpackhi_epi16)(hi01, hi22);                                                               \
        FETCH(in + 3 * row)                                                                                  \
        FETCH(in + 4 * row)                                                                                  \
        in += in_pixel;                                                                                      \
    }
#define ADD_2(q, name)                                                                                       \
    a0 = OP(dpbusd_epi32)(a0, q##0, name##0);                                                                \
    a1 = OP(dpbusd_epi32)(a1, q##1, name##1);                                                                \
    a2 = OP(dpbusd_epi32)(a2, q##2, name##2);                                                                \
    a3 = OP(dpbusd_epi32)(a3, q##3, name##3);
#define COLUMN_2(left, right)                                                                                \
    {                                                                                                        \
        __asm__("" : "+r"(bias));                                                                            \
        VECTOR a0 = LOAD(bias), a1 = LOAD(bias + BYTES / 4), a2 = LOAD(bias + BYTES / 2),                    \
               a3 = LOAD(bias + BYTES / 4 * 3);                                                              \
        ADD_2(left, left_weights)                                                                            \
        QUAD_2(right)                                                                                        \
        ADD_2(right, middle_weights)                                                                         \
        QUAD_2(right)                                                                                        \
        ADD_2(right, right_weights)                                                                          \
        NAME(store)(out, a0, a1, a2, a3, &o, kind);                                                          \
        out += out_pixel;                                                                                    \
    }
#define WEIGHTS_2(name, column)                                                                              \
    const VECTOR name##0 = LOAD(weights + ((column)*4 + 0) * BYTES),                                         \
                 name##1 = LOAD(weights + ((column)*4 + 1) * BYTES),                                         \
                 name##2 = LOAD(weights + ((column)*4 + 2) * BYTES),                                         \
                 name##3 = LOAD(weights + ((column)*4 + 3) * BYTES);

/* One row of outputs. */
static ALWAYS_INLINE void NAME(roll_2)(const struct step *s, const uint8_t *in, uint8_t *out,
                                       const int8_t *weights, const int32_t *bias, int32_t channels,
                                       const enum rule_kind kind) {
    const struct NAME(outputs) o = NAME(outputs_of)(s, channels);
    const ptrdiff_t row = s->in[0].row, in_pixel = s->in[0].pixel, out_pixel = s->out.pixel;
    VECTOR x0, x1, x2, x3, y0, y1, y2, y3;
    WEIGHTS_2(left_weights, 0)
    WEIGHTS_2(middle_weights, 1)
    WEIGHTS_2(right_weights, 2)
    QUAD_2(x)
    for (int32_t left = s->out.shape.w;;) {
        COLUMN_2(x, y)
        if (--left == 0) break;
        COLUMN_2(y, x)
        if (--left == 0) break;
    }
}

#undef GLUE_
#undef GLUE
#undef OP
#undef SI
#undef VECTOR
#undef NAME
#undef BYTES
#undef LOAD
#undef FETCH
#undef QUAD
#undef WEIGHTS
#undef ADD_MIDDLE
#undef ADD
#undef SUM
#undef COLUMN
#undef QUAD_2
#undef ADD_2
#undef COLUMN_2
#undef WEIGHTS_2
