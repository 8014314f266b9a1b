/* SPDX-License-Identifier: Apache-2.0
 *
 * A run-time folder on a disk that is full or read-only, by real file systems: supervision goes on, it is
 * said once, it is tried again, and whoever dies meanwhile is succeeded as on any other day.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "processes.h"
#include "survival.h"

#define NOT_WRITTEN "the state is not written"
#define WRITTEN_AGAIN "the state can be written again"
#define IN_MEMORY "kept in memory alone"
#define NO_SOCKET "private socket"
#define ALL_LINES "[logging]\nbuffer_lines = 1000000\n"

/* web and app are quiet, counter and chatter talk; crash ends and is started again all the time. */
enum { N_SERVICES = 4 };

static void
write_services (Harness *h)
{
  g_autofree char *stop = harness_path (h, "stop");
  /* All that it says has to fit on the disk, however long the test takes. */
  g_autofree char *count =
      g_strdup_printf ("count-until 1 %d %s wait", (int)(500 * processes_slowness ()), stop);
  g_autofree char *chat = g_strdup_printf ("count-until 1 0 %s wait", stop);

  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 10\nrestart_delay_max_ms = 20\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"web\"]\n");
  harness_service (h, "counter", count, ALL_LINES);
  harness_service (h, "chatter", chat, "[logging]\nbuffer_lines = 500\n");
}

static Harness *
start (void)
{
  Harness *h = disk_new ();

  write_services (h);
  survival_start (h);
  client_wait_state (h->client, "app", "running");
  client_wait_log_lines (h->client, "counter", 1);
  client_wait_log_lines (h->client, "chatter", 1);
  survival_wait_saved (h, "app", "state", "\"running\"");
  return h;
}

/* A crash of web; the daemon starts it again. */
static void
crash_web (Harness *h)
{
  g_autoptr (GVariant) value = client_get (h->client, "web", "RestartCount");
  g_autofree char *next = g_strdup_printf ("%u", g_variant_get_uint32 (value) + 1);

  g_assert_cmpint (kill ((pid_t)client_get_pid (h->client, "web"), SIGKILL), ==, 0);
  client_wait_property (h->client, "web", "RestartCount", next);
  client_wait_state (h->client, "web", "running");
}

/* What the daemon was just writing makes a little room when it is done, so this takes several goes. */
static void
fill_until_said (Harness *h)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  while (survival_count_said (h, NOT_WRITTEN) == 0 || survival_count_said (h, IN_MEMORY) == 0) {
    disk_fill (h);
    crash_web (h);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
  disk_fill (h);
  g_assert_cmpuint (survival_count_said (h, g_strerror (ENOSPC)), ==, 2);
}

static void
stop_talking (Harness *h)
{
  g_autofree char *stop = harness_path (h, "stop");

  g_assert_true (g_file_set_contents (stop, "", 0, NULL));
}

/* TRUE when the last line is "end": then each number is there once and in order. Before that the last one may
 * be half a number. */
static gboolean
has_all_lines (Harness *h, const char *service)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('%s', " NO_OPTIONS ")", service);
  g_autoptr (GVariant) lines = g_variant_get_child_value (reply, 0);
  gsize n_lines = g_variant_n_children (lines);
  guint64 number = 0;
  const char *text;

  g_assert_cmpuint (n_lines, >, 1);
  g_variant_get_child (lines, n_lines - 1, "(t&s&s)", NULL, NULL, &text);
  if (!g_str_equal (text, "end"))
    return FALSE;
  for (gsize i = 0; i < n_lines - 1; i++) {
    g_variant_get_child (lines, i, "(t&s&s)", NULL, NULL, &text);
    if (i > 0 || g_str_equal (service, "counter"))
      g_assert_cmpuint (g_ascii_strtoull (text, NULL, 10), ==, number);
    number = g_ascii_strtoull (text, NULL, 10) + 1;
  }
  return TRUE;
}

static void
check_lines (Harness *h)
{
  static const char *const talkers[] = { "counter", "chatter" };
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (guint i = 0; i < G_N_ELEMENTS (talkers); i++)
    while (!has_all_lines (h, talkers[i])) {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_usleep (5000);
    }
}

static void
test_full (void)
{
  g_autoptr (Harness) h = NULL;

  if (!disk_is_there ())
    return;
  h = start ();
  harness_service (h, "crash", "exit 1", "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 200\n");
  fill_until_said (h);

  /* Everything goes on, and many failures later it has still been said once. */
  g_free (harness_reload (h));
  for (int i = 0; i < 3; i++)
    crash_web (h);
  client_wait_property (h->client, "crash", "RestartCount", "9");
  client_wait_log_lines (h->client, "counter", 500);
  g_variant_unref (client_ok (h->client, "StopService", "('crash', {'wait': <true>})"));
  survival_check_once_each (h, N_SERVICES);
  g_assert_cmpuint (survival_count_said (h, NOT_WRITTEN), ==, 1);
  g_assert_cmpuint (survival_count_said (h, IN_MEMORY), ==, 1);
  g_assert_cmpuint (survival_count_said (h, WRITTEN_AGAIN), ==, 0);

  /* Nothing changes any more, and still it is written once it can be. */
  disk_make_room (h);
  survival_wait_saved (h, "crash", "wanted_status", "\"stop\"");
  survival_wait_said (h, WRITTEN_AGAIN, 1);

  /* Also what was in memory alone is in files then. */
  harness_reexecute (h);
  survival_start_again (h);
  stop_talking (h);
  check_lines (h);
  survival_check_once_each (h, N_SERVICES);
}

/* web was started again after the last file that could be written: its mark tells. */
static void
check_all_adopted (Harness *h, const guint32 *pids)
{
  static const char *const names[] = { "web", "app", "counter", "chatter" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    assert_property (h->client, names[i], "State", "running");
    g_assert_cmpuint (client_get_pid (h->client, names[i]), ==, pids[i]);
  }
  survival_check_once_each (h, N_SERVICES);
  crash_web (h);
  survival_check_once_each (h, N_SERVICES);
}

static void
read_pids (Harness *h, guint32 *pids)
{
  pids[0] = client_get_pid (h->client, "web");
  pids[1] = client_get_pid (h->client, "app");
  pids[2] = client_get_pid (h->client, "counter");
  pids[3] = client_get_pid (h->client, "chatter");
}

static void
test_killed_while_full (void)
{
  g_autoptr (Harness) h = NULL;
  guint32 pids[N_SERVICES];

  if (!disk_is_there ())
    return;
  h = start ();
  fill_until_said (h);
  crash_web (h);
  read_pids (h, pids);
  survival_crash (h);
  disk_fill (h);
  survival_start (h);
  check_all_adopted (h, pids);
  survival_wait_said (h, NOT_WRITTEN, 2);
  for (int i = 0; i < 3; i++)
    crash_web (h);
  g_assert_cmpuint (survival_count_said (h, NOT_WRITTEN), ==, 2);
  client_wait_log_lines (h->client, "counter", 1);
  /* And its shutdown is one as well. */
}

/* The next daemon has nowhere to make its socket: the bus is there. */
static void
test_no_room_for_socket (void)
{
  g_autoptr (Harness) h = NULL;
  g_autofree char *temporary = NULL;
  guint32 pids[N_SERVICES];

  if (!disk_is_there ())
    return;
  h = start ();
  fill_until_said (h);
  read_pids (h, pids);
  temporary = survival_path (h, "state.json.tmp");
  survival_crash (h);
  g_assert_cmpint (unlink (h->socket), ==, 0);
  /* What the dead daemon was just writing would make room once it is removed. */
  g_assert_true (unlink (temporary) == 0 || errno == ENOENT);
  disk_fill (h);
  harness_start (h);
  check_all_adopted (h, pids);
  g_assert_cmpint (access (h->socket, F_OK), !=, 0);
  /* What is not said again is there for those who ask for everything. */
  g_variant_unref (client_ok (h->client, "SetLogLevel", "('debug',)"));
  survival_wait_said (h, "debug: " NO_SOCKET, 1);
  g_assert_cmpuint (survival_count_said (h, "warning: " NO_SOCKET), ==, 1);

  disk_make_room (h);
  survival_wait_said (h, "zinit.sock: it is there now", 1);
  client_free (h->client);
  h->client = client_new_for_socket (h->socket);
  check_all_adopted (h, (read_pids (h, pids), pids));
}

static void
test_reexecute_while_full (void)
{
  g_autoptr (Harness) h = NULL;
  guint32 pids[N_SERVICES];
  GPid daemon_pid;

  if (!disk_is_there ())
    return;
  h = start ();
  fill_until_said (h);
  read_pids (h, pids);
  daemon_pid = h->daemon_pid;
  for (int i = 0; i < 2; i++) {
    const char *method = i == 0 ? "Reexecute" : "PrepareRestart";
    g_autofree char *message = client_fails (h->client, "Failed", method, "(" NO_OPTIONS ",)");

    g_test_message ("%s: %s", method, message);
    g_assert_nonnull (strstr (message, g_strerror (ENOSPC)));
    check_all_adopted (h, (read_pids (h, pids), pids));
  }
  disk_make_room (h);
  survival_wait_said (h, WRITTEN_AGAIN, 1);
  read_pids (h, pids);
  harness_reexecute (h);
  g_assert_cmpint (h->daemon_pid, ==, daemon_pid);
  stop_talking (h);
  check_lines (h);
  check_all_adopted (h, pids);
}

/* It says that there is another, and ends. */
static void
check_locked (Harness *h)
{
  GPid daemon_pid = h->daemon_pid;
  TestClient *client = g_steal_pointer (&h->client);
  const char *const options[] = { "--no-bus", NULL };
  int status;

  harness_launch (h, options);
  status = harness_wait_exit (h);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  survival_wait_said (h, "another zinitd serves", 1);
  h->daemon_pid = daemon_pid;
  h->client = client;
}

static void
test_read_only (void)
{
  g_autoptr (Harness) h = NULL;
  guint32 pids[N_SERVICES];

  if (!disk_is_there ())
    return;
  h = start ();
  /* The one that runs has the folder open as it was. */
  disk_set_read_only (h, TRUE);
  read_pids (h, pids);
  survival_crash (h);

  /* The socket of the dead one cannot be removed. */
  harness_start (h);
  check_all_adopted (h, pids);
  check_locked (h);
  survival_wait_said (h, IN_MEMORY, 1);
  survival_wait_said (h, NOT_WRITTEN, 1);
  for (int i = 0; i < 3; i++)
    crash_web (h);
  g_assert_cmpuint (survival_count_said (h, NOT_WRITTEN), ==, 1);
  g_assert_cmpuint (survival_count_said (h, "warning: " NO_SOCKET), ==, 1);

  disk_set_read_only (h, FALSE);
  survival_wait_said (h, WRITTEN_AGAIN, 1);
  survival_wait_said (h, "zinit.sock: it is there now", 1);
  harness_reexecute (h);
  read_pids (h, pids);
  survival_start_again (h);
  stop_talking (h);
  check_lines (h);
  check_all_adopted (h, pids);
}

/* A folder that was never locked and cannot be: nothing is done twice, and nothing is given up. */
static void
test_no_lock (void)
{
  g_autoptr (Harness) h = NULL;
  const char *const options[] = { "--no-bus", NULL };
  guint n_services;

  if (!disk_is_there ())
    return;
  h = disk_new ();
  harness_service (h, "web", "wait", "");
  disk_set_read_only (h, TRUE);
  harness_launch (h, options);
  survival_wait_said (h, "nothing is supervised before", 1);
  survival_check_at_most_once_each (h, &n_services);
  g_assert_cmpuint (n_services, ==, 0);
  g_assert_true (processes_is_alive (h->daemon_pid));

  disk_set_read_only (h, FALSE);
  harness_wait_ready (h);
  h->client = client_new_for_socket (h->socket);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (survival_count_said (h, "nothing is supervised before"), ==, 1);
}

/* However it dies. */
static void
test_segv (void)
{
  g_autoptr (Harness) h = NULL;
  guint32 pids[N_SERVICES];
  int status;

  if (!disk_is_there ())
    return;
  h = start ();
  for (int i = 0; i < 3; i++) {
    read_pids (h, pids);
    g_assert_cmpint (kill (h->daemon_pid, SIGSEGV), ==, 0);
    status = harness_wait_exit (h);
    /* A sanitizer makes an exit code of it. */
    g_assert_true (WIFSIGNALED (status) || WEXITSTATUS (status) != 0);
    survival_start (h);
    check_all_adopted (h, pids);
  }
  stop_talking (h);
  check_lines (h);
}

int
main (int argc, char **argv)
{
  const struct rlimit no_core = { 0, 0 };

  disk_enter_namespace ();
  setrlimit (RLIMIT_CORE, &no_core);
  harness_init (&argc, &argv);
  g_test_add_func ("/survival-disk/full", test_full);
  g_test_add_func ("/survival-disk/killed-while-full", test_killed_while_full);
  g_test_add_func ("/survival-disk/no-room-for-socket", test_no_room_for_socket);
  g_test_add_func ("/survival-disk/reexecute-while-full", test_reexecute_while_full);
  g_test_add_func ("/survival-disk/read-only", test_read_only);
  g_test_add_func ("/survival-disk/no-lock", test_no_lock);
  g_test_add_func ("/survival-disk/segv", test_segv);
  return g_test_run ();
}
