/* SPDX-License-Identifier: Apache-2.0 */
/* The same figure, red above navy on a grey street, in the odd forms that recordings come in: its colours must be
 * named right, or not at all. From the file through the decode worker, the crop kernel's reference and the scene. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/card_abi.h"
#include "host/pipe/scene.h"
#include "tests/kernel/nv12_ref.h"
#include "tests/support/media.h"
#include "tests/support/test.h"

#define CLIPS     "build/media-clips/"
#define KEPT_MAX  ((size_t)2 << 20)
#define WISHES    8u
#define FRAMES_OF 24u

static char exe[512];
static struct vocab *vocab;

/* The figure's box in the shown picture, and what its garments must be called; NULL = not_estimated. */
struct form {
    const char *file;
    float x, y, w, h;
    uint32_t shown_w, shown_h;
    const char *upper, *lower;
};

static uint16_t word(enum field f, const char *name) {
    const struct vocab_value *v = vocab_by_name(vocab, f, name);
    assert_non_null(v);
    return v->id;
}

static void cut(const struct wire_surface *s, const uint8_t *pixels, const struct scene_crop *c, int8_t *bgr) {
    const struct ref_surface r = {pixels + (size_t)c->roi.y_px * s->stride_bytes + c->roi.x_px,
                                  pixels + s->uv_offset_bytes + (size_t)(c->roi.y_px / 2) * s->stride_bytes + c->roi.x_px,
                                  s->stride_bytes,
                                  c->roi.w_px,
                                  c->roi.h_px,
                                  s->matrix,
                                  s->full_range != 0};
    ref_resize(&r, c->dst_w_px, c->dst_h_px, (uint8_t *)bgr);
    for (size_t i = 0; i < (size_t)c->dst_w_px * c->dst_h_px * 3; i++) bgr[i] = (int8_t)((uint8_t)bgr[i] ^ 0x80);
}

/* One sighting of the standing figure: each frame shows the picture that was kept, at its own time. */
static struct sighting *seen(const struct media_run *r, const uint8_t *pixels, const struct form *f, int64_t *at_us) {
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    const struct scene_config cfg = {
        .vocab = vocab, .recording_id = 1, .threshold_start = 0.45f, .threshold_keep = 0.30f};
    struct scene *s = NULL;
    assert_int_equal(scene_new(&cfg, &s), OK);
    for (unsigned i = 0; i < r->n_frames; i++) {
        const struct detection d = {f->x, f->y, f->w, f->h, 0.7f, word(FIELD_CLASS, "person"), 0, 0};
        struct scene_crop want[WISHES];
        unsigned n_want = 0;
        const struct wire_surface *surface = &r->frames[i].surface;
        assert_int_equal(scene_frame(s, r->frames[i].pts_us, surface, pixels, &d, 1, want, WISHES, &n_want), OK);
        for (unsigned k = 0; k < n_want; k++) {
            cut(surface, pixels, &want[k], bgr);
            assert_int_equal(scene_crop_done(s, &want[k], bgr), OK);
        }
        *at_us = r->frames[i].pts_us;
    }
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = scene_take(s);
    scene_free(&s);
    return g;
}

static const struct attribute *attribute_of(const struct sighting *g, enum field f) {
    for (unsigned i = 0; i < g->n_attributes; i++)
        if (g->attributes[i].field == f) return &g->attributes[i];
    fail_msg("no %s", field_name(f));
    return NULL;
}

static void is_called(const char *file, const struct sighting *g, enum field f, const char *name) {
    const struct attribute *a = attribute_of(g, f);
    const uint16_t id = a->value[0].id;
    if (id == (name ? word(f, name) : (uint16_t)VOCAB_NOT_ESTIMATED)) return;
    const struct vocab_value *v = vocab_by_id(vocab, f, id);
    fail_msg("%s: %s is \"%s\", not \"%s\"", file, field_name(f), v ? v->name : "?", name ? name : "not_estimated");
}

static void play(const struct form *f) {
    char path[256];
    struct media_run r;
    uint8_t *pixels = malloc(KEPT_MAX);
    int64_t last_us = 0;
    assert_non_null(pixels);
    snprintf(path, sizeof path, CLIPS "%s", f->file);
    const struct media_job job = {
        .job = DECODER_FRAMES, .path = path, .fps_milli = 10000, .keep = 3, .keep_to = pixels, .keep_bytes = KEPT_MAX};
    media_run(exe, &job, &r);
    assert_true(r.ended);
    assert_in_range(r.n_frames, 8, FRAMES_OF);
    assert_int_equal(r.frames[3].surface.w_px, f->shown_w);
    assert_int_equal(r.frames[3].surface.h_px, f->shown_h);
    struct sighting *g = seen(&r, pixels, f, &last_us);
    assert_non_null(g);
    is_called(f->file, g, FIELD_UPPER_COLOUR, f->upper);
    is_called(f->file, g, FIELD_LOWER_COLOUR, f->lower);
    assert_in_range(g->end_ms - g->start_ms, last_us / 1000 - 300, last_us / 1000); /* by the frames' own times */
    sighting_free(&g);
    media_run_fini(&r);
    free(pixels);
}

/* Made by make_clips.sh: 640x360 with the figure at 200,100 60x150, unless said otherwise. */
#define FIGURE 200, 100, 60, 150, 640, 360

static void odd_forms_give_the_right_colours(void **state) {
    (void)state;
    static const struct form forms[] = {
        {"form-plain.mp4", FIGURE, "red", "blue"},    {"form-interlaced.ts", FIGURE, "red", "blue"},
        {"form-sar.mkv", FIGURE, "red", "blue"},      {"form-422.mkv", FIGURE, "red", "blue"},
        {"form-10bit.mkv", FIGURE, "red", "blue"},    {"form-vfr.mkv", FIGURE, "red", "blue"},
        {"form-full.avi", FIGURE, "red", "blue"},     {"form-turned.mp4", FIGURE, "red", "blue"},
        {"form-portrait.mp4", 100, 200, 60, 150, 360, 640, "red", "blue"},
    };
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) play(&forms[i]);
}

static void what_cannot_be_read_is_not_estimated(void **state) {
    (void)state;
    static const struct form forms[] = {
        {"form-black.mp4", FIGURE, NULL, NULL},                            /* night without light */
        {"form-white.mp4", FIGURE, NULL, NULL},                            /* blown out */
        {"form-grey.mp4", FIGURE, NULL, NULL},                             /* infrared */
        {"form-plain.mp4", 0, 100, 60, 150, 640, 360, NULL, NULL},         /* cut by the left border */
        {"form-plain.mp4", 200, 210, 60, 150, 640, 360, NULL, NULL},       /* cut by the lower one */
        {"form-plain.mp4", 229, 101, 1, 1, 640, 360, NULL, NULL},          /* one pixel */
        {"form-plain.mp4", 200, 100, 150, 60, 640, 360, NULL, NULL},       /* lies, or is none */
    };
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) play(&forms[i]);
}

int main(void) {
    if (!media_ready(CLIPS, exe, sizeof exe)) return 1;
    if (vocab_load("host/vocabulary.json", &vocab) != OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_forms_give_the_right_colours),
        cmocka_unit_test(what_cannot_be_read_is_not_estimated),
    };
    const int failed = cmocka_run_group_tests_name("forms", tests, NULL, NULL);
    vocab_free(&vocab);
    return failed;
}
