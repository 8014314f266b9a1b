/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request costs until its reply is there, which it is when the request is durable: one client after
 * the other, then several at full speed. The floor is a read of one property by the same way, of the same
 * run.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include "bench.h"

#include "names.h"
#include "processes.h"

#define TURNS 100
#define CLIENTS 8
#define CROWD_USEC G_USEC_PER_SEC

/* In the order of a turn. */
typedef enum { READ, STOP, STOP_WAIT, START, START_WAIT, ADD, REMOVE, N_KINDS } Kind;

static const char *const kind_words[N_KINDS] = {
  "read of a property",     "StopService",   "StopService, wait", "StartService", "StartService, wait",
  "AddService (ephemeral)", "RemoveService",
};

/* Not a request of the measurement: whatever the answer is, it is as it was asked for then. */
static void
settle (TestClient *client, const char *method, const char *name)
{
  g_autoptr (GVariant) reply = client_call_on (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method,
                                               g_variant_new_parsed ("(%s, {'wait': <true>})", name), NULL);
}

static GVariant *
make_arguments (Kind kind, const char *name)
{
  switch (kind) {
  case READ:
    return g_variant_new ("(ss)", ZINIT_SERVICE_INTERFACE, "State");
  case STOP_WAIT:
  case START_WAIT:
    return g_variant_new_parsed ("(%s, {'wait': <true>})", name);
  case ADD:
    /* Down, so that it is the request alone: a start has its own row. */
    return g_variant_new_parsed ("({'service': {'name': <%s>, 'exec': <'true'>, 'status': <'stop'>}}, "
                                 "@a{sv} {})",
                                 name);
  default:
    return g_variant_new_parsed ("(%s, @a{sv} {})", name);
  }
}

static void
call (TestClient *client, Kind kind, GVariant *arguments)
{
  static const char *const methods[N_KINDS] = { "Get",          "StopService", "StopService",  "StartService",
                                                "StartService", "AddService",  "RemoveService" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = client_call_on (
      client, kind == READ ? ZINIT_SERVICE_PREFIX "/s0000" : ZINIT_MANAGER_PATH,
      kind == READ ? ZINIT_PROPERTIES_INTERFACE : ZINIT_MANAGER_INTERFACE, methods[kind], arguments, &error);

  g_assert_no_error (error);
}

static void
measure (TestClient *client, Kind kind, const char *name, GArray *times_us)
{
  GVariant *arguments = g_variant_ref_sink (make_arguments (kind, name));
  gint64 begin = bench_now_ns ();
  double us;

  call (client, kind, arguments);
  us = (double)(bench_now_ns () - begin) / 1e3;
  g_array_append_val (times_us, us);
  g_variant_unref (arguments);
}

static void
take_turn (TestClient *client, const char *service, GArray **times_us)
{
  for (Kind kind = READ; kind < N_KINDS; kind++) {
    measure (client, kind, kind >= ADD ? "added" : service, times_us[kind]);
    /* Each begins with the service at rest. */
    if (kind == STOP || kind == START)
      settle (client, "StopService", service);
    if (kind == STOP)
      settle (client, "StartService", service);
  }
}

static void
report_times (GArray **times_us)
{
  double least = bench_median (times_us[READ]);

  g_test_message ("  %-28s %9s %9s  %s", "one client", "median", "95 %", "median to the floor");
  for (Kind kind = READ; kind < N_KINDS; kind++) {
    double median = bench_median (times_us[kind]);

    /* Sorted now. */
    g_test_message ("  %-28s %9.0f %9.0f us  %6.2f x", kind_words[kind], median,
                    g_array_index (times_us[kind], double, times_us[kind]->len * 95 / 100), median / least);
  }
}

static void
bench_one (Harness *h, const Stamps *stamps)
{
  GArray *times_us[N_KINDS];

  for (Kind kind = READ; kind < N_KINDS; kind++)
    times_us[kind] = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < TURNS; i++) {
    g_autofree char *service = g_strdup_printf ("s%04u", i * 7 % stamps->count);

    take_turn (h->client, service, times_us);
  }
  report_times (times_us);
  for (Kind kind = READ; kind < N_KINDS; kind++)
    g_array_unref (times_us[kind]);
}

typedef struct {
  const char *socket;
  char *name;
  Kind first, second; /* in turn */
  guint n_calls;
} Caller;

static gpointer
call_on_and_on (gpointer data)
{
  Caller *caller = data;
  g_autoptr (TestClient) client = client_new_for_socket (caller->socket);
  gint64 end_usec = g_get_monotonic_time () + CROWD_USEC;

  for (; g_get_monotonic_time () < end_usec; caller->n_calls += 2) {
    call (client, caller->first, make_arguments (caller->first, caller->name));
    call (client, caller->second, make_arguments (caller->second, caller->name));
  }
  return NULL;
}

static void
bench_crowd (Harness *h, const char *what, Kind first, Kind second)
{
  Caller callers[CLIENTS];
  GThread *threads[CLIENTS];
  gint64 cpu_ns = bench_cpu_ns (h->daemon_pid), begin = bench_now_ns ();
  double seconds;
  guint n = 0;

  for (guint i = 0; i < CLIENTS; i++) {
    callers[i] = (Caller){ h->socket, g_strdup_printf ("crowd%u", i), first, second, 0 };
    threads[i] = g_thread_new ("caller", call_on_and_on, &callers[i]);
  }
  for (guint i = 0; i < CLIENTS; i++) {
    g_thread_join (threads[i]);
    n += callers[i].n_calls;
    g_free (callers[i].name);
  }
  seconds = (double)(bench_now_ns () - begin) / 1e9;
  g_test_message ("  %-28s %9.0f a second  %6.0f us of CPU each", what, n / seconds,
                  (double)(bench_cpu_ns (h->daemon_pid) - cpu_ns) / 1e3 / n);
}

static void
bench (gconstpointer data)
{
  const char *const options[] = { "--no-bus", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (Stamps) stamps = stamps_new (h, GPOINTER_TO_UINT (data));

  bench_write_services (h, stamps, "");
  harness_start_with (h, options);
  stamps_wait (stamps);
  client_wait_property (h->client, NULL, "State", "running");
  g_test_message ("requests with %u services, %d turns:", stamps->count, TURNS);
  g_test_message ("  %-28s %9.2f MiB", "PSS of zinitd", (double)bench_pss_kib (h->daemon_pid) / 1024);
  bench_one (h, stamps);
  g_test_message ("  %d clients at full speed", CLIENTS);
  bench_crowd (h, "reads of a property", READ, READ);
  bench_crowd (h, "AddService, RemoveService", ADD, REMOVE);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/bench/request/5", GUINT_TO_POINTER (5), bench);
  g_test_add_data_func ("/bench/request/1000", GUINT_TO_POINTER (1000), bench);
  return g_test_run ();
}
