/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/thumbnail.h"

#define ASKED_MAX    12u    /* crops per track, however long it lives */
#define ASK_EVERY_US 400000 /* votes of one moment are one vote */
#define ASK_AGAIN_US 1000000
#define BETTER       1.25f /* a crop that may replace a vote is this much better */

void look_fini(struct look *k) {
    free(k->jpeg);
    *k = (struct look){0};
}

/* How far the box at b is from where a straight way from a to c would put it. */
static float bend(const struct look_point *a, const struct look_point *b, const struct look_point *c) {
    float t = c->pts_us > a->pts_us ? (float)(b->pts_us - a->pts_us) / (float)(c->pts_us - a->pts_us) : 0.5f;
    float dx0 = (float)b->box.x0 - ((float)a->box.x0 + t * (float)(c->box.x0 - a->box.x0));
    float dy0 = (float)b->box.y0 - ((float)a->box.y0 + t * (float)(c->box.y0 - a->box.y0));
    float dx1 = (float)b->box.x1 - ((float)a->box.x1 + t * (float)(c->box.x1 - a->box.x1));
    float dy1 = (float)b->box.y1 - ((float)a->box.y1 + t * (float)(c->box.y1 - a->box.y1));
    return (dx0 * dx0 + dx1 * dx1 + dy0 * dy0 + dy1 * dy1) * (float)(c->pts_us - a->pts_us);
}

void look_add_point(struct look *k, int64_t pts_us, const struct box_norm *box) {
    if (k->n_path == SIGHTING_PATH_MAX) {
        unsigned least = 1;
        float least_bend = INFINITY;
        for (unsigned i = 1; i + 1 < k->n_path; i++) {
            float d = bend(&k->path[i - 1], &k->path[i], &k->path[i + 1]);
            if (d < least_bend) {
                least_bend = d;
                least = i;
            }
        }
        memmove(&k->path[least], &k->path[least + 1], (k->n_path - least - 1) * sizeof k->path[0]);
        k->n_path--;
    }
    k->path[k->n_path++] = (struct look_point){.pts_us = pts_us, .box = *box};
}

bool look_is_cut(const struct track_box *b, float frame_w_px, float frame_h_px) {
    float edge = 2.0f;
    return b->x_px < edge || b->y_px < edge || b->x_px + b->w_px > frame_w_px - edge ||
           b->y_px + b->h_px > frame_h_px - edge;
}

float look_quality(const struct track *t, float frame_w_px, float frame_h_px) {
    float side = fmaxf(t->seen.w_px, t->seen.h_px);
    float q = t->seen_score * side / (side + 80.0f);
    q *= 1.0f - 0.8f * t->cover;
    if (look_is_cut(&t->seen, frame_w_px, frame_h_px)) q *= 0.4f;
    return q;
}

bool look_wants_vote(const struct look *k, float quality, int64_t pts_us) {
    if (k->n_asked >= ASKED_MAX) return false;
    if (k->n_asked == 0) return true;
    if (k->n_votes < LOOK_VOTES_MAX) return pts_us - k->asked_us >= ASK_EVERY_US;
    float worst = k->votes[0].quality;
    for (unsigned i = 1; i < k->n_votes; i++) worst = fminf(worst, k->votes[i].quality);
    return quality > BETTER * worst && pts_us - k->asked_us >= ASK_AGAIN_US;
}

void look_add_vote(struct look *k, const struct look_vote *v) {
    if (k->n_votes < LOOK_VOTES_MAX) {
        k->votes[k->n_votes++] = *v;
        return;
    }
    unsigned worst = 0;
    for (unsigned i = 1; i < k->n_votes; i++) {
        if (k->votes[i].quality < k->votes[worst].quality) worst = i;
    }
    if (k->votes[worst].quality < v->quality) k->votes[worst] = *v;
}

bool look_mean(const struct look *k, unsigned part, struct colour_shares *out) {
    float sum = 0.0f;
    *out = (struct colour_shares){0};
    for (unsigned i = 0; i < k->n_votes; i++) {
        const struct look_vote *v = &k->votes[i];
        float weight = v->quality * v->quality;
        sum += weight;
        for (unsigned c = 0; c < COLOUR_NAMES; c++) out->of[c] += weight * v->part[part].of[c];
    }
    if (!(sum > 0.0f)) return false;
    for (unsigned c = 0; c < COLOUR_NAMES; c++) out->of[c] /= sum;
    return true;
}

void look_add_answer(struct look *k, unsigned net, float quality, const int8_t *out, unsigned n_bytes) {
    struct look_answers *a = &k->answers[net];
    unsigned at = a->n;
    if (a->n == LOOK_VOTES_MAX) {
        at = 0;
        for (unsigned i = 1; i < a->n; i++) {
            if (a->of[i].quality < a->of[at].quality) at = i;
        }
        if (a->of[at].quality >= quality) return;
    } else {
        a->n++;
    }
    a->n_bytes = n_bytes;
    a->of[at].quality = quality;
    memcpy(a->of[at].out, out, n_bytes);
}

bool look_shares(const struct look *k, unsigned net, const struct look_net *n, float *shares) {
    const struct look_answers *a = &k->answers[net];
    float sums[LOOK_NET_LABELS_MAX] = {0}, sum = 0.0f;
    if (a->n == 0 || a->n_bytes != n->n_labels) return false;
    for (unsigned i = 0; i < a->n; i++) {
        float weight = a->of[i].quality * a->of[i].quality;
        look_net_add(n, a->of[i].out, weight, sums);
        sum += weight;
    }
    if (!(sum > 0.0f)) return false;
    look_net_shares(n, sums, sum, shares);
    return true;
}

void look_add_hint(struct look *k, uint16_t id) {
    for (unsigned i = 0; i < k->n_hints; i++) {
        if (k->hints[i].id != id) continue;
        k->hints[i].n_seen++;
        return;
    }
    if (k->n_hints < LOOK_HINTS_MAX) k->hints[k->n_hints++] = (struct look_hint){id, 1};
}

/* ---- save and load ---- */

static void put_norm(struct bytes *out, const struct box_norm *b) {
    bytes_put_u16(out, b->x0);
    bytes_put_u16(out, b->y0);
    bytes_put_u16(out, b->x1);
    bytes_put_u16(out, b->y1);
}

static struct box_norm get_norm(struct bytes_reader *r) {
    struct box_norm b;
    b.x0 = bytes_get_u16(r);
    b.y0 = bytes_get_u16(r);
    b.x1 = bytes_get_u16(r);
    b.y1 = bytes_get_u16(r);
    if (b.x1 < b.x0 || b.y1 < b.y0) r->bad = true;
    return b;
}

void look_save(const struct look *k, struct bytes *out) {
    bytes_put_u8(out, (uint8_t)k->n_path);
    for (unsigned i = 0; i < k->n_path; i++) {
        bytes_put_u64(out, (uint64_t)k->path[i].pts_us);
        put_norm(out, &k->path[i].box);
    }
    bytes_put_f32(out, k->best_quality);
    bytes_put_u64(out, (uint64_t)k->best_pts_us);
    put_norm(out, &k->best_box);
    bytes_put_block(out, k->jpeg, k->jpeg_bytes);
    bytes_put_u8(out, (uint8_t)k->n_asked);
    bytes_put_u64(out, (uint64_t)k->asked_us);
    bytes_put_u8(out, (uint8_t)k->n_votes);
    for (unsigned i = 0; i < k->n_votes; i++) {
        bytes_put_f32(out, k->votes[i].quality);
        for (unsigned p = 0; p < 2; p++) {
            for (unsigned c = 0; c < COLOUR_NAMES; c++) bytes_put_f32(out, k->votes[i].part[p].of[c]);
        }
    }
    bytes_put_u8(out, (uint8_t)k->n_hints);
    for (unsigned i = 0; i < k->n_hints; i++) {
        bytes_put_u16(out, k->hints[i].id);
        bytes_put_u32(out, k->hints[i].n_seen);
    }
    bytes_put_u8(out, k->has_likeness);
    bytes_put_f32(out, k->likeness_quality);
    bytes_put(out, k->likeness, sizeof k->likeness);
    plate_votes_save(&k->plates, out);
    for (unsigned i = 0; i < LOOK_NETS_MAX; i++) {
        const struct look_answers *a = &k->answers[i];
        bytes_put_u8(out, (uint8_t)a->n);
        bytes_put_u16(out, (uint16_t)a->n_bytes);
        for (unsigned v = 0; v < a->n; v++) {
            bytes_put_f32(out, a->of[v].quality);
            bytes_put(out, a->of[v].out, a->n_bytes);
        }
    }
}

static float get_number(struct bytes_reader *r, float most) {
    float v = bytes_get_f32(r);
    if (!(v >= 0.0f && v <= most)) {
        r->bad = true;
        return 0.0f;
    }
    return v;
}

static int64_t get_pts(struct bytes_reader *r) {
    uint64_t v = bytes_get_u64(r);
    if (v > INT64_MAX) {
        r->bad = true;
        return 0;
    }
    return (int64_t)v;
}

static unsigned get_most(struct bytes_reader *r, unsigned most) {
    unsigned v = bytes_get_u8(r);
    if (v > most) {
        r->bad = true;
        return 0;
    }
    return v;
}

static void load_answers(struct bytes_reader *r, struct look_answers *a) {
    a->n = get_most(r, LOOK_VOTES_MAX);
    a->n_bytes = bytes_get_u16(r);
    if (a->n_bytes > LOOK_NET_LABELS_MAX) r->bad = true;
    for (unsigned i = 0; i < a->n && !r->bad; i++) {
        a->of[i].quality = get_number(r, 2.0f);
        const uint8_t *out = bytes_get(r, a->n_bytes);
        if (out) memcpy(a->of[i].out, out, a->n_bytes);
    }
}

enum err look_load(struct bytes_reader *r, unsigned version, struct look *k) {
    *k = (struct look){0};
    k->n_path = get_most(r, SIGHTING_PATH_MAX);
    for (unsigned i = 0; i < k->n_path; i++) {
        k->path[i].pts_us = get_pts(r);
        k->path[i].box = get_norm(r);
        if (i > 0 && k->path[i].pts_us <= k->path[i - 1].pts_us) r->bad = true;
    }
    k->best_quality = get_number(r, 2.0f);
    k->best_pts_us = get_pts(r);
    k->best_box = get_norm(r);
    uint32_t n = 0;
    const uint8_t *jpeg = bytes_get_block(r, &n);
    if (n > THUMBNAIL_BYTES_MAX) r->bad = true;
    if (r->bad) return OK;
    if (n > 0) {
        k->jpeg = malloc(n);
        if (!k->jpeg) return ERR_NOMEM;
        memcpy(k->jpeg, jpeg, n);
        k->jpeg_bytes = n;
    }
    k->n_asked = get_most(r, ASKED_MAX);
    k->asked_us = get_pts(r);
    k->n_votes = get_most(r, LOOK_VOTES_MAX);
    for (unsigned i = 0; i < k->n_votes; i++) {
        k->votes[i].quality = get_number(r, 2.0f);
        for (unsigned p = 0; p < 2; p++) {
            for (unsigned c = 0; c < COLOUR_NAMES; c++) k->votes[i].part[p].of[c] = get_number(r, 1.01f);
        }
    }
    k->n_hints = get_most(r, LOOK_HINTS_MAX);
    for (unsigned i = 0; i < k->n_hints; i++) {
        k->hints[i].id = bytes_get_u16(r);
        k->hints[i].n_seen = bytes_get_u32(r);
        if (k->hints[i].id == 0 || k->hints[i].id > VOCAB_MAX) r->bad = true;
    }
    k->has_likeness = (uint8_t)get_most(r, 1);
    k->likeness_quality = get_number(r, 2.0f);
    const uint8_t *likeness = bytes_get(r, sizeof k->likeness);
    if (likeness) memcpy(k->likeness, likeness, sizeof k->likeness);
    if (version >= LOOK_WITH_PLATES) plate_votes_load(r, &k->plates);
    for (unsigned i = 0; i < LOOK_NETS_MAX && version >= LOOK_WITH_ANSWERS && !r->bad; i++)
        load_answers(r, &k->answers[i]);
    return OK;
}
