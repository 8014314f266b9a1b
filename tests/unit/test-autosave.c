/* SPDX-License-Identifier: Apache-2.0
 *
 * When the state file is written: a moment after a change, at once for a wish, never for nothing but before
 * it grows too old, and again and again when it cannot be.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>

#include "fake-fixture.h"
#include "handover/autosave.h"
#include "handover/saved-life.h"
#include "persist/state-file.h"

#define WEB "service.name='web'\nservice.exec='web'\n"
#define MINUTE_MS (60 * 1000)

typedef struct {
  Fixture fixture;
  char *folder;
  ZinitPaths *paths;
  ZinitRuntimeFolder *runtime;
  ZinitRecordLog *records;
  ZinitAutosave *autosave;
} Keeping;

static guint n_warnings, n_messages;

/* Of the autosave; what the supervisor says is not asked for here. */
static GLogWriterOutput
count_said (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "GLIB_DOMAIN") && g_strcmp0 (fields[i].value, "zinit-handover") != 0)
      return G_LOG_WRITER_HANDLED;
  n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  n_messages += (level & G_LOG_LEVEL_MESSAGE) != 0;
  return G_LOG_WRITER_HANDLED;
}

static void
set_up (Keeping *keeping, gconstpointer data)
{
  fixture_init (&keeping->fixture);
  keeping->folder = g_dir_make_tmp ("zinit-autosave-XXXXXX", NULL);
  g_assert_nonnull (keeping->folder);
  keeping->paths = zinit_paths_new (ZINIT_SCOPE_SESSION, "/services", keeping->folder, NULL);
  keeping->runtime = zinit_runtime_folder_new (keeping->folder);
  g_assert_true (zinit_runtime_folder_open (keeping->runtime, NULL, NULL));
  keeping->records = zinit_record_log_new (keeping->runtime, ZINIT_RECORDS_FILE);
  g_assert_true (zinit_record_log_open (keeping->records, NULL));
  keeping->autosave = zinit_autosave_new (keeping->fixture.supervisor, &fake_host, &keeping->fixture.host,
                                          keeping->paths, keeping->runtime, keeping->records);
}

static void
tear_down (Keeping *keeping, gconstpointer data)
{
  zinit_autosave_free (keeping->autosave);
  zinit_record_log_free (keeping->records);
  zinit_saved_life_end (keeping->runtime);
  g_assert_cmpint (g_rmdir (keeping->folder), ==, 0);
  zinit_runtime_folder_free (keeping->runtime);
  zinit_paths_free (keeping->paths);
  g_free (keeping->folder);
  fixture_clear (&keeping->fixture);
}

static gboolean
is_there (const Keeping *keeping)
{
  return g_file_test (keeping->paths->state, G_FILE_TEST_EXISTS);
}

/* What the file says of the service now; NULL = there is no file. */
static const char *
saved_state (const Keeping *keeping, const char *name)
{
  g_autoptr (ZinitSavedState) state = NULL;
  g_autoptr (GError) error = NULL;
  const ZinitSavedService *saved;

  if (zinit_saved_state_load (keeping->runtime, ZINIT_STATE_FILE, 0, ZINIT_EXTRAS_READ, &state, &error) !=
      ZINIT_LOAD_GOOD)
    return NULL;
  saved = g_tree_lookup (state->services, name);
  g_assert_nonnull (saved);
  return zinit_state_to_string (saved->state);
}

/* What a daemon that comes after a death in this moment knows of the service; NULL = nothing. */
static char *
known_state (const Keeping *keeping, const char *name)
{
  g_autoptr (ZinitRecordLog) records = zinit_record_log_new (keeping->runtime, ZINIT_RECORDS_FILE);
  g_autoptr (ZinitSavedState) state = NULL;
  const ZinitSavedService *saved;
  gboolean is_damaged;

  if (zinit_saved_state_load (keeping->runtime, ZINIT_STATE_FILE, 0, ZINIT_EXTRAS_READ, &state, NULL) !=
      ZINIT_LOAD_GOOD)
    state = zinit_saved_state_new ();
  g_assert_true (zinit_record_log_open (records, NULL));
  g_assert_true (zinit_record_log_replay (records, state, &is_damaged, NULL));
  g_assert_false (is_damaged);
  saved = g_tree_lookup (state->services, name);
  return saved == NULL ? NULL
                       : g_strdup_printf ("%s %s", zinit_state_to_string (saved->state),
                                          zinit_wanted_words[saved->extra->wanted_status]);
}

static void
assert_known (const Keeping *keeping, const char *name, const char *expected)
{
  g_autofree char *known = known_state (keeping, name);

  g_assert_cmpstr (known, ==, expected);
}

/* TRUE when a file was written while @ms passed. */
static gboolean
writes_within (Keeping *keeping, guint64 ms)
{
  g_unlink (keeping->paths->state);
  fake_host_advance_ms (&keeping->fixture.host, ms);
  return is_there (keeping);
}

static void
test_gathered (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;

  fixture_add (fixture, WEB);
  fake_host_settle (&fixture->host);
  /* It has no file, so nobody else knows of it; that it runs is in the record of its start. */
  assert_known (keeping, "web", "inactive start");
  g_assert_false (writes_within (keeping, 99));
  g_assert_true (writes_within (keeping, 1));
  g_assert_cmpstr (saved_state (keeping, "web"), ==, "running");
  /* Nothing changes, nothing is written. */
  g_assert_false (writes_within (keeping, MINUTE_MS));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  g_assert_false (writes_within (keeping, 99));
  g_assert_true (writes_within (keeping, 1));
  g_assert_cmpstr (saved_state (keeping, "web"), ==, "failed");
}

/* A refused file is one that was lost: it must not come to the age at which it is refused. */
static void
test_refreshed (Keeping *keeping, gconstpointer data)
{
  fixture_add (&keeping->fixture, WEB);
  g_assert_true (writes_within (keeping, 100));
  for (guint i = 0; i < 3; i++) {
    g_assert_false (writes_within (keeping, 4 * MINUTE_MS - 1));
    g_assert_true (writes_within (keeping, 1));
  }
  G_STATIC_ASSERT (4 * MINUTE_MS < ZINIT_STATE_MAX_AGE_MS);
}

/* Work that is done is not done again because the daemon died a moment later. */
static void
test_oneshot (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;

  fixture_add (fixture, WEB "service.oneshot=true\n");
  g_assert_true (writes_within (keeping, 100));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fake_host_settle (&fixture->host);
  assert_known (keeping, "web", "exited start");
}

/* How a service ended decides what follows, and clients have been told. */
static void
test_end (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;

  fixture_add (fixture, WEB "lifecycle.restart='never'\n");
  g_assert_true (writes_within (keeping, 100));
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 3);
  fake_host_settle (&fixture->host);
  assert_known (keeping, "web", "failed start");
}

/* Durable before the answer, every one, and few writes: all of a turn are one record each service. */
static void
test_requests (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;
  ZinitService *web = fixture_add (fixture, WEB "service.status='ignore'\n");

  fake_host_advance_ms (&fixture->host, 100);
  for (guint i = 0; i < 50; i++) {
    g_assert_true (zinit_supervisor_start (fixture->supervisor, web, FALSE, NULL));
    zinit_supervisor_flush (keeping->fixture.supervisor);
    zinit_autosave_commit (keeping->autosave);
    assert_known (keeping, "web", "running start");
    g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
    zinit_supervisor_flush (keeping->fixture.supervisor);
    zinit_autosave_commit (keeping->autosave);
    assert_known (keeping, "web", "stopping stop");
    fixture_end (fixture, "web", ZINIT_EXIT_KILLED, 15);
  }
  /* Once more, and nothing has changed. */
  zinit_supervisor_flush (keeping->fixture.supervisor);
  zinit_autosave_commit (keeping->autosave);
  g_assert_true (writes_within (keeping, 100));
  g_assert_cmpstr (saved_state (keeping, "web"), ==, "exited");
  assert_known (keeping, "web", "exited stop");
}

/* What is older than the state file is not applied to it, whatever the log still holds. */
static void
test_cut_lost (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;
  g_autofree char *path = g_build_filename (keeping->folder, "records", NULL);
  g_autofree char *records = NULL;
  ZinitService *web = fixture_add (fixture, WEB);
  gsize length;

  zinit_supervisor_flush (keeping->fixture.supervisor);
  zinit_autosave_commit (keeping->autosave);
  g_assert_true (g_file_get_contents (path, &records, &length, NULL));
  g_assert_true (zinit_supervisor_stop (fixture->supervisor, web, NULL));
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, 15);
  fake_host_advance_ms (&fixture->host, 100);
  /* As if the daemon had died between the two. */
  g_assert_true (g_file_set_contents (path, records, (gssize)length, NULL));
  assert_known (keeping, "web", "exited stop");
}

static void
limit_files (guint64 max_bytes)
{
  const struct rlimit limit = { max_bytes, RLIM_INFINITY };

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* Said once, tried every second, and wishes do not make it more. */
static void
test_unwritable (Keeping *keeping, gconstpointer data)
{
  fixture_add (&keeping->fixture, WEB);
  n_warnings = n_messages = 0;
  limit_files (4);
  g_assert_false (writes_within (keeping, 100));
  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_true (
      zinit_supervisor_stop (keeping->fixture.supervisor, fixture_get (&keeping->fixture, "web"), NULL));
  zinit_supervisor_flush (keeping->fixture.supervisor);
  zinit_autosave_commit (keeping->autosave);
  g_assert_false (writes_within (keeping, 5000));
  g_assert_cmpuint (n_warnings, ==, 1);
  limit_files (RLIM_INFINITY);
  g_assert_true (writes_within (keeping, 1000));
  g_assert_cmpuint (n_messages, ==, 1);
}

static void
test_on_demand (Keeping *keeping, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture_add (&keeping->fixture, WEB);
  fake_host_settle (&keeping->fixture.host);
  g_assert_true (zinit_autosave_save_changes (keeping->autosave, &error));
  g_assert_true (is_there (keeping));
  g_unlink (keeping->paths->state);
  g_assert_true (zinit_autosave_save_changes (keeping->autosave, &error));
  g_assert_false (is_there (keeping));
  g_assert_true (zinit_autosave_save (keeping->autosave, &error));
  g_assert_true (is_there (keeping));
  fixture_end (&keeping->fixture, "web", ZINIT_EXIT_EXITED, 1);
  g_unlink (keeping->paths->state);
  g_assert_true (zinit_autosave_save_changes (keeping->autosave, &error));
  g_assert_cmpstr (saved_state (keeping, "web"), ==, "failed");
}

static void
test_removed (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;
  ZinitService *web = fixture_add (fixture, WEB);
  g_autoptr (ZinitSavedState) state = NULL;

  g_assert_true (writes_within (keeping, 100));
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, web, TRUE, NULL));
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, 15);
  fake_host_settle (&fixture->host);
  assert_known (keeping, "web", NULL);
  g_assert_true (writes_within (keeping, 100));
  g_assert_cmpint (
      zinit_saved_state_load (keeping->runtime, ZINIT_STATE_FILE, 0, ZINIT_EXTRAS_READ, &state, NULL), ==,
      ZINIT_LOAD_GOOD);
  g_assert_cmpint (g_tree_nnodes (state->services), ==, 0);
}

static void
test_shutdown (Keeping *keeping, gconstpointer data)
{
  Fixture *fixture = &keeping->fixture;

  fixture_add (fixture, WEB);
  g_assert_true (writes_within (keeping, 100));
  g_unlink (keeping->paths->state);
  zinit_supervisor_shutdown (fixture->supervisor);
  /* As it was when it began, for who comes if it is cut short. */
  g_assert_cmpstr (saved_state (keeping, "web"), ==, "running");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, 15);
  g_assert_false (is_there (keeping));
  g_assert_false (writes_within (keeping, 10 * MINUTE_MS));
}

#define ADD(path, func) g_test_add ("/autosave/" path, Keeping, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN);
  g_log_set_writer_func (count_said, NULL, NULL);
  ADD ("gathered", test_gathered);
  ADD ("refreshed", test_refreshed);
  ADD ("oneshot", test_oneshot);
  ADD ("end", test_end);
  ADD ("requests", test_requests);
  ADD ("cut-lost", test_cut_lost);
  ADD ("unwritable", test_unwritable);
  ADD ("on-demand", test_on_demand);
  ADD ("removed", test_removed);
  ADD ("shutdown", test_shutdown);
  return g_test_run ();
}
