/* SPDX-License-Identifier: Apache-2.0
 *
 * One line that a service wrote, printed for people or as JSON.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *service;
  const char *stream; /* "stdout" or "stderr" */
  const char *text;
  gint64 time_usec; /* since 1970 */
} ZinitLine;

/* For people: time, @with_name the service's name, text; @raw the text alone. */
void zinit_line_print (const ZinitLine *line, gboolean with_name, gboolean raw);
/* {"service": …} and a line feed. */
void zinit_line_print_json (const ZinitLine *line);

G_END_DECLS
