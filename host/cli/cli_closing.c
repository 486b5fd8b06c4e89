/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/case_end.h"

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "case"}};
    int rest, code = CLI_FAILED;
    if (!cli_options(&cli_closing, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 2 || !o[0].value) {
        cli_usage(stderr, &cli_closing);
        return CLI_USAGE;
    }
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct vocab *v = cli_vocab(cli);
    struct accuracy *accuracy = NULL;
    enum err e = v ? accuracy_load(cli->config.accuracy, v, &accuracy) : ERR_MISSING;
    if (e && v) cli_say(0, "closing: the measured figures %s cannot be used", cli->config.accuracy);
    if (!e && cli_journal_add(r, "closing", o[0].value, "", json_object())) {
        const struct case_end_context ctx = {.dir = cli->dir,
                                             .config = &cli->config,
                                             .vocab = v,
                                             .accuracy = accuracy,
                                             .version = RELECTURE_VERSION};
        e = case_end_record(&ctx, o[0].value, argv[1]);
        if (e == ERR_EXISTS)
            cli_say(0, "closing: %s is there already; name a new folder", argv[1]);
        else if (e)
            cli_say(0, "closing: %s", e == ERR_MISSING ? "there is no such case" : err_text(e));
        else
            printf("%s: proces-verbal and certificat-de-couverture, as .html and .pdf, hashed and signed\n",
                   argv[1]);
        code = e ? CLI_FAILED : CLI_DONE;
    }
    accuracy_free(&accuracy);
    vocab_free(&v);
    register_close(&r);
    return code;
}

const struct cli_command cli_closing = {
    .name = "closing",
    .summary = "the closing record of a case and its certificate of coverage",
    .help = "closing --case CASE FOLDER\n"
            "  Writes the procès-verbal de fin d'exploitation (CPP R. 40-40) and the certificate of what was "
            "examined,\n"
            "  in French, as HTML and PDF, with SHA256SUMS and its signature, into the new FOLDER.\n",
    .needs_dir = true,
    .run = run,
};
