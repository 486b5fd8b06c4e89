/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/media_work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/log.h"

struct waiting {
    struct event_base *base;
    struct media_work *result;
    const atomic_bool *stop;
    enum err e;
    bool over;
};

static void on_end(struct decoder *d, const struct wire_decode_end *m, void *arg) {
    (void)d;
    struct waiting *w = arg;
    w->result->first_us = m->first_pts_us;
    w->result->end_us = m->end_us;
    w->over = true;
    event_base_loopbreak(w->base);
}

static void on_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    (void)d;
    struct waiting *w = arg;
    w->e = e ? e : ERR_IO;
    snprintf(w->result->text, sizeof w->result->text, "%s", f->text);
    w->over = true;
    event_base_loopbreak(w->base);
}

static void look_at_stop(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct waiting *w = arg;
    if (!atomic_load(w->stop)) return;
    w->e = ERR_CANCELLED;
    w->over = true;
    event_base_loopbreak(w->base);
}

static enum err run(const struct decoder_spec *spec, const atomic_bool *stop, struct media_work *result) {
    struct waiting w = {.base = event_base_new(), .result = result, .stop = stop};
    struct decoder *d = NULL;
    if (!w.base) return ERR_NOMEM;
    const struct timeval limit = {.tv_sec = MEDIA_WORK_LIMIT_S};
    const struct decoder_callbacks cb = {.on_end = on_end, .on_failed = on_failed, .arg = &w};
    const struct timeval every = {.tv_usec = 100000};
    struct event *look = stop ? event_new(w.base, -1, EV_PERSIST, look_at_stop, &w) : NULL;
    enum err e = stop && (!look || event_add(look, &every) != 0) ? ERR_NOMEM : OK;
    if (!e) e = decoder_start(w.base, spec, &cb, &d);
    if (!e) {
        event_base_loopexit(w.base, &limit);
        event_base_dispatch(w.base);
        e = w.over ? w.e : ERR_TIMEOUT;
    }
    decoder_free(&d);
    if (look) event_free(look);
    event_base_free(w.base);
    return e;
}

enum err media_work(const struct decoder_spec *spec, const char *in, const char *out, const atomic_bool *stop,
                    struct media_work *result) {
    *result = (struct media_work){.first_us = -1, .end_us = -1};
    const char *slash = strrchr(in, '/');
    struct decoder_spec s = *spec;
    s.label = slash ? slash + 1 : in;
    s.in_fd = open(in, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (s.in_fd < 0) {
        snprintf(result->text, sizeof result->text, "%s is no longer where it was imported from", s.label);
        return errno == ENOENT ? ERR_MISSING : ERR_IO;
    }
    s.out_fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum err e = ERR_IO;
    if (s.out_fd >= 0) {
        e = run(&s, stop, result);
        close(s.out_fd);
    }
    close(s.in_fd);
    if (e && unlink(out) != 0 && errno != ENOENT) log_warn("evidence", "op=unlink errno=%d", errno);
    if (e && !result->text[0]) snprintf(result->text, sizeof result->text, "%s: %s", s.label, err_text(e));
    return e;
}
