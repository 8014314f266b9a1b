/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads that GDBus has, and how to learn that one has written something. A connection that is made
 * without flags does no input and no output of its own (initable_init() in GLib's gdbusconnection.c).
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/reserve.h"
#include "model/error.h"

/* What GDBus needs is two threads and few descriptors. More are asked for, as other processes may take some
 * between the check and the use. */
#define PROBE_THREADS 4
#define PROBE_DESCRIPTORS 8

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean is_over;
} Probe;

static gpointer
wait_for_end (gpointer data)
{
  Probe *probe = data;

  g_mutex_lock (&probe->lock);
  while (!probe->is_over)
    g_cond_wait (&probe->cond, &probe->lock);
  g_mutex_unlock (&probe->lock);
  return NULL;
}

static gboolean
can_start_threads (GError **error)
{
  GThread *threads[PROBE_THREADS];
  g_autoptr (GError) reason = NULL;
  Probe probe = { 0 };
  guint n = 0;

  while (n < G_N_ELEMENTS (threads) &&
         (threads[n] = g_thread_try_new ("probe", wait_for_end, &probe, &reason)) != NULL)
    n++;
  g_mutex_lock (&probe.lock);
  probe.is_over = TRUE;
  g_cond_broadcast (&probe.cond);
  g_mutex_unlock (&probe.lock);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  if (n == G_N_ELEMENTS (threads))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "no thread for D-Bus: %s", reason->message);
  return FALSE;
}

gboolean
zinit_transport_prepare (GError **error)
{
  static gboolean is_ready;
  g_autoptr (GDBusConnection) connection = NULL;
  int fds[2];

  if (is_ready)
    return TRUE;
  if (!can_start_threads (error))
    return FALSE;
  if (!zinit_descriptors_are_left (PROBE_DESCRIPTORS) ||
      socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "no descriptors for D-Bus: %s", g_strerror (errno));
    return FALSE;
  }
  /* The first connection makes what all share. */
  connection = zinit_transport_open (fds[0], error);
  close (fds[1]);
  is_ready = connection != NULL;
  return is_ready;
}

typedef struct {
  GSourceFunc func;
  gpointer data;
} Written;

static GQuark
marker_quark (void)
{
  return g_quark_from_static_string ("zinit-transport-marker");
}

static gboolean
on_written (gpointer data)
{
  g_autofree Written *written = data;

  written->func (written->data);
  return G_SOURCE_REMOVE;
}

/* Called in GDBus's thread, or where a marker could not be sent. */
static void
marker_freed (gpointer data)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, on_written, data, NULL);
}

/* Called in GDBus's thread, with each message right before it is written: what was sent earlier is written
 * then. A marker goes no further. */
static GDBusMessage *
filter (GDBusConnection *connection, GDBusMessage *message, gboolean is_incoming, gpointer data)
{
  if (!is_incoming && g_object_get_qdata (G_OBJECT (message), marker_quark ()) != NULL)
    g_clear_object (&message);
  return message;
}

void
zinit_transport_when_written (GDBusConnection *connection, GSourceFunc func, gpointer data)
{
  g_autoptr (GDBusMessage) marker = g_dbus_message_new_signal ("/", "org.zinit.Marker", "Written");
  Written *written = g_new0 (Written, 1);

  written->func = func;
  written->data = data;
  /* It is freed when it has been dropped, and also when the connection is closed before. */
  g_object_set_qdata_full (G_OBJECT (marker), marker_quark (), written, marker_freed);
  g_dbus_connection_send_message (connection, marker, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

GDBusConnection *
zinit_transport_open (int fd, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);
  g_autoptr (GSocketConnection) stream = NULL;
  GDBusConnection *connection;

  if (socket == NULL) {
    close (fd);
    return NULL;
  }
  stream = g_socket_connection_factory_create_connection (socket);
  connection = g_dbus_connection_new_sync (
      G_IO_STREAM (stream), NULL, G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, NULL, NULL, error);
  if (connection != NULL)
    g_dbus_connection_add_filter (connection, filter, NULL, NULL);
  return connection;
}
