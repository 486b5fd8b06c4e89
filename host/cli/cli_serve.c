/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "host/app.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/http/certificate.h"

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "listen"}};
    int rest;
    if (!cli_options(&cli_serve, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 1) return cli_say(CLI_USAGE, "serve: unexpected \"%s\"", argv[1]);
    if (o[0].value && config_set(&cli->config, "site.listen", o[0].value, "--listen")) return CLI_USAGE;
    if (!cli_zone_is_known(cli)) return CLI_USAGE;
    struct app *a;
    const enum err e = app_open(cli->dir, &cli->config, RELECTURE_VERSION, &a);
    if (e) return e == ERR_CARD ? CLI_NO_CARD : e == ERR_USAGE || e == ERR_DENIED ? CLI_USAGE : CLI_FAILED;
    /* Scripts wait for this line; the port matters when it was asked as 0. */
    const char *listen = cli->config.listen; /* ADDRESS:PORT, and checked */
    char print[96];
    printf("Serving %s on https://%.*s:%u/\n", cli->dir, (int)(strrchr(listen, ':') - listen), listen,
           app_port(a));
    if (certificate_fingerprint(cli->dir, print) == OK)
        printf("Its certificate (tls/cert.pem) has the SHA-256 fingerprint %s\n", print);
    fflush(stdout);
    app_run(a);
    app_close(&a);
    return CLI_DONE;
}

const struct cli_command cli_serve = {
    .name = "serve",
    .summary = "serve the page and the API, and import in the background",
    .help =
        "serve [--listen ADDRESS:PORT]\n"
        "  Speaks TLS with the key and certificate in DIR/tls, and answers to users only (relecture user).\n"
        "  Listens on site.listen of relecture.conf by default: this machine only; 0.0.0.0:8443 is every\n"
        "  IPv4 address. Ends on SIGTERM; running imports go on at the next start.\n",
    .needs_dir = true,
    .run = run,
};
