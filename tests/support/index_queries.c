/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/index_queries.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

const char *const asked_name[ASKED_KINDS] = {"Q1 class+colour",
                                             "Q2 at 40 cameras",
                                             "Q3 person",
                                             "Q4 plate exact",
                                             "Q5 plate pattern",
                                             "Q6 plate fuzzy",
                                             "Q8 rare",
                                             "Q9 common, deep",
                                             "sure",
                                             "not",
                                             "only",
                                             "score order",
                                             "duration",
                                             "direction",
                                             "area",
                                             "time bands",
                                             "together",
                                             "plate by rank",
                                             "Q7a near, car 24h",
                                             "Q7b near, red car",
                                             "Q7c near, 7d 40 cameras",
                                             "Q7d near, 7d",
                                             "Q7e near, no filter"};

static struct query_group *group(struct query *q) {
    return &q->group[q->n_groups++];
}
static void term(struct query_group *g, enum field field, unsigned id) {
    g->term[g->n_terms].field = (uint8_t)field;
    g->term[g->n_terms++].id = (uint16_t)id;
}
static void one(struct query *q, enum field field, unsigned id) {
    term(group(q), field, id);
}

/* 20 % an hour, 40 % a day, 30 % a week, 10 % all of it. */
static void mixed_range(struct asked *a, struct gen_random *r) {
    uint32_t x = gen_below(r, 100);
    int64_t length = x < 20 ? HOUR_MS : x < 60 ? 24 * HOUR_MS : x < 90 ? 168 * HOUR_MS : 0;
    if (!length) return;
    a->q.n_periods = 1;
    a->q.period[0].from_ms =
        GEN_FIRST_HOUR * HOUR_MS +
        gen_below(r, (uint32_t)((GEN_DAYS * 24 * HOUR_MS - length) / 1000 + 1)) * INT64_C(1000);
    a->q.period[0].to_ms = a->q.period[0].from_ms + length;
}
static void week(struct asked *a, struct gen_random *r, int64_t hours) {
    a->q.n_periods = 1;
    a->q.period[0].from_ms = (GEN_FIRST_HOUR + gen_below(r, (uint32_t)(GEN_DAYS * 24 - hours + 1))) * HOUR_MS;
    a->q.period[0].to_ms = a->q.period[0].from_ms + hours * HOUR_MS;
}

static void vehicle(struct asked *a, struct gen_random *r) {
    static const uint8_t classes[] = {GEN_CLASS_CAR, GEN_CLASS_CAR,   GEN_CLASS_CAR,      GEN_CLASS_VAN,
                                      GEN_CLASS_BUS, GEN_CLASS_TRUCK, GEN_CLASS_MOTORBIKE};
    one(&a->q, FIELD_CLASS, classes[gen_below(r, sizeof classes)]);
    one(&a->q, FIELD_VEHICLE_COLOUR, GEN_FIRST + gen_below(r, 8));
}
static void forty_cameras(struct asked *a, struct gen_random *r) {
    for (unsigned i = 0; i < 40; i++) a->cameras[i] = (uint16_t)gen_below(r, GEN_CAMERAS);
    a->q.cameras = a->cameras;
    a->q.n_cameras = 40;
}
static void person(struct asked *a, struct gen_random *r) {
    enum { RED = 7 };
    one(&a->q, FIELD_CLASS, GEN_CLASS_PERSON);
    one(&a->q, FIELD_UPPER_COLOUR, gen_below(r, 2) ? RED : GEN_FIRST + gen_below(r, 5));
    one(&a->q, FIELD_ACCESSORY, GEN_FIRST);
}

static void plate(struct asked *a, struct gen_random *r, const struct asked_sample *s,
                  enum query_plate mode) {
    a->q.plate_mode = mode;
    if (s->n_plates) snprintf(a->q.plate, sizeof a->q.plate, "%s", s->plate[gen_below(r, s->n_plates)]);
    if (!a->q.plate[0]) strcpy(a->q.plate, "AB123CD");
}
static void plate_pattern(struct asked *a, struct gen_random *r, const struct asked_sample *s,
                          unsigned turn) {
    plate(a, r, s, QUERY_PLATE_PATTERN);
    char text[24];
    memcpy(text, a->q.plate, sizeof text);
    size_t n = strlen(text);
    if (turn == 0) { /* AB?12* */
        text[2] = '?';
        memcpy(text + 5, "*", 2);
    } else if (turn == 1) { /* *2CD */
        text[0] = '*';
        memmove(text + 1, text + 3, n - 3 + 1);
    } else { /* ?B1?34? */
        text[0] = '?';
        text[3] = '?';
        text[n - 1] = '?';
    }
    memcpy(a->q.plate, text, sizeof text);
}
static void plate_fuzzy(struct asked *a, struct gen_random *r, const struct asked_sample *s, unsigned slips) {
    static const char any[] = "ABCDEFGHJKLMNPQRSTVWXYZ0123456789";
    plate(a, r, s, QUERY_PLATE_FUZZY);
    a->q.max_slips = slips;
    if (gen_below(r, 2))
        a->q.plate[gen_below(r, (uint32_t)strlen(a->q.plate))] = any[gen_below(r, sizeof any - 1)];
}

static void rectangle(struct asked *a, struct gen_random *r) {
    uint16_t x0 = (uint16_t)gen_below(r, 50000), y0 = (uint16_t)gen_below(r, 50000);
    uint16_t x1 = (uint16_t)(x0 + 500 + gen_below(r, 15000)), y1 = (uint16_t)(y0 + 500 + gen_below(r, 15000));
    a->q.n_area = 4;
    a->q.area[0].x = a->q.area[3].x = x0;
    a->q.area[1].x = a->q.area[2].x = x1;
    a->q.area[0].y = a->q.area[1].y = y0;
    a->q.area[2].y = a->q.area[3].y = y1;
    a->cameras[0] = (uint16_t)gen_below(r, 30); /* busy ones */
    a->q.cameras = a->cameras;
    a->q.n_cameras = 1;
}

static void make_plain(enum asked_kind kind, unsigned instance, struct asked *a, struct gen_random *r) {
    struct query_group *g;
    switch ((int)kind) {
    case ASKED_Q2:
        forty_cameras(a, r);
        __attribute__((fallthrough));
    case ASKED_Q1:
        vehicle(a, r);
        mixed_range(a, r);
        break;
    case ASKED_Q3:
        person(a, r);
        mixed_range(a, r);
        break;
    case ASKED_Q8:
        if (instance % 2) {
            one(&a->q, FIELD_CLASS, GEN_CLASS_BUS);
            one(&a->q, FIELD_VEHICLE_COLOUR, GEN_FIRST + 11);
        } else {
            one(&a->q, FIELD_UPPER_COLOUR, GEN_FIRST + 10);
            one(&a->q, FIELD_LOWER_COLOUR, GEN_FIRST + 9);
            one(&a->q, FIELD_ACCESSORY, GEN_FIRST + 2);
            one(&a->q, FIELD_ACCESSORY, GEN_FIRST + 3);
        }
        break;
    case ASKED_Q9:
        if (instance % 2) {
            one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
            g = group(&a->q);
            term(g, FIELD_VEHICLE_COLOUR, GEN_FIRST);
            term(g, FIELD_VEHICLE_COLOUR, GEN_FIRST + 2);
        } else {
            one(&a->q, FIELD_CLASS, GEN_CLASS_PERSON);
            one(&a->q, FIELD_UPPER_COLOUR, GEN_FIRST);
        }
        a->q.offset = 1000 + gen_below(r, 199001);
        break;
    case ASKED_SURE:
        vehicle(a, r);
        a->q.group[1].sure = true;
        mixed_range(a, r);
        break;
    case ASKED_NOT:
        if (gen_below(r, 2)) one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
        g = group(&a->q);
        g->negated = true;
        g->sure = gen_below(r, 2);
        term(g, FIELD_VEHICLE_COLOUR, GEN_FIRST + gen_below(r, 5));
        term(g, FIELD_VEHICLE_COLOUR, GEN_FIRST + gen_below(r, 5));
        mixed_range(a, r);
        break;
    case ASKED_ONLY:
        g = group(&a->q);
        g->only = true;
        g->negated = gen_below(r, 4) == 0;
        g->sure = gen_below(r, 3) == 0;
        if (gen_below(r, 3)) {
            for (unsigned n = 1 + gen_below(r, 3); n > 0; n--)
                term(g, FIELD_UPPER_COLOUR, GEN_FIRST + gen_below(r, 8));
            if (gen_below(r, 2)) term(g, FIELD_LOWER_COLOUR, GEN_FIRST + gen_below(r, 8));
        } else {
            for (unsigned n = 1 + gen_below(r, 2); n > 0; n--)
                term(g, FIELD_ACCESSORY, GEN_FIRST + gen_below(r, 8));
        }
        mixed_range(a, r);
        break;
    case ASKED_SCORE:
        if (gen_below(r, 2)) person(a, r);
        g = group(&a->q);
        g->optional = true;
        term(g, FIELD_LOWER_COLOUR, GEN_FIRST + gen_below(r, 6));
        term(g, FIELD_LOWER_KIND, GEN_FIRST + gen_below(r, 3));
        a->q.order = QUERY_SCORE;
        a->q.offset = gen_below(r, 3) * gen_below(r, 400);
        mixed_range(a, r);
        break;
    case ASKED_DURATION:
        vehicle(a, r);
        a->q.min_duration_ms = gen_below(r, 3) ? 500 + gen_below(r, 12000) : 0;
        a->q.max_duration_ms = gen_below(r, 3) ? 12000 + gen_below(r, 9000) : 0;
        mixed_range(a, r);
        break;
    case ASKED_DIRECTION:
        one(&a->q, FIELD_CLASS, GEN_CLASS_PERSON + gen_below(r, 3));
        a->q.direction = (enum query_direction)(1 + gen_below(r, 4));
        mixed_range(a, r);
        break;
    case ASKED_AREA:
        rectangle(a, r);
        if (gen_below(r, 2)) one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
        break;
    default: { /* ASKED_BANDS */
        one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
        unsigned from = gen_below(r, 20), day = gen_below(r, 10);
        a->q.n_periods = 1 + gen_below(r, 20);
        for (unsigned i = 0; i < a->q.n_periods; i++) {
            a->q.period[i].from_ms = (GEN_FIRST_HOUR + (day + i) * 24 + from) * HOUR_MS + 17 * 60000;
            a->q.period[i].to_ms = a->q.period[i].from_ms + (1 + instance % 4) * HOUR_MS;
        }
        a->q.order = QUERY_OLDEST;
        a->q.offset = gen_below(r, 2) * gen_below(r, 500);
        break;
    }
    }
}

void asked_make(enum asked_kind kind, unsigned instance, const struct asked_sample *s, struct asked *a) {
    struct gen_random r = {gen_mix((uint64_t)kind << 32 | instance)};
    memset(a, 0, sizeof *a);
    for (unsigned i = 0; i < GEN_CAMERAS; i++) a->allowed[i] = (uint16_t)i;
    a->p = (struct perimeter){.from_ms = GEN_FIRST_HOUR * HOUR_MS,
                              .to_ms = (GEN_FIRST_HOUR + GEN_DAYS * 24 + 24) * HOUR_MS,
                              .cameras = a->allowed,
                              .n_cameras = GEN_CAMERAS,
                              .plates_allowed = true,
                              .likeness_allowed = true};
    a->q.limit = 50;
    switch ((int)kind) {
    case ASKED_Q4:
        plate(a, &r, s, QUERY_PLATE_EXACT);
        return;
    case ASKED_Q5:
        plate_pattern(a, &r, s, instance % 3);
        return;
    case ASKED_PLATE_SCORE:
        one(&a->q, FIELD_VEHICLE_COLOUR, GEN_FIRST + gen_below(&r, 3));
        a->q.order = QUERY_SCORE;
        __attribute__((fallthrough));
    case ASKED_Q6:
        plate_fuzzy(a, &r, s, 1 + instance % 2);
        return;
    case ASKED_TOGETHER:
        a->q.together_id = s->n_any ? s->any[gen_below(&r, s->n_any)] : 0;
        a->q.together_ms = 10000 + gen_below(&r, 600000);
        return;
    case ASKED_Q7A:
        one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
        week(a, &r, 24);
        break;
    case ASKED_Q7B:
        one(&a->q, FIELD_CLASS, GEN_CLASS_CAR);
        one(&a->q, FIELD_VEHICLE_COLOUR, GEN_FIRST + 5);
        break;
    case ASKED_Q7C:
        forty_cameras(a, &r);
        __attribute__((fallthrough));
    case ASKED_Q7D:
        week(a, &r, 168);
        break;
    case ASKED_Q7E:
        break;
    default:
        make_plain(kind, instance, a, &r);
        return;
    }
    a->q.limit = 100;
    a->q.like_id = s->n_vehicles ? s->vehicle[gen_below(&r, s->n_vehicles)] : 0;
}
