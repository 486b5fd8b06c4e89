/* SPDX-License-Identifier: Apache-2.0 */
/* sealer.h - builds the folders of approved seals, one after the other, on a thread of its own
 * (ctx.build_seal). What a server that ended left in the state "building" is built at the next start.
 * Threads: the loop's. */
#ifndef HOST_HTTP_SEALER_H
#define HOST_HTTP_SEALER_H

#include <stdint.h>

#include "host/base/err.h"

struct http_server;
struct sealer;

/* Needs ctx.build_seal of the server. */
MUST_CHECK enum err sealer_new(struct http_server *s, struct sealer **out);
/* Never blocks. When it is done, the case's streams are told. ERR_BUSY: too many wait; the next start takes
 * it up. */
MUST_CHECK enum err sealer_add(struct sealer *k, uint64_t seal_id, const char *case_id);
/* Breaks off what is being built. */
void sealer_free(struct sealer **k);

#endif
