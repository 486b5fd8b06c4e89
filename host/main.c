/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - arguments -> configuration -> the command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/base/log.h"
#include "host/cli/cli.h"
#include "host/cli/version.h"
#include "host/evidence/identity.h"

/* clang-format off: one line each, since commands come from many hands */
static const struct cli_command *const commands[] = {
    &cli_init,
    &cli_camera,
    &cli_case,
    &cli_import,
    &cli_plan,
    &cli_queue,
    &cli_search,
    &cli_serve,
    &cli_journal,
    &cli_check_index,
    &cli_purge,
    &cli_user_command,
    &cli_card,
    &cli_model,
    &cli_backup,
    &cli_restore,
    &cli_doctor,
    &cli_decide,
    &cli_exhibit,
    &cli_export,
    &cli_closing,
    &cli_facts,
    &cli_receipt,
};
/* clang-format on */
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out) {
    fputs("Relecture finds vehicles and persons in recorded video, inside a judicial case.\n\n"
          "usage: relecture [-d DIR] [--set KEY=VALUE]... COMMAND ...\n\n"
          "  -d, --dir DIR      the data directory (made by `relecture init DIR`)\n"
          "  --set KEY=VALUE    overrides a key of DIR/relecture.conf\n"
          "  --log LEVEL        debug, info, warn or error (default: warn, for serve: info)\n"
          "  --help, --help-config, --version\n\nCommands (each has --help):\n",
          out);
    for (unsigned i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nExit: 0 done, 1 failed, 2 wrong use, 3 partly failed, 4 refused by the case or the law, 5 no "
          "card.\n",
          out);
}

static enum err load_config(struct cli *cli, char *const *sets, unsigned n_sets) {
    char path[FS_PATH_MAX], exe_dir[FS_PATH_MAX];
    enum err e = fs_exe_dir(exe_dir);
    if (e) return e;
    config_defaults(&cli->config, exe_dir);
    if (cli->dir) {
        e = fs_join(path, cli->dir, "relecture.conf");
        if (!e) e = config_load(&cli->config, path);
        if (e == ERR_MISSING) e = OK; /* the command says that this is no data directory */
    }
    for (unsigned i = 0; i < n_sets && !e; i++) {
        char *eq = strchr(sets[i], '=');
        if (!eq) {
            cli_say(0, "--set takes key=value, not \"%s\"", sets[i]);
            return ERR_USAGE;
        }
        *eq = 0;
        e = config_set(&cli->config, sets[i], eq + 1, "--set");
    }
    config_finish(&cli->config, exe_dir);
    return e;
}

static bool log_level(const char *text, enum log_level *out) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

int main(int argc, char **argv) {
    enum { SETS_MAX = 32 };
    struct cli cli = {0};
    char *sets[SETS_MAX];
    unsigned n_sets = 0;
    const char *level_text = NULL;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            help(stdout);
            return CLI_DONE;
        }
        if (strcmp(a, "--version") == 0) {
            puts("relecture " RELECTURE_VERSION);
            return CLI_DONE;
        }
        if (strcmp(a, "--help-config") == 0) {
            config_help(stdout);
            return CLI_DONE;
        }
        const bool dir = strcmp(a, "-d") == 0 || strcmp(a, "--dir") == 0, set = strcmp(a, "--set") == 0,
                   level = strcmp(a, "--log") == 0;
        if ((!dir && !set && !level) || i + 1 >= argc || (set && n_sets == SETS_MAX))
            return cli_say(CLI_USAGE, "unknown or incomplete option %s; see relecture --help", a);
        i++;
        if (dir) cli.dir = argv[i];
        if (set) sets[n_sets++] = argv[i];
        if (level) level_text = argv[i];
    }
    if (i >= argc) {
        help(stderr);
        return CLI_USAGE;
    }
    const struct cli_command *command = NULL;
    for (unsigned k = 0; k < N_COMMANDS; k++)
        if (strcmp(commands[k]->name, argv[i]) == 0) command = commands[k];
    if (!command) return cli_say(CLI_USAGE, "there is no command \"%s\"; see relecture --help", argv[i]);
    enum log_level level = command == &cli_serve ? LOG_INFO : LOG_WARN;
    if (level_text && !log_level(level_text, &level))
        return cli_say(CLI_USAGE, "--log is debug, info, warn or error, not \"%s\"", level_text);
    log_init("relecture", level);
    bool wants_help = false;
    for (int k = i + 1; k < argc; k++) wants_help |= strcmp(argv[k], "--help") == 0;
    if (command->needs_dir && !cli.dir && !wants_help)
        return cli_say(CLI_USAGE, "%s needs -d DIR, the data directory", command->name);
    signal(SIGPIPE, SIG_IGN);
    if (load_config(&cli, sets, n_sets)) return CLI_USAGE;
    if (command->needs_dir && cli.dir && !cli_zone_is_known(&cli)) return CLI_USAGE;
    if (command->needs_dir && cli.dir && identity_of_journal(&cli.config, RELECTURE_VERSION))
        return cli_say(CLI_FAILED,
                       "what the journal says of this program and its models cannot be told; the line "
                       "above says why");
    return command->run(&cli, argc - i, argv + i);
}
