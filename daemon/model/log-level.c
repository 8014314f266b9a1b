/* SPDX-License-Identifier: Apache-2.0
 *
 * The level of the daemon's own messages. Written by the main thread, read by whichever thread logs.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/log-level.h"

#include <string.h>

#include "model/error.h"

const char *const zinit_log_level_words[] = { "error", "warning", "message", "info", "debug", NULL };

/* Of each word: everything that is written at that level. */
static const GLogLevelFlags masks[] = {
  G_LOG_LEVEL_ERROR,
  G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING,
  G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE,
  G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO,
  G_LOG_LEVEL_MASK,
};
G_STATIC_ASSERT (G_N_ELEMENTS (masks) + 1 == G_N_ELEMENTS (zinit_log_level_words));

static int current = 2; /* index into the words; atomic */

const char *
zinit_log_level_get (void)
{
  return zinit_log_level_words[g_atomic_int_get (&current)];
}

gboolean
zinit_log_level_set (const char *level, GError **error)
{
  for (int i = 0; zinit_log_level_words[i] != NULL; i++) {
    if (strcmp (level, zinit_log_level_words[i]) == 0) {
      g_atomic_int_set (&current, i);
      return TRUE;
    }
  }
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS,
               "“%.32s” is no log level; allowed are error, warning, message, info and debug", level);
  return FALSE;
}

gboolean
zinit_log_level_allows (GLogLevelFlags level)
{
  return (level & masks[g_atomic_int_get (&current)] & G_LOG_LEVEL_MASK) != 0;
}
