/* SPDX-License-Identifier: Apache-2.0 */
/* The part of worker.h that runs inside a worker. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/proc/wire.h"
#include "host/proc/worker.h"

static void close_all(const int *fds, unsigned n) {
    for (unsigned i = 0; i < n; i++) close(fds[i]);
}

static bool is_ping(const void *msg, size_t n) {
    struct wire_header h;
    if (n != sizeof h) return false;
    memcpy(&h, msg, sizeof h);
    return h.magic == WIRE_MAGIC && h.type == WIRE_PING && h.n_bytes == sizeof h;
}

/* One packet, waiting for nothing. ERR_AGAIN = none there. */
static enum err receive_now(void *msg, size_t cap, size_t *n_bytes, int fds[static 4], unsigned *n_fds) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * WORKER_EXTRA_FDS_MAX)];
    } control;
    struct iovec iov = {.iov_base = msg, .iov_len = cap};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.space,
                        .msg_controllen = sizeof control.space};
    *n_fds = 0;
    ssize_t n;
    do n = recvmsg(WORKER_SOCKET_FD, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN) return ERR_AGAIN;
        return errno == ECONNRESET ? ERR_EOF : ERR_IO;
    }
    if (n == 0) return ERR_EOF;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const unsigned k = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned i = 0; i < k; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*n_fds < WORKER_EXTRA_FDS_MAX)
                fds[(*n_fds)++] = fd;
            else
                close(fd);
        }
    }
    if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        close_all(fds, *n_fds);
        *n_fds = 0;
        return ERR_CORRUPT;
    }
    *n_bytes = (size_t)n;
    return OK;
}

enum err worker_receive(void *msg, size_t cap, size_t *n_bytes, int fds[static 4], unsigned *n_fds,
                        int timeout_ms) {
    const uint64_t start_ns = clock_mono_ns();
    for (;;) {
        enum err e = receive_now(msg, cap, n_bytes, fds, n_fds);
        if (e == OK && is_ping(msg, *n_bytes)) {
            struct wire_header pong;
            close_all(fds, *n_fds);
            wire_begin(&pong, WIRE_PONG, sizeof pong);
            e = worker_reply(&pong, sizeof pong);
            if (e != OK) return e;
            continue;
        }
        if (e != ERR_AGAIN) return e;
        int left_ms = -1;
        if (timeout_ms >= 0) {
            const uint64_t spent_ms = (clock_mono_ns() - start_ns) / 1000000u;
            if (spent_ms >= (uint64_t)timeout_ms) return timeout_ms == 0 ? ERR_AGAIN : ERR_TIMEOUT;
            left_ms = timeout_ms - (int)spent_ms;
        }
        struct pollfd p = {.fd = WORKER_SOCKET_FD, .events = POLLIN};
        if (poll(&p, 1, left_ms) < 0 && errno != EINTR) return ERR_IO;
    }
}

enum err worker_reply(const void *msg, size_t n_bytes) {
    for (;;) {
        if (send(WORKER_SOCKET_FD, msg, n_bytes, MSG_NOSIGNAL) >= 0) return OK;
        if (errno == EINTR) continue;
        return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? ERR_EOF : ERR_IO;
    }
}

static void log_to_socket(enum log_level level, const char *line, void *arg) {
    (void)arg;
    struct wire_log m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_LOG, sizeof m);
    m.level = level;
    snprintf(m.line, sizeof m.line, "%s", line);
    const enum err e = worker_reply(&m, sizeof m);
    (void)e; /* a server that is gone reads no logs */
}

void worker_log_to_server(void) {
    log_sink(log_to_socket, NULL);
}
