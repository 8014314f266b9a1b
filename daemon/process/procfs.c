/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading of /proc/PID/stat.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/error.h"

#define FIELD_ENV_START 50
#define FIELD_EXIT_CODE 52

/* @after_name is where field 2 ends. -1 when there is no such field. */
static gint64
parse_field (const char *after_name, guint number)
{
  const char *at = after_name;

  for (guint field = 2; at != NULL && field < number; field++)
    at = strchr (at + 1, ' ');
  return at != NULL ? g_ascii_strtoll (at, NULL, 10) : -1;
}

gboolean
zinit_proc_parse_stat (const char *text, ZinitProcEntry *ret_entry)
{
  /* A process chooses its name, which may hold spaces and parentheses. */
  const char *open = strchr (text, '(');
  const char *close = strrchr (text, ')');
  gsize length;
  char state;
  guint64 user_ticks, system_ticks;
  gint64 pages;

  *ret_entry = (ZinitProcEntry){ 0 };
  if (open == NULL || close == NULL || close < open)
    return FALSE;
  length = MIN ((gsize)(close - open - 1), sizeof ret_entry->name - 1);
  memcpy (ret_entry->name, open + 1, length);
  if (sscanf (text, "%d", &ret_entry->pid) != 1 ||
      sscanf (close + 1,
              " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
              " %*d %*d %*d %*d %*d %*d %" G_GUINT64_FORMAT " %*u %" G_GINT64_FORMAT,
              &state, &ret_entry->parent, &ret_entry->group, &ret_entry->session, &user_ticks, &system_ticks,
              &ret_entry->start_ticks, &pages) != 8)
    return FALSE;
  ret_entry->is_dead = state == 'Z' || state == 'X' || state == 'x';
  ret_entry->exit_status = ret_entry->is_dead ? (int)parse_field (close, FIELD_EXIT_CODE) : -1;
  ret_entry->cpu_ticks = user_ticks + system_ticks;
  ret_entry->resident_pages = (guint64)MAX (pages, 0);
  return TRUE;
}

/* A process that has gone meanwhile is no error. FALSE with errno. */
static gboolean
read_stat (int proc_fd, const char *name, char *text, gsize size)
{
  char path[NAME_MAX + sizeof "/stat"];
  gssize length;
  int fd, reason;

  g_snprintf (path, sizeof path, "%s/stat", name);
  fd = openat (proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  length = read (fd, text, size - 1);
  reason = length < 0 ? errno : ESRCH;
  close (fd);
  errno = reason;
  if (length <= 0)
    return FALSE;
  text[length] = '\0';
  return TRUE;
}

static gboolean
read_entry (int proc_fd, const char *name, ZinitProcEntry *ret_entry)
{
  char text[1024];

  return read_stat (proc_fd, name, text, sizeof text) && zinit_proc_parse_stat (text, ret_entry);
}

gboolean
zinit_proc_read (pid_t pid, ZinitProcEntry *ret_entry)
{
  char path[sizeof "/proc/" + 11];

  g_snprintf (path, sizeof path, "/proc/%d", (int)pid);
  /* An absolute path, so the folder does not count. */
  return read_entry (AT_FDCWD, path, ret_entry);
}

gboolean
zinit_proc_is_executing (pid_t pid)
{
  char path[sizeof "/proc/" + 11];
  char text[1024];
  const char *close;

  g_snprintf (path, sizeof path, "/proc/%d", (int)pid);
  if (!read_stat (AT_FDCWD, path, text, sizeof text))
    return FALSE;
  close = strrchr (text, ')');
  return close != NULL && parse_field (close, FIELD_ENV_START) == 0;
}

gboolean
zinit_proc_read_single_uid (pid_t pid, uid_t *ret_uid)
{
  static const char name[] = "\nUid:";
  char path[sizeof "/proc//status" + 11];
  char text[2048];
  guint real, effective, saved;
  const char *line;
  gssize length;
  int fd;

  g_snprintf (path, sizeof path, "/proc/%d/status", (int)pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  length = read (fd, text, sizeof text - 1);
  close (fd);
  if (length <= 0)
    return FALSE;
  text[length] = '\0';
  line = strstr (text, name);
  if (line == NULL || sscanf (line + strlen (name), "%u %u %u", &real, &effective, &saved) != 3)
    return FALSE;
  *ret_uid = (uid_t)real;
  return real == effective && real == saved;
}

gboolean
zinit_proc_walk (ZinitProcFilter filter, ZinitProcFunc func, gpointer data)
{
  DIR *folder = opendir ("/proc");
  const struct dirent *item;
  ZinitProcEntry entry;
  int reason = 0;

  if (folder == NULL)
    return FALSE;
  while (reason == 0 && (errno = 0, item = readdir (folder)) != NULL) {
    if (!g_ascii_isdigit (item->d_name[0]) ||
        (filter != NULL && !filter ((pid_t)g_ascii_strtoll (item->d_name, NULL, 10), data)))
      continue;
    /* One that has gone meanwhile is no error; one that cannot be read would be missing. */
    if (read_entry (dirfd (folder), item->d_name, &entry))
      func (&entry, data);
    else if (zinit_error_is_transient (errno))
      reason = errno;
  }
  if (reason == 0)
    reason = errno;
  closedir (folder);
  errno = reason;
  return reason == 0;
}
