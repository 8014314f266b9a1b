/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of `ready`, which is checked where definitions are read and parsed again where it is used.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/ready.h"

#include <string.h>

#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

#define ALIVE "alive:"
#define DESCRIPTOR "fd:"
#define BUS_NAME "dbus:"
#define MAX_BUS_NAME_BYTES 255 /* the D-Bus specification */
#define FIRST_FD 3
/* Below the soft limit that a service usually has (1024). */
#define LAST_FD 1023

static gboolean
refuse (const char *text, GError **error)
{
  g_autofree char *shown = zinit_schema_quote (text);

  g_set_error (
      error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
      "%s is not a kind of readiness; exec, alive:MS, notify, fd:N (N from %d to %d), fd:VARIABLE or "
      "dbus:NAME is wanted",
      shown, FIRST_FD, LAST_FD);
  return FALSE;
}

static gboolean
is_variable (const char *name)
{
  if (!g_ascii_isalpha (*name) && *name != '_')
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && *name != '_')
      return FALSE;
  return TRUE;
}

/* A well-known name, as the D-Bus specification has it: elements with dots between them. */
static gboolean
is_bus_name (const char *name)
{
  g_auto (GStrv) elements = g_strsplit (name, ".", -1);

  if (strlen (name) > MAX_BUS_NAME_BYTES || g_strv_length (elements) < 2)
    return FALSE;
  for (char **element = elements; *element != NULL; element++) {
    if (**element == '\0' || g_ascii_isdigit (**element))
      return FALSE;
    for (const char *at = *element; *at != '\0'; at++)
      if (!g_ascii_isalnum (*at) && *at != '_' && *at != '-')
        return FALSE;
  }
  return TRUE;
}

static gboolean
parse_descriptor (const char *word, ZinitReady *ready)
{
  guint64 number;

  ready->kind = ZINIT_READY_FD;
  ready->fd = FIRST_FD;
  if (is_variable (word)) {
    ready->variable = word;
    return TRUE;
  }
  if (!g_ascii_string_to_unsigned (word, 10, FIRST_FD, LAST_FD, &number, NULL))
    return FALSE;
  ready->fd = (int)number;
  return TRUE;
}

gboolean
zinit_ready_parse (const char *text, ZinitReady *ret_ready, GError **error)
{
  *ret_ready = (ZinitReady){ .kind = ZINIT_READY_EXEC };
  if (text == NULL || strcmp (text, "exec") == 0)
    return TRUE;
  if (strcmp (text, "notify") == 0) {
    ret_ready->kind = ZINIT_READY_NOTIFY;
    return TRUE;
  }
  if (g_str_has_prefix (text, ALIVE)) {
    ret_ready->kind = ZINIT_READY_ALIVE;
    if (g_ascii_string_to_unsigned (text + strlen (ALIVE), 10, 1, ZINIT_MAX_DELAY_MS, &ret_ready->alive_ms,
                                    NULL))
      return TRUE;
  }
  if (g_str_has_prefix (text, DESCRIPTOR) && parse_descriptor (text + strlen (DESCRIPTOR), ret_ready))
    return TRUE;
  if (g_str_has_prefix (text, BUS_NAME) && is_bus_name (text + strlen (BUS_NAME))) {
    ret_ready->kind = ZINIT_READY_DBUS;
    ret_ready->bus_name = text + strlen (BUS_NAME);
    return TRUE;
  }
  return refuse (text, error);
}
