/* SPDX-License-Identifier: Apache-2.0
 *
 * The end: order, time-outs, exit code, and nothing left behind.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness.h"
#include "processes.h"

/* Services that write "term NAME …" when they are told to end and "end NAME …" after @ms. */
static void
slow_service (Harness *h, const char *name, int ms, const char *more)
{
  g_autofree char *path = harness_path (h, "stamps");
  g_autofree char *orders = g_strdup_printf ("on-term 0 %d term-stamp %s stamp %s wait", ms, path, path);

  harness_service (h, name, orders, more);
}

/* Place of "WORD NAME" among the lines. */
static guint
place (char **lines, const char *word, const char *name)
{
  g_autofree char *start = g_strdup_printf ("%s %s ", word, name);

  for (guint i = 0; lines[i]; i++) {
    if (g_str_has_prefix (lines[i], start))
      return i;
  }
  g_error ("no line %s", start);
}

static void
check_exit (Harness *h)
{
  int status = harness_wait_exit (h);

  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  harness_check_nothing_left (h);
}

/* Dependents before what they need; branches side by side. */
static void
check_order (gboolean by_signal)
{
  g_autoptr (Harness) h = harness_new ();
  g_auto (GStrv) started = NULL, lines = NULL;

  slow_service (h, "base", 50, "");
  slow_service (h, "left", 300, "[dependencies]\nrequires = [\"base\"]\n");
  slow_service (h, "right", 300, "[dependencies]\nrequires = [\"base\"]\n");
  slow_service (h, "top", 100, "[dependencies]\nrequires = [\"left\"]\n");
  slow_service (h, "alone", 300, "");
  slow_service (h, "later", 50, "[dependencies]\nafter = [\"alone\"]\n");
  harness_start (h);
  started = harness_wait_lines (h, "stamps", 6);
  client_wait_state (h->client, "top", "running");
  client_wait_state (h->client, "right", "running");
  if (by_signal)
    g_assert_cmpint (kill (h->daemon_pid, SIGTERM), ==, 0);
  else
    g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  check_exit (h);
  lines = harness_wait_lines (h, "stamps", 18);
  g_assert_cmpuint (place (lines, "end", "top"), <, place (lines, "term", "left"));
  g_assert_cmpuint (place (lines, "end", "left"), <, place (lines, "term", "base"));
  g_assert_cmpuint (place (lines, "end", "right"), <, place (lines, "term", "base"));
  g_assert_cmpuint (place (lines, "end", "later"), <, place (lines, "term", "alone"));
  /* Side by side: right and top were told before either ended. */
  g_assert_cmpuint (place (lines, "term", "right"), <, place (lines, "end", "top"));
  g_assert_cmpuint (place (lines, "term", "top"), <, place (lines, "end", "right"));
}

static void
test_order (void)
{
  check_order (FALSE);
}

static void
test_sigterm (void)
{
  check_order (TRUE);
}

/* Each has its own time-out; whoever is deaf is killed, with all it left. */
static void
test_timeouts (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "up");
  g_autofree char *deaf = g_strdup_printf ("ignore 15 stubborn stamp %s wait", path);
  g_auto (GStrv) lines = NULL;
  gint64 begin;

  for (int i = 0; i < 4; i++) {
    g_autofree char *name = g_strdup_printf ("deaf%d", i);

    harness_service (h, name, deaf, "[lifecycle]\nstop_timeout_ms = 300\n");
  }
  harness_service (h, "good", "wait", "");
  harness_start (h);
  lines = harness_wait_lines (h, "up", 4);
  client_wait_state (h->client, "good", "running");
  begin = g_get_monotonic_time ();
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  check_exit (h);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 300000);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, (gint64)(1100000 * processes_slowness ()));
}

/* Whatever state services are in, and what happens meanwhile. */
static void
test_states (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "blocked", "wait", "[dependencies]\nrequires = [\"idle\"]\n");
  harness_service (h, "idle", "wait", "status = \"ignore\"\n");
  harness_service (h, "backoff", "exit 1", "[lifecycle]\nrestart_delay_ms = 60000\n");
  harness_service (h, "loop", "exit 1", "[lifecycle]\nrestart_delay_ms = 1\nrestart_delay_max_ms = 1\n");
  harness_service (h, "done", "exit 0", "oneshot = true\n");
  harness_service (h, "stopping", "on-term 0 300 wait", "");
  harness_start (h);
  client_wait_state (h->client, "blocked", "blocked");
  client_wait_state (h->client, "backoff", "failed");
  client_wait_state (h->client, "done", "exited");
  client_wait_state (h->client, "stopping", "running");
  g_variant_unref (client_ok (h->client, "StopService", "('stopping', " NO_OPTIONS ")"));
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  check_exit (h);
}

static void
test_calls_meanwhile (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *orders = NULL, *path = harness_path (h, "go"), *up = harness_path (h, "up");
  g_auto (GStrv) lines = NULL;
  g_autoptr (GDBusMessage) waited = NULL;
  TestClient *c;
  guint32 serial;

  orders = g_strdup_printf ("on-term 0 1000 stamp %s wait", up);
  harness_service (h, "slow", orders, "");
  harness_service (h, "idle", "wait", "status = \"ignore\"\n");
  harness_service (h, "held", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"idle\"]\n");
  harness_start (h);
  c = h->client;
  lines = harness_wait_lines (h, "up", 1);
  client_wait_state (c, "slow", "running");
  /* Somebody waits for a start that will not come. */
  serial = client_send (c, "StartService", "('held', {'wait': <true>})");
  client_wait_state (c, "held", "blocked");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpuint (client_count_signals (c, NULL, "PrepareForShutdown"), ==, 1);
  g_variant_unref (client_ok (c, "Shutdown", "(" NO_OPTIONS ",)"));
  g_free (client_fails (c, "ShuttingDown", "StartService", "('idle', " NO_OPTIONS ")"));
  g_free (client_fails (c, "ShuttingDown", "Reload", "(" NO_OPTIONS ",)"));
  g_free (client_fails (c, "ShuttingDown", "AddService",
                        "({'service': {'name': <'x'>, 'exec': <'true'>}}, " NO_OPTIONS ")"));
  assert_property (c, NULL, "State", "stopping");
  assert_property (c, "idle", "CanStart", "false");
  assert_property (c, "slow", "State", "stopping");
  waited = client_wait_reply (c, serial);
  g_assert_cmpint (g_dbus_message_get_message_type (waited), ==, G_DBUS_MESSAGE_TYPE_ERROR);
  check_exit (h);
}

/* Nothing to do, and two in a row in the same folders: no lock or socket is in the way. */
static void
test_empty_and_again (void)
{
  g_autoptr (Harness) h = harness_new ();

  for (int i = 0; i < 3; i++) {
    harness_start (h);
    assert_property (h->client, NULL, "ServiceCount", "0");
    if (i < 2) {
      g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
      check_exit (h);
    }
  }
}

/* One daemon for a runtime folder: the second says so and ends well. */
static void
test_second_daemon (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *log = NULL;
  const char *options[] = { "--address", NULL, NULL };
  GPid first;
  int status = -1;

  options[1] = h->bus_address;
  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  first = h->daemon_pid;
  harness_launch (h, options);
  g_assert_true (processes_wait_child (h->daemon_pid, CLIENT_PATIENCE_SECONDS, &status));
  h->daemon_pid = first;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, h->runtime_dir));
  assert_property (h->client, "web", "State", "running");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/rules/L2/order", test_order);
  g_test_add_func ("/shutdown/sigterm", test_sigterm);
  g_test_add_func ("/shutdown/timeouts", test_timeouts);
  g_test_add_func ("/shutdown/states", test_states);
  g_test_add_func ("/rules/L2/calls-meanwhile", test_calls_meanwhile);
  g_test_add_func ("/shutdown/empty-and-again", test_empty_and_again);
  g_test_add_func ("/shutdown/second-daemon", test_second_daemon);
  return g_test_run ();
}
