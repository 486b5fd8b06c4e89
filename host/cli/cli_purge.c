/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/base/clock.h"
#include "host/cli/cli.h"
#include "host/index/index.h"
#include "host/index/queue.h"
#include "host/media/extract.h"

static json_t *receipt_json(const struct purge_receipt *p) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "sightings", (json_int_t)p->n_sightings, "thumbnails",
                     (json_int_t)p->n_thumbnails, "plates", (json_int_t)p->n_plates, "recordings",
                     (json_int_t)p->n_recordings, "bytes", (json_int_t)p->n_bytes);
}

#define DAY_MS (24LL * 3600 * 1000)

/* What is to go. */
struct term {
    const char *case_id;          /* all that was imported for it, or */
    const struct camera *camera;  /* what this one captured (NULL = any) ... */
    int64_t before_ms;            /* ... before that */
    bool by_age;                  /* the ordinary term: each camera's own where it is shorter */
    const struct camera *cameras; /* by_age: the register's */
    unsigned n_cameras;
};

static void add_receipt(struct purge_receipt *sum, const struct purge_receipt *r) {
    sum->n_sightings += r->n_sightings;
    sum->n_thumbnails += r->n_thumbnails;
    sum->n_plates += r->n_plates;
    sum->n_recordings += r->n_recordings;
    sum->n_bytes += r->n_bytes;
}

static enum err purge_rows(struct index_writer *w, const struct term *t, struct purge_receipt *receipt) {
    if (t->case_id) return index_purge_case(w, t->case_id, receipt);
    enum err e = index_purge_before(w, t->camera ? t->camera->number : -1, t->before_ms, receipt);
    for (unsigned i = 0; t->by_age && i < t->n_cameras && !e; i++) {
        struct purge_receipt one = {0};
        const int days = t->cameras[i].retention_days;
        if (days == 0) continue;
        e = index_purge_before(w, t->cameras[i].number, clock_wall_ms() - days * DAY_MS, &one);
        add_receipt(receipt, &one);
    }
    return e;
}

static enum err purge(struct cli *cli, const struct term *t, struct purge_receipt *receipt) {
    struct index_writer *w;
    struct vocab *v = cli_vocab(cli);
    if (!v) return ERR_MISSING;
    enum err e = index_writer_open(cli->dir, v, &w);
    if (!e) {
        e = purge_rows(w, t, receipt);
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

static int purge_and_tell(struct cli *cli, struct register_db *r, const struct term *t, bool json) {
    struct purge_receipt receipt = {0};
    const enum err e = purge(cli, t, &receipt);
    if (e == ERR_BUSY)
        return cli_say(CLI_FAILED,
                       "purge: a server, an import or a search uses %s; end it first, then purge again",
                       cli->dir);
    if (e) return cli_say(CLI_FAILED, "purge: %s", err_text(e));
    if (!cli_journal_add(r, "purge", t->case_id ? t->case_id : "", t->camera ? t->camera->id : "",
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
    enum { BEFORE, CAMERA, CASE, JSON, N };
    struct cli_option o[N] = {[BEFORE] = {.name = "before"},
                              [CAMERA] = {.name = "camera"},
                              [CASE] = {.name = "case"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_purge, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || ((o[BEFORE].value || o[CAMERA].value) && o[CASE].value) ||
        (o[CAMERA].value && !o[BEFORE].value)) {
        cli_usage(stderr, &cli_purge);
        return CLI_USAGE;
    }
    struct term t = {.case_id = o[CASE].value,
                     .before_ms = clock_wall_ms() - cli->config.retention_days * DAY_MS,
                     .by_age = !o[BEFORE].value && !o[CASE].value};
    if (o[BEFORE].value && !cli_time("before", o[BEFORE].value, &t.before_ms)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct camera one, *all = NULL;
    int code = CLI_FAILED;
    enum err e = camera_list(r, &all, &t.n_cameras);
    t.cameras = all;
    if (!e && o[CAMERA].value) {
        e = camera_get(r, o[CAMERA].value, &one);
        t.camera = &one;
    }
    if (e)
        cli_say(0, "purge: camera %s: %s", o[CAMERA].value ? o[CAMERA].value : "list", err_text(e));
    else
        code = purge_and_tell(cli, r, &t, o[JSON].value != NULL);
    free(all);
    register_close(&r);
    return code;
}

const struct cli_command cli_purge = {
    .name = "purge",
    .summary = "erase what has reached its term, with all that was derived from it",
    .help = "purge [--before TIME [--camera ID] | --case CASE] [--json]\n"
            "  Without option: everything captured more than site.retention_days ago, or a camera's own\n"
            "  shorter term. The receipt goes to the journal.\n"
            "  The recordings themselves, which were registered by reference, are not touched.\n",
    .needs_dir = true,
    .run = run,
};
