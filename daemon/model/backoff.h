/* SPDX-License-Identifier: Apache-2.0
 *
 * The back-off of one service's automatic restarts: first delay, doubled each time, capped; given up after
 * max_restarts; all forgotten after a stable period. Arithmetic only: who waits is the supervisor.
 */
#pragma once

#include "model/definition.h"

G_BEGIN_DECLS

typedef struct {
  guint32 count;    /* automatic restarts since the last stable period or start by hand */
  guint64 delay_ms; /* the delay the next restart will wait; never 0 */
} ZinitBackoff;

/* As after a stable period or a start by hand. */
void zinit_backoff_reset (ZinitBackoff *backoff, const ZinitDefinition *definition);
/* TRUE when no further automatic restart is allowed. */
gboolean zinit_backoff_is_exhausted (const ZinitBackoff *backoff, const ZinitDefinition *definition);
/* How long the next automatic restart waits, in ms; at least 1, at most restart_delay_max_ms. */
guint64 zinit_backoff_get_delay_ms (const ZinitBackoff *backoff, const ZinitDefinition *definition);
/* One automatic restart is made: it counts, and the next one waits twice as long. */
void zinit_backoff_advance (ZinitBackoff *backoff, const ZinitDefinition *definition);

G_END_DECLS
