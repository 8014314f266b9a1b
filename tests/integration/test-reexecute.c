/* SPDX-License-Identifier: Apache-2.0
 *
 * Re-execution a hundred times in a row, with many services that talk and end meanwhile: the same process,
 * the same children, no more descriptors and no more memory than before. And what happens when it cannot be
 * done.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "harness.h"
#include "processes.h"

enum { N_SERVICES = 200, N_TIMES = 100 };

/* Resident memory may wander a little; a leak of one service's worth each time would be far more. */
#define ROOM_KIB 4096

static const char *const private_only[] = { "--no-bus", NULL };

static guint
count_descriptors (Harness *h)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", h->daemon_pid);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;

  g_assert_nonnull (folder);
  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

static guint64
read_rss_kib (Harness *h)
{
  g_autofree char *rss = processes_status_field (h->daemon_pid, "VmRSS");

  return g_ascii_strtoull (rss, NULL, 10);
}

static void
read_pids (Harness *h, guint32 *pids)
{
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%03u", i);

    client_wait_state (h->client, name, "running");
    pids[i] = client_get_pid (h->client, name);
  }
}

static void
test_hundred_times (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 before[N_SERVICES], after[N_SERVICES];
  guint n_descriptors;
  guint64 rss_kib;

  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%03u", i);

    harness_service (h, name, i % 10 == 0 ? "out hello wait" : "wait", "");
  }
  harness_service (h, "restless", "sleep 7 exit 1",
                   "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 20\n");
  harness_start_with (h, private_only);
  read_pids (h, before);
  for (guint i = 0; i < 5; i++)
    harness_reexecute (h);
  g_variant_unref (client_ok (h->client, "StopService", "('restless', {'wait': <true>})"));
  n_descriptors = count_descriptors (h);
  rss_kib = read_rss_kib (h);
  g_variant_unref (client_ok (h->client, "StartService", "('restless', " NO_OPTIONS ")"));

  for (guint i = 0; i < N_TIMES; i++)
    harness_reexecute (h);

  g_variant_unref (client_ok (h->client, "StopService", "('restless', {'wait': <true>})"));
  g_assert_cmpuint (count_descriptors (h), ==, n_descriptors);
  if (processes_slowness () <= 1)
    g_assert_cmpuint (read_rss_kib (h), <, rss_kib + ROOM_KIB);
  read_pids (h, after);
  g_assert_cmpint (memcmp (before, after, sizeof before), ==, 0);
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%03u", i);
    g_autoptr (GArray) pids = harness_service_pids (h, name);

    g_assert_cmpuint (pids->len, ==, 1);
  }
}

/* A child that ends in the gap is a child still: its code is known exactly. */
static void
test_exact_exit_codes (void)
{
  g_autoptr (Harness) h = harness_new ();

  for (guint i = 0; i < 20; i++) {
    g_autofree char *name = g_strdup_printf ("code%u", i);
    g_autofree char *orders = g_strdup_printf ("sleep %u exit %u", 20 + i * 10, i + 1);

    harness_service (h, name, orders, "[lifecycle]\nrestart = \"never\"\n");
  }
  harness_start_with (h, private_only);
  for (guint i = 0; i < 8; i++)
    harness_reexecute (h);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *name = g_strdup_printf ("code%u", i);
    g_autofree char *expected = g_strdup_printf ("exit_code code=%u", i + 1);

    client_wait_state (h->client, name, "failed");
    assert_failure (h->client, name, expected);
  }
}

/* How long a file of the daemon may become. */
static void
limit_files (Harness *h, rlim_t max_bytes)
{
  struct rlimit limit;

  g_assert_cmpint (prlimit (h->daemon_pid, RLIMIT_FSIZE, NULL, &limit), ==, 0);
  limit.rlim_cur = max_bytes;
  g_assert_cmpint (prlimit (h->daemon_pid, RLIMIT_FSIZE, &limit, NULL), ==, 0);
}

/* The state cannot be written: the caller is told, and the daemon goes on as it was. */
static void
test_refused (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  guint32 pid;

  harness_service (h, "web", "wait", "");
  harness_start_with (h, private_only);
  client_wait_state (h->client, "web", "running");
  pid = client_get_pid (h->client, "web");
  limit_files (h, 4);
  message = client_fails (h->client, "Failed", "Reexecute", "(" NO_OPTIONS ",)");
  g_assert_nonnull (strstr (message, "state.json"));
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  limit_files (h, RLIM_INFINITY);
  harness_reexecute (h);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
}

/* Asked to end while the new image is judged: that is the later wish. */
static void
test_shutdown_meanwhile (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "on-term 0 500 wait", "");
  harness_start_with (h, private_only);
  client_wait_state (h->client, "web", "running");
  client_send (h->client, "Reexecute", "(" NO_OPTIONS ",)");
  client_send (h->client, "Shutdown", "(" NO_OPTIONS ",)");
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  harness_check_nothing_left (h);
}

/* The same when it is the output that cannot be kept. */
static void
test_output_refused (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *begin = harness_path (h, "begin");
  g_autofree char *orders = g_strdup_printf ("out hello until %s lines 2000 more wait", begin);
  g_autofree char *message = NULL;
  guint32 pid;

  harness_service (h, "web", orders, "[logging]\nbuffer_lines = 5000\n");
  harness_start_with (h, private_only);
  client_wait_log_lines (h->client, "web", 1);
  pid = client_get_pid (h->client, "web");
  limit_files (h, 8192); /* enough for the state */
  g_assert_true (g_file_set_contents (begin, "", 0, NULL));
  client_wait_log_lines (h->client, "web", 2001);
  message = client_fails (h->client, "Failed", "Reexecute", "(" NO_OPTIONS ",)");
  g_assert_nonnull (strstr (message, "the output of web cannot be kept"));
  /* A daemon that ends would lose it as well. */
  g_free (message);
  message = client_fails (h->client, "Failed", "PrepareRestart", "(" NO_OPTIONS ",)");
  g_assert_nonnull (strstr (message, "the output of web cannot be kept"));
  limit_files (h, RLIM_INFINITY);
  harness_reexecute (h);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  client_wait_log_lines (h->client, "web", 2001);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/reexecute/hundred-times", test_hundred_times);
  g_test_add_func ("/reexecute/exact-exit-codes", test_exact_exit_codes);
  g_test_add_func ("/reexecute/refused", test_refused);
  g_test_add_func ("/reexecute/shutdown-meanwhile", test_shutdown_meanwhile);
  g_test_add_func ("/reexecute/output-refused", test_output_refused);
  return g_test_run ();
}
