/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/palette.h"

#include <math.h>
#include <string.h>

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

_Static_assert(N_PROTOTYPES <= PALETTE_MAX, "the palette holds every prototype");

void palette_fill(struct palette *p) {
    for (unsigned i = 0; i < N_PROTOTYPES; i++)
        p->lab[i] = colour_lab_of(prototypes[i].r, prototypes[i].g, prototypes[i].b);
}

void palette_name_pixel(const struct palette *p, const struct colour_lab *lab, float weight,
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

void palette_normalise(struct colour_shares *s) {
    float sum = 0.0f;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) sum += s->of[i];
    for (unsigned i = 0; i < COLOUR_NAMES && sum > 0.0f; i++) s->of[i] /= sum;
}

/* ---- histograms ---- */

enum { BINS_L = PALETTE_BINS_L, BINS_AB = PALETTE_BINS_AB, N_BINS = PALETTE_BINS };

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

void histogram_fill(struct histogram *h, const struct colour_lab *lab, unsigned n) {
    memset(h, 0, sizeof *h);
    for (unsigned i = 0; i < n; i++) h->of[bin_of(&lab[i])] += 1.0f / (float)n;
    histogram_smooth(h, BINS_L, BINS_AB * BINS_AB);
    histogram_smooth(h, BINS_AB, BINS_AB);
    histogram_smooth(h, BINS_AB, 1);
}

float histogram_weight(const struct histogram *object, const struct histogram *street,
                       const struct colour_lab *lab, float least) {
    unsigned bin = bin_of(lab);
    return fmaxf(1.0f - 0.8f * street->of[bin] / (object->of[bin] + 1e-9f), least);
}
