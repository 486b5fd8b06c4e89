/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h - which groups of pictures deserve a full look. Stands between demux and decoder: every key frame is
 * decoded here, alone, and compared with what the camera usually shows (activity.h). A group is open when its
 * own key frame or a near one differs, or when its packets are larger than those of quiet groups and have
 * shown that they tell; all its packets then go to the decoder. Of a closed group only the key frame goes on,
 * so what stands still is seen every few seconds all the same.
 *
 *   pts:   |<------------ GATE_EPOCH_US ------------>|<--- ...
 *          | sample: always open |    gated          | sample ...
 *
 * An epoch begins by forgetting everything, so what is decided in it depends on nothing before it: a run that
 * was killed decides the same again from the epoch's begin. The sample, which is looked at fully whatever the
 * gate thinks, is what its recall is measured on. Threads: one. Part of the decode worker. */
#ifndef HOST_MEDIA_GATE_H
#define HOST_MEDIA_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/media/demux.h"

struct AVFrame;
struct AVPacket;
struct gate;

#define GATE_EPOCH_US  600000000ll
#define GATE_SAMPLE_US 40000000ll
/* Longer groups are open: too much passes between two key frames. */
#define GATE_GROUP_MAX_US 4200000ll
/* Shorter ones too: there a key frame costs as much as the group. */
#define GATE_GROUP_MIN_US 400000ll

/* How wide: 1 the key frames at both ends, 2 one group more on either side, 3 that with half the threshold;
 * wider than that is no gate. */
enum { GATE_OFF = 0, GATE_NARROWEST = 1, GATE_WIDEST = 3 };

/* What became of a group, told once, before any of it is handed on. */
struct gate_verdict {
    int64_t from_us, to_us; /* to: the next key frame, or the end as far as it is known */
    bool open, would_open;  /* would: had it not been sample, too long or damaged */
    bool sample, learning;  /* learning: it knew too little for would_open to count */
    bool by_packets;        /* only their sizes opened it */
    uint32_t n_active;      /* cells of its key frame */
};
typedef void gate_verdict_fn(const struct gate_verdict *v, void *arg);

/* `d` is borrowed. after_us: of groups that end before it only the key frames are of use, to learn what is
 * usual; they are closed unless they are damaged. ERR_UNSUPPORTED: its packets have no times. Call when the
 * first frame was decoded. */
MUST_CHECK enum err gate_open(struct demux *d, unsigned width, int64_t after_us, gate_verdict_fn *on_verdict,
                              void *arg, struct gate **out);
void gate_close(struct gate **g);
/* After a seek: forgets all it holds. To decide as an undisturbed run does after after_us, seek to
 * gate_begin_us(after_us). */
void gate_restart(struct gate *g);
int64_t gate_begin_us(int64_t after_us);

enum gate_item {
    GATE_PACKET, /* *pkt is to be decoded */
    GATE_FIRST, /* the same, the first of an open group behind a closed one: the decoder begins anew, and what
                   it shows before this packet's time refers to what was never decoded */
    GATE_KEY,   /* *key is the one frame of a closed group; the packets passed are told through `passed` */
};
/* What comes next; *pkt or *key is filled, of a closed group also passed(pts or dts) for each of its packets,
 * in order. Errors as demux_read(), each where it lies in the stream. */
MUST_CHECK enum err gate_next(struct gate *g, struct AVPacket *pkt, struct AVFrame *key,
                              void (*passed)(int64_t ticks, bool is_key, void *arg), void *arg,
                              enum gate_item *item);

#endif
