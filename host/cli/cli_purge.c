/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "host/base/clock.h"
#include "host/cli/cli.h"
#include "host/index/index.h"
#include "host/media/extract.h"

static json_t *receipt_json(const struct purge_receipt *p) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "sightings", (json_int_t)p->n_sightings, "thumbnails",
                     (json_int_t)p->n_thumbnails, "plates", (json_int_t)p->n_plates, "recordings",
                     (json_int_t)p->n_recordings, "bytes", (json_int_t)p->n_bytes);
}

static enum err purge(struct cli *cli, const char *case_id, int64_t before_ms,
                      struct purge_receipt *receipt) {
    struct index_writer *w;
    struct vocab *v = cli_vocab(cli);
    if (!v) return ERR_MISSING;
    enum err e = index_writer_open(cli->dir, v, &w);
    if (!e) {
        e = case_id ? index_purge_case(w, case_id, receipt) : index_purge_before(w, -1, before_ms, receipt);
        /* Under the writer's lock, so no server makes new ones meanwhile. A clip of another case may show
         * what goes now: all of them go. */
        char cache[FS_PATH_MAX];
        uint64_t n_files;
        if (!e) e = fs_join(cache, cli->dir, "cache");
        if (!e) e = extract_erase_all(cache, &n_files);
        index_writer_close(&w);
    }
    vocab_free(&v);
    return e;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { BEFORE, CASE, JSON, N };
    struct cli_option o[N] = {
        [BEFORE] = {.name = "before"}, [CASE] = {.name = "case"}, [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_purge, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || (o[BEFORE].value && o[CASE].value)) {
        cli_usage(stderr, &cli_purge);
        return CLI_USAGE;
    }
    int64_t before_ms = clock_wall_ms() - (int64_t)cli->config.retention_days * 24 * 3600 * 1000;
    if (o[BEFORE].value && !cli_time("before", o[BEFORE].value, &before_ms)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct purge_receipt receipt = {0};
    const enum err e = purge(cli, o[CASE].value, before_ms, &receipt);
    int code = CLI_DONE;
    if (e == ERR_BUSY)
        code = cli_say(CLI_FAILED, "purge: a server or an import writes to %s; end it first", cli->dir);
    else if (e)
        code = cli_say(CLI_FAILED, "purge: %s", err_text(e));
    else if (!cli_journal_add(r, "purge", o[CASE].value ? o[CASE].value : "", "", receipt_json(&receipt)))
        code = CLI_FAILED;
    else if (o[JSON].value)
        cli_print_json(receipt_json(&receipt));
    else
        printf("Erased: %" PRIu64 " passages, %" PRIu64 " thumbnails, %" PRIu64 " plates, %" PRIu64
               " recordings.\n",
               receipt.n_sightings, receipt.n_thumbnails, receipt.n_plates, receipt.n_recordings);
    register_close(&r);
    return code;
}

const struct cli_command cli_purge = {
    .name = "purge",
    .summary = "erase what has reached its term, with all that was derived from it",
    .help = "purge [--before TIME | --case CASE] [--json]\n"
            "  Without option: everything captured more than site.retention_days ago. The receipt goes to "
            "the journal.\n"
            "  The recordings themselves, which were registered by reference, are not touched.\n",
    .needs_dir = true,
    .run = run,
};
