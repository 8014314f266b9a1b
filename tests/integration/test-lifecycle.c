/* SPDX-License-Identifier: Apache-2.0
 *
 * One service's life: start, stop, restart, kill, and every way it can end. Restarts by policy are in
 * test-restart.c.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <stdlib.h>

#include "harness.h"
#include "processes.h"

#define NO_RESTART "[lifecycle]\nrestart = \"never\"\n"
#define BY_HAND "status = \"ignore\"\n"

static void
test_start_at_load (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) names = NULL;
  g_autoptr (GArray) pids = NULL;
  g_autofree char *shown = NULL;
  TestClient *c;

  harness_service (h, "web", "wait", "");
  harness_service (h, "off", "wait", "status = \"stop\"\n");
  harness_service (h, "hand", "wait", BY_HAND);
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "running");
  names = client_ok (c, "ListServices", NULL);
  shown = g_variant_print (names, FALSE);
  g_assert_cmpstr (shown, ==, "(['hand', 'off', 'web'],)");
  assert_property (c, "web", "WantedStatus", "start");
  assert_property (c, "off", "WantedStatus", "stop");
  assert_property (c, "hand", "WantedStatus", "ignore");
  assert_property (c, "off", "State", "inactive");
  assert_property (c, "hand", "State", "inactive");
  assert_property (c, "hand", "Pid", "0");
  assert_property (c, "hand", "StartedAt", "0");
  assert_property (c, "web", "LastExit", "('none', 0)");
  assert_failure (c, "web", "");
  pids = harness_service_pids (h, "web");
  g_assert_cmpuint (pids->len, ==, 1);
  g_assert_cmpint (g_array_index (pids, pid_t, 0), ==, (pid_t)client_get_pid (c, "web"));
  client_wait_property (c, NULL, "State", "running");
  assert_property (c, NULL, "ServiceCount", "3");
  assert_property (c, NULL, "FailedCount", "0");
}

static void
test_start_and_stop (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) started = NULL, stopped = NULL;
  g_autofree char *again = NULL, *twice = NULL;
  TestClient *c;
  guint32 pid;

  harness_service (h, "web", "wait", BY_HAND);
  harness_start (h);
  c = h->client;
  client_set_mark (c);
  started = client_ok (c, "StartService", "('web', {'wait': <true>})");
  assert_property (c, "web", "State", "running");
  assert_property (c, "web", "WantedStatus", "start");
  assert_property (c, "web", "CanStart", "false");
  assert_property (c, "web", "CanStop", "true");
  pid = client_get_pid (c, "web");
  g_assert_true (processes_is_alive ((pid_t)pid));
  again = client_fails (c, "AlreadyRunning", "StartService", "('web', " NO_OPTIONS ")");
  g_assert_nonnull (strstr (again, "web"));
  stopped = client_ok (c, "StopService", "('web', {'wait': <true>})");
  g_assert_true (processes_is_reaped ((pid_t)pid));
  assert_property (c, "web", "State", "exited");
  assert_property (c, "web", "WantedStatus", "stop");
  assert_property (c, "web", "LastExit", "('killed', 15)");
  assert_property (c, "web", "Pid", "0");
  assert_property (c, "web", "CanStart", "true");
  assert_property (c, "web", "CanStop", "false");
  assert_failure (c, "web", "");
  twice = client_fails (c, "NotRunning", "StopService", "('web', " NO_OPTIONS ")");
  assert_chain (c, "web", "inactive starting running stopping exited");
  client_check_sequence (c);
}

static void
test_restart_by_hand (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) first = NULL, second = NULL, down = NULL;
  TestClient *c;
  guint32 pid;

  harness_service (h, "web", "wait", "");
  harness_service (h, "down", "wait", BY_HAND);
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "running");
  pid = client_get_pid (c, "web");
  client_set_mark (c);
  first = client_ok (c, "RestartService", "('web', {'wait': <true>})");
  assert_property (c, "web", "State", "running");
  g_assert_cmpuint (client_get_pid (c, "web"), !=, pid);
  g_assert_true (processes_is_reaped ((pid_t)pid));
  assert_property (c, "web", "RestartCount", "0");
  assert_property (c, "web", "WantedStatus", "start");
  assert_chain (c, "web", "running stopping exited starting running");
  /* One that is down is simply started. */
  down = client_ok (c, "RestartService", "('down', {'wait': <true>})");
  assert_property (c, "down", "State", "running");
}

static void
test_times (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) started = NULL, changed = NULL, later = NULL, boot = NULL, stopped = NULL;
  guint64 before = (guint64)g_get_real_time ();

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  started = client_get (h->client, "web", "StartedAt");
  changed = client_get (h->client, "web", "StateChangedAt");
  boot = client_get (h->client, NULL, "BootTime");
  g_assert_cmpuint (g_variant_get_uint64 (boot), >=, before);
  g_assert_cmpuint (g_variant_get_uint64 (started), >=, g_variant_get_uint64 (boot));
  g_assert_cmpuint (g_variant_get_uint64 (changed), >=, g_variant_get_uint64 (started));
  g_assert_cmpuint (g_variant_get_uint64 (changed), <=, (guint64)g_get_real_time ());
  stopped = client_ok (h->client, "StopService", "('web', {'wait': <true>})");
  later = client_get (h->client, "web", "StateChangedAt");
  g_assert_cmpuint (g_variant_get_uint64 (later), >, g_variant_get_uint64 (changed));
}

static void
test_kill (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) usr = NULL, kill_main = NULL, all = NULL;
  g_autofree char *zero = NULL, *high = NULL, *negative = NULL, *down = NULL, *whom = NULL;
  TestClient *c;

  harness_service (h, "main", "ignore 10 wait", NO_RESTART);
  harness_service (h, "all", "stubborn ignore 15 wait", NO_RESTART);
  harness_service (h, "down", "wait", BY_HAND);
  harness_start (h);
  c = h->client;
  client_wait_state (c, "main", "running");
  client_wait_state (c, "all", "running");
  zero = client_fails (c, "InvalidSignal", "KillService", "('main', 0, " NO_OPTIONS ")");
  high = client_fails (c, "InvalidSignal", "KillService", "('main', 65, " NO_OPTIONS ")");
  negative = client_fails (c, "InvalidSignal", "KillService", "('main', -9, " NO_OPTIONS ")");
  down = client_fails (c, "NotRunning", "KillService", "('down', 15, " NO_OPTIONS ")");
  whom = client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "KillService",
                       "('main', 15, {'whom': <'some'>})");
  client_set_mark (c);
  kill_main = client_ok (c, "KillService", "('main', 9, {'whom': <'main'>})");
  client_wait_state (c, "main", "failed");
  assert_failure (c, "main", "signal signal=9");
  assert_property (c, "main", "LastExit", "('killed', 9)");
  /* What was not stopped by hand stays wanted. */
  assert_property (c, "main", "WantedStatus", "start");
  assert_chain (c, "main", "running failed");
  all = client_ok (c, "KillService", "('all', 9, {'whom': <'all'>})");
  client_wait_state (c, "all", "failed");
  assert_failure (c, "all", "signal signal=9");
}

static void
test_oneshot (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) good = NULL, again = NULL;
  g_autofree char *bad = NULL, *message = NULL, *runs = NULL, *runs_path = NULL, *orders = NULL;
  g_auto (GStrv) lines = NULL;
  TestClient *c;

  runs_path = harness_path (h, "runs");
  orders = g_strdup_printf ("stamp %s exit 0", runs_path);
  harness_service (h, "good", orders, "oneshot = true\nstatus = \"ignore\"\n");
  harness_service (h, "bad", "exit 3", "oneshot = true\nstatus = \"ignore\"\n" NO_RESTART);
  harness_start (h);
  c = h->client;
  client_set_mark (c);
  good = client_ok (c, "StartService", "('good', {'wait': <true>})");
  assert_property (c, "good", "State", "exited");
  assert_property (c, "good", "LastExit", "('exited', 0)");
  assert_property (c, "good", "NextRestart", "0");
  assert_chain (c, "good", "inactive starting running exited");
  bad = client_fails (c, "CannotStart", "StartService", "('bad', {'wait': <true>})");
  g_assert_nonnull (strstr (bad, "3"));
  assert_property (c, "bad", "State", "failed");
  assert_failure (c, "bad", "exit_code code=3");
  assert_property (c, "bad", "LastExit", "('exited', 3)");
  assert_property (c, NULL, "FailedCount", "1");
  message = client_fails (c, "AlreadyRunning", "StartService", "('good', {'wait': <true>})");
  g_assert_nonnull (strstr (message, "restart"));
  again = client_ok (c, "RestartService", "('good', {'wait': <true>})");
  lines = harness_wait_lines (h, "runs", 2);
  g_assert_cmpuint (g_strv_length (lines), ==, 2);
}

static void
check_spawn_error (Harness *h, const char *name, const char *step, const char *what)
{
  TestClient *c = h->client;
  g_autofree char *failure = NULL, *message = NULL;

  client_set_mark (c);
  message = client_fails (c, "SpawnFailed", "StartService", "('%s', {'wait': <true>})", name);
  assert_property (c, name, "State", "failed");
  failure = client_failure (c, name);
  g_test_message ("%s: %s", name, failure);
  g_assert_true (g_str_has_prefix (failure, "spawn_error message="));
  g_assert_nonnull (strstr (failure, step));
  g_assert_nonnull (strstr (failure, what));
  g_assert_nonnull (strstr (message, what));
  assert_property (c, name, "LastExit", "('none', 0)");
  assert_property (c, name, "Pid", "0");
}

static void
test_spawn_errors (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_write (h, "program.toml", "[service]\nexec = \"/nonexistent/program --x\"\n" BY_HAND NO_RESTART);
  harness_write (h, "noexec.toml", "[service]\nexec = \"/etc/passwd\"\n" BY_HAND NO_RESTART);
  harness_service (h, "folder", "wait", "dir = \"/nonexistent/dir\"\n" BY_HAND NO_RESTART);
  harness_service (h, "user", "wait", "user = \"no-such-user-here\"\n" BY_HAND NO_RESTART);
  harness_service (h, "group", "wait", "group = \"no-such-group-here\"\n" BY_HAND NO_RESTART);
  harness_start (h);
  check_spawn_error (h, "program", "exec", "No such file or directory");
  check_spawn_error (h, "noexec", "exec", "Permission denied");
  check_spawn_error (h, "folder", "chdir", "No such file or directory");
  check_spawn_error (h, "user", "user", "no-such-user-here");
  check_spawn_error (h, "group", "group", "no-such-group-here");
}

static void
test_stop_timeout (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *orders = NULL, *path = NULL;
  g_autoptr (GVariant) stopped = NULL;
  g_auto (GStrv) lines = NULL;
  TestClient *c;
  gint64 begin;

  path = harness_path (h, "up");
  orders = g_strdup_printf ("ignore 15 stamp %s wait", path);
  harness_service (h, "deaf", orders, "[lifecycle]\nstop_timeout_ms = 200\n");
  harness_start (h);
  c = h->client;
  lines = harness_wait_lines (h, "up", 1);
  client_wait_state (c, "deaf", "running");
  client_set_mark (c);
  begin = g_get_monotonic_time ();
  stopped = client_ok (c, "StopService", "('deaf', {'wait': <true>})");
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 200000);
  assert_property (c, "deaf", "State", "failed");
  assert_failure (c, "deaf", "stop_timeout");
  assert_property (c, "deaf", "LastExit", "('killed', 9)");
  assert_property (c, "deaf", "NextRestart", "0");
  assert_chain (c, "deaf", "running stopping failed");
}

/* Stop is over when the whole group is gone, not its first process. */
static void
test_stubborn_grandchild (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) before = NULL, after = NULL;
  g_autoptr (GVariant) stopped = NULL;
  g_autofree char *orders = NULL, *path = NULL;
  g_auto (GStrv) lines = NULL;
  TestClient *c;

  path = harness_path (h, "up");
  orders = g_strdup_printf ("stubborn stubborn sleep 50 stamp %s wait", path);
  harness_service (h, "tree", orders, "[lifecycle]\nstop_timeout_ms = 200\n");
  harness_start (h);
  c = h->client;
  lines = harness_wait_lines (h, "up", 1);
  before = harness_service_pids (h, "tree");
  g_assert_cmpuint (before->len, ==, 3);
  client_set_mark (c);
  stopped = client_ok (c, "StopService", "('tree', " NO_OPTIONS ")");
  g_variant_unref (client_wait_transition (c, "tree", "stopping", NULL));
  after = harness_service_pids (h, "tree");
  g_assert_cmpuint (after->len, ==, 0);
  assert_property (c, "tree", "State", "failed");
  assert_failure (c, "tree", "stop_timeout");
  assert_property (c, "tree", "LastExit", "('killed', 15)");
}

/* The first process ends by itself and leaves another behind: that is cleared before the end is told. */
static void
test_left_behind (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) after = NULL;
  g_autofree char *orders = NULL, *path = NULL;
  TestClient *c;

  path = harness_path (h, "go");
  orders = g_strdup_printf ("stubborn until %s exit 4", path);
  harness_service (h, "tree", orders, "[lifecycle]\nrestart = \"never\"\nstop_timeout_ms = 100\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "tree", "running");
  client_set_mark (c);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  client_wait_state (c, "tree", "failed");
  after = harness_service_pids (h, "tree");
  g_assert_cmpuint (after->len, ==, 0);
  assert_failure (c, "tree", "exit_code code=4");
  assert_property (c, "tree", "LastExit", "('exited', 4)");
  assert_chain (c, "tree", "running stopping failed");
}

static void
test_orphan_is_reaped (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *orders = NULL, *path = NULL;
  g_auto (GStrv) lines = NULL;
  gint64 deadline;
  pid_t orphan;

  path = harness_path (h, "orphan");
  orders = g_strdup_printf ("orphan %s 100 wait", path);
  harness_service (h, "tree", orders, "");
  harness_start (h);
  client_wait_state (h->client, "tree", "running");
  lines = harness_wait_lines (h, "orphan", 1);
  orphan = (pid_t)atoi (lines[0]);
  g_assert_cmpint (orphan, >, 1);
  g_assert_true (processes_wait_end (orphan, CLIENT_PATIENCE_SECONDS));
  deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  while (!processes_is_reaped (orphan) && g_get_monotonic_time () < deadline)
    g_usleep (1000);
  g_assert_true (processes_is_reaped (orphan));
  assert_property (h->client, "tree", "State", "running");
}

static void
test_stop_signal (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) a = NULL, b = NULL;
  g_autofree char *orders = NULL, *path = NULL;
  g_auto (GStrv) lines = NULL;

  path = harness_path (h, "up");
  orders = g_strdup_printf ("on-term 5 20 stamp %s wait", path);
  harness_service (h, "usr", "wait", "[lifecycle]\nstop_signal = \"usr1\"\n");
  harness_service (h, "code", orders, "");
  harness_start (h);
  client_wait_state (h->client, "usr", "running");
  lines = harness_wait_lines (h, "up", 1);
  a = client_ok (h->client, "StopService", "('usr', {'wait': <true>})");
  assert_property (h->client, "usr", "LastExit", "('killed', 10)");
  /* Asked to end, it may end as it likes. */
  b = client_ok (h->client, "StopService", "('code', {'wait': <true>})");
  assert_property (h->client, "code", "State", "exited");
  assert_property (h->client, "code", "LastExit", "('exited', 5)");
}

static void
test_start_while_stopping (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) stop = NULL, start = NULL;
  g_autoptr (GDBusMessage) reply = NULL;
  g_autofree char *orders = NULL, *path = NULL;
  g_auto (GStrv) lines = NULL;
  TestClient *c;
  guint32 serial, pid;

  path = harness_path (h, "up");
  orders = g_strdup_printf ("on-term 0 200 stamp %s wait", path);
  harness_service (h, "web", orders, "");
  harness_start (h);
  c = h->client;
  lines = harness_wait_lines (h, "up", 1);
  client_wait_state (c, "web", "running");
  pid = client_get_pid (c, "web");
  client_set_mark (c);
  stop = client_ok (c, "StopService", "('web', " NO_OPTIONS ")");
  assert_property (c, "web", "State", "stopping");
  serial = client_send (c, "StartService", "('web', {'wait': <true>})");
  reply = client_wait_reply (c, serial);
  g_assert_cmpint (g_dbus_message_get_message_type (reply), ==, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  assert_property (c, "web", "State", "running");
  assert_property (c, "web", "WantedStatus", "start");
  g_assert_cmpuint (client_get_pid (c, "web"), !=, pid);
  assert_chain (c, "web", "running stopping exited starting running");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/lifecycle/start-at-load", test_start_at_load);
  g_test_add_func ("/lifecycle/start-and-stop", test_start_and_stop);
  g_test_add_func ("/lifecycle/restart-by-hand", test_restart_by_hand);
  g_test_add_func ("/lifecycle/times", test_times);
  g_test_add_func ("/lifecycle/kill", test_kill);
  g_test_add_func ("/lifecycle/oneshot", test_oneshot);
  g_test_add_func ("/lifecycle/spawn-errors", test_spawn_errors);
  g_test_add_func ("/lifecycle/stop-timeout", test_stop_timeout);
  g_test_add_func ("/lifecycle/stubborn-grandchild", test_stubborn_grandchild);
  g_test_add_func ("/lifecycle/left-behind", test_left_behind);
  g_test_add_func ("/lifecycle/orphan-is-reaped", test_orphan_is_reaped);
  g_test_add_func ("/lifecycle/stop-signal", test_stop_signal);
  g_test_add_func ("/lifecycle/start-while-stopping", test_start_while_stopping);
  return g_test_run ();
}
