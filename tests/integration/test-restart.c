/* SPDX-License-Identifier: Apache-2.0
 *
 * Restarts by policy: when, how often, after which delay, and what makes the count begin again.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

static guint64
get_number (TestClient *client, const char *service, const char *property)
{
  g_autoptr (GVariant) value = client_get (client, service, property);

  return g_variant_get_uint64 (value);
}

typedef struct {
  const char *policy;
  const char *ending;
  gboolean is_restarted;
  const char *state; /* when it is not */
} Policy;

static void
test_policies (void)
{
  static const Policy policies[] = {
    { "always", "exit-first 1 0", TRUE, NULL },          { "always", "exit-first 1 3", TRUE, NULL },
    { "on-failure", "exit-first 1 0", FALSE, "exited" }, { "on-failure", "exit-first 1 3", TRUE, NULL },
    { "never", "exit-first 1 0", FALSE, "exited" },      { "never", "exit-first 1 3", FALSE, "failed" },
  };
  g_autoptr (Harness) h = harness_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++) {
    g_autofree char *name = g_strdup_printf ("s%zu", i);
    g_autofree char *count = harness_path (h, name);
    g_autofree char *orders = g_strdup_printf ("%s %s wait", policies[i].ending, count);
    g_autofree char *more =
        g_strdup_printf ("[lifecycle]\nrestart = \"%s\"\nrestart_delay_ms = 10\n", policies[i].policy);

    harness_service (h, name, orders, more);
  }
  harness_start (h);
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++) {
    g_autofree char *name = g_strdup_printf ("s%zu", i);

    if (policies[i].is_restarted) {
      client_wait_property (h->client, name, "RestartCount", "1");
      client_wait_state (h->client, name, "running");
    } else {
      client_wait_state (h->client, name, policies[i].state);
      assert_property (h->client, name, "NextRestart", "0");
      assert_property (h->client, name, "RestartCount", "0");
    }
  }
}

/* An automatic restart passes through blocked, and says meanwhile when it is due. */
static void
test_chain (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 pid;

  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 50\n");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  pid = client_get_pid (h->client, "web");
  client_set_mark (h->client);
  g_assert_cmpint (kill ((pid_t)pid, SIGKILL), ==, 0);
  g_variant_unref (client_wait_transition (h->client, "web", "starting", "running"));
  assert_chain (h->client, "web", "running failed blocked starting running");
  client_check_sequence (h->client);
  assert_property (h->client, "web", "RestartCount", "1");
  assert_property (h->client, "web", "NextRestart", "0");
  assert_property (h->client, "web", "LastExit", "('killed', 9)");
  assert_failure (h->client, "web", "");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, pid);
}

/* Start stamps of one service in ns. */
static void
read_stamps (char **lines, gint64 *ret_stamps, guint count)
{
  for (guint i = 0; i < count; i++) {
    g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

    g_assert_cmpuint (g_strv_length (words), ==, 4);
    ret_stamps[i] = g_ascii_strtoll (words[3], NULL, 10);
  }
}

static void
test_back_off (void)
{
  static const gint64 delays_ms[] = { 40, 80, 100, 100 };
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "starts");
  g_autofree char *orders = g_strdup_printf ("stamp %s exit 7", path);
  g_auto (GStrv) lines = NULL;
  gint64 stamps[5];

  harness_service (h, "crash", orders,
                   "[lifecycle]\nrestart_delay_ms = 40\nrestart_delay_max_ms = 100\nmax_restarts = 4\n");
  harness_start (h);
  lines = harness_wait_lines (h, "starts", 5);
  client_wait_property (h->client, "crash", "RestartCount", "4");
  client_wait_state (h->client, "crash", "failed");
  assert_failure (h->client, "crash", "exit_code code=7");
  assert_property (h->client, "crash", "NextRestart", "0");
  assert_property (h->client, "crash", "RestartDelay", "100");
  read_stamps (lines, stamps, 5);
  for (guint i = 0; i < 4; i++) {
    gint64 ms = (stamps[i + 1] - stamps[i]) / 1000000;

    g_assert_cmpint (ms, >=, delays_ms[i]);
    g_assert_cmpint (ms, <, delays_ms[i] + (gint64)(1000 * processes_slowness ()));
  }
  /* A start by hand begins anew. */
  client_set_mark (h->client);
  g_variant_unref (client_ok (h->client, "StartService", "('crash', " NO_OPTIONS ")"));
  g_strfreev (g_steal_pointer (&lines));
  lines = harness_wait_lines (h, "starts", 7);
  client_wait_property (h->client, "crash", "RestartCount", "4");
}

/* While it waits the state is failed, and NextRestart says exactly when it ends. */
static void
test_next_restart (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 1 1 %s wait", count);
  guint64 next, changed;

  harness_service (h, "late", orders, "[lifecycle]\nrestart_delay_ms = 60000\n");
  harness_service (h, "given-up", "exit 1", "[lifecycle]\nrestart_delay_ms = 60000\n");
  harness_start (h);
  client_wait_state (h->client, "late", "failed");
  next = get_number (h->client, "late", "NextRestart");
  changed = get_number (h->client, "late", "StateChangedAt");
  g_assert_cmpuint (next, >=, changed + 60000000 - 10000);
  g_assert_cmpuint (next, <=, changed + 60000000 + 100000);
  assert_property (h->client, "late", "CanStart", "true");
  assert_property (h->client, "late", "CanStop", "true");
  /* Nobody has to wait for it. */
  g_variant_unref (client_ok (h->client, "StartService", "('late', {'wait': <true>})"));
  assert_property (h->client, "late", "State", "running");
  assert_property (h->client, "late", "RestartCount", "0");
  assert_property (h->client, "late", "RestartDelay", "60000");
  assert_property (h->client, "late", "NextRestart", "0");
  /* Nor has it to come. */
  client_wait_state (h->client, "given-up", "failed");
  g_assert_cmpuint (get_number (h->client, "given-up", "NextRestart"), >, 0);
  g_variant_unref (client_ok (h->client, "StopService", "('given-up', {'wait': <true>})"));
  assert_property (h->client, "given-up", "NextRestart", "0");
  assert_property (h->client, "given-up", "WantedStatus", "stop");
  assert_property (h->client, "given-up", "CanStop", "false");
}

/* Up for the stable period: the next crash is a first one again. */
static void
test_stability (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *first = harness_path (h, "first");
  g_autofree char *second = harness_path (h, "second");
  g_autofree char *orders =
      g_strdup_printf ("exit-first 2 1 %s sleep 700 exit-first 1 1 %s wait", first, second);

  harness_service (h, "web", orders, "[lifecycle]\nrestart_delay_ms = 20\nstability_period_ms = 400\n");
  harness_start (h);
  client_wait_property (h->client, "web", "RestartCount", "2");
  /* Two quick ends, then a long run and its end: that restart is number one. */
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_property (h->client, "web", "RestartCount", "0");
  assert_property (h->client, "web", "RestartDelay", "20");
  assert_property (h->client, "web", "State", "running");
}

/* A program that is not there yet is tried again by policy. */
static void
test_spawn_is_retried (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *program = harness_path (h, "late-program");

  harness_write (
      h, "late.toml",
      "[service]\nexec = \"%s wait\"\n[lifecycle]\nrestart_delay_ms = 20\nrestart_delay_max_ms = 40\n",
      program);
  harness_write (h, "never.toml", "[service]\nexec = \"%s wait\"\n[lifecycle]\nrestart = \"never\"\n",
                 program);
  harness_start (h);
  client_wait_property (h->client, "late", "RestartCount", "2");
  g_assert_cmpint (symlink (harness_child (), program), ==, 0);
  client_wait_state (h->client, "late", "running");
  assert_property (h->client, "never", "State", "failed");
  assert_property (h->client, "never", "RestartCount", "0");
}

/* A crash loop does not hold up the daemon, and a stop ends it. */
static void
test_stop_in_crash_loop (void)
{
  g_autoptr (Harness) h = harness_new ();

  for (int i = 0; i < 5; i++) {
    g_autofree char *name = g_strdup_printf ("crash%d", i);

    harness_service (
        h, name, "exit 1",
        "[lifecycle]\nrestart_delay_ms = 1\nrestart_delay_max_ms = 2\nstability_period_ms = 60000\n");
  }
  harness_start (h);
  for (int i = 0; i < 5; i++) {
    g_autofree char *name = g_strdup_printf ("crash%d", i);

    client_wait_property (h->client, name, "RestartDelay", "2");
    g_variant_unref (client_ok (h->client, "RestartService", "('%s', " NO_OPTIONS ")", name));
    g_variant_unref (client_ok (h->client, "StopService", "('%s', {'wait': <true>})", name));
    assert_property (h->client, name, "NextRestart", "0");
    assert_property (h->client, name, "Pid", "0");
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/restart/policies", test_policies);
  g_test_add_func ("/restart/chain", test_chain);
  g_test_add_func ("/restart/back-off", test_back_off);
  g_test_add_func ("/restart/next-restart", test_next_restart);
  g_test_add_func ("/restart/stability", test_stability);
  g_test_add_func ("/restart/spawn-is-retried", test_spawn_is_retried);
  g_test_add_func ("/restart/stop-in-crash-loop", test_stop_in_crash_loop);
  return g_test_run ();
}
