/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules G1 and G4: which process is the service. What a service has started and what somebody else has tagged
 * is not, whatever files of the run-time folder are lost.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

#define NOBODY "65534"
#define WRONG_INSTANCE "ffffffffffffffffffffffffffffffff"

/* The instance that the run-time folder names now. Transfer full. */
static char *
read_instance (Harness *h)
{
  g_autofree char *path = survival_path (h, "instance");
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpuint (strcspn (text, " "), ==, 32);
  g_assert_cmpuint (strspn (text, "0123456789abcdef"), ==, 32);
  return g_strndup (text, 32);
}

/* Of a word "NAME=…" in the environment of @pid. Transfer full. */
static char *
read_tag (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/environ", (int)pid);
  g_autofree char *text = NULL;
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  gsize length = 0, name_length = strlen (name);

  /* The kernel shows the environment of a new process a little later than the process. */
  for (; length == 0; g_usleep (1000)) {
    g_clear_pointer (&text, g_free);
    g_assert_true (g_file_get_contents (path, &text, &length, NULL));
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
  for (const char *item = text; item < text + length; item += strlen (item) + 1)
    if (strncmp (item, name, name_length) == 0 && item[name_length] == '=')
      return g_strdup (item + name_length + 1);
  return NULL;
}

static void
end (pid_t pid)
{
  int status;

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  /* Nobody else has ended it before. */
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* Waits until the name of @pid's program is @name: it has executed it. */
static void
wait_executed (pid_t pid, const char *name)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *actual = processes_status_field (pid, "Name");

    if (g_strcmp0 (actual, name) == 0)
      return;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* A process in a session of its own that says it is of @service, and that @is_main. @user NULL: the test's
 * own; @program is what it executes. */
static pid_t
forge (Harness *h, const char *service, const char *instance, const char *user, const char *program,
       gboolean is_main)
{
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new ();
  /* With the mark of the run, so that the guard ends it should the test fail. */
  g_auto (GStrv) words = NULL, environment = g_strdupv (h->environment);
  g_autofree char *name = g_path_get_basename (program);
  g_autofree char *folder = realpath (h->runtime_dir, NULL);
  g_autoptr (GError) error = NULL;
  GPid pid;

  if (user != NULL)
    g_strv_builder_add_many (argv, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", NULL);
  g_strv_builder_add_many (argv, "setsid", "sh", "-c", is_main ? "ZINIT_PID=$$ exec \"$@\"" : "exec \"$@\"",
                           "sh", program, "wait", NULL);
  words = g_strv_builder_end (argv);
  environment = g_environ_setenv (environment, "ZINIT_INSTANCE", instance, TRUE);
  environment = g_environ_setenv (environment, "ZINIT_SERVICE", service, TRUE);
  environment = g_environ_setenv (environment, "ZINIT_RUN", "1000", TRUE);
  environment = g_environ_setenv (environment, "ZINIT_PID", "0", TRUE);
  environment = g_environ_setenv (environment, "ZINIT_FOLDER", folder, TRUE);
  g_spawn_async (NULL, words, environment,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                     G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  wait_executed (pid, name);
  return pid;
}

typedef struct {
  const char *name;
  const char *user; /* who forges; NULL = root */
  gboolean knows_instance;
  gboolean is_setuid;
} Forger;

static const Forger forgers[] = {
  { "other-user", NOBODY, TRUE, FALSE },
  { "setuid-program", NOBODY, TRUE, TRUE },
  { "wrong-instance", NULL, FALSE, FALSE },
};

/* Root's services: one runs, one was stopped by a request, one never ran. */
static const char *const targets[] = { "up", "stopped", "never" };

/* What an attack may have made the daemon forget. */
static const char *const losses[] = { "", "state.json state.json.old", "state.json state.json.old records",
                                      "state.json state.json.old records instance" };

/* The test's child, once more, belonging to root with the bit that makes it run as root. Transfer full. */
static char *
copy_child (Harness *h, gboolean is_setuid)
{
  g_autofree char *bytes = NULL;
  char *path = harness_path (h, "forger");
  gsize length;

  g_assert_true (g_file_get_contents (harness_child (), &bytes, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (path, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_assert_cmpint (g_chmod (path, is_setuid ? 04755 : 0755), ==, 0);
  return path;
}

/* The services, and the instance that nobody can read in the tags of its own one. Transfer full. */
static char *
start_targets (Harness *h)
{
  char *instance;

  harness_service (h, "nobodys", "wait", "user = \"nobody\"\n");
  harness_service (h, "up", "wait", "[lifecycle]\nrestart_delay_ms = 5\nstability_period_ms = 3600000\n");
  harness_service (h, "stopped", "wait", "");
  harness_service (h, "never", "wait", "status = \"stop\"\n");
  survival_start (h);
  client_wait_state (h->client, "nobodys", "running");
  client_wait_state (h->client, "up", "running");
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  instance = read_tag ((pid_t)client_get_pid (h->client, "nobodys"), "ZINIT_INSTANCE");
  g_assert_nonnull (instance);
  return instance;
}

static void
lose (Harness *h, const char *names)
{
  g_auto (GStrv) words = g_strsplit (names, " ", -1);

  for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
    g_autofree char *path = survival_path (h, words[i]);

    g_unlink (path);
  }
}

/* None of them is a service, and none was signalled. */
static void
check_not_taken (Harness *h, const pid_t *forged)
{
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    guint32 pid = client_get_pid (h->client, targets[i]);

    for (guint j = 0; j < G_N_ELEMENTS (targets); j++)
      g_assert_cmpuint (pid, !=, (guint32)forged[j]);
    g_assert_true (processes_is_alive (forged[i]));
  }
}

static void
test_forged (gconstpointer data)
{
  const Forger *forger = data;
  g_autoptr (Harness) h = NULL;
  g_autofree char *program = NULL, *instance = NULL;
  pid_t forged[G_N_ELEMENTS (targets)];
  guint32 up;

  if (geteuid () != 0) {
    g_test_skip ("only root can be impersonated by another user");
    return;
  }
  h = harness_new ();
  program = copy_child (h, forger->is_setuid);
  instance = start_targets (h);
  up = client_get_pid (h->client, "up");
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    forged[i] = forge (h, targets[i], forger->knows_instance ? instance : WRONG_INSTANCE, forger->user,
                       program, TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (losses); i++) {
    /* Root's word is enough to name an instance where all others are lost. */
    if (forger->user == NULL && strstr (losses[i], "instance") != NULL)
      continue;
    g_test_message ("without %s", losses[i]);
    survival_crash (h);
    lose (h, losses[i]);
    survival_start (h);
    client_wait_state (h->client, "up", "running");
    g_assert_cmpuint (client_get_pid (h->client, "up"), ==, up);
    check_not_taken (h, forged);
    if (i == 0) {
      assert_property (h->client, "stopped", "WantedStatus", "stop");
      assert_property (h->client, "stopped", "Pid", "0");
    }
    assert_property (h->client, "never", "Pid", "0");
  }

  /* It is gone, and a new one is started beside the forgery. */
  survival_crash (h);
  end ((pid_t)up);
  survival_start (h);
  client_wait_state (h->client, "up", "running");
  g_assert_cmpuint (client_get_pid (h->client, "up"), !=, up);
  check_not_taken (h, forged);
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    end (forged[i]);
}

/* Who does not supervise cannot read it. */
static void
test_secret (void)
{
  g_autoptr (Harness) h = NULL;
  g_autofree char *path = NULL;
  const char *argv[] = { "setpriv", "--reuid", NOBODY, "--clear-groups", "cat", NULL, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL, *instance = NULL, *first = NULL;
  g_autofree char *state = NULL, *records = NULL, *old = NULL;
  struct stat status;
  guint32 other;
  int code;

  if (geteuid () != 0) {
    g_test_skip ("only root can be another user");
    return;
  }
  h = harness_new ();
  harness_service (h, "web", "wait", "");
  harness_write (h, "other.toml", "[service]\nexec = \"sleep 1000\"\nuser = \"" NOBODY "\"\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  client_wait_state (h->client, "other", "running");
  argv[5] = path = survival_path (h, "instance");
  g_assert_cmpint (lstat (path, &status), ==, 0);
  g_assert_true (S_ISREG (status.st_mode));
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (status.st_uid, ==, 0);
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                &output, NULL, &code, &error);
  g_assert_no_error (error);
  g_assert_cmpint (code, !=, 0);
  g_assert_cmpstr (output, ==, "");
  /* Nor from a service of its own. */
  instance = read_instance (h);
  first = read_tag ((pid_t)client_get_pid (h->client, "other"), "ZINIT_INSTANCE");
  g_assert_cmpuint (strlen (first), ==, 32);
  g_assert_cmpstr (first, !=, instance);
  /* It serves its purpose all the same, also when there is nothing else to go by. */
  other = client_get_pid (h->client, "other");
  survival_crash (h);
  state = survival_path (h, "state.json");
  records = survival_path (h, "records");
  g_assert_true (unlink (state) == 0 || errno == ENOENT);
  g_assert_true (unlink (records) == 0 || errno == ENOENT);
  old = survival_path (h, "state.json.old");
  g_assert_true (unlink (old) == 0 || errno == ENOENT);
  survival_start (h);
  g_assert_cmpuint (client_get_pid (h->client, "other"), ==, other);
}

/* The same over everything but the end of the life, and then another one. */
static void
test_instance (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *first = NULL, *now = NULL, *tag = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  harness_service (h, "web", "wait", "");
  for (guint life = 0; life < 3; life++) {
    survival_start (h);
    client_wait_state (h->client, "web", "running");
    g_clear_pointer (&first, g_free);
    first = read_instance (h);
    g_assert_true (g_hash_table_add (seen, g_strdup (first)));
    g_clear_pointer (&tag, g_free);
    tag = read_tag ((pid_t)client_get_pid (h->client, "web"), "ZINIT_INSTANCE");
    g_assert_cmpstr (tag, ==, first);

    survival_start_again (h);
    g_clear_pointer (&now, g_free);
    now = read_instance (h);
    g_assert_cmpstr (now, ==, first);
    harness_reexecute (h);
    g_clear_pointer (&now, g_free);
    now = read_instance (h);
    g_assert_cmpstr (now, ==, first);
    g_variant_unref (client_ok (h->client, "PrepareRestart", "(" NO_OPTIONS ",)"));
    harness_wait_exit (h);
    survival_start (h);
    g_clear_pointer (&now, g_free);
    now = read_instance (h);
    g_assert_cmpstr (now, ==, first);

    g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
    g_assert_cmpint (harness_wait_exit (h), ==, 0);
  }
}

/* The pid in the stamp number @i. */
static pid_t
stamped_pid (Harness *h, guint i)
{
  g_auto (GStrv) lines = harness_wait_lines (h, "stamps", i + 1);
  g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

  return (pid_t)g_ascii_strtoll (words[2], NULL, 10);
}

/* web, and a process that it puts into a session of its own; only that one stamps. Returns its pid. */
static pid_t
start_with_other (Harness *h)
{
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders =
      g_strdup_printf ("fork-session term-stamp %s stamp %s wait -- wait", stamps, stamps);

  harness_service (h, "web", orders, "[lifecycle]\nrestart_delay_ms = 5\nstability_period_ms = 3600000\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  return stamped_pid (h, 0);
}

static void
end_non_child (pid_t pid)
{
  kill (pid, SIGKILL);
  g_assert_true (processes_wait_end (pid, CLIENT_PATIENCE_SECONDS));
}

/* The main process is killed with the daemon: what it had put into a session is not the service, and is
 * stopped before the service is started again. */
static void
test_survivor (void)
{
  static const char *const words[] = { "start ", "term ", "end ", "start " };
  g_autoptr (Harness) h = harness_new ();
  pid_t other = start_with_other (h), main_pid = (pid_t)client_get_pid (h->client, "web");
  g_auto (GStrv) lines = NULL;

  survival_crash (h);
  end (main_pid);
  survival_start (h);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)main_pid);
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)other);
  g_assert_false (processes_is_alive (other));
  lines = harness_wait_lines (h, "stamps", G_N_ELEMENTS (words));
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_true (g_str_has_prefix (lines[i], words[i]));
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  end_non_child (stamped_pid (h, 3));
}

/* What has the tags of a life that was shut down is nobody's in the next one. Of what the service started
 * itself nothing is left. */
static void
test_next_life (void)
{
  g_autoptr (Harness) h = harness_new ();
  pid_t other = start_with_other (h), forged;
  g_autofree char *instance = read_instance (h);

  forged = forge (h, "web", instance, NULL, harness_child (), FALSE);
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  g_assert_false (processes_is_alive (other));
  g_assert_true (processes_is_alive (forged));
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  assert_property (h->client, "web", "RestartCount", "0");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, (guint32)forged);
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  g_assert_true (processes_is_alive (forged));
  /* Nobody has asked it to end. */
  end (forged);
  end_non_child (stamped_pid (h, 1));
}

int
main (int argc, char **argv)
{
  /* What a killed daemon leaves is reaped here, and when the test says so. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  harness_init (&argc, &argv);
  g_test_add_func ("/rules/G1/survivor", test_survivor);
  g_test_add_func ("/rules/G1/next-life", test_next_life);
  for (gsize i = 0; i < G_N_ELEMENTS (forgers); i++) {
    g_autofree char *path = g_strdup_printf ("/rules/G4/%s", forgers[i].name);

    g_test_add_data_func (path, &forgers[i], test_forged);
  }
  g_test_add_func ("/rules/G4/secret", test_secret);
  g_test_add_func ("/rules/G4/instance", test_instance);
  return g_test_run ();
}
