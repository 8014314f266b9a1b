/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading of /proc/PID/environ, and walking over those that have the marks.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/marks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/procfs.h"

/* The kernel allows arguments and environment that much by default. */
#define MAX_ENVIRONMENT_BYTES (2 << 20)

#define EXEC_LOOKS 10
#define EXEC_LOOK_USEC 1000

/* It need not end in a NUL. */
static void
read_once (pid_t pid, GString *environment)
{
  char path[sizeof "/proc//environ" + 11];
  char buffer[4096];
  gssize length;
  int fd;

  g_snprintf (path, sizeof path, "/proc/%d/environ", (int)pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  while (environment->len < MAX_ENVIRONMENT_BYTES && (length = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (environment, buffer, length);
  close (fd);
}

/* A process that has just come to its exec has none yet for a moment. A zombie never has one again, and its
 * executable is gone. */
static GString *
read_marks (pid_t pid)
{
  GString *environment = g_string_new (NULL);
  char exe[sizeof "/proc//exe" + 11];
  char target[1];

  g_snprintf (exe, sizeof exe, "/proc/%d/exe", (int)pid);
  read_once (pid, environment);
  for (guint n = 0; environment->len == 0 && n < EXEC_LOOKS && readlink (exe, target, sizeof target) > 0;
       n++) {
    g_usleep (EXEC_LOOK_USEC);
    read_once (pid, environment);
  }
  return environment;
}

/* The last one counts: ours are set after all others. */
static const char *
find (const GString *environment, const char *name, gsize length)
{
  const char *found = NULL;

  for (const char *at = environment->str; at < environment->str + environment->len; at += strlen (at) + 1)
    if (strncmp (at, name, length) == 0 && at[length] == '=')
      found = at + length + 1;
  return found;
}

static gboolean
stat_namespace (const char *pid, struct stat *status)
{
  g_autofree char *path = g_strconcat ("/proc/", pid, "/ns/pid", NULL);

  return stat (path, status) == 0;
}

static gboolean
is_of_our_namespace (pid_t pid)
{
  g_autofree char *name = g_strdup_printf ("%d", (int)pid);
  struct stat ours, its;

  return stat_namespace ("self", &ours) && stat_namespace (name, &its) && ours.st_ino == its.st_ino &&
         ours.st_dev == its.st_dev;
}

char *
zinit_marks_read_service (pid_t pid, const char *instance)
{
  static const char of_instance[] = "ZINIT_INSTANCE", of_service[] = "ZINIT_SERVICE";
  g_autoptr (GString) environment = read_marks (pid);

  if (g_strcmp0 (find (environment, of_instance, strlen (of_instance)), instance) != 0 ||
      !is_of_our_namespace (pid))
    return NULL;
  return g_strdup (find (environment, of_service, strlen (of_service)));
}

gboolean
zinit_marks_are_on (pid_t pid, const char *const *marks)
{
  g_autoptr (GString) environment = read_marks (pid);

  for (guint i = 0; marks[i] != NULL; i++) {
    gsize length = strcspn (marks[i], "=");

    if (g_strcmp0 (find (environment, marks[i], length), marks[i] + length + 1) != 0)
      return FALSE;
  }
  return is_of_our_namespace (pid);
}

typedef struct {
  pid_t group;
  const char *const *marks;
  ZinitMemberFunc func;
  gpointer data;
  guint n;
} Walk;

static gboolean
is_in_group (pid_t pid, gpointer data)
{
  return getpgid (pid) == ((const Walk *)data)->group;
}

/* The pidfd comes before the questions, so that who was asked about is who is meant. */
static void
look_at (const ZinitProcEntry *entry, gpointer data)
{
  Walk *walk = data;
  int pidfd = entry->is_dead ? -1 : pidfd_open (entry->pid, 0);

  if (pidfd < 0)
    return;
  if (is_in_group (entry->pid, walk) && zinit_marks_are_on (entry->pid, walk->marks))
    walk->n += walk->func (entry->pid, pidfd, walk->data) ? 1 : 0;
  close (pidfd);
}

guint
zinit_marks_walk (pid_t group, const char *const *marks, ZinitMemberFunc func, gpointer data)
{
  Walk walk = { group, marks, func, data, 0 };

  zinit_proc_walk (is_in_group, look_at, &walk);
  return walk.n;
}
