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

static char *
error_of (TestClient *client, const char *path, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (client, path, ZINIT_PROPERTIES_INTERFACE, method, arguments, &error);

  g_assert_null (reply);
  return g_strdup (error->message);
}

/* An answer that repeated all of its call would be larger than the call, and a bus shuts out who sends a
 * message larger than it allows. */
static void
test_long_names (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *letters = g_strnfill (1 << 20, 'x');
  g_autofree char *name = g_strjoinv ("ä", (char *[]){ letters, letters, letters, NULL });
  g_autofree char *path = g_strconcat ("/", letters, NULL);
  g_auto (GStrv) errors = g_new0 (char *, 6);

  errors[0] = error_of (h->client, ZINIT_MANAGER_PATH, "GetAll", g_variant_new ("(s)", name));
  errors[1] = error_of (h->client, ZINIT_MANAGER_PATH, "Get", g_variant_new ("(ss)", name, "State"));
  errors[2] =
      error_of (h->client, ZINIT_MANAGER_PATH, "Get", g_variant_new ("(ss)", ZINIT_MANAGER_INTERFACE, name));
  errors[3] = error_of (h->client, ZINIT_MANAGER_PATH, "Set",
                        g_variant_new ("(ssv)", ZINIT_MANAGER_INTERFACE, name, g_variant_new_boolean (TRUE)));
  errors[4] = error_of (h->client, path, "GetAll", g_variant_new ("(s)", ZINIT_MANAGER_INTERFACE));
  for (int i = 0; errors[i] != NULL; i++) {
    g_assert_cmpuint (strlen (errors[i]), <, 70000);
    g_assert_true (g_str_has_suffix (errors[i], "…"));
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-messages/serial-zero", test_serial_zero);
  g_test_add_func ("/bus-messages/long-names", test_long_names);
  return g_test_run ();
}
