/* SPDX-License-Identifier: Apache-2.0
 *
 * Connects without g_bus_get(): a private connection needs no bus and starts faster.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/connection.h"

#include "client/direct.h"
#include "client/program.h"
#include "names.h"

#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_SECONDS 25

G_DEFINE_QUARK (zinit - connection - error - quark, zinit_connection_error)

struct _ZinitConnection {
  ZinitDirect *direct;  /* to the private socket, until signals are wanted */
  char *address;        /* of the private socket; NULL = on a message bus */
  GDBusConnection *bus; /* NULL while there is @direct */
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

/* @path as a shell wants it. */
static char *
quote (const char *path)
{
  return strpbrk (path, " \t\n\"'\\$`*?[]~&;|<>(){}!#") != NULL ? g_shell_quote (path) : g_strdup (path);
}

/* The options of a daemon that would be found where we looked. @socket NULL = on the bus of options->address.
 */
static char *
describe_place (const ZinitConnectionOptions *options, const char *socket)
{
  if (socket == NULL) {
    g_autofree char *address = quote (options->address);
    return g_strdup_printf (
        "%s --address %s",
        options->scope == ZINIT_SCOPE_SYSTEM && options->is_explicit ? "--system" : "--session", address);
  }
  g_autofree char *usual = zinit_paths_find_socket (options->scope, FALSE);
  if (g_str_equal (socket, usual))
    return g_strdup (options->scope == ZINIT_SCOPE_SYSTEM ? "--system" : "--session");

  /* The socket alone would leave state and definitions in the usual folders, which are those of another
   * daemon. */
  g_autofree char *folder = g_path_get_dirname (socket), *name = g_path_get_basename (socket);
  g_autofree char *quoted_folder = quote (folder), *quoted_socket = quote (socket);
  if (g_str_equal (name, ZINIT_SOCKET_FILE))
    return g_strdup_printf ("--session --runtime-dir %s --config-dir %s", quoted_folder, _ ("FOLDER"));
  return g_strdup_printf ("--session --socket %s --runtime-dir %s --config-dir %s", quoted_socket,
                          quoted_folder, _ ("FOLDER"));
}

/* What to type, or why there is nothing to type. */
static char *
describe_start (const ZinitConnectionOptions *options, const char *socket)
{
  const char *program = zinit_program_get_daemon ();
  if (access (program, X_OK) != 0)
    return g_strdup_printf (_ ("there is no zinitd at %s; set the variable ZINIT_DAEMON to its path"),
                            program);

  g_autofree char *place = describe_place (options, socket);
  g_autofree char *quoted = quote (program);
  g_autofree char *start = g_strdup_printf (_ ("start it with \"%s %s\""), quoted, place);
  if (socket == NULL || options->socket != NULL || g_getenv ("ZINIT_SOCKET") != NULL || options->is_explicit)
    return g_steal_pointer (&start);
  return g_strdup_printf (options->scope == ZINIT_SCOPE_SYSTEM
                              ? _ ("%s, or use --user for your own daemon")
                              : _ ("%s, or use --system for the daemon of the system"),
                          start);
}

/* @socket NULL = on the bus of options->address. */
static void
set_no_daemon (GError **error, const ZinitConnectionOptions *options, const char *socket, const char *why)
{
  g_autofree char *start = describe_start (options, socket);
  g_set_error (error, ZINIT_CONNECTION_ERROR, ZINIT_CONNECTION_ERROR_NO_DAEMON,
               _ ("no daemon answers at %s (%s); %s"), socket != NULL ? socket : options->address, why,
               start);
}

static void
set_not_allowed (GError **error, const ZinitConnectionOptions *options, const char *where)
{
  gboolean is_system = options->scope == ZINIT_SCOPE_SYSTEM && options->socket == NULL;
  g_set_error (error, ZINIT_CONNECTION_ERROR, ZINIT_CONNECTION_ERROR_NOT_ALLOWED,
               is_system
                   ? _ ("you are not allowed to talk to the daemon at %s; try it as root (sudo), or ask your "
                        "own daemon with --user")
                   : _ ("you are not allowed to talk to the daemon at %s; it belongs to another user"),
               where);
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
connect_bus (ZinitConnection *connection, const char *address, GError **error)
{
  connection->bus = open_address (address, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, error);
  if (connection->bus != NULL)
    connection->destination = find_owner (connection->bus, error);
  return connection->destination != NULL;
}

static gboolean
is_not_allowed (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED);
}

/* A bus that was asked for by its address. */
static gboolean
connect_address (ZinitConnection *connection, const ZinitConnectionOptions *options, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (connect_bus (connection, options->address, &local))
    return TRUE;
  g_dbus_error_strip_remote_error (local);
  if (is_not_allowed (local))
    set_not_allowed (error, options, options->address);
  else
    set_no_daemon (error, options, NULL, local->message);
  return FALSE;
}

/* The system's daemon is on its bus for everybody, also for those who may not open its socket. */
static gboolean
connect_system_bus (ZinitConnection *connection)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
  if (address != NULL && connect_bus (connection, address, NULL))
    return TRUE;
  g_clear_object (&connection->bus);
  return FALSE;
}

static gboolean
connect_socket (ZinitConnection *connection, const ZinitConnectionOptions *options, GError **error)
{
  g_autofree char *socket = options->socket != NULL
                                ? g_canonicalize_filename (options->socket, NULL)
                                : zinit_paths_find_socket (options->scope, !options->is_explicit);
  g_autofree char *escaped = g_dbus_address_escape_value (socket);
  g_autoptr (GError) local = NULL;

  connection->direct = zinit_direct_new (socket, CONNECT_TIMEOUT_SECONDS, &local);
  if (connection->direct != NULL) {
    connection->address = g_strconcat ("unix:path=", escaped, NULL);
    return TRUE;
  }
  if (!is_not_allowed (local)) {
    set_no_daemon (error, options, socket, local->message);
    return FALSE;
  }
  if (options->scope == ZINIT_SCOPE_SYSTEM && options->socket == NULL && connect_system_bus (connection))
    return TRUE;
  set_not_allowed (error, options, socket);
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
  gboolean done = options->address != NULL ? connect_address (connection, options, error)
                                           : connect_socket (connection, options, error);
  if (!done)
    return NULL;
  if (connection->bus != NULL)
    watch_end (connection);
  return g_steal_pointer (&connection);
}

gboolean
zinit_connection_open_bus (ZinitConnection *connection, GError **error)
{
  if (connection->bus != NULL)
    return TRUE;
  connection->bus = open_address (connection->address, G_DBUS_CONNECTION_FLAGS_NONE, error);
  if (connection->bus == NULL)
    return FALSE;
  watch_end (connection);
  /* Calls on two connections have no order. */
  g_clear_pointer (&connection->direct, zinit_direct_free);
  return TRUE;
}

GVariant *
zinit_connection_call (ZinitConnection *connection, const char *path, const char *interface,
                       const char *method, GVariant *parameters, const char *reply_type, GError **error)
{
  if (connection->direct != NULL)
    return zinit_direct_call (connection->direct, path, interface, method, parameters,
                              G_VARIANT_TYPE (reply_type), error);
  return g_dbus_connection_call_sync (connection->bus, connection->destination, path, interface, method,
                                      parameters, G_VARIANT_TYPE (reply_type),
                                      G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, NULL, error);
}

void
zinit_connection_free (ZinitConnection *connection)
{
  if (connection->bus != NULL)
    g_signal_handlers_disconnect_by_data (connection->bus, connection);
  g_clear_object (&connection->bus);
  g_clear_pointer (&connection->direct, zinit_direct_free);
  g_free (connection->address);
  g_free (connection->destination);
  g_free (connection);
}

GBytes *
zinit_connection_call_raw (ZinitConnection *connection, const char *method, GVariant *parameters,
                           const char *signature, GError **error)
{
  if (connection->direct == NULL)
    return NULL;
  return zinit_direct_call_raw (connection->direct, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method,
                                parameters, signature, error);
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
zinit_connection_subscribe_properties (ZinitConnection *connection, GDBusSignalCallback callback,
                                       gpointer data)
{
  g_dbus_connection_signal_subscribe (connection->bus, connection->destination, ZINIT_PROPERTIES_INTERFACE,
                                      "PropertiesChanged", NULL, ZINIT_SERVICE_INTERFACE,
                                      G_DBUS_SIGNAL_FLAGS_NONE, callback, data, NULL);
}

void
zinit_connection_on_gone (ZinitConnection *connection, GFunc callback, gpointer data)
{
  connection->gone = callback;
  connection->gone_data = data;
}
