/* SPDX-License-Identifier: Apache-2.0 */
/* Plates end to end: the detector finds the vehicles of a picture (from the score with which a track goes on,
 * since a still has no other frame in which it could begin), the desk finds and reads their plates. No true
 * box is used: what counts is the surest reading of the picture, as a track of one frame would store it,
 * against the label (O = 0, since many plates have one glyph for both). One still each, so no vote over a
 * track helps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/plate_vote.h"
#include "tests/accuracy/footage.h"

#define WIDE_PX 80.0f /* goals speak of plates from this width */

struct reading {
    const struct vocab *vocab;
    float keep;               /* least score of a vehicle: what a track goes on with */
    bool is_wide, wants_wide; /* the picture's shape, and that of the detector at hand */
    float x_px, y_px;         /* middle of the true plate: for the row "vehicle found" alone */
    bool found;               /* a vehicle's box holds it */
    struct plate_read plate;  /* the surest */
    float weight;
};

static bool is_vehicle(const struct vocab *vocab, const struct detection *d) {
    static const char *const classes[] = {"car", "van", "bus", "truck"};
    for (unsigned i = 0; i < 4 && !d->is_hint; i++) {
        const struct vocab_value *v = vocab_by_name(vocab, FIELD_CLASS, classes[i]);
        if (v && v->id == d->class_id) return true;
    }
    return false;
}

static void on_picture(struct footage *f, const struct footage_frame *frame, void *arg) {
    struct reading *r = arg;
    struct wire_roi rois[WIRE_ROIS_MAX];
    struct plate_seen seen[WIRE_ROIS_MAX];
    unsigned n = 0;
    r->is_wide = frame->surface->w_px * IMPORT_WIDE_H >= frame->surface->h_px * IMPORT_WIDE_W;
    if (r->is_wide != r->wants_wide) return;
    for (unsigned i = 0; i < frame->n_det && n < WIRE_ROIS_MAX; i++) { /* best first */
        const struct detection *d = &frame->det[i];
        if (!is_vehicle(r->vocab, d) || d->score < r->keep || d->w_px < 24 || d->h_px < 24) continue;
        const uint16_t x = (uint16_t)((unsigned)d->x_px & ~1u), y = (uint16_t)((unsigned)d->y_px & ~1u);
        rois[n++] = (struct wire_roi){x, y, (uint16_t)(d->x_px + d->w_px - (float)x),
                                      (uint16_t)(d->y_px + d->h_px - (float)y)};
        r->found = r->found || (r->x_px >= d->x_px && r->x_px <= d->x_px + d->w_px && r->y_px >= d->y_px &&
                                r->y_px <= d->y_px + d->h_px);
    }
    if (n == 0) return;
    footage_plates(f, rois, n, seen);
    for (unsigned i = 0; i < n; i++) {
        struct plate_votes votes = {0};
        struct plate_read plate;
        plate_votes_add(&votes, &seen[i].guess, seen[i].weight);
        if (!plate_votes_decide(&votes, footage_plates_least(f), &plate) || seen[i].weight <= r->weight)
            continue;
        r->plate = plate;
        r->weight = seen[i].weight;
    }
}

static bool same(const char *a, const char *b) {
    for (; *a && *b; a++, b++)
        if ((*a == 'O' ? '0' : *a) != (*b == 'O' ? '0' : *b)) return false;
    return *a == *b;
}

/* AA-999-AA, as in France since 2009, in Slovakia and in Italy. */
static bool is_siv_form(const char *text) {
    static const char form[] = "AA999AA";
    for (unsigned i = 0; i < sizeof form - 1; i++) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (!text[i] || digit != (form[i] == '9')) return false;
    }
    return text[sizeof form - 1] == 0;
}

struct count {
    unsigned n, exact;
};

static void add(struct count *c, bool exact) {
    c->n++;
    c->exact += exact;
}

/* `text_column`: of the true text in labels.csv, whose columns 1 to 4 are the true box. */
static void measure(struct footage *square, struct footage *wide, const struct vocab *vocab, const char *data,
                    const char *set, unsigned text_column, double goal_all, double goal_wide, bool list) {
    char path[1024], line[512];
    struct count all = {0}, wide_plates = {0}, siv = {0}, second = {0}, stored = {0};
    unsigned n_found = 0;
    (void)snprintf(path, sizeof path, "%s/plates/%s/labels.csv", data, set);
    FILE *in = fopen(path, "r");
    if (!in) {
        printf("%s: skipped, the measurement data is absent\n", set);
        return;
    }
    while (fgets(line, sizeof line, in)) {
        char *v[9];
        if (footage_fields(line, v, 9) < 7 || strcmp(v[0], "image") == 0) continue;
        struct reading r = {.vocab = vocab, .keep = detector_threshold_keep(footage_detector(square))};
        const float width_px = strtof(v[3], NULL);
        r.x_px = strtof(v[1], NULL) + width_px / 2.0f;
        r.y_px = strtof(v[2], NULL) + strtof(v[4], NULL) / 2.0f;
        (void)snprintf(path, sizeof path, "%s/plates/%s/%s", data, set, v[0]);
        if (!footage_still(square, path, on_picture, &r)) continue;
        r.wants_wide = true;
        if (r.is_wide && !footage_still(wide, path, on_picture, &r)) continue;
        const char *truth = v[text_column];
        const bool exact = r.plate.n_chars > 0 && same(r.plate.text, truth);
        n_found += r.found;
        add(&all, exact);
        if (width_px >= WIDE_PX) add(&wide_plates, exact);
        if (width_px >= WIDE_PX && is_siv_form(truth)) add(&siv, exact);
        if (r.plate.n_chars > 0) add(&stored, exact);
        /* Found by a search for the true text with look-alikes or one slip? */
        bool near = strlen(truth) == r.plate.n_chars;
        for (unsigned i = 0, slips = 0; near && i < r.plate.n_chars; i++) {
            bool among = false;
            for (unsigned k = 0; k < SIGHTING_ALTERNATIVES_MAX; k++)
                among |= r.plate.chars[i].c[k] == truth[i];
            slips += !among && !(truth[i] == '0' && r.plate.text[i] == 'O') &&
                     !(truth[i] == 'O' && r.plate.text[i] == '0');
            near = slips == 0;
        }
        add(&second, near);
        if (list && !exact)
            printf("  %-22s %-10s %-10s %3u  %.0f px%s\n", v[0], truth, r.plate.text, r.plate.confidence,
                   width_px, r.found ? "" : "  no vehicle");
    }
    (void)fclose(in);
    footage_row(set, NULL, "vehicle_found", "vehicle of the plate found", n_found, all.n, 0.0);
    footage_row(set, "plate:", "exact", "plate exact, end to end", all.exact, all.n, goal_all);
    footage_row(set, "plate:", "exact_80px", "plate exact, from 80 px", wide_plates.exact, wide_plates.n,
                goal_wide);
    if (siv.n > 0 && siv.n < wide_plates.n)
        footage_row(set, "plate:", "exact_siv_80px", "plate exact, AA-999-AA, from 80 px", siv.exact, siv.n,
                    0.95);
    footage_row(set, "plate:", "among_guesses", "plate right or among the second guesses", second.exact,
                second.n, 0.0);
    footage_row(set, "plate:", "precision", "stored plates that are exact", stored.exact, stored.n, 0.0);
}

int main(int argc, char **argv) {
    const char *data = footage_data();
    const bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    struct vocab *vocab = NULL;
    if (!data) {
        printf("plates: skipped, the measurement data is absent\n");
        return 0;
    }
    if (vocab_load("host/vocabulary.json", &vocab) != OK) return 1;
    struct footage *square = footage_open("build/models/nanodet-g", vocab);
    struct footage *wide = footage_open("build/models/nanodet-g-640x384", vocab);
    measure(square, wide, vocab, data, "openalpr-eu", 6, 0.80, 0.0, list);
    measure(square, wide, vocab, data, "french-siv-composited", 5, 0.0, 0.90, list);
    footage_close(&square);
    footage_close(&wide);
    vocab_free(&vocab);
    return 0;
}
