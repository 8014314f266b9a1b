/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that services wrote: kept ones from the daemon, new ones from a pipe.
 */
#pragma once

#include "client/command.h"

G_BEGIN_DECLS

typedef struct {
  const char *service;
  const char *stream; /* "stdout" or "stderr" */
  const char *text;
  gint64 time_usec; /* since 1970 */
} ZinitLine;

typedef struct {
  char **names;        /* NULL-terminated; empty = all, only when following */
  gint64 lines;        /* the newest so many of each service; -1 = all that are kept */
  gint64 since_usec;   /* none older; 0 = all */
  const char *stream;  /* NULL = both */
  gboolean raw;        /* the text alone */
  gboolean with_names; /* a line begins with its service */
} ZinitLogsRequest;

/* One line for people, or the text alone with request->raw. */
void zinit_logs_print_line (const ZinitLogsRequest *request, const ZinitLine *line);
/* {"service": …} and a line feed. */
void zinit_logs_print_json (const ZinitLine *line);
/* Prints new lines until the daemon ends or the user interrupts. */
ZinitExitCode zinit_logs_follow (ZinitClient *client, const ZinitLogsRequest *request);
/* The last @lines lines of service @name on standard error; nothing when there are none. */
void zinit_logs_print_tail (ZinitClient *client, const char *name, guint lines);

G_END_DECLS
