/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/app.h"
#include "host/base/clock.h"
#include "host/base/utf8.h"
#include "host/cli/cli.h"
#include "host/cli/cli_import_plan.h"
#include "host/import/control.h"
#include "host/import/item.h"

enum { PROGRESS_TTY_MS = 200, PROGRESS_LOG_MS = 5000 };

struct entry {
    const char *path;
    uint16_t camera_number;
    int64_t start_ms, clock_offset_ms; /* as struct import_request */
};

/* One batch on its way, however it is done. */
struct work {
    struct cli *cli;
    const char *case_id;
    long priority;
    struct entry *files;
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

static void clear_line(const struct work *w) {
    if (w->tty) fputs("\r\033[K", stderr);
}

static void show_progress(struct work *w, const struct import_item *i) {
    const uint64_t now = clock_mono_ns();
    const uint64_t every = (uint64_t)(w->tty ? PROGRESS_TTY_MS : PROGRESS_LOG_MS) * 1000000u;
    if (w->json || (i->state == IMPORT_RUNNING && now - w->shown_ns < every)) return;
    if (i->state != IMPORT_RUNNING && !w->tty) return;
    w->shown_ns = now;
    clear_line(w);
    fprintf(stderr, "[%u/%u] %s: %s", w->n_over + 1, w->n_files, base_name(i->file),
            import_state_name(i->state));
    if (i->state == IMPORT_RUNNING) {
        char left[32] = "?";
        if (i->eta_ms >= 0) duration_text((double)i->eta_ms / 1e3, left);
        const double done = (double)i->position_us, all = (double)i->duration_us;
        fprintf(stderr, " %3.0f %%, %.3f of %.3f h, %.1f x real time, %s left, %" PRIu64 " passages",
                all > 0 ? 100 * done / all : 0.0, done / 3.6e9, all / 3.6e9, i->x_realtime, left,
                i->n_sightings);
    }
    fputc(w->tty ? '\r' : '\n', stderr);
}

static void on_item(const struct import_item *i, void *arg) {
    struct work *w = arg;
    if (!import_item_is_over(i)) {
        show_progress(w, i);
        return;
    }
    w->n_over++;
    if (i->state == IMPORT_FAILED || i->state == IMPORT_CANCELLED) w->n_failed++;
    if (i->state == IMPORT_SKIPPED) w->n_skipped++;
    clear_line(w);
    if (w->json) {
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
    struct work *w = arg;
    event_base_loopbreak(w->base);
}

static void on_signal(evutil_socket_t sig, short what, void *arg) {
    (void)sig, (void)what;
    struct work *w = arg;
    w->interrupted = true;
    event_base_loopbreak(w->base);
}

/* What it cost, as one JSON line: CPU and wall microseconds, peaks in KiB (make bench reads it). */
static void print_stats(const struct work *w) {
    struct import_costs c;
    struct rusage self;
    importer_costs(w->im, &c);
    getrusage(RUSAGE_SELF, &self);
    json_t *line = json_pack(
        "{s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}}", "stats", "footage_us",
        (json_int_t)c.footage_us, "closed_us", (json_int_t)c.closed_us, "sample", (json_int_t)c.n_sample,
        "sample_found", (json_int_t)c.n_found, "frames", (json_int_t)c.n_frames, "decode_cpu_us",
        (json_int_t)c.decode_cpu_us, "card_cpu_us", (json_int_t)c.card_cpu_us, "host_cpu_us",
        (json_int_t)c.host_cpu_us, "kernel_wall_us", (json_int_t)c.kernel_us, "net_wall_us",
        (json_int_t)c.dpu_us, "look_wall_us", (json_int_t)c.look_us, "decode_peak_kib", (json_int_t)c.decode_peak_kib, "card_peak_kib",
        (json_int_t)c.card_peak_kib, "host_peak_kib", (json_int_t)self.ru_maxrss);
    if (!line) return;
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static enum err add_files(struct work *w) {
    enum err e = OK;
    const uint64_t batch = importer_new_batch(w->im);
    for (unsigned i = 0; i < w->n_files && !e; i++) {
        const struct import_request rq = {.file = w->files[i].path,
                                          .case_id = w->case_id,
                                          .camera_number = w->files[i].camera_number,
                                          .start_ms = w->files[i].start_ms,
                                          .clock_offset_ms = w->files[i].clock_offset_ms,
                                          .priority = (int)w->priority,
                                          .ungated = w->ungated,
                                          .batch = batch};
        e = importer_add(w->im, &rq, NULL);
    }
    return e;
}

/* In this process, under the data directory's lock. ERR_BUSY: a server has it. */
static enum err import_here(struct work *w) {
    struct vocab *vocab = cli_vocab(w->cli);
    if (!vocab) return ERR_MISSING;
    struct app_models models;
    struct importer_config cfg;
    app_importer_config(&w->cli->config, w->cli->dir, vocab, &models, &cfg);
    struct event *signals[2] = {NULL, NULL};
    static const int which[] = {SIGINT, SIGTERM};
    enum err e = ERR_NOMEM;
    w->base = event_base_new();
    if (w->base) e = importer_new(w->base, &cfg, on_item, on_idle, w, &w->im);
    if (e && e != ERR_BUSY)
        cli_say(0, "import: the index of %s, the detector %s or a network of \"looks\" cannot be used; see the line above",
                w->cli->dir, w->cli->config.detector);
    for (unsigned i = 0; i < 2 && !e; i++) {
        signals[i] = evsignal_new(w->base, which[i], on_signal, w);
        if (!signals[i] || event_add(signals[i], NULL) != 0) e = ERR_NOMEM;
    }
    if (!e) e = add_files(w);
    if (!e) {
        event_base_dispatch(w->base);
        clear_line(w);
        if (*importer_dead_text(w->im)) e = ERR_CARD;
        if (w->interrupted) {
            cli_say(0, "import: stopped; what is done is kept, the same command goes on from there");
            e = ERR_CANCELLED;
        }
    }
    for (unsigned i = 0; i < 2; i++)
        if (signals[i]) event_free(signals[i]);
    if (w->im && w->stats) print_stats(w);
    importer_free(&w->im);
    if (w->base) event_base_free(w->base);
    vocab_free(&vocab);
    return e;
}

static bool on_line(const json_t *line, void *arg) {
    struct work *w = arg;
    struct import_item i;
    const char *error = json_string_value(json_object_get(line, "error"));
    if (import_item_of_json(line, &i)) {
        on_item(&i, w);
        return true;
    }
    cli_say(0, "import: the server answered: %s", error ? error : "something unknown");
    return false;
}

/* By the server that runs on this data directory. */
static enum err import_there(struct work *w) {
    json_t *files = json_array();
    for (unsigned i = 0; i < w->n_files; i++) {
        char full[PATH_MAX]; /* the server stands in another folder */
        const struct entry *f = &w->files[i];
        const char *path = realpath(f->path, full) ? full : f->path;
        if (!utf8_is_valid(path)) { /* cannot be named in JSON; fails here as it would there */
            struct import_item bad = {.state = IMPORT_FAILED, .camera_number = f->camera_number};
            snprintf(bad.file, sizeof bad.file, "%.*s", (int)sizeof bad.file - 1, path);
            snprintf(bad.case_id, sizeof bad.case_id, "%s", w->case_id);
            snprintf(bad.error, sizeof bad.error,
                     "its name is not UTF-8; rename it (each odd byte is shown as ?)");
            utf8_mend(bad.file);
            on_item(&bad, w);
            continue;
        }
        json_array_append_new(files,
                              json_pack("{s:s,s:I,s:i,s:I}", "path", path, "start_ms",
                                        (json_int_t)f->start_ms, "camera_number", (int)f->camera_number,
                                        "clock_offset_ms", (json_int_t)f->clock_offset_ms));
    }
    json_t *rq = json_pack("{s:s,s:s,s:i,s:b,s:o}", "op", "import", "case", w->case_id, "priority",
                           (int)w->priority, "ungated", (int)w->ungated, "files", files);
    if (!rq) return ERR_NOMEM;
    const enum err e =
        json_array_size(json_object_get(rq, "files")) > 0 ? control_ask(w->cli->dir, rq, on_line, w) : OK;
    json_decref(rq);
    clear_line(w);
    return e;
}

static int outcome(const struct work *w, enum err e) {
    if (e == ERR_CARD) return CLI_NO_CARD;
    if (e == ERR_CANCELLED) return CLI_FAILED;
    if (e) return cli_say(CLI_FAILED, "import: %s", err_text(e));
    if (w->n_over < w->n_files)
        return cli_say(
            CLI_FAILED,
            "import: the server ended before every file was done; it goes on with what had begun when it "
            "is started again, the same command brings in the rest");
    if (!w->json && w->n_files > 1)
        printf("%u of %u files are in, %u were there already, %u failed.\n",
               w->n_files - w->n_failed - w->n_skipped, w->n_files, w->n_skipped, w->n_failed);
    if (w->n_failed == 0) return CLI_DONE;
    return w->n_failed < w->n_files ? CLI_PARTLY : CLI_FAILED;
}

static int import_all(struct work *w, struct register_db *r, const char *camera) {
    json_t *detail = json_pack("{s:s,s:I,s:i}", "camera", camera, "start_ms",
                               (json_int_t)w->files[0].start_ms, "n_files", (int)w->n_files);
    if (!cli_journal_add(r, "import", w->case_id, camera, detail)) return CLI_FAILED;
    enum err e = import_here(w);
    if (e == ERR_BUSY) {
        if (w->stats) cli_say(0, "import: the running server does it, so --stats has nothing to print");
        e = import_there(w);
        if (e == ERR_FULL)
            return cli_say(CLI_FAILED,
                           "import: too many files for one command to the server; name fewer at once");
        if (e == ERR_MISSING)
            return cli_say(
                CLI_FAILED,
                "import: another relecture process writes to %s but does not answer; wait until it ends",
                w->cli->dir);
    }
    return outcome(w, e);
}

static bool is_in(const struct case_file *c, uint16_t camera_number) {
    for (unsigned i = 0; i < c->n_cameras; i++)
        if (c->cameras[i] == camera_number) return true;
    return false;
}

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Camera and start were said: every file is what the command says it is. */
static int import_as_said(struct work *w, struct register_db *r, const struct cli_plan *p) {
    if (!is_in(p->c, p->camera->number))
        return cli_say(CLI_REFUSED, "import: camera %s is not one of case %s", p->camera->id, p->c->id);
    for (unsigned i = 0; i < p->n_paths; i++)
        w->files[i] = (struct entry){p->paths[i], p->camera->number, p->start_ms, p->camera->clock_offset_ms};
    w->n_files = p->n_paths;
    return import_all(w, r, p->camera->id);
}

/* What was found out, as shown by the plan. */
static int import_as_planned(struct work *w, struct register_db *r, const struct cli_plan *p, bool yes) {
    struct event_base *base = event_base_new();
    struct batch *batch = NULL;
    if (!base) return cli_say(CLI_FAILED, "import: out of memory");
    int code = cli_import_look(p, base, w->json && !yes, w->json, &batch);
    if (yes && code != CLI_FAILED) {
        unsigned n;
        const struct batch_file *f = batch_files(batch, &n);
        w->files = calloc(n ? n : 1, sizeof *w->files);
        for (unsigned i = 0; w->files && i < n; i++)
            if (cli_import_can(p->c, &f[i]))
                w->files[w->n_files++] = (struct entry){f[i].path, f[i].camera->number, f[i].start_ms, 0};
        if (batch_free_bytes(batch) < batch_need_bytes(batch))
            code = cli_say(CLI_FAILED,
                           "import: %" PRIu64 " MB are free in %s, at most %" PRIu64
                           " MB may be needed; free some space first",
                           batch_free_bytes(batch) >> 20, w->cli->dir, batch_need_bytes(batch) >> 20);
        else if (w->n_files == 0)
            code = cli_say(CLI_FAILED, "import: none of the %u files can be imported; see above", n);
        else {
            const int done = import_all(w, r, "");
            if (done != CLI_DONE) code = done;
        }
        free(w->files);
        w->files = NULL;
    } else if (!w->json && code != CLI_FAILED) {
        printf("Nothing was imported; add --yes to import these.\n");
    }
    batch_free(&batch);
    event_base_free(base);
    return code;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { CASE, CAMERA, START, PRIORITY, UNGATED, PLAN, YES, JSON, STATS, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [CAMERA] = {.name = "camera"},
                              [START] = {.name = "start"},
                              [PRIORITY] = {.name = "priority"},
                              [UNGATED] = {.name = "ungated", .flag = true},
                              [PLAN] = {.name = "plan", .flag = true},
                              [YES] = {.name = "yes", .flag = true},
                              [JSON] = {.name = "json", .flag = true},
                              [STATS] = {.name = "stats", .flag = true}};
    int rest;
    if (!cli_options(&cli_import, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest < 2) return cli_say(CLI_USAGE, "import: name at least one file; see relecture import --help");
    struct cli_plan p = {.cli = cli, .start_ms = -1, .paths = argv + 1, .n_paths = (unsigned)rest - 1};
    struct work w = {.cli = cli,
                     .case_id = o[CASE].value,
                     .ungated = o[UNGATED].value != NULL,
                     .json = o[JSON].value != NULL,
                     .stats = o[STATS].value != NULL,
                     .tty = isatty(STDERR_FILENO) == 1};
    bool look = o[PLAN].value || o[YES].value;
    for (unsigned i = 0; i < p.n_paths; i++) look |= is_folder(p.paths[i]);
    if (!look && (!o[CAMERA].value || !o[START].value))
        return cli_say(
            CLI_USAGE,
            "import: --camera and --start are needed: without them no passage has a place and time; "
            "--plan shows what the files themselves say of it");
    if (o[PLAN].value && o[YES].value) return cli_say(CLI_USAGE, "import: --plan or --yes, not both");
    if ((o[START].value && !cli_time("start", o[START].value, &p.start_ms)) ||
        (o[PRIORITY].value &&
         !cli_number("priority", o[PRIORITY].value, IMPORT_PRIORITY_MIN, IMPORT_PRIORITY_MAX, &w.priority)))
        return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct case_file c;
    struct camera camera, *all = NULL;
    int code = CLI_USAGE;
    enum err e = camera_list(r, &all, &p.n_cameras);
    if (!e && o[CAMERA].value) e = camera_get(r, o[CAMERA].value, &camera);
    if (e) {
        cli_say(0, "import: camera \"%s\": %s; `relecture camera list` shows them",
                o[CAMERA].value ? o[CAMERA].value : "", err_text(e));
    } else if (cli_case_get(cli, r, w.case_id, &c)) {
        p.c = &c;
        p.cameras = all;
        if (o[CAMERA].value) p.camera = &camera;
        if (look) {
            code = import_as_planned(&w, r, &p, o[YES].value != NULL);
        } else {
            w.files = calloc(p.n_paths, sizeof *w.files);
            code = w.files ? import_as_said(&w, r, &p) : cli_say(CLI_FAILED, "import: out of memory");
            free(w.files);
        }
        case_fini(&c);
    }
    free(all);
    register_close(&r);
    return code;
}

const struct cli_command cli_import = {
    .name = "import",
    .summary = "bring recordings in and index them; goes on where it was stopped",
    .help = "import --case CASE --camera ID --start TIME [options] FILE...\n"
            "       relecture -d DIR import --case CASE --plan|--yes [--camera ID] [--start TIME] [options] "
            "FILE|FOLDER...\n"
            "  TIME is when the camera's clock says that the first frame of each FILE was taken. The "
            "camera's clock\n"
            "  offset is added. The files stay where they are and are never altered. An import that was "
            "stopped or\n"
            "  killed goes on when the same command is given again; a file that is in already is skipped.\n"
            "  --plan   looks at files and folders and shows camera and time of each, from sidecar files "
            "(FILE.json,\n"
            "           FILE.csv, index.csv), names, folders or the container, with gaps and overlaps\n"
            "  --yes    imports them as --plan shows them; --camera and --start then speak of all, of the "
            "first\n"
            "  --priority -9..9  higher goes first (0)\n"
            "  --ungated  look at every moment, also where nothing differs from what the camera usually "
            "shows\n"
            "  --json   one line per finished file     --stats  what it cost, as a JSON line at the end\n"
            "  Exit: 0 all in, 1 failed, 3 some failed, 4 camera outside the case, 5 the card cannot work.\n",
    .needs_dir = true,
    .run = run,
};
