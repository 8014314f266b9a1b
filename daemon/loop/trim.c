/* SPDX-License-Identifier: Apache-2.0
 *
 * One timer, armed only when there was something to give back.
 */
#define G_LOG_DOMAIN "zinit-loop"

#include "loop/trim.h"

#include <malloc.h>

#define CALM_S 1

static guint source; /* 0 = none is due */

static gboolean
trim (gpointer data)
{
  source = 0;
  malloc_trim (0);
  return G_SOURCE_REMOVE;
}

void
zinit_trim_soon (void)
{
  if (source == 0)
    source = g_timeout_add_seconds_full (G_PRIORITY_LOW, CALM_S, trim, NULL, NULL);
}
