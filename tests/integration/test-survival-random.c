/* SPDX-License-Identifier: Apache-2.0
 *
 * zinitd is killed at moments that nobody has chosen: while it starts many services, while it restores, while
 * services come and go. Afterwards everything is there, once. The seed is printed; `--seed` repeats a run.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "survival.h"
#include "processes.h"

/* With those of log-survival over 200 kills in all. */
enum { N_MANY = 300, N_STEADY = 6, N_MOMENTS = 120, N_REQUESTS = 80 };

static const char *const options[] = { "--no-bus", NULL };

/* The daemon runs for @usec and is killed. It may not have come to anything. */
static void
run_for (Harness *h, gulong usec)
{
  int status;

  harness_launch (h, options);
  g_usleep (usec);
  kill (h->daemon_pid, SIGKILL);
  g_assert_true (processes_wait_child (h->daemon_pid, CLIENT_PATIENCE_SECONDS, &status));
  h->daemon_pid = 0;
  if (!WIFSIGNALED (status))
    g_error ("zinitd had ended with wait status 0x%x", status);
}

/* In the middle of starting many. */
static void
test_many (void)
{
  g_autoptr (Harness) h = harness_new ();
  gulong usec = (gulong)(15000 * processes_slowness ());

  for (guint i = 0; i < N_MANY; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    harness_service (h, name, "wait", "");
  }
  for (int round = 0; round < 6; round++) {
    run_for (h, usec + (gulong)g_test_rand_int_range (0, 15000));
    survival_check_at_most_once_each (h, NULL);
  }
  survival_start (h);
  for (guint i = 0; i < N_MANY; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    client_wait_state (h->client, name, "running");
    assert_property (h->client, name, "RestartCount", "0");
  }
  survival_check_once_each (h, N_MANY);
}

/* Services that must never end, one that ends all the time, one that has done its work, one that is stopped.
 */
static void
write_services (Harness *h)
{
  g_autofree char *runs = harness_path (h, "runs");
  g_autofree char *once = g_strdup_printf ("stamp %s exit 0", runs);

  for (guint i = 0; i < N_STEADY; i++) {
    g_autofree char *name = g_strdup_printf ("steady%u", i);
    g_autofree char *more =
        i > 0 ? g_strdup_printf ("[dependencies]\nrequires = [\"steady%u\", \"once\"]\n", i - 1)
              : g_strdup ("");

    harness_service (h, name, "out hello wait", more);
  }
  harness_service (h, "once", once, "oneshot = true\n");
  harness_service (h, "restless", "sleep 7 exit 1",
                   "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 20\n");
  harness_service (h, "stopped", "wait", "");
}

static void
read_pids (Harness *h, guint32 *pids)
{
  for (guint i = 0; i < N_STEADY; i++) {
    g_autofree char *name = g_strdup_printf ("steady%u", i);

    client_wait_state (h->client, name, "running");
    pids[i] = client_get_pid (h->client, name);
  }
}

static void
test_any_moment (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 before[N_STEADY], after[N_STEADY];
  g_auto (GStrv) lines = NULL;

  write_services (h);
  survival_start (h);
  read_pids (h, before);
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  survival_wait_saved (h, "once", "state", "\"exited\"");
  survival_wait_saved (h, "stopped", "state", "\"exited\"");
  survival_crash (h);
  for (int round = 0; round < N_MOMENTS; round++) {
    run_for (h, (gulong)g_test_rand_int_range (0, 80000));
    survival_check_at_most_once_each (h, NULL);
    if (round % 20 != 19)
      continue;
    survival_start (h);
    read_pids (h, after);
    g_assert_cmpint (memcmp (before, after, sizeof before), ==, 0);
    assert_property (h->client, "once", "State", "exited");
    assert_property (h->client, "stopped", "WantedStatus", "stop");
    assert_property (h->client, "stopped", "Pid", "0");
    /* It is alive: it ends and is started again. */
    client_set_mark (h->client);
    g_variant_unref (client_wait_transition (h->client, "restless", NULL, "running"));
    survival_crash (h);
  }
  survival_start (h);
  read_pids (h, after);
  g_assert_cmpint (memcmp (before, after, sizeof before), ==, 0);
  lines = harness_wait_lines (h, "runs", 1);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
  g_variant_unref (client_ok (h->client, "StopService", "('restless', " NO_OPTIONS ")"));
}

/* While everything is being stopped and started by hand, and while it hands over to itself. */
static void
test_amid_requests (void)
{
  g_autoptr (Harness) h = harness_new ();

  write_services (h);
  survival_start (h);
  for (int round = 0; round < N_REQUESTS; round++) {
    gboolean hands_over = g_test_rand_int_range (0, 4) == 0;
    g_autofree char *name = g_strdup_printf ("steady%d", g_test_rand_int_range (0, N_STEADY));

    client_send (h->client, g_test_rand_bit () ? "RestartService" : "StopService", "('%s', " NO_OPTIONS ")",
                 name);
    g_usleep ((gulong)g_test_rand_int_range (0, 20000));
    client_send (h->client, "StartService", "('%s', {'tree': <true>})", name);
    if (hands_over)
      client_send (h->client, "Reexecute", "(" NO_OPTIONS ",)");
    g_usleep ((gulong)g_test_rand_int_range (0, hands_over ? 60000 : 10000));
    survival_start_again (h);
    survival_check_at_most_once_each (h, NULL);
  }
  for (guint i = 0; i < N_STEADY; i++) {
    g_autofree char *name = g_strdup_printf ("steady%u", i);

    client_send (h->client, "StartService", "('%s', {'tree': <true>})", name);
    client_wait_state (h->client, name, "running");
  }
  g_variant_unref (client_ok (h->client, "StopService", "('restless', {'wait': <true>})"));
  survival_check_once_each (h, N_STEADY + 1);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/survival-random/many", test_many);
  g_test_add_func ("/survival-random/any-moment", test_any_moment);
  g_test_add_func ("/survival-random/amid-requests", test_amid_requests);
  return g_test_run ();
}
