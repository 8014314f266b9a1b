/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service's process finds when it starts: descriptors, signals, session, folder, environment, user.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

/* Runs the child with "report" in its orders and gives its lines. Transfer full. */
static char **
get_report (Harness *h, const char *name, const char *more)
{
  g_autofree char *path = harness_path (h, name);
  g_autofree char *orders = g_strdup_printf ("report %s wait", path);
  g_autofree char *text = NULL;

  harness_service (h, name, orders, more);
  if (h->daemon_pid == 0)
    harness_start (h);
  else
    g_free (harness_reload (h));
  client_wait_state (h->client, name, "running");
  text = harness_read_when_there (h, name);
  return g_strsplit (text, "\n", -1);
}

static gboolean
has_line (char **lines, const char *line)
{
  return g_strv_contains ((const char *const *)lines, line);
}

static guint
count_lines (char **lines, const char *prefix)
{
  guint count = 0;

  for (; *lines; lines++)
    count += g_str_has_prefix (*lines, prefix) ? 1 : 0;
  return count;
}

static const char *
find_line (char **lines, const char *prefix)
{
  for (; *lines; lines++) {
    if (g_str_has_prefix (*lines, prefix))
      return *lines + strlen (prefix);
  }
  g_error ("the report has no %s", prefix);
}

static void
test_descriptors (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_auto (GStrv) lines = get_report (h, "web", "");

  g_assert_cmpuint (count_lines (lines, "fd "), ==, 3);
  g_assert_true (has_line (lines, "fd 0 /dev/null"));
  g_assert_true (g_str_has_prefix (find_line (lines, "fd 1 "), "pipe:"));
  g_assert_true (g_str_has_prefix (find_line (lines, "fd 2 "), "pipe:"));
  g_assert_cmpstr (find_line (lines, "fd 1 "), !=, find_line (lines, "fd 2 "));
}

static void
test_signals_and_session (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_auto (GStrv) lines = get_report (h, "web", "");
  guint32 pid = client_get_pid (h->client, "web");
  g_autofree char *sid = g_strdup_printf ("sid %u", pid), *pgrp = g_strdup_printf ("pgrp %u", pid);
  g_autofree char *ppid = g_strdup_printf ("ppid %d", h->daemon_pid), *own = g_strdup_printf ("pid %u", pid);
  struct rlimit limit;
  g_autofree char *nofile = NULL;

  g_assert_cmpuint (count_lines (lines, "blocked "), ==, 0);
  g_assert_cmpuint (count_lines (lines, "disposition "), ==, 0);
  g_assert_true (has_line (lines, own));
  g_assert_true (has_line (lines, sid));
  g_assert_true (has_line (lines, pgrp));
  if (g_getenv ("ZINITD_WRAPPER") == NULL) {
    g_assert_true (has_line (lines, ppid));
    /* What the daemon needs for itself is not handed down. */
    g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
    nofile = g_strdup_printf ("nofile %llu", (unsigned long long)limit.rlim_cur);
    g_assert_true (has_line (lines, nofile));
  }
  g_assert_true (has_line (lines, "umask 022"));
}

static void
test_environment (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_auto (GStrv) lines = NULL;
  g_autofree char *folder = NULL;
  const char *instance;

  harness_setenv (h, "FROM_OUTSIDE", "inherited");
  harness_setenv (h, "OVERRIDDEN", "outside");
  lines = get_report (h, "web", "[service.env]\nOVERRIDDEN = \"inside\"\nNEW = \"a b=c\"\nEMPTY = \"\"\n");
  folder = g_strconcat ("env ZINIT_FOLDER=", h->runtime_dir, NULL);
  g_assert_true (has_line (lines, "env FROM_OUTSIDE=inherited"));
  g_assert_true (has_line (lines, "env OVERRIDDEN=inside"));
  g_assert_cmpuint (count_lines (lines, "env OVERRIDDEN="), ==, 1);
  g_assert_true (has_line (lines, "env NEW=a b=c"));
  g_assert_true (has_line (lines, "env EMPTY="));
  g_assert_true (has_line (lines, "env ZINIT_SERVICE=web"));
  g_assert_true (has_line (lines, "env ZINIT_RUN=1"));
  g_assert_true (has_line (lines, folder));
  instance = find_line (lines, "env ZINIT_INSTANCE=");
  g_assert_cmpuint (strspn (instance, "0123456789abcdef"), ==, 32);
  g_assert_cmpuint (strlen (instance), ==, 32);
  g_assert_cmpint (atoi (find_line (lines, "env ZINIT_PID=")), >, 1);
  /* The daemon's own affair. */
  g_assert_cmpuint (count_lines (lines, "env NOTIFY_SOCKET="), ==, 0);
}

/* The marks are not the service's to choose: adoption after a crash relies on them. */
static void
test_marks_win (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_auto (GStrv) lines = get_report (h, "web", "[service.env]\nZINIT_SERVICE = \"other\"\n");

  g_assert_true (has_line (lines, "env ZINIT_SERVICE=web"));
  g_assert_cmpuint (count_lines (lines, "env ZINIT_SERVICE="), ==, 1);
}

static void
test_folder (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *folder = harness_path (h, "work"), *more = NULL, *cwd = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_cmpint (mkdir (folder, 0755), ==, 0);
  more = g_strdup_printf ("dir = \"%s\"\n", folder);
  cwd = g_strconcat ("cwd ", folder, NULL);
  lines = get_report (h, "web", more);
  g_assert_true (has_line (lines, cwd));
}

/* Where everybody can execute it; the tree may be in a folder of root's alone. Transfer full. */
static char *
copy_child (Harness *h)
{
  char *path = harness_path (h, "child");
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (harness_child (), &bytes, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (path, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_assert_cmpint (chmod (path, 0755), ==, 0);
  return path;
}

/* What root's environment has beside these may be a secret. */
static const char *const roots[] = { "SECRET", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "LC_ALL",
                                     "HOME" };

static void
check_clean_environment (char **lines)
{
  static const char *const allowed[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "OWN" };

  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree char *key = NULL;

    if (!g_str_has_prefix (lines[i], "env ") || g_str_has_prefix (lines[i], "env ZINIT_"))
      continue;
    key = g_strndup (lines[i] + 4, strcspn (lines[i] + 4, "="));
    if (!g_strv_contains (allowed, key))
      g_error ("%s is not for another user", lines[i]);
    g_assert_cmpstr (lines[i] + strlen (key) + 5, !=, "root's");
  }
  g_assert_true (has_line (lines, "env TZ=Asia/Tokyo"));
  g_assert_true (has_line (lines, "env LANG=C.UTF-8"));
  g_assert_cmpuint (count_lines (lines, "env PATH="), ==, 1);
}

static void
test_user (void)
{
  g_autoptr (Harness) h = NULL;
  g_auto (GStrv) by_name = NULL, by_number = NULL;
  struct passwd *nobody = getpwnam ("nobody");
  g_autofree char *uid = NULL, *gid = NULL, *child = NULL;
  g_autofree char *usual_child = g_strdup (harness_child ());

  if (geteuid () != 0 || nobody == NULL) {
    g_test_skip ("needs root and a user nobody");
    return;
  }
  uid = g_strdup_printf ("uid %u %u", nobody->pw_uid, nobody->pw_uid);
  gid = g_strdup_printf ("gid %u %u", nobody->pw_gid, nobody->pw_gid);
  h = harness_new ();
  g_assert_cmpint (chmod (h->directory, 01777), ==, 0);
  child = copy_child (h);
  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    harness_setenv (h, roots[i], "root's");
  harness_setenv (h, "TZ", "Asia/Tokyo");
  harness_setenv (h, "LANG", "C.UTF-8");
  g_setenv ("ZINIT_TEST_CHILD", child, TRUE);
  by_name = get_report (h, "name", "user = \"nobody\"\n[service.env]\nOWN = \"1\"\n");
  g_assert_true (has_line (by_name, uid));
  g_assert_true (has_line (by_name, gid));
  /* None of root's other groups is kept. */
  g_assert_false (has_line (by_name, "group 0"));
  g_assert_true (has_line (by_name, "umask 022"));
  by_number = get_report (h, "number", "user = \"65534\"\ngroup = \"12345\"\n");
  g_assert_true (has_line (by_number, "uid 65534 65534"));
  g_assert_true (has_line (by_number, "gid 12345 12345"));
  check_clean_environment (by_name);
  check_clean_environment (by_number);
  g_assert_true (has_line (by_name, "env USER=nobody"));
  g_assert_true (has_line (by_name, "env OWN=1"));
  g_setenv ("ZINIT_TEST_CHILD", usual_child, TRUE);
}

/* Rule H7: its user opens its output again by name. */
static void
test_reopen (void)
{
  g_autoptr (Harness) h = NULL;

  if (geteuid () != 0 || getpwnam ("nobody") == NULL) {
    g_test_skip ("needs root and a user nobody");
    return;
  }
  h = harness_new ();
  harness_write (h, "again.toml",
                 "[service]\nexec = \"echo one >/dev/stderr && echo two >/proc/self/fd/1\"\n"
                 "user = \"nobody\"\noneshot = true\n");
  harness_start (h);
  client_wait_state (h->client, "again", "exited");
  client_wait_log_lines (h->client, "again", 2);
}

/* The name of the program that the process executes. The kernel lets the daemon go on a moment before a new
 * program has its name. */
static char *
get_program (Harness *h, const char *service)
{
  pid_t pid = (pid_t)client_get_pid (h->client, service);
  g_autofree char *own = processes_status_field (h->daemon_pid, "Name");
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  char *name;

  while (g_strcmp0 (name = processes_status_field (pid, "Name"), own) == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_free (name);
  }
  return name;
}

/* Plain words are executed directly; anything else by /bin/sh, with the same result. */
static void
test_shell (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *plain = NULL, *shell = NULL, *program = g_path_get_basename (harness_child ());
  g_autofree char *logs = NULL;
  g_autoptr (GVariant) reply = NULL;

  harness_service (h, "plain", "out '$HOME' wait", "");
  harness_write (h, "shell.toml",
                 "[service]\nexec = 'X=\"a  b\"; echo \"$X\" $ZINIT_SERVICE; sleep 1000 & wait'\n");
  harness_write (h, "search.toml", "[service]\nexec = \"sleep 1000\"\n");
  harness_start (h);
  client_wait_state (h->client, "plain", "running");
  client_wait_state (h->client, "shell", "running");
  client_wait_state (h->client, "search", "running");
  plain = get_program (h, "plain");
  g_assert_cmpstr (plain, ==, program);
  shell = get_program (h, "shell");
  g_assert_cmpstr (shell, ==, "sh");
  client_wait_log_lines (h->client, "shell", 1);
  reply = client_ok (h->client, "GetLogs", "('shell', " NO_OPTIONS ")");
  logs = g_variant_print (reply, FALSE);
  g_assert_nonnull (strstr (logs, "'a  b shell'"));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/process-contract/descriptors", test_descriptors);
  g_test_add_func ("/process-contract/signals-and-session", test_signals_and_session);
  g_test_add_func ("/process-contract/environment", test_environment);
  g_test_add_func ("/process-contract/marks-win", test_marks_win);
  g_test_add_func ("/process-contract/folder", test_folder);
  g_test_add_func ("/process-contract/user", test_user);
  g_test_add_func ("/process-contract/shell", test_shell);
  g_test_add_func ("/rules/H7/reopen", test_reopen);
  return g_test_run ();
}
