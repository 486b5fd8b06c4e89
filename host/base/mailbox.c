/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

struct mailbox {
    pthread_mutex_t lock;
    struct mail *head, **tail;
    int efd;
    struct event *ev;
    mail_fn *fn;
    void *arg;
};

static void on_wake(evutil_socket_t fd, short what, void *arg) {
    (void)what;
    struct mailbox *mb = arg;
    uint64_t n;
    /* Read first, detach second: a post between the two wakes us again, a post before both is in the list. */
    if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN && errno != EINTR) abort();
    pthread_mutex_lock(&mb->lock);
    struct mail *m = mb->head;
    mb->head = NULL;
    mb->tail = &mb->head;
    pthread_mutex_unlock(&mb->lock);
    while (m) {
        struct mail *next = m->next;
        mb->fn(m, mb->arg);
        m = next;
    }
}

enum err mailbox_new(struct event_base *base, mail_fn *fn, void *arg, struct mailbox **out) {
    enum err e = ERR_NOMEM;
    *out = NULL;
    struct mailbox *mb = calloc(1, sizeof *mb);
    if (!mb) return ERR_NOMEM;
    mb->tail = &mb->head;
    mb->fn = fn;
    mb->arg = arg;
    if (pthread_mutex_init(&mb->lock, NULL) != 0) goto fail_free;
    mb->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mb->efd < 0) {
        e = ERR_IO;
        goto fail_lock;
    }
    mb->ev = event_new(base, mb->efd, EV_READ | EV_PERSIST, on_wake, mb);
    if (!mb->ev) goto fail_efd;
    if (event_add(mb->ev, NULL) != 0) goto fail_ev;
    *out = mb;
    return OK;
fail_ev:
    event_free(mb->ev);
fail_efd:
    close(mb->efd);
fail_lock:
    pthread_mutex_destroy(&mb->lock);
fail_free:
    free(mb);
    return e;
}

void mailbox_post(struct mailbox *mb, struct mail *m) {
    m->next = NULL;
    pthread_mutex_lock(&mb->lock);
    const int was_empty = mb->head == NULL;
    *mb->tail = m;
    mb->tail = &m->next;
    pthread_mutex_unlock(&mb->lock);
    if (!was_empty) return; /* the poster that found it empty has written, or is about to */
    /* EAGAIN would mean the counter is full, hence already readable: as good as written. */
    const uint64_t one = 1;
    while (write(mb->efd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void mailbox_discard(struct mailbox *mb) {
    pthread_mutex_lock(&mb->lock);
    mb->head = NULL;
    mb->tail = &mb->head;
    pthread_mutex_unlock(&mb->lock);
}

void mailbox_free(struct mailbox *mb) {
    if (!mb) return;
    assert(mb->head == NULL);
    event_free(mb->ev);
    close(mb->efd);
    pthread_mutex_destroy(&mb->lock);
    free(mb);
}
