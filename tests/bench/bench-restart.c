/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a service that was killed is away: from kill(2) to the stamp of the new process, without the delay
 * that is configured; beside the floor that waits for its one child and starts it again.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "processes.h"

#define TURNS 50
/* The least that can be configured. */
#define DELAY_MS 1

static void
wait_slot (Stamps *stamps, guint slot)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  while (stamps->slots[slot] == 0) {
    g_usleep (200);
    if (g_get_monotonic_time () > deadline)
      g_error ("the service did not come back");
  }
}

/* ms from the signal to the new stamp. */
static double
kill_one (Stamps *stamps, guint slot, pid_t pid)
{
  gint64 begin;

  stamps->slots[slot] = 0;
  begin = bench_now_ns ();
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  wait_slot (stamps, slot);
  return (double)(stamps->slots[slot] - begin) / 1e6;
}

static double
run_floor (Harness *h, Stamps *stamps)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  int fd = -1;
  GPid pid = bench_start_floor (stamps, "restart", &fd);
  FILE *pids = fdopen (fd, "r");
  int child = 0;

  for (int i = 0; i < TURNS; i++) {
    double ms;

    g_assert_cmpint (fscanf (pids, "%d", &child), ==, 1);
    wait_slot (stamps, 0);
    g_usleep (2000);
    ms = kill_one (stamps, 0, child);
    g_array_append_val (times, ms);
  }
  g_assert_cmpint (fscanf (pids, "%d", &child), ==, 1);
  kill (pid, SIGKILL);
  kill (child, SIGKILL);
  fclose (pids);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, NULL));
  return bench_median (times);
}

static double
run_zinitd (Harness *h, Stamps *stamps)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));

  stamps_clear (stamps);
  bench_write_services (h, stamps, "[lifecycle]\nrestart_delay_ms = 1\nrestart_delay_max_ms = 1\n");
  harness_start (h);
  stamps_wait (stamps);
  for (guint i = 0; i < TURNS; i++) {
    guint slot = i * 7 % stamps->count;
    g_autofree char *name = g_strdup_printf ("s%04u", slot);
    double ms;

    client_wait_state (h->client, name, "running");
    g_usleep (2000);
    ms = kill_one (stamps, slot, (pid_t)client_get_pid (h->client, name)) - DELAY_MS;
    g_array_append_val (times, ms);
  }
  return bench_median (times);
}

static void
bench (gconstpointer data)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (Stamps) stamps = stamps_new (h, GPOINTER_TO_UINT (data));
  double least = run_floor (h, stamps), ours = run_zinitd (h, stamps);

  g_test_message ("one of %u services killed, median of %d:   floor    zinitd (less its delay of %d ms)",
                  stamps->count, TURNS, DELAY_MS);
  g_test_message ("  %-28s        %9.3f %9.3f ms   %.2f x", "kill to new stamp", least, ours, ours / least);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/bench/restart/1", GUINT_TO_POINTER (1), bench);
  g_test_add_data_func ("/bench/restart/1000", GUINT_TO_POINTER (1000), bench);
  return g_test_run ();
}
