/* SPDX-License-Identifier: Apache-2.0 */
/* extract.h - stills and clips of recordings as files in a cache directory, made by decode workers.
 * A file appears under its final name only when it is whole and on disk; a failed or killed job leaves
 * nothing. Requests run one after the other; the same key asked for twice is made once. Threads: that of the
 * event_base. Callbacks come from the loop, never from inside the call that asked. */
#ifndef HOST_MEDIA_EXTRACT_H
#define HOST_MEDIA_EXTRACT_H

#include <stdint.h>

#include "host/base/err.h"

#define EXTRACT_KEY_MAX 96u

struct event_base;
struct extract;

struct extract_config {
    const char *exe;     /* path of relecture-decode */
    const char *dir;     /* made with mode 0700 when missing; leftovers of a crash in it are removed */
    unsigned n_waiting;  /* requests that may wait behind the one in work */
    unsigned limit_s;    /* a job that takes longer is ended */
    unsigned clip_max_s; /* longest clip */
    uint64_t max_bytes;  /* of the directory: what was not asked for longest goes first; 0 = no limit */
};

struct extract_result {
    enum err status;
    const char *path; /* of the file when OK, else NULL; borrowed until return */
    /* Where it really begins, since the recording's first frame: the still's frame; for a clip the frame on
     * screen at from_us or, when packets are copied, the key frame before. */
    int64_t first_us;
    const char *text; /* when not OK: English, for a person; borrowed until return */
};
typedef void extract_fn(const struct extract_result *r, void *arg);

/* The strings are copied. ERR_IO when the directory cannot be made or used. */
MUST_CHECK enum err extract_new(struct event_base *base, const struct extract_config *cfg,
                                struct extract **out);

/* `key` names the result: 1..EXTRACT_KEY_MAX of A-Z a-z 0-9 _ -; the same key must always mean the same
 * picture. `path`: the recording. A result that is there already is given at once. ERR_USAGE (key, times),
 * ERR_BUSY (too many wait), ERR_NOMEM; then no callback comes. After OK exactly one comes, unless cancelled
 * or freed before. */
MUST_CHECK enum err extract_clip(struct extract *ex, const char *path, int64_t from_us, int64_t to_us,
                                 const char *key, extract_fn *done, void *arg);
MUST_CHECK enum err extract_still(struct extract *ex, const char *path, int64_t at_us, const char *key,
                                  extract_fn *done, void *arg);
/* No callback with this arg comes any more. What is in work goes on, for the next who asks. */
void extract_cancel(struct extract *ex, void *arg);
void extract_free(struct extract **ex);

/* Erases everything in a cache directory that no extract uses now; what is still allowed is made again when
 * asked for. No directory is OK with 0. ERR_IO. */
MUST_CHECK enum err extract_erase_all(const char *dir, uint64_t *n_files);

#endif
