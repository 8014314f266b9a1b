/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit wait`: until services are in a state, for scripts.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/output.h"
#include "client/parse.h"
#include "client/service-names.h"
#include "client/transition.h"
#include "names.h"
#include "object-path.h"

#include <glib/gi18n.h>

/* States in which a service is up: where one is waited for, it is of interest what keeps the service down. */
static const char *const up[] = { "running", "done", "listening", NULL };

/* The outcome of waiting is like that of a start by somebody else. */
static const ZinitWaitRequest request = { .request = ZINIT_REQUEST_START };

typedef struct {
  ZinitClient *client;
  GMainLoop *loop;
  const char *wanted;
  GHashTable *open; /* object path → name, of those that are not there yet */
  GString *json;
  ZinitExitCode exit_code;
} Wait;

static void
finish (Wait *wait, const char *path, const ZinitServiceInfo *info, const GError *error)
{
  const char *name = g_hash_table_lookup (wait->open, path);
  gboolean told = wait->exit_code == ZINIT_EXIT_NO_DAEMON; /* once is enough for all */
  wait->exit_code = zinit_command_worse (wait->exit_code, zinit_command_exit_code (error));
  if (wait->client->json)
    zinit_outcome_append_json (wait->json, name, info, error);
  else if (!told)
    zinit_outcome_print (wait->client, &request, name, info, error, NULL);
  g_hash_table_remove (wait->open, path);
  if (g_hash_table_size (wait->open) == 0)
    g_main_loop_quit (wait->loop);
}

static gboolean
is_wanted (Wait *wait, const char *state, const char *sub_state)
{
  return g_strcmp0 (state, wait->wanted) == 0 || g_strcmp0 (sub_state, wait->wanted) == 0;
}

/* Once it was seen there it counts, also if it is elsewhere by now. */
static void
found (Wait *wait, const char *path)
{
  g_autoptr (ZinitServiceInfo) info =
      zinit_model_fetch_one (wait->client, g_hash_table_lookup (wait->open, path), NULL);
  finish (wait, path, info, NULL);
}

static void
transition_seen (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                 const char *signal_name, GVariant *parameters, gpointer data)
{
  Wait *wait = data;
  g_auto (ZinitTransitionInfo) transition = { NULL };
  if (!zinit_transition_read (&transition, parameters))
    return;
  g_autofree char *service_path = zinit_object_path_for_service (transition.name);
  if (g_hash_table_contains (wait->open, service_path) &&
      is_wanted (wait, transition.new_state, transition.sub_state))
    found (wait, service_path);
}

static void
property_changed (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                  const char *signal_name, GVariant *parameters, gpointer data)
{
  Wait *wait = data;
  const char *sub_state = NULL;
  if (!g_hash_table_contains (wait->open, path) ||
      !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  g_autoptr (GVariant) changed = g_variant_get_child_value (parameters, 1);
  if (g_variant_lookup (changed, "SubState", "&s", &sub_state) && is_wanted (wait, NULL, sub_state))
    found (wait, path);
}

static void
object_removed (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                const char *signal_name, GVariant *parameters, gpointer data)
{
  Wait *wait = data;
  const char *removed = NULL;
  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(oas)")))
    return;
  g_variant_get (parameters, "(&oas)", &removed, NULL);
  const char *name = g_hash_table_lookup (wait->open, removed);
  if (name == NULL)
    return;
  g_autofree char *message = g_strdup_printf (_ ("%s was removed while waiting for it"), name);
  g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (ZINIT_ERROR_PREFIX "NoSuchService", message);
  finish (wait, removed, NULL, error);
}

/* @error NULL = the time is over. */
static void
finish_all (Wait *wait, const GError *error)
{
  g_autofree const char **paths = (const char **)g_hash_table_get_keys_as_array (wait->open, NULL);
  /* The keys go with their entries. */
  g_auto (GStrv) copies = g_strdupv ((char **)paths);
  for (gsize i = 0; copies[i] != NULL; i++) {
    if (error != NULL) {
      finish (wait, copies[i], NULL, error);
      continue;
    }
    const char *name = g_hash_table_lookup (wait->open, copies[i]);
    g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (wait->client, name, NULL);
    g_autofree char *state = info != NULL ? zinit_describe_state (info) : g_strdup (_ ("removed"));
    /* TRANSLATORS: service, state that was waited for, state that it is in. */
    g_autofree char *message =
        g_strdup_printf (_ ("%s did not become %s in time; it is %s"), name, wait->wanted, state);
    g_autoptr (GError) late = g_dbus_error_new_for_dbus_error (ZINIT_ERROR_PREFIX "TimedOut", message);
    g_autofree char *kept = g_strdup (name);
    finish (wait, copies[i], info, late);
    if (info != NULL && g_strv_contains (up, wait->wanted))
      zinit_outcome_explain (wait->client, &request, kept, NULL);
  }
}

static void
daemon_gone (gpointer connection, gpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
  finish_all (data, error);
}

static gboolean
timed_out (gpointer data)
{
  finish_all (data, NULL);
  return G_SOURCE_CONTINUE;
}

static void
subscribe (Wait *wait)
{
  ZinitConnection *connection = wait->client->connection;
  GDBusConnection *bus = zinit_connection_get_bus (connection);
  const char *sender = zinit_connection_get_destination (connection);
  zinit_connection_subscribe (connection, "ServiceStateChanged", transition_seen, wait);
  zinit_connection_subscribe_properties (connection, property_changed, wait);
  g_dbus_connection_signal_subscribe (bus, sender, ZINIT_OBJECT_MANAGER_INTERFACE, "InterfacesRemoved", NULL,
                                      NULL, G_DBUS_SIGNAL_FLAGS_NONE, object_removed, wait, NULL);
  zinit_connection_on_gone (connection, daemon_gone, wait);
}

/* Those that are there already, or that do not exist, are not waited for. */
static void
look_at_all (Wait *wait, char **names)
{
  for (gsize i = 0; names[i] != NULL; i++)
    g_hash_table_insert (wait->open, zinit_object_path_for_service (names[i]), g_strdup (names[i]));
  for (gsize i = 0; names[i] != NULL; i++) {
    g_autofree char *path = zinit_object_path_for_service (names[i]);
    g_autoptr (GError) error = NULL;
    g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (wait->client, names[i], &error);
    if (info == NULL || is_wanted (wait, info->state, info->sub_state))
      finish (wait, path, info, error);
  }
}

static ZinitExitCode
wait_for (ZinitClient *client, char **names, const char *wanted, gint64 timeout_ms)
{
  g_autoptr (GError) error = NULL;
  if (zinit_command_connect (client, &error) == NULL)
    return zinit_command_fail (error);
  Wait wait = { .client = client, .wanted = wanted, .loop = g_main_loop_new (NULL, FALSE) };
  wait.open = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  wait.json = g_string_new ("[");
  subscribe (&wait);
  look_at_all (&wait, names);
  guint timer = timeout_ms >= 0 ? g_timeout_add ((guint)timeout_ms, timed_out, &wait) : 0;
  if (g_hash_table_size (wait.open) > 0)
    g_main_loop_run (wait.loop);
  if (timer != 0)
    g_source_remove (timer);
  zinit_connection_on_gone (client->connection, NULL, NULL);
  if (client->json)
    zinit_json_print (g_string_append_c (wait.json, ']'));
  else
    g_string_free (wait.json, TRUE);
  g_hash_table_unref (wait.open);
  g_main_loop_unref (wait.loop);
  return wait.exit_code;
}

ZinitExitCode
zinit_command_wait (ZinitClient *client, int argc, char **argv)
{
  g_autofree char *state = NULL, *timeout = NULL;
  const GOptionEntry entries[] = {
    { "for", 0, 0, G_OPTION_ARG_STRING, &state, N_ ("The state or sub-state to wait for"), N_ ("STATE") },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &timeout, N_ ("Wait at most this long: 5 (seconds), 500ms, 2min"),
      N_ ("TIME") },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) given = zinit_command_parse (client, entries, 1, -1, argc, argv);
  if (given == NULL)
    return ZINIT_EXIT_USAGE;
  if (state == NULL)
    return zinit_command_usage_error (client, _ ("--for STATE is missing; it says which state to wait for"));
  g_autoptr (GError) error = NULL;
  if (!zinit_parse_state (state, &error))
    return zinit_command_usage_error (client, error->message);
  guint timeout_ms = 0;
  if (timeout != NULL && !zinit_parse_timeout (timeout, &timeout_ms, &error))
    return zinit_command_usage_error (client, error->message);
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, given, &exit_code);
  if (names == NULL)
    return exit_code;
  return zinit_command_worse (exit_code,
                              wait_for (client, names, state, timeout != NULL ? (gint64)timeout_ms : -1));
}
