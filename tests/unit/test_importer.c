/* SPDX-License-Identifier: Apache-2.0 */
/* The importer with its real index, scene, hasher and slots, between a decoder, cards and a detector that
 * this file plays: so that what they do, and when, is decided here and not by a clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/import/import.h"
#include "host/import/item.h"
#include "host/index/index.h"
#include "host/media/decoder.h"
#include "host/pipe/detect.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { N_SLOTS = 8, W_PX = 64, H_PX = 48, PENDING_MAX = 16, ITEMS_MAX = 512, LIMIT_MS = 20000 };
#define START_MS 1795183200000

/* ---- the parts that are played
 * ------------------------------------------------------------------------------- */

struct decoder {
    struct decoder_spec spec;
    struct decoder_callbacks cb;
};
static struct {
    struct event_base *base;
    struct decoder *frames;             /* the FRAMES job at work, until it is freed */
    struct decoder *begun[PENDING_MAX]; /* all of them, in their order */
    unsigned n_begun;
    cards_ready_fn *on_ready;
    cards_dead_fn *on_dead;
    void *cards_arg;
    struct pending {
        cards_done_fn *done;
        void *arg;
    } pending[PENDING_MAX];
    unsigned n_pending;
    bool dead;
    bool walks; /* a person is seen, further to the right each time */
    unsigned n_seen;
    uint16_t person;
} play;
static const struct wire_card_ready ready = {.n_lanes = 4, .simulated = 1, .n_outputs = 1};

static void answer_probe(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct decoder *d = arg;
    const struct wire_probed p = {
        .duration_us = 4000000, .w_px = W_PX, .h_px = H_PX, .fps_milli = 5000, .n_video_streams = 1};
    const struct wire_decode_end end = {.end_us = 0};
    d->cb.on_probed(d, &p, d->cb.arg);
    d->cb.on_end(d, &end, d->cb.arg); /* frees its decoder; nothing of it is used after */
}

enum err decoder_start(struct event_base *base, const struct decoder_spec *spec,
                       const struct decoder_callbacks *cb, struct decoder **out) {
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->spec = *spec;
    d->cb = *cb;
    *out = d;
    if (spec->job == DECODER_FRAMES)
        play.frames = play.begun[play.n_begun++ % PENDING_MAX] = d;
    else
        event_base_once(base, -1, EV_TIMEOUT, answer_probe, d, NULL);
    return OK;
}
void decoder_pump(struct decoder *d) {
    (void)d;
}
int decoder_pid(const struct decoder *d) {
    (void)d;
    return 1;
}
void decoder_usage(const struct decoder *d, uint64_t *cpu_us, uint64_t *peak_kib) {
    (void)d;
    *cpu_us = *peak_kib = 0;
}
void decoder_free(struct decoder **d) {
    if (*d && *d == play.frames) play.frames = NULL;
    free(*d);
    *d = NULL;
}

static void say_ready(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what, (void)arg;
    play.on_ready(&ready, play.cards_arg);
}
enum err cards_new(struct event_base *base, const struct cards_config *cfg, cards_ready_fn *on_ready,
                   cards_dead_fn *on_dead, void *arg, struct cards **out) {
    (void)cfg;
    play.on_ready = on_ready;
    play.on_dead = on_dead;
    play.cards_arg = arg;
    play.dead = false;
    play.n_pending = 0;
    *out = (struct cards *)&play;
    return event_base_once(base, -1, EV_TIMEOUT, say_ready, NULL, NULL) == 0 ? OK : ERR_NOMEM;
}
const struct wire_card_ready *cards_model(const struct cards *c) {
    (void)c;
    return &ready;
}
enum err cards_arena_add(struct cards *c, struct slots *s, uint32_t *arena) {
    (void)c, (void)s;
    *arena = 1;
    return OK;
}
void cards_arena_drop(struct cards *c, uint32_t arena) {
    (void)c, (void)arena;
}
enum err cards_detect(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                      cards_done_fn *done, void *arg) {
    (void)c, (void)arena, (void)slot, (void)s;
    if (play.dead) return ERR_CARD;
    if (play.n_pending == 4) return ERR_AGAIN;
    play.pending[play.n_pending++] = (struct pending){done, arg};
    return OK;
}
enum err cards_crops(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                     const struct wire_roi *rois, unsigned n_rois, unsigned dst_w_px, unsigned dst_h_px,
                     cards_done_fn *done, void *arg) {
    (void)c, (void)arena, (void)slot, (void)s, (void)rois, (void)n_rois, (void)dst_w_px, (void)dst_h_px;
    (void)done, (void)arg;
    return ERR_USAGE; /* nothing is ever seen, so nothing is cropped */
}
enum err cards_regions(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                       const struct wire_roi *rois, unsigned n_rois, cards_done_fn *done, void *arg) {
    (void)c, (void)arena, (void)slot, (void)s, (void)rois, (void)n_rois, (void)done, (void)arg;
    return ERR_USAGE; /* nor is a plate looked for */
}
void cards_stats(const struct cards *c, struct cards_stats *out) {
    (void)c;
    *out = (struct cards_stats){0};
}
int cards_pid(const struct cards *c, unsigned card) {
    (void)c, (void)card;
    return -1;
}
void cards_free(struct cards **c) {
    *c = NULL;
}

enum err detector_open(const char *dir, const struct vocab *vocab, struct detector **out) {
    (void)dir, (void)vocab;
    *out = (struct detector *)&play;
    return OK;
}
void detector_close(struct detector **d) {
    *d = NULL;
}
float detector_threshold_start(const struct detector *d) {
    (void)d;
    return 0.5f;
}
float detector_threshold_keep(const struct detector *d) {
    (void)d;
    return 0.3f;
}
enum err detector_match(const struct detector *d, const struct wire_card_ready *r) {
    (void)d, (void)r;
    return OK;
}
enum err detect_decode(const struct detector *d, const struct wire_card_ready *r, const uint8_t *tensors,
                       uint32_t n_bytes, const struct wire_surface *surface, struct detection *out,
                       unsigned *n_out) {
    (void)d, (void)r, (void)tensors, (void)n_bytes, (void)surface;
    *n_out = play.walks;
    if (play.walks)
        out[0] = (struct detection){.x_px = (float)(play.n_seen++ * 2 % 40),
                                    .y_px = 4,
                                    .w_px = 12,
                                    .h_px = 36,
                                    .score = 0.9f,
                                    .class_id = play.person};
    return OK;
}

static void answer_cards(enum err e) {
    while (play.n_pending > 0) {
        const struct pending p = play.pending[0];
        memmove(play.pending, play.pending + 1, --play.n_pending * sizeof p);
        const struct cards_result r = {.status = e};
        p.done(&r, p.arg);
    }
}

static void deliver_frame(int64_t pts_us) {
    struct decoder *d = play.frames;
    unsigned slot;
    assert_int_equal(slots_take(d->spec.slots, &slot), OK);
    const struct wire_frame m = {
        .slot = slot,
        .pts_us = pts_us,
        .surface = {.w_px = W_PX, .h_px = H_PX, .stride_bytes = W_PX, .uv_offset_bytes = W_PX * H_PX}};
    d->cb.on_frame(d, &m, d->cb.arg);
}

/* ---- the rig
 * --------------------------------------------------------------------------------------------------- */

struct rig {
    char dir[64], file[96];
    struct vocab *vocab;
    struct importer *im;
    struct import_item last; /* the last that was over */
    unsigned n_over, n_jobs;
    bool gate;
    unsigned n_asked; /* whether plates may be read */
    bool plates;
};

static bool plates_allowed(const char *case_id, uint16_t camera_number, int64_t *from_ms, int64_t *to_ms,
                           void *arg) {
    struct rig *r = arg;
    assert_true(!r->plates || strcmp(case_id, "2026-0001") == 0);
    assert_int_equal(camera_number, 1);
    r->n_asked++;
    *from_ms = START_MS;
    *to_ms = START_MS + 3600000;
    return r->plates;
}

static void on_item(const struct import_item *i, void *arg) {
    struct rig *r = arg;
    if (!import_item_is_over(i)) return;
    r->last = *i;
    r->n_over++;
}

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void open_importer(struct rig *r) {
    const struct importer_config cfg = {.dir = r->dir,
                                        .decode_exe = "/nowhere",
                                        .simulated = true,
                                        .cards = {.model_dir = "/nowhere"},
                                        .vocab = r->vocab,
                                        .plate_find_dir = "/nowhere",
                                        .plate_read_dir = "/nowhere",
                                        .plates_allowed = plates_allowed,
                                        .plates_arg = r,
                                        .fps_milli = 5000,
                                        .n_slots = N_SLOTS,
                                        .gate = r->gate,
                                        .n_jobs = r->n_jobs ? r->n_jobs : 1};
    r->n_over = 0;
    assert_int_equal(importer_new(play.base, &cfg, on_item, NULL, r, &r->im), OK);
}

static int setup(void **state) {
    struct rig *r = calloc(1, sizeof *r);
    if (!r || !tmpdir_make(r->dir, sizeof r->dir)) return -1;
    memset(&play, 0, sizeof play);
    play.base = event_base_new();
    snprintf(r->file, sizeof r->file, "%s/cam.mp4", r->dir);
    write_file(r->file, "the first recording");
    *state = r;
    return play.base && vocab_load("host/vocabulary.json", &r->vocab) == OK ? 0 : -1;
}

static int teardown(void **state) {
    struct rig *r = *state;
    importer_free(&r->im);
    event_base_free(play.base);
    vocab_free(&r->vocab);
    tmpdir_remove(r->dir);
    free(r);
    return 0;
}

static void add(struct rig *r, const char *file) {
    const struct import_request rq = {
        .file = file, .case_id = "2026-0001", .camera_number = 1, .start_ms = START_MS};
    assert_int_equal(importer_add(r->im, &rq, NULL), OK);
}

static void turn_until_frames(void) {
    const uint64_t end_ns = clock_mono_ns() + LIMIT_MS * 1000000ull;
    while (!play.frames) {
        assert_true(clock_mono_ns() < end_ns);
        assert_true(event_base_loop(play.base, EVLOOP_ONCE) >= 0);
    }
}

static void turn_until_over(struct rig *r, unsigned n) {
    const uint64_t end_ns = clock_mono_ns() + LIMIT_MS * 1000000ull;
    while (r->n_over < n) {
        assert_true(clock_mono_ns() < end_ns);
        assert_true(event_base_loop(play.base, EVLOOP_ONCE) >= 0);
    }
}

/* The rest of a run: frames to 3.8 s, each answered, and the end at 4 s. */
static void play_on(struct rig *r, int64_t from_us) {
    for (int64_t us = from_us; us < 4000000; us += 200000) {
        deliver_frame(us);
        answer_cards(OK);
    }
    const struct wire_decode_end end = {.end_us = 4000000};
    const unsigned n = r->n_over + 1;
    play.frames->cb.on_end(play.frames, &end, play.frames->cb.arg);
    turn_until_over(r, n);
}

/* All recordings of the index; to be freed. */
static struct recording *recordings(struct rig *r, size_t *n) {
    struct index_reader *reader;
    struct recording *list;
    assert_int_equal(index_reader_open(r->dir, r->vocab, &reader), OK);
    assert_int_equal(index_recordings(reader, NULL, &list, n), OK);
    index_reader_close(&reader);
    return list;
}

static struct coverage_span *coverage(struct rig *r, size_t *n) {
    static const uint16_t one[] = {1};
    const struct perimeter p = {
        .from_ms = START_MS - 3600000, .to_ms = START_MS + 3600000, .cameras = one, .n_cameras = 1};
    struct index_reader *reader;
    struct coverage_span *list;
    assert_int_equal(index_reader_open(r->dir, r->vocab, &reader), OK);
    assert_int_equal(index_coverage(reader, &p, &list, n), OK);
    index_reader_close(&reader);
    return list;
}

/* ---- the tests
 * --------------------------------------------------------------------------------------------------- */

static void when_all_cards_die_the_recording_waits_where_it_was_committed(void **state) {
    struct rig *r = *state;
    size_t n;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    for (int i = 0; i < 6; i++) deliver_frame(200000 * i); /* four are with the card, two wait */
    assert_int_equal(play.n_pending, 4);
    play.dead = true;
    play.on_dead(ERR_CARD, "the card is gone", play.cards_arg);
    answer_cards(ERR_CARD);
    assert_int_equal(r->last.state, IMPORT_FAILED);
    assert_non_null(strstr(r->last.error, "no card can work: the card is gone"));
    importer_free(&r->im);
    struct recording *list = recordings(r, &n);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].state, RECORDING_RUNNING); /* the next start takes it up */
    assert_int_equal(list[0].position_us, -1);
    free(list);
    struct coverage_span *spans = coverage(r, &n);
    assert_int_equal(n, 0);
    free(spans);

    open_importer(r);
    assert_int_equal(importer_resume(r->im), OK);
    turn_until_frames();
    assert_int_equal(play.frames->spec.after_us, -1);
    play_on(r, 0);
    assert_int_equal(r->last.state, IMPORT_DONE);
}

static void a_file_replaced_between_two_runs_is_not_taken_for_the_first(void **state) {
    struct rig *r = *state;
    size_t n;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    importer_free(&r->im); /* as a kill would */
    write_file(r->file, "another recording!!");

    open_importer(r);
    assert_int_equal(importer_resume(r->im), OK);
    turn_until_over(r, 1);
    assert_int_equal(r->last.state, IMPORT_FAILED);
    assert_non_null(strstr(r->last.error, "replaced"));
    importer_free(&r->im);
    struct recording *list = recordings(r, &n);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].state, RECORDING_FAILED);
    free(list);

    write_file(r->file, "the first recording"); /* put back, it goes on */
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    play_on(r, 0);
    assert_int_equal(r->last.state, IMPORT_DONE);
}

static void a_recording_that_was_moved_plays_from_where_it_is_named_again(void **state) {
    struct rig *r = *state;
    char moved[128];
    size_t n;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    play_on(r, 0);
    snprintf(moved, sizeof moved, "%s/moved.mp4", r->dir);
    assert_int_equal(rename(r->file, moved), 0);
    add(r, moved);
    turn_until_over(r, 2);
    assert_int_equal(r->last.state, IMPORT_SKIPPED);
    write_file(r->file, "the first recording"); /* a copy changes nothing while the other is there */
    add(r, r->file);
    turn_until_over(r, 3);
    assert_int_equal(r->last.state, IMPORT_SKIPPED);
    importer_free(&r->im);
    struct recording *list = recordings(r, &n);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].state, RECORDING_DONE);
    assert_string_equal(list[0].path, moved);
    free(list);
}

static void what_was_not_looked_at_is_not_covered(void **state) {
    struct rig *r = *state;
    size_t n;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    for (int i = 0; i < 6; i++) {
        deliver_frame(200000 * i);
        answer_cards(OK);
    }
    const struct wire_gap gap = {.from_us = 1000000, .to_us = 3000000, .reason = "damaged data in the file"};
    play.frames->cb.on_gap(play.frames, &gap, play.frames->cb.arg);
    play.frames->cb.on_gap(play.frames, &gap, play.frames->cb.arg); /* a second worker tells it again */
    play_on(r, 3000000);
    assert_int_equal(r->last.state, IMPORT_DONE);
    importer_free(&r->im);
    static const struct {
        int64_t from_ms, to_ms;
        enum coverage_state state;
    } want[] = {{0, 1000, COVERAGE_INDEXED}, {1000, 3000, COVERAGE_DAMAGED}, {3000, 4000, COVERAGE_INDEXED}};
    struct coverage_span *spans = coverage(r, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(spans[i].from_ms - START_MS, want[i].from_ms);
        assert_int_equal(spans[i].to_ms - START_MS, want[i].to_ms);
        assert_int_equal(spans[i].state, want[i].state);
    }
    free(spans);
}

static void a_name_that_cannot_be_kept_fails_its_file_alone_and_can_be_told(void **state) {
    struct rig *r = *state;
    char longest[1400];
    open_importer(r);
    memset(longest, 'x', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = 0;
    memcpy(longest + 1021, "\xe2\x82\xac", 3); /* a character across the limit */
    add(r, longest);
    turn_until_over(r, 1);
    assert_int_equal(r->last.state, IMPORT_FAILED);
    assert_non_null(strstr(r->last.error, "1,023 bytes"));
    json_t *line = import_item_json(&r->last);
    assert_non_null(line);
    json_decref(line);

    add(r, "/nowhere/\xff\xfe.mp4");
    turn_until_over(r, 2);
    assert_int_equal(r->last.state, IMPORT_FAILED);
    assert_non_null(strstr(r->last.error, "not UTF-8"));
    assert_string_equal(r->last.file, "/nowhere/??.mp4");
    line = import_item_json(&r->last);
    assert_non_null(line);
    json_decref(line);
}

static void a_start_that_the_clock_offset_moves_out_of_time_is_refused(void **state) {
    struct rig *r = *state;
    static const int64_t offsets[] = {-START_MS - 1, INT64_MAX, 20000000000000};
    open_importer(r);
    for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        const struct import_request rq = {.file = r->file,
                                          .case_id = "2026-0001",
                                          .camera_number = 1,
                                          .start_ms = START_MS,
                                          .clock_offset_ms = offsets[i]};
        assert_int_equal(importer_add(r->im, &rq, NULL), OK);
        turn_until_over(r, i + 1);
        assert_int_equal(r->last.state, IMPORT_FAILED);
        assert_non_null(strstr(r->last.error, "clock offset"));
    }
}

static void a_server_that_runs_long_keeps_the_last_items_only(void **state) {
    struct rig *r = *state;
    static struct import_item items[ITEMS_MAX];
    open_importer(r);
    for (int i = 0; i < 700; i++) {
        char name[64];
        snprintf(name, sizeof name, "/nowhere/%d.mp4", i);
        add(r, name);
    }
    add(r, r->file);
    turn_until_frames();
    const unsigned n = importer_items(r->im, items, ITEMS_MAX);
    assert_in_range(n, 2, IMPORT_OVER_KEPT + 1);
    assert_int_equal(items[n - 1].state, IMPORT_RUNNING); /* what people wait for is among them */
    assert_string_equal(items[n - 2].file, "/nowhere/699.mp4");
}

/* ---- the line: seats, pauses, priorities, what outlives a process ---- */

static char *named(struct rig *r, const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    write_file(path, name); /* contents differ, so none is another's twin */
    return path;
}

static void add_for(struct rig *r, const char *file, const char *case_id, int priority) {
    const struct import_request rq = {
        .file = file, .case_id = case_id, .camera_number = 1, .start_ms = START_MS, .priority = priority};
    assert_int_equal(importer_add(r->im, &rq, NULL), OK);
}

static enum import_state state_of(struct rig *r, const char *name) {
    static struct import_item items[ITEMS_MAX];
    const unsigned n = importer_items(r->im, items, ITEMS_MAX);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(strrchr(items[i].file, '/') + 1, name) == 0) return items[i].state;
    fail_msg("%s is not among the items", name);
    return IMPORT_FAILED;
}

static void turn(void) {
    for (int i = 0; i < 20; i++) assert_true(event_base_loop(play.base, EVLOOP_NONBLOCK) >= 0);
}

static unsigned order(struct rig *r, enum import_action a, const char *case_id, int priority) {
    const struct import_order o = {.action = a, .case_id = case_id, .priority = priority};
    return importer_order(r->im, &o);
}

static void what_was_asked_for_outlives_the_process(void **state) {
    struct rig *r = *state;
    open_importer(r);
    add_for(r, named(r, "a"), "case-a", 0);
    add_for(r, named(r, "b"), "case-b", 0);
    add_for(r, named(r, "c"), "case-c", 0);
    turn_until_frames(); /* a runs, the others have not begun */
    assert_int_equal(order(r, IMPORT_PAUSE, "case-b", 0), 1);
    assert_int_equal(order(r, IMPORT_PRIORITY, "case-c", 5), 1);
    turn();
    importer_free(&r->im); /* as a kill would */

    open_importer(r);
    assert_int_equal(importer_resume(r->im), OK);
    assert_int_equal(state_of(r, "a"), IMPORT_WAITING);
    assert_int_equal(state_of(r, "b"), IMPORT_PAUSED);
    turn_until_frames();
    assert_int_equal(state_of(r, "c"), IMPORT_RUNNING); /* the urgent one first */
    play_on(r, 0);
    turn_until_frames();
    assert_int_equal(state_of(r, "a"), IMPORT_RUNNING);
    play_on(r, 0);
    turn();
    assert_int_equal(state_of(r, "b"), IMPORT_PAUSED);
    assert_int_equal(order(r, IMPORT_RESUME, NULL, 0), 1);
    turn_until_frames();
    play_on(r, 0);
    importer_free(&r->im);

    open_importer(r); /* all is over: nothing is begun again */
    assert_int_equal(importer_resume(r->im), OK);
    static struct import_item none[4];
    assert_int_equal(importer_items(r->im, none, 4), 0);
    size_t n;
    importer_free(&r->im);
    free(recordings(r, &n));
    assert_int_equal(n, 3);
}

static void a_more_urgent_recording_takes_the_seat_and_gives_it_back(void **state) {
    struct rig *r = *state;
    open_importer(r);
    add_for(r, named(r, "slow"), "case-a", 0);
    turn_until_frames();
    struct decoder *slow = play.frames;
    deliver_frame(0);
    answer_cards(OK);
    play.frames = NULL;
    add_for(r, named(r, "urgent"), "case-b", 3);
    turn_until_frames();
    struct decoder *urgent = play.frames;
    play.frames = slow; /* its decoder goes on until it is out of slots, but none of it is taken */
    deliver_frame(200000);
    assert_int_equal(play.n_pending, 0);
    play.frames = urgent;
    play_on(r, 0);
    assert_string_equal(strrchr(r->last.file, '/'), "/urgent");
    turn();
    assert_int_equal(play.n_pending, 1); /* the frame that waited */
    answer_cards(OK);
    play.frames = slow;
    play_on(r, 400000);
    assert_string_equal(strrchr(r->last.file, '/'), "/slow");
    assert_int_equal(r->last.state, IMPORT_DONE);
}

static void a_paused_recording_takes_nothing_until_it_goes_on(void **state) {
    struct rig *r = *state;
    open_importer(r);
    add_for(r, named(r, "a"), "case-a", 0);
    turn_until_frames();
    deliver_frame(0);
    assert_int_equal(play.n_pending, 1);
    assert_int_equal(order(r, IMPORT_PAUSE, "case-other", 0), 0);
    assert_int_equal(order(r, IMPORT_PAUSE, "case-a", 0), 1);
    answer_cards(OK); /* what was with the card comes home */
    deliver_frame(200000);
    turn();
    assert_int_equal(play.n_pending, 0);
    assert_int_equal(state_of(r, "a"), IMPORT_PAUSED);
    assert_int_equal(order(r, IMPORT_RESUME, "case-a", 0), 1);
    turn();
    assert_int_equal(play.n_pending, 1);
    answer_cards(OK);
    play_on(r, 400000);
    assert_int_equal(r->last.state, IMPORT_DONE);
    size_t n;
    importer_free(&r->im);
    struct coverage_span *spans = coverage(r, &n);
    assert_int_equal(n, 1);
    assert_int_equal(spans[0].to_ms - spans[0].from_ms, 4000);
    free(spans);
}

static void a_cancelled_recording_is_not_taken_up_by_the_next_start(void **state) {
    struct rig *r = *state;
    open_importer(r);
    add_for(r, named(r, "a"), "case-a", 0);
    turn_until_frames();
    assert_int_equal(order(r, IMPORT_CANCEL, NULL, 0), 1);
    assert_int_equal(r->last.state, IMPORT_CANCELLED);
    turn();
    importer_free(&r->im);
    open_importer(r);
    assert_int_equal(importer_resume(r->im), OK);
    static struct import_item none[4];
    assert_int_equal(importer_items(r->im, none, 4), 0);
    char again[128];
    snprintf(again, sizeof again, "%s/a", r->dir);
    add_for(r, again, "case-a", 0); /* but by hand it goes on */
    turn_until_frames();
    play_on(r, 0);
    assert_int_equal(r->last.state, IMPORT_DONE);
}

static void two_recordings_are_at_work_at_once_and_each_is_whole(void **state) {
    struct rig *r = *state;
    size_t n;
    r->n_jobs = 2;
    open_importer(r);
    add_for(r, named(r, "a"), "case-a", 0);
    add_for(r, named(r, "b"), "case-a", 0);
    while (play.n_begun < 2) {
        turn_until_frames();
        turn();
    }
    struct decoder *first = play.begun[0], *second = play.begun[1];
    for (int i = 0; i < 4; i++) { /* the first fills the card; the second must wait for room */
        play.frames = first;
        deliver_frame(200000 * i);
    }
    play.frames = second;
    deliver_frame(0);
    assert_int_equal(play.n_pending, 4);
    answer_cards(OK);
    turn();
    assert_int_equal(play.n_pending, 1);
    answer_cards(OK);
    play_on(r, 200000);
    importer_free(&r->im); /* a kill: the second is in, the first has nothing committed */
    struct recording *list = recordings(r, &n);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].state + list[1].state, RECORDING_DONE + RECORDING_RUNNING);
    for (size_t i = 0; i < n; i++)
        if (list[i].state == RECORDING_RUNNING) assert_int_equal(list[i].position_us, -1);
    free(list);
}

/* Not gone through without them: a search for a plate would then say "nothing there". */
static void recording_whose_plates_cannot_be_read_is_not_imported_without(void **state) {
    struct rig *r = *state;
    r->plates = true;
    open_importer(r);
    add(r, r->file);
    turn_until_over(r, 1);
    assert_int_equal(r->last.state, IMPORT_FAILED);
    assert_non_null(strstr(r->last.error, "read plates cannot be used"));
    assert_int_equal(r->n_asked, 1);
    importer_free(&r->im);
    r->plates = false; /* the case was changed: now they are not needed */
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    play_on(r, 0);
    assert_int_equal(r->last.state, IMPORT_DONE);
    assert_int_equal(r->n_asked, 2);
}

/* ---- the gate ---- */

static void tell_gate(int64_t from_us, bool open, bool sample, bool would_open) {
    const struct wire_gate v = {.from_us = from_us,
                                .to_us = from_us + 2000000,
                                .open = open,
                                .sample = sample,
                                .would_open = would_open};
    play.frames->cb.on_gate(play.frames, &v, play.frames->cb.arg);
}

/* A walker of three seconds in the sample, then nobody for so long that the passage ends. */
static void walk(int64_t from_us, bool would_open) {
    tell_gate(from_us, true, true, would_open);
    tell_gate(from_us + 2000000, true, true, would_open);
    play.walks = true;
    play.n_seen = 0;
    for (int i = 0; i < 15; i++) {
        deliver_frame(from_us + 200000 * i);
        answer_cards(OK);
    }
    play.walks = false;
    const struct wire_gap gap = {
        .from_us = from_us + 3000000, .to_us = from_us + 7000000, .reason = "no frames"};
    play.frames->cb.on_gap(play.frames, &gap, play.frames->cb.arg);
    deliver_frame(from_us + 7000000);
    answer_cards(OK);
}

static void a_gate_that_would_miss_what_the_sample_shows_opens_wider_and_stays_so(void **state) {
    struct rig *r = *state;
    r->gate = true;
    play.person = vocab_by_name(r->vocab, FIELD_CLASS, "person")->id;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    assert_int_equal(play.frames->spec.gate_width, 1);
    walk(0, true);
    walk(10000000, false); /* one miss may be chance */
    assert_int_equal(play.frames->spec.gate_width, 1);
    walk(20000000, false);
    assert_int_equal(play.frames->spec.gate_width, 2);
    assert_int_equal(play.frames->spec.after_us, 27000000); /* on from there, nothing twice */
    walk(30000000, true);
    walk(40000000, true);
    assert_int_equal(play.frames->spec.gate_width, 2);
    const struct wire_decode_end end = {.end_us = 48000000};
    play.frames->cb.on_end(play.frames, &end, play.frames->cb.arg);
    turn_until_over(r, 1);
    assert_int_equal(r->last.state, IMPORT_DONE);
    assert_int_equal(r->last.n_sightings, 5);

    add(r, named(r, "next")); /* the camera's next recording begins as wide */
    turn_until_frames();
    assert_int_equal(play.frames->spec.gate_width, 2);
    play_on(r, 0);
    const struct import_request rq = {.file = named(r, "all"),
                                      .case_id = "2026-0001",
                                      .camera_number = 1,
                                      .start_ms = START_MS,
                                      .ungated = true};
    assert_int_equal(importer_add(r->im, &rq, NULL), OK);
    turn_until_frames();
    assert_int_equal(play.frames->spec.gate_width, 0);
    play_on(r, 0);
}

static void what_the_gate_kept_closed_is_covered_with_its_reason(void **state) {
    struct rig *r = *state;
    size_t n;
    r->gate = true;
    open_importer(r);
    add(r, r->file);
    turn_until_frames();
    tell_gate(0, true, true, false);
    tell_gate(2000000, false, false, false);
    for (int64_t us = 0; us < 2000000; us += 200000) {
        deliver_frame(us);
        answer_cards(OK);
    }
    deliver_frame(2000000); /* the key frame of the closed group */
    answer_cards(OK);
    const struct wire_decode_end end = {.end_us = 4000000};
    play.frames->cb.on_end(play.frames, &end, play.frames->cb.arg);
    turn_until_over(r, 1);
    importer_free(&r->im);
    struct coverage_span *spans = coverage(r, &n);
    assert_int_equal(n, 2);
    assert_int_equal(spans[0].to_ms - START_MS, 2000);
    assert_string_equal(spans[0].reason, "");
    assert_int_equal(spans[1].to_ms - START_MS, 4000);
    assert_int_equal(spans[1].state, COVERAGE_INDEXED);
    assert_string_equal(spans[1].reason, "gate: key frames only");
    free(spans);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(when_all_cards_die_the_recording_waits_where_it_was_committed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(recording_whose_plates_cannot_be_read_is_not_imported_without, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_replaced_between_two_runs_is_not_taken_for_the_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_recording_that_was_moved_plays_from_where_it_is_named_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_not_looked_at_is_not_covered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_cannot_be_kept_fails_its_file_alone_and_can_be_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_that_the_clock_offset_moves_out_of_time_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_server_that_runs_long_keeps_the_last_items_only, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_asked_for_outlives_the_process, setup, teardown),
        cmocka_unit_test_setup_teardown(a_more_urgent_recording_takes_the_seat_and_gives_it_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_paused_recording_takes_nothing_until_it_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_recording_is_not_taken_up_by_the_next_start, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_gate_that_would_miss_what_the_sample_shows_opens_wider_and_stays_so,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_gate_kept_closed_is_covered_with_its_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(two_recordings_are_at_work_at_once_and_each_is_whole, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
