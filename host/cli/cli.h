/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - the commands of `relecture`; one file each (cli_<command>.c). Internal to host/cli and host/main.c.
 */
#ifndef HOST_CLI_CLI_H
#define HOST_CLI_CLI_H

#include <jansson.h>

#include "host/base/config.h"
#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/case/register.h"

/* Exit codes that a script can use. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,  /* it could not be done; the message says why */
    CLI_USAGE = 2,   /* wrong arguments */
    CLI_PARTLY = 3,  /* some files of the batch failed, the others are in */
    CLI_REFUSED = 4, /* outside the case, or a word the law keeps out */
    CLI_NO_CARD = 5  /* the configured card cannot work */
};

struct cli {
    const char *dir;      /* -d; NULL for init */
    struct config config; /* of that directory, --set applied */
};

struct cli_command {
    const char *name, *summary;
    const char *help; /* everything after "usage: relecture [-d DIR] " */
    bool needs_dir;
    /* argv[0] is the command's name. Returns an enum cli_exit. */
    int (*run)(struct cli *cli, int argc, char **argv);
};

extern const struct cli_command cli_init;
extern const struct cli_command cli_camera;
extern const struct cli_command cli_case;
extern const struct cli_command cli_import;
extern const struct cli_command cli_plan;
extern const struct cli_command cli_queue;
extern const struct cli_command cli_search;
extern const struct cli_command cli_serve;
extern const struct cli_command cli_journal;
extern const struct cli_command cli_check_index;
extern const struct cli_command cli_purge;
extern const struct cli_command cli_user_command;
extern const struct cli_command cli_card;
extern const struct cli_command cli_model;
extern const struct cli_command cli_backup;
extern const struct cli_command cli_restore;
extern const struct cli_command cli_doctor;
extern const struct cli_command cli_decide;
extern const struct cli_command cli_exhibit;
extern const struct cli_command cli_export;
extern const struct cli_command cli_closing;
extern const struct cli_command cli_facts;
extern const struct cli_command cli_receipt;

/* "relecture: ..." on stderr; returns `code`. */
int cli_say(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints "usage: ..." of a command. */
void cli_usage(FILE *out, const struct cli_command *c);

/* The long options of a command, parsed: each takes a value unless flag. Unknown options, missing values and
 * doubles are reported; false then. What is left in argv after the options is argv[1 .. *rest). */
struct cli_option {
    const char *name; /* without "--" */
    bool flag;
    const char *value; /* out: NULL = not given; "" for a flag that was given */
};
bool cli_options(const struct cli_command *c, int argc, char **argv, struct cli_option *o, unsigned n,
                 int *rest);

/* A moment of the command line; false after a message that names the option and shows the form. */
bool cli_time(const char *option, const char *text, int64_t *ms);
/* A whole number from min to max; false after a message. */
bool cli_number(const char *option, const char *text, long min, long max, long *out);
/* The vocabulary of the configuration, or a message and NULL. */
struct vocab *cli_vocab(const struct cli *cli);
/* Whether the machine knows site.tz; false after a message. */
bool cli_zone_is_known(const struct cli *cli);
/* The register of the data directory, or a message and NULL. */
struct register_db *cli_register(const struct cli *cli);
/* One line of standard input, not echoed on a terminal, into USER_PASSWORD_MAX + 2 bytes; false after a message. */
bool cli_password(char *out);
/* The site's signing key, made when there is none, or a message and NULL. */
struct signer;
struct signer *cli_signer(const struct cli *cli);
/* The open case `id`, to be released with case_fini(); false after a message. */
bool cli_case_get(const struct cli *cli, struct register_db *r, const char *id, struct case_file *out);
/* Who is at work, for the journal: "unix:" and the login name. Static storage. */
const char *cli_user(void);
/* The journal line of a command; false after a message when it cannot be written: then nothing may be done.
 */
bool cli_journal_add(struct register_db *r, const char *action, const char *case_id, const char *object,
                     json_t *detail_taken);
/* Prints and drops the reference. */
void cli_print_json(json_t *taken);

#endif
