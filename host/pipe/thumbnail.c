/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/thumbnail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "driver/card_abi.h"
#include "host/base/log.h"

#define MARGIN  0.10f /* of the box's larger side, on each side */
#define QUALITY 82

struct thumbnailer {
    tjhandle jpeg;
    uint8_t rgb[3 * THUMBNAIL_SIDE_MAX * THUMBNAIL_SIDE_MAX];
};

struct region {
    unsigned x, y, w, h;
};

enum err thumbnailer_new(struct thumbnailer **out) {
    *out = NULL;
    struct thumbnailer *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    t->jpeg = tjInitCompress();
    if (!t->jpeg) {
        free(t);
        return ERR_NOMEM;
    }
    *out = t;
    return OK;
}

void thumbnailer_free(struct thumbnailer **t) {
    if (!t || !*t) return;
    tjDestroy((*t)->jpeg);
    free(*t);
    *t = NULL;
}

static bool region_of(const struct wire_surface *s, const struct track_box *b, struct region *out) {
    float m = MARGIN * fmaxf(b->w_px, b->h_px);
    float x0 = fmaxf(b->x_px - m, 0.0f), y0 = fmaxf(b->y_px - m, 0.0f);
    float x1 = fminf(b->x_px + b->w_px + m, (float)s->w_px),
          y1 = fminf(b->y_px + b->h_px + m, (float)s->h_px);
    if (!(x1 - x0 >= 2.0f && y1 - y0 >= 2.0f)) return false;
    *out = (struct region){(unsigned)x0, (unsigned)y0, (unsigned)(x1 - x0), (unsigned)(y1 - y0)};
    return true;
}

static uint8_t clamp_u8(int v) {
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Coefficients x 65536: r = y + rv v, g = y - gu u - gv v, b = y + bu u, after taking range and offset away.
 */
struct matrix {
    int y_scale, y_base, rv, gu, gv, bu;
};

static struct matrix matrix_of(const struct wire_surface *s) {
    double kr = s->matrix == CARD_MATRIX_BT709 ? 0.2126 : 0.299,
           kb = s->matrix == CARD_MATRIX_BT709 ? 0.0722 : 0.114;
    double kg = 1.0 - kr - kb, ys = s->full_range ? 1.0 : 255.0 / 219.0,
           cs = s->full_range ? 1.0 : 255.0 / 224.0;
    return (struct matrix){
        .y_scale = (int)lround(65536.0 * ys),
        .y_base = s->full_range ? 0 : 16,
        .rv = (int)lround(65536.0 * cs * 2.0 * (1.0 - kr)),
        .gu = (int)lround(65536.0 * cs * 2.0 * (1.0 - kb) * kb / kg),
        .gv = (int)lround(65536.0 * cs * 2.0 * (1.0 - kr) * kr / kg),
        .bu = (int)lround(65536.0 * cs * 2.0 * (1.0 - kb)),
    };
}

/* Mean of the luma over the output pixel's footprint; chroma of its middle. */
static void fill_rgb(struct thumbnailer *t, const struct wire_surface *s, const uint8_t *pixels,
                     struct region r, unsigned w, unsigned h) {
    const struct matrix m = matrix_of(s);
    const uint8_t *uv = pixels + s->uv_offset_bytes;
    for (unsigned oy = 0; oy < h; oy++) {
        unsigned y0 = r.y + oy * r.h / h, y1 = r.y + (oy + 1) * r.h / h;
        if (y1 <= y0) y1 = y0 + 1;
        for (unsigned ox = 0; ox < w; ox++) {
            unsigned x0 = r.x + ox * r.w / w, x1 = r.x + (ox + 1) * r.w / w;
            if (x1 <= x0) x1 = x0 + 1;
            unsigned sum = 0;
            for (unsigned y = y0; y < y1; y++) {
                const uint8_t *row = pixels + (size_t)y * s->stride_bytes;
                for (unsigned x = x0; x < x1; x++) sum += row[x];
            }
            int luma = (int)(sum / ((y1 - y0) * (x1 - x0)));
            const uint8_t *c = uv + (size_t)((y0 + y1) / 4) * s->stride_bytes + (size_t)((x0 + x1) / 4) * 2;
            int y = (luma - m.y_base) * m.y_scale, u = c[0] - 128, v = c[1] - 128;
            uint8_t *p = t->rgb + 3 * (oy * w + ox);
            p[0] = clamp_u8((y + m.rv * v + 32768) >> 16);
            p[1] = clamp_u8((y - m.gu * u - m.gv * v + 32768) >> 16);
            p[2] = clamp_u8((y + m.bu * u + 32768) >> 16);
        }
    }
}

enum err thumbnailer_make(struct thumbnailer *t, const struct wire_surface *s, const uint8_t *pixels,
                          const struct track_box *box, uint8_t **jpeg, size_t *n_bytes) {
    struct region r;
    unsigned char *out = NULL;
    unsigned long n = 0;
    *jpeg = NULL;
    *n_bytes = 0;
    if (!region_of(s, box, &r)) return ERR_USAGE;
    unsigned w = r.w, h = r.h, side = w > h ? w : h;
    if (side > THUMBNAIL_SIDE_MAX) {
        w = w * THUMBNAIL_SIDE_MAX / side;
        h = h * THUMBNAIL_SIDE_MAX / side;
        if (w == 0) w = 1;
        if (h == 0) h = 1;
    }
    fill_rgb(t, s, pixels, r, w, h);
    if (tjCompress2(t->jpeg, t->rgb, (int)w, 0, (int)h, TJPF_RGB, &out, &n, TJSAMP_420, QUALITY, 0) != 0) {
        log_error("thumbnail", "what=compress w_px=%u h_px=%u cause=\"%s\"", w, h, tjGetErrorStr2(t->jpeg));
        tjFree(out);
        return ERR_NOMEM;
    }
    /* The record is kept and freed by others: in memory of the C library, not of the codec's own. */
    uint8_t *copy = malloc(n);
    if (copy) memcpy(copy, out, n);
    tjFree(out);
    if (!copy) return ERR_NOMEM;
    *jpeg = copy;
    *n_bytes = n;
    return OK;
}
