/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>

#include "host/base/fs.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/identity.h"
#include "host/evidence/signer.h"
#include "host/index/index.h"

/* A Xilinx device on the PCI bus (vendor 10ee), whether or not its driver is there. */
static bool card_on_the_bus(void) {
    glob_t g;
    bool found = false;
    if (glob("/sys/bus/pci/devices/*/vendor", 0, NULL, &g) != 0) return false;
    for (size_t i = 0; i < g.gl_pathc && !found; i++) {
        char *text;
        size_t n;
        if (fs_read(g.gl_pathv[i], 4096, &text, &n)) continue;
        found = strncmp(text, "0x10ee", 6) == 0;
        free(text);
    }
    globfree(&g);
    return found;
}

static enum err make_databases(const struct cli *cli, const char *dir) {
    struct register_db *r = NULL;
    struct index_writer *w = NULL;
    struct vocab *v = cli_vocab(cli);
    if (!v) return ERR_MISSING;
    enum err e = register_open(dir, true, &r);
    if (!e) e = index_writer_open(dir, v, &w);
    if (!e) {
        uint64_t seq;
        const struct journal_entry first = {cli_user(), "shell", "init", "", "", "{}"};
        e = journal_add(r, &first, &seq);
    }
    index_writer_close(&w);
    register_close(&r);
    vocab_free(&v);
    return e;
}

static int run(struct cli *cli, int argc, char **argv) {
    int rest;
    if (!cli_options(&cli_init, argc, argv, NULL, 0, &rest)) return CLI_USAGE;
    if (rest != 2) {
        cli_usage(stderr, &cli_init);
        return CLI_USAGE;
    }
    const char *dir = argv[1];
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, "register.db");
    if (e) return cli_say(CLI_USAGE, "init: the folder's name is too long");
    if (fs_exists(path))
        return cli_say(CLI_FAILED, "init: %s is a data directory already; nothing is changed", dir);
    e = fs_mkdirs(dir, 0700);
    if (!e) e = identity_of_journal(&cli->config, RELECTURE_VERSION);
    if (!e) e = make_databases(cli, dir);
    struct signer *signer = NULL; /* made now, so that the first export does not wait for it */
    if (!e) e = signer_open(dir, &signer);
    signer_close(&signer);
    const bool card = card_on_the_bus();
    char text[512];
    const int n =
        snprintf(text, sizeof text,
                 "# Settings of this data directory; `relecture --help-config` explains each key.\n"
                 "# \"card\" = an Alveo card; \"simulator\" = the simulated card: the same bytes, slower.\n"
                 "card.backend = %s\n",
                 card ? "card" : "simulator");
    if (!e) e = fs_join(path, dir, "relecture.conf");
    if (!e) e = fs_write_atomic(path, text, (size_t)n, 0600);
    if (e) return cli_say(CLI_FAILED, "init: %s cannot be made: %s", dir, err_text(e));
    printf("%s is ready.\n", dir);
    if (card)
        printf("A Xilinx card is on the PCI bus: card.backend = card in %s.\n", path);
    else
        printf(
            "No card was found: this directory uses the simulated card (card.backend = simulator in %s).\n",
            path);
    printf("Next: relecture -d %s camera add ..., case open ..., import ...\n", dir);
    return CLI_DONE;
}

const struct cli_command cli_init = {
    .name = "init",
    .summary = "make a data directory",
    .help = "init DIR\n"
            "  Makes DIR with its databases and relecture.conf. Nothing is changed when it is one already.\n",
    .run = run,
};
