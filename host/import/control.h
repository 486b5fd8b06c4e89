/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the data directory's Unix socket (DIR/control.sock, mode 0600): how a command hands its work to
 * the running server, so that the index has one writer. One JSON line asks, JSON lines answer:
 *   {"op":"import","case":C,"camera_number":N,"clock_offset_ms":MS,"priority":P,"ungated":B,
 *    "files":[{"path":P,"start_ms":MS[,"camera_number":N,"clock_offset_ms":MS]},...]}
 *     -> import items (item.h) as they change, until every file asked for is over; then the server closes
 *   {"op":"order","action":"pause"|"resume"|"cancel"|"priority","job":N,"case":C,"priority":P}
 *     -> {"n":how many jobs it concerned}; job 0 = all, case optional
 *   {"op":"items"} -> the importer's items, one a line
 *   anything else -> {"error":"..."}
 * Threads: server side on the importer's loop; client side blocks. */
#ifndef HOST_IMPORT_CONTROL_H
#define HOST_IMPORT_CONTROL_H

#include <jansson.h>

#include "host/base/err.h"
#include "host/import/import.h"

#define CONTROL_LINE_MAX_BYTES (16u << 20) /* a month of one-minute files is 44,640 names */

struct event_base;
struct control;

/* ERR_IO when the socket cannot be made. The importer is borrowed. */
MUST_CHECK enum err control_new(struct event_base *base, const char *dir, struct importer *im,
                                struct control **out);
void control_item(struct control *c,
                  const struct import_item *i); /* tell whom it concerns; call on each event */
void control_free(struct control **c);

/* ERR_MISSING: nobody listens. ERR_FULL: the request is longer than CONTROL_LINE_MAX_BYTES. Otherwise each
 * answer line goes to `fn` (borrowed); false ends it early. */
MUST_CHECK enum err control_ask(const char *dir, const json_t *request,
                                bool (*fn)(const json_t *line, void *arg), void *arg);

#endif
