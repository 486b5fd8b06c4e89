/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/encode_output.h"

#include <errno.h>
#include <string.h>

#include <unistd.h>

#include <libavformat/avformat.h>

#include "host/base/log.h"

#define IO_BUFFER_BYTES 262144

enum err encode_no_memory(struct wire_failed *f, int64_t at_us) {
    demux_fail(f, WIRE_FAIL_MEMORY, at_us, "needs more memory than a decode worker may have");
    return ERR_NOMEM;
}

static int write_out(void *opaque, uint8_t *buf, int n) {
    struct output *o = opaque;
    for (int done = 0; done < n;) {
        const ssize_t k = pwrite(o->fd, buf + done, (size_t)(n - done), o->pos);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) {
            log_error("encode", "write failed errno=%d", errno);
            o->failed = true;
            return AVERROR(ENOSPC);
        }
        done += (int)k;
        o->pos += k;
    }
    return n;
}
static int64_t seek_out(void *opaque, int64_t offset, int whence) {
    struct output *o = opaque;
    if (whence & AVSEEK_SIZE) return AVERROR(ENOSYS);
    if (whence == SEEK_CUR) offset += o->pos;
    if (whence == SEEK_END || offset < 0) return AVERROR(EINVAL);
    o->pos = offset;
    return offset;
}

/* The muxer opens its own file once more, to read, when it moves the index to the front: it gets the
 * descriptor that we have, with a position of its own. */
static int read_out(void *opaque, uint8_t *buf, int n) {
    struct output *r = opaque;
    ssize_t k;
    do k = pread(r->fd, buf, (size_t)n, r->pos);
    while (k < 0 && errno == EINTR);
    if (k < 0) return AVERROR(EIO);
    if (k == 0) return AVERROR_EOF;
    r->pos += k;
    return (int)k;
}
static int reopen_out(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                      AVDictionary **options) {
    (void)url;
    (void)options;
    *pb = NULL;
    if (flags & AVIO_FLAG_WRITE) return AVERROR(EACCES);
    const struct output *o = s->opaque;
    struct output *r = av_mallocz(sizeof *r);
    uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
    if (r && buffer) {
        r->fd = o->fd;
        *pb = avio_alloc_context(buffer, IO_BUFFER_BYTES, 0, r, read_out, NULL, seek_out);
    }
    if (*pb) return 0;
    av_free(buffer);
    av_free(r);
    return AVERROR(ENOMEM);
}
static int close_reopened(AVFormatContext *s, AVIOContext *pb) {
    (void)s;
    if (!pb) return 0;
    av_free(pb->opaque);
    av_freep(&pb->buffer);
    avio_context_free(&pb);
    return 0;
}

void output_close(struct output *o) {
    avformat_free_context(o->fmt);
    o->fmt = NULL;
    if (o->io) av_freep(&o->io->buffer);
    avio_context_free(&o->io);
}

enum err output_open(struct output *o, const char *format, int64_t at_us, struct wire_failed *f) {
    uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
    if (buffer) o->io = avio_alloc_context(buffer, IO_BUFFER_BYTES, 1, o, read_out, write_out, seek_out);
    if (!o->io) {
        av_free(buffer);
        return encode_no_memory(f, at_us);
    }
    if (avformat_alloc_output_context2(&o->fmt, NULL, format, NULL) < 0) return encode_no_memory(f, at_us);
    o->fmt->pb = o->io;
    o->fmt->opaque = o;
    o->fmt->io_open = reopen_out;
    o->fmt->io_close2 = close_reopened;
    o->fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    o->st = avformat_new_stream(o->fmt, NULL);
    return o->st ? OK : encode_no_memory(f, at_us);
}

enum err output_begin(struct output *o, int64_t at_us, struct wire_failed *f) {
    AVDictionary *options = NULL;
    if (strcmp(o->fmt->oformat->name, "mp4") == 0) av_dict_set(&options, "movflags", "+faststart", 0);
    const int rc = avformat_write_header(o->fmt, &options);
    av_dict_free(&options);
    if (rc >= 0) return OK;
    if (o->failed) {
        demux_fail(f, WIRE_FAIL_WRITE, at_us,
                   "gave a clip that cannot be written: no space left, or an input/output error");
        return ERR_FULL;
    }
    demux_fail(f, WIRE_FAIL_DATA, at_us, "gives no clip: %s", av_err2str(rc));
    return ERR_UNSUPPORTED;
}

enum err output_result(struct output *o, int rc, int64_t at_us, struct wire_failed *f) {
    if (rc >= 0 && !o->failed) return OK;
    if (rc == AVERROR(ENOMEM)) return encode_no_memory(f, at_us);
    if (o->failed) {
        demux_fail(f, WIRE_FAIL_WRITE, at_us,
                   "gave a clip that cannot be written: no space left, or an input/output error");
        return ERR_FULL;
    }
    demux_fail(f, WIRE_FAIL_DATA, at_us, "gives no clip: %s", av_err2str(rc));
    return ERR_CORRUPT;
}
