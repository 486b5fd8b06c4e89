/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/plate_vote.h"

#include <math.h>
#include <string.h>

#define ALTERNATIVE_MIN 0.02f /* a share below this is noise, not a second guess */
#define WEIGHT_MAX      1e6f

void plate_votes_add(struct plate_votes *v, const struct plate_guess *g, float weight) {
    unsigned at = v->n;
    if (g->n_chars == 0 || !(weight > 0.0f)) return;
    if (v->n == PLATE_VOTES_MAX) {
        at = 0;
        for (unsigned i = 1; i < v->n; i++)
            if (v->of[i].weight < v->of[at].weight) at = i;
        if (v->of[at].weight >= weight) return;
    } else {
        v->n++;
    }
    struct plate_vote *to = &v->of[at];
    *to = (struct plate_vote){.weight = fminf(weight, WEIGHT_MAX), .n_chars = g->n_chars};
    for (unsigned k = 0; k < g->n_chars; k++)
        for (unsigned a = 0; a < PLATE_ALPHABET; a++)
            to->share[k][a] = (uint8_t)lrintf(255.0f * g->share[k][a]);
}

/* The length that the heaviest readings have together. */
static unsigned length_of(const struct plate_votes *v, float *weight) {
    float sum[PLATE_TEXT_MAX + 1] = {0};
    unsigned best = 0;
    for (unsigned i = 0; i < v->n; i++) sum[v->of[i].n_chars] += v->of[i].weight;
    for (unsigned n = 1; n <= PLATE_TEXT_MAX; n++)
        if (sum[n] > sum[best]) best = n;
    *weight = sum[best];
    return best;
}

/* Best three of one place. */
static float decide_place(const float share[PLATE_ALPHABET], struct plate_read *out, unsigned k) {
    bool done[PLATE_ALPHABET] = {false};
    float first = 0.0f;
    for (unsigned n = 0; n < SIGHTING_ALTERNATIVES_MAX; n++) {
        unsigned best = PLATE_ALPHABET;
        for (unsigned a = 0; a < PLATE_ALPHABET; a++)
            if (!done[a] && (best == PLATE_ALPHABET || share[a] > share[best])) best = a;
        if (n == 0) first = share[best];
        if (n > 0 && share[best] < ALTERNATIVE_MIN) break;
        done[best] = true;
        out->chars[k].c[n] = plate_text_char(best);
        out->chars[k].score[n] = (uint8_t)fminf(fmaxf(roundf(100.0f * share[best]), 1.0f), 100.0f);
    }
    out->text[k] = out->chars[k].c[0];
    return first;
}

bool plate_votes_decide(const struct plate_votes *v, float least, struct plate_read *out) {
    float weight, all = 0.0f, mean = 0.0f, together = 1.0f;
    *out = (struct plate_read){0};
    const unsigned n = length_of(v, &weight);
    if (n == 0) return false;
    for (unsigned i = 0; i < v->n; i++) all += v->of[i].weight;
    for (unsigned k = 0; k < n; k++) {
        float share[PLATE_ALPHABET] = {0}, sum = 0.0f;
        for (unsigned i = 0; i < v->n; i++) {
            if (v->of[i].n_chars != n) continue;
            for (unsigned a = 0; a < PLATE_ALPHABET; a++)
                share[a] += v->of[i].weight * (float)v->of[i].share[k][a];
        }
        for (unsigned a = 0; a < PLATE_ALPHABET; a++) sum += share[a];
        for (unsigned a = 0; a < PLATE_ALPHABET && sum > 0.0f; a++) share[a] /= sum;
        const float first = decide_place(share, out, k);
        mean += first / (float)n;
        together *= first;
    }
    if (mean < least) {
        *out = (struct plate_read){0};
        return false;
    }
    out->n_chars = (uint8_t)n;
    /* All characters right, and the readings of another length wrong. */
    out->confidence = (uint8_t)fminf(fmaxf(roundf(100.0f * together * weight / all), 1.0f), 100.0f);
    strncpy(out->country, plate_text_country(out->text), sizeof out->country - 1);
    return true;
}

/* ---- save and load ---- */

void plate_votes_save(const struct plate_votes *v, struct bytes *out) {
    bytes_put_u8(out, (uint8_t)v->n);
    for (unsigned i = 0; i < v->n; i++) {
        bytes_put_f32(out, v->of[i].weight);
        bytes_put_u8(out, v->of[i].n_chars);
        bytes_put(out, v->of[i].share, (size_t)v->of[i].n_chars * PLATE_ALPHABET);
    }
}

void plate_votes_load(struct bytes_reader *r, struct plate_votes *v) {
    *v = (struct plate_votes){0};
    const unsigned n = bytes_get_u8(r);
    if (n > PLATE_VOTES_MAX) r->bad = true;
    for (unsigned i = 0; i < n && !r->bad; i++) {
        struct plate_vote *p = &v->of[v->n++];
        p->weight = bytes_get_f32(r);
        p->n_chars = bytes_get_u8(r);
        if (!(p->weight > 0.0f && p->weight <= WEIGHT_MAX) || p->n_chars == 0 ||
            p->n_chars > PLATE_TEXT_MAX) {
            r->bad = true;
            return;
        }
        const uint8_t *share = bytes_get(r, (size_t)p->n_chars * PLATE_ALPHABET);
        if (share) memcpy(p->share, share, (size_t)p->n_chars * PLATE_ALPHABET);
    }
}
