/* SPDX-License-Identifier: Apache-2.0
 *
 * Services whose process another daemon has started, on a fake host: an end of which more is told later, and
 * what is left when the first process is gone.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "fake-fixture.h"
#include "supervisor/record.h"

#define WEB "service.name='web'\nservice.exec='web'\nservice.status='ignore'\n"
#define APP "service.name='app'\nservice.exec='app'\nservice.status='ignore'\n"

static const ZinitServiceRecord running = {
  .state = ZINIT_STATE_RUNNING, .wanted = ZINIT_WANTED_START, .restart_count = 2, .restart_delay_ms = 4000
};

static ZinitService *
restore (Fixture *fixture, const char *text, const ZinitServiceRecord *record)
{
  static const ZinitAdoption adoption = { .pid = 4711, .pidfd = -1, .outputs = { -1, -1 } };
  ZinitService *service = fixture_add (fixture, text);

  zinit_service_restore (service, record, NULL, &adoption);
  return service;
}

static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  if ((changes & ZINIT_CHANGED_LAST_EXIT) != 0)
    ++*(guint *)data;
}

static void
assert_last_exit (const ZinitService *service, ZinitExitKind kind, gint32 value)
{
  g_assert_cmpint (zinit_service_get_status (service)->last_exit.kind, ==, kind);
  g_assert_cmpint (zinit_service_get_status (service)->last_exit.value, ==, value);
}

/* How it ended is told when it is started again already: that is shown, and changes nothing else. */
static void
test_late_exit (Fixture *fixture, gconstpointer data)
{
  static const ZinitObserver observer = { .service_changed = on_changed };
  ZinitService *web = restore (fixture, WEB, &running);
  FakeProcess *first = fake_host_find (&fixture->host, "web");
  guint n_told = 0;

  zinit_supervisor_add_observer (fixture->supervisor, &observer, &n_told);
  first->awaits_exit = TRUE;
  fixture_end (fixture, "web", ZINIT_EXIT_UNKNOWN, -1);
  fake_host_advance_ms (&fixture->host, 4000);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  fixture_assert_acts (fixture, "@web +web");
  assert_last_exit (web, ZINIT_EXIT_UNKNOWN, -1);
  g_assert_cmpuint (n_told, ==, 1);
  fixture_assert_transitions (fixture, "web:running>exited web:exited>blocked web:blocked>starting "
                                       "web:starting>running");
  fake_process_tell_exit (first, ZINIT_EXIT_EXITED, 3);
  g_assert_true (first->is_released);
  fake_host_settle (&fixture->host);
  assert_last_exit (web, ZINIT_EXIT_EXITED, 3);
  g_assert_cmpuint (n_told, ==, 2);
  fixture_assert_transitions (fixture, "");
  zinit_supervisor_remove_observer (fixture->supervisor, &observer, &n_told);
}

/* Nobody tells it any more when the next one has ended, or when nobody knows. */
static void
test_exit_too_late (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, WEB, &running);
  ZinitService *app = restore (fixture, APP, &running);
  FakeProcess *of_web = fake_host_find (&fixture->host, "web");
  FakeProcess *of_app = fake_host_find (&fixture->host, "app");

  of_web->awaits_exit = of_app->awaits_exit = TRUE;
  fixture_end (fixture, "app", ZINIT_EXIT_UNKNOWN, -1);
  fixture_end (fixture, "web", ZINIT_EXIT_UNKNOWN, -1);
  fake_process_tell_exit (of_app, ZINIT_EXIT_UNKNOWN, -1);
  g_assert_true (of_app->is_released);
  assert_last_exit (app, ZINIT_EXIT_UNKNOWN, -1);
  fake_host_advance_ms (&fixture->host, 4000);
  g_assert_false (of_web->is_released);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 5);
  g_assert_true (of_web->is_released);
  assert_last_exit (web, ZINIT_EXIT_EXITED, 5);
}

/* It is told while others of the group still live: it decides like any other. */
static void
test_exit_in_time (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, WEB, &running);
  FakeProcess *process = fake_host_find (&fixture->host, "web");

  process->has_others = process->awaits_exit = TRUE;
  fixture_end (fixture, "web", ZINIT_EXIT_UNKNOWN, -1);
  fake_process_tell_exit (process, ZINIT_EXIT_EXITED, 3);
  g_assert_false (process->is_released);
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 3);
  g_assert_true (process->is_released);
}

static ZinitService *
restore_group (Fixture *fixture, const ZinitServiceRecord *record)
{
  static const ZinitAdoption adoption = {
    .pid = 4711, .pidfd = -1, .outputs = { -1, -1 }, .main_ended = TRUE
  };
  ZinitService *service = fixture_add (fixture, WEB);

  zinit_service_restore (service, record, NULL, &adoption);
  fake_host_settle (&fixture->host);
  return service;
}

/* The stop goes on for what was left of its time, and ends as the first process has. */
static void
test_group_is_stopping (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = { .state = ZINIT_STATE_STOPPING,
                                .wanted = ZINIT_WANTED_STOP,
                                .last_exit = { ZINIT_EXIT_EXITED, 3 },
                                .restart_delay_ms = 1000,
                                .deadline_usec = fixture->host.now_usec + 300000,
                                .main_ended = TRUE,
                                .stop_cause = ZINIT_STOP_CAUSE_REQUESTED };
  ZinitService *web = restore_group (fixture, &record);
  ZinitServiceRecord again;

  fixture_assert_transitions (fixture, "");
  assert_last_exit (web, ZINIT_EXIT_EXITED, 3);
  zinit_service_get_record (web, &again);
  g_assert_true (again.main_ended);
  g_assert_cmpint (again.deadline_usec, ==, record.deadline_usec);
  fake_host_advance_ms (&fixture->host, 299);
  fixture_assert_acts (fixture, "@web");
  fake_process_empty (fake_host_find (&fixture->host, "web"));
  fixture_assert_transitions (fixture, "web:stopping>exited");
  assert_last_exit (web, ZINIT_EXIT_EXITED, 3);
}

static void
test_group_is_stubborn (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = { .state = ZINIT_STATE_STOPPING,
                                .restart_delay_ms = 1000,
                                .deadline_usec = fixture->host.now_usec + 300000,
                                .main_ended = TRUE,
                                .stop_cause = ZINIT_STOP_CAUSE_REQUESTED };
  ZinitService *web = restore_group (fixture, &record);

  fake_host_advance_ms (&fixture->host, 300);
  fixture_assert_acts (fixture, "@web !web");
  fake_process_empty (fake_host_find (&fixture->host, "web"));
  fixture_assert_transitions (fixture, "web:stopping>failed");
  g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_STOP_TIMEOUT);
}

/* Nobody said how much time was left. */
static void
test_group_without_deadline (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = { .state = ZINIT_STATE_STOPPING,
                                .restart_delay_ms = 1000,
                                .stop_cause = ZINIT_STOP_CAUSE_REQUESTED };

  restore_group (fixture, &record);
  fake_host_advance_ms (&fixture->host, 9999);
  fixture_assert_acts (fixture, "@web");
  fake_host_advance_ms (&fixture->host, 1);
  fixture_assert_acts (fixture, "!web");
}

/* It ran when it was saved: what its first process has left is cleared up, then it is started again. */
static void
test_group_was_running (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore_group (fixture, &running);

  fixture_assert_transitions (fixture, "web:running>stopping");
  fixture_assert_acts (fixture, "@web -web");
  assert_last_exit (web, ZINIT_EXIT_UNKNOWN, -1);
  fake_host_advance_ms (&fixture->host, 5000);
  fixture_assert_acts (fixture, "");
  fake_process_empty (fake_host_find (&fixture->host, "web"));
  fixture_assert_transitions (fixture, "web:stopping>exited");
  fake_host_advance_ms (&fixture->host, 4000);
  fixture_assert_acts (fixture, "+web");
}

#define ADD(path, func) fixture_add_test ("/adopted/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("late-exit", test_late_exit);
  ADD ("exit-too-late", test_exit_too_late);
  ADD ("exit-in-time", test_exit_in_time);
  ADD ("group-is-stopping", test_group_is_stopping);
  ADD ("group-is-stubborn", test_group_is_stubborn);
  ADD ("group-without-deadline", test_group_without_deadline);
  ADD ("group-was-running", test_group_was_running);
  return g_test_run ();
}
