/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/item.h"

#include <stdio.h>
#include <string.h>

json_t *import_item_json(const struct import_item *i) {
    return json_pack("{s:I,s:I,s:i,s:s,s:s,s:s,s:i,s:I,s:I,s:I,s:I,s:f,s:I,s:s}", "job", (json_int_t)i->job,
                     "batch", (json_int_t)i->batch, "priority", i->priority, "state",
                     import_state_name(i->state), "file", i->file, "case", i->case_id, "camera_number",
                     (int)i->camera_number, "start_ms", (json_int_t)i->start_ms, "duration_us",
                     (json_int_t)i->duration_us, "position_us", (json_int_t)i->position_us, "sightings",
                     (json_int_t)i->n_sightings, "x_realtime", i->x_realtime, "eta_ms", (json_int_t)i->eta_ms,
                     "error", i->error);
}

bool import_item_of_json(const json_t *o, struct import_item *out) {
    const char *state, *file, *case_id, *error;
    json_int_t job, batch, start_ms, duration_us, position_us, sightings, eta_ms;
    int camera;
    memset(out, 0, sizeof *out);
    /* Our own process wrote it, yet a socket is a socket: every field must be there and of its kind. */
    json_t *copy = json_deep_copy(o);
    const int rc = json_unpack(
        copy, "{s:I,s:I,s:i,s:s,s:s,s:s,s:i,s:I,s:I,s:I,s:I,s:F,s:I,s:s}", "job", &job, "batch", &batch,
        "priority", &out->priority, "state", &state, "file", &file, "case", &case_id, "camera_number",
        &camera, "start_ms", &start_ms, "duration_us", &duration_us, "position_us", &position_us, "sightings",
        &sightings, "x_realtime", &out->x_realtime, "eta_ms", &eta_ms, "error", &error);
    bool known = false;
    if (rc == 0) {
        for (int s = IMPORT_WAITING; s <= IMPORT_CANCELLED && !known; s++) {
            known = strcmp(state, import_state_name((enum import_state)s)) == 0;
            if (known) out->state = (enum import_state)s;
        }
        out->job = (uint64_t)job;
        out->batch = (uint64_t)batch;
        out->camera_number = (uint16_t)camera;
        out->start_ms = start_ms;
        out->duration_us = duration_us;
        out->position_us = position_us;
        out->n_sightings = (uint64_t)sightings;
        out->eta_ms = eta_ms;
        snprintf(out->file, sizeof out->file, "%s", file);
        snprintf(out->case_id, sizeof out->case_id, "%s", case_id);
        snprintf(out->error, sizeof out->error, "%s", error);
    }
    json_decref(copy);
    return known;
}

bool import_item_is_over(const struct import_item *i) {
    return i->state >= IMPORT_DONE;
}
