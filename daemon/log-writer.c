/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer of the daemon's own messages: level, then journal or stderr. Lines that nobody takes are dropped
 * and counted, and the count is said as soon as there is room again.
 */
#define G_LOG_DOMAIN "zinit-main"

#include "log-writer.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "model/log-level.h"

static gint dropped_lines; /* atomic: GDBus logs from its own thread */

static const char *
level_word (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK) {
  case G_LOG_LEVEL_ERROR:
    return "fatal: ";
  case G_LOG_LEVEL_CRITICAL:
    return "critical: ";
  case G_LOG_LEVEL_WARNING:
    return "warning: ";
  case G_LOG_LEVEL_DEBUG:
    return "debug: ";
  default:
    return "";
  }
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking; so do a terminal and a file in practice.
 */
static gboolean
write_line (const char *line, gsize length)
{
  struct pollfd pollfd = { .fd = STDERR_FILENO, .events = POLLOUT };

  return poll (&pollfd, 1, 0) == 1 && (pollfd.revents & POLLOUT) != 0 &&
         write (STDERR_FILENO, line, length) >= 0;
}

static void
write_stderr (GLogLevelFlags level, const char *message)
{
  g_autofree char *line = g_strdup_printf ("zinitd: %s%.3900s\n", level_word (level), message);
  gint dropped = g_atomic_int_get (&dropped_lines);

  if (dropped > 0) {
    g_autofree char *note =
        g_strdup_printf ("zinitd: %d messages were dropped, as nobody read them\n", dropped);

    if (write_line (note, strlen (note)))
      g_atomic_int_add (&dropped_lines, -dropped);
  }
  if (!write_line (line, strlen (line)))
    g_atomic_int_inc (&dropped_lines);
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (!zinit_log_level_allows (level))
    return G_LOG_WRITER_HANDLED;
  if (GPOINTER_TO_INT (data) && g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      write_stderr (level, fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

void
zinit_log_writer_install (void)
{
  g_log_set_writer_func (write_log, GINT_TO_POINTER (g_log_writer_is_journald (STDERR_FILENO)), NULL);
}
