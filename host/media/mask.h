/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h - what a masked copy hides: areas of the camera's picture (dwellings) always, boxes of bystanders
 * while they are there, never inside the box of the object the copy is about. Hidden means one constant grey,
 * so nothing can be had back; and each picture says "COPIE MASQUÉE". Pure but for its memory. Threads: one
 * per struct mask. */
#ifndef HOST_MEDIA_MASK_H
#define HOST_MEDIA_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/proc/wire.h"

#define MASK_AREAS_MAX  64u
#define MASK_PIECES_MAX 32768u
#define MASK_GREY       126u

struct mask {
    struct wire_area areas[MASK_AREAS_MAX];
    unsigned n_areas;
    struct wire_mask_piece *pieces; /* owned */
    unsigned n_pieces, cap_pieces;
    uint8_t *fixed, *map; /* owned; one byte per 2x2 block: under an area; hidden in this picture */
    uint32_t w_px, h_px;  /* what they were made for */
};

/* ERR_FULL: more than there may be. */
MUST_CHECK enum err mask_add_area(struct mask *m, const struct wire_area *a);
MUST_CHECK enum err mask_add_pieces(struct mask *m, const struct wire_mask *pieces);
void mask_fini(struct mask *m);

/* Paints the picture shown at pts_us. ERR_NOMEM. */
MUST_CHECK enum err mask_paint(struct mask *m, uint8_t *nv12, const struct wire_surface *s, int64_t pts_us);
/* Height in pixels of the line with the words, at the top. */
uint32_t mask_banner_height(uint32_t h_px);

#endif
