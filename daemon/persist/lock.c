/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of the run-time folder, by flock(2): it belongs to the open file, so it outlives an execve(2) that
 * keeps the descriptor, and ends with the last process that has it.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

#define PATIENCE_USEC (500 * 1000)

/* A child that a daemon was about to start when it was killed has the lock until its exec. */
static gboolean
try_for_a_moment (int fd)
{
  gint64 deadline_usec = g_get_monotonic_time () + PATIENCE_USEC;

  while (flock (fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK || g_get_monotonic_time () > deadline_usec)
      return FALSE;
    g_usleep (PATIENCE_USEC / 50);
  }
  return TRUE;
}

/* A file that was given to another user may still be the lock of a running daemon, which makes a new one in
 * a moment. */
static gboolean
is_locked (ZinitRuntimeFolder *folder, const char *name)
{
  int fd = openat (zinit_runtime_folder_get_fd (folder), name,
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  gboolean is_locked = fd >= 0 && !try_for_a_moment (fd) && errno == EWOULDBLOCK;

  if (fd >= 0)
    close (fd);
  return is_locked;
}

/* Nothing is written to it: where an earlier daemon has left one, a full or read-only disk does not matter.
 * -1 with errno, which is EWOULDBLOCK for one that is another daemon's. */
static int
open_lock (ZinitRuntimeFolder *folder, const char *name, GError **error)
{
  g_autoptr (GError) refused = NULL;
  int fd = zinit_runtime_folder_open_file (folder, name, O_RDONLY | O_CREAT, &refused);
  int reason = errno;

  if (fd < 0 && zinit_file_is_obstacle (reason)) {
    if (!is_locked (folder, name)) {
      g_warning ("the lock is made anew: %s", refused->message);
      zinit_runtime_folder_put_aside (folder, name);
      return zinit_runtime_folder_open_file (folder, name, O_RDONLY | O_CREAT, error);
    }
    reason = EWOULDBLOCK;
  } else if (fd < 0) {
    g_propagate_error (error, g_steal_pointer (&refused));
  }
  errno = reason;
  return fd;
}

static gboolean
is_unwritable (int reason)
{
  return reason == EROFS || reason == ENOSPC || reason == EDQUOT;
}

ZinitLockResult
zinit_lock_take (ZinitRuntimeFolder *folder, const char *name, int *ret_fd, GError **error)
{
  g_autoptr (ZinitRuntimeFolder) there = zinit_runtime_folder_new (zinit_runtime_folder_get_path (folder));
  gboolean is_missing;
  int fd;

  *ret_fd = -1;
  if (!zinit_runtime_folder_open (there, &is_missing, error))
    return is_missing ? ZINIT_LOCK_UNWRITABLE : ZINIT_LOCK_ERROR;
  fd = open_lock (there, name, error);
  if (fd < 0 && errno == EWOULDBLOCK)
    return ZINIT_LOCK_BUSY;
  if (fd < 0)
    return is_unwritable (errno) ? ZINIT_LOCK_UNWRITABLE : ZINIT_LOCK_ERROR;
  if (!try_for_a_moment (fd)) {
    int reason = errno;

    close (fd);
    if (reason == EWOULDBLOCK)
      return ZINIT_LOCK_BUSY;
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s/%s: cannot be locked: %s",
                 zinit_runtime_folder_get_path (there), name, g_strerror (reason));
    return ZINIT_LOCK_ERROR;
  }
  /* A user who may read it could take the lock while no daemon runs. */
  fchmod (fd, 0600);
  zinit_runtime_folder_become (folder, there);
  *ret_fd = fd;
  return ZINIT_LOCK_TAKEN;
}
