/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>

#include <sodium.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/case/user.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/identity.h"
#include "host/evidence/signer.h"
#include "host/http/certificate.h"
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

/* The first administrator: without one nobody could make the others. */
struct first {
    struct user user;
    char password[USER_PASSWORD_MAX + 2];
    bool given; /* the password came from standard input, and need not be changed */
};

#define YEAR_MS (365LL * 24 * 3600 * 1000)

static bool read_first(struct cli_option *login, struct cli_option *name, struct cli_option *from_stdin,
                       struct first *f) {
    const char *const l = login->value ? login->value : "admin";
    const char *const n = name->value ? name->value : "Administrateur";
    *f = (struct first){.given = from_stdin->value != NULL};
    f->user.role = ROLE_ADMINISTRATOR;
    f->user.valid_from_ms = clock_wall_ms() - 1000;
    f->user.valid_to_ms = f->user.valid_from_ms + YEAR_MS;
    f->user.must_change = !f->given;
    if ((size_t)snprintf(f->user.login, sizeof f->user.login, "%s", l) >= sizeof f->user.login ||
        (size_t)snprintf(f->user.name, sizeof f->user.name, "%s", n) >= sizeof f->user.name) {
        cli_say(0, "init: --admin or --admin-name is too long");
        return false;
    }
    if (!f->given) {
        user_password_make(f->password);
        return true;
    }
    if (!fgets(f->password, sizeof f->password, stdin)) f->password[0] = 0;
    f->password[strcspn(f->password, "\r\n")] = 0;
    if (user_password_check(f->user.login, f->password) == OK) return true;
    cli_say(0,
            "init: --admin-password-stdin wants one line on standard input: at least %u characters of three "
            "kinds (small, capital, digit, other), without the login in it",
            USER_PASSWORD_MIN);
    return false;
}

static enum err add_first(struct register_db *r, const struct first *f) {
    uint64_t seq;
    enum err e = register_begin(r);
    if (e) return e;
    e = user_add(r, &f->user, f->password);
    const struct journal_entry line = {cli_user(), "shell",       "user.add",
                                       "",         f->user.login, "{\"role\":\"administrator\"}"};
    if (!e) e = journal_add(r, &line, &seq);
    return register_end(r, e);
}

static enum err make_databases(const struct cli *cli, const char *dir, const struct first *f) {
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
    if (!e) e = add_first(r, f);
    index_writer_close(&w);
    register_close(&r);
    vocab_free(&v);
    return e;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { ADMIN, ADMIN_NAME, FROM_STDIN, NAMES, N };
    struct cli_option o[N] = {[ADMIN] = {.name = "admin"},
                              [ADMIN_NAME] = {.name = "admin-name"},
                              [FROM_STDIN] = {.name = "admin-password-stdin", .flag = true},
                              [NAMES] = {.name = "names"}};
    int rest;
    struct first first;
    if (!cli_options(&cli_init, argc, argv, o, N, &rest)) return CLI_USAGE;
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
    if (!read_first(&o[ADMIN], &o[ADMIN_NAME], &o[FROM_STDIN], &first)) return CLI_USAGE;
    e = fs_mkdirs(dir, 0700);
    if (!e) e = certificate_make(dir, o[NAMES].value ? o[NAMES].value : "");
    if (e == ERR_EXISTS) e = OK; /* the city's own was laid there first */
    if (!e) e = identity_of_journal(&cli->config, RELECTURE_VERSION);
    if (!e) e = make_databases(cli, dir, &first);
    if (e == ERR_USAGE)
        return cli_say(CLI_USAGE,
                       "init: --admin has letters, digits, - _ . only; --names are names and addresses");
    struct signer *signer = NULL; /* made now, so that the first export does not wait for it */
    if (!e) e = signer_open(dir, &signer);
    signer_close(&signer);
    const bool card = card_on_the_bus();
    char text[768];
    const int n =
        snprintf(text, sizeof text,
                 "# Settings of this data directory; `relecture --help-config` explains each key.\n"
                 "# \"card\" = an Alveo card; \"simulator\" = the simulated card: the same bytes, slower.\n"
                 "card.backend = %s\n",
                 card ? "card" : "simulator");
    size_t len = (size_t)n;
    if (o[NAMES].value)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "# By these names browsers call the server.\nsite.names = %.200s\n",
                                o[NAMES].value);
    if (!e) e = fs_join(path, dir, "relecture.conf");
    if (!e) e = fs_write_atomic(path, text, len, 0600);
    if (e) return cli_say(CLI_FAILED, "init: %s cannot be made: %s", dir, err_text(e));
    printf("%s is ready.\n", dir);
    if (card)
        printf("A Xilinx card is on the PCI bus: card.backend = card in %s.\n", path);
    else
        printf(
            "No card was found: this directory uses the simulated card (card.backend = simulator in %s).\n",
            path);
    if (first.given)
        printf("Administrator: %s, with the password from standard input.\n", first.user.login);
    else
        printf(
            "Administrator: login %s, one-time password %s (shown only now; the first login asks for a new "
            "one)\n",
            first.user.login, first.password);
    sodium_memzero(&first, sizeof first);
    printf("Next: relecture -d %s camera add ..., case open ..., import ...\n", dir);
    return CLI_DONE;
}

const struct cli_command cli_init = {
    .name = "init",
    .summary = "make a data directory",
    .help =
        "init DIR [--admin LOGIN] [--admin-name NAME] [--admin-password-stdin] [--names NAME,ADDRESS...]\n"
        "  Makes DIR with its databases, relecture.conf, a key with a self-signed certificate (tls/key.pem,\n"
        "  tls/cert.pem: put the city's own in their place), and the first administrator. His one-time\n"
        "  password is shown once, or read from standard input and then kept. --names: how browsers call\n"
        "  this server beside localhost and its own name. Nothing is changed when DIR is one already.\n",
    .run = run,
};
