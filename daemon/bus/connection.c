/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: what comes in, its unsent signals and their pace. What calls mean is not known here.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/driver.h"
#include "bus/internal.h"
#include "bus/transport.h"

/* Messages that may wait to be written: what the queue of GDBus, which knows no limit, may hold of ours.
 * dbus-daemon takes some 25 µs for each. */
#define MAX_BURST 128
/* A client that says Hello says it at once. */
#define HOLD_MS 100

static void
connection_clear (ZinitConnection *connection)
{
  zinit_outbox_free (connection->outbox);
  g_clear_pointer (&connection->matches, g_hash_table_unref);
  g_free (connection->unique_name);
  g_object_unref (connection->connection);
}

ZinitConnection *
zinit_connection_ref (ZinitConnection *connection)
{
  return g_rc_box_acquire (connection);
}

void
zinit_connection_unref (ZinitConnection *connection)
{
  g_rc_box_release_full (connection, (GDestroyNotify)connection_clear);
}

static gboolean
on_hold_over (gpointer data)
{
  ZinitConnection *connection = data;

  connection->hold_source = 0;
  zinit_bus_schedule (connection->bus);
  return G_SOURCE_REMOVE;
}

static void
on_call (GDBusMessage *message, gpointer data)
{
  ZinitConnection *connection = data;

  /* The protocol forbids it, GDBus takes it, and no answer could name the call. */
  if (g_dbus_message_get_serial (message) == 0) {
    g_dbus_connection_close (connection->connection, NULL, NULL, NULL);
    return;
  }
  if (connection->hold_source != 0) {
    g_clear_handle_id (&connection->hold_source, g_source_remove);
    zinit_bus_schedule (connection->bus);
  }
  connection->bus->events->called (connection, message);
}

/* What was sent before the end counts: a client may ask for something and go. */
static void
on_closed (GDBusConnection *gdbus, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  g_autoptr (ZinitConnection) connection = zinit_connection_ref (data);

  zinit_inbox_empty (connection->inbox);
  if (connection->bus != NULL)
    connection->closed (connection, connection->closed_data);
}

ZinitConnection *
zinit_connection_new (ZinitBus *bus, GDBusConnection *gdbus, uid_t peer_uid,
                      void (*closed) (ZinitConnection *connection, gpointer data), gpointer closed_data)
{
  ZinitConnection *connection = g_rc_box_new0 (ZinitConnection);

  connection->bus = bus;
  connection->connection = gdbus;
  connection->is_peer = peer_uid != (uid_t)-1;
  connection->peer_uid = peer_uid;
  connection->closed = closed;
  connection->closed_data = closed_data;
  g_dbus_connection_set_exit_on_close (gdbus, FALSE);
  connection->closed_id = g_signal_connect (gdbus, "closed", G_CALLBACK (on_closed), connection);
  connection->inbox = zinit_inbox_new (gdbus, on_call, connection);
  g_ptr_array_add (bus->all_connections, connection);
  return connection;
}

void
zinit_connection_open (ZinitConnection *connection)
{
  if (connection->outbox != NULL)
    return;
  connection->outbox = zinit_outbox_new ();
  g_ptr_array_add (connection->bus->connections, connection);
}

void
zinit_connection_hold (ZinitConnection *connection)
{
  if (connection->hold_source == 0)
    connection->hold_source = g_timeout_add (HOLD_MS, on_hold_over, connection);
}

void
zinit_connection_mute (ZinitConnection *connection)
{
  if (connection->outbox == NULL)
    return;
  g_ptr_array_remove (connection->bus->connections, connection);
  g_clear_pointer (&connection->outbox, zinit_outbox_free);
}

void
zinit_connection_close (ZinitConnection *connection)
{
  zinit_connection_mute (connection);
  g_ptr_array_remove (connection->bus->all_connections, connection);
  connection->bus->events->closing (connection);
  g_clear_handle_id (&connection->hold_source, g_source_remove);
  g_clear_pointer (&connection->inbox, zinit_inbox_free);
  g_signal_handler_disconnect (connection->connection, connection->closed_id);
  if (!g_dbus_connection_is_closed (connection->connection))
    g_dbus_connection_close (connection->connection, NULL, NULL, NULL);
  connection->bus = NULL;
  zinit_connection_unref (connection);
}

/* It fails only when the connection is closed, which "closed" reports. */
static void
send_message (ZinitConnection *connection, GDBusMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (!g_dbus_connection_send_message (connection->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                       &error))
    g_debug ("a message was not sent: %s", error->message);
}

static void
emit (const char *path, const char *interface, const char *member, GVariant *body, gpointer data)
{
  ZinitConnection *connection = data;
  g_autoptr (GDBusMessage) message = g_dbus_message_new_signal (path, interface, member);

  if (connection->unique_name != NULL)
    g_dbus_message_set_sender (message, ZINIT_PEER_OWN_NAME);
  g_dbus_message_set_body (message, body);
  send_message (connection, message);
}

void
zinit_connection_send_driver_signal (ZinitConnection *connection, const char *member, GVariant *body)
{
  g_autoptr (GDBusMessage) message = g_dbus_message_new_signal (ZINIT_DRIVER_PATH, ZINIT_DRIVER_NAME, member);

  g_dbus_message_set_sender (message, ZINIT_DRIVER_NAME);
  g_dbus_message_set_destination (message, connection->unique_name);
  g_dbus_message_set_body (message, body);
  send_message (connection, message);
}

void
zinit_connection_send_reply (ZinitConnection *connection, GDBusMessage *reply)
{
  if (connection->unique_name != NULL) {
    g_dbus_message_set_destination (reply, connection->unique_name);
    if (g_dbus_message_get_sender (reply) == NULL)
      g_dbus_message_set_sender (reply, ZINIT_PEER_OWN_NAME);
  }
  send_message (connection, reply);
}

static gboolean
on_burst_written (gpointer data)
{
  g_autoptr (ZinitConnection) connection = data;

  connection->is_writing = FALSE;
  if (connection->outbox != NULL && !zinit_outbox_is_empty (connection->outbox))
    zinit_bus_schedule (connection->bus);
  return G_SOURCE_REMOVE;
}

static void
drain (ZinitConnection *connection, guint max_messages)
{
  if (connection->outbox != NULL && !zinit_outbox_is_empty (connection->outbox))
    zinit_outbox_drain (connection->outbox, connection->bus->supervisor, connection->bus->paths, max_messages,
                        emit, connection);
}

/* While the first services start, most changes of a service are overtaken by the next one, and to have the
 * bus hand them round would take the processors from the starts: a third of the time of a boot of 1000. An
 * answer takes what is due with it, and the end of the starts sends the rest. */
static gboolean
waits_for_starts (const ZinitConnection *connection)
{
  return !connection->is_peer && zinit_supervisor_is_starting (connection->bus->supervisor);
}

void
zinit_connection_send (ZinitConnection *connection)
{
  if (connection->is_writing || connection->hold_source != 0 || waits_for_starts (connection) ||
      zinit_outbox_is_empty (connection->outbox))
    return;
  drain (connection, MAX_BURST);
  connection->is_writing = TRUE;
  zinit_transport_when_written (connection->connection, on_burst_written, zinit_connection_ref (connection));
}

void
zinit_connection_send_all (ZinitConnection *connection)
{
  zinit_supervisor_flush (connection->bus->supervisor);
  if (connection->bus->autosave != NULL)
    zinit_autosave_commit_due (connection->bus->autosave);
  drain (connection, G_MAXUINT);
}

void
zinit_connection_send_last (ZinitConnection *connection)
{
  zinit_supervisor_flush (connection->bus->supervisor);
  drain (connection, connection->is_peer ? G_MAXUINT : MAX_BURST);
}
