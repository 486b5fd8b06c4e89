/* SPDX-License-Identifier: Apache-2.0 */
/* thumbnail.h - a small JPEG of a region of an NV12 surface.
 * Threads: one per thumbnailer. */
#ifndef HOST_PIPE_THUMBNAIL_H
#define HOST_PIPE_THUMBNAIL_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/pipe/track.h"
#include "host/proc/wire.h"

#define THUMBNAIL_SIDE_MAX  320u    /* px, long side */
#define THUMBNAIL_BYTES_MAX 131072u /* a record with a larger one is not ours */

struct thumbnailer;
MUST_CHECK enum err thumbnailer_new(struct thumbnailer **out);
void thumbnailer_free(struct thumbnailer **t);

/* The box with a margin, clipped to the surface, made smaller when it is larger than the limit.
 * *jpeg is owned by the caller (free). ERR_USAGE: the box lies outside. ERR_NOMEM. */
MUST_CHECK enum err thumbnailer_make(struct thumbnailer *t, const struct wire_surface *s,
                                     const uint8_t *pixels, const struct track_box *box, uint8_t **jpeg,
                                     size_t *n_bytes);

#endif
