/* SPDX-License-Identifier: Apache-2.0
 *
 * A group is signalled by the kernel in one step: what forks in that moment gets the signal, or forks after
 * it has seen it. Only what left the group has to be looked for, one process after the other, and may fork
 * meanwhile; so it is looked through until two looks agree. From then on a living parent answers for what it
 * starts, and what loses its parent comes here.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "process/announce.h"
#include "process/group.h"
#include "process/strays.h"
#include "process/tags.h"

#define FIRST_LOOK_USEC (10 * 1000)
#define LAST_LOOK_USEC (100 * 1000)
/* In one turn of the loop; a tree that forks faster is looked through again at the next. */
#define MAX_LOOKS 16
/* From so many on, one walk over all processes of the machine is cheaper than asking each for its children.
 */
#define MANY_STOPS 8
/* A walk of /proc may miss a process that is made during it; not twice. */
#define SCANS_TO_BELIEVE 2
#define MAX_ANCESTORS 64 /* of a process that says it is of the tree */

typedef struct {
  ZinitProcess *process;
  ZinitMemberFunc func;
  gpointer data;
  GHashTable *seen; /* pid_t */
  GArray *queue;    /* pid_t, whose children are to be asked for */
  pid_t parent;     /* of those that are found now; 0 = any */
} Descent;

static void
enter_member (pid_t pid, gpointer data)
{
  Descent *descent = data;
  ZinitProcEntry entry;

  if (!g_hash_table_add (descent->seen, GINT_TO_POINTER (pid)) || !zinit_proc_read (pid, &entry) ||
      entry.is_dead || (descent->parent != 0 && entry.parent != descent->parent))
    return;
  g_array_append_val (descent->queue, pid);
  descent->func (descent->process, &entry, descent->data);
}

/* If the leader was gone before we came, its number may be another's by now. */
static gboolean
enter_of_session (pid_t pid, gpointer data)
{
  Descent *descent = data;
  const ZinitProcess *process = descent->process;

  if ((getsid (pid) == process->leader || getpgid (pid) == process->leader) &&
      (process->pidfd >= 0 || process->leader_fd >= 0 || process->tags == NULL ||
       zinit_tags_are_on (pid, (const char *const *)process->tags)))
    enter_member (pid, descent);
  return TRUE;
}

/* The number of a child is its own until it is reaped; that of another process may be used again. */
static gboolean
has_number (const ZinitProcess *process)
{
  if (!process->is_non_child)
    return process->has_main;
  return process->has_main && (pidfd_send_signal (process->pidfd, 0, NULL, 0) == 0 || errno == EPERM);
}

void
zinit_tree_foreach_member (ZinitProcess *process, ZinitMemberFunc func, gpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) queue = g_array_new (FALSE, FALSE, sizeof (pid_t));
  Descent descent = { process, func, data, seen, queue, 0 };

  if (has_number (process))
    enter_member (process->pid, &descent);
  for (guint i = 0; process->strays != NULL && i < process->strays->len; i++)
    enter_member (((const ZinitStray *)process->strays->pdata[i])->pid, &descent);
  /* What loses its parent there does not come to us. */
  if (process->is_adopted && process->has_group && !zinit_group_is_gone (process))
    zinit_proc_foreach_number (enter_of_session, &descent);
  for (guint i = 0; i < queue->len; i++) {
    descent.parent = g_array_index (queue, pid_t, i);
    zinit_proc_foreach_child (descent.parent, enter_member, &descent);
  }
}

/* The pidfd comes before the question, so that the process that is meant is the one that is signalled. */
static gboolean
send (pid_t pid, guint64 start_ticks, int signo)
{
  int pidfd = pidfd_open (pid, 0);
  ZinitProcEntry entry;
  gboolean is_sent;

  if (pidfd < 0)
    return FALSE;
  is_sent = zinit_proc_read (pid, &entry) && entry.start_ticks == start_ticks && !entry.is_dead &&
            pidfd_send_signal (pidfd, signo, NULL, 0) == 0;
  close (pidfd);
  return is_sent;
}

typedef struct {
  int signo;
  guint n_sent;
} Sending;

static void
send_outside (ZinitProcess *process, const ZinitProcEntry *entry, gpointer data)
{
  Sending *sending = data;

  if (entry->group != process->leader)
    sending->n_sent += send (entry->pid, entry->start_ticks, sending->signo) ? 1 : 0;
}

gboolean
zinit_tree_has_member (ZinitProcess *process, pid_t pid, gboolean may_have_tags)
{
  const pid_t first = pid;

  for (guint n = 0; n < MAX_ANCESTORS && pid > 1 && pid != getpid (); n++) {
    const ZinitStray *stray = g_hash_table_lookup (process->processes->strays, GINT_TO_POINTER (pid));
    ZinitProcEntry entry;

    if (pid == process->pid || (stray != NULL && stray->owner == process))
      return TRUE;
    if (!zinit_proc_read (pid, &entry))
      break;
    if (entry.session == process->leader || entry.group == process->leader)
      return TRUE;
    pid = entry.parent;
  }
  return may_have_tags && process->tags != NULL &&
         zinit_tags_are_on (first, (const char *const *)process->tags);
}

gboolean
zinit_tree_signal (ZinitProcess *process, int signo, GError **error)
{
  g_autoptr (GError) refused = NULL;
  Sending sending = { signo, 0 };
  gboolean is_sent = zinit_group_signal (process, signo, &refused);

  zinit_strays_find (process->processes, FALSE);
  zinit_tree_foreach_member (process, send_outside, &sending);
  if (is_sent || sending.n_sent > 0)
    return TRUE;
  if (refused != NULL)
    g_propagate_error (error, g_steal_pointer (&refused));
  return FALSE;
}

/* Whether it had not got the signal of this stop. */
static gboolean
send_stop (ZinitProcess *process, const ZinitProcEntry *entry)
{
  ZinitStop *stop = &process->stop;
  gpointer pid = GINT_TO_POINTER (entry->pid), ticks = GSIZE_TO_POINTER (entry->start_ticks);
  gboolean is_new;

  if (stop->signalled == NULL)
    stop->signalled = g_hash_table_new (NULL, NULL);
  is_new = g_hash_table_lookup (stop->signalled, pid) != ticks;
  if (!is_new && stop->signo != SIGKILL)
    return FALSE;
  if (!send (entry->pid, entry->start_ticks, stop->signo))
    return FALSE;
  /* One that is stopped (SIGSTOP) would not hear it. */
  if (stop->signo != SIGKILL)
    send (entry->pid, entry->start_ticks, SIGCONT);
  g_hash_table_insert (stop->signalled, pid, ticks);
  return is_new;
}

static void
stop_outside (ZinitProcess *process, const ZinitProcEntry *entry, gpointer data)
{
  if (process->stop.is_listed && !process->stop.has_settled && entry->group != process->leader &&
      send_stop (process, entry))
    ++*(guint *)data;
}

/* One that was in the group when this got the signal has got it too. A process that had just forked may not
 * have been itself yet: a shell's child gets it with the shell's handler. Start times tell that to a tick. */
void
zinit_tree_add_stray (ZinitProcess *process, const ZinitProcEntry *entry)
{
  const ZinitStop *stop = &process->stop;

  if (stop->signo == 0 ||
      (stop->signo != SIGKILL && entry->group == process->leader && entry->start_ticks < stop->ticks))
    return;
  send_stop (process, entry);
}

/* A signal that comes between fork and exec is heard by the parent's handler: a program that it would end and
 * that lives has not had it. What has its parent's program yet is asked again. */
static void
signal_late (ZinitProcess *process)
{
  int signo = process->stop.signo;

  for (guint i = 0; process->strays != NULL && signo != SIGKILL && i < process->strays->len; i++) {
    ZinitStray *stray = process->strays->pdata[i];
    ZinitProcEntry entry;

    if (stray->has_heard || !zinit_proc_read (stray->pid, &entry) || entry.is_dead || !entry.has_executed)
      continue;
    if (zinit_proc_has_default_action (stray->pid, signo))
      send (stray->pid, stray->start_ticks, signo);
    else
      stray->has_heard = errno == 0;
  }
}

static void
settle (ZinitProcesses *processes)
{
  for (const GList *link = processes->stops.head; link != NULL; link = link->next)
    ((ZinitProcess *)link->data)->stop.has_settled = TRUE;
}

static void
look (ZinitProcess *process, guint *n_new)
{
  if (!process->stop.has_settled)
    zinit_tree_foreach_member (process, stop_outside, n_new);
}

/* FALSE when they still do not agree. */
static gboolean
look_until_agreed (ZinitProcesses *processes)
{
  guint n_due = 0, n_new = 0;
  gboolean is_adopted = FALSE;

  for (const GList *link = processes->stops.head; link != NULL; link = link->next) {
    const ZinitProcess *process = link->data;

    n_due += process->stop.has_settled ? 0 : 1;
    is_adopted = is_adopted || (process->is_adopted && !process->stop.has_settled);
  }
  if (n_due == 0)
    return TRUE;
  for (guint n = 0; n < MAX_LOOKS; n++) {
    n_new = 0;
    processes->strays_turn = 0;
    zinit_strays_find (processes, FALSE);
    if (is_adopted)
      zinit_strays_scan (processes, FALSE);
    if (n_due >= MANY_STOPS)
      zinit_strays_walk (processes, stop_outside, &n_new);
    else
      for (const GList *link = processes->stops.head; link != NULL; link = link->next)
        look (link->data, &n_new);
    if (n_new == 0)
      break;
  }
  if (n_new == 0)
    settle (processes);
  return n_new == 0;
}

static void
kill_again (ZinitProcesses *processes)
{
  for (const GList *link = processes->stops.head; link != NULL; link = link->next) {
    ZinitProcess *process = link->data;

    if (process->stop.signo != SIGKILL || !process->stop.has_settled)
      continue;
    zinit_group_signal (process, SIGKILL, NULL);
    process->stop.has_settled = FALSE;
  }
}

static void
stop_due (ZinitTimer *timer)
{
  ZinitProcesses *processes = ZINIT_OWNER_OF (timer, ZinitProcesses, stop_timer);
  gint64 delay_usec = processes->stop_delay_usec;

  if (processes->stops.length == 0)
    return;
  kill_again (processes);
  if (!look_until_agreed (processes))
    delay_usec = 0;
  else
    processes->stop_delay_usec = MIN (delay_usec * 2, LAST_LOOK_USEC);
  /* What has lost its parent meanwhile is signalled when it is found. */
  zinit_strays_find (processes, TRUE);
  for (const GList *link = processes->stops.head; link != NULL; link = link->next)
    signal_late (link->data);
  zinit_loop_arm (processes->loop, timer, g_get_monotonic_time () + delay_usec, stop_due);
}

gboolean
zinit_tree_stop (ZinitProcess *process, int signo, GError **error)
{
  ZinitProcesses *processes = process->processes;
  ZinitStop *stop = &process->stop;
  gboolean is_sent;

  g_clear_pointer (&stop->signalled, g_hash_table_unref);
  stop->signo = signo;
  stop->has_settled = FALSE;
  for (guint i = 0; process->strays != NULL && i < process->strays->len; i++)
    ((ZinitStray *)process->strays->pdata[i])->has_heard = FALSE;
  is_sent = zinit_group_signal (process, signo, error);
  /* Afterwards: what began before this tick was in the group, or is looked for. */
  stop->ticks = zinit_spawner_now_ticks ();
  if (is_sent && signo != SIGKILL)
    zinit_group_signal (process, SIGCONT, NULL);
  if (!is_sent && (error != NULL && *error != NULL))
    return FALSE;
  if (!process->has_group)
    return FALSE;
  if (!stop->is_listed) {
    stop->is_listed = TRUE;
    stop->link.data = process;
    g_queue_push_tail_link (&processes->stops, &stop->link);
  }
  processes->stop_delay_usec = FIRST_LOOK_USEC;
  zinit_loop_arm (processes->loop, &processes->stop_timer, 0, stop_due);
  return is_sent || process->has_main || process->strays != NULL;
}

static void
end_stop (ZinitProcess *process)
{
  ZinitStop *stop = &process->stop;

  if (stop->is_listed)
    g_queue_unlink (&process->processes->stops, &stop->link);
  g_clear_pointer (&stop->signalled, g_hash_table_unref);
  *stop = (ZinitStop){ 0 };
}

static void
reap_held (ZinitProcess *process)
{
  if (!process->is_held)
    return;
  zinit_reaper_reap (process->leader);
  process->is_held = FALSE;
  /* For what it has hidden. */
  zinit_reaper_wake (process->processes);
}

void
zinit_tree_give_up_number (ZinitProcess *process, pid_t pid)
{
  GHashTable *by_pid = process->processes->by_pid;

  if (g_hash_table_lookup (by_pid, GINT_TO_POINTER (pid)) == process)
    g_hash_table_remove (by_pid, GINT_TO_POINTER (pid));
}

void
zinit_tree_forget (ZinitProcess *process)
{
  end_stop (process);
  zinit_strays_forget (process);
  zinit_tree_give_up_number (process, process->pid);
  zinit_tree_give_up_number (process, process->leader);
  reap_held (process);
}

static void
report_empty (ZinitProcess *process)
{
  zinit_pending_exit_remove (process);
  zinit_tree_forget (process);
  process->has_group = FALSE;
  if (!zinit_announce_drain (process) || !zinit_output_drain (process))
    return;
  zinit_announce_end (process, TRUE);
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    zinit_output_close (process, stream);
  zinit_process_enter (process);
  process->events.group_empty (process, process->data);
  zinit_process_leave (process);
}

/* Scans /proc for the group of a leader that is held, but not all the time: one that comes too soon is
 * pending.
 */
static gboolean
is_group_gone (const ZinitProcess *process)
{
  gint64 began_usec = g_get_monotonic_time ();
  g_autoptr (GHashTable) asked = NULL;
  gboolean is_absent = TRUE;

  if (!process->is_held || began_usec < process->processes->next_scan_usec)
    return zinit_group_is_gone (process);
  asked = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (asked, GINT_TO_POINTER (process->leader), (gpointer)process);
  for (guint n = 0; n < SCANS_TO_BELIEVE && is_absent; n++) {
    g_autoptr (GHashTable) living = zinit_group_scan (asked, NULL, NULL);

    is_absent = living != NULL && g_hash_table_size (living) == 0;
  }
  zinit_pending_exits_back_off (process->processes, began_usec);
  return is_absent;
}

gboolean
zinit_tree_try_finish_without_group (ZinitProcess *process)
{
  ZinitProcesses *processes = process->processes;
  /* An end that nobody asked for is told as a whole; in a stop of many the children are read for many. */
  gboolean is_known = zinit_strays_find (processes, process->stop.signo != 0);

  if (process->is_adopted && process->service != NULL)
    is_known = zinit_strays_scan (processes, TRUE) && is_known;
  zinit_strays_drop_dead (process);
  if (is_known && process->strays == NULL) {
    report_empty (process);
    return TRUE;
  }
  /* Nothing of the group keeps its number any more. */
  if (is_known && !process->is_held)
    zinit_tree_give_up_number (process, process->leader);
  return FALSE;
}

gboolean
zinit_tree_try_finish (ZinitProcess *process)
{
  /* In a stop of many this is asked again for all of them together. */
  if (process->stop.signo != 0 && !zinit_strays_find (process->processes, TRUE))
    return FALSE;
  return is_group_gone (process) && zinit_tree_try_finish_without_group (process);
}
