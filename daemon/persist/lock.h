/* SPDX-License-Identifier: Apache-2.0
 *
 * One daemon a run-time folder: a lock that the kernel lets go when its holder is gone, however it went.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ZINIT_LOCK_TAKEN,      /* ours now */
  ZINIT_LOCK_BUSY,       /* another daemon has it */
  ZINIT_LOCK_UNWRITABLE, /* there is no such file, and the file system takes none: @error says why */
  ZINIT_LOCK_ERROR,      /* @error says why */
} ZinitLockResult;

/* Makes the folder of @path (0755 for root, else 0700) if there is none, and locks the file @path in it.
 * @ret_fd is to be kept open for as long as the lock is to be held (transfer full); -1 unless taken. */
ZinitLockResult zinit_lock_take (const char *path, int *ret_fd, GError **error);

G_END_DECLS
