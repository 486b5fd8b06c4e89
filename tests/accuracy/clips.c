/* SPDX-License-Identifier: Apache-2.0 */
/* Short films with events told by eye (clips/events.json: who passes when), through the whole chain: how many are
 * found as a sighting, and how many sightings are of nothing that passes (what stands, shadows, doubles). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/pipe/scene.h"
#include "tests/accuracy/footage.h"

#define SIGHTINGS_MAX 256u
#define SLACK_MS      1000 /* of the truth */

struct seen {
    char name[16]; /* its class */
    int64_t from_ms, to_ms;
    bool used;
};

struct run {
    const struct vocab *vocab;
    struct scene *scene;
    unsigned n;
    struct seen seen[SIGHTINGS_MAX];
};

static void take_all(struct run *r) {
    for (struct sighting *g; (g = scene_take(r->scene)) && r->n < SIGHTINGS_MAX;) {
        const struct vocab_value *v = vocab_by_id(r->vocab, FIELD_CLASS, g->class_id);
        struct seen *s = &r->seen[r->n++];
        *s = (struct seen){.from_ms = g->start_ms, .to_ms = g->end_ms};
        (void)snprintf(s->name, sizeof s->name, "%s", v ? v->name : "?");
        sighting_free(&g);
    }
}

static void on_frame(struct footage *f, const struct footage_frame *frame, void *arg) {
    struct run *r = arg;
    (void)footage_feed(f, r->scene, frame);
    take_all(r);
}

static bool is_vehicle(const char *name) {
    return strcmp(name, "car") == 0 || strcmp(name, "van") == 0 || strcmp(name, "truck") == 0 || strcmp(name, "bus") == 0;
}

/* "car": any vehicle; "bicycle+rider": two sightings at most, the bicycle found counts. */
static bool fits(const char *what, const char *name, bool *second) {
    *second = strcmp(what, "bicycle+rider") == 0 && strcmp(name, "person") == 0;
    if (strcmp(what, "bicycle+rider") == 0) return strcmp(name, "bicycle") == 0 || strcmp(name, "motorcycle") == 0;
    return strcmp(what, "car") == 0 ? is_vehicle(name) : strcmp(what, name) == 0;
}

static int64_t ms_of(const json_t *event, const char *key) {
    return (int64_t)(json_number_value(json_object_get(event, key)) * 1000.0);
}

/* The longest sighting inside the event counts as it, others that fit are doubles. */
static bool find_event(struct run *r, const json_t *event) {
    const char *what = json_string_value(json_object_get(event, "what"));
    const int64_t from = ms_of(event, "from_s") - SLACK_MS, to = ms_of(event, "to_s") + SLACK_MS;
    struct seen *best = NULL;
    for (unsigned i = 0; what && i < r->n; i++) {
        struct seen *s = &r->seen[i];
        bool second = false;
        if (s->used || s->from_ms < from || s->to_ms > to) continue;
        const bool it = fits(what, s->name, &second);
        if (second) s->used = true; /* the rider of the bicycle */
        if (it && (!best || s->to_ms - s->from_ms > best->to_ms - best->from_ms)) best = s;
    }
    if (best) best->used = true;
    return best != NULL;
}

static void play(const struct vocab *vocab, const char *data, const char *clip, const json_t *truth) {
    char path[1024];
    struct run r = {.vocab = vocab};
    struct footage *f = footage_open("build/models/nanodet-g-640x384", vocab);
    footage_add_net(f, "build/models/person-look", vocab);
    footage_add_net(f, "build/models/vehicle-look", vocab);
    struct scene_config cfg = {.vocab = vocab,
                               .recording_id = 1,
                               .threshold_start = detector_threshold_start(footage_detector(f)),
                               .threshold_keep = detector_threshold_keep(footage_detector(f))};
    for (unsigned i = 0; footage_net(f, i); i++) cfg.nets[i] = footage_net(f, i);
    if (scene_new(&cfg, &r.scene) != OK) exit(1);
    (void)snprintf(path, sizeof path, "%s/clips/%s", data, clip);
    (void)footage_play(f, path, 5000, on_frame, &r);
    if (scene_end(r.scene) != OK) exit(1);
    take_all(&r);
    unsigned n = 0, found = 0, extra = 0;
    const json_t *event;
    size_t i;
    json_array_foreach(json_object_get(truth, "events"), i, event) {
        n++;
        found += find_event(&r, event);
    }
    for (unsigned k = 0; k < r.n; k++) extra += !r.seen[k].used;
    footage_row(clip, NULL, "found", "passages found as a sighting", found, n, 0.0);
    footage_row_value(clip, "sightings of nothing that passes, and doubles", extra, r.n, 0.0, true);
    scene_free(&r.scene);
    footage_close(&f);
}

int main(void) {
    const char *data = footage_data(), *clip;
    char path[1024];
    struct vocab *vocab = NULL;
    (void)snprintf(path, sizeof path, "%s/clips/events.json", data ? data : "");
    json_t *root = json_load_file(path, 0, NULL), *truth;
    if (!root) {
        printf("clips: skipped, the measurement data is absent\n");
        return 0;
    }
    if (vocab_load("host/vocabulary.json", &vocab) != OK) return 1;
    json_object_foreach(json_object_get(root, "clips"), clip, truth) play(vocab, data, clip, truth);
    json_decref(root);
    vocab_free(&vocab);
    return 0;
}
