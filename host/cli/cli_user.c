/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/case/session.h"
#include "host/case/user.h"
#include "host/cli/cli.h"

enum { NAME, ROLE, HABILITATION, FROM, TO, LOGIN, JSON, N }; /* the options */

#define YEAR_MS (365LL * 24 * 3600 * 1000)

/* One line of standard input, not echoed on a terminal. A secret never stands on the command line. */
bool cli_password(char *out) {
    struct termios old, quiet;
    const bool tty = tcgetattr(STDIN_FILENO, &old) == 0;
    if (tty) {
        fputs("Password: ", stderr);
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    const bool got = fgets(out, USER_PASSWORD_MAX + 2, stdin) != NULL;
    if (tty) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    if (got) out[strcspn(out, "\r\n")] = 0;
    if (!got) cli_say(0, "the password is read from standard input, and there was none");
    return got;
}

static int say_weak(void) {
    return cli_say(
        CLI_USAGE,
        "user: a login has letters, digits, - _ . only; a password at least %u characters of three kinds "
        "(small, capital, digit, other), without the login in it",
        USER_PASSWORD_MIN);
}

static json_t *user_json(const struct user *u) {
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:b,s:b}", "login", u->login, "name", u->name, "role",
                     role_name(u->role), "habilitation", u->habilitation, "valid_from_ms",
                     (json_int_t)u->valid_from_ms, "valid_to_ms", (json_int_t)u->valid_to_ms, "totp",
                     (int)u->has_totp, "disabled", (int)u->disabled);
}

static bool fill(const char *option, const char *value, char *out, size_t cap, bool needed) {
    if (!value && !needed) return true;
    if (value && *value && strlen(value) < cap) {
        memcpy(out, value, strlen(value) + 1);
        return true;
    }
    cli_say(0, "user: --%s is %s", option, value && *value ? "too long" : "missing");
    return false;
}

static int add(struct register_db *r, struct cli_option *o) {
    struct user u = {.valid_from_ms = clock_wall_ms()};
    u.valid_to_ms = u.valid_from_ms + YEAR_MS;
    if (!fill("login", o[LOGIN].value, u.login, sizeof u.login, true) ||
        !fill("name", o[NAME].value, u.name, sizeof u.name, true) ||
        !fill("habilitation", o[HABILITATION].value, u.habilitation, sizeof u.habilitation, false) ||
        (o[FROM].value && !cli_time("from", o[FROM].value, &u.valid_from_ms)) ||
        (o[TO].value && !cli_time("to", o[TO].value, &u.valid_to_ms)))
        return CLI_USAGE;
    u.role = o[ROLE].value ? role_by_name(o[ROLE].value) : ROLE_NONE;
    if (u.role == ROLE_NONE)
        return cli_say(CLI_USAGE, "user add: --role is operator, officer, chief, auditor or administrator");
    if (u.valid_to_ms <= u.valid_from_ms) return cli_say(CLI_USAGE, "user add: --to must be after --from");
    char password[USER_PASSWORD_MAX + 2];
    if (!cli_password(password)) return CLI_USAGE;
    const enum err e = user_add(r, &u, password);
    sodium_memzero(password, sizeof password);
    if (e == ERR_EXISTS) return cli_say(CLI_FAILED, "user add: there is a user \"%s\" already", u.login);
    if (e == ERR_USAGE) return say_weak();
    if (e) return cli_say(CLI_FAILED, "user add: %s", err_text(e));
    if (!cli_journal_add(r, "user.add", "", u.login, user_json(&u))) return CLI_FAILED;
    printf("User %s (%s) is %s.\n", u.login, u.name, role_name(u.role));
    return CLI_DONE;
}

static int list(struct register_db *r, bool json) {
    struct user *u;
    unsigned n;
    const enum err e = user_list(r, &u, &n);
    if (e) return cli_say(CLI_FAILED, "user list: %s", err_text(e));
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) {
        char until[25];
        clock_format(u[i].valid_to_ms, until);
        if (json)
            json_array_append_new(all, user_json(&u[i]));
        else
            printf("%-20s %-14s until %s%s%s  %s\n", u[i].login, role_name(u[i].role), until,
                   u[i].has_totp ? ", second factor" : "", u[i].disabled ? ", disabled" : "", u[i].name);
    }
    if (json)
        cli_print_json(all);
    else
        json_decref(all);
    free(u);
    return CLI_DONE;
}

/* RFC 4648 base 32, as authenticator programs take it. */
static void print_secret(const uint8_t *s) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (unsigned bit = 0; bit < USER_TOTP_SECRET_BYTES * 8; bit += 5) {
        const unsigned pair =
            (unsigned)s[bit / 8] << 8 | (bit / 8 + 1 < USER_TOTP_SECRET_BYTES ? s[bit / 8 + 1] : 0);
        putchar(digit[pair >> (11 - bit % 8) & 31]);
    }
    putchar('\n');
}

static int change(struct register_db *r, const char *verb, const char *login) {
    enum err e = ERR_USAGE;
    uint8_t secret[USER_TOTP_SECRET_BYTES];
    const bool totp = strcmp(verb, "totp") == 0;
    if (strcmp(verb, "password") == 0) {
        char password[USER_PASSWORD_MAX + 2];
        if (!cli_password(password)) return CLI_USAGE;
        e = user_password_set(r, login, password, false);
        sodium_memzero(password, sizeof password);
        if (e == ERR_USAGE) return say_weak();
    } else if (totp) {
        e = user_totp_set(r, login, secret);
    } else {
        e = user_disable(r, login, strcmp(verb, "disable") == 0);
    }
    /* Whoever is signed in with the old password, or was disabled, is out at once. */
    if (!e && strcmp(verb, "enable") != 0) e = session_close_user(r, login);
    if (e)
        return cli_say(CLI_FAILED, "user %s: %s", verb,
                       e == ERR_MISSING ? "there is no such user" : err_text(e));
    char action[32];
    snprintf(action, sizeof action, "user.%s", verb);
    if (!cli_journal_add(r, action, "", login, json_object())) return CLI_FAILED;
    if (totp) {
        puts("Type this secret into the authenticator; it is shown only now:");
        print_secret(secret);
        sodium_memzero(secret, sizeof secret);
    } else {
        printf("User %s: %s done.\n", login, verb);
    }
    return CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[N] = {[NAME] = {.name = "name"},
                              [ROLE] = {.name = "role"},
                              [HABILITATION] = {.name = "habilitation"},
                              [FROM] = {.name = "from"},
                              [TO] = {.name = "to"},
                              [LOGIN] = {.name = "login"},
                              [JSON] = {.name = "json", .flag = true}};
    static const char *const verbs[] = {"add", "list", "password", "totp", "disable", "enable"};
    int rest;
    if (!cli_options(&cli_user_command, argc, argv, o, N, &rest)) return CLI_USAGE;
    bool known = false;
    for (unsigned i = 0; rest == 2 && i < sizeof verbs / sizeof verbs[0]; i++)
        known |= strcmp(argv[1], verbs[i]) == 0;
    if (!known) {
        cli_usage(stderr, &cli_user_command);
        return CLI_USAGE;
    }
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code;
    if (strcmp(argv[1], "add") == 0)
        code = add(r, o);
    else if (strcmp(argv[1], "list") == 0)
        code = list(r, o[JSON].value != NULL);
    else
        code = o[LOGIN].value ? change(r, argv[1], o[LOGIN].value)
                              : cli_say(CLI_USAGE, "user: --login is missing");
    register_close(&r);
    return code;
}

const struct cli_command cli_user_command = {
    .name = "user",
    .summary = "add, list and lock the people who work here",
    .help = "user add --login LOGIN --name NAME --role operator|officer|chief|auditor|administrator\n"
            "                 [--habilitation TEXT] [--from TIME] [--to TIME]      (one year from now by "
            "default)\n"
            "       relecture -d DIR user list [--json]\n"
            "       relecture -d DIR user password|totp|disable|enable --login LOGIN\n"
            "  Passwords are read from standard input. `totp` makes a new second factor and shows its secret "
            "once.\n"
            "  A new password, a new second factor and `disable` end the user's sessions at once.\n",
    .needs_dir = true,
    .run = run,
};
