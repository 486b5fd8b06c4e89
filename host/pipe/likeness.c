/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/likeness.h"

#include <math.h>
#include <string.h>

#include "host/pipe/colour.h"
#include "host/pipe/scene.h"

enum { STRIPES = 8, BINS = 16 };

static unsigned bin_of(const struct colour_lab *lab) {
    float c = sqrtf(lab->a * lab->a + lab->b * lab->b);
    if (c < 8.0f) return (unsigned)fminf(fmaxf(lab->l / 25.0f, 0.0f), 3.0f);
    float h = atan2f(lab->b, lab->a) * 57.29578f;
    if (h < 0.0f) h += 360.0f;
    unsigned sector = (unsigned)fminf(h / 60.0f, 5.0f);
    return 4 + 2 * sector + (lab->l >= 45.0f);
}

void likeness_of_vehicle(const int8_t *bgr, int8_t out[static 128]) {
    /* Without the border, which is street more than vehicle. */
    const unsigned w = CROP_VEHICLE_W_PX, h = CROP_VEHICLE_H_PX, edge_x = w / 10, edge_y = h / 15;
    const unsigned rows = (h - 2 * edge_y) / STRIPES;
    struct colour_table t;
    colour_table_fill(&t);
    for (unsigned s = 0; s < STRIPES; s++) {
        unsigned count[BINS] = {0}, n = 0;
        for (unsigned y = edge_y + s * rows; y < edge_y + (s + 1) * rows; y++) {
            for (unsigned x = edge_x; x < w - edge_x; x++) {
                struct colour_lab lab = colour_lab_at(&t, bgr + 3 * (y * w + x));
                count[bin_of(&lab)]++;
                n++;
            }
        }
        for (unsigned b = 0; b < BINS; b++)
            out[s * BINS + b] = (int8_t)floorf(127.0f * sqrtf((float)count[b] / (float)n) + 0.5f);
    }
}
