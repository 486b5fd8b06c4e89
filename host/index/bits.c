/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/bits.h"

#include <immintrin.h>
#include <string.h>

void camera_set_clear(struct camera_set *s) {
    memset(s, 0, sizeof *s);
    s->only_small = true;
}

void camera_set_add(struct camera_set *s, uint16_t camera) {
    s->all[camera >> 6] |= UINT64_C(1) << (camera & 63);
    if (camera < 1024)
        s->small[camera >> 3] |= (uint8_t)(1u << (camera & 7));
    else
        s->only_small = false;
}

void camera_set_compare(const struct camera_set *s, const uint8_t *stored, size_t n, bool *any, bool *all) {
    *any = false;
    *all = true;
    for (size_t i = 0; i < n; i++) {
        uint8_t wanted = (uint8_t)(s->all[i / 8] >> i % 8 * 8);
        if (stored[i] & wanted) *any = true;
        if (stored[i] & ~wanted) *all = false;
    }
}

static uint64_t load_u64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static uint32_t load_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static uint16_t load_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* ---- reference --------------------------------------------------------------------------------------------
 */

static void plain_and(uint64_t *a, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] &= load_u64(b + 8 * i);
}
static void plain_or(uint64_t *a, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] |= load_u64(b + 8 * i);
}
static void plain_and_not(uint64_t *a, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] &= ~load_u64(b + 8 * i);
}
static uint64_t plain_count(const uint64_t *a, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (uint64_t)__builtin_popcountll(a[i]);
    return sum;
}
static uint64_t plain_count_and(const uint64_t *a, const uint8_t *b, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (uint64_t)__builtin_popcountll(a[i] & load_u64(b + 8 * i));
    return sum;
}

static void plain_keep_cameras(uint64_t *a, const uint8_t *cameras, size_t n, const struct camera_set *set) {
    for (size_t w = 0; w < BITS_WORDS(n); w++) {
        uint64_t left = a[w];
        if (w == n / 64) left &= (UINT64_C(1) << n % 64) - 1;
        for (; left; left &= left - 1) {
            size_t slot = w * 64 + (size_t)__builtin_ctzll(left);
            if (!camera_set_has(set, load_u16(cameras + 2 * slot))) a[w] &= ~(left & -left);
        }
    }
}

static void plain_equal_u32(uint64_t *out, const uint8_t *numbers, size_t n, uint32_t v) {
    memset(out, 0, BITS_WORDS(n) * sizeof *out);
    for (size_t i = 0; i < n; i++)
        if (load_u32(numbers + 4 * i) == v) out[i / 64] |= UINT64_C(1) << i % 64;
}

static void plain_fit_mask(uint64_t *out, const uint8_t *texts, size_t n, const struct plate_mask *m) {
    memset(out, 0, BITS_WORDS(n) * sizeof *out);
    for (size_t i = 0; i < n; i++)
        if ((load_u64(texts + 8 * i) & m->mask) == m->value) out[i / 64] |= UINT64_C(1) << i % 64;
}

static void plain_in_set(uint64_t *out, const uint8_t *numbers, size_t n, const uint32_t *set,
                         uint32_t n_set) {
    memset(out, 0, BITS_WORDS(n) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        uint32_t x = load_u32(numbers + 4 * i);
        if (x < n_set && set[x / 32] >> x % 32 & 1) out[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static unsigned edit_distance(const uint8_t *text, unsigned width, const struct plate_edit *e) {
    const uint32_t last = UINT32_C(1) << (e->n_chars - 1);
    uint32_t pv = UINT32_MAX, mv = 0;
    unsigned score = e->n_chars;
    for (unsigned j = 0; j < width && text[j]; j++) {
        uint32_t eq = e->equal[text[j]], xv = eq | mv, xh = (((eq & pv) + pv) ^ pv) | eq;
        uint32_t ph = mv | ~(xh | pv), mh = pv & xh;
        score += (ph & last) != 0;
        score -= (mh & last) != 0;
        ph = ph << 1 | 1;
        mh <<= 1;
        pv = mh | ~(xv | ph);
        mv = ph & xv;
    }
    return score;
}

static void plain_within(uint64_t *out, const uint8_t *texts, size_t n, unsigned width,
                         const struct plate_edit *e) {
    memset(out, 0, BITS_WORDS(n) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *text = texts + i * width;
        if (text[0] && edit_distance(text, width, e) <= e->max_distance) out[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static void plain_code_dots(int32_t *out, const int8_t *a, const uint8_t *codes, const uint32_t *place,
                            size_t n) {
    for (size_t i = 0; i < n; i++) {
        const uint8_t *c = codes + place[i] * (size_t)64;
        int32_t sum = 0;
        for (unsigned k = 0; k < 64; k++) sum += a[k] * (c[k] & 15) + a[64 + k] * (c[k] >> 4);
        out[i] = sum;
    }
}

static int32_t plain_bit_dot(const int8_t *a, const uint8_t bits[16]) {
    int32_t sum = 0;
    for (unsigned k = 0; k < 128; k++) sum += a[k] * (bits[k / 8] >> k % 8 & 1);
    return sum;
}

static void plain_dots128(int32_t *out, const int8_t *a, const int8_t *vectors, const uint16_t *place,
                          size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int8_t *b = vectors + place[i] * (size_t)128;
        out[i] = 0;
        for (unsigned k = 0; k < 128; k++) out[i] += a[k] * b[k];
    }
}

static const struct bits_ops plain = {
    .name = "plain",
    .and_with = plain_and,
    .or_with = plain_or,
    .and_not = plain_and_not,
    .count = plain_count,
    .count_and = plain_count_and,
    .keep_cameras = plain_keep_cameras,
    .equal_u32 = plain_equal_u32,
    .fit_mask = plain_fit_mask,
    .in_set = plain_in_set,
    .within = plain_within,
    .dots128 = plain_dots128,
    .code_dots = plain_code_dots,
    .bit_dot = plain_bit_dot,
};

const struct bits_ops *bits_plain(void) {
    return &plain;
}

/* ---- AVX-512 ----------------------------------------------------------------------------------------------
 */

#define AVX512                                                                                               \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vpopcntdq,avx512vnni,popcnt")))

AVX512 static void fast_and(uint64_t *a, const uint8_t *b, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm512_storeu_si512(a + i,
                            _mm512_and_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + 8 * i)));
    plain_and(a + i, b + 8 * i, n - i);
}
AVX512 static void fast_or(uint64_t *a, const uint8_t *b, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm512_storeu_si512(a + i, _mm512_or_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + 8 * i)));
    plain_or(a + i, b + 8 * i, n - i);
}
AVX512 static void fast_and_not(uint64_t *a, const uint8_t *b, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm512_storeu_si512(a + i,
                            _mm512_andnot_si512(_mm512_loadu_si512(b + 8 * i), _mm512_loadu_si512(a + i)));
    plain_and_not(a + i, b + 8 * i, n - i);
}
AVX512 static uint64_t fast_count(const uint64_t *a, size_t n) {
    __m512i sum = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 8 <= n; i += 8) sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_loadu_si512(a + i)));
    return (uint64_t)_mm512_reduce_add_epi64(sum) + plain_count(a + i, n - i);
}
AVX512 static uint64_t fast_count_and(const uint64_t *a, const uint8_t *b, size_t n) {
    __m512i sum = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m512i both = _mm512_and_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + 8 * i));
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(both));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum) + plain_count_and(a + i, b + 8 * i, n - i);
}

/* 32 cameras at a time: byte camera / 8 of a 128-byte table by one permutation, then bit camera % 8 of it. */
AVX512 static void fast_keep_cameras(uint64_t *a, const uint8_t *cameras, size_t n,
                                     const struct camera_set *set) {
    if (!set->only_small) {
        plain_keep_cameras(a, cameras, n, set);
        return;
    }
    const __m512i low = _mm512_loadu_si512(set->small), high = _mm512_loadu_si512(set->small + 64);
    const __m512i one = _mm512_set1_epi16(1), seven = _mm512_set1_epi16(7), limit = _mm512_set1_epi16(1024);
    size_t w = 0;
    for (; (w + 1) * 64 <= n; w++) {
        if (!a[w]) continue;
        uint64_t keep = 0;
        for (unsigned half = 0; half < 2; half++) {
            __m512i c = _mm512_loadu_si512(cameras + w * 128 + half * 64);
            __m512i byte = _mm512_permutex2var_epi8(low, _mm512_srli_epi16(c, 3), high);
            __m512i bit = _mm512_sllv_epi16(one, _mm512_and_si512(c, seven));
            __mmask32 in = _mm512_mask_test_epi16_mask(_mm512_cmplt_epu16_mask(c, limit), byte, bit);
            keep |= (uint64_t)in << (32 * half);
        }
        a[w] &= keep;
    }
    plain_keep_cameras(a + w, cameras + w * 128, n - w * 64, set);
}

AVX512 static void fast_equal_u32(uint64_t *out, const uint8_t *numbers, size_t n, uint32_t v) {
    const __m512i want = _mm512_set1_epi32((int)v);
    size_t w = 0;
    for (; (w + 1) * 64 <= n; w++) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 4; k++) {
            __m512i x = _mm512_loadu_si512(numbers + w * 256 + k * 64);
            word |= (uint64_t)_mm512_cmpeq_epi32_mask(x, want) << (16 * k);
        }
        out[w] = word;
    }
    if (n % 64) plain_equal_u32(out + w, numbers + w * 256, n % 64, v);
}

AVX512 static void fast_fit_mask(uint64_t *out, const uint8_t *texts, size_t n, const struct plate_mask *m) {
    const __m512i mask = _mm512_set1_epi64((long long)m->mask), want = _mm512_set1_epi64((long long)m->value);
    size_t w = 0;
    for (; (w + 1) * 64 <= n; w++) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8; k++) {
            __m512i x = _mm512_and_si512(_mm512_loadu_si512(texts + w * 512 + k * 64), mask);
            word |= (uint64_t)_mm512_cmpeq_epi64_mask(x, want) << (8 * k);
        }
        out[w] = word;
    }
    if (n % 64) plain_fit_mask(out + w, texts + w * 512, n % 64, m);
}

/* 64 texts of eight bytes -> eight vectors, the j-th with character j of every text. */
AVX512 static void transpose_texts(const uint8_t *texts, __m512i out[8]) {
    /* Within eight texts: byte j of text i goes to place 8 j + i. */
    static const uint8_t order[64] = {0, 8,  16, 24, 32, 40, 48, 56, 1, 9,  17, 25, 33, 41, 49, 57,
                                      2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59,
                                      4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61,
                                      6, 14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63};
    const __m512i by_byte = _mm512_loadu_si512(order);
    __m512i a[8], b[8];
    for (unsigned k = 0; k < 8; k++)
        a[k] = _mm512_permutexvar_epi8(by_byte, _mm512_loadu_si512(texts + 64 * k));
    /* Then an 8 x 8 transposition of 64-bit words. */
    for (unsigned k = 0; k < 8; k += 2) {
        b[k] = _mm512_unpacklo_epi64(a[k], a[k + 1]);     /* words 0 2 4 6 of both */
        b[k + 1] = _mm512_unpackhi_epi64(a[k], a[k + 1]); /* words 1 3 5 7 */
    }
    for (unsigned odd = 0; odd < 2; odd++) {
        __m512i low0 = _mm512_shuffle_i64x2(b[odd], b[2 + odd], 0x88),
                low1 = _mm512_shuffle_i64x2(b[4 + odd], b[6 + odd], 0x88);
        __m512i high0 = _mm512_shuffle_i64x2(b[odd], b[2 + odd], 0xdd),
                high1 = _mm512_shuffle_i64x2(b[4 + odd], b[6 + odd], 0xdd);
        out[odd] = _mm512_shuffle_i64x2(low0, low1, 0x88);
        out[4 + odd] = _mm512_shuffle_i64x2(low0, low1, 0xdd);
        out[2 + odd] = _mm512_shuffle_i64x2(high0, high1, 0x88);
        out[6 + odd] = _mm512_shuffle_i64x2(high0, high1, 0xdd);
    }
}

/* One text in each of 64 lanes of eight bits; a lane stops at its text's end. Additions wrap, as Myers wants.
 */
AVX512 static uint64_t within_sixty_four(const uint8_t *texts, const struct plate_edit *e, __m512i low,
                                         __m512i high) {
    const __m512i ones = _mm512_set1_epi8(-1), one = _mm512_set1_epi8(1);
    const __m512i last = _mm512_set1_epi8((char)(1u << (e->n_chars - 1)));
    __m512i text[8];
    transpose_texts(texts, text);
    __m512i pv = ones, mv = _mm512_setzero_si512(), score = _mm512_set1_epi8((char)e->n_chars);
    __mmask64 some = _mm512_test_epi8_mask(text[0], text[0]), live = some;
    for (unsigned j = 0; j < 8 && live; j++) {
        __m512i eq = _mm512_permutex2var_epi8(low, text[j], high), xv = _mm512_or_si512(eq, mv);
        __m512i sum = _mm512_add_epi8(_mm512_and_si512(eq, pv), pv);
        __m512i xh = _mm512_or_si512(_mm512_xor_si512(sum, pv), eq);
        __m512i ph = _mm512_or_si512(mv, _mm512_andnot_si512(_mm512_or_si512(xh, pv), ones));
        __m512i mh = _mm512_and_si512(pv, xh);
        live = _mm512_mask_test_epi8_mask(live, text[j], text[j]);
        score = _mm512_mask_add_epi8(score, _mm512_mask_test_epi8_mask(live, ph, last), score, one);
        score = _mm512_mask_sub_epi8(score, _mm512_mask_test_epi8_mask(live, mh, last), score, one);
        ph = _mm512_or_si512(_mm512_add_epi8(ph, ph), one);
        mh = _mm512_add_epi8(mh, mh);
        pv = _mm512_or_si512(mh, _mm512_andnot_si512(_mm512_or_si512(xv, ph), ones));
        mv = _mm512_and_si512(ph, xv);
    }
    return _mm512_mask_cmple_epu8_mask(some, score, _mm512_set1_epi8((char)e->max_distance));
}

struct wide { /* 32 lanes of sixteen bits, twice: lanes of the low and of the high halves */
    __m512i pv, mv, score;
    __mmask32 live;
};

/* The same step as above for an asked text of 9..16 characters. */
AVX512 static void wide_step(struct wide *s, __m512i eq, __m512i text, __m512i last) {
    const __m512i ones = _mm512_set1_epi16(-1), one = _mm512_set1_epi16(1);
    __m512i xv = _mm512_or_si512(eq, s->mv);
    __m512i sum = _mm512_add_epi16(_mm512_and_si512(eq, s->pv), s->pv);
    __m512i xh = _mm512_or_si512(_mm512_xor_si512(sum, s->pv), eq);
    __m512i ph = _mm512_or_si512(s->mv, _mm512_andnot_si512(_mm512_or_si512(xh, s->pv), ones));
    __m512i mh = _mm512_and_si512(s->pv, xh);
    s->live = _mm512_mask_test_epi16_mask(s->live, text, text);
    s->score = _mm512_mask_add_epi16(s->score, _mm512_mask_test_epi16_mask(s->live, ph, last), s->score, one);
    s->score = _mm512_mask_sub_epi16(s->score, _mm512_mask_test_epi16_mask(s->live, mh, last), s->score, one);
    ph = _mm512_or_si512(_mm512_add_epi16(ph, ph), one);
    mh = _mm512_add_epi16(mh, mh);
    s->pv = _mm512_or_si512(mh, _mm512_andnot_si512(_mm512_or_si512(xv, ph), ones));
    s->mv = _mm512_and_si512(ph, xv);
}

AVX512 static uint64_t within_wide(const uint8_t *texts, const struct plate_edit *e, const __m512i table[4]) {
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi16((short)(1u << (e->n_chars - 1)));
    struct wide half[2];
    __m512i text[8];
    transpose_texts(texts, text);
    for (unsigned h = 0; h < 2; h++)
        half[h] =
            (struct wide){_mm512_set1_epi16(-1), zero, _mm512_set1_epi16((short)e->n_chars), UINT32_MAX};
    for (unsigned j = 0; j < 8; j++) {
        __m512i first = _mm512_permutex2var_epi8(table[0], text[j], table[1]);
        __m512i second = _mm512_permutex2var_epi8(table[2], text[j], table[3]);
        wide_step(&half[0], _mm512_unpacklo_epi8(first, second), _mm512_unpacklo_epi8(text[j], zero), last);
        wide_step(&half[1], _mm512_unpackhi_epi8(first, second), _mm512_unpackhi_epi8(text[j], zero), last);
    }
    /* Packing undoes the order that unpacking made. */
    __m512i score = _mm512_packus_epi16(half[0].score, half[1].score);
    return _mm512_mask_cmple_epu8_mask(_mm512_test_epi8_mask(text[0], text[0]), score,
                                       _mm512_set1_epi8((char)e->max_distance));
}

AVX512 static void fast_within(uint64_t *out, const uint8_t *texts, size_t n, unsigned width,
                               const struct plate_edit *e) {
    if (width != 8 || e->n_chars > 16) {
        plain_within(out, texts, n, width, e);
        return;
    }
    __m512i table[4];
    for (unsigned i = 0; i < 4; i++) table[i] = _mm512_loadu_si512(e->equal8[i / 2] + i % 2 * 64);
    size_t w = 0;
    for (; (w + 1) * 64 <= n; w++)
        out[w] = e->n_chars <= 8 ? within_sixty_four(texts + w * 512, e, table[0], table[1])
                                 : within_wide(texts + w * 512, e, table);
    if (n % 64) plain_within(out + w, texts + w * 512, n % 64, width, e);
}

/* Sixteen numbers at a time: gather the words of the set that they point into. */
AVX512 static void fast_in_set(uint64_t *out, const uint8_t *numbers, size_t n, const uint32_t *set,
                               uint32_t n_set) {
    const __m512i limit = _mm512_set1_epi32((int)n_set), one = _mm512_set1_epi32(1),
                  low5 = _mm512_set1_epi32(31);
    memset(out, 0, BITS_WORDS(n) * sizeof *out);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i x = _mm512_loadu_si512(numbers + 4 * i);
        __mmask16 inside = _mm512_cmplt_epu32_mask(x, limit);
        __m512i word =
            _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), inside, _mm512_srli_epi32(x, 5), set, 4);
        __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(x, low5));
        out[i / 64] |= (uint64_t)_mm512_mask_test_epi32_mask(inside, word, bit) << i % 64;
    }
    for (; i < n; i++) {
        uint32_t x = load_u32(numbers + 4 * i);
        if (x < n_set && set[x / 32] >> x % 32 & 1) out[i / 64] |= UINT64_C(1) << i % 64;
    }
}

/* vpdpbusd wants one side unsigned: (b + 128) a summed is a b plus 128 times the sum of a, which is the same
 * for all. */
AVX512 static void fast_dots128(int32_t *out, const int8_t *a, const int8_t *vectors, const uint16_t *place,
                                size_t n) {
    const __m512i a0 = _mm512_loadu_si512(a), a1 = _mm512_loadu_si512(a + 64),
                  flip = _mm512_set1_epi8((char)0x80);
    int32_t sum = 0;
    for (unsigned k = 0; k < 128; k++) sum += a[k];
    for (size_t i = 0; i < n; i++) {
        const int8_t *b = vectors + place[i] * (size_t)128;
        __m512i x = _mm512_xor_si512(_mm512_loadu_si512(b), flip);
        __m512i y = _mm512_xor_si512(_mm512_loadu_si512(b + 64), flip);
        __m512i both = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), x, a0), y, a1);
        out[i] = _mm512_reduce_add_epi32(both) - 128 * sum;
    }
}

/* Sums of the sixteen numbers in each of four vectors. */
AVX512 static __m128i four_sums(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

AVX512 static inline __m512i code_products(const uint8_t *codes, __m512i a0, __m512i a1) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i both = _mm512_loadu_si512(codes);
    __m512i x = _mm512_and_si512(both, low), y = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), x, a0), y, a1);
}

AVX512 static void fast_code_dots(int32_t *out, const int8_t *a, const uint8_t *codes, const uint32_t *place,
                                  size_t n) {
    const __m512i a0 = _mm512_loadu_si512(a), a1 = _mm512_loadu_si512(a + 64);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __m512i p[4];
        for (unsigned k = 0; k < 4; k++) p[k] = code_products(codes + place[i + k] * (size_t)64, a0, a1);
        _mm_storeu_si128((__m128i_u *)(out + i), four_sums(p[0], p[1], p[2], p[3]));
    }
    for (; i < n; i++) out[i] = _mm512_reduce_add_epi32(code_products(codes + place[i] * (size_t)64, a0, a1));
}

AVX512 static int32_t fast_bit_dot(const int8_t *a, const uint8_t bits[16]) {
    const __m512i one = _mm512_set1_epi8(1), zero = _mm512_setzero_si512();
    __m512i x = _mm512_maskz_mov_epi8(load_u64(bits), one),
            y = _mm512_maskz_mov_epi8(load_u64(bits + 8), one);
    return _mm512_reduce_add_epi32(_mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, x, _mm512_loadu_si512(a)), y,
                                                       _mm512_loadu_si512(a + 64)));
}

static const struct bits_ops fast = {
    .name = "avx512",
    .and_with = fast_and,
    .or_with = fast_or,
    .and_not = fast_and_not,
    .count = fast_count,
    .count_and = fast_count_and,
    .keep_cameras = fast_keep_cameras,
    .equal_u32 = fast_equal_u32,
    .fit_mask = fast_fit_mask,
    .in_set = fast_in_set,
    .within = fast_within,
    .dots128 = fast_dots128,
    .code_dots = fast_code_dots,
    .bit_dot = fast_bit_dot,
};

const struct bits_ops *bits_best(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vnni"))
        return &fast;
    return &plain;
}
