/* SPDX-License-Identifier: Apache-2.0 */
/* encode_output.h - the container file that a decode worker writes, over a descriptor and nothing else.
 * Internal to host/media/encode*.c. Threads: one. Functions with a `struct wire_failed` say in it what went
 * wrong. */
#ifndef HOST_MEDIA_ENCODE_OUTPUT_H
#define HOST_MEDIA_ENCODE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/media/demux.h"

struct AVIOContext;

/* Zeroed but for fd, idle and arg; output_close() also after a failure. */
struct output {
    int fd;
    int64_t pos;
    bool failed;
    struct AVFormatContext *fmt;
    struct AVIOContext *io;
    struct AVStream *st;
    demux_idle_fn *idle;
    void *arg;
};

enum err encode_no_memory(struct wire_failed *f, int64_t at_us);
/* `format`: "mp4" or "matroska"; makes o->st, whose parameters the caller fills. */
MUST_CHECK enum err output_open(struct output *o, const char *format, int64_t at_us, struct wire_failed *f);
MUST_CHECK enum err output_begin(struct output *o, int64_t at_us, struct wire_failed *f);
/* What a call of the muxer meant. */
MUST_CHECK enum err output_result(struct output *o, int rc, int64_t at_us, struct wire_failed *f);
void output_close(struct output *o);

#endif
