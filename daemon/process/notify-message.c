/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of KEY=VALUE, as any process may send them.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/notify-message.h"

#include <string.h>

#include "model/limits.h"

/* The value of @line if it is of @key, else NULL. */
static const char *
value_of (const char *line, const char *key)
{
  gsize length = strlen (key);

  return strncmp (line, key, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

static void
set_flag (const char *value, gboolean *flag)
{
  *flag = *flag || strcmp (value, "1") == 0;
}

static void
set_status (const char *value, ZinitNotifyMessage *message)
{
  g_autofree char *whole = g_strndup (value, ZINIT_MAX_STATUS_BYTES);
  g_autofree char *valid = g_utf8_make_valid (whole, -1);

  g_free (message->status);
  message->status = NULL;
  for (char *at = valid; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  if (*g_strstrip (valid) != '\0')
    message->status = g_steal_pointer (&valid);
}

static guint64
read_usec (const char *value)
{
  guint64 number = 0;

  return g_ascii_string_to_unsigned (value, 10, 1, ZINIT_MAX_DELAY_MS * 1000, &number, NULL) ? number : 0;
}

static void
set_watchdog (const char *value, ZinitNotifyMessage *message)
{
  set_flag (value, &message->is_alive);
  message->has_failed = message->has_failed || strcmp (value, "trigger") == 0;
}

static void
parse_line (const char *line, ZinitNotifyMessage *message)
{
  const char *value;
  guint64 number = 0;

  if ((value = value_of (line, "READY")) != NULL)
    set_flag (value, &message->is_ready);
  else if ((value = value_of (line, "STOPPING")) != NULL)
    set_flag (value, &message->is_stopping);
  else if ((value = value_of (line, "STATUS")) != NULL)
    set_status (value, message);
  else if ((value = value_of (line, "MAINPID")) != NULL &&
           g_ascii_string_to_unsigned (value, 10, 2, G_MAXINT32, &number, NULL))
    message->main_pid = (pid_t)number;
  else if ((value = value_of (line, "EXTEND_TIMEOUT_USEC")) != NULL)
    message->extend_usec = read_usec (value);
  else if ((value = value_of (line, "WATCHDOG_USEC")) != NULL)
    message->watchdog_usec = read_usec (value);
  else if ((value = value_of (line, "WATCHDOG")) != NULL)
    set_watchdog (value, message);
}

gboolean
zinit_notify_message_parse (const char *bytes, gsize length, ZinitNotifyMessage *ret_message)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  *ret_message = (ZinitNotifyMessage){ 0 };
  if (length == 0)
    return TRUE;
  if (memchr (bytes, '\0', length) != NULL)
    return FALSE;
  text = g_strndup (bytes, length);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    parse_line (*line, ret_message);
  return TRUE;
}

void
zinit_notify_message_clear (ZinitNotifyMessage *message)
{
  g_clear_pointer (&message->status, g_free);
}
