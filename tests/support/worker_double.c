/* SPDX-License-Identifier: Apache-2.0 */
/* A worker for the tests of host/proc: argv[1] says how it behaves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/proc/wire.h"
#include "host/proc/worker.h"

static int echo(void) {
    _Alignas(16) char msg[WORKER_MESSAGE_MAX_BYTES];
    size_t n;
    int fds[4];
    unsigned n_fds;
    for (;;) {
        const enum err e = worker_receive(msg, sizeof msg, &n, fds, &n_fds, -1);
        if (e == ERR_EOF) return 0;
        if (e != OK) return 2;
        /* A descriptor that came along is read and its content sent back instead. */
        if (n_fds > 0) {
            const ssize_t k = pread(fds[n_fds - 1], msg, sizeof msg, 0);
            n = k > 0 ? (size_t)k : 1;
            for (unsigned i = 0; i < n_fds; i++) close(fds[i]);
        }
        if (worker_reply(msg, n) != OK) return 3;
    }
}

/* Which descriptors are open, what the environment holds, and whether signals are as after a fresh start. */
static int report(char **envp) {
    char text[512];
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0) n += snprintf(text + n, sizeof text - (size_t)n, "%d ", fd);
    for (char **e = envp; *e; e++) n += snprintf(text + n, sizeof text - (size_t)n, "%s ", *e);
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    if (sigismember(&blocked, SIGUSR1)) n += snprintf(text + n, sizeof text - (size_t)n, "blocked ");
    struct sigaction sa;
    sigaction(SIGPIPE, NULL, &sa);
    if (sa.sa_handler != SIG_DFL) n += snprintf(text + n, sizeof text - (size_t)n, "ignored ");
    return worker_reply(text, (size_t)n) == OK ? 0 : 1;
}

int main(int argc, char **argv, char **envp) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "echo")) return echo();
    if (!strcmp(mode, "report")) return report(envp);
    if (!strcmp(mode, "exit")) return atoi(argv[2]);
    if (!strcmp(mode, "abort")) abort();
    if (!strcmp(mode, "burst")) { /* says many things, then dies at once with what it was told unread */
        struct pollfd p = {.fd = WORKER_SOCKET_FD, .events = POLLIN};
        if (poll(&p, 1, -1) != 1) return 1;
        for (uint32_t i = 0; i < 200; i++)
            if (worker_reply(&i, sizeof i) != OK) return 1;
        kill(getpid(), SIGKILL);
    }
    if (!strcmp(mode, "deaf")) /* neither reads nor answers */
        for (;;) pause();
    if (!strcmp(mode, "silent")) { /* closes its socket and stays */
        close(WORKER_SOCKET_FD);
        for (;;) pause();
    }
    if (!strcmp(mode, "oversized")) {
        static char big[WORKER_MESSAGE_MAX_BYTES + 1];
        if (worker_reply(big, sizeof big) != OK) return 1;
        return echo();
    }
    if (!strcmp(mode, "forger")) { /* a log line with a line end in it */
        struct wire_log m;
        memset(&m, 0, sizeof m);
        wire_begin(&m, WIRE_LOG, sizeof m);
        snprintf(m.line, sizeof m.line, "a\nb");
        if (worker_reply(&m, sizeof m) != OK) return 1;
        return echo();
    }
    if (!strcmp(mode, "chatter")) { /* more log than anybody wants */
        log_init("double", LOG_INFO);
        worker_log_to_server();
        for (int i = 0; i < 5000; i++) log_info("double", "n=%d", i);
        return 0;
    }
    if (!strcmp(mode, "logger")) {
        log_init("double", LOG_INFO);
        worker_log_to_server();
        log_info("double", "hello=1");
        return 0;
    }
    return 64;
}
