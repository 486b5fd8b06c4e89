/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/light.h"

#include <math.h>
#include <string.h>

enum { GRID_W = 48, GRID_H = 27, GRID = GRID_W * GRID_H };

/* Films in daylight have 129 and more here. */
#define DIM_LUMA 80
/* Limited range ends at 235. */
enum { BLOWN_LUMA = 225, BLOWN_LUMA_FULL = 243, BLOWN_PART = 80 };
/* A sample this far from the median chroma is drawn in (a clock) or truly coloured. */
#define STRAY 16
/* Grey pictures have constant chroma; even asphalt in colour varies by 0.4. */
#define FLAT_VAR 0.12f
/* Tinted grey: what chroma is left when the part that follows luma is taken away, and its share of the whole.
 */
#define TINT_VAR   2.0f
#define TINT_SHARE 0.15f
/* Weaker casts are left alone: lawns and brick look like one. */
#define CAST_LEAST 10.0f
/* Cosine between the cast of the commonest and of the brightest pixels. */
#define CAST_ANGLE 0.90f
#define CAST_BIN   4

struct samples {
    uint8_t y[GRID], u[GRID], v[GRID];
};

static void take_samples(const struct wire_surface *s, const uint8_t *pixels, struct samples *out) {
    for (unsigned j = 0; j < GRID_H; j++) {
        size_t row = (size_t)(s->h_px / 2) * (2 * j + 1) / (2 * GRID_H);
        const uint8_t *chroma = pixels + s->uv_offset_bytes + row * s->stride_bytes;
        const uint8_t *luma = pixels + 2 * row * s->stride_bytes;
        for (unsigned i = 0; i < GRID_W; i++) {
            size_t col = (size_t)(s->w_px / 2) * (2 * i + 1) / (2 * GRID_W);
            out->y[j * GRID_W + i] = luma[2 * col];
            out->u[j * GRID_W + i] = chroma[2 * col];
            out->v[j * GRID_W + i] = chroma[2 * col + 1];
        }
    }
}

/* The value that `part` of 100 samples do not exceed. */
static unsigned quantile(const uint8_t *values, unsigned part) {
    unsigned count[256] = {0}, below = 0, at = 0;
    for (unsigned i = 0; i < GRID; i++) count[values[i]]++;
    while (at < 255 && (below += count[at]) * 100 < part * GRID) at++;
    return at;
}

static bool is_grey(const struct samples *p) {
    const int mid_u = (int)quantile(p->u, 50), mid_v = (int)quantile(p->v, 50);
    float n = 0, y = 0, u = 0, v = 0, yy = 0, uu = 0, vv = 0, yu = 0, yv = 0;
    for (unsigned i = 0; i < GRID; i++) {
        int du = p->u[i] - mid_u, dv = p->v[i] - mid_v;
        if (du > STRAY || du < -STRAY || dv > STRAY || dv < -STRAY) continue;
        float l = (float)p->y[i] - 128.0f, a = (float)du, b = (float)dv;
        n += 1.0f;
        y += l;
        u += a;
        v += b;
        yy += l * l;
        uu += a * a;
        vv += b * b;
        yu += l * a;
        yv += l * b;
    }
    if (n * 200.0f < 199.0f * GRID) return false; /* a clock in colour covers less */
    float all = (uu - u * u / n + vv - v * v / n) / n;
    if (all < FLAT_VAR) return true;
    float of_y = (yy - y * y / n) / n, with_u = (yu - y * u / n) / n, with_v = (yv - y * v / n) / n;
    float left = all - (with_u * with_u + with_v * with_v) / fmaxf(of_y, 1.0f);
    return left < TINT_VAR && left < TINT_SHARE * all;
}

/* The commonest chroma of pixels of middle lightness, and the mean one of the brightest that are not blown
 * out. On a street under coloured light both lean the same way; on a lawn only the first does. */
static void find_cast(const struct samples *p, const struct wire_surface *s, float gain[static 3]) {
    static const unsigned n_bins = 256 / CAST_BIN;
    unsigned count[256 / CAST_BIN][256 / CAST_BIN] = {{0}}, most = 0, mode_u = 0, mode_v = 0, n = 0,
                                         n_bright = 0;
    const unsigned bright = quantile(p->y, 88);
    float luma = 0.0f, bright_u = 0.0f, bright_v = 0.0f;
    for (unsigned i = 0; i < GRID; i++) {
        if (p->y[i] > 40 && p->y[i] < 235) count[p->u[i] / CAST_BIN][p->v[i] / CAST_BIN]++;
        if (p->y[i] < bright || p->y[i] >= 250) continue;
        bright_u += (float)p->u[i] - 128.0f;
        bright_v += (float)p->v[i] - 128.0f;
        n_bright++;
    }
    for (unsigned i = 0; i < n_bins * n_bins; i++) {
        if (count[i / n_bins][i % n_bins] <= most) continue;
        most = count[i / n_bins][i % n_bins];
        mode_u = i / n_bins;
        mode_v = i % n_bins;
    }
    for (unsigned i = 0; i < GRID; i++) {
        if (p->u[i] / CAST_BIN != mode_u || p->v[i] / CAST_BIN != mode_v || p->y[i] <= 40 || p->y[i] >= 235)
            continue;
        luma += (float)p->y[i];
        n++;
    }
    if (n == 0 || n_bright == 0) return;
    float u = (float)(mode_u * CAST_BIN) + CAST_BIN / 2.0f - 128.0f,
          v = (float)(mode_v * CAST_BIN) + CAST_BIN / 2.0f - 128.0f;
    bright_u /= (float)n_bright;
    bright_v /= (float)n_bright;
    float size = hypotf(u, v), bright_size = hypotf(bright_u, bright_v);
    if (size < CAST_LEAST || bright_size < 0.5f * size || bright_size > 2.0f * size) return;
    if (u * bright_u + v * bright_v < CAST_ANGLE * size * bright_size) return;
    /* BT.601 for both matrices: the difference is far below what is corrected. */
    float y = luma / (float)n, scale = s->full_range ? 1.0f : 255.0f / 224.0f;
    if (!s->full_range) y = (y - 16.0f) * 255.0f / 219.0f;
    u *= scale;
    v *= scale;
    const float c[3] = {y + 1.772f * u, y - 0.344f * u - 0.714f * v, y + 1.402f * v};
    float mean = fmaxf((c[0] + c[1] + c[2]) / 3.0f, 1.0f);
    for (unsigned i = 0; i < 3; i++) gain[i] = fminf(fmaxf(mean / fmaxf(c[i], 1.0f), 0.5f), 2.0f);
}

void light_of_frame(const struct wire_surface *s, const uint8_t *pixels, struct light *out) {
    struct samples p;
    take_samples(s, pixels, &p);
    *out = (struct light){.gain = {1.0f, 1.0f, 1.0f}};
    out->is_dim = quantile(p.y, 95) < DIM_LUMA;
    out->is_grey = is_grey(&p);
    out->is_blown = quantile(p.y, 100 - BLOWN_PART) >= (s->full_range ? BLOWN_LUMA_FULL : BLOWN_LUMA);
    if (!out->is_dim && !out->is_grey) find_cast(&p, s, out->gain);
}

void light_balance(const float gain[static 3], const int8_t *bgr, size_t n_px, int8_t *out) {
    for (size_t i = 0; i < 3 * n_px; i++) {
        float v = roundf((float)(bgr[i] + 128) * gain[i % 3]);
        out[i] = (int8_t)(fminf(v, 255.0f) - 128.0f);
    }
}
