/* SPDX-License-Identifier: Apache-2.0 */
/* fault_vfs.h - a SQLite file system that fails on demand: the Nth write, sync or truncate gives SQLITE_FULL
 * or SQLITE_IOERR, and so does every later one until it is disarmed. Registered as the default by
 * fault_vfs_install(). The store's own files are reached by linking with --wrap (fault_write() below). Single
 * thread. */
#ifndef TESTS_SUPPORT_FAULT_VFS_H
#define TESTS_SUPPORT_FAULT_VFS_H

#include <stdbool.h>

enum fault_kind { FAULT_FULL, FAULT_IO };
void fault_vfs_install(void);
/* The nth write from now on fails (1 = the next). */
void fault_arm(enum fault_kind kind, unsigned nth);
/* No more failures; true when one happened since fault_arm(). */
bool fault_disarm(void);
/* Counts one write; true when it must fail. */
bool fault_write(void);
enum fault_kind fault_kind_armed(void);

#endif
