/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of zinit-behaviour(7) on a fake host, each under its number. No process, no waiting.
 */
#include <signal.h>

#include "fake-fixture.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define BY_HAND "service.status='ignore'\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define AFTER(name) "dependencies.after=['" name "']\n"

static void
assert_sub_state (Fixture *fixture, const char *name, const char *expected)
{
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (
      zinit_sub_state_to_string (zinit_service_get_status (fixture_get (fixture, name))->sub_state), ==,
      expected);
}

static void
assert_text (Fixture *fixture, const char *name, const char *part)
{
  const char *text = zinit_service_get_status (fixture_get (fixture, name))->text;

  if (strstr (text, part) == NULL)
    g_error ("%s says \"%s\", and not \"%s\"", name, text, part);
}

static void
start (Fixture *fixture, const char *name, gboolean tree)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_start (fixture->supervisor, fixture_get (fixture, name), tree, &error);
  g_assert_no_error (error);
}

static void
stop (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_stop (fixture->supervisor, fixture_get (fixture, name), &error);
  g_assert_no_error (error);
}

static void
restart (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_restart (fixture->supervisor, fixture_get (fixture, name), FALSE, &error);
  g_assert_no_error (error);
}

static void
end_well (Fixture *fixture, const char *name)
{
  fixture_end (fixture, name, ZINIT_EXIT_EXITED, 0);
}

/* What a waiting start of @name is answered: "" = well, NULL = nothing yet. */
static char *
answer (Fixture *fixture, const char *name)
{
  ZinitService *service = fixture_get (fixture, name);
  g_autoptr (GError) error = NULL;

  fake_host_settle (&fixture->host);
  if (!zinit_service_start_is_settled (service))
    return NULL;
  if (zinit_service_start_succeeded (service, &error))
    return g_strdup ("");
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CANNOT_START);
  return g_strdup (error->message);
}

static void
assert_answer (Fixture *fixture, const char *name, const char *part)
{
  g_autofree char *message = answer (fixture, name);

  if (message == NULL || strstr (message, part) == NULL || (*part == '\0' && *message != '\0'))
    g_error ("a start of %s is answered \"%s\", and not \"%s\"", name, message, part);
}

static void
test_a3_sub_states (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web") BY_HAND "lifecycle.max_restarts=1\nlifecycle.restart_delay_ms=10\n"
                                                "lifecycle.stop_timeout_ms=50\n");
  fixture_add (fixture, SERVICE ("once") BY_HAND ONESHOT);
  fixture_add (fixture, SERVICE ("plain") BY_HAND "lifecycle.restart='never'\n");
  assert_sub_state (fixture, "web", "inactive");
  start (fixture, "web", FALSE);
  assert_sub_state (fixture, "web", "running");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  assert_sub_state (fixture, "web", "restarting");
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  assert_sub_state (fixture, "web", "given-up");
  start (fixture, "web", FALSE);
  fake_host_find (&fixture->host, "web")->is_stubborn = TRUE;
  stop (fixture, "web");
  assert_sub_state (fixture, "web", "stopping");
  fake_host_advance_ms (&fixture->host, 50);
  assert_sub_state (fixture, "web", "killing");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  assert_sub_state (fixture, "web", "stopped");
  start (fixture, "once", FALSE);
  assert_sub_state (fixture, "once", "running");
  end_well (fixture, "once");
  assert_sub_state (fixture, "once", "done");
  start (fixture, "plain", FALSE);
  end_well (fixture, "plain");
  assert_sub_state (fixture, "plain", "ended");
  start (fixture, "plain", FALSE);
  fixture_end (fixture, "plain", ZINIT_EXIT_EXITED, 1);
  assert_sub_state (fixture, "plain", "failed");
}

static void
test_b1_one_only (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("db"));
  start (fixture, "app", FALSE);
  assert_sub_state (fixture, "app", "waiting");
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
  start (fixture, "app", TRUE);
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

  end_well (fixture, "once");
  fixture_assert_acts (fixture, "+once");
  g_assert_false (zinit_supervisor_start (fixture->supervisor, once, FALSE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING);
  g_assert_nonnull (strstr (error->message, "restart"));
  restart (fixture, "once");
  fixture_assert_acts (fixture, "+once");
}

static void
test_b1_backoff_and_stop (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web"));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  start (fixture, "web", FALSE);
  fixture_assert_acts (fixture, "+web +web");
  stop (fixture, "web");
  start (fixture, "web", FALSE);
  end_well (fixture, "web");
  fixture_assert_acts (fixture, "-web +web");
}

/* An end by itself with code 0 is no success of what is not a oneshot. */
static void
test_b2_ended_is_not_up (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='on-failure'\n");
  end_well (fixture, "db");
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  assert_sub_state (fixture, "app", "waiting");
  start (fixture, "db", FALSE);
  assert_sub_state (fixture, "app", "running");
}

static void
test_b2_missing_and_failed (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  assert_sub_state (fixture, "app", "failed");
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='never'\n");
  assert_sub_state (fixture, "app", "running");
  fixture_add (fixture, SERVICE ("late") BY_HAND REQUIRES ("db"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  start (fixture, "late", FALSE);
  assert_sub_state (fixture, "late", "failed");
  start (fixture, "db", FALSE);
  assert_sub_state (fixture, "late", "running");
}

/* Stopped and started again, the order is the same; what nobody starts holds nothing. */
static void
test_b3_every_time (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("z") ONESHOT);
  fixture_add (fixture, SERVICE ("a") AFTER ("z"));
  assert_sub_state (fixture, "a", "waiting");
  end_well (fixture, "z");
  fixture_assert_acts (fixture, "+z +a");
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  end_well (fixture, "a");
  assert_sub_state (fixture, "z", "stopped");
  g_strfreev (zinit_supervisor_start_all (fixture->supervisor, NULL));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "-a +z");
  end_well (fixture, "z");
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
  assert_sub_state (fixture, "stuck", "waiting");
  assert_sub_state (fixture, "behind", "waiting");
  fixture_add (fixture, SERVICE ("a") AFTER ("idle"));
  fixture_add (fixture, SERVICE ("b") AFTER ("stuck"));
  fixture_add (fixture, SERVICE ("c") AFTER ("crashing"));
  fixture_add (fixture, SERVICE ("d") AFTER ("behind"));
  fixture_add (fixture, SERVICE ("e") AFTER ("nobody"));
  for (const char *name = "abcde"; *name != '\0'; name++)
    assert_sub_state (fixture, (const char[]){ *name, '\0' }, "running");
}

/* It waits while the other is on its way, also through something else, and goes on when that is stuck. */
static void
test_b3_becomes_stuck (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("slow") ONESHOT);
  fixture_add (fixture, SERVICE ("middle") REQUIRES ("slow"));
  fixture_add (fixture, SERVICE ("last") AFTER ("middle"));
  assert_sub_state (fixture, "last", "waiting");
  stop (fixture, "slow");
  fixture_end (fixture, "slow", ZINIT_EXIT_KILLED, SIGTERM);
  assert_sub_state (fixture, "middle", "waiting");
  assert_sub_state (fixture, "last", "running");
}

static void
test_b6_conflicts (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("one") "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("two") "dependencies.conflicts=['one']\n");
  assert_sub_state (fixture, "two", "waiting");
  /* It will be back. */
  fixture_end (fixture, "one", ZINIT_EXIT_EXITED, 1);
  assert_sub_state (fixture, "two", "waiting");
  fake_host_advance_ms (&fixture->host, 100);
  assert_sub_state (fixture, "one", "running");
  stop (fixture, "one");
  assert_sub_state (fixture, "two", "waiting");
  end_well (fixture, "one");
  assert_sub_state (fixture, "two", "running");
  start (fixture, "one", FALSE);
  assert_sub_state (fixture, "one", "waiting");
}

static void
test_b9_says_why (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("db"));
  start (fixture, "app", FALSE);
  assert_text (fixture, "app", "waits for db");
  assert_text (fixture, "app", "zinit start db");
}

/* s1 runs, s2 waits for it with somebody waiting, and s1 is stopped: the wait is over. */
static void
test_b10_stop_overtakes (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("s1") ONESHOT);
  fixture_add (fixture, SERVICE ("s2") BY_HAND REQUIRES ("s1"));
  start (fixture, "s2", FALSE);
  g_assert_null (answer (fixture, "s2"));
  stop (fixture, "s1");
  fixture_end (fixture, "s1", ZINIT_EXIT_KILLED, SIGTERM);
  assert_answer (fixture, "s2", "zinit start s1");
  assert_sub_state (fixture, "s2", "waiting");
  start (fixture, "s1", FALSE);
  g_assert_null (answer (fixture, "s2"));
  end_well (fixture, "s1");
  assert_answer (fixture, "s2", "");
}

static void
test_b10_failed_attempt (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") ONESHOT BY_HAND "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("mid") BY_HAND REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("mid"));
  start (fixture, "app", TRUE);
  g_assert_null (answer (fixture, "app"));
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 7);
  /* The policy goes on all the same. */
  assert_answer (fixture, "app", "mid");
  assert_sub_state (fixture, "db", "restarting");
  fake_host_advance_ms (&fixture->host, 100);
  end_well (fixture, "db");
  assert_answer (fixture, "app", "");
}

static void
test_b10_stuck (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") BY_HAND);
  fixture_add (fixture, SERVICE ("mid") BY_HAND REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") BY_HAND REQUIRES ("mid"));
  start (fixture, "mid", FALSE);
  start (fixture, "app", FALSE);
  assert_answer (fixture, "app", "mid");
  start (fixture, "db", FALSE);
  assert_answer (fixture, "app", "");
}

/* All the way up, also what waits and what is in a back-off; side by side what is independent. */
static void
test_c1_stop (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db"));
  fixture_add (fixture, SERVICE ("left") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("right") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("crashing") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("top") REQUIRES ("crashing"));
  fixture_end (fixture, "crashing", ZINIT_EXIT_EXITED, 1);
  fixture_assert_acts (fixture, "+db +left +right +crashing +top");
  stop (fixture, "db");
  assert_sub_state (fixture, "crashing", "held");
  fixture_assert_acts (fixture, "-left -right -top");
  end_well (fixture, "left");
  fixture_assert_acts (fixture, "");
  end_well (fixture, "right");
  fixture_assert_acts (fixture, "-db");
  end_well (fixture, "db");
  end_well (fixture, "top");
  fake_host_advance_ms (&fixture->host, 100000);
  assert_sub_state (fixture, "db", "stopped");
  assert_sub_state (fixture, "left", "held");
  assert_sub_state (fixture, "top", "held");
  stop (fixture, "right");
  assert_sub_state (fixture, "right", "stopped");
  fixture_assert_acts (fixture, "");
  start (fixture, "db", FALSE);
  assert_sub_state (fixture, "top", "running");
  assert_sub_state (fixture, "left", "running");
  assert_sub_state (fixture, "right", "stopped");
}

static void
test_c2_restart (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db"));
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+db +app");
  restart (fixture, "db");
  fixture_assert_acts (fixture, "-app");
  end_well (fixture, "app");
  fixture_assert_acts (fixture, "-db");
  end_well (fixture, "db");
  fixture_assert_acts (fixture, "+db +app");
}

static void
test_c3_restarted_by_policy (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart_delay_ms=100\n");
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGSEGV);
  fixture_assert_acts (fixture, "+db +app");
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "+db");
  assert_sub_state (fixture, "app", "running");
}

/* With a failure as with success: what is down for good takes along what requires it, also through one that
 * is held already. */
static void
test_c4_down_for_good (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.restart='on-failure'\nlifecycle.max_restarts=1\n"
                                       "lifecycle.restart_delay_ms=10\n");
  fixture_add (fixture, SERVICE ("mid") REQUIRES ("db"));
  fixture_add (fixture, SERVICE ("app") REQUIRES ("mid"));
  fake_host_settle (&fixture->host);
  end_well (fixture, "db");
  end_well (fixture, "app");
  end_well (fixture, "mid");
  fixture_assert_acts (fixture, "+db +mid +app -app -mid");
  assert_sub_state (fixture, "app", "held");
  assert_sub_state (fixture, "mid", "held");
  assert_text (fixture, "mid", "db");
  /* It fails again while it comes back: they stay held. */
  start (fixture, "db", FALSE);
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  assert_sub_state (fixture, "db", "given-up");
  end_well (fixture, "app");
  end_well (fixture, "mid");
  assert_sub_state (fixture, "mid", "held");
  start (fixture, "db", FALSE);
  assert_sub_state (fixture, "app", "running");
}

/* a ← b (a oneshot that is done) ← c: a stop of a stops c, then b, which runs again with it. */
static void
test_c5_done_is_up (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a"));
  fixture_add (fixture, SERVICE ("b") ONESHOT REQUIRES ("a"));
  fixture_add (fixture, SERVICE ("c") REQUIRES ("b"));
  fake_host_settle (&fixture->host);
  end_well (fixture, "b");
  fixture_assert_acts (fixture, "+a +b +c");
  stop (fixture, "a");
  fixture_assert_acts (fixture, "-c");
  end_well (fixture, "c");
  fixture_assert_acts (fixture, "-a");
  end_well (fixture, "a");
  assert_sub_state (fixture, "b", "held");
  start (fixture, "a", FALSE);
  fixture_assert_acts (fixture, "+a +b");
  end_well (fixture, "b");
  fixture_assert_acts (fixture, "+c");
}

static void
test_c5_stop_of_done (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("o") ONESHOT);
  fixture_add (fixture, SERVICE ("s") REQUIRES ("o"));
  end_well (fixture, "o");
  fixture_assert_acts (fixture, "+o +s");
  stop (fixture, "o");
  fixture_assert_acts (fixture, "-s");
  g_assert_cmpstr (fixture_state (fixture, "o"), ==, "exited");
  end_well (fixture, "s");
  g_assert_cmpstr (fixture_state (fixture, "o"), ==, "inactive");
  assert_sub_state (fixture, "o", "stopped");
  assert_sub_state (fixture, "s", "held");
  start (fixture, "o", FALSE);
  end_well (fixture, "o");
  assert_sub_state (fixture, "s", "running");
  /* s goes down once, and comes back when o has run again. */
  fixture_assert_acts (fixture, "+o +s");
  restart (fixture, "o");
  fixture_assert_acts (fixture, "-s");
  end_well (fixture, "s");
  fixture_assert_acts (fixture, "+o");
  end_well (fixture, "o");
  fixture_assert_acts (fixture, "+s");
}

static void
test_c7_reverse_order (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a"));
  fixture_add (fixture, SERVICE ("b") AFTER ("a"));
  fixture_add (fixture, SERVICE ("free"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+a +b +free");
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  fixture_assert_acts (fixture, "-b -free");
  end_well (fixture, "b");
  fixture_assert_acts (fixture, "-a");
}

static void
test_c7_shutdown_through_done (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a"));
  fixture_add (fixture, SERVICE ("b") ONESHOT REQUIRES ("a"));
  fixture_add (fixture, SERVICE ("c") REQUIRES ("b"));
  fake_host_settle (&fixture->host);
  end_well (fixture, "b");
  fixture_assert_acts (fixture, "+a +b +c");
  zinit_supervisor_shutdown (fixture->supervisor);
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "-c");
  end_well (fixture, "c");
  fixture_assert_acts (fixture, "-a");
  end_well (fixture, "a");
  fake_host_settle (&fixture->host);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

static void
test_e3_given_up (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web") "lifecycle.max_restarts=1\n"
                                                            "lifecycle.restart_delay_ms=10\n");

  end_well (fixture, "web");
  fake_host_advance_ms (&fixture->host, 10);
  end_well (fixture, "web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  assert_sub_state (fixture, "web", "given-up");
  g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_EXIT_CODE);
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 0);
  fixture_add (fixture, SERVICE ("app") REQUIRES ("web"));
  assert_sub_state (fixture, "app", "failed");
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

/* Killed after the time-out, it is down as was asked for: no failure for what requires it. */
static void
test_f4_killed_on_request (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.stop_timeout_ms=50\n");
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  fake_host_find (&fixture->host, "db")->is_stubborn = TRUE;
  stop (fixture, "db");
  end_well (fixture, "app");
  fake_host_advance_ms (&fixture->host, 50);
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGKILL);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "failed");
  assert_sub_state (fixture, "db", "stopped");
  assert_sub_state (fixture, "app", "held");
  fixture_add (fixture, SERVICE ("late") REQUIRES ("db"));
  assert_sub_state (fixture, "late", "waiting");
}

/* It lives on in spite of SIGKILL: the stop is over, and a start waits until it is gone. */
static void
test_f4_undying (Fixture *fixture, gconstpointer data)
{
  ZinitService *db = fixture_add (fixture, SERVICE ("db") "lifecycle.stop_timeout_ms=50\n");
  FakeProcess *process = fake_host_find (&fixture->host, "db");

  process->has_others = TRUE;
  stop (fixture, "db");
  fake_process_end (process, ZINIT_EXIT_KILLED, SIGTERM);
  fake_host_advance_ms (&fixture->host, 5000);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "stopping");
  fake_host_advance_ms (&fixture->host, 1100);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "failed");
  g_assert_cmpint (zinit_service_get_undying_pid (db), ==, process->pid);
  assert_text (fixture, "db", "SIGKILL");
  start (fixture, "db", FALSE);
  assert_sub_state (fixture, "db", "waiting");
  assert_answer (fixture, "db", "SIGKILL");
  fake_process_empty (process);
  assert_sub_state (fixture, "db", "running");
  g_assert_cmpint (zinit_service_get_undying_pid (db), ==, 0);
}

static void
test_f5_stays_down (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web"));
  stop (fixture, "web");
  end_well (fixture, "web");
  fake_host_advance_ms (&fixture->host, 1000000);
  assert_sub_state (fixture, "web", "stopped");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->wanted, ==, ZINIT_WANTED_STOP);
}

static GLogWriterOutput
drop_messages (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level <= G_LOG_LEVEL_CRITICAL)
    return g_log_writer_default (level, fields, n_fields, data);
  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* One that cannot be killed is a warning. */
  g_log_set_writer_func (drop_messages, NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
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
  fixture_add_test ("/rules/B9/says-why", test_b9_says_why);
  fixture_add_test ("/rules/B10/stop-overtakes", test_b10_stop_overtakes);
  fixture_add_test ("/rules/B10/failed-attempt", test_b10_failed_attempt);
  fixture_add_test ("/rules/B10/stuck", test_b10_stuck);
  fixture_add_test ("/rules/C1/stop", test_c1_stop);
  fixture_add_test ("/rules/C2/restart", test_c2_restart);
  fixture_add_test ("/rules/C3/restarted-by-policy", test_c3_restarted_by_policy);
  fixture_add_test ("/rules/C4/down-for-good", test_c4_down_for_good);
  fixture_add_test ("/rules/C5/done-is-up", test_c5_done_is_up);
  fixture_add_test ("/rules/C5/stop-of-done", test_c5_stop_of_done);
  fixture_add_test ("/rules/C7/reverse-order", test_c7_reverse_order);
  fixture_add_test ("/rules/C7/shutdown-through-done", test_c7_shutdown_through_done);
  fixture_add_test ("/rules/E3/given-up", test_e3_given_up);
  fixture_add_test ("/rules/E6/reset", test_e6_reset);
  fixture_add_test ("/rules/F4/killed-on-request", test_f4_killed_on_request);
  fixture_add_test ("/rules/F4/undying", test_f4_undying);
  fixture_add_test ("/rules/F5/stays-down", test_f5_stays_down);
  return g_test_run ();
}
