/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests ask the kernel about processes.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

double
processes_slowness (void)
{
  const char *text = g_getenv ("ZINIT_TEST_SLOW");
  double factor = text ? g_ascii_strtod (text, NULL) : 1;

  return factor >= 1 ? factor : 1;
}

gint64
processes_deadline (double seconds)
{
  return g_get_monotonic_time () + (gint64)(seconds * processes_slowness () * G_USEC_PER_SEC);
}

char *
processes_status_field (pid_t pid, const char *field)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int)pid);
  g_autofree char *text = NULL;
  g_autofree char *start = g_strconcat (field, ":", NULL);
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    if (g_str_has_prefix (*line, start))
      return g_strdup (g_strstrip (*line + strlen (start)));
  }
  return NULL;
}

gboolean
processes_is_alive (pid_t pid)
{
  g_autofree char *state = processes_status_field (pid, "State");

  return state && state[0] != 'Z' && state[0] != 'X';
}

gboolean
processes_is_reaped (pid_t pid)
{
  return kill (pid, 0) < 0 && errno == ESRCH;
}

gboolean
processes_wait_end (pid_t pid, double seconds)
{
  gint64 deadline = processes_deadline (seconds);
  int fd = (int)syscall (SYS_pidfd_open, pid, 0);
  struct pollfd poll_fd = { fd, POLLIN, 0 };
  gboolean ended = FALSE;

  /* Older kernels (6.1) say EINVAL of a process that is gone while its number is still that of a group or
   * session. */
  if (fd < 0)
    return errno == ESRCH || (errno == EINVAL && processes_is_reaped (pid));
  for (gint64 left; !ended && (left = deadline - g_get_monotonic_time ()) > 0;)
    ended = poll (&poll_fd, 1, (int)(left / 1000) + 1) == 1;
  close (fd);
  return ended;
}

gboolean
processes_wait_child (pid_t pid, double seconds, int *ret_status)
{
  if (!processes_wait_end (pid, seconds))
    return FALSE;
  while (waitpid (pid, ret_status, 0) < 0)
    g_assert_cmpint (errno, ==, EINTR);
  return TRUE;
}

static gboolean
has_mark (const char *pid, const char *mark)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "environ", NULL);
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL))
    return FALSE;
  for (const char *item = text; item < text + length; item += strlen (item) + 1) {
    if (strcmp (item, mark) == 0)
      return TRUE;
  }
  return FALSE;
}

static int
compare_pids (gconstpointer a, gconstpointer b)
{
  return *(const pid_t *)a - *(const pid_t *)b;
}

GArray *
processes_with_mark (const char *mark)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;

  g_assert_nonnull (proc);
  while ((name = g_dir_read_name (proc)) != NULL) {
    pid_t pid = (pid_t)g_ascii_strtoll (name, NULL, 10);

    if (pid > 0 && has_mark (name, mark) && processes_is_alive (pid))
      g_array_append_val (pids, pid);
  }
  g_array_sort (pids, compare_pids);
  return pids;
}

char *
processes_describe (GArray *pids)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < pids->len; i++) {
    pid_t pid = g_array_index (pids, pid_t, i);
    g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int)pid);
    g_autofree char *name = processes_status_field (pid, "Name");
    g_autofree char *line = NULL;
    gsize length = 0;

    if (!g_file_get_contents (path, &line, &length, NULL))
      continue;
    for (gsize j = 0; j + 1 < length; j++) {
      if (line[j] == '\0')
        line[j] = ' ';
    }
    g_string_append_printf (text, "%d (%s) %s\n", (int)pid, name ? name : "?", line);
  }
  return g_string_free (text, FALSE);
}

guint64
processes_cpu_usec (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int)pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  guint64 ticks;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  fields = g_strsplit (strrchr (text, ')') + 2, " ", 14);
  g_assert_cmpuint (g_strv_length (fields), ==, 14);
  ticks = g_ascii_strtoull (fields[11], NULL, 10) + g_ascii_strtoull (fields[12], NULL, 10);
  return ticks * G_USEC_PER_SEC / (guint64)sysconf (_SC_CLK_TCK);
}
