/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sightings_gen.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, HOURS = GEN_DAYS * 24, INCIDENTS = 20, INCIDENT_CAMERAS = 10, INCIDENT_HOURS = 2 };

uint64_t gen_mix(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}
uint64_t gen_u64(struct gen_random *r) {
    r->state += UINT64_C(0x9E3779B97F4A7C15);
    return gen_mix(r->state);
}
uint32_t gen_below(struct gen_random *r, uint32_t n) {
    return (uint32_t)((gen_u64(r) >> 32) * n >> 32);
}
static bool chance(struct gen_random *r, uint32_t per_mille) {
    return gen_below(r, 1000) < per_mille;
}
static struct gen_random stream(uint64_t seed, uint64_t a, uint64_t b, uint64_t c) {
    return (struct gen_random){gen_mix(gen_mix(gen_mix(seed + a * 0x9E37u) + b) + c)};
}

/* Chances in 1/1000, listed in the order of the header. */
static const uint16_t class_weight[] = {450, 350, 70, 30, 15, 35, 50};
static const uint16_t vehicle_colour_weight[] = {250, 220, 250, 80, 90, 60, 15, 10, 10, 7, 5, 3};
static const uint16_t upper_colour_weight[] = {330, 150, 140, 140, 60, 40, 40, 40, 20, 10, 20, 10};
static const uint16_t lower_colour_weight[] = {360, 140, 80, 270, 20, 20, 50, 50, 10, 3, 5, 2};
static const uint16_t upper_kind_weight[] = {350, 250, 200, 100, 60, 40};
static const uint16_t lower_kind_weight[] = {400, 300, 150, 100, 50};
static const uint16_t accessory_chance[GEN_ACCESSORIES] = {180, 150, 20, 15, 90, 200, 30, 10};
static const uint16_t hour_weight[24] = {25,  15,  10,  10,  15,  40,  90,  160, 190, 150, 130, 140,
                                         160, 150, 140, 140, 160, 190, 190, 150, 110, 80,  60,  40};

static unsigned weighted(struct gen_random *r, const uint16_t *w, unsigned n) {
    unsigned total = 0;
    for (unsigned i = 0; i < n; i++) total += w[i];
    unsigned x = gen_below(r, total);
    for (unsigned i = 0; i < n; i++) {
        if (x < w[i]) return i;
        x -= w[i];
    }
    return n - 1;
}
#define WEIGHTED(r, table) weighted(r, table, sizeof(table) / sizeof(table)[0])

struct slot { /* one hour's share */
    int64_t hour;
    uint64_t n;
    unsigned incident;
};

struct arrival {
    uint64_t at_ms; /* absolute */
    uint32_t hour_index, number, start_in_hour_ms;
};

struct gen {
    struct gen_config c;
    struct slot *slot;
    unsigned n_slots, at_slot;
    uint32_t camera_weight[GEN_CAMERAS]; /* cumulative */
    uint16_t incident_camera[INCIDENTS][INCIDENT_CAMERAS];
    struct arrival *queue; /* sorted; at..n are still to come */
    size_t n, at, cap;
    uint64_t vehicles;
};

static uint32_t isqrt(uint64_t x) {
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= x) r |= bit;
    return (uint32_t)r;
}

static uint16_t draw_camera(const struct gen *g, struct gen_random *r) {
    uint32_t x = gen_below(r, g->camera_weight[GEN_CAMERAS - 1]);
    unsigned lo = 0, hi = GEN_CAMERAS - 1;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (g->camera_weight[mid] <= x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint16_t)lo;
}

/* Splits rows over slots by weight, exactly. */
static void share(struct slot *slot, unsigned n, uint64_t rows, const uint64_t *weight) {
    uint64_t total = 0, seen = 0, given = 0;
    for (unsigned i = 0; i < n; i++) total += weight[i];
    for (unsigned i = 0; i < n; i++) {
        seen += weight[i];
        uint64_t until = rows * seen / total; /* rows < 2^40, weights sum to less than 2^20 */
        slot[i].n = until - given;
        given = until;
    }
}

static int slot_order(const void *a, const void *b) {
    const struct slot *x = a, *y = b;
    return x->hour < y->hour ? -1 : x->hour > y->hour;
}

static void layout(struct gen *g) {
    uint64_t weight[HOURS];
    struct gen_random r = stream(g->c.seed, 1, 0, 0);
    uint32_t sum = 0;
    for (unsigned i = 0; i < GEN_CAMERAS; i++) {
        sum += (uint32_t)(UINT64_C(1000000) * 1000 / isqrt((uint64_t)(i + 10) * 1000000));
        g->camera_weight[i] = sum;
    }
    for (unsigned i = 0; i < INCIDENTS; i++)
        for (unsigned k = 0; k < INCIDENT_CAMERAS; k++) g->incident_camera[i][k] = draw_camera(g, &r);
    if (g->c.shape == GEN_SPARSE) {
        g->n_slots = HOURS;
        for (unsigned i = 0; i < HOURS; i++) {
            g->slot[i].hour = GEN_FIRST_HOUR + i;
            weight[i] = hour_weight[i % 24];
        }
    } else if (g->c.shape == GEN_DENSE) {
        g->n_slots = INCIDENTS * INCIDENT_HOURS;
        for (unsigned i = 0; i < g->n_slots; i++) {
            unsigned incident = i / INCIDENT_HOURS;
            /* One incident every day and a half, at hours that differ. */
            g->slot[i].hour = GEN_FIRST_HOUR + incident * 36 + (incident * 7) % 24 + i % INCIDENT_HOURS;
            g->slot[i].incident = incident;
            weight[i] = 1;
        }
    } else {
        g->n_slots = 1;
        g->slot[0].hour = GEN_FIRST_HOUR + 100;
        weight[0] = 1;
    }
    share(g->slot, g->n_slots, g->c.rows, weight);
    qsort(g->slot, g->n_slots, sizeof *g->slot, slot_order);
}

struct gen *gen_new(const struct gen_config *c) {
    struct gen *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->c = *c;
    g->vehicles = c->shape == GEN_SPARSE ? 800000 : 20000;
    g->slot = calloc(HOURS, sizeof *g->slot);
    if (!g->slot) {
        free(g);
        return NULL;
    }
    layout(g);
    return g;
}

void gen_free(struct gen **g) {
    if (!g || !*g) return;
    free((*g)->slot);
    free((*g)->queue);
    free(*g);
    *g = NULL;
}

static int arrival_order(const void *a, const void *b) {
    const struct arrival *x = a, *y = b;
    if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
    if (x->hour_index != y->hour_index) return x->hour_index < y->hour_index ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Start times of one hour: gaps uniform in 0.05..1.95 of the mean; 5 % arrive 1..600 s late. */
static bool load_hour(struct gen *g) {
    const struct slot *s = &g->slot[g->at_slot];
    size_t left = g->n - g->at, need = left + s->n;
    if (need > g->cap) {
        struct arrival *q = malloc(need * sizeof *q);
        if (!q) return false;
        if (left) memcpy(q, g->queue + g->at, left * sizeof *q);
        free(g->queue);
        g->queue = q;
        g->cap = need;
    } else {
        memmove(g->queue, g->queue + g->at, left * sizeof *g->queue);
    }
    g->at = 0;
    g->n = left;
    struct gen_random r = stream(g->c.seed, 2, (uint64_t)s->hour, 0);
    uint64_t mean_us = s->n ? UINT64_C(3600000000) / s->n : 0, at_us = 0;
    for (uint64_t i = 0; i < s->n; i++) {
        at_us += mean_us / 20 + (uint64_t)((gen_u64(&r) >> 32) * (mean_us * 19 / 10) >> 32);
        uint64_t start = at_us / 1000 < HOUR_MS ? at_us / 1000 : HOUR_MS - 1;
        uint64_t late_ms = chance(&r, 50) ? 1000 + gen_below(&r, 599000) : 0;
        g->queue[g->n++] = (struct arrival){(uint64_t)s->hour * HOUR_MS + start + late_ms, g->at_slot,
                                            (uint32_t)i, (uint32_t)start};
    }
    qsort(g->queue, g->n, sizeof *g->queue, arrival_order);
    g->at_slot++;
    return true;
}

/* 40 % repeat one of the last 8,192 vehicles of the hour, else any of the city's. */
static uint64_t vehicle_of(const struct gen *g, uint64_t hour, uint64_t number) {
    for (;;) {
        struct gen_random r = stream(g->c.seed, 3, hour, number);
        uint64_t back = 1 + gen_below(&r, 8192);
        if (!chance(&r, 400) || back > number) return gen_u64(&r) % g->vehicles;
        number -= back;
    }
}

struct draft {
    struct sighting *s;
    struct gen_random r;
};

/* 10 % unknown, 10 % not estimated, 15 % two plausible values, 3 % three. */
static void put_field(struct draft *d, enum field field, unsigned best, unsigned n_values) {
    struct attribute *a = &d->s->attributes[d->s->n_attributes++];
    unsigned fate = gen_below(&d->r, 1000), n = fate < 30 ? 3 : fate < 180 ? 2 : 1;
    memset(a, 0, sizeof *a);
    a->field = (uint8_t)field;
    if (fate >= 800) best = fate < 900 ? VOCAB_UNKNOWN : VOCAB_NOT_ESTIMATED;
    unsigned score = 40 + gen_below(&d->r, 60);
    a->value[0].id = (uint16_t)best;
    a->value[0].score = (uint8_t)score;
    a->value[0].sure = score >= 65 && best >= GEN_FIRST;
    a->n_values = 1;
    while (a->n_values < n && n_values > n) {
        unsigned id = GEN_FIRST + gen_below(&d->r, n_values);
        bool again = false;
        for (unsigned k = 0; k < a->n_values; k++) again |= a->value[k].id == id;
        if (again) continue;
        a->value[a->n_values].id = (uint16_t)id;
        a->value[a->n_values++].score = (uint8_t)(10 + gen_below(&d->r, 30));
    }
}

static void put_clothes(struct draft *d) {
    put_field(d, FIELD_UPPER_COLOUR, GEN_FIRST + WEIGHTED(&d->r, upper_colour_weight), GEN_CLOTHES_COLOURS);
    put_field(d, FIELD_UPPER_KIND, GEN_FIRST + WEIGHTED(&d->r, upper_kind_weight), GEN_UPPER_KINDS);
    put_field(d, FIELD_LOWER_COLOUR, GEN_FIRST + WEIGHTED(&d->r, lower_colour_weight), GEN_CLOTHES_COLOURS);
    put_field(d, FIELD_LOWER_KIND, GEN_FIRST + WEIGHTED(&d->r, lower_kind_weight), GEN_LOWER_KINDS);
    for (unsigned i = 0; i < GEN_ACCESSORIES; i++) {
        if (!chance(&d->r, accessory_chance[i])) continue;
        unsigned score = 40 + gen_below(&d->r, 60);
        struct attribute *a = &d->s->attributes[d->s->n_attributes++];
        memset(a, 0, sizeof *a);
        a->field = FIELD_ACCESSORY;
        a->n_values = 1;
        a->value[0].id = (uint16_t)(GEN_FIRST + i);
        a->value[0].score = (uint8_t)score;
        a->value[0].sure = score >= 65;
    }
}

static char confused(char c) {
    static const char pairs[] = "0OO0QODO1II1LI8BB85SS52ZZ26GG64AA47TT7";
    for (unsigned i = 0; pairs[i]; i += 2)
        if (pairs[i] == c) return pairs[i + 1];
    return '\0';
}

/* LLDDDLL of 23 letters, 5 % foreign forms of 5..10 characters; 6 % of reads have one character wrong. */
static void put_plate(struct draft *d, uint64_t vehicle) {
    static const char letters[] = "ABCDEFGHJKLMNPQRSTVWXYZ", digits[] = "0123456789";
    struct gen_random v = stream(77, 5, vehicle, 0);
    struct plate_read *p = &d->s->plate;
    bool foreign = chance(&v, 50);
    p->n_chars = (uint8_t)(foreign ? 5 + gen_below(&v, 6) : 7);
    for (unsigned i = 0; i < p->n_chars; i++) {
        bool letter = foreign ? gen_below(&v, 2) : i < 2 || i > 4;
        p->text[i] = letter ? letters[gen_below(&v, 23)] : digits[gen_below(&v, 10)];
    }
    memcpy(p->country, foreign ? "D" : "F", 2);
    if (chance(&d->r, 60)) {
        unsigned i = gen_below(&d->r, p->n_chars);
        char c = confused(p->text[i]);
        p->text[i] = c ? c : letters[gen_below(&d->r, 23)];
    }
    p->confidence = (uint8_t)(50 + gen_below(&d->r, 50));
}

static void put_vehicle(struct draft *d, const struct gen *g, uint64_t hour, uint64_t number,
                        bool two_wheels) {
    uint64_t vehicle = vehicle_of(g, hour, number);
    struct gen_random v = stream(g->c.seed, 6, vehicle, 0), burst = stream(g->c.seed, 7, hour, number / 64);
    unsigned colour = WEIGHTED(&v, vehicle_colour_weight);
    if (chance(&d->r, 100)) colour = WEIGHTED(&d->r, vehicle_colour_weight);
    if (chance(&burst, 20)) colour = gen_below(&burst, GEN_VEHICLE_COLOURS); /* a fleet drives past */
    put_field(d, FIELD_VEHICLE_COLOUR, GEN_FIRST + colour, GEN_VEHICLE_COLOURS);
    put_field(d, FIELD_VEHICLE_TYPE, GEN_FIRST + gen_below(&v, GEN_TYPES) * gen_below(&v, 1000) / 1000,
              GEN_TYPES);
    put_field(d, FIELD_MAKE_MODEL, GEN_FIRST + gen_below(&v, GEN_MODELS) * gen_below(&v, 1000) / 1000,
              GEN_MODELS);
    if (!two_wheels && chance(&d->r, 500)) put_plate(d, vehicle);
    if (!g->c.vectors || two_wheels) return;
    d->s->has_likeness = 1;
    for (unsigned i = 0; i < 128; i += 8) {
        uint64_t self = gen_u64(&v), noise = gen_u64(&d->r);
        for (unsigned k = 0; k < 8; k++) {
            int identity = (int)(self >> 8 * k & 63) + (int)(self >> (8 * k + 2) & 63) - 63;
            d->s->likeness[i + k] = (int8_t)(identity + (int)(noise >> 8 * k & 31) - 15);
        }
    }
}

static void put_course(struct draft *d, struct sighting *s) {
    struct box_norm a = {.x0 = (uint16_t)gen_below(&d->r, 50000), .y0 = (uint16_t)gen_below(&d->r, 40000)},
                    b = a;
    uint16_t w = (uint16_t)(1000 + gen_below(&d->r, 9000)), h = (uint16_t)(2000 + gen_below(&d->r, 18000));
    b.x0 = (uint16_t)gen_below(&d->r, 50000);
    if (gen_below(&d->r, 2)) b.y0 = (uint16_t)gen_below(&d->r, 40000);
    a.x1 = (uint16_t)(a.x0 + w);
    a.y1 = (uint16_t)(a.y0 + h);
    b.x1 = (uint16_t)(b.x0 + w);
    b.y1 = (uint16_t)(b.y0 + h);
    s->best_ms = s->start_ms + gen_below(&d->r, (uint32_t)(s->end_ms - s->start_ms));
    s->best_pts_us = (s->best_ms % HOUR_MS) * 1000; /* 25 frames a second: whole milliseconds */
    (void)gen_below(&d->r, 1000);
    s->best_box = a;
    s->n_frames = 5 + gen_below(&d->r, 100);
    s->n_path = 2;
    s->path[0] = (struct path_point){s->start_ms, a};
    s->path[1] = (struct path_point){s->end_ms, b};
}

static void make(const struct gen *g, const struct arrival *at, struct sighting *s) {
    const struct slot *slot = &g->slot[at->hour_index];
    struct draft d = {.s = s, .r = stream(g->c.seed, 4, (uint64_t)slot->hour, at->number)};
    memset(s, 0, sizeof *s);
    s->recording_id = 1 + (uint64_t)at->hour_index;
    s->start_ms = slot->hour * HOUR_MS + at->start_in_hour_ms;
    s->end_ms = s->start_ms + 1000 + gen_below(&d.r, 20000);
    s->camera_number = draw_camera(g, &d.r);
    if (g->c.shape == GEN_DENSE)
        s->camera_number = g->incident_camera[slot->incident][gen_below(&d.r, INCIDENT_CAMERAS)];
    if (g->c.shape == GEN_ONE_HOUR)
        s->camera_number = g->incident_camera[gen_below(&d.r, INCIDENTS)][gen_below(&d.r, INCIDENT_CAMERAS)];
    s->class_id = (uint16_t)(GEN_CLASS_PERSON + WEIGHTED(&d.r, class_weight));
    s->confidence = (uint8_t)(35 + gen_below(&d.r, 65));
    s->n_attributes = 1;
    s->attributes[0] = (struct attribute){.field = FIELD_CLASS, .n_values = 1};
    s->attributes[0].value[0].id = s->class_id;
    s->attributes[0].value[0].score = s->confidence;
    s->attributes[0].value[0].sure = s->confidence >= 50;
    bool rider = s->class_id == GEN_CLASS_MOTORBIKE || s->class_id == GEN_CLASS_BICYCLE;
    if (s->class_id == GEN_CLASS_PERSON || rider) put_clothes(&d);
    if (s->class_id != GEN_CLASS_PERSON && s->class_id != GEN_CLASS_BICYCLE)
        put_vehicle(&d, g, (uint64_t)slot->hour, at->number, rider);
    put_course(&d, s);
}

bool gen_next(struct gen *g, struct sighting *out) {
    /* What waits may be emitted once no later hour can bring something earlier. */
    while (g->at_slot < g->n_slots &&
           (g->at == g->n || g->queue[g->at].at_ms >= (uint64_t)g->slot[g->at_slot].hour * HOUR_MS))
        if (!load_hour(g)) return false;
    if (g->at == g->n) return false;
    make(g, &g->queue[g->at++], out);
    return true;
}
