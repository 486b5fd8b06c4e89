/* SPDX-License-Identifier: Apache-2.0 */
/* Colours of the vehicles in plates/openalpr-eu, through the whole chain: the detector's box that holds the
 * plate, the card's crop, the name. One still each, so no vote over a track helps. Labels by hand, some with
 * two names; grey is accepted for silver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/colour.h"
#include "host/pipe/scene.h"
#include "tests/accuracy/footage.h"

struct car {
    const struct vocab *vocab;
    float x_px, y_px; /* middle of its plate */
    bool found;
    bool named;
    struct colour_verdict verdict;
};

/* What cars of each colour were called first. Labels with two names ("silver/beige") count as the first. */
struct table {
    unsigned n[COLOUR_COUNT], called[COLOUR_COUNT][COLOUR_COUNT];
};

static unsigned colour_of_label(const char *label) {
    const char *dash = strncmp(label, "dark-", 5) == 0 || strncmp(label, "light-", 6) == 0 ? strchr(label, '-') : NULL;
    const char *name = dash ? dash + 1 : label;
    for (unsigned c = 0; c < COLOUR_COUNT; c++) {
        size_t n = strlen(colour_name(c));
        if (strncmp(name, colour_name(c), n) == 0 && (name[n] == 0 || name[n] == '/' || name[n] == '+')) return c;
    }
    return COLOUR_COUNT;
}

static void write_confusions(const struct table *t) {
    for (unsigned c = 0; c < COLOUR_COUNT; c++) {
        char filter[64];
        (void)snprintf(filter, sizeof filter, "vehicle_colour:%s", colour_name(c));
        if (t->n[c] >= 3)
            footage_row("openalpr-eu", filter, "top1", "named first", t->called[c][c], t->n[c], 0.0);
        for (unsigned o = 0; o < COLOUR_COUNT && t->n[c] >= 3; o++)
            if (o != c && t->called[c][o] > 0) footage_confusion(filter, colour_name(o), t->called[c][o], t->n[c]);
    }
}

static bool is_vehicle(const struct vocab *vocab, const struct detection *d) {
    static const char *const classes[] = {"car", "van", "bus", "truck"};
    for (unsigned i = 0; i < 4 && !d->is_hint; i++) {
        const struct vocab_value *v = vocab_by_name(vocab, FIELD_CLASS, classes[i]);
        if (v && v->id == d->class_id) return true;
    }
    return false;
}

static void on_picture(struct footage *f, const struct footage_frame *frame, void *arg) {
    static int8_t crop[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct car *c = arg;
    for (unsigned i = 0; i < frame->n_det; i++) { /* best first */
        const struct detection *d = &frame->det[i];
        if (!is_vehicle(c->vocab, d) || c->x_px < d->x_px || c->x_px > d->x_px + d->w_px ||
            c->y_px < d->y_px || c->y_px > d->y_px + d->h_px)
            continue;
        const uint16_t x = (uint16_t)((unsigned)d->x_px & ~1u), y = (uint16_t)((unsigned)d->y_px & ~1u);
        const struct wire_roi roi = {x, y, (uint16_t)(d->x_px + d->w_px - (float)x),
                                     (uint16_t)(d->y_px + d->h_px - (float)y)};
        struct colour_shares shares;
        c->found = true;
        footage_crops(f, &roi, 1, CROP_VEHICLE_W_PX, CROP_VEHICLE_H_PX, crop);
        if (!colour_of_vehicle(crop, &shares)) return;
        c->named = true;
        colour_decide(&shares, COLOUR_VEHICLE, &c->verdict);
        return;
    }
}

int main(int argc, char **argv) {
    const char *data = footage_data(), *model = getenv("RELECTURE_MODEL");
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    char path[1024], line[512];
    struct vocab *vocab = NULL;
    struct table table = {0};
    unsigned n = 0, n_found = 0, first = 0, second = 0, any = 0;
    (void)snprintf(path, sizeof path, "%s/plates/openalpr-eu/labels.csv", data ? data : "");
    FILE *in = fopen(path, "r");
    if (!in) {
        printf("openalpr-eu: skipped, the measurement data is absent\n");
        return 0;
    }
    if (vocab_load("host/vocabulary.json", &vocab) != OK) return 1;
    struct footage *f = footage_open(model ? model : "build/models/nanodet-g", vocab);
    while (fgets(line, sizeof line, in)) {
        char *v[9];
        if (footage_fields(line, v, 9) != 9 || strcmp(v[0], "image") == 0) continue;
        if (strcmp(v[7], "GREYSCALE-IMAGE") == 0) continue;
        struct car c = {.vocab = vocab};
        c.x_px = strtof(v[1], NULL) + strtof(v[3], NULL) / 2.0f;
        c.y_px = strtof(v[2], NULL) + strtof(v[4], NULL) / 2.0f;
        (void)snprintf(path, sizeof path, "%s/plates/openalpr-eu/%s", data, v[0]);
        if (!footage_still(f, path, on_picture, &c)) continue;
        n++;
        n_found += c.found;
        bool fits = false;
        unsigned truth = colour_of_label(v[7]);
        if (truth < COLOUR_COUNT && c.verdict.n > 0) {
            table.n[truth]++;
            table.called[truth][c.verdict.value[0].colour]++;
        }
        for (unsigned i = 0; i < c.verdict.n; i++) {
            if (fits || !footage_colour_fits(v[7], colour_name(c.verdict.value[i].colour))) continue;
            fits = true;
            first += i == 0;
            second += i < 2;
            any++;
        }
        if (!list) continue;
        printf("  %-14s %-18s", v[0], v[7]);
        for (unsigned i = 0; i < c.verdict.n; i++)
            printf(" %s %u", colour_name(c.verdict.value[i].colour), c.verdict.value[i].score);
        printf("\n");
    }
    (void)fclose(in);
    footage_row("openalpr-eu", NULL, "found", "vehicle holding the plate found", n_found, n, 0.95);
    footage_row("openalpr-eu", "vehicle_colour:", "top1", "vehicle colour, first name", first, n, 0.80);
    footage_row("openalpr-eu", "vehicle_colour:", "top2", "vehicle colour, first two names", second, n, 0.93);
    footage_row("openalpr-eu", "vehicle_colour:", "any", "vehicle colour, all names kept", any, n, 0.0);
    write_confusions(&table);
    footage_close(&f);
    vocab_free(&vocab);
    return 0;
}
