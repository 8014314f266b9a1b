/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of zinit-behaviour(7) on a fake host that belong to `before` and to conflicts of more than two. No
 * process, no waiting.
 */
#include <signal.h>

#include <glib/gstdio.h>

#include "fake-steps.h"

#define SERVICE(name) "service.name='" name "'\nservice.exec='" name "'\n"
#define ONESHOT "service.oneshot=true\n"
#define BY_HAND "service.status='ignore'\n"
#define REQUIRES(name) "dependencies.requires=['" name "']\n"
#define AFTER(name) "dependencies.after=['" name "']\n"
#define BEFORE(name) "dependencies.before=['" name "']\n"

static void
start_both (Fixture *fixture, const char *one, const char *other)
{
  g_autoptr (GPtrArray) services = g_ptr_array_new ();
  g_autoptr (GPtrArray) answers = NULL;

  g_ptr_array_add (services, fixture_get (fixture, one));
  g_ptr_array_add (services, fixture_get (fixture, other));
  answers = zinit_supervisor_start_services (fixture->supervisor, services, FALSE, NULL);
  for (guint i = 0; i < answers->len; i++)
    g_assert_null (answers->pdata[i]);
}

/* A package places itself before web, whose definition does not know it. */
static void
test_b4_before (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web") BY_HAND);
  fixture_add (fixture, SERVICE ("zz") BY_HAND ONESHOT "dependencies.before=['nobody','web']\n");
  start_both (fixture, "web", "zz");
  steps_assert_sub_state (fixture, "web", "waiting");
  steps_assert_text (fixture, "web", "waits for zz");
  fixture_assert_acts (fixture, "+zz");
  /* However that start ends. */
  fixture_end (fixture, "zz", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "running");
  steps_assert_sub_state (fixture, "zz", "restarting");
}

/* What nobody starts, and what is gone or says it no more while it waits itself. */
static void
test_b4_holds_nothing (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("slow") BY_HAND ONESHOT);
  fixture_add (fixture, SERVICE ("zz") BY_HAND AFTER ("slow") BEFORE ("web"));
  fixture_add (fixture, SERVICE ("web"));
  steps_assert_sub_state (fixture, "web", "running");
  for (guint i = 0; i < 3; i++) {
    steps_stop (fixture, "web");
    steps_end_well (fixture, "web");
    if (i == 0)
      steps_start (fixture, "slow", FALSE);
    start_both (fixture, "zz", "web");
    steps_assert_sub_state (fixture, "zz", "waiting");
    steps_assert_sub_state (fixture, "web", "waiting");
    if (i == 0)
      steps_stop (fixture, "zz");
    else if (i == 1)
      fixture_add (fixture, SERVICE ("zz") BY_HAND AFTER ("slow"));
    else
      g_assert_true (zinit_supervisor_remove (fixture->supervisor, fixture_get (fixture, "zz"), TRUE, NULL));
    steps_assert_sub_state (fixture, "web", "running");
    if (i == 1)
      fixture_add (fixture, SERVICE ("zz") BY_HAND AFTER ("slow") BEFORE ("web"));
  }
}

/* One that a third keeps from its start keeps nobody from it. */
static void
test_b6_blocked_itself (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("x") "dependencies.conflicts=['a']\n");
  fake_host_settle (&fixture->host);
  fixture_add (fixture, SERVICE ("a"));
  steps_assert_sub_state (fixture, "a", "waiting");
  fixture_add (fixture, SERVICE ("b") "dependencies.conflicts=['a']\n");
  steps_assert_sub_state (fixture, "b", "running");
}

/* What waits for the end of a conflict that only the one that is removed names goes on. */
static void
test_b6_removed (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("zz") "dependencies.conflicts=['web']\n");
  fixture_add (fixture, SERVICE ("web"));
  fixture_end (fixture, "zz", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "waiting");
  g_assert_true (zinit_supervisor_remove (fixture->supervisor, fixture_get (fixture, "zz"), TRUE, NULL));
  steps_assert_sub_state (fixture, "web", "running");
}

/* It was to start again, and is not: it goes down still, but keeps nobody waiting. */
static void
test_b4_start_called_off (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("zz") BEFORE ("web"));
  fixture_add (fixture, SERVICE ("web") BY_HAND);
  for (guint i = 0; i < 2; i++) {
    fake_host_settle (&fixture->host);
    steps_restart (fixture, "zz");
    steps_start (fixture, "web", FALSE);
    steps_assert_sub_state (fixture, "web", "waiting");
    if (i == 0)
      steps_stop (fixture, "zz");
    else
      zinit_supervisor_remove (fixture->supervisor, fixture_get (fixture, "zz"), TRUE, NULL);
    steps_assert_sub_state (fixture, "web", "running");
    steps_assert_sub_state (fixture, "zz", "stopping");
    steps_end_well (fixture, "zz");
    steps_stop (fixture, "web");
    steps_end_well (fixture, "web");
    if (i == 0)
      steps_start (fixture, "zz", FALSE);
  }
}

static void
test_c7_before (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a") BEFORE ("b"));
  fixture_add (fixture, SERVICE ("b"));
  fixture_add (fixture, SERVICE ("free"));
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+a +b +free");
  /* Alone it does not wait for the other. */
  steps_stop (fixture, "a");
  fixture_assert_acts (fixture, "-a");
  steps_end_well (fixture, "a");
  steps_start (fixture, "a", FALSE);
  fixture_assert_acts (fixture, "+a");
  g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  fixture_assert_acts (fixture, "-b -free");
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "-a");
}

static void
test_c7_shutdown_before (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("a") BEFORE ("b"));
  fixture_add (fixture, SERVICE ("b"));
  fake_host_settle (&fixture->host);
  zinit_supervisor_shutdown (fixture->supervisor);
  fake_host_settle (&fixture->host);
  fixture_assert_acts (fixture, "+a +b -b");
  steps_end_well (fixture, "b");
  fixture_assert_acts (fixture, "-a");
  steps_end_well (fixture, "a");
  fake_host_settle (&fixture->host);
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

/* A folder of definitions and a supervisor of it. */
typedef struct {
  char *folder;
  FakeHost host;
  ZinitSupervisor *supervisor;
} Loaded;

static void
write_file (Loaded *loaded, const char *name, const char *text)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);
  g_autofree char *path = g_build_filename (loaded->folder, file, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
loaded_clear (Loaded *loaded)
{
  static const char *const files[] = { "m.toml", "p.toml", "x.toml" };

  zinit_supervisor_free (loaded->supervisor);
  fake_host_clear (&loaded->host);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (loaded->folder, files[i], NULL);

    g_unlink (path);
  }
  g_rmdir (loaded->folder);
  g_free (loaded->folder);
}

/* The names of what was refused, in order of files. Transfer full; frees @result. */
static char *
take_refused (ZinitReloadResult *result)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < result->errors->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? " " : "",
                            ((const ZinitConfigError *)result->errors->pdata[i])->name);
  zinit_reload_result_free (result);
  return g_string_free (names, FALSE);
}

/* Only the file that says it is refused; the others come. What runs with it already is not to be broken by
 * the others. */
static void
test_b7_before (void)
{
  Loaded loaded = { .folder = g_dir_make_tmp (NULL, NULL) };
  g_autofree char *refused = NULL, *refused_later = NULL, *refused_at_last = NULL;
  ZinitService *x;

  fake_host_init (&loaded.host);
  loaded.supervisor = zinit_supervisor_new (&fake_host, &loaded.host, loaded.folder);
  write_file (&loaded, "x", SERVICE ("x"));
  write_file (&loaded, "m", SERVICE ("m") REQUIRES ("x"));
  write_file (&loaded, "p", SERVICE ("p") REQUIRES ("m") BEFORE ("x"));
  refused = take_refused (zinit_supervisor_load (loaded.supervisor));
  g_assert_cmpstr (refused, ==, "p");
  fake_host_settle (&loaded.host);
  x = zinit_supervisor_find (loaded.supervisor, "x", NULL);
  g_assert_cmpint (zinit_service_get_status (x)->state, ==, ZINIT_STATE_RUNNING);

  write_file (&loaded, "m", SERVICE ("m"));
  refused_later = take_refused (zinit_supervisor_reload (loaded.supervisor, FALSE, NULL));
  g_assert_cmpstr (refused_later, ==, "");
  write_file (&loaded, "m", SERVICE ("m") REQUIRES ("x"));
  refused_at_last = take_refused (zinit_supervisor_reload (loaded.supervisor, FALSE, NULL));
  g_assert_nonnull (strstr (refused_at_last, "m"));
  g_assert_null (
      zinit_service_get_next_definition (zinit_supervisor_find (loaded.supervisor, "m", NULL))->requires);
  loaded_clear (&loaded);
}

static void
test_b7_add_before (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("x") BY_HAND);
  fixture_add (fixture, SERVICE ("m") BY_HAND REQUIRES ("x"));
  steps_assert_cyclic (fixture, SERVICE ("p") REQUIRES ("m") BEFORE ("x"),
                       "dependencies.before closes a cycle: x → p → m → x");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/B4/before", test_b4_before);
  fixture_add_test ("/rules/B4/holds-nothing", test_b4_holds_nothing);
  fixture_add_test ("/rules/B4/start-called-off", test_b4_start_called_off);
  fixture_add_test ("/rules/B6/blocked-itself", test_b6_blocked_itself);
  fixture_add_test ("/rules/B6/removed", test_b6_removed);
  g_test_add_func ("/rules/B7/before", test_b7_before);
  fixture_add_test ("/rules/B7/add-before", test_b7_add_before);
  fixture_add_test ("/rules/C7/before", test_c7_before);
  fixture_add_test ("/rules/C7/shutdown-before", test_c7_shutdown_before);
  return g_test_run ();
}
