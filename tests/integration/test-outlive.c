/* SPDX-License-Identifier: Apache-2.0
 *
 * Services outlive the daemon: killed, handed over or re-executed, it finds them again, starts none twice,
 * and goes on where it was.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <sys/wait.h>

#include "harness.h"
#include "processes.h"

/* Services of several kinds; each start of "web" and "once" is one line of the file. */
static void
write_services (Harness *h)
{
  g_autofree char *path = harness_path (h, "starts"), *say = harness_path (h, "say");
  g_autofree char *web = g_strdup_printf ("stamp %s out before until %s out after wait", path, say);
  g_autofree char *once = g_strdup_printf ("stamp %s exit 0", path);

  harness_service (h, "web", web, "");
  harness_service (h, "once", once, "oneshot = true\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"web\", \"once\"]\n");
  harness_service (h, "stopped", "wait", "");
  harness_service (h, "given-up", "exit 3", "[lifecycle]\nrestart = \"never\"\n");
}

static Harness *
start (void)
{
  Harness *h = harness_new ();

  write_services (h);
  harness_start (h);
  client_wait_state (h->client, "app", "running");
  client_wait_state (h->client, "stopped", "running");
  client_wait_state (h->client, "given-up", "failed");
  client_wait_log_lines (h->client, "web", 1);
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  return h;
}

/* All is as it was, works on, and nothing was started again. */
static void
check_kept (Harness *h, guint32 web, guint32 app)
{
  TestClient *c = h->client;
  g_autofree char *say = harness_path (h, "say");
  g_autofree char *fds = g_build_filename (h->runtime_dir, "fds.json", NULL);
  g_autoptr (GArray) pids = NULL;
  g_auto (GStrv) lines = NULL;

  client_wait_state (c, "web", "running");
  client_wait_state (c, "app", "running");
  g_assert_cmpuint (client_get_pid (c, "web"), ==, web);
  g_assert_cmpuint (client_get_pid (c, "app"), ==, app);
  assert_property (c, "once", "State", "exited");
  assert_property (c, "stopped", "WantedStatus", "stop");
  assert_property (c, "stopped", "Pid", "0");
  assert_failure (c, "given-up", "exit_code code=3");
  /* The numbers in it were true for a moment. */
  g_assert_false (g_file_test (fds, G_FILE_TEST_EXISTS));
  pids = harness_service_pids (h, "web");
  g_assert_cmpuint (pids->len, ==, 1);
  /* Its output is read again. */
  g_assert_true (g_file_set_contents (say, "", 0, NULL));
  for (gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);;) {
    g_autoptr (GVariant) logs = client_ok (c, "GetLogs", "('web', " NO_OPTIONS ")");
    g_autofree char *text = g_variant_print (logs, FALSE);

    if (strstr (text, "'after'"))
      break;
    if (g_get_monotonic_time () > deadline)
      client_fail (c, "no output: %s", text);
    g_usleep (1000);
  }
  /* It is watched: its end is noticed and it is started again. */
  client_set_mark (c);
  g_assert_cmpint (kill ((pid_t)web, SIGKILL), ==, 0);
  g_variant_unref (client_wait_transition (c, "web", "starting", "running"));
  lines = harness_wait_lines (h, "starts", 3);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_variant_unref (client_ok (c, "StopService", "('app', {'wait': <true>})"));
  g_assert_true (processes_wait_end ((pid_t)app, CLIENT_PATIENCE_SECONDS));
}

static void
test_killed (void)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");
  int status;

  g_assert_cmpint (kill (h->daemon_pid, SIGKILL), ==, 0);
  status = harness_wait_exit (h);
  g_assert_true (WIFSIGNALED (status));
  g_assert_true (processes_is_alive ((pid_t)web));
  harness_start (h);
  check_kept (h, web, app);
}

/* Killed without a word, again and again, at any moment of its start. */
static void
test_killed_while_starting (void)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");
  const char *options[] = { "--address", h->bus_address, NULL };

  g_assert_cmpint (kill (h->daemon_pid, SIGKILL), ==, 0);
  harness_wait_exit (h);
  for (int i = 0; i < 20; i++) {
    int status;

    harness_launch (h, options);
    g_usleep ((gulong)i * 700);
    kill (h->daemon_pid, SIGKILL);
    g_assert_true (processes_wait_child (h->daemon_pid, CLIENT_PATIENCE_SECONDS, &status));
    h->daemon_pid = 0;
  }
  harness_start (h);
  check_kept (h, web, app);
}

static void
test_prepare_restart (void)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");
  g_autoptr (GVariant) reply = client_ok (h->client, "PrepareRestart", "(" NO_OPTIONS ",)");
  const char *state_path, *fds_path;
  int status = harness_wait_exit (h);

  g_variant_get (reply, "(&s&s)", &state_path, &fds_path);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (g_file_test (state_path, G_FILE_TEST_IS_REGULAR));
  g_assert_true (g_file_test (fds_path, G_FILE_TEST_IS_REGULAR));
  g_assert_true (processes_is_alive ((pid_t)web));
  harness_start (h);
  check_kept (h, web, app);
}

static void
test_reexecute (void)
{
  g_autoptr (Harness) h = start ();
  guint32 web = client_get_pid (h->client, "web"), app = client_get_pid (h->client, "app");

  for (int i = 0; i < 3; i++) {
    g_variant_unref (client_ok (h->client, "Reexecute", "(" NO_OPTIONS ",)"));
    harness_wait_ready (h);
    g_clear_pointer (&h->client, client_free);
    harness_wait_name (h);
    g_assert_true (processes_is_alive (h->daemon_pid));
    assert_property (h->client, "web", "State", "running");
  }
  check_kept (h, web, app);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/outlive/killed", test_killed);
  g_test_add_func ("/outlive/killed-while-starting", test_killed_while_starting);
  g_test_add_func ("/outlive/prepare-restart", test_prepare_restart);
  g_test_add_func ("/outlive/reexecute", test_reexecute);
  return g_test_run ();
}
