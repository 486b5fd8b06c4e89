/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/app.h"
#include "host/base/clock.h"
#include "host/base/utf8.h"
#include "host/cli/cli.h"
#include "host/import/control.h"
#include "host/import/item.h"

enum { PROGRESS_TTY_MS = 200, PROGRESS_LOG_MS = 5000 };

/* One batch on its way, however it is done. */
struct batch {
    struct cli *cli;
    const struct camera *camera;
    const char *case_id;
    int64_t start_ms;
    long priority;
    char **files;
    unsigned n_files, n_over, n_failed, n_skipped;
    bool ungated, json, stats, tty, interrupted;
    uint64_t shown_ns;
    struct event_base *base;
    struct importer *im;
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void duration_text(double s, char out[static 32]) {
    if (s < 90)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 5400)
        snprintf(out, 32, "%.0f min", s / 60);
    else
        snprintf(out, 32, "%.1f h", s / 3600);
}

static void clear_line(const struct batch *b) {
    if (b->tty) fputs("\r\033[K", stderr);
}

static void show_progress(struct batch *b, const struct import_item *i) {
    const uint64_t now = clock_mono_ns();
    const uint64_t every = (uint64_t)(b->tty ? PROGRESS_TTY_MS : PROGRESS_LOG_MS) * 1000000u;
    if (b->json || (i->state == IMPORT_RUNNING && now - b->shown_ns < every)) return;
    if (i->state != IMPORT_RUNNING && !b->tty) return;
    b->shown_ns = now;
    clear_line(b);
    fprintf(stderr, "[%u/%u] %s: %s", b->n_over + 1, b->n_files, base_name(i->file),
            import_state_name(i->state));
    if (i->state == IMPORT_RUNNING) {
        char left[32] = "?";
        if (i->eta_ms >= 0) duration_text((double)i->eta_ms / 1e3, left);
        const double done = (double)i->position_us, all = (double)i->duration_us;
        fprintf(stderr, " %3.0f %%, %.3f of %.3f h, %.1f x real time, %s left, %" PRIu64 " passages",
                all > 0 ? 100 * done / all : 0.0, done / 3.6e9, all / 3.6e9, i->x_realtime, left,
                i->n_sightings);
    }
    fputc(b->tty ? '\r' : '\n', stderr);
}

static void on_item(const struct import_item *i, void *arg) {
    struct batch *b = arg;
    if (!import_item_is_over(i)) {
        show_progress(b, i);
        return;
    }
    b->n_over++;
    if (i->state == IMPORT_FAILED || i->state == IMPORT_CANCELLED) b->n_failed++;
    if (i->state == IMPORT_SKIPPED) b->n_skipped++;
    clear_line(b);
    if (b->json) {
        json_t *line = import_item_json(i);
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(line);
    } else if (i->state == IMPORT_DONE) {
        printf("%s: imported, %.3f h, %" PRIu64 " passages, %.1f x real time\n", i->file,
               (double)i->duration_us / 3.6e9, i->n_sightings, i->x_realtime);
    } else {
        fprintf(i->state == IMPORT_FAILED ? stderr : stdout, "%s: %s: %s\n", i->file,
                import_state_name(i->state), i->error);
    }
    fflush(stdout);
}

static void on_idle(void *arg) {
    struct batch *b = arg;
    event_base_loopbreak(b->base);
}

static void on_signal(evutil_socket_t sig, short what, void *arg) {
    (void)sig, (void)what;
    struct batch *b = arg;
    b->interrupted = true;
    event_base_loopbreak(b->base);
}

/* What it cost, as one JSON line: CPU and wall microseconds, peaks in KiB (make bench reads it). */
static void print_stats(const struct batch *b) {
    struct import_costs c;
    struct rusage self;
    importer_costs(b->im, &c);
    getrusage(RUSAGE_SELF, &self);
    json_t *line =
        json_pack("{s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}}", "stats", "footage_us",
                  (json_int_t)c.footage_us, "closed_us", (json_int_t)c.closed_us, "sample",
                  (json_int_t)c.n_sample, "sample_found", (json_int_t)c.n_found, "frames", (json_int_t)c.n_frames, "decode_cpu_us",
                  (json_int_t)c.decode_cpu_us, "card_cpu_us", (json_int_t)c.card_cpu_us, "host_cpu_us",
                  (json_int_t)c.host_cpu_us, "kernel_wall_us", (json_int_t)c.kernel_us, "net_wall_us",
                  (json_int_t)c.dpu_us, "decode_peak_kib", (json_int_t)c.decode_peak_kib, "card_peak_kib",
                  (json_int_t)c.card_peak_kib, "host_peak_kib", (json_int_t)self.ru_maxrss);
    if (!line) return;
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static enum err add_files(struct batch *b) {
    enum err e = OK;
    const uint64_t batch = importer_new_batch(b->im);
    for (unsigned i = 0; i < b->n_files && !e; i++) {
        const struct import_request rq = {.file = b->files[i],
                                          .case_id = b->case_id,
                                          .camera_number = b->camera->number,
                                          .start_ms = b->start_ms,
                                          .clock_offset_ms = b->camera->clock_offset_ms,
                                          .priority = (int)b->priority,
                                          .ungated = b->ungated,
                                          .batch = batch};
        e = importer_add(b->im, &rq, NULL);
    }
    return e;
}

/* In this process, under the data directory's lock. ERR_BUSY: a server has it. */
static enum err import_here(struct batch *b) {
    struct vocab *vocab = cli_vocab(b->cli);
    if (!vocab) return ERR_MISSING;
    struct app_models models;
    struct importer_config cfg;
    app_importer_config(&b->cli->config, b->cli->dir, vocab, &models, &cfg);
    struct event *signals[2] = {NULL, NULL};
    static const int which[] = {SIGINT, SIGTERM};
    enum err e = ERR_NOMEM;
    b->base = event_base_new();
    if (b->base) e = importer_new(b->base, &cfg, on_item, on_idle, b, &b->im);
    if (e && e != ERR_BUSY)
        cli_say(0, "import: the index of %s or the detector %s cannot be used; see the line above",
                b->cli->dir, b->cli->config.detector);
    for (unsigned i = 0; i < 2 && !e; i++) {
        signals[i] = evsignal_new(b->base, which[i], on_signal, b);
        if (!signals[i] || event_add(signals[i], NULL) != 0) e = ERR_NOMEM;
    }
    if (!e) e = add_files(b);
    if (!e) {
        event_base_dispatch(b->base);
        clear_line(b);
        if (*importer_dead_text(b->im)) e = ERR_CARD;
        if (b->interrupted) {
            cli_say(0, "import: stopped; what is done is kept, the same command goes on from there");
            e = ERR_CANCELLED;
        }
    }
    for (unsigned i = 0; i < 2; i++)
        if (signals[i]) event_free(signals[i]);
    if (b->im && b->stats) print_stats(b);
    importer_free(&b->im);
    if (b->base) event_base_free(b->base);
    vocab_free(&vocab);
    return e;
}

static bool on_line(const json_t *line, void *arg) {
    struct batch *b = arg;
    struct import_item i;
    const char *error = json_string_value(json_object_get(line, "error"));
    if (import_item_of_json(line, &i)) {
        on_item(&i, b);
        return true;
    }
    cli_say(0, "import: the server answered: %s", error ? error : "something unknown");
    return false;
}

/* By the server that runs on this data directory. */
static enum err import_there(struct batch *b) {
    json_t *files = json_array();
    for (unsigned i = 0; i < b->n_files; i++) {
        char full[PATH_MAX]; /* the server stands in another folder */
        const char *path = realpath(b->files[i], full) ? full : b->files[i];
        if (!utf8_is_valid(path)) { /* cannot be named in JSON; fails here as it would there */
            struct import_item bad = {.state = IMPORT_FAILED, .camera_number = b->camera->number};
            snprintf(bad.file, sizeof bad.file, "%.*s", (int)sizeof bad.file - 1, path);
            snprintf(bad.case_id, sizeof bad.case_id, "%s", b->case_id);
            snprintf(bad.error, sizeof bad.error,
                     "its name is not UTF-8; rename it (each odd byte is shown as ?)");
            utf8_mend(bad.file);
            on_item(&bad, b);
            continue;
        }
        json_array_append_new(files,
                              json_pack("{s:s,s:I}", "path", path, "start_ms", (json_int_t)b->start_ms));
    }
    json_t *rq = json_pack("{s:s,s:s,s:i,s:b,s:i,s:I,s:o}", "op", "import", "case", b->case_id, "priority",
                           (int)b->priority, "ungated", (int)b->ungated, "camera_number", (int)b->camera->number, "clock_offset_ms",
                           (json_int_t)b->camera->clock_offset_ms, "files", files);
    if (!rq) return ERR_NOMEM;
    const enum err e =
        json_array_size(json_object_get(rq, "files")) > 0 ? control_ask(b->cli->dir, rq, on_line, b) : OK;
    json_decref(rq);
    clear_line(b);
    return e;
}

static int outcome(const struct batch *b, enum err e) {
    if (e == ERR_CARD) return CLI_NO_CARD;
    if (e == ERR_CANCELLED) return CLI_FAILED;
    if (e) return cli_say(CLI_FAILED, "import: %s", err_text(e));
    if (b->n_over < b->n_files)
        return cli_say(
            CLI_FAILED,
            "import: the server ended before every file was done; it goes on with what had begun when it "
            "is started again, the same command brings in the rest");
    if (!b->json && b->n_files > 1)
        printf("%u of %u files are in, %u were there already, %u failed.\n",
               b->n_files - b->n_failed - b->n_skipped, b->n_files, b->n_skipped, b->n_failed);
    if (b->n_failed == 0) return CLI_DONE;
    return b->n_failed < b->n_files ? CLI_PARTLY : CLI_FAILED;
}

static int import_batch(struct batch *b, struct register_db *r) {
    json_t *detail = json_pack("{s:s,s:I,s:i}", "camera", b->camera->id, "start_ms", (json_int_t)b->start_ms,
                               "n_files", (int)b->n_files);
    if (!cli_journal_add(r, "import", b->case_id, b->camera->id, detail)) return CLI_FAILED;
    enum err e = import_here(b);
    if (e == ERR_BUSY) {
        if (b->stats) cli_say(0, "import: the running server does it, so --stats has nothing to print");
        e = import_there(b);
        if (e == ERR_FULL)
            return cli_say(CLI_FAILED,
                           "import: too many files for one command to the server; name fewer at once");
        if (e == ERR_MISSING)
            return cli_say(
                CLI_FAILED,
                "import: another relecture process writes to %s but does not answer; wait until it ends",
                b->cli->dir);
    }
    return outcome(b, e);
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { CASE, CAMERA, START, PRIORITY, UNGATED, JSON, STATS, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [CAMERA] = {.name = "camera"},
                              [START] = {.name = "start"},
                              [PRIORITY] = {.name = "priority"},
                              [UNGATED] = {.name = "ungated", .flag = true},
                              [JSON] = {.name = "json", .flag = true},
                              [STATS] = {.name = "stats", .flag = true}};
    int rest;
    if (!cli_options(&cli_import, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest < 2) return cli_say(CLI_USAGE, "import: name at least one file; see relecture import --help");
    if (!o[CAMERA].value || !o[START].value)
        return cli_say(
            CLI_USAGE,
            "import: --camera and --start are needed: without them no passage has a place and time");
    struct batch b = {.cli = cli,
                      .case_id = o[CASE].value,
                      .files = argv + 1,
                      .n_files = (unsigned)rest - 1,
                      .ungated = o[UNGATED].value != NULL,
                      .json = o[JSON].value != NULL,
                      .stats = o[STATS].value != NULL,
                      .tty = isatty(STDERR_FILENO) == 1};
    if (!cli_time("start", o[START].value, &b.start_ms) ||
        (o[PRIORITY].value &&
         !cli_number("priority", o[PRIORITY].value, IMPORT_PRIORITY_MIN, IMPORT_PRIORITY_MAX, &b.priority)))
        return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct case_file c;
    struct camera camera;
    int code = CLI_USAGE;
    const enum err e = camera_get(r, o[CAMERA].value, &camera);
    if (e) {
        cli_say(0, "import: camera \"%s\": %s; `relecture camera list` shows them", o[CAMERA].value,
                err_text(e));
    } else if (cli_case_get(cli, r, b.case_id, &c)) {
        b.camera = &camera;
        bool inside = false;
        for (unsigned i = 0; i < c.n_cameras; i++) inside |= c.cameras[i] == camera.number;
        code = inside ? import_batch(&b, r)
                      : cli_say(CLI_REFUSED, "import: camera %s is not one of case %s", camera.id, c.id);
        case_fini(&c);
    }
    register_close(&r);
    return code;
}

const struct cli_command cli_import = {
    .name = "import",
    .summary = "bring recordings in and index them; goes on where it was stopped",
    .help = "import --case CASE --camera ID --start TIME [--priority -9..9] [--ungated] [--json] [--stats] FILE...\n"
            "  TIME is when the camera's clock says that the first frame of each FILE was taken. The "
            "camera's clock\n"
            "  offset is added. The files stay where they are and are never altered. An import that was "
            "stopped or\n"
            "  killed goes on when the same command is given again; a file that is in already is skipped.\n"
            "  --ungated  look at every moment, also where nothing differs from what the camera usually shows\n"
            "  --json   one line per finished file     --stats  what it cost, as a JSON line at the end\n"
            "  Exit: 0 all in, 1 failed, 3 some failed, 4 camera outside the case, 5 the card cannot work.\n",
    .needs_dir = true,
    .run = run,
};
