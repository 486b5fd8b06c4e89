/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "host/base/log.h"
#include "host/media/activity.h"

/* Groups whose key frames are known ahead of the one that is decided, and packets of one of them. */
enum { GROUPS_MAX = 8, PACKETS_MAX = 1024 };
#define GROUP_BYTES_MAX (32u << 20)
/* Two cells: the smallest thing that the detector can see covers more. */
#define ACTIVE_MIN 2u
/* Packet sizes: a group is large when it leaves the quiet ones by six times their spread and by a third; they
 * tell something where the groups that key frames opened are large too. */
#define SIZE_SPREADS 6.0
#define SIZE_FACTOR  1.3
enum { SIZES_LEARNED = 8, SIZES_JUDGED = 5 };

struct group {
    AVPacket *packets[PACKETS_MAX]; /* NULL = unreadable data here */
    unsigned n, next;               /* next: the first not handed on */
    uint64_t n_bytes;               /* without the key frame */
    AVFrame *key;                   /* NULL = could not be decoded alone */
    int64_t from_us, last_us;
    uint32_t n_active;
    bool active, active_wide; /* its key frame; with half the threshold */
    bool learning, whole;     /* whole: the next group has begun, or nothing follows */
    bool forced;              /* open whatever the key frames say */
    bool decided, open;
};

/* Mean size of the packets of quiet groups, and how it spreads; how often active ones are large. */
struct sizes {
    unsigned n_quiet, n_active, n_active_large;
    double mean, spread;
};

struct gate {
    struct demux *demux;
    AVCodecContext *codec;
    AVPacket *pkt; /* read, not placed yet */
    bool has_pkt, at_end;
    enum err end; /* why nothing more comes */
    struct activity *activity;
    struct activity *activity_wide;
    unsigned width;
    int64_t after_us;
    int64_t epoch;
    struct group *groups[GROUPS_MAX]; /* oldest first */
    unsigned n_groups;
    struct group *spare;
    uint32_t past; /* of the groups handed on: bit 0 the last was active, bit 1 the one before */
    bool was_closed;
    struct sizes sizes;
    gate_verdict_fn *on_verdict;
    void *arg;
};

static const struct activity_limits narrow = {.least = 4, .wavers = 4},
                                    wide = {.least = 2.5f, .wavers = 2.5f};

int64_t gate_begin_us(int64_t after_us) {
    /* The group that goes on behind after_us may have begun in the epoch before. */
    const int64_t us = after_us - GATE_GROUP_MAX_US;
    return us < 0 ? 0 : us / GATE_EPOCH_US * GATE_EPOCH_US;
}

static void empty(struct group *gr) {
    for (unsigned i = gr->next; i < gr->n; i++) av_packet_free(&gr->packets[i]);
    av_frame_free(&gr->key);
    memset(gr, 0, sizeof *gr);
}

void gate_close(struct gate **pg) {
    if (!pg || !*pg) return;
    struct gate *g = *pg;
    *pg = NULL;
    for (unsigned i = 0; i < g->n_groups; i++) {
        empty(g->groups[i]);
        free(g->groups[i]);
    }
    free(g->spare);
    av_packet_free(&g->pkt);
    avcodec_free_context(&g->codec);
    activity_free(&g->activity);
    activity_free(&g->activity_wide);
    free(g);
}

enum err gate_open(struct demux *d, unsigned width, int64_t after_us, gate_verdict_fn *on_verdict, void *arg,
                   struct gate **out) {
    *out = NULL;
    if (demux_is_untimed(d)) return ERR_UNSUPPORTED;
    const AVStream *st = demux_stream(d);
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    if (!codec) return ERR_UNSUPPORTED;
    struct gate *g = calloc(1, sizeof *g);
    if (!g) return ERR_NOMEM;
    enum err e = ERR_NOMEM;
    g->demux = d;
    g->width = width;
    g->after_us = after_us;
    g->on_verdict = on_verdict;
    g->arg = arg;
    g->epoch = -1;
    g->codec = avcodec_alloc_context3(codec);
    g->pkt = av_packet_alloc();
    if (!g->codec || !g->pkt || avcodec_parameters_to_context(g->codec, st->codecpar) < 0) goto fail;
    g->codec->pkt_timebase = st->time_base;
    g->codec->thread_count = 1;
    g->codec->max_pixels = (int64_t)DEMUX_SIDE_MAX_PX * DEMUX_SIDE_MAX_PX;
    if (avcodec_open2(g->codec, codec, NULL) < 0) goto fail;
    e = activity_new(&g->activity);
    if (!e) e = activity_new(&g->activity_wide);
    if (e) goto fail;
    *out = g;
    return OK;
fail:
    gate_close(&g);
    return e;
}

void gate_restart(struct gate *g) {
    for (unsigned i = 0; i < g->n_groups; i++) {
        empty(g->groups[i]);
        free(g->groups[i]);
    }
    g->n_groups = 0;
    av_packet_unref(g->pkt);
    g->has_pkt = g->at_end = g->was_closed = false;
    g->epoch = -1;
    avcodec_flush_buffers(g->codec);
}

static int64_t shown_us(const struct gate *g, const AVPacket *p) {
    const int64_t t = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
    return t == AV_NOPTS_VALUE ? AV_NOPTS_VALUE : demux_us_of(g->demux, t);
}

/* ---- key frames -----------------------------------------------------------------------------------------
 */

/* Decodes the key frame with nothing before or after it. NULL when it does not stand alone. */
static AVFrame *decode_alone(struct gate *g, const AVPacket *pkt) {
    AVFrame *fr = av_frame_alloc();
    bool good = fr && avcodec_send_packet(g->codec, pkt) == 0 && avcodec_send_packet(g->codec, NULL) == 0 &&
                avcodec_receive_frame(g->codec, fr) == 0;
    avcodec_flush_buffers(g->codec);
    good = good && !fr->decode_error_flags && !(fr->flags & AV_FRAME_FLAG_CORRUPT) && fr->width > 0 &&
           fr->height > 0 && fr->pts != AV_NOPTS_VALUE;
    if (!good) av_frame_free(&fr);
    return fr;
}

/* All formats with luma in a plane of bytes of its own. */
static bool has_plain_luma(const AVFrame *fr) {
    switch (fr->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_NV12:
    case AV_PIX_FMT_GRAY8:
        return true;
    default:
        return false;
    }
}

static enum err look_at_key(struct gate *g, struct group *gr, const AVPacket *pkt) {
    gr->key = decode_alone(g, pkt);
    gr->forced = !gr->key || !has_plain_luma(gr->key);
    if (gr->forced) return OK;
    const int64_t epoch = gr->from_us < 0 ? 0 : gr->from_us / GATE_EPOCH_US;
    if (epoch != g->epoch) {
        activity_restart(g->activity);
        activity_restart(g->activity_wide);
        g->sizes = (struct sizes){0};
        g->past = 0;
        g->epoch = epoch;
    }
    const AVFrame *k = gr->key;
    const size_t stride = (size_t)k->linesize[0];
    const unsigned w = (unsigned)k->width, h = (unsigned)k->height;
    uint32_t n_wide = 0;
    gr->learning = activity_n_seen(g->activity) < ACTIVITY_LEARNED;
    if (k->linesize[0] <= 0) {
        gr->forced = true;
        return OK;
    }
    enum err e = activity_look(g->activity, k->data[0], stride, w, h, &narrow, &gr->n_active);
    if (!e && g->width >= GATE_WIDEST)
        e = activity_look(g->activity_wide, k->data[0], stride, w, h, &wide, &n_wide);
    gr->active = gr->n_active >= ACTIVE_MIN;
    gr->active_wide = gr->active || n_wide >= ACTIVE_MIN;
    if (e == ERR_USAGE) { /* a picture of a few pixels */
        gr->forced = true;
        e = OK;
    }
    return e;
}

/* ---- reading ahead ---------------------------------------------------------------------------------------
 */

static struct group *new_group(struct gate *g) {
    struct group *gr = g->spare ? g->spare : calloc(1, sizeof *gr);
    g->spare = NULL;
    if (gr) g->groups[g->n_groups++] = gr;
    return gr;
}

static enum err place(struct gate *g, AVPacket *pkt) {
    const int64_t us = shown_us(g, pkt);
    const bool is_key = (pkt->flags & AV_PKT_FLAG_KEY) && us != AV_NOPTS_VALUE;
    struct group *gr = g->n_groups ? g->groups[g->n_groups - 1] : NULL;
    if (!gr || is_key) {
        if (gr) gr->whole = true;
        gr = new_group(g);
        if (!gr) return ERR_NOMEM;
        gr->from_us = gr->last_us = us == AV_NOPTS_VALUE ? 0 : us;
        gr->forced = !is_key; /* after a seek that did not find one */
        if (is_key) {
            const enum err e = look_at_key(g, gr, pkt);
            if (e) return e;
        }
    } else {
        gr->n_bytes += (uint64_t)pkt->size;
    }
    if (us == AV_NOPTS_VALUE)
        gr->forced = true; /* it cannot be left out without losing the times of others */
    else if (us > gr->last_us)
        gr->last_us = us;
    AVPacket *own = av_packet_alloc();
    if (!own) return ERR_NOMEM;
    av_packet_move_ref(own, pkt);
    gr->packets[gr->n++] = own;
    return OK;
}

/* One more packet into the last group. ERR_EOF and the like end the reading; what is held is still handed on.
 */
static enum err read_on(struct gate *g) {
    if (!g->has_pkt) {
        const enum err e = demux_read(g->demux, g->pkt);
        struct group *gr = g->n_groups ? g->groups[g->n_groups - 1] : NULL;
        if (e == ERR_CORRUPT && gr && gr->n < PACKETS_MAX) {
            gr->packets[gr->n++] = NULL;
            gr->forced = true;
            return OK;
        }
        if (e) {
            g->at_end = e != ERR_CORRUPT;
            g->end = e;
            if (gr && g->at_end) gr->whole = true;
            return e;
        }
        g->has_pkt = true;
    }
    const enum err e = place(g, g->pkt);
    if (!e) g->has_pkt = false;
    return e;
}

/* ---- the decision ----------------------------------------------------------------------------------------
 */

/* By mean size of a packet, the key frame left out: it is large whatever happens. */
static bool is_large(struct gate *g, const struct group *gr) {
    const double mean = gr->n > 1 ? (double)gr->n_bytes / (gr->n - 1) : 0;
    struct sizes *s = &g->sizes;
    const bool known = s->n_quiet >= SIZES_LEARNED;
    const bool large = known && mean > SIZE_FACTOR * s->mean && mean > s->mean + SIZE_SPREADS * s->spread;
    if (gr->active) {
        s->n_active += known;
        s->n_active_large += large;
        return large;
    }
    if (!large && !gr->forced) { /* a running mean: scenes change from day to night */
        s->n_quiet++;
        const double share = s->n_quiet < 32 ? 1.0 / s->n_quiet : 1.0 / 32;
        s->mean += (mean - s->mean) * share;
        s->spread += (fabs(mean - s->mean) - s->spread) * share;
    }
    /* Where active groups are not larger than quiet ones (a constant bit rate), sizes say nothing. */
    const bool tells = s->n_active < SIZES_JUDGED || 2 * s->n_active_large > s->n_active;
    return large && tells;
}

static bool active_at(const struct gate *g, unsigned i) {
    return i < g->n_groups && (g->width >= GATE_WIDEST ? g->groups[i]->active_wide : g->groups[i]->active);
}

/* Key frames needed beyond a group's own. */
static unsigned look_ahead(const struct gate *g) {
    return g->width == GATE_NARROWEST ? 1 : 2;
}

static bool is_too_long(const struct group *gr) {
    return gr->last_us - gr->from_us > GATE_GROUP_MAX_US || gr->n >= PACKETS_MAX - 1 ||
           gr->n_bytes > GROUP_BYTES_MAX;
}

/* The first group: true when it can be decided with what is known. */
static bool can_decide(const struct gate *g) {
    if (g->n_groups == 0) return false;
    for (unsigned i = 0; i < g->n_groups; i++)
        if (is_too_long(g->groups[i])) return true; /* and nobody can say what is beyond */
    return g->at_end || g->n_groups > look_ahead(g);
}

static void decide(struct gate *g) {
    struct group *gr = g->groups[0];
    const bool large = gr->whole && is_large(g, gr);
    bool active = active_at(g, 0) || active_at(g, 1);
    if (g->width > GATE_NARROWEST) active = active || active_at(g, 2) || (g->past & 1u);
    const int64_t to_us = g->n_groups > 1 ? g->groups[1]->from_us : gr->last_us;
    const bool sample = gr->from_us % GATE_EPOCH_US < GATE_SAMPLE_US;
    const bool blind = !g->at_end && g->n_groups <= look_ahead(g);
    const bool odd_length = blind || is_too_long(gr) || to_us - gr->from_us < GATE_GROUP_MIN_US;
    const struct gate_verdict v = {.from_us = gr->from_us,
                                   .to_us = to_us > gr->from_us ? to_us : gr->from_us + 1,
                                   .open =
                                       active || large || gr->forced || sample || gr->learning || odd_length,
                                   .would_open = active || large || gr->forced || odd_length,
                                   .sample = sample,
                                   .learning = gr->learning,
                                   .by_packets = large && !active,
                                   .n_active = gr->n_active};
    gr->decided = true;
    gr->open = v.open && (v.to_us > g->after_us || !gr->key);
    g->past = g->past << 1 | active_at(g, 0);
    g->on_verdict(&v, g->arg);
}

/* ---- handing on ------------------------------------------------------------------------------------------
 */

static void drop_first(struct gate *g) {
    struct group *gr = g->groups[0];
    memmove(g->groups, g->groups + 1, --g->n_groups * sizeof g->groups[0]);
    empty(gr);
    if (g->spare)
        free(gr);
    else
        g->spare = gr;
}

static enum err next_of_open(struct gate *g, struct group *gr, AVPacket *pkt, enum gate_item *item) {
    AVPacket **p = &gr->packets[gr->next++];
    if (gr->next == gr->n && !gr->whole) gr->next = gr->n = 0; /* a long group is handed on as it comes */
    if (!*p) return ERR_CORRUPT;
    av_packet_move_ref(pkt, *p);
    av_packet_free(p);
    *item = g->was_closed ? GATE_FIRST : GATE_PACKET;
    g->was_closed = false;
    return OK;
}

enum err gate_next(struct gate *g, AVPacket *pkt, AVFrame *key,
                   void (*passed)(int64_t ticks, bool is_key, void *arg), void *arg, enum gate_item *item) {
    for (;;) {
        struct group *gr = g->n_groups ? g->groups[0] : NULL;
        if (gr && !gr->decided && can_decide(g)) decide(g);
        if (gr && gr->decided && gr->open && gr->next < gr->n) return next_of_open(g, gr, pkt, item);
        if (gr && gr->decided && gr->open && gr->whole) {
            drop_first(g);
            continue;
        }
        if (gr && gr->decided && !gr->open) {
            for (unsigned i = 0; i < gr->n; i++) {
                const AVPacket *p = gr->packets[i];
                passed(p->pts != AV_NOPTS_VALUE ? p->pts : p->dts, i == 0, arg);
            }
            av_frame_move_ref(key, gr->key);
            *item = GATE_KEY;
            g->was_closed = true;
            drop_first(g);
            return OK;
        }
        if (g->at_end) return g->end;
        const enum err e = read_on(g);
        if (e && !g->at_end) return e;
    }
}
