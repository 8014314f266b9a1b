/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that reaps. Main processes are noticed by their pidfds. All else that becomes our child (we
 * are the sub-reaper) is reaped after SIGCHLD, once it has been judged whose it was. What happens to the rest
 * of a tree is tree.c's, what has to be looked at again pending-exits.c's.
 */
#define G_LOG_DOMAIN "zinit-process"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/error.h"
#include "process/adopt.h"
#include "process/announce.h"
#include "process/group.h"
#include "process/strays.h"

/* To reap all makes the kernel walk all our children, so there is a pause after each time: short while a tree
 * is waited for, long while it matters only not to collect zombies. */
#define REAP_PAUSE_USEC (20 * 1000)
#define URGENT_REAP_PAUSE_USEC 1000
#define MAX_REAPED 256 /* at one time */

static void reap_due (ZinitTimer *timer);

void
zinit_reaper_wake (ZinitProcesses *processes)
{
  gboolean is_urgent = processes->pending_exits.length > 0;
  gint64 due_usec = processes->reaped_usec + (is_urgent ? URGENT_REAP_PAUSE_USEC : REAP_PAUSE_USEC);

  if (!zinit_timer_is_armed (&processes->reap_timer) || processes->reap_timer.deadline_usec > due_usec)
    zinit_loop_arm (processes->loop, &processes->reap_timer, due_usec, reap_due);
}

void
zinit_reaper_reap (pid_t pid)
{
  siginfo_t info;

  waitid (P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

gboolean
zinit_reaper_report_end (ZinitProcess *process)
{
  process->has_main = FALSE;
  if (process->pid != process->leader)
    zinit_tree_give_up_number (process, process->pid);
  if (!zinit_announce_drain (process) || !zinit_output_drain (process))
    return FALSE;
  zinit_process_enter (process);
  process->events.main_ended (process, &process->end, process->data);
  return zinit_process_leave (process);
}

static void
end_main (ZinitProcess *process)
{
  if (zinit_reaper_report_end (process) && !process->has_main && process->has_group &&
      !zinit_tree_try_finish (process))
    zinit_pending_exit_add (process);
}

gboolean
zinit_reaper_try_end (ZinitProcess *process)
{
  /* Only the leader's number is of use to anybody. */
  gboolean is_held = !process->processes->has_group_signals && process->pid == process->leader;
  siginfo_t info = { 0 };
  int result = waitid (P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | (is_held ? WNOWAIT : 0));

  if (result == 0 && info.si_pid == 0)
    return FALSE;
  process->end = (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  if (result != 0)
    g_warning ("process %d ended and somebody else has reaped it: %s", process->pid, g_strerror (errno));
  else if (info.si_code == CLD_EXITED)
    process->end = (ZinitExit){ ZINIT_EXIT_EXITED, info.si_status };
  else
    process->end = (ZinitExit){ ZINIT_EXIT_KILLED, info.si_status };
  process->is_held = is_held && result == 0;
  zinit_loop_unwatch (process->processes->loop, &process->main_watch);
  end_main (process);
  return TRUE;
}

/* FALSE when @process was freed in the callback. */
static gboolean
report_exit (ZinitProcess *process)
{
  zinit_process_enter (process);
  if (process->events.exit_known != NULL)
    process->events.exit_known (process, &process->end, process->data);
  return zinit_process_leave (process);
}

/* How it ended, and whether its group is empty, is certain once its parent has reaped it: most do so at once,
 * and from Linux 6.9 on the kernel tells us. The others are pending. */
static void
notice_non_child (ZinitProcess *process, gboolean is_reaped)
{
  ZinitProcesses *processes = process->processes;
  gboolean is_late = !process->has_main && process->end.kind == ZINIT_EXIT_UNKNOWN;

  if (process->end.kind == ZINIT_EXIT_NONE || process->end.kind == ZINIT_EXIT_UNKNOWN)
    process->end = zinit_adopted_get_exit (process);
  if (!is_reaped) {
    if (processes->has_group_signals)
      zinit_loop_watch (processes->loop, &process->main_watch, process->pidfd, 0, ZINIT_URGENT,
                        zinit_reaper_main_readable);
    zinit_pending_exit_add (process);
  } else if (process->has_main) {
    end_main (process);
  } else if ((!is_late || report_exit (process)) && process->has_group) {
    zinit_tree_try_finish (process);
  }
}

void
zinit_reaper_main_readable (ZinitWatch *watch, guint32 events)
{
  ZinitProcess *process = ZINIT_OWNER_OF (watch, ZinitProcess, main_watch);

  zinit_loop_unwatch (process->processes->loop, watch);
  if (process->is_non_child)
    notice_non_child (process, (events & EPOLLHUP) != 0);
  else if (!zinit_reaper_try_end (process))
    zinit_pending_exit_add (process);
}

gboolean
zinit_reaper_watch (ZinitProcess *process)
{
  return zinit_loop_watch (process->processes->loop, &process->main_watch, process->pidfd, EPOLLIN,
                           ZINIT_URGENT, zinit_reaper_main_readable);
}

void
zinit_reaper_forget (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;

  zinit_pending_exit_remove (process);
  zinit_tree_forget (process);
  zinit_loop_unwatch (processes->loop, &process->main_watch);
  if (!process->has_main)
    return;
  if (!process->is_non_child)
    zinit_strays_disown (processes, process->pid);
  zinit_reaper_wake (processes);
}

void
zinit_reaper_reap_other (ZinitProcesses *processes, pid_t pid)
{
  /* While the zombie is there, the number of its group cannot be another's. */
  ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (getpgid (pid)));
  ZinitProcess *owner = zinit_strays_drop (processes, pid);

  zinit_reaper_reap (pid);
  if (owner == NULL)
    owner = process;
  if (owner != NULL && !g_ptr_array_find (processes->touched, owner, NULL))
    g_ptr_array_add (processes->touched, owner);
}

/* What a stray has left has come to us before its end was seen. Each of them may be freed in a callback. */
static void
look_at_touched (ZinitProcesses *processes)
{
  GPtrArray *touched = processes->touched;

  if (touched->len > 0)
    processes->strays_turn = 0;
  while (touched->len > 0) {
    ZinitProcess *process = g_ptr_array_steal_index_fast (touched, touched->len - 1);

    if (process->stop.signo != 0)
      zinit_strays_find (processes, FALSE);
    if (!process->has_main && process->has_group)
      zinit_tree_try_finish (process);
  }
}

static gboolean
reap_some (ZinitProcesses *processes)
{
  for (guint n = 0; n < MAX_REAPED; n++) {
    siginfo_t info = { 0 };
    ZinitProcess *process;

    if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      return TRUE;
    process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (info.si_pid));
    if (process == NULL || (process->pid != info.si_pid && !process->is_held)) {
      zinit_reaper_reap_other (processes, info.si_pid);
      continue;
    }
    if (process->is_held && info.si_pid == process->leader)
      return TRUE; /* it hides what comes after it; the scan reaps that */
    if (!process->has_main) {
      zinit_reaper_reap_other (processes, info.si_pid);
      continue;
    }
    /* It may have ended after our children were read. */
    processes->strays_turn = 0;
    if (!zinit_reaper_try_end (process))
      return TRUE;
  }
  return FALSE;
}

static void
reap_all (ZinitProcesses *processes)
{
  gboolean is_complete;

  processes->reaped_usec = g_get_monotonic_time ();
  is_complete = reap_some (processes);
  look_at_touched (processes);
  if (!is_complete)
    zinit_reaper_wake (processes);
}

/* One signal may stand for many children, and none is missed: it is read before the children are looked at.
 */
static void
read_signal (ZinitProcesses *processes)
{
  struct signalfd_siginfo info;

  while (read (processes->signal_fd, &info, sizeof info) > 0)
    continue;
}

/* Until all are reaped it is not watched, so that a storm of them costs nothing. */
static void
signal_readable (ZinitWatch *watch, guint32 events)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (watch, ZinitProcesses, signal_watch);

  zinit_loop_unwatch (processes->loop, watch);
  zinit_reaper_wake (processes);
}

static gboolean
watch_signal (ZinitProcesses *processes)
{
  return processes->signal_watch.is_active ||
         zinit_loop_watch (processes->loop, &processes->signal_watch, processes->signal_fd, EPOLLIN,
                           ZINIT_URGENT, signal_readable);
}

static void
reap_due (ZinitTimer *timer)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (timer, ZinitProcesses, reap_timer);

  read_signal (processes);
  reap_all (processes);
  if (!watch_signal (processes))
    zinit_reaper_wake (processes);
}

static gboolean
fail_init (GError **error, const char *what)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot prepare to reap processes: %s: %s", what,
               g_strerror (errno));
  return FALSE;
}

gboolean
zinit_reaper_init (ZinitProcesses *processes, GError **error)
{
  sigset_t child, before;

  processes->signal_fd = -1;
  g_queue_init (&processes->pending_exits);
  g_queue_init (&processes->stops);
  processes->has_group_signals = zinit_group_has_signals ();
  /* Ignored, as somebody may have left it to us, it would make the kernel reap. */
  signal (SIGCHLD, SIG_DFL);
  sigemptyset (&child);
  sigaddset (&child, SIGCHLD);
  pthread_sigmask (SIG_BLOCK, &child, &before);
  processes->has_blocked = sigismember (&before, SIGCHLD) == 0;
  if (prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    return fail_init (error, "sub-reaper");
  processes->signal_fd = signalfd (-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (processes->signal_fd < 0 || !watch_signal (processes))
    return fail_init (error, "signalfd");
  /* What died before we listened gave no signal that we got. */
  zinit_reaper_wake (processes);
  return TRUE;
}

void
zinit_reaper_clear (ZinitProcesses *processes)
{
  sigset_t child;

  zinit_loop_disarm (processes->loop, &processes->reap_timer);
  zinit_loop_unwatch (processes->loop, &processes->signal_watch);
  if (processes->signal_fd >= 0)
    close (processes->signal_fd);
  sigemptyset (&child);
  sigaddset (&child, SIGCHLD);
  if (processes->has_blocked)
    pthread_sigmask (SIG_UNBLOCK, &child, NULL);
}
