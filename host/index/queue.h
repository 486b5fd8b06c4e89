/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h - DIR/queue.db: the recordings that were asked for and are not over yet, so that a batch outlives
 * the process that took it. A row goes when its recording is over; one that stays behind after a crash costs
 * a hash, never a second import (index.db decides what is in). Only the holder of the index writer's lock
 * opens it. Threads: one at a time. Changes gather in a transaction until queue_commit(). */
#ifndef HOST_INDEX_QUEUE_H
#define HOST_INDEX_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

struct queue;

struct queue_row {
    uint64_t number, batch; /* of the job; of what was asked for together */
    char path[1024], case_id[40];
    uint16_t camera_number;
    int64_t start_ms; /* UTC, clock offset applied */
    int priority;     /* higher first */
    bool paused;
    bool ungated;
};

/* Makes the file when it is absent. ERR_IO, ERR_FULL, ERR_CORRUPT. */
MUST_CHECK enum err queue_open(const char *dir, struct queue **out);
/* What was not committed is lost. */
void queue_close(struct queue **q);
/* A row of the same path, camera and start is replaced. */
MUST_CHECK enum err queue_add(struct queue *q, const struct queue_row *row);
MUST_CHECK enum err queue_set(struct queue *q, uint64_t number, int priority, bool paused);
MUST_CHECK enum err queue_remove(struct queue *q, uint64_t number);
/* Nothing to do is fine. */
MUST_CHECK enum err queue_commit(struct queue *q);
/* By number; the array is the caller's. */
MUST_CHECK enum err queue_list(struct queue *q, struct queue_row **out, size_t *n);
/* Forgets what a purged case had asked for. OK when there is no queue. */
MUST_CHECK enum err queue_drop_case(const char *dir, const char *case_id);

#endif
