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

pid_t
zinit_survivors_find_member (const char *instance, const char *service, pid_t group)
{
  g_autofree char *of_service = g_strconcat ("ZINIT_SERVICE=", service, NULL);
  g_autofree char *of_instance = g_strconcat ("ZINIT_INSTANCE=", instance, NULL);
  const char *const marks[] = { of_service, of_instance, NULL };
  pid_t found = 0;

  /* 0 and 1 would mean others. */
  if (group >= 2 && (kill (-group, 0) == 0 || errno != ESRCH))
    zinit_marks_walk (group, marks, take_first, &found);
  return found;
}

static gboolean
is_nameless (const char *path)
{
  g_autofree char *target = g_file_read_link (path, NULL);

  return target != NULL && g_str_has_prefix (target, "pipe:[");
}

void
zinit_survivor_open_outputs (pid_t pid, int outputs[ZINIT_N_STREAMS])
{
  ino_t first = 0;

  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++) {
    g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%d", (int)pid, (int)stream + 1);
    struct stat info;

    outputs[stream] = -1;
    /* The ends that we give are of pipes without a name, and open for reading and writing. One that is not is
     * between the service and somebody else: reading it would rob him. */
    if (lstat (path, &info) != 0 || (info.st_mode & 0600) != 0600 || !is_nameless (path))
      continue;
    if (stat (path, &info) != 0 || !S_ISFIFO (info.st_mode) || (stream > 0 && info.st_ino == first))
      continue;
    first = info.st_ino;
    outputs[stream] = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
}
