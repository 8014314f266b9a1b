/* SPDX-License-Identifier: Apache-2.0
 *
 * Process numbers that are given out again while no daemon runs: the number that the state file knows is
 * another process by now. That process is neither adopted nor signalled, and the service is started all the
 * same. In a pid namespace, where nobody else takes numbers.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

static char why_not[256]; /* empty = we are in a namespace */

/* Process 1 of the namespace: reaps until nobody is left, the guard included. */
static void
reap_all (pid_t test)
{
  int code = 1, status;
  pid_t pid;

  while ((pid = waitpid (-1, &status, 0)) > 0 || errno == EINTR)
    if (pid == test)
      code = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  _exit (code);
}

/* Returns in the test's process alone. */
static void
enter_namespace (void)
{
  pid_t pid;
  int status;

  if (geteuid () != 0 || unshare (CLONE_NEWPID | CLONE_NEWNS) != 0) {
    g_snprintf (why_not, sizeof why_not, "no pid namespace: %s",
                g_strerror (geteuid () != 0 ? EPERM : errno));
    return;
  }
  pid = fork ();
  if (pid > 0) {
    while (waitpid (pid, &status, 0) < 0)
      g_assert_cmpint (errno, ==, EINTR);
    _exit (WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
  }
  g_assert_cmpint (pid, ==, 0);
  /* Nothing of the namespace outlives its process 1. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  g_assert_cmpint (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
  g_assert_cmpint (mount ("proc", "/proc", "proc", 0, NULL), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    reap_all (pid);
}

static gboolean
is_in_namespace (void)
{
  if (why_not[0] != '\0')
    g_test_skip (why_not);
  return why_not[0] == '\0';
}

/* The next process that anybody makes has this number. */
static void
let_next_pid_be (pid_t pid)
{
  g_autofree char *text = g_strdup_printf ("%d", (int)pid - 1);
  int fd = open ("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (write (fd, text, strlen (text)) > 0);
  close (fd);
}

/* Ends the process, and waits until nothing has its number. */
static void
end_and_reap (pid_t pid)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while (!processes_is_reaped (pid)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* A process of ours with this very number, that leads a session and executes @argv with no mark in its
 * environment. */
static void
run_as (pid_t pid, char **argv)
{
  char *no_environment[] = { NULL };
  pid_t child;

  let_next_pid_be (pid);
  child = fork ();
  if (child == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    setsid ();
    execve (argv[0], argv, no_environment);
    _exit (127);
  }
  g_assert_cmpint (child, ==, pid);
}

/* Until it executes what it was made for. */
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

static pid_t
start_and_save (Harness *h, const char *service)
{
  client_wait_state (h->client, service, "running");
  survival_wait_saved (h, service, "state", "\"running\"");
  return (pid_t)client_get_pid (h->client, service);
}

/* The service runs once, as another process, and it can be stopped; @other does not notice anything of it. */
static void
check_started_anew (Harness *h, const char *service, pid_t other)
{
  pid_t now;

  client_wait_property (h->client, service, "RestartCount", "1");
  client_wait_state (h->client, service, "running");
  now = (pid_t)client_get_pid (h->client, service);
  g_assert_cmpint (now, !=, other);
  g_assert_true (processes_is_alive (now));
  g_assert_true (processes_is_alive (other));
  g_variant_unref (client_ok (h->client, "StopService", "('%s', {'wait': <true>})", service));
  g_assert_false (processes_is_alive (now));
  g_assert_true (processes_is_alive (other));
}

/* A program that has nothing to do with it, or the very same program, started by somebody else. */
static void
test_foreign (gconstpointer data)
{
  gboolean is_same_program = GPOINTER_TO_INT (data);
  g_autoptr (Harness) h = NULL;
  char *same[] = { (char *)harness_child (), (char *)"wait", NULL };
  char *different[] = { (char *)"/bin/sleep", (char *)"1000", NULL };
  pid_t pid;
  int status;

  if (!is_in_namespace ())
    return;
  h = harness_new ();
  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 5\n");
  survival_start (h);
  pid = start_and_save (h, "web");
  survival_crash (h);
  end_and_reap (pid);
  run_as (pid, is_same_program ? same : different);
  wait_executed (pid, is_same_program ? "test-child" : "sleep");
  survival_start (h);
  check_started_anew (h, "web", pid);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

/* A process of another service of the same daemon, of the same program: it is that other service's and stays
 * so. */
static void
test_other_service (gconstpointer data)
{
  gboolean has_session = GPOINTER_TO_INT (data);
  g_autoptr (Harness) h = NULL;
  g_autofree char *go = NULL, *stamps = NULL, *orders = NULL;
  pid_t web, other;

  if (!is_in_namespace ())
    return;
  h = harness_new ();
  go = harness_path (h, "go");
  stamps = harness_path (h, "stamps");
  orders = g_strdup_printf ("until %s %s stamp %s wait -- wait", go, has_session ? "fork-session" : "fork",
                            stamps);
  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 5\n");
  harness_service (h, "other", orders, "");
  survival_start (h);
  web = start_and_save (h, "web");
  other = start_and_save (h, "other");
  survival_crash (h);
  end_and_reap (web);
  let_next_pid_be (web);
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  g_strfreev (harness_wait_lines (h, "stamps", 1));
  g_assert_true (processes_is_alive (web));
  survival_start (h);
  check_started_anew (h, "web", web);
  assert_property (h->client, "other", "State", "running");
  assert_property (h->client, "other", "RestartCount", "0");
  g_assert_cmpint ((pid_t)client_get_pid (h->client, "other"), ==, other);
  if (has_session)
    g_assert_cmpint (kill (web, SIGKILL), ==, 0);
}

/* What somebody else runs has the number of a service that was being stopped: the stop is over, and nobody
 * gets the signal of its time-out. */
static void
test_stopping (void)
{
  g_autoptr (Harness) h = NULL;
  char *foreign[] = { (char *)harness_child (), (char *)"wait", NULL };
  pid_t pid;
  int status;

  if (!is_in_namespace ())
    return;
  h = harness_new ();
  harness_service (h, "web", "ignore 15 out ready wait", "[lifecycle]\nstop_timeout_ms = 300\n");
  survival_start (h);
  client_wait_log_lines (h->client, "web", 1);
  pid = start_and_save (h, "web");
  g_variant_unref (client_ok (h->client, "StopService", "('web', " NO_OPTIONS ")"));
  survival_crash (h);
  end_and_reap (pid);
  run_as (pid, foreign);
  wait_executed (pid, "test-child");
  survival_start (h);
  client_wait_property (h->client, "web", "Pid", "0");
  assert_property (h->client, "web", "WantedStatus", "stop");
  g_assert_false (processes_wait_end (pid, 0.8));
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  survival_check_once_each (h, 1);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
}

int
main (int argc, char **argv)
{
  enter_namespace ();
  harness_init (&argc, &argv);
  g_test_add_data_func ("/survival-pids/foreign", GINT_TO_POINTER (FALSE), test_foreign);
  g_test_add_data_func ("/survival-pids/foreign-same-program", GINT_TO_POINTER (TRUE), test_foreign);
  g_test_add_data_func ("/survival-pids/other-service", GINT_TO_POINTER (FALSE), test_other_service);
  g_test_add_data_func ("/survival-pids/other-service-session", GINT_TO_POINTER (TRUE), test_other_service);
  g_test_add_func ("/survival-pids/stopping", test_stopping);
  return g_test_run ();
}
