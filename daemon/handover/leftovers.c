/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over /proc at the start of a daemon that has no exact knowledge of what an earlier one left.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "process/procfs.h"
#include "process/tags.h"

static void
leftover_free (gpointer data)
{
  ZinitLeftover *leftover = data;

  g_free (leftover->service);
  g_free (leftover);
}

/* A zombie has left its group as well. */
static gboolean
has_living_leader (pid_t group)
{
  ZinitProcEntry entry;

  return zinit_proc_read (group, &entry) && !entry.is_dead;
}

/* Most processes of a service are in the session of its main process, and go with that. */
static gboolean
is_of_interest (pid_t pid)
{
  pid_t leader = getsid (pid);

  return leader > 1 && (leader == pid || !has_living_leader (leader));
}

/* NULL with errno: 0 when @pid is not one of ours. */
static ZinitLeftover *
examine (pid_t pid, const char *instance)
{
  g_auto (ZinitTags) tags = { 0 };
  ZinitLeftover *leftover;
  ZinitProcEntry entry;

  errno = 0;
  if (!is_of_interest (pid)) {
    errno = 0;
    return NULL;
  }
  if (!zinit_tags_read (pid, instance, &tags))
    return NULL;
  leftover = g_new0 (ZinitLeftover, 1);
  leftover->pid = pid;
  leftover->group = getpgid (pid);
  leftover->service = g_steal_pointer (&tags.service);
  leftover->run = tags.run;
  leftover->main = tags.main;
  errno = 0;
  leftover->has_uid = zinit_proc_read_single_uid (pid, &leftover->uid);
  if (!leftover->has_uid && zinit_error_is_transient (errno)) {
    int reason = errno;

    leftover_free (leftover);
    errno = reason;
    return NULL;
  }
  leftover->start_ticks = zinit_proc_read (pid, &entry) ? entry.start_ticks : G_MAXUINT64;
  return leftover;
}

static int
compare_leftovers (gconstpointer a, gconstpointer b)
{
  const ZinitLeftover *first = *(const ZinitLeftover *const *)a, *second = *(const ZinitLeftover *const *)b;

  if (first->start_ticks != second->start_ticks)
    return first->start_ticks < second->start_ticks ? -1 : 1;
  /* Within one tick numbers mostly rise. */
  return first->pid < second->pid ? -1 : first->pid > second->pid;
}

typedef struct {
  const char *instance;
  GPtrArray *leftovers;
} Search;

/* FALSE with errno when the kernel does not tell now. */
static gboolean
visit (pid_t pid, gpointer data)
{
  const Search *search = data;
  ZinitLeftover *leftover = pid > 1 ? examine (pid, search->instance) : NULL;

  if (leftover != NULL)
    g_ptr_array_add (search->leftovers, leftover);
  return leftover != NULL || pid <= 1 || errno == 0;
}

GPtrArray *
zinit_leftovers_find (const char *instance, GError **error)
{
  g_autoptr (GPtrArray) leftovers = g_ptr_array_new_with_free_func (leftover_free);
  Search search = { instance, leftovers };

  if (!zinit_proc_foreach_number (visit, &search)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "/proc cannot be read: %s", g_strerror (errno));
    return NULL;
  }
  g_ptr_array_sort (leftovers, compare_leftovers);
  return g_steal_pointer (&leftovers);
}

typedef struct {
  const char *folder;
  guint64 start_ticks; /* of the one that was found */
  char *instance;
  int reason; /* why one cannot be asked now, an errno; 0 = all could be */
} InstanceSearch;

static gboolean
leads_session (pid_t pid, gpointer data)
{
  return getsid (pid) == pid;
}

static void
read_instance (const ZinitProcEntry *entry, gpointer data)
{
  InstanceSearch *search = data;
  char *instance = NULL;

  errno = 0;
  if (!entry->is_dead && entry->start_ticks >= search->start_ticks)
    instance = zinit_tags_read_instance (entry->pid, search->folder);
  if (instance == NULL) {
    search->reason = errno != 0 ? errno : search->reason;
    return;
  }
  g_free (search->instance);
  search->instance = instance;
  search->start_ticks = entry->start_ticks;
}

gboolean
zinit_leftovers_find_instance (const char *folder, char **ret_instance)
{
  InstanceSearch search = { .folder = folder };

  if (zinit_proc_walk (leads_session, read_instance, &search))
    errno = search.reason;
  *ret_instance = search.instance;
  return errno == 0;
}

/* The pidfd comes before the question, so that the process that is checked is the one that is opened. */
int
zinit_leftover_open (const ZinitLeftover *leftover, const char *instance)
{
  int pidfd = pidfd_open (leftover->pid, 0);
  g_auto (ZinitTags) tags = { 0 };

  if (pidfd >= 0 && zinit_tags_read (leftover->pid, instance, &tags) &&
      g_str_equal (tags.service, leftover->service) && tags.run == leftover->run)
    return pidfd;
  if (pidfd >= 0)
    close (pidfd);
  return -1;
}

static gboolean
is_taken (int fd, const struct stat *info)
{
  struct stat taken;

  return fd >= 0 && fstat (fd, &taken) == 0 && taken.st_ino == info->st_ino;
}

/* The pipe behind descriptor @number of @pid as @stream, if it is that of @inode. */
static void
open_output (pid_t pid, int number, ZinitStream stream, guint64 inode, int outputs[ZINIT_N_STREAMS])
{
  char name[16], target[32];
  struct stat info;
  int fd;

  g_snprintf (name, sizeof name, "fd/%d", number);
  /* The ends that we give are of pipes without a name, and open for reading and writing. One that is not is
   * between the service and another process: reading it would take the other one's bytes. */
  if (!zinit_proc_read_status (pid, name, &info) || (info.st_mode & 0600) != 0600 ||
      !zinit_proc_read_link (pid, name, target, sizeof target) || !g_str_has_prefix (target, "pipe:["))
    return;
  fd = zinit_proc_open (pid, name, O_RDONLY | O_NONBLOCK);
  if (fd < 0)
    return;
  if (fstat (fd, &info) == 0 && S_ISFIFO (info.st_mode) && (inode == 0 || info.st_ino == inode) &&
      !is_taken (outputs[ZINIT_STREAM_STDOUT], &info))
    outputs[stream] = fd;
  else
    close (fd);
}

void
zinit_leftover_open_outputs (pid_t pid, const guint64 inodes[ZINIT_N_STREAMS], int outputs[ZINIT_N_STREAMS])
{
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    outputs[stream] = -1;
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    open_output (pid, (int)stream + 1, stream, inodes[stream], outputs);
}

typedef struct {
  const guint64 *inodes;
  int *outputs;
} Wanted;

static gboolean
is_missing (const Wanted *wanted, ZinitStream stream)
{
  return wanted->inodes[stream] != 0 && wanted->outputs[stream] < 0;
}

static gboolean
look_for_outputs (pid_t pid, int pidfd, gpointer data)
{
  const Wanted *wanted = data;

  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    for (int number = 1; number <= ZINIT_N_STREAMS && is_missing (wanted, stream); number++)
      open_output (pid, number, stream, wanted->inodes[stream], wanted->outputs);
  return TRUE;
}

static void
count_child (pid_t child, gpointer data)
{
  ++*(guint *)data;
}

/* It lives and has no child, so no other process can have got its pipes from it; most services are like
 * this, and a walk for each of a thousand that have closed theirs would take seconds. */
static gboolean
is_alone (pid_t leader)
{
  guint n_children = 0;

  return has_living_leader (leader) && zinit_proc_foreach_child (leader, count_child, &n_children) &&
         n_children == 0;
}

void
zinit_leftovers_find_outputs (const char *const *tags, pid_t group, const guint64 inodes[ZINIT_N_STREAMS],
                              int outputs[ZINIT_N_STREAMS])
{
  Wanted wanted = { inodes, outputs };

  /* Of most services both have been found. */
  if (!is_missing (&wanted, ZINIT_STREAM_STDOUT) && !is_missing (&wanted, ZINIT_STREAM_STDERR))
    return;
  /* 0 and 1 would mean others. */
  if (group >= 2 && (kill (-group, 0) == 0 || errno != ESRCH) && !is_alone (group))
    zinit_tags_walk_group (group, tags, look_for_outputs, &wanted, NULL);
}
