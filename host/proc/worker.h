/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - start, talk to, watch and end one of our worker processes.
 * A worker is started by exec with a SOCK_SEQPACKET socket as descriptor 3 and the caller's extra descriptors
 * from 4 on; everything else is closed. Its exit is seen through a pidfd, so no signal handler is needed.
 * Messages are one packet each; what they mean is the business of host/proc/wire.h. WIRE_PING, WIRE_PONG and
 * WIRE_LOG are dealt with here (a log line goes to log_relay(), 200 at once and 20 a second at most) and
 * never reach on_message. Threads: the thread of the event_base given, for every call and every callback.
 * Ownership: worker_end() or worker_kill() followed by the on_exit callback ends a worker; worker_free()
 * frees it at any time, also inside its callbacks (kills and reaps if it still runs; no callback after that).
 */
#ifndef HOST_PROC_WORKER_H
#define HOST_PROC_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define WORKER_MESSAGE_MAX_BYTES 8192u
#define WORKER_SOCKET_FD         3
#define WORKER_EXTRA_FD          4
#define WORKER_EXTRA_FDS_MAX     4u

struct event_base;
struct worker;

struct worker_callbacks {
    /* One packet; borrowed until return. */
    void (*on_message)(struct worker *w, const void *msg, size_t n_bytes, void *arg);
    /* The process is gone and reaped; `status` as from waitpid. Called exactly once, unless freed before.
     * All packets it had sent were delivered first. */
    void (*on_exit)(struct worker *w, int status, void *arg);
    void *arg;
};

struct worker_spec {
    const char *name;        /* for logs: "decode", "card" */
    const char *exe;         /* absolute path of the program */
    const char *const *argv; /* NULL-terminated; argv[0] included */
    const char *const *env;  /* NULL-terminated "K=V" list: the worker's whole environment; NULL = empty */
    int extra_fds[WORKER_EXTRA_FDS_MAX]; /* borrowed; become 4, 5, ... in the worker */
    unsigned n_extra_fds;
    unsigned ping_ms; /* 0 = never; else a worker that sends nothing for this long after a ping is killed */
};

/* ERR_IO (program missing or not startable: logged with errno), ERR_NOMEM. */
MUST_CHECK enum err worker_start(struct event_base *base, const struct worker_spec *spec,
                                 const struct worker_callbacks *cb, struct worker **out);

/* Sends one packet, with up to 4 descriptors (borrowed). Never blocks: packets wait in a bounded queue of our
 * own (1,024) when the socket is full; ERR_BUSY when that is full too, ERR_EOF when the worker is gone. */
MUST_CHECK enum err worker_send(struct worker *w, const void *msg, size_t n_bytes, const int *fds,
                                unsigned n_fds);

/* Closes our end of the socket: a well-behaved worker ends by itself; killed after grace_ms. */
void worker_end(struct worker *w, unsigned grace_ms);
void worker_kill(struct worker *w);
int worker_pid(const struct worker *w);
/* Resource use of the finished process, valid inside and after on_exit; CPU in microseconds, peak in KiB (the
 * largest seen while it ran: looked at four times a second and when it is told to end). */
void worker_usage(const struct worker *w, uint64_t *cpu_us, uint64_t *peak_kib);
void worker_free(struct worker **w);

/* --- inside a worker ---------------------------------------------------------------------------------- */
/* Blocking receive on WORKER_SOCKET_FD; ERR_EOF when the server is gone. Up to 4 descriptors, owned by the
 * caller after return; *n_fds says how many came. Pings are answered here and never seen. timeout_ms < 0 =
 * for ever. */
MUST_CHECK enum err worker_receive(void *msg, size_t cap, size_t *n_bytes, int fds[static 4], unsigned *n_fds,
                                   int timeout_ms);
/* Blocking send. Any thread of the worker. */
MUST_CHECK enum err worker_reply(const void *msg, size_t n_bytes);
/* Sends every log line over the socket instead of stderr. */
void worker_log_to_server(void);

#endif
