/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service finds when it starts, how a start that fails is reported, and that neither leaves anything
 * behind.
 */
#include "process-harness.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/error.h"
#include "process/private.h"
#include "zinit-config.h"

#if HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

static void
test_exit (Fixture *fixture, gconstpointer unused)
{
  static const int codes[] = { 0, 1, 3, 127, 255 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autofree char *exec = g_strdup_printf ("exit %d", codes[i]);
    g_auto (Service) service = { 0 };

    run (fixture, &service, exec);
    assert_end (&service, ZINIT_EXIT_EXITED, codes[i]);
  }
}

static void
assert_refused (Fixture *fixture, const ZinitDefinition *definition, const char *message)
{
  g_auto (Service) service = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (start_definition (fixture, &service, definition, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_refused (Fixture *fixture, gconstpointer unused)
{
  guint n_before = count_descriptors ();
  const struct {
    ZinitDefinition definition;
    const char *message;
  } cases[] = {
    { { .exec = (char *)"/usr/bin/nope x" }, "exec /usr/bin/nope: No such file or directory" },
    { { .exec = (char *)"zinit-nope x" }, "exec zinit-nope: No such file or directory" },
    { { .exec = (char *)"/etc/passwd" }, "exec /etc/passwd: Permission denied" },
    { { .exec = (char *)"/usr" }, "exec /usr: Permission denied" },
    { { .exec = (char *)"sleep 1", .dir = (char *)"/nope" }, "chdir /nope: No such file or directory" },
    { { .exec = (char *)"sleep 1", .dir = (char *)"/etc/passwd" }, "chdir /etc/passwd: Not a directory" },
    { { .exec = (char *)"sleep 1", .user = (char *)"nobody2" }, "user nobody2: no such user" },
    { { .exec = (char *)"sleep 1", .user = (char *)"12345" },
      "user 12345: no such user, and no group is given" },
    { { .exec = (char *)"sleep 1", .group = (char *)"nogroup2" }, "group nogroup2: no such group" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (fixture, &cases[i].definition, cases[i].message);
  g_assert_cmpuint (count_descriptors (), ==, n_before);
}

/* A file without "#!" is run as a shell would. */
static void
test_script (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *folder = g_dir_make_tmp ("zinit-process-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "script", NULL);
  g_autofree char *exec = g_strconcat (path, " a 'b c'", NULL);
  g_autofree char *expected = g_strdup_printf ("1:x::%s\n", folder);
  ZinitDefinition relative = { .exec = (char *)"./script x", .dir = folder };
  g_auto (Service) absolute_service = { 0 };
  g_auto (Service) relative_service = { 0 };

  g_assert_true (g_file_set_contents (path, "echo \"$#:$1:$2:$PWD\"\n", -1, NULL));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
  run (fixture, &absolute_service, exec);
  g_assert_true (g_str_has_prefix (said (&absolute_service), "2:a:b c:"));
  run_definition (fixture, &relative_service, &relative);
  g_assert_cmpstr (said (&relative_service), ==, expected);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_remove (folder), ==, 0);
}

static void
test_environment (Fixture *fixture, gconstpointer unused)
{
  char *env[] = { (char *)"A=from definition", (char *)"ZINIT_MARK=not this", NULL };
  ZinitDefinition definition = {
    .exec = (char *)"env", .env = env, .dir = (char *)"/tmp", .inherit_env = TRUE
  };
  g_auto (Service) service = { 0 };
  g_auto (GStrv) lines = NULL;

  run_definition (fixture, &service, &definition);
  lines = g_strsplit (said (&service), "\n", -1);
  g_assert_true (g_strv_contains ((const char *const *)lines, "A=from definition"));
  g_assert_true (g_strv_contains ((const char *const *)lines, "ZINIT_MARK=m"));
  g_assert_true (g_strv_contains ((const char *const *)lines, "PWD=/tmp"));
  g_assert_true (g_strv_contains ((const char *const *)lines, "INHERITED=yes"));
  for (guint i = 0; lines[i] != NULL; i++)
    g_assert_false (g_str_has_prefix (lines[i], "NOTIFY_SOCKET=") || g_str_equal (lines[i], "A=inherited") ||
                    g_str_equal (lines[i], "ZINIT_MARK=not this"));
}

/* Descriptors that nobody marked close-on-exec are not the service's, wherever they are; nor is anything of
 * another service. */
static void
test_descriptors (Fixture *fixture, gconstpointer unused)
{
  int low = fcntl (0, F_DUPFD, 3), high = fcntl (0, F_DUPFD, 700);
  g_auto (Service) service = { 0 };
  g_auto (Service) other = { 0 };
  const char *last;

  g_assert_cmpint (low, >, fixture->processes->spawner.slots[ZINIT_STREAM_STDERR]);
  start (fixture, &other, "sleep 1000");
  run (fixture, &service, "ls -l /proc/self/fd");
  close (low);
  close (high);
  g_assert_nonnull (strstr (said (&service), " 0 -> /dev/null\n"));
  g_assert_nonnull (strstr (said (&service), " 1 -> pipe:["));
  g_assert_nonnull (strstr (said (&service), " 2 -> pipe:["));
  /* The last one is what ls reads the folder with. */
  last = strstr (said (&service), " 3 -> /proc/");
  g_assert_nonnull (last);
  g_assert_cmpstr (strchr (last, '\n'), ==, "\n");
  zinit_process_signal (other.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  WAIT_FOR (fixture, other.n_empty == 1);
}

static guint64
status_mask (const char *status, const char *key)
{
  const char *line = strstr (status, key);

  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen (key), NULL, 16);
}

static void
test_signals (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };

  run (fixture, &service, "cat /proc/self/status");
  g_assert_cmpuint (status_mask (said (&service), "\nSigBlk:\t"), ==, 0);
  g_assert_cmpuint (status_mask (said (&service), "\nSigIgn:\t"), ==, 0);
  g_assert_cmpuint (status_mask (said (&service), "\nSigCgt:\t"), ==, 0);
}

/* The fields of /proc/PID/stat after the name: state, parent, group, session, terminal. */
static void
test_session (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *expected = NULL;
  g_auto (Service) service = { 0 };
  pid_t pid;

  start (fixture, &service, "cat /proc/self/stat");
  pid = zinit_process_get_pid (service.process);
  expected = g_strdup_printf ("%d (cat) R %d %d %d 0 ", pid, getpid (), pid, pid);
  WAIT_FOR (fixture, service.n_empty == 1);
  g_assert_true (g_str_has_prefix (said (&service), expected));
}

static void
test_limit (Fixture *fixture, gconstpointer unused)
{
  struct rlimit own;
  g_auto (Service) service = { 0 };

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &own), ==, 0);
  g_assert_cmpuint (own.rlim_cur, ==, own.rlim_max);
  if (RUNNING_ON_VALGRIND) {
    g_test_skip ("valgrind only pretends to set this limit");
    return;
  }
  run (fixture, &service, "ulimit -Sn");
  g_assert_cmpstr (said (&service), ==, "512\n");
}

static void
test_user (Fixture *fixture, gconstpointer unused)
{
  char *env[] = { (char *)"LOGNAME=mine", NULL };
  ZinitDefinition by_name = { .exec = (char *)"id -u; id -g; id -G; echo $HOME $USER $LOGNAME",
                              .user = (char *)"nobody",
                              .env = env };
  ZinitDefinition by_number = { .exec = (char *)"id -u; id -g; id -G",
                                .user = (char *)"12345",
                                .group = (char *)"54321" };
  ZinitDefinition group_only = { .exec = (char *)"id -u; id -g", .group = (char *)"nogroup" };
  g_autofree char *folder = g_dir_make_tmp ("zinit-process-XXXXXX", NULL); /* for its owner only */
  ZinitDefinition not_its_dir = { .exec = (char *)"sleep 1", .user = (char *)"nobody", .dir = folder };
  g_autofree char *message = g_strdup_printf ("chdir %s: Permission denied", folder);
  g_auto (Service) named = { 0 };
  g_auto (Service) numbered = { 0 };
  g_auto (Service) grouped = { 0 };

  if (geteuid () == 0) {
    run_definition (fixture, &named, &by_name);
    g_assert_cmpstr (said (&named), ==, "65534\n65534\n65534\n/nonexistent nobody mine\n");
    run_definition (fixture, &numbered, &by_number);
    g_assert_cmpstr (said (&numbered), ==, "12345\n54321\n54321\n");
    run_definition (fixture, &grouped, &group_only);
    g_assert_cmpstr (said (&grouped), ==, "0\n65534\n");
    assert_refused (fixture, &not_its_dir, message);
  } else {
    assert_refused (fixture, &by_name, "groups nobody: Operation not permitted");
  }
  g_assert_cmpint (g_remove (folder), ==, 0);
}

static void
test_groups (Fixture *fixture, gconstpointer unused)
{
  char *groups[] = { (char *)"54321", (char *)"daemon", NULL };
  char *wrong[] = { (char *)"54321", (char *)"nogroup2", NULL };
  ZinitDefinition of_user = { .exec = (char *)"id -G", .user = (char *)"nobody", .groups = groups };
  ZinitDefinition of_daemon = { .exec = (char *)"id -G", .groups = groups };
  ZinitDefinition unknown = { .exec = (char *)"id -G", .groups = wrong };
  g_auto (Service) users = { 0 };
  g_auto (Service) daemons = { 0 };

  assert_refused (fixture, &unknown, "groups nogroup2: no such group");
  if (geteuid () != 0) {
    assert_refused (fixture, &of_daemon, "groups 54321, daemon: Operation not permitted");
    return;
  }
  run_definition (fixture, &users, &of_user);
  g_assert_cmpstr (said (&users), ==, "65534 1 54321\n");
  run_definition (fixture, &daemons, &of_daemon);
  g_assert_true (g_str_has_prefix (said (&daemons), "0 "));
  g_assert_nonnull (strstr (said (&daemons), " 54321"));
}

static void
test_no_leak (Fixture *fixture, gconstpointer unused)
{
  guint n_before = count_descriptors ();

  for (guint i = 0; i < 200; i++) {
    g_auto (Service) service = { 0 };

    run (fixture, &service, "/bin/true");
    assert_end (&service, ZINIT_EXIT_EXITED, 0);
  }
  g_assert_cmpuint (count_descriptors (), ==, n_before);
}

static guint
count_free_descriptors (void)
{
  int fd = dup (0);
  guint n;

  if (fd < 0)
    return 0;
  n = 1 + count_free_descriptors ();
  close (fd);
  return n;
}

/* However few descriptors are left: the start fails, says so, and gives back what it took. */
static void
test_no_descriptors (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (int));
  ZinitDefinition definition = { .exec = (char *)"sleep 1000" };
  guint n_before = count_descriptors ();
  gboolean has_started = FALSE;
  struct rlimit own, small;
  guint n_refused;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &own), ==, 0);
  small = (struct rlimit){ 100, own.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &small), ==, 0);
  for (int fd = dup (0); fd >= 0; fd = dup (0))
    g_array_append_val (taken, fd);
  for (n_refused = 0; !has_started; n_refused++) {
    g_auto (Service) service = { 0 };
    g_autoptr (GError) error = NULL;

    has_started = start_definition (fixture, &service, &definition, &error);
    if (has_started) {
      zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
      break;
    }
    g_assert_cmpstr (error->message, ==, "no descriptors left (limit 100)");
    g_assert_cmpuint (count_free_descriptors (), ==, n_refused);
    g_assert_cmpint (close (g_array_index (taken, int, taken->len - 1)), ==, 0);
    g_array_set_size (taken, taken->len - 1);
  }
  /* A service needs three below the reserve, which is a quarter of a small limit. */
  g_assert_cmpuint (n_refused, >=, 28);
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &own), ==, 0);
  g_assert_cmpuint (count_descriptors (), ==, n_before);
}

static const ProcessTest tests[] = {
  { "exit", test_exit },
  { "refused", test_refused },
  { "script", test_script },
  { "environment", test_environment },
  { "descriptors", test_descriptors },
  { "signals", test_signals },
  { "session", test_session },
  { "limit", test_limit },
  { "user", test_user },
  { "groups", test_groups },
  { "no-leak", test_no_leak },
  { "no-descriptors", test_no_descriptors },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, tests, G_N_ELEMENTS (tests));
}
