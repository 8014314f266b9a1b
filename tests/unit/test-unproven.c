/* SPDX-License-Identifier: Apache-2.0
 *
 * A service of which it is not known whether its process lives (rule G3), on a fake host: nothing is started
 * or signalled before it is known, and what was asked for meanwhile is done then.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>

#include "fake-fixture.h"
#include "supervisor/record.h"

/* Nothing starts by itself, so that what does is the restoring's doing. */
#define WEB "service.name='web'\nservice.exec='web'\nservice.status='ignore'\n"
#define PID 4711
#define START_TICKS 4242
#define LONG_MS 3600000

static guint n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  return G_LOG_WRITER_HANDLED;
}

static const ZinitAdoption adoption = { .pid = PID, .pidfd = -1, .outputs = { -1, -1 } };

static ZinitService *
restore (Fixture *fixture, const char *more, ZinitState state)
{
  g_autofree char *text = g_strconcat (WEB, more, NULL);
  ZinitService *web = fixture_add (fixture, text);
  ZinitServiceRecord record = { .state = state,
                                .wanted = ZINIT_WANTED_START,
                                .restart_delay_ms = 1000,
                                .run = 3,
                                .start_ticks = START_TICKS,
                                .unproven_pid = PID };

  zinit_service_restore (web, &record, NULL, NULL);
  return web;
}

static void
assert_says (const ZinitService *service, const char *part)
{
  g_autofree char *text = g_strdup (zinit_service_get_status (service)->text);

  if (strstr (text, part) == NULL)
    g_error ("the status text is “%s”, without “%s”", text, part);
}

/* It stays what it was, and says so. */
static void
test_waits (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);
  ZinitServiceRecord record;

  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
  fixture_assert_transitions (fixture, "");
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, PID);
  g_assert_cmpint (zinit_service_get_unproven_pid (web), ==, PID);
  assert_says (web, "it is not known whether process 4711 lives, which is asked again");
  zinit_service_set_unproven (web, "Too many open files");
  assert_says (web, ": Too many open files");
  zinit_service_set_unproven (web, "Cannot allocate memory");
  assert_says (web, ": Cannot allocate memory");
  /* The next daemon knows what this one knew. */
  zinit_service_get_record (web, &record);
  g_assert_cmpuint (record.start_ticks, ==, START_TICKS);
  g_assert_cmpuint (record.run, ==, 3);
  g_assert_cmpint (record.state, ==, ZINIT_STATE_RUNNING);
}

static void
test_alive (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);
  g_autofree char *text = NULL;

  zinit_service_set_unproven (web, "Too many open files");
  zinit_service_resolve (web, &adoption);
  fixture_assert_acts (fixture, "@web");
  fixture_assert_transitions (fixture, "");
  g_assert_cmpint (zinit_service_get_unproven_pid (web), ==, 0);
  g_assert_cmpint (zinit_service_get_status (web)->pid, ==, PID);
  text = g_strdup (zinit_service_get_status (web)->text);
  g_assert_cmpstr (text, ==, "");
  /* It is like any other from now on. */
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
  fixture_assert_transitions (fixture, "web:running>failed");
  fake_host_advance_ms (&fixture->host, 1000);
  fixture_assert_acts (fixture, "+web");
}

typedef struct {
  const char *more;
  const char *acts;
} Policy;

/* An end that nobody saw, so the policy decides. */
static void
test_dead (void)
{
  static const Policy policies[] = {
    { "", "+web" },
    { "lifecycle.restart='on-failure'\n", "" },
    { "lifecycle.restart='never'\n", "" },
    { "service.oneshot=true\n", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++) {
    Fixture fixture;
    ZinitService *web;

    fixture_init (&fixture);
    web = restore (&fixture, policies[i].more, ZINIT_STATE_RUNNING);
    zinit_service_resolve (web, NULL);
    g_assert_cmpstr (fixture_state (&fixture, "web"), ==, "exited");
    g_assert_cmpint (zinit_service_get_status (web)->last_exit.kind, ==, ZINIT_EXIT_UNKNOWN);
    g_assert_cmpint (zinit_service_get_status (web)->pid, ==, 0);
    g_assert_false (zinit_service_is_satisfied (web));
    if (strstr (policies[i].more, "oneshot") != NULL)
      assert_says (web, "zinit restart web");
    fake_host_advance_ms (&fixture.host, LONG_MS);
    fixture_assert_acts (&fixture, policies[i].acts);
    fixture_clear (&fixture);
  }
}

/* Nobody is signalled before it is known who that is; then it gets the stop signal. */
static void
test_stop (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);

  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
  fixture_assert_transitions (fixture, "web:running>stopping");
  assert_says (web, "it is not known whether process 4711 lives");
  zinit_service_resolve (web, &adoption);
  fixture_assert_acts (fixture, "@web -web");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_false (zinit_state_is_active (zinit_service_get_status (web)->state));
  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
}

/* One that did not hear the stop signal is killed at last. */
static void
test_stop_of_a_stubborn_one (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);

  zinit_supervisor_stop (fixture->supervisor, web, NULL);
  zinit_service_resolve (web, &adoption);
  fake_host_find (&fixture->host, "web")->is_stubborn = TRUE;
  fake_host_advance_ms (&fixture->host, LONG_MS);
  g_assert_nonnull (strstr (fixture->host.acts->str, "!web"));
}

static void
test_stop_of_a_dead_one (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);

  zinit_supervisor_stop (fixture->supervisor, web, NULL);
  zinit_service_resolve (web, NULL);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "exited");
  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
}

/* A restart is a stop and a start: the start comes once it is known that nothing lives. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);

  zinit_supervisor_restart (fixture->supervisor, web, FALSE, NULL);
  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
  zinit_service_resolve (web, NULL);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
  fixture_assert_acts (fixture, "+web");
}

/* The stop of an earlier daemon goes on: no process, no signal, no end. */
static void
test_stopping (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_STOPPING);

  fake_host_advance_ms (&fixture->host, LONG_MS);
  fixture_assert_acts (fixture, "");
  fixture_assert_transitions (fixture, "");
  zinit_service_resolve (web, &adoption);
  fixture_assert_acts (fixture, "@web -web");
}

/* A shutdown does not wait for ever, and does not signal a number; it says which one it leaves. */
static void
test_shutdown (Fixture *fixture, gconstpointer data)
{
  restore (fixture, "", ZINIT_STATE_RUNNING);
  n_warnings = 0;
  zinit_supervisor_shutdown (fixture->supervisor);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 0);
  fake_host_advance_ms (&fixture->host, LONG_MS);
  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
  fixture_assert_acts (fixture, "");
}

static void
test_shutdown_and_alive (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);

  zinit_supervisor_shutdown (fixture->supervisor);
  zinit_service_resolve (web, &adoption);
  fixture_assert_acts (fixture, "@web -web");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fake_host_settle (&fixture->host);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

/* Its main process has ended, and others of its run are left. */
static void
test_rest (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = restore (fixture, "", ZINIT_STATE_RUNNING);
  ZinitAdoption rest = adoption;

  rest.main_ended = TRUE;
  zinit_service_resolve (web, &rest);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "stopping");
  fixture_assert_acts (fixture, "@web -web");
}

#define ADD(path, func) fixture_add_test ("/unproven/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  ADD ("waits", test_waits);
  ADD ("alive", test_alive);
  g_test_add_func ("/unproven/dead", test_dead);
  ADD ("stop", test_stop);
  ADD ("stop-of-a-stubborn-one", test_stop_of_a_stubborn_one);
  ADD ("stop-of-a-dead-one", test_stop_of_a_dead_one);
  ADD ("restart", test_restart);
  ADD ("stopping", test_stopping);
  ADD ("shutdown", test_shutdown);
  ADD ("shutdown-and-alive", test_shutdown_and_alive);
  ADD ("rest", test_rest);
  return g_test_run ();
}
