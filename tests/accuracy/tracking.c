/* SPDX-License-Identifier: Apache-2.0 */
/* Tracks persons in PETS 2009 S2.L1 (vtest.avi) through the whole chain and scores what the index would keep:
 * the ways of the sightings, straight between their points. Truth frames that were not analysed do not count.
 *   tracking [--fps-milli 5000] [--dump FILE] [--pictures DIR] [VIDEO]
 * --dump writes the detections as text; --pictures writes each sighting's thumbnail, named by what was found;
 * with a VIDEO other than the default only these and the list are written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/base/clock.h"
#include "host/pipe/scene.h"
#include "tests/accuracy/footage.h"
#include "tests/support/mot.h"

static const char usual_video[] = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
enum { PERSONS_MAX = 256 };
enum { FRAMES_MAX = 100000, SOURCE_FPS = 10 };

/* The colours that a sighting of a person was given; [0] upper, [1] lower. */
struct dress {
    unsigned sighting;
    struct attribute part[2];
    bool has_backpack;
};

struct run {
    struct dress dresses[PERSONS_MAX];
    unsigned n_dresses;
    const struct vocab *vocab;
    struct scene *scene;
    FILE *dump;
    const char *pictures;
    float frame_w_px, frame_h_px;
    int64_t *pts_us; /* of the analysed frames */
    unsigned n_frames;
    struct mot_box *answer;
    unsigned n_answer, cap_answer, n_sightings, n_crops;
    uint64_t scene_ns, n_objects;
};

static void stop(const char *text) {
    (void)fprintf(stderr, "%s\n", text);
    exit(1);
}

static uint32_t truth_frame(int64_t pts_us) {
    return (uint32_t)((pts_us * SOURCE_FPS + 500000) / 1000000) + 1; /* truth counts from 1 */
}

static void put_answer(struct run *r, struct mot_box b) {
    if (r->n_answer == r->cap_answer) {
        r->cap_answer = r->cap_answer ? 2 * r->cap_answer : 1024;
        r->answer = realloc(r->answer, r->cap_answer * sizeof *r->answer);
        if (!r->answer) stop("out of memory");
    }
    r->answer[r->n_answer++] = b;
}

static void box_at(const struct run *r, const struct sighting *g, unsigned i, int64_t at_ms,
                   struct mot_box *b) {
    const struct path_point *p = &g->path[i], *q = &g->path[i + 1 < g->n_path ? i + 1 : i];
    float t = q->at_ms > p->at_ms ? (float)(at_ms - p->at_ms) / (float)(q->at_ms - p->at_ms) : 0.0f;
    float x0 = (float)p->box.x0 + t * (float)(q->box.x0 - p->box.x0),
          y0 = (float)p->box.y0 + t * (float)(q->box.y0 - p->box.y0);
    float x1 = (float)p->box.x1 + t * (float)(q->box.x1 - p->box.x1),
          y1 = (float)p->box.y1 + t * (float)(q->box.y1 - p->box.y1);
    b->x_px = x0 / 65536.0f * r->frame_w_px;
    b->y_px = y0 / 65536.0f * r->frame_h_px;
    b->w_px = (x1 - x0) / 65536.0f * r->frame_w_px;
    b->h_px = (y1 - y0) / 65536.0f * r->frame_h_px;
}

static void follow(struct run *r, const struct sighting *g) {
    unsigned i = 0;
    for (unsigned f = 0; f < r->n_frames; f++) {
        int64_t at_ms = r->pts_us[f] / 1000;
        if (at_ms < g->start_ms || at_ms > g->end_ms) continue;
        while (i + 1 < g->n_path && g->path[i + 1].at_ms <= at_ms) i++;
        struct mot_box b = {.frame = truth_frame(r->pts_us[f]), .id = r->n_sightings};
        box_at(r, g, i, at_ms, &b);
        put_answer(r, b);
    }
}

static void list_sighting(struct run *r, const struct sighting *g) {
    char words[512] = "";
    size_t at = 0;
    for (unsigned i = 0; i < g->n_attributes; i++) {
        const struct attribute *a = &g->attributes[i];
        for (unsigned k = 0; k < a->n_values && at < sizeof words - 64; k++) {
            const struct vocab_value *v = vocab_by_id(r->vocab, (enum field)a->field, a->value[k].id);
            at += (size_t)snprintf(words + at, sizeof words - at, "%s%s%u",
                                   k   ? ","
                                   : i ? " "
                                       : "",
                                   v ? v->name : "?", a->value[k].score);
        }
    }
    printf("  %3u  %6.1f-%6.1f s  %4u frames  best %3u  %s\n", r->n_sightings, (double)g->start_ms / 1000.0,
           (double)g->end_ms / 1000.0, g->n_frames, g->confidence, words);
    if (!r->pictures || !g->thumbnail_jpeg) return;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%03u %s.jpg", r->pictures, r->n_sightings, words);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(g->thumbnail_jpeg, 1, g->thumbnail_bytes, out) != g->thumbnail_bytes)
        stop("cannot write a picture");
    (void)fclose(out);
}

static void note_dress(struct run *r, const struct sighting *g) {
    if (r->n_dresses == PERSONS_MAX) return;
    struct dress *d = &r->dresses[r->n_dresses++];
    d->sighting = r->n_sightings;
    for (unsigned i = 0; i < g->n_attributes; i++) {
        if (g->attributes[i].field == FIELD_UPPER_COLOUR) d->part[0] = g->attributes[i];
        if (g->attributes[i].field == FIELD_LOWER_COLOUR) d->part[1] = g->attributes[i];
        const struct vocab_value *v = vocab_by_name(r->vocab, FIELD_ACCESSORY, "bag.backpack");
        if (g->attributes[i].field == FIELD_ACCESSORY && v && g->attributes[i].value[0].id == v->id)
            d->has_backpack = true;
    }
}

static void take_all(struct run *r, bool list) {
    const struct vocab_value *person = vocab_by_name(r->vocab, FIELD_CLASS, "person");
    for (struct sighting *g; (g = scene_take(r->scene));) {
        r->n_sightings++;
        if (person && g->class_id == person->id) {
            follow(r, g);
            note_dress(r, g);
        }
        if (list) list_sighting(r, g);
        sighting_free(&g);
    }
}

static void on_frame(struct footage *f, const struct footage_frame *frame, void *arg) {
    struct run *r = arg;
    if (r->n_frames == FRAMES_MAX) stop("too many frames");
    r->pts_us[r->n_frames++] = frame->pts_us;
    r->frame_w_px = (float)frame->surface->w_px;
    r->frame_h_px = (float)frame->surface->h_px;
    if (r->dump) {
        (void)fprintf(r->dump, "F %u %lld %u\n", truth_frame(frame->pts_us), (long long)frame->pts_us,
                      frame->n_det);
        for (unsigned i = 0; i < frame->n_det; i++) {
            const struct detection *d = &frame->det[i];
            const struct vocab_value *v =
                vocab_by_id(r->vocab, d->is_hint ? FIELD_ACCESSORY : FIELD_CLASS, d->class_id);
            (void)fprintf(r->dump, "%s %.4f %.2f %.2f %.2f %.2f\n", v ? v->name : "?", (double)d->score,
                          (double)d->x_px, (double)d->y_px, (double)d->w_px, (double)d->h_px);
        }
    }
    const struct footage_cost cost = footage_feed(f, r->scene, frame);
    r->scene_ns += cost.scene_ns;
    r->n_crops += cost.n_crops;
    r->n_objects += frame->n_det;
    take_all(r, r->pictures != NULL);
}

/* The sighting that is right on this true person most often; NULL: none is. */
static const struct dress *dress_of(const struct run *r, const struct mot_box *truth, unsigned n_truth,
                                    unsigned id) {
    unsigned count[PERSONS_MAX] = {0};
    const struct dress *best = NULL;
    for (unsigned i = 0; i < n_truth; i++) {
        if (truth[i].id != id) continue;
        for (unsigned k = 0; k < r->n_answer; k++) {
            const struct mot_box *a = &r->answer[k];
            if (a->frame == truth[i].frame && a->id < PERSONS_MAX && mot_iou(a, &truth[i]) >= 0.5f)
                count[a->id]++;
        }
    }
    for (unsigned i = 0; i < r->n_dresses; i++) {
        unsigned n = r->dresses[i].sighting < PERSONS_MAX ? count[r->dresses[i].sighting] : 0;
        if (n > 0 && (!best || n > count[best->sighting])) best = &r->dresses[i];
    }
    return best;
}

/* Colours of the nineteen, against labels given by eye from five crops each. */
static void score_clothes(const struct run *r, const struct mot_box *truth, unsigned n_truth,
                          const char *data) {
    static const char *const parts[2] = {"upper", "lower"};
    char path[1024];
    unsigned n = 0, first[2] = {0}, second[2] = {0}, n_without = 0, wrong = 0, n_with = 0, right = 0;
    (void)snprintf(path, sizeof path, "%s/tracking/pets09-s2l1/attributes.json", data);
    json_t *all = json_load_file(path, 0, NULL), *person;
    size_t at;
    json_array_foreach(json_object_get(all, "tracks"), at, person) {
        unsigned id = (unsigned)json_integer_value(json_object_get(person, "id"));
        const struct dress *d = dress_of(r, truth, n_truth, id);
        n++;
        const char *carried = json_string_value(json_object_get(person, "carry"));
        const bool has = carried && strcmp(carried, "backpack") == 0;
        n_with += has;
        n_without += !has;
        right += has && d && d->has_backpack;
        wrong += !has && d && d->has_backpack;
        for (unsigned p = 0; p < 2 && d; p++) {
            const char *label = json_string_value(json_object_get(person, parts[p]));
            for (unsigned i = 0; label && i < 2 && i < d->part[p].n_values; i++) {
                const struct vocab_value *v =
                    vocab_by_id(r->vocab, (enum field)d->part[p].field, d->part[p].value[i].id);
                if (!v || !footage_colour_fits(label, v->name)) continue;
                first[p] += i == 0;
                second[p]++;
                break;
            }
        }
    }
    json_decref(all);
    if (n == 0) return;
    footage_row("pets09-s2l1", "accessory:bag.backpack", "false_alarm", "without a backpack and said to have one", wrong,
                n_without, 0.0);
    footage_row("pets09-s2l1", "accessory:bag.backpack", "found", "the backpack that is there", right, n_with, 0.0);
    footage_row("pets09-s2l1", "upper_colour:", "top1", "upper garment, first colour", first[0], n, 0.633);
    footage_row("pets09-s2l1", "upper_colour:", "top2", "upper garment, first two colours", second[0], n, 0.80);
    footage_row("pets09-s2l1", "lower_colour:", "top1", "lower garment, first colour", first[1], n, 0.577);
    footage_row("pets09-s2l1", "lower_colour:", "top2", "lower garment, first two colours", second[1], n, 0.80);
}

static void score(const struct run *r, const char *data) {
    char path[1024];
    struct mot_box *truth = NULL;
    unsigned n_truth = 0, n = 0;
    struct mot_score s;
    (void)snprintf(path, sizeof path, "%s/tracking/pets09-s2l1/gt.txt", data);
    if (mot_read(path, &truth, &n_truth) != OK) stop("no truth for PETS 2009 S2.L1");
    for (unsigned i = 0; i < n_truth; i++) {
        for (unsigned f = 0; f < r->n_frames; f++) {
            if (truth_frame(r->pts_us[f]) != truth[i].frame) continue;
            truth[n++] = truth[i];
            break;
        }
    }
    if (mot_score(truth, n, r->answer, r->n_answer, 0.5, &s) != OK) stop("cannot score");
    footage_row_value("pets09-s2l1", "MOTA", s.mota, n, 0.85, false);
    footage_row_value("pets09-s2l1", "IDF1", s.idf1, n, 0.75, false);
    footage_row_value("pets09-s2l1", "identity switches", s.n_switches, n, 25.0, true);
    footage_row_value("pets09-s2l1", "missed boxes", s.n_missed, n, 0.0, true);
    footage_row_value("pets09-s2l1", "false boxes", s.n_false, n, 0.0, true);
    footage_row_value("pets09-s2l1", "sightings of persons (19 true)", s.n_answer_ids, n, 0.0, true);
    score_clothes(r, truth, n, data);
    free(truth);
}

int main(int argc, char **argv) {
    const char *video = usual_video, *data = footage_data(), *model = getenv("RELECTURE_MODEL");
    uint32_t fps_milli = 5000;
    struct run r = {0};
    struct vocab *vocab = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dump") == 0 && i + 1 < argc)
            r.dump = fopen(argv[++i], "w");
        else if (strcmp(argv[i], "--pictures") == 0 && i + 1 < argc)
            r.pictures = argv[++i];
        else if (strcmp(argv[i], "--fps-milli") == 0 && i + 1 < argc)
            fps_milli = (uint32_t)strtoul(argv[++i], NULL, 10);
        else
            video = argv[i];
    }
    bool is_pets = strcmp(video, usual_video) == 0;
    FILE *probe = fopen(video, "rb");
    if (!probe || (is_pets && !data)) {
        printf("pets09-s2l1: skipped, %s is absent\n", probe ? "the measurement data" : video);
        return 0;
    }
    (void)fclose(probe);
    if (vocab_load("host/vocabulary.json", &vocab) != OK) stop("no vocabulary");
    struct footage *f = footage_open(model ? model : "build/models/nanodet-g", vocab);
    footage_add_net(f, "build/models/person-look", vocab);
    struct scene_config cfg = {.vocab = vocab,
                                     .recording_id = 1,
                                     .threshold_start = detector_threshold_start(footage_detector(f)),
                                     .threshold_keep = detector_threshold_keep(footage_detector(f))};
    for (unsigned i = 0; footage_net(f, i); i++) cfg.nets[i] = footage_net(f, i);
    r.vocab = vocab;
    r.pts_us = malloc(FRAMES_MAX * sizeof *r.pts_us);
    if (!r.pts_us || scene_new(&cfg, &r.scene) != OK) stop("no scene");
    (void)footage_play(f, video, fps_milli, on_frame, &r);
    if (scene_end(r.scene) != OK) stop("the scene did not end");
    take_all(&r, r.pictures != NULL);
    if (is_pets) score(&r, data);
    const char *set = is_pets ? "pets09-s2l1" : "film";
    footage_row_value(set, "crops per sighting", r.n_sightings ? (double)r.n_crops / r.n_sightings : 0.0,
                      r.n_sightings, 0.0, true);
    footage_row_value(set, "scene, us per detection and frame",
                      r.n_objects ? (double)r.scene_ns / 1000.0 / (double)r.n_objects : 0.0, r.n_frames, 20.0,
                      true);
    scene_free(&r.scene);
    footage_close(&f);
    vocab_free(&vocab);
    if (r.dump) (void)fclose(r.dump);
    free(r.pts_us);
    free(r.answer);
    return 0;
}
