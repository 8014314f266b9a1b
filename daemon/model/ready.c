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
#define FIRST_FD 3
/* Below the soft limit that a service usually has (1024). */
#define LAST_FD 1023

static gboolean
refuse (const char *text, GError **error)
{
  g_autofree char *shown = zinit_schema_quote (text);

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "%s is not a kind of readiness; exec, alive:MS, notify, fd:N (N from %d to %d) or fd:VARIABLE "
               "is wanted",
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
  return refuse (text, error);
}
