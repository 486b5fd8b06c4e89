/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/media.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include <event2/event.h>

struct ctx {
    const struct media_job *job;
    struct media_run *out;
    struct event_base *base;
    struct slots *slots;
    struct decoder *decoder;
};

static uint64_t fnv(const uint8_t *p, size_t n, uint64_t h) {
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static void on_probed(struct decoder *d, const struct wire_probed *p, void *arg) {
    (void)d;
    struct ctx *c = arg;
    c->out->probed = true;
    c->out->probe = *p;
}
static void on_frame(struct decoder *d, const struct wire_frame *f, void *arg) {
    struct ctx *c = arg;
    struct media_run *o = c->out;
    struct media_frame *p = realloc(o->frames, (o->n_frames + 1) * sizeof *p);
    if (!p) abort();
    o->frames = p;
    const uint8_t *px = slots_at(c->slots, f->slot);
    const struct wire_surface *s = &f->surface;
    uint64_t h = 0;
    if (!c->job->unhashed) {
        h = fnv(px, (size_t)s->stride_bytes * s->h_px, 1469598103934665603u);
        h = fnv(px + s->uv_offset_bytes, (size_t)s->stride_bytes * s->h_px / 2, h);
    }
    p[o->n_frames] = (struct media_frame){
        .pts_us = f->pts_us, .is_key = f->is_key, .is_damaged = f->is_damaged, .surface = *s, .hash = h};
    if (c->job->keep_to && o->n_frames == c->job->keep) memcpy(c->job->keep_to, px, c->job->keep_bytes);
    o->n_frames++;
    slots_unref(c->slots, f->slot);
    if (o->n_frames == c->job->kill_after) kill(decoder_pid(d), SIGKILL);
    if (o->n_frames == c->job->append_after) {
        const int fd = open(c->job->path, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0 || write(fd, "x", 1) != 1) abort();
        close(fd);
    }
    if (o->n_frames == c->job->stop_after) {
        decoder_free(&c->decoder);
        event_base_loopbreak(c->base);
    }
}
static void on_gap(struct decoder *d, const struct wire_gap *g, void *arg) {
    (void)d;
    struct ctx *c = arg;
    if (c->out->n_gaps < 64) c->out->gaps[c->out->n_gaps++] = *g;
}
static void on_end(struct decoder *d, const struct wire_decode_end *e, void *arg) {
    struct ctx *c = arg;
    c->out->ended = true;
    c->out->end = *e;
    decoder_usage(d, &c->out->cpu_us, &c->out->peak_kib);
    event_base_loopbreak(c->base);
}
static void on_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    struct ctx *c = arg;
    c->out->failed = true;
    c->out->err = e;
    c->out->fail = *f;
    decoder_usage(d, &c->out->cpu_us, &c->out->peak_kib);
    event_base_loopbreak(c->base);
}
static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    const struct ctx *c = arg;
    fprintf(stderr, "decode of %s ran past its limit\n", c->job->path);
    abort();
}

void media_run(const char *exe, const struct media_job *job, struct media_run *out) {
    struct ctx c = {.job = job, .out = out, .base = event_base_new()};
    memset(out, 0, sizeof *out);
    struct event *deadline = evtimer_new(c.base, too_late, &c);
    const struct timeval limit = {.tv_sec = job->limit_s ? job->limit_s : 60};
    event_add(deadline, &limit);
    const int in = open(job->path, O_RDONLY | O_CLOEXEC);
    const int to = job->out_path ? open(job->out_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (in < 0) {
        fprintf(stderr, "no %s\n", job->path);
        abort();
    }
    if (job->job == DECODER_FRAMES && slots_new("media", job->n_slots ? job->n_slots : 4,
                                                job->slot_bytes ? job->slot_bytes : 4u << 20, &c.slots) != OK)
        abort();
    char *copy = strdup(job->path);
    const struct decoder_spec spec = {.exe = exe,
                                      .label = copy ? basename(copy) : "?",
                                      .job = job->job,
                                      .in_fd = in,
                                      .out_fd = to,
                                      .slots = c.slots,
                                      .fps_milli = job->fps_milli,
                                      .after_us = job->after_us,
                                      .keys_only = job->keys_only,
                                      .matroska = job->matroska,
                                      .mask = job->mask,
                                      .from_us = job->from_us,
                                      .to_us = job->to_us};
    const struct decoder_callbacks cb = {.on_probed = on_probed,
                                         .on_frame = on_frame,
                                         .on_gap = on_gap,
                                         .on_end = on_end,
                                         .on_failed = on_failed,
                                         .arg = &c};
    if (decoder_start(c.base, &spec, &cb, &c.decoder) != OK) abort();
    event_base_dispatch(c.base);
    decoder_free(&c.decoder);
    slots_free(&c.slots);
    free(copy);
    close(in);
    if (to >= 0) close(to);
    event_free(deadline);
    event_base_free(c.base);
}

void media_run_fini(struct media_run *r) {
    free(r->frames);
    memset(r, 0, sizeof *r);
}

void media_built_path(const char *name, char *out, size_t cap) {
    char self[512] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) abort();
    /* build/VARIANT/tests/KIND/test_x */
    snprintf(out, cap, "%s/../../%s", dirname(self), name);
}

bool media_ready(const char *dir, char *decode_exe, size_t cap) {
    char command[512];
    media_built_path("relecture-decode", decode_exe, cap);
    const int n = snprintf(command, sizeof command, "tests/media/make_clips.sh %s >&2", dir);
    if (n > 0 && (size_t)n < sizeof command && system(command) == 0) return true;
    puts("not ok 1 - clips could not be made with ffmpeg");
    return false;
}
