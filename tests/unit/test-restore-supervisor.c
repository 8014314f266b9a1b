/* SPDX-License-Identifier: Apache-2.0
 *
 * Services taken up where an earlier daemon left them, on a fake host: what goes on, what is not done a
 * second time, and what follows from a process that is there no more.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "config/format.h"
#include "fake-fixture.h"
#include "supervisor/record.h"

/* Nothing starts by itself, so that what does is the restoring's doing. */
#define WEB "service.name='web'\nservice.exec='web'\nservice.status='ignore'\n"
#define APP "service.name='app'\nservice.exec='app'\nservice.status='ignore'\ndependencies.requires=['web']\n"
#define PID 4711

static const ZinitAdoption adoption = { .pid = PID, .pidfd = -1, .outputs = { -1, -1 } };

static ZinitServiceRecord
make_record (ZinitState state)
{
  return (ZinitServiceRecord){ .state = state,
                               .wanted = ZINIT_WANTED_START,
                               .restart_count = 2,
                               .restart_delay_ms = 4000,
                               .started_at_usec = 500000,
                               .state_changed_at_usec = 600000 };
}

static ZinitService *
restore (Fixture *fixture, const char *text, const ZinitServiceRecord *record, gboolean has_process)
{
  ZinitService *service = fixture_add (fixture, text);

  zinit_service_restore (service, record, NULL, has_process ? &adoption : NULL);
  return service;
}

/* Taken up with its process: nothing is told, nothing is started, and it lives on like any other. */
static void
test_running (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web = restore (fixture, WEB, &record, TRUE);

  fixture_assert_transitions (fixture, "");
  fixture_assert_acts (fixture, "@web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, PID);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 2);
  g_assert_cmpint (zinit_service_get_status (web)->started_at_usec, ==, 500000);
  g_assert_cmpint (zinit_service_get_status (web)->state_changed_at_usec, ==, 600000);
  g_assert_false (zinit_service_get_status (web)->needs_restart);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, fixture->host.now_usec + 4000000);
  fake_host_advance_ms (&fixture->host, 4000);
  fixture_assert_acts (fixture, "+web");
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 3);
}

static void
test_running_is_stopped (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web = restore (fixture, WEB, &record, TRUE);

  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  fixture_assert_acts (fixture, "@web -web");
  fixture_end (fixture, "web", ZINIT_EXIT_UNKNOWN, -1);
  fixture_assert_transitions (fixture, "web:running>stopping web:stopping>exited");
}

/* The stable period goes on, and is over when it would have been. */
static void
test_stable_period (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web;

  record.deadline_usec = fixture->host.now_usec + 700000;
  web = restore (fixture, WEB, &record, TRUE);
  fake_host_advance_ms (&fixture->host, 699);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 2);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
  fake_host_advance_ms (&fixture->host, 1);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 0);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_delay_ms, ==, 1000);
}

/* What is left of the time-out is left, not all of it. */
static void
test_stopping (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STOPPING);

  record.wanted = ZINIT_WANTED_STOP;
  record.stop_cause = ZINIT_STOP_CAUSE_REQUESTED;
  record.deadline_usec = fixture->host.now_usec + 300000;
  restore (fixture, WEB, &record, TRUE);
  fake_host_advance_ms (&fixture->host, 299);
  fixture_assert_acts (fixture, "@web");
  fake_host_advance_ms (&fixture->host, 1);
  fixture_assert_acts (fixture, "!web");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  fixture_assert_transitions (fixture, "web:stopping>failed");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.type, ==,
                   ZINIT_FAILURE_STOP_TIMEOUT);
  fake_host_advance_ms (&fixture->host, 100000);
  fixture_assert_acts (fixture, "");
}

/* It was to be started again once it had stopped. */
static void
test_stopping_for_a_restart (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STOPPING);

  record.stop_cause = ZINIT_STOP_CAUSE_REQUESTED;
  record.next = ZINIT_NEXT_START;
  restore (fixture, WEB, &record, TRUE);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "@web +web");
}

typedef struct {
  ZinitState state;
  const char *more;
  gboolean stop_asked;
  gboolean is_restarted;
} Vanished;

/* Its process ended while nobody looked: how is unknown, and the rest is policy. */
static void
test_vanished (void)
{
  static const Vanished cases[] = {
    { ZINIT_STATE_RUNNING, "", FALSE, TRUE },
    { ZINIT_STATE_STARTING, "", FALSE, TRUE },
    { ZINIT_STATE_RUNNING, "lifecycle.restart='never'\n", FALSE, FALSE },
    { ZINIT_STATE_RUNNING, "service.oneshot=true\n", FALSE, FALSE },
    { ZINIT_STATE_STOPPING, "", TRUE, FALSE },
    /* Its first process had ended by itself, and what was left is gone now. */
    { ZINIT_STATE_STOPPING, "", FALSE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strconcat (WEB, cases[i].more, NULL);
    ZinitServiceRecord record = make_record (cases[i].state);
    Fixture fixture;
    ZinitService *web;

    fixture_init (&fixture);
    record.stop_cause = cases[i].stop_asked ? ZINIT_STOP_CAUSE_REQUESTED : ZINIT_STOP_CAUSE_NONE;
    record.last_exit = (ZinitExit){ ZINIT_EXIT_EXITED, 0 };
    web = restore (&fixture, text, &record, FALSE);
    g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 0);
    g_assert_cmpstr (fixture_state (&fixture, "web"), ==, "exited");
    g_assert_cmpint (zinit_service_get_status (web)->last_exit.kind, ==, ZINIT_EXIT_UNKNOWN);
    g_assert_false (zinit_service_is_satisfied (web));
    fake_host_advance_ms (&fixture.host, 3999);
    fixture_assert_acts (&fixture, "");
    fake_host_advance_ms (&fixture.host, 1);
    fixture_assert_acts (&fixture, cases[i].is_restarted ? "+web" : "");
    g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, cases[i].is_restarted ? 3 : 2);
    /* Nothing of it is counted that is not there: the way out is free. */
    zinit_supervisor_shutdown (fixture.supervisor);
    if (cases[i].is_restarted)
      fixture_end (&fixture, "web", ZINIT_EXIT_EXITED, 0);
    fake_host_settle (&fixture.host);
    g_assert_cmpuint (fixture.n_shutdowns_done, ==, 1);
    fixture_clear (&fixture);
  }
}

/* Its first process had ended and said how. */
static void
test_vanished_after_its_end (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STOPPING);
  ZinitService *web;

  record.main_ended = TRUE;
  record.last_exit = (ZinitExit){ ZINIT_EXIT_EXITED, 9 };
  web = restore (fixture, WEB "lifecycle.restart='on-failure'\n", &record, FALSE);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 9);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, >, 0);
}

/* The back-off goes on with what is left of it. */
static void
test_backoff (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_FAILED);
  ZinitService *web;

  record.failure = (ZinitFailure){ ZINIT_FAILURE_EXIT_CODE, 5, NULL };
  record.last_exit = (ZinitExit){ ZINIT_EXIT_EXITED, 5 };
  record.deadline_usec = fixture->host.now_usec + 1500000;
  web = restore (fixture, WEB, &record, FALSE);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, fixture->host.now_usec + 1500000);
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 5);
  g_assert_cmpint (zinit_service_get_status (web)->last_exit.value, ==, 5);
  g_assert_cmpuint (zinit_supervisor_count_failed (fixture->supervisor), ==, 1);
  g_assert_true (zinit_service_get_status (web)->can_stop);
  fake_host_advance_ms (&fixture->host, 1499);
  fixture_assert_acts (fixture, "");
  fake_host_advance_ms (&fixture->host, 1);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 3);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_delay_ms, ==, 8000);
  g_assert_cmpuint (zinit_supervisor_count_failed (fixture->supervisor), ==, 0);
}

/* One that was over while nobody was there is due at once, once. */
static void
test_backoff_is_over (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_EXITED);

  record.deadline_usec = 1;
  restore (fixture, WEB "service.ready='notify'\n", &record, FALSE);
  fixture_assert_acts (fixture, "+web");
  g_assert_cmpuint (zinit_service_get_status (fixture_get (fixture, "web"))->restart_count, ==, 3);
}

/* A deadline at the end of time is a long wait and no accident. */
static void
test_absurd_deadline (Fixture *fixture, gconstpointer data)
{
  for (ZinitState state = ZINIT_STATE_STARTING; state < ZINIT_N_STATES; state++) {
    ZinitServiceRecord record = make_record (state);
    ZinitService *web;

    record.deadline_usec = G_MAXINT64;
    record.wanted = ZINIT_WANTED_STOP;
    web = restore (fixture, WEB "service.ready='notify'\n", &record, zinit_state_is_active (state));
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, >=, 0);
    fake_host_advance_ms (&fixture->host, 3600000);
    g_assert_cmpstr (fixture_state (fixture, "web"), ==, zinit_state_to_string (state));
    if (zinit_state_is_active (state))
      fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
    zinit_supervisor_remove (fixture->supervisor, web, TRUE, NULL);
    fake_host_settle (&fixture->host);
    g_assert_null (zinit_supervisor_find (fixture->supervisor, "web", NULL));
  }
}

/* Nothing is due: it stays as it is, whatever its policy, and what needs it finds it as it was. */
static void
test_at_rest (Fixture *fixture, gconstpointer data)
{
  static const ZinitState states[] = { ZINIT_STATE_EXITED, ZINIT_STATE_FAILED };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++) {
    ZinitServiceRecord record = make_record (states[i]);

    record.failure.type = states[i] == ZINIT_STATE_FAILED ? ZINIT_FAILURE_START_TIMEOUT : ZINIT_FAILURE_NONE;
    restore (fixture, WEB, &record, FALSE);
    fake_host_advance_ms (&fixture->host, 1000000);
    fixture_assert_transitions (fixture, "");
    fixture_assert_acts (fixture, "");
    zinit_supervisor_remove (fixture->supervisor, fixture_get (fixture, "web"), FALSE, NULL);
  }
}

/* A oneshot that has done its work has done it, also for those that come after it. */
static void
test_oneshot (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_EXITED);
  ZinitServiceRecord blocked = make_record (ZINIT_STATE_BLOCKED);

  record.last_exit = (ZinitExit){ ZINIT_EXIT_EXITED, 0 };
  restore (fixture, WEB "service.oneshot=true\n", &record, FALSE);
  restore (fixture, APP, &blocked, FALSE);
  fixture_assert_transitions (fixture, "app:blocked>starting app:starting>running");
  fixture_assert_acts (fixture, "+app");
}

/* What was stopped by hand stays down although its definition says start, and whatever else happens. */
static void
test_stopped_by_hand (Fixture *fixture, gconstpointer data)
{
  static const ZinitState states[] = { ZINIT_STATE_INACTIVE, ZINIT_STATE_EXITED, ZINIT_STATE_FAILED };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++) {
    ZinitServiceRecord record = make_record (states[i]);
    ZinitService *web;

    record.wanted = ZINIT_WANTED_STOP;
    /* The folder's load has queued it; that is forgotten. */
    web = restore (fixture, WEB, &record, FALSE);
    fake_host_advance_ms (&fixture->host, 1000000);
    fixture_assert_acts (fixture, "");
    g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_STOP);
    zinit_supervisor_remove (fixture->supervisor, web, FALSE, NULL);
  }
}

/* The daemon went away before its turn had come; or it waited for what is there now. */
static void
test_not_yet_started (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord inactive = make_record (ZINIT_STATE_INACTIVE);
  ZinitServiceRecord blocked = make_record (ZINIT_STATE_BLOCKED);

  inactive.next = ZINIT_NEXT_START;
  restore (fixture, WEB, &inactive, FALSE);
  restore (fixture, "service.name='b'\nservice.exec='b'\nservice.status='ignore'\n", &blocked, FALSE);
  fixture_assert_acts (fixture, "+web +b");
}

/* Down because what it requires was stopped: it comes back with that. */
static void
test_comes_back (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord down = make_record (ZINIT_STATE_EXITED);
  ZinitServiceRecord held = make_record (ZINIT_STATE_EXITED);
  ZinitServiceRecord failed = make_record (ZINIT_STATE_FAILED);
  ZinitService *web;

  down.wanted = ZINIT_WANTED_STOP;
  held.next = ZINIT_NEXT_START_WITH_DEPENDENCY;
  failed.failure = (ZinitFailure){ ZINIT_FAILURE_DEPENDENCY_FAILED, 0, (char *)"web" };
  web = restore (fixture, WEB, &down, FALSE);
  restore (fixture, APP, &held, FALSE);
  restore (fixture,
           "service.name='top'\nservice.exec='top'\nservice.status='ignore'\ndependencies.requires=['web']\n",
           &failed, FALSE);
  fake_host_advance_ms (&fixture->host, 1000);
  fixture_assert_acts (fixture, "");
  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  fixture_assert_acts (fixture, "+web +app +top");
}

/* Marked to go down in order when the daemon went away: the order is kept. */
static void
test_stop_due (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord due = make_record (ZINIT_STATE_RUNNING);
  ZinitServiceRecord stopping = make_record (ZINIT_STATE_STOPPING);

  due.stop_pending = TRUE;
  due.wanted = ZINIT_WANTED_STOP;
  stopping.stop_cause = ZINIT_STOP_CAUSE_DEPENDENCY;
  stopping.next = ZINIT_NEXT_START_WITH_DEPENDENCY;
  restore (fixture, WEB, &due, TRUE);
  restore (fixture, APP, &stopping, TRUE);
  fixture_assert_acts (fixture, "@web @app");
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-web");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fake_host_advance_ms (&fixture->host, 100000);
  fixture_assert_acts (fixture, "");
}

/* A oneshot that is done keeps what it needs up until what needs it is down. */
static void
test_stop_due_of_done (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord due = make_record (ZINIT_STATE_EXITED);

  due.next = ZINIT_NEXT_START_WITH_DEPENDENCY;
  due.stop_pending = TRUE;
  due.last_exit = (ZinitExit){ ZINIT_EXIT_EXITED, 0 };
  restore (fixture, "service.name='once'\nservice.exec='x'\nservice.oneshot=true\n", &due, FALSE);
  due.state = ZINIT_STATE_STOPPING;
  restore (fixture, "service.name='app'\nservice.exec='x'\ndependencies.requires=['once']\n", &due, TRUE);
  zinit_service_get_record (fixture_get (fixture, "once"), &due);
  g_assert_true (due.stop_pending);
}

/* The definition of its process is in force until it is down; the folder's waits. */
static void
test_changed_definition (Fixture *fixture, gconstpointer data)
{
  const char *old_text = "service.name='web'\nservice.exec='web'\nservice.dir='/old'\n";
  g_autoptr (ZinitDefinition) old =
      zinit_definition_parse (old_text, strlen (old_text), FALSE, NULL, NULL, NULL);
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web = fixture_add (fixture, WEB);

  zinit_service_restore (web, &record, old, &adoption);
  fake_host_settle (&fixture->host);
  g_assert_true (zinit_service_get_status (web)->needs_restart);
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, PID);
  g_assert_cmpstr (zinit_service_get_definition (web)->dir, ==, "/old");
  g_assert_null (zinit_service_get_next_definition (web)->dir);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 2);
  g_assert_true (fixture_get (fixture, "web") == web);
  g_assert_true (zinit_supervisor_restart (fixture->supervisor, web, FALSE, NULL));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "@web -web +web");
  g_assert_false (zinit_service_get_status (web)->needs_restart);
  g_assert_null (zinit_service_get_definition (web)->dir);
}

static void
test_same_definition (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ZinitDefinition) same = zinit_definition_parse (WEB, strlen (WEB), FALSE, NULL, NULL, NULL);
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web = fixture_add (fixture, WEB);

  zinit_service_restore (web, &record, same, &adoption);
  g_assert_false (zinit_service_get_status (web)->needs_restart);
}

/* A service without a file is taken up, stopped in order and forgotten. */
static void
test_dismiss (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (WEB, strlen (WEB), FALSE, NULL, NULL, NULL);
  ZinitServiceRecord record = make_record (ZINIT_STATE_RUNNING);
  ZinitService *web = zinit_supervisor_insert (fixture->supervisor, definition, NULL);

  zinit_service_restore (web, &record, definition, &adoption);
  restore (fixture, APP, &record, TRUE);
  zinit_service_dismiss (web);
  fixture_assert_acts (fixture, "@web @app -app");
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-web");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  g_assert_null (zinit_supervisor_find (fixture->supervisor, "web", NULL));
}

/* First as the file says, then as its living process says: only the second counts. */
static void
test_restored_twice (void)
{
  for (ZinitState state = 0; state < ZINIT_N_STATES; state++) {
    ZinitServiceRecord first = make_record (state);
    ZinitServiceRecord second = make_record (ZINIT_STATE_RUNNING);
    Fixture fixture;
    ZinitService *web;

    fixture_init (&fixture);
    first.deadline_usec = fixture.host.now_usec + 1000;
    first.failure.type = state == ZINIT_STATE_FAILED ? ZINIT_FAILURE_START_TIMEOUT : ZINIT_FAILURE_NONE;
    first.stop_pending = zinit_state_is_active (state);
    web = restore (&fixture, WEB, &first, FALSE);
    zinit_service_restore (web, &second, NULL, &adoption);
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
    fake_host_advance_ms (&fixture.host, 100000);
    fixture_assert_acts (&fixture, "@web");
    g_assert_cmpstr (fixture_state (&fixture, "web"), ==, "running");
    g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 2);
    g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_NONE);
    g_assert_cmpuint (zinit_supervisor_count_failed (fixture.supervisor), ==, 0);
    zinit_supervisor_shutdown (fixture.supervisor);
    fixture_end (&fixture, "web", ZINIT_EXIT_EXITED, 0);
    fake_host_settle (&fixture.host);
    g_assert_cmpuint (fixture.n_shutdowns_done, ==, 1);
    fixture_clear (&fixture);
  }
}

#define ADD(path, func) fixture_add_test ("/restore-supervisor/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("running", test_running);
  ADD ("running-is-stopped", test_running_is_stopped);
  ADD ("stable-period", test_stable_period);
  ADD ("stopping", test_stopping);
  ADD ("stopping-for-a-restart", test_stopping_for_a_restart);
  g_test_add_func ("/restore-supervisor/vanished", test_vanished);
  ADD ("vanished-after-its-end", test_vanished_after_its_end);
  ADD ("backoff", test_backoff);
  ADD ("backoff-is-over", test_backoff_is_over);
  ADD ("absurd-deadline", test_absurd_deadline);
  ADD ("at-rest", test_at_rest);
  ADD ("oneshot", test_oneshot);
  ADD ("stopped-by-hand", test_stopped_by_hand);
  ADD ("not-yet-started", test_not_yet_started);
  ADD ("comes-back", test_comes_back);
  ADD ("stop-due", test_stop_due);
  ADD ("stop-due-of-done", test_stop_due_of_done);
  ADD ("changed-definition", test_changed_definition);
  ADD ("same-definition", test_same_definition);
  ADD ("dismiss", test_dismiss);
  g_test_add_func ("/restore-supervisor/restored-twice", test_restored_twice);
  return g_test_run ();
}
