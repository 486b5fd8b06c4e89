/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/hold.h"
#include "host/case/journal.h"
#include "host/cli/cli.h"
#include "host/evidence/journal_export.h"
#include "host/evidence/signer.h"

static int verify(struct register_db *r, bool json) {
    uint64_t n, bad;
    int64_t bad_head = 0;
    enum err e = journal_verify(r, &n, &bad);
    if (!e) e = journal_anchors_fit(r, &bad_head);
    if (bad_head > 0) bad = (uint64_t)bad_head;
    if (json)
        cli_print_json(
            json_pack("{s:b,s:I,s:I}", "ok", !e, "checked", (json_int_t)n, "first_bad_seq", (json_int_t)bad));
    else if (!e)
        printf("The journal is whole: %" PRIu64 " lines, each follows from the one before.\n", n);
    if (bad_head > 0 && !json)
        return cli_say(CLI_FAILED, "journal: line %" PRId64 " is not the one that was signed", bad_head);
    if (e == ERR_CORRUPT && !json)
        return cli_say(CLI_FAILED,
                       "journal: line %" PRIu64 " was altered; the %" PRIu64 " lines before it are whole",
                       bad, n);
    if (e && e != ERR_CORRUPT) return cli_say(CLI_FAILED, "journal: %s", err_text(e));
    return e ? CLI_FAILED : CLI_DONE;
}

static int anchor(struct cli *cli, struct register_db *r) {
    struct signer *s = cli_signer(cli);
    if (!s) return CLI_FAILED;
    const struct journal_signer js = signer_for_journal(s);
    bool made;
    int64_t seq = 0;
    char hash[JOURNAL_HASH_BYTES];
    enum err e = journal_anchor_make(r, &js, NULL, false, &made);
    if (!e) e = journal_head(r, &seq, hash);
    if (e)
        cli_say(0, "journal anchor: %s", err_text(e));
    else
        printf("line %" PRId64 "\nhash %s\nsigned by %s\n", seq, hash, js.key_id);
    signer_close(&s);
    return e ? CLI_FAILED : CLI_DONE;
}

static int export(struct cli *cli, struct register_db *r, const char *dir) {
    struct signer *s = cli_signer(cli);
    if (!s) return CLI_FAILED;
    const struct journal_signer js = signer_for_journal(s);
    uint64_t n_lines = 0, n_heads = 0;
    bool made;
    /* The line of this export first, then a head over it: what is handed over is signed to its end. */
    enum err e = cli_journal_add(r, "journal.export", "", "", json_object()) ? OK : ERR_IO;
    if (!e) e = journal_anchor_make(r, &js, NULL, false, &made);
    if (!e) e = journal_export(r, dir, &n_lines, &n_heads);
    signer_close(&s);
    if (e == ERR_EXISTS)
        return cli_say(CLI_FAILED, "journal export: %s is there already; name a new folder", dir);
    if (e) return cli_say(CLI_FAILED, "journal export: %s: %s", dir, err_text(e));
    printf("%s: %" PRIu64 " lines, %" PRIu64 " signed heads; check it with: sh %s/verify.sh\n", dir, n_lines,
           n_heads, dir);
    return CLI_DONE;
}

static int purge(struct cli *cli, struct register_db *r, bool confirmed) {
    int64_t now_ms, base = 0, id;
    uint64_t n = 0;
    enum err e = retention_now(r, confirmed, &now_ms);
    if (e == ERR_DENIED)
        return cli_say(CLI_FAILED,
                       "journal purge: the machine's clock is more than a week ahead of the last purge; "
                       "look at it, then say --clock-is-right");
    struct signer *s = e ? NULL : cli_signer(cli);
    if (!s) return CLI_FAILED;
    const struct journal_signer js = signer_for_journal(s);
    e = journal_purge(r, now_ms - cli->config.journal_years * 366 * HOLD_DAY_MS, now_ms, &n, &base);
    if (!e && n > 0) {
        char counts[96];
        snprintf(counts, sizeof counts, "{\"lines\":%" PRIu64 ",\"up_to\":%" PRId64 "}", n, base);
        e = receipt_add(r, &js, "journal", "", counts, &id);
        if (!e && !cli_journal_add(r, "journal.purge", "", "", json_loads(counts, 0, NULL))) e = ERR_IO;
    }
    signer_close(&s);
    if (e) return cli_say(CLI_FAILED, "journal purge: %s", err_text(e));
    if (n == 0)
        puts("Nothing of the journal is old enough and behind a signed head.");
    else
        printf("Erased: %" PRIu64 " lines, up to number %" PRId64
               "; the chain goes on from its signed hash.\n",
               n, base);
    return CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { JSON, CLOCK, N };
    struct cli_option o[N] = {
        [JSON] = {.name = "json", .flag = true}, [CLOCK] = {.name = "clock-is-right", .flag = true}};
    int rest;
    if (!cli_options(&cli_journal, argc, argv, o, N, &rest)) return CLI_USAGE;
    static const char *const verbs[] = {"verify", "anchor", "purge", "export"};
    unsigned v = 0;
    while (v < 4 && (rest < 2 || strcmp(argv[1], verbs[v]) != 0)) v++;
    if (v == 4 || rest != (v == 3 ? 3 : 2)) {
        cli_usage(stderr, &cli_journal);
        return CLI_USAGE;
    }
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    const int code = v == 0   ? verify(r, o[JSON].value != NULL)
                     : v == 1 ? anchor(cli, r)
                     : v == 2 ? purge(cli, r, o[CLOCK].value != NULL)
                              : export(cli, r, argv[2]);
    register_close(&r);
    return code;
}

const struct cli_command cli_journal = {
    .name = "journal",
    .summary = "verify, sign, export and purge the journal",
    .help =
        "journal verify [--json]\n"
        "       relecture -d DIR journal anchor\n"
        "       relecture -d DIR journal export FOLDER\n"
        "       relecture -d DIR journal purge [--clock-is-right]\n"
        "  verify: names the first line that was altered. Exit: 0 whole, 1 not.\n"
        "  anchor: signs the last line's hash (the server does so each day); keep what it prints elsewhere.\n"
        "  export: lines, signed heads and a page of C that checks them without Relecture.\n"
        "  purge: what is older than journal.retention_years, up to a signed head; never of a held case.\n",
    .needs_dir = true,
    .run = run,
};
