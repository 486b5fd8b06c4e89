/* SPDX-License-Identifier: Apache-2.0 */
/* A card worker that breaks the protocol, for the tests of host/pipe/cards.c. What it does wrong is the last
 * part of the --model path. */
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "host/proc/wire.h"
#include "host/proc/worker.h"

static void say(const void *m, size_t n) {
    if (worker_reply(m, n) != OK) _exit(1);
}

int main(int argc, char **argv) {
    const char *how = "";
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--model") != 0) continue;
        const char *slash = strrchr(argv[i + 1], '/');
        how = slash ? slash + 1 : argv[i + 1];
    }
    struct wire_card_ready ready;
    memset(&ready, 0, sizeof ready);
    wire_begin(&ready, WIRE_CARD_READY, sizeof ready);
    ready.n_lanes = 2;
    snprintf(ready.model, sizeof ready.model, "fake");
    ready.input = (struct wire_tensor){.name = "in", .h = 1, .w = 1, .c = 3, .n_bytes = 3};
    ready.outputs[0] = (struct wire_tensor){.name = "out", .h = 2, .w = 2, .c = 4, .n_bytes = 16};
    ready.n_outputs = 1;
    if (strcmp(how, "too-large") == 0) {
        ready.outputs[0].h = ready.outputs[0].w = 2048;
        ready.outputs[0].n_bytes = 4u * 2048 * 2048;
    }
    if (strcmp(how, "garbage-first") == 0) say("garbage", 8);
    if (strcmp(how, "done-first") == 0) {
        struct wire_card_done done;
        memset(&done, 0, sizeof done);
        wire_begin(&done, WIRE_CARD_DONE, sizeof done);
        say(&done, sizeof done);
    }
    say(&ready, sizeof ready);
    if (strcmp(how, "ready-twice") == 0) say(&ready, sizeof ready);

    for (;;) {
        _Alignas(16) unsigned char raw[WORKER_MESSAGE_MAX_BYTES];
        union wire_any m;
        enum wire_type type;
        size_t n;
        int fds[4];
        unsigned n_fds;
        if (worker_receive(raw, sizeof raw, &n, fds, &n_fds, -1) != OK) return 0;
        for (unsigned i = 0; i < n_fds; i++) close(fds[i]);
        if (wire_check(raw, n, &m, sizeof m, &type) != OK || type != WIRE_CARD_DETECT) continue;
        struct wire_card_done done;
        memset(&done, 0, sizeof done);
        wire_begin(&done, WIRE_CARD_DONE, sizeof done);
        done.job = m.detect.job;
        done.n_bytes = 16;
        if (strcmp(how, "other-job") == 0) done.job += 1000;
        if (strcmp(how, "wrong-size") == 0) done.n_bytes = 17;
        if (strcmp(how, "impossible-status") == 0) done.status = 200;
        if (strcmp(how, "cut-off") == 0)
            say(&done, sizeof done - 4);
        else if (strcmp(how, "silent") != 0)
            say(&done, sizeof done);
        if (strcmp(how, "answers-twice") == 0) say(&done, sizeof done);
    }
}
