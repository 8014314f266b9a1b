/* SPDX-License-Identifier: Apache-2.0
 *
 * What the daemon tells by itself: which signals, how many, in which order with the replies of calls, and
 * what a slow reader is spared.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define WEB_PATH "/org/zinit/service/web"

static gboolean
is_change_of (GDBusMessage *message, const char *path, const char *property)
{
  g_autoptr (GVariant) changed = NULL, value = NULL;

  if (g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_SIGNAL ||
      g_strcmp0 (g_dbus_message_get_path (message), path) != 0 ||
      g_strcmp0 (g_dbus_message_get_member (message), "PropertiesChanged") != 0)
    return FALSE;
  g_variant_get (g_dbus_message_get_body (message), "(&s@a{sv}@as)", NULL, &changed, NULL);
  value = g_variant_lookup_value (changed, property, NULL);
  return value != NULL;
}

static guint
count_changes (TestClient *c, const char *path, const char *property)
{
  g_autoptr (GPtrArray) messages = client_record (c);
  guint count = 0;

  for (guint i = 0; i < messages->len; i++)
    count += is_change_of (g_ptr_array_index (messages, i), path, property) ? 1 : 0;
  return count;
}

/* What a call changed is told before its reply, on the bus and on the private socket. */
static void
check_before_reply (TestClient *c)
{
  guint32 serial;
  g_autoptr (GDBusMessage) reply = NULL;
  g_autoptr (GPtrArray) messages = NULL;
  gboolean seen = FALSE, seen_transition = FALSE;

  client_set_mark (c);
  serial = client_send (c, "StartService", "('web', " NO_OPTIONS ")");
  reply = client_wait_reply (c, serial);
  g_assert_cmpint (g_dbus_message_get_message_type (reply), ==, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  messages = client_record (c);
  for (guint i = 0; i < messages->len; i++) {
    GDBusMessage *message = g_ptr_array_index (messages, i);

    if (g_dbus_message_get_reply_serial (message) == serial)
      break;
    seen |= is_change_of (message, WEB_PATH, "State") && is_change_of (message, WEB_PATH, "WantedStatus");
    seen_transition |= g_strcmp0 (g_dbus_message_get_member (message), "ServiceStateChanged") == 0;
  }
  g_assert_true (seen);
  g_assert_true (seen_transition);
  g_variant_unref (client_ok (c, "StopService", "('web', {'wait': <true>})"));
}

static void
test_before_reply (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) peer = NULL;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  check_before_reply (h->client);
  peer = client_new_for_socket (h->socket);
  check_before_reply (peer);
}

/* One change set is one signal, with all that changed and the right values. */
static void
test_one_signal_per_change (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GPtrArray) messages = NULL;
  TestClient *c;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  c = h->client;
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('web', {'wait': <true>})"));
  g_variant_unref (client_ok (c, "StopService", "('web', {'wait': <true>})"));
  messages = client_record (c);
  g_assert_cmpuint (count_changes (c, WEB_PATH, "State"), <=, 4);
  /* The main process may have ended a turn before the rest of its tree is known to be gone. */
  g_assert_cmpuint (client_count_signals (c, WEB_PATH, "PropertiesChanged"), <=,
                    count_changes (c, WEB_PATH, "State") + 1);
  g_assert_cmpuint (client_count_signals (c, WEB_PATH, "PropertiesChanged"), <=,
                    count_changes (c, WEB_PATH, "State") + count_changes (c, WEB_PATH, "LastExit"));
  for (guint i = 0; i < messages->len; i++) {
    GDBusMessage *message = g_ptr_array_index (messages, i);
    g_autoptr (GVariant) changed = NULL;
    const char *interface, *state;
    guint32 pid;

    if (!is_change_of (message, WEB_PATH, "State"))
      continue;
    g_variant_get (g_dbus_message_get_body (message), "(&s@a{sv}@as)", &interface, &changed, NULL);
    g_assert_cmpstr (interface, ==, ZINIT_SERVICE_INTERFACE);
    g_assert_true (g_variant_lookup (changed, "State", "&s", &state));
    if (g_variant_lookup (changed, "Pid", "u", &pid))
      g_assert_true ((pid != 0) == (g_str_equal (state, "starting") || g_str_equal (state, "running") ||
                                    g_str_equal (state, "stopping")));
  }
}

/* Nothing that did not change is told. */
static void
test_reads_are_silent (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "web", "out hello wait", "");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "running");
  client_wait_property (c, NULL, "State", "running");
  client_set_mark (c);
  for (int i = 0; i < 3; i++) {
    g_variant_unref (client_ok (c, "ListServices", NULL));
    g_variant_unref (client_ok (c, "GetStats", "('web',)"));
    g_variant_unref (client_ok (c, "GetLogs", "('web', " NO_OPTIONS ")"));
    g_variant_unref (client_ok (c, "WhyBlocked", "('web',)"));
    g_free (harness_reload (h));
  }
  g_assert_cmpuint (client_count_signals (c, NULL, NULL), ==, 0);
}

static void
test_details (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) running = NULL, failed = NULL, details = NULL, more = NULL, sequence = NULL;
  const char *name, *path, *reason, *sub_state;
  guint64 number, later, time_usec;
  guint32 pid = 0;
  TestClient *c;

  harness_service (h, "web", "wait", "status = \"ignore\"\n[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  c = h->client;
  g_variant_unref (client_ok (c, "StartService", "('web', {'wait': <true>})"));
  running = client_wait_transition (c, "web", "starting", "running");
  g_variant_get (running, "(&s&o&s&s@a{sv})", &name, &path, NULL, NULL, &details);
  g_assert_cmpstr (path, ==, WEB_PATH);
  g_assert_true (g_variant_lookup (details, "sequence", "t", &number));
  g_assert_true (g_variant_lookup (details, "time_usec", "t", &time_usec));
  g_assert_cmpuint (time_usec, <=, (guint64)g_get_real_time ());
  g_assert_true (g_variant_lookup (details, "sub_state", "&s", &sub_state));
  g_assert_cmpstr (sub_state, ==, "running");
  g_assert_true (g_variant_lookup (details, "pid", "u", &pid));
  g_assert_cmpuint (pid, ==, client_get_pid (c, "web"));
  sequence = client_get (c, NULL, "Sequence");
  g_assert_cmpuint (g_variant_get_uint64 (sequence), ==, number);
  g_variant_unref (client_ok (c, "KillService", "('web', 9, " NO_OPTIONS ")"));
  failed = client_wait_transition (c, "web", "running", "failed");
  g_variant_get (failed, "(&s&o&s&s@a{sv})", NULL, NULL, NULL, NULL, &more);
  g_assert_true (g_variant_lookup (more, "sequence", "t", &later));
  g_assert_cmpuint (later, ==, number + 1);
  g_assert_true (g_variant_lookup (more, "reason", "&s", &reason));
  g_assert_cmpstr (reason, ==, "signal");
}

/* Objects come and go with a signal, and nobody hears of one that he cannot fetch. */
static void
test_objects_come_and_go (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) added = NULL, removed = NULL;
  TestClient *c;

  harness_start (h);
  c = h->client;
  client_set_mark (c);
  added =
      client_ok (c, "AddService", "({'service': {'name': <'web'>, 'exec': <'sleep 1000'>}}, " NO_OPTIONS ")");
  g_assert_cmpuint (client_count_signals (c, ZINIT_ROOT_PATH, "InterfacesAdded"), ==, 1);
  client_wait_state (c, "web", "running");
  assert_property (c, "web", "Ephemeral", "true");
  g_free (client_fails (c, "AlreadyRunning", "RemoveService", "('web', " NO_OPTIONS ")"));
  removed = client_ok (c, "RemoveService", "('web', {'stop': <true>})");
  client_wait_property (c, NULL, "ServiceCount", "0");
  g_assert_cmpuint (client_count_signals (c, ZINIT_ROOT_PATH, "InterfacesRemoved"), ==, 1);
  g_free (client_fails (c, "NoSuchService", "GetService", "('web',)"));
}

/* Services go on without the bus, the private socket works, and the daemon comes back to the bus. */
static void
test_bus_lost (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) peer = NULL;
  guint32 pid;

  harness_service (h, "web", "wait", "");
  harness_service (h, "hand", "wait", "status = \"ignore\"\n");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  pid = client_get_pid (h->client, "web");
  peer = client_new_for_socket (h->socket);
  harness_stop_bus (h);
  g_clear_pointer (&h->client, client_free);
  g_variant_unref (client_ok (peer, "StartService", "('hand', {'wait': <true>})"));
  g_assert_cmpuint (client_get_pid (peer, "web"), ==, pid);
  harness_start_bus (h);
  harness_wait_name (h);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  assert_property (h->client, "hand", "State", "running");
  client_set_mark (h->client);
  g_variant_unref (client_ok (h->client, "StopService", "('hand', {'wait': <true>})"));
  assert_chain (h->client, "hand", "running stopping exited");
}

/* No bus at the start: the daemon serves its socket and takes the name when there is one. */
static void
test_bus_comes_later (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *options[] = { "--address", NULL, NULL };

  options[1] = h->bus_address;
  harness_service (h, "web", "wait", "");
  harness_stop_bus (h);
  harness_start_with (h, options);
  client_wait_state (h->client, "web", "running");
  g_clear_pointer (&h->client, client_free);
  harness_start_bus (h);
  harness_wait_name (h);
  assert_property (h->client, "web", "State", "running");
}

/* A client that never reads costs neither memory without bounds nor the others' time. */
static void
test_stuck_reader (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;
  guint64 limit_kib;
  g_autofree char *before = NULL, *after = NULL;

  for (int i = 0; i < 10; i++) {
    g_autofree char *name = g_strdup_printf ("crash%d", i);

    harness_service (
        h, name, "exit 1",
        "[lifecycle]\nrestart_delay_ms = 1\nrestart_delay_max_ms = 1\nstability_period_ms = 60000\n");
  }
  harness_start (h);
  c = h->client;
  before = processes_status_field (h->daemon_pid, "VmRSS");
  g_assert_cmpint (kill (h->bus_pid, SIGSTOP), ==, 0);
  {
    g_autoptr (TestClient) peer = client_new_for_socket (h->socket);

    client_wait_property (peer, "crash9", "RestartDelay", "1");
    client_set_mark (peer);
    for (int i = 0; i < 300; i++)
      g_variant_unref (client_wait_transition (peer, NULL, NULL, "starting")), client_set_mark (peer);
    after = processes_status_field (h->daemon_pid, "VmRSS");
  }
  g_assert_cmpint (kill (h->bus_pid, SIGCONT), ==, 0);
  limit_kib = g_ascii_strtoull (before, NULL, 10) + 8192;
  if (g_getenv ("ZINITD_WRAPPER") == NULL && processes_slowness () <= 1)
    g_assert_cmpuint (g_ascii_strtoull (after, NULL, 10), <, limit_kib);
  g_variant_unref (client_ok (c, "StopAll", "(" NO_OPTIONS ",)"));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-signals/before-reply", test_before_reply);
  g_test_add_func ("/bus-signals/one-signal-per-change", test_one_signal_per_change);
  g_test_add_func ("/bus-signals/reads-are-silent", test_reads_are_silent);
  g_test_add_func ("/bus-signals/details", test_details);
  g_test_add_func ("/bus-signals/objects-come-and-go", test_objects_come_and_go);
  g_test_add_func ("/bus-signals/bus-lost", test_bus_lost);
  g_test_add_func ("/bus-signals/bus-comes-later", test_bus_comes_later);
  g_test_add_func ("/bus-signals/stuck-reader", test_stuck_reader);
  return g_test_run ();
}
