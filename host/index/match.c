/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/match.h"

#include <string.h>

#include "host/index/record.h"

enum err match_check(const struct query *q) {
    if (q->n_groups > QUERY_GROUPS_MAX || q->n_periods > QUERY_PERIODS_MAX ||
        q->n_cameras > QUERY_CAMERAS_MAX)
        return ERR_USAGE;
    if (q->limit == 0 || q->limit > 200 || q->offset > 1u << 30) return ERR_USAGE;
    for (unsigned i = 0; i < q->n_groups; i++) {
        const struct query_group *g = &q->group[i];
        if (g->n_terms == 0 || g->n_terms > QUERY_TERMS_MAX) return ERR_USAGE;
        for (unsigned k = 0; k < g->n_terms; k++)
            if (g->term[k].field == FIELD_NONE || g->term[k].field >= FIELD_COUNT || g->term[k].id == 0 ||
                g->term[k].id > VOCAB_MAX)
                return ERR_USAGE;
    }
    for (unsigned i = 0; i < q->n_periods; i++)
        if (q->period[i].to_ms <= q->period[i].from_ms) return ERR_USAGE;
    if (q->n_cameras && !q->cameras) return ERR_USAGE;
    if (q->n_area && (q->n_area < 3 || q->n_area > QUERY_AREA_MAX || q->n_cameras != 1)) return ERR_USAGE;
    if (q->plate_mode != QUERY_PLATE_NONE && (!q->plate[0] || !memchr(q->plate, 0, sizeof q->plate)))
        return ERR_USAGE;
    if (q->plate_mode == QUERY_PLATE_FUZZY && q->max_slips > 2) return ERR_USAGE;
    if (q->min_duration_ms < 0 || q->max_duration_ms < 0) return ERR_USAGE;
    if (q->together_id && q->together_ms < 0) return ERR_USAGE;
    return OK;
}

static bool term_in(const struct query_group *g, unsigned field, unsigned id) {
    for (unsigned k = 0; k < g->n_terms; k++)
        if (g->term[k].field == field && g->term[k].id == id) return true;
    return false;
}
static bool field_in(const struct query_group *g, unsigned field) {
    for (unsigned k = 0; k < g->n_terms; k++)
        if (g->term[k].field == field) return true;
    return false;
}

/* Best score of the group's values in the sighting, 0 = none. */
static unsigned group_score(const struct query_group *g, const struct sighting *s, bool sure, bool only) {
    unsigned best = 0;
    for (unsigned i = 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        for (unsigned k = 0; k < a->n_values; k++) {
            if (term_in(g, a->field, a->value[k].id)) {
                unsigned score = a->value[k].score ? a->value[k].score : 1;
                if ((!sure || a->value[k].sure) && score > best) best = score;
            } else if (only && field_in(g, a->field)) {
                return 0;
            }
        }
    }
    return best;
}

bool match_groups(const struct query *q, const struct sighting *s) {
    for (unsigned i = 0; i < q->n_groups; i++) {
        if (q->group[i].optional) continue;
        if ((group_score(&q->group[i], s, q->group[i].sure, q->group[i].only) > 0) == q->group[i].negated)
            return false;
    }
    return true;
}

unsigned match_level(const struct query *q, const struct sighting *s) {
    unsigned level = 0;
    for (unsigned i = 0; i < q->n_groups; i++) {
        if (q->group[i].negated) continue;
        level += group_score(&q->group[i], s, false, false) > 0;
        level += group_score(&q->group[i], s, true, false) > 0;
    }
    return level;
}

uint8_t match_degree(const struct query *q, const struct sighting *s) {
    unsigned degree = 0;
    for (unsigned i = 0; i < q->n_groups; i++) {
        if (q->group[i].negated || q->group[i].optional) continue;
        unsigned score = group_score(&q->group[i], s, q->group[i].sure, q->group[i].only);
        if (degree == 0 || score < degree) degree = score;
    }
    if (degree == 0) degree = s->confidence;
    return (uint8_t)(degree < 1 ? 1 : degree > 100 ? 100 : degree);
}

bool match_period(const struct query *q, int64_t start_ms) {
    for (unsigned i = 0; i < q->n_periods; i++)
        if (start_ms >= q->period[i].from_ms && start_ms < q->period[i].to_ms) return true;
    return q->n_periods == 0;
}

bool match_duration(const struct query *q, int64_t duration_ms) {
    if (q->min_duration_ms && duration_ms < q->min_duration_ms) return false;
    return !q->max_duration_ms || duration_ms <= q->max_duration_ms;
}

struct point {
    int64_t x, y;
};

static int64_t turn(struct point a, struct point b, struct point c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
static bool between(int64_t a, int64_t b, int64_t v) {
    return a < b ? v >= a && v <= b : v >= b && v <= a;
}
static bool on_line(struct point a, struct point b, struct point p) {
    return turn(a, b, p) == 0 && between(a.x, b.x, p.x) && between(a.y, b.y, p.y);
}
static bool lines_cross(struct point a, struct point b, struct point c, struct point d) {
    if (on_line(a, b, c) || on_line(a, b, d) || on_line(c, d, a) || on_line(c, d, b)) return true;
    return (turn(a, b, c) > 0) != (turn(a, b, d) > 0) && (turn(c, d, a) > 0) != (turn(c, d, b) > 0);
}

static struct point corner(const struct query *q, unsigned i) {
    return (struct point){q->area[i % q->n_area].x, q->area[i % q->n_area].y};
}

static bool inside(const struct query *q, struct point p) {
    bool in = false;
    for (unsigned i = 0; i < q->n_area; i++) {
        struct point a = corner(q, i), b = corner(q, i + 1);
        if (on_line(a, b, p)) return true;
        if ((a.y > p.y) == (b.y > p.y)) continue;
        /* x of the edge at p.y, compared without dividing */
        int64_t side = (b.x - a.x) * (p.y - a.y) - (p.x - a.x) * (b.y - a.y);
        if ((side > 0) == (b.y > a.y)) in = !in;
    }
    return in;
}

static struct point foot(const struct box_norm *b) {
    return (struct point){((int64_t)b->x0 + b->x1) / 2, b->y1};
}

bool match_area(const struct query *q, const struct sighting *s) {
    for (unsigned i = 0; i < s->n_path; i++) {
        struct point p = foot(&s->path[i].box);
        if (inside(q, p)) return true;
        if (i == 0) continue;
        struct point before = foot(&s->path[i - 1].box);
        for (unsigned k = 0; k < q->n_area; k++)
            if (lines_cross(before, p, corner(q, k), corner(q, k + 1))) return true;
    }
    return false;
}

bool match_sighting(const struct query *q, const struct sighting *s) {
    if (q->n_cameras) {
        bool found = false;
        for (unsigned i = 0; i < q->n_cameras && !found; i++) found = q->cameras[i] == s->camera_number;
        if (!found) return false;
    }
    if (!match_period(q, s->start_ms) || !match_duration(q, s->end_ms - s->start_ms)) return false;
    if (q->direction != QUERY_ANY_WAY && !(record_directions(s) & 1u << q->direction)) return false;
    if (q->n_area && !match_area(q, s)) return false;
    return match_groups(q, s);
}
