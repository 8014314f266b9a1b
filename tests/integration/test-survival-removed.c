/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody removes the run-time folder under the daemon: it is there again, with all that was in it, and
 * there is still one daemon.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

#define MADE_AGAIN "the run-time folder is made again"

static const char *const private_only[] = { "--no-bus", NULL };

static void
remove_tree (const char *path)
{
  const char *const argv[] = { "rm", "-rf", path, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

static Harness *
start (void)
{
  Harness *h = harness_new ();

  harness_service (h, "web", "out hello partial half wait", "[lifecycle]\nrestart_delay_ms = 10\n");
  harness_service (h, "app", "wait", "");
  survival_start (h);
  client_wait_log_lines (h->client, "web", 2);
  survival_wait_saved (h, "app", "state", "\"running\"");
  return h;
}

/* The file is there a moment before somebody listens. */
static gboolean
can_connect (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean is_connected;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  is_connected = connect (fd, (const struct sockaddr *)&address, sizeof address) == 0;
  close (fd);
  return is_connected;
}

static void
connect_anew (Harness *h)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  client_free (h->client);
  for (; !can_connect (h->socket); g_usleep (2000))
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  h->client = client_new_for_socket (h->socket);
}

/* The next daemon finds what this one has written since. */
static void
check_next_daemon (Harness *h, guint32 web, guint32 app)
{
  survival_wait_saved (h, "web", "state", "\"running\"");
  survival_start_again (h);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, web);
  g_assert_cmpuint (client_get_pid (h->client, "app"), ==, app);
  client_wait_log_lines (h->client, "web", 2);
  survival_check_once_each (h, 2);
}

/* Removed, or renamed, which the files in it do not notice. */
static void
test_removed (gconstpointer is_renamed)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");

  for (guint i = 1; i <= 3; i++) {
    GPid daemon_pid = h->daemon_pid;
    TestClient *client = h->client;
    int status;

    if (is_renamed != NULL) {
      g_autofree char *name = g_strdup_printf ("aside%u", i);
      g_autofree char *aside = harness_path (h, name);

      g_assert_cmpint (g_rename (h->runtime_dir, aside), ==, 0);
    } else {
      remove_tree (h->runtime_dir);
    }
    survival_wait_said (h, MADE_AGAIN, i);
    survival_wait_saved (h, "web", "state", "\"running\"");

    /* Whom it knows already is served on, and it is locked again. */
    assert_property (h->client, "web", "State", "running");
    h->client = NULL;
    harness_launch (h, private_only);
    status = harness_wait_exit (h);
    g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    g_assert_cmpuint (survival_count_said (h, "another zinitd serves"), ==, i);
    h->daemon_pid = daemon_pid;
    h->client = client;
    connect_anew (h);
  }
  check_next_daemon (h, web, app);
}

/* First a file is in the way. */
static void
test_made_later (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *warning =
      g_strconcat ("warning: ", h->runtime_dir, "/zinitd.lock was removed and cannot", NULL);
  g_autofree char *aside = harness_path (h, "aside");
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");

  g_assert_cmpint (g_rename (h->runtime_dir, aside), ==, 0);
  g_assert_true (g_file_set_contents (h->runtime_dir, "", 0, NULL));
  remove_tree (aside);
  g_variant_unref (client_ok (h->client, "SetLogLevel", "('debug',)"));
  survival_wait_said (h, "cannot be made again", 2);
  g_assert_cmpint (kill ((pid_t)web, SIGKILL), ==, 0);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  web = client_get_pid (h->client, "web");
  client_wait_log_lines (h->client, "web", 4);

  g_assert_cmpint (g_unlink (h->runtime_dir), ==, 0);
  survival_wait_said (h, MADE_AGAIN, 1);
  g_assert_cmpuint (survival_count_said (h, warning), ==, 1);
  connect_anew (h);
  check_next_daemon (h, web, app);
}

/* Another daemon has made the folder meanwhile: then the services are that one's. */
static void
test_taken (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *aside = harness_path (h, "aside");
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");
  GPid first_pid = h->daemon_pid;
  TestClient *first = h->client;
  int status;

  /* The first does not see it before the second is there. */
  g_assert_cmpint (kill (first_pid, SIGSTOP), ==, 0);
  g_assert_cmpint (g_rename (h->runtime_dir, aside), ==, 0);
  harness_start_with (h, private_only);
  remove_tree (aside);
  g_assert_cmpint (kill (first_pid, SIGCONT), ==, 0);
  g_assert_true (processes_wait_child (first_pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  survival_wait_said (h, "the services are its now", 1);
  client_free (first);

  connect_anew (h);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, web);
  g_assert_cmpint (kill ((pid_t)web, SIGKILL), ==, 0);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  check_next_daemon (h, client_get_pid (h->client, "web"), app);
}

/* As a daemon leaves it that is killed while it starts a service: the process that took the lock is gone, and
 * its child has it. Ends when @go is closed. */
static void
leave_lock_to_child (Harness *h, const int go[2])
{
  g_autofree char *path = survival_path (h, "zinitd.lock");
  pid_t taker = fork ();
  int fd;
  char byte;

  if (taker == 0) {
    fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || flock (fd, LOCK_EX | LOCK_NB) != 0)
      _exit (1);
    if (fork () == 0) {
      close (go[1]);
      if (read (go[0], &byte, 1) == 0)
        _exit (0);
      _exit (1);
    }
    _exit (0);
  }
  g_assert_cmpint (waitpid (taker, &fd, 0), ==, taker);
  g_assert_true (WIFEXITED (fd) && WEXITSTATUS (fd) == 0);
}

/* No daemon is there, so the next one is not superfluous; and what the child records has to be read. */
static void
test_lock_of_child (void)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");
  int go[2];

  survival_crash (h);
  g_assert_cmpint (pipe2 (go, O_CLOEXEC), ==, 0);
  leave_lock_to_child (h, go);
  harness_launch (h, private_only);
  /* Longer than a living daemon's lock is looked at. */
  g_assert_false (processes_wait_end (h->daemon_pid, 1));
  close (go[1]);
  harness_wait_ready (h);
  h->client = client_new_for_socket (h->socket);
  close (go[0]);
  check_next_daemon (h, web, app);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/survival-removed/removed", NULL, test_removed);
  g_test_add_data_func ("/survival-removed/renamed", "renamed", test_removed);
  g_test_add_func ("/survival-removed/made-later", test_made_later);
  g_test_add_func ("/survival-removed/taken", test_taken);
  g_test_add_func ("/rules/G2/lock-of-child", test_lock_of_child);
  return g_test_run ();
}
