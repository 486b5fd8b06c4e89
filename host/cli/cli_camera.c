/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/camera_area.h"
#include "host/cli/cli.h"

static json_t *camera_json(const struct camera *c) {
    return json_pack("{s:i,s:s,s:s,s:f,s:f,s:i,s:i,s:I}", "number", (int)c->number, "id", c->id, "name",
                     c->name, "lat", c->lat, "lon", c->lon, "heading_deg", c->heading_deg, "fov_deg",
                     c->fov_deg, "clock_offset_ms", (json_int_t)c->clock_offset_ms);
}

static bool degrees(const char *option, const char *text, double min, double max, double *out) {
    char *end;
    errno = 0;
    const double v = strtod(text, &end);
    if (!*text || *end || errno || !(v >= min && v <= max)) {
        cli_say(0, "--%s must be a number from %g to %g, not \"%s\"", option, min, max, text);
        return false;
    }
    *out = v;
    return true;
}

static bool text_of(const char *option, const char *value, char *out, size_t cap) {
    if (!value || !*value || strlen(value) >= cap) {
        if (!value || !*value)
            cli_say(0, "camera add: --%s is missing", option);
        else
            cli_say(0, "camera add: --%s is longer than %zu bytes", option, cap - 1);
        return false;
    }
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static int add(struct cli *cli, int argc, char **argv) {
    enum { ID, NAME, LAT, LON, HEADING, FOV, OFFSET, RETENTION, JSON, N };
    struct cli_option o[N] = {[ID] = {.name = "id"},
                              [NAME] = {.name = "name"},
                              [LAT] = {.name = "lat"},
                              [LON] = {.name = "lon"},
                              [HEADING] = {.name = "heading"},
                              [FOV] = {.name = "fov"},
                              [OFFSET] = {.name = "clock-offset-ms"},
                              [RETENTION] = {.name = "retention-days"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_camera, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1) return cli_say(CLI_USAGE, "camera add: unexpected \"%s\"", argv[1]);
    struct camera c = {.heading_deg = -1, .fov_deg = -1};
    long heading = -1, fov = -1, offset = 0, days = 0;
    if (!text_of("id", o[ID].value, c.id, sizeof c.id) ||
        !text_of("name", o[NAME].value, c.name, sizeof c.name) ||
        (o[LAT].value && !degrees("lat", o[LAT].value, -90, 90, &c.lat)) ||
        (o[LON].value && !degrees("lon", o[LON].value, -180, 180, &c.lon)) ||
        (o[HEADING].value && !cli_number("heading", o[HEADING].value, 0, 359, &heading)) ||
        (o[FOV].value && !cli_number("fov", o[FOV].value, 1, 360, &fov)) ||
        (o[OFFSET].value &&
         !cli_number("clock-offset-ms", o[OFFSET].value, -1000000000000L, 1000000000000L, &offset)))
        return CLI_USAGE;
    if (o[RETENTION].value && !cli_number("retention-days", o[RETENTION].value, 1, 30, &days))
        return CLI_USAGE;
    c.retention_days = (int)days;
    c.heading_deg = (int)heading;
    c.fov_deg = (int)fov;
    c.clock_offset_ms = offset;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code = CLI_DONE;
    const enum err e = camera_add(r, &c);
    if (e == ERR_EXISTS)
        code = cli_say(CLI_FAILED, "camera add: there is a camera \"%s\" already", c.id);
    else if (e == ERR_USAGE)
        code = cli_say(
            CLI_USAGE,
            "camera add: an id has letters, digits, - _ . only; a name is UTF-8 without control characters");
    else if (e)
        code = cli_say(CLI_FAILED, "camera add: %s", err_text(e));
    else if (!cli_journal_add(r, "camera.add", "", c.id, camera_json(&c)))
        code = CLI_FAILED;
    else if (o[JSON].value)
        cli_print_json(camera_json(&c));
    else
        printf("Camera %s (%s) is number %d.\n", c.id, c.name, c.number);
    register_close(&r);
    return code;
}

static int list(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_camera, argc, argv, o, 1, &rest)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct camera *c;
    unsigned n;
    const enum err e = camera_list(r, &c, &n);
    register_close(&r);
    if (e) return cli_say(CLI_FAILED, "camera list: %s", err_text(e));
    if (o[0].value) {
        json_t *all = json_array();
        for (unsigned i = 0; i < n; i++) json_array_append_new(all, camera_json(&c[i]));
        cli_print_json(all);
    } else {
        for (unsigned i = 0; i < n; i++) printf("%5d  %-20s %s\n", c[i].number, c[i].id, c[i].name);
        if (n == 0)
            printf("No camera yet; `relecture -d %s camera add --help` says how to add one.\n", cli->dir);
    }
    free(c);
    return CLI_DONE;
}

/* "0.5,0.5 1,0.5 1,1": parts of the picture's width and height. */
static bool corners_of(const char *text, struct camera_area *a) {
    const char *p = text;
    while (p && *p && a->n < CAMERA_AREA_CORNERS_MAX) {
        char *end;
        const double x = strtod(p, &end);
        if (end == p || *end != ',' || !(x >= 0 && x <= 1)) break;
        p = end + 1;
        const double y = strtod(p, &end);
        if (end == p || !(y >= 0 && y <= 1) || (*end && *end != ' ')) break;
        a->x[a->n] = (uint16_t)(x * 65535);
        a->y[a->n++] = (uint16_t)(y * 65535);
        p = *end ? end + 1 : end;
    }
    if (p && !*p && a->n >= 3) return true;
    cli_say(
        0, "camera hide: --points takes 3 to %u corners in parts of the picture, as in \"0.5,0.5 1,0.5 1,1\"",
        CAMERA_AREA_CORNERS_MAX);
    return false;
}

static int hide(struct cli *cli, int argc, char **argv) {
    enum { ID, NAME, POINTS, REMOVE, N };
    struct cli_option o[N] = {[ID] = {.name = "id"},
                              [NAME] = {.name = "name"},
                              [POINTS] = {.name = "points"},
                              [REMOVE] = {.name = "remove", .flag = true}};
    int rest;
    struct camera_area a = {0};
    struct camera c;
    if (!cli_options(&cli_camera, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || !o[ID].value || !o[NAME].value || strlen(o[NAME].value) >= sizeof a.name ||
        (o[POINTS].value != NULL) == (o[REMOVE].value != NULL))
        return cli_say(CLI_USAGE,
                       "camera hide: --id, --name (63 bytes) and either --points or --remove are needed");
    snprintf(a.name, sizeof a.name, "%s", o[NAME].value);
    if (o[POINTS].value && !corners_of(o[POINTS].value, &a)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    enum err e = camera_get(r, o[ID].value, &c);
    if (!e) {
        a.camera_number = c.number;
        e = a.n ? camera_area_set(r, &a) : camera_area_remove(r, a.camera_number, a.name);
    }
    int code = CLI_DONE;
    if (e == ERR_MISSING)
        code = cli_say(CLI_FAILED, "camera hide: there is no such camera, or no such area of it");
    else if (e)
        code = cli_say(CLI_FAILED, "camera hide: %s", err_text(e));
    else if (!cli_journal_add(
                 r, a.n ? "camera.hide" : "camera.show", "", c.id,
                 json_pack("{s:s,s:s}", "name", a.name, "points", o[POINTS].value ? o[POINTS].value : "")))
        code = CLI_FAILED;
    else
        printf("Camera %s: area \"%s\" is %s in masked copies.\n", c.id, a.name, a.n ? "hidden" : "shown");
    register_close(&r);
    return code;
}

/* The clock that a recording shows in its picture, read once by a person, against the true time of that
 * moment. What is imported from now on gets the difference; what is in keeps its times. */
static int set_clock(struct cli *cli, int argc, char **argv) {
    enum { ID, SHOWS, REALLY, JSON, N };
    struct cli_option o[N] = {[ID] = {.name = "id"},
                              [SHOWS] = {.name = "shows"},
                              [REALLY] = {.name = "really"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    int64_t shows_ms, really_ms;
    if (!cli_options(&cli_camera, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || !o[ID].value || !o[SHOWS].value || !o[REALLY].value) {
        cli_usage(stderr, &cli_camera);
        return CLI_USAGE;
    }
    if (!cli_time("shows", o[SHOWS].value, &shows_ms) || !cli_time("really", o[REALLY].value, &really_ms))
        return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    struct camera c;
    enum err e = camera_get(r, o[ID].value, &c);
    if (!e) {
        c.clock_offset_ms = really_ms - shows_ms;
        e = camera_update(r, &c);
    }
    int code = CLI_FAILED;
    if (e)
        cli_say(0, "camera clock: camera \"%s\": %s; `relecture camera list` shows them", o[ID].value,
                err_text(e));
    else if (cli_journal_add(r, "camera.clock", "", c.id, camera_json(&c)))
        code = CLI_DONE;
    register_close(&r);
    if (code != CLI_DONE) return code;
    if (o[JSON].value)
        cli_print_json(camera_json(&c));
    else
        printf("Camera %s: %+.3f s are added to what its recordings claim, from now on.\n", c.id,
               (double)c.clock_offset_ms / 1e3);
    return CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "clock") == 0) return set_clock(cli, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "hide") == 0) return hide(cli, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "add") == 0) return add(cli, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "list") == 0) return list(cli, argc - 1, argv + 1);
    const bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
    cli_usage(help ? stdout : stderr, &cli_camera);
    return help ? CLI_DONE : CLI_USAGE;
}

const struct cli_command cli_camera = {
    .name = "camera",
    .summary = "add and list cameras",
    .help =
        "camera add --id ID --name NAME [--lat N --lon N] [--heading 0..359] [--fov 1..360]\n"
        "                  [--clock-offset-ms N] [--retention-days 1..30] [--json]\n"
        "       relecture -d DIR camera clock --id ID --shows TIME --really TIME [--json]\n"
        "       relecture -d DIR camera list [--json]\n"
        "       relecture -d DIR camera hide --id ID --name NAME (--points \"X,Y X,Y X,Y...\" | --remove)\n"
        "  hide: a part of the picture (a dwelling) that masked copies never show.\n"
        "  The clock offset is added to what the camera's recordings claim.\n",
    .needs_dir = true,
    .run = run,
};
