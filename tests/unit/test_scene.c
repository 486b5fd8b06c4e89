/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes are painted: a street of one grey, figures of known colours on known ways. Crops are cut by the
 * plain function below, so that no card is needed. */
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/scene.h"

enum { W = 640, H = 480, N_BYTES = W * H * 3 / 2, FRAMES = 60, WISHES = 32 };

struct ycc {
    uint8_t y, u, v;
};
static const struct ycc STREET = {130, 132, 122}, RED = {70, 100, 200}, NAVY = {35, 150, 120},
                        WHITE = {230, 128, 128};
static const struct wire_surface surface = {
    .w_px = W, .h_px = H, .stride_bytes = W, .uv_offset_bytes = W * H, .full_range = 1};

static struct vocab *vocab;
static uint8_t pixels[N_BYTES];

static void paint(int x, int y, int w, int h, struct ycc c) {
    for (int j = y < 0 ? 0 : y; j < y + h && j < H; j++) {
        for (int i = x < 0 ? 0 : x; i < x + w && i < W; i++) {
            pixels[j * W + i] = c.y;
            pixels[W * H + j / 2 * W + (i & ~1)] = c.u;
            pixels[W * H + j / 2 * W + (i | 1)] = c.v;
        }
    }
}

static int8_t clip(double v) {
    return (int8_t)(lround(fmin(fmax(v, 0.0), 255.0)) - 128);
}

static void cut(const struct scene_crop *c, int8_t *bgr) {
    for (unsigned y = 0; y < c->dst_h_px; y++) {
        for (unsigned x = 0; x < c->dst_w_px; x++) {
            unsigned sx = c->roi.x_px + x * c->roi.w_px / c->dst_w_px,
                     sy = c->roi.y_px + y * c->roi.h_px / c->dst_h_px;
            double l = pixels[sy * W + sx], u = pixels[W * H + sy / 2 * W + (sx & ~1u)] - 128.0;
            double v = pixels[W * H + sy / 2 * W + (sx | 1u)] - 128.0;
            int8_t *p = bgr + 3 * (y * c->dst_w_px + x);
            p[0] = clip(l + 1.772 * u);
            p[1] = clip(l - 0.344136 * u - 0.714136 * v);
            p[2] = clip(l + 1.402 * v);
        }
    }
}

static uint16_t word(enum field f, const char *name) {
    const struct vocab_value *v = vocab_by_name(vocab, f, name);
    assert_non_null(v);
    return v->id;
}

static struct scene_config config(void) {
    return (struct scene_config){.vocab = vocab,
                                 .start_ms = 1795182300000,
                                 .camera_number = 3,
                                 .recording_id = 77,
                                 .threshold_start = 0.45f,
                                 .threshold_keep = 0.30f};
}

static struct scene *fresh(void) {
    struct scene *s = NULL;
    const struct scene_config cfg = config();
    assert_int_equal(scene_new(&cfg, &s), OK);
    return s;
}

static struct detection box(enum field f, const char *name, int x, int y, int w, int h, float score) {
    return (struct detection){
        (float)x, (float)y, (float)w, (float)h, score, word(f, name), f == FIELD_ACCESSORY, 0};
}

/* Frame f, five a second: a red and navy walker to the right, a white car to the left, a false box that
 * stands. */
static unsigned draw(unsigned f, struct detection *d) {
    unsigned n = 0;
    paint(0, 0, W, H, STREET);
    if (f < 50) {
        int x = 20 + 8 * (int)f;
        paint(x, 100, 40, 60, RED);
        paint(x, 160, 40, 60, NAVY);
        d[n++] = box(FIELD_CLASS, "person", x, 100, 40, 120, 0.7f);
        if (f % 2) d[n++] = box(FIELD_ACCESSORY, "umbrella", x - 10, 80, 60, 40, 0.5f);
    }
    if (f >= 10 && f < 40) {
        int x = 560 - 14 * ((int)f - 10);
        paint(x, 300, 100, 60, WHITE);
        d[n++] = box(FIELD_CLASS, f % 3 ? "car" : "truck", x, 300, 100, 60, 0.8f);
    }
    d[n++] = box(FIELD_CLASS, "person", 500, 50, 20, 50, f % 4 ? 0.38f : 0.47f);
    return n;
}

static void feed(struct scene *s, unsigned f) {
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct detection d[8];
    struct scene_crop want[WISHES];
    unsigned n_want = 0, n = draw(f, d);
    assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, d, n, want, WISHES, &n_want), OK);
    for (unsigned i = 0; i < n_want; i++) {
        cut(&want[i], bgr);
        assert_int_equal(scene_crop_done(s, &want[i], bgr), OK);
    }
}

static struct sighting *take_of_class(struct scene *s, const char *name, unsigned *n_all) {
    struct sighting *found = NULL, *g;
    *n_all = 0;
    while ((g = scene_take(s))) {
        ++*n_all;
        if (g->class_id == word(FIELD_CLASS, name) && !found)
            found = g;
        else
            sighting_free(&g);
    }
    return found;
}

static const struct attribute *attribute_of(const struct sighting *g, enum field f) {
    for (unsigned i = 0; i < g->n_attributes; i++) {
        if (g->attributes[i].field == f) return &g->attributes[i];
    }
    return NULL;
}

static void first_value_is(const struct sighting *g, enum field f, const char *name) {
    const struct attribute *a = attribute_of(g, f);
    assert_non_null(a);
    assert_true(a->n_values >= 1);
    assert_int_equal(a->value[0].id, word(f, name));
}

/* ---- plates: the white car wears one, and every third reading gets a character wrong ---- */

static struct plate_guess reading_of(const char *text) {
    struct plate_guess g = {.n_chars = (uint8_t)strlen(text)};
    for (unsigned k = 0; text[k]; k++)
        for (unsigned a = 0; a < PLATE_ALPHABET; a++) g.share[k][a] = plate_text_char(a) == text[k] ? 0.9f : 0.1f / 35;
    return g;
}

/* As feed(), with plates told to the scene; gives how many it wished for. */
static unsigned feed_plates(struct scene *s, unsigned f) {
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct detection d[8];
    struct scene_crop want[WISHES];
    unsigned n_want = 0, n = draw(f, d), n_plates = 0;
    assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, d, n, want, WISHES, &n_want), OK);
    for (unsigned i = 0; i < n_want; i++) {
        const struct plate_guess g = reading_of(f % 3 == 1 ? "AB723CD" : "AB123CD");
        if (want[i].colours) {
            cut(&want[i], bgr);
            assert_int_equal(scene_crop_done(s, &want[i], bgr), OK);
        }
        if (!want[i].plate) {
            assert_int_equal(scene_plate_done(s, &want[i], &g, 80), ERR_USAGE);
            continue;
        }
        assert_int_equal(want[i].dst_w_px, CROP_VEHICLE_W_PX); /* of a vehicle, never of a person */
        assert_int_equal(scene_plate_done(s, &want[i], &g, 80), OK);
        assert_int_equal(scene_plate_done(s, &want[i], &g, 80), ERR_USAGE); /* once */
        n_plates++;
    }
    return n_plates;
}

static struct scene_config plate_config(int64_t from_s, int64_t to_s) {
    struct scene_config cfg = config();
    cfg.plates_from_ms = cfg.start_ms + from_s * 1000;
    cfg.plates_to_ms = cfg.start_ms + to_s * 1000;
    cfg.plate_least_share = 0.5f;
    return cfg;
}

static void readings_of_a_car_become_its_plate(void **state) {
    (void)state;
    const struct scene_config cfg = plate_config(0, 60);
    struct scene *s = NULL;
    unsigned n_all, n_plates = 0;
    assert_int_equal(scene_new(&cfg, &s), OK);
    for (unsigned f = 0; f < FRAMES; f++) {
        n_plates += feed_plates(s, f);
        if (f != 25) continue; /* a kill in the middle loses no reading */
        struct bytes b = {0};
        assert_int_equal(scene_save(s, &b), OK);
        scene_free(&s);
        assert_int_equal(scene_load(&cfg, b.data, b.len, &s), OK);
        bytes_fini(&b);
    }
    assert_in_range(n_plates, 3, 12);
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "car", &n_all);
    assert_non_null(g);
    assert_string_equal(g->plate.text, "AB123CD");
    assert_int_equal(g->plate.chars[2].c[0], '1');
    assert_int_equal(g->plate.chars[2].c[1], '7');
    sighting_free(&g);
    scene_free(&s);
}

static void plates_are_wished_for_in_the_allowed_time_only(void **state) {
    (void)state;
    /* The car is there from 2 to 8 s. */
    static const struct {
        int64_t from_s, to_s;
        bool any;
    } times[] = {{0, 0, false}, {60, 90, false}, {-60, 0, false}, {0, 2, false}, {3, 60, true}};
    for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
        const struct scene_config cfg = plate_config(times[i].from_s, times[i].to_s);
        struct scene *s = NULL;
        unsigned n_all, n_plates = 0;
        assert_int_equal(scene_new(&cfg, &s), OK);
        for (unsigned f = 0; f < FRAMES; f++) {
            const unsigned n = feed_plates(s, f);
            if (n > 0) assert_in_range((int64_t)f * 200, times[i].from_s * 1000, times[i].to_s * 1000 - 1);
            n_plates += n;
        }
        assert_int_equal(n_plates > 0, times[i].any);
        assert_int_equal(scene_end(s), OK);
        struct sighting *g = take_of_class(s, "car", &n_all);
        assert_non_null(g);
        assert_int_equal(g->plate.n_chars > 0, times[i].any);
        sighting_free(&g);
        scene_free(&s);
    }
}

/* The case was changed between a kill and the next start: what had been read is not stored. */
static void readings_are_dropped_when_plates_are_no_longer_allowed(void **state) {
    (void)state;
    struct scene_config cfg = plate_config(0, 60);
    struct scene *s = NULL;
    struct bytes b = {0};
    unsigned n_all, n_plates = 0;
    assert_int_equal(scene_new(&cfg, &s), OK);
    for (unsigned f = 0; f < 30; f++) n_plates += feed_plates(s, f);
    assert_true(n_plates > 0);
    assert_int_equal(scene_save(s, &b), OK);
    scene_free(&s);
    cfg.plates_to_ms = cfg.plates_from_ms;
    assert_int_equal(scene_load(&cfg, b.data, b.len, &s), OK);
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "car", &n_all);
    assert_non_null(g);
    assert_int_equal(g->plate.n_chars, 0);
    sighting_free(&g);
    scene_free(&s);
    bytes_fini(&b);
}

static void walker_becomes_one_sighting_with_times_colours_and_picture(void **state) {
    (void)state;
    struct scene *s = fresh();
    unsigned n_all;
    for (unsigned f = 0; f < FRAMES; f++) feed(s, f);
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "person", &n_all);
    assert_int_equal(n_all, 2); /* the walker and the car; not what stood there doubtfully */
    assert_non_null(g);
    assert_int_equal(g->recording_id, 77);
    assert_int_equal(g->camera_number, 3);
    assert_int_equal(g->start_ms, 1795182300000);
    assert_int_equal(g->end_ms, 1795182300000 + 49 * 200);
    assert_int_equal(g->n_frames, 50);
    assert_int_equal(g->confidence, 70);
    first_value_is(g, FIELD_CLASS, "person");
    first_value_is(g, FIELD_UPPER_COLOUR, "red");
    first_value_is(g, FIELD_LOWER_COLOUR, "blue");
    first_value_is(g, FIELD_ACCESSORY, "umbrella");
    assert_true(g->thumbnail_bytes > 200);
    assert_int_equal(g->thumbnail_jpeg[0], 0xff);
    assert_int_equal(g->best_ms, g->start_ms + g->best_pts_us / 1000);
    assert_false(g->has_likeness);
    assert_int_equal(g->path[0].at_ms, g->start_ms);
    assert_int_equal(g->path[g->n_path - 1].at_ms, g->end_ms);
    sighting_free(&g);
    scene_free(&s);
    assert_null(s);
}

static void vehicle_gets_class_by_vote_colour_and_likeness(void **state) {
    (void)state;
    struct scene *s = fresh();
    unsigned n_all;
    for (unsigned f = 0; f < FRAMES; f++) feed(s, f);
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "car", &n_all);
    assert_non_null(g);
    first_value_is(g, FIELD_VEHICLE_COLOUR, "white");
    const struct attribute *a = attribute_of(g, FIELD_CLASS);
    assert_int_equal(a->n_values, 2);
    assert_int_equal(a->value[0].score, 67);
    assert_int_equal(a->value[1].id, word(FIELD_CLASS, "truck"));
    assert_true(g->has_likeness);
    assert_null(attribute_of(g, FIELD_UPPER_COLOUR));
    sighting_free(&g);
    scene_free(&s);
}

static void rider_is_a_person_with_a_bicycle_and_one_who_walks_past_is_not(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    unsigned n_want, n_with = 0, n_without = 0;
    for (unsigned f = 0; f < 20; f++) {
        int x = 20 + 20 * (int)f;
        paint(0, 0, W, H, STREET);
        struct detection d[3] = {box(FIELD_CLASS, "person", x + 20, 100, 40, 100, 0.7f),
                                 box(FIELD_CLASS, "bicycle", x, 150, 80, 70, 0.5f),
                                 box(FIELD_CLASS, "person", 560 - 12 * (int)f, 300, 40, 120, 0.7f)};
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, d, 3, want, WISHES, &n_want),
                         OK);
    }
    assert_int_equal(scene_end(s), OK);
    for (struct sighting *g; (g = scene_take(s));) {
        if (g->class_id == word(FIELD_CLASS, "person")) {
            const struct attribute *a = attribute_of(g, FIELD_ACCESSORY);
            if (a) assert_int_equal(a->value[0].id, word(FIELD_ACCESSORY, "with.bicycle"));
            if (a)
                n_with++;
            else
                n_without++;
        }
        sighting_free(&g);
    }
    assert_int_equal(n_with, 1);
    assert_int_equal(n_without, 1);
    scene_free(&s);
}

static void few_crops_are_asked_for_however_long_a_track_is(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    unsigned n_want, n_all = 0;
    for (unsigned f = 0; f < 600; f++) {
        paint(0, 0, W, H, STREET);
        paint(300, 100, 40, 60, RED);
        struct detection d = box(FIELD_CLASS, "person", 300, 100, 40, 120, 0.7f);
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, &d, 1, want, WISHES, &n_want),
                         OK);
        static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
        for (unsigned i = 0; i < n_want; i++) {
            cut(&want[i], bgr);
            assert_int_equal(scene_crop_done(s, &want[i], bgr), OK);
        }
        n_all += n_want;
    }
    assert_in_range(n_all, 3, 5);
    scene_free(&s);
}

/* ---- networks on crops: what they said is given by the test ---- */

static struct look_net person_net, vehicle_net;

static void make_nets(void) {
    person_net = (struct look_net){.of_persons = true,
                                   .n_heads = 1,
                                   .n_labels = 3,
                                   .heads = {{.fix_point = 3, .first = 0, .n_labels = 3}}};
    struct look_net_label *l = person_net.labels;
    l[0].yes[0] = (struct look_net_value){FIELD_ACCESSORY, word(FIELD_ACCESSORY, "bag.backpack")};
    l[1].yes[0] = (struct look_net_value){FIELD_SLEEVE, word(FIELD_SLEEVE, "short")};
    l[1].no = (struct look_net_value){FIELD_SLEEVE, word(FIELD_SLEEVE, "long")};
    l[2].yes[0] = (struct look_net_value){FIELD_ACCESSORY, word(FIELD_ACCESSORY, "head.hat")};
    l[0].at_least = l[1].at_least = 0.6f;
    l[0].sure = l[1].sure = 0.9f;
    l[2].at_least = l[2].sure = 2.0f; /* measured, and not good enough */
    vehicle_net = (struct look_net){.n_heads = 2,
                                    .n_labels = 5,
                                    .heads = {{.fix_point = 3, .is_choice = true, .first = 0, .n_labels = 3},
                                              {.fix_point = 3, .is_choice = true, .first = 3, .n_labels = 2}}};
    l = vehicle_net.labels;
    l[0].yes[0] = (struct look_net_value){FIELD_CLASS, word(FIELD_CLASS, "car")};
    l[1].yes[0] = (struct look_net_value){FIELD_CLASS, word(FIELD_CLASS, "van")};
    l[2].yes[0] = (struct look_net_value){FIELD_CLASS, word(FIELD_CLASS, "truck")};
    l[2].yes[1] = (struct look_net_value){FIELD_VEHICLE_TYPE, word(FIELD_VEHICLE_TYPE, "pickup")};
    l[2].at_least = 0.6f;
    l[2].sure = 0.8f;
    l[0].at_least = l[1].at_least = l[3].at_least = l[4].at_least = 2.0f;
    l[3].yes[0] = (struct look_net_value){FIELD_VEHICLE_COLOUR, word(FIELD_VEHICLE_COLOUR, "white")};
    l[4].yes[0] = (struct look_net_value){FIELD_VEHICLE_COLOUR, word(FIELD_VEHICLE_COLOUR, "red")};
}

/* The drawn scene through both networks, each with the answer given (NULL = it gives none). */
static struct scene *played_with_nets(const int8_t *person, const int8_t *vehicle, unsigned save_at) {
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct scene_config cfg = config();
    struct scene *s = NULL;
    make_nets();
    cfg.nets[0] = &vehicle_net;
    cfg.nets[1] = &person_net;
    assert_int_equal(scene_new(&cfg, &s), OK);
    for (unsigned f = 0; f < FRAMES; f++) {
        struct detection d[8];
        struct scene_crop want[WISHES];
        unsigned n_want = 0, n = draw(f, d);
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, d, n, want, WISHES, &n_want), OK);
        for (unsigned i = 0; i < n_want; i++) {
            const bool is_person = want[i].dst_w_px == CROP_PERSON_W_PX;
            const int8_t *answer = is_person ? person : vehicle;
            assert_int_equal(want[i].nets, is_person ? 2 : 1);
            cut(&want[i], bgr);
            assert_int_equal(scene_crop_done(s, &want[i], bgr), OK);
            assert_int_equal(scene_net_done(s, &want[i], is_person ? 0 : 1, person), ERR_USAGE); /* the other's */
            if (!answer) continue;
            assert_int_equal(scene_net_done(s, &want[i], is_person ? 1 : 0, answer), OK);
            assert_int_equal(scene_net_done(s, &want[i], is_person ? 1 : 0, answer), ERR_USAGE); /* once */
        }
        if (f != save_at) continue;
        struct bytes record = {0};
        assert_int_equal(scene_save(s, &record), OK);
        scene_free(&s);
        assert_int_equal(scene_load(&cfg, record.data, record.len, &s), OK);
        bytes_fini(&record);
    }
    assert_int_equal(scene_end(s), OK);
    return s;
}

static void networks_say_what_is_carried_and_worn(void **state) {
    (void)state;
    const int8_t person[3] = {24, -24, 24}, vehicle[5] = {0, 24, 0, 24, 0}; /* a logit of 3 is a share of 0.95 */
    for (unsigned save_at = 5; save_at < 100; save_at += 40) {
        unsigned n_all;
        struct scene *s = played_with_nets(person, vehicle, save_at);
        struct sighting *g = take_of_class(s, "person", &n_all);
        assert_non_null(g);
        const struct attribute *a = attribute_of(g, FIELD_ACCESSORY);
        assert_int_equal(a->value[0].id, word(FIELD_ACCESSORY, "bag.backpack"));
        assert_int_equal(a->value[0].score, 95);
        assert_true(a->value[0].sure);
        assert_int_equal(attribute_of(g, FIELD_SLEEVE)->value[0].id, word(FIELD_SLEEVE, "long"));
        for (unsigned i = 0; i < g->n_attributes; i++) /* the hat is not good enough to be told */
            assert_false(g->attributes[i].field == FIELD_ACCESSORY &&
                         g->attributes[i].value[0].id == word(FIELD_ACCESSORY, "head.hat"));
        sighting_free(&g);
        scene_free(&s);
    }
}

static void networks_and_detector_name_a_vehicle_together(void **state) {
    (void)state;
    const int8_t person[3] = {-24, 0, -24}, van[5] = {0, 40, 0, 0, 40}, pickup[5] = {0, 0, 40, 40, 0};
    unsigned n_all;
    struct scene *s = played_with_nets(person, van, 1000);
    struct sighting *g = take_of_class(s, "van", &n_all);
    assert_non_null(g);
    const struct attribute *a = attribute_of(g, FIELD_CLASS);
    assert_int_equal(a->value[1].id, word(FIELD_CLASS, "car")); /* what the detector called it */
    assert_int_equal(attribute_of(g, FIELD_VEHICLE_TYPE)->value[0].id, VOCAB_UNKNOWN);
    /* the paint is white; the network says red: both are told */
    a = attribute_of(g, FIELD_VEHICLE_COLOUR);
    assert_true(a->n_values >= 2);
    sighting_free(&g);
    scene_free(&s);
    s = played_with_nets(person, pickup, 1000);
    g = take_of_class(s, "truck", &n_all);
    assert_non_null(g);
    assert_int_equal(attribute_of(g, FIELD_VEHICLE_TYPE)->value[0].id, word(FIELD_VEHICLE_TYPE, "pickup"));
    a = attribute_of(g, FIELD_VEHICLE_COLOUR);
    assert_int_equal(a->value[0].id, word(FIELD_VEHICLE_COLOUR, "white"));
    sighting_free(&g);
    scene_free(&s);
}

static void networks_that_did_not_answer_leave_not_estimated(void **state) {
    (void)state;
    unsigned n_all;
    struct scene *s = played_with_nets(NULL, NULL, 1000);
    struct sighting *g = take_of_class(s, "person", &n_all);
    assert_non_null(g);
    assert_int_equal(attribute_of(g, FIELD_ACCESSORY)->value[0].id, VOCAB_NOT_ESTIMATED);
    assert_int_equal(attribute_of(g, FIELD_SLEEVE)->value[0].id, VOCAB_NOT_ESTIMATED);
    sighting_free(&g);
    scene_free(&s);
    s = played_with_nets(NULL, NULL, 1000);
    g = take_of_class(s, "car", &n_all); /* by the detector alone */
    assert_non_null(g);
    assert_int_equal(attribute_of(g, FIELD_VEHICLE_TYPE)->value[0].id, VOCAB_NOT_ESTIMATED);
    sighting_free(&g);
    scene_free(&s);
}

static void grey_picture_gives_not_estimated(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    unsigned n_want, n_all;
    for (unsigned f = 0; f < 20; f++) {
        paint(0, 0, W, H, (struct ycc){60, 128, 128});
        paint(20 + 8 * (int)f, 100, 40, 120, (struct ycc){140, 128, 128});
        struct detection d = box(FIELD_CLASS, "person", 20 + 8 * (int)f, 100, 40, 120, 0.7f);
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, &d, 1, want, WISHES, &n_want),
                         OK);
        assert_int_equal(n_want, 0);
    }
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "person", &n_all);
    assert_non_null(g);
    assert_int_equal(attribute_of(g, FIELD_UPPER_COLOUR)->value[0].id, VOCAB_NOT_ESTIMATED);
    assert_int_equal(attribute_of(g, FIELD_LOWER_COLOUR)->value[0].id, VOCAB_NOT_ESTIMATED);
    sighting_free(&g);
    scene_free(&s);
}

/* Infrared at night tells no colour, but it shows plates. */
static void grey_picture_still_shows_plates(void **state) {
    (void)state;
    const struct scene_config cfg = plate_config(0, 60);
    struct scene *s = NULL;
    struct scene_crop want[WISHES];
    unsigned n_want, n_all, n_plates = 0;
    assert_int_equal(scene_new(&cfg, &s), OK);
    for (unsigned f = 0; f < 20; f++) {
        const int x = 20 + 14 * (int)f;
        paint(0, 0, W, H, (struct ycc){60, 128, 128});
        paint(x, 300, 100, 60, (struct ycc){140, 128, 128});
        struct detection d = box(FIELD_CLASS, "car", x, 300, 100, 60, 0.8f);
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, &d, 1, want, WISHES, &n_want), OK);
        for (unsigned i = 0; i < n_want; i++, n_plates++) {
            const struct plate_guess g = reading_of("AB123CD");
            assert_true(want[i].plate && !want[i].colours);
            assert_int_equal(scene_plate_done(s, &want[i], &g, 80), OK);
        }
    }
    assert_true(n_plates > 0);
    assert_int_equal(scene_end(s), OK);
    struct sighting *g = take_of_class(s, "car", &n_all);
    assert_non_null(g);
    assert_string_equal(g->plate.text, "AB123CD");
    assert_int_equal(attribute_of(g, FIELD_VEHICLE_COLOUR)->value[0].id, VOCAB_NOT_ESTIMATED);
    sighting_free(&g);
    scene_free(&s);
}

static void same_sighting(const struct sighting *a, const struct sighting *b) {
    struct sighting x = *a, y = *b;
    assert_int_equal(a->thumbnail_bytes, b->thumbnail_bytes);
    assert_memory_equal(a->thumbnail_jpeg, b->thumbnail_jpeg, a->thumbnail_bytes);
    x.thumbnail_jpeg = y.thumbnail_jpeg = NULL;
    assert_memory_equal(&x, &y, sizeof x);
}

static void scene_saved_and_loaded_at_any_frame_gives_the_same_sightings(void **state) {
    (void)state;
    struct sighting *expected[8];
    unsigned n_expected = 0;
    struct scene *s = fresh();
    for (unsigned f = 0; f < FRAMES; f++) {
        feed(s, f);
        for (struct sighting *g; (g = scene_take(s));) expected[n_expected++] = g;
    }
    assert_int_equal(scene_end(s), OK);
    for (struct sighting *g; (g = scene_take(s));) expected[n_expected++] = g;
    scene_free(&s);
    for (unsigned cut_at = 0; cut_at < FRAMES; cut_at += 13) {
        const struct scene_config cfg = config();
        unsigned n = 0;
        s = fresh();
        for (unsigned f = 0; f < FRAMES; f++) {
            if (f == cut_at) {
                struct bytes record = {0}, again = {0};
                assert_int_equal(scene_save(s, &record), OK);
                scene_free(&s);
                assert_int_equal(scene_load(&cfg, record.data, record.len, &s), OK);
                assert_int_equal(scene_save(s, &again), OK);
                assert_int_equal(again.len, record.len);
                assert_memory_equal(again.data, record.data, record.len);
                bytes_fini(&record);
                bytes_fini(&again);
            }
            feed(s, f);
            for (struct sighting *g; (g = scene_take(s));) {
                same_sighting(g, expected[n++]);
                sighting_free(&g);
            }
        }
        assert_int_equal(scene_end(s), OK);
        for (struct sighting *g; (g = scene_take(s));) {
            same_sighting(g, expected[n++]);
            sighting_free(&g);
        }
        assert_int_equal(n, n_expected);
        scene_free(&s);
    }
    for (unsigned i = 0; i < n_expected; i++) sighting_free(&expected[i]);
}

static void sightings_not_yet_taken_survive_a_save(void **state) {
    (void)state;
    const struct scene_config cfg = config();
    struct scene *s = fresh();
    struct bytes record = {0};
    unsigned n_all;
    for (unsigned f = 0; f < FRAMES; f++) feed(s, f);
    assert_int_equal(scene_end(s), OK);
    assert_int_equal(scene_save(s, &record), OK);
    scene_free(&s);
    assert_int_equal(scene_load(&cfg, record.data, record.len, &s), OK);
    struct sighting *g = take_of_class(s, "car", &n_all);
    assert_int_equal(n_all, 2);
    sighting_free(&g);
    scene_free(&s);
    bytes_fini(&record);
}

static void spoilt_record_is_refused_and_never_read_past_its_end(void **state) {
    (void)state;
    struct scene_config cfg = config();
    struct scene *s = fresh(), *t = NULL;
    struct bytes record = {0};
    for (unsigned f = 0; f < 20; f++) feed(s, f);
    assert_int_equal(scene_save(s, &record), OK);
    scene_free(&s);
    for (size_t n = 0; n < record.len; n += n < 400 ? 1 : 97) {
        uint8_t *cut_short = malloc(n ? n : 1); /* exact size, so that the sanitizer sees a step too far */
        assert_non_null(cut_short);
        memcpy(cut_short, record.data, n);
        assert_int_equal(scene_load(&cfg, cut_short, n, &t), ERR_CORRUPT);
        assert_null(t);
        free(cut_short);
    }
    for (size_t i = 0; i < record.len; i += i < 700 ? 1 : 61) {
        uint8_t was = record.data[i];
        record.data[i] = (uint8_t)(was ^ 0xff);
        enum err e = scene_load(&cfg, record.data, record.len, &t); /* pictures may hold anything */
        assert_true(e == OK || e == ERR_CORRUPT);
        if (t) { /* whatever was let in must also be harmless */
            struct scene_crop want[WISHES];
            unsigned n_want;
            e = scene_frame(t, (int64_t)1 << 40, &surface, pixels, NULL, 0, want, WISHES, &n_want);
            assert_true(e == OK || e == ERR_USAGE);
            assert_int_equal(scene_end(t), OK);
            for (struct sighting *g; (g = scene_take(t));) sighting_free(&g);
        }
        scene_free(&t);
        record.data[i] = was;
    }
    cfg.recording_id = 78;
    assert_int_equal(scene_load(&cfg, record.data, record.len, &t), ERR_CORRUPT);
    bytes_fini(&record);
}

static void crops_asked_for_before_a_save_may_come_after_the_load(void **state) {
    (void)state;
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    const struct scene_config cfg = config();
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    struct detection d[8];
    struct bytes record = {0};
    unsigned n_want, n = draw(0, d);
    assert_int_equal(scene_frame(s, 0, &surface, pixels, d, n, want, WISHES, &n_want), OK);
    assert_true(n_want > 0);
    assert_int_equal(scene_save(s, &record), OK);
    scene_free(&s);
    assert_int_equal(scene_load(&cfg, record.data, record.len, &s), OK);
    for (unsigned i = 0; i < n_want; i++) {
        cut(&want[i], bgr);
        assert_int_equal(scene_crop_done(s, &want[i], bgr), OK);
    }
    scene_free(&s);
    bytes_fini(&record);
}

static void tiny_boxes_and_boxes_over_the_edge_do_no_harm(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    unsigned n_want;
    paint(0, 0, W, H, STREET);
    for (unsigned f = 0; f < 10; f++) {
        struct detection d[] = {box(FIELD_CLASS, "person", 300, 200, 1, 1, 0.9f),
                                box(FIELD_CLASS, "car", W - 1, H - 1, 1, 1, 0.9f),
                                box(FIELD_CLASS, "person", -30, -60, 60, 180, 0.9f),
                                box(FIELD_CLASS, "bus", 0, 0, W, H, 0.9f),
                                box(FIELD_CLASS, "truck", W - 20, 100, 90, 90, 0.9f),
                                box(FIELD_CLASS, "car", 2000, 100, 90, 90, 0.9f)};
        assert_int_equal(scene_frame(s, (int64_t)f * 200000, &surface, pixels, d, 6, want, WISHES, &n_want),
                         OK);
        for (unsigned i = 0; i < n_want; i++) {
            const struct wire_roi *r = &want[i].roi;
            assert_true(r->w_px >= 2 && r->h_px >= 2 && r->x_px + r->w_px <= W && r->y_px + r->h_px <= H);
        }
    }
    assert_int_equal(scene_end(s), OK);
    for (struct sighting *g; (g = scene_take(s));) sighting_free(&g);
    scene_free(&s);
}

static void frames_out_of_order_are_refused(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    unsigned n_want;
    assert_int_equal(scene_frame(s, 200000, &surface, pixels, NULL, 0, want, WISHES, &n_want), OK);
    assert_int_equal(scene_frame(s, 200000, &surface, pixels, NULL, 0, want, WISHES, &n_want), ERR_USAGE);
    assert_int_equal(scene_frame(s, 100000, &surface, pixels, NULL, 0, want, WISHES, &n_want), ERR_USAGE);
    assert_int_equal(scene_frame(s, 300000, &surface, pixels, NULL, 0, want, WISHES, &n_want), OK);
    scene_free(&s);
}

static void crop_that_nobody_asked_for_is_refused(void **state) {
    (void)state;
    static int8_t bgr[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    struct detection d[8];
    unsigned n_want, n = draw(0, d);
    assert_int_equal(scene_frame(s, 0, &surface, pixels, d, n, want, WISHES, &n_want), OK);
    assert_true(n_want > 0);
    struct scene_crop other = want[0];
    other.track += 100;
    assert_int_equal(scene_crop_done(s, &other, bgr), ERR_USAGE);
    other = want[0];
    other.dst_w_px = CROP_VEHICLE_W_PX;
    assert_int_equal(scene_crop_done(s, &other, bgr), ERR_USAGE);
    assert_int_equal(scene_crop_done(s, &want[0], bgr), OK);
    assert_int_equal(scene_crop_done(s, &want[0], bgr), ERR_USAGE);
    scene_free(&s);
}

static void wishes_keep_to_the_limit_and_persons_come_first(void **state) {
    (void)state;
    struct scene *s = fresh();
    struct scene_crop want[WISHES];
    struct detection d[3];
    unsigned n_want;
    paint(0, 0, W, H, STREET);
    paint(100, 100, 40, 120, RED);
    d[0] = box(FIELD_CLASS, "car", 300, 300, 100, 60, 0.9f);
    d[1] = box(FIELD_CLASS, "person", 100, 100, 40, 120, 0.7f);
    d[2] = box(FIELD_CLASS, "person", 200, 100, 40, 120, 0.8f);
    assert_int_equal(scene_frame(s, 0, &surface, pixels, d, 3, want, 1, &n_want), OK);
    assert_int_equal(n_want, 1);
    assert_int_equal(want[0].dst_w_px, CROP_PERSON_W_PX);
    for (unsigned i = 0; i < 3; i++) d[i].x_px += 4.0f;
    assert_int_equal(scene_frame(s, 100000, &surface, pixels, d, 3, want, WISHES, &n_want), OK);
    assert_int_equal(n_want, 2);
    assert_int_equal(want[0].dst_w_px, CROP_PERSON_W_PX);
    assert_int_equal(want[1].dst_w_px, CROP_VEHICLE_W_PX);
    for (unsigned i = 0; i < n_want; i++) {
        assert_int_equal(want[i].roi.x_px % 2 + want[i].roi.y_px % 2, 0);
        assert_true(want[i].roi.x_px + want[i].roi.w_px <= W && want[i].roi.y_px + want[i].roi.h_px <= H);
    }
    scene_free(&s);
}

static int load_words(void **state) {
    (void)state;
    return vocab_load("host/vocabulary.json", &vocab) == OK ? 0 : -1;
}

static int free_words(void **state) {
    (void)state;
    vocab_free(&vocab);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walker_becomes_one_sighting_with_times_colours_and_picture),
        cmocka_unit_test(vehicle_gets_class_by_vote_colour_and_likeness),
        cmocka_unit_test(rider_is_a_person_with_a_bicycle_and_one_who_walks_past_is_not),
        cmocka_unit_test(few_crops_are_asked_for_however_long_a_track_is),
        cmocka_unit_test(networks_say_what_is_carried_and_worn),
        cmocka_unit_test(networks_and_detector_name_a_vehicle_together),
        cmocka_unit_test(networks_that_did_not_answer_leave_not_estimated),
        cmocka_unit_test(grey_picture_gives_not_estimated),
        cmocka_unit_test(grey_picture_still_shows_plates),
        cmocka_unit_test(readings_of_a_car_become_its_plate),
        cmocka_unit_test(plates_are_wished_for_in_the_allowed_time_only),
        cmocka_unit_test(readings_are_dropped_when_plates_are_no_longer_allowed),
        cmocka_unit_test(scene_saved_and_loaded_at_any_frame_gives_the_same_sightings),
        cmocka_unit_test(sightings_not_yet_taken_survive_a_save),
        cmocka_unit_test(spoilt_record_is_refused_and_never_read_past_its_end),
        cmocka_unit_test(crops_asked_for_before_a_save_may_come_after_the_load),
        cmocka_unit_test(tiny_boxes_and_boxes_over_the_edge_do_no_harm),
        cmocka_unit_test(frames_out_of_order_are_refused),
        cmocka_unit_test(crop_that_nobody_asked_for_is_refused),
        cmocka_unit_test(wishes_keep_to_the_limit_and_persons_come_first),
    };
    return cmocka_run_group_tests(tests, load_words, free_words);
}
