/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/decoder.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>

#include <event2/event.h>

#include "host/base/log.h"
#include "host/proc/worker.h"

#define PING_MS      30000u
#define END_GRACE_MS 5000u
#define N_ARGS       9
#define GAPS_MAX     200000u /* one a second for more than two days; whoever tells more wants our memory */

struct decoder {
    struct worker *worker;
    struct decoder_callbacks cb;
    struct slots *slots;
    char label[96];
    bool lent[SLOTS_MAX]; /* granted and not come back: the worker may write there */
    uint32_t next_seq;
    int64_t last_pts_us;
    uint32_t n_gaps;
    bool probed;
    bool closing; /* END or FAILED came; told when the process is gone */
    bool broken;  /* it broke the protocol; nothing it says counts any more */
    bool is_end;
    union {
        struct wire_decode_end end;
        struct wire_failed failed;
    } last;
    unsigned depth; /* callbacks on the stack; decoder_free() then only marks */
    bool doomed;
};

static void release(struct decoder *d) {
    worker_free(&d->worker);
    /* Only now that nobody writes there any more. */
    if (d->slots)
        for (unsigned i = 0; i < slots_count(d->slots); i++)
            if (d->lent[i]) slots_unref(d->slots, i);
    free(d);
}

static void leave(struct decoder *d) {
    if (--d->depth == 0 && d->doomed) release(d);
}

static void break_off(struct decoder *d, const char *what) {
    if (d->broken) return;
    log_warn("decoder", "worker broke the protocol, killed pid=%d what=%s", worker_pid(d->worker), what);
    d->broken = true;
    worker_kill(d->worker);
}

static void on_frame(struct decoder *d, const struct wire_frame *m) {
    if (!d->slots || m->slot >= slots_count(d->slots) || !d->lent[m->slot]) {
        break_off(d, "a slot it does not hold");
        return;
    }
    if (m->seq != d->next_seq || m->pts_us <= d->last_pts_us) {
        break_off(d, "frames out of order");
        return;
    }
    if (wire_surface_fits(&m->surface, slots_bytes(d->slots)) != OK) {
        break_off(d, "a picture larger than its slot");
        return;
    }
    d->next_seq++;
    d->last_pts_us = m->pts_us;
    d->lent[m->slot] = false;
    if (d->cb.on_frame)
        d->cb.on_frame(d, m, d->cb.arg);
    else
        slots_unref(d->slots, m->slot);
    if (!d->doomed) decoder_pump(d);
}

static void on_message(struct worker *w, const void *raw, size_t n, void *arg) {
    (void)w;
    struct decoder *d = arg;
    union wire_any m;
    enum wire_type type;
    if (d->broken || d->doomed) return;
    if (wire_check(raw, n, &m, sizeof m, &type) != OK) {
        break_off(d, "not a message");
        return;
    }
    if (d->closing) {
        break_off(d, "a message after the last");
        return;
    }
    d->depth++;
    switch ((int)type) {
    case WIRE_DECODE_PROBED:
        if (d->probed)
            break_off(d, "probed twice");
        else if (d->cb.on_probed)
            d->cb.on_probed(d, &m.probed, d->cb.arg);
        d->probed = true;
        break;
    case WIRE_DECODE_FRAME:
        on_frame(d, &m.frame);
        break;
    case WIRE_DECODE_GAP:
        if (++d->n_gaps > GAPS_MAX)
            break_off(d, "too many gaps");
        else if (d->cb.on_gap)
            d->cb.on_gap(d, &m.gap, d->cb.arg);
        break;
    case WIRE_DECODE_GATE:
        if (d->cb.on_gate) d->cb.on_gate(d, &m.gate, d->cb.arg);
        break;
    case WIRE_DECODE_END:
        d->last.end = m.decode_end;
        d->closing = d->is_end = true;
        worker_end(d->worker, END_GRACE_MS);
        break;
    case WIRE_DECODE_FAILED:
        d->last.failed = m.failed;
        d->closing = true;
        worker_end(d->worker, END_GRACE_MS);
        break;
    default:
        break_off(d, "a message that is not a decoder's");
        break;
    }
    leave(d);
}

static enum err err_of(const struct wire_failed *f) {
    switch ((enum wire_fail)f->why) {
    case WIRE_FAIL_OPEN:
    case WIRE_FAIL_DATA:
        return ERR_CORRUPT;
    case WIRE_FAIL_NO_VIDEO:
    case WIRE_FAIL_CODEC:
    case WIRE_FAIL_SIZE:
    case WIRE_FAIL_GEOMETRY:
        return ERR_UNSUPPORTED;
    case WIRE_FAIL_READ:
        return ERR_IO;
    case WIRE_FAIL_MEMORY:
        return ERR_NOMEM;
    case WIRE_FAIL_WRITE:
        return ERR_FULL;
    case WIRE_FAIL_DIED:
    case WIRE_FAIL_PROTOCOL:
        return ERR_IO;
    }
    return ERR_CORRUPT;
}

static void on_exit_(struct worker *w, int status, void *arg) {
    (void)w;
    struct decoder *d = arg;
    if (d->doomed) return;
    /* Nobody writes to these any more. */
    if (d->slots)
        for (unsigned i = 0; i < slots_count(d->slots); i++) {
            if (d->lent[i]) slots_unref(d->slots, i);
            d->lent[i] = false;
        }
    d->depth++;
    if (d->closing && d->is_end && !d->broken) {
        if (d->cb.on_end) d->cb.on_end(d, &d->last.end, d->cb.arg);
    } else if (d->closing && !d->broken) {
        char text[WIRE_TEXT_MAX];
        snprintf(text, sizeof text, "%s %.*s", d->label, (int)(sizeof text - sizeof d->label - 1),
                 d->last.failed.text);
        memcpy(d->last.failed.text, text, sizeof text);
        if (d->cb.on_failed) d->cb.on_failed(d, err_of(&d->last.failed), &d->last.failed, d->cb.arg);
    } else {
        struct wire_failed f;
        memset(&f, 0, sizeof f);
        wire_begin(&f, WIRE_DECODE_FAILED, sizeof f);
        f.why = WIRE_FAIL_DIED;
        f.position_us = d->last_pts_us;
        if (d->broken)
            snprintf(f.text, sizeof f.text, "%s: the decode worker broke the protocol and was ended",
                     d->label);
        else if (WIFSIGNALED(status))
            snprintf(f.text, sizeof f.text, "%s: decode worker died (signal %d)", d->label, WTERMSIG(status));
        else
            snprintf(f.text, sizeof f.text, "%s: decode worker died (status %d)", d->label,
                     WEXITSTATUS(status));
        if (d->cb.on_failed) d->cb.on_failed(d, ERR_IO, &f, d->cb.arg);
    }
    leave(d);
}

static unsigned n_mask_messages(const struct decoder_mask *m) {
    return m->n_areas + (m->n_pieces + WIRE_MASKS_MAX - 1) / WIRE_MASKS_MAX;
}

static enum err send_mask(struct decoder *d, const struct decoder_mask *m) {
    enum err e = OK;
    for (unsigned i = 0; i < m->n_areas && !e; i++) {
        struct wire_area a = m->areas[i];
        a.reserved = 0;
        wire_begin(&a, WIRE_DECODE_AREA, sizeof a);
        e = worker_send(d->worker, &a, sizeof a, NULL, 0);
    }
    for (unsigned i = 0; i < m->n_pieces && !e; i += WIRE_MASKS_MAX) {
        struct wire_mask w;
        memset(&w, 0, sizeof w);
        wire_begin(&w, WIRE_DECODE_MASK, sizeof w);
        w.n = m->n_pieces - i < WIRE_MASKS_MAX ? m->n_pieces - i : WIRE_MASKS_MAX;
        memcpy(w.pieces, m->pieces + i, w.n * sizeof w.pieces[0]);
        e = worker_send(d->worker, &w, sizeof w, NULL, 0);
    }
    return e;
}

enum err decoder_start(struct event_base *base, const struct decoder_spec *spec,
                       const struct decoder_callbacks *cb, struct decoder **out) {
    static const char *const jobs[] = {"probe", "frames", "still", "clip", "original", "units", "masked"};
    *out = NULL;
    const bool writes = spec->job >= DECODER_STILL;
    if ((unsigned)spec->job >= sizeof jobs / sizeof jobs[0] || spec->in_fd < 0) return ERR_USAGE;
    if (spec->job == DECODER_MASKED && !spec->mask) return ERR_USAGE;
    if ((writes && spec->out_fd < 0) || (spec->job == DECODER_FRAMES && !spec->slots)) return ERR_USAGE;
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->cb = *cb;
    d->last_pts_us = -1;
    /* Names come from outside and end up in messages. */
    size_t n = 0;
    for (const char *p = spec->label ? spec->label : "?"; *p && n + 1 < sizeof d->label; p++)
        d->label[n++] = (char)((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);

    char args[7][48];
    const char *argv[N_ARGS + 1] = {"relecture-decode", jobs[spec->job]};
    unsigned k = 2;
    struct worker_spec ws = {.name = "decode", .exe = spec->exe, .argv = argv, .ping_ms = PING_MS};
    ws.extra_fds[ws.n_extra_fds++] = spec->in_fd;
    if (spec->job == DECODER_FRAMES) {
        d->slots = spec->slots;
        ws.extra_fds[ws.n_extra_fds++] = slots_fd(spec->slots);
        snprintf(args[0], sizeof args[0], "n_slots=%u", slots_count(spec->slots));
        snprintf(args[1], sizeof args[1], "slot_bytes=%zu", slots_bytes(spec->slots));
        snprintf(args[2], sizeof args[2], "fps_milli=%" PRIu32, spec->fps_milli);
        snprintf(args[3], sizeof args[3], "after_us=%" PRId64, spec->after_us);
        snprintf(args[4], sizeof args[4], "keys_only=%d", spec->keys_only);
        snprintf(args[5], sizeof args[5], "gate=%u", spec->gate_width);
        for (unsigned i = 0; i < 6; i++) argv[k++] = args[i];
    } else if (writes) {
        ws.extra_fds[ws.n_extra_fds++] = spec->out_fd;
        snprintf(args[0], sizeof args[0], "from_us=%" PRId64, spec->from_us);
        argv[k++] = args[0];
        if (spec->job >= DECODER_CLIP) {
            snprintf(args[1], sizeof args[1], "to_us=%" PRId64, spec->to_us);
            argv[k++] = args[1];
        }
        if (spec->job == DECODER_ORIGINAL) {
            snprintf(args[2], sizeof args[2], "matroska=%d", spec->matroska);
            argv[k++] = args[2];
        }
        if (spec->job == DECODER_MASKED) {
            snprintf(args[2], sizeof args[2], "n_masks=%u", n_mask_messages(spec->mask));
            argv[k++] = args[2];
        }
    }
    argv[k] = NULL;
    const struct worker_callbacks wc = {.on_message = on_message, .on_exit = on_exit_, .arg = d};
    const enum err e = worker_start(base, &ws, &wc, &d->worker);
    if (e != OK) {
        free(d);
        return e;
    }
    if (spec->job == DECODER_MASKED) {
        const enum err sent = send_mask(d, spec->mask);
        if (sent != OK) {
            decoder_free(&d);
            return sent;
        }
    }
    *out = d;
    decoder_pump(d);
    return OK;
}

void decoder_pump(struct decoder *d) {
    unsigned slot;
    if (!d->slots || d->closing || d->broken) return;
    while (slots_take(d->slots, &slot) == OK) {
        struct wire_grant g = {.slot = slot};
        wire_begin(&g, WIRE_DECODE_GRANT, sizeof g);
        if (worker_send(d->worker, &g, sizeof g, NULL, 0) != OK) {
            slots_unref(d->slots, slot);
            return;
        }
        d->lent[slot] = true;
    }
}

int decoder_pid(const struct decoder *d) {
    return worker_pid(d->worker);
}

void decoder_usage(const struct decoder *d, uint64_t *cpu_us, uint64_t *peak_kib) {
    worker_usage(d->worker, cpu_us, peak_kib);
}

void decoder_free(struct decoder **pd) {
    if (!pd || !*pd) return;
    struct decoder *d = *pd;
    *pd = NULL;
    if (d->doomed) return;
    d->doomed = true;
    if (d->depth == 0) release(d);
}
