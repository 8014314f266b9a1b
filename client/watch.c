/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit watch`: every change of state as it happens. The daemon numbers them, so that a gap is seen.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/format.h"
#include "client/json.h"
#include "client/output.h"
#include "client/service-names.h"
#include "client/transition.h"
#include "names.h"
#include "object-path.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
  ZinitClient *client;
  GMainLoop *loop;
  char **names;     /* empty = all */
  guint64 sequence; /* of the last transition seen */
} Watch;

static void
tell_missed (Watch *watch, guint64 missed)
{
  if (watch->client->json) {
    zinit_output_print ("{\"missed\":%" G_GUINT64_FORMAT "}\n", missed);
    return;
  }
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, missed);
  zinit_output_print (ngettext ("(%s change was missed)\n", "(%s changes were missed)\n", missed), number);
}

static void
tell (Watch *watch, const ZinitTransitionInfo *transition)
{
  if (watch->client->json) {
    GString *json = g_string_new (NULL);
    zinit_transition_to_json (transition, json);
    zinit_json_print (json);
    return;
  }
  g_autofree char *time = zinit_format_time ((gint64)transition->time_usec, TRUE);
  g_autofree char *dim = zinit_output_paint (ZINIT_STYLE_DIM, time);
  g_autofree char *line = zinit_transition_to_line (transition);
  zinit_output_print ("%s %s\n", dim, line);
}

static void
transition_seen (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                 const char *signal_name, GVariant *parameters, gpointer data)
{
  Watch *watch = data;
  g_auto (ZinitTransitionInfo) transition = { NULL };
  if (!zinit_transition_read (&transition, parameters))
    return;

  if (transition.sequence != 0) {
    /* What happened before we asked for the number is no news. */
    if (transition.sequence <= watch->sequence)
      return;
    if (transition.sequence > watch->sequence + 1)
      tell_missed (watch, transition.sequence - watch->sequence - 1);
    watch->sequence = transition.sequence;
  }
  if (*watch->names == NULL || g_strv_contains ((const char *const *)watch->names, transition.name))
    tell (watch, &transition);
  zinit_output_flush ();
}

static void
tell_sub_state (Watch *watch, const char *name, const char *sub_state)
{
  if (watch->client->json) {
    GString *json = g_string_new ("{");
    zinit_json_key (json, "service");
    zinit_json_string (json, name);
    zinit_json_key (json, "sub_state");
    zinit_json_string (json, sub_state);
    zinit_json_key (json, "time_usec");
    g_string_append_printf (json, "%" G_GINT64_FORMAT "}", g_get_real_time ());
    zinit_json_print (json);
    return;
  }
  g_autofree char *time = zinit_format_time (g_get_real_time (), TRUE);
  g_autofree char *dim = zinit_output_paint (ZINIT_STYLE_DIM, time);
  g_autofree char *text = g_strdup_printf ("%s: %s", name, sub_state);
  g_autofree char *safe = zinit_output_safe (text);
  zinit_output_print ("%s %s\n", dim, safe);
}

/* A sub-state that changes within its state is no transition. */
static void
property_changed (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                  const char *signal_name, GVariant *parameters, gpointer data)
{
  Watch *watch = data;
  const char *sub_state = NULL;
  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  g_autoptr (GVariant) changed = g_variant_get_child_value (parameters, 1);
  g_autoptr (GVariant) state = g_variant_lookup_value (changed, "State", NULL);
  g_autofree char *name = zinit_object_path_unescape (path + strlen (ZINIT_SERVICE_PREFIX "/"));
  if (name == NULL || state != NULL || !g_variant_lookup (changed, "SubState", "&s", &sub_state))
    return;
  if (*watch->names == NULL || g_strv_contains ((const char *const *)watch->names, name))
    tell_sub_state (watch, name, sub_state);
  zinit_output_flush ();
}

static void
daemon_gone (gpointer connection, gpointer data)
{
  g_main_loop_quit (((Watch *)data)->loop);
}

/* A mistyped name would be silent for ever. */
static ZinitExitCode
check_names (ZinitClient *client, char **names)
{
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  for (gsize i = 0; names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply =
        zinit_command_call (client, "GetService", g_variant_new ("(s)", names[i]), "(o)", &error);
    if (reply == NULL)
      exit_code = zinit_command_worse (exit_code, zinit_names_fail (client, names[i], error));
  }
  return exit_code;
}

static gboolean
fetch_sequence (Watch *watch, GError **error)
{
  g_autoptr (GVariant) reply =
      zinit_command_call_object (watch->client, ZINIT_MANAGER_PATH, ZINIT_PROPERTIES_INTERFACE, "Get",
                                 g_variant_new ("(ss)", ZINIT_MANAGER_INTERFACE, "Sequence"), "(v)", error);
  if (reply == NULL)
    return FALSE;
  g_autoptr (GVariant) value = NULL;
  g_variant_get (reply, "(v)", &value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    watch->sequence = g_variant_get_uint64 (value);
  return TRUE;
}

ZinitExitCode
zinit_command_watch (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;

  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Watch watch = { .client = client, .names = names, .loop = loop };
  ZinitConnection *connection = zinit_command_connect (client, &error);
  if (connection == NULL)
    return zinit_command_fail (error);
  exit_code = check_names (client, names);
  if (exit_code != ZINIT_EXIT_DONE)
    return exit_code;

  zinit_connection_on_gone (connection, daemon_gone, &watch);
  zinit_connection_subscribe (connection, "ServiceStateChanged", transition_seen, &watch);
  zinit_connection_subscribe_properties (connection, property_changed, &watch);
  if (!fetch_sequence (&watch, &error))
    return zinit_command_fail (error);
  g_main_loop_run (loop);
  zinit_output_print_error (_ ("the connection to the daemon was lost"));
  return ZINIT_EXIT_NO_DAEMON;
}
