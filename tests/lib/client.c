/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the daemon: connection, calls and properties. What it writes down is read in record.c.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "client.h"

#include <string.h>

#include "names.h"
#include "processes.h"

static GDBusMessage *
write_down (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  TestClient *client = data;

  if (incoming) {
    g_mutex_lock (&client->lock);
    g_ptr_array_add (client->messages, g_object_ref (message));
    g_cond_broadcast (&client->arrived);
    g_mutex_unlock (&client->lock);
  }
  return message;
}

/* Called when the connection's worker can no longer be in the filter. */
static void
finalize (gpointer data)
{
  TestClient *client = data;

  g_ptr_array_unref (client->messages);
  g_mutex_clear (&client->lock);
  g_cond_clear (&client->arrived);
  g_free (client);
}

/* NULL with an error when there is no connection. */
static TestClient *
try_new (const char *address, GDBusConnectionFlags flags, const char *destination, GError **error)
{
  GDBusConnection *connection;
  TestClient *client;

  flags |= G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
  connection = g_dbus_connection_new_for_address_sync (address, flags, NULL, NULL, error);
  if (connection == NULL)
    return NULL;
  client = g_new0 (TestClient, 1);
  g_mutex_init (&client->lock);
  g_cond_init (&client->arrived);
  client->messages = g_ptr_array_new_with_free_func (g_object_unref);
  client->destination = destination;
  client->connection = connection;
  g_dbus_connection_set_exit_on_close (client->connection, FALSE);
  client->filter = g_dbus_connection_add_filter (client->connection, write_down, client, finalize);
  if (flags & G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING)
    g_dbus_connection_start_message_processing (client->connection);
  return client;
}

static TestClient *
client_new (const char *address, GDBusConnectionFlags flags, const char *destination)
{
  g_autoptr (GError) error = NULL;
  TestClient *client = try_new (address, flags, destination, &error);

  g_assert_no_error (error);
  return client;
}

static void
add_match (TestClient *client, const char *rule)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      client->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
      g_variant_new ("(s)", rule), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

  g_assert_no_error (error);
}

TestClient *
client_new_for_bus (const char *address)
{
  TestClient *client = client_new (address, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, ZINIT_BUS_NAME);

  add_match (client, "type='signal',path_namespace='" ZINIT_ROOT_PATH "'");
  add_match (client,
             "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" ZINIT_BUS_NAME
             "'");
  return client;
}

TestClient *
client_try_for_socket (const char *path, GError **error)
{
  g_autofree char *escaped = g_dbus_address_escape_value (path);
  g_autofree char *address = g_strconcat ("unix:path=", escaped, NULL);

  /* Signals come from the first moment; on a bus only once they are asked for. */
  return try_new (address, G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, NULL, error);
}

TestClient *
client_new_for_socket (const char *path)
{
  g_autoptr (GError) error = NULL;
  TestClient *client = client_try_for_socket (path, &error);

  g_assert_no_error (error);
  return client;
}

void
client_free (TestClient *client)
{
  GDBusConnection *connection = client->connection;

  if (!g_dbus_connection_is_closed (connection))
    g_dbus_connection_close_sync (connection, NULL, NULL);
  g_dbus_connection_remove_filter (connection, client->filter);
  g_object_unref (connection);
}

char *
client_service_path (const char *service)
{
  GString *path = g_string_new (NULL);

  if (service == NULL) {
    g_string_append (path, ZINIT_MANAGER_PATH);
    return g_string_free (path, FALSE);
  }
  g_string_append (path, ZINIT_SERVICE_PREFIX "/");
  for (const char *c = service; *c; c++) {
    if (g_ascii_isalpha (*c) || (g_ascii_isdigit (*c) && c != service))
      g_string_append_c (path, *c);
    else
      g_string_append_printf (path, "_%02x", (unsigned char)*c);
  }
  return g_string_free (path, FALSE);
}

static GVariant *
parse_arguments (const char *format, va_list list)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  GVariant *arguments;

  if (format == NULL)
    return g_variant_new ("()");
  text = g_strdup_vprintf (format, list);
  arguments = g_variant_parse (NULL, text, NULL, NULL, &error);
  if (arguments == NULL)
    g_error ("the test's arguments %s: %s", text, error->message);
  return arguments;
}

GVariant *
client_call_on (TestClient *client, const char *path, const char *interface, const char *method,
                GVariant *arguments, GError **error)
{
  int timeout_ms = (int)(CLIENT_PATIENCE_SECONDS * 1000 * processes_slowness ());

  return g_dbus_connection_call_sync (client->connection, client->destination, path, interface, method,
                                      arguments, NULL, G_DBUS_CALL_FLAGS_NONE, timeout_ms, NULL, error);
}

GVariant *
client_ok (TestClient *client, const char *method, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  GVariant *arguments, *reply;
  va_list list;

  va_start (list, format);
  arguments = parse_arguments (format, list);
  va_end (list);
  reply = client_call_on (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method, arguments, &error);
  if (error)
    client_fail (client, "%s failed: %s", method, error->message);
  return reply;
}

char *
client_fails (TestClient *client, const char *error_name, const char *method, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *actual = NULL, *expected = NULL;
  GVariant *arguments;
  va_list list;

  va_start (list, format);
  arguments = parse_arguments (format, list);
  va_end (list);
  reply = client_call_on (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method, arguments, &error);
  if (error == NULL)
    client_fail (client, "%s succeeded, %s was expected", method, error_name);
  actual = g_dbus_error_get_remote_error (error);
  expected =
      strchr (error_name, '.') ? g_strdup (error_name) : g_strconcat (ZINIT_ERROR_PREFIX, error_name, NULL);
  if (g_strcmp0 (actual, expected) != 0)
    client_fail (client, "%s gave %s, %s was expected: %s", method, actual, expected, error->message);
  g_dbus_error_strip_remote_error (error);
  return g_strdup (error->message);
}

guint32
client_send (TestClient *client, const char *method, const char *format, ...)
{
  g_autoptr (GDBusMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  volatile guint32 serial = 0;
  va_list list;

  message = g_dbus_message_new_method_call (client->destination, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE,
                                            method);
  va_start (list, format);
  g_dbus_message_set_body (message, parse_arguments (format, list));
  va_end (list);
  g_dbus_connection_send_message (client->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, &serial,
                                  &error);
  g_assert_no_error (error);
  return serial;
}

GVariant *
client_get (TestClient *client, const char *service, const char *property)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = client_service_path (service);
  const char *interface = service ? ZINIT_SERVICE_INTERFACE : ZINIT_MANAGER_INTERFACE;
  g_autoptr (GVariant) reply = NULL;
  GVariant *value = NULL;

  reply = client_call_on (client, path, ZINIT_PROPERTIES_INTERFACE, "Get",
                          g_variant_new ("(ss)", interface, property), &error);
  if (reply == NULL)
    client_fail (client, "property %s of %s: %s", property, service ? service : "the manager",
                 error->message);
  g_variant_get (reply, "(v)", &value);
  return value;
}

guint32
client_get_pid (TestClient *client, const char *service)
{
  g_autoptr (GVariant) value = client_get (client, service, "Pid");

  return g_variant_get_uint32 (value);
}

char *
client_get_text (TestClient *client, const char *service, const char *property)
{
  g_autoptr (GVariant) value = client_get (client, service, property);

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (value, NULL);
  return g_variant_print (value, FALSE);
}

char *
client_failure (TestClient *client, const char *service)
{
  g_autoptr (GVariant) value = client_get (client, service, "FailureReason");
  GString *text = g_string_new (NULL);
  GVariantIter iter;
  const char *key, *type;
  GVariant *field;

  g_assert_cmpstr (g_variant_get_type_string (value), ==, "a{sv}");
  if (g_variant_lookup (value, "type", "&s", &type))
    g_string_append (text, type);
  else
    g_assert_cmpuint (g_variant_n_children (value), ==, 0);
  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &field)) {
    if (strcmp (key, "type") != 0) {
      g_autofree char *shown = g_variant_is_of_type (field, G_VARIANT_TYPE_STRING)
                                   ? g_variant_dup_string (field, NULL)
                                   : g_variant_print (field, FALSE);

      g_string_append_printf (text, " %s=%s", key, shown);
    }
    g_variant_unref (field);
  }
  return g_string_free (text, FALSE);
}

void
client_wait_log_lines (TestClient *client, const char *service, guint lines)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autoptr (GVariant) reply = client_ok (client, "GetLogs", "('%s', " NO_OPTIONS ")", service);
    g_autoptr (GVariant) array = g_variant_get_child_value (reply, 0);

    if (g_variant_n_children (array) >= lines)
      return;
    if (g_get_monotonic_time () > deadline)
      client_fail (client, "%s has not written %u lines", service, lines);
    g_usleep (1000);
  }
}
