/* SPDX-License-Identifier: Apache-2.0 */
/* The desk of plates between two networks' cards that this file plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "host/import/plate_desk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
enum { FINDER, READER, CELLS = 40 * 32 * 5, COLUMNS = 32 * 37, PENDING_MAX = 8 };

static struct played {
    cards_ready_fn *on_ready;
    cards_dead_fn *on_dead;
    void *arg;
    unsigned room;
    struct {
        cards_done_fn *done;
        void *arg;
        unsigned n_rois;
        struct wire_roi rois[WIRE_ROIS_MAX];
    } pending[PENDING_MAX];
    unsigned n_pending, n_arenas;
} play[2];
static unsigned n_opened, n_ready, n_dead;

enum err cards_new(struct event_base *base, const struct cards_config *cfg, cards_ready_fn *on_ready,
                   cards_dead_fn *on_dead, void *arg, struct cards **out) {
    (void)base, (void)cfg;
    struct played *p = &play[n_opened++];
    *p = (struct played){.on_ready = on_ready, .on_dead = on_dead, .arg = arg, .room = 4};
    *out = (struct cards *)p;
    return OK;
}
enum err cards_arena_add(struct cards *c, struct slots *s, uint32_t *arena) {
    (void)s;
    *arena = ++((struct played *)c)->n_arenas;
    return OK;
}
void cards_arena_drop(struct cards *c, uint32_t arena) {
    (void)arena;
    ((struct played *)c)->n_arenas--;
}
enum err cards_regions(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                       const struct wire_roi *rois, unsigned n_rois, cards_done_fn *done, void *arg) {
    struct played *p = (struct played *)c;
    assert_int_equal(arena, 1);
    assert_int_equal(slot, 5);
    assert_int_equal(s->w_px, 640);
    if (p->n_pending >= p->room) return ERR_AGAIN;
    p->pending[p->n_pending].done = done;
    p->pending[p->n_pending].arg = arg;
    p->pending[p->n_pending].n_rois = n_rois;
    memcpy(p->pending[p->n_pending++].rois, rois, n_rois * sizeof *rois);
    return OK;
}
void cards_free(struct cards **c) {
    *c = NULL;
}

/* Answers the oldest job: `found` has a bit for each region with a plate in it; every plate reads AB123CD. */
static void answer(unsigned which, enum err e, unsigned found) {
    static int8_t out[WIRE_ROIS_MAX * CELLS];
    struct played *p = &play[which];
    assert_true(p->n_pending > 0);
    cards_done_fn *done = p->pending[0].done;
    void *arg = p->pending[0].arg;
    const unsigned n = p->pending[0].n_rois;
    memmove(p->pending, p->pending + 1, --p->n_pending * sizeof p->pending[0]);
    memset(out, -100, sizeof out);
    for (unsigned i = 0; i < n && which == FINDER; i++)
        if (found & 1u << i) {
            int8_t *c = out + i * CELLS + (16 * 40 + 20) * 5;
            c[0] = 64;
            c[1] = c[3] = 24;
            c[2] = c[4] = 6;
        }
    for (unsigned i = 0; i < n && which == READER; i++)
        for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
            static const char text[] = "AB123CD";
            const unsigned k = t / 4;
            unsigned a = 0;
            while (k < 7 && plate_text_char(a) != text[k]) a++;
            out[i * COLUMNS + t * 37 + (t % 4 < 2 && k < 7 ? a + 1 : 0)] = 100;
        }
    const struct cards_result r = {
        .status = e, .out = (const uint8_t *)out, .n_bytes = n * (which == FINDER ? CELLS : COLUMNS)};
    done(&r, arg);
}

static void ready(unsigned which, bool simulated) {
    struct wire_card_ready m = {.simulated = simulated, .n_outputs = 1, .model_sha256 = SHA};
    const bool find = which == FINDER;
    snprintf(m.model, sizeof m.model, find ? "f" : "r");
    m.input = (struct wire_tensor){.h = find ? 128 : 32, .w = find ? 160 : 128, .c = 3, .fix_point = 6};
    m.outputs[0] =
        find
            ? (struct wire_tensor){.name = "o", .h = 32, .w = 40, .c = 5, .fix_point = 4, .n_bytes = CELLS}
            : (struct wire_tensor){.name = "o", .h = 1, .w = 32, .c = 37, .fix_point = 3, .n_bytes = COLUMNS};
    play[which].on_ready(&m, play[which].arg);
}

/* ---- the rig ---- */

struct rig {
    char dir[64], find[80], read[80];
    struct plate_desk *desk;
    struct plate_arena arena;
    unsigned n_done, n_seen, n_read;
    float weight;
};

static void write_manifest(const char *dir, const char *name, const char *task, const char *rest) {
    char path[128];
    snprintf(path, sizeof path, "%s/model.json", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "{\"format\":1,\"name\":\"%s\",\"task\":\"%s\",\"files\":{\"golden\":{\"sha256\":\"" SHA
            "\"}},%s,"
            "\"threshold\":{\"start\":0.5,\"not_estimated_below_px\":40}}",
            name, task, rest);
    assert_int_equal(fclose(f), 0);
}

static void on_ready(void *arg) {
    (void)arg;
    n_ready++;
}
static void on_dead(void *arg) {
    (void)arg;
    n_dead++;
}

static int setup(void **state) {
    struct rig *r = calloc(1, sizeof *r);
    if (!r || !tmpdir_make(r->dir, sizeof r->dir)) return -1;
    n_opened = n_ready = n_dead = 0;
    snprintf(r->find, sizeof r->find, "%s/find", r->dir);
    snprintf(r->read, sizeof r->read, "%s/read", r->dir);
    if (mkdir(r->find, 0700) != 0 || mkdir(r->read, 0700) != 0) return -1;
    write_manifest(
        r->find, "f", "plate_find",
        "\"input\":{\"width\":160,\"height\":128,\"order\":\"BGR\",\"fit\":\"stretch\",\"fix_point\":6},"
        "\"outputs\":[{\"tensor\":\"o\",\"role\":\"centre+box\",\"stride\":4,\"fix_point\":4,\"softmax\":"
        "\"host\"}],\"decode\":{\"kind\":\"plate_centre\",\"side\":16}");
    write_manifest(
        r->read, "r", "plate_read",
        "\"input\":{\"width\":128,\"height\":32,\"order\":\"BGR\",\"fit\":\"stretch\",\"fix_point\":6},"
        "\"outputs\":[{\"tensor\":\"o\",\"role\":\"columns\",\"stride\":4,\"fix_point\":3,\"softmax\":"
        "\"host\"}],\"decode\":{\"kind\":\"plate_columns\",\"margin_x\":0.03,\"margin_y\":0.1}");
    static struct importer_config cfg;
    cfg = (struct importer_config){.simulated = true, .plate_find_dir = r->find, .plate_read_dir = r->read};
    const struct plate_desk_spec spec = {.cfg = &cfg, .on_ready = on_ready, .on_dead = on_dead};
    if (plate_desk_new(NULL, &spec, &r->desk) != OK || plate_desk_arena_add(r->desk, NULL, &r->arena) != OK)
        return -1;
    *state = r;
    return 0;
}

static int teardown(void **state) {
    struct rig *r = *state;
    plate_desk_free(&r->desk);
    tmpdir_remove(r->dir);
    free(r);
    return 0;
}

static void on_seen(const struct plate_seen *seen, unsigned n, void *arg) {
    struct rig *r = arg;
    r->n_done++;
    r->n_seen += n;
    for (unsigned i = 0; i < n; i++) {
        r->n_read += seen[i].guess.n_chars == 7;
        if (seen[i].guess.n_chars) r->weight = seen[i].weight;
    }
}

static enum err look(struct rig *r, unsigned n) {
    static const struct wire_surface s = {
        .w_px = 640, .h_px = 480, .stride_bytes = 640, .uv_offset_bytes = 640 * 480};
    const struct wire_roi rois[3] = {{0, 0, 200, 160}, {200, 0, 200, 160}, {400, 0, 200, 160}};
    return plate_desk_look(r->desk, &r->arena, 5, &s, rois, n, on_seen, r);
}

/* ---- facts ---- */

static void a_frame_goes_through_both_networks(void **state) {
    struct rig *r = *state;
    assert_int_equal(look(r, 3), ERR_AGAIN); /* no card is up */
    ready(FINDER, true);
    assert_false(plate_desk_is_ready(r->desk));
    ready(READER, true);
    assert_int_equal(n_ready, 1);
    assert_int_equal(look(r, 3), OK);
    answer(FINDER, OK, 5); /* the second vehicle shows none */
    assert_int_equal(r->n_done, 0);
    assert_int_equal(play[READER].pending[0].n_rois, 2);
    /* The plate stands at the cell 82, 66 of 160 x 128, 48 px wide there: 60 px in the picture, and 3 % on
     * each side. */
    assert_in_range(play[READER].pending[0].rois[1].x_px, 400 + 102 - 34, 400 + 102 - 30);
    answer(READER, OK, 0);
    assert_int_equal(r->n_done, 1);
    assert_int_equal(r->n_seen, 3);
    assert_int_equal(r->n_read, 2);
    assert_true(r->weight > 57 && r->weight < 60);
}

static void where_no_plate_is_found_nothing_is_read(void **state) {
    struct rig *r = *state;
    ready(FINDER, true);
    ready(READER, true);
    assert_int_equal(look(r, 2), OK);
    answer(FINDER, OK, 0);
    assert_int_equal(r->n_done, 1);
    assert_int_equal(r->n_read, 0);
    assert_int_equal(play[READER].n_pending, 0);
}

static void a_failed_card_leaves_its_vehicles_without_a_plate(void **state) {
    struct rig *r = *state;
    ready(FINDER, true);
    ready(READER, true);
    assert_int_equal(look(r, 2), OK);
    answer(FINDER, ERR_CARD, 3);
    assert_int_equal(look(r, 2), OK);
    answer(FINDER, OK, 3);
    answer(READER, ERR_CARD, 0);
    assert_int_equal(r->n_done, 2);
    assert_int_equal(r->n_read, 0);
}

static void looks_wait_for_room_at_the_reader_in_their_order(void **state) {
    struct rig *r = *state;
    ready(FINDER, true);
    ready(READER, true);
    play[READER].room = 1;
    for (unsigned i = 0; i < 3; i++) assert_int_equal(look(r, 1), OK);
    for (unsigned i = 0; i < 3; i++) answer(FINDER, OK, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(play[READER].n_pending, 1);
        answer(READER, OK, 0);
        assert_int_equal(r->n_done, i);
    }
    assert_int_equal(r->n_read, 3);
    play[FINDER].room = 0;
    assert_int_equal(look(r, 1), ERR_AGAIN);
}

static void another_network_or_backend_is_refused(void **state) {
    struct rig *r = *state;
    ready(FINDER, false);
    assert_int_equal(n_dead, 1);
    assert_non_null(strstr(plate_desk_dead_text(r->desk), "card.backend"));
    ready(READER, true);
    assert_false(plate_desk_is_ready(r->desk));
    assert_int_equal(look(r, 1), ERR_AGAIN);
}

static void dead_cards_are_told_with_their_reason(void **state) {
    struct rig *r = *state;
    ready(FINDER, true);
    ready(READER, true);
    play[READER].on_dead(ERR_CARD, "there is no such card", play[READER].arg);
    assert_int_equal(n_dead, 1);
    assert_non_null(strstr(plate_desk_dead_text(r->desk), "there is no such card"));
}

static void closing_with_looks_at_work_calls_nobody(void **state) {
    struct rig *r = *state;
    ready(FINDER, true);
    ready(READER, true);
    assert_int_equal(look(r, 1), OK);
    assert_int_equal(look(r, 1), OK);
    answer(FINDER, OK, 1);
    plate_desk_arena_drop(r->desk, &r->arena);
    assert_int_equal(play[FINDER].n_arenas + play[READER].n_arenas, 0);
    plate_desk_free(&r->desk);
    assert_int_equal(r->n_done, 0);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_frame_goes_through_both_networks),
        T(where_no_plate_is_found_nothing_is_read),
        T(a_failed_card_leaves_its_vehicles_without_a_plate),
        T(looks_wait_for_room_at_the_reader_in_their_order),
        T(another_network_or_backend_is_refused),
        T(dead_cards_are_told_with_their_reason),
        T(closing_with_looks_at_work_calls_nobody),
    };
    return cmocka_run_group_tests_name("plate_desk", tests, NULL, NULL);
}
