/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "driver/card_abi.h"
#include "host/base/log.h"
#include "host/base/size.h"
#include "host/media/gate.h"

/* Sample aspect ratios outside are mistakes of a muxer; pictures are then taken as they are stored. */
#define ASPECT_LIMIT 4
/* Above that many lines a picture without a stated matrix is HD. */
#define SD_LINES_MAX       576
#define SEEK_BACK_FIRST_US 2000000
#define SEEK_TRIES         6
#define HOLE_US            500000
/* Packets whose times are remembered: more than any reordering spans. */
#define RECENT     64
#define PASSED_MAX 1024

struct shape {
    int crop_w, crop_h;     /* of the stored picture; even */
    int wide, high;         /* after making pixels square, before turning */
    unsigned quarter_turns; /* clockwise */
    bool mirrored;
};

struct decode {
    struct demux *demux;
    AVCodecContext *codec;
    AVPacket *pkt;
    AVFrame *frame;
    decode_gap_fn *on_gap;
    void *arg;
    bool draining;

    bool has_first;
    int64_t first_container_ticks; /* as the container has it */
    int64_t last_us, end_us;       /* < 0: none yet since the start or the last seek */
    int64_t step_us;               /* between the last two frames; 0 = unknown */
    uint64_t n_decoded, n_damaged, n_counted;
    unsigned n_jumps;

    /* What is wanted of the decoder (decode_want), and the last packets that went by, whether skipped or not.
     */
    bool sparse, some_untimed, keys_only;
    bool alone; /* the key frame in the decoder was followed by an end, to have it at once */
    uint32_t fps_milli;
    int64_t after_us;
    struct {
        int64_t us;
        bool left_out; /* unless other frames refer to it */
    } recent[RECENT];
    unsigned n_recent;          /* all so far; the ring holds the last RECENT */
    int64_t left_out_us;        /* the latest of them; < 0 = none */
    int64_t passed[PASSED_MAX]; /* keys_only: times of the packets since the last key frame */
    unsigned n_passed;

    struct gate *gate; /* NULL = all is decoded */
    decode_verdict_fn *on_verdict;
    AVFrame *key;          /* of a closed group, out of the gate */
    bool has_key, is_next; /* it waits until the decoder is empty; it is the next frame */
    bool fed;              /* the decoder holds something */
    int64_t fed_us;        /* the latest time that went into it */
    int64_t not_before_us; /* what is shown earlier refers to frames that were left out */

    bool held; /* `frame` was decoded by decode_seek_us() and waits for decode_next() */
    struct decode_frame held_frame;

    bool broken;          /* nothing is shown until the next key frame */
    bool tainted;         /* shown, but it refers to a damaged frame */
    int64_t damage_ticks; /* when damaged data that went in will be shown; AV_NOPTS_VALUE = none */
    int64_t broken_from_us, broken_to_us; /* to: end of the last frame not shown */
    char reason[96];

    struct SwsContext *sws;
    int sws_w, sws_h, sws_format, sws_dst_w, sws_dst_h, sws_matrix, sws_full;
    uint8_t *turn; /* an unturned NV12 picture */
    size_t turn_bytes;
};

static const AVRational micro = {1, 1000000};

static enum err no_memory(struct wire_failed *f, int64_t at_us) {
    demux_fail(f, WIRE_FAIL_MEMORY, at_us, "needs more memory than a decode worker may have");
    return ERR_NOMEM;
}

enum err decode_open(struct demux *d, decode_gap_fn *on_gap, void *arg, struct decode **out,
                     struct wire_failed *f) {
    *out = NULL;
    const AVStream *st = demux_stream(d);
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    if (!codec) {
        demux_fail(f, WIRE_FAIL_CODEC, -1, "is coded as \"%s\", for which there is no decoder",
                   avcodec_get_name(st->codecpar->codec_id));
        return ERR_UNSUPPORTED;
    }
    enum err e = ERR_NOMEM;
    struct decode *dec = calloc(1, sizeof *dec);
    if (!dec) return no_memory(f, -1);
    dec->demux = d;
    dec->on_gap = on_gap;
    dec->arg = arg;
    dec->last_us = dec->left_out_us = dec->fed_us = -1;
    dec->not_before_us = INT64_MIN;
    dec->damage_ticks = AV_NOPTS_VALUE;
    dec->codec = avcodec_alloc_context3(codec);
    dec->pkt = av_packet_alloc();
    dec->frame = av_frame_alloc();
    dec->key = av_frame_alloc();
    if (!dec->codec || !dec->pkt || !dec->frame || !dec->key) {
        e = no_memory(f, -1);
        goto fail;
    }
    if (avcodec_parameters_to_context(dec->codec, st->codecpar) < 0) {
        demux_fail(f, WIRE_FAIL_CODEC, -1, "has unusable codec parameters");
        e = ERR_CORRUPT;
        goto fail;
    }
    dec->codec->pkt_timebase = st->time_base;
    dec->codec->thread_count = 1;
    /* Refused by the decoder before it allocates, with room for the alignment that codecs add. */
    dec->codec->max_pixels = (int64_t)DEMUX_SIDE_MAX_PX * DEMUX_SIDE_MAX_PX;
    const int rc = avcodec_open2(dec->codec, codec, NULL);
    if (rc < 0) {
        demux_fail(f, rc == AVERROR(ENOMEM) ? WIRE_FAIL_MEMORY : WIRE_FAIL_CODEC, -1,
                   "cannot be decoded as %s: %s", avcodec_get_name(st->codecpar->codec_id), av_err2str(rc));
        e = rc == AVERROR(ENOMEM) ? ERR_NOMEM : ERR_UNSUPPORTED;
        goto fail;
    }
    *out = dec;
    return OK;
fail:
    decode_close(&dec);
    return e;
}

void decode_close(struct decode **pd) {
    if (!pd || !*pd) return;
    struct decode *dec = *pd;
    sws_freeContext(dec->sws);
    av_free(dec->turn);
    gate_close(&dec->gate);
    av_frame_free(&dec->key);
    av_frame_free(&dec->frame);
    av_packet_free(&dec->pkt);
    avcodec_free_context(&dec->codec);
    free(dec);
    *pd = NULL;
}

/* ---- frames and times
 * --------------------------------------------------------------------------------------- */
static int64_t nominal_duration_us(const struct decode *dec) {
    const AVStream *st = demux_stream(dec->demux);
    const AVRational r =
        st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0 ? st->avg_frame_rate : st->r_frame_rate;
    if (r.num <= 0 || r.den <= 0) return 40000;
    const int64_t us = av_rescale_q(1, av_inv_q(r), micro);
    return us < 1 ? 1 : us > 10000000 ? 10000000 : us;
}

/* Up to where the footage is known to be there, with what was left out. */
static int64_t reached_us(const struct decode *dec) {
    const int64_t other = dec->left_out_us < 0 ? 0 : dec->left_out_us + nominal_duration_us(dec);
    return dec->end_us > other ? dec->end_us : other;
}

void decode_counts(const struct decode *dec, struct decode_counts *out) {
    *out = (struct decode_counts){.n_decoded = dec->n_decoded,
                                  .n_damaged = dec->n_damaged,
                                  .last_pts_us =
                                      dec->last_us > dec->left_out_us ? dec->last_us : dec->left_out_us,
                                  .end_us = dec->last_us < 0 ? 0 : reached_us(dec)};
}

/* A pause between frames that is worth telling. */
static int64_t hole_us(const struct decode *dec) {
    const int64_t three = 3 * nominal_duration_us(dec);
    return three > HOLE_US ? three : HOLE_US;
}

static void note_broken(struct decode *dec, const char *reason) {
    if (dec->broken) return;
    dec->broken = true;
    dec->broken_from_us = dec->last_us < 0 ? 0 : reached_us(dec);
    dec->broken_to_us = dec->broken_from_us + nominal_duration_us(dec);
    snprintf(dec->reason, sizeof dec->reason, "%s", reason);
}

static void tell_gap(struct decode *dec, int64_t to_us, const char *reason) {
    if (dec->on_gap && dec->has_first && to_us > dec->broken_from_us)
        dec->on_gap(dec->broken_from_us, to_us, reason, dec->arg);
}

/* The moment the frame is shown. Presentation time first; a container that has only decode times (AVI) gives
 * each frame that of the packet which released it; one that has none (raw streams) leaves only counting. */
static int64_t time_of(struct decode *dec, const AVFrame *fr) {
    int64_t t = fr->pts != AV_NOPTS_VALUE ? fr->pts : fr->pkt_dts;
    if (t == AV_NOPTS_VALUE || t > INT64_MAX / 4 || t < INT64_MIN / 4) {
        if (!dec->has_first) demux_set_zero(dec->demux, 0);
        if (demux_is_untimed(dec->demux)) return (int64_t)dec->n_counted * nominal_duration_us(dec);
        if (dec->last_us < 0) return 0;
        return dec->last_us + (dec->step_us > 0 ? dec->step_us : nominal_duration_us(dec));
    }
    if (!dec->has_first) {
        dec->first_container_ticks = t;
        demux_set_zero(dec->demux, t);
    }
    return demux_us_of(dec->demux, t);
}

/* Duration of the frames left out between the last one shown and this moment. */
static int64_t left_out_before_us(const struct decode *dec, int64_t us) {
    if (dec->keys_only || dec->gate) return reached_us(dec) - dec->end_us;
    unsigned n = 0;
    for (unsigned i = 0; dec->sparse && i < RECENT && i < dec->n_recent; i++)
        n += dec->recent[i].left_out && dec->recent[i].us > dec->last_us && dec->recent[i].us < us;
    return (int64_t)n * nominal_duration_us(dec);
}

/* Decides what to do with a frame that the decoder gave: true = show it. */
static bool accept(struct decode *dec, struct decode_frame *out) {
    const AVFrame *fr = dec->frame;
    const int64_t us = time_of(dec, fr);
    const bool bad = fr->decode_error_flags != 0 || (fr->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    /* I-frames without the key flag: streams of some encoders never set it; decoding recovers there all the
     * same. */
    const bool fresh = !bad && (fr->key_frame || fr->pict_type == AV_PICTURE_TYPE_I);
    if (fr->width <= 0 || fr->height <= 0) return false;
    if (dec->keys_only && dec->has_first && !fr->key_frame) {
        /* It was in the decoder already when only key frames became wanted. */
        if (us > dec->left_out_us) dec->left_out_us = us;
        return false;
    }
    if (us < dec->not_before_us) {
        if (us > dec->left_out_us) dec->left_out_us = us;
        return false;
    }
    dec->n_decoded++;
    if (dec->broken && !fresh) {
        dec->n_damaged++;
        dec->broken_to_us = us + nominal_duration_us(dec);
        if (dec->last_us >= 0) dec->n_counted++; /* its moment passed all the same */
        return false;
    }
    dec->n_counted++;
    if (dec->has_first && us < 0) return false;
    if (dec->last_us >= 0 && us <= dec->last_us) return false;
    if (dec->broken) {
        tell_gap(dec, us, dec->reason);
        dec->broken = dec->tainted = false;
    } else if (dec->last_us >= 0 && us - dec->end_us - left_out_before_us(dec, us) > hole_us(dec)) {
        /* Some containers skip damage without a word; some recorders pause. Either way there is no footage.
         */
        dec->broken_from_us = dec->end_us;
        tell_gap(dec, us, dec->tainted ? "damaged data in the file" : "no frames in the file");
    }
    if (fresh) dec->tainted = false;
    const int64_t ticks = demux_ticks_of(dec->demux, us);
    if (bad) dec->tainted = true;
    if (dec->damage_ticks != AV_NOPTS_VALUE && ticks >= dec->damage_ticks) {
        dec->tainted = true;
        dec->damage_ticks = AV_NOPTS_VALUE;
    }
    if (demux_n_jumps(dec->demux) > dec->n_jumps && ticks >= demux_jump_ticks(dec->demux)) {
        dec->n_jumps = demux_n_jumps(dec->demux);
        if (dec->on_gap && dec->has_first)
            dec->on_gap(us, us, "the recording's clock jumps back here", dec->arg);
    }
    int64_t duration = fr->pkt_duration > 0 && fr->pkt_duration < INT64_MAX / 4
                           ? av_rescale_q(fr->pkt_duration, demux_stream(dec->demux)->time_base, micro)
                           : 0;
    if (duration <= 0 || duration > 10000000) duration = nominal_duration_us(dec);
    dec->has_first = true;
    dec->step_us = dec->last_us < 0 ? 0 : us - dec->last_us;
    dec->last_us = us;
    dec->end_us = us + duration;
    if (dec->tainted) dec->n_damaged++;
    *out = (struct decode_frame){.av = fr,
                                 .pts_us = us,
                                 .duration_us = duration,
                                 .is_key = fr->key_frame != 0,
                                 .is_damaged = dec->tainted};
    return true;
}

int64_t decode_mark_of(uint32_t fps_milli, int64_t us) {
    return (int64_t)((__int128)(us + DECODE_MARK_SLACK_US) * fps_milli / 1000000000);
}

void decode_want(struct decode *dec, uint32_t fps_milli, int64_t after_us, bool keys_only) {
    /* Two fields may come as two packets with a time each: there a packet is not a frame. */
    const enum AVFieldOrder order = dec->codec->field_order;
    dec->sparse = !dec->some_untimed && (order == AV_FIELD_UNKNOWN || order == AV_FIELD_PROGRESSIVE);
    dec->fps_milli = fps_milli;
    dec->after_us = after_us;
    /* Without times of their own, key frames get theirs from what comes between: then all is decoded. */
    dec->keys_only = keys_only && !dec->some_untimed;
    /* What the decoder still holds comes out, and the next key frame meets an empty one. */
    if (dec->keys_only && !dec->draining && avcodec_send_packet(dec->codec, NULL) == 0) dec->alone = true;
}

/* True when nobody wants the picture of this packet: another frame before it has reached the same mark, or it
 * is not after after_us. Frames come in decode order, and what a non-reference frame lies behind in time has
 * always been sent before it, so looking back is enough. */
static bool is_unwanted(struct decode *dec, const AVPacket *pkt) {
    /* Where some frames get the time of the packet that releases them, every packet matters. */
    if (pkt->pts == AV_NOPTS_VALUE) {
        dec->some_untimed = true;
        dec->sparse = false;
    }
    if (!dec->sparse || !dec->has_first || dec->broken) return false;
    const int64_t us = demux_us_of(dec->demux, pkt->pts);
    bool unwanted = us >= 0 && us <= dec->after_us;
    if (dec->fps_milli > 0 && us >= 0 && !unwanted) {
        const int64_t mark = decode_mark_of(dec->fps_milli, us);
        for (unsigned i = 0; i < RECENT && i < dec->n_recent && !unwanted; i++)
            unwanted = dec->recent[i].us < us && dec->recent[i].us >= 0 &&
                       decode_mark_of(dec->fps_milli, dec->recent[i].us) == mark;
    }
    unwanted = unwanted && !(pkt->flags & AV_PKT_FLAG_KEY);
    dec->recent[dec->n_recent % RECENT].us = us;
    dec->recent[dec->n_recent % RECENT].left_out = unwanted;
    dec->n_recent++;
    if (unwanted && us > dec->left_out_us) dec->left_out_us = us;
    return unwanted;
}

static int earlier(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Pauses among frames that are not looked at: their times in the order they are shown, a group at a time. */
static void look_for_pauses(struct decode *dec) {
    qsort(dec->passed, dec->n_passed, sizeof dec->passed[0], earlier);
    for (unsigned i = 1; i < dec->n_passed; i++) {
        const int64_t end_us = dec->passed[i - 1] + nominal_duration_us(dec);
        if (dec->passed[i] - end_us <= hole_us(dec)) continue;
        dec->broken_from_us = end_us;
        tell_gap(dec, dec->passed[i], "no frames in the file");
    }
    /* The latest begins the next group. */
    if (dec->n_passed > 0) dec->passed[0] = dec->passed[dec->n_passed - 1];
    dec->n_passed = dec->n_passed > 0;
}

static void note_passed(struct decode *dec, int64_t ticks, bool is_key) {
    if (ticks == AV_NOPTS_VALUE) return;
    const int64_t us = demux_us_of(dec->demux, ticks);
    dec->passed[dec->n_passed++] = us;
    if (is_key || dec->n_passed == PASSED_MAX) look_for_pauses(dec);
    if (us > dec->left_out_us) dec->left_out_us = us;
}

static void on_passed(int64_t ticks, bool is_key, void *arg) {
    struct decode *dec = arg;
    if (dec->n_passed == 0 && dec->fed_us >= 0) dec->passed[dec->n_passed++] = dec->fed_us;
    note_passed(dec, ticks, is_key);
}

static void on_gate_verdict(const struct gate_verdict *v, void *arg) {
    const struct decode *dec = arg;
    if (dec->on_verdict) dec->on_verdict(v, dec->arg);
}

enum err decode_gate(struct decode *dec, unsigned width, decode_verdict_fn *on_verdict,
                     struct wire_failed *f) {
    if (dec->some_untimed) return OK;
    dec->on_verdict = on_verdict;
    const enum err e = gate_open(dec->demux, width, dec->after_us, on_gate_verdict, dec, &dec->gate);
    if (e == ERR_NOMEM) return no_memory(f, dec->last_us);
    return OK; /* ERR_UNSUPPORTED: nothing to go by, so all of it is looked at */
}

/* The next packet that the gate lets through, or a key frame in dec->key (has_key). */
static enum err read_gated(struct decode *dec) {
    enum gate_item item;
    if (dec->has_key) return OK;
    const enum err e = gate_next(dec->gate, dec->pkt, dec->key, on_passed, dec, &item);
    if (e != OK) return e;
    dec->has_key = item == GATE_KEY;
    if (dec->has_key) return OK;
    const int64_t t = dec->pkt->pts != AV_NOPTS_VALUE ? dec->pkt->pts : dec->pkt->dts;
    const int64_t us = t == AV_NOPTS_VALUE ? -1 : demux_us_of(dec->demux, t);
    if (item == GATE_FIRST) {
        look_for_pauses(dec);
        dec->n_passed = 0;
        dec->not_before_us = us;
        dec->fed_us = us;
    }
    if (us > dec->fed_us) dec->fed_us = us;
    return OK;
}

/* Drops the packets up to the next key frame. */
static enum err skip_to_key(struct decode *dec) {
    for (;;) {
        note_passed(dec, dec->pkt->pts != AV_NOPTS_VALUE ? dec->pkt->pts : dec->pkt->dts,
                    (dec->pkt->flags & AV_PKT_FLAG_KEY) != 0);
        if (dec->pkt->flags & AV_PKT_FLAG_KEY) return OK;
        av_packet_unref(dec->pkt);
        const enum err e = demux_read(dec->demux, dec->pkt);
        if (e != OK) return e;
    }
}

/* Feeds the decoder one more packet, or tells it that there is none. */
static enum err feed(struct decode *dec, struct wire_failed *f) {
    enum err e = dec->gate ? read_gated(dec) : demux_read(dec->demux, dec->pkt);
    int rc;
    if (e == OK && dec->has_key) {
        if (dec->fed && avcodec_send_packet(dec->codec, NULL) == 0)
            dec->alone = true; /* what the decoder holds comes first */
        else
            dec->is_next = true;
        dec->fed = false;
        return OK;
    }
    if (e == OK && dec->keys_only && dec->has_first) e = skip_to_key(dec);
    switch ((int)e) {
    case OK:
        if (!dec->has_first && av_packet_get_side_data(dec->pkt, AV_PKT_DATA_ENCRYPTION_INFO, NULL)) {
            demux_fail(f, WIRE_FAIL_CODEC, -1,
                       "is encrypted; export it from the recorder without encryption");
            return ERR_UNSUPPORTED;
        }
        /* Lost parts of a transport stream: decoders conceal most of it, so it is shown, but not trusted. */
        if (dec->pkt->flags & AV_PKT_FLAG_CORRUPT)
            dec->damage_ticks = dec->pkt->pts != AV_NOPTS_VALUE ? dec->pkt->pts : INT64_MIN + 1;
        /* The decoder leaves out frames that no other refers to; it decodes all others in any case. */
        dec->codec->skip_frame = is_unwanted(dec, dec->pkt) ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
        rc = avcodec_send_packet(dec->codec, dec->pkt);
        av_packet_unref(dec->pkt);
        dec->fed = true;
        if (dec->keys_only && dec->has_first && rc == 0) {
            /* Otherwise it would wait for the next, which then seems to come after lost frames. */
            dec->alone = true;
            rc = avcodec_send_packet(dec->codec, NULL);
        }
        break;
    case ERR_EOF:
        dec->draining = true;
        rc = avcodec_send_packet(dec->codec, NULL);
        break;
    case ERR_CORRUPT:
        note_broken(dec, "unreadable data in the file");
        return OK;
    case ERR_NOMEM:
        return no_memory(f, dec->last_us);
    default:
        demux_fail(f, WIRE_FAIL_READ, dec->last_us,
                   "cannot be read on: input/output error, or it changed meanwhile");
        return ERR_IO;
    }
    if (rc == AVERROR(ENOMEM)) return no_memory(f, dec->last_us);
    if (rc < 0 && rc != AVERROR_EOF) note_broken(dec, "undecodable data in the file");
    return OK;
}

/* At the end: what the container promised and did not hold is a gap too. */
static void tell_missing_end(struct decode *dec) {
    const int64_t stated = demux_video_duration_us(dec->demux);
    const bool cut = stated > reached_us(dec) + 1000000; /* by more than rounding and edit lists make */
    if (!dec->has_first || (!dec->broken && !cut)) return;
    if (!dec->broken) dec->broken_from_us = reached_us(dec);
    if (cut)
        tell_gap(dec, stated, "the file ends before the recording does: it was cut off");
    else
        tell_gap(dec, dec->broken_to_us, dec->reason);
    dec->broken = false;
}

enum err decode_next(struct decode *dec, struct decode_frame *out, struct wire_failed *f) {
    if (dec->held) {
        dec->held = false;
        *out = dec->held_frame;
        return OK;
    }
    for (;;) {
        if (dec->is_next) {
            dec->is_next = dec->has_key = false;
            av_frame_unref(dec->frame);
            av_frame_move_ref(dec->frame, dec->key);
            if (accept(dec, out)) return OK;
            continue;
        }
        const int rc = avcodec_receive_frame(dec->codec, dec->frame);
        if (rc == 0) {
            if (accept(dec, out)) return OK;
        } else if (rc == AVERROR(EAGAIN) && !dec->draining) {
            const enum err e = feed(dec, f);
            if (e != OK) return e;
        } else if (rc == AVERROR_EOF && dec->alone) {
            avcodec_flush_buffers(dec->codec);
            dec->alone = false;
        } else if (rc == AVERROR_EOF || rc == AVERROR(EAGAIN)) {
            if (!dec->has_first) {
                demux_fail(f, WIRE_FAIL_DATA, -1, "holds video, but not one frame that can be decoded");
                return ERR_CORRUPT;
            }
            tell_missing_end(dec);
            return ERR_EOF;
        } else if (rc == AVERROR(ENOMEM)) {
            return no_memory(f, dec->last_us);
        } else {
            note_broken(dec, "undecodable data in the file");
        }
    }
}

enum err decode_seek_us(struct decode *dec, int64_t us, struct wire_failed *f) {
    int64_t aim = us, back = SEEK_BACK_FIRST_US;
    for (int i = 0;; i++) {
        if (i == SEEK_TRIES) aim = 0;
        enum err e = demux_seek_us(dec->demux, aim, f);
        if (e != OK) return e;
        avcodec_flush_buffers(dec->codec);
        if (dec->gate) gate_restart(dec->gate);
        av_frame_unref(dec->key);
        dec->has_key = dec->is_next = dec->fed = false;
        dec->fed_us = -1;
        dec->not_before_us = INT64_MIN;
        dec->draining = dec->alone = dec->broken = dec->tainted = dec->held = false;
        dec->damage_ticks = AV_NOPTS_VALUE;
        dec->step_us = 0;
        dec->n_recent = 0;
        dec->left_out_us = -1;
        dec->n_passed = 0;
        dec->last_us = -1;
        dec->end_us = dec->broken_from_us = 0;
        dec->n_counted = 0;
        dec->n_jumps = demux_n_jumps(dec->demux);
        struct decode_frame fr;
        e = decode_next(dec, &fr, f);
        /* A key frame that only begins a gradual refresh shows nothing at once: then further back. */
        if (aim <= 0 || (e == OK && fr.pts_us <= us)) {
            if (e == OK) {
                dec->held = true;
                dec->held_frame = fr;
            }
            return e == ERR_EOF ? OK : e;
        }
        if (e != OK && e != ERR_EOF) return e;
        aim = us - back;
        back *= 4;
    }
}

/* ---- pixels
 * --------------------------------------------------------------------------------------------------- */
static int even(int64_t v) {
    return (int)(v & ~(int64_t)1);
}

static enum err shape_of(const struct decode *dec, const AVFrame *fr, int64_t at_us, struct shape *sh,
                         struct wire_failed *f) {
    sh->crop_w = even(fr->width);
    sh->crop_h = even(fr->height);
    int64_t w = sh->crop_w, h = sh->crop_h;
    AVStream *st = dec->demux ? demux_format(dec->demux)->streams[demux_stream(dec->demux)->index] : NULL;
    const AVRational r = av_guess_sample_aspect_ratio(NULL, st, (AVFrame *)(uintptr_t)fr);
    if (r.num > 0 && r.den > 0 && r.num <= (int64_t)r.den * ASPECT_LIMIT &&
        r.den <= (int64_t)r.num * ASPECT_LIMIT) {
        /* Only ever enlarged: no detail is lost. */
        if (r.num > r.den)
            w = av_rescale(w, r.num, r.den);
        else if (r.num < r.den)
            h = av_rescale(h, r.den, r.num);
    }
    sh->wide = even(w);
    sh->high = even(h);
    demux_orientation(dec->demux, &sh->quarter_turns, &sh->mirrored);
    if (sh->wide < 2 || sh->high < 2 || sh->wide > DEMUX_SIDE_MAX_PX || sh->high > DEMUX_SIDE_MAX_PX) {
        demux_fail(f, WIRE_FAIL_SIZE, at_us, "has pictures of %d x %d, which cannot be analysed", fr->width,
                   fr->height);
        return ERR_UNSUPPORTED;
    }
    return OK;
}

static bool is_rgb(const AVFrame *fr) {
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get((enum AVPixelFormat)fr->format);
    return desc && (desc->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
}

static bool is_full_range(const AVFrame *fr) {
    if (is_rgb(fr)) return false; /* becomes 16..235 */
    if (fr->color_range != AVCOL_RANGE_UNSPECIFIED) return fr->color_range == AVCOL_RANGE_JPEG;
    switch (fr->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_GRAY8:
        return true;
    default:
        return false;
    }
}

static enum card_matrix matrix_of(const AVFrame *fr) {
    switch ((int)fr->colorspace) {
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_FCC:
        return CARD_MATRIX_BT601;
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL: /* the nearest of the two that a card knows */
    case AVCOL_SPC_BT2020_CL:
        return CARD_MATRIX_BT709;
    default:
        return fr->height <= SD_LINES_MAX ? CARD_MATRIX_BT601 : CARD_MATRIX_BT709;
    }
}

static void surface_of(const AVFrame *fr, const struct shape *sh, struct wire_surface *s) {
    const bool on_side = sh->quarter_turns % 2;
    memset(s, 0, sizeof *s);
    s->w_px = (uint32_t)(on_side ? sh->high : sh->wide);
    s->h_px = (uint32_t)(on_side ? sh->wide : sh->high);
    s->stride_bytes = s->w_px;
    s->uv_offset_bytes = s->w_px * s->h_px;
    s->matrix = (uint8_t)matrix_of(fr);
    s->full_range = is_full_range(fr);
}

enum err decode_shape(const struct decode *dec, const struct decode_frame *fr, struct wire_surface *s,
                      struct wire_failed *f) {
    struct shape sh;
    const enum err e = shape_of(dec, fr->av, fr->pts_us, &sh, f);
    if (e == OK) surface_of(fr->av, &sh, s);
    return e;
}

/* "yuvj" formats are their plain twins with the range in another place; swscale warns about the former. */
static enum AVPixelFormat plain_format(int format) {
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
        return AV_PIX_FMT_YUV411P;
    default:
        return (enum AVPixelFormat)format;
    }
}

static enum err prepare_sws(struct decode *dec, const AVFrame *fr, const struct shape *sh, int64_t at_us,
                            struct wire_failed *f) {
    const int format = plain_format(fr->format), full = is_full_range(fr), matrix = matrix_of(fr);
    if (dec->sws && dec->sws_w == sh->crop_w && dec->sws_h == sh->crop_h && dec->sws_format == format &&
        dec->sws_dst_w == sh->wide && dec->sws_dst_h == sh->high && dec->sws_full == full &&
        dec->sws_matrix == matrix)
        return OK;
    sws_freeContext(dec->sws);
    dec->sws = NULL;
    if (!sws_isSupportedInput((enum AVPixelFormat)format)) {
        demux_fail(f, WIRE_FAIL_CODEC, at_us, "has pictures in the format \"%s\", which cannot be converted",
                   av_get_pix_fmt_name((enum AVPixelFormat)fr->format)
                       ? av_get_pix_fmt_name((enum AVPixelFormat)fr->format)
                       : "?");
        return ERR_UNSUPPORTED;
    }
    struct SwsContext *c = sws_getContext(sh->crop_w, sh->crop_h, (enum AVPixelFormat)format, sh->wide,
                                          sh->high, AV_PIX_FMT_NV12, SWS_BICUBIC, NULL, NULL, NULL);
    if (!c) return no_memory(f, at_us);
    const int *coeff = sws_getCoefficients(matrix == CARD_MATRIX_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    /* Same range and matrix on both sides: samples keep their meaning, wire_surface says which. RGB has a
     * range of its own and becomes 16..235. */
    const int rc =
        sws_setColorspaceDetails(c, coeff, is_rgb(fr) ? 1 : full, coeff, full, 0, 1 << 16, 1 << 16);
    if (rc < 0) log_debug("decode", "colour details not taken format=%d", format);
    dec->sws = c;
    dec->sws_w = sh->crop_w;
    dec->sws_h = sh->crop_h;
    dec->sws_format = format;
    dec->sws_dst_w = sh->wide;
    dec->sws_dst_h = sh->high;
    dec->sws_full = full;
    dec->sws_matrix = matrix;
    return OK;
}

/* One plane of `n`-byte samples, mirrored left to right first, then turned clockwise. */
static void turn_plane(const uint8_t *src, int w, int h, int n, unsigned turns, bool mirrored, uint8_t *dst) {
    const int dst_w = turns % 2 ? h : w;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            const int mx = mirrored ? w - 1 - x : x;
            int dx = mx, dy = y;
            if (turns == 1) {
                dx = h - 1 - y;
                dy = mx;
            } else if (turns == 2) {
                dx = w - 1 - mx;
                dy = h - 1 - y;
            } else if (turns == 3) {
                dx = y;
                dy = w - 1 - mx;
            }
            memcpy(dst + ((size_t)dy * (size_t)dst_w + (size_t)dx) * (size_t)n,
                   src + ((size_t)y * (size_t)w + (size_t)x) * (size_t)n, (size_t)n);
        }
    }
}

enum err decode_nv12(struct decode *dec, const struct decode_frame *frame, uint8_t *dst, size_t cap,
                     struct wire_surface *s, struct wire_failed *f) {
    const AVFrame *fr = frame->av;
    struct shape sh;
    enum err e = shape_of(dec, fr, frame->pts_us, &sh, f);
    if (e != OK) return e;
    surface_of(fr, &sh, s);
    const size_t need = (size_t)sh.wide * (size_t)sh.high * 3 / 2;
    if (need > cap) {
        demux_fail(f, WIRE_FAIL_GEOMETRY, frame->pts_us,
                   "has pictures of %u x %u from here on, larger than before", s->w_px, s->h_px);
        f->w_px = s->w_px;
        f->h_px = s->h_px;
        return ERR_FULL;
    }
    const bool turned = sh.quarter_turns != 0 || sh.mirrored;
    if (turned && dec->turn_bytes < need) {
        av_free(dec->turn);
        dec->turn_bytes = 0;
        dec->turn = av_malloc(need);
        if (!dec->turn) return no_memory(f, frame->pts_us);
        dec->turn_bytes = need;
    }
    uint8_t *flat = turned ? dec->turn : dst;
    uint8_t *const planes[4] = {flat, flat + (size_t)sh.wide * (size_t)sh.high};
    const int strides[4] = {sh.wide, sh.wide};
    if (fr->format == AV_PIX_FMT_NV12 && sh.wide == sh.crop_w && sh.high == sh.crop_h) {
        av_image_copy_plane(planes[0], strides[0], fr->data[0], fr->linesize[0], sh.wide, sh.high);
        av_image_copy_plane(planes[1], strides[1], fr->data[1], fr->linesize[1], sh.wide, sh.high / 2);
    } else {
        e = prepare_sws(dec, fr, &sh, frame->pts_us, f);
        if (e != OK) return e;
        const int rows = sws_scale(dec->sws, (const uint8_t *const *)fr->data, fr->linesize, 0, sh.crop_h,
                                   planes, strides);
        if (rows != sh.high) {
            demux_fail(f, WIRE_FAIL_DATA, frame->pts_us, "has a picture that cannot be converted");
            return ERR_CORRUPT;
        }
    }
    if (turned) {
        turn_plane(planes[0], sh.wide, sh.high, 1, sh.quarter_turns, sh.mirrored, dst);
        turn_plane(planes[1], sh.wide / 2, sh.high / 2, 2, sh.quarter_turns, sh.mirrored,
                   dst + s->uv_offset_bytes);
    }
    return OK;
}

void decode_describe(const struct decode *dec, const struct decode_frame *first, struct wire_probed *p) {
    memset(p, 0, sizeof *p);
    wire_begin(p, WIRE_DECODE_PROBED, sizeof *p);
    demux_describe(dec->demux, p);
    struct wire_surface s;
    struct wire_failed f;
    if (decode_shape(dec, first, &s, &f) == OK) {
        p->w_px = s.w_px;
        p->h_px = s.h_px;
    }
    unsigned turns;
    bool mirrored;
    demux_orientation(dec->demux, &turns, &mirrored);
    p->rotation_deg = turns * 90;
    p->first_pts_us = av_rescale_q(dec->first_container_ticks, demux_stream(dec->demux)->time_base, micro);
    demux_clean_text(p->pixel_format, sizeof p->pixel_format,
                     av_get_pix_fmt_name((enum AVPixelFormat)first->av->format));
}
