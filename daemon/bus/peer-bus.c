/* SPDX-License-Identifier: Apache-2.0
 *
 * One function a method of org.freedesktop.DBus. Match rules are counted and not read: a client with any gets
 * all signals and looks at each, as every library of D-Bus does.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/peer-bus.h"

#include <unistd.h>

#include "bus/driver.h"
#include "bus/interfaces.h"
#include "bus/introspect.h"
#include "model/limits.h"
#include "names.h"

#define REPLY_ALREADY_RUNNING 2 /* of StartServiceByName */

typedef GVariant *(*Answer) (ZinitConnection *connection, GVariant *arguments, GError **error);

static gboolean
is_daemon (const char *name)
{
  return strcmp (name, ZINIT_BUS_NAME) == 0 || strcmp (name, ZINIT_PEER_OWN_NAME) == 0;
}

/* The unique name of the owner of @name; NULL = nobody here has it. */
static const char *
find_owner (const ZinitConnection *connection, const char *name)
{
  if (is_daemon (name))
    return ZINIT_PEER_OWN_NAME;
  if (strcmp (name, ZINIT_DRIVER_NAME) == 0)
    return ZINIT_DRIVER_NAME;
  return g_strcmp0 (name, connection->unique_name) == 0 ? connection->unique_name : NULL;
}

static const char *
name_argument (GVariant *arguments)
{
  const char *name;

  g_variant_get_child (arguments, 0, "&s", &name);
  return name;
}

static GVariant *
answer_hello (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  static guint64 n_clients;

  if (connection->unique_name != NULL) {
    g_set_error_literal (error, G_DBUS_ERROR, G_DBUS_ERROR_FAILED, "Hello was said already");
    return NULL;
  }
  connection->unique_name = g_strdup_printf (":1.%" G_GUINT64_FORMAT, ++n_clients);
  connection->matches = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  /* It takes nothing before the answer to this, and no signal that it has not asked for. */
  zinit_connection_mute (connection);
  return g_variant_new ("(s)", connection->unique_name);
}

static gboolean
has_said_hello (const ZinitConnection *connection, GError **error)
{
  if (connection->unique_name != NULL)
    return TRUE;
  g_set_error_literal (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, "Hello has to be said first");
  return FALSE;
}

static GVariant *
answer_add_match (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *rule = name_argument (arguments);
  guint count;

  if (!has_said_hello (connection, error))
    return NULL;
  count = GPOINTER_TO_UINT (g_hash_table_lookup (connection->matches, rule));
  if (strlen (rule) > ZINIT_MAX_MATCH_RULE_BYTES || count == G_MAXUINT ||
      (count == 0 && g_hash_table_size (connection->matches) >= ZINIT_MAX_MATCH_RULES)) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
                 "at most %d match rules of at most %d bytes are allowed", ZINIT_MAX_MATCH_RULES,
                 ZINIT_MAX_MATCH_RULE_BYTES);
    return NULL;
  }
  g_hash_table_replace (connection->matches, g_strdup (rule), GUINT_TO_POINTER (count + 1));
  zinit_connection_open (connection);
  return g_variant_new_tuple (NULL, 0);
}

static GVariant *
answer_remove_match (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *rule = name_argument (arguments);
  guint count;

  if (!has_said_hello (connection, error))
    return NULL;
  count = GPOINTER_TO_UINT (g_hash_table_lookup (connection->matches, rule));
  if (count == 0) {
    g_set_error_literal (error, G_DBUS_ERROR, G_DBUS_ERROR_MATCH_RULE_NOT_FOUND,
                         "there is no such match rule");
    return NULL;
  }
  if (count > 1)
    g_hash_table_replace (connection->matches, g_strdup (rule), GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (connection->matches, rule);
  if (g_hash_table_size (connection->matches) == 0)
    zinit_connection_mute (connection);
  return g_variant_new_tuple (NULL, 0);
}

static void
set_no_owner (GError **error, const char *name)
{
  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER, "nobody has the name %.255s", name);
}

static GVariant *
answer_get_name_owner (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *owner = find_owner (connection, name_argument (arguments));

  if (owner != NULL)
    return g_variant_new ("(s)", owner);
  set_no_owner (error, name_argument (arguments));
  return NULL;
}

static GVariant *
answer_name_has_owner (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  return g_variant_new ("(b)", find_owner (connection, name_argument (arguments)) != NULL);
}

static GVariant *
answer_list_names (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *names[] = { ZINIT_DRIVER_NAME, ZINIT_BUS_NAME, ZINIT_PEER_OWN_NAME, connection->unique_name,
                          NULL };

  return g_variant_new ("(^as)", names);
}

static GVariant *
answer_list_activatable_names (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  return g_variant_new ("(as)", NULL);
}

static GVariant *
answer_start_service_by_name (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *name = name_argument (arguments);

  if (find_owner (connection, name) != NULL)
    return g_variant_new ("(u)", REPLY_ALREADY_RUNNING);
  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, "there is no %.255s here", name);
  return NULL;
}

static GVariant *
answer_get_id (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  return g_variant_new ("(s)", zinit_listener_get_guid (connection->bus->listener));
}

static GVariant *
answer_get_unix_user (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *owner = find_owner (connection, name_argument (arguments));

  if (owner != NULL)
    return g_variant_new ("(u)", owner == connection->unique_name ? connection->peer_uid : geteuid ());
  set_no_owner (error, name_argument (arguments));
  return NULL;
}

static GVariant *
answer_get_process_id (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *owner = find_owner (connection, name_argument (arguments));

  if (owner != NULL && owner != connection->unique_name)
    return g_variant_new ("(u)", (guint32)getpid ());
  set_no_owner (error, name_argument (arguments));
  return NULL;
}

static GVariant *
answer_get_credentials (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  const char *owner = find_owner (connection, name_argument (arguments));
  gboolean is_client = owner == connection->unique_name;
  GVariantBuilder builder;

  if (owner == NULL) {
    set_no_owner (error, name_argument (arguments));
    return NULL;
  }
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "UnixUserID",
                         g_variant_new_uint32 (is_client ? connection->peer_uid : geteuid ()));
  if (!is_client)
    g_variant_builder_add (&builder, "{sv}", "ProcessID", g_variant_new_uint32 ((guint32)getpid ()));
  return g_variant_new ("(a{sv})", &builder);
}

/* It hears all signals, whatever its rules are; calls of others are not shown. */
static GVariant *
answer_become_monitor (ZinitConnection *connection, GVariant *arguments, GError **error)
{
  if (!has_said_hello (connection, error))
    return NULL;
  zinit_connection_open (connection);
  return g_variant_new_tuple (NULL, 0);
}

static const struct {
  const char *name;
  Answer answer;
} methods[] = {
  { "Hello", answer_hello },
  { "AddMatch", answer_add_match },
  { "RemoveMatch", answer_remove_match },
  { "GetNameOwner", answer_get_name_owner },
  { "NameHasOwner", answer_name_has_owner },
  { "ListNames", answer_list_names },
  { "ListActivatableNames", answer_list_activatable_names },
  { "StartServiceByName", answer_start_service_by_name },
  { "GetId", answer_get_id },
  { "GetConnectionUnixUser", answer_get_unix_user },
  { "GetConnectionUnixProcessID", answer_get_process_id },
  { "GetConnectionCredentials", answer_get_credentials },
  { "BecomeMonitor", answer_become_monitor },
};

/* Introspectable and Peer of the bus itself. */
static GVariant *
answer_standard (const char *method, GError **error)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();
  const GDBusInterfaceInfo *const own[] = { interfaces->driver, interfaces->monitoring,
                                            interfaces->introspectable, interfaces->peer, NULL };

  if (strcmp (method, "Introspect") == 0)
    return g_variant_new ("(@s)", g_variant_new_take_string (zinit_introspection_new (own)));
  if (strcmp (method, "GetMachineId") == 0)
    return zinit_interfaces_machine_id (error);
  return g_variant_new_tuple (NULL, 0);
}

static const GDBusMethodInfo *
find_method (const char *interface, const char *name)
{
  const ZinitInterfaces *all = zinit_interfaces_get ();
  GDBusInterfaceInfo *const candidates[] = { all->driver, all->monitoring, all->introspectable, all->peer };

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++) {
    const GDBusMethodInfo *method = interface == NULL || strcmp (interface, candidates[i]->name) == 0
                                        ? g_dbus_interface_info_lookup_method (candidates[i], name)
                                        : NULL;

    if (method != NULL)
      return method;
  }
  return NULL;
}

static GVariant *
answer (ZinitInvocation *invocation, GError **error)
{
  const char *name = zinit_invocation_get_member (invocation);
  const GDBusMethodInfo *method = find_method (zinit_invocation_get_interface (invocation), name);

  if (method == NULL) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD,
                 "the private socket is no message bus and has no method %s of one", name);
    return NULL;
  }
  if (!zinit_invocation_fit_arguments (invocation, method, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, name) == 0)
      return methods[i].answer (invocation->connection, invocation->arguments, error);
  return answer_standard (name, error);
}

/* A monitor is one once it has lost its name. */
static void
send_name_lost (ZinitConnection *connection)
{
  zinit_connection_send_driver_signal (connection, "NameLost",
                                       g_variant_new ("(s)", connection->unique_name));
}

static void
answer_for_bus (ZinitInvocation *invocation)
{
  g_autoptr (ZinitConnection) connection = zinit_connection_ref (invocation->connection);
  gboolean is_monitoring = strcmp (zinit_invocation_get_member (invocation), "BecomeMonitor") == 0;
  g_autoptr (GError) error = NULL;
  GVariant *reply = answer (invocation, &error);

  if (reply == NULL) {
    zinit_invocation_return_error (invocation, error);
    return;
  }
  zinit_invocation_return (invocation, reply);
  if (is_monitoring)
    send_name_lost (connection);
}

gboolean
zinit_peer_bus_answer (ZinitInvocation *invocation)
{
  const char *destination = g_dbus_message_get_destination (invocation->message);

  if (g_strcmp0 (destination, ZINIT_DRIVER_NAME) == 0) {
    answer_for_bus (invocation);
    return TRUE;
  }
  if (destination == NULL || is_daemon (destination))
    return FALSE;
  zinit_invocation_refuse (invocation, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN,
                           "there is nobody but " ZINIT_BUS_NAME " on the private socket");
  return TRUE;
}
