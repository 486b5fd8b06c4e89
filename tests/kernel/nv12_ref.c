/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/kernel/nv12_ref.h"

#include <stdlib.h>

/* Share of output position i, in 1/256, that lies before source coordinate t (in 1/65536 sample). */
static int64_t share_before(int64_t t, int64_t i, int64_t step) {
    const int64_t from = i * step;
    if (t <= from) return 0;
    if (t >= from + step) return 256;
    return (t - from) * 256 / step;
}

static int64_t weight(int64_t s, int64_t i, int64_t n_src, int64_t n_dst) {
    const int64_t step = n_src * 65536 / n_dst;
    if (n_src >= n_dst) return share_before((s + 1) * 65536, i, step) - share_before(s * 65536, i, step);
    /* The centre of position i, seen from the centre of sample 0. */
    int64_t at = (2 * i + 1) * step / 2 - 32768;
    if (at < 0) at = 0;
    const int64_t left = at / 65536, part = at % 65536 / 256;
    const int64_t right = left + 1 < n_src ? left + 1 : n_src - 1;
    return (s == left ? 256 - part : 0) + (s == right ? part : 0);
}

/* Output sample (x, y) of one plane; `gap` is the distance of its samples in a row. */
static int plane(const uint8_t *p, uint32_t stride, int gap, uint32_t w, uint32_t h, uint32_t dst_w,
                 uint32_t dst_h, const uint16_t *wx, const uint16_t *wy, uint32_t x, uint32_t y) {
    (void)dst_w, (void)dst_h;
    uint64_t sum = 32768;
    for (uint32_t v = 0; v < h; v++) {
        if (wy[(uint64_t)y * h + v] == 0) continue;
        for (uint32_t u = 0; u < w; u++)
            sum += (uint64_t)wy[(uint64_t)y * h + v] * wx[(uint64_t)x * w + u] *
                   p[(uint64_t)v * stride + u * (unsigned)gap];
    }
    return (int)(sum / 65536);
}

static uint16_t *weights(uint32_t n_src, uint32_t n_dst) {
    uint16_t *w = calloc((size_t)n_src * n_dst, sizeof *w);
    if (!w) abort();
    for (uint32_t i = 0; i < n_dst; i++)
        for (uint32_t s = 0; s < n_src; s++) w[(size_t)i * n_src + s] = (uint16_t)weight(s, i, n_src, n_dst);
    return w;
}

static uint8_t clip(int64_t v) {
    const int64_t r = v >= 0 ? (v + 4096) / 8192 : -((-v + 4095) / 8192);
    return (uint8_t)(r < 0 ? 0 : r > 255 ? 255 : r);
}

void ref_resize(const struct ref_surface *s, uint32_t w, uint32_t h, uint8_t *bgr) {
    /* round(8192 * coefficient) of ITU-R BT.601-7 and BT.709-6 */
    static const int coefficient[2][2][5] = {
        {{9539, 13075, 3209, 6660, 16525}, {8192, 11485, 2819, 5850, 14516}},
        {{9539, 14686, 1747, 4366, 17305}, {8192, 12901, 1535, 3835, 15201}},
    };
    const int *k = coefficient[s->matrix][s->full_range];
    const uint32_t cw = (s->w + 1) / 2, ch = (s->h + 1) / 2;
    uint16_t *yx = weights(s->w, w), *yy = weights(s->h, h), *cx = weights(cw, w), *cy = weights(ch, h);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            const int luma = plane(s->luma, s->stride, 1, s->w, s->h, w, h, yx, yy, x, y);
            const int u = plane(s->chroma, s->stride, 2, cw, ch, w, h, cx, cy, x, y) - 128;
            const int v = plane(s->chroma + 1, s->stride, 2, cw, ch, w, h, cx, cy, x, y) - 128;
            const int64_t l = (int64_t)k[0] * (luma - (s->full_range ? 0 : 16));
            uint8_t *o = bgr + ((size_t)y * w + x) * 3;
            o[0] = clip(l + (int64_t)k[4] * u);
            o[1] = clip(l - (int64_t)k[2] * u - (int64_t)k[3] * v);
            o[2] = clip(l + (int64_t)k[1] * v);
        }
    free(yx);
    free(yy);
    free(cx);
    free(cy);
}

void ref_letterbox(const struct ref_surface *s, const int8_t *lut, uint32_t dst_w, uint32_t dst_h,
                   int8_t *out) {
    /* The side that fits exactly is the one whose scale is smaller. */
    uint64_t w = dst_w, h = dst_h;
    if ((uint64_t)dst_w * s->h <= (uint64_t)dst_h * s->w)
        h = ((uint64_t)s->h * dst_w * 2 / s->w + 1) / 2;
    else
        w = ((uint64_t)s->w * dst_h * 2 / s->h + 1) / 2;
    if (h < 1) h = 1;
    if (w < 1) w = 1;
    if (h > dst_h) h = dst_h;
    if (w > dst_w) w = dst_w;
    uint8_t *bgr = malloc((size_t)w * h * 3);
    if (!bgr) abort();
    ref_resize(s, (uint32_t)w, (uint32_t)h, bgr);
    const uint64_t x0 = (dst_w - w) / 2, y0 = (dst_h - h) / 2;
    for (uint64_t y = 0; y < dst_h; y++)
        for (uint64_t x = 0; x < dst_w; x++)
            for (unsigned c = 0; c < 3; c++) {
                const bool inside = x >= x0 && x < x0 + w && y >= y0 && y < y0 + h;
                const uint8_t p = inside ? bgr[((y - y0) * w + (x - x0)) * 3 + c] : 0;
                out[(y * dst_w + x) * 3 + c] = lut[256 * c + p];
            }
    free(bgr);
}
