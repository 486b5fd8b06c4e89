/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/vocab.h"
#include "host/case/register.h"
#include "host/case/user.h"
#include "host/doctor/doctor.h"
#include "host/index/index.h"

#define DAY_MS   (24LL * 3600 * 1000)
#define DISK_ILL (1ULL << 30)
#define DISK_LOW (10ULL << 30)

static void directory(const struct doctor *d, struct doctor_finding *f) {
    struct stat st;
    if (stat(d->dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
        doctor_say(f, DOCTOR_ILL, "%.300s: %s", d->dir, strerror(errno));
        doctor_mend(f, "relecture init DIR makes one");
    } else if (st.st_mode & 077) {
        doctor_say(f, DOCTOR_ILL, "others than its owner can look into %.300s", d->dir);
        doctor_mend(f, "chmod 700 %.300s", d->dir);
    } else if (access(d->dir, R_OK | W_OK | X_OK) != 0) {
        doctor_say(f, DOCTOR_ILL, "%.300s belongs to another user (%u)", d->dir, st.st_uid);
        doctor_mend(f, "run as that user: runuser -u USER -- relecture -d %.300s doctor", d->dir);
    } else if (st.st_uid != geteuid()) {
        doctor_say(f, DOCTOR_WATCH,
                   "%.300s belongs to user %u, not to you: what you make in it, the server may not read",
                   d->dir, st.st_uid);
        doctor_mend(f, "run as that user: runuser -u USER -- relecture -d %.300s ...", d->dir);
    } else {
        doctor_well(f, "%.300s is its owner's alone", d->dir);
    }
}

static void disk(const struct doctor *d, struct doctor_finding *f) {
    struct statvfs st;
    if (statvfs(d->dir, &st) != 0) {
        doctor_say(f, DOCTOR_ILL, "%.300s: %s", d->dir, strerror(errno));
        return;
    }
    const uint64_t free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    if (st.f_flag & ST_RDONLY) {
        doctor_say(f, DOCTOR_ILL, "the file system is mounted read-only");
        doctor_mend(f, "see dmesg for why; mount -o remount,rw when it is sound");
    } else if (free_bytes < DISK_LOW) {
        doctor_say(f, free_bytes < DISK_ILL ? DOCTOR_ILL : DOCTOR_WATCH, "%.1f GB are free",
                   (double)free_bytes / 1e9);
        doctor_mend(f, "free some: relecture purge erases what has reached its term");
    } else {
        doctor_well(f, "%.0f GB are free", (double)free_bytes / 1e9);
    }
}

static void register_and_journal(const struct doctor *d, struct doctor_finding *f) {
    struct register_db *r;
    uint64_t n = 0, bad = 0;
    enum err e = register_open(d->dir, false, &r);
    if (e) {
        doctor_say(f, DOCTOR_ILL, "register.db cannot be opened: %s", err_text(e));
        doctor_mend(f, "relecture restore BACKUP NEWDIR, from the last backup");
        return;
    }
    e = journal_verify(r, &n, &bad);
    register_close(&r);
    if (e == ERR_CORRUPT) {
        doctor_say(f, DOCTOR_ILL, "line %" PRIu64 " of the journal was altered", bad);
        doctor_mend(f, "keep the data directory as it is and call the auditor: this is evidence");
    } else if (e) {
        doctor_say(f, DOCTOR_ILL, "the journal cannot be read: %s", err_text(e));
    } else {
        doctor_well(f, "%" PRIu64 " lines, each follows from the one before", n);
    }
}

static void index_opens(const struct doctor *d, struct doctor_finding *f) {
    struct vocab *v = NULL;
    struct index_reader *x = NULL;
    struct recording *recordings = NULL;
    size_t n = 0;
    enum err e = vocab_load(d->config->vocabulary, &v);
    if (e) {
        doctor_say(f, DOCTOR_ILL, "the vocabulary %.300s cannot be read: %s", d->config->vocabulary,
                   err_text(e));
        doctor_mend(f, "install Relecture again, or correct paths.vocabulary");
        return;
    }
    e = index_reader_open(d->dir, v, &x);
    if (!e) e = index_recordings(x, NULL, &recordings, &n);
    unsigned late = 0;
    for (size_t i = 0; i < n; i++)
        late += recordings[i].start_ms + (d->config->retention_days + 1) * DAY_MS < d->now_ms;
    free(recordings);
    index_reader_close(&x);
    vocab_free(&v);
    if (e) {
        doctor_say(f, DOCTOR_ILL, "the index cannot be opened: %s", err_text(e));
        doctor_mend(f,
                    "relecture check-index names the place; relecture restore brings back the last backup");
    } else if (late) {
        doctor_say(f, DOCTOR_WATCH, "%u of %zu recordings are past their term", late, n);
        doctor_mend(f, "relecture purge (cases on hold keep theirs)");
    } else {
        doctor_well(f, "%zu recordings, none past its term; `relecture check-index` looks at every row", n);
    }
}

static void people(const struct doctor *d, struct doctor_finding *f) {
    struct register_db *r = NULL;
    struct user *users = NULL;
    unsigned n = 0, administrators = 0, chiefs = 0, ending = 0;
    enum err e = register_open(d->dir, false, &r);
    if (!e) e = user_list(r, &users, &n);
    for (unsigned i = 0; i < n; i++) {
        const struct user *u = &users[i];
        if (u->disabled || d->now_ms < u->valid_from_ms || d->now_ms >= u->valid_to_ms) continue;
        administrators += u->role == ROLE_ADMINISTRATOR;
        chiefs += u->role == ROLE_CHIEF;
        ending += u->valid_to_ms - d->now_ms < 14 * DAY_MS;
    }
    free(users);
    register_close(&r);
    if (e) {
        doctor_say(f, DOCTOR_ILL, "the accounts cannot be read: %s", err_text(e));
    } else if (!administrators || !chiefs) {
        doctor_say(f, DOCTOR_WATCH, "no %s can log in",
                   administrators ? "chief (chef de salle)" : "administrator");
        doctor_mend(f, "relecture user add; see relecture user --help");
    } else if (ending) {
        doctor_say(f, DOCTOR_WATCH, "%u habilitations end within 14 days", ending);
        doctor_mend(f, "relecture user list shows their dates");
    } else {
        doctor_well(f, "%u accounts, among them %u administrators and %u chiefs in service", n,
                    administrators, chiefs);
    }
}

/* The names of secrets must be readable by nobody else. */
static void keys(const struct doctor *d, struct doctor_finding *f) {
    char folder[FS_PATH_MAX], path[FS_PATH_MAX];
    struct stat st;
    unsigned n = 0;
    if (fs_join(folder, d->dir, "keys")) return;
    DIR *k = opendir(folder);
    if (!k) {
        doctor_say(f, DOCTOR_WATCH, "%.300s is not there: heads of the journal are not signed yet", folder);
        doctor_mend(f, "it is made when the server first starts");
        return;
    }
    for (struct dirent *entry; (entry = readdir(k));) {
        const size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 4, ".key") != 0 || fs_join(path, folder, entry->d_name) ||
            stat(path, &st) != 0)
            continue;
        n++;
        if (!(st.st_mode & 077) || f->state == DOCTOR_ILL) continue;
        doctor_say(f, DOCTOR_ILL, "others can read the secret key %.300s", path);
        doctor_mend(f, "chmod 600 it; when someone else had access to this machine, replace the pair");
    }
    closedir(k);
    if (f->state == DOCTOR_WELL) doctor_well(f, "%u secret keys, readable by their owner alone", n);
}

const struct doctor_check doctor_data[] = {
    {"directory", directory}, {"disk", disk},     {"journal", register_and_journal},
    {"index", index_opens},   {"people", people}, {"keys", keys},
};
const unsigned doctor_n_data = sizeof doctor_data / sizeof doctor_data[0];
