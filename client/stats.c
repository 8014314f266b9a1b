/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit stats`: what services use of the machine.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/format.h"
#include "client/json.h"
#include "client/model.h"
#include "client/service-names.h"
#include "client/table.h"

#include <glib/gi18n.h>

typedef struct {
  char *name;
  GVariant *values; /* a{sv} */
} Stats;

static void
stats_free (gpointer data)
{
  Stats *stats = data;
  g_free (stats->name);
  g_variant_unref (stats->values);
  g_free (stats);
}

static void
add_row (ZinitTable *table, const Stats *stats)
{
  guint64 cpu_usec = 0, memory_bytes = 0;
  g_variant_lookup (stats->values, "cpu_usec", "t", &cpu_usec);
  g_variant_lookup (stats->values, "memory_bytes", "t", &memory_bytes);
  g_autoptr (GVariant) processes =
      g_variant_lookup_value (stats->values, "processes", G_VARIANT_TYPE ("a(us)"));
  GString *list = g_string_new (NULL);
  for (gsize i = 0; processes != NULL && i < g_variant_n_children (processes); i++) {
    guint32 pid = 0;
    const char *name = NULL;
    g_variant_get_child (processes, i, "(u&s)", &pid, &name);
    g_string_append_printf (list, "%s%s (%u)", i > 0 ? ", " : "", name, pid);
  }
  g_autofree char *cpu = zinit_format_duration (cpu_usec);
  g_autofree char *memory = zinit_format_bytes (memory_bytes);
  zinit_table_add (table, ZINIT_STYLE_PLAIN, stats->name);
  zinit_table_add (table, ZINIT_STYLE_PLAIN, cpu);
  zinit_table_add (table, ZINIT_STYLE_PLAIN, memory);
  zinit_table_add (table, ZINIT_STYLE_PLAIN, list->str);
  g_string_free (list, TRUE);
}

static void
print_table (GPtrArray *all)
{
  const char *const titles[] = { _ ("NAME"), _ ("CPU"), _ ("MEMORY"), _ ("PROCESSES"), NULL };
  g_autoptr (ZinitTable) table = zinit_table_new (titles);
  for (gsize i = 0; i < all->len; i++)
    add_row (table, g_ptr_array_index (all, i));
  zinit_table_print (table);
}

static void
print_json (GPtrArray *all)
{
  GString *json = g_string_new ("[");
  for (gsize i = 0; i < all->len; i++) {
    const Stats *stats = g_ptr_array_index (all, i);
    zinit_json_next (json);
    g_string_append (json, "\n{");
    zinit_json_key (json, "service");
    zinit_json_string (json, stats->name);
    zinit_json_properties (json, stats->values);
    g_string_append_c (json, '}');
  }
  g_string_append (json, all->len > 0 ? "\n]" : "]");
  zinit_json_print (json);
}

/* The names that @given means, or those of all services that have a process. Transfer full. */
static GPtrArray *
find_names (ZinitClient *client, char **given, ZinitExitCode *exit_code)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  if (*given != NULL) {
    g_auto (GStrv) expanded = zinit_names_expand (client, given, exit_code);
    for (gsize i = 0; expanded != NULL && expanded[i] != NULL; i++)
      g_ptr_array_add (names, g_strdup (expanded[i]));
    return names;
  }
  g_autoptr (GPtrArray) services = zinit_model_fetch_named (client, given, exit_code);
  for (gsize i = 0; services != NULL && i < services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i);
    if (info->pid != 0)
      g_ptr_array_add (names, g_strdup (info->name));
  }
  return names;
}

ZinitExitCode
zinit_command_stats (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GPtrArray) names = find_names (client, words, &exit_code);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (stats_free);
  for (gsize i = 0; i < names->len && exit_code != ZINIT_EXIT_NO_DAEMON; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply =
        zinit_command_call (client, "GetStats", g_variant_new ("(s)", name), "(a{sv})", &error);
    if (reply != NULL) {
      Stats *stats = g_new0 (Stats, 1);
      stats->name = g_strdup (name);
      stats->values = g_variant_get_child_value (reply, 0);
      g_ptr_array_add (all, stats);
    } else if (*words != NULL || !zinit_command_is_error (error, "NoSuchService")) {
      /* One that was removed since the list was made is no error. */
      exit_code = zinit_command_worse (exit_code, zinit_names_fail (client, name, error));
    }
  }
  if (exit_code == ZINIT_EXIT_NO_DAEMON)
    return exit_code;
  if (client->json)
    print_json (all);
  else
    print_table (all);
  return exit_code;
}
