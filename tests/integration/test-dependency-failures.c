/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of services when one they depend on is missing, fails, crashes, or comes back.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "harness.h"
#include "processes.h"

#define NO_RESTART "[lifecycle]\nrestart = \"never\"\n"

static void
test_missing (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *added = NULL, *why = NULL;
  g_autoptr (GVariant) reply = NULL;
  TestClient *c;

  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"db\"]\n");
  harness_service (h, "on-top", "wait", "[dependencies]\nrequires = [\"app\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "app", "failed");
  assert_failure (c, "app", "missing_dependency dependency=db");
  client_wait_state (c, "on-top", "failed");
  assert_failure (c, "on-top", "dependency_failed service=app");
  reply = client_ok (c, "WhyBlocked", "('app',)");
  why = g_variant_print (reply, FALSE);
  g_assert_true (g_str_has_prefix (why, "([('requires', 'db', "));
  assert_property (c, NULL, "FailedCount", "2");
  /* By itself when the service appears. */
  harness_service (h, "db", "wait", "");
  added = harness_reload (h);
  g_assert_cmpstr (added, ==, "+db ~ -");
  client_wait_state (c, "app", "running");
  client_wait_state (c, "on-top", "running");
  assert_failure (c, "app", "");
  assert_failure (c, "on-top", "");
  assert_property (c, NULL, "FailedCount", "0");
}

static void
test_failed_for_good (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 2 5 %s wait", count);
  TestClient *c;

  harness_service (h, "db", orders, "[lifecycle]\nmax_restarts = 1\nrestart_delay_ms = 30\n");
  harness_service (h, "setup", "exit 2", "oneshot = true\n" NO_RESTART);
  harness_service (h, "gate", "sleep 10 exit 1",
                   "oneshot = true\n[dependencies]\nrequires = [\"setup\"]\n" NO_RESTART);
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"gate\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "setup", "failed");
  client_wait_state (c, "gate", "failed");
  assert_failure (c, "gate", "dependency_failed service=setup");
  client_wait_state (c, "app", "failed");
  assert_failure (c, "app", "dependency_failed service=gate");
  client_wait_property (c, "db", "RestartCount", "1");
  client_wait_state (c, "db", "failed");
  assert_property (c, "db", "NextRestart", "0");
}

/* They come back by themselves when what they wait for does. */
static void
test_recovery (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 1 5 %s exit 0", count);
  TestClient *c;

  harness_service (h, "setup", orders, "oneshot = true\n" NO_RESTART);
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"setup\"]\n");
  harness_service (h, "on-top", "wait", "[dependencies]\nrequires = [\"app\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "on-top", "failed");
  assert_failure (c, "app", "dependency_failed service=setup");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('setup', {'wait': <true>})"));
  client_wait_state (c, "on-top", "running");
  g_assert_cmpuint (client_position (c, "setup", "exited"), <, client_position (c, "app", "starting"));
  g_assert_cmpuint (client_position (c, "app", "running"), <, client_position (c, "on-top", "starting"));
  assert_failure (c, "app", "");
}

/* One that waits in its back-off has not failed for good: the others wait with it. */
static void
test_waits_through_restart (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *orders = g_strdup_printf ("exit-first 2 1 %s exit 0", count);
  TestClient *c;

  harness_service (h, "setup", orders, "oneshot = true\n[lifecycle]\nrestart_delay_ms = 300\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"setup\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "setup", "failed");
  client_wait_state (c, "app", "blocked");
  assert_property (c, "app", "WaitingOn", "['setup']");
  client_set_mark (c);
  client_wait_state (c, "app", "running");
  assert_chain (c, "app", "blocked starting running");
}

/* A crash that will be restarted leaves running dependents alone. */
static void
test_crash_leaves_alone (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;
  guint32 app;

  harness_service (h, "db", "wait", "[lifecycle]\nrestart_delay_ms = 30\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"db\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "app", "running");
  app = client_get_pid (c, "app");
  client_set_mark (c);
  g_assert_cmpint (kill ((pid_t)client_get_pid (c, "db"), SIGKILL), ==, 0);
  g_variant_unref (client_wait_transition (c, "db", NULL, "running"));
  assert_chain (c, "db", "running failed blocked starting running");
  assert_chain (c, "app", "");
  g_assert_cmpuint (client_get_pid (c, "app"), ==, app);
  g_assert_true (processes_is_alive ((pid_t)app));
}

/* A start that can come to nothing says so to who waits for it. */
static void
test_start_with_wait (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *missing = NULL, *failed = NULL;

  harness_service (h, "app", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"nobody\"]\n");
  harness_service (h, "bad", "exit 1", "oneshot = true\n" NO_RESTART);
  harness_service (h, "web", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"bad\"]\n");
  harness_start (h);
  client_wait_state (h->client, "bad", "failed");
  missing = client_fails (h->client, "CannotStart", "StartService", "('app', {'wait': <true>})");
  g_assert_nonnull (strstr (missing, "nobody"));
  failed = client_fails (h->client, "CannotStart", "StartService", "('web', {'wait': <true>})");
  g_assert_nonnull (strstr (failed, "bad"));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/dependency-failures/missing", test_missing);
  g_test_add_func ("/dependency-failures/failed-for-good", test_failed_for_good);
  g_test_add_func ("/dependency-failures/recovery", test_recovery);
  g_test_add_func ("/dependency-failures/waits-through-restart", test_waits_through_restart);
  g_test_add_func ("/dependency-failures/crash-leaves-alone", test_crash_leaves_alone);
  g_test_add_func ("/dependency-failures/start-with-wait", test_start_with_wait);
  return g_test_run ();
}
