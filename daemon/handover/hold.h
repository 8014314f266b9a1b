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

typedef struct _ZinitHold ZinitHold;

typedef struct {
  /* The folder is a new one, and locked: what was kept in it is to be written again. */
  void (*made) (gpointer data);
  /* Another daemon was faster, and has adopted the services: this one must not touch them any more. */
  void (*lost) (gpointer data);
} ZinitHoldEvents;

/* The lock is ZINIT_LOCK_FILE of @folder, which is held by @lock_fd: a number that stays the same whatever
 * comes, as that of @folder does. @watch_fd is what zinit_hold_get_watch() gave to the daemon that this one
 * was before (taken over; -1 = none). @folder and @events are borrowed. Transfer full. */
ZinitHold *zinit_hold_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, int lock_fd, int watch_fd,
                           const ZinitHoldEvents *events, gpointer data);
int zinit_hold_get_lock (const ZinitHold *hold);
/* The inotify instance that watches the file; -1 = the kernel gave none. To be kept open by a re-execution:
 * to close one takes the kernel longer than all the rest. */
int zinit_hold_get_watch (const ZinitHold *hold);
/* The lock stays. */
void zinit_hold_free (ZinitHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitHold, zinit_hold_free)

G_END_DECLS
