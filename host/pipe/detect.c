/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/detect.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "driver/card_abi.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/pipe/detect_manifest.h"

#define MODULE "detect"

/* Boxes considered per frame, the best by score; a crowded street gives some hundreds at the lower limit. */
#define CANDIDATES_MAX 2048u
#define LABELS_MAX     (1u << 16)

/* What one head's int8 values mean, computed once: q has 256 values, so no exponential per cell is needed. */
struct head_tables {
    int16_t least;     /* smallest logit that reaches the lower threshold; 128 = none does */
    float score[256];  /* sigmoid of the logit, by q + 128 */
    float weight[256]; /* exp(-k / 2^fix_point): a bin's weight, k below the largest of its side */
};

struct detector {
    struct detect_manifest m;
    unsigned n_used; /* classes that lead somewhere, by number */
    uint16_t used[DETECT_CLASSES_MAX];
    struct head_tables tables[DETECT_HEADS_MAX];
};

/* ---- open ---- */

static void fill_tables(const struct detect_head *h, float keep, struct head_tables *t) {
    double unit = ldexp(1.0, -h->fix_point);
    t->least = 128;
    for (int q = 127; q >= -128; q--) {
        t->score[q + 128] = (float)(1.0 / (1.0 + exp(-q * unit)));
        if (t->score[q + 128] >= keep) t->least = (int16_t)q;
    }
    for (int k = 0; k < 256; k++) t->weight[k] = (float)exp(-k * unit);
}

static enum err read_beside(const char *dir, const char *name, size_t max_bytes, char **data, size_t *n) {
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, name);
    if (!e) e = fs_read(path, max_bytes, data, n);
    if (e == ERR_MISSING || e == ERR_USAGE) {
        log_error(MODULE, "model=%s file=%s text=\"%s\"", dir, name,
                  e == ERR_MISSING ? "missing" : "too large");
        return e == ERR_MISSING ? ERR_IO : ERR_CORRUPT;
    }
    return e;
}

enum err detector_open(const char *dir, const struct vocab *vocab, struct detector **out) {
    char *json = NULL, *labels = NULL;
    size_t n_json, n_labels;
    *out = NULL;
    struct detector *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    enum err e = read_beside(dir, "model.json", DETECT_JSON_MAX, &json, &n_json);
    if (!e) e = detect_manifest_parse(dir, json, n_json, &d->m);
    if (!e) e = read_beside(dir, d->m.labels_file, LABELS_MAX, &labels, &n_labels);
    if (!e) e = detect_manifest_map(dir, json, n_json, labels, n_labels, vocab, &d->m);
    free(json);
    free(labels);
    if (e) {
        free(d);
        return e;
    }
    for (unsigned c = 0; c < d->m.n_classes; c++)
        if (d->m.classes[c].id) d->used[d->n_used++] = (uint16_t)c;
    for (unsigned i = 0; i < d->m.n_heads; i++)
        fill_tables(&d->m.heads[i], d->m.threshold_keep, &d->tables[i]);
    *out = d;
    return OK;
}

void detector_close(struct detector **d) {
    if (!d || !*d) return;
    free(*d);
    *d = NULL;
}

float detector_threshold_start(const struct detector *d) {
    return d->m.threshold_start;
}

float detector_threshold_keep(const struct detector *d) {
    return d->m.threshold_keep;
}

/* ---- what the card runs ---- */

/* Where each head's tensor starts in the outputs. Every number is compared with the manifest's, so that
 * decoding may rely on them. Returns NULL, or what is wrong. */
static const char *layout_of(const struct detector *d, const struct wire_card_ready *ready,
                             size_t offset[static DETECT_HEADS_MAX], size_t *n_bytes) {
    const struct detect_manifest *m = &d->m;
    unsigned n_found = 0;
    *n_bytes = 0;
    if (ready->input.w != m->input_w_px || ready->input.h != m->input_h_px || ready->input.c != 3)
        return "another input size";
    if (ready->input.fix_point != m->input_fix_point) return "another input fix point";
    if (ready->n_outputs != m->n_heads || ready->n_outputs > WIRE_TENSORS_MAX)
        return "another number of outputs";
    for (unsigned i = 0; i < ready->n_outputs; i++) {
        const struct wire_tensor *t = &ready->outputs[i];
        for (unsigned h = 0; h < m->n_heads; h++) {
            const struct detect_head *head = &m->heads[h];
            if (strncmp(t->name, head->tensor, sizeof t->name) != 0) continue;
            if (t->w != m->input_w_px / head->stride_px || t->h != m->input_h_px / head->stride_px ||
                t->c != m->n_classes + 4 * m->n_bins || t->n_bytes != t->w * t->h * t->c)
                return "another output shape";
            if (t->fix_point != head->fix_point) return "another output fix point";
            offset[h] = *n_bytes;
            n_found++;
        }
        *n_bytes += t->n_bytes;
    }
    /* Names in the manifest are distinct, so as many hits as heads means each was found once. */
    for (unsigned i = 0; i < ready->n_outputs; i++)
        for (unsigned k = 0; k < i; k++)
            if (strncmp(ready->outputs[i].name, ready->outputs[k].name, sizeof ready->outputs[i].name) == 0)
                return "an output named twice";
    return n_found == m->n_heads ? NULL : "other output names";
}

enum err detector_match(const struct detector *d, const struct wire_card_ready *ready) {
    size_t offset[DETECT_HEADS_MAX], n_bytes;
    const char *why = layout_of(d, ready, offset, &n_bytes);
    bool known = false;
    for (unsigned i = 0; i < d->m.n_files; i++)
        known = known || strncmp(ready->model_sha256, d->m.file_sha256[i], 64) == 0;
    if (!why && strncmp(ready->model, d->m.name, sizeof ready->model) != 0) why = "another model";
    if (!why && !known) why = "a file that model.json does not name by hash";
    if (!why) return OK;
    log_error(MODULE, "model=%s text=\"the card runs something else: %s\"", d->m.name, why);
    return ERR_CORRUPT;
}

/* ---- decode ---- */

/* A candidate is one number that sorts by score, then by place: the bits of a positive float order like the
 * float, and the place makes equal scores come out the same way every time. */
typedef uint64_t candidate;

static candidate candidate_of(float score, uint32_t place) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)bits << 32 | (UINT32_MAX - place);
}

static float candidate_score(candidate c) {
    uint32_t bits = (uint32_t)(c >> 32);
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static uint32_t candidate_place(candidate c) {
    return UINT32_MAX - (uint32_t)c;
}

/* The best CANDIDATES_MAX seen: a heap whose root is the worst of them. */
struct best {
    unsigned n;
    candidate c[CANDIDATES_MAX];
};

static void best_sink(struct best *b, unsigned i) {
    for (;;) {
        unsigned child = 2 * i + 1;
        if (child >= b->n) return;
        if (child + 1 < b->n && b->c[child + 1] < b->c[child]) child++;
        if (b->c[i] <= b->c[child]) return;
        candidate t = b->c[i];
        b->c[i] = b->c[child];
        b->c[child] = t;
        i = child;
    }
}

static void best_add(struct best *b, candidate c) {
    if (b->n < CANDIDATES_MAX) {
        unsigned i = b->n++;
        for (; i > 0 && b->c[(i - 1) / 2] > c; i = (i - 1) / 2) b->c[i] = b->c[(i - 1) / 2];
        b->c[i] = c;
    } else if (c > b->c[0]) {
        b->c[0] = c;
        best_sink(b, 0);
    }
}

/* Sorts best first, by emptying the heap into its own tail. */
static void best_sort(struct best *b) {
    unsigned n = b->n;
    while (b->n > 1) {
        candidate worst = b->c[0];
        b->c[0] = b->c[--b->n];
        best_sink(b, 0);
        b->c[b->n] = worst;
    }
    b->n = n;
}

/* Cells of all heads are numbered through, head by head and row by row; place = used class * cells + cell. */
struct cells {
    unsigned first[DETECT_HEADS_MAX + 1];
};

static struct cells cells_of(const struct detect_manifest *m) {
    struct cells c = {.first = {0}};
    for (unsigned h = 0; h < m->n_heads; h++) {
        unsigned s = m->heads[h].stride_px;
        c.first[h + 1] = c.first[h] + (m->input_w_px / s) * (m->input_h_px / s);
    }
    return c;
}

static void collect(const struct detector *d, const int8_t *tensors, const size_t *offset,
                    const struct cells *cells, struct best *best) {
    const struct detect_manifest *m = &d->m;
    const unsigned n_channels = m->n_classes + 4 * m->n_bins, n_cells = cells->first[m->n_heads];
    for (unsigned h = 0; h < m->n_heads; h++) {
        const struct head_tables *t = &d->tables[h];
        const int8_t *q = tensors + offset[h];
        for (unsigned cell = cells->first[h]; cell < cells->first[h + 1]; cell++, q += n_channels) {
            for (unsigned u = 0; u < d->n_used; u++) {
                int logit = q[d->used[u]];
                if (logit >= t->least)
                    best_add(best, candidate_of(t->score[logit + 128], u * n_cells + cell));
            }
        }
    }
}

struct box {
    float x0, y0, x1, y1;
};

/* The expected distance of one side, in cells: softmax over its bins, then their mean. */
static float side_of(const int8_t *bins, size_t n, const float *weight) {
    int most = bins[0];
    float sum = 0, mean = 0;
    for (size_t b = 1; b < n; b++)
        if (bins[b] > most) most = bins[b];
    for (size_t b = 0; b < n; b++) {
        float w = weight[most - bins[b]];
        sum += w;
        mean += w * (float)b;
    }
    return mean / sum;
}

/* In pixels of the input tensor. */
static struct box box_of(const struct detector *d, const int8_t *tensors, const size_t *offset,
                         const struct cells *cells, unsigned cell) {
    const struct detect_manifest *m = &d->m;
    unsigned h = 0;
    while (cell >= cells->first[h + 1]) h++;
    const unsigned s = m->heads[h].stride_px, n_across = m->input_w_px / s, at = cell - cells->first[h];
    const unsigned row = at / n_across, column = at % n_across;
    const float unit = (float)s, *w = d->tables[h].weight;
    const float x = ((float)column + 0.5f) * unit, y = ((float)row + 0.5f) * unit;
    const size_t n = m->n_bins, n_channels = m->n_classes + 4 * n;
    const int8_t *bins = tensors + offset[h] + at * n_channels + m->n_classes;
    return (struct box){
        .x0 = x - unit * side_of(bins, n, w),
        .y0 = y - unit * side_of(bins + n, n, w),
        .x1 = x + unit * side_of(bins + 2 * n, n, w),
        .y1 = y + unit * side_of(bins + 3 * n, n, w),
    };
}

static float box_area(const struct box *b) {
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static bool boxes_are_one(const struct box *a, const struct box *b, float iou_max) {
    float w = fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0), h = fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0);
    if (w <= 0 || h <= 0) return false;
    return w * h > iou_max * (box_area(a) + box_area(b) - w * h);
}

static float clip(float v, float most) {
    return v < 0 ? 0 : v > most ? most : v;
}

/* From the letterboxed input back to the surface; false when nothing of the box lies in the picture. */
static bool place_in_surface(const struct detect_manifest *m, const struct wire_surface *surface,
                             const struct box *b, struct detection *out) {
    const struct card_letterbox l =
        card_letterbox_of(surface->w_px, surface->h_px, m->input_w_px, m->input_h_px);
    const float w = (float)surface->w_px, h = (float)surface->h_px;
    const float sx = w / (float)l.w_px, sy = h / (float)l.h_px;
    const float x0 = clip((b->x0 - (float)l.x_px) * sx, w), x1 = clip((b->x1 - (float)l.x_px) * sx, w);
    const float y0 = clip((b->y0 - (float)l.y_px) * sy, h), y1 = clip((b->y1 - (float)l.y_px) * sy, h);
    out->x_px = x0;
    out->y_px = y0;
    out->w_px = x1 - x0;
    out->h_px = y1 - y0;
    return out->w_px >= 1 && out->h_px >= 1;
}

enum err detect_decode(const struct detector *d, const struct wire_card_ready *ready, const uint8_t *tensors,
                       uint32_t n_bytes, const struct wire_surface *surface, struct detection *out,
                       unsigned *n_out) {
    const struct detect_manifest *m = &d->m;
    size_t offset[DETECT_HEADS_MAX] = {0}, n_expected;
    *n_out = 0;
    if (layout_of(d, ready, offset, &n_expected) || n_bytes != n_expected) return ERR_CORRUPT;
    if (surface->w_px == 0 || surface->h_px == 0) return ERR_CORRUPT;

    const int8_t *q = (const int8_t *)tensors;
    const struct cells cells = cells_of(m);
    const unsigned n_cells = cells.first[m->n_heads];
    struct best best;
    best.n = 0;
    collect(d, q, offset, &cells, &best);
    best_sort(&best);

    struct box kept[DETECTIONS_MAX];
    unsigned kept_class[DETECTIONS_MAX], n_kept = 0;
    for (unsigned i = 0; i < best.n && n_kept < DETECTIONS_MAX; i++) {
        const unsigned u = candidate_place(best.c[i]) / n_cells, cell = candidate_place(best.c[i]) % n_cells;
        const struct box b = box_of(d, q, offset, &cells, cell);
        bool seen = false;
        for (unsigned k = 0; k < n_kept && !seen; k++)
            seen = kept_class[k] == u && boxes_are_one(&kept[k], &b, m->iou_max);
        if (seen) continue;
        struct detection *o = &out[n_kept];
        *o = (struct detection){0};
        if (!place_in_surface(m, surface, &b, o)) continue;
        const struct detect_class *to = &m->classes[d->used[u]];
        o->score = candidate_score(best.c[i]);
        o->class_id = to->id;
        o->is_hint = to->is_hint;
        kept[n_kept] = b;
        kept_class[n_kept++] = u;
    }
    *n_out = n_kept;
    return OK;
}
