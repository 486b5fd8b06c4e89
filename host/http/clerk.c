/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/clerk.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct clerk {
    pthread_t thread;
    pthread_mutex_t lock; /* over the queue and `ending`; never held while working */
    pthread_cond_t more;
    struct clerk_job *head, **tail;
    unsigned n, n_max;
    bool ending;
    struct register_db *reg; /* the thread's alone once it runs */
    struct mailbox *answers;
};

/* Waits for a job; NULL = the end. */
static struct clerk_job *take(struct clerk *c) {
    pthread_mutex_lock(&c->lock);
    while (!c->head && !c->ending) pthread_cond_wait(&c->more, &c->lock);
    struct clerk_job *job = c->head;
    if (job) {
        c->head = job->next;
        if (!c->head) c->tail = &c->head;
        c->n--;
    }
    pthread_mutex_unlock(&c->lock);
    return job;
}

static void *run(void *arg) {
    struct clerk *c = arg;
    for (struct clerk_job *job; (job = take(c));) {
        job->work(c->reg, job);
        mailbox_post(c->answers, &job->mail);
    }
    return NULL;
}

static void on_answer(struct mail *m, void *arg) {
    (void)arg;
    struct clerk_job *job = (struct clerk_job *)m;
    job->done(job);
}

enum err clerk_new(struct event_base *base, const char *dir, unsigned n_waiting, struct clerk **out) {
    enum err e = ERR_NOMEM;
    *out = NULL;
    struct clerk *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->tail = &c->head;
    c->n_max = n_waiting;
    if (pthread_mutex_init(&c->lock, NULL) != 0) goto fail_free;
    if (pthread_cond_init(&c->more, NULL) != 0) goto fail_lock;
    if ((e = register_open(dir, false, &c->reg)) != OK) goto fail_cond;
    if ((e = mailbox_new(base, on_answer, c, &c->answers)) != OK) goto fail_reg;
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        e = ERR_NOMEM;
        goto fail_mailbox;
    }
    *out = c;
    return OK;
fail_mailbox:
    mailbox_free(c->answers);
fail_reg:
    register_close(&c->reg);
fail_cond:
    pthread_cond_destroy(&c->more);
fail_lock:
    pthread_mutex_destroy(&c->lock);
fail_free:
    free(c);
    return e;
}

enum err clerk_add(struct clerk *c, struct clerk_job *job) {
    job->next = NULL;
    pthread_mutex_lock(&c->lock);
    const bool room = c->n < c->n_max;
    if (room) {
        *c->tail = job;
        c->tail = &job->next;
        c->n++;
        pthread_cond_signal(&c->more);
    }
    pthread_mutex_unlock(&c->lock);
    return room ? OK : ERR_BUSY;
}

void clerk_free(struct clerk **clerk) {
    struct clerk *c = *clerk;
    *clerk = NULL;
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    mailbox_discard(c->answers); /* what they answer goes with the server */
    mailbox_free(c->answers);
    register_close(&c->reg);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
