/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/arena.h"

#include <stdlib.h>

#include "host/base/size.h"

static int by_size(const void *a, const void *b) {
    const struct span *const *s = a, *const *t = b;
    if ((*s)->bytes != (*t)->bytes) return (*s)->bytes < (*t)->bytes ? 1 : -1;
    return ((*s)->from > (*t)->from) -
           ((*s)->from < (*t)->from); /* a total order: the same plan everywhere */
}

/* Largest first, each at the lowest place where nothing that lives at the same time lies: `placed` is in
 * order of offset, so one pass finds it. */
enum err arena_place(struct span *spans, size_t n, size_t *total) {
    size_t bytes;
    *total = 0;
    if (!size_mul(n ? n : 1, sizeof(struct span *), &bytes)) return ERR_NOMEM;
    struct span **order = malloc(bytes), **placed = malloc(bytes);
    enum err e = ERR_NOMEM;
    if (!order || !placed) goto done;
    for (size_t i = 0; i < n; i++) order[i] = &spans[i];
    qsort(order, n, sizeof *order, by_size);
    for (size_t i = 0; i < n; i++) {
        struct span *s = order[i];
        size_t at = 0, end;
        for (size_t k = 0; k < i; k++) {
            const struct span *p = placed[k];
            if (p->to < s->from || s->to < p->from) continue;
            if (at + s->bytes <= p->offset) break;
            if (p->offset + p->bytes > at) at = p->offset + p->bytes;
        }
        if (!size_add(at, s->bytes, &end)) goto done;
        s->offset = at;
        if (end > *total) *total = end;
        size_t k = i;
        for (; k > 0 && placed[k - 1]->offset > at; k--) placed[k] = placed[k - 1];
        placed[k] = s;
    }
    e = OK;
done:
    free(order);
    free(placed);
    return e;
}
