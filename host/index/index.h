/* SPDX-License-Identifier: Apache-2.0 */
/* index.h - the only door to the store of sightings (index.db, thumbnails, likeness vectors). Narrow on
 * purpose: a PostgreSQL store can stand behind the same calls later. Design: index.md. One writer per data
 * directory (the import thread); any number of readers, each used by one thread at a time. What the writer
 * commits in one index_commit() is seen whole or not at all: sightings, bitmaps, recording state, coverage
 * and the import position together. */
#ifndef HOST_INDEX_INDEX_H
#define HOST_INDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/index/query.h"
#include "host/pipe/sighting.h"

/* ---- writer ------------------------------------------------------------------------------------------- */
struct index_writer;

/* `dir` is the data directory; creates index.db and thumbs/ when absent. The vocabulary is borrowed.
 * ERR_IO, ERR_FULL, ERR_CORRUPT (not ours, or another version), ERR_BUSY (another writer). */
MUST_CHECK enum err index_writer_open(const char *dir, const struct vocab *vocab, struct index_writer **out);
void index_writer_close(struct index_writer **w);

enum recording_state { RECORDING_WAITING, RECORDING_RUNNING, RECORDING_DONE, RECORDING_FAILED };
struct recording {
    uint64_t id;      /* given by recording_add */
    char sha256[65];  /* of the whole file, hex */
    char case_id[40]; /* who brought it in */
    uint16_t camera_number;
    char path[1024]; /* where the original lies (by reference, or the copy) */
    uint64_t n_bytes;
    int64_t start_ms;    /* UTC of its first frame, clock offset applied */
    int64_t duration_us; /* of the video, as decoded or probed; 0 = unknown */
    uint32_t w_px, h_px, fps_milli;
    char codec[32], container[32];
    enum recording_state state;
    char error[256];     /* FAILED: for a person */
    int64_t position_us; /* analysed up to this pts; -1 = nothing yet */
    int64_t imported_ms; /* when it was brought in */
};

/* All of the following belong to the open transaction, which index_commit() ends (one is opened on demand).
 * On ERR_FULL or ERR_IO the transaction is rolled back and nothing of it remains. */
MUST_CHECK enum err index_recording_add(struct index_writer *w, struct recording *r); /* sets r->id */
MUST_CHECK enum err index_recording_set(struct index_writer *w, const struct recording *r);
/* The scene's record at position_us, replaced by each call; n = 0 erases it. */
MUST_CHECK enum err index_checkpoint_set(struct index_writer *w, uint64_t recording_id, int64_t position_us,
                                         const void *scene, size_t n);
enum coverage_state { COVERAGE_INDEXED, COVERAGE_DAMAGED, COVERAGE_FAILED, COVERAGE_NIGHT };
MUST_CHECK enum err index_coverage_add(struct index_writer *w, uint64_t recording_id, uint16_t camera_number,
                                       int64_t from_ms, int64_t to_ms, enum coverage_state state,
                                       const char *reason);
/* Gives s->id, and moves the corners of its boxes to the grid on which they are kept (1/2047 of the picture). The
 * sighting stays the caller's. */
MUST_CHECK enum err index_sighting_add(struct index_writer *w, struct sighting *s);
MUST_CHECK enum err index_commit(struct index_writer *w);
void index_rollback(struct index_writer *w);

/* Reads through the writer's own connection (sees its open transaction). ERR_MISSING. */
MUST_CHECK enum err index_recording_by_sha256(struct index_writer *w, const char *sha256,
                                              uint16_t camera_number, struct recording *out);
MUST_CHECK enum err index_checkpoint_get(struct index_writer *w, uint64_t recording_id, int64_t *position_us,
                                         void **scene, size_t *n); /* *scene owned by the caller */

/* Erase what was captured before `before_ms` (camera_number < 0 = all cameras), rows, bitmaps, plates,
 * vectors, thumbnails; counts what went. */
struct purge_receipt {
    uint64_t n_sightings, n_thumbnails, n_plates, n_recordings, n_bytes;
};
/* Recordings that must stay with all their sightings (a legal hold); NULL = none. */
struct purge_keep {
    bool (*fn)(const struct recording *r, void *arg);
    void *arg;
};
MUST_CHECK enum err index_purge_before(struct index_writer *w, int camera_number, int64_t before_ms,
                                       const struct purge_keep *keep, struct purge_receipt *out);
MUST_CHECK enum err index_purge_case(struct index_writer *w, const char *case_id,
                                     const struct purge_keep *keep, struct purge_receipt *out);

/* ---- reader ------------------------------------------------------------------------------------------- */
struct index_reader;
/* Opens read-only and reads the bitmap tables once, so that the first query is warm. */
MUST_CHECK enum err index_reader_open(const char *dir, const struct vocab *vocab, struct index_reader **out);
/* Makes the memory of searches by likeness now instead of at the first one: 82 bytes a vehicle, 448 MiB at
 * most. Pointless where the site does not allow them. */
MUST_CHECK enum err index_reader_ready_likeness(struct index_reader *r);
void index_reader_close(struct index_reader **r);

/* What the case allows. Always ANDed in; a search without one is ERR_DENIED, not "everything". */
struct perimeter {
    int64_t from_ms, to_ms;
    const uint16_t *cameras; /* borrowed; at least one */
    unsigned n_cameras;
    bool plates_allowed;
    bool likeness_allowed;
};

#define INDEX_HISTOGRAM_MAX 1024u
struct index_hit {
    struct sighting s;   /* without thumbnail */
    uint8_t match;       /* 1..100 */
    uint8_t plate_slips; /* 0 exact; confusable 1; then distance * 2 */
};
struct coverage_span {
    uint16_t camera_number;
    int64_t from_ms, to_ms;
    enum coverage_state state;
    char reason[64];
};
struct index_result {
    uint64_t total;                               /* exact */
    int64_t histogram_from_ms, histogram_step_ms; /* step: one hour */
    unsigned n_histogram;
    uint32_t histogram[INDEX_HISTOGRAM_MAX]; /* hits per step */
    unsigned n_hits;
    struct index_hit *hits; /* owned */
    uint64_t cpu_us;
};
/* ERR_DENIED (no perimeter, criterion not allowed), ERR_USAGE (impossible query), ERR_TIMEOUT (deadline_ms
 * passed; 0 = none), ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err index_search(struct index_reader *r, const struct perimeter *p, const struct query *q,
                                 unsigned deadline_ms, struct index_result *out);
void index_result_fini(struct index_result *r);

/* Counts per value within a query, for facets: counts[number] for the numbers asked. */
MUST_CHECK enum err index_facets(struct index_reader *r, const struct perimeter *p, const struct query *q,
                                 const uint32_t *numbers, unsigned n, uint64_t *counts);
/* One sighting inside the perimeter; ERR_MISSING when it is not there or not inside. */
MUST_CHECK enum err index_sighting_get(struct index_reader *r, const struct perimeter *p, uint64_t id,
                                       struct sighting *out);
/* Its JPEG, owned by the caller. */
MUST_CHECK enum err index_thumbnail_get(struct index_reader *r, const struct perimeter *p, uint64_t id,
                                        uint8_t **jpeg, size_t *n);
MUST_CHECK enum err index_recording_get(struct index_reader *r, uint64_t id, struct recording *out);
/* The one that shows what this camera saw at that moment; ERR_MISSING when none does, or outside the
 * perimeter. */
MUST_CHECK enum err index_recording_at(struct index_reader *r, const struct perimeter *p,
                                       uint16_t camera_number, int64_t at_ms, struct recording *out);
MUST_CHECK enum err index_recordings(struct index_reader *r, const char *case_id, struct recording **out,
                                     size_t *n); /* array owned by the caller */
/* SHA-256 over every recording: number, hash, camera, begin, state and how far it was analysed. The same value and
 * the same models mean that a search finds the same again. */
MUST_CHECK enum err index_fingerprint(struct index_reader *r, char hex[65]);
/* Spans of the perimeter's cameras and period, clipped, merged, by camera and time; array owned by the
 * caller. */
MUST_CHECK enum err index_coverage(struct index_reader *r, const struct perimeter *p,
                                   struct coverage_span **out, size_t *n);

/* Rebuild every bitmap, column and dictionary from the rows and compare bit by bit. Differences are printed
 * through `report`. ERR_CORRUPT when there is one. */
MUST_CHECK enum err index_check(const char *dir, const struct vocab *vocab,
                                void (*report)(const char *line, void *arg), void *arg, uint64_t *n_rows);

#endif
