/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel reports when the file of the lock is unlinked, so nothing is polled. That the paths lead to the
 * folder that is open and to the file in it that is locked is the only thing that counts.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/runtime-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#include "persist/lock.h"

#define SETTLE_USEC (100 * 1000) /* time for a removal of the whole folder to finish */
#define RETRY_USEC G_USEC_PER_SEC

struct _ZinitHold {
  ZinitLoop *loop;
  ZinitRuntimeFolder *folder;
  char *path; /* of the lock */
  int lock_fd;
  const ZinitRuntimeLockEvents *events;
  gpointer data;
  int inotify_fd; /* -1 = the kernel gives none */
  ZinitWatch watch;
  ZinitTimer timer;
  gboolean has_failed; /* and said so */
};

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

/* An unlink is a change of the number of links: IN_ATTRIB. A folder takes its files along without their
 * knowing. */
static void
watch_file (ZinitRuntimeLock *lock)
{
  const char *folder = zinit_runtime_folder_get_path (lock->folder);

  if (lock->inotify_fd < 0 ||
      inotify_add_watch (lock->inotify_fd, lock->path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW) < 0 ||
      inotify_add_watch (lock->inotify_fd, folder, IN_MOVE_SELF | IN_DELETE_SELF) < 0)
    g_warning ("zinitd will not notice when %s is removed: %s", lock->path, g_strerror (errno));
  /* It may have gone before it was watched. */
  if (!is_held (lock))
    look_in (lock, SETTLE_USEC);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitRuntimeLock *lock = ZINIT_OWNER_OF (timer, ZinitRuntimeLock, timer);
  g_autoptr (GError) error = NULL;
  int fd = -1;

  if (is_held (lock))
    return;
  /* Our own lock would be in the way. */
  if (!is_ours (lock) && leads_to_lock (lock))
    zinit_runtime_folder_remove (lock->folder, ZINIT_LOCK_FILE);
  switch (zinit_lock_take (lock->folder, ZINIT_LOCK_FILE, &fd, &error)) {
  case ZINIT_LOCK_TAKEN:
    /* The hand-over knows the number. */
    dup3 (fd, lock->lock_fd, O_CLOEXEC);
    close (fd);
    g_warning ("%s was removed; the run-time folder is made again", lock->path);
    lock->has_failed = FALSE;
    watch_file (lock);
    lock->events->made (lock->data);
    break;
  case ZINIT_LOCK_BUSY:
    g_warning ("%s was removed, and another zinitd has taken the run-time folder; the services are its now",
               lock->path);
    lock->events->lost (lock->data);
    break;
  default:
    g_log (G_LOG_DOMAIN, lock->has_failed ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
           "%s was removed and cannot be made again, which will be tried again: %s", lock->path,
           error->message);
    lock->has_failed = TRUE;
    look_in (lock, RETRY_USEC);
  }
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
zinit_runtime_lock_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, int lock_fd, int watch_fd,
                        const ZinitRuntimeLockEvents *events, gpointer data)
{
  ZinitRuntimeLock *lock = g_new0 (ZinitRuntimeLock, 1);

  lock->loop = loop;
  lock->folder = folder;
  lock->path = g_build_filename (zinit_runtime_folder_get_path (folder), ZINIT_LOCK_FILE, NULL);
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
zinit_runtime_lock_free (ZinitRuntimeLock *lock)
{
  zinit_loop_disarm (lock->loop, &lock->timer);
  zinit_loop_unwatch (lock->loop, &lock->watch);
  if (lock->inotify_fd >= 0)
    close (lock->inotify_fd);
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
