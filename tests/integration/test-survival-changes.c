/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to services and to their files while no daemon runs, and what the next one makes of it.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "survival.h"
#include "processes.h"

/* Starts `web` and whatever else was written, and waits until that is saved. */
static guint32
start_web (Harness *h)
{
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  survival_wait_saved (h, "web", "state", "\"running\"");
  return client_get_pid (h->client, "web");
}

static void
test_changed_file (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 pid;

  harness_service (h, "web", "wait", "");
  harness_service (h, "same", "wait", "");
  pid = start_web (h);
  survival_crash (h);
  harness_service (h, "web", "out new wait", "");
  survival_start (h);
  assert_property (h->client, "web", "State", "running");
  assert_property (h->client, "web", "NeedsRestart", "true");
  assert_property (h->client, "same", "NeedsRestart", "false");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  /* Also after one more. */
  survival_wait_saved (h, "web", "state", "\"running\"");
  survival_start_again (h);
  assert_property (h->client, "web", "NeedsRestart", "true");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  g_variant_unref (client_ok (h->client, "RestartService", "('web', {'wait': <true>})"));
  assert_property (h->client, "web", "NeedsRestart", "false");
  client_wait_log_lines (h->client, "web", 1);
}

/* The folder's last word on what is wanted counts, as with a reload. */
static void
test_changed_status (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "wait", "");
  harness_service (h, "down", "wait", "status = \"stop\"\n");
  harness_service (h, "failed", "exit 3", "[lifecycle]\nrestart = \"never\"\n");
  start_web (h);
  client_wait_state (h->client, "failed", "failed");
  survival_wait_saved (h, "failed", "state", "\"failed\"");
  survival_crash (h);
  harness_service (h, "down", "wait", "");
  harness_service (h, "failed", "wait", "");
  survival_start (h);
  client_wait_state (h->client, "down", "running");
  client_wait_state (h->client, "failed", "running");
  survival_check_once_each (h, 3);
}

/* Stopped in order, and forgotten. */
static void
test_file_is_gone (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders = g_strdup_printf ("term-stamp %s on-term 0 50 wait", stamps);
  g_auto (GStrv) lines = NULL;
  guint32 pid, user;

  /* In the order of names the needed one comes first, which is not the order of stopping. */
  harness_service (h, "a-web", orders, "");
  harness_service (h, "b-user", orders, "[dependencies]\nrequires = [\"a-web\"]\n");
  harness_service (h, "web", "wait", "");
  harness_service (h, "off", "wait", "status = \"ignore\"\n");
  start_web (h);
  client_wait_state (h->client, "b-user", "running");
  survival_wait_saved (h, "b-user", "state", "\"running\"");
  pid = client_get_pid (h->client, "a-web");
  user = client_get_pid (h->client, "b-user");
  g_usleep (50000);
  survival_crash (h);
  harness_remove (h, "a-web.toml");
  harness_remove (h, "off.toml");
  survival_start (h);
  g_assert_true (processes_wait_end ((pid_t)user, CLIENT_PATIENCE_SECONDS));
  g_assert_true (processes_wait_end ((pid_t)pid, CLIENT_PATIENCE_SECONDS));
  lines = harness_wait_lines (h, "stamps", 4);
  g_assert_true (g_str_has_prefix (lines[0], "term b-user"));
  g_assert_true (g_str_has_prefix (lines[1], "end b-user"));
  g_assert_true (g_str_has_prefix (lines[2], "term a-web"));
  client_wait_property (h->client, NULL, "ServiceCount", "2");
  g_free (client_fails (h->client, "NoSuchService", "GetService", "('a-web',)"));
  g_free (client_fails (h->client, "NoSuchService", "GetService", "('off',)"));
  client_wait_state (h->client, "b-user", "failed");
  assert_failure (h->client, "b-user", "missing_dependency dependency=a-web");
}

/* A mistake in a file stops nothing: the service keeps what it was started with. */
static void
test_file_is_broken (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *reloaded = NULL;
  guint32 pid;

  harness_service (h, "web", "wait", "");
  pid = start_web (h);
  survival_crash (h);
  harness_write (h, "web.toml", "[service\nexec = 3\n");
  survival_start (h);
  assert_property (h->client, "web", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  harness_service (h, "web", "wait", "");
  reloaded = harness_reload (h);
  g_assert_cmpstr (reloaded, ==, "+ ~ -");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  assert_property (h->client, "web", "Ephemeral", "false");
  assert_property (h->client, "web", "NeedsRestart", "false");
}

/* The same for a file that is not called as its service, and for one that leads nowhere; it is still their
 * file: who removes it removes them. */
static void
test_named_file_is_broken (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *link = g_build_filename (h->config_dir, "link.toml", NULL);
  g_autofree char *reloaded = NULL;
  guint32 site, linked;

  harness_service (h, "web", "wait", "");
  harness_write (h, "page.toml", "[service]\nname = \"site\"\nexec = \"%s wait\"\n", harness_child ());
  harness_service (h, "link", "wait", "");
  start_web (h);
  survival_wait_saved (h, "site", "state", "\"running\"");
  survival_wait_saved (h, "link", "state", "\"running\"");
  site = client_get_pid (h->client, "site");
  linked = client_get_pid (h->client, "link");
  survival_crash (h);
  harness_write (h, "page.toml", "[service\n");
  harness_remove (h, "link.toml");
  g_assert_cmpint (symlink ("/nowhere/at/all", link), ==, 0);
  survival_start (h);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (client_get_pid (h->client, "site"), ==, site);
    g_assert_cmpuint (client_get_pid (h->client, "link"), ==, linked);
    assert_property (h->client, "site", "Ephemeral", "false");
    harness_reexecute (h);
  }
  harness_remove (h, "page.toml");
  harness_remove (h, "link.toml");
  reloaded = harness_reload (h);
  g_assert_cmpstr (reloaded, ==, "+ ~ -link,site");
  client_wait_property (h->client, NULL, "ServiceCount", "1");
}

/* A folder that is not mounted, which is not there or empty then, is not a request to stop everything. */
static void
test_folder_is_gone (gconstpointer is_empty)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *aside = harness_path (h, "aside");
  g_autofree char *reloaded = NULL;
  guint32 pid;

  harness_service (h, "web", "wait", "");
  harness_service (h, "off", "wait", "status = \"stop\"\n");
  pid = start_web (h);
  g_assert_cmpint (rename (h->config_dir, aside), ==, 0);
  g_assert_true (is_empty == NULL || g_mkdir (h->config_dir, 0755) == 0);
  for (guint i = 0; i < 3; i++) {
    if (i % 2 == 0)
      survival_start_again (h);
    else
      harness_reexecute (h);
    assert_property (h->client, "web", "State", "running");
    assert_property (h->client, "off", "WantedStatus", "stop");
    g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
    survival_wait_saved (h, "web", "state", "\"running\"");
  }
  g_assert_true (is_empty == NULL || g_rmdir (h->config_dir) == 0);
  g_assert_cmpint (rename (aside, h->config_dir), ==, 0);
  reloaded = harness_reload (h);
  g_assert_cmpstr (reloaded, ==, "+ ~ -");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
}

/* Ended while nobody looked: how is known only if nobody has reaped it yet; what follows is policy. */
static void
test_ended_meanwhile (void)
{
  static const char *const names[] = { "web", "never", "zombie" };
  g_autoptr (Harness) h = harness_new ();
  guint32 pids[G_N_ELEMENTS (names)];

  harness_service (h, "web", "wait", "[lifecycle]\nrestart_delay_ms = 50\n");
  harness_service (h, "never", "wait", "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "zombie", "wait", "[lifecycle]\nrestart = \"never\"\n");
  start_web (h);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    survival_wait_saved (h, names[i], "state", "\"running\"");
    pids[i] = client_get_pid (h->client, names[i]);
  }
  survival_crash (h);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    int status;

    g_assert_cmpint (kill ((pid_t)pids[i], SIGKILL), ==, 0);
    g_assert_true (processes_wait_end ((pid_t)pids[i], CLIENT_PATIENCE_SECONDS));
    if (i < 2)
      g_assert_true (processes_wait_child ((pid_t)pids[i], CLIENT_PATIENCE_SECONDS, &status));
  }
  survival_start (h);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, pids[0]);
  client_wait_state (h->client, "never", "exited");
  assert_property (h->client, "never", "LastExit", "('exited', -1)");
  client_wait_state (h->client, "zombie", "failed");
  assert_property (h->client, "zombie", "LastExit", "('killed', 9)");
  survival_check_once_each (h, 1);
}

/* An adopted service is stopped like any other, with what it has forked. */
static void
test_stop_of_adopted (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) before = NULL, pids = NULL;

  harness_service (h, "web", "stubborn stubborn out ready wait", "[lifecycle]\nstop_timeout_ms = 200\n");
  start_web (h);
  client_wait_log_lines (h->client, "web", 1);
  survival_start_again (h);
  before = harness_service_pids (h, "web");
  g_assert_cmpuint (before->len, ==, 3);
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  client_wait_state (h->client, "web", "failed");
  assert_failure (h->client, "web", "stop_timeout");
  pids = harness_service_pids (h, "web");
  g_assert_cmpuint (pids->len, ==, 0);
}

/* What its first process left behind while nobody looked is cleared before the next one starts; what another
 * service or the test itself runs is not touched. */
static void
test_leftovers (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) before = NULL;
  guint32 pid;

  harness_service (h, "other", "stubborn out ready wait", "[lifecycle]\nstop_timeout_ms = 100\n");
  harness_service (h, "web", "stubborn stubborn out ready wait",
                   "[lifecycle]\nrestart_delay_ms = 300\nstop_timeout_ms = 100\n");
  pid = start_web (h);
  client_wait_log_lines (h->client, "web", 1);
  client_wait_log_lines (h->client, "other", 1);
  survival_wait_saved (h, "other", "state", "\"running\"");
  before = harness_service_pids (h, "web");
  g_assert_cmpuint (before->len, ==, 3);
  survival_crash (h);
  g_assert_cmpint (kill ((pid_t)pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child ((pid_t)pid, CLIENT_PATIENCE_SECONDS, &(int){ 0 }));
  survival_start (h);
  client_wait_property (h->client, "web", "RestartCount", "1");
  client_wait_state (h->client, "web", "running");
  for (guint i = 0; i < before->len; i++)
    g_assert_true (processes_wait_end (g_array_index (before, pid_t, i), CLIENT_PATIENCE_SECONDS));
  g_array_unref (before);
  before = harness_service_pids (h, "other");
  g_assert_cmpuint (before->len, ==, 2);
  g_assert_cmpuint (survival_count_said (h, "other processes of it have not"), ==, 1);
}

typedef struct {
  const char *name;
  const char *ending;
  const char *policy;
  const char *last_exit;
  const char *failure; /* "" = exited */
  const char *restarts;
} Ending;

/* How an adopted service ends is known, though it is nobody's child here, and is treated accordingly. */
static void
test_end_of_adopted (void)
{
  static const Ending endings[] = {
    { "crash", "exit 3", "on-failure", "('exited', 3)", "exit_code code=3", "1" },
    { "signal", "die 9", "on-failure", "('killed', 9)", "signal signal=9", "1" },
    { "fine", "exit 0", "on-failure", "('exited', 0)", "", "0" },
    { "once", "exit 0", "always", "('exited', 0)", "", "1" },
    { "bad", "exit 4", "never", "('exited', 4)", "exit_code code=4", "0" },
  };
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go");

  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *orders = g_strdup_printf ("until %s %s", go, endings[i].ending);
    g_autofree char *more = g_strdup_printf (
        "[lifecycle]\nrestart = \"%s\"\nrestart_delay_ms = 600\nmax_restarts = 1\n", endings[i].policy);

    harness_service (h, endings[i].name, orders, more);
  }
  harness_service (h, "web", "wait", "");
  start_web (h);
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    client_wait_state (h->client, endings[i].name, "running");
  survival_start_again (h);
  client_set_mark (h->client);
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_variant_unref (client_wait_transition (h->client, endings[i].name, "running",
                                             *endings[i].failure != '\0' ? "failed" : "exited"));
    assert_property (h->client, endings[i].name, "LastExit", endings[i].last_exit);
    assert_failure (h->client, endings[i].name, endings[i].failure);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    client_wait_property (h->client, endings[i].name, "RestartCount", endings[i].restarts);
}

/* The second finds the first and goes; nothing has changed. */
static void
test_second_daemon (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *const options[] = { "--no-bus", NULL };
  GPid first;
  guint32 pid;
  int status;

  harness_service (h, "web", "wait", "");
  pid = start_web (h);
  first = h->daemon_pid;
  harness_launch (h, options);
  g_assert_true (processes_wait_child (h->daemon_pid, CLIENT_PATIENCE_SECONDS, &status));
  h->daemon_pid = first;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpuint (survival_count_said (h, "another zinitd serves"), ==, 1);
  assert_property (h->client, "web", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  survival_check_once_each (h, 1);
  /* The socket is still the first one's. */
  g_clear_pointer (&h->client, client_free);
  h->client = client_new_for_socket (h->socket);
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
}

/* Who starts after a shutdown that was cut short starts afresh, but for what somebody wanted otherwise, and
 * has the output of who has gone on. */
static void
test_killed_in_shutdown (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "wait", "");
  harness_service (h, "fast", "wait", "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "off", "wait", "");
  harness_service (h, "slow", "out before on-term 0 60000 wait", "[lifecycle]\nstop_timeout_ms = 60000\n");
  start_web (h);
  client_wait_state (h->client, "slow", "running");
  client_wait_log_lines (h->client, "slow", 1);
  g_variant_unref (client_ok (h->client, "StopService", "('off', {'wait': <true>})"));
  g_usleep (100000);
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  client_wait_state (h->client, "fast", "exited");
  g_usleep (150000);
  survival_start_again (h);
  client_wait_state (h->client, "fast", "running");
  client_wait_state (h->client, "web", "running");
  survival_check_once_each (h, 3);
  assert_property (h->client, "off", "WantedStatus", "stop");
  client_wait_log_lines (h->client, "slow", 1);
  g_variant_unref (client_ok (h->client, "KillService", "('slow', 9, {'whom': <'all'>})"));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  /* What a daemon leaves behind becomes ours: the test says when a zombie is reaped. */
  g_assert_cmpint (prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), ==, 0);
  g_test_add_func ("/survival-changes/changed-file", test_changed_file);
  g_test_add_func ("/survival-changes/changed-status", test_changed_status);
  g_test_add_func ("/survival-changes/file-is-gone", test_file_is_gone);
  g_test_add_func ("/survival-changes/file-is-broken", test_file_is_broken);
  g_test_add_func ("/survival-changes/named-file-is-broken", test_named_file_is_broken);
  g_test_add_data_func ("/survival-changes/folder-is-gone", NULL, test_folder_is_gone);
  g_test_add_data_func ("/survival-changes/folder-is-empty", "empty", test_folder_is_gone);
  g_test_add_func ("/survival-changes/ended-meanwhile", test_ended_meanwhile);
  g_test_add_func ("/survival-changes/stop-of-adopted", test_stop_of_adopted);
  g_test_add_func ("/survival-changes/leftovers", test_leftovers);
  g_test_add_func ("/survival-changes/end-of-adopted", test_end_of_adopted);
  g_test_add_func ("/survival-changes/second-daemon", test_second_daemon);
  g_test_add_func ("/survival-changes/killed-in-shutdown", test_killed_in_shutdown);
  return g_test_run ();
}
