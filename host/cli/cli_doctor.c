/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "host/base/clock.h"
#include "host/cli/cli.h"
#include "host/doctor/doctor.h"

static const char *const STATES[] = {[DOCTOR_WELL] = "well", [DOCTOR_WATCH] = "watch", [DOCTOR_ILL] = "ill"};

static void examine(const struct doctor *d, const struct doctor_check *checks, unsigned n, json_t *out,
                    unsigned counts[3]) {
    for (unsigned i = 0; i < n; i++) {
        struct doctor_finding f = {0};
        checks[i].look(d, &f);
        counts[f.state]++;
        if (out) {
            json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s}", "check", checks[i].name, "state",
                                                 STATES[f.state], "found", f.text, "mend", f.mend));
            continue;
        }
        printf("%-5s  %-10s %s\n", STATES[f.state], checks[i].name, f.text);
        if (*f.mend) printf("%-5s  %-10s -> %s\n", "", "", f.mend);
    }
}

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    unsigned counts[3] = {0};
    if (!cli_options(&cli_doctor, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 1) {
        cli_usage(stderr, &cli_doctor);
        return CLI_USAGE;
    }
    const struct doctor d = {&cli->config, cli->dir, clock_wall_ms()};
    json_t *out = o[0].value ? json_array() : NULL;
    examine(&d, doctor_machine, doctor_n_machine, out, counts);
    if (cli->dir) examine(&d, doctor_data, doctor_n_data, out, counts);
    if (out)
        cli_print_json(json_pack("{s:b,s:o}", "ok", counts[DOCTOR_ILL] == 0, "checks", out));
    else
        printf("%u well, %u to watch, %u ill%s\n", counts[DOCTOR_WELL], counts[DOCTOR_WATCH],
               counts[DOCTOR_ILL], cli->dir ? "" : " (without -d DIR: the machine alone)");
    return counts[DOCTOR_ILL] ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .summary = "check this installation and say what to mend",
    .help = "doctor [--json]\n"
            "  Looks at programs, libraries, sandbox, card and, with -d DIR, at the data directory. Changes "
            "nothing.\n"
            "  Exit: 0 nothing is ill, 1 something is.\n",
    .needs_dir = false,
    .run = run,
};
