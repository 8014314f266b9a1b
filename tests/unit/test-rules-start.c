/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules A and B of zinit-behaviour(7) on a fake host: where a service stands, and starts in order. No
 * process, no waiting.
 */
#include <signal.h>

#include "fake-steps.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define BY_HAND "service.status='ignore'\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define AFTER(name) "dependencies.after=['" name "']\n"

static void
test_a1_states (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web") BY_HAND);

  for (ZinitState state = 0; state < ZINIT_N_STATES; state++)
    g_assert_cmpint (zinit_state_is_active (state), ==,
                     state == ZINIT_STATE_STARTING || state == ZINIT_STATE_RUNNING ||
                         state == ZINIT_STATE_STOPPING);
  steps_start (fixture, "web", FALSE);
  g_assert_cmpint (zinit_service_get_status (web)->pid, !=, 0);
  steps_stop (fixture, "web");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  fixture_assert_transitions (fixture, "web:inactive>starting web:starting>running web:running>stopping "
                                       "web:stopping>exited");
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 0);
}

static void
assert_reason (Fixture *fixture, const char *name, ZinitFailureType type)
{
  fake_host_settle (&fixture->host);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, name))->failure.type, ==, type);
}

static void
test_a2_reasons (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web") "lifecycle.restart='never'\nlifecycle.stop_timeout_ms=10\n");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 2);
  assert_reason (fixture, "web", ZINIT_FAILURE_EXIT_CODE);
  fixture_add (fixture, SERVICE ("behind") REQUIRES ("web"));
  assert_reason (fixture, "behind", ZINIT_FAILURE_DEPENDENCY_FAILED);
  steps_start (fixture, "web", FALSE);
  assert_reason (fixture, "web", ZINIT_FAILURE_NONE);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGSEGV);
  assert_reason (fixture, "web", ZINIT_FAILURE_SIGNAL);
  steps_start (fixture, "web", FALSE);
  fake_host_find (&fixture->host, "web")->is_stubborn = TRUE;
  steps_stop (fixture, "web");
  steps_end_well (fixture, "behind");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  assert_reason (fixture, "web", ZINIT_FAILURE_STOP_TIMEOUT);
  fixture_add (fixture, SERVICE ("alone") REQUIRES ("nobody"));
  assert_reason (fixture, "alone", ZINIT_FAILURE_MISSING_DEPENDENCY);
  fixture->host.broken_exec = g_strdup ("none");
  fixture_add (fixture, SERVICE ("none"));
  assert_reason (fixture, "none", ZINIT_FAILURE_SPAWN_ERROR);
}

static void
test_a3_sub_states (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web") BY_HAND "lifecycle.max_restarts=1\nlifecycle.restart_delay_ms=10\n"
                                                "lifecycle.stop_timeout_ms=50\n");
  fixture_add (fixture, SERVICE ("once") BY_HAND ONESHOT);
  fixture_add (fixture, SERVICE ("plain") BY_HAND "lifecycle.restart='never'\n");
  steps_assert_sub_state (fixture, "web", "inactive");
  steps_start (fixture, "web", FALSE);
  steps_assert_sub_state (fixture, "web", "running");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "restarting");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "given-up");
  steps_start (fixture, "web", FALSE);
  fake_host_find (&fixture->host, "web")->is_stubborn = TRUE;
  steps_stop (fixture, "web");
  steps_assert_sub_state (fixture, "web", "stopping");
  fake_host_advance_ms (&fixture->host, 50);
  steps_assert_sub_state (fixture, "web", "killing");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  steps_assert_sub_state (fixture, "web", "stopped");
  steps_start (fixture, "once", FALSE);
  steps_assert_sub_state (fixture, "once", "running");
  steps_end_well (fixture, "once");
  steps_assert_sub_state (fixture, "once", "done");
  steps_start (fixture, "plain", FALSE);
  steps_end_well (fixture, "plain");
  steps_assert_sub_state (fixture, "plain", "ended");
  steps_start (fixture, "plain", FALSE);
  fixture_end (fixture, "plain", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "plain", "failed");
}

/* What is only by hand stays down. */
static void
test_b11_first_start (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("start"));
  fixture_add (fixture, SERVICE ("hand") BY_HAND);
  fixture_add (fixture, SERVICE ("stop") "service.status='stop'\n");
  steps_assert_sub_state (fixture, "start", "running");
  steps_assert_sub_state (fixture, "hand", "inactive");
  steps_assert_sub_state (fixture, "stop", "inactive");
}

static void
test_b1_one_only (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("db"));
  steps_start (fixture, "app", FALSE);
  steps_assert_sub_state (fixture, "app", "waiting");
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "inactive");
}

/* What is only wanted, and was stopped on request, stays down. */
static void
test_b1_tree (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("base") BY_HAND);
  fixture_add (fixture, SERVICE ("db") BY_HAND REQUIRES ("base"));
  fixture_add (fixture, SERVICE ("extra") BY_HAND);
  fixture_add (fixture, SERVICE ("off") BY_HAND);
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("db") "dependencies.wants=['extra','off']\n");
  zinit_supervisor_stop (fixture->supervisor, fixture_get (fixture, "off"), NULL);
  zinit_supervisor_stop (fixture->supervisor, fixture_get (fixture, "base"), NULL);
  steps_start (fixture, "app", TRUE);
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "running");
  g_assert_cmpstr (fixture_state (fixture, "base"), ==, "running");
  g_assert_cmpstr (fixture_state (fixture, "extra"), ==, "running");
  g_assert_cmpstr (fixture_state (fixture, "off"), ==, "inactive");
}

static void
test_b1_done (Fixture *fixture, gconstpointer data)
{
  ZinitService *once = fixture_add (fixture, SERVICE ("once") ONESHOT);
  g_autoptr (GError) error = NULL;

  steps_end_well (fixture, "once");
  fixture_assert_acts (fixture, "+once");
  g_assert_false (zinit_supervisor_start (fixture->supervisor, once, FALSE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING);
  g_assert_nonnull (strstr (error->message, "restart"));
  steps_restart (fixture, "once");
  fixture_assert_acts (fixture, "+once");
}

static void
test_b1_backoff_and_stop (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web"));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_start (fixture, "web", FALSE);
  fixture_assert_acts (fixture, "+web +web");
  steps_stop (fixture, "web");
  steps_start (fixture, "web", FALSE);
  steps_end_well (fixture, "web");
  fixture_assert_acts (fixture, "-web +web");
}

/* An end by itself with code 0 is no success of what is not a oneshot. */
static void
test_b2_ended_is_not_up (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='on-failure'\n");
  steps_end_well (fixture, "db");
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  steps_assert_sub_state (fixture, "app", "waiting");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "app", "running");
}

static void
test_b2_missing_and_failed (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  steps_assert_sub_state (fixture, "app", "failed");
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='never'\n");
  steps_assert_sub_state (fixture, "app", "running");
  fixture_add (fixture, SERVICE ("late") BY_HAND REQUIRES ("db"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  steps_start (fixture, "late", FALSE);
  steps_assert_sub_state (fixture, "late", "failed");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "late", "running");
}

/* Stopped and started again, the order is the same; what nobody starts holds nothing. */
static void
test_b3_every_time (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("z") ONESHOT);
  fixture_add (fixture, SERVICE ("a") AFTER ("z"));
  steps_assert_sub_state (fixture, "a", "waiting");
  steps_end_well (fixture, "z");
  fixture_assert_acts (fixture, "+z +a");
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  steps_end_well (fixture, "a");
  steps_assert_sub_state (fixture, "z", "stopped");
  g_strfreev (zinit_supervisor_start_all (fixture->supervisor, NULL));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "-a +z");
  steps_end_well (fixture, "z");
  fixture_assert_acts (fixture, "+a");
}

static void
test_b3_holds_nothing (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("idle") BY_HAND);
  fixture_add (fixture, SERVICE ("stuck") REQUIRES ("idle"));
  fixture_add (fixture, SERVICE ("crashing"));
  fixture_end (fixture, "crashing", ZINIT_EXIT_EXITED, 1);
  fixture_add (fixture, SERVICE ("behind") REQUIRES ("crashing"));
  steps_assert_sub_state (fixture, "stuck", "waiting");
  steps_assert_sub_state (fixture, "behind", "waiting");
  fixture_add (fixture, SERVICE ("a") AFTER ("idle"));
  fixture_add (fixture, SERVICE ("b") AFTER ("stuck"));
  fixture_add (fixture, SERVICE ("c") AFTER ("crashing"));
  fixture_add (fixture, SERVICE ("d") AFTER ("behind"));
  fixture_add (fixture, SERVICE ("e") AFTER ("nobody"));
  for (const char *name = "abcde"; *name != '\0'; name++)
    steps_assert_sub_state (fixture, (const char[]){ *name, '\0' }, "running");
}

/* It waits while the other is on its way, also through something else, and goes on when that is stuck. */
static void
test_b3_becomes_stuck (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("slow") ONESHOT);
  fixture_add (fixture, SERVICE ("middle") REQUIRES ("slow"));
  fixture_add (fixture, SERVICE ("last") AFTER ("middle"));
  steps_assert_sub_state (fixture, "last", "waiting");
  steps_stop (fixture, "slow");
  fixture_end (fixture, "slow", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_sub_state (fixture, "middle", "waiting");
  steps_assert_sub_state (fixture, "last", "running");
}

static void
test_b6_conflicts (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("one") "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("two") "dependencies.conflicts=['one']\n");
  steps_assert_sub_state (fixture, "two", "waiting");
  /* It will be back. */
  fixture_end (fixture, "one", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "two", "waiting");
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "one", "running");
  steps_stop (fixture, "one");
  steps_assert_sub_state (fixture, "two", "waiting");
  steps_end_well (fixture, "one");
  steps_assert_sub_state (fixture, "two", "running");
  steps_start (fixture, "one", FALSE);
  steps_assert_sub_state (fixture, "one", "waiting");
}

static void
start_both (Fixture *fixture, const char *one, const char *other)
{
  g_autoptr (GPtrArray) services = g_ptr_array_new ();
  g_autoptr (GPtrArray) answers = NULL;

  g_ptr_array_add (services, fixture_get (fixture, one));
  g_ptr_array_add (services, fixture_get (fixture, other));
  answers = zinit_supervisor_start_services (fixture->supervisor, services, FALSE, NULL);
  g_assert_nonnull (answers);
  for (guint i = 0; i < answers->len; i++)
    g_assert_null (answers->pdata[i]);
}

/* Of two that come together, in whichever order, the named one is first, then the first by name. */
static void
test_b6_together (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("m") BY_HAND);
  for (guint i = 0; i < 2; i++) {
    const char *name = i == 0 ? "a" : "z";

    fixture_add (fixture, i == 0 ? SERVICE ("a") BY_HAND "dependencies.conflicts=['m']\n"
                                 : SERVICE ("z") BY_HAND "dependencies.conflicts=['m']\n");
    for (guint order = 0; order < 2; order++) {
      start_both (fixture, order == 0 ? name : "m", order == 0 ? "m" : name);
      steps_assert_sub_state (fixture, "m", "running");
      steps_assert_sub_state (fixture, name, "waiting");
      steps_stop (fixture, name);
      steps_stop (fixture, "m");
      steps_end_well (fixture, "m");
      steps_assert_sub_state (fixture, name, "stopped");
    }
  }
  fixture_add (fixture, SERVICE ("k") BY_HAND "dependencies.conflicts=['l']\n");
  fixture_add (fixture, SERVICE ("l") BY_HAND "dependencies.conflicts=['k']\n");
  for (guint order = 0; order < 2; order++) {
    start_both (fixture, order == 0 ? "k" : "l", order == 0 ? "l" : "k");
    steps_assert_sub_state (fixture, "k", "running");
    steps_assert_sub_state (fixture, "l", "waiting");
    steps_stop (fixture, "l");
    steps_stop (fixture, "k");
    steps_end_well (fixture, "k");
  }
}

/* Both wait for the same one, and come together when that is up. */
static void
test_b6_together_later (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("base") BY_HAND ONESHOT);
  fixture_add (fixture,
               SERVICE ("a") BY_HAND "dependencies.conflicts=['b']\ndependencies.requires=['base']\n");
  fixture_add (fixture, SERVICE ("b") BY_HAND REQUIRES ("base"));
  steps_start (fixture, "base", FALSE);
  start_both (fixture, "a", "b");
  steps_assert_sub_state (fixture, "a", "waiting");
  steps_end_well (fixture, "base");
  steps_assert_sub_state (fixture, "b", "running");
  steps_assert_sub_state (fixture, "a", "waiting");
}

/* One that has to wait for another after its back-off keeps its place, unless it is stuck. */
static void
test_b6_on_its_way_back (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("slow") BY_HAND ONESHOT);
  fixture_add (fixture, SERVICE ("one") BY_HAND AFTER ("slow") "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("two") BY_HAND "dependencies.conflicts=['one']\n");
  steps_start (fixture, "one", FALSE);
  steps_start (fixture, "two", FALSE);
  fixture_end (fixture, "one", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "one", "restarting");
  steps_start (fixture, "slow", FALSE);
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "one", "waiting");
  steps_assert_sub_state (fixture, "two", "waiting");
  steps_end_well (fixture, "slow");
  steps_assert_sub_state (fixture, "one", "running");
  steps_assert_sub_state (fixture, "two", "waiting");
}

static void
assert_refused (Fixture *fixture, const char *text, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);

  g_assert_nonnull (definition);
  g_assert_null (zinit_supervisor_add (fixture->supervisor, definition, ZINIT_ADD_REPLACE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY);
  if (strstr (error->message, part) == NULL)
    g_error ("\"%s\" has no \"%s\"", error->message, part);
}

/* It could never start. */
static void
test_b6_requires_it (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("mid") BY_HAND REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("foe") BY_HAND "dependencies.conflicts=['later']\n");
  fixture_add (fixture, SERVICE ("behind-foe") BY_HAND REQUIRES ("foe"));
  assert_refused (fixture, SERVICE ("app") "dependencies.requires=['mid']\ndependencies.conflicts=['db']\n",
                  "app → mid → db");
  assert_refused (fixture, SERVICE ("app") "dependencies.requires=['db']\ndependencies.conflicts=['db']\n",
                  "app → db");
  /* The other one names it. */
  assert_refused (fixture, SERVICE ("later") REQUIRES ("behind-foe"), "later → behind-foe → foe");
  /* The addition would keep another one down for ever. */
  assert_refused (fixture, SERVICE ("db") "dependencies.conflicts=['mid']\n",
                  "mid could never start with it: it requires what it conflicts with: mid → db");
}

static void
test_b9_says_why (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("db"));
  steps_start (fixture, "app", FALSE);
  steps_assert_text (fixture, "app", "waits for db");
  steps_assert_text (fixture, "app", "zinit start db");
}

/* s1 runs, s2 waits for it with somebody waiting, and s1 is stopped: the wait is over. */
static void
test_b10_stop_overtakes (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("s1") ONESHOT);
  fixture_add (fixture, SERVICE ("s2") BY_HAND REQUIRES ("s1"));
  steps_start (fixture, "s2", FALSE);
  g_assert_null (steps_answer (fixture, "s2"));
  steps_stop (fixture, "s1");
  fixture_end (fixture, "s1", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_answer (fixture, "s2", "zinit start s1");
  steps_assert_sub_state (fixture, "s2", "waiting");
  steps_start (fixture, "s1", FALSE);
  g_assert_null (steps_answer (fixture, "s2"));
  steps_end_well (fixture, "s1");
  steps_assert_answer (fixture, "s2", "");
}

static void
test_b10_failed_attempt (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") ONESHOT BY_HAND "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("mid") BY_HAND REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("mid"));
  steps_start (fixture, "app", TRUE);
  g_assert_null (steps_answer (fixture, "app"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 7);
  /* The policy goes on all the same. */
  steps_assert_answer (fixture, "app", "mid");
  steps_assert_sub_state (fixture, "db", "restarting");
  fake_host_advance_ms (&fixture->host, 100);
  steps_end_well (fixture, "db");
  steps_assert_answer (fixture, "app", "");
}

static void
test_b10_stuck (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("mid") BY_HAND REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("mid"));
  steps_start (fixture, "mid", FALSE);
  steps_start (fixture, "app", FALSE);
  steps_assert_answer (fixture, "app", "mid");
  steps_start (fixture, "db", FALSE);
  steps_assert_answer (fixture, "app", "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/A1/states", test_a1_states);
  fixture_add_test ("/rules/A2/reasons", test_a2_reasons);
  fixture_add_test ("/rules/B11/first-start", test_b11_first_start);
  fixture_add_test ("/rules/A3/sub-states", test_a3_sub_states);
  fixture_add_test ("/rules/B1/one-only", test_b1_one_only);
  fixture_add_test ("/rules/B1/tree", test_b1_tree);
  fixture_add_test ("/rules/B1/done", test_b1_done);
  fixture_add_test ("/rules/B1/backoff-and-stop", test_b1_backoff_and_stop);
  fixture_add_test ("/rules/B2/ended-is-not-up", test_b2_ended_is_not_up);
  fixture_add_test ("/rules/B2/missing-and-failed", test_b2_missing_and_failed);
  fixture_add_test ("/rules/B3/every-time", test_b3_every_time);
  fixture_add_test ("/rules/B3/holds-nothing", test_b3_holds_nothing);
  fixture_add_test ("/rules/B3/becomes-stuck", test_b3_becomes_stuck);
  fixture_add_test ("/rules/B6/conflicts", test_b6_conflicts);
  fixture_add_test ("/rules/B6/together", test_b6_together);
  fixture_add_test ("/rules/B6/together-later", test_b6_together_later);
  fixture_add_test ("/rules/B6/on-its-way-back", test_b6_on_its_way_back);
  fixture_add_test ("/rules/B6/requires-it", test_b6_requires_it);
  fixture_add_test ("/rules/B9/says-why", test_b9_says_why);
  fixture_add_test ("/rules/B10/stop-overtakes", test_b10_stop_overtakes);
  fixture_add_test ("/rules/B10/failed-attempt", test_b10_failed_attempt);
  fixture_add_test ("/rules/B10/stuck", test_b10_stuck);
  return g_test_run ();
}
