/* SPDX-License-Identifier: Apache-2.0
 *
 * Services as documents and documents as services: what goes in comes out, in every state, and what others
 * have written is understood as the format says.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "fake-fixture.h"
#include "handover/process-identity.h"
#include "handover/snapshot.h"
#include "supervisor/record.h"

#define WEB "service.name='web'\nservice.exec='web'\nservice.ready='notify'\n"

typedef struct {
  Fixture fixture;
  ZinitPaths *paths;
  ZinitRecordLog *records;
  ZinitSnapshot *snapshot;
} Snapshots;

static void
set_up (Snapshots *snapshots, gconstpointer data)
{
  fixture_init (&snapshots->fixture);
  snapshots->paths = zinit_paths_new (ZINIT_SCOPE_SESSION, "/services", "/run-time", NULL);
  snapshots->records = zinit_record_log_new (NULL, "records");
  snapshots->snapshot =
      zinit_snapshot_new (snapshots->fixture.supervisor, snapshots->paths, snapshots->records);
}

static void
tear_down (Snapshots *snapshots, gconstpointer data)
{
  zinit_snapshot_free (snapshots->snapshot);
  zinit_record_log_free (snapshots->records);
  zinit_paths_free (snapshots->paths);
  fixture_clear (&snapshots->fixture);
}

/* Through the text, as a daemon does it. In parts or in one piece it is the same. */
static ZinitSavedState *
take (Snapshots *snapshots)
{
  const GArray *document = zinit_snapshot_print (snapshots->snapshot);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *whole = NULL;
  g_autoptr (GError) error = NULL;
  ZinitSavedState *parsed;

  for (guint i = 0; i < document->len; i++) {
    const struct iovec *part = &g_array_index (document, struct iovec, i);

    g_string_append_len (text, part->iov_base, (gssize)part->iov_len);
  }
  parsed = zinit_saved_state_parse (text->str, text->len, ZINIT_EXTRAS_READ, &error);
  g_assert_no_error (error);
  whole = zinit_saved_state_print (parsed, NULL);
  g_assert_cmpstr (text->str, ==, whole);
  return parsed;
}

static const ZinitSavedService *
look_up (const ZinitSavedState *state, const char *name)
{
  const ZinitSavedService *saved = g_tree_lookup (state->services, name);

  g_assert_nonnull (saved);
  g_assert_nonnull (saved->extra);
  return saved;
}

static void
assert_equal (const ZinitServiceRecord *a, const ZinitServiceRecord *b)
{
  g_assert_cmpint (a->state, ==, b->state);
  g_assert_cmpint (a->wanted, ==, b->wanted);
  g_assert_true (zinit_failure_equal (&a->failure, &b->failure));
  g_assert_cmpint (a->last_exit.kind, ==, b->last_exit.kind);
  g_assert_cmpint (a->last_exit.value, ==, b->last_exit.value);
  g_assert_cmpuint (a->restart_count, ==, b->restart_count);
  g_assert_cmpuint (a->restart_delay_ms, ==, b->restart_delay_ms);
  g_assert_cmpint (a->started_at_usec, ==, b->started_at_usec);
  g_assert_cmpint (a->state_changed_at_usec, ==, b->state_changed_at_usec);
  g_assert_cmpint (a->deadline_usec, ==, b->deadline_usec);
  g_assert_cmpint (a->main_ended, ==, b->main_ended);
  g_assert_cmpint (a->comes_back, ==, b->comes_back);
  g_assert_cmpint (a->next, ==, b->next);
  g_assert_cmpint (a->stop_cause, ==, b->stop_cause);
  g_assert_cmpint (a->sigkill_sent, ==, b->sigkill_sent);
  g_assert_cmpint (a->stop_pending, ==, b->stop_pending);
  g_assert_cmpstr (a->started_for, ==, b->started_for);
  g_assert_cmpstr (a->failures, ==, b->failures);
}

/* A record in @state; @n varies everything else. Inactive and blocked have no deadline,
 * stopping always has one. */
static ZinitServiceRecord
make_record (ZinitState state, guint n)
{
  static const ZinitExit exits[] = {
    { ZINIT_EXIT_NONE, 0 },    { ZINIT_EXIT_EXITED, 0 },   { ZINIT_EXIT_EXITED, 255 },
    { ZINIT_EXIT_KILLED, 15 }, { ZINIT_EXIT_UNKNOWN, -1 },
  };
  static const ZinitFailure failures[] = {
    { ZINIT_FAILURE_EXIT_CODE, 3, NULL },
    { ZINIT_FAILURE_SIGNAL, 11, NULL },
    { ZINIT_FAILURE_START_TIMEOUT, 0, NULL },
    { ZINIT_FAILURE_STOP_TIMEOUT, 0, NULL },
    { ZINIT_FAILURE_HEALTH_CHECK_FAILED, 4, NULL },
    { ZINIT_FAILURE_DEPENDENCY_FAILED, 0, (char *)"db" },
    { ZINIT_FAILURE_SPAWN_ERROR, 0, (char *)"exec \"x\":\n\001 \303\274" },
    { ZINIT_FAILURE_MISSING_DEPENDENCY, 0, (char *)"gone" },
    { ZINIT_FAILURE_NOT_READY, 0, (char *)"no line" },
    { ZINIT_FAILURE_WATCHDOG, 0, NULL },
  };
  static const ZinitStopCause causes[] = { ZINIT_STOP_CAUSE_REQUESTED, ZINIT_STOP_CAUSE_START_TIMEOUT,
                                           ZINIT_STOP_CAUSE_LEFTOVERS, ZINIT_STOP_CAUSE_NOT_READY,
                                           ZINIT_STOP_CAUSE_WATCHDOG };
  ZinitNext next = (n >> 1) & 3;
  gboolean has_timer = state != ZINIT_STATE_INACTIVE && state != ZINIT_STATE_BLOCKED;

  return (ZinitServiceRecord){
    .state = state,
    .wanted = (ZinitWanted)(n % ZINIT_N_WANTED),
    .failure = state == ZINIT_STATE_FAILED ? failures[n % G_N_ELEMENTS (failures)] : (ZinitFailure){ 0 },
    .last_exit = exits[n % G_N_ELEMENTS (exits)],
    .restart_count = n % 3 == 0 ? G_MAXUINT32 : n,
    .restart_delay_ms = n % 4 == 0 ? 1 : 1000 + n,
    .started_at_usec = n % 2 == 0 ? 0 : 1700000000000007 + n * 1000,
    .state_changed_at_usec = 1700000001000000 + n * 1000,
    .deadline_usec =
        has_timer && (n % 5 != 0 || state == ZINIT_STATE_STOPPING || state == ZINIT_STATE_STARTING)
            ? 5000000 + n * 1000
            : 0,
    /* One that never ran, and is wanted, is to be started. */
    .run = 1,
    .next = next,
    .stop_cause = state != ZINIT_STATE_STOPPING              ? ZINIT_STOP_CAUSE_NONE
                  : next == ZINIT_NEXT_START_WITH_DEPENDENCY ? ZINIT_STOP_CAUSE_DEPENDENCY
                                                             : causes[(n >> 3) % G_N_ELEMENTS (causes)],
    .sigkill_sent = state == ZINIT_STATE_STOPPING && (n & 1) != 0,
    .started_for = n % 3 == 0 ? "db=exit_code" : NULL,
    .failures = n % 4 == 0 ? "db=signal web=spawn_error" : NULL,
    .comes_back = state == ZINIT_STATE_BLOCKED && (n & 4) != 0,
    .stop_pending = zinit_state_is_active (state) && state != ZINIT_STATE_STOPPING && (n & 1) != 0,
  };
}

static void
round_trip (const ZinitServiceRecord *record, gboolean has_process)
{
  Snapshots snapshots;
  ZinitAdoption adoption = { .pid = 4711, .start_ticks = 123456789012, .pidfd = -1, .outputs = { -1, -1 } };
  g_autoptr (ZinitSavedState) state = NULL;
  const ZinitSavedService *saved;
  ZinitServiceRecord now, back;
  ZinitService *web;

  set_up (&snapshots, NULL);
  web = fixture_add (&snapshots.fixture, WEB "service.status='ignore'\n");
  zinit_service_restore (web, record, NULL, has_process ? &adoption : NULL);
  zinit_service_get_record (web, &now);
  state = take (&snapshots);
  saved = look_up (state, "web");
  zinit_snapshot_read (saved, &back);
  g_assert_cmpint (saved->has_pid, ==, has_process);
  if (has_process || !zinit_state_is_active (record->state)) {
    assert_equal (&now, record);
    assert_equal (&back, record);
    g_assert_cmpuint (saved->pid, ==, has_process ? 4711 : 0);
    g_assert_cmpuint (saved->extra->pid_start_ticks, ==, has_process ? 123456789012 : 0);
  } else {
    /* Its process has vanished, and it was saved before that was acted upon. */
    g_assert_cmpint (back.state, ==,
                     record->state == ZINIT_STATE_STARTING ? ZINIT_STATE_INACTIVE : ZINIT_STATE_EXITED);
    g_assert_cmpint (back.last_exit.kind, ==, ZINIT_EXIT_UNKNOWN);
  }
  tear_down (&snapshots, NULL);
}

static void
test_round_trip (void)
{
  for (guint n = 0; n < 128; n++)
    for (ZinitState state = 0; state < ZINIT_N_STATES; state++) {
      ZinitServiceRecord record = make_record (state, n);

      round_trip (&record, FALSE);
      if (zinit_state_is_active (state))
        round_trip (&record, TRUE);
    }
}

static void
test_document (Snapshots *snapshots, gconstpointer data)
{
  g_autofree char *boot_id = zinit_identity_read_boot_id ();
  guint64 now_ms = (guint64)g_get_real_time () / 1000;
  g_autoptr (ZinitSavedState) state = NULL;

  fixture_add (&snapshots->fixture, WEB);
  fixture_add (&snapshots->fixture, "service.name='b'\nservice.exec='b'\n");
  state = take (snapshots);
  g_assert_cmpuint (state->version, ==, ZINIT_STATE_VERSION);
  g_assert_cmpuint (state->saved_at, >=, now_ms);
  g_assert_cmpuint (state->saved_at, <, now_ms + 60000);
  /* The fake clock's. */
  g_assert_cmpuint (state->boot_time, ==, 1000);
  g_assert_cmpstr (state->config_dir, ==, "/services");
  g_assert_cmpstr (state->socket_path, ==, snapshots->paths->socket);
  g_assert_cmpstr (state->boot_id, ==, boot_id);
  g_assert_cmpuint (state->init_start_ticks, ==, zinit_identity_read_start_ticks (1));
  g_assert_cmpint (g_tree_nnodes (state->services), ==, 2);
  g_assert_true (look_up (state, "web")->ephemeral);
  g_assert_cmpstr (look_up (state, "web")->name, ==, "web");
  g_assert_nonnull (strstr (look_up (state, "web")->config, "\"exec\": \"web\""));
  g_assert_nonnull (strstr (look_up (state, "b")->config, "\"exec\": \"b\""));
}

/* What is kept from one snapshot to the next is not kept for longer than it is true. */
static void
test_cache (Snapshots *snapshots, gconstpointer data)
{
  Fixture *fixture = &snapshots->fixture;
  g_autoptr (ZinitSavedState) first = NULL, second = NULL, third = NULL, fourth = NULL;
  ZinitService *web = fixture_add (fixture, WEB "lifecycle.restart='never'\n");

  fake_host_settle (&fixture->host);
  first = take (snapshots);
  g_assert_cmpuint (look_up (first, "web")->pid, ==, 101);
  g_assert_cmpuint (look_up (first, "web")->extra->pid_start_ticks, ==, 1010);

  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  zinit_snapshot_mark (snapshots->snapshot, "web");
  second = take (snapshots);
  g_assert_false (look_up (second, "web")->has_pid);
  g_assert_cmpuint (look_up (second, "web")->extra->pid_start_ticks, ==, 0);
  fixture_add (fixture, WEB "service.dir='/elsewhere'\n");
  g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
  zinit_snapshot_mark (snapshots->snapshot, "web");
  third = take (snapshots);
  g_assert_cmpuint (look_up (third, "web")->pid, ==, 102);
  g_assert_cmpuint (look_up (third, "web")->extra->pid_start_ticks, ==, 1020);
  g_assert_nonnull (strstr (look_up (third, "web")->config, "/elsewhere"));

  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, web, TRUE, NULL));
  fake_host_settle (&fixture->host);
  zinit_snapshot_forget (snapshots->snapshot, "web");
  fourth = take (snapshots);
  g_assert_cmpint (g_tree_nnodes (fourth->services), ==, 0);
}

/* The definition that the process was started with is saved, not the one that waits for the next start. */
static void
test_definition_in_force (Snapshots *snapshots, gconstpointer data)
{
  g_autoptr (ZinitSavedState) state = NULL;

  fixture_add (&snapshots->fixture, WEB);
  fake_host_settle (&snapshots->fixture.host);
  fixture_add (&snapshots->fixture, WEB "service.dir='/elsewhere'\n");
  g_assert_true (zinit_service_get_status (fixture_get (&snapshots->fixture, "web"))->needs_restart);
  state = take (snapshots);
  g_assert_null (strstr (look_up (state, "web")->config, "/elsewhere"));
}

/* Its first process is gone and said how; others of its group are not. */
static void
test_main_ended (Snapshots *snapshots, gconstpointer data)
{
  Fixture *fixture = &snapshots->fixture;
  g_autoptr (ZinitSavedState) state = NULL;
  ZinitServiceRecord record;

  fixture_add (fixture, WEB);
  fake_host_settle (&fixture->host);
  fake_host_find (&fixture->host, "web")->has_others = TRUE;
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 7);
  state = take (snapshots);
  g_assert_true (look_up (state, "web")->has_pid);
  g_assert_true (look_up (state, "web")->extra->main_ended);
  zinit_snapshot_read (look_up (state, "web"), &record);
  g_assert_cmpint (record.state, ==, ZINIT_STATE_STOPPING);
  g_assert_true (record.main_ended);
  g_assert_cmpint (record.stop_cause, ==, ZINIT_STOP_CAUSE_LEFTOVERS);
  g_assert_cmpint (record.last_exit.kind, ==, ZINIT_EXIT_EXITED);
  g_assert_cmpint (record.last_exit.value, ==, 7);
  g_assert_cmpint (record.deadline_usec, ==, fixture->host.now_usec + 10 * G_USEC_PER_SEC);
}

typedef struct {
  ZinitState saved;
  gboolean has_pid;
  ZinitState restored;
} Rule;

/* A document without any of our fields, as every other writer of the format makes it. */
static void
test_foreign (void)
{
  static const Rule rules[] = {
    { ZINIT_STATE_INACTIVE, TRUE, ZINIT_STATE_INACTIVE },
    { ZINIT_STATE_INACTIVE, FALSE, ZINIT_STATE_INACTIVE },
    { ZINIT_STATE_BLOCKED, TRUE, ZINIT_STATE_BLOCKED },
    { ZINIT_STATE_BLOCKED, FALSE, ZINIT_STATE_BLOCKED },
    { ZINIT_STATE_STARTING, TRUE, ZINIT_STATE_STARTING },
    { ZINIT_STATE_STARTING, FALSE, ZINIT_STATE_INACTIVE },
    { ZINIT_STATE_RUNNING, TRUE, ZINIT_STATE_RUNNING },
    { ZINIT_STATE_RUNNING, FALSE, ZINIT_STATE_EXITED },
    { ZINIT_STATE_STOPPING, TRUE, ZINIT_STATE_STOPPING },
    { ZINIT_STATE_STOPPING, FALSE, ZINIT_STATE_EXITED },
    { ZINIT_STATE_EXITED, TRUE, ZINIT_STATE_EXITED },
    { ZINIT_STATE_EXITED, FALSE, ZINIT_STATE_EXITED },
    { ZINIT_STATE_FAILED, TRUE, ZINIT_STATE_FAILED },
    { ZINIT_STATE_FAILED, FALSE, ZINIT_STATE_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++) {
    g_autoptr (ZinitSavedService) saved = zinit_saved_service_new ("web");
    gboolean is_lost = rules[i].restored == ZINIT_STATE_EXITED && rules[i].saved != ZINIT_STATE_EXITED;
    ZinitServiceRecord record;

    saved->state = rules[i].saved;
    saved->has_pid = rules[i].has_pid;
    saved->pid = 4711;
    saved->restart_count = 3;
    saved->current_restart_delay_ms = 4000;
    saved->has_last_exit_code = TRUE;
    saved->last_exit_code = 7;
    saved->has_started_at = TRUE;
    saved->started_at = 1700000000123;
    saved->last_state_change = 1700000000456;
    zinit_snapshot_read (saved, &record);
    g_assert_cmpint (record.state, ==, rules[i].restored);
    g_assert_cmpuint (record.restart_count, ==, 3);
    g_assert_cmpuint (record.restart_delay_ms, ==, 4000);
    g_assert_cmpint (record.started_at_usec, ==, 1700000000123000);
    g_assert_cmpint (record.state_changed_at_usec, ==, 1700000000456000);
    g_assert_cmpint (record.deadline_usec, ==, 0);
    g_assert_cmpint (record.stop_cause, ==,
                     rules[i].saved == ZINIT_STATE_STOPPING ? ZINIT_STOP_CAUSE_REQUESTED
                                                            : ZINIT_STOP_CAUSE_NONE);
    if (rules[i].restored == ZINIT_STATE_FAILED) {
      g_assert_cmpint (record.failure.type, ==, ZINIT_FAILURE_SPAWN_ERROR);
      g_assert_cmpstr (record.failure.text, ==, "restored from failed state");
    } else {
      g_assert_cmpint (record.failure.type, ==, ZINIT_FAILURE_NONE);
    }
    /* That code is of an earlier life: how this one ended nobody knows. */
    g_assert_cmpint (record.last_exit.kind, ==, is_lost ? ZINIT_EXIT_UNKNOWN : ZINIT_EXIT_EXITED);
  }
}

static void
test_exits (void)
{
  g_autoptr (ZinitSavedService) saved = zinit_saved_service_new ("web");
  ZinitServiceRecord record;

  saved->state = ZINIT_STATE_EXITED;
  zinit_snapshot_read (saved, &record);
  g_assert_cmpint (record.last_exit.kind, ==, ZINIT_EXIT_NONE);
  saved->extra = zinit_state_extensions_new ();
  saved->extra->exit_unknown = TRUE;
  zinit_snapshot_read (saved, &record);
  g_assert_cmpint (record.last_exit.kind, ==, ZINIT_EXIT_UNKNOWN);
  g_assert_cmpint (record.last_exit.value, ==, -1);
  saved->has_last_exit_code = TRUE;
  saved->last_exit_code = G_MININT32;
  zinit_snapshot_read (saved, &record);
  g_assert_cmpint (record.last_exit.kind, ==, ZINIT_EXIT_EXITED);
  g_assert_cmpint (record.last_exit.value, ==, G_MININT32);
  saved->has_last_exit_signal = TRUE;
  saved->last_exit_signal = 9;
  zinit_snapshot_read (saved, &record);
  g_assert_cmpint (record.last_exit.kind, ==, ZINIT_EXIT_KILLED);
  g_assert_cmpint (record.last_exit.value, ==, 9);
}

/* Numbers that no clock shows: they may make a service's times absurd, never the daemon's arithmetic. */
static void
test_out_of_range (Snapshots *snapshots, gconstpointer data)
{
  static const guint64 numbers[] = { 0, G_MAXINT64 / 1000, G_MAXINT64 / 1000 + 1, G_MAXINT64, G_MAXUINT64 };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers) * 2; i++) {
    g_autoptr (ZinitSavedService) saved = zinit_saved_service_new ("web");
    guint64 number = numbers[i / 2];
    g_autoptr (ZinitSavedState) state = NULL;
    ZinitServiceRecord record;
    ZinitService *web;

    saved->state = ZINIT_STATE_FAILED;
    saved->restart_count = G_MAXUINT32;
    saved->has_started_at = TRUE;
    saved->started_at = saved->last_state_change = saved->current_restart_delay_ms = number;
    if (i % 2 == 1) {
      saved->extra = zinit_state_extensions_new ();
      saved->extra->deadline_at = number;
      saved->extra->clock = ZINIT_SAVED_CLOCK_MONOTONIC;
    }
    zinit_snapshot_read (saved, &record);
    g_assert_cmpint (record.started_at_usec, >=, 0);
    g_assert_cmpint (record.state_changed_at_usec, >=, 0);
    g_assert_cmpint (record.deadline_usec, >=, 0);

    web = fixture_add (&snapshots->fixture, WEB "service.status='ignore'\n");
    zinit_service_restore (web, &record, NULL, NULL);
    g_assert_cmpint (zinit_service_get_status (web)->next_restart_usec, >=, 0);
    g_assert_cmpuint (zinit_service_get_status (web)->restart_delay_ms, >, 0);
    zinit_snapshot_mark (snapshots->snapshot, "web");
    state = take (snapshots);
    g_assert_nonnull (g_tree_lookup (state->services, "web"));
    fake_host_settle (&snapshots->fixture.host);
    zinit_supervisor_stop (snapshots->fixture.supervisor, web, NULL);
    if (fake_host_find (&snapshots->fixture.host, "web") != NULL)
      fixture_end (&snapshots->fixture, "web", ZINIT_EXIT_EXITED, 0);
    zinit_supervisor_remove (snapshots->fixture.supervisor, web, TRUE, NULL);
    fake_host_settle (&snapshots->fixture.host);
  }
}

/* Deadlines on a clock that is not the one we wait by are no deadlines of ours. */
static void
test_other_clocks (void)
{
  for (ZinitSavedClock clock = 0; clock < ZINIT_N_SAVED_CLOCKS; clock++) {
    g_autoptr (ZinitSavedService) saved = zinit_saved_service_new ("web");
    ZinitServiceRecord record;

    saved->state = ZINIT_STATE_EXITED;
    saved->extra = zinit_state_extensions_new ();
    saved->extra->clock = clock;
    saved->extra->deadline_at = 12345;
    zinit_snapshot_read (saved, &record);
    g_assert_cmpint (record.deadline_usec, ==, clock == ZINIT_SAVED_CLOCK_MONOTONIC ? 12345000 : 0);
  }
}

#define ADD(path, func) g_test_add ("/snapshot/" path, Snapshots, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/snapshot/round-trip", test_round_trip);
  ADD ("document", test_document);
  ADD ("cache", test_cache);
  ADD ("definition-in-force", test_definition_in_force);
  ADD ("main-ended", test_main_ended);
  g_test_add_func ("/snapshot/foreign", test_foreign);
  g_test_add_func ("/snapshot/exits", test_exits);
  ADD ("out-of-range", test_out_of_range);
  g_test_add_func ("/snapshot/other-clocks", test_other_clocks);
  return g_test_run ();
}
