/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_journal, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 2 || strcmp(argv[1], "verify") != 0) {
        cli_usage(stderr, &cli_journal);
        return CLI_USAGE;
    }
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    uint64_t n, bad;
    const enum err e = journal_verify(r, &n, &bad);
    register_close(&r);
    if (o[0].value)
        cli_print_json(
            json_pack("{s:b,s:I,s:I}", "ok", !e, "checked", (json_int_t)n, "first_bad_seq", (json_int_t)bad));
    else if (!e)
        printf("The journal is whole: %" PRIu64 " lines, each follows from the one before.\n", n);
    if (e == ERR_CORRUPT && !o[0].value)
        return cli_say(CLI_FAILED,
                       "journal: line %" PRIu64 " was altered; the %" PRIu64 " lines before it are whole",
                       bad, n);
    if (e && e != ERR_CORRUPT) return cli_say(CLI_FAILED, "journal: %s", err_text(e));
    return e ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cli_journal = {
    .name = "journal",
    .summary = "verify the journal's hash chain",
    .help = "journal verify [--json]\n  Names the first line that was altered. Exit: 0 whole, 1 not.\n",
    .needs_dir = true,
    .run = run,
};
