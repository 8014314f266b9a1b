/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule E1 with real ends: exit codes and signals that count as success, and those that are not retried; also
 * for the daemon that comes after a kill -9.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "survival.h"

static void
test_success (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "once", "exit 70", "oneshot = true\n[lifecycle]\nsuccess_exit_codes = [\"64-78\"]\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"once\"]\n");
  harness_service (h, "web", "wait",
                   "[lifecycle]\nrestart = \"on-failure\"\nsuccess_exit_codes = [143, \"SIGUSR1\"]\n");
  survival_start (h);
  client_wait_state (h->client, "app", "running");
  assert_property (h->client, "once", "SubState", "done");
  assert_property (h->client, "once", "LastExit", "('exited', 70)");
  client_wait_state (h->client, "web", "running");
  kill ((pid_t)client_get_pid (h->client, "web"), SIGUSR1);
  client_wait_state (h->client, "web", "exited");
  assert_property (h->client, "web", "SubState", "ended");
  assert_property (h->client, "web", "LastExit", "('killed', 10)");
  survival_wait_saved (h, "web", "state", "\"exited\"");
  survival_start_again (h);
  assert_property (h->client, "once", "SubState", "done");
  assert_property (h->client, "app", "State", "running");
  assert_property (h->client, "web", "SubState", "ended");
}

static void
test_permanent (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "code", "exit 78",
                   "[lifecycle]\nrestart_delay_ms = 1\npermanent_exit_codes = [78, \"SIGUSR2\"]\n");
  harness_service (h, "signal", "wait",
                   "[lifecycle]\nrestart_delay_ms = 1\npermanent_exit_codes = [78, \"SIGUSR2\"]\n");
  survival_start (h);
  client_wait_state (h->client, "code", "failed");
  assert_failure (h->client, "code", "exit_code code=78");
  client_wait_state (h->client, "signal", "running");
  kill ((pid_t)client_get_pid (h->client, "signal"), SIGUSR2);
  client_wait_state (h->client, "signal", "failed");
  assert_failure (h->client, "signal", "signal signal=12");
  survival_wait_saved (h, "signal", "state", "\"failed\"");
  survival_start_again (h);
  assert_property (h->client, "code", "SubState", "failed");
  assert_property (h->client, "signal", "SubState", "failed");
  assert_property (h->client, "code", "RestartCount", "0");
  assert_property (h->client, "signal", "NextRestart", "0");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/rules/E1/real-success", test_success);
  g_test_add_func ("/rules/E1/real-permanent", test_permanent);
  return g_test_run ();
}
