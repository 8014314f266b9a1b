/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of automatic restarts. No clock and no timer: it only says how long.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/backoff.h"

void
zinit_backoff_reset (ZinitBackoff *backoff, const ZinitDefinition *definition)
{
  backoff->count = 0;
  backoff->delay_ms = definition->restart_delay_ms;
}

gboolean
zinit_backoff_is_exhausted (const ZinitBackoff *backoff, const ZinitDefinition *definition)
{
  return definition->max_restarts != 0 && backoff->count >= definition->max_restarts;
}

guint64
zinit_backoff_get_delay_ms (const ZinitBackoff *backoff, const ZinitDefinition *definition)
{
  return MAX (1, MIN (backoff->delay_ms, definition->restart_delay_max_ms));
}

void
zinit_backoff_advance (ZinitBackoff *backoff, const ZinitDefinition *definition)
{
  guint64 delay_ms = zinit_backoff_get_delay_ms (backoff, definition);
  guint64 cap_ms = definition->restart_delay_max_ms;

  if (backoff->count < G_MAXUINT32)
    backoff->count++;
  backoff->delay_ms = delay_ms > cap_ms / 2 ? cap_ms : delay_ms * 2;
}
