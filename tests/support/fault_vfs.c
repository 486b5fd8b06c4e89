/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fault_vfs.h"

#include <sqlite3.h>
#include <string.h>

static struct {
    bool armed, happened;
    enum fault_kind kind;
    unsigned left;
} fault;

void fault_arm(enum fault_kind kind, unsigned nth) {
    fault.armed = true;
    fault.happened = false;
    fault.kind = kind;
    fault.left = nth;
}
bool fault_disarm(void) {
    fault.armed = false;
    return fault.happened;
}
bool fault_write(void) {
    if (!fault.armed) return false;
    if (fault.left > 1) {
        fault.left--;
        return false;
    }
    fault.happened = true;
    return true;
}
enum fault_kind fault_kind_armed(void) {
    return fault.kind;
}

/* ---- the shim: every call goes to the real file
 * ---------------------------------------------------------------------------- */

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this struct */
};
static sqlite3_file *real(sqlite3_file *f) {
    return ((struct file *)f)->real;
}

static int f_close(sqlite3_file *f) {
    return real(f)->pMethods->xClose(real(f));
}
static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), p, n, at);
}
static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    if (fault_write()) return fault.kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real(f)->pMethods->xWrite(real(f), p, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 n) {
    if (fault_write()) return SQLITE_IOERR_TRUNCATE;
    return real(f)->pMethods->xTruncate(real(f), n);
}
static int f_sync(sqlite3_file *f, int flags) {
    if (fault_write()) return SQLITE_IOERR_FSYNC;
    return real(f)->pMethods->xSync(real(f), flags);
}
static int f_size(sqlite3_file *f, sqlite3_int64 *n) {
    return real(f)->pMethods->xFileSize(real(f), n);
}
static int f_lock(sqlite3_file *f, int l) {
    return real(f)->pMethods->xLock(real(f), l);
}
static int f_unlock(sqlite3_file *f, int l) {
    return real(f)->pMethods->xUnlock(real(f), l);
}
static int f_reserved(sqlite3_file *f, int *out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
static int f_control(sqlite3_file *f, int op, void *arg) {
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int f_sector(sqlite3_file *f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
static int f_traits(sqlite3_file *f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void f_shm_barrier(sqlite3_file *f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
static int f_shm_unmap(sqlite3_file *f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}
static int f_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out) {
    return real(f)->pMethods->xFetch(real(f), at, n, out);
}
static int f_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p) {
    return real(f)->pMethods->xUnfetch(real(f), at, p);
}

static const sqlite3_io_methods methods = {
    3,          f_close,       f_read,      f_write,   f_truncate, f_sync,   f_size,
    f_lock,     f_unlock,      f_reserved,  f_control, f_sector,   f_traits, f_shm_map,
    f_shm_lock, f_shm_barrier, f_shm_unmap, f_fetch,   f_unfetch};

static sqlite3_vfs *below;
static sqlite3_vfs shim;

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags) {
    struct file *x = (struct file *)f;
    (void)v;
    x->base.pMethods = NULL;
    x->real = (sqlite3_file *)(x + 1);
    int rc = below->xOpen(below, name, x->real, flags, out_flags);
    if (x->real->pMethods) x->base.pMethods = &methods;
    return rc;
}

void fault_vfs_install(void) {
    if (below) return;
    below = sqlite3_vfs_find(NULL);
    shim = *below;
    shim.zName = "fault";
    shim.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    shim.xOpen = v_open;
    shim.pNext = NULL;
    (void)sqlite3_vfs_register(&shim, 1);
}
