/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over /proc at the start of a daemon that has no exact knowledge of what an earlier one left.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/survivors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENVIRONMENT_BYTES                                                                                \
  (2 << 20) /* the kernel allows arguments and environment that much by default                              \
             */

#define EXEC_LOOKS 10
#define EXEC_LOOK_USEC 1000

static void
survivor_free (gpointer data)
{
  ZinitSurvivor *survivor = data;

  g_free (survivor->service);
  g_free (survivor);
}

/* The environment that the process was given; it need not end in a NUL. */
static GString *
read_environment (const char *pid)
{
  g_autofree char *path = g_strconcat ("/proc/", pid, "/environ", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  GString *text = g_string_new (NULL);
  char buffer[4096];
  gssize length;

  if (fd < 0)
    return text;
  while (text->len < MAX_ENVIRONMENT_BYTES && (length = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, length);
  close (fd);
  return text;
}

/* The last one counts: ours are set after all others. */
static const char *
find_variable (const GString *environment, const char *name)
{
  gsize length = strlen (name);
  const char *found = NULL;

  for (const char *at = environment->str; at < environment->str + environment->len; at += strlen (at) + 1)
    if (strncmp (at, name, length) == 0 && at[length] == '=')
      found = at + length + 1;
  return found;
}

/* A process that has just come to its exec has none yet for a moment. A zombie never has one again, and its
 * executable is gone. */
static GString *
await_environment (const char *pid)
{
  g_autofree char *exe = g_strconcat ("/proc/", pid, "/exe", NULL);
  GString *environment = read_environment (pid);
  char target[1];

  for (guint n = 0; environment->len == 0 && n < EXEC_LOOKS && readlink (exe, target, sizeof target) > 0;
       n++) {
    g_usleep (EXEC_LOOK_USEC);
    g_string_free (environment, TRUE);
    environment = read_environment (pid);
  }
  return environment;
}

/* Who has the marks of a service of @instance belongs to that service; NULL = to none. Transfer full. */
static char *
read_service (const char *pid, const char *instance)
{
  g_autoptr (GString) environment = await_environment (pid);

  if (g_strcmp0 (find_variable (environment, "ZINIT_INSTANCE"), instance) != 0)
    return NULL;
  return g_strdup (find_variable (environment, "ZINIT_SERVICE"));
}

static ZinitSurvivor *
look_at (const char *name, const char *instance)
{
  pid_t pid = (pid_t)g_ascii_strtoll (name, NULL, 10);
  ZinitSurvivor *survivor;
  char *service;

  /* Children of a service have its marks as well, but only its first process leads a session by our doing. */
  if (pid < 2 || getsid (pid) != pid)
    return NULL;
  service = read_service (name, instance);
  if (service == NULL)
    return NULL;
  survivor = g_new0 (ZinitSurvivor, 1);
  survivor->pid = pid;
  survivor->service = service;
  return survivor;
}

GPtrArray *
zinit_survivors_find (const char *instance)
{
  GPtrArray *survivors = g_ptr_array_new_with_free_func (survivor_free);
  g_autoptr (GDir) directory = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    ZinitSurvivor *survivor = g_ascii_isdigit (*name) ? look_at (name, instance) : NULL;

    if (survivor != NULL)
      g_ptr_array_add (survivors, survivor);
  }
  return survivors;
}

/* The pidfd comes before the questions, so that who was asked about is who is killed. */
static gboolean
kill_member (const char *name, const char *instance, const char *service, pid_t group)
{
  pid_t pid = (pid_t)g_ascii_strtoll (name, NULL, 10);
  gboolean is_killed = FALSE;
  int pidfd;

  if (getpgid (pid) != group || (pidfd = pidfd_open (pid, 0)) < 0)
    return FALSE;
  if (getpgid (pid) == group) {
    g_autofree char *marked = read_service (name, instance);

    is_killed = g_strcmp0 (marked, service) == 0 && pidfd_send_signal (pidfd, SIGKILL, NULL, 0) == 0;
  }
  close (pidfd);
  return is_killed;
}

guint
zinit_survivors_kill_group (const char *instance, const char *service, pid_t group)
{
  g_autoptr (GDir) directory = NULL;
  const char *name;
  guint n = 0;

  /* 0 and 1 would mean others. */
  if (group < 2 || (kill (-group, 0) != 0 && errno == ESRCH))
    return 0;
  directory = g_dir_open ("/proc", 0, NULL);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    n += g_ascii_isdigit (*name) && kill_member (name, instance, service, group);
  return n;
}

void
zinit_survivor_open_outputs (pid_t pid, int outputs[ZINIT_N_STREAMS])
{
  ino_t first = 0;

  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++) {
    g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%d", (int)pid, (int)stream + 1);
    struct stat info;

    outputs[stream] = -1;
    /* The ends that we give are open for reading and writing. One that is not is between the service and
     * somebody else: reading it would rob him. */
    if (lstat (path, &info) != 0 || (info.st_mode & 0600) != 0600)
      continue;
    if (stat (path, &info) != 0 || !S_ISFIFO (info.st_mode) || (stream > 0 && info.st_ino == first))
      continue;
    first = info.st_ino;
    outputs[stream] = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
}
