/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit status`: everything about services, or about the daemon itself.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/line.h"
#include "client/output.h"
#include "client/refused.h"
#include "names.h"

#include <glib/gi18n.h>

#define LOG_LINES 5
#define LABEL_COLUMNS 14

static void
print_row (const char *label, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  g_autofree char *copy = g_strdup (value);
  int padding = MAX (0, LABEL_COLUMNS - (int)zinit_format_width (label));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (copy), "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    g_autofree char *safe = zinit_output_safe (lines[i]);
    if (i == 0)
      zinit_output_print ("%*s%s: %s\n", padding, "", label, safe);
    else
      zinit_output_print ("%*s%s\n", LABEL_COLUMNS + 2, "", safe);
  }
}

static void
print_names (const char *label, const char **names)
{
  g_autofree char *joined = names != NULL ? g_strjoinv (", ", (char **)names) : NULL;
  print_row (label, joined);
}

/* "2026-11-23 14:05:09 (3m 4s ago)" */
static void
print_time (const char *label, guint64 usec, gint64 now_usec)
{
  if (usec == 0)
    return;
  g_autofree char *time = zinit_format_time ((gint64)usec, FALSE);
  gboolean past = usec <= (guint64)now_usec;
  g_autofree char *distance = zinit_format_duration (past ? now_usec - usec : usec - now_usec);
  g_autofree char *value = g_strdup_printf (past ? _ ("%s (%s ago)") : _ ("%s (in %s)"), time, distance);
  print_row (label, value);
}

static void
print_state (const ZinitServiceInfo *info)
{
  g_autofree char *name = zinit_output_safe (info->name);
  g_autofree char *strong = zinit_output_paint (ZINIT_STYLE_STRONG, name);
  /* One that had to be killed is down as it was asked to be. */
  gboolean is_stopped = g_str_equal (info->sub_state, "stopped");
  g_autofree char *state = zinit_describe_state (info);
  g_autofree char *safe = zinit_output_safe (state);
  g_autofree char *painted =
      zinit_output_paint (zinit_output_state_style (is_stopped ? "exited" : info->state), safe);
  zinit_output_print ("%s\n", strong);
  zinit_output_print ("%*s%s: %s\n", MAX (0, LABEL_COLUMNS - (int)zinit_format_width (_ ("State"))), "",
                      _ ("State"), painted);
}

static void
print_service (const ZinitServiceInfo *info, GVariant *refused)
{
  gint64 now_usec = g_get_real_time ();
  g_autofree char *last_exit = zinit_describe_exit (info->last_exit);
  g_autofree char *restarts = g_strdup_printf ("%u", info->restart_count);
  g_autofree char *kind =
      g_strjoin (", ", info->service_class, info->oneshot ? _ ("runs once") : _ ("kept running"),
                 info->ephemeral ? _ ("without a file") : NULL, NULL);
  print_state (info);
  print_row (_ ("Description"), info->description);
  print_time (_ ("Since"), info->state_changed_at_usec, now_usec);
  print_row (_ ("Wanted"), info->wanted_status);
  print_row (_ ("Command"), info->exec);
  print_row (_ ("Kind"), kind);
  print_time (_ ("Started"), info->started_at_usec, now_usec);
  print_row (_ ("Last exit"), last_exit);
  print_row (_ ("Restarts"), restarts);
  print_time (_ ("Next restart"), info->next_restart_usec, now_usec);
  print_row (_ ("Health"), g_str_equal (info->health, "none") ? NULL : info->health);
  /* Of a failed one the daemon's text is the cause once more. */
  print_row (_ ("Message"), g_str_equal (info->state, "failed") ? NULL : info->status_text);
  print_names (_ ("Requires"), info->requires);
  print_names (_ ("After"), info->after);
  print_names (_ ("Wants"), info->wants);
  print_names (_ ("Conflicts"), info->conflicts);
  print_names (_ ("Required by"), info->required_by);
  if (info->needs_restart)
    print_row (_ ("Note"), _ ("its definition has changed; restart it to apply the change"));
  const char *problem = zinit_refused_find (refused, info->name);
  g_autofree char *note =
      problem != NULL
          ? g_strdup_printf (_ ("its definition file was refused and an older definition is used: %s"),
                             problem)
          : NULL;
  print_row (_ ("Note"), note);
}

/* Kind, service, its state: one row each. */
static void
print_blockers (ZinitClient *client, const char *name)
{
  g_autoptr (GVariant) reply =
      zinit_command_call (client, "WhyBlocked", g_variant_new ("(s)", name), "(a(sss))", NULL);
  g_autoptr (GVariant) blockers = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  for (gsize i = 0; blockers != NULL && i < g_variant_n_children (blockers); i++) {
    const char *kind = NULL, *service = NULL, *state = NULL;
    g_variant_get_child (blockers, i, "(&s&s&s)", &kind, &service, &state);
    g_autofree char *value = g_strdup_printf ("%s %s (%s)", kind, service, state);
    print_row (_ ("Blocked by"), value);
  }
}

static void
print_log (ZinitClient *client, const char *name)
{
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "lines", "u", LOG_LINES);
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "GetLogs", g_variant_new ("(s@a{sv})", name, g_variant_dict_end (&options)), "(a(tss))", NULL);
  g_autoptr (GVariant) lines = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  if (lines == NULL || g_variant_n_children (lines) == 0)
    return;
  zinit_output_print ("\n");
  for (gsize i = 0; i < g_variant_n_children (lines); i++) {
    ZinitLine line = { .service = name };
    guint64 time_usec = 0;
    g_variant_get_child (lines, i, "(t&s&s)", &time_usec, &line.stream, &line.text);
    line.time_usec = (gint64)time_usec;
    zinit_line_print (&line, FALSE, FALSE);
  }
}

static void
print_services (ZinitClient *client, GPtrArray *services)
{
  g_autoptr (GVariant) refused = zinit_refused_fetch (client);
  for (gsize i = 0; i < services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i);
    if (i > 0)
      zinit_output_print ("\n");
    print_service (info, refused);
    if (g_str_equal (info->state, "blocked"))
      print_blockers (client, info->name);
    print_log (client, info->name);
  }
}

static void
print_services_json (GPtrArray *services)
{
  GString *json = g_string_new ("[");
  for (gsize i = 0; i < services->len; i++) {
    zinit_json_next (json);
    g_string_append (json, "\n{");
    zinit_json_properties (json, ((ZinitServiceInfo *)g_ptr_array_index (services, i))->properties);
    g_string_append_c (json, '}');
  }
  g_string_append (json, services->len > 0 ? "\n]" : "]");
  zinit_json_print (json);
}

static void
print_property (GVariant *properties, const char *property, const char *label)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (properties, property, NULL);
  if (value == NULL)
    return;
  g_autofree char *text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                              ? g_variant_dup_string (value, NULL)
                              : g_variant_print (value, FALSE);
  print_row (label, text);
}

/* In one line how many and which, then what is wrong with each. */
static void
print_refused (GVariant *properties)
{
  g_autoptr (GVariant) refused =
      g_variant_lookup_value (properties, "ConfigErrors", G_VARIANT_TYPE ("a(sss)"));
  g_autofree char *text =
      refused != NULL && g_variant_n_children (refused) > 0 ? zinit_refused_describe (refused) : NULL;
  if (text == NULL)
    return;
  GString *row = g_string_new (text);
  for (gsize i = 0; i < g_variant_n_children (refused); i++) {
    const char *message = NULL;
    g_variant_get_child (refused, i, "(&s&s&s)", NULL, NULL, &message);
    g_string_append_printf (row, "\n%s", message);
  }
  print_row (_ ("Refused"), row->str);
  g_string_free (row, TRUE);
}

static void
print_daemon (GVariant *properties)
{
  guint64 boot_time_usec = 0;
  print_property (properties, "Version", _ ("Version"));
  print_property (properties, "State", _ ("State"));
  g_variant_lookup (properties, "BootTime", "t", &boot_time_usec);
  print_time (_ ("Started"), boot_time_usec, g_get_real_time ());
  print_property (properties, "ServiceCount", _ ("Services"));
  print_property (properties, "FailedCount", _ ("Failed"));
  print_refused (properties);
  print_property (properties, "ConfigDir", _ ("Definitions"));
  print_property (properties, "RuntimeDir", _ ("Run-time data"));
  print_property (properties, "SocketPath", _ ("Socket"));
  print_property (properties, "LogLevel", _ ("Log level"));
}

static ZinitExitCode
show_daemon (ZinitClient *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) properties =
      zinit_model_fetch_properties (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, &error);
  if (properties == NULL)
    return zinit_command_fail (error);
  if (client->json) {
    GString *json = g_string_new ("{");
    zinit_json_properties (json, properties);
    zinit_json_print (g_string_append_c (json, '}'));
  } else
    print_daemon (properties);
  return ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_status (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) names = zinit_command_parse (client, NULL, 0, -1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  if (*names == NULL)
    return show_daemon (client);
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_autoptr (GPtrArray) services = zinit_model_fetch_named (client, names, &exit_code);
  if (services == NULL)
    return exit_code;
  if (client->json)
    print_services_json (services);
  else
    print_services (client, services);
  return exit_code;
}
