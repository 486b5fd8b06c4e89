/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "host/cli/cli.h"
#include "host/index/index.h"

static void report(const char *line, void *arg) {
    (void)arg;
    puts(line);
}

static int run(struct cli *cli, int argc, char **argv) {
    int rest;
    if (!cli_options(&cli_check_index, argc, argv, NULL, 0, &rest)) return CLI_USAGE;
    struct vocab *v = cli_vocab(cli);
    if (!v) return CLI_FAILED;
    uint64_t n = 0;
    const enum err e = index_check(cli->dir, v, report, NULL, &n);
    vocab_free(&v);
    if (e) return cli_say(CLI_FAILED, "check-index: %s after %" PRIu64 " passages", err_text(e), n);
    printf("The index is whole: %" PRIu64 " passages, every derived structure equals its rows.\n", n);
    return CLI_DONE;
}

const struct cli_command cli_check_index = {
    .name = "check-index",
    .summary = "rebuild what is derived from the rows and compare bit by bit",
    .help = "check-index\n  Exit: 0 whole, 1 a difference was found (it is printed).\n",
    .needs_dir = true,
    .run = run,
};
