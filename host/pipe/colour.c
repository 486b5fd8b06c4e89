/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/colour.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "host/pipe/palette.h"
#include "host/pipe/scene.h"

static const char *const names[COLOUR_COUNT] = {
    "black",  "white",  "grey",  "silver", "beige",  "brown", "red",
    "orange", "yellow", "green", "blue",   "purple", "pink",  "multicolour",
};

const char *colour_name(unsigned colour) {
    return colour < COLOUR_COUNT ? names[colour] : NULL;
}

/* ---- clothes ---- */

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
        palette_name_pixel(p, &inside[i], histogram_weight(&h_inside, &h_beside, &inside[i], 0.03f), out);
    }
    palette_normalise(out);
}

bool colour_is_readable(const int8_t *bgr, unsigned n_px) {
    unsigned light = 0, blown = 0;
    for (unsigned i = 0; i < n_px; i++) {
        const int8_t *p = bgr + 3 * i;
        light += p[0] > 48 - 128 || p[1] > 48 - 128 || p[2] > 48 - 128;
        blown += p[0] >= 250 - 128 && p[1] >= 250 - 128 && p[2] >= 250 - 128;
    }
    return light * 10 >= n_px && blown * 10 <= n_px * 7;
}

bool colour_of_clothes(const int8_t *bgr, struct colour_shares *upper, struct colour_shares *lower) {
    struct colour_table t;
    struct palette p;
    if (!colour_is_readable(bgr, CROP_PERSON_W_PX * CROP_PERSON_H_PX)) return false;
    colour_table_fill(&t);
    palette_fill(&p);
    garment(&t, &p, bgr, CROP_PERSON_H_PX * 18 / 100, CROP_PERSON_H_PX * 48 / 100, upper);
    garment(&t, &p, bgr, CROP_PERSON_H_PX * 54 / 100, CROP_PERSON_H_PX * 84 / 100, lower);
    return true;
}

/* ---- verdict ---- */

#define SHARE_NAMED  0.12f /* a name below this share is noise */
#define SHARE_SURE   0.55f
#define SHARE_SILVER 0.08f
enum { VALUES_MAX = 3 };

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

void colour_decide(const struct colour_shares *mean, enum colour_use use, struct colour_verdict *out) {
    struct colour_shares s = *mean;
    *out = (struct colour_verdict){0};
    s.of[COLOUR_SILVER] = 0.0f; /* it comes after the others: it never takes the place of a second name */
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
    bool may_be_silver =
        (order[0] == COLOUR_GREY || order[0] == COLOUR_WHITE) && mean->of[COLOUR_SILVER] >= SHARE_SILVER;
    for (unsigned i = 0; i < COLOUR_NAMES && out->n < VALUES_MAX; i++) {
        if (s.of[order[i]] < SHARE_NAMED) break;
        if (may_be_silver && out->n == VALUES_MAX - 1) break; /* the last place is taken */
        put_value(out, order[i], s.of[order[i]], out->n == 0 && s.of[order[i]] >= SHARE_SURE);
    }
    if (may_be_silver) put_value(out, COLOUR_SILVER, mean->of[COLOUR_SILVER], false);
}
