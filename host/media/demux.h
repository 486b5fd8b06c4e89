/* SPDX-License-Identifier: Apache-2.0 */
/* demux.h - the packets of a recording's one video stream, read from an open descriptor and from nothing
 * else. Only demux.c, decode.c and encode.c know FFmpeg; this header names its types without including it.
 * Ticks are units of the stream's time base; microseconds count from the recording's first video frame.
 * Threads: one. On failure functions that take a `struct wire_failed` say in it what a person should read. */
#ifndef HOST_MEDIA_DEMUX_H
#define HOST_MEDIA_DEMUX_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/proc/wire.h"

struct AVFormatContext;
struct AVPacket;
struct AVStream;
struct demux;

/* Largest picture side that is taken for a picture and not for an attack. */
#define DEMUX_SIDE_MAX_PX 16384

/* Called before every read of the file, so that a long search for a packet still answers pings. */
typedef void demux_idle_fn(void *arg);

/* `fd`: a regular file, borrowed until demux_close(). Refuses playlists, pictures, texts and whatever would
 * make FFmpeg look at a second file. Picks the largest video stream that is not a cover picture. */
MUST_CHECK enum err demux_open(int fd, demux_idle_fn *idle, void *arg, struct demux **out,
                               struct wire_failed *f);
void demux_close(struct demux **d);

const struct AVStream *demux_stream(const struct demux *d); /* borrowed; changes with demux_seek_us() */
const struct AVFormatContext *demux_format(const struct demux *d);

/* The next video packet, times corrected: a clock that jumps back goes on from where it was. ERR_EOF at the
 * end; ERR_IO (failed read, file changed); ERR_CORRUPT: nothing readable here, ask again; ERR_NOMEM. */
MUST_CHECK enum err demux_read(struct demux *d, struct AVPacket *pkt);
/* How often the clock jumped back so far. */
unsigned demux_n_jumps(const struct demux *d);
int64_t demux_jump_ticks(const struct demux *d); /* corrected time of the first packet after the last jump */
uint64_t demux_n_bytes(const struct demux *d);   /* of video packets read */
/* True when the container gives no times at all: frames are then counted. */
bool demux_is_untimed(const struct demux *d);

/* The tick that is 0 us. Set once, by who decoded the first frame. */
void demux_set_zero(struct demux *d, int64_t ticks);
int64_t demux_us_of(const struct demux *d, int64_t ticks);
int64_t demux_frame_ticks(const struct demux *d); /* of one frame at the stated rate, at least 1 */
int64_t demux_ticks_of(const struct demux *d, int64_t us);

/* Makes the next packet a key frame shown at or before `us`, or the first of the file. By the container's
 * index where that is reliable, else by reading from the start, so that times come out the same as in one
 * pass. */
MUST_CHECK enum err demux_seek_us(struct demux *d, int64_t us, struct wire_failed *f);

/* Duration of the video as the container states it, in us; 0 = not stated or a mere guess. */
int64_t demux_duration_us(const struct demux *d);
/* The same where it is certain that the video, and not another stream, lasts that long. */
int64_t demux_video_duration_us(const struct demux *d);
/* Clockwise quarter turns (0..3) that show the picture upright, and whether it is mirrored first. */
void demux_orientation(const struct demux *d, unsigned *quarter_turns, bool *mirrored);
/* Container, codec, counts and metadata; not the picture size. */
void demux_describe(const struct demux *d, struct wire_probed *p);

/* Fills *f: header, why, position, text. */
void demux_fail(struct wire_failed *f, enum wire_fail why, int64_t position_us, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Printable ASCII and UTF-8 only, terminated: what metadata hold goes no further as it is. */
void demux_clean_text(char *out, size_t cap, const char *in);

#endif
