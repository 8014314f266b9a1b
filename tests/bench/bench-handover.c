/* SPDX-License-Identifier: Apache-2.0
 *
 * With 1000 services: how long nobody answers while zinitd executes itself anew, how long a killed one's
 * successor takes until it watches all of them again, and what a steady stream of changes costs with the
 * state file kept current.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include <signal.h>

#include "bench.h"
#include "processes.h"

#define SERVICES 1000
#define TURNS 9
#define CHANGES_PER_SECOND 100
#define STEADY_SECONDS 2
#define STEADY_TURNS 3
#define SETTLE_SECONDS 2 /* what was changed is written and told */

/* Anything that has to be answered by the daemon itself. */
static void
ask (TestClient *client)
{
  g_variant_unref (client_get (client, NULL, "Sequence"));
}

static double
since_ms (gint64 begin_ns)
{
  return (double)(bench_now_ns () - begin_ns) / 1e6;
}

static void
bench_reexecute (Harness *h)
{
  g_autoptr (GArray) whole_ms = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) gap_ms = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < TURNS; i++) {
    g_autoptr (TestClient) before = client_new_for_socket (h->socket);
    g_autoptr (TestClient) after = NULL;
    gint64 begin, answered;
    double ms;

    /* As most of its life, it has long written what it knows. */
    g_usleep (SETTLE_SECONDS * G_USEC_PER_SEC / 4);
    begin = bench_now_ns ();
    g_variant_unref (client_ok (before, "Reexecute", "(" NO_OPTIONS ",)"));
    answered = bench_now_ns ();
    after = client_new_for_socket (h->socket);
    ask (after);
    ms = since_ms (begin);
    g_array_append_val (whole_ms, ms);
    ms = since_ms (answered);
    g_array_append_val (gap_ms, ms);
  }
  g_test_message ("re-execution, median of %d:", TURNS);
  g_test_message ("  %-40s %9.1f ms", "from the call to the next answer", bench_median (whole_ms));
  g_test_message ("  %-40s %9.1f ms", "of these from the reply on", bench_median (gap_ms));
}

static void
bench_kill (Harness *h)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < TURNS; i++) {
    const char *options[] = { "--address", h->bus_address, NULL };
    gint64 begin;
    double ms;

    g_assert_cmpint (kill (h->daemon_pid, SIGKILL), ==, 0);
    harness_wait_exit (h);
    begin = bench_now_ns ();
    harness_launch (h, options);
    harness_wait_ready (h);
    ms = since_ms (begin);
    harness_wait_name (h);
    g_array_append_val (times, ms);
  }
  g_test_message ("killed and started again, median of %d:", TURNS);
  g_test_message ("  %-40s %9.1f ms", "from the launch until all are watched", bench_median (times));
}

/* Stops or starts one service after the other, at a steady pace. */
static void
change_states (TestClient *client, const Stamps *stamps, const char *method)
{
  gint64 begin = bench_now_ns ();

  for (gint64 i = 0; i < STEADY_SECONDS * CHANGES_PER_SECOND; i++) {
    g_autofree char *name = g_strdup_printf ("s%04u", (guint)(i * 7 % stamps->count));
    gint64 left_ns = begin + i * 1000000000 / CHANGES_PER_SECOND - bench_now_ns ();

    if (left_ns > 0)
      g_usleep ((gulong)left_ns / 1000);
    g_variant_unref (client_ok (client, method, "('%s', " NO_OPTIONS ")", name));
  }
}

/* Adds the share of a core that zinitd takes meanwhile, in percent. */
static void
measure_changes (Harness *h, TestClient *client, const Stamps *stamps, GArray *percents)
{
  gint64 begin_cpu = bench_cpu_ns (h->daemon_pid), begin = bench_now_ns ();
  double percent;

  change_states (client, stamps, "StopService");
  change_states (client, stamps, "StartService");
  percent = (double)(bench_cpu_ns (h->daemon_pid) - begin_cpu) / (double)(bench_now_ns () - begin) * 100;
  g_array_append_val (percents, percent);
  g_usleep (SETTLE_SECONDS * G_USEC_PER_SEC);
}

static void
bench_changes (Harness *h, Stamps *stamps)
{
  g_autoptr (TestClient) client = client_new_for_socket (h->socket);
  g_autoptr (GArray) percents = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 begin_cpu, idle_cpu;

  g_usleep (SETTLE_SECONDS * G_USEC_PER_SEC);
  begin_cpu = bench_cpu_ns (h->daemon_pid);
  g_usleep (SETTLE_SECONDS * G_USEC_PER_SEC);
  idle_cpu = bench_cpu_ns (h->daemon_pid) - begin_cpu;
  for (guint i = 0; i < STEADY_TURNS; i++)
    measure_changes (h, client, stamps, percents);
  g_test_message ("changes of state, %d a second, median of %d:", CHANGES_PER_SECOND, STEADY_TURNS);
  g_test_message ("  %-40s %9.2f %% of a core", "zinitd, all its work", bench_median (percents));
  g_test_message ("  %-40s %9.2f %% of a core", "at rest", (double)idle_cpu / SETTLE_SECONDS / 1e7);
}

static void
bench (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (Stamps) stamps = stamps_new (h, SERVICES);

  stamps_clear (stamps);
  bench_write_services (h, stamps, "");
  harness_start (h);
  stamps_wait (stamps);
  bench_reexecute (h);
  bench_kill (h);
  bench_changes (h, stamps);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bench/handover", bench);
  return g_test_run ();
}
