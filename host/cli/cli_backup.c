/* SPDX-License-Identifier: Apache-2.0 */
/* cli_backup.c - `relecture backup` and `relecture restore`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/backup/backup.h"
#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/cli/cli.h"

struct shown {
    uint64_t started_ns;
    int last_percent;
};

/* A line on a terminal, about once per percent; nothing into a file. */
static bool show(uint64_t done, uint64_t total, void *arg) {
    struct shown *s = arg;
    const int percent = total ? (int)(done * 100 / total) : 100;
    if (percent == s->last_percent || !isatty(STDERR_FILENO)) return true;
    s->last_percent = percent;
    const double gone_s = (double)(clock_mono_ns() - s->started_ns) / 1e9;
    fprintf(stderr, "\r%3d %%, about %.0f s left ", percent,
            percent ? gone_s * (100 - percent) / percent : 0);
    if (percent == 100) fputc('\n', stderr);
    return true;
}

static json_t *report_json(const char *path, const struct backup_report *r) {
    json_t *j = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "path", path, "files", (json_int_t)r->n_files, "bytes",
                          (json_int_t)r->n_bytes, "passages", (json_int_t)r->n_passages, "journal_lines",
                          (json_int_t)r->n_journal, "made_ms", (json_int_t)r->made_ms);
    json_object_set_new(j, "delete_by_ms",
                        r->delete_by_ms == INT64_MAX ? json_null() : json_integer(r->delete_by_ms));
    return j;
}

static int failed(const char *command, const char *path, enum err e, const struct backup_report *r) {
    if (e == ERR_EXISTS)
        return cli_say(CLI_FAILED, "%s: %s is there already; nothing is changed", command, path);
    return cli_say(CLI_FAILED, "%s: %s: %s%s%s", command, path, err_text(e), *r->why ? ": " : "", r->why);
}

static void say_term(const struct backup_report *r) {
    char by[25];
    if (r->delete_by_ms == INT64_MAX) return;
    clock_format(r->delete_by_ms, by);
    printf(
        "It holds what was captured by cameras and must be deleted by %s; a later backup to the same folder "
        "does that.\n",
        by);
}

/* FOLDER/relecture-20261124T133200Z */
static enum err name_of(const char *folder, char out[static FS_PATH_MAX]) {
    char now[25], name[64];
    clock_format(clock_wall_ms(), now);
    snprintf(name, sizeof name, "relecture-%.4s%.2s%.2sT%.2s%.2s%.2sZ", now, now + 5, now + 8, now + 11,
             now + 14, now + 17);
    return fs_join(out, folder, name);
}

static int backup(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    char path[FS_PATH_MAX];
    unsigned n_erased = 0;
    struct backup_report r;
    struct shown shown = {clock_mono_ns(), -1};
    if (!cli_options(&cli_backup, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 2) {
        cli_usage(stderr, &cli_backup);
        return CLI_USAGE;
    }
    enum err e = name_of(argv[1], path);
    if (e) return cli_say(CLI_USAGE, "backup: the folder's name is too long");
    struct register_db *reg = cli_register(cli);
    if (!reg) return CLI_FAILED;
    struct vocab *v = cli_vocab(cli);
    /* In the journal first, so that the copy says of itself that it was made. */
    if (!v || !cli_journal_add(reg, "backup", "", "", json_object())) {
        vocab_free(&v);
        register_close(&reg);
        return CLI_FAILED;
    }
    register_close(&reg);
    e = fs_mkdirs(argv[1], 0700);
    if (!e) e = backup_erase_expired(argv[1], clock_wall_ms(), &n_erased);
    if (e) snprintf(r.why, sizeof r.why, "the folder cannot be used");
    if (!e) e = backup_make(cli->dir, v, cli->config.retention_days, path, show, &shown, &r);
    vocab_free(&v);
    if (e) return failed("backup", path, e, &r);
    if (o[0].value) {
        cli_print_json(report_json(path, &r));
        return CLI_DONE;
    }
    printf("%s: %" PRIu64 " files, %.1f MB, checked: %" PRIu64 " passages, %" PRIu64
           " lines of the journal.\n",
           path, r.n_files, (double)r.n_bytes / 1e6, r.n_passages, r.n_journal);
    if (n_erased) printf("%u earlier backups had reached their term and were deleted.\n", n_erased);
    say_term(&r);
    return CLI_DONE;
}

static int restore(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true}};
    int rest;
    struct backup_report r;
    struct shown shown = {clock_mono_ns(), -1};
    if (!cli_options(&cli_restore, argc, argv, o, 1, &rest)) return CLI_USAGE;
    if (rest != 3) {
        cli_usage(stderr, &cli_restore);
        return CLI_USAGE;
    }
    struct vocab *v = cli_vocab(cli);
    if (!v) return CLI_FAILED;
    const enum err e = backup_restore(argv[1], v, argv[2], show, &shown, &r);
    vocab_free(&v);
    if (e == ERR_MISSING && !*r.why)
        return cli_say(CLI_FAILED, "restore: %s is no backup: it has no %s", argv[1], BACKUP_MANIFEST);
    if (e) return failed("restore", e == ERR_EXISTS ? argv[2] : argv[1], e, &r);
    struct cli there = *cli;
    there.dir = argv[2];
    struct register_db *reg = cli_register(&there);
    const bool written = reg && cli_journal_add(reg, "restore", "", "", report_json("", &r));
    register_close(&reg);
    if (!written) return CLI_FAILED;
    if (o[0].value) {
        cli_print_json(report_json(argv[2], &r));
        return CLI_DONE;
    }
    printf("%s is as it was: %" PRIu64 " passages, %" PRIu64 " lines of the journal, all checked.\n", argv[2],
           r.n_passages, r.n_journal);
    if (r.delete_by_ms <= clock_wall_ms())
        printf("Some of it has reached its term meanwhile: run relecture -d %s purge now.\n", argv[2]);
    return CLI_DONE;
}

const struct cli_command cli_backup = {
    .name = "backup",
    .summary = "copy the data directory while it is in use, and check the copy",
    .help =
        "backup FOLDER [--json]\n"
        "  Makes FOLDER/relecture-TIME with the databases, pictures, settings and keys, and checks it. "
        "Backups\n"
        "  in FOLDER that have reached their term are deleted: a copy dies with the footage it was made "
        "from.\n"
        "  Recordings registered by reference are not copied. Keep FOLDER as safe as the data directory.\n",
    .needs_dir = true,
    .run = backup,
};

const struct cli_command cli_restore = {
    .name = "restore",
    .summary = "make a data directory from a backup",
    .help =
        "restore BACKUP DIR [--json]\n"
        "  Checks every file of BACKUP by its hash, copies it to the new folder DIR and checks that too.\n",
    .needs_dir = false,
    .run = restore,
};
