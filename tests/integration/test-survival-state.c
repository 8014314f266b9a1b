/* SPDX-License-Identifier: Apache-2.0
 *
 * The state file when it is not what it should be, or cannot be written: that never means a clean slate, and
 * it never holds up the supervision.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survival.h"
#include "processes.h"

/* web and app run, `stopped` was stopped by hand; all is saved and the daemon is killed. */
static void
run_and_crash (Harness *h, guint32 *ret_web, guint32 *ret_app)
{
  harness_service (h, "web", "wait", "");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"web\"]\n");
  harness_service (h, "stopped", "wait", "");
  survival_start (h);
  client_wait_state (h->client, "app", "running");
  *ret_web = client_get_pid (h->client, "web");
  *ret_app = client_get_pid (h->client, "app");
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  survival_wait_saved (h, "stopped", "state", "\"exited\"");
  survival_wait_saved (h, "app", "state", "\"running\"");
  survival_crash (h);
}

/* Both are the processes that they were, watched again, and there is nothing beside them. */
static void
check_adopted (Harness *h, guint32 web, guint32 app, guint services)
{
  assert_property (h->client, "web", "State", "running");
  assert_property (h->client, "app", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, web);
  g_assert_cmpuint (client_get_pid (h->client, "app"), ==, app);
  if (services == 3)
    client_wait_state (h->client, "stopped", "running");
  survival_check_once_each (h, services);
  client_set_mark (h->client);
  g_assert_cmpint (kill ((pid_t)app, SIGKILL), ==, 0);
  g_variant_unref (client_wait_transition (h->client, "app", "running", NULL));
}

typedef struct {
  const char *what;
  const char *text; /* NULL = see change() */
  gssize length;
} Ruin;

/* What was there, cut in two. */
static void
cut (const char *path)
{
  struct stat status;

  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (truncate (path, status.st_size / 2), ==, 0);
}

/* A file that cannot be used is renamed aside, and what the tags find alive is adopted. The rest is in the
 * records, with or without the file before it. */
static void
test_refused (void)
{
  static const Ruin ruins[] = {
    { "empty", "", 0 },
    { "garbage", "\377\376\000\001garbage{{{", 13 },
    { "not an object", "[1, 2]", 6 },
    { "deep", "{\"version\": 1, \"x\": [[[[[[[[[[[[", 32 },
    { "half written", NULL, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ruins); i++) {
    g_autoptr (Harness) h = harness_new ();
    g_autofree char *path = survival_path (h, "state.json");
    g_autofree char *aside = survival_path (h, "state.json.refused");
    g_autofree char *old = survival_path (h, "state.json.old");
    g_autofree char *kept = NULL;
    gboolean has_old = i % 2 == 0;
    guint32 web, app;

    g_test_message ("%s", ruins[i].what);
    run_and_crash (h, &web, &app);
    if (!has_old)
      g_assert_true (unlink (old) == 0 || errno == ENOENT);
    if (ruins[i].text != NULL)
      g_assert_true (g_file_set_contents (path, ruins[i].text, ruins[i].length, NULL));
    else
      cut (path);
    survival_start (h);
    check_adopted (h, web, app, 2);
    g_assert_cmpuint (survival_count_said (h, "the saved state is not used"), ==, 1);
    g_assert_true (g_file_get_contents (aside, &kept, NULL, NULL));
    if (ruins[i].text != NULL)
      g_assert_cmpint (memcmp (kept, ruins[i].text, (gsize)ruins[i].length), ==, 0);
    /* And a good one is there again. */
    survival_wait_saved (h, "web", "state", "\"running\"");
    survival_start_again (h);
    g_assert_cmpuint (client_get_pid (h->client, "web"), ==, web);
    g_assert_cmpuint (survival_count_said (h, "the saved state is not used"), ==, 1);
  }
}

/* Whoever wrote it could have said that any process is a service of ours. */
static void
test_other_user (void)
{
  g_autoptr (Harness) h = NULL;
  g_autofree char *state = NULL;
  g_autofree char *aside = NULL;
  guint32 web, app;

  if (geteuid () != 0) {
    g_test_skip ("only root can give a file away");
    return;
  }
  h = harness_new ();
  state = survival_path (h, "state.json");
  aside = survival_path (h, "state.json.refused");
  run_and_crash (h, &web, &app);
  g_assert_cmpint (chown (state, 12345, 12345), ==, 0);
  survival_start (h);
  check_adopted (h, web, app, 2);
  g_assert_cmpuint (survival_count_said (h, "belongs to user 12345; only files of user 0 are allowed"), ==,
                    1);
  g_assert_true (g_file_test (aside, G_FILE_TEST_IS_REGULAR));
}

static void
test_other_version (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *aside = survival_path (h, "state.json.refused");
  guint32 web, app;

  run_and_crash (h, &web, &app);
  survival_edit_state (h, "\"version\": 1,", "\"version\": 2,");
  survival_start (h);
  check_adopted (h, web, app, 2);
  g_assert_true (g_file_test (aside, G_FILE_TEST_IS_REGULAR));
  g_assert_cmpuint (survival_count_said (h, "version: 2 is not known"), ==, 1);
}

/* Neither a folder nor a link in its place stops the start, and the link's target is not touched. */
static void
test_not_a_file (void)
{
  for (int i = 0; i < 2; i++) {
    g_autoptr (Harness) h = harness_new ();
    g_autofree char *path = survival_path (h, "state.json");
    g_autofree char *target = harness_path (h, "target");
    g_autofree char *text = NULL;
    guint32 web, app;

    run_and_crash (h, &web, &app);
    g_assert_cmpint (unlink (path), ==, 0);
    g_assert_true (g_file_set_contents (target, "precious", -1, NULL));
    g_assert_cmpint (i == 0 ? mkdir (path, 0700) : symlink (target, path), ==, 0);
    survival_start (h);
    check_adopted (h, web, app, 2);
    survival_wait_saved (h, "web", "state", "\"running\"");
    g_assert_true (g_file_get_contents (target, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "precious");
  }
}

/* No file at all: the records are enough. */
static void
test_missing (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = survival_path (h, "state.json");
  guint32 web, app;

  run_and_crash (h, &web, &app);
  g_assert_cmpint (unlink (path), ==, 0);
  survival_start (h);
  check_adopted (h, web, app, 2);
}

static void
wait_for_two (Harness *h, const char *service)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autoptr (GArray) pids = harness_service_pids (h, service);

    if (pids->len == 2)
      return;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* They are not the service's to stop. */
static void
kill_all_but (Harness *h, const char *service, pid_t pid)
{
  g_autoptr (GArray) pids = harness_service_pids (h, service);

  for (guint i = 0; i < pids->len; i++)
    if (g_array_index (pids, pid_t, i) != pid)
      kill (g_array_index (pids, pid_t, i), SIGKILL);
}

/* What a service has put into a session of its own has its marks, and is not the service. */
static void
test_missing_with_sessions (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *orders =
      g_strdup_printf ("/bin/sh -c 'setsid %s wait & exec %s wait'", harness_child (), harness_child ());
  guint32 pids[8];

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *file = g_strdup_printf ("s%u.toml", i);

    harness_write (h, file, "[service]\nexec = \"%s\"\n", orders);
  }
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    client_wait_state (h->client, name, "running");
    pids[i] = client_get_pid (h->client, name);
    wait_for_two (h, name);
  }
  survival_crash (h);
  g_assert_true (unlink (state) == 0 || errno == ENOENT);
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    g_assert_cmpuint (client_get_pid (h->client, name), ==, pids[i]);
    kill_all_but (h, name, (pid_t)pids[i]);
  }
}

/* Nor does the folder have to be called by the same name, as /var/run is /run. */
static void
test_other_name (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *alias = harness_path (h, "alias");
  const char *const options[] = { "--no-bus", "--runtime-dir", alias, NULL };
  guint32 web, app;

  run_and_crash (h, &web, &app);
  g_assert_cmpint (unlink (state), ==, 0);
  g_assert_cmpint (symlink ("run", alias), ==, 0);
  harness_start_with (h, options);
  check_adopted (h, web, app, 2);
}

/* Of this boot it holds at any age, and a clock that somebody sets says nothing of its age. */
static void
test_old (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *aside = survival_path (h, "state.json.refused");
  guint32 web, app;

  run_and_crash (h, &web, &app);
  survival_age_state (h, 1000000);
  survival_edit_state (h, "\"saved_boottime\": ", "\"saved_boottime\": 0, \"was\": ");
  survival_start (h);
  check_adopted (h, web, app, 2);
  g_assert_false (g_file_test (aside, G_FILE_TEST_EXISTS));
}

/* One of another writer is too old to be believed then; what it can prove is adopted all the same. */
static void
test_stale (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *aside = survival_path (h, "state.json.refused");
  guint32 web, app;

  run_and_crash (h, &web, &app);
  survival_age_state (h, 1000000);
  survival_edit_state (h, "\"boot_id\": ", "\"other_boot_id\": ");
  survival_edit_state (h, "\"instance\": ", "\"other_instance\": ");
  survival_edit_state (h, "\"saved_boottime\": ", "\"other_boottime\": ");
  survival_start (h);
  check_adopted (h, web, app, 3);
  g_assert_true (g_file_test (aside, G_FILE_TEST_IS_REGULAR));
  g_assert_cmpuint (survival_count_said (h, "ms old; at most 300000 ms are allowed"), ==, 1);
}

typedef struct {
  const char *from;
  const char *to;
} Edit;

/* Of the machine, or of a container, whose first process has started at another time. */
static const Edit other_boot = { "\"boot_id\": \"", "\"boot_id\": \"00000000" };
static const Edit other_container = { "\"init_start_ticks\": ", "\"init_start_ticks\": 1" };

/* Before the machine was started: everything in the file is dead, whatever runs under its numbers now. */
static void
test_other_boot (gconstpointer data)
{
  const Edit *edit = data;
  g_autoptr (Harness) h = harness_new ();
  guint32 web, app;

  run_and_crash (h, &web, &app);
  survival_edit_state (h, edit->from, edit->to);
  /* After a real reboot they would not be there. */
  kill ((pid_t)web, SIGKILL);
  kill ((pid_t)app, SIGKILL);
  g_assert_true (processes_wait_end ((pid_t)web, CLIENT_PATIENCE_SECONDS));
  g_assert_true (processes_wait_end ((pid_t)app, CLIENT_PATIENCE_SECONDS));
  survival_start (h);
  client_wait_state (h->client, "app", "running");
  client_wait_state (h->client, "stopped", "running");
  assert_property (h->client, "web", "RestartCount", "0");
  assert_property (h->client, "web", "LastExit", "('none', 0)");
  g_assert_cmpuint (survival_count_said (h, "from before this machine or container was started"), ==, 1);
  survival_check_once_each (h, 3);
}

/* A number that is another process's by now: that one is left alone, and the service's own, which the file
 * does not know, is found by its mark. */
static void
test_wrong_number (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *from = NULL, *to = NULL;
  guint32 web, app;

  run_and_crash (h, &web, &app);
  from = g_strdup_printf ("\"pid\": %u,", web);
  to = g_strdup_printf ("\"pid\": %d,", (int)getpid ());
  survival_edit_state (h, from, to);
  /* As if it had been written before the process was started. */
  survival_age_state (h, 100000);
  survival_start (h);
  check_adopted (h, web, app, 2);
  assert_property (h->client, "stopped", "WantedStatus", "stop");
}

/* Somebody has laid a link where the temporary file will be: it is not followed. */
static void
test_link_in_place_of_temporary (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *temporary = survival_path (h, "state.json.tmp");
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *target = harness_path (h, "target");
  g_autofree char *text = NULL;
  struct stat status;

  g_assert_true (g_file_set_contents (target, "precious", -1, NULL));
  g_assert_cmpint (symlink (target, temporary), ==, 0);
  harness_service (h, "web", "wait", "");
  survival_start (h);
  survival_wait_saved (h, "web", "state", "\"running\"");
  g_assert_true (g_file_get_contents (target, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
  g_assert_cmpint (lstat (temporary, &status), !=, 0);
  g_assert_cmpint (lstat (state, &status), ==, 0);
  g_assert_true (S_ISREG (status.st_mode));
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
}

/* At @path a folder with something in it, and so wherever it could be put aside. */
static void
put_in_the_way (const char *path)
{
  for (int i = 0; i <= 10; i++) {
    g_autofree char *place = i == 0   ? g_strdup (path)
                             : i == 1 ? g_strdup_printf ("%s.refused", path)
                                      : g_strdup_printf ("%s.refused.%d", path, i);
    g_autofree char *inside = g_build_filename (place, "inside", NULL);

    g_assert_cmpint (g_mkdir_with_parents (inside, 0700), ==, 0);
  }
}

/* It cannot be written (a folder is in the way, which not even root gets past): said once, tried again, and
 * everything else goes on. */
static void
test_unwritable (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *temporary = survival_path (h, "state.json.tmp");
  g_autofree char *inside = g_build_filename (temporary, "inside", NULL);

  put_in_the_way (temporary);
  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 10\n");
  harness_service (h, "crash", "exit 1", "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 200\n");
  survival_start (h);
  for (int i = 1; i <= 3; i++) {
    g_autofree char *count = g_strdup_printf ("%d", i);

    client_wait_state (h->client, "web", "running");
    g_assert_cmpint (kill ((pid_t)client_get_pid (h->client, "web"), SIGKILL), ==, 0);
    client_wait_property (h->client, "web", "RestartCount", count);
  }
  client_wait_property (h->client, "crash", "RestartCount", "7");
  g_assert_false (g_file_test (state, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (survival_count_said (h, "the state is not written"), ==, 1);
  g_assert_cmpuint (survival_count_said (h, "state.json.tmp"), ==, 1);
  g_variant_unref (client_ok (h->client, "StopService", "('crash', {'wait': <true>})"));

  /* Nothing changes any more, and still it is written once it can be. */
  g_assert_cmpint (rmdir (inside), ==, 0);
  /* The daemon may be quicker, and write its own file there. */
  g_assert_true (rmdir (temporary) == 0 || errno == ENOENT || errno == ENOTDIR);
  survival_wait_saved (h, "crash", "wanted_status", "\"stop\"");
  survival_wait_said (h, "the state can be written again", 1);
  survival_start_again (h);
  assert_property (h->client, "web", "State", "running");
  survival_check_once_each (h, 1);
}

/* At an orderly end there is nothing to be restored. */
static void
test_removed_at_shutdown (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *state = survival_path (h, "state.json");
  g_autofree char *old = survival_path (h, "state.json.old");

  harness_service (h, "web", "wait", "");
  survival_start (h);
  survival_wait_saved (h, "web", "state", "\"running\"");
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  survival_wait_saved (h, "web", "state", "\"exited\"");
  g_assert_true (g_file_test (old, G_FILE_TEST_EXISTS));
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  g_assert_false (g_file_test (state, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (old, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/survival-state/refused", test_refused);
  g_test_add_func ("/survival-state/other-user", test_other_user);
  g_test_add_func ("/survival-state/other-version", test_other_version);
  g_test_add_func ("/survival-state/not-a-file", test_not_a_file);
  g_test_add_func ("/survival-state/missing", test_missing);
  g_test_add_func ("/survival-state/missing-with-sessions", test_missing_with_sessions);
  g_test_add_func ("/survival-state/other-name", test_other_name);
  g_test_add_func ("/survival-state/old", test_old);
  g_test_add_func ("/survival-state/stale", test_stale);
  g_test_add_data_func ("/survival-state/other-boot", &other_boot, test_other_boot);
  g_test_add_data_func ("/survival-state/other-container", &other_container, test_other_boot);
  g_test_add_func ("/survival-state/wrong-number", test_wrong_number);
  g_test_add_func ("/survival-state/link-in-place-of-temporary", test_link_in_place_of_temporary);
  g_test_add_func ("/survival-state/unwritable", test_unwritable);
  g_test_add_func ("/survival-state/removed-at-shutdown", test_removed_at_shutdown);
  return g_test_run ();
}
