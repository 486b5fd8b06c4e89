/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/case/hold.h"
#include "host/cli/cli.h"
#include "host/evidence/signer.h"

static void show(const struct receipt *x, json_t *all) {
    char at[25];
    clock_format(x->at_ms, at);
    if (all)
        json_array_append_new(all, json_pack("{s:I,s:I,s:s,s:s,s:s,s:s}", "id", (json_int_t)x->id, "at_ms",
                                             (json_int_t)x->at_ms, "kind", x->kind, "case_id", x->case_id,
                                             "key_id", x->key_id, "text", x->text));
    else
        printf("%" PRId64 "  %s  %-10s %s\n", x->id, at, x->kind, x->case_id);
}

static enum err put(const char *dir, const char *name, const void *data, size_t n) {
    char path[FS_PATH_MAX];
    const enum err e = fs_join(path, dir, name);
    return e ? e : fs_write_atomic(path, data, n, 0600);
}

static int write_out(const struct cli *cli, const struct receipt *x, const char *dir) {
    struct signer *s = cli_signer(cli);
    if (!s) return CLI_FAILED;
    enum err e = OK;
    int code = CLI_DONE;
    if (strcmp(signer_key_id(s), x->key_id) != 0)
        code = cli_say(
            CLI_FAILED,
            "receipt: it was signed by an earlier key; put the certificate with the fingerprint %s beside it",
            x->key_id);
    if (!code && mkdir(dir, 0700) != 0) e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
    if (!code && !e) e = put(dir, "receipt.txt", x->text, strlen(x->text));
    if (!code && !e) e = put(dir, "receipt.sig", x->signature, x->n_signature);
    if (!code && !e) e = put(dir, "signer.pem", signer_certificate(s), strlen(signer_certificate(s)));
    signer_close(&s);
    if (e == ERR_EXISTS) return cli_say(CLI_FAILED, "receipt: %s is there already; name a new folder", dir);
    if (e) return cli_say(CLI_FAILED, "receipt: %s: %s", dir, err_text(e));
    if (!code)
        printf(
            "cd %s && openssl x509 -in signer.pem -pubkey -noout >signer.pub && openssl dgst -sha256 -sigopt "
            "rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -verify signer.pub -signature receipt.sig "
            "receipt.txt\n",
            dir);
    return code;
}

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest, code = CLI_DONE;
    if (!cli_options(&cli_receipt, argc, argv, o, 1, &rest)) return CLI_USAGE;
    const bool lists = rest == 2 && strcmp(argv[1], "list") == 0,
               writes = rest == 4 && strcmp(argv[1], "write") == 0;
    if (!lists && !writes) {
        cli_usage(stderr, &cli_receipt);
        return CLI_USAGE;
    }
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct receipt *list;
    unsigned n;
    const enum err e = receipt_list(r, &list, &n);
    register_close(&r);
    if (e) return cli_say(CLI_FAILED, "receipt: %s", err_text(e));
    json_t *all = lists && o[0].value ? json_array() : NULL;
    const struct receipt *found = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (lists) show(&list[i], all);
        if (writes && list[i].id == strtoll(argv[2], NULL, 10)) found = &list[i];
    }
    if (all) cli_print_json(all);
    if (writes && !found)
        code = cli_say(CLI_FAILED, "receipt: there is no receipt %s; `relecture receipt list` shows them",
                       argv[2]);
    else if (writes)
        code = write_out(cli, found, argv[3]);
    receipts_free(list, n);
    return code;
}

const struct cli_command cli_receipt = {
    .name = "receipt",
    .summary = "signed receipts of what was erased or handed over",
    .help = "receipt list [--json]\n"
            "       relecture -d DIR receipt write N FOLDER\n"
            "  write: the text, its signature and the certificate, for openssl; the command to check them is "
            "printed.\n",
    .needs_dir = true,
    .run = run,
};
