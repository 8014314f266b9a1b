/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of the questions: session and group, tags, time and user. The first two are certain. The last is
 * for a process that has overwritten its environment, or keeps it from us, and says nothing when two runs
 * were executed shortly before it began.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/strays.h"

#include <errno.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "model/error.h"
#include "process/tags.h"

#define REST 16
#define MAX_REST_USEC (5 * 1000) /* a stop of many ends at most so much later */
#define REST_TAGS 2              /* an adopted tree has to wait for it with its end */
/* A process that has no tags belongs to the run that was executed at most so long before it began. */
#define BEGINS_WITHIN_S 5
#define MAX_EXECUTIONS 32768 /* that are remembered */

typedef struct {
  guint64 ticks;         /* clock ticks since the boot */
  ZinitProcess *process; /* NULL = it is over */
} Execution;

static guint
hash_run (gconstpointer key)
{
  const ZinitProcess *process = key;

  return g_str_hash (process->service) ^ (guint)process->run;
}

static gboolean
equal_runs (gconstpointer a, gconstpointer b)
{
  const ZinitProcess *first = a, *second = b;

  return first->run == second->run && g_str_equal (first->service, second->service);
}

static void
stray_free (gpointer data)
{
  ZinitStray *stray = data;

  if (stray->pidfd >= 0)
    close (stray->pidfd);
  g_free (stray);
}

void
zinit_strays_init (ZinitProcesses *processes)
{
  processes->by_run = g_hash_table_new (hash_run, equal_runs);
  processes->strays = g_hash_table_new_full (NULL, NULL, NULL, stray_free);
  processes->executions = g_array_new (FALSE, FALSE, sizeof (Execution));
  processes->touched = g_ptr_array_new ();
}

void
zinit_strays_clear (ZinitProcesses *processes)
{
  g_hash_table_unref (processes->by_run);
  g_hash_table_unref (processes->strays);
  g_array_unref (processes->executions);
  g_ptr_array_unref (processes->touched);
}

/* How many were executed at @ticks or before. */
static guint
count_until (const GArray *executions, guint64 ticks)
{
  guint low = 0, high = executions->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (executions, Execution, middle).ticks <= ticks)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
zinit_strays_add_execution (ZinitProcess *process, guint64 ticks)
{
  ZinitProcesses *processes = process->processes;
  GArray *executions = processes->executions;
  Execution execution = { ticks, process };

  process->execution_ticks = ticks;
  if (executions->len >= MAX_EXECUTIONS) {
    processes->forgotten_ticks = g_array_index (executions, Execution, MAX_EXECUTIONS / 2 - 1).ticks;
    g_array_remove_range (executions, 0, MAX_EXECUTIONS / 2);
  }
  g_array_insert_val (executions, count_until (executions, ticks), execution);
}

void
zinit_strays_remove_execution (ZinitProcess *process)
{
  const GArray *executions = process->processes->executions;

  for (guint i = count_until (executions, process->execution_ticks); i-- > 0;) {
    Execution *execution = &g_array_index (executions, Execution, i);

    if (execution->ticks < process->execution_ticks)
      return;
    if (execution->process == process)
      execution->process = NULL;
  }
}

/* The one run that was executed shortly before; NULL = none, or two. */
static ZinitProcess *
find_by_time (const ZinitProcesses *processes, guint64 start_ticks)
{
  guint64 span = BEGINS_WITHIN_S * (guint64)sysconf (_SC_CLK_TCK);
  guint64 first = start_ticks > span ? start_ticks - span : 0;
  guint n_until = count_until (processes->executions, start_ticks);
  guint n_before = first > 0 ? count_until (processes->executions, first - 1) : 0;

  if (n_until - n_before != 1 || first <= processes->forgotten_ticks)
    return NULL;
  return g_array_index (processes->executions, Execution, n_before).process;
}

/* Root's may have become any user's. */
static gboolean
may_be_user_of (const ZinitProcess *process, pid_t pid)
{
  uid_t own = process->uid, its;

  if (!process->has_uid && (!process->has_main || !zinit_proc_read_single_uid (process->pid, &own)))
    return FALSE;
  return own == 0 || (zinit_proc_read_single_uid (pid, &its) && its == own);
}

static ZinitProcess *
find_by_session (const ZinitProcesses *processes, pid_t session, pid_t group)
{
  ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (session));

  if (process != NULL && process->leader == session)
    return process;
  process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (group));
  return process != NULL && process->leader == group ? process : NULL;
}

/* FALSE with errno when its tags cannot be read now. */
static gboolean
judge (ZinitProcesses *processes, const ZinitProcEntry *entry, ZinitProcess **ret_owner)
{
  g_auto (ZinitTags) tags = { 0 };
  ZinitProcess key = { 0 };

  *ret_owner = find_by_session (processes, entry->session, entry->group);
  if (*ret_owner != NULL)
    return TRUE;
  errno = 0;
  if (zinit_tags_read_run (entry->pid, &tags)) {
    key.service = tags.service;
    key.run = tags.run;
    *ret_owner = g_hash_table_lookup (processes->by_run, &key);
    if (*ret_owner != NULL && !zinit_tags_are_on (entry->pid, (const char *const *)(*ret_owner)->tags))
      *ret_owner = NULL;
    return TRUE;
  }
  if (zinit_error_is_transient (errno))
    return FALSE;
  *ret_owner = find_by_time (processes, entry->start_ticks);
  if (*ret_owner != NULL &&
      (!(*ret_owner)->has_group || (*ret_owner)->is_adopted || !may_be_user_of (*ret_owner, entry->pid)))
    *ret_owner = NULL;
  return TRUE;
}

static void
add (ZinitProcesses *processes, const ZinitProcEntry *entry, ZinitProcess *owner, int pidfd)
{
  ZinitStray *stray = g_new0 (ZinitStray, 1);

  *stray = (ZinitStray){ entry->pid, entry->start_ticks, owner, pidfd };
  g_hash_table_replace (processes->strays, GINT_TO_POINTER (entry->pid), stray);
  if (owner == NULL)
    return;
  if (owner->strays == NULL)
    owner->strays = g_ptr_array_new ();
  g_ptr_array_add (owner->strays, stray);
  zinit_tree_add_stray (owner, entry);
}

static gboolean
is_main (const ZinitProcesses *processes, pid_t pid)
{
  const ZinitProcess *process = g_hash_table_lookup (processes->by_pid, GINT_TO_POINTER (pid));

  return process != NULL &&
         ((process->has_main && process->pid == pid) || (process->is_held && process->leader == pid));
}

static void
consider_child (pid_t pid, gpointer data)
{
  ZinitProcesses *processes = data;
  ZinitProcess *owner;
  ZinitProcEntry entry;

  if (is_main (processes, pid) || g_hash_table_contains (processes->strays, GINT_TO_POINTER (pid)))
    return;
  /* What has ended is reaped soon; what it has left has come to us by itself. */
  if (!zinit_proc_read (pid, &entry) || entry.is_dead || !judge (processes, &entry, &owner))
    return;
  if (owner == NULL)
    g_message ("process %d (%.15s) has lost its parent and belongs to no service; it is left alone", (int)pid,
               entry.name);
  add (processes, &entry, owner, -1);
}

gboolean
zinit_strays_find (ZinitProcesses *processes, gboolean may_wait)
{
  guint64 turn = zinit_loop_get_turn (processes->loop);
  gint64 began_usec = g_get_monotonic_time (), now_usec;
  gboolean is_known;

  if (processes->strays_turn == turn)
    return TRUE;
  if (may_wait && began_usec < processes->next_strays_usec)
    return FALSE;
  is_known = zinit_proc_foreach_child (getpid (), consider_child, processes);
  if (is_known)
    processes->strays_turn = turn;
  now_usec = g_get_monotonic_time ();
  processes->next_strays_usec = now_usec + MIN (REST * (now_usec - began_usec), MAX_REST_USEC);
  return is_known;
}

typedef struct {
  ZinitProcesses *processes;
  GHashTable *leaders; /* of all trees */
} Scan;

static gboolean
is_untold (pid_t pid, gpointer data)
{
  const Scan *scan = data;

  return !g_hash_table_contains (scan->leaders, GINT_TO_POINTER (getsid (pid))) &&
         !g_hash_table_contains (scan->processes->strays, GINT_TO_POINTER (pid)) &&
         !is_main (scan->processes, pid);
}

static void
consider_tagged (const ZinitProcEntry *entry, gpointer data)
{
  const Scan *scan = data;
  g_auto (ZinitTags) tags = { 0 };
  int pidfd = entry->is_dead ? -1 : pidfd_open (entry->pid, 0);
  ZinitProcess key = { 0 }, *owner = NULL;

  if (pidfd >= 0 && zinit_tags_read_run (entry->pid, &tags)) {
    key.service = tags.service;
    key.run = tags.run;
    owner = g_hash_table_lookup (scan->processes->by_run, &key);
  }
  if (owner != NULL && owner->is_adopted && owner->has_group && owner->pid != entry->pid &&
      zinit_tags_are_on (entry->pid, (const char *const *)owner->tags))
    add (scan->processes, entry, owner, pidfd);
  else if (pidfd >= 0)
    close (pidfd);
}

static void
note_leader (gpointer key, gpointer value, gpointer data)
{
  g_hash_table_insert (data, GINT_TO_POINTER (((const ZinitProcess *)key)->leader), key);
}

gboolean
zinit_strays_scan (ZinitProcesses *processes, gboolean may_wait)
{
  gint64 began_usec = g_get_monotonic_time ();
  guint64 turn = zinit_loop_get_turn (processes->loop);
  g_autoptr (GHashTable) leaders = NULL;
  Scan scan = { processes, NULL };
  gboolean is_known;

  if (processes->scan_turn == turn)
    return TRUE;
  if (may_wait && began_usec < processes->next_tags_usec)
    return FALSE;
  scan.leaders = leaders = g_hash_table_new (NULL, NULL);
  g_hash_table_foreach (processes->by_run, note_leader, leaders);
  is_known = zinit_proc_walk (is_untold, consider_tagged, &scan);
  if (is_known)
    processes->scan_turn = turn;
  processes->next_tags_usec = g_get_monotonic_time () + REST_TAGS * (g_get_monotonic_time () - began_usec);
  return is_known;
}

typedef struct {
  const ZinitProcesses *processes;
  GHashTable *leaders; /* pid → ZinitProcess of all trees */
  GHashTable *entries; /* pid → ZinitProcEntry */
} Walk;

static ZinitProcess *
find_by_leader (const Walk *walk, pid_t leader)
{
  ZinitProcess *process = g_hash_table_lookup (walk->leaders, GINT_TO_POINTER (leader));

  if (process == NULL)
    process = g_hash_table_lookup (walk->processes->by_pid, GINT_TO_POINTER (leader));
  return process != NULL && process->leader == leader ? process : NULL;
}

static gboolean
is_outside (pid_t pid, gpointer data)
{
  const Walk *walk = data;
  pid_t session = getsid (pid);

  return find_by_leader (walk, session) == NULL || getpgid (pid) != session;
}

static void
note_entry (const ZinitProcEntry *entry, gpointer data)
{
  g_hash_table_insert (((const Walk *)data)->entries, GINT_TO_POINTER (entry->pid),
                       g_memdup2 (entry, sizeof *entry));
}

/* Of the nearest of its ancestors that is known to belong to one. */
static ZinitProcess *
find_owner (const Walk *walk, pid_t pid)
{
  while (pid > 1 && pid != getpid ()) {
    const ZinitStray *stray = g_hash_table_lookup (walk->processes->strays, GINT_TO_POINTER (pid));
    const ZinitProcEntry *entry = g_hash_table_lookup (walk->entries, GINT_TO_POINTER (pid));
    ZinitProcess *process = g_hash_table_lookup (walk->processes->by_pid, GINT_TO_POINTER (pid));

    if (stray != NULL)
      return stray->owner;
    if (process == NULL)
      process = find_by_leader (walk, entry != NULL ? entry->session : getsid (pid));
    if (process == NULL)
      process = find_by_leader (walk, entry != NULL ? entry->group : getpgid (pid));
    if (process != NULL || entry == NULL)
      return process;
    pid = entry->parent;
  }
  return NULL;
}

void
zinit_strays_walk (ZinitProcesses *processes, ZinitMemberFunc func, gpointer data)
{
  g_autoptr (GHashTable) leaders = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) entries = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  Walk walk = { processes, leaders, entries };
  GHashTableIter iter;
  gpointer value;

  g_hash_table_foreach (processes->by_run, note_leader, leaders);
  zinit_proc_walk (is_outside, note_entry, &walk);
  g_hash_table_iter_init (&iter, entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const ZinitProcEntry *entry = value;
    ZinitProcess *owner = entry->is_dead ? NULL : find_owner (&walk, entry->pid);

    if (owner != NULL)
      func (owner, entry, data);
  }
}

static ZinitProcess *
drop (ZinitProcesses *processes, ZinitStray *stray)
{
  ZinitProcess *owner = stray->owner;

  if (owner != NULL) {
    g_ptr_array_remove_fast (owner->strays, stray);
    if (owner->strays->len == 0)
      g_clear_pointer (&owner->strays, g_ptr_array_unref);
  }
  g_hash_table_remove (processes->strays, GINT_TO_POINTER (stray->pid));
  return owner;
}

ZinitProcess *
zinit_strays_drop (ZinitProcesses *processes, pid_t pid)
{
  ZinitStray *stray = g_hash_table_lookup (processes->strays, GINT_TO_POINTER (pid));

  return stray != NULL ? drop (processes, stray) : NULL;
}

void
zinit_strays_drop_dead (ZinitProcess *process)
{
  for (guint i = process->strays != NULL ? process->strays->len : 0; i-- > 0;) {
    ZinitStray *stray = process->strays->pdata[i];
    struct pollfd poll_fd = { .fd = stray->pidfd, .events = POLLIN };

    if (stray->pidfd >= 0 && poll (&poll_fd, 1, 0) == 1)
      drop (process->processes, stray);
    if (process->strays == NULL)
      return;
  }
}

void
zinit_strays_forget (ZinitProcess *process)
{
  for (guint i = process->strays != NULL ? process->strays->len : 0; i-- > 0;) {
    ZinitStray *stray = process->strays->pdata[i];

    stray->owner = NULL;
    /* Nothing will tell of its end. */
    if (stray->pidfd >= 0)
      drop (process->processes, stray);
  }
  g_clear_pointer (&process->strays, g_ptr_array_unref);
  g_ptr_array_remove_fast (process->processes->touched, process);
  if (process->service != NULL && g_hash_table_lookup (process->processes->by_run, process) == process)
    g_hash_table_remove (process->processes->by_run, process);
}

void
zinit_strays_disown (ZinitProcesses *processes, pid_t pid)
{
  ZinitProcEntry entry = { .pid = pid };

  add (processes, &entry, NULL, -1);
}
