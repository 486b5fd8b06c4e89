/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/journaler.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "host/base/log.h"

#define BATCH_MAX 64u

struct journaler {
    pthread_t thread;
    pthread_mutex_t lock; /* over the queue and `ending`; never held while writing */
    pthread_cond_t more;
    struct journal_line *head, **tail;
    bool ending;
    struct register_db *reg; /* the thread's alone once it runs */
    struct mailbox *answers;
};

/* Up to BATCH_MAX lines, waiting for the first one; 0 = the end. */
static size_t take(struct journaler *j, struct journal_line *lines[static BATCH_MAX]) {
    size_t n = 0;
    pthread_mutex_lock(&j->lock);
    while (!j->head && !j->ending) pthread_cond_wait(&j->more, &j->lock);
    while (j->head && n < BATCH_MAX) {
        lines[n++] = j->head;
        j->head = j->head->next;
    }
    if (!j->head) j->tail = &j->head;
    pthread_mutex_unlock(&j->lock);
    return n;
}

static struct journal_entry entry_of(const struct journal_line *l) {
    return (struct journal_entry){.user = l->user,
                                  .role = l->role,
                                  .action = l->action,
                                  .case_id = l->case_id,
                                  .object = l->object,
                                  .detail = l->detail};
}

/* All by one commit; when one of them is refused for what it holds, each by its own, so that only that one
 * fails. */
static void write_lines(struct journaler *j, struct journal_line *const lines[], size_t n) {
    struct journal_entry entries[BATCH_MAX];
    uint64_t seq;
    for (size_t i = 0; i < n; i++) entries[i] = entry_of(lines[i]);
    enum err e = journal_add_many(j->reg, entries, n, &seq);
    for (size_t i = 0; i < n; i++)
        lines[i]->result = e == ERR_USAGE && n > 1 ? journal_add_many(j->reg, &entries[i], 1, &seq) : e;
    if (e != OK) log_error("journal", "lines=%zu err=%s", n, err_text(e));
}

static void *run(void *arg) {
    struct journaler *j = arg;
    struct journal_line *lines[BATCH_MAX];
    for (size_t n; (n = take(j, lines)) > 0;) {
        write_lines(j, lines, n);
        for (size_t i = 0; i < n; i++) mailbox_post(j->answers, &lines[i]->mail);
    }
    return NULL;
}

static void on_answer(struct mail *m, void *arg) {
    (void)arg;
    struct journal_line *line = (struct journal_line *)m;
    line->done(line, line->arg);
}

enum err journaler_new(struct event_base *base, const char *dir, struct journaler **out) {
    enum err e = ERR_NOMEM;
    *out = NULL;
    struct journaler *j = calloc(1, sizeof *j);
    if (!j) return ERR_NOMEM;
    j->tail = &j->head;
    if (pthread_mutex_init(&j->lock, NULL) != 0) goto fail_free;
    if (pthread_cond_init(&j->more, NULL) != 0) goto fail_lock;
    if ((e = register_open(dir, false, &j->reg)) != OK) goto fail_cond;
    if ((e = mailbox_new(base, on_answer, j, &j->answers)) != OK) goto fail_reg;
    if (pthread_create(&j->thread, NULL, run, j) != 0) {
        e = ERR_NOMEM;
        goto fail_mailbox;
    }
    *out = j;
    return OK;
fail_mailbox:
    mailbox_free(j->answers);
fail_reg:
    register_close(&j->reg);
fail_cond:
    pthread_cond_destroy(&j->more);
fail_lock:
    pthread_mutex_destroy(&j->lock);
fail_free:
    free(j);
    return e;
}

void journaler_add(struct journaler *j, struct journal_line *line) {
    line->next = NULL;
    pthread_mutex_lock(&j->lock);
    *j->tail = line;
    j->tail = &line->next;
    pthread_cond_signal(&j->more);
    pthread_mutex_unlock(&j->lock);
}

void journaler_free(struct journaler **journaler) {
    struct journaler *j = *journaler;
    *journaler = NULL;
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_cond_signal(&j->more);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    mailbox_discard(j->answers); /* their exchanges are freed by the server */
    mailbox_free(j->answers);
    register_close(&j->reg);
    pthread_cond_destroy(&j->more);
    pthread_mutex_destroy(&j->lock);
    free(j);
}
