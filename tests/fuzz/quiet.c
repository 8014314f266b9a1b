/* SPDX-License-Identifier: Apache-2.0
 *
 * What every fuzz target does before its first input: warnings about inputs go nowhere, and anything worse
 * ends the run.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include "target.h"

static GLogWriterOutput
drop_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) == 0)
    return G_LOG_WRITER_HANDLED;
  g_log_writer_standard_streams (level, fields, n_fields, data);
  g_abort ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_writer_func (drop_warnings, NULL, NULL);
  return 0;
}
