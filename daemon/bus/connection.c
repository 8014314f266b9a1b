/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: its objects, its unsent signals and their pace.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "loop/trim.h"
#include "bus/call.h"
#include "bus/errors.h"
#include "bus/internal.h"
#include "bus/waiters.h"
#include "bus/transport.h"
#include "model/error.h"

/* Messages that may wait to be written: what the queue of GDBus, which knows no limit, may hold of ours. */
#define MAX_BURST 512
/* The system bus takes messages up to 32 MiB, the protocol allows 128 MiB; the rest is for header and
 * padding. */
#define LARGE_REPLY_BYTES (256 * 1024) /* the memory of a larger one is given back */
#define MAX_BUS_REPLY_BYTES (30u << 20)
#define MAX_PEER_REPLY_BYTES (120u << 20)

static void
connection_clear (ZinitConnection *connection)
{
  zinit_outbox_free (connection->outbox);
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

static void
on_closed (GDBusConnection *gdbus, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  g_autoptr (ZinitConnection) connection = zinit_connection_ref (data);

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
  zinit_objects_register (connection);
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
  zinit_waiters_drop (connection->bus, connection);
  zinit_call_drop_accepted (connection->bus, connection);
  g_signal_handler_disconnect (connection->connection, connection->closed_id);
  zinit_objects_unregister (connection);
  if (!g_dbus_connection_is_closed (connection->connection))
    g_dbus_connection_close (connection->connection, NULL, NULL, NULL);
  connection->bus = NULL;
  zinit_connection_unref (connection);
}

static void
emit (const char *path, const char *interface, const char *member, GVariant *body, gpointer data)
{
  ZinitConnection *connection = data;
  g_autoptr (GError) error = NULL;

  /* It fails only when the connection is closed, and "closed" tells that. */
  if (!g_dbus_connection_emit_signal (connection->connection, NULL, path, interface, member, body, &error))
    g_debug ("%s.%s: %s", interface, member, error->message);
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

void
zinit_connection_send (ZinitConnection *connection)
{
  if (connection->is_writing || zinit_outbox_is_empty (connection->outbox))
    return;
  drain (connection, MAX_BURST);
  connection->is_writing = TRUE;
  zinit_transport_when_written (connection->connection, on_burst_written, zinit_connection_ref (connection));
}

void
zinit_connection_send_all (ZinitConnection *connection)
{
  drain (connection, G_MAXUINT);
}

void
zinit_connection_answer (ZinitConnection *connection, GDBusMethodInvocation *invocation, GVariant *reply)
{
  gsize limit = connection->is_peer ? MAX_PEER_REPLY_BYTES : MAX_BUS_REPLY_BYTES;
  g_autoptr (GError) error = NULL;

  zinit_connection_send_all (connection);
  if (reply != NULL && g_variant_get_size (reply) >= LARGE_REPLY_BYTES)
    zinit_trim_soon ();
  if (reply == NULL || g_variant_get_size (reply) <= limit) {
    g_dbus_method_invocation_return_value (invocation, reply);
    return;
  }
  g_set_error (&error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
               "the answer has %" G_GSIZE_FORMAT " bytes; at most %" G_GSIZE_FORMAT " are allowed",
               g_variant_get_size (reply), limit);
  g_variant_unref (g_variant_ref_sink (reply));
  zinit_bus_return_error (invocation, error);
}
