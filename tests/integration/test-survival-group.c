/* SPDX-License-Identifier: Apache-2.0
 *
 * A service whose first process is gone and whose group is not, when the daemon goes away: the others have
 * what time is left to them, the service ends when they have, and no second one is started beside them.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>

#include "survival.h"
#include "processes.h"

typedef struct {
  const char *name;
  void (*go_away) (Harness *h); /* and come back */
} Way;

static const Way ways[] = { { "crash", survival_start_again }, { "reexecute", harness_reexecute } };

/* Starts `web` and has it stopped: its first process ends with 3 at once, @other does not. */
static GArray *
start_and_stop (Harness *h, const char *other, const char *more)
{
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders =
      g_strdup_printf ("fork ignore 15 stamp %s %s -- on-term 3 0 stamp %s wait", stamps, other, stamps);
  pid_t pid;

  harness_service (h, "web", orders, more);
  survival_start (h);
  g_strfreev (harness_wait_lines (h, "stamps", 2));
  pid = (pid_t)client_get_pid (h->client, "web");
  g_variant_unref (client_ok (h->client, "StopService", "('web', " NO_OPTIONS ")"));
  g_assert_true (processes_wait_end (pid, CLIENT_PATIENCE_SECONDS));
  survival_wait_saved (h, "web", "main_ended", "true");
  return harness_service_pids (h, "web");
}

/* What they are about to write is written. */
static void
test_finishes (gconstpointer data)
{
  const Way *way = data;
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"), *done = harness_path (h, "done");
  g_autofree char *other = g_strdup_printf ("until %s out done stamp %s", go, done);
  g_autoptr (GArray) pids = start_and_stop (h, other, "[lifecycle]\nstop_timeout_ms = 60000\n");

  g_assert_cmpuint (pids->len, ==, 1);
  for (int round = 0; round < 2; round++) {
    way->go_away (h);
    assert_property (h->client, "web", "State", "stopping");
    g_assert_true (processes_is_alive (g_array_index (pids, pid_t, 0)));
  }
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  g_strfreev (harness_wait_lines (h, "done", 1));
  client_wait_state (h->client, "web", "exited");
  assert_property (h->client, "web", "LastExit", "('exited', 3)");
  assert_property (h->client, "web", "WantedStatus", "stop");
  assert_property (h->client, "web", "NextRestart", "0");
  client_wait_log_lines (h->client, "web", 1);
  survival_check_once_each (h, 0);
}

/* Who does not go is killed when the time is over that was set when the stop began. */
static void
test_times_out (gconstpointer data)
{
  const Way *way = data;
  g_autoptr (Harness) h = harness_new ();
  gint64 began_usec = g_get_monotonic_time ();
  g_autoptr (GArray) pids = start_and_stop (h, "wait", "[lifecycle]\nstop_timeout_ms = 1500\n");
  gint64 saved_usec = g_get_monotonic_time ();

  g_assert_cmpuint (pids->len, ==, 1);
  way->go_away (h);
  g_assert_true (processes_wait_end (g_array_index (pids, pid_t, 0), CLIENT_PATIENCE_SECONDS));
  g_assert_cmpint (g_get_monotonic_time () - began_usec, >=, 1490000);
  g_assert_cmpint (g_get_monotonic_time () - saved_usec, <,
                   1500000 + (gint64)(2000000 * processes_slowness ()));
  client_wait_state (h->client, "web", "failed");
  assert_failure (h->client, "web", "stop_timeout");
  assert_property (h->client, "web", "LastExit", "('exited', 3)");
  survival_check_once_each (h, 0);
}

/* The first process is killed when there is no daemon: the next one clears up as it would have done itself,
 * and starts the service again when it has. So it does if there is no file to know of it. */
static void
test_leader_dies_alone (gconstpointer data)
{
  gboolean is_saved = GPOINTER_TO_INT (data);
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *starts = harness_path (h, "starts"), *go = harness_path (h, "go");
  g_autofree char *orders =
      g_strdup_printf ("fork ignore 15 stamp %s until %s -- stamp %s wait", starts, go, starts);
  g_auto (GStrv) lines = NULL;
  pid_t pid;

  harness_service (h, "web", orders, "[lifecycle]\nstop_timeout_ms = 60000\nrestart_delay_ms = 1\n");
  survival_start (h);
  g_strfreev (harness_wait_lines (h, "starts", 2));
  survival_wait_saved (h, "web", "state", "\"running\"");
  pid = (pid_t)client_get_pid (h->client, "web");
  survival_crash (h);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  for (gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS); !processes_is_reaped (pid);) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
  if (!is_saved)
    g_assert_cmpint (g_unlink (state), ==, 0);
  survival_start (h);
  client_wait_state (h->client, "web", "stopping");
  survival_check_once_each (h, 1);
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  client_wait_state (h->client, "web", "running");
  client_wait_property (h->client, "web", "RestartCount", "1");
  lines = harness_wait_lines (h, "starts", 4);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)pid);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_autofree char *finishes = g_strconcat ("/survival-group/finishes/", ways[i].name, NULL);
    g_autofree char *times_out = g_strconcat ("/survival-group/times-out/", ways[i].name, NULL);

    g_test_add_data_func (finishes, &ways[i], test_finishes);
    g_test_add_data_func (times_out, &ways[i], test_times_out);
  }
  g_test_add_data_func ("/survival-group/leader-dies-alone", GINT_TO_POINTER (TRUE), test_leader_dies_alone);
  g_test_add_data_func ("/survival-group/leader-dies-unknown", GINT_TO_POINTER (FALSE),
                        test_leader_dies_alone);
  return g_test_run ();
}
