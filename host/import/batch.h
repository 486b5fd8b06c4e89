/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - what a folder of recordings is, before anything of it is imported: which files, which camera and
 * when, taken from what was asked, a sidecar file, names, folders, the container and the file before, in this
 * order; gaps, overlaps, twins, and whether the disk has room. It proposes; a person confirms.
 *
 *   batch_new() -> batch_add() for each path -> batch_look() ... done() -> batch_files(), batch_json() ->
 * batch_free()
 *
 * Threads: that of the event_base. Files are opened by decode workers alone (host/media/decoder.h), sidecars
 * of at most BATCH_SIDECAR_MAX_BYTES by us. */
#ifndef HOST_IMPORT_BATCH_H
#define HOST_IMPORT_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "host/base/err.h"
#include "host/base/zone.h"
#include "host/case/register.h"

#define BATCH_FILES_MAX         50000u
#define BATCH_SIDECAR_MAX_BYTES (256u << 10)

struct event_base;
struct batch;

enum batch_from {
    BATCH_UNKNOWN,
    BATCH_ASKED,
    BATCH_SIDECAR,
    BATCH_NAME,
    BATCH_FOLDER,
    BATCH_CONTAINER,
    BATCH_PREVIOUS
};
const char *batch_from_name(enum batch_from f); /* "sidecar"; "" = unknown */

struct batch_file {
    char path[1024];
    uint64_t n_bytes;
    int64_t modified_ms;
    const struct camera *camera; /* borrowed; NULL = unknown */
    enum batch_from camera_from, start_from;
    int64_t start_ms, end_ms; /* UTC, the camera's clock offset applied; -1 = unknown */
    int64_t duration_us;      /* 0 = unknown */
    char container[32];
    const char *scheme; /* of naming.h, static */
    const char *doubt;  /* "", "dst", "growing" */
    char problem[256];  /* why it cannot be imported; "" = it can */
    unsigned twin; /* index + 1 of an earlier file with the same size and the same begin and end; 0 = none */
    char edges_sha256[65];
};

struct batch_config {
    const char *decode_exe;
    const char *dir;              /* data directory, for the free space */
    const char *zone;             /* of the recorders' clocks */
    const struct camera *cameras; /* those that may be meant; borrowed until batch_free() */
    unsigned n_cameras;
    const struct camera *camera; /* asked for; NULL = to be found out */
    int64_t start_ms;            /* asked for, of the first file; -1 = to be found out */
    double x_realtime;           /* how fast this machine was last; 0 = unknown, then no time is promised */
};

/* ERR_USAGE: no such zone. */
MUST_CHECK enum err batch_new(struct event_base *base, const struct batch_config *cfg, struct batch **out);
/* A file, or a folder with all that lies in it. What is no recording by its ending (texts, pictures, indexes)
 * is left out. ERR_MISSING, ERR_FULL (more than BATCH_FILES_MAX), ERR_NOMEM. */
MUST_CHECK enum err batch_add(struct batch *b, const char *path);
/* Probes all, then proposes; `done` once, never inside. */
typedef void batch_done_fn(struct batch *b, void *arg);
MUST_CHECK enum err batch_look(struct batch *b, batch_done_fn *done, void *arg);
/* By camera and start, the unknown ones last. Borrowed. */
const struct batch_file *batch_files(const struct batch *b, unsigned *n);
/* The plan as host/http/API.md has it; paths without `root` in front (may be ""). A new reference. */
json_t *batch_json(const struct batch *b, const char *root);
/* What an index of that much footage may take at most; what must be free before it begins. */
uint64_t batch_need_bytes(const struct batch *b);
uint64_t batch_free_bytes(const struct batch *b);
void batch_free(struct batch **b);

#endif
