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

static int32_t plain_dot128(const int8_t *a, const int8_t *b) {
    int32_t sum = 0;
    for (int i = 0; i < 128; i++) sum += a[i] * b[i];
    return sum;
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
    .within = plain_within,
    .dot128 = plain_dot128,
};

const struct bits_ops *bits_plain(void) {
    return &plain;
}

/* ---- AVX-512 ----------------------------------------------------------------------------------------------
 */

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vpopcntdq,popcnt")))

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

/* Eight texts of eight bytes at a time, one in each 64-bit lane; a lane stops at its text's end. */
AVX512 static uint8_t within_eight(const uint8_t *texts, const struct plate_edit *e, __m512i low,
                                   __m512i high) {
    const __m512i ones = _mm512_set1_epi64(-1), one = _mm512_set1_epi64(1), byte = _mm512_set1_epi64(0xff);
    const __m512i last = _mm512_set1_epi64(1LL << (e->n_chars - 1));
    __m512i text = _mm512_loadu_si512(texts);
    __m512i equal = _mm512_permutex2var_epi8(low, text, high);
    __m512i pv = ones, mv = _mm512_setzero_si512(), score = _mm512_set1_epi64(e->n_chars);
    __mmask8 some = _mm512_test_epi64_mask(text, byte), live = some;
    for (unsigned j = 0; j < 8 && live; j++) {
        __m512i eq = _mm512_and_si512(equal, byte), xv = _mm512_or_si512(eq, mv);
        __m512i sum = _mm512_add_epi64(_mm512_and_si512(eq, pv), pv);
        __m512i xh = _mm512_or_si512(_mm512_xor_si512(sum, pv), eq);
        __m512i ph = _mm512_or_si512(mv, _mm512_andnot_si512(_mm512_or_si512(xh, pv), ones));
        __m512i mh = _mm512_and_si512(pv, xh);
        score = _mm512_mask_add_epi64(score, _mm512_mask_test_epi64_mask(live, ph, last), score, one);
        score = _mm512_mask_sub_epi64(score, _mm512_mask_test_epi64_mask(live, mh, last), score, one);
        ph = _mm512_or_si512(_mm512_slli_epi64(ph, 1), one);
        mh = _mm512_slli_epi64(mh, 1);
        pv = _mm512_or_si512(mh, _mm512_andnot_si512(_mm512_or_si512(xv, ph), ones));
        mv = _mm512_and_si512(ph, xv);
        equal = _mm512_srli_epi64(equal, 8);
        text = _mm512_srli_epi64(text, 8);
        live = _mm512_mask_test_epi64_mask(live, text, byte);
    }
    return _mm512_mask_cmple_epu64_mask(some, score, _mm512_set1_epi64(e->max_distance));
}

AVX512 static void fast_within(uint64_t *out, const uint8_t *texts, size_t n, unsigned width,
                               const struct plate_edit *e) {
    if (width != 8 || e->n_chars > 8) {
        plain_within(out, texts, n, width, e);
        return;
    }
    const __m512i low = _mm512_loadu_si512(e->equal8), high = _mm512_loadu_si512(e->equal8 + 64);
    size_t w = 0;
    for (; (w + 1) * 64 <= n; w++) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8; k++)
            word |= (uint64_t)within_eight(texts + w * 512 + k * 64, e, low, high) << 8 * k;
        out[w] = word;
    }
    if (n % 64) plain_within(out + w, texts + w * 512, n % 64, width, e);
}

AVX512 static int32_t fast_dot128(const int8_t *a, const int8_t *b) {
    __m512i sum = _mm512_setzero_si512();
    for (unsigned i = 0; i < 128; i += 32) {
        __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(a + i)));
        __m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(b + i)));
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(x, y));
    }
    return _mm512_reduce_add_epi32(sum);
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
    .within = fast_within,
    .dot128 = fast_dot128,
};

const struct bits_ops *bits_best(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        return &fast;
    return &plain;
}
