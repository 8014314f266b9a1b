/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit list`: all services in one call. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/refused.h"
#include "client/service-names.h"
#include "client/table.h"

#include <glib/gi18n.h>

static char *
describe_uptime (const ZinitServiceInfo *info, gint64 now_usec)
{
  gboolean up = g_str_equal (info->state, "running") || g_str_equal (info->state, "stopping");
  if (!up || info->started_at_usec == 0 || info->started_at_usec > (guint64)now_usec)
    return NULL;
  return zinit_format_duration (now_usec - info->started_at_usec);
}

static void
print_table (GPtrArray *services)
{
  const char *const titles[] = { _ ("NAME"),   _ ("STATE"),    _ ("SUB"),  _ ("PID"),
                                 _ ("UPTIME"), _ ("RESTARTS"), _ ("INFO"), NULL };
  gint64 now_usec = g_get_real_time ();
  g_autoptr (ZinitTable) table = zinit_table_new (titles);

  for (gsize i = 0; i < services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i);
    g_autofree char *pid = info->pid != 0 ? g_strdup_printf ("%u", info->pid) : NULL;
    g_autofree char *uptime = describe_uptime (info, now_usec);
    g_autofree char *restarts = g_strdup_printf ("%u", info->restart_count);
    g_autofree char *about = zinit_describe_info (info, now_usec);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, info->name);
    zinit_table_add (table, zinit_output_state_style (info->state), info->state);
    /* Twice the same word says nothing. */
    zinit_table_add (table, ZINIT_STYLE_PLAIN,
                     g_str_equal (info->sub_state, info->state) ? NULL : info->sub_state);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, pid);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, uptime);
    zinit_table_add (table, info->restart_count > 0 ? ZINIT_STYLE_BUSY : ZINIT_STYLE_DIM, restarts);
    zinit_table_add (table, ZINIT_STYLE_PLAIN, about);
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
is_state (const char *word)
{
  static const char *const states[] = { "inactive", "blocked", "starting", "running",
                                        "stopping", "exited",  "failed",   NULL };
  return g_strv_contains (states, word);
}

static void
keep_state (GPtrArray *services, const char *state)
{
  for (gsize i = services->len; i > 0; i--) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i - 1);
    if (!g_str_equal (info->state, state))
      g_ptr_array_remove_index (services, i - 1);
  }
}

ZinitExitCode
zinit_command_list (ZinitClient *client, int argc, char **argv)
{
  gboolean failed = FALSE, names_only = FALSE;
  g_autofree char *state = NULL;
  const GOptionEntry entries[] = {
    { "state", 0, 0, G_OPTION_ARG_STRING, &state, N_ ("Only services in this state"), N_ ("STATE") },
    { "failed", 0, 0, G_OPTION_ARG_NONE, &failed, N_ ("Only failed services (--state=failed)"), NULL },
    { "names", 0, 0, G_OPTION_ARG_NONE, &names_only, N_ ("Only the names, one a line"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) names = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  if (failed && state != NULL && !g_str_equal (state, "failed"))
    return zinit_command_usage_error (client, _ ("--failed and --state contradict each other"));
  const char *wanted = failed ? "failed" : state;
  if (wanted != NULL && !is_state (wanted))
    return zinit_command_usage_error (client,
                                      _ ("--state takes inactive, blocked, starting, running, stopping, "
                                         "exited or failed"));
  if (names_only && wanted == NULL && *names == NULL)
    return print_all_names (client);

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GPtrArray) services = zinit_model_fetch_named (client, names, &exit_code);
  if (services == NULL)
    return exit_code;
  if (wanted != NULL)
    keep_state (services, wanted);
  if (names_only)
    for (gsize i = 0; i < services->len; i++)
      zinit_output_print ("%s\n", ((ZinitServiceInfo *)g_ptr_array_index (services, i))->name);
  else if (client->json)
    print_json (services);
  else
    print_table (services);
  if (!names_only && *names == NULL)
    print_refused (client);
  return exit_code;
}
