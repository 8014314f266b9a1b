/* SPDX-License-Identifier: Apache-2.0
 *
 * Connects without g_bus_get(): a private connection needs no bus and starts faster. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/connection.h"

#include "names.h"

#include <glib/gi18n.h>
#include <signal.h>

#define CONNECT_TIMEOUT_SECONDS 25

G_DEFINE_QUARK (zinit - connection - error - quark, zinit_connection_error)

struct _ZinitConnection {
  GDBusConnection *bus;
  char *destination;
  GFunc gone;
  gpointer gone_data;
};

typedef struct {
  GMainLoop *loop;
  GDBusConnection *bus;
  GError *error;
} Attempt;

static void
connected (GObject *source, GAsyncResult *result, gpointer data)
{
  Attempt *attempt = data;
  attempt->bus = g_dbus_connection_new_for_address_finish (result, &attempt->error);
  g_main_loop_quit (attempt->loop);
}

static gboolean
give_up (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_CONTINUE;
}

/* Not the synchronous call: a daemon that hangs would hang us. */
static GDBusConnection *
open_address (const char *address, GDBusConnectionFlags flags, GError **error)
{
  Attempt attempt = { .loop = g_main_loop_new (NULL, FALSE) };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint timer = g_timeout_add_seconds (CONNECT_TIMEOUT_SECONDS, give_up, cancellable);

  g_dbus_connection_new_for_address (address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | flags, NULL,
                                     cancellable, connected, &attempt);
  g_main_loop_run (attempt.loop);
  g_source_remove (timer);
  g_main_loop_unref (attempt.loop);
  /* GSocket ignores it for the whole process; we want to end when the reader of a pipe ends. */
  signal (SIGPIPE, SIG_DFL);

  if (attempt.error != NULL)
    g_propagate_error (error, attempt.error);
  return attempt.bus;
}

/* The command that would make a daemon where we looked. */
static char *
describe_start (const ZinitConnectionOptions *options)
{
  if (options->address != NULL)
    return g_strdup_printf ("%s --address %s", ZINIT_DAEMON_PATH, options->address);
  if (options->socket != NULL)
    return g_strdup_printf ("%s --socket %s", ZINIT_DAEMON_PATH, options->socket);
  return g_strconcat (ZINIT_DAEMON_PATH, options->scope == ZINIT_SCOPE_SYSTEM ? " --system" : " --session",
                      NULL);
}

static void
set_no_daemon (GError **error, const ZinitConnectionOptions *options, const char *where, const char *why)
{
  gboolean own = options->scope == ZINIT_SCOPE_SESSION && options->address == NULL && options->socket == NULL;
  g_autofree char *start = describe_start (options);
  g_set_error (
      error, ZINIT_CONNECTION_ERROR, ZINIT_CONNECTION_ERROR_NO_DAEMON,
      own ? _ ("no daemon answers at %s (%s); start it with \"%s\", or ask the system's with --system")
          : _ ("no daemon answers at %s (%s); start it with \"%s\""),
      where, why, start);
}

/* The daemon's unique name: asking for it also tells whether it is there, and starts none. */
static char *
find_owner (GDBusConnection *bus, GError **error)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
      g_variant_new ("(s)", ZINIT_BUS_NAME), G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
  if (reply == NULL)
    return NULL;
  char *owner = NULL;
  g_variant_get (reply, "(s)", &owner);
  return owner;
}

static gboolean
connect_bus (ZinitConnection *connection, const ZinitConnectionOptions *options, const char *address,
             GError **error)
{
  g_autoptr (GError) local = NULL;
  connection->bus = open_address (address, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, &local);
  if (connection->bus != NULL)
    connection->destination = find_owner (connection->bus, &local);
  if (connection->destination != NULL)
    return TRUE;
  g_dbus_error_strip_remote_error (local);
  set_no_daemon (error, options, address, local->message);
  return FALSE;
}

static gboolean
connect_socket (ZinitConnection *connection, const ZinitConnectionOptions *options, GError **error)
{
  g_autoptr (ZinitPaths) paths = zinit_paths_new (options->scope, NULL, NULL, options->socket);
  g_autofree char *escaped = g_dbus_address_escape_value (paths->socket);
  g_autofree char *address = g_strconcat ("unix:path=", escaped, NULL);
  g_autoptr (GError) local = NULL;

  connection->bus = open_address (address, G_DBUS_CONNECTION_FLAGS_NONE, &local);
  if (connection->bus != NULL)
    return TRUE;

  if (options->scope == ZINIT_SCOPE_SYSTEM && options->socket == NULL &&
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)) {
    g_autofree char *system_bus = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
    if (system_bus != NULL)
      return connect_bus (connection, options, system_bus, error);
  }
  set_no_daemon (error, options, paths->socket, local->message);
  return FALSE;
}

static void
tell_gone (ZinitConnection *connection)
{
  GFunc gone = g_steal_pointer (&connection->gone);
  if (gone != NULL)
    gone (connection, connection->gone_data);
}

static void
bus_closed (GDBusConnection *bus, gboolean by_peer, GError *error, gpointer data)
{
  tell_gone (data);
}

static void
owner_changed (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
               const char *signal_name, GVariant *parameters, gpointer data)
{
  tell_gone (data);
}

/* Hears from the connection, or from the bus about the daemon, when it ends. */
static void
watch_end (ZinitConnection *connection)
{
  g_signal_connect (connection->bus, "closed", G_CALLBACK (bus_closed), connection);
  /* A unique name changes its owner once: to nobody. */
  if (connection->destination != NULL)
    g_dbus_connection_signal_subscribe (connection->bus, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                        "NameOwnerChanged", "/org/freedesktop/DBus", connection->destination,
                                        G_DBUS_SIGNAL_FLAGS_NONE, owner_changed, connection, NULL);
}

ZinitConnection *
zinit_connection_new (const ZinitConnectionOptions *options, GError **error)
{
  g_autoptr (ZinitConnection) connection = g_new0 (ZinitConnection, 1);
  gboolean done = options->address != NULL ? connect_bus (connection, options, options->address, error)
                                           : connect_socket (connection, options, error);
  if (!done)
    return NULL;
  watch_end (connection);
  return g_steal_pointer (&connection);
}

void
zinit_connection_free (ZinitConnection *connection)
{
  if (connection->bus != NULL)
    g_signal_handlers_disconnect_by_data (connection->bus, connection);
  g_clear_object (&connection->bus);
  g_free (connection->destination);
  g_free (connection);
}

GDBusConnection *
zinit_connection_get_bus (ZinitConnection *connection)
{
  return connection->bus;
}

const char *
zinit_connection_get_destination (ZinitConnection *connection)
{
  return connection->destination;
}

void
zinit_connection_subscribe (ZinitConnection *connection, const char *signal_name,
                            GDBusSignalCallback callback, gpointer data)
{
  g_dbus_connection_signal_subscribe (connection->bus, connection->destination, ZINIT_MANAGER_INTERFACE,
                                      signal_name, ZINIT_MANAGER_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                      callback, data, NULL);
}

void
zinit_connection_on_gone (ZinitConnection *connection, GFunc callback, gpointer data)
{
  connection->gone = callback;
  connection->gone_data = data;
}
