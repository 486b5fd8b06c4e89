/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/closing.h"
#include "host/evidence/identity.h"

static enum err write_it(const struct cli *cli, struct register_db *r, const struct case_file *c,
                         struct vocab *v, const struct signer *s, const char *dir) {
    char software[128], models[65];
    struct closing_context ctx = {.r = r, .vocab = v, .c = c, .software = software, .models = models};
    struct zone *zone = NULL;
    struct accuracy *accuracy = NULL;
    enum err e = identity_software(RELECTURE_VERSION, software);
    if (!e) e = identity_models(&cli->config, models);
    if (!e) e = zone_open(cli->config.tz, &zone);
    if (!e) e = index_reader_open(cli->dir, v, &ctx.reader);
    if (!e) e = accuracy_load(cli->config.accuracy, v, &accuracy);
    ctx.zone = zone;
    ctx.accuracy = accuracy;
    if (!e) e = closing_write(&ctx, s, dir);
    accuracy_free(&accuracy);
    index_reader_close(&ctx.reader);
    zone_free(&zone);
    return e;
}

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
    struct case_file c;
    struct signer *s = NULL;
    struct vocab *v = NULL;
    if (case_get(r, o[0].value, &c)) {
        cli_say(0, "closing: there is no case %s",
                o[0].value); /* closed and expired ones have a record too */
    } else {
        case_restrict(&c, cli->config.allowed);
        s = cli_signer(cli);
        v = s ? cli_vocab(cli) : NULL;
        if (v && cli_journal_add(r, "closing", c.id, "", json_object())) {
            const enum err e = write_it(cli, r, &c, v, s, argv[1]);
            if (e == ERR_EXISTS)
                cli_say(0, "closing: %s is there already; name a new folder", argv[1]);
            else if (e)
                cli_say(0, "closing: %s", err_text(e));
            else
                printf(
                    "%s: proces-verbal and certificat-de-couverture, as .html and .pdf, hashed and signed\n",
                    argv[1]);
            code = e ? CLI_FAILED : CLI_DONE;
        }
        case_fini(&c);
    }
    vocab_free(&v);
    signer_close(&s);
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
