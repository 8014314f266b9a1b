/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the folder again: what differs changes, all else stays as it is.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define assert_reload(harness, text)                                                                         \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *result_ = harness_reload (harness);                                                     \
    g_assert_cmpstr (result_, ==, text);                                                                     \
  }                                                                                                          \
  G_STMT_END

static void
test_added_changed_removed (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 keep, change, gone;
  TestClient *c;

  harness_service (h, "keep", "wait", "");
  harness_service (h, "change", "wait", "");
  harness_service (h, "gone", "wait", "");
  harness_service (h, "stopped", "wait", "");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "keep", "running");
  client_wait_state (c, "change", "running");
  client_wait_state (c, "gone", "running");
  client_wait_state (c, "stopped", "running");
  g_variant_unref (client_ok (c, "StopService", "('stopped', {'wait': <true>})"));
  keep = client_get_pid (c, "keep");
  change = client_get_pid (c, "change");
  gone = client_get_pid (c, "gone");
  client_set_mark (c);
  harness_service (h, "new", "wait", "");
  harness_service (h, "new-off", "wait", "status = \"stop\"\n");
  harness_service (h, "change", "out changed wait", "");
  harness_service (h, "keep", "wait", "# a comment is no change\n");
  harness_remove (h, "gone.toml");
  assert_reload (h, "+new,new-off ~change -gone");
  client_wait_state (c, "new", "running");
  assert_property (c, "new-off", "State", "inactive");
  /* Nothing unchanged is touched, not even by a signal. */
  g_assert_cmpuint (client_get_pid (c, "keep"), ==, keep);
  g_assert_cmpuint (client_count_signals (c, "/org/zinit/service/keep", NULL), ==, 0);
  assert_property (c, "stopped", "State", "exited");
  assert_property (c, "stopped", "WantedStatus", "stop");
  /* The changed one runs on as it was, and says that it needs a restart. */
  g_assert_cmpuint (client_get_pid (c, "change"), ==, change);
  assert_property (c, "change", "NeedsRestart", "true");
  g_assert_cmpuint (client_count_signals (c, "/org/zinit/service/change", "PropertiesChanged"), ==, 1);
  /* The vanished one is stopped and removed. */
  client_wait_property (c, NULL, "ServiceCount", "5");
  g_assert_true (processes_wait_end ((pid_t)gone, CLIENT_PATIENCE_SECONDS));
  g_free (client_fails (c, "NoSuchService", "GetService", "('gone',)"));
  g_assert_cmpuint (client_count_signals (c, ZINIT_ROOT_PATH, "InterfacesAdded"), ==, 2);
  g_assert_cmpuint (client_count_signals (c, ZINIT_ROOT_PATH, "InterfacesRemoved"), ==, 1);
  assert_reload (h, "+ ~ -");
}

static void
test_needs_restart (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = NULL, *orders = NULL, *exec = NULL;
  g_auto (GStrv) lines = NULL;
  TestClient *c;

  harness_service (h, "web", "wait", "");
  harness_service (h, "other", "wait", "");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "running");
  assert_property (c, "web", "NeedsRestart", "false");
  path = harness_path (h, "started");
  orders = g_strdup_printf ("stamp %s wait", path);
  harness_service (h, "web", orders, "[dependencies]\nwants = [\"other\"]\n");
  assert_reload (h, "+ ~web -");
  assert_property (c, "web", "NeedsRestart", "true");
  /* Back to what runs: nothing to restart for. */
  harness_service (h, "web", "wait", "");
  assert_reload (h, "+ ~web -");
  assert_property (c, "web", "NeedsRestart", "false");
  harness_service (h, "web", orders, "[dependencies]\nwants = [\"other\"]\n");
  assert_reload (h, "+ ~web -");
  g_variant_unref (client_ok (c, "RestartService", "('web', {'wait': <true>})"));
  assert_property (c, "web", "NeedsRestart", "false");
  assert_property (c, "web", "Wants", "['other']");
  /* For people alone: it counts at once. */
  harness_service (h, "web", orders, "description = \"The web\"\n[dependencies]\nwants = [\"other\"]\n");
  assert_reload (h, "+ ~web -");
  assert_property (c, "web", "Description", "The web");
  assert_property (c, "web", "NeedsRestart", "false");
  exec = client_get_text (c, "web", "Exec");
  g_assert_nonnull (strstr (exec, "stamp"));
  lines = harness_wait_lines (h, "started", 1);
}

/* A file that does not parse keeps the old definition, and the others are taken. */
static void
test_bad_file (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL;
  guint32 pid;
  TestClient *c;

  harness_service (h, "web", "wait", "");
  harness_service (h, "idle", "wait", "status = \"ignore\"\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "running");
  pid = client_get_pid (c, "web");
  harness_write (h, "web.toml", "[service]\nexec = \n");
  harness_write (h, "idle.toml", "[service]\nexec = \"\"\n");
  harness_write (h, "never.toml", "[service\n");
  harness_service (h, "new", "wait", "");
  errors = harness_reload_errors (h);
  g_assert_cmpuint (g_variant_n_children (errors), ==, 3);
  client_wait_state (c, "new", "running");
  g_assert_cmpuint (client_get_pid (c, "web"), ==, pid);
  assert_property (c, "web", "NeedsRestart", "false");
  assert_property (c, NULL, "ServiceCount", "3");
  g_variant_unref (client_ok (c, "StartService", "('idle', {'wait': <true>})"));
  /* A service with its own name in the file is known by that name too. */
  harness_service (h, "web", "wait", "");
  harness_service (h, "idle", "wait", "status = \"ignore\"\n");
  harness_remove (h, "never.toml");
  assert_reload (h, "+ ~ -");
  g_assert_cmpuint (client_get_pid (c, "web"), ==, pid);
}

/* A cycle refuses the files that are in it; the rest of the change is made. */
static void
test_cycle (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  g_autoptr (GVariant) reply = NULL;
  TestClient *c;

  harness_service (h, "a", "wait", "");
  harness_service (h, "b", "wait", "[dependencies]\nrequires = [\"a\"]\n");
  harness_service (h, "gone", "wait", "");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "b", "running");
  client_wait_state (c, "gone", "running");
  harness_service (h, "a", "wait", "[dependencies]\nafter = [\"b\"]\n");
  harness_service (h, "new", "wait", "");
  harness_remove (h, "gone.toml");
  reply = client_ok (c, "Reload", "(" NO_OPTIONS ",)");
  message = g_variant_print (reply, FALSE);
  g_assert_true (strstr (message, "a → b → a") || strstr (message, "b → a → b"));
  client_wait_state (c, "new", "running");
  assert_property (c, "a", "NeedsRestart", "false");
  assert_property (c, "a", "After", "[]");
  /* What is put right is taken. */
  harness_service (h, "a", "wait", "");
  assert_reload (h, "+ ~ -");
}

/* SIGHUP means the same; what is wrong is in the daemon's log. */
static void
test_hangup (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) added = NULL;
  g_autofree char *log = NULL;

  harness_start (h);
  client_wait_property (h->client, NULL, "State", "running");
  harness_service (h, "new", "wait", "");
  harness_write (h, "broken.toml", "[service\n");
  client_set_mark (h->client);
  g_assert_cmpint (kill (h->daemon_pid, SIGHUP), ==, 0);
  added = client_wait_transition (h->client, "new", NULL, "running");
  g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, "broken.toml"));
}

/* A folder that cannot be read does not say that its files are gone. */
static void
test_unreadable_folder (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL;
  g_autofree char *away = NULL;

  harness_service (h, "calm", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "calm", "running");
  away = g_strconcat (h->config_dir, ".away", NULL);
  g_assert_cmpint (g_rename (h->config_dir, away), ==, 0);
  g_assert_true (g_file_set_contents (h->config_dir, "", 0, NULL));
  errors = harness_reload_errors (h);
  g_assert_cmpuint (g_variant_n_children (errors), ==, 1);
  assert_property (h->client, "calm", "State", "running");
  g_assert_cmpint (g_remove (h->config_dir), ==, 0);
  g_assert_cmpint (g_rename (away, h->config_dir), ==, 0);
  assert_reload (h, "+ ~ -");
}

/* Nor does one without any file, as it is while something is not mounted, unless that is said. */
static void
test_empty_folder (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  g_autofree char *removed = NULL;
  g_autoptr (GVariant) reply = NULL;

  harness_service (h, "calm", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "calm", "running");
  harness_remove (h, "calm.toml");
  harness_write (h, "README", "no definition");
  message = client_fails (h->client, "Failed", "Reload", "(" NO_OPTIONS ",)");
  g_assert_nonnull (strstr (message, "the folder has no definition file; nothing is changed"));
  g_assert_nonnull (strstr (message, "zinit reload --allow-empty"));
  assert_property (h->client, "calm", "State", "running");
  g_free (client_fails (h->client, "Failed", "Reload", "({'allow_empty': <false>},)"));
  g_assert_cmpint (kill (h->daemon_pid, SIGHUP), ==, 0);
  for (;;) {
    g_autofree char *log = NULL;

    g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
    if (strstr (log, "nothing was reloaded: ") != NULL)
      break;
    g_usleep (2000);
  }
  assert_property (h->client, "calm", "State", "running");

  reply = client_ok (h->client, "Reload", "({'allow_empty': <true>},)");
  removed = g_variant_print (reply, FALSE);
  g_assert_cmpstr (removed, ==, "([], [], ['calm'], [])");
  client_wait_property (h->client, NULL, "ServiceCount", "0");
  /* Nothing can be lost any more. */
  assert_reload (h, "+ ~ -");
}

/* What is not in the folder is not the folder's to remove. */
static void
test_ephemeral_stays (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_start (h);
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'web'>, 'exec': <'%s wait'>}}, " NO_OPTIONS ")",
                              harness_child ()));
  client_wait_state (h->client, "web", "running");
  assert_reload (h, "+ ~ -");
  assert_property (h->client, "web", "State", "running");
}

/* What a change of dependencies means for those that wait. */
static void
test_dependencies_change (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "idle", "wait", "status = \"ignore\"\n");
  harness_service (h, "web", "wait", "[dependencies]\nrequires = [\"idle\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "web", "blocked");
  assert_property (c, "idle", "RequiredBy", "['web']");
  harness_service (h, "web", "wait", "");
  assert_reload (h, "+ ~web -");
  client_wait_state (c, "web", "running");
  assert_property (c, "idle", "RequiredBy", "[]");
  assert_property (c, "web", "NeedsRestart", "false");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/rules/L1/added-changed-removed", test_added_changed_removed);
  g_test_add_func ("/reload/needs-restart", test_needs_restart);
  g_test_add_func ("/reload/bad-file", test_bad_file);
  g_test_add_func ("/rules/B7/reload", test_cycle);
  g_test_add_func ("/reload/hangup", test_hangup);
  g_test_add_func ("/reload/unreadable-folder", test_unreadable_folder);
  g_test_add_func ("/reload/empty-folder", test_empty_folder);
  g_test_add_func ("/reload/ephemeral-stays", test_ephemeral_stays);
  g_test_add_func ("/reload/dependencies-change", test_dependencies_change);
  return g_test_run ();
}
