/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <turbojpeg.h>

#include "driver/card_abi.h"
#include "host/base/log.h"
#include "host/media/encode_output.h"

#define JPEG_QUALITY    92
#define CLIP_WIDTH_MAX  1280
#define CLIP_KEY_FRAMES 50 /* at most that many frames between two: seeking in the page */
#define CLIP_CRF        "23"

static const AVRational micro = {1, 1000000};
static const AVRational mp4_base = {1, 90000};

/* ---- still
 * -------------------------------------------------------------------------------------------------- */
static enum err write_all(int fd, const uint8_t *p, size_t n) {
    off_t at = 0;
    while (n > 0) {
        const ssize_t k = pwrite(fd, p, n, at);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) {
            log_error("encode", "write failed errno=%d", errno);
            return ERR_FULL;
        }
        p += k;
        n -= (size_t)k;
        at += k;
    }
    return OK;
}

static int matrix_coeff(const struct wire_surface *s) {
    return s->matrix == CARD_MATRIX_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601;
}

enum err encode_still(const uint8_t *nv12, const struct wire_surface *s, int fd, int64_t at_us,
                      struct wire_failed *f) {
    const int w = (int)s->w_px, h = (int)s->h_px;
    enum err e = ERR_NOMEM;
    unsigned char *jpeg = NULL;
    unsigned long n_jpeg = 0;
    uint8_t *rgb = av_malloc((size_t)w * (size_t)h * 3);
    /* Accurate rounding: this is the picture that is looked at as evidence. */
    struct SwsContext *c =
        sws_getContext(w, h, AV_PIX_FMT_NV12, w, h, AV_PIX_FMT_RGB24,
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
    tjhandle tj = tjInitCompress();
    if (!rgb || !c || !tj) {
        e = encode_no_memory(f, at_us);
        goto done;
    }
    const int *coeff = sws_getCoefficients(matrix_coeff(s));
    if (sws_setColorspaceDetails(c, coeff, s->full_range, coeff, 1, 0, 1 << 16, 1 << 16) < 0)
        log_warn("encode", "colour details not taken");
    const uint8_t *const src[4] = {nv12, nv12 + s->uv_offset_bytes};
    const int src_stride[4] = {(int)s->stride_bytes, (int)s->stride_bytes};
    uint8_t *const dst[4] = {rgb};
    const int dst_stride[4] = {w * 3};
    sws_scale(c, src, src_stride, 0, h, dst, dst_stride);
    if (tjCompress2(tj, rgb, w, w * 3, h, TJPF_RGB, &jpeg, &n_jpeg, TJSAMP_420, JPEG_QUALITY,
                    TJFLAG_ACCURATEDCT) != 0) {
        log_error("encode", "jpeg failed w=%d h=%d", w, h);
        e = encode_no_memory(f, at_us);
        goto done;
    }
    e = write_all(fd, jpeg, n_jpeg);
    if (e != OK)
        demux_fail(f, WIRE_FAIL_WRITE, at_us,
                   "gave a picture that cannot be written: no space left, or an input/output error");
done:
    tjFree(jpeg);
    if (tj) tjDestroy(tj);
    sws_freeContext(c);
    av_free(rgb);
    return e;
}

static enum err nothing_there(const struct encode_clip *c, struct wire_failed *f) {
    demux_fail(f, WIRE_FAIL_DATA, c->from_us, "has no frame between %.3f s and %.3f s",
               (double)c->from_us / 1e6, (double)c->to_us / 1e6);
    return ERR_MISSING;
}

/* ---- copy
 * -------------------------------------------------------------------------------------------------------- */
static bool is_for_browsers(const struct demux *d) {
    const AVCodecParameters *p = demux_stream(d)->codecpar;
    if (p->codec_id != AV_CODEC_ID_H264) return false;
    if (p->format != AV_PIX_FMT_YUV420P && p->format != AV_PIX_FMT_YUVJ420P) return false;
    if (p->field_order != AV_FIELD_UNKNOWN && p->field_order != AV_FIELD_PROGRESSIVE) return false;
    if (p->extradata_size <= 0) return false;
    unsigned turns;
    bool mirrored;
    demux_orientation(d, &turns, &mirrored);
    return turns == 0 && !mirrored;
}

enum err encode_clip_copy(struct demux *d, const struct encode_clip *c, demux_idle_fn *idle, void *arg,
                          struct encode_clip_result *out, struct wire_failed *f) {
    *out = (struct encode_clip_result){.first_us = -1, .last_us = -1};
    if (!is_for_browsers(d)) return ERR_UNSUPPORTED;
    struct output o = {.fd = c->fd, .idle = idle, .arg = arg};
    enum err e = demux_seek_us(d, c->from_us, f);
    if (e != OK) return e;
    const AVRational base = demux_stream(d)->time_base;
    AVPacket *pkt = av_packet_alloc();
    if (!pkt) return encode_no_memory(f, c->from_us);
    /* Matroska stores no decode times, and none can be told for the first packets after a seek. */
    const int64_t delay = demux_stream(d)->codecpar->video_delay * demux_frame_ticks(d);
    int64_t first = 0, last_dts = INT64_MIN;
    bool begun = false;
    for (;;) {
        if (idle) idle(arg);
        e = demux_read(d, pkt);
        if (e == ERR_CORRUPT) continue;
        if (e == ERR_EOF) break;
        if (e != OK) {
            demux_fail(f, e == ERR_NOMEM ? WIRE_FAIL_MEMORY : WIRE_FAIL_READ, c->from_us, "cannot be read");
            goto done;
        }
        if (pkt->dts == AV_NOPTS_VALUE && pkt->pts != AV_NOPTS_VALUE) {
            const int64_t next = last_dts == INT64_MIN ? pkt->pts - delay : last_dts + 1;
            pkt->dts = next < pkt->pts ? next : pkt->pts;
        }
        const bool timed = pkt->pts != AV_NOPTS_VALUE && pkt->dts != AV_NOPTS_VALUE;
        if (timed && demux_us_of(d, pkt->dts) >= c->to_us) break;
        if (!begun) {
            /* Hidden by an edit list, cut into a group, or without times: only decoding gets that right. */
            if (!timed || !(pkt->flags & AV_PKT_FLAG_KEY) || (pkt->flags & AV_PKT_FLAG_DISCARD) ||
                demux_us_of(d, pkt->pts) > c->from_us) {
                e = ERR_UNSUPPORTED;
                goto done;
            }
            first = pkt->pts;
            e = output_open(&o, "mp4", c->from_us, f);
            if (e != OK) goto done;
            if (avcodec_parameters_copy(o.st->codecpar, demux_stream(d)->codecpar) < 0) {
                e = encode_no_memory(f, c->from_us);
                goto done;
            }
            o.st->codecpar->codec_tag = 0;
            o.st->time_base = base;
            o.st->avg_frame_rate = demux_stream(d)->avg_frame_rate;
            o.st->sample_aspect_ratio = demux_stream(d)->sample_aspect_ratio;
            e = output_begin(&o, c->from_us, f);
            if (e != OK) goto done;
            begun = true;
            out->first_us = demux_us_of(d, first);
        }
        /* Frames shown before the key frame that follows them in the file refer to what is not in the clip;
         * frames whose decode time does not rise cannot be stored. */
        if (!timed || pkt->pts < first || pkt->dts <= last_dts) {
            av_packet_unref(pkt);
            continue;
        }
        last_dts = pkt->dts;
        const int64_t us = demux_us_of(d, pkt->pts);
        if (us > out->last_us) {
            out->last_us = us;
            out->end_us =
                demux_us_of(d, pkt->pts + (pkt->duration > 0 ? pkt->duration : demux_frame_ticks(d)));
        }
        out->n_frames++;
        pkt->pts -= first;
        pkt->dts -= first;
        pkt->stream_index = 0;
        pkt->pos = -1;
        av_packet_rescale_ts(pkt, base, o.st->time_base);
        e = output_result(&o, av_write_frame(o.fmt, pkt), us, f);
        av_packet_unref(pkt);
        if (e != OK) goto done;
    }
    /* Past the end, all there is lies before from_us. */
    e = begun && out->end_us > c->from_us ? output_result(&o, av_write_trailer(o.fmt), c->from_us, f)
                                          : nothing_there(c, f);
    if (e == OK) avio_flush(o.io);
    if (e == OK) e = output_result(&o, 0, c->from_us, f);
done:
    av_packet_free(&pkt);
    output_close(&o);
    return e;
}

/* ---- encode anew
 * ---------------------------------------------------------------------------------------------------- */
struct maker {
    const struct encode_clip *clip;
    struct output o;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *pkt;
    struct SwsContext *sws;
    uint8_t *nv12;
    size_t nv12_bytes;
    struct wire_surface made_for;
    int64_t first_us, last_pts;
};

static void maker_fini(struct maker *m) {
    output_close(&m->o);
    sws_freeContext(m->sws);
    avcodec_free_context(&m->codec);
    av_frame_free(&m->frame);
    av_packet_free(&m->pkt);
    av_free(m->nv12);
}

static enum err maker_begin(struct maker *m, const struct wire_surface *s, int64_t duration_us, int64_t at_us,
                            struct wire_failed *f) {
    const AVCodec *x264 = avcodec_find_encoder_by_name("libx264");
    if (!x264) {
        demux_fail(f, WIRE_FAIL_CODEC, at_us, "gives no clip: this FFmpeg has no libx264");
        return ERR_UNSUPPORTED;
    }
    int w = (int)s->w_px, h = (int)s->h_px;
    if (w > CLIP_WIDTH_MAX) {
        h = (int)((int64_t)h * CLIP_WIDTH_MAX / w) & ~1;
        w = CLIP_WIDTH_MAX;
        if (h < 2) h = 2;
    }
    m->codec = avcodec_alloc_context3(x264);
    m->frame = av_frame_alloc();
    m->pkt = av_packet_alloc();
    if (!m->codec || !m->frame || !m->pkt) return encode_no_memory(f, at_us);
    m->codec->width = w;
    m->codec->height = h;
    m->codec->pix_fmt = AV_PIX_FMT_YUV420P;
    m->codec->time_base = mp4_base;
    m->codec->framerate = av_inv_q(av_make_q((int)(duration_us > 1000 ? duration_us : 1000), 1000000));
    m->codec->gop_size = CLIP_KEY_FRAMES;
    m->codec->thread_count = 1;
    m->codec->color_range = AVCOL_RANGE_MPEG;
    m->codec->colorspace = s->matrix == CARD_MATRIX_BT709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    m->codec->color_primaries = s->matrix == CARD_MATRIX_BT709 ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    m->codec->color_trc = s->matrix == CARD_MATRIX_BT709 ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
    m->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary *options = NULL;
    av_dict_set(&options, "preset", "veryfast", 0);
    av_dict_set(&options, "crf", CLIP_CRF, 0);
    av_dict_set(&options, "x264-params", "threads=1:lookahead-threads=1:sliced-threads=0", 0);
    int rc = avcodec_open2(m->codec, x264, &options);
    av_dict_free(&options);
    if (rc < 0) {
        demux_fail(f, WIRE_FAIL_CODEC, at_us, "gives no clip: %s", av_err2str(rc));
        return ERR_UNSUPPORTED;
    }
    m->frame->format = AV_PIX_FMT_YUV420P;
    m->frame->width = w;
    m->frame->height = h;
    enum err e = output_open(&m->o, "mp4", at_us, f);
    if (e != OK) return e;
    if (avcodec_parameters_from_context(m->o.st->codecpar, m->codec) < 0) return encode_no_memory(f, at_us);
    m->o.st->time_base = mp4_base;
    return output_begin(&m->o, at_us, f);
}

static enum err maker_scaler(struct maker *m, const struct wire_surface *s, int64_t at_us,
                             struct wire_failed *f) {
    if (m->sws && !memcmp(&m->made_for, s, sizeof *s)) return OK;
    sws_freeContext(m->sws);
    m->sws = sws_getContext((int)s->w_px, (int)s->h_px, AV_PIX_FMT_NV12, m->codec->width, m->codec->height,
                            AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    if (!m->sws) return encode_no_memory(f, at_us);
    const int *coeff = sws_getCoefficients(matrix_coeff(s));
    if (sws_setColorspaceDetails(m->sws, coeff, s->full_range, coeff, 0, 0, 1 << 16, 1 << 16) < 0)
        log_debug("encode", "colour details not taken");
    m->made_for = *s;
    return OK;
}

/* Writes what the encoder has ready. */
static enum err maker_flush(struct maker *m, int64_t at_us, struct wire_failed *f) {
    for (;;) {
        const int rc = avcodec_receive_packet(m->codec, m->pkt);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return OK;
        if (rc < 0) return output_result(&m->o, rc, at_us, f);
        m->pkt->stream_index = 0;
        m->pkt->duration = av_rescale_q(1, av_inv_q(m->codec->framerate), mp4_base);
        av_packet_rescale_ts(m->pkt, mp4_base, m->o.st->time_base);
        const enum err e = output_result(&m->o, av_write_frame(m->o.fmt, m->pkt), at_us, f);
        av_packet_unref(m->pkt);
        if (e != OK) return e;
    }
}

static enum err maker_add(struct maker *m, struct decode *dec, const struct decode_frame *fr,
                          struct wire_failed *f) {
    struct wire_surface s;
    enum err e = decode_shape(dec, fr, &s, f);
    if (e != OK) return e;
    const size_t need = (size_t)s.w_px * s.h_px * 3 / 2;
    if (need > m->nv12_bytes) {
        av_free(m->nv12);
        m->nv12_bytes = 0;
        m->nv12 = av_malloc(need);
        if (!m->nv12) return encode_no_memory(f, fr->pts_us);
        m->nv12_bytes = need;
    }
    e = decode_nv12(dec, fr, m->nv12, m->nv12_bytes, &s, f);
    if (e == OK && m->clip->paint) e = m->clip->paint(m->nv12, &s, fr->pts_us, m->clip->paint_arg);
    if (e == ERR_NOMEM) return encode_no_memory(f, fr->pts_us);
    if (e != OK) return e;
    if (!m->codec) {
        m->first_us = fr->pts_us;
        m->last_pts = -1;
        e = maker_begin(m, &s, fr->duration_us, fr->pts_us, f);
        if (e != OK) return e;
    }
    e = maker_scaler(m, &s, fr->pts_us, f);
    if (e != OK) return e;
    const int64_t pts = av_rescale_q(fr->pts_us - m->first_us, micro, mp4_base);
    if (pts <= m->last_pts) return OK; /* closer than a tick to the one before */
    m->last_pts = pts;
    /* The encoder may still hold the frame before. */
    av_buffer_unref(&m->frame->buf[0]);
    av_buffer_unref(&m->frame->buf[1]);
    av_buffer_unref(&m->frame->buf[2]);
    if (av_frame_get_buffer(m->frame, 0) < 0) return encode_no_memory(f, fr->pts_us);
    const uint8_t *const src[4] = {m->nv12, m->nv12 + s.uv_offset_bytes};
    const int src_stride[4] = {(int)s.stride_bytes, (int)s.stride_bytes};
    sws_scale(m->sws, src, src_stride, 0, (int)s.h_px, m->frame->data, m->frame->linesize);
    m->frame->pts = pts;
    const int rc = avcodec_send_frame(m->codec, m->frame);
    if (rc < 0) return output_result(&m->o, rc, fr->pts_us, f);
    return maker_flush(m, fr->pts_us, f);
}

static enum err maker_take(struct maker *m, struct decode *dec, const struct decode_frame *fr,
                           struct encode_clip_result *out, struct wire_failed *f) {
    const enum err e = maker_add(m, dec, fr, f);
    if (e != OK) return e;
    if (out->n_frames++ == 0) out->first_us = fr->pts_us;
    out->last_us = fr->pts_us;
    out->end_us = fr->pts_us + fr->duration_us;
    return OK;
}

enum err encode_clip_anew(struct decode *dec, const struct encode_clip *c, demux_idle_fn *idle, void *arg,
                          struct encode_clip_result *out, struct wire_failed *f) {
    *out = (struct encode_clip_result){.first_us = -1, .last_us = -1};
    struct maker m = {.clip = c, .o = {.fd = c->fd, .idle = idle, .arg = arg}};
    /* The clip opens with the frame that is on screen at from_us: the last one not after it. */
    struct decode_frame fr, before = {0};
    AVFrame *kept = NULL;
    enum err e = decode_seek_us(dec, c->from_us, f);
    while (e == OK) {
        if (idle) idle(arg);
        e = decode_next(dec, &fr, f);
        if (e != OK || fr.pts_us >= c->to_us) break;
        if (fr.pts_us <= c->from_us) {
            av_frame_free(&kept);
            kept = av_frame_clone(fr.av);
            if (!kept) e = encode_no_memory(f, fr.pts_us);
            before = fr;
            before.av = kept;
            continue;
        }
        if (kept) e = maker_take(&m, dec, &before, out, f);
        av_frame_free(&kept);
        if (e == OK) e = maker_take(&m, dec, &fr, out, f);
    }
    if (e == ERR_EOF) e = OK;
    if (e == OK && kept && before.pts_us + before.duration_us > c->from_us)
        e = maker_take(&m, dec, &before, out, f);
    av_frame_free(&kept);
    if (e == OK && !m.codec) e = nothing_there(c, f);
    if (e == OK) e = output_result(&m.o, avcodec_send_frame(m.codec, NULL), c->from_us, f);
    if (e == OK) e = maker_flush(&m, c->from_us, f);
    if (e == OK) e = output_result(&m.o, av_write_trailer(m.o.fmt), c->from_us, f);
    if (e == OK) avio_flush(m.o.io);
    if (e == OK) e = output_result(&m.o, 0, c->from_us, f);
    maker_fini(&m);
    return e;
}
