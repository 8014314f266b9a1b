/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that reaps. First processes of services are noticed by their pidfds. Everything else that
 * becomes our child (we are the sub-reaper) is swept up after SIGCHLD. A process that has ended but is not
 * reaped by its parent, or whose group is not empty, is looked at again until all is told.
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
#include "process/group.h"
#include "process/private.h"

/* A sweep makes the kernel walk all our children, so there is a pause after each: short while somebody waits
 * for a group to empty, long while the only matter is not to collect zombies. */
#define SWEEP_PAUSE_USEC (20 * 1000)
#define URGENT_SWEEP_PAUSE_USEC 1000
#define MAX_REAPED 256 /* in one sweep */

#define FIRST_LINGER_USEC (10 * 1000)
#define LAST_LINGER_USEC (100 * 1000)
/* So many times what a look has cost is the least time until the next one: more where the kernel tells nearly
 * all by itself. */
#define LINGER_REST 32
#define LINGER_REST_UNTOLD 8
/* Every so many looks all of /proc is read, even if the kernel tells about groups: a zombie that its parent
 * never reaps must not keep a group alive, and those of ours that nothing else comes to must go. */
#define LOOKS_PER_SURVEY 10
/* A walk of /proc may miss a process that is made during it; not twice. */
#define SURVEYS_TO_BELIEVE 2

static void sweep_due (ZinitTimer *timer);
static void linger_due (ZinitTimer *timer);

static void
request_sweep (ZinitProcesses *processes)
{
  gint64 pause_usec = processes->lingering.length > 0 ? URGENT_SWEEP_PAUSE_USEC : SWEEP_PAUSE_USEC;
  gint64 due_usec = processes->sweep_usec + pause_usec;

  if (!zinit_timer_is_armed (&processes->sweep_timer) || processes->sweep_timer.deadline_usec > due_usec)
    zinit_loop_arm (processes->loop, &processes->sweep_timer, due_usec, sweep_due);
}

static void
unlist (ZinitProcess *process)
{
  if (!process->is_listed)
    return;
  process->is_listed = FALSE;
  g_queue_unlink (&process->processes->lingering, &process->lingering);
}

static void
arm_linger (ZinitProcesses *processes, gint64 due_usec)
{
  if (!zinit_timer_is_armed (&processes->linger_timer) || processes->linger_timer.deadline_usec > due_usec)
    zinit_loop_arm (processes->loop, &processes->linger_timer, due_usec, linger_due);
}

static void
list (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;

  if (process->is_listed)
    return;
  process->is_listed = TRUE;
  process->lingering.data = process;
  g_queue_push_tail_link (&processes->lingering, &process->lingering);
}

void
zinit_reaper_linger (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;

  list (process);
  process->has_waited = FALSE;
  processes->linger_delay_usec = FIRST_LINGER_USEC;
  arm_linger (processes, MAX (g_get_monotonic_time () + FIRST_LINGER_USEC, processes->next_look_usec));
  request_sweep (processes);
}

/* The number of a child is its own until it is reaped, and nobody else does that. */
static void
reap (pid_t pid)
{
  siginfo_t info;

  waitid (P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

static void
reap_held (ZinitProcess *process)
{
  if (!process->is_held)
    return;
  reap (process->pid);
  process->is_held = FALSE;
  /* For what it has hidden. */
  request_sweep (process->processes);
}

static void
give_up_number (ZinitProcess *process)
{
  GHashTable *by_pid = process->processes->by_pid;

  if (g_hash_table_lookup (by_pid, GINT_TO_POINTER (process->pid)) == process)
    g_hash_table_remove (by_pid, GINT_TO_POINTER (process->pid));
}

static void
tell_group_empty (ZinitProcess *process)
{
  unlist (process);
  give_up_number (process);
  reap_held (process);
  process->has_group = FALSE;
  if (!zinit_output_drain (process))
    return;
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    zinit_output_close (process, stream);
  zinit_process_enter (process);
  process->events.group_empty (process, process->data);
  zinit_process_leave (process);
}

/* From @began_usec until now /proc was looked into. */
static void
rest (ZinitProcesses *processes, gint64 began_usec)
{
  gint64 now_usec = g_get_monotonic_time ();
  gint64 times = processes->has_group_signals ? LINGER_REST : LINGER_REST_UNTOLD;

  processes->next_look_usec = MAX (processes->next_look_usec, now_usec + times * (now_usec - began_usec));
}

/* Looks into /proc for what we hold, but not all the time: who comes too soon lingers. */
static gboolean
is_gone (const ZinitProcess *process)
{
  gint64 began_usec = g_get_monotonic_time ();
  g_autoptr (GHashTable) asked = NULL;
  gboolean is_absent = TRUE;

  if (!process->is_held || began_usec < process->processes->next_look_usec)
    return zinit_group_is_gone (process);
  asked = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (asked, GINT_TO_POINTER (process->pid), (gpointer)process);
  for (guint n = 0; n < SURVEYS_TO_BELIEVE && is_absent; n++) {
    g_autoptr (GHashTable) living = zinit_group_survey (asked, NULL, NULL);

    is_absent = living != NULL && g_hash_table_size (living) == 0;
  }
  rest (process->processes, began_usec);
  return is_absent;
}

/* FALSE when @process was freed in the callback. */
static gboolean
tell_main_ended (ZinitProcess *process)
{
  process->has_main = FALSE;
  if (!zinit_output_drain (process))
    return FALSE;
  zinit_process_enter (process);
  process->events.main_ended (process, &process->end, process->data);
  return zinit_process_leave (process);
}

static void
end_main (ZinitProcess *process)
{
  if (!tell_main_ended (process))
    return;
  if (is_gone (process))
    tell_group_empty (process);
  else
    zinit_reaper_linger (process);
}

/* Of a child. FALSE when it has not ended, or a debugger has it still. */
static gboolean
try_end_main (ZinitProcess *process)
{
  gboolean is_held = !process->processes->has_group_signals;
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
tell_exit (ZinitProcess *process)
{
  zinit_process_enter (process);
  if (process->events.exit_known != NULL)
    process->events.exit_known (process, &process->end, process->data);
  return zinit_process_leave (process);
}

/* How it ended, and whether its group is empty, is certain once its parent has reaped it: most do so at once,
 * and from Linux 6.9 on the kernel tells us. What the others leave lingers. */
static void
notice_stranger (ZinitProcess *process, gboolean is_reaped)
{
  ZinitProcesses *processes = process->processes;
  gboolean is_late = !process->has_main && process->end.kind == ZINIT_EXIT_UNKNOWN;

  if (process->end.kind == ZINIT_EXIT_NONE || process->end.kind == ZINIT_EXIT_UNKNOWN)
    process->end = zinit_adopted_get_exit (process);
  if (!is_reaped) {
    if (processes->has_group_signals)
      zinit_loop_watch (processes->loop, &process->main_watch, process->pidfd, 0, ZINIT_URGENT,
                        zinit_reaper_main_readable);
    zinit_reaper_linger (process);
  } else if (process->has_main) {
    end_main (process);
  } else if ((!is_late || tell_exit (process)) && process->has_group && zinit_group_is_gone (process)) {
    tell_group_empty (process);
  }
}

void
zinit_reaper_main_readable (ZinitWatch *watch, guint32 events)
{
  ZinitProcess *process = ZINIT_OWNER_OF (watch, ZinitProcess, main_watch);

  zinit_loop_unwatch (process->processes->loop, watch);
  if (process->is_stranger)
    notice_stranger (process, (events & EPOLLHUP) != 0);
  else if (!try_end_main (process))
    zinit_reaper_linger (process);
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

  unlist (process);
  give_up_number (process);
  zinit_loop_unwatch (processes->loop, &process->main_watch);
  reap_held (process);
  if (process->has_main)
    request_sweep (processes);
}

static void
reap_orphan (ZinitProcesses *processes, pid_t pid)
{
  /* While the zombie is there, the number of its group cannot be another's. */
  ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (getpgid (pid)));

  reap (pid);
  if (process != NULL && !process->has_main && zinit_group_is_gone (process))
    tell_group_empty (process);
}

static void
sweep (ZinitProcesses *processes)
{
  processes->sweep_usec = g_get_monotonic_time ();
  for (guint n = 0; n < MAX_REAPED; n++) {
    siginfo_t info = { 0 };
    ZinitProcess *process;

    if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      return;
    process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (info.si_pid));
    if (process == NULL)
      reap_orphan (processes, info.si_pid);
    else if (process->is_held || !try_end_main (process))
      return; /* it hides what comes after it; the survey reaps that */
  }
  request_sweep (processes);
}

/* One signal may stand for many children, and none is missed: it is taken before the children are looked at.
 */
static void
take_signal (ZinitProcesses *processes)
{
  struct signalfd_siginfo taken;

  while (read (processes->signal_fd, &taken, sizeof taken) > 0)
    continue;
}

/* Until the sweep it is not watched, so that a storm of them costs nothing. */
static void
signal_readable (ZinitWatch *watch, guint32 events)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (watch, ZinitProcesses, signal_watch);

  zinit_loop_unwatch (processes->loop, watch);
  request_sweep (processes);
}

static gboolean
watch_signal (ZinitProcesses *processes)
{
  return processes->signal_watch.is_active ||
         zinit_loop_watch (processes->loop, &processes->signal_watch, processes->signal_fd, EPOLLIN,
                           ZINIT_URGENT, signal_readable);
}

static void
sweep_due (ZinitTimer *timer)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (timer, ZinitProcesses, sweep_timer);

  take_signal (processes);
  sweep (processes);
  if (!watch_signal (processes))
    request_sweep (processes);
}

/* What the sweep did not come to, because a held leader hid it. */
static void
reap_surveyed (pid_t pid, gpointer data)
{
  ZinitProcesses *processes = data;
  ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (pid));

  if (process == NULL)
    reap (pid);
  else if (process->has_main)
    try_end_main (process);
}

/* @living is NULL when there was no survey this time. */
static void
look_again (ZinitProcess *process, GHashTable *living)
{
  gboolean is_gone;

  process->has_waited = TRUE;
  if (process->has_main && !process->is_stranger) {
    if (!try_end_main (process))
      list (process);
    return;
  }
  if (living != NULL)
    process->n_absent =
        g_hash_table_contains (living, GINT_TO_POINTER (process->pid)) ? 0 : process->n_absent + 1;
  is_gone = process->n_absent >= SURVEYS_TO_BELIEVE || zinit_group_is_gone (process);
  /* Not before it is known whether it leaves others: that is something to clean up. */
  if (process->has_main && (is_gone || (living != NULL && process->n_absent == 0)) &&
      !tell_main_ended (process))
    return;
  if (is_gone)
    tell_group_empty (process);
  else
    list (process);
}

/* The kernel does not say all: it tells nothing of the group, or a parent has not reaped yet, though it had
 * the time. */
static gboolean
is_in_doubt (const ZinitProcess *process)
{
  gboolean is_told =
      process->processes->has_group_signals && process->pidfd >= 0 && !process->main_watch.is_active;

  return process->has_waited && !is_told && !zinit_group_is_gone (process);
}

/* One for all that linger, and only if one of them needs it; else NULL. */
static GHashTable *
survey (ZinitProcesses *processes)
{
  gboolean is_thorough = ++processes->n_lingers % LOOKS_PER_SURVEY == 0;
  gboolean is_needed = is_thorough;
  g_autoptr (GHashTable) asked = g_hash_table_new (NULL, NULL);

  for (const GList *link = processes->lingering.head; link != NULL; link = link->next) {
    const ZinitProcess *process = link->data;

    g_hash_table_insert (asked, GINT_TO_POINTER (process->pid), (gpointer)process);
    is_needed = is_needed || is_in_doubt (process);
  }
  return is_needed ? zinit_group_survey (asked, is_thorough ? reap_surveyed : NULL, processes) : NULL;
}

static void
linger_due (ZinitTimer *timer)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (timer, ZinitProcesses, linger_timer);
  gint64 began_usec = g_get_monotonic_time ();
  guint n = processes->lingering.length;
  g_autoptr (GHashTable) living = n > 0 ? survey (processes) : NULL;

  /* A callback may free any of them: each is taken out before it is looked at, and comes back at the end. */
  for (; n > 0 && processes->lingering.length > 0; n--) {
    ZinitProcess *process = processes->lingering.head->data;

    unlist (process);
    look_again (process, living);
  }
  rest (processes, began_usec);
  if (processes->lingering.length == 0)
    return;
  arm_linger (processes,
              MAX (g_get_monotonic_time () + processes->linger_delay_usec, processes->next_look_usec));
  processes->linger_delay_usec = MIN (processes->linger_delay_usec * 2, LAST_LINGER_USEC);
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
  g_queue_init (&processes->lingering);
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
  request_sweep (processes);
  return TRUE;
}

void
zinit_reaper_clear (ZinitProcesses *processes)
{
  sigset_t child;

  zinit_loop_disarm (processes->loop, &processes->sweep_timer);
  zinit_loop_disarm (processes->loop, &processes->linger_timer);
  zinit_loop_unwatch (processes->loop, &processes->signal_watch);
  if (processes->signal_fd >= 0)
    close (processes->signal_fd);
  sigemptyset (&child);
  sigaddset (&child, SIGCHLD);
  if (processes->has_blocked)
    pthread_sigmask (SIG_UNBLOCK, &child, NULL);
}
