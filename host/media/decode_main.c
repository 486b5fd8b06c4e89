/* SPDX-License-Identifier: Apache-2.0 */
/* relecture-decode: one job on one recording, in a process that can do nothing else.
 *   relecture-decode probe | frames | still | clip | original | units | masked  [key=value ...]
 * Descriptors: 3 the server's socket, 4 the recording, 5 the slots (frames) or the file to write (all but
 * probe). It is started by host/media/decoder.c; the keys are those of struct decoder_spec. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "host/base/log.h"
#include "host/media/decode.h"
#include "host/media/demux.h"
#include "host/media/encode.h"
#include "host/media/gate.h"
#include "host/media/mask.h"
#include "host/proc/sandbox.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"
#include "host/proc/worker.h"

#define IN_FD  WORKER_EXTRA_FD
#define OUT_FD (WORKER_EXTRA_FD + 1)
/* An 8K H.264 stream with the most reference frames it may have, and the rest. */
#define MEMORY_LIMIT_BYTES (1536ull << 20)
#define CLIP_LIMIT_BYTES   (2048ull << 20)
#define MASKS_MAX          1000 /* the server's queue holds them all */

enum job { JOB_PROBE, JOB_FRAMES, JOB_STILL, JOB_CLIP, JOB_ORIGINAL, JOB_UNITS, JOB_MASKED };

struct args {
    enum job job;
    int64_t after_us, from_us, to_us;
    uint32_t fps_milli;
    bool keys_only, matroska;
    unsigned gate; /* width; 0 = none */
    uint64_t n_slots, slot_bytes;
    unsigned n_masks; /* messages about what is hidden, to wait for */
};

struct worker_state {
    struct args args;
    struct slots_view view;
    unsigned granted[SLOTS_MAX]; /* a queue: in the order in which they were granted */
    unsigned n_granted;
    bool is_granted[SLOTS_MAX];
    bool server_gone;
    int64_t first_sent_us, last_sent_us;
    uint64_t n_sent;
    struct mask mask;
    unsigned n_masks; /* messages about it that came */
    struct demux *demux;
    struct decode *decode;
};

#if defined(__SANITIZE_ADDRESS__)
/* Leak detection needs threads and ptrace, which the sandbox refuses; the fuzz targets look for leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}
#endif

static bool number(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end) return false;
    *out = v;
    return true;
}

static bool parse_args(int argc, char **argv, struct args *a) {
    static const char *const jobs[] = {"probe", "frames", "still", "clip", "original", "units", "masked"};
    *a = (struct args){.after_us = -1};
    if (argc < 2) return false;
    unsigned j = 0;
    while (j < sizeof jobs / sizeof jobs[0] && strcmp(argv[1], jobs[j]) != 0) j++;
    if (j == sizeof jobs / sizeof jobs[0]) return false;
    a->job = (enum job)j;
    for (int i = 2; i < argc; i++) {
        const char *eq = strchr(argv[i], '=');
        int64_t v;
        if (!eq || !number(eq + 1, &v)) return false;
        const size_t n = (size_t)(eq - argv[i]);
#define KEY(name) (n == sizeof(name) - 1 && !memcmp(argv[i], (name), n))
        if (KEY("after_us"))
            a->after_us = v;
        else if (KEY("from_us"))
            a->from_us = v;
        else if (KEY("to_us"))
            a->to_us = v;
        else if (KEY("fps_milli") && v >= 0 && v <= 1000000)
            a->fps_milli = (uint32_t)v;
        else if (KEY("keys_only") && (v == 0 || v == 1))
            a->keys_only = v == 1;
        else if (KEY("matroska") && (v == 0 || v == 1))
            a->matroska = v == 1;
        else if (KEY("n_masks") && v >= 0 && v <= MASKS_MAX)
            a->n_masks = (unsigned)v;
        else if (KEY("gate") && v >= GATE_OFF && v <= GATE_WIDEST)
            a->gate = (unsigned)v;
        else if (KEY("n_slots") && v > 0 && v <= SLOTS_MAX)
            a->n_slots = (uint64_t)v;
        else if (KEY("slot_bytes") && v > 0)
            a->slot_bytes = (uint64_t)v;
        else
            return false;
#undef KEY
    }
    if (a->from_us < 0 || (a->job >= JOB_CLIP && a->to_us <= a->from_us)) return false;
    return a->job != JOB_FRAMES || (a->n_slots > 0 && a->slot_bytes > 0);
}

/* ---- the server
 * ------------------------------------------------------------------------------------------------ */
/* Takes one message; waits for it at most timeout_ms (< 0 = for ever, 0 = not at all). */
static enum err listen_once(struct worker_state *w, int timeout_ms) {
    union wire_any raw, m;
    size_t n;
    int fds[4];
    unsigned n_fds;
    enum wire_type type;
    if (w->server_gone) return ERR_EOF;
    enum err e = worker_receive(&raw, sizeof raw, &n, fds, &n_fds, timeout_ms);
    if (e == ERR_EOF) w->server_gone = true;
    if (e != OK) return e;
    for (unsigned i = 0; i < n_fds; i++) close(fds[i]);
    if (wire_check(&raw, n, &m, sizeof m, &type) != OK) return ERR_CORRUPT;
    if (w->n_masks < w->args.n_masks && (type == WIRE_DECODE_AREA || type == WIRE_DECODE_MASK)) {
        w->n_masks++;
        return type == WIRE_DECODE_AREA ? mask_add_area(&w->mask, &m.area)
                                        : mask_add_pieces(&w->mask, &m.mask);
    }
    if (type != WIRE_DECODE_GRANT) return ERR_CORRUPT;
    if (m.grant.slot >= w->view.n_slots || w->is_granted[m.grant.slot]) return ERR_CORRUPT;
    w->is_granted[m.grant.slot] = true;
    w->granted[w->n_granted++] = m.grant.slot;
    return OK;
}

/* Between packets, frames and reads: grants are taken and pings answered. */
static void idle(void *arg) {
    struct worker_state *w = arg;
    enum err e;
    do e = listen_once(w, 0);
    while (e == OK);
    if (e == ERR_CORRUPT) _exit(3);
    /* Nobody waits for the result any more. */
    if (e == ERR_EOF) _exit(0);
}

static void say(struct worker_state *w, const void *msg, size_t n) {
    if (worker_reply(msg, n) != OK) w->server_gone = true;
    if (w->server_gone) _exit(0);
}

static void say_gap(int64_t from_us, int64_t to_us, const char *reason, void *arg) {
    struct worker_state *w = arg;
    /* A resumed run passes again over what the first one told. */
    if (w->args.job != JOB_FRAMES || to_us <= w->args.after_us) return;
    struct wire_gap g;
    memset(&g, 0, sizeof g);
    wire_begin(&g, WIRE_DECODE_GAP, sizeof g);
    g.from_us = from_us;
    g.to_us = to_us;
    demux_clean_text(g.reason, sizeof g.reason, reason);
    say(w, &g, sizeof g);
}

static void say_verdict(const struct gate_verdict *v, void *arg) {
    struct wire_gate m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_DECODE_GATE, sizeof m);
    m.from_us = v->from_us;
    m.to_us = v->to_us;
    m.open = v->open;
    m.would_open = v->would_open;
    m.sample = v->sample;
    m.learning = v->learning;
    m.by_packets = v->by_packets;
    m.n_active = v->n_active;
    say(arg, &m, sizeof m);
}

static void say_end(struct worker_state *w, int64_t first_us, int64_t last_us, int64_t end_us) {
    struct wire_decode_end m;
    struct decode_counts c = {.last_pts_us = -1};
    struct rusage ru;
    if (w->decode) decode_counts(w->decode, &c);
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_DECODE_END, sizeof m);
    m.first_pts_us = first_us;
    m.last_pts_us = last_us;
    m.end_us = end_us > last_us ? end_us : last_us;
    m.n_decoded = c.n_decoded;
    m.n_sent = w->n_sent < c.n_decoded ? w->n_sent : c.n_decoded;
    m.n_damaged = c.n_damaged;
    m.n_bytes = w->demux ? demux_n_bytes(w->demux) : 0;
    if (getrusage(RUSAGE_SELF, &ru) == 0)
        m.cpu_us = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000u +
                   (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
    say(w, &m, sizeof m);
}

/* ---- the jobs
 * --------------------------------------------------------------------------------------------------- */
static enum err send_frame(struct worker_state *w, const struct decode_frame *fr, struct wire_failed *f) {
    while (w->n_granted == 0) {
        const enum err e = listen_once(w, -1);
        if (e == ERR_EOF) _exit(0);
        if (e != OK) {
            demux_fail(f, WIRE_FAIL_PROTOCOL, fr->pts_us, "the server sent something impossible");
            return e;
        }
    }
    struct wire_frame m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_DECODE_FRAME, sizeof m);
    m.slot = w->granted[0];
    const enum err e = decode_nv12(w->decode, fr, w->view.base + w->view.slot_bytes * m.slot,
                                   w->view.slot_bytes, &m.surface, f);
    if (e != OK) return e;
    struct decode_counts c;
    decode_counts(w->decode, &c);
    w->n_granted--;
    memmove(w->granted, w->granted + 1, w->n_granted * sizeof w->granted[0]);
    w->is_granted[m.slot] = false;
    m.seq = (uint32_t)w->n_sent;
    m.pts_us = fr->pts_us;
    m.n_decoded = (uint32_t)c.n_decoded;
    m.is_key = fr->is_key;
    m.is_damaged = fr->is_damaged;
    say(w, &m, sizeof m);
    if (w->n_sent++ == 0) w->first_sent_us = fr->pts_us;
    w->last_sent_us = fr->pts_us;
    return OK;
}

static enum err do_frames(struct worker_state *w, struct decode_frame fr, struct wire_failed *f) {
    const struct args *a = &w->args;
    int64_t served = -1;
    enum err e = OK;
    decode_want(w->decode, a->fps_milli, a->after_us, a->keys_only);
    if (a->gate) e = decode_gate(w->decode, a->gate, say_verdict, f);
    if (e != OK) return e;
    if (a->after_us >= 0) served = decode_mark_of(a->fps_milli, a->after_us);
    /* With a gate from its begin in any case, so that it learns from the same key frames in every run. */
    if (a->gate || a->after_us >= 0) {
        e = decode_seek_us(w->decode, a->gate ? gate_begin_us(a->after_us) : a->after_us, f);
        if (e == OK) e = decode_next(w->decode, &fr, f);
    }
    for (; e == OK; e = decode_next(w->decode, &fr, f)) {
        idle(w);
        if (fr.pts_us <= a->after_us || (a->keys_only && !fr.is_key)) continue;
        if (a->fps_milli > 0) {
            const int64_t mark = decode_mark_of(a->fps_milli, fr.pts_us);
            if (mark <= served) continue;
            served = mark;
        }
        e = send_frame(w, &fr, f);
        if (e != OK) return e;
    }
    if (e != ERR_EOF) return e;
    struct decode_counts c;
    decode_counts(w->decode, &c);
    say_end(w, w->n_sent ? w->first_sent_us : -1, c.last_pts_us, c.end_us);
    return OK;
}

/* Before the server gives the file its name. */
static enum err settle(struct wire_failed *f) {
    if (fsync(OUT_FD) == 0) return OK;
    log_error("decode", "fsync failed errno=%d", errno);
    demux_fail(f, WIRE_FAIL_WRITE, -1,
               "gave a result that cannot be written: no space left, or an input/output error");
    return ERR_FULL;
}

static enum err do_still(struct worker_state *w, struct decode_frame fr, struct wire_failed *f) {
    const struct args *a = &w->args;
    enum err e = OK;
    decode_want(w->decode, 0, a->from_us - 1, false);
    if (a->from_us > fr.pts_us) {
        e = decode_seek_us(w->decode, a->from_us, f);
        if (e == OK) e = decode_next(w->decode, &fr, f);
    }
    while (e == OK && fr.pts_us < a->from_us) {
        idle(w);
        e = decode_next(w->decode, &fr, f);
    }
    if (e == ERR_EOF) {
        struct decode_counts c;
        decode_counts(w->decode, &c);
        demux_fail(f, WIRE_FAIL_DATA, a->from_us, "has no frame at or after %.3f s: it ends at %.3f s",
                   (double)a->from_us / 1e6, (double)c.end_us / 1e6);
        return ERR_MISSING;
    }
    if (e != OK) return e;
    struct wire_surface s;
    e = decode_shape(w->decode, &fr, &s, f);
    if (e != OK) return e;
    const size_t need = (size_t)s.w_px * s.h_px * 3 / 2;
    uint8_t *nv12 = malloc(need);
    if (!nv12) {
        demux_fail(f, WIRE_FAIL_MEMORY, fr.pts_us, "needs more memory than a decode worker may have");
        return ERR_NOMEM;
    }
    e = decode_nv12(w->decode, &fr, nv12, need, &s, f);
    if (e == OK) e = encode_still(nv12, &s, OUT_FD, fr.pts_us, f);
    free(nv12);
    if (e == OK) e = settle(f);
    if (e == OK) {
        w->n_sent = 1;
        say_end(w, fr.pts_us, fr.pts_us, fr.pts_us + fr.duration_us);
    }
    return e;
}

static enum err do_clip(struct worker_state *w, struct wire_failed *f) {
    const struct encode_clip c = {.from_us = w->args.from_us, .to_us = w->args.to_us, .fd = OUT_FD};
    struct encode_clip_result r;
    enum err e = encode_clip_copy(w->demux, &c, idle, w, &r, f);
    if (e == ERR_UNSUPPORTED) e = encode_clip_anew(w->decode, &c, idle, w, &r, f);
    if (e == OK) e = settle(f);
    if (e == OK) say_end(w, r.first_us, r.last_us, r.end_us);
    return e;
}

static enum err do_original(struct worker_state *w, struct wire_failed *f) {
    const struct encode_clip c = {.from_us = w->args.from_us, .to_us = w->args.to_us, .fd = OUT_FD};
    struct encode_clip_result r;
    enum err e = w->args.job == JOB_UNITS ? encode_units(w->demux, &c, idle, w, &r, f)
                                          : encode_original(w->demux, &c, w->args.matroska, idle, w, &r, f);
    if (e == OK) e = settle(f);
    if (e == OK) say_end(w, r.first_us, r.last_us, r.end_us);
    return e;
}

static enum err paint(uint8_t *nv12, const struct wire_surface *s, int64_t pts_us, void *arg) {
    return mask_paint(arg, nv12, s, pts_us);
}

static enum err do_masked(struct worker_state *w, struct wire_failed *f) {
    while (w->n_masks < w->args.n_masks) {
        const enum err e = listen_once(w, -1);
        if (e == ERR_EOF) _exit(0);
        if (e == OK) continue;
        demux_fail(f, WIRE_FAIL_PROTOCOL, -1, "the server sent something impossible");
        return e;
    }
    const struct encode_clip c = {.from_us = w->args.from_us,
                                  .to_us = w->args.to_us,
                                  .fd = OUT_FD,
                                  .paint = paint,
                                  .paint_arg = &w->mask};
    struct encode_clip_result r;
    enum err e = encode_clip_anew(w->decode, &c, idle, w, &r, f);
    if (e == OK) e = settle(f);
    if (e == OK) say_end(w, r.first_us, r.last_us, r.end_us);
    return e;
}

static enum err do_job(struct worker_state *w, struct wire_failed *f) {
    enum err e = demux_open(IN_FD, idle, w, &w->demux, f);
    if (e == OK) e = decode_open(w->demux, say_gap, w, &w->decode, f);
    struct decode_frame first;
    if (e == OK) e = decode_next(w->decode, &first, f);
    if (e != OK) return e;
    struct wire_surface s;
    e = decode_shape(w->decode, &first, &s, f);
    if (e != OK) return e;
    struct wire_probed p;
    decode_describe(w->decode, &first, &p);
    say(w, &p, sizeof p);
    switch (w->args.job) {
    case JOB_PROBE:
        say_end(w, first.pts_us, first.pts_us, first.pts_us + first.duration_us);
        return OK;
    case JOB_FRAMES:
        return do_frames(w, first, f);
    case JOB_STILL:
        return do_still(w, first, f);
    case JOB_CLIP:
        return do_clip(w, f);
    case JOB_ORIGINAL:
    case JOB_UNITS:
        return do_original(w, f);
    case JOB_MASKED:
        return do_masked(w, f);
    }
    return ERR_USAGE;
}

int main(int argc, char **argv) {
    static struct worker_state w;
    log_init("decode", LOG_INFO);
    if (!parse_args(argc, argv, &w.args)) {
        fputs("relecture-decode is started by relecture; see host/media/decode_main.c\n", stderr);
        return 64;
    }
    worker_log_to_server();
    /* Never outlives the server, whatever it is at. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct wire_failed f;
    memset(&f, 0, sizeof f);
    enum err e = OK;
    if (w.args.job == JOB_FRAMES) {
        e = slots_view_open(OUT_FD, (unsigned)w.args.n_slots, w.args.slot_bytes, 1, &w.view);
        if (e != OK) {
            log_error("decode", "slots refused err=%d", e);
            return 65;
        }
    }
    const struct sandbox_limits limits = {.memory_bytes = MEMORY_LIMIT_BYTES,
                                          .file_bytes = w.args.job >= JOB_STILL ? CLIP_LIMIT_BYTES : 0};
    if (sandbox_enter(&limits) != OK) return 66;
    /* What FFmpeg prints may quote the file; our own messages say what matters. */
    av_log_set_level(AV_LOG_QUIET);
    e = do_job(&w, &f);
    if (e != OK) {
        if (f.why == 0) demux_fail(&f, WIRE_FAIL_DATA, -1, "cannot be decoded (%s)", err_text(e));
        say(&w, &f, sizeof f);
    }
    decode_close(&w.decode);
    demux_close(&w.demux);
    mask_fini(&w.mask);
    /* The server looks at our memory before it lets go. */
    while (listen_once(&w, -1) == OK) {
    }
    return 0;
}
