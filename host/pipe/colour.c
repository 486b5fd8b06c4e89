/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/colour.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/scene.h"

static const char *const names[COLOUR_COUNT] = {
    "black",  "white",  "grey",  "silver", "beige",  "brown", "red",
    "orange", "yellow", "green", "blue",   "purple", "pink",  "multicolour",
};

const char *colour_name(unsigned colour) {
    return colour < COLOUR_COUNT ? names[colour] : NULL;
}

/* ---- CIELAB ---- */

static float linear_of(uint8_t v) {
    float s = (float)v / 255.0f;
    return s <= 0.04045f ? s / 12.92f : powf((s + 0.055f) / 1.055f, 2.4f);
}

static float lab_curve(float t) {
    return t > 0.008856f ? cbrtf(t) : 7.787f * t + 16.0f / 116.0f;
}

void colour_table_fill(struct colour_table *t) {
    for (unsigned i = 0; i < 256; i++) t->linear[i] = linear_of((uint8_t)i);
}

static struct colour_lab lab_from_linear(float r, float g, float b) {
    float x = lab_curve((0.4124f * r + 0.3576f * g + 0.1805f * b) / 0.9505f);
    float y = lab_curve(0.2126f * r + 0.7152f * g + 0.0722f * b);
    float z = lab_curve((0.0193f * r + 0.1192f * g + 0.9505f * b) / 1.089f);
    return (struct colour_lab){116.0f * y - 16.0f, 500.0f * (x - y), 200.0f * (y - z)};
}

struct colour_lab colour_lab_of(uint8_t r, uint8_t g, uint8_t b) {
    return lab_from_linear(linear_of(r), linear_of(g), linear_of(b));
}

struct colour_lab colour_lab_at(const struct colour_table *t, const int8_t *bgr) {
    return lab_from_linear(t->linear[bgr[2] + 128], t->linear[bgr[1] + 128], t->linear[bgr[0] + 128]);
}

/* ---- names by the nearest of a few dozen typical colours ---- */

static const struct prototype {
    uint8_t name, r, g, b;
} prototypes[] = {
    {COLOUR_BLACK, 12, 12, 16},    {COLOUR_BLACK, 20, 20, 20},    {COLOUR_BLACK, 40, 40, 45},
    {COLOUR_WHITE, 245, 245, 245}, {COLOUR_WHITE, 225, 227, 230}, {COLOUR_GREY, 85, 85, 88},
    {COLOUR_GREY, 128, 128, 128},  {COLOUR_GREY, 165, 165, 165},  {COLOUR_GREY, 195, 196, 198},
    {COLOUR_RED, 180, 30, 35},     {COLOUR_RED, 130, 25, 30},     {COLOUR_RED, 210, 40, 50},
    {COLOUR_RED, 90, 20, 28},      {COLOUR_BLUE, 40, 70, 160},    {COLOUR_BLUE, 30, 40, 90},
    {COLOUR_BLUE, 90, 130, 190},   {COLOUR_BLUE, 20, 25, 50},     {COLOUR_BLUE, 75, 88, 115}, /* denim */
    {COLOUR_BLUE, 50, 60, 82},     {COLOUR_BLUE, 120, 140, 170},  {COLOUR_BLUE, 165, 195, 225},
    {COLOUR_BLUE, 30, 130, 160},   {COLOUR_GREEN, 50, 120, 60},   {COLOUR_GREEN, 60, 80, 50},
    {COLOUR_GREEN, 30, 50, 35},    {COLOUR_GREEN, 130, 170, 110}, {COLOUR_GREEN, 95, 105, 70}, /* olive */
    {COLOUR_GREEN, 20, 120, 100},  {COLOUR_YELLOW, 220, 200, 60}, {COLOUR_YELLOW, 240, 220, 90},
    {COLOUR_YELLOW, 200, 170, 30}, {COLOUR_ORANGE, 225, 120, 40}, {COLOUR_ORANGE, 235, 95, 30},
    {COLOUR_PINK, 230, 150, 175},  {COLOUR_PINK, 220, 90, 140},   {COLOUR_PINK, 240, 190, 200},
    {COLOUR_PURPLE, 110, 60, 130}, {COLOUR_PURPLE, 80, 50, 100},  {COLOUR_PURPLE, 150, 120, 180},
    {COLOUR_BROWN, 110, 75, 50},   {COLOUR_BROWN, 80, 55, 40},    {COLOUR_BROWN, 140, 100, 70},
    {COLOUR_BROWN, 55, 40, 32},    {COLOUR_BEIGE, 200, 180, 145}, {COLOUR_BEIGE, 225, 210, 185},
    {COLOUR_BEIGE, 170, 150, 120},
};
enum { N_PROTOTYPES = sizeof prototypes / sizeof prototypes[0] };

struct palette {
    struct colour_lab lab[N_PROTOTYPES];
};

static void palette_fill(struct palette *p) {
    for (unsigned i = 0; i < N_PROTOTYPES; i++)
        p->lab[i] = colour_lab_of(prototypes[i].r, prototypes[i].g, prototypes[i].b);
}

/* Adds a pixel of this weight to the names it may bear: a pixel between black and navy is some of both, which
 * is what makes the second colour of a garment worth offering. */
static void name_pixel(const struct palette *p, const struct colour_lab *lab, float weight,
                       struct colour_shares *out) {
    const float width = 2.0f * 6.0f * 6.0f; /* of a name's edge, in LAB units squared */
    float d[COLOUR_NAMES], e[COLOUR_NAMES], least = 1e30f, sum = 0.0f;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) d[i] = 1e30f;
    for (unsigned i = 0; i < N_PROTOTYPES; i++) {
        float dl = lab->l - p->lab[i].l, da = lab->a - p->lab[i].a, db = lab->b - p->lab[i].b;
        float far =
            0.5f * dl * dl + da * da + db * db; /* light counts half: folds and shade change it most */
        d[prototypes[i].name] = fminf(d[prototypes[i].name], far);
        least = fminf(least, far);
    }
    for (unsigned i = 0; i < COLOUR_NAMES; i++) {
        float z = (d[i] - least) / width;
        e[i] = z < 10.0f ? expf(-z) : 0.0f;
        sum += e[i];
    }
    for (unsigned i = 0; i < COLOUR_NAMES; i++) out->of[i] += weight * e[i] / sum;
}

static void shares_normalise(struct colour_shares *s) {
    float sum = 0.0f;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) sum += s->of[i];
    for (unsigned i = 0; i < COLOUR_NAMES && sum > 0.0f; i++) s->of[i] /= sum;
}

/* ---- clothes ---- */

/* Coarse histogram of LAB, to tell the street beside a figure from the figure. */
enum { BINS_L = 13, BINS_AB = 24, N_BINS = BINS_L * BINS_AB * BINS_AB };
struct histogram {
    float of[N_BINS];
};

static unsigned bin_of(const struct colour_lab *lab) {
    unsigned l = (unsigned)fminf(fmaxf(lab->l / 8.0f, 0.0f), BINS_L - 0.5f);
    unsigned a = (unsigned)fminf(fmaxf((lab->a + 96.0f) / 8.0f, 0.0f), BINS_AB - 0.5f);
    unsigned b = (unsigned)fminf(fmaxf((lab->b + 96.0f) / 8.0f, 0.0f), BINS_AB - 0.5f);
    return (l * BINS_AB + a) * BINS_AB + b;
}

/* Kernel 1/4 1/2 1/4 along one axis of `n` bins `step` apart; colours do not keep to the borders of bins. */
static void histogram_smooth(struct histogram *h, unsigned n, unsigned step) {
    for (unsigned i = 0; i < N_BINS; i++) {
        if (i / step % n != 0) continue; /* the first bin of a row along the axis */
        float before = 0.0f;
        for (unsigned k = 0; k < n; k++) {
            float here = h->of[i + k * step], after = k + 1 < n ? h->of[i + (k + 1) * step] : 0.0f;
            h->of[i + k * step] = 0.25f * before + 0.5f * here + 0.25f * after;
            before = here;
        }
    }
}

static void histogram_fill(struct histogram *h, const struct colour_lab *lab, unsigned n) {
    memset(h, 0, sizeof *h);
    for (unsigned i = 0; i < n; i++) h->of[bin_of(&lab[i])] += 1.0f / (float)n;
    histogram_smooth(h, BINS_L, BINS_AB * BINS_AB);
    histogram_smooth(h, BINS_AB, BINS_AB);
    histogram_smooth(h, BINS_AB, 1);
}

/* One garment: the middle half of the rows [row, row_end). Street shows between legs and beside arms: a
 * colour counts less the more of it stands in the strips at both sides, where figures hardly reach. On the
 * hand-labelled walkers of PETS 2009 this and the soft names raised right lower colours from 8 to 15 of 19.
 */
static void garment(const struct colour_table *t, const struct palette *p, const int8_t *bgr, unsigned row,
                    unsigned row_end, struct colour_shares *out) {
    enum { W = CROP_PERSON_W_PX, COL = W / 4, COL_END = W * 3 / 4, STRIP = W * 11 / 100, SPARE = 4 };
    struct colour_lab inside[CROP_PERSON_H_PX * (COL_END - COL)] = {0},
                                                           beside[CROP_PERSON_H_PX * 2 * STRIP] = {0};
    struct histogram h_inside, h_beside;
    unsigned n = 0, n_beside = 0;
    *out = (struct colour_shares){0};
    for (unsigned y = row - SPARE; y < row_end + SPARE; y++) {
        const int8_t *line = bgr + 3 * y * W;
        for (unsigned x = 0; x < STRIP; x++) {
            beside[n_beside++] = colour_lab_at(t, line + 3 * x);
            beside[n_beside++] = colour_lab_at(t, line + 3 * (W - 1 - x));
        }
        if (y < row || y >= row_end) continue;
        for (unsigned x = COL; x < COL_END; x++) inside[n++] = colour_lab_at(t, line + 3 * x);
    }
    histogram_fill(&h_inside, inside, n);
    histogram_fill(&h_beside, beside, n_beside);
    for (unsigned i = 0; i < n; i++) {
        unsigned bin = bin_of(&inside[i]);
        float street = 0.8f * h_beside.of[bin] / h_inside.of[bin];
        name_pixel(p, &inside[i], fmaxf(1.0f - street, 0.03f), out);
    }
    shares_normalise(out);
}

/* Darker than this in its lightest parts, a crop shows no colours. */
static bool too_dark(const int8_t *bgr, unsigned n_px) {
    unsigned light = 0;
    for (unsigned i = 0; i < n_px; i++) {
        const int8_t *p = bgr + 3 * i;
        light += p[0] > 48 - 128 || p[1] > 48 - 128 || p[2] > 48 - 128;
    }
    return light * 10 < n_px;
}

bool colour_of_clothes(const int8_t *bgr, struct colour_shares *upper, struct colour_shares *lower) {
    struct colour_table t;
    struct palette p;
    if (too_dark(bgr, CROP_PERSON_W_PX * CROP_PERSON_H_PX)) return false;
    colour_table_fill(&t);
    palette_fill(&p);
    garment(&t, &p, bgr, CROP_PERSON_H_PX * 18 / 100, CROP_PERSON_H_PX * 48 / 100, upper);
    garment(&t, &p, bgr, CROP_PERSON_H_PX * 54 / 100, CROP_PERSON_H_PX * 84 / 100, lower);
    return true;
}

/* ---- vehicles: rules on lightness, chroma and hue ---- */

static unsigned paint_of(const struct colour_lab *lab) {
    float c = sqrtf(lab->a * lab->a + lab->b * lab->b), l = lab->l;
    float h = atan2f(lab->b, lab->a) * 57.29578f;
    if (h < 0.0f) h += 360.0f;
    if (c < (l < 28.0f ? 4.5f : 8.0f))
        return l < 30.0f ? COLOUR_BLACK : l < 68.0f ? COLOUR_GREY : COLOUR_WHITE;
    if (h >= 38.0f && h < 110.0f && c < 13.0f && l > 60.0f) return l > 74.0f ? COLOUR_WHITE : COLOUR_GREY;
    if (h >= 305.0f && h < 345.0f && c < 14.0f) return COLOUR_GREY;
    if (l < 7.0f) return COLOUR_BLACK;
    if (h >= 38.0f && h < 95.0f && (l < 52.0f || c < 28.0f)) return COLOUR_BROWN;
    if (h >= 345.0f || h < 38.0f) return COLOUR_RED;
    if (h < 62.0f) return COLOUR_ORANGE;
    if (h < 105.0f) return COLOUR_YELLOW;
    if (h < 205.0f) return COLOUR_GREEN;
    if (h < 305.0f) return COLOUR_BLUE;
    return COLOUR_PURPLE;
}

bool colour_of_vehicle(const int8_t *bgr, struct colour_shares *out) {
    const unsigned w = CROP_VEHICLE_W_PX, h = CROP_VEHICLE_H_PX;
    const unsigned row = h * 42 / 100, row_end = h * 80 / 100, col = w * 12 / 100, col_end = w * 88 / 100;
    struct colour_table t;
    unsigned counts[COLOUR_NAMES] = {0}, bright[COLOUR_NAMES] = {0};
    unsigned n = 0, n_bright = 0;
    *out = (struct colour_shares){0};
    if (too_dark(bgr, w * h)) return false;
    colour_table_fill(&t);
    for (unsigned y = row; y < row_end; y++) {
        for (unsigned x = col; x < col_end; x++) {
            struct colour_lab lab = colour_lab_at(&t, bgr + 3 * (y * w + x));
            unsigned name = paint_of(&lab);
            counts[name]++;
            n++;
            if (lab.l <= 16.0f) continue;
            bright[name]++;
            n_bright++;
        }
    }
    /* Tyres, gaps and the shadow below are darker than any paint in light; a black car has little else. */
    bool use_bright = n_bright * 100 > n * 35;
    for (unsigned i = 0; i < COLOUR_NAMES; i++)
        out->of[i] = (float)(use_bright ? bright[i] : counts[i]) / (float)(use_bright ? n_bright : n);
    return true;
}

/* ---- grey pictures ---- */

static int compare_u8(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

bool colour_frame_is_grey(const struct wire_surface *s, const uint8_t *pixels) {
    enum { GRID_W = 48, GRID_H = 27, N = GRID_W * GRID_H };
    uint8_t u[N], v[N], sorted[N];
    for (unsigned j = 0; j < GRID_H; j++) {
        size_t y = (size_t)(s->h_px / 2) * (2 * j + 1) / (2 * GRID_H);
        for (unsigned i = 0; i < GRID_W; i++) {
            size_t x = (size_t)(s->w_px / 2) * (2 * i + 1) / (2 * GRID_W);
            const uint8_t *p = pixels + s->uv_offset_bytes + y * s->stride_bytes + 2 * x;
            u[j * GRID_W + i] = p[0];
            v[j * GRID_W + i] = p[1];
        }
    }
    /* About the median, because a grey camera may have a tint; any scene in colour has a few coloured spots.
     */
    memcpy(sorted, u, N);
    qsort(sorted, N, 1, compare_u8);
    int u_mid = sorted[N / 2];
    memcpy(sorted, v, N);
    qsort(sorted, N, 1, compare_u8);
    int v_mid = sorted[N / 2];
    unsigned coloured = 0;
    for (unsigned i = 0; i < N; i++) coloured += abs(u[i] - u_mid) > 3 || abs(v[i] - v_mid) > 3;
    return coloured * 200 < N;
}

/* ---- verdict ---- */

#define SHARE_NAMED 0.12f /* a name below this share is noise */
#define SHARE_SURE  0.55f

static void put_value(struct colour_verdict *out, unsigned colour, float share, bool sure) {
    float score = roundf(100.0f * share);
    out->value[out->n].colour = (uint8_t)colour;
    out->value[out->n].score = (uint8_t)fminf(fmaxf(score, 1.0f), 100.0f);
    out->value[out->n].sure = sure;
    out->n++;
}

static bool is_grey_scale(unsigned colour) {
    return colour == COLOUR_BLACK || colour == COLOUR_GREY || colour == COLOUR_SILVER ||
           colour == COLOUR_WHITE;
}

/* A small patch of true colour says more than a large grey one: glass, tyres and shade are grey on any car.
 */
static void prefer_paint(struct colour_shares *s) {
    unsigned top = COLOUR_NAMES;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) {
        bool paint = !is_grey_scale(i) && i != COLOUR_BROWN && i != COLOUR_BEIGE;
        if (paint && s->of[i] > 0.28f && (top == COLOUR_NAMES || s->of[i] > s->of[top])) top = i;
    }
    if (top != COLOUR_NAMES) {
        s->of[top] += 1.0f;
    } else if (s->of[COLOUR_BLACK] > s->of[COLOUR_GREY] && s->of[COLOUR_BLACK] > s->of[COLOUR_WHITE]) {
        if (s->of[COLOUR_WHITE] > 0.28f)
            s->of[COLOUR_WHITE] += s->of[COLOUR_BLACK];
        else if (s->of[COLOUR_GREY] > 0.35f)
            s->of[COLOUR_GREY] += s->of[COLOUR_BLACK];
    }
    shares_normalise(s);
}

void colour_decide(const struct colour_shares *mean, enum colour_use use, struct colour_verdict *out) {
    struct colour_shares s = *mean;
    *out = (struct colour_verdict){0};
    if (use == COLOUR_VEHICLE) prefer_paint(&s);
    unsigned order[COLOUR_NAMES];
    for (unsigned i = 0; i < COLOUR_NAMES; i++) {
        unsigned at = i;
        while (at > 0 && s.of[order[at - 1]] < s.of[i]) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    if (s.of[order[0]] < SHARE_NAMED) return;
    unsigned n_hues = 0;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) n_hues += !is_grey_scale(i) && s.of[i] >= 0.2f;
    if (use == COLOUR_CLOTHES && n_hues >= 2 && s.of[order[0]] < 0.5f)
        put_value(out, COLOUR_MULTI, s.of[order[0]] + s.of[order[1]], false);
    for (unsigned i = 0; i < COLOUR_NAMES && out->n < 3; i++) {
        if (s.of[order[i]] < SHARE_NAMED) break;
        put_value(out, order[i], s.of[order[i]], out->n == 0 && s.of[order[i]] >= SHARE_SURE);
    }
}
