/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h - keeps a directory of made files (clips, stills) below a size: those not asked for longest go
 * first. What was asked for last is told by the access time, so the modification time stays what it was: the
 * ETag of a file in play is made from it. Threads: the caller's; one at a time per directory. */
#ifndef HOST_MEDIA_CACHE_H
#define HOST_MEDIA_CACHE_H

#include <stdint.h>

#include "host/base/err.h"

/* Bytes of the regular files in it. */
MUST_CHECK enum err cache_bytes(int dir_fd, uint64_t *out);
/* `name` was asked for just now. */
void cache_touch(int dir_fd, const char *name);
/* Removes the files not asked for longest, each with its NAME.start, until at most `keep_bytes` are left;
 * never the one called `spare` (NULL = none). *left: what is there then. */
MUST_CHECK enum err cache_trim(int dir_fd, uint64_t keep_bytes, const char *spare, uint64_t *left);

#endif
