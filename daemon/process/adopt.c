/* SPDX-License-Identifier: Apache-2.0
 *
 * Adopting a process that is there already. Whether it is our child decides how its end is learned: a child
 * is waited for as any other; of a non-child the kernel tells what it remembers.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/procfs.h"

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
  char path[sizeof "/proc//exe" + 11];
  char target[1];

  g_snprintf (path, sizeof path, "/proc/%d/exe", (int)process->pid);
  return readlink (path, target, sizeof target) >= 0 || errno == ENOENT;
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
take_output (ZinitProcess *process, ZinitStream stream, int fd)
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

  process->is_stranger =
      waitid (P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
  fcntl (process->pidfd, F_SETFD, FD_CLOEXEC);
  /* The number of a non-child cannot be kept from being used again. */
  if (!process->is_stranger)
    g_hash_table_insert (processes->by_pid, GINT_TO_POINTER (process->pid), process);
}

ZinitProcess *
zinit_process_adopt (ZinitProcesses *processes, const ZinitAdoption *adoption,
                     const ZinitProcessEvents *events, gpointer data)
{
  ZinitProcess *process = g_new0 (ZinitProcess, 1);

  process->processes = processes;
  process->events = *events;
  process->data = data;
  process->pid = adoption->pid;
  process->start_ticks = adoption->start_ticks;
  process->pidfd = adoption->pidfd;
  process->tags = g_strdupv ((char **)adoption->tags);
  process->has_group = TRUE;
  process->has_main = !adoption->main_ended;
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    take_output (process, stream, adoption->outputs[stream]);
  if (adoption->main_ended)
    zinit_reaper_linger (process);
  else
    take_main (process);
  zinit_output_watch_all (process);
  return process;
}
