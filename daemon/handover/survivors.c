/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over /proc at the start of a daemon that has no exact knowledge of what an earlier one left.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/survivors.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENVIRONMENT_BYTES                                                                                \
  (2 << 20) /* the kernel allows arguments and environment that much by default                              \
             */

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

static ZinitSurvivor *
look_at (const char *name, const char *instance)
{
  pid_t pid = (pid_t)g_ascii_strtoll (name, NULL, 10);
  g_autoptr (GString) environment = NULL;
  const char *service, *of_instance;
  ZinitSurvivor *survivor;

  /* Children of a service have its marks as well, but only its first process leads a session by our doing. */
  if (pid < 2 || getsid (pid) != pid)
    return NULL;
  environment = read_environment (name);
  service = find_variable (environment, "ZINIT_SERVICE");
  of_instance = find_variable (environment, "ZINIT_INSTANCE");
  if (service == NULL || g_strcmp0 (of_instance, instance) != 0)
    return NULL;
  survivor = g_new0 (ZinitSurvivor, 1);
  survivor->pid = pid;
  survivor->service = g_strdup (service);
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

void
zinit_survivor_open_outputs (pid_t pid, int outputs[ZINIT_N_STREAMS])
{
  ino_t first = 0;

  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++) {
    g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%d", (int)pid, (int)stream + 1);
    struct stat info;

    outputs[stream] = -1;
    if (stat (path, &info) != 0 || !S_ISFIFO (info.st_mode) || (stream > 0 && info.st_ino == first))
      continue;
    first = info.st_ino;
    outputs[stream] = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
}
