/* SPDX-License-Identifier: Apache-2.0
 *
 * How long it takes from the launch of zinitd until the last of N services has written its own stamp, what
 * that costs in CPU time and memory, and how long the end takes; beside the floor, turn by turn in the same
 * run.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include <sys/wait.h>

#include "bench.h"

#define TURNS 5

typedef struct {
  GArray *boot_ms, *cpu_ms, *stop_ms; /* double */
  double pss_mib;
} Result;

static void
result_init (Result *result)
{
  result->boot_ms = g_array_new (FALSE, FALSE, sizeof (double));
  result->cpu_ms = g_array_new (FALSE, FALSE, sizeof (double));
  result->stop_ms = g_array_new (FALSE, FALSE, sizeof (double));
}

static void
result_clear (Result *result)
{
  g_array_unref (result->boot_ms);
  g_array_unref (result->cpu_ms);
  g_array_unref (result->stop_ms);
}

static void
add_ns (GArray *numbers, gint64 ns)
{
  double ms = (double)ns / 1e6;

  g_array_append_val (numbers, ms);
}

static void
run_floor (Stamps *stamps, Result *result)
{
  g_autofree char *count = g_strdup_printf ("%u", stamps->count);
  gint64 begin;
  GPid pid;

  stamps_clear (stamps);
  begin = bench_now_ns ();
  pid = bench_start_floor (stamps, count, NULL);
  add_ns (result->boot_ms, stamps_wait (stamps) - begin);
  g_usleep (50000);
  add_ns (result->cpu_ms, bench_cpu_ns (pid));
  add_ns (result->stop_ms, bench_stop (pid));
}

static void
run_zinitd (Harness *h, Stamps *stamps, Result *result)
{
  const char *options[] = { "--address", h->bus_address, NULL };
  gint64 begin;

  stamps_clear (stamps);
  begin = bench_now_ns ();
  harness_launch (h, options);
  add_ns (result->boot_ms, stamps_wait (stamps) - begin);
  harness_wait_ready (h);
  /* What it does afterwards belongs to it: signals, the state file. */
  g_usleep (300000);
  add_ns (result->cpu_ms, bench_cpu_ns (h->daemon_pid));
  result->pss_mib = (double)bench_pss_kib (h->daemon_pid) / 1024;
  add_ns (result->stop_ms, bench_stop (h->daemon_pid));
  h->daemon_pid = 0;
}

static void
report (const char *what, GArray *floor_ms, GArray *zinitd_ms)
{
  double least = bench_median (floor_ms), ours = bench_median (zinitd_ms);
  /* Sorted now: the best turn is the one that other work on the machine disturbed least. */
  double best_least = g_array_index (floor_ms, double, 0), best_ours = g_array_index (zinitd_ms, double, 0);

  g_test_message ("  %-24s %9.2f %9.2f ms  %5.2f x   %9.2f %9.2f ms  %5.2f x", what, least, ours,
                  ours / least, best_least, best_ours, best_ours / best_least);
}

static void
bench (gconstpointer data)
{
  guint count = GPOINTER_TO_UINT (data);
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (Stamps) stamps = stamps_new (h, count);
  Result least = { 0 }, ours = { 0 };

  result_init (&least);
  result_init (&ours);
  bench_write_services (h, stamps, "");
  for (int i = 0; i < TURNS; i++) {
    run_floor (stamps, &least);
    run_zinitd (h, stamps, &ours);
  }
  g_test_message ("%u services, %d turns:  median of floor, zinitd, ratio;   best of floor, zinitd, ratio",
                  count, TURNS);
  report ("launch to last stamp", least.boot_ms, ours.boot_ms);
  report ("CPU time of it", least.cpu_ms, ours.cpu_ms);
  report ("stop of all", least.stop_ms, ours.stop_ms);
  g_test_message ("  %-28s           %9.2f MiB", "PSS of zinitd", ours.pss_mib);
  result_clear (&least);
  result_clear (&ours);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/bench/boot/10", GUINT_TO_POINTER (10), bench);
  g_test_add_data_func ("/bench/boot/100", GUINT_TO_POINTER (100), bench);
  g_test_add_data_func ("/bench/boot/1000", GUINT_TO_POINTER (1000), bench);
  return g_test_run ();
}
