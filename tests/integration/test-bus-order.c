/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of one client are answered in the order in which they were sent, and those of one that is gone at
 * once are carried out, or the log says why not.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define N_ROUNDS 50

static guint32
send_get (TestClient *c)
{
  g_autoptr (GDBusMessage) message = g_dbus_message_new_method_call (c->destination, "/org/zinit/service/web",
                                                                     ZINIT_PROPERTIES_INTERFACE, "Get");
  volatile guint32 serial = 0;

  g_dbus_message_set_body (message, g_variant_new ("(ss)", ZINIT_SERVICE_INTERFACE, "WantedStatus"));
  g_assert_true (
      g_dbus_connection_send_message (c->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, &serial, NULL));
  return serial;
}

/* What the reply of a Get has as text. */
static char *
get_text (TestClient *c, guint32 serial)
{
  g_autoptr (GDBusMessage) reply = client_wait_reply (c, serial);
  g_autoptr (GVariant) value = NULL;

  g_variant_get (g_dbus_message_get_body (reply), "(v)", &value);
  return g_variant_dup_string (value, NULL);
}

static guint
find_reply (GPtrArray *messages, guint32 serial)
{
  for (guint i = 0; i < messages->len; i++)
    if (g_dbus_message_get_reply_serial (messages->pdata[i]) == serial)
      return i;
  g_assert_not_reached ();
}

/* The place of the signal that WantedStatus is @text. */
static guint
find_change (GPtrArray *messages, const char *text)
{
  for (guint i = 0; i < messages->len; i++) {
    g_autoptr (GVariant) changed = NULL;
    const char *value;

    if (g_strcmp0 (g_dbus_message_get_member (messages->pdata[i]), "PropertiesChanged") != 0)
      continue;
    g_variant_get (g_dbus_message_get_body (messages->pdata[i]), "(s@a{sv}as)", NULL, &changed, NULL);
    if (g_variant_lookup (changed, "WantedStatus", "&s", &value) && strcmp (value, text) == 0)
      return i;
  }
  g_assert_not_reached ();
}

/* A client that is seen for the first time, and the bus has to say which user it is. */
static void
check_order (TestClient *c)
{
  guint32 start = client_send (c, "StartService", "('web', " NO_OPTIONS ")"), first = send_get (c);
  guint32 stop = client_send (c, "StopService", "('web', " NO_OPTIONS ")"), second = send_get (c);
  g_autofree char *after_start = get_text (c, first), *after_stop = get_text (c, second);
  g_autoptr (GPtrArray) messages = client_record (c);

  g_assert_cmpstr (after_start, ==, "start");
  g_assert_cmpstr (after_stop, ==, "stop");
  g_object_unref (client_wait_reply (c, stop));
  g_clear_pointer (&messages, g_ptr_array_unref);
  messages = client_record (c);
  g_assert_cmpuint (find_reply (messages, start), <, find_reply (messages, stop));
  /* No signal reports a change that an answer has shown already. */
  g_assert_cmpuint (find_change (messages, "start"), <, find_reply (messages, first));
  g_assert_cmpuint (find_change (messages, "stop"), <, find_reply (messages, second));
  client_wait_state (c, "web", "exited");
}

static void
test_answers (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  for (int i = 0; i < N_ROUNDS; i++) {
    g_autoptr (TestClient) guest =
        i % 2 ? client_new_for_bus (h->bus_address) : client_new_for_socket (h->socket);

    check_order (guest);
  }
}

/* Sends one call while the daemon stands still, and is gone before it goes on. */
static void
call_and_go (Harness *h, TestClient *guest, const char *method, const char *service)
{
  g_autofree char *name = g_strdup (g_dbus_connection_get_unique_name (guest->connection));
  gboolean is_there = name != NULL;

  g_assert_cmpint (kill (h->daemon_pid, SIGSTOP), ==, 0);
  client_send (guest, method, "('%s', " NO_OPTIONS ")", service);
  g_assert_true (g_dbus_connection_flush_sync (guest->connection, NULL, NULL));
  client_free (guest);
  while (is_there) {
    g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
        h->client->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new ("(s)", name), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

    g_variant_get (reply, "(b)", &is_there);
  }
  g_assert_cmpint (kill (h->daemon_pid, SIGCONT), ==, 0);
}

/* Nobody but its own user can be on the session's bus. */
static void
test_gone_on_session_bus (void)
{
  static const char *const options[] = { "--session", NULL };
  g_autoptr (Harness) h = harness_new ();

  harness_setenv (h, "DBUS_SESSION_BUS_ADDRESS", h->bus_address);
  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_launch (h, options);
  harness_wait_ready (h);
  harness_wait_name (h);
  for (int i = 0; i < 5; i++) {
    call_and_go (h, client_new_for_bus (h->bus_address), "StartService", "web");
    client_wait_state (h->client, "web", "running");
    call_and_go (h, client_new_for_bus (h->bus_address), "StopService", "web");
    client_wait_state (h->client, "web", "exited");
  }
}

static void
test_gone_on_socket (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *guest;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  guest = client_new_for_socket (h->socket);
  g_variant_unref (client_ok (guest, "ListServices", NULL));
  call_and_go (h, guest, "StartService", "web");
  client_wait_state (h->client, "web", "running");
}

/* On another bus it may have been anybody; a client that was seen before is known. */
static void
test_gone_on_other_bus (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *log = NULL;
  TestClient *guest;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  call_and_go (h, client_new_for_bus (h->bus_address), "StartService", "web");
  guest = client_new_for_bus (h->bus_address);
  g_variant_unref (client_get (guest, "web", "State"));
  /* It has been asked for by then, and that is answered before this. */
  g_free (client_fails (guest, "NotRunning", "StopService", "('web', " NO_OPTIONS ")"));
  assert_property (h->client, "web", "State", "inactive");
  call_and_go (h, guest, "StartService", "web");
  client_wait_state (h->client, "web", "running");
  g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, "StartService was refused: its sender :"));
}

#define N_SERVICES 300

/* Nobody can see what happens before the name is there, so it comes before the first starts; until they have
 * settled the daemon says so. */
static void
test_name_comes_first (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *const options[] = { "--address", h->bus_address, NULL };
  guint n_seen = 0;

  for (int i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%03d", i);

    harness_service (h, name, "wait", "");
  }
  h->client = client_new_for_bus (h->bus_address);
  harness_launch (h, options);
  harness_wait_name (h);
  assert_property (h->client, NULL, "State", "starting");
  client_wait_property (h->client, NULL, "State", "running");
  for (int i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%03d", i), *chain = NULL;

    client_wait_state (h->client, name, "running");
    chain = client_chain (h->client, name);
    n_seen += g_str_equal (chain, "inactive starting running") ? 1 : 0;
  }
  g_assert_cmpuint (n_seen, ==, N_SERVICES);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-order/answers", test_answers);
  g_test_add_func ("/bus-order/gone-on-session-bus", test_gone_on_session_bus);
  g_test_add_func ("/bus-order/gone-on-socket", test_gone_on_socket);
  g_test_add_func ("/bus-order/gone-on-other-bus", test_gone_on_other_bus);
  g_test_add_func ("/bus-order/name-comes-first", test_name_comes_first);
  return g_test_run ();
}
