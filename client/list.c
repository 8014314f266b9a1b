/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit list`: all services in one call.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/format.h"
#include "client/json.h"
#include "client/model.h"
#include "client/parse.h"
#include "client/refused.h"
#include "client/rows.h"
#include "client/service-names.h"
#include "client/table.h"

#include <glib/gi18n.h>

static char *
describe_uptime (const ZinitRow *row, guint64 now_usec)
{
  gboolean up = g_str_equal (row->state, "running") || g_str_equal (row->state, "stopping");
  if (!up || row->started_at_usec == 0 || row->started_at_usec > now_usec)
    return NULL;
  return zinit_format_duration (now_usec - row->started_at_usec);
}

/* The daemon's sentence, and when its next try is; NULL when there is none. */
static char *
describe_next_restart (const ZinitRow *row, guint64 now_usec)
{
  if (row->next_restart_usec <= now_usec)
    return NULL;
  g_autofree char *in = zinit_format_duration (row->next_restart_usec - now_usec);
  return g_strdup_printf (_ ("%s in %s"), row->status_text, in);
}

static void
print_table (GArray *rows)
{
  const char *const titles[] = { _ ("NAME"),   _ ("STATE"),    _ ("SUB"),  _ ("PID"),
                                 _ ("UPTIME"), _ ("RESTARTS"), _ ("INFO"), NULL };
  guint64 now_usec = (guint64)g_get_real_time ();
  g_autoptr (ZinitTable) table = zinit_table_new (titles);

  for (guint i = 0; i < rows->len; i++) {
    const ZinitRow *row = &g_array_index (rows, ZinitRow, i);
    g_autofree char *pid = row->pid != 0 ? g_strdup_printf ("%u", row->pid) : NULL;
    g_autofree char *uptime = describe_uptime (row, now_usec);
    g_autofree char *restarts = row->restart_count != 0 ? g_strdup_printf ("%u", row->restart_count) : NULL;
    g_autofree char *about = describe_next_restart (row, now_usec);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, row->name);
    zinit_table_add (table, zinit_output_state_style (row->state), row->state);
    /* Twice the same word says nothing. */
    zinit_table_add (table, ZINIT_STYLE_PLAIN,
                     g_str_equal (row->sub_state, row->state) ? NULL : row->sub_state);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, pid);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, uptime);
    zinit_table_add (table, row->restart_count > 0 ? ZINIT_STYLE_BUSY : ZINIT_STYLE_DIM,
                     restarts != NULL ? restarts : "0");
    zinit_table_add (table, ZINIT_STYLE_PLAIN, about != NULL ? about : row->status_text);
  }
  zinit_table_print (table);
}

static void
print_json (GPtrArray *services)
{
  GString *json = g_string_new ("[");
  for (gsize i = 0; i < services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i);
    zinit_json_next (json);
    g_string_append (json, "\n{");
    zinit_json_properties (json, info->properties);
    g_string_append_c (json, '}');
  }
  g_string_append (json, services->len > 0 ? "\n]" : "]");
  zinit_json_print (json);
}

/* Not in the table, which is the services'; a script that reads it goes on to find what it knows. */
static void
print_refused (ZinitClient *client)
{
  g_autoptr (GVariant) refused = zinit_refused_fetch (client);
  g_autofree char *text = zinit_refused_describe (refused);
  if (text == NULL)
    return;
  zinit_output_print_detail (_ ("%s (\"zinit status\" says why)"), text);
}

/* Without their properties: for completion it must be quick. */
static ZinitExitCode
print_all_names (ZinitClient *client)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = zinit_names_list (client, &error);
  if (names == NULL)
    return zinit_command_fail (error);
  for (gsize i = 0; names[i] != NULL; i++)
    zinit_output_print ("%s\n", names[i]);
  return ZINIT_EXIT_DONE;
}

static gboolean
is_wanted (const char *state, const char *sub_state, const char *wanted)
{
  return wanted == NULL || g_str_equal (state, wanted) || g_str_equal (sub_state, wanted);
}

/* All properties of each, which the table has no use for. */
static ZinitExitCode
list_json (ZinitClient *client, char **names, const char *wanted)
{
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GPtrArray) services = zinit_model_fetch_named (client, names, &exit_code);
  if (services == NULL)
    return exit_code;
  for (gsize i = services->len; i > 0; i--) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i - 1);
    if (!is_wanted (info->state, info->sub_state, wanted))
      g_ptr_array_remove_index (services, i - 1);
  }
  print_json (services);
  return exit_code;
}

/* What the list has left out is not there. */
static ZinitExitCode
check_names (ZinitClient *client, const ZinitRows *rows, char **names)
{
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  for (gsize i = 0; names[i] != NULL; i++) {
    if (zinit_rows_find (rows, names[i]) != NULL)
      continue;
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) found =
        zinit_command_call (client, "GetService", g_variant_new ("(s)", names[i]), "(o)", &error);
    if (found == NULL)
      exit_code = zinit_command_worse (exit_code, zinit_names_fail (client, names[i], error));
  }
  return exit_code;
}

static ZinitExitCode
list_rows (ZinitClient *client, char **words, const char *wanted, gboolean names_only)
{
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;
  g_autoptr (ZinitRows) rows = zinit_rows_fetch (client, names, &error);
  if (rows == NULL)
    return zinit_command_fail (error);
  exit_code = zinit_command_worse (exit_code, check_names (client, rows, names));

  for (guint i = rows->rows->len; i > 0; i--) {
    const ZinitRow *row = &g_array_index (rows->rows, ZinitRow, i - 1);
    if (!is_wanted (row->state, row->sub_state, wanted))
      g_array_remove_index (rows->rows, i - 1);
  }
  for (guint i = 0; names_only && i < rows->rows->len; i++)
    zinit_output_print ("%s\n", g_array_index (rows->rows, ZinitRow, i).name);
  if (!names_only)
    print_table (rows->rows);
  return exit_code;
}

ZinitExitCode
zinit_command_list (ZinitClient *client, int argc, char **argv)
{
  gboolean failed = FALSE, names_only = FALSE;
  g_autofree char *state = NULL;
  const GOptionEntry entries[] = {
    { "state", 0, 0, G_OPTION_ARG_STRING, &state, N_ ("Only services in this state or sub-state"),
      N_ ("STATE") },
    { "failed", 0, 0, G_OPTION_ARG_NONE, &failed, N_ ("Only failed services (--state=failed)"), NULL },
    { "names", 0, 0, G_OPTION_ARG_NONE, &names_only, N_ ("Only the names, one per line"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  if (failed && state != NULL && !g_str_equal (state, "failed"))
    return zinit_command_usage_error (client, _ ("--failed and --state cannot be used together"));
  const char *wanted = failed ? "failed" : state;
  g_autoptr (GError) error = NULL;
  if (wanted != NULL && !zinit_parse_state (wanted, &error))
    return zinit_command_usage_error (client, error->message);
  if (names_only && wanted == NULL && *words == NULL)
    return print_all_names (client);

  ZinitExitCode exit_code = client->json && !names_only ? list_json (client, words, wanted)
                                                        : list_rows (client, words, wanted, names_only);
  if (!names_only && *words == NULL && exit_code == ZINIT_EXIT_DONE)
    print_refused (client);
  return exit_code;
}
