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

static ZinitLockResult
fail (int fd, const char *what, const char *path, GError **error)
{
  int saved_errno = errno;
  gboolean is_unwritable = saved_errno == EROFS || saved_errno == ENOSPC || saved_errno == EDQUOT;

  if (fd >= 0)
    close (fd);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s %s: %s", what, path, g_strerror (saved_errno));
  return is_unwritable ? ZINIT_LOCK_UNWRITABLE : ZINIT_LOCK_ERROR;
}

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

ZinitLockResult
zinit_lock_take (const char *path, int *ret_fd, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd;

  *ret_fd = -1;
  if (g_mkdir_with_parents (folder, geteuid () == 0 ? 0755 : 0700) < 0)
    return fail (-1, "cannot make the folder", folder, error);
  /* Nothing is written to it: where an earlier daemon has left one, a full or read-only disk is no hindrance.
   */
  fd = open (path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail (-1, "cannot open the lock", path, error);
  if (!try_for_a_moment (fd)) {
    if (errno != EWOULDBLOCK)
      return fail (fd, "cannot lock", path, error);
    close (fd);
    return ZINIT_LOCK_BUSY;
  }
  *ret_fd = fd;
  return ZINIT_LOCK_TAKEN;
}
