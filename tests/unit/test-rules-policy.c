/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules E of zinit-behaviour(7) on a fake host: which ends are failures, and which are followed by a restart.
 */
#include <signal.h>

#include "fake-steps.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define SUCCESS "lifecycle.success_exit_codes=[143, '64-78', 'SIGTERM']\n"

static void
test_e1_policies (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *policy;
    gint32 code;
    gboolean is_restarted;
  } cases[] = { { "always", 0, TRUE },     { "always", 1, TRUE }, { "on-failure", 0, FALSE },
                { "on-failure", 1, TRUE }, { "never", 0, FALSE }, { "never", 1, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf (SERVICE ("web") "lifecycle.restart='%s'\n", cases[i].policy);
    ZinitService *web = fixture_add (fixture, text);

    fake_host_settle (&fixture->host);
    fixture_end (fixture, "web", ZINIT_EXIT_EXITED, cases[i].code);
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec != 0, ==, cases[i].is_restarted);
    zinit_supervisor_remove (fixture->supervisor, web, FALSE, NULL);
  }
}

/* For the policy, for a oneshot, and for what requires that; LastExit says what it was. */
static void
test_e1_success (Fixture *fixture, gconstpointer data)
{
  const ZinitServiceStatus *status =
      zinit_service_get_status (fixture_add (fixture, SERVICE ("once") ONESHOT SUCCESS));

  fixture_add (fixture, SERVICE ("app") REQUIRES ("once"));
  fixture_add (fixture, SERVICE ("web") "lifecycle.restart='on-failure'\n" SUCCESS);
  fixture_add (fixture, SERVICE ("other") "lifecycle.restart='on-failure'\n" SUCCESS);
  fixture_end (fixture, "once", ZINIT_EXIT_EXITED, 70);
  steps_assert_sub_state (fixture, "once", "done");
  steps_assert_sub_state (fixture, "app", "running");
  g_assert_cmpint (status->last_exit.value, ==, 70);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "exited");
  steps_assert_sub_state (fixture, "web", "ended");
  fixture_end (fixture, "other", ZINIT_EXIT_EXITED, SIGTERM);
  steps_assert_sub_state (fixture, "other", "restarting");
}

/* Given up after its last retry it has failed with what its end was. */
static void
test_e1_success_given_up (Fixture *fixture, gconstpointer data)
{
  const ZinitServiceStatus *status = zinit_service_get_status (fixture_add (
      fixture, SERVICE ("web") "lifecycle.max_restarts=1\nlifecycle.restart_delay_ms=10\n" SUCCESS));

  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_sub_state (fixture, "web", "given-up");
  g_assert_cmpint (status->failure.type, ==, ZINIT_FAILURE_SIGNAL);
  g_assert_cmpint (status->failure.number, ==, SIGTERM);
}

/* Also when its retries are used up in that moment. */
static void
test_e1_permanent (Fixture *fixture, gconstpointer data)
{
  const ZinitServiceStatus *status = zinit_service_get_status (
      fixture_add (fixture, SERVICE ("web") "lifecycle.max_restarts=1\nlifecycle.restart_delay_ms=10\n"
                                            "lifecycle.permanent_exit_codes=[78, 'SIGSEGV']\n"));

  fixture_add (fixture, SERVICE ("app") REQUIRES ("web"));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "restarting");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 78);
  steps_assert_sub_state (fixture, "web", "failed");
  steps_assert_text (fixture, "web", "not retried");
  g_assert_cmpint (status->failure.number, ==, 78);
  g_assert_cmpint (status->next_restart_usec, ==, 0);
  steps_end_well (fixture, "app");
  steps_assert_sub_state (fixture, "app", "held");
  steps_start (fixture, "web", FALSE);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGSEGV);
  steps_assert_sub_state (fixture, "web", "failed");
  g_assert_cmpint (status->failure.type, ==, ZINIT_FAILURE_SIGNAL);
}

static void
test_e2_backoff (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web") "lifecycle.restart_delay_ms=100\n");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  g_string_truncate (fixture->transitions, 0);
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_transitions (fixture, "web:failed>blocked web:blocked>starting web:starting>running");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  fake_host_advance_ms (&fixture->host, 199);
  steps_assert_sub_state (fixture, "web", "restarting");
  fake_host_advance_ms (&fixture->host, 1);
  steps_assert_sub_state (fixture, "web", "running");
}

static void
test_e3_given_up (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web") "lifecycle.max_restarts=1\n"
                                                            "lifecycle.restart_delay_ms=10\n");

  steps_end_well (fixture, "web");
  fake_host_advance_ms (&fixture->host, 10);
  steps_end_well (fixture, "web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  steps_assert_sub_state (fixture, "web", "given-up");
  g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_EXIT_CODE);
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 0);
  fixture_add (fixture, SERVICE ("app") REQUIRES ("web"));
  steps_assert_sub_state (fixture, "app", "failed");
}

static void
test_e6_reset (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web") "lifecycle.max_restarts=1\n"
                                                            "lifecycle.restart_delay_ms=10\n");

  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  g_assert_cmpuint (zinit_supervisor_count_failed (fixture->supervisor), ==, 1);
  g_assert_true (zinit_supervisor_reset_failed (fixture->supervisor, web, NULL));
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "inactive");
  g_assert_cmpuint (zinit_supervisor_count_failed (fixture->supervisor), ==, 0);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/E1/policies", test_e1_policies);
  fixture_add_test ("/rules/E1/success", test_e1_success);
  fixture_add_test ("/rules/E1/success-given-up", test_e1_success_given_up);
  fixture_add_test ("/rules/E1/permanent", test_e1_permanent);
  fixture_add_test ("/rules/E2/backoff", test_e2_backoff);
  fixture_add_test ("/rules/E3/given-up", test_e3_given_up);
  fixture_add_test ("/rules/E6/reset", test_e6_reset);
  return g_test_run ();
}
