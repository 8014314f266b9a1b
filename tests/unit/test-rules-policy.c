/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules E of zinit-behaviour(7) on a fake host: which ends are failures, and which are followed by a restart.
 */
#include <signal.h>

#include "fake-steps.h"
#include "model/limits.h"
#include "supervisor/record.h"

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

#define ALERT "service.name='alert'\nservice.exec='alert'\nservice.status='ignore'\nservice.oneshot=true\n"
#define FOR(handler) "lifecycle.restart='never'\nlifecycle.on_failure=['" handler "']\n"

/* What the process of @name was told, "db exit_code"; "" = nothing. */
static void
assert_told (Fixture *fixture, const char *name, const char *expected)
{
  const FakeProcess *process;
  g_autofree char *told = NULL;

  fake_host_settle (&fixture->host);
  process = fake_host_find (&fixture->host, name);
  g_assert_nonnull (process);
  told = process->variables == NULL
             ? g_strdup ("")
             : g_strdup_printf ("%s %s", g_environ_getenv (process->variables, "ZINIT_FAILED_SERVICE"),
                                g_environ_getenv (process->variables, "ZINIT_FAILED_REASON"));
  g_assert_cmpstr (told, ==, expected);
}

/* Once, when it is down for good; a done oneshot again; one that runs once more after its end, for each. */
static void
test_e4_on_failure (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, ALERT);
  fixture_add (fixture, SERVICE ("db") "lifecycle.max_restarts=1\nlifecycle.restart_delay_ms=10\n"
                                       "lifecycle.on_failure=['alert']\n");
  fixture_add (fixture, SERVICE ("web") FOR ("alert"));
  fixture_add (fixture, SERVICE ("app") FOR ("alert"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +web +app");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +alert");
  assert_told (fixture, "alert", "db exit_code");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGSEGV);
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 2);
  fixture_assert_acts (fixture, "");
  steps_end_well (fixture, "alert");
  assert_told (fixture, "alert", "web signal");
  steps_end_well (fixture, "alert");
  assert_told (fixture, "alert", "app exit_code");
  steps_end_well (fixture, "alert");
  fixture_assert_acts (fixture, "+alert +alert");
  steps_assert_sub_state (fixture, "alert", "done");
  steps_start (fixture, "db", FALSE);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +db +alert");
}

/* An end with code 0, a stop on request (also one that needs SIGKILL), and a failure of another one. */
static void
test_e4_no_failure (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, ALERT);
  fixture_add (fixture, SERVICE ("db") FOR ("alert") "lifecycle.stop_timeout_ms=10\n");
  fixture_add (fixture, SERVICE ("app") FOR ("alert") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("lost") FOR ("alert") REQUIRES ("nobody"));
  steps_end_well (fixture, "db");
  steps_end_well (fixture, "app");
  steps_start (fixture, "db", FALSE);
  fake_host_settle (&fixture->host);
  fake_host_find (&fixture->host, "app")->is_stubborn = TRUE;
  steps_stop (fixture, "db");
  steps_end_well (fixture, "app");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGKILL);
  steps_assert_sub_state (fixture, "lost", "failed");
  g_assert_null (fake_host_find (&fixture->host, "alert"));
}

static void
test_e4_spawn_error (Fixture *fixture, gconstpointer data)
{
  fixture->host.broken_exec = g_strdup ("web");
  fixture_add (fixture, ALERT);
  fixture_add (fixture, SERVICE ("web") FOR ("alert"));
  assert_told (fixture, "alert", "web spawn_error");
}

/* One that was started so starts none in turn, until it is started for another reason. */
static void
test_e4_not_in_turn (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("one") FOR ("two"));
  fixture_add (fixture, SERVICE ("two") FOR ("one") "service.status='ignore'\n");
  fixture_end (fixture, "one", ZINIT_EXIT_EXITED, 1);
  assert_told (fixture, "two", "one exit_code");
  fixture_end (fixture, "two", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "one", "failed");
  fixture_assert_acts (fixture, "+one +two");
  steps_start (fixture, "two", FALSE);
  assert_told (fixture, "two", "");
  fixture_end (fixture, "two", ZINIT_EXIT_EXITED, 1);
  assert_told (fixture, "one", "two exit_code");
}

/* Its own retries are for the same failure, and come before the next one. */
static void
test_e4_retries (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, ALERT "lifecycle.restart_delay_ms=10\n");
  fixture_add (fixture, SERVICE ("db") FOR ("alert"));
  fixture_add (fixture, SERVICE ("web") FOR ("alert"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_end (fixture, "alert", ZINIT_EXIT_EXITED, 1);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "alert", "restarting");
  fake_host_advance_ms (&fixture->host, 10);
  assert_told (fixture, "alert", "db exit_code");
  steps_end_well (fixture, "alert");
  assert_told (fixture, "alert", "web exit_code");
}

/* One that was stopped on request stays down, also when failures wait for its end. */
static void
test_e4_stopped (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, ALERT);
  fixture_add (fixture, SERVICE ("db") FOR ("alert"));
  fixture_add (fixture, SERVICE ("web") FOR ("alert"));
  fixture_add (fixture, SERVICE ("app") FOR ("alert"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_stop (fixture, "alert");
  fixture_end (fixture, "alert", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_sub_state (fixture, "alert", "stopped");
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "alert", "stopped");
}

/* That they do not wait any more is something to be saved, also when nothing else changes with it. */
static void
test_e4_forgotten (Fixture *fixture, gconstpointer data)
{
  ZinitService *alert = fixture_add (fixture, ALERT);

  fixture_add (fixture, SERVICE ("db") FOR ("alert"));
  fixture_add (fixture, SERVICE ("web") FOR ("alert"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, alert, TRUE, NULL));
  fake_host_settle (&fixture->host);
  g_assert_false (zinit_service_has_requests (alert));
  steps_stop (fixture, "alert");
  g_assert_true (zinit_service_has_requests (alert));
}

/* Not more wait than a limit says; of one service it is the last. */
static void
test_e4_limit (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, ALERT);
  for (guint i = 0; i < ZINIT_MAX_WAITING_FAILURES + 2; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);
    g_autofree char *text = g_strdup_printf ("service.name='%s'\nservice.exec='x'\n" FOR ("alert"), name);

    fixture_add (fixture, text);
    fixture_end (fixture, name, ZINIT_EXIT_EXITED, 1);
  }
  steps_start (fixture, "s1", FALSE);
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "s1", ZINIT_EXIT_KILLED, SIGSEGV);
  g_string_truncate (fixture->host.acts, 0);
  for (guint i = 0; i < ZINIT_MAX_WAITING_FAILURES; i++)
    steps_end_well (fixture, "alert");
  assert_told (fixture, "alert", "s1 signal");
  steps_end_well (fixture, "alert");
  steps_assert_sub_state (fixture, "alert", "done");
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
  fixture_add_test ("/rules/E4/on-failure", test_e4_on_failure);
  fixture_add_test ("/rules/E4/no-failure", test_e4_no_failure);
  fixture_add_test ("/rules/E4/spawn-error", test_e4_spawn_error);
  fixture_add_test ("/rules/E4/not-in-turn", test_e4_not_in_turn);
  fixture_add_test ("/rules/E4/retries", test_e4_retries);
  fixture_add_test ("/rules/E4/stopped", test_e4_stopped);
  fixture_add_test ("/rules/E4/forgotten", test_e4_forgotten);
  fixture_add_test ("/rules/E4/limit", test_e4_limit);
  return g_test_run ();
}
