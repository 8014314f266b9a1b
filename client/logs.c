/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit logs`: kept lines of one or more services, merged by time.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/logs.h"

#include "client/output.h"
#include "client/parse.h"
#include "client/service-names.h"

#include <glib/gi18n.h>

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

/* A run that never came to its program wrote nothing: what is kept is of an earlier one. */
static gboolean
has_own_output (const ZinitServiceInfo *info)
{
  static const char *const without[] = { "spawn_error", "dependency_failed", "missing_dependency", NULL };
  const char *type = "";
  if (g_str_equal (info->state, "failed") && info->failure_reason != NULL)
    g_variant_lookup (info->failure_reason, "type", "&s", &type);
  return info->started_at_usec != 0 && !g_strv_contains (without, type);
}

void
zinit_logs_print_last (ZinitClient *client, const ZinitServiceInfo *info, guint lines, gboolean to_stderr)
{
  const ZinitLogsRequest request = { .lines = lines, .since_usec = (gint64)info->started_at_usec };
  if (!has_own_output (info))
    return;
  g_autoptr (GVariant) kept = fetch_lines (client, info->name, &request, NULL);
  if (kept == NULL || g_variant_n_children (kept) == 0)
    return;
  g_autofree char *title = g_strdup_printf (_ ("Last output of %s:"), info->name);
  void (*print) (const char *format, ...) = to_stderr ? zinit_output_print_detail : zinit_output_print_line;
  print ("%s", title);
  for (gsize i = 0; i < g_variant_n_children (kept); i++) {
    const char *text = NULL;
    g_variant_get_child (kept, i, "(t&s&s)", NULL, NULL, &text);
    print ("  %s", text);
  }
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

/* No names are those of all services. */
static ZinitExitCode
show_kept (ZinitClient *client, const ZinitLogsRequest *request)
{
  g_autoptr (GError) list_error = NULL;
  g_auto (GStrv) names =
      *request->names != NULL ? g_strdupv (request->names) : zinit_names_list (client, &list_error);
  if (names == NULL)
    return zinit_command_fail (list_error);

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (ZinitLine));
  g_autoptr (GPtrArray) owners = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  for (gsize i = 0; names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++) {
    g_autoptr (GError) error = NULL;
    GVariant *kept = fetch_lines (client, names[i], request, &error);
    if (kept == NULL) {
      exit_code = zinit_command_worse (exit_code, zinit_names_fail (client, names[i], error));
      /* Whoever may not read one may read none. */
      if (exit_code == ZINIT_EXIT_NOT_ALLOWED)
        return exit_code;
      continue;
    }
    /* Strings lent by its children must stay where they are. */
    g_variant_get_data (kept);
    g_ptr_array_add (owners, kept);
    append_lines (lines, kept, names[i]);
  }
  g_array_sort (lines, compare_times);
  for (gsize i = 0; i < lines->len; i++) {
    const ZinitLine *line = &g_array_index (lines, ZinitLine, i);
    if (client->json)
      zinit_line_print_json (line);
    else
      zinit_line_print (line, request->with_names, request->raw);
  }
  return exit_code;
}

static gboolean
take_options (ZinitLogsRequest *request, const char *since, const char *stream, GError **error)
{
  if (since != NULL && !zinit_parse_since (since, g_get_real_time (), &request->since_usec, error))
    return FALSE;
  if (stream != NULL && !g_str_equal (stream, "stdout") && !g_str_equal (stream, "stderr")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("--stream must be stdout or stderr"));
    return FALSE;
  }
  if (request->lines < -1 || request->lines > G_MAXUINT32) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("--lines must be a number from 0 to %u"),
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
    { "lines", 'n', 0, G_OPTION_ARG_INT64, &request.lines, N_ ("Only the newest N lines of each service"),
      N_ ("N") },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &follow,
      N_ ("Keep running and show new lines as they are written"), NULL },
    { "since", 0, 0, G_OPTION_ARG_STRING, &since,
      N_ ("Only lines since this time: 10m (ago), 2h, \"2026-11-23 14:05\""), N_ ("TIME") },
    { "stream", 0, 0, G_OPTION_ARG_STRING, &stream, N_ ("Only stdout or stderr"), N_ ("STREAM") },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &request.raw, N_ ("Only the text, without time and name"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  if (!take_options (&request, since, stream, &error))
    return zinit_command_usage_error (client, error->message);
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;
  request.names = names;
  request.with_names = g_strv_length (names) != 1;
  if (!follow)
    return zinit_command_worse (exit_code, show_kept (client, &request));
  if (request.lines < 0)
    request.lines = since != NULL ? G_MAXUINT32 : DEFAULT_FOLLOW_LINES;
  return zinit_logs_follow (client, &request);
}
