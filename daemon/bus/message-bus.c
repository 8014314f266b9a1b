/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's place on a message bus: connects, exports, asks for the name, and when the bus goes away does
 * it all again, for ever. The services do not notice.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/internal.h"
#include "names.h"

#define FIRST_DELAY_MS 100
#define MAX_DELAY_MS 10000

#define REPLY_PRIMARY_OWNER 1
#define REPLY_IN_QUEUE 2
#define REPLY_ALREADY_OWNER 4

struct _ZinitMessageBus {
  ZinitBus *bus;
  char *address;
  ZinitConnection *connection; /* NULL while there is none */
  GCancellable *cancellable;   /* of what is on its way */
  guint name_ids[2];           /* NameAcquired, NameLost */
  guint retry;                 /* timeout source */
  guint delay_ms;              /* of the next try */
  char *last_complaint;        /* so that a bus that stays away is spoken of once */
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
complain (ZinitMessageBus *self, const char *what)
{
  if (g_strcmp0 (what, self->last_complaint) == 0)
    return;
  g_warning ("message bus %s: %s; trying again, the private socket works meanwhile", self->address, what);
  g_free (self->last_complaint);
  self->last_complaint = g_strdup (what);
}

static void
drop_connection (ZinitMessageBus *self)
{
  GDBusConnection *connection = self->connection->connection;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (self->name_ids); i++)
    g_dbus_connection_signal_unsubscribe (connection, self->name_ids[i]);
  g_clear_pointer (&self->connection, zinit_connection_close);
}

static void
on_closed (ZinitConnection *connection, gpointer data)
{
  ZinitMessageBus *self = data;

  drop_connection (self);
  complain (self, "the connection was closed");
  retry_later (self);
}

static void
name_acquired (ZinitMessageBus *self)
{
  if (self->connection->outbox != NULL)
    return;
  g_message ("on the message bus as %s (%s)", ZINIT_BUS_NAME,
             g_dbus_connection_get_unique_name (self->connection->connection));
  self->delay_ms = FIRST_DELAY_MS;
  g_clear_pointer (&self->last_complaint, g_free);
  zinit_connection_open (self->connection);
}

static void
on_name_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                const char *member, GVariant *parameters, gpointer data)
{
  ZinitMessageBus *self = data;
  const char *name;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(s)")))
    return;
  g_variant_get (parameters, "(&s)", &name);
  if (strcmp (name, ZINIT_BUS_NAME) != 0)
    return;
  if (strcmp (member, "NameAcquired") == 0) {
    name_acquired (self);
  } else if (self->connection->outbox != NULL) {
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

  /* Whoever cancels has dropped the connection, and maybe all of this. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply == NULL) {
    g_dbus_error_strip_remote_error (error);
    complain (self, error->message);
    drop_connection (self);
    retry_later (self);
    return;
  }
  g_variant_get (reply, "(u)", &code);
  if (code == REPLY_IN_QUEUE)
    g_warning ("the name %s is taken; waiting for it", ZINIT_BUS_NAME);
  else if (code == REPLY_PRIMARY_OWNER || code == REPLY_ALREADY_OWNER)
    name_acquired (self);
}

/* The objects are there before the name is: a call that comes with it finds them. Without flags the bus puts
 * us in a queue and gives us the name when it is free. */
static void
request_name (ZinitMessageBus *self)
{
  static const char *const members[] = { "NameAcquired", "NameLost" };
  GDBusConnection *connection = self->connection->connection;

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    self->name_ids[i] = g_dbus_connection_signal_subscribe (
        connection, "org.freedesktop.DBus", "org.freedesktop.DBus", members[i], "/org/freedesktop/DBus",
        ZINIT_BUS_NAME, G_DBUS_SIGNAL_FLAGS_NONE, on_name_signal, self, NULL);
  g_dbus_connection_call (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "RequestName", g_variant_new ("(su)", ZINIT_BUS_NAME, 0), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, self->cancellable, on_name_reply, self);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);
  ZinitMessageBus *self = data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection == NULL) {
    complain (self, error->message);
    g_clear_object (&self->cancellable);
    retry_later (self);
    return;
  }
  self->connection = zinit_connection_new (self->bus, connection, (uid_t)-1, on_closed, self);
  request_name (self);
}

static void
connect_to_bus (ZinitMessageBus *self)
{
  self->cancellable = g_cancellable_new ();
  g_dbus_connection_new_for_address (self->address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                         G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, self->cancellable, on_connected, self);
}

ZinitMessageBus *
zinit_message_bus_new (ZinitBus *bus, const char *address)
{
  ZinitMessageBus *self = g_new0 (ZinitMessageBus, 1);

  self->bus = bus;
  self->address = g_strdup (address);
  self->delay_ms = FIRST_DELAY_MS;
  connect_to_bus (self);
  return self;
}

void
zinit_message_bus_free (ZinitMessageBus *self)
{
  if (self == NULL)
    return;
  if (self->connection != NULL)
    drop_connection (self);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->retry, g_source_remove);
  g_free (self->last_complaint);
  g_free (self->address);
  g_free (self);
}
