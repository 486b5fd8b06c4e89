/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/colour_vehicle.h"

#include <math.h>
#include <string.h>

#include "host/pipe/colour_vehicle_weights.h"
#include "host/pipe/palette.h"
#include "host/pipe/scene.h"

/* Colours are read at half the crop's size: noise goes, paint stays. */
enum {
    W = CROP_VEHICLE_W_PX / 2,
    H = CROP_VEHICLE_H_PX / 2,
    ZONES = 2,
    EDGE_X = 4,
    EDGE_Y = 3,
    LEVELS = 100
};
enum { STREET_PX = 2 * EDGE_X * H + 2 * EDGE_Y * W };

/* Per cent of the crop: sides and bonnet or boot; above them roof and glass. */
static const struct zone { unsigned y0, y1, x0, x1; } zones[ZONES] = {{40, 80, 12, 88}, {10, 40, 15, 85}};

/* A second reading, by rules on lightness, chroma and hue: good at telling a faint colour from none. */
enum paint {
    PAINT_BLACK,
    PAINT_GREY,
    PAINT_WHITE,
    PAINT_BROWN,
    PAINT_RED,
    PAINT_ORANGE,
    PAINT_YELLOW,
    PAINT_GREEN,
    PAINT_BLUE,
    PAINT_PURPLE,
    PAINTS
};

static enum paint paint_of(const struct colour_lab *lab) {
    float c = sqrtf(lab->a * lab->a + lab->b * lab->b), l = lab->l;
    float h = atan2f(lab->b, lab->a) * 57.29578f;
    if (h < 0.0f) h += 360.0f;
    if (c < (l < 28.0f ? 4.5f : 8.0f)) return l < 30.0f ? PAINT_BLACK : l < 68.0f ? PAINT_GREY : PAINT_WHITE;
    if (h >= 38.0f && h < 110.0f && c < 13.0f && l > 60.0f) return l > 74.0f ? PAINT_WHITE : PAINT_GREY;
    if (h >= 305.0f && h < 345.0f && c < 14.0f) return PAINT_GREY;
    if (l < 7.0f) return PAINT_BLACK;
    if (h >= 38.0f && h < 95.0f && (l < 52.0f || c < 28.0f)) return PAINT_BROWN;
    if (h >= 345.0f || h < 38.0f) return PAINT_RED;
    if (h < 62.0f) return PAINT_ORANGE;
    if (h < 105.0f) return PAINT_YELLOW;
    if (h < 205.0f) return PAINT_GREEN;
    if (h < 305.0f) return PAINT_BLUE;
    return PAINT_PURPLE;
}

/* A third reading, finer: greys by lightness, then faint, middle and strong colours by hue and lightness. */
enum {
    FINE_FAINT = 8,
    FINE_MIDDLE = FINE_FAINT + 6 * 3,
    FINE_STRONG = FINE_MIDDLE + 12 * 3,
    FINES = FINE_STRONG + 12 * 2
};

static unsigned fine_of(const struct colour_lab *lab) {
    float c = sqrtf(lab->a * lab->a + lab->b * lab->b), l = lab->l;
    if (c < 5.0f) return (unsigned)fminf(fmaxf(l / 12.5f, 0.0f), 7.5f);
    float h = atan2f(lab->b, lab->a) * 57.29578f;
    unsigned thirds = (l >= 35.0f) + (l >= 65.0f);
    unsigned of_6 = (unsigned)((h + 390.0f) / 60.0f) % 6u, of_12 = (unsigned)((h + 375.0f) / 30.0f) % 12u;
    if (c < 12.0f) return FINE_FAINT + of_6 * 3 + thirds;
    if (c < 28.0f) return FINE_MIDDLE + of_12 * 3 + thirds;
    return FINE_STRONG + of_12 * 2 + (l >= 50.0f);
}

static void halve(const int8_t *bgr, struct colour_lab *out) {
    struct colour_table t;
    colour_table_fill(&t);
    for (unsigned y = 0; y < H; y++) {
        for (unsigned x = 0; x < W; x++) {
            const int8_t *p = bgr + 3 * (2 * y * CROP_VEHICLE_W_PX + 2 * x);
            int8_t mean[3];
            for (unsigned c = 0; c < 3; c++) {
                int sum = p[c] + p[3 + c] + p[3 * CROP_VEHICLE_W_PX + c] + p[3 * CROP_VEHICLE_W_PX + 3 + c];
                mean[c] =
                    (int8_t)((sum + 514) / 4 - 128); /* rounded; 4 * 128 + 2 keeps the dividend positive */
            }
            out[y * W + x] = colour_lab_at(&t, mean);
        }
    }
}

static void street_of(const struct colour_lab *px, struct histogram *h) {
    struct colour_lab edge[STREET_PX];
    unsigned n = 0;
    for (unsigned y = 0; y < H; y++) {
        for (unsigned x = 0; x < EDGE_X; x++) {
            edge[n++] = px[y * W + x];
            edge[n++] = px[y * W + W - 1 - x];
        }
    }
    for (unsigned y = 0; y < EDGE_Y; y++) {
        for (unsigned x = 0; x < W; x++) {
            edge[n++] = px[y * W + x];
            edge[n++] = px[(H - 1 - y) * W + x];
        }
    }
    histogram_fill(h, edge, n);
}

struct reading {
    struct colour_shares names;
    float paints[PAINTS];
    float fine[FINES];
    float grey_light; /* mean lightness of its grey and white pixels */
};

static void read_zone(const struct palette *p, const struct colour_lab *px, const struct histogram *street,
                      const struct zone *z, struct reading *out) {
    struct colour_lab inside[W * H];
    struct histogram h;
    unsigned n = 0, n_bright = 0, all[PAINTS] = {0}, bright[PAINTS] = {0};
    float grey_sum = 0.0f;
    for (unsigned y = H * z->y0 / 100; y < H * z->y1 / 100; y++) {
        for (unsigned x = W * z->x0 / 100; x < W * z->x1 / 100; x++) inside[n++] = px[y * W + x];
    }
    *out = (struct reading){0};
    histogram_fill(&h, inside, n);
    for (unsigned i = 0; i < n; i++) {
        palette_name_pixel(p, &inside[i], histogram_weight(&h, street, &inside[i], 0.1f), &out->names);
        out->fine[fine_of(&inside[i])] += 1.0f / (float)n;
        enum paint paint = paint_of(&inside[i]);
        all[paint]++;
        if (paint == PAINT_GREY || paint == PAINT_WHITE) grey_sum += inside[i].l;
        if (inside[i].l <= 16.0f) continue;
        bright[paint]++;
        n_bright++;
    }
    palette_normalise(&out->names);
    unsigned n_grey = all[PAINT_GREY] + all[PAINT_WHITE];
    if (n_grey > 0) out->grey_light = grey_sum / (float)n_grey;
    /* Tyres, gaps and the shadow below are darker than any paint in light; a black car has little else. */
    bool use_bright = n_bright * 100 > n * 35;
    for (unsigned i = 0; i < PAINTS; i++)
        out->paints[i] = (float)(use_bright ? bright[i] : all[i]) / (float)(use_bright ? n_bright : n);
}

/* Lightness below which 10, 50, 90 and 98 % of the crop lie: what its light was. */
static float *put_levels(const struct colour_lab *px, float *out) {
    static const unsigned per_cent[] = {10, 50, 90, 98};
    unsigned count[LEVELS] = {0};
    for (unsigned i = 0; i < W * H; i++) count[(unsigned)fminf(fmaxf(px[i].l, 0.0f), LEVELS - 0.5f)]++;
    for (unsigned k = 0, level = 0, below = 0; k < 4; k++) {
        while (level < LEVELS - 1 && (below + count[level]) * 100 < per_cent[k] * W * H)
            below += count[level++];
        *out++ = (float)level / LEVELS;
    }
    return out;
}

static void features_of(const int8_t *bgr, float out[static COLOUR_VEHICLE_FEATURES],
                        struct reading r[static ZONES]) {
    struct colour_lab px[W * H];
    struct histogram street;
    struct palette p;
    float *f = out;
    palette_fill(&p);
    halve(bgr, px);
    street_of(px, &street);
    for (unsigned z = 0; z < ZONES; z++) {
        read_zone(&p, px, &street, &zones[z], &r[z]);
        for (unsigned i = 0; i < COLOUR_NAMES; i++) {
            *f++ = sqrtf(r[z].names.of[i]);
            *f++ = r[z].names.of[i];
        }
        for (unsigned i = 0; i < PAINTS; i++) {
            *f++ = sqrtf(r[z].paints[i]);
            *f++ = fminf(r[z].paints[i] / 0.28f, 1.0f); /* a quarter of true colour is as good as all */
        }
    }
    for (unsigned z = 0; z < ZONES; z++) {
        for (unsigned i = 0; i < FINES; i++) *f++ = sqrtf(r[z].fine[i]);
    }
    for (unsigned i = 0; i < COLOUR_NAMES; i++) *f++ = sqrtf(fmaxf(r[0].names.of[i], r[1].names.of[i]));
    f = put_levels(px, f);
    *f = 1.0f;
}

void colour_vehicle_features(const int8_t *bgr, float out[static COLOUR_VEHICLE_FEATURES]) {
    struct reading r[ZONES];
    features_of(bgr, out, r);
}

bool colour_of_vehicle(const int8_t *bgr, struct colour_shares *out) {
    struct reading r[ZONES];
    float f[COLOUR_VEHICLE_FEATURES], z[COLOUR_NAMES], most = -1e30f;
    *out = (struct colour_shares){0};
    if (!colour_is_readable(bgr, CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX)) return false;
    features_of(bgr, f, r);
    for (unsigned c = 0; c < COLOUR_NAMES; c++) {
        z[c] = 0.0f;
        for (unsigned i = 0; i < COLOUR_VEHICLE_FEATURES; i++) z[c] += colour_vehicle_weights[c][i] * f[i];
        if (c != COLOUR_SILVER) most = fmaxf(most, z[c]);
    }
    for (unsigned c = 0; c < COLOUR_NAMES; c++) out->of[c] = c == COLOUR_SILVER ? 0.0f : expf(z[c] - most);
    palette_normalise(out);
    /* No set labels silver apart from grey, and in sun it looks white: what lightness says, beside the sum.
     */
    float l = r[0].grey_light, rise = (l - 42.0f) / 12.0f, fall = (84.0f - l) / 10.0f;
    float maybe = fminf(fmaxf(fminf(rise, fall), 0.0f), 1.0f);
    out->of[COLOUR_SILVER] = 0.45f * maybe * (out->of[COLOUR_GREY] + 0.5f * out->of[COLOUR_WHITE]);
    return true;
}
