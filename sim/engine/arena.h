/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - places for buffers of known life in one block of memory, so that what is dead makes room.
 * Threads: any, on own data. */
#ifndef SIM_ENGINE_ARENA_H
#define SIM_ENGINE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

struct span {
    size_t bytes;     /* at most SIZE_MAX / 4, a multiple of the alignment wanted */
    int32_t from, to; /* alive in all of these moments */
    size_t offset;    /* filled */
};

/* Fills every offset; spans that live at one moment do not overlap. *total is the size of the block.
 * ERR_NOMEM. */
MUST_CHECK enum err arena_place(struct span *spans, size_t n, size_t *total);

#endif
