/* SPDX-License-Identifier: Apache-2.0
 *
 * One daemon a run-time folder: its lock, which the kernel releases when its holder ends in whatever way, and
 * the hold on it while the daemon runs. When the folder is removed or renamed, and the lock with it, both are
 * made again, before another daemon can take it for unused. Other files of it are made again by their owners.
 */
#pragma once

#include "loop/loop.h"
#include "persist/runtime-folder.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_LOCK_TAKEN,      /* ours now */
  ZINIT_LOCK_BUSY,       /* another daemon has it */
  ZINIT_LOCK_UNWRITABLE, /* there is no such file, and the file system takes none: @error says why */
  ZINIT_LOCK_ERROR,      /* @error says why */
} ZinitLockResult;

/* Opens the folder at @folder's path anew, whether or not @folder is open, and locks the file @name in it,
 * which is made if it is not there. Anything in its place that is not a file of ours is renamed to
 * NAME.refused. When it is taken, @folder is that folder, and @ret_fd is to be kept open for as long as the
 * lock is to be held (transfer full); else @folder is as it was, and @ret_fd is -1. Waits for a moment where
 * the lock may become free: for a daemon that does not supervise yet. */
ZinitLockResult zinit_runtime_lock_take (ZinitRuntimeFolder *folder, const char *name, int *ret_fd,
                                         GError **error);
/* The same, but ZINIT_LOCK_UNWRITABLE is waited for. @inherited_fd (taken over) is a lock that outlives the
 * execution, which is used as it is once @folder can be opened; -1 = none. */
ZinitLockResult zinit_runtime_lock_claim (ZinitRuntimeFolder *folder, const char *name, int inherited_fd,
                                          int *ret_fd, GError **error);

typedef struct _ZinitRuntimeLock ZinitRuntimeLock;

typedef struct {
  /* The folder is a new one, and locked: what was kept in it is to be written again. */
  void (*made) (gpointer data);
  /* Another daemon was faster, and has adopted the services: this one must not touch them any more. */
  void (*lost) (gpointer data);
} ZinitRuntimeLockEvents;

/* The lock is the file @name of @folder, which is held by @lock_fd: a number that stays the same whatever
 * comes, as that of @folder does. @watch_fd is what zinit_runtime_lock_get_watch() gave to the daemon that
 * this one was before (taken over; -1 = none). @folder and @events are borrowed. Transfer full. */
ZinitRuntimeLock *zinit_runtime_lock_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, const char *name,
                                          int lock_fd, int watch_fd, const ZinitRuntimeLockEvents *events,
                                          gpointer data);
int zinit_runtime_lock_get_lock (const ZinitRuntimeLock *lock);
/* The inotify instance that watches the file; -1 = the kernel gave none. To be kept open by a re-execution:
 * to close one takes the kernel longer than all the rest. */
int zinit_runtime_lock_get_watch (const ZinitRuntimeLock *lock);
/* The daemon is on its way out: from now on it looks 10 times a second in place of being told. The kernel
 * takes some 30 ms to end its telling, and lets no process end before that is done. */
void zinit_runtime_lock_unwatch (ZinitRuntimeLock *lock);
/* The lock stays. */
void zinit_runtime_lock_free (ZinitRuntimeLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRuntimeLock, zinit_runtime_lock_free)

G_END_DECLS
