/* SPDX-License-Identifier: Apache-2.0 */
#include "host/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <pwd.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/zone.h"
#include "host/evidence/signer.h"

int cli_say(int code, const char *fmt, ...) {
    va_list ap;
    fputs("relecture: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return code;
}

void cli_usage(FILE *out, const struct cli_command *c) {
    fprintf(out, "usage: relecture %s%s", c->needs_dir ? "-d DIR " : "", c->help);
}

static struct cli_option *find(struct cli_option *o, unsigned n, const char *name, size_t len) {
    for (unsigned i = 0; i < n; i++)
        if (strlen(o[i].name) == len && strncmp(o[i].name, name, len) == 0) return &o[i];
    return NULL;
}

bool cli_options(const struct cli_command *c, int argc, char **argv, struct cli_option *o, unsigned n,
                 int *rest) {
    /* Own loop rather than getopt_long: options and files may be mixed, and doubles are mistakes worth
     * naming. */
    int kept = 1;
    bool only_rest = false;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (only_rest || strncmp(a, "--", 2) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        if (a[2] == 0) {
            only_rest = true;
            continue;
        }
        const char *eq = strchr(a, '=');
        const size_t len = eq ? (size_t)(eq - a) - 2 : strlen(a) - 2;
        if (len == 4 && strncmp(a + 2, "help", 4) == 0) {
            cli_usage(stdout, c);
            exit(CLI_DONE);
        }
        struct cli_option *opt = find(o, n, a + 2, len);
        if (!opt) {
            cli_say(0, "%s: unknown option %s; see relecture %s --help", c->name, a, c->name);
            return false;
        }
        if (opt->value) {
            cli_say(0, "%s: --%s is given twice", c->name, opt->name);
            return false;
        }
        if (opt->flag) {
            if (eq) {
                cli_say(0, "%s: --%s takes no value", c->name, opt->name);
                return false;
            }
            opt->value = "";
        } else if (eq) {
            opt->value = eq + 1;
        } else if (i + 1 < argc) {
            opt->value = argv[++i];
        } else {
            cli_say(0, "%s: --%s needs a value", c->name, opt->name);
            return false;
        }
    }
    argv[kept] = NULL;
    *rest = kept;
    return true;
}

bool cli_time(const char *option, const char *text, int64_t *ms) {
    if (clock_parse(text, ms) == OK) return true;
    cli_say(0,
            "--%s \"%s\" is not a moment that exists; write it as 2026-11-20T14:00:00Z (UTC) or "
            "2026-11-20T15:00:00+01:00",
            option, text);
    return false;
}

bool cli_number(const char *option, const char *text, long min, long max, long *out) {
    char *end;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (!*text || *end || errno || v < min || v > max) {
        cli_say(0, "--%s must be a whole number from %ld to %ld, not \"%s\"", option, min, max, text);
        return false;
    }
    *out = v;
    return true;
}

struct vocab *cli_vocab(const struct cli *cli) {
    struct vocab *v;
    const enum err e = vocab_load(cli->config.vocabulary, &v);
    if (!e) return v;
    cli_say(0, "the vocabulary %s cannot be used: %s", cli->config.vocabulary, err_text(e));
    return NULL;
}

bool cli_zone_is_known(const struct cli *cli) {
    struct zone *z = NULL;
    const enum err e = zone_open(cli->config.tz, &z);
    zone_free(&z);
    if (e)
        cli_say(0,
                "site.tz = %s: this machine has no such time zone (%s); a name such as Europe/Paris, and the "
                "package "
                "tzdata, are needed",
                cli->config.tz, err_text(e));
    return !e;
}

struct register_db *cli_register(const struct cli *cli) {
    struct register_db *r;
    const enum err e = register_open(cli->dir, false, &r);
    if (!e) return r;
    if (e == ERR_MISSING)
        cli_say(0, "%s is not a data directory; `relecture init %s` makes one", cli->dir, cli->dir);
    else if (e == ERR_CORRUPT)
        cli_say(
            0, "%s/register.db is damaged or of another version (the line above says which); put a copy back",
            cli->dir);
    else
        cli_say(0,
                "%s/register.db cannot be opened (%s); see the line above, and whether you may write in that "
                "folder",
                cli->dir, err_text(e));
    return NULL;
}

struct signer *cli_signer(const struct cli *cli) {
    struct signer *s;
    const enum err e = signer_open(cli->dir, &s);
    if (!e) return s;
    cli_say(0, "the signing key in %s/keys cannot be used (%s); the line above says why", cli->dir, err_text(e));
    return NULL;
}

bool cli_case_get(const struct cli *cli, struct register_db *r, const char *id, struct case_file *out) {
    if (!id) {
        cli_say(0, "--case is missing: nothing is imported or searched outside a case; `relecture case list` "
                   "shows them");
        return false;
    }
    const enum err e = case_get(r, id, out);
    if (e) {
        cli_say(0, "case \"%s\": %s", id,
                e == ERR_MISSING ? "there is none; `relecture case list` shows them" : err_text(e));
        return false;
    }
    case_restrict(out, cli->config.allowed);
    const bool expired = out->expires_ms <= clock_wall_ms();
    if (strcmp(out->state, "open") == 0 && !expired) return true;
    cli_say(0, "case %s is %s", id, expired ? "expired" : out->state);
    case_fini(out);
    return false;
}

const char *cli_user(void) {
    static char name[80];
    const struct passwd *p = getpwuid(getuid());
    if (p)
        snprintf(name, sizeof name, "unix:%s", p->pw_name);
    else
        snprintf(name, sizeof name, "unix:%u", (unsigned)getuid());
    return name;
}

bool cli_journal_add(struct register_db *r, const char *action, const char *case_id, const char *object,
                     json_t *detail_taken) {
    char *text = json_dumps(detail_taken, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(detail_taken);
    uint64_t seq;
    const struct journal_entry entry = {cli_user(), "shell", action, case_id, object, text ? text : "{}"};
    const enum err e = text ? journal_add(r, &entry, &seq) : ERR_NOMEM;
    free(text);
    if (e) cli_say(0, "the journal cannot be written (%s)", err_text(e));
    return !e;
}

void cli_print_json(json_t *taken) {
    json_dumpf(taken, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    fputc('\n', stdout);
    json_decref(taken);
}
