/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads a saved life as the daemon does: what the kernel does not tell now is asked for again.
 */
#pragma once

#include "handover/saved-life.h"

/* @counter, NULL or what counts its steps, counts those of the last try alone. Transfer full. */
static inline ZinitSavedLife *
load_life (const ZinitRuntimeFolder *folder, ZinitRecordLog *records, guint *counter)
{
  ZinitSavedLife *life = NULL;
  g_autoptr (GError) error = NULL;

  /* A process of this machine that is being executed just then cannot be read. */
  for (guint n = 0; n < 1000 && life == NULL; n++) {
    g_clear_error (&error);
    if (counter != NULL)
      *counter = 0;
    life = zinit_saved_life_load (folder, records, TRUE, &error);
  }
  g_assert_no_error (error);
  return life;
}
