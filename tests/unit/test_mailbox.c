/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include <event2/event.h>

#include "host/base/mailbox.h"
#include "tests/support/test.h"

#define N_THREADS 4
#define N_MAILS   20000
struct note {
    struct mail m;
    int from, seq;
};
struct ctx {
    struct event_base *base;
    struct mailbox *mb;
    int seen, last[N_THREADS], misordered;
};
static void on_note(struct mail *m, void *arg) {
    struct ctx *c = arg;
    struct note *n = (struct note *)m;
    if (n->seq != c->last[n->from] + 1) c->misordered++;
    c->last[n->from] = n->seq;
    free(n);
    if (++c->seen == N_THREADS * N_MAILS) event_base_loopbreak(c->base);
}
struct prod {
    struct ctx *c;
    int id;
};
static void *producer(void *arg) {
    struct prod *p = arg;
    for (int i = 1; i <= N_MAILS; i++) {
        struct note *n = malloc(sizeof *n);
        if (!n) abort();
        n->from = p->id;
        n->seq = i;
        mailbox_post(p->c->mb, &n->m);
    }
    return NULL;
}
static void mailbox_posts_from_many_threads_arrive_once_and_in_order(void **state) {
    (void)state;
    struct ctx c = {.base = event_base_new()};
    assert_int_equal(mailbox_new(c.base, on_note, &c, &c.mb), OK);
    pthread_t t[N_THREADS];
    struct prod p[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        p[i] = (struct prod){&c, i};
        pthread_create(&t[i], NULL, producer, &p[i]);
    }
    event_base_dispatch(c.base);
    for (int i = 0; i < N_THREADS; i++) pthread_join(t[i], NULL);
    assert_int_equal(c.seen, N_THREADS * N_MAILS);
    assert_int_equal(c.misordered, 0);
    mailbox_free(c.mb);
    event_base_free(c.base);
}
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailbox_posts_from_many_threads_arrive_once_and_in_order)};
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
