/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands that stay: `zinit watch` and `zinit logs -f`, until they are interrupted or the daemon ends.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"
#include "names.h"
#include "processes.h"

/* Waits until the command's output holds @part. */
static void
wait_for_output (Harness *h, const char *name, const char *part)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  g_autofree char *path = harness_path (h, name);

  for (;;) {
    g_autofree char *text = NULL;

    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    if (strstr (text, part))
      return;
    if (g_get_monotonic_time () > deadline)
      g_error ("no \"%s\" in: %s", part, text);
    g_usleep (2000);
  }
}

/* `watch` does not say when it is ready: causes transitions until one of them is seen. */
static void
wait_for_transition_in (Harness *h, const char *name)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  g_autofree char *path = harness_path (h, name);

  for (;;) {
    g_autofree char *text = NULL;

    g_variant_unref (client_ok (h->client, "RestartService", "('web', {'wait': <true>})"));
    g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    if (strstr (text, "exited"))
      return;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
}

static void
interrupt (GPid pid)
{
  int status = -1;

  g_assert_cmpint (kill (pid, SIGINT), ==, 0);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_true ((WIFSIGNALED (status) && WTERMSIG (status) == SIGINT) ||
                 (WIFEXITED (status) && WEXITSTATUS (status) == 0));
}

static void
test_watch (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "watched"), *text = NULL;
  g_auto (GStrv) lines = NULL;
  const char *const states[] = { "starting", "running", "stopping", "exited" };
  GPid pid;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_service (h, "other", "wait", "status = \"ignore\"\n");
  harness_start (h);
  pid = command_start (h, "watched", "--json watch web");
  wait_for_transition_in (h, "watched");
  g_variant_unref (client_ok (h->client, "StartService", "('other', {'wait': <true>})"));
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  g_variant_unref (client_ok (h->client, "KillService", "('web', 9, " NO_OPTIONS ")"));
  wait_for_output (h, "watched", "failed");
  interrupt (pid);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    g_assert_nonnull (strstr (text, states[i]));
  g_assert_null (strstr (text, "other"));
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **line = lines; *line; line++) {
    g_autoptr (JsonNode) node = json_from_string (*line, NULL);

    g_assert_nonnull (node);
    g_assert_true (json_object_has_member (json_node_get_object (node), "sequence"));
    g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "service"), ==, "web");
  }
}

/* Following is a call that a daemon may do without. */
static gboolean
cannot_follow (Harness *h)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "FollowLogs",
                      g_variant_new_parsed ("(@as [], " NO_OPTIONS ")"), &error);

  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NOT_SUPPORTED);
}

static void
test_follow (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"),
                  *orders = g_strdup_printf ("out before until %s out after wait", go);
  GPid pid;

  harness_service (h, "web", orders, "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  if (cannot_follow (h)) {
    /* Then the command says so, and does not wait for what never comes. */
    g_autoptr (CommandResult) result = command_run (h, "logs -f web");

    command_check (result, 1);
    g_assert_nonnull (strstr (result->err, "FollowLogs"));
    return;
  }
  pid = command_start (h, "followed", "logs -f --raw web");
  wait_for_output (h, "followed", "before\n");
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  wait_for_output (h, "followed", "after\n");
  interrupt (pid);
}

/* A sub-state changes within its state: what has ended by itself is to stay down. */
static void
test_sub_state (void)
{
  g_autoptr (Harness) h = harness_new ();
  GPid pid;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_service (h, "over", "exit 0", "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_state (h->client, "over", "exited");
  pid = command_start (h, "watched", "watch");
  wait_for_transition_in (h, "watched");
  g_free (client_fails (h->client, "NotRunning", "StopService", "('over', " NO_OPTIONS ")"));
  wait_for_output (h, "watched", "over: stopped\n");
  interrupt (pid);
}

/* Who watches ends when the daemon does, and does not hold it up. */
static void
test_daemon_ends (void)
{
  g_autoptr (Harness) h = harness_new ();
  int watch_status = -1, follow_status = 0;
  GPid watch, follow = 0;

  harness_service (h, "web", "out line wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  watch = command_start (h, "watched", "watch");
  if (!cannot_follow (h)) {
    follow = command_start (h, "followed", "logs -f --raw web");
    wait_for_output (h, "followed", "line\n");
  }
  wait_for_transition_in (h, "watched");
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  g_assert_true (processes_wait_child (watch, CLIENT_PATIENCE_SECONDS, &watch_status));
  g_assert_true (WIFEXITED (watch_status));
  if (follow) {
    g_assert_true (processes_wait_child (follow, CLIENT_PATIENCE_SECONDS, &follow_status));
    g_assert_true (WIFEXITED (follow_status));
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/command-watch/watch", test_watch);
  g_test_add_func ("/command-watch/sub-state", test_sub_state);
  g_test_add_func ("/command-watch/follow", test_follow);
  g_test_add_func ("/command-watch/daemon-ends", test_daemon_ends);
  return g_test_run ();
}
