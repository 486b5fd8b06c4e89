/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/facts.h"

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "year"}};
    int rest;
    long year = 0;
    if (!cli_options(&cli_facts, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 1) {
        cli_usage(stderr, &cli_facts);
        return CLI_USAGE;
    }
    if (o[0].value && !cli_number("year", o[0].value, 2000, 9999, &year)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct vocab *v = cli_vocab(cli);
    struct accuracy *accuracy = NULL;
    json_t *out = NULL;
    if (v && year)
        out = facts_year_json(r, cli->config.tz, (int)year);
    else if (v && accuracy_load(cli->config.accuracy, v, &accuracy) == OK)
        out = facts_json(&(struct facts_context){.r = r,
                                                 .version = RELECTURE_VERSION,
                                                 .tz = cli->config.tz,
                                                 .site_allowed = cli->config.allowed,
                                                 .retention_days = cli->config.retention_days,
                                                 .journal_years = cli->config.journal_years,
                                                 .vocab = v,
                                                 .accuracy = accuracy});
    accuracy_free(&accuracy);
    vocab_free(&v);
    register_close(&r);
    if (!out) return cli_say(CLI_FAILED, "facts: they cannot be told; the line above says why");
    cli_print_json(out);
    return CLI_DONE;
}

const struct cli_command cli_facts = {
    .name = "facts",
    .summary = "what an impact assessment asks, and a year's public figures",
    .help =
        "facts [--year 2026]\n"
        "  Prints JSON: purposes, data, durations, roles, accuracy and counts per month, for the impact "
        "assessment\n"
        "  (AIPD); with --year the anonymous sums of that year, for publication. Counted from the journal.\n",
    .needs_dir = true,
    .run = run,
};
