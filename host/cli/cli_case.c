/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/utf8.h"
#include "host/case/hold.h"
#include "host/cli/cli.h"

static json_t *case_json(const struct case_file *c) {
    json_t *cams = json_array();
    for (unsigned i = 0; i < c->n_cameras; i++) json_array_append_new(cams, json_integer(c->cameras[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:s,s:s,s:I,s:I}", "id", c->id, "requisition",
                     c->requisition, "authority", c->authority, "basis", c->basis, "offence", c->offence,
                     "from_ms", (json_int_t)c->from_ms, "to_ms", (json_int_t)c->to_ms, "cameras", cams,
                     "criteria", c->criteria, "state", c->state, "opened_ms", (json_int_t)c->opened_ms,
                     "expires_ms", (json_int_t)c->expires_ms);
}

static void show(const struct case_file *c) {
    char from[25], to[25], until[25];
    clock_format(c->from_ms, from);
    clock_format(c->to_ms, to);
    clock_format(c->expires_ms, until);
    printf("%s  %s  %s, %s, %s\n    %s to %s, %u camera%s, criteria: %s, expires %s\n", c->id, c->state,
           c->requisition, c->authority, c->basis, from, to, c->n_cameras, c->n_cameras == 1 ? "" : "s",
           c->criteria, until);
}

static bool has_camera(const struct case_file *c, uint16_t number) {
    for (unsigned k = 0; k < c->n_cameras; k++)
        if (c->cameras[k] == number) return true;
    return false;
}

/* Adds the camera called `id` (or every one, for "all"). */
static bool add_camera(const char *id, const struct camera *all, unsigned n, struct case_file *c) {
    bool found = false;
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(id, "all") != 0 && strcmp(all[i].id, id) != 0) continue;
        found = true;
        if (!has_camera(c, all[i].number)) c->cameras[c->n_cameras++] = all[i].number;
    }
    if (!found) cli_say(0, "case open: there is no camera \"%s\"; `relecture camera list` shows them", id);
    return found;
}

/* "gare-01,port-02" or "all" into numbers. */
static bool cameras_of(struct register_db *r, const char *list, struct case_file *c) {
    struct camera *all;
    unsigned n;
    const enum err e = camera_list(r, &all, &n);
    if (e) {
        cli_say(0, "case open: the cameras cannot be read: %s", err_text(e));
        return false;
    }
    c->cameras = calloc(n ? n : 1, sizeof *c->cameras);
    char *copy = strdup(list), *save = NULL;
    bool fine = c->cameras && copy;
    for (char *id = fine ? strtok_r(copy, ",", &save) : NULL; id && fine; id = strtok_r(NULL, ",", &save))
        fine = add_camera(id, all, n, c);
    free(copy);
    free(all);
    return fine;
}

static bool fill(const char *option, const char *value, char *out, size_t cap) {
    if (value && *value && strlen(value) < cap && utf8_is_valid(value)) {
        memcpy(out, value, strlen(value) + 1);
        return true;
    }
    if (!value || !*value)
        cli_say(0, "case open: --%s is missing; a search is only possible inside a requisition", option);
    else if (!utf8_is_valid(value))
        cli_say(0, "case open: --%s is not UTF-8", option);
    else
        cli_say(0, "case open: --%s is longer than %zu bytes", option, cap - 1);
    return false;
}

static int open_case(struct cli *cli, int argc, char **argv) {
    enum { REQUISITION, AUTHORITY, BASIS, OFFENCE, FROM, TO, CAMERAS, CRITERIA, EXPIRES, JSON, N };
    struct cli_option o[N] = {[REQUISITION] = {.name = "requisition"},
                              [AUTHORITY] = {.name = "authority"},
                              [BASIS] = {.name = "basis"},
                              [OFFENCE] = {.name = "offence"},
                              [FROM] = {.name = "from"},
                              [TO] = {.name = "to"},
                              [CAMERAS] = {.name = "cameras"},
                              [CRITERIA] = {.name = "criteria"},
                              [EXPIRES] = {.name = "expires"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_case, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1) return cli_say(CLI_USAGE, "case open: unexpected \"%s\"", argv[1]);
    struct case_file c = {0};
    if (!fill("requisition", o[REQUISITION].value, c.requisition, sizeof c.requisition) ||
        !fill("authority", o[AUTHORITY].value, c.authority, sizeof c.authority) ||
        !fill("basis", o[BASIS].value, c.basis, sizeof c.basis) ||
        !fill("criteria", o[CRITERIA].value, c.criteria, sizeof c.criteria) ||
        (o[OFFENCE].value && !fill("offence", o[OFFENCE].value, c.offence, sizeof c.offence)))
        return CLI_USAGE;
    if (!o[FROM].value || !o[TO].value || !o[CAMERAS].value)
        return cli_say(CLI_USAGE, "case open: --from, --to and --cameras are needed: they are the perimeter");
    if (!cli_time("from", o[FROM].value, &c.from_ms) || !cli_time("to", o[TO].value, &c.to_ms) ||
        (o[EXPIRES].value && !cli_time("expires", o[EXPIRES].value, &c.expires_ms)))
        return CLI_USAGE;
    if (c.to_ms <= c.from_ms) return cli_say(CLI_USAGE, "case open: --to must be after --from");
    if (o[EXPIRES].value && c.expires_ms <= clock_wall_ms())
        return cli_say(CLI_USAGE, "case open: --expires %s is in the past: nothing could be searched",
                       o[EXPIRES].value);
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code = CLI_FAILED;
    if (!cameras_of(r, o[CAMERAS].value, &c)) {
        code = CLI_USAGE;
    } else {
        const enum err e = case_open(r, &c);
        if (e == ERR_USAGE)
            code = cli_say(
                CLI_USAGE,
                "case open: no camera is named, a text has control characters, or --criteria \"%s\" holds "
                "an unknown word; see relecture case --help",
                c.criteria);
        else if (e)
            code = cli_say(CLI_FAILED, "case open: %s", err_text(e));
        else if (cli_journal_add(r, "case.open", c.id, c.id, case_json(&c)))
            code = CLI_DONE;
    }
    if (code == CLI_DONE && o[JSON].value)
        cli_print_json(case_json(&c));
    else if (code == CLI_DONE)
        show(&c);
    case_fini(&c);
    register_close(&r);
    return code;
}

static int list(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_case, argc, argv, o, 1, &rest)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct case_file *c;
    unsigned n;
    const enum err e = case_list(r, &c, &n);
    register_close(&r);
    if (e) return cli_say(CLI_FAILED, "case list: %s", err_text(e));
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) {
        if (o[0].value)
            json_array_append_new(all, case_json(&c[i]));
        else
            show(&c[i]);
        case_fini(&c[i]);
    }
    if (o[0].value)
        cli_print_json(all);
    else
        json_decref(all);
    free(c);
    return CLI_DONE;
}

static int close_case(struct cli *cli, int argc, char **argv) {
    int rest;
    if (!cli_options(&cli_case, argc, argv, NULL, 0, &rest)) return CLI_USAGE;
    if (rest != 2) return cli_say(CLI_USAGE, "case close: name one case");
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code = CLI_DONE;
    const enum err e = case_close(r, argv[1], cli_user());
    if (e)
        code = cli_say(CLI_FAILED, "case close: %s",
                       e == ERR_MISSING ? "there is no such open case" : err_text(e));
    else if (!cli_journal_add(r, "case.close", argv[1], argv[1], json_object()))
        code = CLI_FAILED;
    else
        printf("Case %s is closed.\n", argv[1]);
    register_close(&r);
    return code;
}

static int show_holds(struct register_db *r) {
    struct hold *h;
    unsigned n;
    const enum err e = hold_list(r, &h, &n);
    if (e) return cli_say(CLI_FAILED, "case hold: %s", err_text(e));
    for (unsigned i = 0; i < n; i++) {
        char from[25], until[25];
        clock_format(h[i].from_ms, from);
        clock_format(h[i].until_ms, until);
        printf("%s  %s to %s%s  %s: %s\n", h[i].case_id, from, until, h[i].released_ms ? ", released" : "",
               h[i].user, h[i].reason);
    }
    free(h);
    return CLI_DONE;
}

/* Erasure waits until --until, or no longer (--release). */
static int hold(struct cli *cli, int argc, char **argv) {
    enum { UNTIL, REASON, RELEASE, N };
    struct cli_option o[N] = {[UNTIL] = {.name = "until"},
                              [REASON] = {.name = "reason"},
                              [RELEASE] = {.name = "release", .flag = true}};
    int rest;
    int64_t until_ms = 0;
    if (!cli_options(&cli_case, argc, argv, o, N, &rest)) return CLI_USAGE;
    const bool set = o[UNTIL].value || o[REASON].value, release = o[RELEASE].value != NULL;
    if (rest != (set || release ? 2 : 1) || (set && release))
        return cli_say(CLI_USAGE,
                       "case hold: name one case and either --until TIME --reason TEXT or --release; "
                       "alone it lists the holds");
    if (set && (!o[UNTIL].value || !o[REASON].value))
        return cli_say(CLI_USAGE, "case hold: a hold needs --until, because it always ends, and --reason");
    if (set && !cli_time("until", o[UNTIL].value, &until_ms)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code;
    if (rest == 1) {
        code = show_holds(r);
    } else {
        const char *id = argv[1];
        const enum err e =
            set ? hold_set(r, id, until_ms, o[REASON].value, cli_user()) : hold_release(r, id, cli_user());
        code = CLI_DONE;
        if (e == ERR_USAGE)
            code = cli_say(CLI_USAGE,
                           "case hold: --until must be in the future and within three years of the case's "
                           "opening, --reason a text of one line (255 bytes at most)");
        else if (e)
            code = cli_say(CLI_FAILED, "case hold: %s: %s", id,
                           e == ERR_MISSING ? (set ? "there is no such case" : "it is not on hold")
                                            : err_text(e));
        else if (!cli_journal_add(
                     r, set ? "case.hold" : "case.release", id, id,
                     set ? json_pack("{s:I,s:s}", "until_ms", (json_int_t)until_ms, "reason", o[REASON].value)
                         : json_object()))
            code = CLI_FAILED;
        else if (set)
            printf("Case %s is on hold until %s.\n", id, o[UNTIL].value);
        else
            printf("Case %s is on hold no longer.\n", id);
    }
    register_close(&r);
    return code;
}

static int run(struct cli *cli, int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(struct cli *, int, char **);
    } verbs[] = {{"open", open_case}, {"list", list}, {"close", close_case}, {"hold", hold}};
    for (unsigned i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(cli, argc - 1, argv + 1);
    const bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
    cli_usage(help ? stdout : stderr, &cli_case);
    return help ? CLI_DONE : CLI_USAGE;
}

const struct cli_command cli_case = {
    .name = "case",
    .summary = "open, list, hold and close cases",
    .help =
        "case open --requisition NO --authority WHO --basis LAW --from TIME --to TIME\n"
        "                 --cameras ID,ID...|all --criteria all|KEY,KEY... [--offence TEXT] [--expires TIME] "
        "[--json]\n"
        "       relecture -d DIR case list [--json]\n"
        "       relecture -d DIR case close CASE\n"
        "       relecture -d DIR case hold [CASE --until TIME --reason TEXT | CASE --release]\n"
        "  hold: what was imported for the case, or lies within it, is not erased until then (three years at "
        "most).\n"
        "  A case is the lock: nothing can be searched outside its cameras, period and criteria.\n"
        "  TIME: 2026-11-20T14:00:00Z or 2026-11-20T15:00:00+01:00.\n"
        "  Criteria: vehicle.type vehicle.color vehicle.make_model vehicle.extra person.tops person.bottoms\n"
        "  person.shoes person.headwear person.bag person.accessory motion.area; \"all\" never includes\n"
        "  vehicle.plate, vehicle.similar and person.face_cover, which are named one by one.\n",
    .needs_dir = true,
    .run = run,
};
