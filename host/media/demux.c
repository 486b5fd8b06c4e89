/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/demux.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/intreadwrite.h>

#include "host/base/clock.h"
#include "host/base/log.h"

#define IO_BUFFER_BYTES 262144
/* Decode times go back by less than this in healthy files with careless muxers. */
#define JUMP_BACK_US 1000000
/* What is left of a seek that overshoots: B-frames shift the index by a few frames, rarely by seconds. */
#define SEEK_TRIES 5

struct demux {
    int fd;
    demux_idle_fn *idle;
    void *idle_arg;
    int64_t pos, size;
    struct timespec mtime;
    bool io_failed, changed;

    AVFormatContext *fmt;
    int stream;        /* index */
    AVPacket *pending; /* read while seeking, not handed out yet */
    bool has_pending;

    int64_t zero;
    bool has_zero;
    int64_t offset, last_ts; /* ticks; last_ts corrected */
    unsigned n_jumps;
    int64_t jump_ticks;
    uint64_t n_packets, n_bytes, n_timed;
};

/* ---- texts ----------------------------------------------------------------------------------------------
 */
void demux_clean_text(char *out, size_t cap, const char *in) {
    size_t n = 0;
    for (; in && *in && n + 1 < cap; in++) {
        const unsigned char c = (unsigned char)*in;
        out[n++] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
    }
    out[n] = 0;
}

void demux_fail(struct wire_failed *f, enum wire_fail why, int64_t position_us, const char *fmt, ...) {
    char text[WIRE_TEXT_MAX];
    va_list ap;
    memset(f, 0, sizeof *f);
    wire_begin(f, WIRE_DECODE_FAILED, sizeof *f);
    f->why = why;
    f->position_us = position_us;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    demux_clean_text(f->text, sizeof f->text, text);
}

/* ---- reading the descriptor ------------------------------------------------------------------------------
 */
/* Not fstat(): the C library makes it a call that also takes paths, which the sandbox refuses. */
static int stat_fd(int fd, struct stat *st) {
    return (int)syscall(SYS_fstat, fd, st);
}

static int read_file(void *opaque, uint8_t *buf, int n) {
    struct demux *d = opaque;
    if (d->idle) d->idle(d->idle_arg);
    ssize_t got;
    do got = pread(d->fd, buf, (size_t)n, d->pos);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        log_error("demux", "read failed offset=%lld errno=%d", (long long)d->pos, errno);
        d->io_failed = true;
        return AVERROR(EIO);
    }
    if (got == 0) return AVERROR_EOF;
    d->pos += got;
    return (int)got;
}

static int64_t seek_file(void *opaque, int64_t offset, int whence) {
    struct demux *d = opaque;
    if (whence & AVSEEK_SIZE) return d->size;
    switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        offset += d->pos;
        break;
    case SEEK_END:
        offset += d->size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset < 0) return AVERROR(EINVAL);
    d->pos = offset;
    return offset;
}

/* Whatever a container refers to stays closed: the recording is one file. */
static int refuse_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                       AVDictionary **options) {
    (void)s;
    (void)url;
    (void)flags;
    (void)options;
    *pb = NULL;
    return AVERROR(EACCES);
}

static bool file_changed(struct demux *d) {
    struct stat st;
    if (d->changed || stat_fd(d->fd, &st) != 0) return d->changed;
    d->changed = st.st_size != d->size || st.st_mtim.tv_sec != d->mtime.tv_sec ||
                 st.st_mtim.tv_nsec != d->mtime.tv_nsec;
    return d->changed;
}

/* ---- what we take ----------------------------------------------------------------------------------------
 */
static bool name_is(const char *names, const char *one) {
    return av_match_name(one, names) > 0;
}

/* Why a format that FFmpeg recognises is not a recording; NULL = it may be one. */
static const char *refusal_of(const AVInputFormat *in) {
    static const char *const lists[] = {"hls", "dash", "concat", "imf",  "sdp",          "rtsp",
                                        "rtp", "sap",  "xspf",   "smil", "wtv_playlist", "applehttp"};
    static const char *const texts[] = {"tty", "bin", "adf", "idf", "xbin", "txd", "vobsub", "lrc"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (name_is(in->name, lists[i]))
            return "is a playlist that points to other files, not a recording; import the files themselves";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (name_is(in->name, texts[i])) return "is a text or picture file, not a recording";
    const size_t n = strlen(in->name);
    if ((n > 5 && !strcmp(in->name + n - 5, "_pipe")) || name_is(in->name, "image2") ||
        name_is(in->name, "ico") || name_is(in->name, "webp"))
        return "is a single picture, not a recording";
    if (in->flags & AVFMT_NOFILE) return "is not a file format";
    return NULL;
}

/* Pictures strung together without a container are a recording of some cameras. */
static bool is_jpeg_stream(struct demux *d, const AVInputFormat *in) {
    enum { CHUNK = 65536, LOOK_BYTES = 32 << 20 };
    if (!name_is(in->name, "jpeg_pipe")) return false;
    uint8_t *buf = av_malloc(CHUNK);
    uint32_t last = 0;
    bool found = false;
    const int64_t pos = d->pos; /* FFmpeg's buffer relies on it */
    d->pos = 0;
    for (int n = 0; buf && !found && d->pos < LOOK_BYTES;) {
        n = read_file(d, buf, CHUNK);
        if (n <= 0) break;
        for (int i = 0; i < n && !found; i++) {
            last = last << 8 | buf[i];
            found = last == 0xffd9ffd8u; /* the end of one, the start of the next */
        }
    }
    av_free(buf);
    d->pos = pos;
    return found;
}

static int pick_stream(const AVFormatContext *fmt) {
    int best = -1;
    int64_t best_area = -1;
    for (unsigned i = 0; i < fmt->nb_streams; i++) {
        const AVStream *st = fmt->streams[i];
        if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO || (st->disposition & AV_DISPOSITION_ATTACHED_PIC))
            continue;
        const int64_t area = (int64_t)st->codecpar->width * st->codecpar->height;
        if (area > best_area) {
            best = (int)i;
            best_area = area;
        }
    }
    return best;
}

static bool is_encrypted(const AVStream *st) {
    if (av_stream_get_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL)) return true;
    return st->codecpar->codec_tag == MKTAG('e', 'n', 'c', 'v');
}

static void close_format(struct demux *d) {
    if (!d->fmt) return;
    AVIOContext *io = d->fmt->pb;
    avformat_close_input(&d->fmt);
    if (io) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
}

/* Opens the container at its first byte. */
static enum err open_format(struct demux *d, struct wire_failed *f) {
    uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
    AVIOContext *io =
        buffer ? avio_alloc_context(buffer, IO_BUFFER_BYTES, 0, d, read_file, NULL, seek_file) : NULL;
    AVFormatContext *fmt = avformat_alloc_context();
    if (!io || !fmt) {
        if (io)
            av_freep(&io->buffer);
        else
            av_free(buffer);
        avio_context_free(&io);
        avformat_free_context(fmt);
        demux_fail(f, WIRE_FAIL_MEMORY, -1, "not enough memory to open it");
        return ERR_NOMEM;
    }
    d->pos = 0;
    d->offset = 0;
    d->last_ts = AV_NOPTS_VALUE;
    d->n_packets = 0;
    fmt->pb = io;
    fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    fmt->io_open = refuse_open;
    /* Belt and braces: with an empty list no protocol may be opened by any other way either. */
    fmt->protocol_whitelist = av_strdup("");
    fmt->max_streams = 64;

    enum err e = ERR_CORRUPT;
    const AVInputFormat *in = NULL;
    int rc = av_probe_input_buffer2(io, &in, "", NULL, 0, 0);
    if (rc < 0 || !in) {
        demux_fail(f, d->io_failed ? WIRE_FAIL_READ : WIRE_FAIL_OPEN, -1,
                   d->io_failed ? "cannot be read (input/output error)"
                                : "is not a video format that we know, or it is damaged at its very start");
        goto fail;
    }
    if (is_jpeg_stream(d, in)) in = av_find_input_format("mjpeg");
    const char *why = in ? refusal_of(in) : "is not a file format";
    if (why) {
        demux_fail(f, WIRE_FAIL_OPEN, -1, "%s", why);
        e = ERR_UNSUPPORTED;
        goto fail;
    }
    rc = avformat_open_input(&fmt, "", in, NULL); /* frees fmt when it fails, but not our io */
    if (rc < 0) {
        if (rc == AVERROR(ENOMEM)) {
            demux_fail(f, WIRE_FAIL_MEMORY, -1, "not enough memory to open it");
            e = ERR_NOMEM;
        } else if (name_is(in->name, "mp4") && rc == AVERROR_INVALIDDATA) {
            demux_fail(f, WIRE_FAIL_OPEN, -1,
                       "is an MP4 without a readable index (moov): the recording or the copy was cut off");
        } else {
            demux_fail(f, d->io_failed ? WIRE_FAIL_READ : WIRE_FAIL_OPEN, -1, "cannot be opened as %s: %s",
                       in->long_name ? in->long_name : in->name, av_err2str(rc));
        }
        goto fail;
    }
    d->fmt = fmt;
    rc = avformat_find_stream_info(fmt, NULL);
    if (rc < 0) log_warn("demux", "stream information incomplete rc=%d", rc);
    return OK;
fail:
    av_freep(&io->buffer);
    avio_context_free(&io);
    avformat_free_context(fmt);
    return e;
}

/* Everything but the picked stream is dropped while it is parsed. */
static void discard_others(struct demux *d) {
    for (unsigned i = 0; i < d->fmt->nb_streams; i++)
        d->fmt->streams[i]->discard = (int)i == d->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

enum err demux_open(int fd, demux_idle_fn *idle, void *arg, struct demux **out, struct wire_failed *f) {
    *out = NULL;
    struct stat st;
    if (stat_fd(fd, &st) != 0) {
        demux_fail(f, WIRE_FAIL_READ, -1, "cannot be read (input/output error)");
        return ERR_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        demux_fail(f, WIRE_FAIL_OPEN, -1, "is not a regular file");
        return ERR_UNSUPPORTED;
    }
    if (st.st_size == 0) {
        demux_fail(f, WIRE_FAIL_OPEN, -1, "is empty");
        return ERR_CORRUPT;
    }
    struct demux *d = calloc(1, sizeof *d);
    if (!d) {
        demux_fail(f, WIRE_FAIL_MEMORY, -1, "not enough memory to open it");
        return ERR_NOMEM;
    }
    d->fd = fd;
    d->idle = idle;
    d->idle_arg = arg;
    d->size = st.st_size;
    d->mtime = st.st_mtim;
    enum err e = ERR_NOMEM;
    d->pending = av_packet_alloc();
    if (!d->pending) {
        demux_fail(f, WIRE_FAIL_MEMORY, -1, "not enough memory to open it");
        goto fail;
    }
    e = open_format(d, f);
    if (e != OK) goto fail;
    d->stream = pick_stream(d->fmt);
    if (d->stream < 0) {
        demux_fail(f, WIRE_FAIL_NO_VIDEO, -1, "holds no video (%u other stream%s)", d->fmt->nb_streams,
                   d->fmt->nb_streams == 1 ? "" : "s");
        e = ERR_UNSUPPORTED;
        goto fail;
    }
    const AVStream *v = d->fmt->streams[d->stream];
    if (is_encrypted(v)) {
        demux_fail(f, WIRE_FAIL_CODEC, -1, "is encrypted; export it from the recorder without encryption");
        e = ERR_UNSUPPORTED;
        goto fail;
    }
    if (v->time_base.num <= 0 || v->time_base.den <= 0) {
        demux_fail(f, WIRE_FAIL_OPEN, -1, "gives no usable time base");
        e = ERR_CORRUPT;
        goto fail;
    }
    discard_others(d);
    *out = d;
    return OK;
fail:
    demux_close(&d);
    return e;
}

void demux_close(struct demux **pd) {
    if (!pd || !*pd) return;
    struct demux *d = *pd;
    close_format(d);
    av_packet_free(&d->pending);
    free(d);
    *pd = NULL;
}

const AVStream *demux_stream(const struct demux *d) {
    return d->fmt->streams[d->stream];
}
const AVFormatContext *demux_format(const struct demux *d) {
    return d->fmt;
}
unsigned demux_n_jumps(const struct demux *d) {
    return d->n_jumps;
}
int64_t demux_jump_ticks(const struct demux *d) {
    return d->jump_ticks;
}
uint64_t demux_n_bytes(const struct demux *d) {
    return d->n_bytes;
}
bool demux_is_untimed(const struct demux *d) {
    return d->n_packets > 0 && d->n_timed == 0;
}

/* ---- times ------------------------------------------------------------------------------------------------
 */
static const AVRational micro = {1, 1000000};

void demux_set_zero(struct demux *d, int64_t ticks) {
    d->zero = ticks;
    d->has_zero = true;
}
int64_t demux_us_of(const struct demux *d, int64_t ticks) {
    return av_rescale_q(ticks - (d->has_zero ? d->zero : 0), demux_stream(d)->time_base, micro);
}
int64_t demux_ticks_of(const struct demux *d, int64_t us) {
    return av_rescale_q(us, micro, demux_stream(d)->time_base) + (d->has_zero ? d->zero : 0);
}

int64_t demux_frame_ticks(const struct demux *d) {
    const AVStream *st = demux_stream(d);
    const AVRational r = st->avg_frame_rate.num > 0 ? st->avg_frame_rate : st->r_frame_rate;
    if (r.num <= 0 || r.den <= 0) return 1;
    const int64_t t = av_rescale_q(1, av_inv_q(r), st->time_base);
    return t > 0 ? t : 1;
}

/* Decode order is the order of decode times, so a clock that jumps back shows there first. A recorder that
 * was set back, a counter that wrapped (MPEG-TS: every 26.5 h) or two recordings put one behind the other
 * must not fold later footage onto earlier. */
static void correct_times(struct demux *d, AVPacket *pkt) {
    const int64_t ts = pkt->dts != AV_NOPTS_VALUE ? pkt->dts : pkt->pts;
    if (ts == AV_NOPTS_VALUE) return;
    d->n_timed++;
    /* Sums below must not overflow, whatever the file claims. */
    if (ts > INT64_MAX / 4 || ts < INT64_MIN / 4) {
        pkt->pts = pkt->dts = AV_NOPTS_VALUE;
        return;
    }
    if (pkt->pts != AV_NOPTS_VALUE && (pkt->pts > INT64_MAX / 4 || pkt->pts < INT64_MIN / 4))
        pkt->pts = AV_NOPTS_VALUE;
    const int64_t back = av_rescale_q(JUMP_BACK_US, micro, demux_stream(d)->time_base);
    if (d->last_ts != AV_NOPTS_VALUE && ts + d->offset < d->last_ts - back) {
        d->offset = d->last_ts + demux_frame_ticks(d) - ts;
        d->jump_ticks = (pkt->pts != AV_NOPTS_VALUE ? pkt->pts : ts) + d->offset;
        d->n_jumps++;
    }
    if (pkt->pts != AV_NOPTS_VALUE) pkt->pts += d->offset;
    if (pkt->dts != AV_NOPTS_VALUE) pkt->dts += d->offset;
    if (d->last_ts == AV_NOPTS_VALUE || ts + d->offset > d->last_ts) d->last_ts = ts + d->offset;
}

static enum err read_packet(struct demux *d, AVPacket *pkt) {
    for (;;) {
        const int rc = av_read_frame(d->fmt, pkt);
        if (rc == AVERROR(EAGAIN)) continue;
        if (rc < 0) {
            if (d->io_failed || file_changed(d)) return ERR_IO;
            if (rc == AVERROR_EOF) return ERR_EOF;
            if (rc == AVERROR(ENOMEM)) return ERR_NOMEM;
            /* A container error that leaves no way on: as far as we get, this is the end. */
            return avio_feof(d->fmt->pb) ? ERR_EOF : ERR_CORRUPT;
        }
        if (pkt->stream_index == d->stream) break;
        av_packet_unref(pkt);
    }
    d->n_packets++;
    correct_times(d, pkt);
    return OK;
}

enum err demux_read(struct demux *d, AVPacket *pkt) {
    if (d->has_pending) {
        av_packet_move_ref(pkt, d->pending);
        d->has_pending = false;
    } else {
        const enum err e = read_packet(d, pkt);
        if (e != OK) return e;
    }
    d->n_bytes += (uint64_t)pkt->size;
    return OK;
}

/* ---- seeking ----------------------------------------------------------------------------------------------
 */
/* Containers with an index made by the muxer: a seek lands on true times. Elsewhere (TS, PS, raw) a seek
 * would guess, and lose what correct_times() learned on the way. */
static bool has_index(const struct demux *d) {
    const char *n = d->fmt->iformat->name;
    return (name_is(n, "mp4") || name_is(n, "matroska") || name_is(n, "avi")) && d->n_jumps == 0 &&
           !demux_is_untimed(d);
}

static int64_t shown_at(const AVPacket *p) {
    return p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
}

static enum err seek_by_index(struct demux *d, int64_t target) {
    int64_t aim = target;
    int64_t step = demux_frame_ticks(d) * 8;
    for (int i = 0; i < SEEK_TRIES; i++) {
        if (av_seek_frame(d->fmt, d->stream, aim, AVSEEK_FLAG_BACKWARD) < 0) return ERR_MISSING;
        d->last_ts = AV_NOPTS_VALUE;
        const enum err e = read_packet(d, d->pending);
        if (e != OK) return e == ERR_EOF ? ERR_MISSING : e;
        const int64_t at = shown_at(d->pending);
        if ((d->pending->flags & AV_PKT_FLAG_KEY) && at != AV_NOPTS_VALUE && at <= target) {
            d->has_pending = true;
            return OK;
        }
        av_packet_unref(d->pending);
        aim = target - step;
        step *= 8;
    }
    return ERR_MISSING;
}

static enum err reopen(struct demux *d, struct wire_failed *f) {
    close_format(d);
    const enum err e = open_format(d, f);
    if (e != OK) return e;
    if (d->stream >= (int)d->fmt->nb_streams) {
        demux_fail(f, WIRE_FAIL_READ, -1, "changed while it was read");
        return ERR_IO;
    }
    d->n_jumps = 0;
    discard_others(d);
    return OK;
}

/* Reads to past the target to learn which key frame is the last before it, then again up to that one. The
 * second pass comes from the page cache; buffering the packets instead could take any amount of memory. */
static enum err seek_by_reading(struct demux *d, int64_t target, struct wire_failed *f) {
    enum err e = reopen(d, f);
    if (e != OK) return e;
    const bool counted = target == INT64_MIN;
    uint64_t n = 0, best = 0;
    while (!counted) {
        e = read_packet(d, d->pending);
        if (e == ERR_CORRUPT) continue;
        if (e != OK) break;
        const int64_t at = shown_at(d->pending);
        const int64_t dts = d->pending->dts;
        if ((d->pending->flags & AV_PKT_FLAG_KEY) && at != AV_NOPTS_VALUE && at <= target) best = n;
        n++;
        av_packet_unref(d->pending);
        if (dts != AV_NOPTS_VALUE && dts > target) break;
    }
    if (e == ERR_IO || e == ERR_NOMEM) {
        demux_fail(f, e == ERR_IO ? WIRE_FAIL_READ : WIRE_FAIL_MEMORY, -1,
                   "cannot be read again from its start");
        return e;
    }
    if (!counted) e = reopen(d, f);
    if (e != OK && e != ERR_EOF) return e;
    for (n = 0; n < best;) {
        e = read_packet(d, d->pending);
        if (e == ERR_CORRUPT) continue;
        if (e != OK) break;
        av_packet_unref(d->pending);
        n++;
    }
    return OK;
}

enum err demux_seek_us(struct demux *d, int64_t us, struct wire_failed *f) {
    av_packet_unref(d->pending);
    d->has_pending = false;
    const bool untimed = demux_is_untimed(d);
    const int64_t target = us <= 0 || untimed ? INT64_MIN : demux_ticks_of(d, us);
    if (target != INT64_MIN && has_index(d)) {
        const enum err e = seek_by_index(d, target);
        if (e != ERR_MISSING) {
            if (e != OK)
                demux_fail(f, e == ERR_NOMEM ? WIRE_FAIL_MEMORY : WIRE_FAIL_READ, us, "cannot be read");
            return e;
        }
    }
    return seek_by_reading(d, target, f);
}

/* ---- what it says about itself
 * ------------------------------------------------------------------------------ */
/* No recording is longer than a year; a header that says so is broken. */
#define DURATION_MAX_US (365ll * 24 * 3600 * 1000000)

int64_t demux_duration_us(const struct demux *d) {
    const AVStream *st = demux_stream(d);
    if (d->fmt->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return 0;
    int64_t us = 0;
    if (st->duration > 0 && st->duration < INT64_MAX / 4)
        us = av_rescale_q(st->duration, st->time_base, micro);
    else if (d->fmt->duration > 0)
        us = d->fmt->duration;
    return us > 0 && us < DURATION_MAX_US ? us : 0;
}

int64_t demux_video_duration_us(const struct demux *d) {
    return demux_stream(d)->duration > 0 || d->fmt->nb_streams == 1 ? demux_duration_us(d) : 0;
}

void demux_orientation(const struct demux *d, unsigned *quarter_turns, bool *mirrored) {
    *quarter_turns = 0;
    *mirrored = false;
    size_t n = 0;
    const uint8_t *side = av_stream_get_side_data(demux_stream(d), AV_PKT_DATA_DISPLAYMATRIX, &n);
    if (!side || n < 9 * sizeof(int32_t)) return;
    int32_t m[9];
    memcpy(m, side, sizeof m);
    *mirrored = (int64_t)m[0] * m[4] - (int64_t)m[1] * m[3] < 0;
    if (*mirrored) av_display_matrix_flip(m, 1, 0);
    const double turn = av_display_rotation_get(m); /* counter-clockwise, NaN for a singular matrix */
    if (!(turn >= -360 && turn <= 360)) return;
    *quarter_turns = (unsigned)(((int)((720.0 - turn) / 90.0 + 0.5)) % 4);
}

void demux_describe(const struct demux *d, struct wire_probed *p) {
    const AVStream *st = demux_stream(d);
    for (unsigned i = 0; i < d->fmt->nb_streams; i++) {
        const AVStream *s = d->fmt->streams[i];
        if (s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !(s->disposition & AV_DISPOSITION_ATTACHED_PIC))
            p->n_video_streams++;
        if (s->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) p->n_audio_streams++;
    }
    p->duration_us = demux_duration_us(d);
    const AVRational r =
        st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0 ? st->avg_frame_rate : st->r_frame_rate;
    if (r.num > 0 && r.den > 0) {
        const int64_t milli = av_rescale(r.num, 1000, r.den);
        if (milli > 0 && milli <= 1000000) p->fps_milli = (uint32_t)milli;
    }
    demux_clean_text(p->container, sizeof p->container, d->fmt->iformat->name);
    demux_clean_text(p->codec, sizeof p->codec, avcodec_get_name(st->codecpar->codec_id));
    const AVDictionaryEntry *t = av_dict_get(d->fmt->metadata, "encoder", NULL, 0);
    if (t) demux_clean_text(p->encoder, sizeof p->encoder, t->value);
    t = av_dict_get(d->fmt->metadata, "creation_time", NULL, 0);
    int64_t ms = 0;
    if (t && clock_parse(t->value, &ms) == OK && ms > 0) p->creation_ms = ms;
}
