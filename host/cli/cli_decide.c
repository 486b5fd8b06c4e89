/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions and exhibits from the shell: what the page does with a key. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/cli/cli.h"
#include "host/index/index.h"

/* The passage of the case, or a message and false. */
static bool find(const struct cli *cli, const struct case_file *c, const char *text, struct sighting *s) {
    char *end = NULL;
    const uint64_t id = text ? strtoull(text, &end, 10) : 0;
    if (!text || end == text || *end) {
        cli_say(0, "--sighting is the id of a passage, as a search prints it");
        return false;
    }
    struct vocab *v = cli_vocab(cli);
    struct index_reader *reader = NULL;
    struct perimeter p;
    case_perimeter(c, &p);
    enum err e = v ? index_reader_open(cli->dir, v, &reader) : ERR_MISSING;
    if (!e) e = index_sighting_get(reader, &p, id, s);
    if (!e) {
        free(s->thumbnail_jpeg);
        s->thumbnail_jpeg = NULL;
    }
    index_reader_close(&reader);
    vocab_free(&v);
    if (e) cli_say(0, "passage %s: %s", text, e == ERR_MISSING ? "there is none in this case" : err_text(e));
    return !e;
}

static int put_decision(struct register_db *r, const char *case_id, struct decision *d) {
    struct decision now;
    enum err e = register_begin(r);
    if (e) return cli_say(CLI_FAILED, "decide: %s", err_text(e));
    e = decision_get(r, case_id, d->sighting, &now);
    d->version = e ? 0 : now.version;
    if (e == ERR_MISSING) e = OK;
    if (!e) e = decision_put(r, case_id, d);
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, d->sighting);
    if (!e && !cli_journal_add(r, "decide", case_id, id,
                               json_pack("{s:s,s:s,s:i}", "state", d->state, "reason", d->reason, "version",
                                         (int)d->version)))
        e = ERR_IO;
    e = register_end(r, e);
    if (e == ERR_USAGE)
        return cli_say(CLI_USAGE,
                       "decide: --state is confirmed, rejected or undecided; a decision that replaces "
                       "another needs a --reason (500 characters)");
    if (e) return cli_say(CLI_FAILED, "decide: %s", err_text(e));
    printf("Passage %s is %s (version %u).\n", id, d->state, d->version);
    return CLI_DONE;
}

static int decide(struct cli *cli, int argc, char **argv) {
    enum { CASE, SIGHTING, STATE, REASON, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [SIGHTING] = {.name = "sighting"},
                              [STATE] = {.name = "state"},
                              [REASON] = {.name = "reason"}};
    int rest, code = CLI_USAGE;
    if (!cli_options(&cli_decide, argc, argv, o, N, &rest)) return CLI_USAGE;
    struct decision d = {0};
    if (rest != 1 || !o[STATE].value || strlen(o[STATE].value) >= sizeof d.state ||
        (o[REASON].value && strlen(o[REASON].value) >= sizeof d.reason)) {
        cli_usage(stderr, &cli_decide);
        return CLI_USAGE;
    }
    snprintf(d.state, sizeof d.state, "%s", o[STATE].value);
    snprintf(d.reason, sizeof d.reason, "%s", o[REASON].value ? o[REASON].value : "");
    snprintf(d.by, sizeof d.by, "%s", cli_user());
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct case_file c;
    struct sighting *s = calloc(1, sizeof *s);
    if (s && cli_case_get(cli, r, o[CASE].value, &c)) {
        if (find(cli, &c, o[SIGHTING].value, s)) {
            d.sighting = s->id;
            code = put_decision(r, c.id, &d);
        }
        case_fini(&c);
    }
    free(s);
    register_close(&r);
    return code;
}

static int add_exhibit(struct register_db *r, struct exhibit *x) {
    enum err e = register_begin(r);
    if (e) return cli_say(CLI_FAILED, "exhibit: %s", err_text(e));
    e = exhibit_add(r, x);
    char id[24], sighting[24];
    snprintf(id, sizeof id, "%" PRIu64, x->id);
    snprintf(sighting, sizeof sighting, "%" PRIu64, x->sighting);
    if (!e && !cli_journal_add(r, "exhibit.add", x->case_id, id, json_pack("{s:s}", "sighting_id", sighting)))
        e = ERR_IO;
    e = register_end(r, e);
    if (e == ERR_EXISTS) return cli_say(CLI_FAILED, "exhibit: passage %s is kept already", sighting);
    if (e) return cli_say(CLI_FAILED, "exhibit: %s", err_text(e));
    printf("%s\n", id);
    return CLI_DONE;
}

static int list(struct register_db *r, const char *case_id) {
    struct exhibit *x;
    unsigned n;
    const enum err e = exhibit_list(r, case_id, &x, &n);
    if (e) return cli_say(CLI_FAILED, "exhibit: %s", err_text(e));
    for (unsigned i = 0; i < n; i++)
        printf("%" PRIu64 "  passage %" PRIu64 "  -%d s +%d s  %s\n", x[i].id, x[i].sighting,
               x[i].pad_before_s, x[i].pad_after_s, x[i].note);
    free(x);
    return CLI_DONE;
}

static int exhibit(struct cli *cli, int argc, char **argv) {
    enum { CASE, SIGHTING, BEFORE, AFTER, NOTE, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [SIGHTING] = {.name = "sighting"},
                              [BEFORE] = {.name = "before-s"},
                              [AFTER] = {.name = "after-s"},
                              [NOTE] = {.name = "note"}};
    int rest, code = CLI_USAGE;
    long before = 5, after = 3;
    if (!cli_options(&cli_exhibit, argc, argv, o, N, &rest)) return CLI_USAGE;
    const bool adds = rest == 2 && strcmp(argv[1], "add") == 0;
    struct exhibit x = {0};
    if ((!adds && (rest != 2 || strcmp(argv[1], "list") != 0)) ||
        (o[NOTE].value && strlen(o[NOTE].value) >= sizeof x.note)) {
        cli_usage(stderr, &cli_exhibit);
        return CLI_USAGE;
    }
    if ((o[BEFORE].value && !cli_number("before-s", o[BEFORE].value, 0, EXHIBIT_PAD_MAX_S, &before)) ||
        (o[AFTER].value && !cli_number("after-s", o[AFTER].value, 0, EXHIBIT_PAD_MAX_S, &after)))
        return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct case_file c;
    struct sighting *s = calloc(1, sizeof *s);
    if (s && cli_case_get(cli, r, o[CASE].value, &c)) {
        if (!adds) {
            code = list(r, c.id);
        } else if (find(cli, &c, o[SIGHTING].value, s)) {
            x.sighting = s->id;
            x.recording = s->recording_id;
            x.camera = s->camera_number;
            x.from_ms = s->start_ms;
            x.to_ms = s->end_ms;
            x.best_ms = s->best_ms;
            x.pad_before_s = (int)before;
            x.pad_after_s = (int)after;
            snprintf(x.case_id, sizeof x.case_id, "%s", c.id);
            snprintf(x.note, sizeof x.note, "%s", o[NOTE].value ? o[NOTE].value : "");
            snprintf(x.by, sizeof x.by, "%s", cli_user());
            code = add_exhibit(r, &x);
        }
        case_fini(&c);
    }
    free(s);
    register_close(&r);
    return code;
}

const struct cli_command cli_decide = {
    .name = "decide",
    .summary = "confirm or reject a passage of a case",
    .help = "decide --case CASE --sighting ID --state confirmed|rejected|undecided [--reason TEXT]\n"
            "  A decision is superseded by a later one, which then needs a reason; none is ever erased.\n",
    .needs_dir = true,
    .run = decide,
};

const struct cli_command cli_exhibit = {
    .name = "exhibit",
    .summary = "keep a passage for a case",
    .help = "exhibit add --case CASE --sighting ID [--before-s 5] [--after-s 3] [--note TEXT]\n"
            "       relecture -d DIR exhibit list --case CASE\n"
            "  add prints the exhibit's number, which `relecture export ask` takes.\n",
    .needs_dir = true,
    .run = exhibit,
};
