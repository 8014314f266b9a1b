/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's place on a message bus: connects, says Hello, exports, asks for the name, and when the bus
 * goes away does it all again, without end. Services are not affected.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include <errno.h>
#include <unistd.h>

#include "bus/address.h"
#include "bus/driver.h"
#include "bus/greeting.h"
#include "bus/internal.h"
#include "bus/name-watch.h"
#include "bus/transport.h"
#include "model/error.h"
#include "names.h"

#define FIRST_DELAY_MS 100
#define MAX_DELAY_MS 10000
#define HELLO_TIMEOUT_MS 10000
#define PATIENCE_MS 1000 /* the first starts do not wait longer for a bus that does not answer */

#define REPLY_PRIMARY_OWNER 1
#define REPLY_IN_QUEUE 2
#define REPLY_ALREADY_OWNER 4

struct _ZinitMessageBus {
  ZinitBus *bus;
  char *address;
  gboolean is_own; /* only root and this user can be on it */
  gboolean has_name;
  gboolean wants_name; /* the objects are complete */
  GSourceFunc greeted; /* NULL once it has been called */
  gpointer greeted_data;
  guint greeted_source;        /* its time-out, or the call that is on its way */
  int fd;                      /* while it is being greeted; else -1 */
  ZinitGreeting *greeting;     /* NULL = none is under way */
  ZinitConnection *connection; /* NULL while there is none */
  ZinitNameWatch *names;       /* of services; NULL until Hello is answered */
  char *unique_name;           /* that the bus has given to it */
  GCancellable *cancellable;   /* of what is on its way */
  guint name_ids[2];           /* NameAcquired, NameLost */
  guint retry;                 /* timeout source */
  guint delay_ms;              /* of the next try */
  char *last_warning;          /* so that a bus that stays away is reported once */
};

static void connect_to_bus (ZinitMessageBus *self);

static gboolean
on_retry (gpointer data)
{
  ZinitMessageBus *self = data;

  self->retry = 0;
  connect_to_bus (self);
  return G_SOURCE_REMOVE;
}

static void
retry_later (ZinitMessageBus *self)
{
  self->retry = g_timeout_add (self->delay_ms, on_retry, self);
  self->delay_ms = MIN (self->delay_ms * 2, MAX_DELAY_MS);
}

static void
warn_once (ZinitMessageBus *self, const char *what)
{
  if (g_strcmp0 (what, self->last_warning) == 0)
    return;
  g_warning ("message bus %s: %s; trying again, the private socket works meanwhile", self->address, what);
  g_free (self->last_warning);
  self->last_warning = g_strdup (what);
}

static void
drop_connection (ZinitMessageBus *self)
{
  GDBusConnection *connection = self->connection->connection;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (self->name_ids); i++) {
    if (self->name_ids[i] != 0)
      g_dbus_connection_signal_unsubscribe (connection, self->name_ids[i]);
    self->name_ids[i] = 0;
  }
  g_clear_pointer (&self->names, zinit_name_watch_free);
  g_clear_pointer (&self->connection, zinit_connection_close);
  g_clear_pointer (&self->unique_name, g_free);
  self->has_name = FALSE;
}

static gboolean
on_greeting_over (gpointer data)
{
  ZinitMessageBus *self = data;
  GSourceFunc func = g_steal_pointer (&self->greeted);

  self->greeted_source = 0;
  func (self->greeted_data);
  return G_SOURCE_REMOVE;
}

/* Not from within the function that began it. */
static void
greeting_over (ZinitMessageBus *self)
{
  if (self->greeted == NULL)
    return;
  g_clear_handle_id (&self->greeted_source, g_source_remove);
  self->greeted_source = g_idle_add_full (G_PRIORITY_HIGH, on_greeting_over, self, NULL);
}

static void
fail (ZinitMessageBus *self, const char *what)
{
  greeting_over (self);
  warn_once (self, what);
  if (self->connection != NULL)
    drop_connection (self);
  retry_later (self);
}

static void
on_closed (ZinitConnection *connection, gpointer data)
{
  fail (data, "the connection was closed");
}

static void
name_acquired (ZinitMessageBus *self)
{
  if (self->has_name)
    return;
  self->has_name = TRUE;
  g_message ("on the message bus as %s (%s)", ZINIT_BUS_NAME, self->unique_name);
  self->delay_ms = FIRST_DELAY_MS;
  g_clear_pointer (&self->last_warning, g_free);
  zinit_connection_open (self->connection);
}

static void
on_name_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                const char *member, GVariant *parameters, gpointer data)
{
  ZinitMessageBus *self = data;
  const char *name;

  if (!zinit_driver_is_sender (sender) || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(s)")))
    return;
  g_variant_get (parameters, "(&s)", &name);
  if (strcmp (name, ZINIT_BUS_NAME) != 0)
    return;
  if (strcmp (member, "NameAcquired") == 0) {
    name_acquired (self);
  } else if (self->has_name) {
    self->has_name = FALSE;
    g_warning ("another process has taken the name %s", ZINIT_BUS_NAME);
    zinit_connection_mute (self->connection);
  }
}

static void
on_name_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  ZinitMessageBus *self = data;
  guint32 code;

  /* The canceller has dropped the connection, and perhaps freed all of this. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply == NULL) {
    g_dbus_error_strip_remote_error (error);
    fail (self, error->message);
    return;
  }
  g_variant_get (reply, "(u)", &code);
  if (code == REPLY_IN_QUEUE) {
    g_warning ("the name %s is taken; waiting for it", ZINIT_BUS_NAME);
    zinit_connection_mute (self->connection);
  } else if (code == REPLY_PRIMARY_OWNER || code == REPLY_ALREADY_OWNER) {
    name_acquired (self);
  }
}

/* The objects are there before the name is: a call that comes with it finds them. Without flags the bus puts
 * us in a queue and gives us the name when it is free. What happens from now on is signalled: the bus owns
 * the name for us before it sees a signal, and the answer may come late while services are started. */
static void
request_name (ZinitMessageBus *self)
{
  static const char *const members[] = { "NameAcquired", "NameLost" };
  GDBusConnection *connection = self->connection->connection;

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    self->name_ids[i] = zinit_driver_subscribe (connection, members[i], ZINIT_BUS_NAME, on_name_signal, self);
  zinit_driver_call (connection, "RequestName", g_variant_new ("(su)", ZINIT_BUS_NAME, 0),
                     G_VARIANT_TYPE ("(u)"), self->cancellable, on_name_reply, self);
  zinit_connection_open (self->connection);
}

static void
on_hello_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  ZinitMessageBus *self = data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply == NULL) {
    g_dbus_error_strip_remote_error (error);
    fail (self, error->message);
    return;
  }
  g_variant_get (reply, "(s)", &self->unique_name);
  self->names = zinit_name_watch_new (self->bus->supervisor, self->connection->connection);
  greeting_over (self);
  if (self->wants_name)
    request_name (self);
}

static void
on_greeted (const GError *greeting_error, gpointer data)
{
  g_autoptr (GError) error = NULL;
  ZinitMessageBus *self = data;
  GDBusConnection *connection;
  int fd = self->fd;

  g_clear_pointer (&self->greeting, zinit_greeting_free);
  self->fd = -1;
  if (greeting_error != NULL) {
    close (fd);
    fail (self, greeting_error->message);
    return;
  }
  connection = zinit_transport_open (fd, &error);
  if (connection == NULL) {
    fail (self, error->message);
    return;
  }
  self->cancellable = g_cancellable_new ();
  self->connection = zinit_connection_new (self->bus, connection, (uid_t)-1, on_closed, self);
  self->connection->is_own = self->is_own;
  g_dbus_connection_start_message_processing (connection);
  g_dbus_connection_call (connection, ZINIT_DRIVER_NAME, ZINIT_DRIVER_PATH, ZINIT_DRIVER_NAME, "Hello", NULL,
                          G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, HELLO_TIMEOUT_MS, self->cancellable,
                          on_hello_reply, self);
}

/* The first of @addresses on which a process listens. Returns the socket, or -1. */
static int
open_socket (GArray *addresses, GError **error)
{
  int reason = 0;

  for (guint i = 0; i < addresses->len; i++) {
    const ZinitBusAddress *address = &g_array_index (addresses, ZinitBusAddress, i);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect (fd, (const struct sockaddr *)&address->address, address->length) == 0)
      return fd;
    reason = errno;
    if (fd >= 0)
      close (fd);
  }
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot connect: %s", g_strerror (reason));
  return -1;
}

static void
connect_to_bus (ZinitMessageBus *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) addresses = zinit_bus_address_parse (self->address, &error);

  if (addresses != NULL && zinit_transport_prepare (&error))
    self->fd = open_socket (addresses, &error);
  if (self->fd < 0) {
    fail (self, error->message);
    return;
  }
  self->greeting = zinit_greeting_new (self->fd, ZINIT_HANDSHAKE_CLIENT, geteuid (), NULL, on_greeted, self);
}

ZinitMessageBus *
zinit_message_bus_new (ZinitBus *bus, const char *address, gboolean is_own, GSourceFunc greeted,
                       gpointer data)
{
  ZinitMessageBus *self = g_new0 (ZinitMessageBus, 1);

  self->bus = bus;
  self->address = g_strdup (address);
  self->is_own = is_own;
  self->greeted = greeted;
  self->greeted_data = data;
  self->greeted_source = g_timeout_add (PATIENCE_MS, on_greeting_over, self);
  self->delay_ms = FIRST_DELAY_MS;
  self->fd = -1;
  connect_to_bus (self);
  return self;
}

void
zinit_message_bus_service_moved (ZinitMessageBus *self, ZinitService *service)
{
  if (self->names != NULL)
    zinit_name_watch_service_moved (self->names, service);
}

void
zinit_message_bus_own_name (ZinitMessageBus *self)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (self->bus->supervisor);

  /* Those that were restored have not moved. */
  for (guint i = 0; i < services->len; i++)
    zinit_message_bus_service_moved (self, services->pdata[i]);
  self->wants_name = TRUE;
  if (self->unique_name != NULL)
    request_name (self);
}

void
zinit_message_bus_free (ZinitMessageBus *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->greeting, zinit_greeting_free);
  if (self->fd >= 0)
    close (self->fd);
  if (self->connection != NULL)
    drop_connection (self);
  g_clear_handle_id (&self->retry, g_source_remove);
  g_clear_handle_id (&self->greeted_source, g_source_remove);
  g_free (self->last_warning);
  g_free (self->address);
  g_free (self);
}
