/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel reports when the file of the lock is unlinked, so nothing is polled. That the paths lead to the
 * folder that is open and to the file in it that is locked is the only thing that counts.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/hold.h"

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
  const ZinitHoldEvents *events;
  gpointer data;
  int inotify_fd; /* -1 = the kernel gives none */
  ZinitWatch watch;
  ZinitTimer timer;
  gboolean has_failed; /* and said so */
};

static gboolean
leads_to_lock (const ZinitHold *hold)
{
  struct stat ours, there;

  return fstat (hold->lock_fd, &ours) == 0 && lstat (hold->path, &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* A later daemon takes no other file for the lock. */
static gboolean
is_ours (const ZinitHold *hold)
{
  struct stat info;

  return fstat (hold->lock_fd, &info) == 0 && info.st_uid == geteuid () &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static gboolean
is_held (const ZinitHold *hold)
{
  return zinit_runtime_folder_is_current (hold->folder) && leads_to_lock (hold) && is_ours (hold);
}

static void on_timer (ZinitTimer *timer);

static void
look_in (ZinitHold *hold, gint64 delay_usec)
{
  zinit_loop_arm (hold->loop, &hold->timer, g_get_monotonic_time () + delay_usec, on_timer);
}

/* An unlink is a change of the number of links: IN_ATTRIB. A folder takes its files along without their
 * knowing. */
static void
watch_file (ZinitHold *hold)
{
  const char *folder = zinit_runtime_folder_get_path (hold->folder);

  if (hold->inotify_fd < 0 ||
      inotify_add_watch (hold->inotify_fd, hold->path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW) < 0 ||
      inotify_add_watch (hold->inotify_fd, folder, IN_MOVE_SELF | IN_DELETE_SELF) < 0)
    g_warning ("zinitd will not notice when %s is removed: %s", hold->path, g_strerror (errno));
  /* It may have gone before it was watched. */
  if (!is_held (hold))
    look_in (hold, SETTLE_USEC);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitHold *hold = ZINIT_OWNER_OF (timer, ZinitHold, timer);
  g_autoptr (GError) error = NULL;
  int fd = -1;

  if (is_held (hold))
    return;
  /* Our own lock would be in the way. */
  if (!is_ours (hold) && leads_to_lock (hold))
    zinit_runtime_folder_remove (hold->folder, ZINIT_LOCK_FILE);
  switch (zinit_lock_take (hold->folder, ZINIT_LOCK_FILE, &fd, &error)) {
  case ZINIT_LOCK_TAKEN:
    /* The hand-over knows the number. */
    dup3 (fd, hold->lock_fd, O_CLOEXEC);
    close (fd);
    g_warning ("%s was removed; the run-time folder is made again", hold->path);
    hold->has_failed = FALSE;
    watch_file (hold);
    hold->events->made (hold->data);
    break;
  case ZINIT_LOCK_BUSY:
    g_warning ("%s was removed, and another zinitd has taken the run-time folder; the services are its now",
               hold->path);
    hold->events->lost (hold->data);
    break;
  default:
    g_log (G_LOG_DOMAIN, hold->has_failed ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
           "%s was removed and cannot be made again, which will be tried again: %s", hold->path,
           error->message);
    hold->has_failed = TRUE;
    look_in (hold, RETRY_USEC);
  }
}

static void
on_event (ZinitWatch *watch, guint32 events)
{
  ZinitHold *hold = ZINIT_OWNER_OF (watch, ZinitHold, watch);
  char buffer[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));

  while (read (hold->inotify_fd, buffer, sizeof buffer) > 0)
    ;
  if (!is_held (hold) && !zinit_timer_is_armed (&hold->timer))
    look_in (hold, SETTLE_USEC);
}

ZinitHold *
zinit_hold_new (ZinitLoop *loop, ZinitRuntimeFolder *folder, int lock_fd, int watch_fd,
                const ZinitHoldEvents *events, gpointer data)
{
  ZinitHold *hold = g_new0 (ZinitHold, 1);

  hold->loop = loop;
  hold->folder = folder;
  hold->path = g_build_filename (zinit_runtime_folder_get_path (folder), ZINIT_LOCK_FILE, NULL);
  hold->lock_fd = lock_fd;
  hold->events = events;
  hold->data = data;
  hold->inotify_fd = watch_fd >= 0 ? watch_fd : inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  if (hold->inotify_fd >= 0)
    zinit_loop_watch (loop, &hold->watch, hold->inotify_fd, EPOLLIN, ZINIT_URGENT, on_event);
  watch_file (hold);
  return hold;
}

void
zinit_hold_free (ZinitHold *hold)
{
  zinit_loop_disarm (hold->loop, &hold->timer);
  zinit_loop_unwatch (hold->loop, &hold->watch);
  if (hold->inotify_fd >= 0)
    close (hold->inotify_fd);
  g_free (hold->path);
  g_free (hold);
}

int
zinit_hold_get_lock (const ZinitHold *hold)
{
  return hold->lock_fd;
}

int
zinit_hold_get_watch (const ZinitHold *hold)
{
  return hold->inotify_fd;
}
