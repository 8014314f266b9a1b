/* SPDX-License-Identifier: Apache-2.0
 *
 * Exits that are pending: the main process has ended and cannot be reaped yet, or something of its tree lives
 * on, and the kernel does not tell when that changes. They are looked at again together, less and less often,
 * with one scan of /proc for all of them, and only if one of them needs it.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/group.h"
#include "process/strays.h"

#define FIRST_DELAY_USEC (10 * 1000)
#define LAST_DELAY_USEC (100 * 1000)
/* So many times what a scan has cost is the least time until the next one: more where the kernel tells nearly
 * all by itself. */
#define REST 32
#define REST_UNTOLD 8
/* Every so many looks all of /proc is read, even if the kernel tells about groups: a zombie that its parent
 * never reaps must not keep a group alive, and those of ours that nothing else comes to must go. */
#define LOOKS_PER_SCAN 10
/* A walk of /proc may miss a process that is made during it; not twice. */
#define SCANS_TO_BELIEVE 2

static void look_due (ZinitTimer *timer);

static void
arm (ZinitProcesses *processes, gint64 due_usec)
{
  if (!zinit_timer_is_armed (&processes->pending_exit_timer) ||
      processes->pending_exit_timer.deadline_usec > due_usec)
    zinit_loop_arm (processes->loop, &processes->pending_exit_timer, due_usec, look_due);
}

static void
list (ZinitProcess *process)
{
  if (process->is_listed)
    return;
  process->is_listed = TRUE;
  process->pending_exit.data = process;
  g_queue_push_tail_link (&process->processes->pending_exits, &process->pending_exit);
}

void
zinit_pending_exit_remove (ZinitProcess *process)
{
  if (!process->is_listed)
    return;
  process->is_listed = FALSE;
  g_queue_unlink (&process->processes->pending_exits, &process->pending_exit);
}

void
zinit_pending_exit_add (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;
  gint64 due_usec = MAX (g_get_monotonic_time () + FIRST_DELAY_USEC, processes->next_scan_usec);

  /* In a stop of many our children are read for many at one time: only that is waited for. */
  if (process->stop.signo != 0 && processes->next_strays_usec > g_get_monotonic_time ())
    due_usec = MIN (due_usec, processes->next_strays_usec);
  else if (process->is_adopted && processes->next_tags_usec > g_get_monotonic_time ())
    due_usec = MIN (due_usec, processes->next_tags_usec);
  list (process);
  process->has_waited = FALSE;
  processes->pending_exit_delay_usec = FIRST_DELAY_USEC;
  arm (processes, due_usec);
  zinit_reaper_wake (processes);
}

void
zinit_pending_exits_clear (ZinitProcesses *processes)
{
  zinit_loop_disarm (processes->loop, &processes->pending_exit_timer);
}

void
zinit_pending_exits_back_off (ZinitProcesses *processes, gint64 began_usec)
{
  gint64 now_usec = g_get_monotonic_time ();
  gint64 times = processes->has_group_signals ? REST : REST_UNTOLD;

  processes->next_scan_usec = MAX (processes->next_scan_usec, now_usec + times * (now_usec - began_usec));
}

/* What the reaper did not come to, because a held leader hid it. */
static void
reap_scanned (pid_t pid, gpointer data)
{
  ZinitProcesses *processes = data;
  ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (pid));

  if (process == NULL || (process->pid != pid && process->leader != pid))
    zinit_reaper_reap_other (processes, pid);
  else if (process->has_main && process->pid == pid)
    zinit_reaper_try_end (process);
}

/* @living is NULL when there was no scan this time. */
static void
look_again (ZinitProcess *process, GHashTable *living)
{
  gboolean is_gone;

  process->has_waited = TRUE;
  if (process->has_main && !process->is_non_child) {
    if (!zinit_reaper_try_end (process))
      list (process);
    return;
  }
  if (living != NULL)
    process->n_absent =
        g_hash_table_contains (living, GINT_TO_POINTER (process->leader)) ? 0 : process->n_absent + 1;
  is_gone = process->n_absent >= SCANS_TO_BELIEVE || zinit_group_is_gone (process);
  /* Not before it is known whether it leaves others: that is something to clean up. */
  if (process->has_main && (is_gone || (living != NULL && process->n_absent == 0)) &&
      !zinit_reaper_report_end (process))
    return;
  if (!process->has_main && process->has_group && is_gone && zinit_tree_try_finish_without_group (process))
    return;
  if (!process->is_listed && process->has_group)
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

/* One for all that are pending, and only if one of them needs it; else NULL. */
static GHashTable *
scan_groups (ZinitProcesses *processes)
{
  gboolean is_thorough = ++processes->n_looks % LOOKS_PER_SCAN == 0;
  gboolean is_needed = is_thorough;
  g_autoptr (GHashTable) asked = g_hash_table_new (NULL, NULL);

  for (const GList *link = processes->pending_exits.head; link != NULL; link = link->next) {
    const ZinitProcess *process = link->data;

    g_hash_table_insert (asked, GINT_TO_POINTER (process->leader), (gpointer)process);
    is_needed = is_needed || is_in_doubt (process);
  }
  return is_needed ? zinit_group_scan (asked, is_thorough ? reap_scanned : NULL, processes) : NULL;
}

static void
look_due (ZinitTimer *timer)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (timer, ZinitProcesses, pending_exit_timer);
  gint64 began_usec = g_get_monotonic_time ();
  gboolean may_scan = began_usec >= processes->next_scan_usec;
  g_autoptr (GHashTable) living =
      processes->pending_exits.length > 0 && may_scan ? scan_groups (processes) : NULL;
  guint n = processes->pending_exits.length;
  gint64 due_usec;

  /* What was told of our children before this is not told of those that have ended since. */
  processes->strays_turn = 0;
  /* A look is rare enough, and is always answered: the rest after what others asked, for their own reasons
   * and as often, would put it off for ever. */
  processes->next_strays_usec = 0;
  processes->next_tags_usec = 0;
  if (may_scan)
    zinit_pending_exits_back_off (processes, began_usec);
  /* A callback may free any of them: each is taken out before it is looked at, and comes back at the end. */
  for (; n > 0 && processes->pending_exits.length > 0; n--) {
    ZinitProcess *process = processes->pending_exits.head->data;

    zinit_pending_exit_remove (process);
    look_again (process, living);
  }
  if (processes->pending_exits.length == 0)
    return;
  due_usec = MAX (g_get_monotonic_time () + processes->pending_exit_delay_usec, processes->next_tags_usec);
  arm (processes, MAX (due_usec, may_scan ? processes->next_scan_usec : due_usec));
  processes->pending_exit_delay_usec = MIN (processes->pending_exit_delay_usec * 2, LAST_DELAY_USEC);
}
