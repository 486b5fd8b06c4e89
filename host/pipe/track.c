/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/track.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/assign.h"

/* Lengths below are in the object's own size ("size"): the height of a person, the root of the area of
 * others. */
static const struct motion {
    float speed_start; /* spread of the speed of a new track, sizes per second */
    float accel;       /* spread of the change of speed, sizes per second per root second */
    float grow;        /* the same for width and height */
    float noise;       /* spread of a sure detection's centre, sizes */
    float noise_size;  /* and of its width and height */
    float reach;       /* round three: sizes bridged per second .. */
    float reach_max;   /* .. and at most */
} motion_of[TRACK_GROUPS] = {
    [TRACK_PERSON] = {.speed_start = 1.1f,
                      .accel = 0.5f,
                      .grow = 0.10f,
                      .noise = 0.08f,
                      .noise_size = 0.15f,
                      .reach = 0.8f,
                      .reach_max = 1.0f},
    [TRACK_TWO_WHEELER] = {.speed_start = 3.0f,
                           .accel = 1.5f,
                           .grow = 0.3f,
                           .noise = 0.05f,
                           .noise_size = 0.08f,
                           .reach = 8.0f,
                           .reach_max = 2.5f},
    [TRACK_VEHICLE] = {.speed_start = 4.0f,
                       .accel = 2.0f,
                       .grow = 0.4f,
                       .noise = 0.05f,
                       .noise_size = 0.08f,
                       .reach = 10.0f,
                       .reach_max = 3.0f},
};

#define STEP_S_MAX    5.0f
#define SAME_IOU      0.65f /* two boxes of a group in one frame: the same object */
#define SAME_INSIDE   0.85f /* or a low one inside the other: a part of it */
#define PART_H        0.70f
#define MERGED_INSIDE 0.60f /* a box that holds two surer ones this far is a blend of them */
#define FIRST_IOU     0.10f /* least overlap, rounds one and two */
#define SECOND_IOU    0.50f
#define SECOND_LOST_S 1.3f  /* a doubtful detection continues only a track seen this lately */
#define LOST_S        2.8f  /* looked for this long */
#define LOST_YOUNG_S  0.3f  /* with fewer than YOUNG_SEEN detections */
#define LOST_BORDER_S 0.5f  /* when it was leaving the picture */
#define LOST_STILL_S  30.0f /* a parked vehicle that something stands in front of */
#define YOUNG_SEEN    3u
#define STILL_SPREAD  0.10f /* sizes: a track whose centre has no larger standard deviation stood still */
#define GATE          3.0f  /* standard deviations, round three */
#define REACH_BASE    0.50f /* sizes: what round three bridges at once */
#define BIRTH_IOU     0.35f /* a doubtful box this close to a track seen now begins none */
#define BIRTH_SURE    0.66f
#define REAL_SEEN     3u
#define REAL_S        0.3f
#define REAL_SUM      1.5f
#define REAL_BEST     0.55f
#define FALSE_MEAN    0.53f /* a still track below this never was what it was called */
#define FALSE_SPOT    0.65f /* the same where false boxes stood before */
#define SPOTS_MAX     64u
#define SPOT_IOU      0.5f
#define VERSION       1u

/* A place where false boxes stand: learnt from tracks that never moved and never were sure. */
struct spot {
    struct track_box box;
    uint8_t group;
    float weight; /* seconds that false tracks stood there */
};

struct tracker {
    struct track_config cfg;
    struct assigner *assigner;
    bool begun;
    int64_t last_us;
    float frame_w_px, frame_h_px;
    uint32_t next_number;
    struct track tracks[TRACKS_MAX];
    struct spot spots[SPOTS_MAX];
    unsigned n_spots;
    /* Working memory of a step. */
    struct track_obs obs[TRACK_OBS_MAX];
    bool obs_used[TRACK_OBS_MAX];
    unsigned n_obs;
    struct assign_pair pairs[TRACKS_MAX * TRACK_OBS_MAX];
    int16_t match[TRACKS_MAX];
};

/* ---- boxes ---- */

static float overlap_area(const struct track_box *a, const struct track_box *b) {
    float w = fminf(a->x_px + a->w_px, b->x_px + b->w_px) - fmaxf(a->x_px, b->x_px);
    float h = fminf(a->y_px + a->h_px, b->y_px + b->h_px) - fmaxf(a->y_px, b->y_px);
    return w > 0.0f && h > 0.0f ? w * h : 0.0f;
}

float track_box_iou(const struct track_box *a, const struct track_box *b) {
    float both = overlap_area(a, b);
    if (both <= 0.0f) return 0.0f;
    return both / (a->w_px * a->h_px + b->w_px * b->h_px - both);
}

float track_box_cover(const struct track_box *a, const struct track_box *b) {
    float own = a->w_px * a->h_px;
    return own > 0.0f ? overlap_area(a, b) / own : 0.0f;
}

static float size_of(uint8_t group, const struct track_box *b) {
    return group == TRACK_PERSON ? b->h_px : sqrtf(b->w_px * b->h_px);
}

struct track_box track_box_of(const struct track *k) {
    float w = fmaxf(k->axis[2].x, 1.0f), h = fmaxf(k->axis[3].x, 1.0f);
    return (struct track_box){k->axis[0].x - w / 2.0f, k->axis[1].x - h / 2.0f, w, h};
}

static float track_size(const struct track *k) {
    struct track_box b = track_box_of(k);
    return size_of(k->group, &b);
}

/* ---- the filter ---- */

static void axis_start(struct track_axis *a, float x, float spread, float speed_spread) {
    *a = (struct track_axis){.x = x, .p_xx = spread * spread, .p_vv = speed_spread * speed_spread};
}

/* Constant velocity with white noise of strength q on the acceleration. */
static void axis_predict(struct track_axis *a, float dt, float q) {
    a->x += a->v * dt;
    a->p_xx += dt * (2.0f * a->p_xv + dt * a->p_vv) + q * dt * dt * dt / 3.0f;
    a->p_xv += dt * a->p_vv + q * dt * dt / 2.0f;
    a->p_vv += q * dt;
}

static void axis_correct(struct track_axis *a, float z, float spread) {
    float s = a->p_xx + spread * spread;
    float k_x = a->p_xx / s, k_v = a->p_xv / s, d = z - a->x;
    a->x += k_x * d;
    a->v += k_v * d;
    a->p_vv = fmaxf(a->p_vv - k_v * a->p_xv, 0.0f);
    a->p_xv *= 1.0f - k_x;
    a->p_xx *= 1.0f - k_x;
}

static void track_predict(struct track *k, float dt) {
    const struct motion *m = &motion_of[k->group];
    float size = track_size(k);
    float q = m->accel * size, g = m->grow * size;
    axis_predict(&k->axis[0], dt, q * q);
    axis_predict(&k->axis[1], dt, q * q);
    axis_predict(&k->axis[2], dt, g * g);
    axis_predict(&k->axis[3], dt, g * g);
    /* A size that ran away while nothing was seen would swallow its neighbours. */
    if (!k->seen_now) k->axis[2].v = k->axis[3].v = 0.0f;
    k->axis[2].x = fmaxf(k->axis[2].x, 2.0f);
    k->axis[3].x = fmaxf(k->axis[3].x, 2.0f);
}

static void track_correct(struct track *k, const struct track_obs *o) {
    const struct motion *m = &motion_of[k->group];
    float size = size_of(o->group, &o->box);
    float doubt = 1.5f - o->score; /* a doubtful box is also a badly placed one */
    float r = m->noise * size * doubt, r_size = m->noise_size * size * doubt;
    axis_correct(&k->axis[0], o->box.x_px + o->box.w_px / 2.0f, r);
    axis_correct(&k->axis[1], o->box.y_px + o->box.h_px / 2.0f, r);
    axis_correct(&k->axis[2], o->box.w_px, r_size);
    axis_correct(&k->axis[3], o->box.h_px, r_size);
}

/* ---- a track's record ---- */

static void track_note(struct track *k, const struct track_obs *o, int64_t pts_us) {
    k->seen = o->box;
    k->seen_score = o->score;
    k->seen_now = true;
    k->last_us = pts_us;
    k->n_seen++;
    k->score_sum += o->score;
    k->score_best = fmaxf(k->score_best, o->score);
    k->kind_votes[o->kind] += o->score;
    k->size_sum_px += size_of(o->group, &o->box);
    float dx = k->axis[0].x - k->x_first_px, dy = k->axis[1].x - k->y_first_px;
    k->dx_sum += dx;
    k->dy_sum += dy;
    k->dd_sum += dx * dx + dy * dy;
}

static bool spot_known(const struct tracker *t, const struct track_obs *o) {
    for (unsigned i = 0; i < t->n_spots; i++) {
        if (t->spots[i].group == o->group && track_box_iou(&t->spots[i].box, &o->box) >= SPOT_IOU)
            return true;
    }
    return false;
}

static void track_start(struct tracker *t, const struct track_obs *o, int64_t pts_us) {
    struct track *k = NULL;
    for (unsigned i = 0; i < TRACKS_MAX && !k; i++) {
        if (t->tracks[i].state == TRACK_FREE) k = &t->tracks[i];
    }
    if (!k) return; /* more objects than any street holds; the rest waits for room */
    const struct motion *m = &motion_of[o->group];
    float size = size_of(o->group, &o->box);
    *k = (struct track){
        .number = t->next_number++, .state = TRACK_ALIVE, .group = o->group, .first_us = pts_us};
    float cx = o->box.x_px + o->box.w_px / 2.0f, cy = o->box.y_px + o->box.h_px / 2.0f;
    axis_start(&k->axis[0], cx, 2.0f * m->noise * size, m->speed_start * size);
    axis_start(&k->axis[1], cy, 2.0f * m->noise * size, m->speed_start * size);
    axis_start(&k->axis[2], o->box.w_px, 2.0f * m->noise_size * size, m->grow * size);
    axis_start(&k->axis[3], o->box.h_px, 2.0f * m->noise_size * size, m->grow * size);
    k->x_first_px = cx;
    k->y_first_px = cy;
    k->static_spot = spot_known(t, o);
    track_note(k, o, pts_us);
}

bool track_is_still(const struct track *k) {
    if (k->n_seen == 0) return true;
    float n = (float)k->n_seen, size = k->size_sum_px / n;
    float mx = k->dx_sum / n, my = k->dy_sum / n;
    return k->dd_sum / n - mx * mx - my * my < STILL_SPREAD * STILL_SPREAD * size * size;
}

/* Stood still, and never looked surely like what it was called. */
static bool track_is_false(const struct track *k) {
    if (!track_is_still(k)) return false;
    float need = k->static_spot ? FALSE_SPOT : FALSE_MEAN;
    return k->score_sum / (float)k->n_seen < need && k->score_best < need + 0.12f;
}

bool track_is_real(const struct track *k) {
    if (k->n_seen < REAL_SEEN && k->score_sum / (float)k->n_seen < 0.6f) return false;
    if (k->n_seen < 2 || (float)(k->last_us - k->first_us) / 1e6f < REAL_S || k->score_sum < REAL_SUM)
        return false;
    return !track_is_false(k);
}

/* ---- the frame's observations ---- */

static bool obs_is_sound(const struct track_obs *o) {
    return o->group < TRACK_GROUPS && o->kind < TRACK_KINDS_MAX && o->score > 0.0f && o->score <= 1.0f &&
           fabsf(o->box.x_px) < 65536.0f && fabsf(o->box.y_px) < 65536.0f && o->box.w_px >= 1.0f &&
           o->box.w_px < 65536.0f && o->box.h_px >= 1.0f && o->box.h_px < 65536.0f;
}

/* The detector suppresses doubles per class only; the same car as "car" and "truck" meets here. */
static bool obs_is_double(const struct tracker *t, const struct track_obs *o) {
    unsigned n_inside = 0;
    for (unsigned i = 0; i < t->n_obs; i++) {
        const struct track_obs *kept = &t->obs[i];
        if (kept->group != o->group) continue;
        if (track_box_iou(&kept->box, &o->box) > SAME_IOU) return true;
        if (o->box.h_px < PART_H * kept->box.h_px && track_box_cover(&o->box, &kept->box) > SAME_INSIDE)
            return true;
        n_inside += track_box_cover(&kept->box, &o->box) > MERGED_INSIDE;
    }
    return n_inside >= 2;
}

static void take_observations(struct tracker *t, const struct track_obs *obs, unsigned n_obs) {
    uint16_t order[TRACK_OBS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < n_obs && n < TRACK_OBS_MAX; i++) {
        if (!obs_is_sound(&obs[i]) || obs[i].score < t->cfg.keep) continue;
        unsigned at = n++; /* best first; equal scores keep their order */
        while (at > 0 && obs[order[at - 1]].score < obs[i].score) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint16_t)i;
    }
    t->n_obs = 0;
    for (unsigned i = 0; i < n; i++) {
        if (obs_is_double(t, &obs[order[i]])) continue;
        t->obs_used[t->n_obs] = false;
        t->obs[t->n_obs++] = obs[order[i]];
    }
}

/* ---- association ---- */

static void match_obs(struct tracker *t, unsigned n_pairs, int64_t pts_us) {
    assign_best(t->assigner, t->pairs, n_pairs, TRACKS_MAX, t->n_obs, t->match);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t->match[i] < 0) continue;
        struct track *k = &t->tracks[i];
        const struct track_obs *o = &t->obs[t->match[i]];
        t->obs_used[t->match[i]] = true;
        track_correct(k, o);
        track_note(k, o, pts_us);
    }
}

static void put_pair(struct tracker *t, unsigned *n, unsigned slot, unsigned obs, float gain) {
    t->pairs[(*n)++] = (struct assign_pair){.row = (uint16_t)slot, .col = (uint16_t)obs, .gain = gain};
}

static bool is_open(const struct track *k) {
    return k->state == TRACK_ALIVE && !k->seen_now;
}

static float lost_s(const struct track *k, int64_t pts_us) {
    return (float)(pts_us - k->last_us) / 1e6f;
}

/* Rounds one and two: overlap with where the track should be. */
static void match_by_overlap(struct tracker *t, int64_t pts_us, bool sure) {
    unsigned n = 0;
    float least = sure ? FIRST_IOU : SECOND_IOU;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        const struct track *k = &t->tracks[i];
        if (!is_open(k) || (!sure && lost_s(k, pts_us) > SECOND_LOST_S)) continue;
        struct track_box box = track_box_of(k);
        for (unsigned j = 0; j < t->n_obs; j++) {
            const struct track_obs *o = &t->obs[j];
            if (t->obs_used[j] || o->group != k->group || (o->score >= t->cfg.start) != sure) continue;
            float iou = track_box_iou(&box, &o->box);
            if (iou >= least) put_pair(t, &n, i, j, iou);
        }
    }
    match_obs(t, n, pts_us);
}

/* Round three: by distance against what the filter holds possible. Catches fast objects at low frame rates
 * and objects that come out from behind something. */
static void match_by_distance(struct tracker *t, int64_t pts_us) {
    unsigned n = 0;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        const struct track *k = &t->tracks[i];
        if (!is_open(k)) continue;
        const struct motion *m = &motion_of[k->group];
        struct track_box box = track_box_of(k);
        float size = size_of(k->group, &box);
        float reach = size * (REACH_BASE + fminf(m->reach * lost_s(k, pts_us), m->reach_max));
        for (unsigned j = 0; j < t->n_obs; j++) {
            const struct track_obs *o = &t->obs[j];
            if (t->obs_used[j] || o->group != k->group || o->score < t->cfg.start) continue;
            float ratio = size_of(o->group, &o->box) / size;
            if (ratio < 0.6f || ratio > 1.65f) continue;
            float dx = o->box.x_px + o->box.w_px / 2.0f - k->axis[0].x;
            float dy = o->box.y_px + o->box.h_px / 2.0f - k->axis[1].x;
            if (dx * dx + dy * dy > reach * reach) continue;
            float r = m->noise * size;
            float far = sqrtf(dx * dx / (k->axis[0].p_xx + r * r) + dy * dy / (k->axis[1].p_xx + r * r));
            if (far < GATE) put_pair(t, &n, i, j, 1.0f - far / (GATE + 0.01f));
        }
    }
    match_obs(t, n, pts_us);
}

/* ---- ends ---- */

static void spot_learn(struct tracker *t, const struct track *k) {
    float seconds = (float)(k->last_us - k->first_us) / 1e6f + 0.1f;
    struct track_box box = k->seen;
    unsigned least = 0;
    for (unsigned i = 0; i < t->n_spots; i++) {
        struct spot *s = &t->spots[i];
        if (s->group == k->group && track_box_iou(&s->box, &box) >= SPOT_IOU) {
            s->weight += seconds;
            return;
        }
        if (s->weight < t->spots[least].weight) least = i;
    }
    unsigned at = t->n_spots < SPOTS_MAX ? t->n_spots++ : least;
    t->spots[at] = (struct spot){.box = box, .group = k->group, .weight = seconds};
}

static void track_finish(struct tracker *t, struct track *k) {
    k->state = TRACK_ENDED;
    k->seen_now = false;
    if (track_is_false(k)) spot_learn(t, k);
}

static float patience_s(const struct tracker *t, const struct track *k) {
    struct track_box b = track_box_of(k);
    float cx = b.x_px + b.w_px / 2.0f, cy = b.y_px + b.h_px / 2.0f;
    if (cx < 0.0f || cy < 0.0f || cx > t->frame_w_px || cy > t->frame_h_px) return LOST_BORDER_S;
    if (k->n_seen < YOUNG_SEEN) return LOST_YOUNG_S;
    if (k->group == TRACK_VEHICLE && track_is_still(k) && k->last_us - k->first_us > 5000000)
        return LOST_STILL_S;
    return LOST_S;
}

/* Beside a track seen now, a box that is not quite sure is more likely its double than a second object. */
static bool may_begin(const struct tracker *t, const struct track_obs *o) {
    if (o->score < t->cfg.start) return false;
    if (o->score >= BIRTH_SURE) return true;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        const struct track *k = &t->tracks[i];
        if (k->state != TRACK_ALIVE || !k->seen_now || k->group != o->group) continue;
        if (track_box_iou(&k->seen, &o->box) > BIRTH_IOU) return false;
    }
    return true;
}

/* The box whose lower edge is lower in the picture belongs to the nearer object. One behind is seen beside
 * and above, and troubles the picture half as much. */
static void note_cover(struct tracker *t) {
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        struct track *k = &t->tracks[i];
        k->cover = 0.0f;
        if (k->state != TRACK_ALIVE || !k->seen_now) continue;
        for (unsigned j = 0; j < t->n_obs; j++) {
            const struct track_box *b = &t->obs[j].box;
            if (b->x_px == k->seen.x_px && b->y_px == k->seen.y_px && b->h_px == k->seen.h_px) continue;
            float cover = track_box_cover(&k->seen, b);
            bool is_nearer = b->y_px + b->h_px > k->seen.y_px + k->seen.h_px;
            k->cover = fmaxf(k->cover, is_nearer ? cover : 0.5f * cover);
        }
    }
}

void tracker_step(struct tracker *t, int64_t pts_us, float frame_w_px, float frame_h_px,
                  const struct track_obs *obs, unsigned n_obs) {
    float dt = t->begun ? (float)(pts_us - t->last_us) / 1e6f : 0.0f;
    dt = fminf(fmaxf(dt, 0.0f), STEP_S_MAX);
    t->begun = true;
    t->last_us = pts_us;
    t->frame_w_px = frame_w_px;
    t->frame_h_px = frame_h_px;
    take_observations(t, obs, n_obs);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        struct track *k = &t->tracks[i];
        if (k->state != TRACK_ALIVE) continue;
        track_predict(k, dt);
        k->seen_now = false;
    }
    match_by_overlap(t, pts_us, true);
    match_by_overlap(t, pts_us, false);
    match_by_distance(t, pts_us);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        struct track *k = &t->tracks[i];
        if (is_open(k) && lost_s(k, pts_us) > patience_s(t, k)) track_finish(t, k);
    }
    for (unsigned j = 0; j < t->n_obs; j++) {
        if (!t->obs_used[j] && may_begin(t, &t->obs[j])) track_start(t, &t->obs[j], pts_us);
    }
    note_cover(t);
}

void tracker_end(struct tracker *t) {
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t->tracks[i].state == TRACK_ALIVE) track_finish(t, &t->tracks[i]);
    }
    t->begun = false;
}

const struct track *tracker_slots(const struct tracker *t) {
    return t->tracks;
}

void tracker_release(struct tracker *t, unsigned slot) {
    t->tracks[slot] = (struct track){0};
}

/* ---- life, save and load ---- */

enum err tracker_new(const struct track_config *cfg, struct tracker **out) {
    *out = NULL;
    if (!(cfg->keep > 0.0f) || !(cfg->start >= cfg->keep) || !(cfg->start <= 1.0f)) return ERR_USAGE;
    struct tracker *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    if (assigner_new(&t->assigner) != OK) {
        free(t);
        return ERR_NOMEM;
    }
    t->cfg = *cfg;
    t->next_number = 1;
    *out = t;
    return OK;
}

void tracker_free(struct tracker **t) {
    if (!t || !*t) return;
    assigner_free(&(*t)->assigner);
    free(*t);
    *t = NULL;
}

static void put_box(struct bytes *out, const struct track_box *b) {
    bytes_put_f32(out, b->x_px);
    bytes_put_f32(out, b->y_px);
    bytes_put_f32(out, b->w_px);
    bytes_put_f32(out, b->h_px);
}

static void put_track(struct bytes *out, const struct track *k) {
    bytes_put_u32(out, k->number);
    bytes_put_u8(out, k->state);
    bytes_put_u8(out, k->group);
    bytes_put_u8(out, k->seen_now);
    bytes_put_u8(out, k->static_spot);
    for (unsigned i = 0; i < 4; i++) {
        bytes_put_f32(out, k->axis[i].x);
        bytes_put_f32(out, k->axis[i].v);
        bytes_put_f32(out, k->axis[i].p_xx);
        bytes_put_f32(out, k->axis[i].p_xv);
        bytes_put_f32(out, k->axis[i].p_vv);
    }
    put_box(out, &k->seen);
    bytes_put_f32(out, k->seen_score);
    bytes_put_u64(out, (uint64_t)k->first_us);
    bytes_put_u64(out, (uint64_t)k->last_us);
    bytes_put_u32(out, k->n_seen);
    bytes_put_f32(out, k->score_sum);
    bytes_put_f32(out, k->score_best);
    for (unsigned i = 0; i < TRACK_KINDS_MAX; i++) bytes_put_f32(out, k->kind_votes[i]);
    bytes_put_f32(out, k->x_first_px);
    bytes_put_f32(out, k->y_first_px);
    bytes_put_f32(out, k->dx_sum);
    bytes_put_f32(out, k->dy_sum);
    bytes_put_f32(out, k->dd_sum);
    bytes_put_f32(out, k->size_sum_px);
    bytes_put_f32(out, k->cover);
}

void tracker_save(const struct tracker *t, struct bytes *out) {
    bytes_put_u8(out, VERSION);
    bytes_put_u8(out, t->begun);
    bytes_put_u64(out, (uint64_t)t->last_us);
    bytes_put_f32(out, t->frame_w_px);
    bytes_put_f32(out, t->frame_h_px);
    bytes_put_u32(out, t->next_number);
    unsigned n = 0;
    for (unsigned i = 0; i < TRACKS_MAX; i++) n += t->tracks[i].state != TRACK_FREE;
    bytes_put_u16(out, (uint16_t)n);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t->tracks[i].state == TRACK_FREE) continue;
        bytes_put_u16(out, (uint16_t)i);
        put_track(out, &t->tracks[i]);
    }
    bytes_put_u16(out, (uint16_t)t->n_spots);
    for (unsigned i = 0; i < t->n_spots; i++) {
        put_box(out, &t->spots[i].box);
        bytes_put_u8(out, t->spots[i].group);
        bytes_put_f32(out, t->spots[i].weight);
    }
}

/* A finite number within +-limit; anything else spoils the reader. */
static float get_number(struct bytes_reader *r, float least, float most) {
    float v = bytes_get_f32(r);
    if (!(v >= least && v <= most)) {
        r->bad = true;
        return 0.0f;
    }
    return v;
}

static uint8_t get_below(struct bytes_reader *r, unsigned end) {
    uint8_t v = bytes_get_u8(r);
    if (v >= end) r->bad = true;
    return v;
}

static struct track_box get_box(struct bytes_reader *r) {
    struct track_box b;
    b.x_px = get_number(r, -1e6f, 1e6f);
    b.y_px = get_number(r, -1e6f, 1e6f);
    b.w_px = get_number(r, 0.0f, 1e6f);
    b.h_px = get_number(r, 0.0f, 1e6f);
    return b;
}

static void get_track(struct bytes_reader *r, struct track *k) {
    const float far = 1e9f, any = 1e18f;
    k->number = bytes_get_u32(r);
    k->state = get_below(r, TRACK_ENDED + 1u);
    k->group = get_below(r, TRACK_GROUPS);
    k->seen_now = get_below(r, 2) != 0;
    k->static_spot = get_below(r, 2) != 0;
    for (unsigned i = 0; i < 4; i++) {
        k->axis[i].x = get_number(r, -far, far);
        k->axis[i].v = get_number(r, -far, far);
        k->axis[i].p_xx = get_number(r, 0.0f, any);
        k->axis[i].p_xv = get_number(r, -any, any);
        k->axis[i].p_vv = get_number(r, 0.0f, any);
    }
    k->seen = get_box(r);
    k->seen_score = get_number(r, 0.0f, 1.0f);
    k->first_us = (int64_t)bytes_get_u64(r);
    k->last_us = (int64_t)bytes_get_u64(r);
    k->n_seen = bytes_get_u32(r);
    k->score_sum = get_number(r, 0.0f, any);
    k->score_best = get_number(r, 0.0f, 1.0f);
    for (unsigned i = 0; i < TRACK_KINDS_MAX; i++) k->kind_votes[i] = get_number(r, 0.0f, any);
    k->x_first_px = get_number(r, -far, far);
    k->y_first_px = get_number(r, -far, far);
    k->dx_sum = get_number(r, -any, any);
    k->dy_sum = get_number(r, -any, any);
    k->dd_sum = get_number(r, 0.0f, any);
    k->size_sum_px = get_number(r, 0.0f, any);
    k->cover = get_number(r, 0.0f, 1.1f);
    if (k->state == TRACK_FREE || k->number == 0 || k->n_seen == 0 || k->first_us < 0 ||
        k->last_us < k->first_us)
        r->bad = true;
}

enum err tracker_load(const struct track_config *cfg, struct bytes_reader *r, struct tracker **out) {
    struct tracker *t = NULL;
    enum err e = tracker_new(cfg, &t);
    *out = NULL;
    if (e != OK) return e;
    if (bytes_get_u8(r) != VERSION) r->bad = true;
    t->begun = get_below(r, 2) != 0;
    t->last_us = (int64_t)bytes_get_u64(r);
    if (t->last_us < 0) r->bad = true;
    t->frame_w_px = get_number(r, 0.0f, 1e6f);
    t->frame_h_px = get_number(r, 0.0f, 1e6f);
    t->next_number = bytes_get_u32(r);
    unsigned n = bytes_get_u16(r);
    for (unsigned i = 0; i < n && !r->bad; i++) {
        unsigned slot = bytes_get_u16(r);
        if (slot >= TRACKS_MAX || t->tracks[slot].state != TRACK_FREE) {
            r->bad = true;
            break;
        }
        get_track(r, &t->tracks[slot]);
        if (t->tracks[slot].number >= t->next_number || t->tracks[slot].last_us > t->last_us) r->bad = true;
    }
    unsigned n_spots = bytes_get_u16(r);
    if (n_spots > SPOTS_MAX) r->bad = true;
    for (unsigned i = 0; i < n_spots && !r->bad; i++) {
        t->spots[i].box = get_box(r);
        t->spots[i].group = get_below(r, TRACK_GROUPS);
        t->spots[i].weight = get_number(r, 0.0f, 1e18f);
        t->n_spots = i + 1;
    }
    if (r->bad) {
        tracker_free(&t);
        return ERR_CORRUPT;
    }
    *out = t;
    return OK;
}
