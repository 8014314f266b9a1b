/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of the real daemon: its folder, its programs, its end.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "processes.h"

/* For the signal handler: of the run that is going on. */
static char current_log[128];

static const char *
need_env (const char *name)
{
  const char *value = g_getenv (name);

  if (value == NULL)
    g_error ("run this by meson test, or set %s", name);
  return value;
}

const char *
harness_child (void)
{
  return need_env ("ZINIT_TEST_CHILD");
}

const char *
harness_zinit (void)
{
  return need_env ("ZINIT");
}

static void
print_log (void)
{
  static const char head[] = "# the daemon's log:\n";
  char block[4096];
  int fd = current_log[0] ? open (current_log, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t length;

  if (fd < 0)
    return;
  if (write (STDERR_FILENO, head, sizeof head - 1) < 0)
    _exit (1);
  while ((length = read (fd, block, sizeof block)) > 0) {
    if (write (STDERR_FILENO, block, (size_t)length) < 0)
      _exit (1);
  }
  close (fd);
}

static void
on_crash (int signo)
{
  print_log ();
  signal (signo, SIG_DFL);
  raise (signo);
}

void
harness_init (int *argc, char ***argv)
{
  static const int signals[] = { SIGABRT, SIGTRAP, SIGSEGV, SIGBUS };

  /* Nothing of the machine's own bus or session may be reached. */
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "disabled:", TRUE);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "disabled:", TRUE);
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_unsetenv ("ZINIT_SOCKET");
  g_unsetenv ("ZINIT_CONFIG_DIR");
  g_unsetenv ("ZINIT_RUNTIME_DIR");
  signal (SIGPIPE, SIG_IGN);
  umask (022);
  g_test_init (argc, argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], on_crash);
}

static void
start_guard (Harness *harness)
{
  const char *const argv[] = { need_env ("ZINIT_TEST_GUARD"), harness->directory, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_async_with_pipes (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &harness->guard_fd,
                            NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
bind_notify_socket (Harness *harness)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *path = harness_path (harness, "notify");

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  harness->notify_fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (harness->notify_fd, (struct sockaddr *)&address, sizeof address), ==, 0);
}

static void
write_bus_config (Harness *harness)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (
      "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'"
      " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\n"
      "<busconfig><type>session</type><listen>%s</listen><auth>EXTERNAL</auth>"
      "<policy context='default'><allow user='*'/><allow send_destination='*' eavesdrop='true'/>"
      "<allow eavesdrop='true'/><allow own='*'/></policy>"
      "<limit name='max_replies_per_connection'>50000</limit>"
      "<limit name='max_connections_per_user'>2048</limit></busconfig>\n",
      harness->bus_address);

  g_file_set_contents (harness->bus_config, text, -1, &error);
  g_assert_no_error (error);
}

void
harness_setenv (Harness *harness, const char *name, const char *value)
{
  harness->environment = value ? g_environ_setenv (harness->environment, name, value, TRUE)
                               : g_environ_unsetenv (harness->environment, name);
}

static void
make_environment (Harness *harness)
{
  harness->environment = g_get_environ ();
  harness_setenv (harness, "ZINIT_TEST_DIR", harness->directory);
  harness_setenv (harness, "G_DEBUG", "fatal-criticals");
  harness->program = g_strdup (need_env ("ZINITD"));
  harness_setenv (harness, "ZINIT_DAEMON", harness->program);
}

Harness *
harness_new (void)
{
  Harness *harness = g_new0 (Harness, 1);
  g_autoptr (GError) error = NULL;
  g_autofree char *bus_socket = NULL;

  harness->directory = g_dir_make_tmp ("zinit-test-XXXXXX", &error);
  g_assert_no_error (error);
  chmod (harness->directory, 0755);
  harness->mark = g_strconcat ("ZINIT_TEST_DIR=", harness->directory, NULL);
  harness->config_dir = harness_path (harness, "services");
  harness->runtime_dir = harness_path (harness, "run");
  harness->socket = g_build_filename (harness->runtime_dir, "zinit.sock", NULL);
  harness->log_path = harness_path (harness, "zinitd.log");
  harness->bus_config = harness_path (harness, "bus.conf");
  bus_socket = harness_path (harness, "bus");
  harness->bus_address = g_strconcat ("unix:path=", bus_socket, NULL);
  g_strlcpy (current_log, harness->log_path, sizeof current_log);
  g_assert_cmpint (mkdir (harness->config_dir, 0755), ==, 0);
  g_assert_cmpint (mkdir (harness->runtime_dir, 0755), ==, 0);
  make_environment (harness);
  start_guard (harness);
  bind_notify_socket (harness);
  write_bus_config (harness);
  harness_start_bus (harness);
  return harness;
}

static GPid
spawn (Harness *harness, char **argv, int out_fd, int err_fd)
{
  g_autoptr (GError) error = NULL;
  GPid pid = 0;

  g_spawn_async_with_pipes_and_fds (
      NULL, (const char *const *)argv, (const char *const *)harness->environment, G_SPAWN_DO_NOT_REAP_CHILD,
      NULL, NULL, -1, out_fd, err_fd, NULL, NULL, 0, &pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

void
harness_start_bus (Harness *harness)
{
  const char *const argv[] = { "dbus-daemon",   "--nofork",          "--nopidfile", "--print-address=1",
                               "--config-file", harness->bus_config, NULL };
  g_autofree char *program = g_find_program_in_path (argv[0]);
  g_auto (GStrv) copy = g_strdupv ((char **)argv);
  int ends[2];
  char byte;

  g_assert_cmpuint (harness->bus_pid, ==, 0);
  g_assert_nonnull (program);
  g_free (copy[0]);
  copy[0] = g_steal_pointer (&program);
  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  harness->bus_pid = spawn (harness, copy, ends[1], STDERR_FILENO);
  close (ends[1]);
  /* It prints its address once it listens. */
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  close (ends[0]);
}

void
harness_stop_bus (Harness *harness)
{
  int status;

  g_assert_cmpint (kill (harness->bus_pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child (harness->bus_pid, CLIENT_PATIENCE_SECONDS, &status));
  harness->bus_pid = 0;
}

void
harness_launch (Harness *harness, const char *const *options)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *notify = harness_path (harness, "notify");
  const char *words = harness->wrapper != NULL ? harness->wrapper : g_getenv ("ZINITD_WRAPPER");
  g_auto (GStrv) wrapper = NULL, argv = NULL;
  char old[4096];
  int log = open (harness->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

  /* What an earlier daemon of this run said. */
  while (recv (harness->notify_fd, old, sizeof old, MSG_DONTWAIT) >= 0)
    ;
  if (words != NULL && g_shell_parse_argv (words, NULL, &wrapper, NULL))
    g_strv_builder_addv (builder, (const char **)wrapper);
  /* Not for the bus, which would say READY=1 too. */
  harness_setenv (harness, "NOTIFY_SOCKET", notify);
  g_strv_builder_add_many (builder, harness->program, "--config-dir", harness->config_dir, "--runtime-dir",
                           harness->runtime_dir, NULL);
  g_strv_builder_addv (builder, (const char **)options);
  argv = g_strv_builder_end (builder);
  if (wrapper && wrapper[0][0] != '/') {
    char *program = g_find_program_in_path (wrapper[0]);

    g_assert_nonnull (program);
    g_free (argv[0]);
    argv[0] = program;
  }
  harness->daemon_pid = spawn (harness, argv, log, log);
  harness_setenv (harness, "NOTIFY_SOCKET", NULL);
  close (log);
}

void
harness_wait_ready (Harness *harness)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    struct pollfd poll_fd = { harness->notify_fd, POLLIN, 0 };
    char text[4096];
    ssize_t length;

    if (poll (&poll_fd, 1, 50) == 1) {
      length = recv (harness->notify_fd, text, sizeof text - 1, 0);
      g_assert_cmpint (length, >, 0);
      text[length] = '\0';
      if (strstr (text, "READY=1"))
        return;
    }
    if (!processes_is_alive (harness->daemon_pid))
      g_error ("zinitd ended before it was ready");
    if (g_get_monotonic_time () > deadline)
      g_error ("zinitd does not say READY=1");
  }
}

static gboolean
is_owned (GPtrArray *messages, gpointer data)
{
  gboolean owned = FALSE;

  for (guint i = 0; i < messages->len; i++) {
    GDBusMessage *message = g_ptr_array_index (messages, i);
    const char *owner;

    if (g_strcmp0 (g_dbus_message_get_member (message), "NameOwnerChanged") == 0) {
      g_variant_get (g_dbus_message_get_body (message), "(&s&s&s)", NULL, NULL, &owner);
      owned = owner[0] != '\0';
    }
  }
  return owned;
}

/* The subscription is older than the question, so one of the two tells. */
void
harness_wait_name (Harness *harness)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  gboolean has_owner;

  if (harness->client == NULL)
    harness->client = client_new_for_bus (harness->bus_address);
  reply = g_dbus_connection_call_sync (harness->client->connection, "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                                       g_variant_new ("(s)", ZINIT_BUS_NAME), G_VARIANT_TYPE ("(b)"),
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
  g_variant_get (reply, "(b)", &has_owner);
  if (!has_owner)
    client_wait_for (harness->client, is_owned, NULL, "the name on the bus");
}

void
harness_start (Harness *harness)
{
  const char *const options[] = { "--address", harness->bus_address, NULL };

  harness_launch (harness, options);
  harness_wait_ready (harness);
  harness_wait_name (harness);
}

void
harness_start_with (Harness *harness, const char *const *options)
{
  harness_launch (harness, options);
  harness_wait_ready (harness);
  harness->client = client_new_for_socket (harness->socket);
}

void
harness_reexecute (Harness *harness)
{
  g_variant_unref (client_ok (harness->client, "Reexecute", "(" NO_OPTIONS ",)"));
  client_free (harness->client);
  /* It waits in the backlog until there is somebody to answer. */
  harness->client = client_new_for_socket (harness->socket);
  g_variant_unref (client_get (harness->client, NULL, "Sequence"));
  harness_wait_ready (harness);
}

int
harness_wait_exit (Harness *harness)
{
  int status = -1;

  if (!processes_wait_child (harness->daemon_pid, CLIENT_PATIENCE_SECONDS, &status))
    client_fail (harness->client, "zinitd does not end");
  harness->daemon_pid = 0;
  g_clear_pointer (&harness->client, client_free);
  return status;
}

void
harness_check_nothing_left (Harness *harness)
{
  g_autoptr (GArray) pids = processes_with_mark (harness->mark);
  g_autofree char *left = NULL;

  for (guint i = pids->len; i > 0; i--) {
    if (g_array_index (pids, pid_t, i - 1) == harness->bus_pid)
      g_array_remove_index (pids, i - 1);
  }
  left = processes_describe (pids);
  g_assert_cmpstr (left, ==, "");
}

GArray *
harness_service_pids (Harness *harness, const char *service)
{
  g_autofree char *mark = g_strconcat ("ZINIT_SERVICE=", service, NULL);
  g_autoptr (GArray) all = processes_with_mark (harness->mark);
  g_autoptr (GArray) marked = processes_with_mark (mark);
  GArray *both = g_array_new (FALSE, FALSE, sizeof (pid_t));

  for (guint i = 0; i < all->len; i++) {
    for (guint j = 0; j < marked->len; j++) {
      if (g_array_index (all, pid_t, i) == g_array_index (marked, pid_t, j))
        g_array_append_val (both, g_array_index (all, pid_t, i));
    }
  }
  return both;
}

static void
harness_free (Harness *harness)
{
  g_clear_pointer (&harness->client, client_free);
  if (harness->bus_pid)
    harness_stop_bus (harness);
  close (harness->notify_fd);
  close (harness->guard_fd);
  current_log[0] = '\0';
  g_free (harness->directory);
  g_free (harness->config_dir);
  g_free (harness->runtime_dir);
  g_free (harness->socket);
  g_free (harness->bus_address);
  g_free (harness->bus_config);
  g_free (harness->program);
  g_free (harness->wrapper);
  g_free (harness->log_path);
  g_free (harness->mark);
  g_strfreev (harness->environment);
  g_free (harness);
}

void
harness_finish (Harness *harness)
{
  if (harness->daemon_pid) {
    g_autoptr (GVariant) reply = client_ok (harness->client, "Shutdown", "(" NO_OPTIONS ",)");
    int status = harness_wait_exit (harness);

    if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
      g_error ("zinitd ended with wait status 0x%x", status);
  }
  harness_check_nothing_left (harness);
  if (g_test_failed ())
    print_log ();
  harness_free (harness);
}
