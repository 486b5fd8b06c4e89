/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a worker; what runs inside one is in worker_side.c, so that workers do not load
 * libevent. */
#include "host/proc/worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/proc/wire.h"

#define QUEUE_MAX           1024u
#define PACKETS_PER_WAKE    64u        /* then the other events of the loop have their turn */
#define SAMPLE_EVERY_NS     250000000u /* of the peak memory, by /proc: about 20 us each */
#define MUTE_GRACE_MS       500u       /* for a worker that closed its socket and still runs */
#define LOG_BURST           200u       /* lines of a worker at once, then so many a second */
#define LOG_PER_S           20u
#define FIRST_SPARE_FD      64     /* above every descriptor number that a worker is given */
#define EXIT_STATUS_UNKNOWN 0x7f00 /* as for a program that ended with 127 */

struct packet {
    struct packet *next;
    size_t n_bytes;
    unsigned n_fds;
    int fds[WORKER_EXTRA_FDS_MAX]; /* duplicates of the caller's */
    uint8_t data[];
};

struct worker {
    struct event_base *base;
    struct worker_callbacks cb;
    char name[32];
    pid_t pid;
    int pidfd, sock;
    struct event *on_readable, *on_writable, *on_gone, *on_ping, *on_late;
    struct packet *head, **tail;
    unsigned n_queued;
    unsigned ping_ms;
    bool pinged, heard;  /* a ping is out; anything came since */
    bool killed, mute;   /* kill sent; nothing more can be read from it */
    bool gone;           /* reaped; status and usage are valid */
    bool sending_ended;  /* worker_end() was called */
    uint64_t log_ns;     /* when log_room was last filled */
    unsigned log_room;   /* lines it may still write now */
    uint64_t n_log_lost; /* since the last line that was written */
    int status;
    uint64_t cpu_us, peak_kib, sampled_ns;
    /* worker_free() inside a callback only marks; the outermost frame of ours frees. */
    unsigned depth;
    bool doomed;
};

static struct timeval timeval_of(unsigned ms) {
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static void close_fds(int *fds, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (fds[i] >= 0) close(fds[i]);
}

static void packet_free(struct packet *p) {
    close_fds(p->fds, p->n_fds);
    free(p);
}

static void drop_queue(struct worker *w) {
    while (w->head) {
        struct packet *p = w->head;
        w->head = p->next;
        packet_free(p);
    }
    w->tail = &w->head;
    w->n_queued = 0;
}

/* The peak that the kernel hands out at the end counts the memory of the process that started the worker too
 * (exec keeps the old high-water mark), so the worker's own is read from /proc while it lives. */
static void sample_peak(struct worker *w, bool always) {
    const uint64_t now = clock_mono_ns();
    if (w->gone || (!always && w->sampled_ns && now - w->sampled_ns < SAMPLE_EVERY_NS)) return;
    w->sampled_ns = now;
    char path[48], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)w->pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return;
    text[n] = 0;
    const char *p = strstr(text, "VmHWM:");
    if (!p) return;
    const uint64_t kib = strtoull(p + 6, NULL, 10);
    if (kib > w->peak_kib) w->peak_kib = kib;
}

static void release(struct worker *w) {
    if (w->on_readable) event_free(w->on_readable);
    if (w->on_writable) event_free(w->on_writable);
    if (w->on_gone) event_free(w->on_gone);
    if (w->on_ping) event_free(w->on_ping);
    if (w->on_late) event_free(w->on_late);
    drop_queue(w);
    if (w->sock >= 0) close(w->sock);
    if (w->pidfd >= 0) close(w->pidfd);
    free(w);
}

static void enter(struct worker *w) {
    w->depth++;
}
static void leave(struct worker *w) {
    if (--w->depth == 0 && w->doomed) release(w);
}

/* A worker that was taken over must not fill the disk with its log. */
static bool may_log(struct worker *w) {
    const uint64_t now = clock_mono_ns();
    const uint64_t more = (now - w->log_ns) * LOG_PER_S / 1000000000u;
    if (w->log_ns == 0 || more > 0) {
        w->log_room =
            w->log_ns == 0 || more >= LOG_BURST - w->log_room ? LOG_BURST : w->log_room + (unsigned)more;
        w->log_ns = now;
    }
    if (w->log_room == 0) {
        w->n_log_lost++;
        return false;
    }
    w->log_room--;
    if (w->n_log_lost)
        log_warn("worker", "log lines dropped name=%s pid=%d n=%llu", w->name, (int)w->pid,
                 (unsigned long long)w->n_log_lost);
    w->n_log_lost = 0;
    return true;
}

/* One packet from the worker. */
static void take_packet(struct worker *w, const void *msg, size_t n) {
    w->heard = true;
    struct wire_header h;
    if (n >= sizeof h) {
        memcpy(&h, msg, sizeof h);
        if (h.magic == WIRE_MAGIC && (h.type == WIRE_PING || h.type == WIRE_PONG || h.type == WIRE_LOG)) {
            struct wire_log m;
            enum wire_type type;
            if (wire_check(msg, n, &m, sizeof m, &type) != OK) {
                log_warn("worker", "protocol broken name=%s pid=%d type=%u bytes=%zu", w->name, (int)w->pid,
                         (unsigned)h.type, n);
                worker_kill(w);
            } else if (type == WIRE_LOG && may_log(w)) {
                log_relay((enum log_level)m.level, m.line);
            }
            return;
        }
    }
    if (w->cb.on_message) w->cb.on_message(w, msg, n, w->cb.arg);
}

/* Reads at most `limit` packets; stops when the worker is killed for good or freed by a callback. */
static void drain(struct worker *w, unsigned limit) {
    _Alignas(16) uint8_t buf[WORKER_MESSAGE_MAX_BYTES];
    for (unsigned i = 0; i < limit && !w->mute && !w->doomed; i++) {
        struct iovec iov = {.iov_base = buf, .iov_len = sizeof buf};
        /* No room for control data: descriptors that a worker tries to hand over are closed by the kernel. */
        struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
        const ssize_t n = recvmsg(w->sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        /* A worker that died with messages of ours unread: told once, before what it had still said. */
        if (n < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            w->mute = true;
            event_del(w->on_readable);
            sample_peak(w, true);
            const struct timeval grace = timeval_of(MUTE_GRACE_MS);
            if (!w->sending_ended && !w->gone) event_add(w->on_late, &grace);
            return;
        }
        if (mh.msg_flags & MSG_TRUNC) {
            log_warn("worker", "oversized packet name=%s pid=%d", w->name, (int)w->pid);
            worker_kill(w);
            return;
        }
        take_packet(w, buf, (size_t)n);
    }
}

static void readable(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct worker *w = arg;
    enter(w);
    sample_peak(w, false);
    drain(w, PACKETS_PER_WAKE);
    leave(w);
}

/* ERR_AGAIN = the socket is full. */
static enum err push(struct worker *w, const void *msg, size_t n, const int *fds, unsigned n_fds) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * WORKER_EXTRA_FDS_MAX)];
    } control;
    union {
        const void *in;
        void *out;
    } data = {.in = msg}; /* sendmsg only reads, but its iovec is not const */
    struct iovec iov = {.iov_base = data.out, .iov_len = n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0) {
        memset(&control, 0, sizeof control);
        mh.msg_control = control.space;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    for (;;) {
        if (sendmsg(w->sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return OK;
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return ERR_AGAIN;
        if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) return ERR_EOF;
        log_warn("worker", "send failed name=%s pid=%d errno=%d", w->name, (int)w->pid, errno);
        return ERR_IO;
    }
}

static void writable(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct worker *w = arg;
    while (w->head) {
        struct packet *p = w->head;
        const enum err e = push(w, p->data, p->n_bytes, p->fds, p->n_fds);
        if (e == ERR_AGAIN) break;
        if (e != OK) {
            drop_queue(w); /* its end is seen on the pidfd */
            break;
        }
        w->head = p->next;
        if (!w->head) w->tail = &w->head;
        w->n_queued--;
        packet_free(p);
    }
    if (w->head) event_add(w->on_writable, NULL);
}

static void gone(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct worker *w = arg;
    struct rusage ru;
    int status = EXIT_STATUS_UNKNOWN;
    pid_t r;
    memset(&ru, 0, sizeof ru);
    do r = wait4(w->pid, &status, WNOHANG, &ru);
    while (r < 0 && errno == EINTR);
    if (r == 0) {
        event_add(w->on_gone, NULL);
        return;
    }
    if (r < 0) log_warn("worker", "cannot reap name=%s pid=%d errno=%d", w->name, (int)w->pid, errno);
    w->gone = true;
    w->status = r < 0 ? EXIT_STATUS_UNKNOWN : status;
    w->cpu_us = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000u +
                (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
    if (w->peak_kib == 0) w->peak_kib = (uint64_t)ru.ru_maxrss;
    if (w->on_ping) event_del(w->on_ping);
    event_del(w->on_late);
    event_del(w->on_writable);
    event_del(w->on_readable);
    enter(w);
    /* What a killed worker had still to say counts as well: its socket holds at most a buffer full. */
    drain(w, UINT32_MAX);
    if (!w->doomed && w->cb.on_exit) w->cb.on_exit(w, w->status, w->cb.arg);
    leave(w);
}

static void late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct worker *w = arg;
    log_warn("worker", "did not end in time, killed name=%s pid=%d", w->name, (int)w->pid);
    worker_kill(w);
}

static void ping(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct worker *w = arg;
    enter(w);
    sample_peak(w, false);
    drain(w, PACKETS_PER_WAKE); /* when our own loop was late, its answer waits in the socket */
    if (!w->doomed && !w->mute) {
        if (w->pinged && !w->heard) {
            log_warn("worker", "no sign of life, killed name=%s pid=%d limit_ms=%u", w->name, (int)w->pid,
                     w->ping_ms);
            worker_kill(w);
        } else {
            struct wire_header h;
            wire_begin(&h, WIRE_PING, sizeof h);
            /* A full socket: the worker has more than enough to answer. */
            const enum err e = push(w, &h, sizeof h, NULL, 0);
            w->pinged = e == OK || e == ERR_AGAIN;
            w->heard = false;
        }
    }
    leave(w);
}

static enum err spawn(const struct worker_spec *spec, int sock, pid_t *pid) {
    int spare[1 + WORKER_EXTRA_FDS_MAX] = {-1, -1, -1, -1, -1};
    const unsigned n_fds = 1 + spec->n_extra_fds;
    static const char *const no_env[] = {NULL};
    enum err e = ERR_IO;
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;

    if (posix_spawn_file_actions_init(&fa) != 0) return ERR_NOMEM;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&fa);
        return ERR_NOMEM;
    }
    /* First out of the way of the numbers they are to get, then down to them. */
    for (unsigned i = 0; i < n_fds; i++) {
        spare[i] = fcntl(i == 0 ? sock : spec->extra_fds[i - 1], F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
        if (spare[i] < 0) {
            log_error("worker", "bad descriptor name=%s index=%u errno=%d", spec->name, i, errno);
            goto done;
        }
    }
    int rc = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    /* A worker that prints must not end up in the output of the command that started it. */
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
    for (unsigned i = 0; rc == 0 && i < n_fds; i++)
        rc = posix_spawn_file_actions_adddup2(&fa, spare[i], WORKER_SOCKET_FD + (int)i);
    if (rc == 0) rc = posix_spawn_file_actions_addclosefrom_np(&fa, WORKER_SOCKET_FD + (int)n_fds);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(&attr, &all);
    if (rc == 0) rc = posix_spawnattr_setsigmask(&attr, &none);
    /* A group of its own: Ctrl-C is for the server, which ends its workers in order. */
    if (rc == 0) rc = posix_spawnattr_setpgroup(&attr, 0);
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attr,
                                      POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    if (rc != 0) {
        e = ERR_NOMEM;
        goto done;
    }
    union {
        const char *const *in;
        char *const *out;
    } argv = {.in = spec->argv}, env = {.in = spec->env ? spec->env : no_env}; /* exec takes them non-const */
    rc = posix_spawn(pid, spec->exe, &fa, &attr, argv.out, env.out);
    if (rc != 0) {
        log_error("worker", "cannot start name=%s exe=%s errno=%d", spec->name, spec->exe, rc);
        e = rc == ENOMEM ? ERR_NOMEM : ERR_IO;
        goto done;
    }
    e = OK;
done:
    close_fds(spare, n_fds);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&fa);
    return e;
}

enum err worker_start(struct event_base *base, const struct worker_spec *spec,
                      const struct worker_callbacks *cb, struct worker **out) {
    *out = NULL;
    if (!spec->exe || !spec->argv || spec->n_extra_fds > WORKER_EXTRA_FDS_MAX) return ERR_USAGE;
    int pair[2];
    struct worker *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    w->base = base;
    w->cb = *cb;
    w->tail = &w->head;
    w->ping_ms = spec->ping_ms;
    w->pidfd = w->sock = -1;
    snprintf(w->name, sizeof w->name, "%s", spec->name);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        log_error("worker", "socketpair failed name=%s errno=%d", spec->name, errno);
        release(w);
        return ERR_IO;
    }
    w->sock = pair[0];
    const enum err e = spawn(spec, pair[1], &w->pid);
    close(pair[1]);
    if (e != OK) {
        release(w);
        return e;
    }
    /* Not reaped yet, so the number cannot belong to anybody else. */
    w->pidfd = pidfd_open(w->pid, 0);
    if (w->pidfd < 0) {
        log_error("worker", "pidfd_open failed name=%s errno=%d", spec->name, errno);
        goto fail;
    }
    w->on_readable = event_new(base, w->sock, EV_READ | EV_PERSIST, readable, w);
    w->on_writable = event_new(base, w->sock, EV_WRITE, writable, w);
    w->on_gone = event_new(base, w->pidfd, EV_READ, gone, w);
    w->on_late = evtimer_new(base, late, w);
    if (!w->on_readable || !w->on_writable || !w->on_gone || !w->on_late) goto fail;
    if (event_add(w->on_readable, NULL) != 0 || event_add(w->on_gone, NULL) != 0) goto fail;
    if (w->ping_ms) {
        const struct timeval every = timeval_of(w->ping_ms);
        w->on_ping = event_new(base, -1, EV_PERSIST, ping, w);
        if (!w->on_ping || event_add(w->on_ping, &every) != 0) goto fail;
    }
    *out = w;
    return OK;
fail:
    worker_free(&w);
    return ERR_NOMEM;
}

enum err worker_send(struct worker *w, const void *msg, size_t n_bytes, const int *fds, unsigned n_fds) {
    if (n_bytes == 0 || n_bytes > WORKER_MESSAGE_MAX_BYTES || n_fds > WORKER_EXTRA_FDS_MAX) return ERR_USAGE;
    if (w->gone || w->killed || w->sending_ended) return ERR_EOF;
    if (!w->head) {
        const enum err e = push(w, msg, n_bytes, fds, n_fds);
        if (e != ERR_AGAIN) return e;
    }
    if (w->n_queued >= QUEUE_MAX) return ERR_BUSY;
    struct packet *p = malloc(sizeof *p + n_bytes);
    if (!p) return ERR_NOMEM;
    p->next = NULL;
    p->n_bytes = n_bytes;
    p->n_fds = 0;
    memcpy(p->data, msg, n_bytes);
    for (; p->n_fds < n_fds; p->n_fds++) {
        p->fds[p->n_fds] = fcntl(fds[p->n_fds], F_DUPFD_CLOEXEC, 0);
        if (p->fds[p->n_fds] < 0) {
            log_warn("worker", "cannot keep a descriptor name=%s errno=%d", w->name, errno);
            packet_free(p);
            return ERR_IO;
        }
    }
    *w->tail = p;
    w->tail = &p->next;
    w->n_queued++;
    if (event_add(w->on_writable, NULL) != 0) return ERR_NOMEM;
    return OK;
}

void worker_end(struct worker *w, unsigned grace_ms) {
    if (w->gone || w->sending_ended) return;
    sample_peak(w, true);
    w->sending_ended = true;
    drop_queue(w);
    event_del(w->on_writable);
    if (w->on_ping) event_del(w->on_ping);
    /* Only our direction: what it still has to say is read. */
    shutdown(w->sock, SHUT_WR);
    const struct timeval grace = timeval_of(grace_ms);
    event_add(w->on_late, &grace);
}

void worker_kill(struct worker *w) {
    if (w->gone || w->killed) return;
    sample_peak(w, true);
    w->killed = true;
    drop_queue(w);
    if (pidfd_send_signal(w->pidfd, SIGKILL, NULL, 0) != 0 && errno != ESRCH)
        log_error("worker", "kill failed name=%s pid=%d errno=%d", w->name, (int)w->pid, errno);
}

int worker_pid(const struct worker *w) {
    return (int)w->pid;
}

void worker_usage(const struct worker *w, uint64_t *cpu_us, uint64_t *peak_kib) {
    *cpu_us = w->cpu_us;
    *peak_kib = w->peak_kib;
}

void worker_free(struct worker **pw) {
    if (!pw || !*pw) return;
    struct worker *w = *pw;
    *pw = NULL;
    if (w->doomed) return;
    if (!w->gone) {
        /* By pid where no pidfd could be had: unreaped, so still ours. */
        if (w->pidfd < 0 || pidfd_send_signal(w->pidfd, SIGKILL, NULL, 0) != 0) kill(w->pid, SIGKILL);
        while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        w->gone = true;
    }
    w->doomed = true;
    if (w->depth == 0) release(w);
}
