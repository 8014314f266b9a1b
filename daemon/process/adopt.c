/* SPDX-License-Identifier: Apache-2.0
 *
 * Adopting a process that is there already. Whether it is our child decides how its end is learned: a child
 * is waited for as any other; of a non-child the kernel tells what it remembers.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/adopt.h"
#include "process/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/error.h"
#include "process/procfs.h"
#include "process/strays.h"

/* Of linux/pidfd.h, which is younger than the headers we build with. */
#define INFO_EXIT (1ULL << 3)

typedef struct {
  guint64 mask;
  guint64 cgroup_id;
  guint32 ids[11];    /* pid, tgid, ppid, then users and groups */
  gint32 exit_status; /* as wait(2) gives it */
} PidfdInfo;

#define GET_INFO _IOWR (0xFF, 11, PidfdInfo)

/* Once its parent has reaped it, its pidfd tells. */
static gboolean
read_of_reaped (const ZinitProcess *process, int *ret_status)
{
  PidfdInfo info = { .mask = INFO_EXIT };

  if (ioctl (process->pidfd, GET_INFO, &info) != 0 || (info.mask & INFO_EXIT) == 0)
    return FALSE;
  *ret_status = info.exit_status;
  return TRUE;
}

/* To a process without the right to ask the kernel says 0, and does not let it follow this link either. */
static gboolean
may_ask (const ZinitProcess *process)
{
  char target[2];

  return zinit_proc_read_link (process->pid, "exe", target, sizeof target) || errno == ENOENT;
}

/* Until then it is a zombie, and /proc tells, if we may ask about it. */
static gboolean
read_of_zombie (const ZinitProcess *process, int *ret_status)
{
  ZinitProcEntry entry;

  if (!zinit_proc_read (process->pid, &entry) || !entry.is_dead || entry.exit_status < 0 ||
      (entry.exit_status == 0 && !may_ask (process)))
    return FALSE;
  /* Had the number been given to another meanwhile, no process would be behind the pidfd. */
  if (pidfd_send_signal (process->pidfd, 0, NULL, 0) != 0)
    return FALSE;
  *ret_status = entry.exit_status;
  return TRUE;
}

ZinitExit
zinit_adopted_get_exit (const ZinitProcess *process)
{
  int status;

  /* It may be reaped between the first two questions. */
  if (!read_of_reaped (process, &status) && !read_of_zombie (process, &status) &&
      !read_of_reaped (process, &status))
    return (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  if (WIFEXITED (status))
    return (ZinitExit){ ZINIT_EXIT_EXITED, WEXITSTATUS (status) };
  return (ZinitExit){ ZINIT_EXIT_KILLED, WTERMSIG (status) };
}

static void
adopt_output (ZinitProcess *process, ZinitStream stream, int fd)
{
  process->outputs[stream].fd = fd;
  if (fd < 0)
    return;
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
}

static void
take_main (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;
  siginfo_t info = { 0 };

  process->is_non_child =
      waitid (P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
  process->is_adopted = process->is_adopted || process->is_non_child;
  fcntl (process->pidfd, F_SETFD, FD_CLOEXEC);
  /* The number of a non-child cannot be kept from being used again. */
  if (!process->is_non_child)
    g_hash_table_insert (processes->by_pid, GINT_TO_POINTER (process->pid), process);
}

ZinitProcess *
zinit_process_adopt (ZinitProcesses *processes, const ZinitAdoption *adoption,
                     const ZinitProcessEvents *events, gpointer data)
{
  ZinitProcess *process = zinit_process_new (processes, adoption->pid, adoption->pidfd, events, data);

  process->start_ticks = adoption->start_ticks;
  process->has_main = !adoption->main_ended;
  process->is_adopted = adoption->main_ended;
  zinit_strays_drop (processes, adoption->pid);
  zinit_process_set_tags (process, adoption->tags);
  if (adoption->start_ticks != 0)
    zinit_strays_add_execution (process, adoption->start_ticks);
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    adopt_output (process, stream, adoption->outputs[stream]);
  zinit_announce_resume (process, adoption);
  if (adoption->main_ended)
    zinit_pending_exit_add (process);
  else
    take_main (process);
  zinit_output_watch_all (process);
  return process;
}

static void
find_older (ZinitProcess *process, const ZinitProcEntry *entry, gpointer data)
{
  ZinitProcEntry *oldest = data;

  if (oldest->pid == 0 || entry->start_ticks < oldest->start_ticks ||
      (entry->start_ticks == oldest->start_ticks && entry->pid < oldest->pid))
    *oldest = *entry;
}

gboolean
zinit_process_find_oldest (ZinitProcess *process, pid_t *ret_pid, guint64 *ret_start_ticks)
{
  ZinitProcEntry oldest = { 0 };

  zinit_strays_find (process->processes, FALSE);
  zinit_tree_foreach_member (process, find_older, &oldest);
  *ret_pid = oldest.pid;
  *ret_start_ticks = oldest.start_ticks;
  return oldest.pid != 0;
}

gboolean
zinit_process_find_member (ZinitProcess *process, pid_t pid, guint64 *ret_start_ticks)
{
  ZinitProcEntry entry;

  zinit_strays_find (process->processes, FALSE);
  if (!zinit_tree_has_member (process, pid, TRUE) || !zinit_proc_read (pid, &entry) || entry.is_dead)
    return FALSE;
  *ret_start_ticks = entry.start_ticks;
  return TRUE;
}

static gboolean
refuse (pid_t pid, const char *why, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "process %d cannot become the main process: %s",
               (int)pid, why);
  return FALSE;
}

/* A pidfd of it; -1 with @error. The pidfd comes before the question. */
static int
open_main (pid_t pid, guint64 start_ticks, GError **error)
{
  int pidfd = pidfd_open (pid, 0);
  ZinitProcEntry entry;

  if (pidfd < 0) {
    refuse (pid, g_strerror (errno), error);
    return -1;
  }
  if (zinit_proc_read (pid, &entry) && entry.start_ticks == start_ticks && !entry.is_dead)
    return pidfd;
  refuse (pid, "it has ended", error);
  close (pidfd);
  return -1;
}

gboolean
zinit_process_adopt_main (ZinitProcess *process, pid_t pid, guint64 start_ticks, GError **error)
{
  int before = process->pidfd, pidfd;

  g_return_val_if_fail (!process->has_main && process->has_group, FALSE);
  pidfd = open_main (pid, start_ticks, error);
  if (pidfd < 0)
    return FALSE;
  zinit_loop_unwatch (process->processes->loop, &process->main_watch);
  zinit_pending_exit_remove (process);
  zinit_strays_drop (process->processes, pid);
  if (process->pid == process->leader)
    process->leader_fd = before;
  else if (before >= 0)
    close (before);
  process->pid = pid;
  process->pidfd = pidfd;
  process->start_ticks = start_ticks;
  process->end = (ZinitExit){ 0 };
  process->has_main = TRUE;
  process->n_absent = 0;
  take_main (process);
  zinit_output_watch_all (process);
  return TRUE;
}
