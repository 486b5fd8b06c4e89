/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int run(struct cli *cli, int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "add") == 0) return add(cli, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "list") == 0) return list(cli, argc - 1, argv + 1);
    const bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
    cli_usage(help ? stdout : stderr, &cli_camera);
    return help ? CLI_DONE : CLI_USAGE;
}

const struct cli_command cli_camera = {
    .name = "camera",
    .summary = "add and list cameras",
    .help = "camera add --id ID --name NAME [--lat N --lon N] [--heading 0..359] [--fov 1..360]\n"
            "                  [--clock-offset-ms N] [--retention-days 1..30] [--json]\n"
            "       relecture -d DIR camera list [--json]\n"
            "  The clock offset is added to what the camera's recordings claim.\n",
    .needs_dir = true,
    .run = run,
};
