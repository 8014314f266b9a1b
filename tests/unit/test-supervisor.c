/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's behaviour on a fake host: what is started and stopped, in which order, and every
 * transition on the way. No process, no waiting.
 */
#include <signal.h>

#include "fake-fixture.h"

#define WEB "service.name='web'\nservice.exec='web'\n"

static void
test_start_and_stop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ZinitService *web = fixture_add (fixture, WEB);

  fixture_assert_transitions (fixture, "web:inactive>starting web:starting>running");
  fixture_assert_acts (fixture, "+web");
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 101);
  g_assert_false (zinit_supervisor_start (fixture->supervisor, web, FALSE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING);
  g_clear_error (&error);

  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, &error));
  fixture_assert_transitions (fixture, "web:running>stopping");
  fixture_assert_acts (fixture, "-web");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  fixture_assert_transitions (fixture, "web:stopping>exited");
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_STOP);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 0);
  g_assert_false (zinit_supervisor_stop (fixture->supervisor, web, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_NOT_RUNNING);

  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_START);
  fixture_assert_transitions (fixture, "web:exited>starting web:starting>running");
}

static void
test_backoff (Fixture *fixture, gconstpointer data)
{
  ZinitService *web =
      fixture_add (fixture, WEB "[lifecycle]\nrestart_delay_ms=100\nrestart_delay_max_ms=300\n"
                                "max_restarts=3\nstability_period_ms=5000\n");
  static const guint64 delays_ms[] = { 100, 200, 300 };

  for (guint i = 0; i < G_N_ELEMENTS (delays_ms); i++) {
    fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
    g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==,
                     fixture->host.now_usec + (gint64)delays_ms[i] * 1000);
    fake_host_advance_ms (&fixture->host, delays_ms[i] - 1);
    g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
    g_string_truncate (fixture->transitions, 0);
    fake_host_advance_ms (&fixture->host, 1);
    fixture_assert_transitions (fixture, "web:failed>blocked web:blocked>starting web:starting>running");
    g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, i + 1);
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
  }
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGSEGV);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
  g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_SIGNAL);
  fake_host_advance_ms (&fixture->host, 100000);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");

  /* By hand all starts again, and a stable period forgets as well. */
  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 0);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
  fake_host_advance_ms (&fixture->host, 100);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 1);
  fake_host_advance_ms (&fixture->host, 4999);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 1);
  fake_host_advance_ms (&fixture->host, 1);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_count, ==, 0);
  g_assert_cmpuint (zinit_service_get_status (web)->restart_delay_ms, ==, 100);
  g_assert_cmpuint (fixture->host.timers->len, ==, 0);
}

static void
test_stop_ends_the_backoff (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);

  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  fake_host_advance_ms (&fixture->host, 100000);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpuint (fixture->host.timers->len, ==, 0);
}

static void
test_stop_timeout (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB "[lifecycle]\nstop_timeout_ms=500\n");
  FakeProcess *process = fake_host_find (&fixture->host, "web");

  process->has_others = TRUE;
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  fake_process_end (process, ZINIT_EXIT_EXITED, 0);
  fake_host_advance_ms (&fixture->host, 499);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
  fixture_assert_acts (fixture, "+web -web");
  fake_host_advance_ms (&fixture->host, 1);
  fixture_assert_acts (fixture, "!web");
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (web)->failure.type, ==, ZINIT_FAILURE_STOP_TIMEOUT);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);
}

static void
test_leftovers_are_cleared (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);
  FakeProcess *process = fake_host_find (&fixture->host, "web");

  process->has_others = TRUE;
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 7);
  fixture_assert_acts (fixture, "+web -web");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
  fake_process_empty (process);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (web)->failure.number, ==, 7);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, >, 0);
}

static void
test_spawn_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ZinitService *web;

  fixture->host.broken_exec = g_strdup ("web");
  web = fixture_add (fixture, WEB);
  fixture_assert_transitions (fixture, "web:inactive>failed");
  g_assert_cmpstr (zinit_service_get_status (web)->failure.text, ==, "exec web: no");
  g_assert_true (zinit_service_start_is_settled (web));
  g_assert_false (zinit_service_start_succeeded (web, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED);
  g_clear_pointer (&fixture->host.broken_exec, g_free);
  fake_host_advance_ms (&fixture->host, 1000);
  fixture_assert_transitions (fixture, "web:failed>blocked web:blocked>starting web:starting>running");
}

#define DB "service.name='db'\nservice.exec='db'\n"
#define APP "service.name='app'\nservice.exec='app'\ndependencies.requires=['db']\n"
#define TOP "service.name='top'\nservice.exec='top'\ndependencies.requires=['app']\n"

static void
test_missing_and_back (Fixture *fixture, gconstpointer data)
{
  ZinitService *app = fixture_add (fixture, APP);

  fixture_add (fixture, TOP);
  fixture_assert_transitions (fixture, "app:inactive>failed top:inactive>failed");
  g_assert_cmpint (zinit_service_get_status (app)->failure.type, ==, ZINIT_FAILURE_MISSING_DEPENDENCY);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "top"))->failure.type, ==,
                   ZINIT_FAILURE_DEPENDENCY_FAILED);
  fixture_add (fixture, DB);
  g_assert_cmpstr (fixture_state (fixture, "top"), ==, "running");
  fixture_assert_acts (fixture, "+db +app +top");
}

static void
test_failed_for_good (Fixture *fixture, gconstpointer data)
{
  ZinitService *db = fixture_add (fixture, DB "service.oneshot=true\nlifecycle.restart='never'\n");

  fixture_add (fixture, APP);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "blocked");
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 1);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "failed");
  g_assert_cmpstr (zinit_service_get_status (fixture_get (fixture, "app"))->failure.text, ==, "db");
  g_assert_true (zinit_supervisor_start (fixture->supervisor, db, FALSE, NULL));
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "blocked");
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 0);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "running");
  g_assert_cmpstr (fixture_state (fixture, "db"), ==, "exited");
}

/* Its dependency is down for good: it is stopped and held, and a start of it says why it fails. */
static void
test_start_on_a_failed_dependency (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ZinitService *app;

  fixture_add (fixture, DB "lifecycle.restart='never'\n");
  app = fixture_add (fixture, APP);
  fake_host_settle (&fixture->host);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 3);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "stopping");
  fixture_end (fixture, "app", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "exited");
  g_assert_cmpint (zinit_service_get_status (app)->sub_state, ==, ZINIT_SUB_STATE_HELD);
  g_assert_true (zinit_supervisor_start (fixture->supervisor, app, FALSE, NULL));
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "failed");
  g_assert_true (zinit_service_start_is_settled (app));
  g_assert_false (zinit_service_start_succeeded (app, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CANNOT_START);
  g_assert_nonnull (strstr (error->message, "exited with code 3"));
  fixture_add (fixture, WEB "dependencies.requires=['app']\n");
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "failed");
}

static void
test_crash_leaves_dependents_alone (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, DB);
  fixture_add (fixture, APP);
  fixture_assert_acts (fixture, "+db +app");
  fixture_end (fixture, "db", ZINIT_EXIT_KILLED, SIGKILL);
  fake_host_advance_ms (&fixture->host, 1000);
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "running");
  fixture_assert_acts (fixture, "+db");
}

static void
test_cascade (Fixture *fixture, gconstpointer data)
{
  ZinitService *db = fixture_add (fixture, DB);

  fixture_add (fixture, APP);
  fixture_add (fixture, TOP);
  fixture_assert_acts (fixture, "+db +app +top");
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, db, NULL));
  fixture_assert_acts (fixture, "-top");
  fixture_end (fixture, "top", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-app");
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-db");
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 0);
  fake_host_advance_ms (&fixture->host, 100000);
  fixture_assert_acts (fixture, "");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "top"))->wanted, ==, ZINIT_WANTED_START);
  g_assert_cmpstr (fixture_state (fixture, "top"), ==, "exited");

  g_assert_true (zinit_supervisor_start (fixture->supervisor, db, FALSE, NULL));
  fixture_assert_acts (fixture, "+db +app +top");

  /* A restart takes them along, and what was stopped by hand stays down. */
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, fixture_get (fixture, "top"), NULL));
  fixture_end (fixture, "top", ZINIT_EXIT_EXITED, 0);
  g_assert_true (zinit_supervisor_restart (fixture->supervisor, db, FALSE, NULL));
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 0);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-top -app -db +db +app");
}

static void
test_conflicts (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);
  ZinitService *upkeep = fixture_add (fixture, "service.name='upkeep'\nservice.exec='upkeep'\n"
                                               "dependencies.conflicts=['web']\n");
  g_autoptr (GPtrArray) blockers = zinit_supervisor_why_blocked (fixture->supervisor, upkeep);

  g_assert_cmpstr (fixture_state (fixture, "upkeep"), ==, "blocked");
  g_assert_cmpuint (blockers->len, ==, 1);
  g_assert_cmpint (((ZinitBlocker *)blockers->pdata[0])->kind, ==, ZINIT_BLOCK_CONFLICTS);
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  g_assert_cmpstr (fixture_state (fixture, "upkeep"), ==, "blocked");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  g_assert_cmpstr (fixture_state (fixture, "upkeep"), ==, "running");
  /* Whichever of the two names it. */
  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "blocked");
  g_assert_cmpstr (zinit_service_get_status (web)->waiting_on[0], ==, "upkeep");
}

static void
test_start_tree (Fixture *fixture, gconstpointer data)
{
  ZinitService *app;

  fixture_add (fixture, DB "service.status='ignore'\n");
  fixture_add (fixture, "service.name='extra'\nservice.exec='extra'\nservice.status='ignore'\n");
  app = fixture_add (fixture, APP "dependencies.wants=['extra','gone']\nservice.status='ignore'\n");
  fixture_assert_acts (fixture, "");
  g_assert_true (zinit_supervisor_start (fixture->supervisor, app, FALSE, NULL));
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "blocked");
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, app, NULL));
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "inactive");
  g_assert_true (zinit_supervisor_start (fixture->supervisor, app, TRUE, NULL));
  fixture_assert_acts (fixture, "+extra +db +app");
}

static void
test_cycle_is_refused (Fixture *fixture, gconstpointer data)
{
  const char *text = DB "dependencies.requires=['top']\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) db = zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);

  fixture_add (fixture, APP);
  fixture_add (fixture, TOP);
  g_assert_null (zinit_supervisor_add (fixture->supervisor, db, 0, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY);
  g_assert_nonnull (strstr (error->message, "→"));
  g_assert_cmpuint (zinit_supervisor_count (fixture->supervisor), ==, 2);
}

static void
test_redefine (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);

  fixture_add (fixture, WEB "service.dir='/tmp'\n");
  g_assert_true (zinit_service_get_status (web)->needs_restart);
  g_assert_null (zinit_service_get_definition (web)->dir);
  g_assert_cmpstr (zinit_service_get_next_definition (web)->dir, ==, "/tmp");
  fixture_add (fixture, WEB);
  g_assert_false (zinit_service_get_status (web)->needs_restart);
  fixture_add (fixture, WEB "service.dir='/tmp'\n");
  g_assert_true (zinit_supervisor_restart (fixture->supervisor, web, FALSE, NULL));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  g_assert_cmpstr (zinit_service_get_definition (web)->dir, ==, "/tmp");
  g_assert_false (zinit_service_get_status (web)->needs_restart);
}

static void
test_status_changes_while_running (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);

  fixture_add (fixture, WEB "service.status='stop'\n");
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_START);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_STOP);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, ==, 0);

  /* What somebody asked for by hand stays. */
  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  fixture_add (fixture, WEB "service.status='ignore'\n");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGKILL);
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_START);
  g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, !=, 0);
}

static void
test_remove (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  ZinitService *db = fixture_add (fixture, DB);

  fixture_add (fixture, APP);
  fake_host_settle (&fixture->host);
  g_assert_false (zinit_supervisor_remove (fixture->supervisor, db, FALSE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING);
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, db, TRUE, NULL));
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 0);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 0);
  g_assert_null (zinit_supervisor_find (fixture->supervisor, "db", NULL));
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "failed");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "app"))->failure.type, ==,
                   ZINIT_FAILURE_MISSING_DEPENDENCY);
}

static void
test_shutdown (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture_add (fixture, DB);
  fixture_add (fixture, APP);
  fixture_add (fixture, WEB "dependencies.after=['app']\n");
  fake_host_settle (&fixture->host);
  zinit_supervisor_shutdown (fixture->supervisor);
  fixture_assert_acts (fixture, "+db +app +web -web");
  g_assert_false (zinit_supervisor_start (fixture->supervisor, fixture_get (fixture, "web"), FALSE, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SHUTTING_DOWN);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fixture_end (fixture, "app", ZINIT_EXIT_EXITED, 1);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 0);
  fixture_end (fixture, "db", ZINIT_EXIT_EXITED, 0);
  fixture_assert_acts (fixture, "-app -db");
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

/* A new definition that comes with the end of the process does not name the other any more. */
static void
test_conflict_is_given_up (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, WEB "dependencies.conflicts=['app']\n");
  fixture_add (fixture, "service.name='app'\nservice.exec='app'\n");
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "blocked");
  fixture_add (fixture, WEB "lifecycle.restart='never'\n");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "exited");
  g_assert_cmpstr (fixture_state (fixture, "app"), ==, "running");
}

/* A start of what wants it does not call back a service that is being removed. */
static void
test_tree_leaves_the_removed (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, WEB);
  ZinitService *app = fixture_add (
      fixture, "service.name='app'\nservice.exec='app'\nservice.status='stop'\ndependencies.wants=['web']\n");

  g_assert_true (zinit_supervisor_remove (fixture->supervisor, web, TRUE, NULL));
  g_assert_true (zinit_supervisor_start (fixture->supervisor, app, TRUE, NULL));
  g_assert_cmpint (zinit_service_get_status (web)->wanted, ==, ZINIT_WANTED_STOP);
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_null (zinit_supervisor_find (fixture->supervisor, "web", NULL));
}

static void
test_shutdown_of_nothing (Fixture *fixture, gconstpointer data)
{
  zinit_supervisor_shutdown (fixture->supervisor);
  zinit_supervisor_shutdown (fixture->supervisor);
  fake_host_settle (&fixture->host);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

#define ADD(path, func) fixture_add_test ("/supervisor/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("start-and-stop", test_start_and_stop);
  ADD ("backoff", test_backoff);
  ADD ("stop-ends-the-backoff", test_stop_ends_the_backoff);
  ADD ("stop-timeout", test_stop_timeout);
  ADD ("leftovers-are-cleared", test_leftovers_are_cleared);
  ADD ("spawn-error", test_spawn_error);
  ADD ("missing-and-back", test_missing_and_back);
  ADD ("failed-for-good", test_failed_for_good);
  ADD ("start-on-a-failed-dependency", test_start_on_a_failed_dependency);
  ADD ("crash-leaves-dependents-alone", test_crash_leaves_dependents_alone);
  ADD ("cascade", test_cascade);
  ADD ("conflicts", test_conflicts);
  ADD ("conflict-is-given-up", test_conflict_is_given_up);
  ADD ("start-tree", test_start_tree);
  ADD ("tree-leaves-the-removed", test_tree_leaves_the_removed);
  ADD ("cycle-is-refused", test_cycle_is_refused);
  ADD ("redefine", test_redefine);
  ADD ("status-changes-while-running", test_status_changes_while_running);
  ADD ("remove", test_remove);
  ADD ("shutdown", test_shutdown);
  ADD ("shutdown-of-nothing", test_shutdown_of_nothing);
  return g_test_run ();
}
