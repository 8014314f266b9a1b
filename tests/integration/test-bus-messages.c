/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that no well-behaved client sends: the daemon survives each, and stays on the bus.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "harness.h"
#include "names.h"

static Harness *
start (void)
{
  Harness *h = harness_new ();

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  return h;
}

static gboolean
on_closed (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  *(gboolean *)data = TRUE;
  return TRUE;
}

/* The protocol forbids it, and no answer could name the call. Such a client is not served any longer. */
static void
test_serial_zero (void)
{
  g_autoptr (Harness) h = start ();
  g_autoptr (TestClient) peer = client_new_for_socket (h->socket);
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_method_call (NULL, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "ListServices");
  gboolean is_closed = FALSE;

  g_signal_connect (peer->connection, "closed", G_CALLBACK (on_closed), &is_closed);
  g_dbus_connection_send_message (peer->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_PRESERVE_SERIAL, NULL,
                                  NULL);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  assert_property (h->client, "web", "State", "running");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-messages/serial-zero", test_serial_zero);
  return g_test_run ();
}
