/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/mot.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pipe/assign.h"
#include "host/pipe/track.h"

enum { IDS_MAX = ASSIGN_SIDE_MAX };

struct ids {
    unsigned n;
    uint32_t id[IDS_MAX];
};

struct scoring {
    double iou_min, iou_sum;
    struct mot_score *out;
    struct assigner *assigner;
    struct ids truth_ids, answer_ids;
    int last_pair[IDS_MAX];              /* answer that a truth was paired with last; -1 = never */
    int frame_pair[IDS_MAX];             /* and in the frame before; -1 = not */
    unsigned together[IDS_MAX][IDS_MAX]; /* frames in which truth and answer overlap enough */
    struct assign_pair pairs[IDS_MAX * IDS_MAX];
    int16_t match[IDS_MAX];
};

static int index_of(struct ids *s, uint32_t id) {
    for (unsigned i = 0; i < s->n; i++) {
        if (s->id[i] == id) return (int)i;
    }
    if (s->n == IDS_MAX) return -1;
    s->id[s->n] = id;
    return (int)s->n++;
}

static int by_frame(const void *a, const void *b) {
    const struct mot_box *x = a, *y = b;
    if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

float mot_iou(const struct mot_box *a, const struct mot_box *b) {
    const struct track_box x = {a->x_px, a->y_px, a->w_px, a->h_px}, y = {b->x_px, b->y_px, b->w_px, b->h_px};
    return track_box_iou(&x, &y);
}

/* Boxes t[0..n_t) and a[0..n_a) of one frame. */
static enum err score_frame(struct scoring *s, const struct mot_box *t, unsigned n_t, const struct mot_box *a,
                            unsigned n_a) {
    int t_id[IDS_MAX], a_id[IDS_MAX], pair[IDS_MAX];
    bool a_used[IDS_MAX] = {false};
    if (n_t > IDS_MAX || n_a > IDS_MAX) return ERR_USAGE;
    for (unsigned i = 0; i < n_t; i++) {
        if ((t_id[i] = index_of(&s->truth_ids, t[i].id)) < 0) return ERR_USAGE;
        pair[i] = -1;
    }
    for (unsigned j = 0; j < n_a; j++) {
        if ((a_id[j] = index_of(&s->answer_ids, a[j].id)) < 0) return ERR_USAGE;
    }
    unsigned n_pairs = 0;
    for (unsigned i = 0; i < n_t; i++) {
        for (unsigned j = 0; j < n_a; j++) {
            if ((double)mot_iou(&t[i], &a[j]) < s->iou_min) continue;
            s->together[t_id[i]][a_id[j]]++;
            if (s->frame_pair[t_id[i]] != a_id[j] || a_used[j]) continue;
            pair[i] = (int)j;
            a_used[j] = true;
        }
    }
    for (unsigned i = 0; i < n_t; i++) {
        for (unsigned j = 0; j < n_a && pair[i] < 0; j++) {
            float iou = mot_iou(&t[i], &a[j]);
            if (a_used[j] || (double)iou < s->iou_min) continue;
            s->pairs[n_pairs++] = (struct assign_pair){(uint16_t)i, (uint16_t)j, iou};
        }
    }
    assign_best(s->assigner, s->pairs, n_pairs, n_t, n_a, s->match);
    for (unsigned i = 0; i < IDS_MAX; i++) s->frame_pair[i] = -1;
    for (unsigned i = 0; i < n_t; i++) {
        if (pair[i] < 0) pair[i] = s->match[i];
        if (pair[i] < 0) continue;
        int *last = &s->last_pair[t_id[i]];
        s->out->n_matched++;
        s->out->n_switches += *last >= 0 && *last != a_id[pair[i]];
        *last = a_id[pair[i]];
        s->frame_pair[t_id[i]] = a_id[pair[i]];
        s->iou_sum += (double)mot_iou(&t[i], &a[pair[i]]);
    }
    return OK;
}

static void score_identities(struct scoring *s, struct mot_score *out) {
    unsigned n_pairs = 0;
    for (unsigned i = 0; i < s->truth_ids.n; i++) {
        for (unsigned j = 0; j < s->answer_ids.n; j++) {
            if (s->together[i][j] == 0) continue;
            s->pairs[n_pairs++] = (struct assign_pair){(uint16_t)i, (uint16_t)j, (float)s->together[i][j]};
        }
    }
    assign_best(s->assigner, s->pairs, n_pairs, s->truth_ids.n, s->answer_ids.n, s->match);
    for (unsigned i = 0; i < s->truth_ids.n; i++) {
        if (s->match[i] >= 0) out->n_id_right += s->together[i][s->match[i]];
    }
}

static struct mot_box *sorted_copy(const struct mot_box *b, unsigned n) {
    struct mot_box *c = malloc(n ? n * sizeof *c : 1);
    if (!c) return NULL;
    if (n) memcpy(c, b, n * sizeof *c);
    qsort(c, n, sizeof *c, by_frame);
    return c;
}

enum err mot_score(const struct mot_box *truth, unsigned n_truth, const struct mot_box *answer,
                   unsigned n_answer, double iou_min, struct mot_score *out) {
    enum err e = ERR_NOMEM;
    *out = (struct mot_score){.n_truth = n_truth, .n_answer = n_answer};
    if (n_truth == 0) return ERR_USAGE;
    struct scoring *s = calloc(1, sizeof *s);
    struct mot_box *t = sorted_copy(truth, n_truth), *a = sorted_copy(answer, n_answer);
    if (!s || !t || !a || assigner_new(&s->assigner) != OK) goto done;
    for (unsigned i = 0; i < IDS_MAX; i++) s->last_pair[i] = s->frame_pair[i] = -1;
    s->iou_min = iou_min;
    s->out = out;
    e = OK;
    for (unsigned i = 0, j = 0; e == OK && (i < n_truth || j < n_answer);) {
        uint32_t frame = i < n_truth && (j >= n_answer || t[i].frame <= a[j].frame) ? t[i].frame : a[j].frame;
        unsigned i_end = i, j_end = j;
        while (i_end < n_truth && t[i_end].frame == frame) i_end++;
        while (j_end < n_answer && a[j_end].frame == frame) j_end++;
        e = score_frame(s, t + i, i_end - i, a + j, j_end - j);
        i = i_end;
        j = j_end;
    }
    if (e != OK) goto done;
    score_identities(s, out);
    out->n_missed = n_truth - out->n_matched;
    out->n_false = n_answer - out->n_matched;
    out->n_truth_ids = s->truth_ids.n;
    out->n_answer_ids = s->answer_ids.n;
    out->mota = 1.0 - (double)(out->n_missed + out->n_false + out->n_switches) / (double)n_truth;
    out->idf1 = 2.0 * (double)out->n_id_right / (double)(n_truth + n_answer);
    out->iou_mean = out->n_matched ? s->iou_sum / (double)out->n_matched : 0.0;
done:
    if (s) assigner_free(&s->assigner);
    free(s);
    free(t);
    free(a);
    return e;
}

enum err mot_read(const char *path, struct mot_box **boxes, unsigned *n) {
    *boxes = NULL;
    *n = 0;
    FILE *f = fopen(path, "r");
    if (!f) return ERR_MISSING;
    char line[256];
    unsigned cap = 0;
    enum err e = OK;
    while (fgets(line, sizeof line, f)) {
        struct mot_box b;
        if (sscanf(line, "%u,%u,%f,%f,%f,%f", &b.frame, &b.id, &b.x_px, &b.y_px, &b.w_px, &b.h_px) != 6) {
            e = ERR_CORRUPT;
            break;
        }
        if (*n == cap) {
            cap = cap ? 2 * cap : 1024;
            struct mot_box *more = realloc(*boxes, cap * sizeof *more);
            if (!more) {
                e = ERR_NOMEM;
                break;
            }
            *boxes = more;
        }
        (*boxes)[(*n)++] = b;
    }
    (void)fclose(f);
    if (e != OK) {
        free(*boxes);
        *boxes = NULL;
        *n = 0;
    }
    return e;
}
