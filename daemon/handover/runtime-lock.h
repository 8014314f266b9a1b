/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's hold on its run-time folder while it runs. When the folder is removed or renamed, and the
 * lock with it, both are made again, before another daemon can take it for unused. Other files of it are
 * made again by their owners.
 */
#pragma once

#include "loop/loop.h"
#include "persist/runtime-folder.h"

G_BEGIN_DECLS

typedef struct _ZinitHold ZinitRuntimeLock;

typedef struct {
  /* The folder is a new one, and locked: what was kept in it is to be written again. */
  void (*made) (gpointer data);
  /* Another daemon was faster, and has adopted the services: this one must not touch them any more. */
  void (*lost) (gpointer data);
} ZinitRuntimeLockEvents;

/* The lock is ZINIT_LOCK_FILE of @folder, which is held by @lock_fd: a number that stays the same whatever
 * comes, as that of @folder does. @watch_fd is what zinit_runtime_lock_get_watch() gave to the daemon that
 * this one was before (taken over; -1 = none). @folder and @events are borrowed. Transfer full. */
ZinitRuntimeLock *zinit_runtime_lock_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, int lock_fd,
                                          int watch_fd, const ZinitRuntimeLockEvents *events, gpointer data);
int zinit_runtime_lock_get_lock (const ZinitRuntimeLock *lock);
/* The inotify instance that watches the file; -1 = the kernel gave none. To be kept open by a re-execution:
 * to close one takes the kernel longer than all the rest. */
int zinit_runtime_lock_get_watch (const ZinitRuntimeLock *lock);
/* The lock stays. */
void zinit_runtime_lock_free (ZinitRuntimeLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRuntimeLock, zinit_runtime_lock_free)

G_END_DECLS
