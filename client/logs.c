/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit logs`: kept lines of one or more services, merged by time. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/logs.h"

#include "client/format.h"
#include "client/json.h"
#include "client/output.h"
#include "client/parse.h"

#include <glib/gi18n.h>
#include <string.h>

#define DEFAULT_FOLLOW_LINES 10

static GVariant *
fetch_lines (ZinitClient *client, const char *name, const ZinitLogsRequest *request, GError **error)
{
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  if (request->lines >= 0)
    g_variant_dict_insert (&options, "lines", "u", (guint32)request->lines);
  if (request->since_usec > 0)
    g_variant_dict_insert (&options, "since", "t", (guint64)request->since_usec);
  if (request->stream != NULL)
    g_variant_dict_insert (&options, "stream", "s", request->stream);
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "GetLogs", g_variant_new ("(s@a{sv})", name, g_variant_dict_end (&options)), "(a(tss))", error);
  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

void
zinit_logs_print_tail (ZinitClient *client, const char *name, guint lines)
{
  const ZinitLogsRequest request = { .lines = lines };
  g_autoptr (GVariant) kept = fetch_lines (client, name, &request, NULL);
  if (kept == NULL || g_variant_n_children (kept) == 0)
    return;
  zinit_output_print_detail (_ ("Its last output:"));
  for (gsize i = 0; i < g_variant_n_children (kept); i++) {
    const char *text = NULL;
    g_variant_get_child (kept, i, "(t&s&s)", NULL, NULL, &text);
    zinit_output_print_detail ("  %s", text);
  }
}

void
zinit_logs_print_line (const ZinitLogsRequest *request, const ZinitLine *line)
{
  g_autofree char *text = zinit_output_safe (line->text);
  if (request->raw) {
    zinit_output_print ("%s\n", text);
    return;
  }
  g_autofree char *time = zinit_format_time (line->time_usec, TRUE);
  g_autofree char *dim_time = zinit_output_paint (ZINIT_STYLE_DIM, time);
  g_autofree char *painted =
      zinit_output_paint (g_str_equal (line->stream, "stderr") ? ZINIT_STYLE_BUSY : ZINIT_STYLE_PLAIN, text);
  if (request->with_names) {
    g_autofree char *service = zinit_output_safe (line->service);
    g_autofree char *strong = zinit_output_paint (ZINIT_STYLE_STRONG, service);
    zinit_output_print ("%s %s: %s\n", dim_time, strong, painted);
  } else
    zinit_output_print ("%s %s\n", dim_time, painted);
}

void
zinit_logs_print_json (const ZinitLine *line)
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

/* Stable: lines of one service stay in order. */
static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const ZinitLine *first = a, *second = b;
  return (first->time_usec > second->time_usec) - (first->time_usec < second->time_usec);
}

/* @lines borrows its strings from @kept. */
static void
append_lines (GArray *lines, GVariant *kept, const char *name)
{
  for (gsize i = 0; i < g_variant_n_children (kept); i++) {
    guint64 time_usec = 0;
    ZinitLine line = { .service = name };
    g_variant_get_child (kept, i, "(t&s&s)", &time_usec, &line.stream, &line.text);
    line.time_usec = (gint64)time_usec;
    g_array_append_val (lines, line);
  }
}

static ZinitExitCode
show_kept (ZinitClient *client, const ZinitLogsRequest *request)
{
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (ZinitLine));
  g_autoptr (GPtrArray) owners = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  for (gsize i = 0; request->names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++) {
    g_autoptr (GError) error = NULL;
    GVariant *kept = fetch_lines (client, request->names[i], request, &error);
    if (kept == NULL) {
      exit_code = zinit_command_worse (exit_code, zinit_command_fail (error));
      continue;
    }
    /* Strings lent by its children must stay where they are. */
    g_variant_get_data (kept);
    g_ptr_array_add (owners, kept);
    append_lines (lines, kept, request->names[i]);
  }
  g_array_sort (lines, compare_times);
  for (gsize i = 0; i < lines->len; i++) {
    const ZinitLine *line = &g_array_index (lines, ZinitLine, i);
    if (client->json)
      zinit_logs_print_json (line);
    else
      zinit_logs_print_line (request, line);
  }
  return exit_code;
}

static gboolean
take_options (ZinitLogsRequest *request, const char *since, const char *stream, GError **error)
{
  if (since != NULL && !zinit_parse_since (since, g_get_real_time (), &request->since_usec, error))
    return FALSE;
  if (stream != NULL && !g_str_equal (stream, "stdout") && !g_str_equal (stream, "stderr")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("--stream takes stdout or stderr"));
    return FALSE;
  }
  if (request->lines < -1 || request->lines > G_MAXUINT32) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("--lines takes a number from 0 to %u"),
                 G_MAXUINT32);
    return FALSE;
  }
  request->stream = stream;
  return TRUE;
}

ZinitExitCode
zinit_command_logs (ZinitClient *client, int argc, char **argv)
{
  ZinitLogsRequest request = { .lines = -1 };
  gboolean follow = FALSE;
  g_autofree char *since = NULL, *stream = NULL;
  const GOptionEntry entries[] = {
    { "lines", 'n', 0, G_OPTION_ARG_INT64, &request.lines, N_ ("Only the newest lines of each service"),
      N_ ("N") },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &follow,
      N_ ("Show new lines as they are written; no name = all services"), NULL },
    { "since", 0, 0, G_OPTION_ARG_STRING, &since, N_ ("Nothing older: 10m, 2h, 2026-11-23 14:05"),
      N_ ("TIME") },
    { "stream", 0, 0, G_OPTION_ARG_STRING, &stream, N_ ("Only stdout or stderr"), N_ ("STREAM") },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &request.raw, N_ ("The text alone, without time and name"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) names = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  if (!take_options (&request, since, stream, &error))
    return zinit_command_usage_error (client, error->message);
  if (*names == NULL && !follow)
    return zinit_command_usage_error (client, _ ("the name of a service is missing"));

  request.names = names;
  request.with_names = g_strv_length (names) != 1;
  if (!follow)
    return show_kept (client, &request);
  if (request.lines < 0)
    request.lines = since != NULL ? G_MAXUINT32 : DEFAULT_FOLLOW_LINES;
  return zinit_logs_follow (client, &request);
}
