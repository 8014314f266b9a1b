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

static gboolean
has_name (const ZinitProcess *process)
{
  return process->processes->has_group_signals && process->pidfd >= 0;
}

gboolean
zinit_group_is_gone (const ZinitProcess *process)
{
  /* Where only the number can be asked about it may be another group's by now, or be kept by a leader that we
   * hold; that there is none is true all the same. */
  int result = has_name (process) ? pidfd_send_signal (process->pidfd, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP)
                                  : kill (-process->pid, 0);

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
    zinit_tags_walk_group (process->pid, (const char *const *)process->tags, signal_member,
                           GINT_TO_POINTER (signo), &n_signalled);
  return n_signalled > 0;
}

gboolean
zinit_group_signal (ZinitProcess *process, int signo, GError **error)
{
  int result;

  if (has_name (process))
    result = pidfd_send_signal (process->pidfd, signo, NULL, PIDFD_SIGNAL_PROCESS_GROUP);
  else if (process->has_main || process->is_held)
    result = kill (-process->pid, signo);
  else
    return signal_tagged (process, signo);
  /* An adopted process need not lead a group; then it is the only one. */
  if (result != 0 && errno == ESRCH && process->has_main && process->pidfd >= 0)
    result = pidfd_send_signal (process->pidfd, signo, NULL, 0);
  if (result != 0 && errno != ESRCH)
    g_set_error (error, ZINIT_ERROR, errno == EINVAL ? ZINIT_ERROR_INVALID_SIGNAL : ZINIT_ERROR_FAILED,
                 "cannot send signal %d to the process group %d: %s", signo, process->pid,
                 g_strerror (errno));
  return result == 0;
}

typedef struct {
  GHashTable *asked;
  GHashTable *living;
  GArray *orphans; /* NULL = of no interest */
  pid_t self;
} Survey;

static gboolean
is_asked (pid_t pid, gpointer data)
{
  const Survey *survey = data;

  return survey->orphans != NULL || g_hash_table_contains (survey->asked, GINT_TO_POINTER (getpgid (pid)));
}

/* If the leader was gone before we came, its number may be another's once the group is empty. */
static gboolean
is_member (const ZinitProcess *process, pid_t pid)
{
  return process != NULL && (process->pidfd >= 0 || process->tags == NULL ||
                             zinit_tags_are_on (pid, (const char *const *)process->tags));
}

static void
survey_entry (const ZinitProcEntry *entry, gpointer data)
{
  Survey *survey = data;
  gpointer group = GINT_TO_POINTER (entry->group);

  if (!entry->is_dead && is_member (g_hash_table_lookup (survey->asked, group), entry->pid))
    g_hash_table_add (survey->living, group);
  else if (entry->is_dead && survey->orphans != NULL && entry->parent == survey->self)
    g_array_append_val (survey->orphans, entry->pid);
}

GHashTable *
zinit_group_survey (GHashTable *asked, ZinitOrphanFunc func, gpointer data)
{
  g_autoptr (GHashTable) living = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) orphans = func != NULL ? g_array_new (FALSE, FALSE, sizeof (pid_t)) : NULL;
  Survey survey = { asked, living, orphans, getpid () };

  if (!zinit_proc_walk (is_asked, survey_entry, &survey))
    return NULL;
  for (guint i = 0; func != NULL && i < orphans->len; i++)
    func (g_array_index (orphans, pid_t, i), data);
  return g_steal_pointer (&living);
}
