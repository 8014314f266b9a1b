/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of zinit-behaviour(7) on a fake host that belong to binds_to. No process, no waiting.
 */
#include <signal.h>

#include "fake-steps.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define BY_HAND "service.status='ignore'\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define BINDS_TO(name) "dependencies.binds_to=['" name "']\n"
#define CRASHING "lifecycle.restart_delay_ms=100\n"

/* With it and like it: pulled in by tree, waited for, failed where it cannot be. */
static void
test_b2_binds_to (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("base") BY_HAND);
  fixture_add (fixture, SERVICE ("db") BY_HAND ONESHOT BINDS_TO ("base"));
  fixture_add (fixture, SERVICE ("app") BY_HAND BINDS_TO ("db"));
  steps_start (fixture, "app", FALSE);
  steps_assert_sub_state (fixture, "app", "waiting");
  steps_assert_text (fixture, "app", "zinit start db");
  steps_assert_answer (fixture, "app", "db");
  steps_start (fixture, "app", TRUE);
  fixture_assert_acts (fixture, "+base +db");
  steps_end_well (fixture, "db");
  fixture_assert_acts (fixture, "+app");

  fixture_add (fixture, SERVICE ("lost") BINDS_TO ("nobody"));
  fixture_add (fixture, SERVICE ("behind") BINDS_TO ("lost"));
  fake_host_settle (&fixture->host);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "lost"))->failure.type, ==,
                   ZINIT_FAILURE_MISSING_DEPENDENCY);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "behind"))->failure.type, ==,
                   ZINIT_FAILURE_DEPENDENCY_FAILED);
  fixture_add (fixture, SERVICE ("nobody"));
  steps_assert_sub_state (fixture, "behind", "running");
}

static void
test_b6_binds_to (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("mid") BY_HAND BINDS_TO ("db"));
  steps_assert_cyclic (fixture, SERVICE ("app") REQUIRES ("mid") "dependencies.conflicts=['db']\n",
                       "it requires what it conflicts with: app → mid → db");
}

static void
test_b7_binds_to (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a") BY_HAND BINDS_TO ("b"));
  steps_assert_cyclic (fixture, SERVICE ("b") REQUIRES ("a"), "a → b → a");
}

static void
test_c1_binds_to (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db"));
  fixture_add (fixture, SERVICE ("app") BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("top") REQUIRES ("app"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+db +app +top");
  for (guint i = 0; i < 2; i++) {
    if (i == 0)
      steps_stop (fixture, "db");
    else
      steps_restart (fixture, "db");
    fixture_assert_acts (fixture, "-top");
    steps_end_well (fixture, "top");
    fixture_assert_acts (fixture, "-app");
    steps_end_well (fixture, "app");
    fixture_assert_acts (fixture, "-db");
    steps_end_well (fixture, "db");
    if (i == 0) {
      steps_assert_sub_state (fixture, "app", "held");
      steps_start (fixture, "db", FALSE);
    }
    fixture_assert_acts (fixture, "+db +app +top");
  }
}

/* A crash that is mended takes along what binds to it, and what needs that; the next start waits for them.
 * What requires it is left alone. */
static void
test_c3_binds_to (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) blockers = NULL;

  fixture_add (fixture, SERVICE ("db") CRASHING);
  fixture_add (fixture, SERVICE ("alone") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("mid") REQUIRES ("app"));
  fixture_add (fixture, SERVICE ("top") BINDS_TO ("mid"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+db +alone +app +mid +top");
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  fixture_assert_acts (fixture, "-top");
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_assert_text (fixture, "db", "waits for app, which is stopping");
  g_assert_null (steps_answer (fixture, "db"));
  blockers = zinit_supervisor_why_blocked (fixture->supervisor, fixture_get (fixture, "db"));
  g_assert_cmpuint (blockers->len, ==, 3);
  g_assert_cmpstr (zinit_block_kind_to_string (((ZinitBlocker *)blockers->pdata[0])->kind), ==, "bound_by");
  steps_end_well (fixture, "top");
  fixture_assert_acts (fixture, "-mid");
  steps_end_well (fixture, "mid");
  steps_assert_sub_state (fixture, "mid", "held");
  fixture_assert_acts (fixture, "-app");
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_end_well (fixture, "app");
  fixture_assert_acts (fixture, "+db +app +mid +top");
  steps_assert_sub_state (fixture, "alone", "running");
}

/* Down by the time of the next start: that does not wait. */
static void
test_c3_held_meanwhile (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") CRASHING "lifecycle.max_restarts=1\n");
  fixture_add (fixture, SERVICE ("app") CRASHING BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("done") ONESHOT BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("backoff") CRASHING BINDS_TO ("db"));
  fake_host_settle (&fixture->host);
  steps_end_well (fixture, "done");
  fixture_end (fixture, "backoff", ZINIT_EXIT_EXITED, 1);
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  steps_assert_sub_state (fixture, "backoff", "held");
  steps_assert_sub_state (fixture, "done", "held");
  steps_end_well (fixture, "app");
  steps_assert_sub_state (fixture, "app", "held");
  steps_assert_text (fixture, "app", "stopped because db is down");
  fixture_assert_acts (fixture, "+db +app +done +backoff -app");
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "+db +app +done +backoff");
  /* It is given up: they stay held. */
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  steps_assert_sub_state (fixture, "db", "given-up");
  fixture_assert_acts (fixture, "-app -done -backoff");
  steps_end_well (fixture, "app");
  steps_end_well (fixture, "backoff");
  steps_end_well (fixture, "done");
  fake_host_advance_ms (&fixture->host, 100000);
  steps_assert_sub_state (fixture, "app", "held");
  steps_assert_text (fixture, "app", "db");
}

/* What binds to it is down itself, and what goes down above that is waited for all the same. A start on
 * request waits as the policy's does. */
static void
test_c3_through_down (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") CRASHING);
  fixture_add (fixture, SERVICE ("mid") "lifecycle.restart_delay_ms=1000\n" BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("top") REQUIRES ("mid"));
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "mid", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +mid +top");
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  fixture_assert_acts (fixture, "-top");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_end_well (fixture, "top");
  fixture_assert_acts (fixture, "+db +mid +top");
}

/* The same where it is done: it has nothing to end, but stays up for what needs it. */
static void
test_c3_through_done (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") CRASHING);
  fixture_add (fixture, SERVICE ("mid") ONESHOT BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("top") REQUIRES ("mid"));
  fake_host_settle (&fixture->host);
  steps_end_well (fixture, "mid");
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +mid +top -top");
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_end_well (fixture, "top");
  fixture_assert_acts (fixture, "+db +mid");
  steps_end_well (fixture, "mid");
  fixture_assert_acts (fixture, "+top");
}

/* It ends by itself while a restart of it waits for its dependents, or a start for its leftovers. */
static void
test_c3_requested_meanwhile (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process;

  fixture_add (fixture, SERVICE ("db") CRASHING);
  fixture_add (fixture, SERVICE ("app") BINDS_TO ("db"));
  fake_host_settle (&fixture->host);
  steps_restart (fixture, "db");
  fixture_assert_acts (fixture, "+db +app -app");
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_end_well (fixture, "app");
  fixture_assert_acts (fixture, "+db +app");

  process = fake_host_find (&fixture->host, "db");
  process->has_others = TRUE;
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  steps_assert_sub_state (fixture, "db", "stopping");
  steps_start (fixture, "db", FALSE);
  fixture_assert_acts (fixture, "-db");
  fake_process_empty (process);
  fixture_assert_acts (fixture, "-app");
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_end_well (fixture, "app");
  fixture_assert_acts (fixture, "+db +app");
}

static void
test_c4_binds_to (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='never'\n");
  fixture_add (fixture, SERVICE ("app") BINDS_TO ("db"));
  fixture_add (fixture, SERVICE ("top") BINDS_TO ("app"));
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +app +top -top");
  steps_end_well (fixture, "top");
  fixture_assert_acts (fixture, "-app");
  steps_end_well (fixture, "app");
  steps_assert_sub_state (fixture, "app", "held");
  steps_assert_sub_state (fixture, "top", "held");
  steps_start (fixture, "db", FALSE);
  fixture_assert_acts (fixture, "+db +app +top");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/B2/binds-to", test_b2_binds_to);
  fixture_add_test ("/rules/B6/binds-to", test_b6_binds_to);
  fixture_add_test ("/rules/B7/binds-to", test_b7_binds_to);
  fixture_add_test ("/rules/C1/binds-to", test_c1_binds_to);
  fixture_add_test ("/rules/C3/binds-to", test_c3_binds_to);
  fixture_add_test ("/rules/C3/held-meanwhile", test_c3_held_meanwhile);
  fixture_add_test ("/rules/C3/through-down", test_c3_through_down);
  fixture_add_test ("/rules/C3/through-done", test_c3_through_done);
  fixture_add_test ("/rules/C3/requested-meanwhile", test_c3_requested_meanwhile);
  fixture_add_test ("/rules/C4/binds-to", test_c4_binds_to);
  return g_test_run ();
}
