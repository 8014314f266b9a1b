/* SPDX-License-Identifier: Apache-2.0
 *
 * One daemon a run-time folder: a lock that the kernel releases when its holder ends, in whatever way.
 */
#pragma once

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
 * lock is to be held (transfer full); else @folder is as it was, and @ret_fd is -1. */
ZinitLockResult zinit_lock_take (ZinitRuntimeFolder *folder, const char *name, int *ret_fd, GError **error);

G_END_DECLS
