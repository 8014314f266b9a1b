/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of the run-time folder, by flock(2): it belongs to the open file, so it outlives an execve(2) that
 * keeps the descriptor, and ends with the last process that has it.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

#define PATIENCE_USEC (500 * 1000)
/* For the child of a daemon that is gone: whatever holds it up between fork and exec comes to an end. */
#define CHILD_PATIENCE_USEC (30 * G_USEC_PER_SEC)

/* The process that took the lock of @fd; 0 = not known. proc_locks(5) has lines as
 * "1: FLOCK  ADVISORY  WRITE 708 00:13:17 0 EOF", the number behind the device being the inode's. */
static pid_t
find_taker (int fd)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  struct stat info;

  if (fstat (fd, &info) != 0 || !g_file_get_contents ("/proc/locks", &text, NULL, NULL))
    return 0;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    unsigned int major, minor;
    unsigned long inode;
    int pid;

    if (sscanf (*line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major, &minor, &inode) == 4 &&
        inode == info.st_ino && pid > 1)
      return pid;
  }
  return 0;
}

/* The daemon that took it has been killed, and a child that it was about to start has the lock until its
 * exec. */
static gboolean
is_taker_gone (int fd)
{
  pid_t taker = find_taker (fd);

  return taker != 0 && kill (taker, 0) != 0 && errno == ESRCH;
}

static gboolean
try_for_a_moment (int fd)
{
  gint64 began_usec = g_get_monotonic_time ();

  while (flock (fd, LOCK_EX | LOCK_NB) < 0) {
    gint64 waited_usec = g_get_monotonic_time () - began_usec;

    if (errno != EWOULDBLOCK)
      return FALSE;
    if (waited_usec > PATIENCE_USEC && (waited_usec > CHILD_PATIENCE_USEC || !is_taker_gone (fd))) {
      errno = EWOULDBLOCK;
      return FALSE;
    }
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
      zinit_runtime_folder_rename_aside (folder, name);
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
