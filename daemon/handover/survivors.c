/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over /proc at the start of a daemon that has no exact knowledge of what an earlier one left.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/survivors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/marks.h"
#include "process/procfs.h"

static void
survivor_free (gpointer data)
{
  ZinitSurvivor *survivor = data;

  g_free (survivor->service);
  g_free (survivor);
}

/* A zombie has left its group as well. */
static gboolean
has_living_leader (pid_t group)
{
  ZinitProcEntry entry;

  return zinit_proc_read (group, &entry) && !entry.is_dead;
}

/* Children of a service have its marks as well, but only its first process leads a session by our doing.
 * Where that is gone, whoever is left of its group stands for it. */
static ZinitSurvivor *
look_at (pid_t pid, const char *instance)
{
  pid_t leader = getsid (pid);
  ZinitSurvivor *survivor;
  ZinitProcEntry entry;
  char *service;

  if (leader < 2 || (leader != pid && (getpgid (pid) != leader || has_living_leader (leader))))
    return NULL;
  service = zinit_marks_read_service (pid, instance);
  if (service == NULL)
    return NULL;
  survivor = g_new0 (ZinitSurvivor, 1);
  survivor->pid = leader;
  survivor->member = pid;
  survivor->service = service;
  survivor->start_ticks = zinit_proc_read (pid, &entry) ? entry.start_ticks : G_MAXUINT64;
  return survivor;
}

static int
compare_survivors (gconstpointer a, gconstpointer b)
{
  const ZinitSurvivor *first = *(const ZinitSurvivor *const *)a, *second = *(const ZinitSurvivor *const *)b;
  gboolean first_is_dead = first->member != first->pid, second_is_dead = second->member != second->pid;

  if (first_is_dead != second_is_dead)
    return first_is_dead - second_is_dead;
  if (first->start_ticks != second->start_ticks)
    return first->start_ticks < second->start_ticks ? -1 : 1;
  /* Within one tick numbers mostly rise. */
  return first->pid < second->pid ? -1 : first->pid > second->pid;
}

GPtrArray *
zinit_survivors_find (const char *instance)
{
  GPtrArray *survivors = g_ptr_array_new_with_free_func (survivor_free);
  g_autoptr (GDir) directory = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    pid_t pid = (pid_t)g_ascii_strtoll (name, NULL, 10);
    ZinitSurvivor *survivor = pid > 1 ? look_at (pid, instance) : NULL;

    if (survivor != NULL)
      g_ptr_array_add (survivors, survivor);
  }
  g_ptr_array_sort (survivors, compare_survivors);
  return survivors;
}

/* The pidfd comes before the question, so that who was asked about is who is held. */
int
zinit_survivor_open (const ZinitSurvivor *survivor, const char *instance)
{
  int pidfd = pidfd_open (survivor->pid, 0);
  g_autofree char *service = pidfd >= 0 ? zinit_marks_read_service (survivor->pid, instance) : NULL;

  if (g_strcmp0 (service, survivor->service) == 0)
    return pidfd;
  if (pidfd >= 0)
    close (pidfd);
  return -1;
}

static gboolean
take_first (pid_t pid, int pidfd, gpointer data)
{
  pid_t *found = data;

  if (*found == 0)
    *found = pid;
  return TRUE;
}

static void
walk_group (const char *instance, const char *service, pid_t group, ZinitMemberFunc func, gpointer data)
{
  g_autofree char *of_service = g_strconcat ("ZINIT_SERVICE=", service, NULL);
  g_autofree char *of_instance = g_strconcat ("ZINIT_INSTANCE=", instance, NULL);
  const char *const marks[] = { of_service, of_instance, NULL };

  /* 0 and 1 would mean others. */
  if (group >= 2 && (kill (-group, 0) == 0 || errno != ESRCH))
    zinit_marks_walk (group, marks, func, data);
}

pid_t
zinit_survivors_find_member (const char *instance, const char *service, pid_t group)
{
  pid_t found = 0;

  walk_group (instance, service, group, take_first, &found);
  return found;
}

static gboolean
is_nameless (const char *path)
{
  g_autofree char *target = g_file_read_link (path, NULL);

  return target != NULL && g_str_has_prefix (target, "pipe:[");
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
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%d", (int)pid, number);
  struct stat info;
  int fd;

  /* The ends that we give are of pipes without a name, and open for reading and writing. One that is not is
   * between the service and somebody else: reading it would rob him. */
  if (lstat (path, &info) != 0 || (info.st_mode & 0600) != 0600 || !is_nameless (path))
    return;
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return;
  if (fstat (fd, &info) == 0 && S_ISFIFO (info.st_mode) && (inode == 0 || info.st_ino == inode) &&
      !is_taken (outputs[ZINIT_STREAM_STDOUT], &info))
    outputs[stream] = fd;
  else
    close (fd);
}

void
zinit_survivor_open_outputs (pid_t pid, const guint64 inodes[ZINIT_N_STREAMS], int outputs[ZINIT_N_STREAMS])
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

/* It lives and has no child, so there is nobody whom it could have given its pipes; most services are like
 * this, and a walk for each of a thousand that have closed theirs would take seconds. */
static gboolean
is_alone (pid_t leader)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", (int)leader, (int)leader);
  g_autofree char *children = NULL;

  return has_living_leader (leader) && g_file_get_contents (path, &children, NULL, NULL) && *children == '\0';
}

void
zinit_survivors_find_outputs (const char *instance, const char *service, pid_t group,
                              const guint64 inodes[ZINIT_N_STREAMS], int outputs[ZINIT_N_STREAMS])
{
  Wanted wanted = { inodes, outputs };

  if ((is_missing (&wanted, ZINIT_STREAM_STDOUT) || is_missing (&wanted, ZINIT_STREAM_STDERR)) &&
      !is_alone (group))
    walk_group (instance, service, group, look_for_outputs, &wanted);
}
