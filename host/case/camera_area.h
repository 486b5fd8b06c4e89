/* SPDX-License-Identifier: Apache-2.0 */
/* camera_area.h - parts of a camera's picture that may not be shown (dwellings, CSI L252-3): polygons, hidden
 * in every masked copy. Threads: as the register handle. Ownership: lists are the caller's to free(). */
#ifndef HOST_CASE_CAMERA_AREA_H
#define HOST_CASE_CAMERA_AREA_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define CAMERA_AREA_CORNERS_MAX 16u
#define CAMERA_AREAS_MAX        64u

struct camera_area {
    uint16_t camera_number;
    char name[64]; /* "Immeuble A", unique within the camera */
    unsigned n;    /* corners, 3 or more */
    uint16_t x[CAMERA_AREA_CORNERS_MAX], y[CAMERA_AREA_CORNERS_MAX]; /* 1/65536 of the picture */
};

/* Adds it, or puts it in the place of the one of that name. ERR_USAGE: name, corners; ERR_FULL: 64 there are.
 */
MUST_CHECK enum err camera_area_set(struct register_db *r, const struct camera_area *a);
/* ERR_MISSING */
MUST_CHECK enum err camera_area_remove(struct register_db *r, uint16_t camera_number, const char *name);
MUST_CHECK enum err camera_area_list(struct register_db *r, uint16_t camera_number, struct camera_area **out,
                                     unsigned *n);

#endif
