/* SPDX-License-Identifier: Apache-2.0
 *
 * zinitd is killed and started again: what its services notice of that, which is nothing, and what the new
 * daemon knows of them.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "survival.h"
#include "processes.h"

static gsize
count_processes (Harness *h, const char *service)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetStats", "('%s',)", service);
  g_autoptr (GVariant) stats = g_variant_get_child_value (reply, 0);
  g_autoptr (GVariant) processes = g_variant_lookup_value (stats, "processes", G_VARIANT_TYPE ("a(us)"));

  return g_variant_n_children (processes);
}

/* They go on with their numbers, each once, and none has anything of the hand-over in its environment. */
static void
test_same_processes (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *report = harness_path (h, "report");
  g_autofree char *again = g_strdup_printf ("exit-first 1 0 %s/count report %s wait", h->directory, report);
  g_autofree char *text = NULL;
  guint32 pids[8];

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    harness_service (h, name, "out hello err there wait",
                     i > 0 ? "[dependencies]\nrequires = [\"s0\"]\n" : "");
  }
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    client_wait_state (h->client, name, "running");
    pids[i] = client_get_pid (h->client, name);
  }
  for (int round = 0; round < 3; round++) {
    survival_start_again (h);
    for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
      g_autofree char *name = g_strdup_printf ("s%u", i);

      assert_property (h->client, name, "State", "running");
      g_assert_cmpuint (client_get_pid (h->client, name), ==, pids[i]);
      assert_property (h->client, name, "RestartCount", "0");
      assert_property (h->client, name, "NeedsRestart", "false");
      g_assert_cmpuint (count_processes (h, name), ==, 1);
    }
    survival_check_once_each (h, G_N_ELEMENTS (pids));
  }
  harness_service (h, "late", again, "[lifecycle]\nrestart_delay_ms = 5\n");
  g_free (harness_reload (h));
  text = harness_read_when_there (h, "report");
  g_assert_nonnull (strstr (text, "\nenv ZINIT_SERVICE=late\n"));
  g_assert_null (strstr (text, "ZINIT_FDS"));
  g_assert_null (strstr (text, "ZINIT_HANDOVER"));
}

/* Numbers of the lines in the log; each line must be whole and follow the one before it. */
static guint
check_lines (Harness *h, guint *ret_last)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('worker', {'lines': <uint32 100000>})");
  g_autoptr (GVariantIter) iter = NULL;
  guint number = 0, count = 0;
  const char *text;

  g_variant_get (reply, "(a(tss))", &iter);
  while (g_variant_iter_next (iter, "(t&s&s)", NULL, NULL, &text)) {
    char *end;

    g_assert_true (g_str_has_prefix (text, "line number "));
    g_assert_true (number == 0 || strtoul (text + 12, NULL, 10) == number + 1);
    number = (guint)strtoul (text + 12, &end, 10);
    g_assert_cmpstr (end, ==, " end");
    count++;
  }
  *ret_last = number;
  return count;
}

/* A writer never meets a broken pipe, and from then on every line is there. */
static void
test_output (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint last = 0, before = 0;
  guint32 pid;

  harness_write (
      h, "worker.toml",
      "[service]\nexec = '''i=0; while i=$((i+1)); do echo \"line number $i end\"; sleep 0.003; done'''\n"
      "[lifecycle]\nrestart = \"never\"\n[logging]\nbuffer_lines = 100000\n");
  survival_start (h);
  client_wait_log_lines (h->client, "worker", 20);
  pid = client_get_pid (h->client, "worker");
  for (int round = 0; round < 4; round++) {
    survival_crash (h);
    g_usleep ((gulong)round * 30000);
    survival_start (h);
    client_wait_log_lines (h->client, "worker", before + 1);
    check_lines (h, &last);
    g_assert_cmpuint (last, >, before);
    before = last;
    g_assert_cmpuint (client_get_pid (h->client, "worker"), ==, pid);
  }
}

/* A pipe that is full when the daemon dies stays full, and nothing of it is lost. */
static void
test_full_pipe (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"), *done = harness_path (h, "done");
  g_autofree char *orders = g_strdup_printf ("until %s lines 20000 n stamp %s wait", go, done);
  g_autoptr (GVariant) logs = NULL;
  g_autofree char *text = NULL;
  guint32 pid;

  harness_service (h, "web", orders, "[logging]\nbuffer_lines = 30000\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  pid = client_get_pid (h->client, "web");
  survival_crash (h);
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  g_usleep (50000);
  g_assert_false (g_file_test (done, G_FILE_TEST_EXISTS));
  survival_start (h);
  client_wait_log_lines (h->client, "web", 20000);
  g_free (harness_read_when_there (h, "done"));
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  logs = client_ok (h->client, "GetLogs", "('web', {'lines': <uint32 30000>})");
  text = g_variant_print (logs, FALSE);
  g_assert_nonnull (strstr (text, "'n1')"));
  g_assert_nonnull (strstr (text, "'n20000')"));
}

/* A pipe between a service and somebody else is not ours to read. */
static void
test_foreign_pipe (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *fifo = harness_path (h, "fifo");
  g_auto (GStrv) lines = NULL;
  guint count = 0;

  harness_write (h, "web.toml",
                 "[service]\nexec = '''mkfifo %s; cat %s > %s/out & exec > %s; i=0; "
                 "while i=$((i+1)); do echo $i; sleep 0.003; done'''\n",
                 fifo, fifo, h->directory, fifo);
  survival_start (h);
  g_strfreev (harness_wait_lines (h, "out", 20));
  survival_start_again (h);
  client_wait_state (h->client, "web", "running");
  for (guint more = 0; more < 2; more++) {
    g_strfreev (lines);
    lines = harness_wait_lines (h, "out", count + 50);
    count = g_strv_length (lines);
  }
  for (guint i = 0; i < count; i++)
    g_assert_cmpuint (strtoul (lines[i], NULL, 10), ==, i + 1);
}

/* Work that is done, and wishes that were uttered, stay so. */
static void
test_not_again (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *runs = harness_path (h, "runs");
  g_autofree char *once = g_strdup_printf ("stamp %s exit 0", runs);
  g_auto (GStrv) lines = NULL;

  harness_service (h, "once", once, "oneshot = true\n");
  harness_service (h, "needs", "wait", "[dependencies]\nrequires = [\"once\"]\n");
  harness_service (h, "stopped", "wait", "");
  harness_service (h, "never", "wait", "status = \"stop\"\n");
  harness_service (h, "started", "wait", "status = \"ignore\"\n");
  harness_service (h, "failed", "exit 5", "[lifecycle]\nrestart = \"never\"\n");
  survival_start (h);
  client_wait_state (h->client, "needs", "running");
  client_wait_state (h->client, "failed", "failed");
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  g_variant_unref (client_ok (h->client, "StartService", "('started', {'wait': <true>})"));
  survival_wait_saved (h, "stopped", "state", "\"exited\"");
  survival_wait_saved (h, "started", "state", "\"running\"");
  survival_wait_saved (h, "failed", "state", "\"failed\"");
  for (int round = 0; round < 2; round++) {
    survival_start_again (h);
    assert_property (h->client, "once", "State", "exited");
    assert_property (h->client, "once", "LastExit", "('exited', 0)");
    assert_property (h->client, "needs", "State", "running");
    assert_property (h->client, "stopped", "State", "exited");
    assert_property (h->client, "stopped", "WantedStatus", "stop");
    assert_property (h->client, "never", "State", "inactive");
    assert_property (h->client, "started", "State", "running");
    assert_property (h->client, "started", "WantedStatus", "start");
    assert_property (h->client, "failed", "State", "failed");
    assert_failure (h->client, "failed", "exit_code code=5");
    survival_check_once_each (h, 2);
  }
  lines = harness_wait_lines (h, "runs", 1);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
  /* A wish is saved at once: not even a moment is lost. */
  g_variant_unref (client_ok (h->client, "StopService", "('started', {'wait': <true>})"));
  survival_start_again (h);
  assert_property (h->client, "started", "WantedStatus", "stop");
  g_variant_unref (client_ok (h->client, "StopService", "('needs', {'wait': <true>})"));
}

/* Whoever has had his answer is not forgotten, at whatever moment the daemon dies. */
static void
test_wishes (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *const names[] = { "a", "b", "c", "d", "e", "f" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    harness_service (h, names[i], "wait", "");
  survival_start (h);
  for (guint round = 0; round < 4; round++) {
    gboolean is_stop = round % 2 == 0;

    for (guint i = 0; i < G_N_ELEMENTS (names); i++)
      g_variant_unref (client_ok (h->client, is_stop ? "StopService" : "StartService",
                                  "('%s', " NO_OPTIONS ")", names[i]));
    survival_start_again (h);
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      client_wait_state (h->client, names[i], is_stop ? "exited" : "running");
      assert_property (h->client, names[i], "WantedStatus", is_stop ? "stop" : "start");
    }
  }
}

/* Work that is known to be done is done, and what was added is there, if only just so. */
static void
test_at_once (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go");
  g_autofree char *orders = g_strdup_printf ("until %s exit 0", go);
  guint32 pid;

  harness_service (h, "once", orders, "oneshot = true\n");
  harness_service (h, "never", "wait", "[lifecycle]\nrestart = \"never\"\n");
  survival_start (h);
  client_wait_state (h->client, "once", "running");
  survival_wait_saved (h, "once", "state", "\"running\"");
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  client_wait_state (h->client, "once", "exited");
  survival_start_again (h);
  assert_property (h->client, "once", "LastExit", "('exited', 0)");
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'guest'>, 'exec': <'%s wait'>}}, " NO_OPTIONS ")",
                              harness_child ()));
  pid = client_get_pid (h->client, "guest");
  survival_start_again (h);
  client_wait_state (h->client, "guest", "running");
  g_assert_cmpuint (client_get_pid (h->client, "guest"), ==, pid);
  g_variant_unref (client_ok (h->client, "RestartService", "('never', " NO_OPTIONS ")"));
  survival_start_again (h);
  client_wait_state (h->client, "never", "running");
  g_variant_unref (client_ok (h->client, "RemoveService", "('guest', {'stop': <true>})"));
  survival_start_again (h);
  survival_check_once_each (h, 1);
}

/* An ephemeral service is in no file, and comes back with its whole definition. */
static void
test_ephemeral (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 pid;

  harness_service (h, "resident", "wait", "");
  survival_start (h);
  survival_wait_saved (h, "resident", "state", "\"running\"");
  /* In a field of ours, as its file is what others would read. */
  g_assert_false (survival_has_saved (h, "resident", "config"));
  g_assert_true (survival_has_saved (h, "resident", "definition"));
  g_variant_unref (client_ok (
      h->client, "AddService",
      "({'service': {'name': <'guest'>, 'exec': <'%s wait'>, 'env': <{'A': 'x\\ty'}>}}, " NO_OPTIONS ")",
      harness_child ()));
  client_wait_state (h->client, "guest", "running");
  pid = client_get_pid (h->client, "guest");
  survival_wait_saved (h, "guest", "state", "\"running\"");
  g_assert_true (survival_has_saved (h, "guest", "config"));
  g_assert_false (survival_has_saved (h, "guest", "definition"));
  survival_start_again (h);
  assert_property (h->client, "guest", "State", "running");
  assert_property (h->client, "guest", "Ephemeral", "true");
  g_assert_cmpuint (client_get_pid (h->client, "guest"), ==, pid);
  g_variant_unref (client_ok (h->client, "RestartService", "('guest', {'wait': <true>})"));
  g_assert_cmpuint (client_get_pid (h->client, "guest"), !=, pid);
}

static guint64
get_number (Harness *h, const char *service, const char *property)
{
  g_autoptr (GVariant) value = client_get (h->client, service, property);

  return g_variant_get_uint64 (value);
}

/* The back-off waits as long as it would have waited, and the restarts are counted on. */
static void
test_back_off (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 3 7 %s wait", count);
  /* The third, four times as long, has to outlast the daemon's death. */
  guint delay_ms = (guint)(300 * processes_slowness ());
  g_autofree char *delays = g_strdup_printf (
      "[lifecycle]\nrestart_delay_ms = %u\nrestart_delay_max_ms = %u\n", delay_ms, 25 * delay_ms);
  g_autofree char *last_delay = g_strdup_printf ("%u", 8 * delay_ms);
  guint64 due, due_again;

  harness_service (h, "web", orders, delays);
  survival_start (h);
  client_wait_property (h->client, "web", "RestartCount", "2");
  client_wait_state (h->client, "web", "failed");
  due = get_number (h, "web", "NextRestart");
  survival_wait_saved (h, "web", "restart_count", "2");
  survival_wait_saved (h, "web", "state", "\"failed\"");
  survival_start_again (h);
  assert_property (h->client, "web", "State", "failed");
  assert_property (h->client, "web", "RestartCount", "2");
  assert_failure (h->client, "web", "exit_code code=7");
  due_again = get_number (h, "web", "NextRestart");
  g_assert_cmpint (ABS ((gint64)(due_again - due)), <, 20000);
  client_wait_property (h->client, "web", "RestartCount", "3");
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (get_number (h, "web", "StateChangedAt"), >=, due - 20000);
  assert_property (h->client, "web", "RestartDelay", last_delay);
}

/* The stop that was under way is ended by the clock that was set for it. */
static void
test_stop_goes_on (void)
{
  g_autoptr (Harness) h = harness_new ();
  gint64 timeout_ms = (gint64)(900 * processes_slowness ());
  g_autofree char *more =
      g_strdup_printf ("[lifecycle]\nstop_timeout_ms = %" G_GINT64_FORMAT "\n", timeout_ms);
  gint64 began_usec;
  guint32 pid;

  harness_service (h, "web", "ignore 15 wait", more);
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  pid = client_get_pid (h->client, "web");
  g_usleep (30000);
  began_usec = g_get_monotonic_time ();
  g_variant_unref (client_ok (h->client, "StopService", "('web', " NO_OPTIONS ")"));
  client_wait_state (h->client, "web", "stopping");
  survival_wait_saved (h, "web", "state", "\"stopping\"");
  g_usleep (400000);
  survival_start_again (h);
  assert_property (h->client, "web", "State", "stopping");
  g_assert_true (processes_wait_end ((pid_t)pid, CLIENT_PATIENCE_SECONDS));
  g_assert_cmpint (g_get_monotonic_time () - began_usec, >=, (timeout_ms - 10) * 1000);
  g_assert_cmpint (g_get_monotonic_time () - began_usec, <,
                   timeout_ms * 1000 + (gint64)(400000 * processes_slowness ()));
  client_wait_state (h->client, "web", "failed");
  assert_failure (h->client, "web", "stop_timeout");
  assert_property (h->client, "web", "NextRestart", "0");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/survival/same-processes", test_same_processes);
  g_test_add_func ("/survival/output", test_output);
  g_test_add_func ("/survival/full-pipe", test_full_pipe);
  g_test_add_func ("/survival/foreign-pipe", test_foreign_pipe);
  g_test_add_func ("/survival/not-again", test_not_again);
  g_test_add_func ("/survival/wishes", test_wishes);
  g_test_add_func ("/survival/at-once", test_at_once);
  g_test_add_func ("/survival/ephemeral", test_ephemeral);
  g_test_add_func ("/survival/back-off", test_back_off);
  g_test_add_func ("/survival/stop-goes-on", test_stop_goes_on);
  return g_test_run ();
}
