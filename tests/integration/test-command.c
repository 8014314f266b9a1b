/* SPDX-License-Identifier: Apache-2.0
 *
 * The command `zinit` as people and scripts use it: what it does, what it prints, how it ends.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "command.h"
#include "processes.h"

#define DONE 0
#define FAILED 1
#define USAGE 2
#define NO_SERVICE 3
#define NO_DAEMON 4

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in: %s", part, text);
}

static Harness *
start (void)
{
  Harness *h = harness_new ();

  harness_service (h, "db", "out ready wait", "");
  harness_service (h, "web", "out one err two wait",
                   "description = \"The shop\"\n[dependencies]\nrequires = [\"db\"]\n");
  harness_service (h, "setup", "exit 0", "oneshot = true\n");
  harness_service (h, "bad", "exit 3",
                   "oneshot = true\nstatus = \"ignore\"\n[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "lost", "wait", "[dependencies]\nrequires = [\"nobody\"]\n");
  harness_service (h, "idle", "wait", "status = \"ignore\"\n[dependencies]\nconflicts = [\"db\"]\n");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  client_wait_state (h->client, "setup", "exited");
  client_wait_state (h->client, "lost", "failed");
  return h;
}

/* Runs it and checks its end; gives what it printed. Transfer full. */
#define run(code_wanted, ...)                                                                                \
  ({                                                                                                         \
    g_autoptr (CommandResult) result_ = command_run (h, __VA_ARGS__);                                        \
    command_check (result_, code_wanted);                                                                    \
    g_strconcat (result_->out, result_->err, NULL);                                                          \
  })

static JsonObject *
find_object (JsonNode *node, const char *key, const char *value)
{
  JsonArray *array = json_node_get_array (node);

  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);

    if (g_strcmp0 (json_object_get_string_member (object, key), value) == 0)
      return object;
  }
  g_error ("no object with %s = %s", key, value);
}

static void
test_list (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *table = run (DONE, "list"), *short_form = run (DONE, "ls"),
                  *names = run (DONE, "list --names");
  g_autofree char *failed = run (DONE, "list --failed --names"), *some = run (DONE, "list --names web db");
  g_autoptr (JsonNode) json = command_run_json (h, DONE, "list");
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  JsonObject *web;

  /* In a pipe one line a service, without heading and colours. */
  g_assert_cmpuint (g_strv_length (lines), ==, 6 + 1);
  g_assert_null (strchr (table, '\033'));
  assert_has (short_form, "setup");
  g_assert_cmpstr (names, ==, "bad\ndb\nidle\nlost\nsetup\nweb\n");
  g_assert_cmpstr (failed, ==, "lost\n");
  assert_has (some, "db\n");
  g_assert_null (strstr (some, "setup"));
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json)), ==, 6);
  web = find_object (json, "name", "web");
  g_assert_cmpstr (json_object_get_string_member (web, "state"), ==, "running");
  g_assert_cmpint (json_object_get_int_member (web, "pid"), ==, client_get_pid (h->client, "web"));
  g_assert_true (json_object_get_null_member (web, "failure_reason"));
  g_assert_cmpstr (
      json_object_get_string_member (
          json_object_get_object_member (find_object (json, "name", "lost"), "failure_reason"), "type"),
      ==, "missing_dependency");
}

static void
test_status (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *service = run (DONE, "status web"), *daemon = run (DONE, "status");
  g_autofree char *pid = g_strdup_printf ("%u", client_get_pid (h->client, "web"));
  g_autofree char *lost = run (DONE, "status lost"), *none = NULL, *one_of_two = NULL;
  g_autoptr (JsonNode) all = command_run_json (h, DONE, "status"),
                       two = command_run_json (h, DONE, "status db web");

  assert_has (service, "running");
  assert_has (service, pid);
  assert_has (service, "db");
  assert_has (service, "Description: The shop");
  assert_has (lost, "nobody");
  assert_has (daemon, h->config_dir);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (all), "service_count"), ==, 6);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (two)), ==, 2);
  none = run (NO_SERVICE, "status wbe");
  assert_has (none, "wbe");
  one_of_two = run (NO_SERVICE, "status web nobody");
  assert_has (one_of_two, "running");
}

static void
test_start_stop_restart (void)
{
  g_autoptr (Harness) h = start ();
  guint32 pid = client_get_pid (h->client, "web");
  g_autofree char *stop = NULL, *again = NULL, *up = NULL, *restart = NULL, *bad = NULL, *nobody = NULL,
                  *back = NULL;
  g_autoptr (JsonNode) json = NULL;

  stop = run (DONE, "stop db");
  assert_property (h->client, "db", "State", "exited");
  assert_property (h->client, "web", "State", "exited");
  again = run (DONE, "start web");
  assert_property (h->client, "web", "State", "running");
  assert_property (h->client, "db", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, pid);
  pid = client_get_pid (h->client, "web");
  restart = run (DONE, "restart web");
  assert_property (h->client, "web", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "web"), !=, pid);
  bad = run (FAILED, "start bad");
  assert_has (bad, "3");
  nobody = run (NO_SERVICE, "start nobody");
  /* What is asked for is so already. */
  up = run (DONE, "start db");
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  back = run (DONE, "stop web");
  json = command_run_json (h, FAILED, "start web bad");
  g_assert_cmpstr (json_object_get_string_member (find_object (json, "service", "web"), "state"), ==,
                   "running");
  g_assert_true (json_object_get_boolean_member (find_object (json, "service", "web"), "ok"));
  g_assert_false (json_object_get_boolean_member (find_object (json, "service", "bad"), "ok"));
}

static void
test_no_wait (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", path);
  g_autofree char *out = NULL, *all = NULL;

  harness_service (h, "gate", orders, "oneshot = true\n");
  harness_service (h, "web", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"gate\"]\n");
  harness_start (h);
  out = run (DONE, "start --no-wait web");
  client_wait_state (h->client, "web", "blocked");
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  client_wait_state (h->client, "web", "running");
  all = run (DONE, "stop --all");
  assert_property (h->client, "web", "State", "exited");
}

static void
test_why_and_tree (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *why = run (DONE, "why lost"), *nothing = run (DONE, "why web"),
                  *none = run (NO_SERVICE, "why x");
  g_autofree char *tree = run (DONE, "tree"), *one = run (DONE, "tree web"), *usage = run (USAGE, "why");
  g_autoptr (JsonNode) json = command_run_json (h, DONE, "why lost"),
                       graph = command_run_json (h, DONE, "tree");

  assert_has (why, "nobody");
  g_assert_cmpstr (json_object_get_string_member (find_object (json, "kind", "requires"), "service"), ==,
                   "nobody");
  assert_has (tree, "setup");
  assert_has (one, "db");
  g_assert_null (strstr (one, "setup"));
  find_object (graph, "name", "web");
}

static void
test_logs (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *all = NULL, *out_only = NULL, *last = NULL, *raw = NULL, *none = NULL, *json_text = NULL;
  g_auto (GStrv) lines = NULL;

  client_wait_log_lines (h->client, "web", 2);
  client_wait_log_lines (h->client, "db", 1);
  all = run (DONE, "logs web");
  assert_has (all, "one");
  assert_has (all, "two");
  out_only = run (DONE, "logs --stream stdout --raw web");
  g_assert_cmpstr (out_only, ==, "one\n");
  last = run (DONE, "logs -n 1 --raw db");
  g_assert_cmpstr (last, ==, "ready\n");
  raw = run (DONE, "logs --raw setup");
  g_assert_cmpstr (raw, ==, "");
  none = run (NO_SERVICE, "logs nobody");
  /* One JSON object a line. */
  json_text = run (DONE, "--json logs web");
  lines = g_strsplit (g_strchomp (json_text), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 2);
  for (int i = 0; i < 2; i++) {
    g_autoptr (JsonNode) node = json_from_string (lines[i], NULL);

    g_assert_nonnull (node);
    g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "service"), ==, "web");
  }
}

static void
test_definitions (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *good = harness_path (h, "extra.toml"), *bad = harness_path (h, "bad.toml");
  g_autofree char *text = g_strdup_printf ("[service]\nexec = \"%s wait\"\n", harness_child ());
  g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL, *f = NULL, *g = NULL, *i = NULL;
  g_autoptr (JsonNode) config = NULL;

  g_assert_true (g_file_set_contents (good, text, -1, NULL));
  g_assert_true (g_file_set_contents (bad, "[service]\nexec = 5\n", -1, NULL));
  a = run (DONE, "add '%s'", good);
  client_wait_state (h->client, "extra", "running");
  b = run (FAILED, "add '%s'", good);
  c = run (FAILED, "add '%s'", bad);
  assert_has (c, "exec");
  d = run (DONE, "config extra");
  assert_has (d, "restart_delay_ms");
  config = command_run_json (h, DONE, "config extra");
  g_assert_cmpstr (
      json_object_get_string_member (
          json_object_get_object_member (json_node_get_object (config), "lifecycle"), "stop_signal"),
      ==, "SIGTERM");
  e = run (FAILED, "remove extra");
  f = run (DONE, "remove --stop extra");
  client_wait_property (h->client, NULL, "ServiceCount", "6");
  harness_service (h, "fresh", "wait", "");
  g = run (DONE, "reload");
  assert_has (g, "fresh");
  client_wait_state (h->client, "fresh", "running");
  harness_write (h, "broken.toml", "[service\n");
  i = run (FAILED, "reload");
  assert_has (i, "broken.toml");
}

/* Without a daemon. */
static void
test_check (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *good = NULL, *bad = NULL, *file = NULL, *folder = NULL;

  harness_service (h, "web", "wait", "");
  folder = run (DONE, "check '%s'", h->config_dir);
  file = run (DONE, "check '%s/web.toml'", h->config_dir);
  harness_write (h, "wrong.toml", "[service]\nexec = \"true\"\n[lifecycle]\nrestart_dely_ms = 1\n");
  bad = run (FAILED, "check '%s'", h->config_dir);
  assert_has (bad, "wrong.toml");
  assert_has (bad, "restart_delay_ms");
  good = run (FAILED, "check '%s/nothing-here'", h->config_dir);
}

static void
test_kill_and_stats (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *stats = run (DONE, "stats web"), *kill_one = NULL, *wrong = NULL, *down = NULL;
  g_autoptr (JsonNode) json = command_run_json (h, DONE, "stats web");

  assert_has (stats, "web");
  /* Of a process that has just begun the kernel counts its few pages a processor at a time, and tells none.
   */
  g_assert_cmpint (json_object_get_int_member (find_object (json, "service", "web"), "memory_bytes"), >=, 0);
  g_assert_cmpuint (json_array_get_length (
                        json_object_get_array_member (find_object (json, "service", "web"), "processes")),
                    ==, 1);
  kill_one = run (DONE, "kill -s KILL web");
  client_wait_property (h->client, "web", "LastExit", "('killed', 9)");
  wrong = run (USAGE, "kill -s NOSUCH db");
  down = run (FAILED, "kill idle");
}

static void
test_usage (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *none = run (USAGE, "frobnicate"), *option = run (USAGE, "list --frobnicate");
  g_autofree char *missing = run (USAGE, "start"), *help = run (DONE, "--help"),
                  *own = run (DONE, "start --help");
  g_autofree char *version = run (DONE, "--version");
  g_autofree char *both = run (USAGE, "--system list");

  assert_has (help, "restart");
  assert_has (own, "--only");
  assert_has (version, "0.");
}

static void
test_ways_to_the_daemon (void)
{
  g_autoptr (Harness) h = start ();
  g_autoptr (CommandResult) by_socket = command_run_plain (h, "--socket '%s' list --names", h->socket);
  g_autoptr (CommandResult) by_env = NULL, nobody = NULL, no_bus = NULL, after = NULL;

  command_check (by_socket, DONE);
  assert_has (by_socket->out, "web\n");
  harness_setenv (h, "ZINIT_SOCKET", h->socket);
  by_env = command_run_plain (h, "list --names");
  harness_setenv (h, "ZINIT_SOCKET", NULL);
  command_check (by_env, DONE);
  nobody = command_run_plain (h, "--socket '%s/nothing.sock' list", h->runtime_dir);
  command_check (nobody, NO_DAEMON);
  no_bus = command_run_plain (h, "--address 'unix:path=%s/nothing' list", h->runtime_dir);
  command_check (no_bus, NO_DAEMON);
  after = command_run (h, "shutdown");
  command_check (after, DONE);
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  {
    g_autoptr (CommandResult) gone = command_run (h, "list");

    command_check (gone, NO_DAEMON);
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/command/list", test_list);
  g_test_add_func ("/command/status", test_status);
  g_test_add_func ("/command/start-stop-restart", test_start_stop_restart);
  g_test_add_func ("/command/no-wait", test_no_wait);
  g_test_add_func ("/command/why-and-tree", test_why_and_tree);
  g_test_add_func ("/command/logs", test_logs);
  g_test_add_func ("/command/definitions", test_definitions);
  g_test_add_func ("/command/check", test_check);
  g_test_add_func ("/command/kill-and-stats", test_kill_and_stats);
  g_test_add_func ("/command/usage", test_usage);
  g_test_add_func ("/command/ways-to-the-daemon", test_ways_to_the_daemon);
  return g_test_run ();
}
