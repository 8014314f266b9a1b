/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for descriptors, which is reported once.
 */
#define G_LOG_DOMAIN "zinit-main"

#include "claim.h"

#include <errno.h>

#include "loop/reserve.h"

#define RETRY_USEC G_USEC_PER_SEC
/* What the main loop and the watches of main.c and of handover/ take, without services and clients. */
#define ESSENTIAL_DESCRIPTORS 16

/* GLib ends the process when it gets none for the main loop. The machine may have run out of them for a
 * moment. */
void
zinit_claim_descriptors (void)
{
  gboolean has_warned = FALSE;

  while (!zinit_descriptors_are_left (ESSENTIAL_DESCRIPTORS)) {
    if (!has_warned)
      g_warning ("nothing is supervised before there are %d free descriptors (limit %" G_GUINT64_FORMAT
                 "): %s; it is tried again",
                 ESSENTIAL_DESCRIPTORS, zinit_descriptor_limit (), g_strerror (errno));
    has_warned = TRUE;
    g_usleep (RETRY_USEC);
  }
}
