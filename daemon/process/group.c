/* SPDX-License-Identifier: Apache-2.0
 *
 * A pidfd of the leader always names its group, also when the leader has been reaped. Kernels before 6.9
 * cannot signal by it: there the leader stays a zombie as long as the group is of interest, which keeps the
 * number ours, and /proc says who lives. Of a group whose leader was gone before we came only the members
 * can be named, one by one.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/group.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "model/error.h"
#include "process/tags.h"
#include "process/private.h"
#include "process/procfs.h"

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
#endif

gboolean
zinit_group_has_signals (void)
{
  int self = pidfd_open (getpid (), 0);
  gboolean is_known;

  if (self < 0)
    return FALSE;
  /* Whether we lead a group or not, a kernel that knows the flag does not call it invalid. */
  is_known =
      pidfd_send_signal (self, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP) == 0 || errno == ESRCH || errno == EPERM;
  close (self);
  return is_known;
}

static int
get_leader_fd (const ZinitProcess *process)
{
  return process->pid == process->leader ? process->pidfd : process->leader_fd;
}

/* -1 where a group is not signalled by it. */
static int
get_name (const ZinitProcess *process)
{
  return process->processes->has_group_signals ? get_leader_fd (process) : -1;
}

gboolean
zinit_group_is_gone (const ZinitProcess *process)
{
  /* Where only the number can be asked about it may be another group's by now, or be kept by a leader that we
   * hold; that there is none is true all the same. */
  int name = get_name (process);
  int result =
      name >= 0 ? pidfd_send_signal (name, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP) : kill (-process->leader, 0);

  return result != 0 && errno == ESRCH;
}

static gboolean
signal_member (pid_t pid, int pidfd, gpointer signo)
{
  return pidfd_send_signal (pidfd, GPOINTER_TO_INT (signo), NULL, 0) == 0;
}

static gboolean
signal_tagged (const ZinitProcess *process, int signo)
{
  guint n_signalled = 0;

  if (process->tags != NULL)
    zinit_tags_walk_group (process->leader, (const char *const *)process->tags, signal_member,
                           GINT_TO_POINTER (signo), &n_signalled);
  return n_signalled > 0;
}

gboolean
zinit_group_signal (ZinitProcess *process, int signo, GError **error)
{
  int name = get_name (process);
  int result;

  if (name >= 0)
    result = pidfd_send_signal (name, signo, NULL, PIDFD_SIGNAL_PROCESS_GROUP);
  else if (process->is_held || (process->has_main && process->pid == process->leader))
    result = kill (-process->leader, signo);
  else
    return signal_tagged (process, signo);
  if (result != 0 && errno != ESRCH)
    g_set_error (error, ZINIT_ERROR, errno == EINVAL ? ZINIT_ERROR_INVALID_SIGNAL : ZINIT_ERROR_FAILED,
                 "cannot send signal %d to the process group %d: %s", signo, process->leader,
                 g_strerror (errno));
  return result == 0;
}

typedef struct {
  GHashTable *asked;
  GHashTable *living;
  GArray *orphans; /* NULL = of no interest */
  pid_t self;
} Scan;

static gboolean
is_asked (pid_t pid, gpointer data)
{
  const Scan *scan = data;

  return scan->orphans != NULL || g_hash_table_contains (scan->asked, GINT_TO_POINTER (getpgid (pid)));
}

/* If the leader was gone before we came, its number may be another's once the group is empty. */
static gboolean
is_member (const ZinitProcess *process, pid_t pid)
{
  return process != NULL && (get_leader_fd (process) >= 0 || process->tags == NULL ||
                             zinit_tags_are_on (pid, (const char *const *)process->tags));
}

static void
scan_entry (const ZinitProcEntry *entry, gpointer data)
{
  Scan *scan = data;
  gpointer group = GINT_TO_POINTER (entry->group);

  if (!entry->is_dead && is_member (g_hash_table_lookup (scan->asked, group), entry->pid))
    g_hash_table_add (scan->living, group);
  else if (entry->is_dead && scan->orphans != NULL && entry->parent == scan->self)
    g_array_append_val (scan->orphans, entry->pid);
}

GHashTable *
zinit_group_scan (GHashTable *asked, ZinitOrphanFunc func, gpointer data)
{
  g_autoptr (GHashTable) living = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) orphans = func != NULL ? g_array_new (FALSE, FALSE, sizeof (pid_t)) : NULL;
  Scan scan = { asked, living, orphans, getpid () };

  if (!zinit_proc_walk (is_asked, scan_entry, &scan))
    return NULL;
  for (guint i = 0; func != NULL && i < orphans->len; i++)
    func (g_array_index (orphans, pid_t, i), data);
  return g_steal_pointer (&living);
}
