/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "host/cli/cli.h"

/* XIR ends the process on a bad file, so what reads models is a program of its own: we become it. */
static int run(struct cli *cli, int argc, char **argv) {
    (void)cli;
    char dir[FS_PATH_MAX], path[FS_PATH_MAX];
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        cli_usage(argc < 2 ? stderr : stdout, &cli_model);
        return argc < 2 ? CLI_USAGE : CLI_DONE;
    }
    if (fs_exe_dir(dir) || fs_join(path, dir, "relecture-model"))
        return cli_say(CLI_FAILED, "model: no program folder");
    argv[0] = path;
    execv(path, argv);
    return cli_say(CLI_FAILED, "model: %s cannot be started", path);
}

const struct cli_command cli_model = {
    .name = "model",
    .summary = "check a model against a card's DPU, compare golden and compiled",
    .help = "model cards\n"
            "       relecture model check MODEL --card NAME\n"
            "       relecture model compare GOLDEN COMPILED\n"
            "  check says for each operation whether that DPU takes it, why not and what would, with "
            "multiply-adds, bytes\n"
            "  and projected frames per second. compare goes operation by operation: names, shapes, fix "
            "points.\n",
    .run = run,
};
