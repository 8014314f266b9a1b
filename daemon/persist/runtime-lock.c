/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock is by flock(2): it belongs to the open file, so it outlives an execve(2) that keeps the
 * descriptor, and ends with the last process that has it. The kernel reports when its file is unlinked, so
 * nothing is polled while services run. That the paths lead to the folder that is open and to the file in it
 * that is locked is the only thing that counts.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/runtime-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

#define PATIENCE_USEC (500 * 1000)
/* For the child of a daemon that is gone: whatever holds it up between fork and exec comes to an end. */
#define CHILD_PATIENCE_USEC (30 * G_USEC_PER_SEC)
#define TRY_USEC (10 * 1000)
#define SETTLE_USEC (100 * 1000) /* time for a removal of the whole folder to finish */
#define RETRY_USEC G_USEC_PER_SEC
#define POLL_USEC (100 * 1000)

struct _ZinitRuntimeLock {
  ZinitLoop *loop;
  ZinitRuntimeFolder *folder;
  char *name; /* of the file */
  char *path; /* the same with the folder */
  int lock_fd;
  const ZinitRuntimeLockEvents *events;
  gpointer data;
  int inotify_fd; /* -1 = the kernel gives none */
  ZinitWatch watch;
  ZinitTimer timer;
  gint64
      waits_since_usec; /* another process has the lock, maybe for a moment only; 0 = none; CLOCK_MONOTONIC */
  int marks[2];         /* what the inotify instance watches: the file and the folder */
  guint n_marks;
  gboolean is_polled;
  gboolean has_failed; /* and said so */
};

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

/* FALSE with errno, which is EAGAIN when the lock may be free in a moment, as is hoped for @waited_usec
 * already, and EBUSY when it is another daemon's. */
static gboolean
try_flock (int fd, gint64 waited_usec)
{
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return FALSE;
  if (waited_usec > PATIENCE_USEC && (waited_usec > CHILD_PATIENCE_USEC || !is_taker_gone (fd)))
    errno = EBUSY;
  else
    errno = EAGAIN;
  return FALSE;
}

/* A file that was given to another user may still be the lock of a running daemon, which makes a new one in
 * a moment. Returns 0 when it is not locked, or as try_flock(). */
static int
try_foreign (ZinitRuntimeFolder *folder, const char *name, gint64 waited_usec)
{
  int fd = openat (zinit_runtime_folder_get_fd (folder), name,
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int reason = fd >= 0 && !try_flock (fd, waited_usec) ? errno : 0;

  if (fd >= 0)
    close (fd);
  return reason == EAGAIN || reason == EBUSY ? reason : 0;
}

/* Nothing is written to it: where an earlier daemon has left one, a full or read-only disk does not matter.
 * -1 with errno: EAGAIN and EBUSY as try_flock(), else @error is set. */
static int
open_lock (ZinitRuntimeFolder *folder, const char *name, gint64 waited_usec, GError **error)
{
  g_autoptr (GError) refused = NULL;
  int fd = zinit_runtime_folder_open_file (folder, name, O_RDONLY | O_CREAT, &refused);
  int reason = errno;

  if (fd < 0 && zinit_file_is_obstacle (reason)) {
    reason = try_foreign (folder, name, waited_usec);
    if (reason == 0) {
      g_warning ("the lock is made anew: %s", refused->message);
      zinit_runtime_folder_rename_aside (folder, name);
      return zinit_runtime_folder_open_file (folder, name, O_RDONLY | O_CREAT, error);
    }
  } else if (fd < 0) {
    /* Not to be taken for the lock of another. */
    reason = reason == EAGAIN || reason == EBUSY ? EIO : reason;
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

/* One try. ZINIT_LOCK_BUSY with errno EAGAIN: to be tried again soon. */
static ZinitLockResult
try_to_take (ZinitRuntimeFolder *folder, const char *name, gint64 waited_usec, int *ret_fd, GError **error)
{
  g_autoptr (ZinitRuntimeFolder) there = zinit_runtime_folder_new (zinit_runtime_folder_get_path (folder));
  gboolean is_missing;
  int fd, reason;

  *ret_fd = -1;
  if (!zinit_runtime_folder_open (there, &is_missing, error))
    return is_missing ? ZINIT_LOCK_UNWRITABLE : ZINIT_LOCK_ERROR;
  fd = open_lock (there, name, waited_usec, error);
  if (fd < 0 && (errno == EAGAIN || errno == EBUSY))
    return ZINIT_LOCK_BUSY;
  if (fd < 0)
    return is_unwritable (errno) ? ZINIT_LOCK_UNWRITABLE : ZINIT_LOCK_ERROR;
  if (try_flock (fd, waited_usec)) {
    /* A user who may read it could take the lock while no daemon runs. */
    fchmod (fd, 0600);
    zinit_runtime_folder_become (folder, there);
    *ret_fd = fd;
    return ZINIT_LOCK_TAKEN;
  }
  reason = errno;
  close (fd);
  errno = reason;
  if (reason == EAGAIN || reason == EBUSY)
    return ZINIT_LOCK_BUSY;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s/%s: cannot be locked: %s",
               zinit_runtime_folder_get_path (there), name, g_strerror (reason));
  return ZINIT_LOCK_ERROR;
}

ZinitLockResult
zinit_runtime_lock_take (ZinitRuntimeFolder *folder, const char *name, int *ret_fd, GError **error)
{
  gint64 began_usec = g_get_monotonic_time ();
  ZinitLockResult result = try_to_take (folder, name, 0, ret_fd, error);

  while (result == ZINIT_LOCK_BUSY && errno == EAGAIN) {
    g_usleep (TRY_USEC);
    result = try_to_take (folder, name, g_get_monotonic_time () - began_usec, ret_fd, error);
  }
  return result;
}

/* A folder that has no lock and takes none has no state of an earlier daemon either; that one may live,
 * though, as when the folder was put over its own. To supervise there without a lock might be to do so twice,
 * so it is waited for; services lose less by that than by an end, after which a service manager soon gives
 * up. */
static ZinitLockResult
wait_for_lock (ZinitRuntimeFolder *folder, const char *name, int *ret_fd, GError **error)
{
  ZinitLockResult result = zinit_runtime_lock_take (folder, name, ret_fd, error);

  if (result == ZINIT_LOCK_UNWRITABLE)
    g_warning ("nothing is supervised before the run-time folder is locked, which is tried again: %s",
               (*error)->message);
  while (result == ZINIT_LOCK_UNWRITABLE) {
    g_clear_error (error);
    g_usleep (RETRY_USEC);
    result = zinit_runtime_lock_take (folder, name, ret_fd, error);
  }
  return result;
}

/* The lock outlives an execution. The folder was checked before that; if it has become unfit meanwhile, this
 * process waits, as it is the only parent that the services have. */
ZinitLockResult
zinit_runtime_lock_claim (ZinitRuntimeFolder *folder, const char *name, int inherited_fd, int *ret_fd,
                          GError **error)
{
  gboolean is_said = FALSE;

  if (inherited_fd < 0)
    return wait_for_lock (folder, name, ret_fd, error);
  while (!zinit_runtime_folder_open (folder, NULL, error)) {
    if (!is_said)
      g_warning ("nothing is supervised before this is corrected, which is checked again: %s",
                 (*error)->message);
    is_said = TRUE;
    g_clear_error (error);
    g_usleep (RETRY_USEC);
  }
  *ret_fd = inherited_fd;
  return ZINIT_LOCK_TAKEN;
}

static gboolean
leads_to_lock (const ZinitRuntimeLock *lock)
{
  struct stat ours, there;

  return fstat (lock->lock_fd, &ours) == 0 && lstat (lock->path, &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* A later daemon takes no other file for the lock. */
static gboolean
is_ours (const ZinitRuntimeLock *lock)
{
  struct stat info;

  return fstat (lock->lock_fd, &info) == 0 && info.st_uid == geteuid () &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static gboolean
is_held (const ZinitRuntimeLock *lock)
{
  return zinit_runtime_folder_is_current (lock->folder) && leads_to_lock (lock) && is_ours (lock);
}

static void on_timer (ZinitTimer *timer);

static void
look_in (ZinitRuntimeLock *lock, gint64 delay_usec)
{
  zinit_loop_arm (lock->loop, &lock->timer, g_get_monotonic_time () + delay_usec, on_timer);
}

static gboolean
mark (ZinitRuntimeLock *lock, const char *path, guint32 events)
{
  int number = lock->inotify_fd >= 0 ? inotify_add_watch (lock->inotify_fd, path, events) : -1;

  if (number < 0)
    return FALSE;
  lock->marks[lock->n_marks++ % G_N_ELEMENTS (lock->marks)] = number;
  return TRUE;
}

/* An unlink is a change of the number of links: IN_ATTRIB. A folder takes its files along without their
 * knowing. */
static void
watch_file (ZinitRuntimeLock *lock)
{
  const char *folder = zinit_runtime_folder_get_path (lock->folder);

  lock->n_marks = 0;
  if (!lock->is_polled && (!mark (lock, lock->path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW) ||
                           !mark (lock, folder, IN_MOVE_SELF | IN_DELETE_SELF)))
    g_warning ("zinitd will not notice when %s is removed: %s", lock->path, g_strerror (errno));
  /* It may have gone before it was watched. */
  if (!is_held (lock) || lock->is_polled)
    look_in (lock, SETTLE_USEC);
}

static void
keep_new_lock (ZinitRuntimeLock *lock, int fd)
{
  /* The hand-over knows the number. */
  dup3 (fd, lock->lock_fd, O_CLOEXEC);
  close (fd);
  g_warning ("%s was removed; the run-time folder is made again", lock->path);
  lock->has_failed = FALSE;
  watch_file (lock);
  lock->events->made (lock->data);
}

/* Who has it now may be the child of a daemon that is gone, which lets go at its exec. */
static void
give_up_or_wait (ZinitRuntimeLock *lock, gboolean may_pass)
{
  if (may_pass) {
    if (lock->waits_since_usec == 0)
      lock->waits_since_usec = g_get_monotonic_time ();
    look_in (lock, TRY_USEC);
    return;
  }
  g_warning ("%s was removed, and another zinitd has taken the run-time folder; the services are its now",
             lock->path);
  lock->events->lost (lock->data);
}

static void
take_again (ZinitRuntimeLock *lock)
{
  gint64 since_usec = lock->waits_since_usec;
  g_autoptr (GError) error = NULL;
  ZinitLockResult result;
  int fd = -1, reason;

  result = try_to_take (lock->folder, lock->name, since_usec != 0 ? g_get_monotonic_time () - since_usec : 0,
                        &fd, &error);
  reason = errno;
  if (result == ZINIT_LOCK_BUSY) {
    give_up_or_wait (lock, reason == EAGAIN);
    return;
  }
  lock->waits_since_usec = 0;
  if (result == ZINIT_LOCK_TAKEN) {
    keep_new_lock (lock, fd);
    return;
  }
  g_log (G_LOG_DOMAIN, lock->has_failed ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
         "%s was removed and cannot be made again, which will be tried again: %s", lock->path,
         error->message);
  lock->has_failed = TRUE;
  look_in (lock, RETRY_USEC);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitRuntimeLock *lock = ZINIT_OWNER_OF (timer, ZinitRuntimeLock, timer);

  if (is_held (lock)) {
    lock->waits_since_usec = 0;
    if (lock->is_polled)
      look_in (lock, POLL_USEC);
    return;
  }
  /* Our own lock would be in the way. */
  if (!is_ours (lock) && leads_to_lock (lock))
    zinit_runtime_folder_remove (lock->folder, lock->name);
  take_again (lock);
}

static void
on_event (ZinitWatch *watch, guint32 events)
{
  ZinitRuntimeLock *lock = ZINIT_OWNER_OF (watch, ZinitRuntimeLock, watch);
  char buffer[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));

  while (read (lock->inotify_fd, buffer, sizeof buffer) > 0)
    ;
  if (!is_held (lock) && !zinit_timer_is_armed (&lock->timer))
    look_in (lock, SETTLE_USEC);
}

ZinitRuntimeLock *
zinit_runtime_lock_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, const char *name, int lock_fd,
                        int watch_fd, const ZinitRuntimeLockEvents *events, gpointer data)
{
  ZinitRuntimeLock *lock = g_new0 (ZinitRuntimeLock, 1);

  lock->loop = loop;
  lock->folder = folder;
  lock->name = g_strdup (name);
  lock->path = g_build_filename (zinit_runtime_folder_get_path (folder), name, NULL);
  lock->lock_fd = lock_fd;
  lock->events = events;
  lock->data = data;
  lock->inotify_fd = watch_fd >= 0 ? watch_fd : inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  if (lock->inotify_fd >= 0)
    zinit_loop_watch (loop, &lock->watch, lock->inotify_fd, EPOLLIN, ZINIT_URGENT, on_event);
  watch_file (lock);
  return lock;
}

void
zinit_runtime_lock_unwatch (ZinitRuntimeLock *lock)
{
  if (lock->inotify_fd < 0 || lock->is_polled)
    return;
  lock->is_polled = TRUE;
  zinit_loop_unwatch (lock->loop, &lock->watch);
  for (guint i = 0; i < lock->n_marks; i++)
    inotify_rm_watch (lock->inotify_fd, lock->marks[i]);
  if (!zinit_timer_is_armed (&lock->timer))
    look_in (lock, POLL_USEC);
}

void
zinit_runtime_lock_free (ZinitRuntimeLock *lock)
{
  zinit_loop_disarm (lock->loop, &lock->timer);
  zinit_loop_unwatch (lock->loop, &lock->watch);
  if (lock->inotify_fd >= 0)
    close (lock->inotify_fd);
  g_free (lock->name);
  g_free (lock->path);
  g_free (lock);
}

int
zinit_runtime_lock_get_lock (const ZinitRuntimeLock *lock)
{
  return lock->lock_fd;
}

int
zinit_runtime_lock_get_watch (const ZinitRuntimeLock *lock)
{
  return lock->inotify_fd;
}
