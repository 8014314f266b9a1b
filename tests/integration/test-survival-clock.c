/* SPDX-License-Identifier: Apache-2.0
 *
 * The wall clock is set, by minutes and back, while no daemon runs. What is alive, what was asked for and
 * what is done does not depend on it: nothing is started twice, and nothing runs that was stopped.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "processes.h"
#include "survival.h"

/* More than the five minutes after which the specification's fields are too old. */
enum { MINUTES_10 = 600 };

typedef struct {
  const char *name;
  int seconds;
} Jump;

static const Jump jumps[] = { { "ahead", MINUTES_10 }, { "back", -MINUTES_10 } };
static const Jump right = { "right", 0 };

static Harness *
start (const Jump *jump)
{
  Harness *h = harness_new ();
  g_autofree char *seconds = g_strdup_printf ("%d", jump->seconds);

  harness_setenv (h, "LD_PRELOAD", g_getenv ("ZINIT_TEST_CLOCK"));
  /* A sanitizer wants to be the first library. */
  harness_setenv (h, "ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0");
  harness_setenv (h, "ZINIT_TEST_CLOCK_SECONDS", seconds);
  return h;
}

/* From now on the next daemon's clock is that. */
static void
set_clock (Harness *h, const Jump *jump)
{
  g_autofree char *seconds = g_strdup_printf ("%d", jump->seconds);

  harness_setenv (h, "ZINIT_TEST_CLOCK_SECONDS", seconds);
}

/* Kills the daemon; the one that follows has another clock. */
static void
jump_to (Harness *h, const Jump *jump)
{
  survival_crash (h);
  set_clock (h, jump);
  survival_start (h);
}

/* The daemon has the clock that it was given, so the tests below test something. */
static void
check_clock (Harness *h, const char *changed_just_now, const Jump *jump)
{
  g_autoptr (GVariant) value = client_get (h->client, changed_just_now, "StateChangedAt");
  gint64 ahead_usec = (gint64)g_variant_get_uint64 (value) - g_get_real_time ();

  g_assert_cmpint (ABS (ahead_usec - (gint64)jump->seconds * G_USEC_PER_SEC), <, 120 * G_USEC_PER_SEC);
}

static void
write_services (Harness *h)
{
  g_autofree char *runs = harness_path (h, "runs");
  g_autofree char *once = g_strdup_printf ("stamp %s exit 0", runs);

  harness_service (h, "web", "wait", "");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"web\", \"once\"]\n");
  harness_service (h, "once", once, "oneshot = true\n");
  harness_service (h, "stopped", "wait", "");
  harness_service (h, "asked", "wait", "status = \"stop\"\n");
}

static const char *const running[] = { "web", "app", "asked", "guest" };

/* What runs, runs; by request one is stopped, one started that would not be, and one is in no file. */
static void
make_requests (Harness *h, guint32 *ret_pids)
{
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'guest'>, 'exec': <'%s wait'>}}, " NO_OPTIONS ")",
                              harness_child ()));
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  g_variant_unref (client_ok (h->client, "StartService", "('asked', {'wait': <true>})"));
  for (guint i = 0; i < G_N_ELEMENTS (running); i++) {
    client_wait_state (h->client, running[i], "running");
    ret_pids[i] = client_get_pid (h->client, running[i]);
    survival_wait_saved (h, running[i], "state", "\"running\"");
  }
  survival_wait_saved (h, "once", "state", "\"exited\"");
}

static void
check_unchanged (Harness *h, const guint32 *pids)
{
  g_autofree char *runs = harness_path (h, "runs");
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (running); i++) {
    assert_property (h->client, running[i], "State", "running");
    g_assert_cmpuint (client_get_pid (h->client, running[i]), ==, pids[i]);
    assert_property (h->client, running[i], "RestartCount", "0");
  }
  assert_property (h->client, "guest", "Ephemeral", "true");
  assert_property (h->client, "asked", "WantedStatus", "start");
  assert_property (h->client, "stopped", "WantedStatus", "stop");
  assert_property (h->client, "stopped", "Pid", "0");
  assert_property (h->client, "once", "State", "exited");
  survival_check_once_each (h, G_N_ELEMENTS (running));
  lines = harness_wait_lines (h, "runs", 1);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
}

/* It jumps and it jumps back. */
static void
test_unchanged (gconstpointer data)
{
  const Jump *jump = data;
  g_autoptr (Harness) h = start (&right);
  guint32 pids[G_N_ELEMENTS (running)];

  write_services (h);
  survival_start (h);
  make_requests (h, pids);
  for (int round = 0; round < 2; round++) {
    const Jump *next = round == 0 ? jump : &right;

    jump_to (h, next);
    check_unchanged (h, pids);
    /* Something new, so that the state is written with this clock. */
    g_variant_unref (client_ok (h->client, "RestartService", "('stopped', {'wait': <true>})"));
    check_clock (h, "stopped", next);
    g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
    check_unchanged (h, pids);
  }
}

/* The daemon dies before the file knows that the service was started again: the copy that it started is the
 * service, and there is no second one. */
static void
test_unsaved (gconstpointer data)
{
  const Jump *jump = data;
  g_autoptr (Harness) h = start (&right);
  g_autofree char *path = survival_path (h, "state.json");
  g_autofree char *earlier = NULL;
  g_autoptr (GError) error = NULL;
  pid_t first;
  guint32 second;

  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 5\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  survival_wait_saved (h, "web", "state", "\"running\"");
  g_assert_true (g_file_get_contents (path, &earlier, NULL, NULL));
  first = (pid_t)client_get_pid (h->client, "web");
  g_assert_cmpint (kill (first, SIGKILL), ==, 0);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  second = client_get_pid (h->client, "web");
  survival_crash (h);
  g_file_set_contents (path, earlier, -1, &error);
  g_assert_no_error (error);
  set_clock (h, jump);
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, second);
  survival_check_once_each (h, 1);
}

/* What a service has put into a session of its own is not the service, whatever the clock says of its age. */
static void
test_own_session (gconstpointer data)
{
  const Jump *jump = data;
  g_autoptr (Harness) h = start (&right);
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders = g_strdup_printf ("fork-session stamp %s wait -- wait", stamps);
  g_auto (GStrv) lines = NULL, words = NULL;
  pid_t main_pid, other;

  harness_service (h, "web", orders, "[lifecycle]\nrestart_delay_ms = 5\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  lines = harness_wait_lines (h, "stamps", 1);
  words = g_strsplit (lines[0], " ", -1);
  other = (pid_t)g_ascii_strtoll (words[2], NULL, 10);
  main_pid = (pid_t)client_get_pid (h->client, "web");
  survival_wait_saved (h, "web", "state", "\"running\"");
  g_assert_true (processes_is_alive (other));
  survival_crash (h);
  g_assert_cmpint (kill (main_pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_end (main_pid, CLIENT_PATIENCE_SECONDS));
  set_clock (h, jump);
  survival_start (h);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)other);
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)main_pid);
  /* Those that left the group need not be stopped with it, so the test ends them. */
  g_strfreev (lines);
  lines = harness_wait_lines (h, "stamps", 2);
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  for (guint i = 0; lines[i] != NULL; i++) {
    g_strfreev (words);
    words = g_strsplit (lines[i], " ", -1);
    kill ((pid_t)g_ascii_strtoll (words[2], NULL, 10), SIGKILL);
  }
}

/* It ends when it was to end: minutes of a clock that was set are no minutes. */
static void
test_back_off (gconstpointer data)
{
  const Jump *jump = data;
  g_autoptr (Harness) h = start (&right);
  guint delay_ms = (guint)(1500 * processes_slowness ());
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 1 7 %s wait", count);
  g_autofree char *more = g_strdup_printf ("[lifecycle]\nrestart_delay_ms = %u\n", delay_ms);
  gint64 began_usec;

  harness_service (h, "web", orders, more);
  survival_start (h);
  client_wait_state (h->client, "web", "failed");
  began_usec = g_get_monotonic_time ();
  survival_wait_saved (h, "web", "state", "\"failed\"");
  jump_to (h, jump);
  client_wait_state (h->client, "web", "running");
  assert_property (h->client, "web", "RestartCount", "1");
  g_assert_cmpint (g_get_monotonic_time () - began_usec, >=, (delay_ms - 200) * 1000);
  check_clock (h, "web", jump);
}

static void
add (const char *name, const Jump *jump, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/survival-clock/%s/%s", name, jump->name);

  g_test_add_data_func (path, jump, func);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (jumps); i++) {
    add ("unchanged", &jumps[i], test_unchanged);
    add ("unsaved", &jumps[i], test_unsaved);
    add ("own-session", &jumps[i], test_own_session);
    add ("back-off", &jumps[i], test_back_off);
  }
  return g_test_run ();
}
