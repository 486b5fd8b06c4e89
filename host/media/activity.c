/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/activity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_ACROSS = 120, CELL_MIN_PX = 4, SHIFT_BINS = 512 };
/* How fast the usual value follows: where it is quiet, and where something stands. At a key frame every two
 * seconds a parked car becomes usual after about four minutes. */
static const float follow_quiet = 1.0f / 8, follow_active = 1.0f / 128;
static const float waver_first = 1.0f, waver_rise = 1.0f / 16, waver_fall = 1.0f / 64;

struct cell {
    float usual, waver;
};

struct activity {
    unsigned w_px, h_px, cell_px, n_x, n_y, n_seen;
    struct cell *cells;
    float *now;
    uint8_t *out; /* of the ordinary, with a border of zeros around */
};

enum err activity_new(struct activity **out) {
    *out = calloc(1, sizeof **out);
    return *out ? OK : ERR_NOMEM;
}

static void drop(struct activity *a) {
    free(a->cells);
    free(a->now);
    free(a->out);
    *a = (struct activity){.n_seen = 0};
}

void activity_free(struct activity **pa) {
    if (!pa || !*pa) return;
    drop(*pa);
    free(*pa);
    *pa = NULL;
}

void activity_restart(struct activity *a) {
    a->n_seen = 0;
}

unsigned activity_n_seen(const struct activity *a) {
    return a->n_seen;
}

static enum err resize(struct activity *a, unsigned w_px, unsigned h_px) {
    drop(a);
    unsigned cell_px = w_px / CELLS_ACROSS;
    if (cell_px < CELL_MIN_PX) cell_px = CELL_MIN_PX;
    const unsigned n_x = w_px / cell_px, n_y = h_px / cell_px;
    if (n_x == 0 || n_y == 0) return ERR_USAGE;
    a->cells = calloc((size_t)n_x * n_y, sizeof *a->cells);
    a->now = calloc((size_t)n_x * n_y, sizeof *a->now);
    a->out = calloc((size_t)(n_x + 2) * (n_y + 2), 1);
    if (!a->cells || !a->now || !a->out) {
        drop(a);
        return ERR_NOMEM;
    }
    a->w_px = w_px;
    a->h_px = h_px;
    a->cell_px = cell_px;
    a->n_x = n_x;
    a->n_y = n_y;
    return OK;
}

/* Every second row is enough for a mean of hundreds of pixels. */
static void average(struct activity *a, const uint8_t *luma, size_t stride) {
    const unsigned s = a->cell_px;
    const float scale = 1.0f / (float)(s * ((s + 1) / 2));
    for (unsigned y = 0; y < a->n_y; y++)
        for (unsigned x = 0; x < a->n_x; x++) {
            const uint8_t *p = luma + (size_t)y * s * stride + (size_t)x * s;
            unsigned sum = 0;
            for (unsigned r = 0; r < s; r += 2, p += 2 * stride)
                for (unsigned c = 0; c < s; c++) sum += p[c];
            a->now[y * a->n_x + x] = (float)sum * scale;
        }
}

/* The median of the differences: what automatic exposure or a cloud does to all of the picture. */
static float common_shift(const struct activity *a) {
    unsigned bins[SHIFT_BINS] = {0};
    const unsigned n = a->n_x * a->n_y;
    for (unsigned i = 0; i < n; i++) {
        int b = (int)lrintf(a->now[i] - a->cells[i].usual) + SHIFT_BINS / 2;
        bins[b < 0 ? 0 : b >= SHIFT_BINS ? SHIFT_BINS - 1 : b]++;
    }
    unsigned below = 0;
    int b = 0;
    while ((below += bins[b]) * 2 < n) b++;
    /* Half a level of rounding would cost more than it finds on a picture that did not change. */
    return b == SHIFT_BINS / 2 ? 0 : (float)(b - SHIFT_BINS / 2);
}

enum err activity_look(struct activity *a, const uint8_t *luma, size_t stride, unsigned w_px, unsigned h_px,
                       const struct activity_limits *limits, unsigned *n_active) {
    if (w_px != a->w_px || h_px != a->h_px) {
        const enum err e = resize(a, w_px, h_px);
        if (e) return e;
    }
    const unsigned n = a->n_x * a->n_y;
    average(a, luma, stride);
    if (a->n_seen++ == 0) {
        for (unsigned i = 0; i < n; i++) a->cells[i] = (struct cell){a->now[i], waver_first};
        *n_active = n;
        return OK;
    }
    const float shift = common_shift(a);
    const size_t row = a->n_x + 2;
    for (unsigned y = 0; y < a->n_y; y++)
        for (unsigned x = 0; x < a->n_x; x++) {
            struct cell *c = &a->cells[y * a->n_x + x];
            const float off = fabsf(a->now[y * a->n_x + x] - shift - c->usual);
            const float limit = limits->wavers * c->waver;
            const bool out = off > (limit > limits->least ? limit : limits->least);
            a->out[(y + 1) * row + x + 1] = out;
            c->usual += (a->now[y * a->n_x + x] - c->usual) * (out ? follow_active : follow_quiet);
            /* What moves for ever (leaves, a flag) must become usual too, but one passer-by must not: beyond
             * the limit the wavering grows slowly, however far beyond it is. */
            const float counts = out ? limit : off;
            c->waver += (counts - c->waver) * (out              ? follow_active
                                               : off > c->waver ? waver_rise
                                                                : waver_fall);
        }
    unsigned together = 0;
    for (unsigned y = 1; y <= a->n_y; y++)
        for (unsigned x = 1; x <= a->n_x; x++) {
            const uint8_t *o = &a->out[y * row + x];
            together += o[0] && (o[1] || *(o - 1) || o[row] || *(o - row));
        }
    *n_active = together;
    return OK;
}
