/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls on their way from GDBus's thread to the main loop: their order, how many in a turn, and how many
 * wait.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

#include "bus/inbox.h"
#include "model/limits.h"

typedef struct {
  GDBusConnection *connections[2]; /* the daemon's end, the client's end */
  ZinitInbox *inbox;
  guint n_calls;      /* that came out */
  guint32 last;       /* the serial of the newest */
  int n_errors;       /* that the client got; atomic */
  gboolean is_closed; /* the inbox frees itself at the first call */
} Fixture;

static GDBusConnection *
open_end (int fd)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, NULL);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_sync (
      G_IO_STREAM (stream), NULL, G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, NULL, NULL, &error);

  g_assert_no_error (error);
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  return connection;
}

static void
on_call (GDBusMessage *message, gpointer data)
{
  Fixture *fixture = data;

  fixture->n_calls++;
  g_assert_cmpuint (g_dbus_message_get_serial (message), >, fixture->last);
  fixture->last = g_dbus_message_get_serial (message);
  if (fixture->is_closed)
    g_clear_pointer (&fixture->inbox, zinit_inbox_free);
}

static GDBusMessage *
count_errors (GDBusConnection *connection, GDBusMessage *message, gboolean is_incoming, gpointer data)
{
  Fixture *fixture = data;

  /* Without an inbox GDBus answers what is on its way still by itself. */
  if (is_incoming &&
      g_strcmp0 (g_dbus_message_get_error_name (message), "org.zinit.Error.LimitExceeded") == 0)
    g_atomic_int_inc (&fixture->n_errors);
  return message;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
  for (int i = 0; i < 2; i++)
    fixture->connections[i] = open_end (fds[i]);
  fixture->inbox = zinit_inbox_new (fixture->connections[0], on_call, fixture);
  g_dbus_connection_add_filter (fixture->connections[1], count_errors, fixture, NULL);
  for (int i = 0; i < 2; i++)
    g_dbus_connection_start_message_processing (fixture->connections[i]);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->inbox, zinit_inbox_free);
  for (int i = 0; i < 2; i++) {
    g_dbus_connection_close_sync (fixture->connections[i], NULL, NULL);
    g_object_unref (fixture->connections[i]);
  }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
send_calls (Fixture *fixture, guint n_calls)
{
  for (guint i = 0; i < n_calls; i++) {
    g_autoptr (GDBusMessage) message = g_dbus_message_new_method_call (NULL, "/", "org.example.I", "M");

    g_assert_true (g_dbus_connection_send_message (fixture->connections[1], message,
                                                   G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL));
  }
  g_assert_true (g_dbus_connection_flush_sync (fixture->connections[1], NULL, NULL));
}

static void
iterate_until (Fixture *fixture, guint n_calls)
{
  while (fixture->n_calls < n_calls)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  send_calls (fixture, 1000);
  iterate_until (fixture, 1000);
  g_assert_cmpuint (fixture->n_calls, ==, 1000);
}

static gboolean
on_other (gpointer data)
{
  (*(guint *)data)++;
  return G_SOURCE_CONTINUE;
}

/* Something else has its turn between any two portions. */
static void
test_turns (Fixture *fixture, gconstpointer data)
{
  guint n_turns = 0, source = g_idle_add_full (G_PRIORITY_DEFAULT, on_other, &n_turns, NULL);

  send_calls (fixture, 320);
  iterate_until (fixture, 320);
  g_assert_cmpuint (n_turns, >=, 9);
  g_source_remove (source);
}

static void
test_limit (Fixture *fixture, gconstpointer data)
{
  send_calls (fixture, ZINIT_MAX_QUEUED_CALLS + 5);
  while (g_atomic_int_get (&fixture->n_errors) < 5)
    g_usleep (1000);
  iterate_until (fixture, ZINIT_MAX_QUEUED_CALLS);
  /* And then there is room again. */
  send_calls (fixture, 1);
  iterate_until (fixture, ZINIT_MAX_QUEUED_CALLS + 1);
  g_assert_cmpint (g_atomic_int_get (&fixture->n_errors), ==, 5);
}

/* What has come in counts at the end, unless a call ends it. */
static void
test_empty (Fixture *fixture, gconstpointer data)
{
  send_calls (fixture, 100);
  iterate_until (fixture, 1);
  while (fixture->n_calls < 100)
    zinit_inbox_empty (fixture->inbox);
  send_calls (fixture, 100);
  fixture->is_closed = TRUE;
  while (fixture->inbox != NULL)
    zinit_inbox_empty (fixture->inbox);
  g_assert_cmpuint (fixture->n_calls, ==, 101);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/inbox/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("order", test_order);
  ADD ("turns", test_turns);
  ADD ("limit", test_limit);
  ADD ("empty", test_empty);
#undef ADD
  return g_test_run ();
}
