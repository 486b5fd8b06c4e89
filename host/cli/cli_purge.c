/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/case/hold.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/case_end.h"
#include "host/evidence/signer.h"
#include "host/import/retention.h"
#include "host/index/index.h"
#include "host/index/queue.h"
#include "host/media/extract.h"

static json_t *receipt_json(const struct purge_receipt *p) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "sightings", (json_int_t)p->n_sightings, "thumbnails",
                     (json_int_t)p->n_thumbnails, "plates", (json_int_t)p->n_plates, "recordings",
                     (json_int_t)p->n_recordings, "bytes", (json_int_t)p->n_bytes);
}

/* What is to go; neither: what has reached its term. */
struct wish {
    const char *case_id;         /* all that was imported for it, or */
    const struct camera *camera; /* what this one captured (NULL = any) ... */
    const char *before;          /* ... before that */
    int64_t before_ms;
    bool clock_confirmed;
};

struct holds {
    struct held_case *held;
    unsigned n;
};
static bool is_held(const struct recording *r, void *arg) {
    const struct holds *h = arg;
    return held_cases_have(h->held, h->n, r->case_id, r->camera_number, r->start_ms,
                           r->start_ms + r->duration_us / 1000 + 1);
}

static enum err by_wish(struct index_writer *w, struct register_db *r, const struct wish *t,
                        struct purge_receipt *receipt) {
    struct holds h;
    const struct purge_keep keep = {is_held, &h};
    enum err e = register_held_cases(r, clock_wall_ms(), &h.held, &h.n);
    if (e) return e;
    if (t->case_id)
        e = index_purge_case(w, t->case_id, &keep, receipt);
    else
        e = index_purge_before(w, t->camera ? t->camera->number : -1, t->before_ms, &keep, receipt);
    held_cases_free(h.held, h.n);
    return e;
}

struct end {
    const struct cli *cli;
    const struct vocab *vocab;
};

static void ending(const char *case_id, void *arg) {
    const struct end *end = arg;
    struct accuracy *accuracy = NULL;
    const struct config *cfg = &end->cli->config;
    if (accuracy_load(cfg->accuracy, end->vocab, &accuracy))
        log_warn("purge", "no measured figures: %s", cfg->accuracy);
    const struct case_end_context ctx = {.dir = end->cli->dir,
                                         .config = cfg,
                                         .vocab = end->vocab,
                                         .accuracy = accuracy,
                                         .version = RELECTURE_VERSION};
    if (case_end_record(&ctx, case_id, NULL)) log_warn("purge", "no closing record of case %s", case_id);
    accuracy_free(&accuracy);
}

static enum err by_term(const struct cli *cli, struct index_writer *w, struct register_db *r,
                        const struct wish *t, struct end *end, struct purge_receipt *receipt) {
    const struct retention term = {.dir = cli->dir,
                                   .site_days = cli->config.retention_days,
                                   .clock_confirmed = t->clock_confirmed,
                                   .user = cli_user(),
                                   .ending = ending,
                                   .arg = end};
    struct signer *s = cli_signer(cli);
    if (!s) return ERR_DENIED;
    const enum err e = retention_run(w, r, s, &term, receipt);
    signer_close(&s);
    return e;
}

static enum err purge(struct cli *cli, struct register_db *r, const struct wish *t,
                      struct purge_receipt *receipt) {
    struct index_writer *w;
    struct vocab *v = cli_vocab(cli);
    if (!v) return ERR_MISSING;
    struct end end = {.cli = cli, .vocab = v};
    enum err e = index_writer_open(cli->dir, v, &w);
    if (!e) {
        e = t->case_id || t->before ? by_wish(w, r, t, receipt) : by_term(cli, w, r, t, &end, receipt);
        /* Under the writer's lock, so no server makes new ones meanwhile. A clip of another case may show
         * what goes now: all of them go. */
        char cache[FS_PATH_MAX];
        uint64_t n_files;
        if (!e && t->case_id) e = queue_drop_case(cli->dir, t->case_id);
        if (!e) e = fs_join(cache, cli->dir, "cache");
        if (!e) e = extract_erase_all(cache, &n_files);
        index_writer_close(&w);
    }
    vocab_free(&v);
    return e;
}

static int purge_and_tell(struct cli *cli, struct register_db *r, const struct wish *t, bool json) {
    struct purge_receipt receipt = {0};
    const enum err e = purge(cli, r, t, &receipt);
    if (e == ERR_BUSY)
        return cli_say(CLI_FAILED,
                       "purge: a server, an import or a search uses %s; end it first, then purge again",
                       cli->dir);
    if (e == ERR_DENIED) return cli_say(CLI_FAILED, "purge: nothing was erased; the line above says why");
    if (e) return cli_say(CLI_FAILED, "purge: %s", err_text(e));
    const bool asked = t->case_id || t->before; /* else the journal has it already, with a receipt */
    if (asked && !cli_journal_add(r, "purge", t->case_id ? t->case_id : "", t->camera ? t->camera->id : "",
                                  receipt_json(&receipt)))
        return CLI_FAILED;
    if (json)
        cli_print_json(receipt_json(&receipt));
    else
        printf("Erased: %" PRIu64 " passages, %" PRIu64 " thumbnails, %" PRIu64 " plates, %" PRIu64
               " recordings.\n",
               receipt.n_sightings, receipt.n_thumbnails, receipt.n_plates, receipt.n_recordings);
    return CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { BEFORE, CAMERA, CASE, CLOCK, JSON, N };
    struct cli_option o[N] = {[BEFORE] = {.name = "before"},
                              [CAMERA] = {.name = "camera"},
                              [CASE] = {.name = "case"},
                              [CLOCK] = {.name = "clock-is-right", .flag = true},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_purge, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || ((o[BEFORE].value || o[CAMERA].value) && o[CASE].value) ||
        (o[CAMERA].value && !o[BEFORE].value)) {
        cli_usage(stderr, &cli_purge);
        return CLI_USAGE;
    }
    struct wish t = {
        .case_id = o[CASE].value, .before = o[BEFORE].value, .clock_confirmed = o[CLOCK].value != NULL};
    if (o[BEFORE].value && !cli_time("before", o[BEFORE].value, &t.before_ms)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct camera one;
    int code = CLI_FAILED;
    enum err e = OK;
    if (o[CAMERA].value) {
        e = camera_get(r, o[CAMERA].value, &one);
        t.camera = &one;
    }
    if (e)
        cli_say(0, "purge: camera %s: %s", o[CAMERA].value, err_text(e));
    else
        code = purge_and_tell(cli, r, &t, o[JSON].value != NULL);
    register_close(&r);
    return code;
}

const struct cli_command cli_purge = {
    .name = "purge",
    .summary = "erase what has reached its term, with all that was derived from it",
    .help =
        "purge [--before TIME [--camera ID] | --case CASE] [--clock-is-right] [--json]\n"
        "  Without option: everything captured more than site.retention_days ago, or a camera's own\n"
        "  shorter term, and what was imported for cases that ended; each with a signed receipt. A\n"
        "  running server does that on its own, at its start and every hour.\n"
        "  What a legal hold keeps stays in any case. --clock-is-right: the machine's clock leapt ahead,\n"
        "  and that is no error.\n"
        "  The recordings themselves, which were registered by reference, are not touched.\n",
    .needs_dir = true,
    .run = run,
};
