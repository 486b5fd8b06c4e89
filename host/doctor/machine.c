/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/fs.h"
#include "host/base/zone.h"
#include "host/doctor/doctor.h"

static void parts(const struct doctor *d, struct doctor_finding *f) {
    const struct config *c = d->config;
    char detector[FS_PATH_MAX], manifest[FS_PATH_MAX];
    if (fs_join(detector, c->models_dir, c->detector) || fs_join(manifest, detector, "model.json"))
        manifest[0] = 0;
    const struct {
        const char *path, *key;
        int mode;
    } needed[] = {{c->decode_exe, "paths.decode", X_OK},         {c->card_exe, "paths.card", X_OK},
                  {c->vocabulary, "paths.vocabulary", R_OK},     {c->web_dir, "paths.web", R_OK | X_OK},
                  {manifest, "paths.models and detector", R_OK}, {c->xclbin, "card.xclbin", R_OK}};
    enum { N = sizeof needed / sizeof needed[0] };
    for (unsigned i = 0; i < N; i++)
        if (access(needed[i].path, needed[i].mode) != 0) {
            doctor_say(f, DOCTOR_ILL, "%.300s cannot be used", needed[i].path);
            doctor_mend(f, "install Relecture again, or correct %s in relecture.conf", needed[i].key);
            return;
        }
    doctor_well(f, "all %d parts are in their place", N);
}

/* The version of an installed Debian package; "" when there is no dpkg or no such package. */
static void package_version(const char *name, char out[static 128]) {
    char *text, wanted[128];
    size_t n;
    out[0] = 0;
    snprintf(wanted, sizeof wanted, "\nPackage: %s\n", name);
    if (access("/var/lib/dpkg/status", R_OK) != 0 || fs_read("/var/lib/dpkg/status", 256u << 20, &text, &n))
        return;
    const char *at = strstr(text, wanted), *end = at ? strstr(at, "\n\n") : NULL;
    const char *version = at ? strstr(at, "\nVersion: ") : NULL;
    if (version && (!end || version < end)) {
        version += strlen("\nVersion: ");
        snprintf(out, 128, "%.*s", (int)strcspn(version, "\n"), version);
    }
    free(text);
}

/* Debian 12's 2.1.12-stable-8 without a +deb12u is the one before the security update. */
static void libevent(const struct doctor *d, struct doctor_finding *f) {
    char version[128];
    (void)d;
    package_version("libevent-core-2.1-7", version);
    if (event_get_version_number() < 0x02010c00) {
        doctor_say(f, DOCTOR_ILL, "libevent %s is older than 2.1.12", event_get_version());
        doctor_mend(f, "apt install libevent-core-2.1-7");
    } else if (strcmp(version, "2.1.12-stable-8") == 0) {
        doctor_say(f, DOCTOR_WATCH, "libevent %s is without Debian's security update", version);
        doctor_mend(f, "apt update && apt install libevent-core-2.1-7 libevent-extra-2.1-7");
    } else {
        doctor_well(f, "libevent %s", *version ? version : event_get_version());
    }
}

static void sandbox(const struct doctor *d, struct doctor_finding *f) {
    (void)d;
    const unsigned kill = SECCOMP_RET_KILL_PROCESS;
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) != 0) {
        doctor_say(f, DOCTOR_ILL, "this kernel has no seccomp filters: no recording will be read");
        doctor_mend(f, "run a kernel with CONFIG_SECCOMP_FILTER, or allow seccomp(2) in the container");
    } else if (abi < 1) {
        doctor_say(f, DOCTOR_WATCH, "seccomp is there, Landlock is not: one layer less around recordings");
        doctor_mend(f, "boot with lsm=landlock,... (Linux 5.13 or later)");
    } else {
        doctor_well(f, "seccomp and Landlock (version %ld) are there", abi);
    }
}

static void limits(const struct doctor *d, struct doctor_finding *f) {
    struct rlimit files, core;
    (void)d;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || getrlimit(RLIMIT_CORE, &core) != 0) return;
    if (files.rlim_max < 4096) {
        doctor_say(f, DOCTOR_WATCH, "only %llu descriptors may be open", (unsigned long long)files.rlim_max);
        doctor_mend(f, "raise LimitNOFILE of the service to 8192");
    } else if (core.rlim_cur != 0) {
        doctor_say(f, DOCTOR_WATCH,
                   "core dumps are on in this shell: one would hold pictures of recordings");
        doctor_mend(f, "ulimit -c 0 before starting by hand; the systemd unit has LimitCORE=0");
    } else {
        doctor_well(f, "%llu descriptors, no core dumps", (unsigned long long)files.rlim_max);
    }
}

static void zone(const struct doctor *d, struct doctor_finding *f) {
    struct zone *z = NULL;
    const enum err e = zone_open(d->config->tz, &z);
    zone_free(&z);
    if (!e) {
        doctor_well(f, "%s", d->config->tz);
        return;
    }
    doctor_say(f, DOCTOR_ILL, "this machine does not know the time zone \"%.100s\"", d->config->tz);
    doctor_mend(f, "apt install tzdata, or correct site.tz in relecture.conf");
}

static void clock_is_plausible(const struct doctor *d, struct doctor_finding *f) {
    const int64_t built_ms = 1790000000000; /* September 2026: no data of ours is older */
    if (d->now_ms > built_ms) {
        doctor_well(f, "the clock is plausible");
        return;
    }
    doctor_say(f, DOCTOR_ILL, "the clock is set before this program was written");
    doctor_mend(f, "set it, and keep it with systemd-timesyncd or chrony: terms and the journal go by it");
}

/* A program of ours with its last line of output. Returns its exit status, -1 when it could not be run. */
static int run_program(const char *const *argv, char *text, size_t room) {
    int fd[2];
    if (pipe(fd) != 0) return -1;
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], STDOUT_FILENO);
        dup2(fd[1], STDERR_FILENO);
        close(fd[0]);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fd[1]);
    size_t n = 0;
    char piece[512];
    for (ssize_t got; pid > 0 && (got = read(fd[0], piece, sizeof piece)) > 0;)
        for (ssize_t i = 0; i < got; i++) {
            if (piece[i] == '\n' && i + 1 < got)
                n = 0; /* the last line counts */
            else if (piece[i] != '\n' && n + 1 < room)
                text[n++] = piece[i];
        }
    text[n] = 0;
    close(fd[0]);
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void card(const struct doctor *d, struct doctor_finding *f) {
    char exe_dir[FS_PATH_MAX], program[FS_PATH_MAX], text[400] = "";
    if (fs_exe_dir(exe_dir) || fs_join(program, exe_dir, "relecture")) return;
    const char *with_dir[] = {program, "-d", d->dir, "card", "selftest", NULL};
    const char *without[] = {program, "card", "selftest", NULL};
    const int status = run_program(d->dir ? with_dir : without, text, sizeof text);
    if (status == 0) {
        doctor_well(f, "%s", text);
        return;
    }
    doctor_say(f, DOCTOR_ILL, "%s", *text ? text : "the card's selftest cannot be run");
    doctor_mend(f, "see `relecture card list`; card.backend = %s in relecture.conf", d->config->backend);
}

const struct doctor_check doctor_machine[] = {
    {"parts", parts},    {"libevent", libevent},        {"sandbox", sandbox}, {"limits", limits},
    {"time zone", zone}, {"clock", clock_is_plausible}, {"card", card},
};
const unsigned doctor_n_machine = sizeof doctor_machine / sizeof doctor_machine[0];
