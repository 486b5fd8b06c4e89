/* SPDX-License-Identifier: Apache-2.0 */
/* relecture queue: what the running server is importing, and in which order. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/import/control.h"
#include "host/import/item.h"

struct answer {
    bool json;
    long n; /* of the last line; -1 = the server refused */
};

static bool on_line(const json_t *line, void *arg) {
    struct answer *a = arg;
    struct import_item i;
    const char *error = json_string_value(json_object_get(line, "error"));
    if (import_item_of_json(line, &i)) {
        if (a->json) {
            json_dumpf(line, stdout, JSON_COMPACT);
            putchar('\n');
        } else {
            const double all = (double)i.duration_us;
            printf("%6" PRIu64 "  %-9s %+d  %3.0f %%  %-12s %s%s%s\n", i.job, import_state_name(i.state),
                   i.priority, all > 0 ? 100 * (double)i.position_us / all : 0.0, i.case_id, i.file,
                   *i.error ? ": " : "", i.error);
        }
        return true;
    }
    if (error) cli_say(0, "queue: the server answered: %s", error);
    a->n = error ? -1 : (long)json_integer_value(json_object_get(line, "n"));
    return false;
}

static int ask(struct cli *cli, json_t *request_taken, struct answer *a) {
    if (!request_taken) return cli_say(CLI_FAILED, "queue: out of memory");
    const enum err e = control_ask(cli->dir, request_taken, on_line, a);
    json_decref(request_taken);
    if (e == ERR_MISSING)
        return cli_say(CLI_FAILED, "queue: no server runs on %s; what waits there begins with the next one",
                       cli->dir);
    if (e) return cli_say(CLI_FAILED, "queue: %s", err_text(e));
    return a->n < 0 ? CLI_FAILED : CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { JOB, CASE, TO, JSON, N };
    struct cli_option o[N] = {[JOB] = {.name = "job"},
                              [CASE] = {.name = "case"},
                              [TO] = {.name = "to"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    long job = 0, priority = 0;
    enum import_action action;
    if (!cli_options(&cli_queue, argc, argv, o, N, &rest)) return CLI_USAGE;
    const char *what = rest == 2 ? argv[1] : "";
    struct answer a = {.json = o[JSON].value != NULL};
    if (strcmp(what, "list") == 0) return ask(cli, json_pack("{s:s}", "op", "items"), &a);
    if (!import_action_of(what, &action) || (action == IMPORT_PRIORITY) != (o[TO].value != NULL)) {
        cli_usage(stderr, &cli_queue);
        return CLI_USAGE;
    }
    if ((o[JOB].value && !cli_number("job", o[JOB].value, 1, INT32_MAX, &job)) ||
        (o[TO].value && !cli_number("to", o[TO].value, IMPORT_PRIORITY_MIN, IMPORT_PRIORITY_MAX, &priority)))
        return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    const bool noted = cli_journal_add(r, "import.order", o[CASE].value ? o[CASE].value : "", what,
                                       json_pack("{s:I,s:i}", "job", (json_int_t)job, "to", (int)priority));
    register_close(&r);
    if (!noted) return CLI_FAILED;
    json_t *rq = json_pack("{s:s,s:s,s:I,s:i}", "op", "order", "action", what, "job", (json_int_t)job,
                           "priority", (int)priority);
    if (rq && o[CASE].value) json_object_set_new(rq, "case", json_string(o[CASE].value));
    const int code = ask(cli, rq, &a);
    if (code == CLI_DONE && !a.json) printf("%ld recordings.\n", a.n);
    return code;
}

const struct cli_command cli_queue = {
    .name = "queue",
    .summary = "what the server is importing: list, pause, resume, cancel, order",
    .help =
        "queue list [--json]\n"
        "       relecture -d DIR queue pause|resume|cancel [--job N] [--case CASE]\n"
        "       relecture -d DIR queue priority --to -9..9 [--job N] [--case CASE]\n"
        "  Without --job and --case: all of them. Higher goes first, 0 is usual. What a cancelled recording\n"
        "  has committed stays; the same file imported again goes on from there. Pauses and priorities\n"
        "  outlive the server.\n",
    .needs_dir = true,
    .run = run,
};
