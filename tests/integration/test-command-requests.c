/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked for and how it went: what has to wait, what failed and with which last words, what is told of
 * several.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>
#include <sys/wait.h>

#include "command.h"
#include "processes.h"

#define DONE 0
#define FAILED 1
#define USAGE 2
#define NO_SERVICE 3

#define BY_HAND "status = \"ignore\"\n"
#define REQUIRES(name) "[dependencies]\nrequires = [\"" name "\"]\n"

/* A start takes along what it needs; one that must not says what it waits for, and its waiting has an end. */
static void
test_start_waits (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *only = NULL, *again = NULL, *tree = NULL, *wrong = NULL, *both = NULL, *slow = NULL;
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", go);

  harness_service (h, "db", "wait", BY_HAND);
  harness_service (h, "web", "wait", BY_HAND REQUIRES ("db"));
  harness_service (h, "gate", orders, "oneshot = true\n" BY_HAND);
  harness_service (h, "late", "wait", BY_HAND REQUIRES ("gate"));
  harness_start (h);
  only = command_print (h, FAILED, "start --only web");
  command_assert_has (only, "web is waiting: it requires db");
  command_assert_has (only, "zinit start web");
  assert_property (h->client, "web", "State", "blocked");
  assert_property (h->client, "db", "State", "inactive");
  /* Blocked already: no change of state tells of it. */
  again = command_print (h, FAILED, "start --only --timeout 60 web");
  command_assert_has (again, "web is waiting: it requires db");
  tree = command_print (h, DONE, "start web");
  assert_property (h->client, "db", "State", "running");
  assert_property (h->client, "web", "State", "running");
  slow = command_print (h, FAILED, "start --timeout 300ms late");
  command_assert_has (slow, "late is waiting: it requires gate");
  command_assert_has (slow, "late is not up after 300ms");
  assert_property (h->client, "gate", "State", "running");
  wrong = command_print (h, USAGE, "start --timeout 5x web");
  command_assert_has (wrong, "2min");
  both = command_print (h, USAGE, "start --no-wait --timeout 5 web");
}

/* What failed is named, with the output of that run, and not of the one that only waited for it. */
static void
test_last_output (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *held = NULL, *broken = NULL, *dependency = NULL, *lost = NULL;

  harness_service (h, "db", "out healthy wait", BY_HAND "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "web", "out ofweb wait", BY_HAND REQUIRES ("db"));
  harness_start (h);
  g_free (command_print (h, DONE, "start web"));
  client_wait_log_lines (h->client, "db", 1);
  client_wait_log_lines (h->client, "web", 1);
  g_free (command_print (h, DONE, "stop db"));
  held = command_print (h, DONE, "why web");
  command_assert_has (held, "when the service it requires is up\n");
  command_assert_has (held, "requires db, which is stopped");
  harness_service (h, "db", "err boom exit 3", BY_HAND "oneshot = true\n[lifecycle]\nrestart = \"never\"\n");
  g_free (command_print (h, DONE, "reload"));
  broken = command_print (h, FAILED, "start db");
  command_assert_has (broken, "Last output of db");
  command_assert_has (broken, "boom");
  command_assert_lacks (broken, "healthy");
  dependency = command_print (h, FAILED, "start web");
  command_assert_has (dependency, "Last output of db");
  command_assert_has (dependency, "boom");
  command_assert_has (dependency, "zinit logs db");
  command_assert_lacks (dependency, "ofweb");
  /* A program that is not there wrote nothing; what is kept is older. */
  harness_write (h, "db.toml", "[service]\nexec = \"/nonexistent/db\"\n" BY_HAND);
  g_free (command_print (h, DONE, "reload"));
  lost = command_print (h, FAILED, "start db");
  command_assert_has (lost, "/nonexistent/db");
  command_assert_lacks (lost, "boom");
}

/* Ends are said once; what had to be killed is down all the same. */
static void
test_words_for_ends (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *status = NULL, *list = NULL, *stop = NULL;
  g_autoptr (JsonNode) json = NULL;

  harness_service (h, "ended", "exit 0", "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "deaf", "ignore 15 out up wait", "[lifecycle]\nstop_timeout_ms = 200\n");
  harness_service (h, "setup", "exit 0", "oneshot = true\n");
  harness_start (h);
  client_wait_state (h->client, "ended", "exited");
  client_wait_state (h->client, "setup", "exited");
  client_wait_log_lines (h->client, "deaf", 1);
  status = command_print (h, DONE, "status ended setup");
  command_assert_has (status, "State: exited with code 0");
  command_assert_has (status, "State: done");
  command_assert_lacks (status, "exited: exited");
  list = command_print (h, DONE, "list");
  command_assert_has (list, "setup\texited\tdone\t");
  stop = command_print (h, DONE, "stop deaf");
  command_assert_has (stop, "deaf: stopped; had to be killed after 200 ms");
  json = command_run_json (h, DONE, "list deaf");
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (json_node_get_array (json), 0), "state"),
      ==, "failed");
}

static void
test_wait (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", go);
  g_autofree char *late = NULL, *there = NULL, *none = NULL, *wrong = NULL, *missing = NULL, *output = NULL;
  g_autofree char *path = harness_path (h, "waited");
  int status = -1;
  GPid pid;

  harness_service (h, "job", orders, "oneshot = true\n");
  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  there = command_print (h, DONE, "wait web --for running");
  late = command_print (h, FAILED, "wait job --for done --timeout 100ms");
  command_assert_has (late, "job did not become done in time; it is running");
  none = command_print (h, NO_SERVICE, "wait jbo --for done");
  command_assert_has (none, "did you mean \"job\"");
  wrong = command_print (h, USAGE, "wait job --for runing");
  command_assert_has (wrong, "did you mean \"running\"");
  missing = command_print (h, USAGE, "wait job");
  pid = command_start (h, "waited", "wait job web --for exited --timeout 60");
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  client_wait_state (h->client, "job", "exited");
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, DONE);
  g_assert_true (g_file_get_contents (path, &output, NULL, NULL));
  command_assert_has (output, "job: ");
}

/* All of them are waited for, oneshots to their end, and what failed is not called done. */
static void
test_all (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 3", go);
  g_autofree char *stop = NULL, *late = NULL, *output = NULL, *path = harness_path (h, "started");
  const char *const once = "oneshot = true\n[lifecycle]\nrestart = \"never\"\n";
  int status = 0;
  GPid pid;

  harness_service (h, "web", "wait", "");
  harness_service (h, "good", "exit 0", once);
  harness_service (h, "job", orders, once);
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  client_wait_state (h->client, "job", "running");
  stop = command_print (h, DONE, "stop --all");
  command_assert_has (stop, "web: stopped");
  command_assert_has (stop, "job: stopped");
  assert_property (h->client, "web", "State", "exited");
  late = command_print (h, FAILED, "start --all --timeout 300ms");
  command_assert_has (late, "job is not up after 300ms; it is running");
  g_free (command_print (h, DONE, "stop --all"));
  pid = command_start (h, "started", "start --all");
  client_wait_state (h->client, "job", "running");
  client_wait_state (h->client, "web", "running");
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_true (g_file_get_contents (path, &output, NULL, NULL));
  g_assert_cmpint (WEXITSTATUS (status), ==, FAILED);
  command_assert_has (output, "web: running");
  command_assert_has (output, "good: done");
  command_assert_has (output, "job did not start");
  command_assert_has (output, "exited with code 3");
}

/* Several names are one request: what one of them needs is stopped after it, whatever is named first. */
static void
test_several (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stop = NULL, *mixed = NULL, *again = NULL, *restart = NULL;
  g_autoptr (JsonNode) json = NULL;

  harness_service (h, "db", "wait", BY_HAND);
  harness_service (h, "web", "wait", BY_HAND REQUIRES ("db"));
  harness_start (h);
  restart = command_print (h, DONE, "restart web");
  assert_property (h->client, "db", "State", "running");
  client_set_mark (h->client);
  stop = command_print (h, DONE, "stop db web");
  command_assert_has (stop, "db: stopped");
  command_assert_has (stop, "web: stopped");
  g_assert_cmpuint (client_position (h->client, "web", "exited"), <,
                    client_position (h->client, "db", "stopping"));
  assert_property (h->client, "web", "SubState", "stopped");
  again = command_print (h, DONE, "stop db web");
  mixed = command_print (h, NO_SERVICE, "start web nobody");
  command_assert_has (mixed, "web: running");
  command_assert_has (mixed, "nobody");
  json = command_run_json (h, DONE, "start web db");
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json)), ==, 2);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/command-requests/start-waits", test_start_waits);
  g_test_add_func ("/command-requests/last-output", test_last_output);
  g_test_add_func ("/command-requests/words-for-ends", test_words_for_ends);
  g_test_add_func ("/command-requests/wait", test_wait);
  g_test_add_func ("/command-requests/all", test_all);
  g_test_add_func ("/command-requests/several", test_several);
  return g_test_run ();
}
