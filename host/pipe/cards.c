/* SPDX-License-Identifier: Apache-2.0 */
/* A card worker:   starting -> ready -> gone -> backing off -> starting ...       or offline, for good.
 *   start_card()   backing off -> starting     exec, arenas are sent once it is ready
 *   on_ready()     starting -> ready
 *   on_exit()      any -> backing off, or offline: refused from the start, or too many starts failed in a row
 * A job:           waiting -> submitted -> answered.
 *   submit()       waiting -> submitted        to the ready worker with the fewest jobs
 *   on_done()      submitted -> answered, or waiting again when the card failed it
 *   on_exit()      submitted -> waiting: the worker died with it
 * Which of a dead worker's jobs killed it is not known. Each of them becomes a suspect and is submitted once
 * more alone on its worker, and a third time if that dies too: so a third death names the culprit, and a job
 * is not punished for meeting a card that dies by itself.
 */
#include "host/pipe/cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "driver/card_exit.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/proc/worker.h"

#define CARDS_MAX         16u
#define ARENAS_MAX        62u /* the worker has room for 64; one is the results' */
#define RESULT_ARENA      0u
#define RESULT_SLOT_BYTES ((size_t)4 << 20) /* NanoDet-g at 416: 0.44 MB; 32 crops of 128x256: 3.1 MB */
#define JOBS_PER_LANE     2u                /* one runs, one waits, so that a lane never waits for us */
#define DEATHS_MAX        3u                /* of workers, by one job */
#define TRIES_MAX         8u                /* that ended badly: a wrong answer costs little to ask again */
#define STARTS_FAILED_MAX 7u                /* back-off 1 .. 60 s: about two minutes */
#define BACKOFF_MAX_S     60u
#define START_LIMIT_MS    120000u /* programming a large card takes tens of seconds */
#define PING_MS           30000u
#define SWEEP_MS          100u

enum card_state { CARD_STARTING, CARD_READY, CARD_BACKING_OFF, CARD_OFFLINE };

struct card {
    struct cards *all;
    unsigned index;
    enum card_state state;
    struct worker *worker;
    struct event *retry;
    unsigned n_lanes, n_jobs;
    bool ending;      /* killed, its exit has not been seen yet */
    bool has_suspect; /* then it gets no other job */
    bool was_ready;   /* ever */
    unsigned n_starts;
    unsigned n_bad_starts; /* in a row */
    unsigned backoff_s;
    uint64_t started_ns;
    uint64_t cpu_us, peak_kib; /* of its finished processes */
};

struct arena {
    bool used, dropped; /* dropped by the caller, but a cancelled job still reads it */
    uint32_t id;
    int fd; /* ours */
    unsigned n_slots;
    size_t slot_bytes;
    unsigned n_jobs;
};

struct job {
    struct job *prev, *next;
    uint64_t id;
    cards_done_fn *done; /* NULL = cancelled */
    void *arg;
    struct arena *arena;
    struct card *card; /* NULL = waiting */
    unsigned n_tries;  /* that ended badly ... */
    unsigned n_deaths; /* ... because the worker did */
    unsigned out_slot;
    uint64_t sent_ns;
    uint32_t n_bytes; /* that the result must have */
    bool is_crops;
    union {
        struct wire_detect detect;
        struct wire_crops crops;
    } m;
};

struct cards {
    struct event_base *base;
    struct cards_config cfg; /* texts are ours */
    char *text[5];
    cards_ready_fn *on_ready;
    cards_dead_fn *on_dead;
    void *arg;
    struct slots *results;
    struct event *sweep;
    struct arena arenas[ARENAS_MAX];
    uint32_t last_arena;
    struct job *first, *last; /* all, oldest first */
    unsigned n_waiting;
    uint64_t last_job;
    bool has_model, dead;
    uint32_t detect_bytes;
    struct wire_card_ready model;
    struct cards_stats stats;
    struct card card[CARDS_MAX];
};

static void start_card(struct card *k);
static void kill_card(struct card *k) {
    k->ending = true;
    worker_kill(k->worker);
}
static void submit_waiting(struct cards *c);

/* --- jobs
 * --------------------------------------------------------------------------------------------------- */

static void job_unlink(struct cards *c, struct job *j) {
    if (j->prev)
        j->prev->next = j->next;
    else
        c->first = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        c->last = j->prev;
}

static void arena_release(struct arena *a) {
    close(a->fd);
    *a = (struct arena){.fd = -1};
}

/* Tells the workers that map it; call when no job is on it. */
static void arena_forget(struct cards *c, struct arena *a) {
    struct wire_arena m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_CARD_ARENA_DROP, sizeof m);
    m.arena = a->id;
    for (unsigned i = 0; i < c->cfg.n_cards; i++) {
        struct card *k = &c->card[i];
        if (k->state == CARD_READY && worker_send(k->worker, &m, sizeof m, NULL, 0) != OK)
            worker_kill(k->worker);
    }
    arena_release(a);
}

/* Takes the job out of everything, then calls back, so the callee may submit again. */
static void answer(struct cards *c, struct job *j, const struct cards_result *r) {
    job_unlink(c, j);
    if (j->card) {
        j->card->n_jobs--;
        if (j->n_tries > 0) j->card->has_suspect = false;
    } else {
        c->n_waiting--;
    }
    if (r->status == OK)
        c->stats.n_done++;
    else
        c->stats.n_failed++;
    if (j->done) j->done(r, j->arg);
    slots_unref(c->results, j->out_slot);
    struct arena *a = j->arena;
    if (--a->n_jobs == 0 && a->dropped) arena_forget(c, a);
    free(j);
}

static void fail(struct cards *c, struct job *j, enum err e) {
    const struct cards_result r = {.status = e};
    answer(c, j, &r);
}

static unsigned card_room(const struct card *k) {
    const unsigned most = JOBS_PER_LANE * k->n_lanes;
    return k->state == CARD_READY && !k->ending && !k->has_suspect && k->n_jobs < most ? most - k->n_jobs : 0;
}

/* A job that failed once wants a worker of its own. */
static struct card *choose(struct cards *c, const struct job *j) {
    struct card *best = NULL;
    for (unsigned i = 0; i < c->cfg.n_cards; i++) {
        struct card *k = &c->card[i];
        if (card_room(k) == 0 || (j->n_tries > 0 && k->n_jobs > 0)) continue;
        if (!best || k->n_jobs < best->n_jobs) best = k;
    }
    return best;
}

static bool send_job(struct cards *c, struct job *j) {
    struct card *k = choose(c, j);
    if (!k) return false;
    const size_t n = j->is_crops ? sizeof j->m.crops : sizeof j->m.detect;
    if (worker_send(k->worker, &j->m, n, NULL, 0) != OK) {
        kill_card(k); /* gone, or it reads nothing: on_exit() sorts it out */
        return false;
    }
    j->card = k;
    j->sent_ns = clock_mono_ns();
    k->n_jobs++;
    k->has_suspect = j->n_tries > 0;
    if (j->n_tries > 0) c->stats.n_resubmitted++;
    c->n_waiting--;
    return true;
}

static void submit_waiting(struct cards *c) {
    for (struct job *j = c->first, *next; j && c->n_waiting > 0; j = next) {
        next = j->next;
        if (!j->card) (void)send_job(c, j);
    }
}

/* The try ended badly through no fault of the request: once more, or that was it. */
static void try_again(struct cards *c, struct job *j, bool died) {
    struct card *k = j->card;
    if (j->n_tries > 0) k->has_suspect = false;
    k->n_jobs--;
    j->card = NULL;
    j->n_tries++;
    if (died) j->n_deaths++;
    c->n_waiting++;
    if (!j->done)
        fail(c, j, ERR_CANCELLED);
    else if (j->n_deaths >= DEATHS_MAX || j->n_tries >= TRIES_MAX) {
        log_error("cards", "job %llu failed %u times, %u workers died of it; given up",
                  (unsigned long long)j->id, j->n_tries, j->n_deaths);
        fail(c, j, ERR_CARD);
    }
}

/* --- messages of a worker
 * ------------------------------------------------------------------------------------- */

static bool send_arena(const struct card *k, uint32_t id, int fd, unsigned n_slots, size_t slot_bytes,
                       bool writable) {
    struct wire_arena m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_CARD_ARENA, sizeof m);
    m.arena = id;
    m.n_slots = n_slots;
    m.slot_bytes = slot_bytes;
    m.writable = writable;
    return worker_send(k->worker, &m, sizeof m, &fd, 1) == OK;
}

static bool same_tensor(const struct wire_tensor *a, const struct wire_tensor *b) {
    return strcmp(a->name, b->name) == 0 && a->h == b->h && a->w == b->w && a->c == b->c &&
           a->fix_point == b->fix_point;
}

/* Jobs may move between workers, so all must run the same network. */
static bool same_model(const struct wire_card_ready *a, const struct wire_card_ready *b) {
    if (a->n_outputs != b->n_outputs || !same_tensor(&a->input, &b->input) || strcmp(a->model, b->model) != 0)
        return false;
    for (unsigned i = 0; i < a->n_outputs; i++)
        if (!same_tensor(&a->outputs[i], &b->outputs[i])) return false;
    return true;
}

static bool on_ready(struct card *k, const struct wire_card_ready *m) {
    struct cards *c = k->all;
    uint64_t sum = 0;
    for (unsigned i = 0; i < m->n_outputs; i++) sum += m->outputs[i].n_bytes;
    if (k->state != CARD_STARTING || sum > slots_bytes(c->results)) return false;
    if (c->has_model && !same_model(&c->model, m)) {
        log_error("cards", "card %u runs another model than the others", k->index);
        return false;
    }
    if (!send_arena(k, RESULT_ARENA, slots_fd(c->results), slots_count(c->results), slots_bytes(c->results),
                    true))
        return false;
    for (unsigned i = 0; i < ARENAS_MAX; i++) {
        const struct arena *a = &c->arenas[i];
        if (a->used && !a->dropped && !send_arena(k, a->id, a->fd, a->n_slots, a->slot_bytes, false))
            return false;
    }
    c->model = *m;
    c->has_model = true;
    c->detect_bytes = (uint32_t)sum;
    c->stats.simulated = m->simulated != 0;
    k->state = CARD_READY;
    k->n_lanes = m->n_lanes;
    k->was_ready = true;
    k->n_bad_starts = 0;
    log_info("cards", "ready card=%u device=\"%s\" simulated=%u core=%s runner=%s model=%s lanes=%u",
             k->index, m->device, m->simulated, m->core_library, m->runner_library, m->model, m->n_lanes);
    if (c->on_ready) c->on_ready(&c->model, c->arg);
    submit_waiting(c);
    return true;
}

static bool on_done(struct card *k, const struct wire_card_done *m) {
    struct cards *c = k->all;
    struct job *j = c->first;
    while (j && (j->id != m->job || j->card != k)) j = j->next;
    if (!j) return false; /* never asked, or answered already */
    if (m->status == ERR_CARD || m->status == ERR_NOMEM) {
        log_warn("cards", "card %u failed job %llu: %s", k->index, (unsigned long long)j->id,
                 err_text((enum err)m->status));
        try_again(c, j, false);
    } else {
        if (m->status == OK && m->n_bytes != j->n_bytes) return false;
        k->backoff_s = 0;
        const struct cards_result r = {.status = (enum err)m->status,
                                       .out = slots_at(c->results, j->out_slot),
                                       .n_bytes = m->status == OK ? m->n_bytes : 0,
                                       .kernel_us = m->kernel_us,
                                       .dpu_us = m->dpu_us};
        answer(c, j, &r);
    }
    submit_waiting(c);
    return true;
}

static void on_message(struct worker *w, const void *msg, size_t n_bytes, void *arg) {
    struct card *k = arg;
    union wire_any m;
    enum wire_type type = WIRE_PING;
    bool fine = wire_check(msg, n_bytes, &m, sizeof m, &type) == OK;
    if (fine && type == WIRE_CARD_READY)
        fine = on_ready(k, &m.card_ready);
    else if (fine && type == WIRE_CARD_DONE)
        fine = k->state == CARD_READY && on_done(k, &m.card_done);
    else
        fine = false;
    if (fine) return;
    log_error("cards", "card %u broke the protocol type=%d bytes=%zu; its worker is ended", k->index,
              (int)type, n_bytes);
    (void)w;
    kill_card(k);
}

/* --- start, death, restart
 * -------------------------------------------------------------------------------------- */

static const struct {
    int status;
    enum err e;
    const char *text;
} exits[] = {
    {CARD_EXIT_USAGE, ERR_USAGE, "the card worker refuses its arguments"},
    {CARD_EXIT_LIBRARY, ERR_MISSING, "the XRT core library or the runner library is missing"},
    {CARD_EXIT_NO_CARD, ERR_CARD, "there is no such card, or it refuses to open"},
    {CARD_EXIT_XCLBIN, ERR_CORRUPT, "the xclbin cannot be used"},
    {CARD_EXIT_MODEL, ERR_CORRUPT, "the model cannot be used"},
    {CARD_EXIT_MEMORY, ERR_NOMEM, "memory was refused"},
};

/* Why a worker ended before it was ready; NULL = for no reason that will certainly come again. */
static const char *refusal(int status, enum err *e) {
    for (unsigned i = 0; WIFEXITED(status) && i < sizeof exits / sizeof exits[0]; i++)
        if (exits[i].status == WEXITSTATUS(status)) {
            *e = exits[i].e;
            return exits[i].text;
        }
    return NULL;
}

static void die_when_all_offline(struct cards *c, enum err e, const char *text) {
    for (unsigned i = 0; i < c->cfg.n_cards; i++)
        if (c->card[i].state != CARD_OFFLINE) return;
    if (c->dead) return;
    c->dead = true;
    if (c->on_dead) c->on_dead(e, text, c->arg);
    while (c->first) fail(c, c->first, ERR_CARD);
}

static void back_off(struct card *k, enum err e, const char *text, bool for_good) {
    if (for_good || k->n_bad_starts >= STARTS_FAILED_MAX) {
        k->state = CARD_OFFLINE;
        log_error("cards", "card %u is offline: %s", k->index, text);
        die_when_all_offline(k->all, e, text);
        return;
    }
    k->backoff_s = k->backoff_s == 0                  ? 1
                   : k->backoff_s * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S
                                                      : k->backoff_s * 2;
    k->state = CARD_BACKING_OFF;
    const struct timeval t = {.tv_sec = k->backoff_s};
    if (event_add(k->retry, &t) == 0) {
        log_warn("cards", "card %u: %s; started again in %u s", k->index, text, k->backoff_s);
        return;
    }
    k->state = CARD_OFFLINE;
    die_when_all_offline(k->all, ERR_NOMEM, "out of memory");
}

static void on_exit_of_worker(struct worker *w, int status, void *arg) {
    struct card *k = arg;
    struct cards *c = k->all;
    uint64_t cpu_us, peak_kib;
    char text[128];
    enum err e = ERR_CARD;
    const bool was_up = k->state == CARD_READY;
    worker_usage(w, &cpu_us, &peak_kib);
    k->cpu_us += cpu_us;
    if (peak_kib > k->peak_kib) k->peak_kib = peak_kib;
    worker_free(&k->worker);
    k->state = CARD_BACKING_OFF;
    k->n_lanes = 0;

    const char *why = refusal(status, &e);
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "the card worker died of signal %d", WTERMSIG(status));
    else if (why)
        snprintf(text, sizeof text, "%s (status %d)", why, WEXITSTATUS(status));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == CARD_EXIT_HUNG)
        snprintf(text, sizeof text, "the card hangs");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == CARD_EXIT_LOST)
        snprintf(text, sizeof text, "the card is gone");
    else
        snprintf(text, sizeof text, "the card worker ended with status %d",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);

    /* From the start each time: a callback may submit and cancel. */
    for (struct job *j = c->first; j;) {
        if (j->card != k) {
            j = j->next;
            continue;
        }
        try_again(c, j, true);
        j = c->first;
    }
    k->has_suspect = false;
    if (!was_up) k->n_bad_starts++;
    /* What a worker refuses at its very first start it will refuse for ever, but for memory, which others may
     * give back; later the card may come back. */
    back_off(k, e, text, !was_up && !k->was_ready && why && e != ERR_NOMEM);
    submit_waiting(c);
}

static void start_card(struct card *k) {
    struct cards *c = k->all;
    char index[16], limit[16], xrt[4200], path[4200];
    snprintf(index, sizeof index, "%u", k->index);
    snprintf(limit, sizeof limit, "%u", c->cfg.job_timeout_ms);
    snprintf(xrt, sizeof xrt, "XILINX_XRT=%s", c->cfg.xilinx_xrt);
    /* VART's own device library asks for libxrt_core.so.2 by name; it must get the same one. */
    snprintf(path, sizeof path, "LD_LIBRARY_PATH=%s/lib", c->cfg.xilinx_xrt);
    const char *argv[] = {c->cfg.exe,         "--card",      index,
                          "--xclbin",         c->cfg.xclbin, "--model",
                          c->cfg.model_dir,   "--runner",    c->cfg.runner_lib,
                          "--run-timeout-ms", limit,         NULL};
    /* VART speaks through glog on stderr: only what somebody must read. */
    const char *env[8] = {xrt, path, "GLOG_minloglevel=2"};
    unsigned n_env = 3;
    static const char *const passed_on[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
    char kept[4][512];
    for (unsigned i = 0; i < 4; i++) {
        const char *v = getenv(passed_on[i]);
        if (!v || snprintf(kept[i], sizeof kept[i], "%s=%s", passed_on[i], v) >= (int)sizeof kept[i])
            continue;
        env[n_env++] = kept[i];
    }
    const struct worker_spec spec = {
        .name = "card", .exe = c->cfg.exe, .argv = argv, .env = env, .ping_ms = PING_MS};
    const struct worker_callbacks cb = {.on_message = on_message, .on_exit = on_exit_of_worker, .arg = k};
    if (k->n_starts++ > 0) c->stats.n_restarts++;
    k->ending = false;
    k->state = CARD_STARTING;
    k->started_ns = clock_mono_ns();
    const enum err e = worker_start(c->base, &spec, &cb, &k->worker);
    if (e == OK) return;
    k->n_bad_starts++;
    back_off(k, e, "the card worker cannot be started", !k->was_ready);
}

static void retry_now(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    start_card(arg);
}

/* Ends workers whose job or whose start takes too long. A job's time runs from its submission, so it includes
 * that of the one before it on the same lane. */
static void sweep(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct cards *c = arg;
    const uint64_t now = clock_mono_ns(), limit_ns = (uint64_t)c->cfg.job_timeout_ms * 1000000u;
    for (struct job *j = c->first; j; j = j->next) {
        if (!j->card || now - j->sent_ns < limit_ns) continue;
        log_error("cards", "card %u hangs: job %llu has no answer after %u ms; its worker is ended",
                  j->card->index, (unsigned long long)j->id, c->cfg.job_timeout_ms);
        kill_card(j->card);
        j->sent_ns = now; /* said once; on_exit() follows */
    }
    for (unsigned i = 0; i < c->cfg.n_cards; i++) {
        struct card *k = &c->card[i];
        if (k->state != CARD_STARTING || now - k->started_ns < (uint64_t)START_LIMIT_MS * 1000000u) continue;
        log_error("cards", "card %u did not come up in %u ms", k->index, START_LIMIT_MS);
        k->started_ns = now;
        kill_card(k);
    }
}

/* --- the interface
 * ----------------------------------------------------------------------------------------------- */

static bool copy_texts(struct cards *c, const struct cards_config *cfg) {
    const char *from[] = {cfg->exe, cfg->xilinx_xrt, cfg->runner_lib, cfg->xclbin, cfg->model_dir};
    for (unsigned i = 0; i < 5; i++) {
        c->text[i] = strdup(from[i]);
        if (!c->text[i]) return false;
    }
    c->cfg = *cfg;
    c->cfg.exe = c->text[0];
    c->cfg.xilinx_xrt = c->text[1];
    c->cfg.runner_lib = c->text[2];
    c->cfg.xclbin = c->text[3];
    c->cfg.model_dir = c->text[4];
    return true;
}

/* The first start happens in the loop, so that a refusal never calls back inside cards_new(). */
static bool arm(struct cards *c) {
    const struct timeval every = {.tv_usec = SWEEP_MS * 1000}, now = {0};
    c->sweep = event_new(c->base, -1, EV_PERSIST, sweep, c);
    if (!c->sweep || event_add(c->sweep, &every) != 0) return false;
    for (unsigned i = 0; i < c->cfg.n_cards; i++) {
        struct card *k = &c->card[i];
        k->all = c;
        k->index = i;
        k->state = CARD_BACKING_OFF;
        k->retry = evtimer_new(c->base, retry_now, k);
        if (!k->retry || event_add(k->retry, &now) != 0) return false;
    }
    return true;
}

enum err cards_new(struct event_base *base, const struct cards_config *cfg, cards_ready_fn *on_ready_cb,
                   cards_dead_fn *on_dead, void *arg, struct cards **out) {
    *out = NULL;
    if (!cfg->exe || !cfg->xilinx_xrt || !cfg->runner_lib || !cfg->xclbin || !cfg->model_dir ||
        cfg->n_cards == 0 || cfg->n_cards > CARDS_MAX || cfg->job_timeout_ms == 0)
        return ERR_USAGE;
    struct cards *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->base = base;
    c->on_ready = on_ready_cb;
    c->on_dead = on_dead;
    c->arg = arg;
    for (unsigned i = 0; i < ARENAS_MAX; i++) c->arenas[i].fd = -1;
    enum err e = copy_texts(c, cfg) ? OK : ERR_NOMEM;
    if (e == OK) e = slots_new("card-results", SLOTS_MAX, RESULT_SLOT_BYTES, &c->results);
    if (e == OK && !arm(c)) e = ERR_NOMEM;
    if (e != OK) {
        cards_free(&c);
        return e;
    }
    *out = c;
    return OK;
}

const struct wire_card_ready *cards_model(const struct cards *c) {
    return c->has_model ? &c->model : NULL;
}

unsigned cards_room(const struct cards *c) {
    unsigned n = 0;
    if (c->n_waiting > 0) return 0; /* those come first */
    for (unsigned i = 0; i < c->cfg.n_cards; i++) n += card_room(&c->card[i]);
    const unsigned slots = slots_free_count(c->results);
    return n < slots ? n : slots;
}

static struct arena *find_arena(struct cards *c, uint32_t id) {
    for (unsigned i = 0; i < ARENAS_MAX; i++)
        if (c->arenas[i].used && !c->arenas[i].dropped && c->arenas[i].id == id) return &c->arenas[i];
    return NULL;
}

enum err cards_arena_add(struct cards *c, struct slots *s, uint32_t *arena) {
    unsigned i = 0;
    while (i < ARENAS_MAX && c->arenas[i].used) i++;
    if (i == ARENAS_MAX) return ERR_BUSY;
    struct arena *a = &c->arenas[i];
    const int fd = fcntl(slots_fd(s), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        log_error("cards", "cannot keep an arena's descriptor");
        return ERR_IO;
    }
    *a = (struct arena){.used = true,
                        .id = ++c->last_arena,
                        .fd = fd,
                        .n_slots = slots_count(s),
                        .slot_bytes = slots_bytes(s)};
    for (unsigned k = 0; k < c->cfg.n_cards; k++)
        if (c->card[k].state == CARD_READY &&
            !send_arena(&c->card[k], a->id, a->fd, a->n_slots, a->slot_bytes, false))
            kill_card(&c->card[k]);
    *arena = a->id;
    return OK;
}

void cards_arena_drop(struct cards *c, uint32_t arena) {
    struct arena *a = find_arena(c, arena);
    if (!a) return;
    a->dropped = true;
    if (a->n_jobs == 0) arena_forget(c, a);
}

static enum err submit(struct cards *c, struct job *j, uint32_t arena, unsigned slot,
                       const struct wire_surface *s) {
    struct arena *a = find_arena(c, arena);
    enum err e = ERR_USAGE;
    if (!a || slot >= a->n_slots || wire_surface_fits(s, a->slot_bytes) != OK) goto fail;
    e = c->dead ? ERR_CARD : ERR_AGAIN;
    if (cards_room(c) == 0) goto fail;
    e = slots_take(c->results, &j->out_slot);
    if (e != OK) goto fail;
    j->arena = a;
    a->n_jobs++;
    j->id = ++c->last_job;
    if (j->is_crops) {
        j->m.crops.job = j->id;
        j->m.crops.arena = arena;
        j->m.crops.slot = slot;
        j->m.crops.out_arena = RESULT_ARENA;
        j->m.crops.out_slot = j->out_slot;
        j->m.crops.surface = *s;
    } else {
        j->m.detect.job = j->id;
        j->m.detect.arena = arena;
        j->m.detect.slot = slot;
        j->m.detect.out_arena = RESULT_ARENA;
        j->m.detect.out_slot = j->out_slot;
        j->m.detect.surface = *s;
    }
    j->prev = c->last;
    if (c->last)
        c->last->next = j;
    else
        c->first = j;
    c->last = j;
    c->n_waiting++;
    c->stats.n_jobs++;
    (void)send_job(c, j); /* when it cannot be sent now it waits, and comes first */
    return OK;
fail:
    free(j);
    return e;
}

static struct job *job_new(enum wire_type type, cards_done_fn *done, void *arg) {
    struct job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    j->is_crops = type != WIRE_CARD_DETECT;
    j->done = done;
    j->arg = arg;
    if (j->is_crops)
        wire_begin(&j->m.crops, type, sizeof j->m.crops);
    else
        wire_begin(&j->m.detect, type, sizeof j->m.detect);
    return j;
}

enum err cards_detect(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                      cards_done_fn *done, void *arg) {
    struct job *j = job_new(WIRE_CARD_DETECT, done, arg);
    if (!j) return ERR_NOMEM;
    j->n_bytes = c->detect_bytes;
    return submit(c, j, arena, slot, s);
}

/* `each`: bytes of the result per region. */
static enum err submit_regions(struct cards *c, struct job *j, uint32_t arena, unsigned slot,
                               const struct wire_surface *s, const struct wire_roi *rois, unsigned n_rois,
                               uint64_t each) {
    if (!j) return ERR_NOMEM;
    bool fine = n_rois > 0 && n_rois <= WIRE_ROIS_MAX && each > 0 && n_rois * each <= slots_bytes(c->results);
    /* The worker would end on a region that makes no sense; the caller is told instead. */
    for (unsigned i = 0; fine && i < n_rois; i++)
        fine = rois[i].x_px % 2 == 0 && rois[i].y_px % 2 == 0 && rois[i].w_px >= 2 && rois[i].h_px >= 2 &&
               (uint32_t)rois[i].x_px + rois[i].w_px <= s->w_px &&
               (uint32_t)rois[i].y_px + rois[i].h_px <= s->h_px;
    if (!fine) {
        free(j);
        return ERR_USAGE;
    }
    j->n_bytes = (uint32_t)(n_rois * each);
    j->m.crops.n_rois = n_rois;
    memcpy(j->m.crops.rois, rois, n_rois * sizeof *rois);
    return submit(c, j, arena, slot, s);
}

enum err cards_crops(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                     const struct wire_roi *rois, unsigned n_rois, unsigned dst_w_px, unsigned dst_h_px,
                     cards_done_fn *done, void *arg) {
    if (dst_w_px > UINT16_MAX || dst_h_px > UINT16_MAX) return ERR_USAGE;
    struct job *j = job_new(WIRE_CARD_CROPS, done, arg);
    if (j) {
        j->m.crops.dst_w_px = (uint16_t)dst_w_px;
        j->m.crops.dst_h_px = (uint16_t)dst_h_px;
    }
    return submit_regions(c, j, arena, slot, s, rois, n_rois, (uint64_t)dst_w_px * dst_h_px * 3);
}

enum err cards_regions(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                       const struct wire_roi *rois, unsigned n_rois, cards_done_fn *done, void *arg) {
    if (!c->has_model || c->model.input.w > UINT16_MAX || c->model.input.h > UINT16_MAX) return ERR_USAGE;
    struct job *j = job_new(WIRE_CARD_REGIONS, done, arg);
    if (j) {
        j->m.crops.dst_w_px = (uint16_t)c->model.input.w;
        j->m.crops.dst_h_px = (uint16_t)c->model.input.h;
    }
    return submit_regions(c, j, arena, slot, s, rois, n_rois, c->detect_bytes);
}

void cards_cancel(struct cards *c, void *arg) {
    for (struct job *j = c->first, *next; j; j = next) {
        next = j->next;
        if (j->arg != arg || !j->done) continue;
        j->done = NULL;
        if (!j->card) fail(c, j, ERR_CANCELLED);
    }
}

/* Of a living process, from /proc: what the kernel hands out at the end counts only the dead. */
static void usage_of(int pid, uint64_t *cpu_us, uint64_t *peak_kib) {
    char path[48], line[512];
    unsigned long utime = 0, stime = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (f) {
        const char *p = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        if (p && sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime, &stime) == 2)
            *cpu_us += (uint64_t)(utime + stime) * 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
        fclose(f);
    }
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    f = fopen(path, "re");
    if (!f) return;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "VmHWM:", 6) != 0) continue;
        const uint64_t kib = strtoull(line + 6, NULL, 10);
        if (kib > *peak_kib) *peak_kib = kib;
    }
    fclose(f);
}

void cards_stats(const struct cards *c, struct cards_stats *out) {
    *out = c->stats;
    out->n_cards = c->cfg.n_cards;
    for (unsigned i = 0; i < c->cfg.n_cards; i++) {
        const struct card *k = &c->card[i];
        out->n_ready += k->state == CARD_READY;
        out->worker_cpu_us += k->cpu_us;
        if (k->peak_kib > out->worker_peak_kib) out->worker_peak_kib = k->peak_kib;
        if (k->worker) usage_of(worker_pid(k->worker), &out->worker_cpu_us, &out->worker_peak_kib);
    }
}

int cards_pid(const struct cards *c, unsigned card) {
    return card < c->cfg.n_cards && c->card[card].worker ? worker_pid(c->card[card].worker) : -1;
}

void cards_free(struct cards **cp) {
    struct cards *c = *cp;
    if (!c) return;
    for (unsigned i = 0; i < CARDS_MAX; i++) {
        if (c->card[i].worker) worker_free(&c->card[i].worker);
        if (c->card[i].retry) event_free(c->card[i].retry);
    }
    if (c->sweep) event_free(c->sweep);
    while (c->first) {
        struct job *j = c->first;
        job_unlink(c, j);
        free(j);
    }
    for (unsigned i = 0; i < ARENAS_MAX; i++)
        if (c->arenas[i].used) arena_release(&c->arenas[i]);
    slots_free(&c->results);
    for (unsigned i = 0; i < 5; i++) free(c->text[i]);
    free(c);
    *cp = NULL;
}
