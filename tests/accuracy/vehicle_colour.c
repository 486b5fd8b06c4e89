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
    const char *type; /* finer than the class; NULL = none is sure enough */
    const char *class_detector, *class_both; /* by the detector in this one frame; with the network's word */
};

static const char *const classes[] = {"car", "van", "bus", "truck"};
enum { N_CLASSES = 4 };

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
    for (unsigned i = 0; i < N_CLASSES && !d->is_hint; i++) {
        const struct vocab_value *v = vocab_by_name(vocab, FIELD_CLASS, classes[i]);
        if (v && v->id == d->class_id) return true;
    }
    return false;
}

/* As host/pipe/scene.c does it when a track ends, for one frame. */
static void ask_network(struct footage *f, const struct detection *d, const struct wire_roi *roi, struct car *c,
                        struct colour_shares *paint) {
    const struct look_net *net = footage_net(f, 0);
    int8_t answer[LOOK_NET_LABELS_MAX];
    float sums[LOOK_NET_LABELS_MAX] = {0}, shares[LOOK_NET_LABELS_MAX], most = 0.0f;
    footage_ask(f, 0, roi, 1, answer);
    look_net_add(net, answer, 1.0f, sums);
    look_net_shares(net, sums, 1.0f, shares);
    for (unsigned i = 0; i < N_CLASSES; i++) {
        const struct vocab_value *v = vocab_by_name(c->vocab, FIELD_CLASS, classes[i]);
        float share = 0.0f, vote = v->id == d->class_id ? 1.0f : 0.0f;
        if (vote > 0.0f) c->class_detector = classes[i];
        if (look_net_share(net, shares, FIELD_CLASS, v->id, &share)) vote += LOOK_NET_CLASS_WEIGHT * (share - vote);
        if (vote <= most) continue;
        most = vote;
        c->class_both = classes[i];
    }
    for (unsigned k = 0; k < net->n_labels; k++) {
        const struct look_net_value *fine = &net->labels[k].yes[1];
        if (fine->field == FIELD_VEHICLE_TYPE && shares[k] >= net->labels[k].at_least)
            c->type = vocab_by_id(c->vocab, fine->field, fine->id)->name;
    }
    for (unsigned k = 0; k < COLOUR_NAMES; k++) {
        const struct vocab_value *v = vocab_by_name(c->vocab, FIELD_VEHICLE_COLOUR, colour_name(k));
        float share = 0.0f;
        if (k != COLOUR_SILVER && look_net_share(net, shares, FIELD_VEHICLE_COLOUR, v->id, &share))
            paint->of[k] += LOOK_NET_PAINT_WEIGHT * (share - paint->of[k]);
    }
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
        ask_network(f, d, &roi, c, &shares);
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
    unsigned n = 0, n_found = 0, first = 0, second = 0, any = 0, type_detector = 0, type_both = 0, n_typed = 0,
             right_type = 0;
    (void)snprintf(path, sizeof path, "%s/plates/openalpr-eu/labels.csv", data ? data : "");
    FILE *in = fopen(path, "r");
    if (!in) {
        printf("openalpr-eu: skipped, the measurement data is absent\n");
        return 0;
    }
    if (vocab_load("host/vocabulary.json", &vocab) != OK) return 1;
    struct footage *f = footage_open(model ? model : "build/models/nanodet-g", vocab);
    footage_add_net(f, "build/models/vehicle-look", vocab);
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
        const char *type = strcmp(v[8], "van") == 0 || strcmp(v[8], "bus") == 0 ? v[8]
                           : strcmp(v[8], "pickup") == 0                        ? "truck"
                                                                                : "car"; /* mpv, suv */
        type_detector += c.class_detector && strcmp(c.class_detector, type) == 0;
        type_both += c.class_both && strcmp(c.class_both, type) == 0;
        n_typed += c.type != NULL;
        right_type += c.type && strcmp(c.type, v[8]) == 0;
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
        printf("  %-14s %-8s %-8s %-8s %-18s", v[0], v[8], c.class_detector ? c.class_detector : "-",
               c.class_both ? c.class_both : "-", v[7]);
        if (c.type) printf(" (%s)", c.type);
        for (unsigned i = 0; i < c.verdict.n; i++)
            printf(" %s %u", colour_name(c.verdict.value[i].colour), c.verdict.value[i].score);
        printf("\n");
    }
    (void)fclose(in);
    footage_row("openalpr-eu", NULL, "found", "vehicle holding the plate found", n_found, n, 0.95);
    footage_row("openalpr-eu", NULL, "top1", "vehicle class by the detector, one still", type_detector, n, 0.0);
    footage_row("openalpr-eu", "class:", "top1", "vehicle class, one still", type_both, n, 0.0);
    footage_row("openalpr-eu", "vehicle_type:", "false_alarm", "wrongly called pickup or articulated lorry",
                n_typed - right_type, n, 0.0);
    footage_row("openalpr-eu", "vehicle_colour:", "top1", "vehicle colour, first name", first, n, 0.80);
    footage_row("openalpr-eu", "vehicle_colour:", "top2", "vehicle colour, first two names", second, n, 0.93);
    footage_row("openalpr-eu", "vehicle_colour:", "any", "vehicle colour, all names kept", any, n, 0.0);
    write_confusions(&table);
    footage_close(&f);
    vocab_free(&vocab);
    return 0;
}
