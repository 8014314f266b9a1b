/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule G2: a process is on record before its program runs. So no kill of the daemon, in whichever moment of a
 * start, makes a second one, also of programs that hide their tags.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

#define N_ROUNDS 30
#define N_HIDDEN_ROUNDS 12 /* of two kills each */
#define MAX_DELAY_USEC 100000
#define MAX_START_USEC 40000 /* most are started by then */

static const char *const options[] = { "--no-bus", NULL };

/* A daemon that is killed at most @max_usec after its start. */
static void
launch_and_kill (Harness *h, gint max_usec)
{
  harness_launch (h, options);
  g_usleep ((gulong)g_test_rand_int_range (0, max_usec));
  survival_crash (h);
}

/* A daemon that is killed before it can have saved what it has started. */
static void
launch_and_kill_when_started (Harness *h)
{
  harness_launch (h, options);
  g_strfreev (harness_wait_lines (h, "stamps", 1));
  survival_crash (h);
}

static guint
count_lines (Harness *h, const char *name)
{
  g_autofree char *path = harness_path (h, name);
  g_autofree char *text = NULL;
  guint n_lines = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  for (const char *at = text; (at = strchr (at, '\n')) != NULL; at++)
    n_lines++;
  return n_lines;
}

static void
shut_down (Harness *h)
{
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
}

/* The pid of the only start that was stamped. */
static pid_t
only_pid (Harness *h)
{
  g_auto (GStrv) lines = harness_wait_lines (h, "stamps", 1);
  g_auto (GStrv) words = g_strsplit (lines[0], " ", -1);

  g_assert_cmpuint (count_lines (h, "stamps"), ==, 1);
  return (pid_t)g_ascii_strtoll (words[2], NULL, 10);
}

/* It has the pid of the only process that was ever started, whenever the daemon was killed. */
static void
test_hidden (gconstpointer data)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders =
      g_strdup_printf ("%s stamp %s while %s", (const char *)data, stamps, h->directory);

  harness_service (h, "web", orders, "");
  for (guint i = 0; i < N_HIDDEN_ROUNDS; i++) {
    /* As soon as it runs, or around the time when it is to run; the next daemon as well. */
    if (i % 2 == 0)
      launch_and_kill_when_started (h);
    else
      launch_and_kill (h, MAX_START_USEC);
    launch_and_kill (h, MAX_START_USEC);
    survival_start (h);
    client_wait_state (h->client, "web", "running");
    g_assert_cmpuint (client_get_pid (h->client, "web"), ==, (guint32)only_pid (h));
    assert_property (h->client, "web", "RestartCount", "0");
    shut_down (h);
    g_assert_cmpint (g_unlink (stamps), ==, 0);
  }
}

/* What ends at once has run once. What could not be executed is no run: it is tried again, and fails as it
 * would have. */
static void
test_oneshot (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders = g_strdup_printf ("stamp %s exit 0", stamps);

  harness_service (h, "once", orders, "oneshot = true\n");
  harness_write (h, "missing.toml", "[service]\nexec = '/nowhere/program'\n[lifecycle]\nrestart = 'never'\n");
  for (guint i = 0; i < N_ROUNDS; i++) {
    g_autofree char *failure = NULL;

    launch_and_kill (h, MAX_DELAY_USEC);
    survival_start (h);
    client_wait_state (h->client, "once", "exited");
    client_wait_state (h->client, "missing", "failed");
    g_assert_cmpuint (count_lines (h, "stamps"), ==, 1);
    failure = client_failure (h->client, "missing");
    g_assert_true (g_str_has_prefix (failure, "spawn_error"));
    shut_down (h);
    g_assert_cmpint (g_unlink (stamps), ==, 0);
  }
}

static volatile sig_atomic_t is_held_up;

static void
on_lease_broken (int signo)
{
  is_held_up = 1;
}

/* Who wants to execute the file from now on waits until it is closed. Returns the descriptor. */
static int
hold_up (const char *path)
{
  struct sigaction action = { .sa_handler = on_lease_broken };
  int fd = open (path, O_RDWR | O_CLOEXEC);

  is_held_up = 0;
  g_assert_cmpint (sigaction (SIGIO, &action, NULL), ==, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fcntl (fd, F_SETLEASE, F_WRLCK), ==, 0);
  return fd;
}

static void
wait_held_up (void)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  while (!is_held_up) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}

static gboolean
is_ready_within (Harness *h, int ms)
{
  struct pollfd poll_fd = { h->notify_fd, POLLIN, 0 };

  return poll (&poll_fd, 1, ms) == 1;
}

/* The daemon is killed while its child is between fork and exec, where a lease on the program holds it. The
 * next one waits for it, and adopts what it has become. */
static void
test_between_fork_and_exec (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *program = harness_path (h, "program");
  g_autofree char *bytes = NULL;
  gsize length;
  int lease_fd;

  g_assert_true (g_file_get_contents (harness_child (), &bytes, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (program, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  harness_write (h, "web.toml", "[service]\nexec = '%s hide-title stamp %s while %s'\n", program, stamps,
                 h->directory);
  lease_fd = hold_up (program);
  harness_launch (h, options);
  wait_held_up ();
  survival_crash (h);
  g_assert_cmpuint (count_lines (h, "stamps"), ==, 0);
  harness_launch (h, options);
  g_assert_false (is_ready_within (h, 200));
  close (lease_fd);
  harness_wait_ready (h);
  h->client = client_new_for_socket (h->socket);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, (guint32)only_pid (h));
  assert_property (h->client, "web", "RestartCount", "0");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/rules/G2/hidden-title", "hide-title", test_hidden);
  g_test_add_data_func ("/rules/G2/hidden-memory", "hide-memory hide-title", test_hidden);
  g_test_add_func ("/rules/G2/oneshot", test_oneshot);
  g_test_add_func ("/rules/G2/between-fork-and-exec", test_between_fork_and_exec);
  return g_test_run ();
}
