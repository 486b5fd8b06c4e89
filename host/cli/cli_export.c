/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/case/seal.h"
#include "host/case/user.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/folder.h"
#include "host/evidence/sums.h"

static json_t *seal_json(const struct seal *s) {
    json_t *ids = json_array();
    for (unsigned i = 0; i < s->n_exhibits; i++)
        json_array_append_new(ids, json_integer((json_int_t)s->exhibits[i]));
    return json_pack("{s:I,s:s,s:s,s:o,s:s,s:s,s:b,s:s,s:I,s:s,s:I,s:s,s:s,s:I,s:s,s:I}", "id",
                     (json_int_t)s->id, "case_id", s->case_id, "state", s->state, "exhibit_ids", ids,
                     "handed_to", s->handed_to, "medium", s->medium, "blur", (int)s->blur, "by", s->by,
                     "at_ms", (json_int_t)s->at_ms, "decided_by", s->decided_by, "decided_ms",
                     (json_int_t)s->decided_ms, "decided_reason", s->decided_reason, "error", s->error,
                     "bytes", (json_int_t)s->bytes, "sha256", s->sha256, "journal_seq",
                     (json_int_t)s->journal_seq);
}

static void show(const struct seal *s, bool json) {
    if (json)
        cli_print_json(seal_json(s));
    else
        printf("Seal %" PRIu64 " of case %s is %s: %u exhibit%s for %s%s%s.\n", s->id, s->case_id, s->state,
               s->n_exhibits, s->n_exhibits == 1 ? "" : "s", s->handed_to, s->error[0] ? ": " : "", s->error);
}

static bool seal_number(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    if (*text && !*end && *out > 0) return true;
    cli_say(0, "export: \"%s\" is not the number of a seal; `relecture export list` shows them", text);
    return false;
}

/* "3,7,12" into s->exhibits. */
static bool exhibits_of(const char *text, struct seal *s) {
    s->exhibits = calloc(SEAL_EXHIBITS_MAX, sizeof *s->exhibits);
    for (const char *p = text ? text : ""; s->exhibits && *p && s->n_exhibits < SEAL_EXHIBITS_MAX;) {
        char *end;
        s->exhibits[s->n_exhibits++] = strtoull(p, &end, 10);
        if (end == p || (*end && *end != ',')) break;
        p = *end ? end + 1 : end;
        if (!*p) return true;
    }
    cli_say(0,
            "export: --exhibits takes at most %u numbers, as in 3,7,12; `relecture exhibit list` shows them",
            SEAL_EXHIBITS_MAX);
    return false;
}

static bool take(const char *option, const char *value, char *out, size_t cap) {
    if (value && *value && strlen(value) < cap) {
        memcpy(out, value, strlen(value) + 1);
        return true;
    }
    cli_say(0, "export: --%s is %s", option, value && *value ? "too long" : "missing");
    return false;
}

/* An act on the register and its line of the journal: both or neither. */
static enum err with_line(struct register_db *r, enum err e, const char *action, const struct seal *s,
                          json_t *detail) {
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, s->id);
    if (e)
        json_decref(detail);
    else if (!cli_journal_add(r, action, s->case_id, id, detail))
        e = ERR_IO;
    return register_end(r, e);
}

static int request(struct register_db *r, const struct cli_option *o, bool json) {
    enum { CASE, EXHIBITS, TO, MEDIUM, NO_MASKED };
    struct seal s = {.blur = o[NO_MASKED].value == NULL};
    snprintf(s.by, sizeof s.by, "%s", cli_user());
    if (!take("case", o[CASE].value, s.case_id, sizeof s.case_id) ||
        !take("to", o[TO].value, s.handed_to, sizeof s.handed_to) ||
        !take("medium", o[MEDIUM].value, s.medium, sizeof s.medium) || !exhibits_of(o[EXHIBITS].value, &s)) {
        seal_fini(&s);
        return CLI_USAGE;
    }
    enum err e = register_begin(r);
    if (!e) {
        e = seal_request(r, &s);
        e = with_line(r, e, "seal.ask", &s, e ? NULL : seal_json(&s));
    }
    int code = CLI_DONE;
    if (e == ERR_DENIED)
        code = cli_say(CLI_REFUSED,
                       "export: nothing unconfirmed leaves: each exhibit must be kept by case %s and its "
                       "passage confirmed (`relecture decide`)",
                       s.case_id);
    else if (e == ERR_MISSING)
        code = cli_say(CLI_FAILED, "export: there is no open case %s", s.case_id);
    else if (e)
        code = cli_say(e == ERR_USAGE ? CLI_USAGE : CLI_FAILED, "export: %s", err_text(e));
    else
        show(&s, json);
    if (!e && !json)
        printf("A chief other than %s approves it: relecture export approve %" PRIu64 " --login CHIEF\n",
               s.by, s.id);
    seal_fini(&s);
    return code;
}

/* The second person, by password: with the code as a second line where a second factor is set. */
static bool second_person(struct register_db *r, const char *login, struct user *u) {
    char password[USER_PASSWORD_MAX + 2], otp[16] = "";
    if (!login) {
        cli_say(0, "export: --login names the chief who decides; the password is read from standard input");
        return false;
    }
    if (!cli_password(password)) return false;
    if (user_get(r, login, u) == OK && u->has_totp && fgets(otp, sizeof otp, stdin))
        otp[strcspn(otp, "\r\n")] = 0;
    const enum err e = user_login(r, login, password, otp[0] ? otp : NULL, u);
    sodium_memzero(password, sizeof password);
    if (e == ERR_BUSY) cli_say(0, "export: %s is locked after too many failures", login);
    if (e && e != ERR_BUSY)
        cli_say(0, "export: %s: wrong login, password or code, or the habilitation is not valid", login);
    if (e) return false;
    if (rights_allow(u->role, ACTION_EXPORT_APPROVE)) return true;
    cli_say(0, "export: %s is %s; a chief approves", login, role_name(u->role));
    return false;
}

static int build(const struct cli *cli, struct register_db *r, uint64_t id, bool json) {
    char text[512];
    struct vocab *v = cli_vocab(cli);
    if (!v) return CLI_FAILED;
    const struct folder_context ctx = {
        .dir = cli->dir, .config = &cli->config, .vocab = v, .version = RELECTURE_VERSION};
    const enum err e = folder_build(&ctx, id, text, sizeof text);
    vocab_free(&v);
    if (e) return cli_say(CLI_FAILED, "export: %s", text);
    struct seal s;
    if (seal_get(r, id, &s)) return CLI_FAILED;
    show(&s, json);
    seal_fini(&s);
    return CLI_DONE;
}

static int decide(const struct cli *cli, struct register_db *r, uint64_t id, bool approve, const char *login,
                  const char *reason, bool json) {
    struct user u;
    struct seal s = {0};
    if (!second_person(r, login, &u)) return CLI_REFUSED;
    enum err e = register_begin(r);
    if (!e) {
        e = seal_decide(r, id, approve, u.login, reason ? reason : "", &s);
        json_t *detail = e ? NULL : seal_json(&s);
        if (detail) json_object_set_new(detail, "second_person", json_string(u.login));
        e = with_line(r, e, approve ? "seal.approve" : "seal.refuse", &s, detail);
    }
    int code = CLI_DONE;
    if (e == ERR_MISSING)
        code = cli_say(CLI_FAILED, "export: there is no seal %" PRIu64, id);
    else if (e == ERR_BUSY)
        code =
            cli_say(CLI_FAILED, "export: seal %" PRIu64 " is %s already, by %s", id, s.state, s.decided_by);
    else if (e == ERR_DENIED)
        code = cli_say(CLI_REFUSED,
                       strcmp(s.by, u.login) == 0
                           ? "export: it needs a second person: who asked for a seal cannot approve it"
                           : "export: an exhibit is not confirmed any more: nothing unconfirmed leaves");
    else if (e)
        code = cli_say(CLI_FAILED, "export: %s", err_text(e));
    else if (!approve)
        show(&s, json);
    seal_fini(&s);
    return code || !approve ? code : build(cli, r, id, json);
}

static int list(struct register_db *r, const char *case_id, bool json) {
    struct seal *s;
    unsigned n;
    const enum err e = seal_list(r, case_id, &s, &n);
    if (e) return cli_say(CLI_FAILED, "export: %s", err_text(e));
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++)
        if (json)
            json_array_append_new(all, seal_json(&s[i]));
        else
            show(&s[i], false);
    if (json)
        cli_print_json(all);
    else
        json_decref(all);
    seals_free(s, n);
    return CLI_DONE;
}

static int write_out(const struct cli *cli, struct register_db *r, uint64_t id, const char *to) {
    struct seal s;
    char from[FOLDER_PATH_MAX];
    if (seal_get(r, id, &s)) return cli_say(CLI_FAILED, "export: there is no seal %" PRIu64, id);
    int code = CLI_DONE;
    enum err e = folder_path(cli->dir, id, false, from);
    if (strcmp(s.state, "ready") != 0) {
        code = cli_say(CLI_FAILED, "export: seal %" PRIu64 " is %s, not ready", id, s.state);
    } else if (!e && (e = register_begin(r)) == OK) {
        /* The line first: what cannot be journalled is not handed over. */
        e = with_line(r, OK, "seal.write", &s,
                      json_pack("{s:s,s:s}", "handed_to", s.handed_to, "medium", s.medium));
        if (!e) e = sums_copy(from, to);
    }
    if (e == ERR_EXISTS)
        code = cli_say(CLI_FAILED, "export: %s is there already; name a new folder", to);
    else if (e)
        code = cli_say(CLI_FAILED, "export: %s cannot be written: %s", to, err_text(e));
    else if (!code)
        printf("%s: seal %" PRIu64
               " for %s. To check: cd %s && sha256sum -c SHA256SUMS; the rest is in LISEZMOI.txt\n",
               to, id, s.handed_to, to);
    seal_fini(&s);
    return code;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { CASE, EXHIBITS, TO, MEDIUM, NO_MASKED, LOGIN, REASON, JSON, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [EXHIBITS] = {.name = "exhibits"},
                              [TO] = {.name = "to"},
                              [MEDIUM] = {.name = "medium"},
                              [NO_MASKED] = {.name = "no-masked", .flag = true},
                              [LOGIN] = {.name = "login"},
                              [REASON] = {.name = "reason"},
                              [JSON] = {.name = "json", .flag = true}};
    static const char *const verbs[] = {"ask", "list", "approve", "refuse", "write"};
    int rest;
    uint64_t id = 0;
    if (!cli_options(&cli_export, argc, argv, o, N, &rest)) return CLI_USAGE;
    unsigned v = 0;
    while (v < 5 && (rest < 2 || strcmp(argv[1], verbs[v]) != 0)) v++;
    if (v == 5 || rest != (v < 2 ? 2 : v < 4 ? 3 : 4)) {
        cli_usage(stderr, &cli_export);
        return CLI_USAGE;
    }
    if (v >= 2 && !seal_number(argv[2], &id)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    const bool json = o[JSON].value != NULL;
    const int code = v == 0   ? request(r, o, json)
                     : v == 1 ? list(r, o[CASE].value, json)
                     : v == 4 ? write_out(cli, r, id, argv[3])
                              : decide(cli, r, id, v == 2, o[LOGIN].value, o[REASON].value, json);
    register_close(&r);
    return code;
}

const struct cli_command cli_export = {
    .name = "export",
    .summary = "hand over confirmed passages: sealed, signed, approved by a second person",
    .help =
        "export ask --case CASE --exhibits N,N... --to RECIPIENT --medium TEXT [--no-masked] [--json]\n"
        "       relecture -d DIR export approve SEAL --login CHIEF [--reason TEXT] [--json]\n"
        "       relecture -d DIR export refuse SEAL --login CHIEF [--reason TEXT] [--json]\n"
        "       relecture -d DIR export list [--case CASE] [--json]\n"
        "       relecture -d DIR export write SEAL FOLDER\n"
        "  approve: the chief's password is read from standard input (and a code as second line, where a "
        "second\n"
        "  factor is set); then the folder is built: original packets, masked copies, decisions, coverage,\n"
        "  manifest, SHA256SUMS with its signature. write: puts it into FOLDER, for a disc or a key.\n"
        "  Exit: 0 done, 4 refused (unconfirmed exhibits, no second person).\n",
    .needs_dir = true,
    .run = run,
};
