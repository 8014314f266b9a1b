/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints lines of services; their text is made harmless on a terminal.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/line.h"

#include "client/format.h"
#include "client/json.h"
#include "client/output.h"

void
zinit_line_print (const ZinitLine *line, gboolean with_name, gboolean raw)
{
  g_autofree char *text = zinit_output_safe (line->text);
  if (raw) {
    zinit_output_print ("%s\n", text);
    return;
  }
  g_autofree char *time = zinit_format_time (line->time_usec, TRUE);
  g_autofree char *dim_time = zinit_output_paint (ZINIT_STYLE_DIM, time);
  g_autofree char *painted =
      zinit_output_paint (g_str_equal (line->stream, "stderr") ? ZINIT_STYLE_BUSY : ZINIT_STYLE_PLAIN, text);
  if (with_name) {
    g_autofree char *service = zinit_output_safe (line->service);
    g_autofree char *strong = zinit_output_paint (ZINIT_STYLE_STRONG, service);
    zinit_output_print ("%s %s: %s\n", dim_time, strong, painted);
  } else
    zinit_output_print ("%s %s\n", dim_time, painted);
}

void
zinit_line_print_json (const ZinitLine *line)
{
  GString *json = g_string_new ("{");
  zinit_json_key (json, "service");
  zinit_json_string (json, line->service);
  zinit_json_key (json, "time_usec");
  g_string_append_printf (json, "%" G_GINT64_FORMAT, line->time_usec);
  zinit_json_key (json, "stream");
  zinit_json_string (json, line->stream);
  zinit_json_key (json, "text");
  zinit_json_string (json, line->text);
  zinit_json_print (g_string_append_c (json, '}'));
}
