/* SPDX-License-Identifier: Apache-2.0 */
#include "host/cli/cli_import_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "host/base/clock.h"

static bool in_case(const struct case_file *c, const struct camera *camera) {
    for (unsigned i = 0; camera && i < c->n_cameras; i++)
        if (c->cameras[i] == camera->number) return true;
    return false;
}

bool cli_import_can(const struct case_file *c, const struct batch_file *f) {
    return !*f->problem && f->start_ms >= 0 && in_case(c, f->camera) && !f->twin;
}

static const char *why_not(const struct case_file *c, const struct batch_file *f) {
    if (*f->problem) return f->problem;
    if (f->twin) return "the same as another file of this batch";
    if (!f->camera) return "nothing says which camera; give --camera, or rename it";
    if (!in_case(c, f->camera)) return "its camera is not one of the case";
    if (f->start_ms < 0) return "nothing says when; give --start, or a sidecar file";
    return "";
}

static void print_file(const struct cli_plan *p, const struct batch_file *f) {
    char when[25] = "?";
    if (f->start_ms >= 0) clock_format(f->start_ms, when);
    const char *why = why_not(p->c, f);
    printf("%-12s %-9s %-24s %-9s %8.1f min  %s%s%s%s%s\n", f->camera ? f->camera->id : "?",
           f->camera ? batch_from_name(f->camera_from) : "", when,
           f->start_ms >= 0 ? batch_from_name(f->start_from) : "", (double)f->duration_us / 6e7, f->path,
           strcmp(f->doubt, "dst") == 0       ? "  [that hour exists twice that night: the first is taken]"
           : strcmp(f->doubt, "growing") == 0 ? "  [perhaps still being written]"
                                              : "",
           *why ? "  [not imported: " : "", why, *why ? "]" : "");
}

static void print_spans(const json_t *spans, const char *what) {
    size_t i;
    json_t *s;
    json_array_foreach(spans, i, s) {
        char from[25], to[25];
        clock_format(json_integer_value(json_object_get(s, "from_ms")), from);
        clock_format(json_integer_value(json_object_get(s, "to_ms")), to);
        printf("%s: %s from %s to %s\n", what, json_string_value(json_object_get(s, "camera_id")), from, to);
    }
}

static void on_done(struct batch *b, void *arg) {
    (void)b;
    event_base_loopbreak(arg);
}

int cli_import_look(const struct cli_plan *p, struct event_base *base, bool json, bool quiet,
                    struct batch **out) {
    const struct config *cfg = &p->cli->config;
    const struct batch_config bc = {.decode_exe = cfg->decode_exe,
                                    .dir = p->cli->dir,
                                    .zone = cfg->tz,
                                    .cameras = p->cameras,
                                    .n_cameras = p->n_cameras,
                                    .camera = p->camera,
                                    .start_ms = p->start_ms};
    enum err e = batch_new(base, &bc, out);
    if (e) return cli_say(CLI_FAILED, "import: the time zone %s: %s", cfg->tz, err_text(e));
    for (unsigned i = 0; i < p->n_paths; i++) {
        e = batch_add(*out, p->paths[i]);
        if (e)
            return cli_say(CLI_FAILED, "import: %s: %s", p->paths[i],
                           e == ERR_FULL ? "more than 50,000 files; name fewer at once" : err_text(e));
    }
    e = batch_look(*out, on_done, base);
    if (e) return cli_say(CLI_FAILED, "import: %s", err_text(e));
    event_base_dispatch(base);
    unsigned n, n_good = 0;
    const struct batch_file *f = batch_files(*out, &n);
    if (n == 0)
        return cli_say(CLI_FAILED,
                       "import: no recording lies in what was named (%s%s); see import --help for names",
                       p->paths[0], p->n_paths > 1 ? ", ..." : "");
    for (unsigned i = 0; i < n; i++) n_good += cli_import_can(p->c, &f[i]);
    json_t *plan = batch_json(*out, "");
    if (json) {
        cli_print_json(json_incref(plan));
    } else if (!quiet) {
        for (unsigned i = 0; i < n; i++) print_file(p, &f[i]);
        print_spans(json_object_get(plan, "gaps"), "gap");
        print_spans(json_object_get(plan, "overlaps"), "overlap");
        printf("%u of %u files can be imported, %.2f h in all; %" PRIu64 " MB free, at most %" PRIu64
               " MB needed.\n",
               n_good, n, (double)json_integer_value(json_object_get(plan, "duration_ms")) / 3.6e6,
               batch_free_bytes(*out) >> 20, batch_need_bytes(*out) >> 20);
    }
    json_decref(plan);
    return n_good == n ? CLI_DONE : CLI_PARTLY;
}
