/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h - per recording: how much of it the gate kept from a full look, and what it would have missed of the
 * sample that is always looked at fully (host/media/gate.h). The certificate of coverage quotes it; the next
 * recording of the camera begins as wide as this one ended. Threads: as the writer or reader given. */
#ifndef HOST_INDEX_GATE_H
#define HOST_INDEX_GATE_H

#include "host/index/index.h"

struct gate_row {
    uint64_t recording_id;
    uint16_t camera_number;
    unsigned width;             /* host/media/gate.h; 0 = the gate has opened for good */
    int64_t open_us, closed_us; /* of footage; of closed stretches one key frame per group was looked at */
    uint32_t n_groups, n_open, n_by_packets;
    uint32_t n_sample,
        n_found; /* passages that began in the sample; of those, what the gate would have let in */
};

/* Makes the table where an older version did not; forgets recordings that were purged. Once per writer. */
MUST_CHECK enum err index_gate_prepare(struct index_writer *w);
/* In the open transaction; replaces the recording's row. */
MUST_CHECK enum err index_gate_set(struct index_writer *w, const struct gate_row *row);
/* ERR_MISSING: it was never gated. */
MUST_CHECK enum err index_gate_get(struct index_writer *w, uint64_t recording_id, struct gate_row *out);
/* The camera's last width, with the counts of all its recordings at that width. ERR_MISSING: none yet. */
MUST_CHECK enum err index_gate_camera(struct index_writer *w, uint16_t camera_number, struct gate_row *out);

/* Sums over the recordings that touch the perimeter's period, one row per camera, by camera; recordings that
 * were not gated do not count. The array is the caller's. */
MUST_CHECK enum err index_gate_sums(struct index_reader *r, const struct perimeter *p, struct gate_row **out,
                                    size_t *n);

#endif
