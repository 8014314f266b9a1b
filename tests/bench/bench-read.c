/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading costs at 1000 services: one property, all objects at once, and the command's list.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include "bench.h"
#include "command.h"
#include "names.h"

#define SERVICES 1000

static double
measure_calls (TestClient *c, const char *path, const char *interface, const char *method,
               const char *arguments, guint turns)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < turns; i++) {
    g_autoptr (GVariant) parameters = g_variant_ref_sink (g_variant_new_parsed (arguments));
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = NULL;
    gint64 begin = bench_now_ns ();
    double ms;

    reply = client_call_on (c, path, interface, method, parameters, &error);
    ms = (double)(bench_now_ns () - begin) / 1e6;
    g_assert_no_error (error);
    g_array_append_val (times, ms);
  }
  return bench_median (times);
}

static void
measure_client (TestClient *c, const char *way)
{
  g_test_message ("  %-28s %9.3f ms", way,
                  measure_calls (c, ZINIT_SERVICE_PREFIX "/s0500", ZINIT_PROPERTIES_INTERFACE, "Get",
                                 "('org.zinit.Service', 'State')", 1000));
  g_test_message ("  %-28s %9.3f ms", "  all of one service",
                  measure_calls (c, ZINIT_SERVICE_PREFIX "/s0500", ZINIT_PROPERTIES_INTERFACE, "GetAll",
                                 "('org.zinit.Service',)", 500));
  g_test_message (
      "  %-28s %9.3f ms", "  List",
      measure_calls (c, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "List", "(@a{sv} {},)", 100));
  g_test_message (
      "  %-28s %9.3f ms", "  GetManagedObjects",
      measure_calls (c, ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, "GetManagedObjects", "()", 30));
}

static double
measure_list (Harness *h, const char *options)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));

  for (int i = 0; i < 20; i++) {
    gint64 begin = bench_now_ns ();
    g_autoptr (CommandResult) result = command_run_plain (h, "%s list", options);
    double ms = (double)(bench_now_ns () - begin) / 1e6;

    command_check (result, 0);
    g_array_append_val (times, ms);
  }
  return bench_median (times);
}

static void
bench (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (Stamps) stamps = stamps_new (h, SERVICES);
  g_autoptr (TestClient) peer = NULL;
  g_autofree char *by_bus = NULL, *by_socket = NULL;

  bench_write_services (h, stamps, "");
  harness_start (h);
  stamps_wait (stamps);
  client_wait_property (h->client, NULL, "State", "running");
  peer = client_new_for_socket (h->socket);
  by_bus = g_strdup_printf ("--address '%s'", h->bus_address);
  by_socket = g_strdup_printf ("--socket '%s'", h->socket);
  g_test_message ("%d services, medians:", SERVICES);
  measure_client (h->client, "one property by the bus");
  measure_client (peer, "one property by the socket");
  g_test_message ("  %-28s %9.3f ms", "zinit list by the bus", measure_list (h, by_bus));
  g_test_message ("  %-28s %9.3f ms", "zinit list by the socket", measure_list (h, by_socket));
  g_test_message ("  %-28s %9.2f MiB", "PSS of zinitd afterwards",
                  (double)bench_pss_kib (h->daemon_pid) / 1024);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bench/read", bench);
  return g_test_run ();
}
