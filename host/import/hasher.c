/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/hasher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "host/base/fs.h"
#include "host/base/mailbox.h"

struct hasher {
    struct mail mail; /* posted once, at the end; first member */
    struct mailbox *mailbox;
    pthread_t thread;
    int fd;
    atomic_bool cancelled;
    bool joined;
    struct hasher_result result;
    hasher_done_fn *done;
    void *arg;
};

static bool goes_on(uint64_t n, void *arg) {
    (void)n;
    const struct hasher *h = arg;
    return !atomic_load(&h->cancelled);
}

static void *run(void *arg) {
    struct hasher *h = arg;
    h->result.status = fs_sha256_fd(h->fd, h->result.sha256, &h->result.n_bytes, goes_on, h);
    mailbox_post(h->mailbox, &h->mail);
    return NULL;
}

static void join(struct hasher *h) {
    if (!h->joined) pthread_join(h->thread, NULL);
    h->joined = true;
}

static void on_mail(struct mail *m, void *arg) {
    (void)arg;
    struct hasher *h = (struct hasher *)m;
    join(h);
    /* Not after hasher_free(): that takes the mailbox, and its mail, away. */
    h->done(&h->result, h->arg);
}

enum err hasher_start(struct event_base *base, int fd, hasher_done_fn *done, void *arg, struct hasher **out) {
    *out = NULL;
    struct hasher *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    h->fd = fd;
    h->done = done;
    h->arg = arg;
    enum err e = mailbox_new(base, on_mail, NULL, &h->mailbox);
    if (e) goto fail_free;
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        e = ERR_NOMEM;
        goto fail_mailbox;
    }
    *out = h;
    return OK;
fail_mailbox:
    mailbox_free(h->mailbox);
fail_free:
    free(h);
    return e;
}

void hasher_free(struct hasher **hp) {
    if (!hp || !*hp) return;
    struct hasher *h = *hp;
    *hp = NULL;
    atomic_store(&h->cancelled, true);
    join(h);
    mailbox_discard(h->mailbox);
    mailbox_free(h->mailbox);
    free(h);
}
