/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/mask_plan.h"

#include <stdlib.h>
#include <string.h>

#include "host/case/camera_area.h"
#include "host/media/mask.h"

#define HOLD_MS  1000       /* hidden that much longer than seen: it was there before it was detected */
#define REACH_MS 21600000LL /* a parked vehicle may have begun its passage that long ago */
#define PAGE     200u

void mask_plan_fini(struct mask_plan *p) {
    free(p->areas);
    free(p->pieces);
    *p = (struct mask_plan){0};
}

static enum err add_areas(struct register_db *r, uint16_t camera, struct mask_plan *p) {
    struct camera_area *list;
    unsigned n;
    enum err e = camera_area_list(r, camera, &list, &n);
    if (e) return e;
    p->areas = calloc(n ? n : 1, sizeof *p->areas);
    if (!p->areas) e = ERR_NOMEM;
    for (unsigned i = 0; i < n && !e; i++) {
        p->areas[i].n = list[i].n;
        memcpy(p->areas[i].x, list[i].x, sizeof list[i].x);
        memcpy(p->areas[i].y, list[i].y, sizeof list[i].y);
    }
    p->mask.areas = p->areas;
    p->mask.n_areas = n;
    free(list);
    return e;
}

static void put_box(uint16_t out[4], const struct box_norm *b) {
    memcpy(out, (const uint16_t[]){b->x0, b->y0, b->x1, b->y1}, 8);
}

static enum err add_piece(struct mask_plan *p, int64_t start_ms, int64_t from_ms, int64_t to_ms,
                          const struct box_norm *a, const struct box_norm *b, bool show) {
    if (to_ms <= from_ms) return OK;
    if (p->mask.n_pieces == MASK_PIECES_MAX) return ERR_FULL;
    if (p->mask.n_pieces == p->cap_pieces) {
        const unsigned cap = p->cap_pieces ? p->cap_pieces * 2 : 256;
        struct wire_mask_piece *more = realloc(p->pieces, cap * sizeof *more);
        if (!more) return ERR_NOMEM;
        p->pieces = more;
        p->cap_pieces = cap;
    }
    struct wire_mask_piece *piece = &p->pieces[p->mask.n_pieces++];
    memset(piece, 0, sizeof *piece);
    piece->from_us = (from_ms - start_ms) * 1000;
    piece->to_us = (to_ms - start_ms) * 1000;
    piece->show = show;
    put_box(piece->from, a);
    put_box(piece->to, b);
    p->mask.pieces = p->pieces;
    return OK;
}

/* From point to point, and a while before and after. */
static enum err add_way(struct mask_plan *p, int64_t start_ms, const struct sighting *s, bool show) {
    const struct path_point *w = s->path;
    if (s->n_path == 0)
        return add_piece(p, start_ms, s->start_ms - HOLD_MS, s->end_ms + HOLD_MS, &s->best_box, &s->best_box,
                         show);
    const struct path_point *last = &w[s->n_path - 1];
    enum err e = add_piece(p, start_ms, w[0].at_ms - HOLD_MS, w[0].at_ms, &w[0].box, &w[0].box, show);
    for (unsigned i = 1; i < s->n_path && !e; i++)
        e = add_piece(p, start_ms, w[i - 1].at_ms, w[i].at_ms, &w[i - 1].box, &w[i].box, show);
    if (!e) e = add_piece(p, start_ms, last->at_ms, last->at_ms + HOLD_MS, &last->box, &last->box, show);
    return e;
}

enum err mask_plan_make(struct register_db *r, struct index_reader *reader, const struct recording *rec,
                        const struct sighting *own, int64_t from_ms, int64_t to_ms, struct mask_plan *out) {
    *out = (struct mask_plan){0};
    enum err e = add_areas(r, rec->camera_number, out);
    if (!e) e = add_way(out, rec->start_ms, own, true);
    /* Not the case's perimeter: whoever began his passage before it is hidden as well. Nothing of it is
     * shown. */
    uint16_t camera = rec->camera_number;
    const struct perimeter all = {
        .from_ms = from_ms - REACH_MS, .to_ms = to_ms + HOLD_MS, .cameras = &camera, .n_cameras = 1};
    struct query q = {.n_periods = 1, .limit = PAGE, .order = QUERY_OLDEST};
    q.period[0].from_ms = all.from_ms;
    q.period[0].to_ms = all.to_ms;
    for (uint64_t total = 1; !e && q.offset < total; q.offset += PAGE) {
        struct index_result found;
        e = index_search(reader, &all, &q, 0, &found);
        if (e) break;
        total = found.total;
        for (unsigned i = 0; i < found.n_hits && !e; i++) {
            const struct sighting *s = &found.hits[i].s;
            if (s->recording_id != rec->id || s->id == own->id || s->end_ms + HOLD_MS < from_ms) continue;
            e = add_way(out, rec->start_ms, s, false);
            out->n_bystanders++;
        }
        index_result_fini(&found);
    }
    if (e) mask_plan_fini(out);
    return e;
}
