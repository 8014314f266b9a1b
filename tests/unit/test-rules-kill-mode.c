/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules F2 and G7 of zinit-behaviour(7) on a fake host: which processes a stop is for, and what becomes of
 * the rest.
 */
#include <signal.h>

#include "fake-steps.h"

#define SERVICE(mode) "service.name='web'\nservice.exec='web'\nlifecycle.kill_mode='" mode "'\n"
#define LEFT_PID 555

/* Others of its tree live. */
static FakeProcess *
add (Fixture *fixture, const char *text)
{
  FakeProcess *process;

  fixture_add (fixture, text);
  fixture_assert_acts (fixture, "+web");
  process = fake_host_find (&fixture->host, "web");
  process->has_others = TRUE;
  process->background_pid = LEFT_PID;
  return process;
}

static void
end_main (Fixture *fixture, FakeProcess *process, ZinitExitKind kind, gint32 value)
{
  fake_process_end (process, kind, value);
  fake_host_settle (&fixture->host);
}

static void
test_f2_tree (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("tree") "lifecycle.stop_timeout_ms=100\n");

  steps_stop (fixture, "web");
  fixture_assert_acts (fixture, "-web");
  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "");
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "!web");
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
}

/* The rest had no time of its own, so it is not what took too long. */
static void
test_f2_mixed (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("mixed"));

  steps_stop (fixture, "web");
  fixture_assert_acts (fixture, "main:-web");
  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "!web");
  steps_assert_sub_state (fixture, "web", "killing");
  steps_assert_text (fixture, "web", "killing what it left behind");
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "exited");
  steps_assert_sub_state (fixture, "web", "stopped");
}

static void
test_f2_mixed_late (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("mixed") "lifecycle.stop_timeout_ms=100\n");

  steps_stop (fixture, "web");
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "main:-web !web");
  end_main (fixture, process, ZINIT_EXIT_KILLED, SIGKILL);
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.type, ==,
                   ZINIT_FAILURE_STOP_TIMEOUT);
}

/* By itself: the rest is ended before the end counts, and that is how its main process ended. */
static void
test_f2_mixed_by_itself (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("mixed") "lifecycle.restart='never'\n");

  end_main (fixture, process, ZINIT_EXIT_EXITED, 3);
  fixture_assert_acts (fixture, "!web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.number, ==, 3);
}

/* What does not die of that SIGKILL is given up as ever. */
static void
test_f2_mixed_undying (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("mixed"));

  steps_stop (fixture, "web");
  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  fake_host_advance_ms (&fixture->host, 4900);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
  fake_host_advance_ms (&fixture->host, 1100);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  steps_assert_text (fixture, "web", "in spite of SIGKILL");
}

static void
test_f2_main (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main"));

  steps_stop (fixture, "web");
  fixture_assert_acts (fixture, "main:-web");
  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  steps_assert_sub_state (fixture, "web", "stopped");
  fixture_assert_acts (fixture, "");
  g_assert_true (process->is_released);
}

static void
test_f2_main_late (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main") "lifecycle.stop_timeout_ms=100\n");

  steps_stop (fixture, "web");
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "main:-web main:!web");
  end_main (fixture, process, ZINIT_EXIT_KILLED, SIGKILL);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  steps_assert_sub_state (fixture, "web", "stopped");
}

/* Of one that does not die the rest is not waited for either. */
static void
test_f2_main_undying (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main"));

  steps_stop (fixture, "web");
  fake_host_advance_ms (&fixture->host, 20000);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  steps_start (fixture, "web", FALSE);
  steps_assert_sub_state (fixture, "web", "waiting");
  end_main (fixture, process, ZINIT_EXIT_KILLED, SIGKILL);
  steps_assert_sub_state (fixture, "web", "running");
  g_assert_true (process->is_released);
}

/* Its end by itself is over at once as well, the policy goes on, and what was left is said until then. */
static void
test_g7_by_itself (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main") "lifecycle.restart_delay_ms=100\n");

  end_main (fixture, process, ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "restarting");
  steps_assert_text (fixture, "web", "left 1 process running");
  g_assert_true (process->is_released);
  fake_host_advance_ms (&fixture->host, 100);
  fixture_assert_acts (fixture, "+web");
  steps_assert_sub_state (fixture, "web", "running");
  g_assert_cmpstr (zinit_service_get_status (fixture_get (fixture, "web"))->text, ==, "");
}

static void
test_g7_oneshot (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main") "service.oneshot=true\n");

  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  steps_assert_sub_state (fixture, "web", "done");
  fixture_assert_acts (fixture, "");
}

/* It has not gone to the background (rule G6). */
static void
test_g7_not_background (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main") "lifecycle.restart='never'\n");

  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  steps_assert_sub_state (fixture, "web", "ended");
}

/* How its main process ended is told later, when another run is there already. */
static void
test_g7_later_run (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("main") "lifecycle.restart_delay_ms=100\n");

  process->awaits_exit = TRUE;
  end_main (fixture, process, ZINIT_EXIT_UNKNOWN, -1);
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "web", "running");
  fake_process_empty (process);
  steps_assert_sub_state (fixture, "web", "running");
  fake_process_tell_exit (process, ZINIT_EXIT_EXITED, 3);
  steps_assert_sub_state (fixture, "web", "running");
  g_assert_true (process->is_released);
}

/* The mode counts at once when it is changed. */
static void
test_f2_live (Fixture *fixture, gconstpointer data)
{
  FakeProcess *process = add (fixture, SERVICE ("tree"));

  fixture_add (fixture, SERVICE ("main"));
  g_assert_false (zinit_service_get_status (fixture_get (fixture, "web"))->needs_restart);
  steps_stop (fixture, "web");
  end_main (fixture, process, ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "main:-web");
  steps_assert_sub_state (fixture, "web", "stopped");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/F2/tree", test_f2_tree);
  fixture_add_test ("/rules/F2/mixed", test_f2_mixed);
  fixture_add_test ("/rules/F2/mixed-late", test_f2_mixed_late);
  fixture_add_test ("/rules/F2/mixed-by-itself", test_f2_mixed_by_itself);
  fixture_add_test ("/rules/F2/mixed-undying", test_f2_mixed_undying);
  fixture_add_test ("/rules/F2/main", test_f2_main);
  fixture_add_test ("/rules/F2/main-late", test_f2_main_late);
  fixture_add_test ("/rules/F2/main-undying", test_f2_main_undying);
  fixture_add_test ("/rules/F2/live", test_f2_live);
  fixture_add_test ("/rules/G7/by-itself", test_g7_by_itself);
  fixture_add_test ("/rules/G7/oneshot", test_g7_oneshot);
  fixture_add_test ("/rules/G7/not-background", test_g7_not_background);
  fixture_add_test ("/rules/G7/later-run", test_g7_later_run);
  return g_test_run ();
}
