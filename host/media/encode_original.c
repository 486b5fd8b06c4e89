/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves as evidence: packets untouched, and the hashes of their coded units. */
#include "host/media/encode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/mem.h>
#include <libavutil/sha.h>

#include "host/base/log.h"
#include "host/media/encode_output.h"

/* ---- which packets ---------------------------------------------------------------------------------------
 */

struct cut {
    struct demux *d;
    const struct encode_clip *c;
    demux_idle_fn *idle;
    void *arg;
    bool begun;
    int64_t first;    /* pts of the key frame it begins with */
    int64_t last_dts; /* INT64_MIN before the first */
    int64_t delay;    /* of decoding behind showing, in ticks */
    int64_t seek_us;  /* where it was last looked for its begin */
    int64_t shown_us; /* up to here the packets so far show something */
};

/* The decode time of a packet that has none (Matroska), always rising. */
static void set_dts(struct cut *k, AVPacket *pkt) {
    if (pkt->dts == AV_NOPTS_VALUE || (k->begun && pkt->dts <= k->last_dts)) {
        const int64_t next = k->last_dts == INT64_MIN ? pkt->pts - k->delay : k->last_dts + 1;
        pkt->dts = next < pkt->pts || k->last_dts == INT64_MIN ? next : k->last_dts + 1;
    }
    if (pkt->pts < pkt->dts) pkt->pts = pkt->dts; /* only the container's times; the bytes stay */
}

static int64_t packet_end_us(const struct demux *d, const AVPacket *pkt) {
    return demux_us_of(d, pkt->pts + (pkt->duration > 0 ? pkt->duration : demux_frame_ticks(d)));
}

/* The next packet of the cut; ERR_EOF behind the last one. */
static enum err cut_next(struct cut *k, AVPacket *pkt, struct wire_failed *f) {
    for (;;) {
        if (k->idle) k->idle(k->arg);
        enum err e = demux_read(k->d, pkt);
        if (e == ERR_CORRUPT) continue;
        if (e == ERR_EOF) return e;
        if (e != OK) {
            demux_fail(f, e == ERR_NOMEM ? WIRE_FAIL_MEMORY : WIRE_FAIL_READ, k->c->from_us,
                       "cannot be read");
            return e;
        }
        if (pkt->pts == AV_NOPTS_VALUE) pkt->pts = pkt->dts;
        const bool is_key = (pkt->flags & AV_PKT_FLAG_KEY) != 0;
        if (pkt->pts == AV_NOPTS_VALUE || (!k->begun && !is_key)) {
            av_packet_unref(pkt);
            demux_fail(f, WIRE_FAIL_DATA, k->c->from_us,
                       "gives no original extract: its packets have no times, or no key frame stands before "
                       "%.3f s",
                       (double)k->c->from_us / 1e6);
            return ERR_UNSUPPORTED;
        }
        /* Whole groups: the next key frame ends it, unless pictures before `to` still follow it (open
         * groups). */
        if (k->begun && is_key && demux_us_of(k->d, pkt->pts) >= k->c->to_us && k->shown_us >= k->c->to_us) {
            av_packet_unref(pkt);
            return ERR_EOF;
        }
        /* An index of decode times may land a frame late: look a second earlier. */
        if (!k->begun && k->c->from_us >= 0 && demux_us_of(k->d, pkt->pts) > k->c->from_us && k->seek_us > 0) {
            av_packet_unref(pkt);
            k->seek_us = k->seek_us > 1000000 ? k->seek_us - 1000000 : 0;
            e = demux_seek_us(k->d, k->seek_us, f);
            if (e != OK) return e;
            continue;
        }
        /* Shown before the key frame that it begins with: refers to pictures that are not in it. */
        if (k->begun && pkt->pts < k->first) {
            av_packet_unref(pkt);
            continue;
        }
        set_dts(k, pkt);
        if (!k->begun) k->first = pkt->pts;
        k->begun = true;
        k->last_dts = pkt->dts;
        const int64_t end_us = packet_end_us(k->d, pkt);
        if (end_us > k->shown_us) k->shown_us = end_us;
        return OK;
    }
}

static enum err cut_begin(struct cut *k, struct wire_failed *f) {
    k->last_dts = INT64_MIN;
    k->delay = demux_stream(k->d)->codecpar->video_delay * demux_frame_ticks(k->d);
    k->seek_us = k->c->from_us < 0 ? 0 : k->c->from_us;
    return demux_seek_us(k->d, k->seek_us, f);
}

static void note(const struct cut *k, const AVPacket *pkt, struct encode_clip_result *out) {
    const int64_t us = demux_us_of(k->d, pkt->pts);
    if (out->n_frames++ == 0) out->first_us = us;
    if (us > out->last_us) {
        out->last_us = us;
        out->end_us = packet_end_us(k->d, pkt);
    }
}

static enum err nothing(const struct encode_clip *c, struct wire_failed *f) {
    demux_fail(f, WIRE_FAIL_DATA, c->from_us, "has no frame between %.3f s and %.3f s",
               (double)c->from_us / 1e6, (double)c->to_us / 1e6);
    return ERR_MISSING;
}

/* ---- the packets -----------------------------------------------------------------------------------------
 */

static enum err original_begin(struct output *o, const struct cut *k, bool matroska, struct wire_failed *f) {
    const AVStream *in = demux_stream(k->d);
    enum err e = output_open(o, matroska ? "matroska" : "mp4", k->c->from_us, f);
    if (e != OK) return e;
    if (avcodec_parameters_copy(o->st->codecpar, in->codecpar) < 0) return encode_no_memory(f, k->c->from_us);
    o->st->codecpar->codec_tag = 0;
    o->st->time_base = in->time_base;
    o->st->avg_frame_rate = in->avg_frame_rate;
    o->st->sample_aspect_ratio = in->sample_aspect_ratio;
    /* The same packets give the same file. */
    o->fmt->flags |= AVFMT_FLAG_BITEXACT;
    return output_begin(o, k->c->from_us, f);
}

enum err encode_original(struct demux *d, const struct encode_clip *c, bool matroska, demux_idle_fn *idle,
                         void *arg, struct encode_clip_result *out, struct wire_failed *f) {
    *out = (struct encode_clip_result){.first_us = -1, .last_us = -1};
    struct output o = {.fd = c->fd, .idle = idle, .arg = arg};
    struct cut k = {.d = d, .c = c, .idle = idle, .arg = arg};
    AVPacket *pkt = av_packet_alloc();
    if (!pkt) return encode_no_memory(f, c->from_us);
    enum err e = cut_begin(&k, f);
    while (e == OK && (e = cut_next(&k, pkt, f)) == OK) {
        if (out->n_frames == 0) e = original_begin(&o, &k, matroska, f);
        const int64_t us = demux_us_of(d, pkt->pts);
        if (e == OK) {
            note(&k, pkt, out);
            pkt->pts -= k.first;
            pkt->dts -= k.first;
            pkt->stream_index = 0;
            pkt->pos = -1;
            av_packet_rescale_ts(pkt, demux_stream(d)->time_base, o.st->time_base);
            e = output_result(&o, av_write_frame(o.fmt, pkt), us, f);
        }
        av_packet_unref(pkt);
    }
    if (e == ERR_EOF)
        e = out->n_frames > 0 && out->end_us > c->from_us
                ? output_result(&o, av_write_trailer(o.fmt), c->from_us, f)
                : nothing(c, f);
    if (e == OK) avio_flush(o.io);
    if (e == OK) e = output_result(&o, 0, c->from_us, f);
    av_packet_free(&pkt);
    output_close(&o);
    return e;
}

/* ---- their units -----------------------------------------------------------------------------------------
 */

struct units {
    int fd;
    int64_t pos;
    unsigned length_bytes; /* of the length before each unit; 0 = start codes; UINT_MAX = packets are units */
    struct AVSHA *sha;
    char text[65536];
    size_t n;
};

static unsigned length_bytes_of(const AVCodecParameters *p) {
    const uint8_t *x = p->extradata;
    if (p->codec_id == AV_CODEC_ID_H264) return p->extradata_size >= 7 && x[0] == 1 ? (x[4] & 3u) + 1 : 0;
    if (p->codec_id == AV_CODEC_ID_HEVC)
        return p->extradata_size >= 23 && (x[0] || x[1] || x[2] > 1) ? (x[21] & 3u) + 1 : 0;
    return UINT32_MAX;
}

static enum err units_flush(struct units *u) {
    for (size_t done = 0; done < u->n;) {
        const ssize_t k = pwrite(u->fd, u->text + done, u->n - done, u->pos);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return ERR_FULL;
        done += (size_t)k;
        u->pos += k;
    }
    u->n = 0;
    return OK;
}

static enum err put_unit(struct units *u, const uint8_t *p, size_t n, int64_t us) {
    uint8_t md[32];
    if (sizeof u->text - u->n < 128 && units_flush(u) != OK) return ERR_FULL;
    while (u->length_bytes != UINT32_MAX && n > 0 && p[n - 1] == 0) n--;
    if (n == 0) return OK;
    av_sha_init(u->sha, 256);
    av_sha_update(u->sha, p, n);
    av_sha_final(u->sha, md);
    u->n += (size_t)snprintf(u->text + u->n, 64, "%" PRId64 " %zu ", us, n);
    for (int i = 0; i < 32; i++) u->n += (size_t)snprintf(u->text + u->n, 3, "%02x", md[i]);
    u->text[u->n++] = '\n';
    return OK;
}

/* The place of the next 00 00 01 in p..end; end when there is none. */
static const uint8_t *start_code(const uint8_t *p, const uint8_t *end) {
    for (; end - p >= 3; p++)
        if (p[0] == 0 && p[1] == 0 && p[2] == 1) return p;
    return end;
}

static enum err put_packet(struct units *u, const uint8_t *p, size_t n, int64_t us) {
    const uint8_t *const end = p + n;
    enum err e = OK;
    if (u->length_bytes == UINT32_MAX) return put_unit(u, p, n, us);
    if (u->length_bytes == 0) {
        for (p = start_code(p, end); p < end && e == OK;) {
            const uint8_t *next = start_code(p + 3, end);
            e = put_unit(u, p + 3, (size_t)(next - p - 3), us);
            p = next;
        }
        return e;
    }
    while (e == OK && (size_t)(end - p) > u->length_bytes) {
        size_t len = 0;
        for (unsigned i = 0; i < u->length_bytes; i++) len = len << 8 | *p++;
        if (len > (size_t)(end - p)) len = (size_t)(end - p); /* damaged: what is there */
        e = put_unit(u, p, len, us);
        p += len;
    }
    return e;
}

enum err encode_units(struct demux *d, const struct encode_clip *c, demux_idle_fn *idle, void *arg,
                      struct encode_clip_result *out, struct wire_failed *f) {
    *out = (struct encode_clip_result){.first_us = -1, .last_us = -1};
    struct cut k = {.d = d, .c = c, .idle = idle, .arg = arg};
    AVPacket *pkt = av_packet_alloc();
    struct units *u = av_mallocz(sizeof *u);
    struct AVSHA *sha = av_sha_alloc();
    enum err e = OK;
    if (!pkt || !u || !sha) {
        e = encode_no_memory(f, c->from_us);
        goto done;
    }
    u->fd = c->fd;
    u->sha = sha;
    u->length_bytes = length_bytes_of(demux_stream(d)->codecpar);
    e = cut_begin(&k, f);
    while (e == OK && (e = cut_next(&k, pkt, f)) == OK) {
        note(&k, pkt, out);
        e = put_packet(u, pkt->data, (size_t)pkt->size, demux_us_of(d, pkt->pts));
        av_packet_unref(pkt);
    }
    if (e == ERR_EOF) e = out->n_frames > 0 ? units_flush(u) : nothing(c, f);
    if (e == ERR_FULL)
        demux_fail(f, WIRE_FAIL_WRITE, c->from_us,
                   "gave a list that cannot be written: no space left, or an input/output error");
done:
    av_packet_free(&pkt);
    av_free(u);
    av_free(sha);
    return e;
}
