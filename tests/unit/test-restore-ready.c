/* SPDX-License-Identifier: Apache-2.0
 *
 * Services that an earlier daemon had started and that were not ready yet, on a fake host.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "fake-fixture.h"
#include "supervisor/record.h"

#define WEB "service.name='web'\nservice.exec='web'\nservice.status='ignore'\n"
#define PID 4711

static const ZinitAdoption adoption = { .pid = PID, .pidfd = -1, .outputs = { -1, -1 } };

static ZinitServiceRecord
make_record (ZinitState state)
{
  return (ZinitServiceRecord){ .state = state, .wanted = ZINIT_WANTED_START, .restart_delay_ms = 1000 };
}

static void
restore (Fixture *fixture, const char *text, const ZinitServiceRecord *record, const ZinitAdoption *adopted)
{
  zinit_service_restore (fixture_add (fixture, text), record, NULL, adopted);
}

/* Its NOTIFY_SOCKET was handed over, so all that it said is heard. */
static void
test_starting (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STARTING);
  ZinitAdoption heard = adoption;

  heard.notify_fd = 99;
  record.deadline_usec = fixture->host.now_usec + 200000;
  restore (fixture, WEB "service.ready='notify'\n", &record, &heard);
  fake_host_advance_ms (&fixture->host, 199);
  fixture_assert_transitions (fixture, "");
  fake_host_advance_ms (&fixture->host, 1);
  fixture_assert_transitions (fixture, "web:starting>stopping");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.type, ==,
                   ZINIT_FAILURE_START_TIMEOUT);
}

/* It may have said that it is ready while there was no daemon, and does not say it twice. */
static void
test_starting_unheard (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STARTING);

  record.deadline_usec = fixture->host.now_usec + 200000;
  restore (fixture, WEB "service.ready='notify'\n", &record, &adoption);
  fake_host_advance_ms (&fixture->host, 199);
  fixture_assert_transitions (fixture, "");
  fake_host_advance_ms (&fixture->host, 1);
  fixture_assert_transitions (fixture, "web:starting>running");
}

/* Executed is all that it needs; it was recorded before that was written down. */
static void
test_starting_without_ready (Fixture *fixture, gconstpointer data)
{
  ZinitServiceRecord record = make_record (ZINIT_STATE_STARTING);

  restore (fixture, WEB, &record, &adoption);
  g_assert_cmpstr (fixture_state (fixture, "web"), ==, "running");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fixture_add_test ("/restore-ready/heard", test_starting);
  fixture_add_test ("/restore-ready/unheard", test_starting_unheard);
  fixture_add_test ("/restore-ready/without", test_starting_without_ready);
  return g_test_run ();
}
