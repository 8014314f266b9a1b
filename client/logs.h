/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that services wrote: kept ones from the daemon, new ones from a pipe.
 */
#pragma once

#include "client/line.h"
#include "client/model.h"

G_BEGIN_DECLS

typedef struct {
  char **names;        /* NULL-terminated; empty = all */
  gint64 lines;        /* the newest so many of each service; -1 = all that are kept */
  gint64 since_usec;   /* none older; 0 = all */
  const char *stream;  /* NULL = both */
  gboolean raw;        /* the text alone */
  gboolean with_names; /* a line begins with its service */
} ZinitLogsRequest;

/* Prints new lines until the daemon ends or the user interrupts. */
ZinitExitCode zinit_logs_follow (ZinitClient *client, const ZinitLogsRequest *request);
/* The last @lines lines that service @info wrote in the run that it is in or that was its last; nothing when
 * there are none. */
void zinit_logs_print_last (ZinitClient *client, const ZinitServiceInfo *info, guint lines,
                            gboolean to_stderr);

G_END_DECLS
