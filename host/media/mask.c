/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/mask.h"

#include <stdlib.h>
#include <string.h>

enum {
    PARTS = 65536,
    MARGIN_PARTS = 10 /* a box grows by a tenth on each side: it lies between measured ones */
};

enum err mask_add_area(struct mask *m, const struct wire_area *a) {
    if (m->n_areas == MASK_AREAS_MAX) return ERR_FULL;
    m->areas[m->n_areas++] = *a;
    return OK;
}

enum err mask_add_pieces(struct mask *m, const struct wire_mask *pieces) {
    if (m->n_pieces + pieces->n > MASK_PIECES_MAX) return ERR_FULL;
    if (m->n_pieces + pieces->n > m->cap_pieces) {
        const unsigned cap = m->cap_pieces ? m->cap_pieces * 2 : 256;
        struct wire_mask_piece *more = realloc(m->pieces, cap * sizeof *more);
        if (!more) return ERR_NOMEM;
        m->pieces = more;
        m->cap_pieces = cap;
    }
    memcpy(m->pieces + m->n_pieces, pieces->pieces, pieces->n * sizeof *m->pieces);
    m->n_pieces += pieces->n;
    return OK;
}

void mask_fini(struct mask *m) {
    free(m->pieces);
    free(m->fixed);
    free(m->map);
    *m = (struct mask){0};
}

/* ---- areas -----------------------------------------------------------------------------------------------
 */

/* Even-odd rule at the middle of a block. */
static bool in_area(const struct wire_area *a, int32_t x, int32_t y) {
    bool inside = false;
    for (unsigned i = 0, k = a->n - 1; i < a->n; k = i++) {
        const int32_t xi = a->x[i], yi = a->y[i], xk = a->x[k], yk = a->y[k];
        if ((yi > y) == (yk > y)) continue;
        if (x < (int64_t)(xk - xi) * (y - yi) / (yk - yi) + xi) inside = !inside;
    }
    return inside;
}

static enum err make_maps(struct mask *m, const struct wire_surface *s) {
    const uint32_t w = s->w_px / 2, h = s->h_px / 2;
    if (m->map && m->w_px == s->w_px && m->h_px == s->h_px) return OK;
    free(m->fixed);
    free(m->map);
    m->fixed = calloc((size_t)w * h, 1);
    m->map = calloc((size_t)w * h, 1);
    if (!m->fixed || !m->map) return ERR_NOMEM;
    m->w_px = s->w_px;
    m->h_px = s->h_px;
    for (unsigned i = 0; i < m->n_areas; i++)
        for (uint32_t y = 0; y < h; y++)
            for (uint32_t x = 0; x < w; x++)
                if (in_area(&m->areas[i], (int32_t)((x * 2 + 1) * (uint64_t)PARTS / s->w_px),
                            (int32_t)((y * 2 + 1) * (uint64_t)PARTS / s->h_px)))
                    m->fixed[(size_t)y * w + x] = 1;
    return OK;
}

/* ---- boxes -----------------------------------------------------------------------------------------------
 */

static int64_t clamp(int64_t v, int64_t most) {
    return v < 0 ? 0 : v > most ? most : v;
}

/* Sets the blocks of the box that the piece has at pts_us. */
static void set_box(struct mask *m, const struct wire_mask_piece *p, int64_t pts_us, uint8_t value) {
    const int64_t w = m->w_px / 2, h = m->h_px / 2, length = p->to_us - p->from_us;
    int64_t box[4];
    for (int i = 0; i < 4; i++)
        box[i] =
            p->from[i] + (length > 0 ? (p->to[i] - (int64_t)p->from[i]) * (pts_us - p->from_us) / length : 0);
    if (!p->show)
        for (int i = 0; i < 2; i++) {
            const int64_t margin = (box[i + 2] - box[i]) / MARGIN_PARTS;
            box[i] -= margin;
            box[i + 2] += margin;
        }
    const int64_t x0 = clamp(box[0] * w / PARTS, w), x1 = clamp((box[2] * w + PARTS - 1) / PARTS, w);
    const int64_t y0 = clamp(box[1] * h / PARTS, h), y1 = clamp((box[3] * h + PARTS - 1) / PARTS, h);
    for (int64_t y = y0; y < y1 && x1 > x0; y++) memset(m->map + y * w + x0, value, (size_t)(x1 - x0));
}

/* Hidden boxes first, then the object is shown, then the areas: these always win. */
static void set_map(struct mask *m, int64_t pts_us) {
    const size_t n = (size_t)(m->w_px / 2) * (m->h_px / 2);
    memset(m->map, 0, n);
    for (int show = 0; show < 2; show++)
        for (unsigned i = 0; i < m->n_pieces; i++) {
            const struct wire_mask_piece *p = &m->pieces[i];
            if (p->show == show && pts_us >= p->from_us && pts_us < p->to_us) set_box(m, p, pts_us, !show);
        }
    for (size_t i = 0; i < n; i++) m->map[i] |= m->fixed[i];
}

/* ---- the words -------------------------------------------------------------------------------------------
 */

/* Letters of five by nine dots, most significant of five bits left; the first two rows are for the accent. */
static const struct {
    char letter;
    uint8_t rows[9];
} glyphs[] = {
    {'C', {0, 0, 0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}},
    {'O', {0, 0, 0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
    {'P', {0, 0, 0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}},
    {'I', {0, 0, 0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'E', {0, 0, 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}},
    {'M', {0, 0, 0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}},
    {'A', {0, 0, 0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
    {'S', {0, 0, 0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}},
    {'Q', {0, 0, 0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d}},
    {'U', {0, 0, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
    {'e', {0x02, 0x04, 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}}, /* E with its accent */
    {' ', {0}},
};
static const char words[] = "COPIE MASQUeE";
enum { GLYPH_W = 6, GLYPH_ROWS = 9, BANNER_ROWS = GLYPH_ROWS + 2 };

static const uint8_t *rows_of(char letter) {
    unsigned i = 0;
    while (glyphs[i].letter != letter && glyphs[i].letter != ' ') i++;
    return glyphs[i].rows;
}

/* Even, so that chroma has no half lines. */
static uint32_t dot_px(uint32_t h_px) {
    const uint32_t d = h_px / 240 * 2;
    return d ? d : 2;
}

uint32_t mask_banner_height(uint32_t h_px) {
    const uint32_t h = dot_px(h_px) * BANNER_ROWS;
    return h < h_px ? h : h_px;
}

static void draw_banner(uint8_t *nv12, const struct wire_surface *s) {
    const uint32_t dot = dot_px(s->h_px), h = mask_banner_height(s->h_px);
    for (uint32_t y = 0; y < h; y++) memset(nv12 + (size_t)y * s->stride_bytes, 16, s->w_px);
    for (uint32_t y = 0; y < h / 2; y++)
        memset(nv12 + s->uv_offset_bytes + (size_t)y * s->stride_bytes, 128, s->w_px);
    for (uint32_t y = dot; y < h && y / dot - 1 < GLYPH_ROWS; y++)
        for (uint32_t x = 0; x < s->w_px; x++) {
            const uint32_t column = x / dot, at = column / GLYPH_W;
            if (column < 1 || at >= sizeof words - 1) continue;
            if (rows_of(words[at])[y / dot - 1] << (column % GLYPH_W) & 0x20)
                nv12[(size_t)y * s->stride_bytes + x] = 235;
        }
}

enum err mask_paint(struct mask *m, uint8_t *nv12, const struct wire_surface *s, int64_t pts_us) {
    const enum err e = make_maps(m, s);
    if (e) return e;
    set_map(m, pts_us);
    const uint32_t w = s->w_px / 2, h = s->h_px / 2;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            if (!m->map[(size_t)y * w + x]) continue;
            uint8_t *luma = nv12 + (size_t)y * 2 * s->stride_bytes + x * 2;
            luma[0] = luma[1] = luma[s->stride_bytes] = luma[s->stride_bytes + 1] = MASK_GREY;
            uint8_t *chroma = nv12 + s->uv_offset_bytes + (size_t)y * s->stride_bytes + x * 2;
            chroma[0] = chroma[1] = 128;
        }
    draw_banner(nv12, s);
    return OK;
}
