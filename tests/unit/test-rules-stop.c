/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules C, D, F, G and L of zinit-behaviour(7) on a fake host: dependents, ends and stops. No process, no
 * waiting.
 */
#include <signal.h>

#include "fake-steps.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define BY_HAND "service.status='ignore'\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define AFTER(name) "dependencies.after=['" name "']\n"

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
  steps_stop (fixture, "db");
  steps_assert_sub_state (fixture, "crashing", "held");
  fixture_assert_acts (fixture, "-left -right -top");
  steps_end_well (fixture, "left");
  fixture_assert_acts (fixture, "");
  steps_end_well (fixture, "right");
  fixture_assert_acts (fixture, "-db");
  steps_end_well (fixture, "db");
  steps_end_well (fixture, "top");
  fake_host_advance_ms (&fixture->host, 100000);
  steps_assert_sub_state (fixture, "db", "stopped");
  steps_assert_sub_state (fixture, "left", "held");
  steps_assert_sub_state (fixture, "top", "held");
  steps_stop (fixture, "right");
  steps_assert_sub_state (fixture, "right", "stopped");
  fixture_assert_acts (fixture, "");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "top", "running");
  steps_assert_sub_state (fixture, "left", "running");
  steps_assert_sub_state (fixture, "right", "stopped");
}

static void
test_c2_restart (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db"));
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+db +app");
  steps_restart (fixture, "db");
  fixture_assert_acts (fixture, "-app");
  steps_end_well (fixture, "app");
  fixture_assert_acts (fixture, "-db");
  steps_end_well (fixture, "db");
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
  steps_assert_sub_state (fixture, "app", "running");
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
  steps_end_well (fixture, "db");
  steps_end_well (fixture, "app");
  steps_end_well (fixture, "mid");
  fixture_assert_acts (fixture, "+db +mid +app -app -mid");
  steps_assert_sub_state (fixture, "app", "held");
  steps_assert_sub_state (fixture, "mid", "held");
  steps_assert_text (fixture, "mid", "db");
  /* It fails again while it comes back: they stay held. */
  steps_start (fixture, "db", FALSE);
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  fake_host_advance_ms (&fixture->host, 10);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "db", "given-up");
  steps_end_well (fixture, "app");
  steps_end_well (fixture, "mid");
  steps_assert_sub_state (fixture, "mid", "held");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "app", "running");
}

/* a ← b (a oneshot that is done) ← c: a stop of a stops c, then b, which runs again with it. */
static void
test_c5_done_is_up (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a"));
  fixture_add (fixture, SERVICE ("b") ONESHOT REQUIRES ("a"));
  fixture_add (fixture, SERVICE ("c") REQUIRES ("b"));
  fake_host_settle (&fixture->host);
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "+a +b +c");
  steps_stop (fixture, "a");
  fixture_assert_acts (fixture, "-c");
  steps_end_well (fixture, "c");
  fixture_assert_acts (fixture, "-a");
  steps_end_well (fixture, "a");
  steps_assert_sub_state (fixture, "b", "held");
  steps_start (fixture, "a", FALSE);
  fixture_assert_acts (fixture, "+a +b");
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "+c");
}

static void
test_c5_stop_of_done (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("o") ONESHOT);
  fixture_add (fixture, SERVICE ("s") REQUIRES ("o"));
  steps_end_well (fixture, "o");
  fixture_assert_acts (fixture, "+o +s");
  steps_stop (fixture, "o");
  fixture_assert_acts (fixture, "-s");
  g_assert_cmpstr (fixture_state (fixture, "o"), ==, "exited");
  steps_end_well (fixture, "s");
  g_assert_cmpstr (fixture_state (fixture, "o"), ==, "inactive");
  steps_assert_sub_state (fixture, "o", "stopped");
  steps_assert_sub_state (fixture, "s", "held");
  steps_start (fixture, "o", FALSE);
  steps_end_well (fixture, "o");
  steps_assert_sub_state (fixture, "s", "running");
  /* s goes down once, and comes back when o has run again. */
  fixture_assert_acts (fixture, "+o +s");
  steps_restart (fixture, "o");
  fixture_assert_acts (fixture, "-s");
  steps_end_well (fixture, "s");
  fixture_assert_acts (fixture, "+o");
  steps_end_well (fixture, "o");
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
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "-a");
}

static void
test_c7_shutdown_through_done (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a"));
  fixture_add (fixture, SERVICE ("b") ONESHOT REQUIRES ("a"));
  fixture_add (fixture, SERVICE ("c") REQUIRES ("b"));
  fake_host_settle (&fixture->host);
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "+a +b +c");
  zinit_supervisor_shutdown (fixture->supervisor);
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "-c");
  steps_end_well (fixture, "c");
  fixture_assert_acts (fixture, "-a");
  steps_end_well (fixture, "a");
  fake_host_settle (&fixture->host);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

/* A removal that was asked for is not taken back by a stop. */
static void
test_f5_removal_stays (Fixture *fixture, gconstpointer data)
{
  ZinitService *db = fixture_add (fixture, SERVICE ("db"));

  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, db, TRUE, NULL));
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  steps_end_well (fixture, "app");
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  steps_end_well (fixture, "db");
  fake_host_settle (&fixture->host);
  g_assert_null (zinit_supervisor_find (fixture->supervisor, "db", NULL));
}

/* The start time-out that a oneshot is given bounds its whole run; the default does not. */
static void
test_d2_oneshot_timeout (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture,
               SERVICE ("bounded") ONESHOT "lifecycle.start_timeout_ms=100\nlifecycle.restart='never'\n");
  fixture_add (fixture, SERVICE ("free") ONESHOT);
  fake_host_advance_ms (&fixture->host, 99);
  steps_assert_sub_state (fixture, "bounded", "running");
  fake_host_advance_ms (&fixture->host, 1);
  steps_assert_sub_state (fixture, "bounded", "stopping");
  fixture_end (fixture, "bounded", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "bounded"))->failure.type, ==,
                   ZINIT_FAILURE_START_TIMEOUT);
  fake_host_advance_ms (&fixture->host, 100000);
  steps_assert_sub_state (fixture, "free", "running");
}

/* Dependencies, time-outs and the like count at once; the program waits for the next start. */
static void
test_l1_live_keys (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web") "lifecycle.restart='never'\n");

  fake_host_settle (&fixture->host);
  fixture_add (fixture,
               SERVICE ("web") "lifecycle.restart='never'\nlifecycle.stop_timeout_ms=77\n" AFTER ("x"));
  g_assert_false (zinit_service_get_status (web)->needs_restart);
  g_assert_cmpuint (zinit_service_get_definition (web)->stop_timeout_ms, ==, 77);
  fixture_add (fixture, "service.name='web'\nservice.exec='other'\nlifecycle.stop_timeout_ms=88\n");
  g_assert_true (zinit_service_get_status (web)->needs_restart);
  g_assert_cmpstr (zinit_service_get_definition (web)->exec, ==, "web");
  g_assert_cmpuint (zinit_service_get_definition (web)->stop_timeout_ms, ==, 88);
  steps_restart (fixture, "web");
  steps_end_well (fixture, "web");
  g_assert_cmpstr (zinit_service_get_definition (web)->exec, ==, "other");
}

/* Held for the sake of what it does not require any more, it comes back at once. */
static void
test_l1_held_no_more (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db"));
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  steps_stop (fixture, "db");
  steps_end_well (fixture, "app");
  steps_end_well (fixture, "db");
  steps_assert_sub_state (fixture, "app", "held");
  fixture_add (fixture, SERVICE ("app"));
  steps_assert_sub_state (fixture, "app", "running");
}

/* Killed after the time-out, it is down as was asked for: no failure for what requires it. */
static void
test_f4_killed_on_request (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("db") "lifecycle.stop_timeout_ms=50\n");
  fixture_add (fixture, SERVICE ("app") REQUIRES ("db"));
  fake_host_settle (&fixture->host);
  fake_host_find (&fixture->host, "db")->is_stubborn = TRUE;
  steps_stop (fixture, "db");
  steps_end_well (fixture, "app");
  fake_host_advance_ms (&fixture->host, 50);
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGKILL);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "failed");
  steps_assert_sub_state (fixture, "db", "stopped");
  steps_assert_sub_state (fixture, "app", "held");
  fixture_add (fixture, SERVICE ("late") REQUIRES ("db"));
  steps_assert_sub_state (fixture, "late", "waiting");
}

/* It lives on in spite of SIGKILL: the stop is over, and a start waits until it is gone. */
static void
test_f4_undying (Fixture *fixture, gconstpointer data)
{
  ZinitService *db = fixture_add (fixture, SERVICE ("db") "lifecycle.stop_timeout_ms=50\n");
  FakeProcess *process = fake_host_find (&fixture->host, "db");

  process->has_others = TRUE;
  steps_stop (fixture, "db");
  fake_process_end (process, ZINIT_EXIT_KILLED, SIGTERM);
  fake_host_advance_ms (&fixture->host, 5000);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "stopping");
  fake_host_advance_ms (&fixture->host, 1100);
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "failed");
  g_assert_cmpint (zinit_service_get_undying_pid (db), ==, process->pid);
  steps_assert_text (fixture, "db", "SIGKILL");
  steps_start (fixture, "db", FALSE);
  steps_assert_sub_state (fixture, "db", "waiting");
  steps_assert_answer (fixture, "db", "SIGKILL");
  fake_process_empty (process);
  steps_assert_sub_state (fixture, "db", "running");
  g_assert_cmpint (zinit_service_get_undying_pid (db), ==, 0);
}

static void
test_f5_stays_down (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web"));
  steps_stop (fixture, "web");
  steps_end_well (fixture, "web");
  fake_host_advance_ms (&fixture->host, 1000000);
  steps_assert_sub_state (fixture, "web", "stopped");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->wanted, ==, ZINIT_WANTED_STOP);
}

/* redis with daemonize, pg_ctl start: the copy in the background is the service. */
static void
test_g6_background (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web"));
  FakeProcess *process = fake_host_find (&fixture->host, "web");

  process->has_others = TRUE;
  process->background_pid = 555;
  fake_host_advance_ms (&fixture->host, 3000);
  steps_end_well (fixture, "web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 555);
  steps_assert_text (fixture, "web", "background");
  fixture_assert_acts (fixture, "+web");
  /* Its end is that of the service. */
  steps_end_well (fixture, "web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "exited");
}

/* A failure, a later end, a stop: what is left is leftovers. */
static void
test_g6_not_background (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    FakeProcess *process;

    fixture_add (fixture, SERVICE ("web"));
    process = fake_host_find (&fixture->host, "web");
    process->has_others = TRUE;
    process->background_pid = 555;
    if (i == 0)
      fake_host_advance_ms (&fixture->host, 5001);
    else if (i == 1)
      steps_stop (fixture, "web");
    fixture_end (fixture, "web", ZINIT_EXIT_EXITED, i == 2 ? 1 : 0);
    g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
    fake_process_empty (process);
    zinit_supervisor_remove (fixture->supervisor, fixture_get (fixture, "web"), FALSE, NULL);
    fake_host_settle (&fixture->host);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/C1/stop", test_c1_stop);
  fixture_add_test ("/rules/C2/restart", test_c2_restart);
  fixture_add_test ("/rules/C3/restarted-by-policy", test_c3_restarted_by_policy);
  fixture_add_test ("/rules/C4/down-for-good", test_c4_down_for_good);
  fixture_add_test ("/rules/C5/done-is-up", test_c5_done_is_up);
  fixture_add_test ("/rules/C5/stop-of-done", test_c5_stop_of_done);
  fixture_add_test ("/rules/C7/reverse-order", test_c7_reverse_order);
  fixture_add_test ("/rules/C7/shutdown-through-done", test_c7_shutdown_through_done);
  fixture_add_test ("/rules/D2/oneshot-timeout", test_d2_oneshot_timeout);
  fixture_add_test ("/rules/L1/live-keys", test_l1_live_keys);
  fixture_add_test ("/rules/L1/held-no-more", test_l1_held_no_more);
  fixture_add_test ("/rules/F4/killed-on-request", test_f4_killed_on_request);
  fixture_add_test ("/rules/F4/undying", test_f4_undying);
  fixture_add_test ("/rules/F5/removal-stays", test_f5_removal_stays);
  fixture_add_test ("/rules/F5/stays-down", test_f5_stays_down);
  fixture_add_test ("/rules/G6/background", test_g6_background);
  fixture_add_test ("/rules/G6/not-background", test_g6_not_background);
  return g_test_run ();
}
