/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the saved analysis of a recording: refused, or a scene that goes on, ends and saves again. */
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/pipe/scene.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

enum { W = 160, H = 120, WISHES = 8 };
static const struct wire_surface surface = {
    .w_px = W, .h_px = H, .stride_bytes = W, .uv_offset_bytes = W * H, .full_range = 1};
static uint8_t pixels[W * H * 3 / 2];

static const struct scene_config *config(void) {
    static struct scene_config cfg = {.recording_id = 5, .threshold_start = 0.45f, .threshold_keep = 0.30f};
    static struct vocab *vocab;
    if (!vocab) {
        log_init("fuzz", LOG_ERROR);
        REQUIRE(vocab_load("host/vocabulary.json", &vocab) == OK);
        cfg.vocab = vocab;
        memset(pixels, 100, sizeof pixels);
        memset(pixels + W * H, 140, W * H / 8);
    }
    return &cfg;
}

static uint16_t class_id(const char *name) {
    return vocab_by_name(config()->vocab, FIELD_CLASS, name)->id;
}

static void use(struct scene *s, int64_t pts_us) {
    static const int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    const struct detection det[] = {{20, 20, 30, 70, 0.8f, class_id("person"), 0, 0},
                                    {70, 40, 80, 50, 0.7f, class_id("car"), 0, 0}};
    struct scene_crop want[WISHES];
    unsigned n = 0;
    enum err e = scene_frame(s, pts_us, &surface, pixels, det, 2, want, WISHES, &n);
    REQUIRE(e == OK || e == ERR_USAGE);
    for (unsigned i = 0; i < n; i++) {
        const struct wire_roi *r = &want[i].roi;
        REQUIRE(r->w_px >= 2 && r->h_px >= 2 && r->x_px + r->w_px <= W && r->y_px + r->h_px <= H);
        REQUIRE(scene_crop_done(s, &want[i], bgr) == OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct scene *s = NULL;
    enum err e = scene_load(config(), data, n, &s);
    REQUIRE((e == OK) == (s != NULL) && (e == OK || e == ERR_CORRUPT || e == ERR_NOMEM));
    if (!s) return 0;
    struct bytes again = {0}, third = {0};
    REQUIRE(scene_save(s, &again) == OK);
    /* A record of an earlier version is written anew in today's, and that one comes back byte for byte. */
    if (memcmp(again.data + 4, data + 4, 4) == 0) REQUIRE(again.len == n && memcmp(again.data, data, n) == 0);
    struct scene *s2 = NULL;
    REQUIRE(scene_load(config(), again.data, again.len, &s2) == OK && scene_save(s2, &third) == OK);
    REQUIRE(third.len == again.len && memcmp(third.data, again.data, again.len) == 0);
    scene_free(&s2);
    bytes_fini(&third);
    bytes_fini(&again);
    use(s, (int64_t)1 << 45);
    REQUIRE(scene_end(s) == OK);
    for (struct sighting *g; (g = scene_take(s));) {
        REQUIRE(g->end_ms >= g->start_ms && g->n_path >= 1 && g->n_path <= SIGHTING_PATH_MAX);
        REQUIRE(g->confidence >= 1 && g->confidence <= 100 && g->n_attributes >= 1);
        sighting_free(&g);
    }
    scene_free(&s);
    return 0;
}
