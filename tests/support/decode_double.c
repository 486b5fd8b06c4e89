/* SPDX-License-Identifier: Apache-2.0 */
/* A decode worker that lies: the first word of its "recording" says how. Started by decoder.c like the real
 * one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "host/proc/wire.h"
#include "host/proc/worker.h"

static unsigned take_grant(void) {
    struct wire_grant g;
    size_t n;
    int fds[4];
    unsigned n_fds;
    if (worker_receive(&g, sizeof g, &n, fds, &n_fds, -1) != OK) _exit(0);
    return g.slot;
}

static struct wire_frame frame_of(unsigned slot, uint32_t seq, int64_t pts_us) {
    struct wire_frame m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_DECODE_FRAME, sizeof m);
    m.slot = slot;
    m.seq = seq;
    m.pts_us = pts_us;
    m.surface = (struct wire_surface){.w_px = 16, .h_px = 16, .stride_bytes = 16, .uv_offset_bytes = 256};
    return m;
}

static void send_frame(const struct wire_frame *m) {
    if (worker_reply(m, sizeof *m) != OK) _exit(0);
}

static void send_end(void) {
    struct wire_decode_end m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_DECODE_END, sizeof m);
    m.first_pts_us = m.last_pts_us = -1;
    if (worker_reply(&m, sizeof m) != OK) _exit(0);
}

int main(void) {
    char word[32] = "";
    if (pread(WORKER_EXTRA_FD, word, sizeof word - 1, 0) <= 0) return 64;
    if (!strcmp(word, "fall")) abort(); /* in the middle of a clip */
    if (!strcmp(word, "hang"))
        for (;;) pause();
    const unsigned a = take_grant();
    struct wire_frame m = frame_of(a, 0, 0);
    if (!strcmp(word, "honest")) {
        send_frame(&m);
        m = frame_of(take_grant(), 1, 1);
        send_frame(&m);
        send_end();
    } else if (!strcmp(word, "twice")) { /* gives back a slot that it no longer holds */
        send_frame(&m);
        m = frame_of(a, 1, 1);
        send_frame(&m);
    } else if (!strcmp(word, "foreign")) { /* a slot that was never granted */
        m.slot = 63;
        send_frame(&m);
    } else if (!strcmp(word, "backwards")) {
        m.pts_us = 5;
        send_frame(&m);
        m = frame_of(take_grant(), 1, 5);
        send_frame(&m);
    } else if (!strcmp(word, "unnumbered")) {
        m.seq = 1;
        send_frame(&m);
    } else if (!strcmp(word, "outside")) { /* a picture larger than the slot */
        m.surface = (struct wire_surface){
            .w_px = 4096, .h_px = 4096, .stride_bytes = 4096, .uv_offset_bytes = 4096 * 4096};
        send_frame(&m);
    } else if (!strcmp(word, "garbage")) {
        if (worker_reply("garbage", 7) != OK) return 1;
    } else if (!strcmp(word, "stranger")) { /* a message of another kind of worker */
        struct wire_card_done d;
        memset(&d, 0, sizeof d);
        wire_begin(&d, WIRE_CARD_DONE, sizeof d);
        if (worker_reply(&d, sizeof d) != OK) return 1;
    } else if (!strcmp(word, "afterwards")) {
        send_end();
        send_frame(&m);
    } else if (!strcmp(word, "reprobed")) {
        struct wire_probed p;
        memset(&p, 0, sizeof p);
        wire_begin(&p, WIRE_DECODE_PROBED, sizeof p);
        p.w_px = p.h_px = 16;
        p.n_video_streams = 1;
        if (worker_reply(&p, sizeof p) != OK || worker_reply(&p, sizeof p) != OK) return 1;
    } else if (!strcmp(word, "vanish")) {
        send_frame(&m);
        return 0; /* without an end */
    } else if (!strcmp(word, "crash")) {
        send_frame(&m);
        abort();
    }
    for (;;) (void)take_grant();
}
